"""Draws the ratios of bench/results.json: `plot.py RESULTS PNG`. It is run with what requirements.txt names."""

import json
import sys

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

with open(sys.argv[1], encoding="utf8") as results:
    rows = [row for row in json.load(results)["rows"] if row["target"] is not None]

figure, axes = plt.subplots(figsize=(9, 0.42 * len(rows) + 1.6))
for y, row in enumerate(reversed(rows)):
    # In parts of the target, so that one axis does for all; where less is better, turned over.
    parts = [row[name] / row["target"] for name in ("ratio", "least", "most")]
    middle, low, high = [1 / one for one in parts] if row["at_most"] else parts
    colour = "#2b7a4b" if row["met"] else "#b3402e"
    axes.plot([low, high], [y, y], color=colour, linewidth=1.5)
    axes.plot([middle], [y], "o" if row["met"] else "D", color=colour, markersize=7)
    told = f"  {row['ratio']:.3g} ({'≤' if row['at_most'] else '≥'} {row['target']:g})"
    axes.text(max(low, high), y, told, va="center", fontsize=8)
axes.axvline(1, color="black", linestyle="--", linewidth=1)
axes.set_yticks(range(len(rows)), [row["name"] for row in reversed(rows)], fontsize=8)
axes.set_ylim(-0.6, len(rows) - 0.4)
axes.set_xscale("log", base=2)
axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
axes.margins(x=0.15)
axes.set_xlabel("reached / target: right of the line is met; the lines span the rounds")
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=130, metadata={"Software": None})
