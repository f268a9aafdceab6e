"""2-D samples as a scatter plot: generated points drawn over real ones.

scatter_png     (N, 2) and (M, 2) -> .png; with labels, each class has a colour and a number
Elsewhere: the 2-D densities (data/), how many modes are covered (metrics/).
"""

import colorsys
from typing import Any

import numpy as np

from minigan.errors import ShapeError
from minigan.serialize import replacing
from minigan.viz import figures
from minigan.viz.tokens import GOLDEN

# Blue and orange from Okabe & Ito 2008, "Color Universal Design": they differ for colour-blind readers and in grey.
REAL, FAKE = "#56B4E9", "#D55E00"
GROUND = "0.72"  # grey, for real points under generated points that have the colours of their classes
# On D's field, as in lesson 2: red where D says "generated", white where it is undecided, blue where it says "real".
FIELD, ON_FIELD = "RdBu", {"real": "#F0E442", "generated": "black"}
CELLS = 64  # places along each axis at which D is asked


def scatter_png(path, fake, real=None, title=None, limits=None, labels=None, names=("$x_1$", "$x_2$"), field=None):
    """Draw points as a square PNG, 600 x 600 pixels, with equal axes.

    path    of the .png file
    fake    (N, 2), generated points, orange; or None
    real    (M, 2), real points, blue, under the generated ones; or None, but not both
    limits  (low, high) of both axes; the default fits the real points with a margin (the fake ones if there are no real
            ones), so all frames of a run have the same scale
    labels  (N,) ints, the class of each fake point (of each real point if fake is None).  Each class has its own colour, and
            its number is written above the median of its points; real points under fake ones are then grey
    names   of the two axes.  A second axis without a name, None, has no ticks either, because it is no coordinate
    field   (text, f): f(points (N, 2) float32) -> (N,), what D says of points; its colours fill the plane, and the generated
            points are black then.  "D(x)" stands for a probability, any other text for a score, whose range is written
    Points outside the limits and points that are NaN or infinite are not drawn; the picture says how many there are.
    Raises ShapeError for other shapes, and CheckpointError when the file cannot be written.

        scatter_png("points.png", np.random.default_rng(0).normal(size=(500, 2)))
    """
    only_real = fake is None
    fake = _points(np.zeros((0, 2)) if only_real else fake, "fake")
    real = None if real is None else _points(real, "real")
    low, high = _limits(fake if real is None else real) if limits is None else limits
    labelled: Any = real if only_real else fake
    if labels is not None and np.shape(labels) != (len(labelled),):
        raise ShapeError(f"scatter_png: labels has shape {np.shape(labels)}, needs one for each of the {len(labelled)} points")

    figure = figures.new(5, 5, layout=None)
    axes = figure.add_axes((0.13, 0.17, 0.78, 0.78))  # not matplotlib's own layout, which takes half of the drawing's time
    meaning = "" if field is None else _draw_field(axes, field, low, high)
    if real is not None:
        # Real points are larger and paler, so they stay visible around generated points that lie on them.
        colour = ON_FIELD["real"] if field else REAL if labels is None else _colours(labels) if only_real else GROUND
        axes.scatter(*real.T, s=4 * _area(real), color=colour, alpha=0.4, linewidths=0, label=f"real ({len(real)})")
    finite = np.isfinite(fake).all(axis=1)
    shown = fake[finite]
    if not only_real:
        colour = ON_FIELD["generated"] if field else FAKE if labels is None else _colours(np.asarray(labels)[finite])
        axes.scatter(*shown.T, s=_area(fake), color=colour, alpha=0.7, linewidths=0, label=f"generated ({len(fake)})")
    if labels is not None:
        _numbers(axes, *((real, np.asarray(labels)) if only_real else (shown, np.asarray(labels)[finite])))
    axes.set(xlim=(low, high), ylim=(low, high), xlabel=names[0], ylabel=names[1], aspect="equal")
    if names[1] is None:
        axes.tick_params(axis="y", left=False, labelleft=False)
    if field is None:
        axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    if title is not None:
        axes.set_title(title, fontsize=11, parse_math=False)  # a "$" in a name must not start a formula

    outside = int(((shown < low) | (shown > high)).any(axis=1).sum())
    lost = len(fake) - len(shown)
    notes = [f"{outside} generated outside"] * (outside > 0) + [f"{lost} generated NaN or infinite"] * (lost > 0)
    if notes:
        box = {"facecolor": "white", "edgecolor": FAKE, "alpha": 0.9, "boxstyle": "round,pad=0.3"}
        axes.text(0.02, 0.02, "\n".join(notes), transform=axes.transAxes, fontsize=9, bbox=box)
    # The legend is outside the axes: inside it would hide points, and loc="best" takes seconds when there are many.
    legend = figure.legend(loc="lower center", ncols=2, frameon=False, fontsize=10, borderaxespad=0)
    if meaning:
        figure.text(0.5, 0.05, meaning, fontsize=9, color="0.3", ha="center", parse_math=False)
    handles: list[Any] = legend.legend_handles
    for handle in handles:
        handle.set(alpha=1, sizes=[40])
    if labels is not None:  # the classes have many colours, but the legend has one dot
        handles[-1].set_color("black")
        legend.get_texts()[-1].set_text(f"{legend.get_texts()[-1].get_text()}, by class")

    with replacing(path) as file:
        file.write(figures.png(figure))


def _draw_field(axes, field, low, high):
    """Draw D's field, and return what its colours mean."""
    text, function = field
    at = np.linspace(low, high, CELLS, dtype=np.float32)
    values = np.asarray(function(np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)), np.float64).reshape(CELLS, CELLS)
    known = values[np.isfinite(values)]
    if text == "D(x)":
        bottom, top, meaning = 0.0, 1.0, "blue: D says real; red: generated; white: undecided"
    else:
        bottom, top = np.percentile(known, (1, 99)) if len(known) else (0.0, 1.0)
        meaning = f"D's {text}: from {bottom:.3g} (red) to {top:.3g} (blue)"
    extent = (low, high, low, high)
    axes.imshow(values, cmap=FIELD, vmin=bottom, vmax=top, alpha=0.8, extent=extent, origin="lower", interpolation="bilinear")
    return meaning


def _points(points, name):
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(f"scatter_png: {name} has shape {points.shape}, needs (N, 2); if there are more columns, choose two")
    return points


def _limits(points):
    """One (low, high) for both axes: it includes every finite point, with a margin of a tenth on each side."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) == 0:
        return -1.0, 1.0
    low, high = points.min(), points.max()
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _colours(labels):
    """(N,) ints -> (N, 3) in [0, 1]: very different hues, none of them too bright for a white background."""
    hues = GOLDEN * np.arange(int(np.max(labels, initial=0)) + 1) % 1
    table = np.array([colorsys.hsv_to_rgb(hue, 1, 0.9) for hue in hues])
    bright = table @ (0.299, 0.587, 0.114)  # ITU-R BT.601
    return (table * np.minimum(1, 0.4 / bright)[:, None])[labels]


def _numbers(axes, points, labels):
    """Write each class's number just above the median of its points; a white rim makes it readable over other points."""
    from matplotlib.patheffects import withStroke

    for k in np.unique(labels):
        axes.annotate(
            str(k),
            np.median(points[labels == k], axis=0),
            (0, 8),
            textcoords="offset points",
            fontsize=11,
            fontweight="bold",
            ha="center",
            va="center",
            color=_colours(np.array([k]))[0],
            annotation_clip=True,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


def _area(points):
    """Marker area in square points: 9 for up to 500 points, then smaller, and 1.5 from 3000 points on."""
    return float(np.clip(4500 / max(len(points), 1), 1.5, 9))
