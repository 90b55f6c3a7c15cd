"""Draws the ratios of bench/results.json: `plot.py RESULTS PNG`. It is run with what requirements.txt names."""

import json
import sys

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

with open(sys.argv[1], encoding="utf8") as results:
    rows = [row for row in json.load(results)["rows"] if row["target"] is not None]

figure, axes = plt.subplots(figsize=(9, 0.42 * len(rows) + 1.6))
colours = {True: "#2b7a4b", False: "#b3402e"}
for y, row in enumerate(reversed(rows)):
    # In parts of the target, so that one axis does for all; where less is better, turned over.
    parts = [row[name] / row["target"] for name in ("ratio", "least", "most")]
    middle, low, high = [1 / one for one in parts] if row["at_most"] else parts
    axes.barh(y, middle, color=colours[row["met"]], height=0.6)
    axes.plot(sorted((low, high)), [y, y], color="black", linewidth=1.2)
    sign = "≤" if row["at_most"] else "≥"
    told = f"{row['ratio']:.3g} ({sign} {row['target']:g})"
    axes.text(max(low, high, middle) * 1.05, y, told, va="center", fontsize=8)
        max(low, high, middle) * 1.05, y, f"{row['ratio']:.3g} ({sign} {row['target']:g})", va="center", fontsize=8
    )
axes.axvline(1, color="black", linestyle="--", linewidth=1)
axes.set_yticks(range(len(rows)), [row["name"] for row in reversed(rows)], fontsize=8)
axes.set_xscale("log", base=2)
axes.set_xlabel("reached / target (beyond the line: met); thin lines: the rounds")
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=130, metadata={"Software": None})
