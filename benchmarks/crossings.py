"""The plots of devices.py: times over sizes, with the size from which a GPU wins, and speeds below the roofs."""

import math
from itertools import pairwise

import numpy as np


def crossing(sizes, cpu, card) -> float | None:
    """The size from which the GPU needs less time than the CPU, there and at every larger size.

    It is the smallest size if the GPU always wins, and None if it does not win at the largest size.   Between two measured
    sizes both times are interpolated as straight lines in logarithms.
    """
    points = sorted(zip(sizes, cpu, card))
    gaps = [math.log(b / a) for _, a, b in points]  # positive: the GPU is slower
    if not points or gaps[-1] >= 0:
        return None
    at = float(points[0][0])
    for (size, left), (larger, right) in pairwise(zip((p[0] for p in points), gaps)):
        if left >= 0 > right:
            at = math.exp(math.log(size) + left / (left - right) * math.log(larger / size))
    return at


def curves(rows: list[dict], crossings: dict, title: str, path) -> None:
    """Draw a panel for each name: time of a call over size, a line for each "series", and the crossings marked.

    rows: dicts with "row", "size", "series", "burst" in seconds; the series "S, with transfers" only beside "S".
    crossings: name -> size or None.
    """
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(row["row"] for row in rows))
    across = min(4, len(names))
    down = math.ceil(len(names) / across)
    figure, panels = plt.subplots(down, across, figsize=(4.2 * across, 3.3 * down + 0.9), squeeze=False)
    series = list(dict.fromkeys(row["series"] for row in rows))
    for panel, name in zip(panels.flat, names):
        for kind in series:
            some = sorted((row["size"], 1e3 * row["burst"]) for row in rows if (row["row"], row["series"]) == (name, kind))
            if some:
                style = "o--" if "PyTorch" in kind else "o:" if "transfers" in kind else "o-"
                same = series.index(kind.replace(", with transfers", ""))  # both lines of a series get the same colour
                panel.loglog(*zip(*some), style, color=f"C{same % 10}", label=kind, markersize=3, linewidth=1)
        at = crossings.get(name)
        if at is not None:
            sizes = [row["size"] for row in rows if row["row"] == name]
            panel.axvline(at, color="black", linewidth=0.8)
            text = " GPU wins at all sizes " if at == min(sizes) else f" GPU wins from {at:.3g} "
            panel.annotate(
                text,
                (at, 0.97),
                xycoords=("data", "axes fraction"),
                va="top",
                fontsize=7,
                ha="right" if at * at > min(sizes) * max(sizes) else "left",
            )
        panel.set_title(name, fontsize=9)
        panel.set_xlabel("size", fontsize=8)
        panel.set_ylabel("ms", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.tick_params(which="minor", labelleft=False, labelbottom=False)
    for panel in list(panels.flat)[len(names) :]:
        panel.set_axis_off()
    handles = {label: h for panel in panels.flat for h, label in zip(*panel.get_legend_handles_labels())}
    figure.suptitle(title, fontsize=10)
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=min(6, len(handles)), fontsize=8)
    figure.tight_layout(rect=(0, 0.5 / (3.3 * down + 0.9), 1, 1 - 0.3 / (3.3 * down + 0.9)))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def roofline(rows: list[dict], roofs: dict, title: str, path) -> None:
    """Draw operations per second over operations per byte, under the roofs.

    rows: dicts with "row", "series", "operations", "bytes", "burst".   roofs: series -> (operations, bytes) per second.
    """
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 6))
    rows = [row for row in rows if row["operations"] and row["bytes"]]
    at = np.array([row["operations"] / row["bytes"] for row in rows] or [1.0])
    x = np.logspace(math.log10(at.min()) - 0.3, math.log10(at.max()) + 0.3, 200)
    names = list(dict.fromkeys(row["row"] for row in rows))
    marker = {name: "osv^D<>ph*PXd+x1234"[number % 19] for number, name in enumerate(names)}
    for number, (kind, (operations, bandwidth)) in enumerate(roofs.items()):
        axes.loglog(x, np.minimum(operations, x * bandwidth) / 1e9, color=f"C{number}", linewidth=1, label=kind)
        for row in rows:
            if row["series"] == kind:
                axes.plot(
                    row["operations"] / row["bytes"],
                    row["operations"] / row["burst"] / 1e9,
                    color=f"C{number}",
                    alpha=0.7,
                    marker=marker[row["row"]],
                    markersize=5,
                    linestyle="",
                )
    for name in names:  # empty lines in grey, so that the legend explains the markers
        axes.plot([], [], color="grey", marker=marker[name], linestyle="", label=name, markersize=5)
    axes.set(xlabel="operations per byte that must be moved", ylabel="GFLOP/s", title=title)
    axes.title.set_fontsize(10)
    axes.legend(fontsize=6, ncol=2, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
