"""The tree over each log: its shape, its nodes, and the checkpoints that are signed of it (docs/proofs.md)."""
