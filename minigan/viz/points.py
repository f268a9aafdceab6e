"""2-D samples as a scatter plot: what the generator makes, over what it should make.

scatter_png     (N, 2) and (M, 2) -> .png, and with labels a colour and a number for each class
Elsewhere: the 2-D densities (data/), how many modes are covered (metrics/).
"""

import colorsys
import io
from typing import Any

import numpy as np

from minigan.errors import ShapeError
from minigan.serialize import replacing
from minigan.viz.tokens import GOLDEN

# Blue and orange of Okabe & Ito 2008, "Color Universal Design": told apart by every kind of eye, and in grey.
REAL, FAKE = "#56B4E9", "#D55E00"
GROUND = "0.72"  # real points beneath those that have the colours of their classes


def scatter_png(path, fake, real=None, title=None, limits=None, labels=None):
    """Draw points as a square PNG, 600 x 600 pixels, with equal axes.

    fake    (N, 2), orange      real    (M, 2) or None, blue, underneath; one of the two may be None
    limits  (low, high) of both axes; by default the real points with a margin (the fake ones when there are none), so
            the frames of one run have one scale
    labels  (N,) ints, the class of each point of fake (of real, when there are none): each class has a colour, and its
            number stands above the median of its points.  The points beneath are then grey
    Points beyond the limits and points that are NaN or infinite cannot be drawn: the picture says how many.
    ShapeError for other shapes, CheckpointError when the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    only_real = fake is None
    fake = _points(np.zeros((0, 2)) if only_real else fake, "fake")
    real = None if real is None else _points(real, "real")
    low, high = _limits(fake if real is None else real) if limits is None else limits
    labelled: Any = real if only_real else fake
    if labels is not None and np.shape(labels) != (len(labelled),):
        raise ShapeError(f"scatter_png: labels has shape {np.shape(labels)}, needs one for each of the {len(labelled)} points")

    figure = Figure(figsize=(5, 5), dpi=120, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    if real is not None:
        # Larger and paler than the generated points: a halo that is seen around those that lie on it.
        colour = REAL if labels is None else _colours(labels) if only_real else GROUND
        axes.scatter(*real.T, s=4 * _area(real), color=colour, alpha=0.4, linewidths=0, label=f"real ({len(real)})")
    finite = np.isfinite(fake).all(axis=1)
    shown = fake[finite]
    if not only_real:
        colour = FAKE if labels is None else _colours(np.asarray(labels)[finite])
        axes.scatter(*shown.T, s=_area(fake), color=colour, alpha=0.7, linewidths=0, label=f"generated ({len(fake)})")
    if labels is not None:
        _numbers(axes, *((real, np.asarray(labels)) if only_real else (shown, np.asarray(labels)[finite])))
    axes.set(xlim=(low, high), ylim=(low, high), xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    if title is not None:
        axes.set_title(title, fontsize=11, parse_math=False)  # a "$" in a name is a dollar

    outside = int(((shown < low) | (shown > high)).any(axis=1).sum())
    lost = len(fake) - len(shown)
    notes = [f"{outside} generated outside"] * (outside > 0) + [f"{lost} generated NaN or infinite"] * (lost > 0)
    if notes:
        box = {"facecolor": "white", "edgecolor": FAKE, "alpha": 0.9, "boxstyle": "round,pad=0.3"}
        axes.text(0.02, 0.02, "\n".join(notes), transform=axes.transAxes, fontsize=9, bbox=box)
    # Outside the axes: a legend inside hides points, and "best" takes seconds on many.
    legend = figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    handles: list[Any] = legend.legend_handles
    for handle in handles:
        handle.set(alpha=1, sizes=[40])
    if labels is not None:  # one dot cannot have all the colours
        handles[-1].set_color("black")
        legend.get_texts()[-1].set_text(f"{legend.get_texts()[-1].get_text()}, by class")

    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data, metadata={"Software": None})  # the same points, the same bytes
    with replacing(path) as file:
        file.write(data.getbuffer())


def _points(points, name):
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(f"scatter_png: {name} has shape {points.shape}, needs (N, 2); of more columns choose two")
    return points


def _limits(points):
    """One (low, high) for both axes that holds every finite point, and a tenth more on each side."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) == 0:
        return -1.0, 1.0
    low, high = points.min(), points.max()
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _colours(labels):
    """(N,) ints -> (N, 3) in [0, 1]: hues far apart, none so bright that it would be lost on white paper."""
    hues = GOLDEN * np.arange(int(np.max(labels, initial=0)) + 1) % 1
    table = np.array([colorsys.hsv_to_rgb(hue, 1, 0.9) for hue in hues])
    bright = table @ (0.299, 0.587, 0.114)  # ITU-R BT.601
    return (table * np.minimum(1, 0.4 / bright)[:, None])[labels]


def _numbers(axes, points, labels):
    """Each class's number just above the median of its points, with a white rim so that it is read over others."""
    from matplotlib.patheffects import withStroke

    for k in np.unique(labels):
        axes.annotate(str(k), np.median(points[labels == k], axis=0), (0, 8), textcoords="offset points", fontsize=11,
                      fontweight="bold", ha="center", va="center", color=_colours(np.array([k]))[0], annotation_clip=True,
                      path_effects=[withStroke(linewidth=3, foreground="white")])


def _area(points):
    """Marker area in square points: many points are drawn smaller, 9 for 500 and below, 1.5 for 3000 and above."""
    return float(np.clip(4500 / max(len(points), 1), 1.5, 9))
