"""The text of a key cannot be guessed."""

from __future__ import annotations

from base64 import b32decode

from stet.keys.text import new_key, new_key_id


def test_the_secret_of_a_key_is_160_random_bits() -> None:
    """Each of them is as often set as not, and no two keys have the same: also not two texts of one key."""
    key_id = new_key_id()
    secrets = [int.from_bytes(b32decode(new_key(key_id).split("_")[2].upper())) for _ in range(1_000)]
    assert len(set(secrets)) == 1_000
    for bit in range(160):
        # Ten standard deviations: it fails by chance less often than once in 10^20 runs.
        assert 340 < sum(secret >> bit & 1 for secret in secrets) < 660, bit
    assert max(secrets) < 2**160
