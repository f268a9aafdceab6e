"""2-D samples as a scatter plot: what the generator makes, over what it should make.

scatter_png     (N, 2) and (M, 2) -> .png
Elsewhere: the 2-D densities (data/), how many modes are covered (metrics/).
"""

import io

import numpy as np

from minigan.errors import ShapeError
from minigan.serialize import replacing

# Blue and orange of Okabe & Ito 2008, "Color Universal Design": told apart by every kind of eye, and in grey.
REAL, FAKE = "#56B4E9", "#D55E00"


def scatter_png(path, fake, real=None, title=None, limits=None):
    """Draw points as a square PNG, 600 x 600 pixels, with equal axes.

    fake    (N, 2), orange      real    (M, 2) or None, blue, underneath; one of the two may be None
    limits  (low, high) of both axes; by default the real points with a margin (the fake ones when there are none), so
            the frames of one run have one scale
    Points beyond the limits and points that are NaN or infinite cannot be drawn: the picture says how many.
    ShapeError for other shapes, CheckpointError when the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    only_real = fake is None
    fake = _points(np.zeros((0, 2)) if only_real else fake, "fake")
    real = None if real is None else _points(real, "real")
    low, high = _limits(fake if real is None else real) if limits is None else limits

    figure = Figure(figsize=(5, 5), dpi=120, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    if real is not None:
        # Larger and paler than the generated points: a halo that is seen around those that lie on it.
        axes.scatter(*real.T, s=4 * _area(real), color=REAL, alpha=0.4, linewidths=0, label=f"real ({len(real)})")
    shown = fake[np.isfinite(fake).all(axis=1)]
    if not only_real:
        axes.scatter(*shown.T, s=_area(fake), color=FAKE, alpha=0.7, linewidths=0, label=f"generated ({len(fake)})")
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
    for handle in legend.legend_handles:
        handle.set(alpha=1, sizes=[40])

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


def _area(points):
    """Marker area in square points: many points are drawn smaller, 9 for 500 and below, 1.5 for 3000 and above."""
    return float(np.clip(4500 / max(len(points), 1), 1.5, 9))
