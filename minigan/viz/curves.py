"""Losses over steps, raw and smoothed.

curves_png      log records -> .png
smooth          the running median that is drawn
Elsewhere: the log (train/run.py).
"""

import io
import math

import numpy as np

from minigan.serialize import replacing

# Okabe & Ito 2008, "Color Universal Design", without the yellow, which is too light for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
NOT_LOSSES = frozenset({"step", "steps", "epoch", "time", "seconds", "lr", "steps_per_second", "images_per_second"})
_FEW = 80  # values that are drawn one by one, with markers


def curves_png(path, records, title="training losses", keys=None, label="loss (nats)"):
    """Draw numbers of the log over their steps: a pale line as logged, a strong one smoothed.

    records     dicts with "step", as Run.read_log gives them.  A key may be in some of them only; None or NaN is a gap
    keys        which numbers to draw; by default all except steps, times and rates (NOT_LOSSES).  "D.penalty" is drawn
                dashed in the colour of "D", as a part of it
    label       the vertical axis and its unit; least squares and Wasserstein losses are not in nats
    The vertical axis holds every smoothed line and 98 % of the raw values, so one spike does not flatten the rest.
    CheckpointError when the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    series = _series(records, keys)
    handles = []
    bounds = []  # pairs (low, high) that the vertical axis must hold
    for (name, (steps, values)), (colour, style) in zip(series.items(), _looks(series)):
        where, middle = smooth(values)
        few = len(values) < _FEW
        if not few:
            axes.plot(*_thin(steps, values), color=colour, alpha=0.3, linewidth=0.8)
        axes.plot(steps[where], middle, color=colour, linestyle=style, linewidth=1.8, marker="o" if few else None, ms=4)
        handles.append((axes.lines[-1], name))
        bounds += [(np.nanmin(middle), np.nanmax(middle)), tuple(np.nanpercentile(values, (1, 99)))]
    if bounds:
        low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
        margin = 0.05 * (high - low) or 0.5
        axes.set_ylim(low - margin, high + margin)
        axes.margins(x=0.01)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
        legend = figure.legend(*zip(*handles), loc="outside right upper", frameon=False, fontsize=10)
        for text in legend.get_texts():
            text.set_parse_math(False)  # a "$" in a name is a dollar
    else:
        axes.text(0.5, 0.5, "no losses logged yet", transform=axes.transAxes, ha="center", va="center", color="0.4")
        axes.set(xticks=[], yticks=[])
    axes.set(xlabel="step", ylabel=label)
    axes.set_title(title, fontsize=11, parse_math=False)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)

    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data, metadata={"Software": None})  # the same records, the same bytes
    with replacing(path) as file:
        file.write(data.getbuffer())


def smooth(values):
    """A running median: positions (P,) int and the median there (P,), for values (N,).   P = N, at most 400.

    The window is a fortieth of the values, cut off at both ends; fewer than 80 values are left as they are.  NaN where
    the value itself is not finite.  Not a mean: one spike of 80 would lift it over the whole window, to a plateau that
    never was.
    """
    values = np.asarray(values, dtype=np.float64)
    half = len(values) // _FEW
    where = np.unique(np.linspace(0, len(values) - 1, min(len(values), 400)).astype(int))
    middle = np.full(len(where), np.nan)
    for row, i in enumerate(where):
        if np.isfinite(values[i]):
            window = values[max(0, i - half) : i + half + 1]
            middle[row] = np.median(window[np.isfinite(window)])
    return where, middle


def _series(records, keys):
    """{name: (steps, values)}, both (N,) float64, NaN for a value that is no number; parts follow their total."""
    records = sorted((r for r in records if np.isfinite(_number(r.get("step")))), key=lambda r: r["step"])
    if keys is None:
        names = list(dict.fromkeys(key for r in records for key in r if key not in NOT_LOSSES))  # as they appear
        totals = list(dict.fromkeys(_total(name) for name in names))
        keys = sorted(names, key=lambda name: (totals.index(_total(name)), name != _total(name)))
    series = {}
    for key in keys:
        rows = [(_number(r["step"]), _number(r[key])) for r in records if key in r]
        steps, values = np.array(rows, np.float64).reshape(-1, 2).T
        if np.isfinite(values).any():
            series[key] = steps, values
    return series


def _number(value):
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else math.nan


def _total(name):
    return name.partition(".")[0]


def _looks(names):
    """(colour, line style) for every name: a part takes its total's colour, dashed; a second part dotted, and so on."""
    colours, parts = {}, {}
    for name in names:
        total = _total(name)
        colour = colours.setdefault(total, COLOURS[len(colours) % len(COLOURS)])
        if name != total:
            parts[total] = parts.get(total, 0) + 1
        yield colour, "-" if name == total else ("--", ":", "-.")[(parts[total] - 1) % 3]


def _thin(steps, values):
    """At most 3000 points, more than the picture has columns: the lowest and the highest of every stretch, so that no
    spike is lost.  A stretch without a finite value stays a gap."""
    stretch = len(values) // 1000
    if stretch <= 2:
        return steps, values
    whole = len(values) // stretch * stretch
    rows = values[:whole].reshape(-1, stretch)
    lowest = np.where(np.isfinite(rows), rows, np.inf).argmin(axis=1)
    highest = np.where(np.isfinite(rows), rows, -np.inf).argmax(axis=1)
    picked = np.sort(np.stack([lowest, highest], axis=1), axis=1) + np.arange(0, whole, stretch)[:, None]
    picked = np.concatenate([picked.reshape(-1), np.arange(whole, len(values))])
    return steps[picked], values[picked]
