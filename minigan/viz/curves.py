"""The numbers of a run over its steps, raw and smoothed.

curves_png      log records -> .png: one panel for the losses, one for the gradients, one for each metric
compare_png     several runs -> .png: one panel for each metric, one colour for each group of runs
panels, lines   what is drawn of log records, here and in a page (chart.py)
smooth          the running median that the strong lines show
Elsewhere: the log (runs/folder.py).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from minigan.serialize import replacing
from minigan.viz import figures

# From Okabe & Ito 2008, "Color Universal Design".  Their yellow is left out: it is too light for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
NOT_LOSSES = frozenset({"step", "steps", "epoch", "time", "seconds", "lr", "steps_per_second", "images_per_second"})
_FEW = 80  # a curve with fewer values is drawn with a marker for each and without smoothing
_METRICS = 6  # at most so many panels of metrics; the log has the others


def curves_png(path, records, title="training", keys=None, unit="", undecided=None):
    """Draw the logged numbers over the steps: a pale line for the raw values, a strong line for the smoothed ones.

    path        of the .png file
    records     dicts with "step", as Run.read_log returns them.  Not every record needs every key; None and NaN leave a gap
    keys        which numbers to draw, all in one panel.  By default there is a panel for the losses (all keys except
                NOT_LOSSES), one for what D says ("D(x)"), logarithmic ones for the gradient norms ("D.gradient") and the
                learning rates ("D.lr"), then one panel for each number in record["metrics"]
    unit        the unit of the losses: "nats" if they are cross-entropies or likelihoods, otherwise ""
    undecided   D's loss if it cannot tell real from fake: a dashed line in the first panel
    "D.penalty" is a part of "D", so it is a dashed line in the colour of "D".
    The vertical axis shows every smoothed value and 98 % of the raw ones, so a single spike does not flatten the curve.
    Raises CheckpointError when the file cannot be written.

        curves_png("curves.png", [{"step": 1, "D": 1.4, "G": 0.7}, {"step": 2, "D": 1.3, "G": 0.8}])
    """
    found = panels(records, keys, unit, undecided)
    height = 4.5 + 2.1 * (len(found) - 1)
    figure = _figure(height, layout=None)
    rows = figure.subplots(
        len(found), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [2, *[1] * (len(found) - 1)]}
    )[:, 0]
    # Margins in inches, wide enough for the numbers and the legend: matplotlib's own layout takes most of the drawing's time.
    right = min(3.0, 0.6 + 0.085 * max((len(name) for panel in found for name in panel.series), default=0))
    figure.subplots_adjust(0.9 / 8, 0.5 / height, 1 - right / 8, 1 - 0.35 / height, hspace=0.12)
    for axes, panel in zip(rows, found):
        axes.yaxis.set_label_coords(-0.72 / (8 - 0.9 - right), 0.5)
        _draw(axes, panel)
    rows[-1].set_xlabel("step")
    rows[0].set_title(title, fontsize=11, parse_math=False)
    _save(figure, path)


class Panel(NamedTuple):
    """One plot among the curves.   series: {name: (steps, values)};   mark: (text, height) of a dashed line, or None."""

    label: str
    series: dict
    logarithmic: bool = False
    mark: tuple[str, float] | None = None


class Line(NamedTuple):
    """A series as it is drawn.   steps, values: raw; empty if there are only a few values;   where, middle: smoothed."""

    name: str
    colour: int
    style: str
    steps: np.ndarray
    values: np.ndarray
    where: np.ndarray
    middle: np.ndarray


def panels(records, keys=None, unit="", undecided=None) -> list[Panel]:
    """The panels of `curves_png`, with its arguments: the losses come first; the others exist only if the log has such
    numbers."""
    label = f"loss ({unit})" if unit else "loss"
    if keys is not None:
        return [Panel(label, _series(records, keys))]
    names = list(dict.fromkeys(key for r in records for key in r if key not in NOT_LOSSES and key != "metrics"))
    kinds = {"gradient": [], "lr": [], "(": [], "": []}
    for name in names:
        kind = "(" if "(" in name else name.rpartition(".")[2]
        kinds[kind if kind == "(" or ("." in name and kind in kinds) else ""].append(name)
    mark = None if undecided is None else (f"undecided D: {written(undecided)}", undecided)
    found = [Panel(label, _series(records, _parts_after_totals(kinds[""])), mark=mark)]
    said = _series(records, kinds["("])
    if said:
        chance = any(name.startswith("D(") for name in said)
        found.append(Panel("probability of real", said, mark=("undecided D: 0.5", 0.5)) if chance else Panel("D's score", said))
    for kind, text in (("gradient", "gradient norm"), ("lr", "learning rate")):
        series = {name.rpartition(".")[0]: values for name, values in _series(records, kinds[kind]).items()}
        if series:
            found.append(Panel(text, series, True))
    measured = [{"step": r["step"], **r["metrics"]} for r in records if isinstance(r.get("metrics"), dict) and "step" in r]
    names = list(dict.fromkeys(key for r in measured for key in r if key != "step"))
    return found + [Panel(name, {name: values}) for name, values in _series(measured, names[:_METRICS]).items()]


def written(value) -> str:
    """What an undecided D pays, as text."""
    return "2 ln 2 = 1.386" if math.isclose(value, 2 * math.log(2)) else f"{value:g}"


def lines(panel, stretches=1000) -> tuple[list[Line], float, float]:
    """(lines, low, high): what to draw of a panel, and the range that its vertical axis shows.   stretches: see _thin.

    The range includes every smoothed value, 98 % of the raw ones, and the mark.   Without any line, it is 0 to 1."""
    found, bounds = [], []
    for (name, (steps, values)), (colour, style) in zip(panel.series.items(), _looks(panel.series)):
        if panel.logarithmic:
            values = np.where(values > 0, values, np.nan)
            if np.isnan(values).all():
                continue
        where, middle = smooth(values)
        raw_steps, raw = (steps[:0], values[:0]) if len(values) < _FEW else _thin(steps, values, stretches)
        found.append(Line(name, colour, style, raw_steps, raw, steps[where], middle))
        bounds += [np.nanmin(middle), np.nanmax(middle), *np.nanpercentile(values, (1, 99))]
    if not found:
        return [], 0.0, 1.0
    low, high = min(bounds), max(bounds)
    if panel.logarithmic:
        return found, low / 1.5, high * 1.5
    if panel.mark:
        low, high = min(low, panel.mark[1]), max(high, panel.mark[1])
    margin = 0.05 * (high - low) or 0.5
    return found, low - margin, high + margin


def _draw(axes, panel):
    """Draw the lines, their legend and the axes; without any line, write that nothing is logged yet."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    found, low, high = lines(panel)
    for line in found:
        colour = COLOURS[line.colour]
        axes.plot(line.steps, line.values, color=colour, alpha=0.3, linewidth=0.8)
        marker = None if len(line.values) else "o"
        axes.plot(line.where, line.middle, color=colour, linestyle=line.style, linewidth=1.8, marker=marker, ms=4)
    if found:
        if panel.logarithmic:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylim(low, high)
        axes.margins(x=0.01)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
        if panel.mark:
            axes.axhline(panel.mark[1], color="0.4", linestyle=(0, (4, 3)), linewidth=1, zorder=1)
            box = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1}
            place = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "bottom"}
            axes.text(0.995, panel.mark[1], panel.mark[0], fontsize=9, color="0.3", bbox=box, **place)
        if len(found) > 1 or found[0].name != panel.label:
            _legend(axes, list(zip(axes.lines[1 : 2 * len(found) : 2], [line.name for line in found])))
    else:
        axes.text(0.5, 0.5, "no losses logged yet", transform=axes.transAxes, ha="center", va="center", color="0.4")
        axes.set(xticks=[], yticks=[])
    axes.set_ylabel(panel.label, parse_math=False)
    _plain_axes(axes)


def _legend(axes, handles):
    lines, names = zip(*handles)
    place = dict(loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, fontsize=10)
    legend = axes.legend(lines, [" "] * len(lines), **place)  # matplotlib before 3.10 leaves out a name that begins with "_"
    for text, name in zip(legend.get_texts(), names):
        text.set(text=name, parse_math=False)  # a "$" in a name must not start a formula


def _plain_axes(axes):
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _figure(height, layout: Any = "constrained"):
    return figures.new(8, height, layout=layout)


def _save(figure, path):
    with replacing(path) as file:
        file.write(figures.png(figure))


def compare_png(path, groups, better, title="runs compared"):
    """Draw one panel for each metric.  It shows lines over the steps if a run has several values, otherwise a row of dots for
    each group.

    path        of the .png file
    groups      {name of the group: [{metric: [(step, value), ...]}, one dict for each run]}
    better      {metric: "higher" or "lower"}, which is written on the axis; other values are ignored
    Raises CheckpointError when the file cannot be written.

        compare_png("compare.png", {"gan": [{"modes": [(300, 7)]}], "wgan": [{"modes": [(300, 8)]}]}, {"modes": "higher"})
    """
    from matplotlib.ticker import MaxNLocator

    metrics = list(dict.fromkeys(name for runs in groups.values() for run in runs for name in run))
    names = list(groups)
    height = 0.9 + 0.3 * len(names)
    histories = {m: any(len(run.get(m, ())) > 1 for runs in groups.values() for run in runs) for m in metrics}
    figure = _figure(max(2.5, sum(3.0 if histories[m] else height for m in metrics)))
    rows = figure.subplots(
        max(1, len(metrics)),
        1,
        squeeze=False,
        gridspec_kw={"height_ratios": [3.0 if histories[m] else height for m in metrics] or [1]},
    )[:, 0]
    for axes, metric in zip(rows, metrics):
        label = metric + (f" ({better[metric]} is better)" if better.get(metric) in ("higher", "lower") else "")
        handles = []
        for row, name in enumerate(names):
            colour = COLOURS[row % len(COLOURS)]
            for run in groups[name]:
                steps, values = np.array([(s, _number(v)) for s, v in run.get(metric, ())], float).reshape(-1, 2).T
                if histories[metric]:
                    axes.plot(steps, values, color=colour, marker="o", ms=3, linewidth=1.4, alpha=0.85)
                else:
                    axes.plot(values, [row] * len(values), color=colour, marker="o", ms=6, linestyle="", alpha=0.7)
                if len(values) and (not handles or handles[-1][1] != name):
                    handles.append((axes.lines[-1], name))
        if histories[metric]:
            axes.set(xlabel="step")
            axes.set_ylabel(label, parse_math=False)
            _legend(axes, handles)
        else:
            axes.set_yticks(range(len(names)), names, parse_math=False)
            axes.set_ylim(len(names) - 0.5, -0.5)  # the first group on top
            axes.set_xlabel(label, parse_math=False)
        counted = [axes.xaxis] if histories[metric] else []  # whole numbers only on these axes: steps, and modes for example
        if all(_number(v).is_integer() for runs in groups.values() for run in runs for _, v in run.get(metric, ())):
            counted.append(axes.yaxis if histories[metric] else axes.xaxis)
        for axis in counted:
            axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
        _plain_axes(axes)
    if not metrics:
        rows[0].text(0.5, 0.5, "no metrics measured yet", transform=rows[0].transAxes, ha="center", va="center", color="0.4")
        rows[0].set(xticks=[], yticks=[])
    rows[0].set_title(title, fontsize=11, parse_math=False)
    _save(figure, path)


def smooth(values):
    """A running median of values (N,): returns positions (P,) int and the medians there (P,) float64, with P = min(N, 400).

    The window is a fortieth of the values, and shorter near both ends; fewer than 80 values are returned unchanged.  The result
    is NaN where the value itself is not finite.  A mean would be wrong here: one spike would lift it over the whole window and
    show a plateau that the data do not have.

    >>> positions, medians = smooth([3.0, 1.0, 2.0])
    >>> medians.tolist()
    [3.0, 1.0, 2.0]
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
    """{key: (steps, values)}, both (N,) float64.  A value that is no number becomes NaN; keys without any number are left
    out."""
    records = sorted((r for r in records if np.isfinite(_number(r.get("step")))), key=lambda r: r["step"])
    series = {}
    for key in keys:
        rows = [(_number(r["step"]), _number(r[key])) for r in records if key in r]
        steps, values = np.array(rows, np.float64).reshape(-1, 2).T
        if np.isfinite(values).any():
            series[key] = steps, values
    return series


def _parts_after_totals(names):
    """The names in their order, but with "D.penalty" directly after "D"."""
    totals = list(dict.fromkeys(_total(name) for name in names))
    return sorted(names, key=lambda name: (totals.index(_total(name)), name != _total(name)))


def _number(value):
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else math.nan


def _total(name):
    return name.partition(".")[0]


def _looks(names):
    """Yield (place in COLOURS, line style) for every name.  A part has the colour of its total; the first part is dashed, the
    second dotted, and so on."""
    colours, parts = {}, {}
    for name in names:
        total = _total(name)
        colour = colours.setdefault(total, len(colours) % len(COLOURS))
        if name != total:
            parts[total] = parts.get(total, 0) + 1
        yield colour, "-" if name == total else ("--", ":", "-.")[(parts[total] - 1) % 3]


def _thin(steps, values, stretches):
    """Reduce a curve to at most 3 points for each stretch.  Each stretch keeps its lowest and its highest value, so no spike is
    lost.  A stretch without a finite value stays a gap."""
    stretch = len(values) // stretches
    if stretch <= 2:
        return steps, values
    whole = len(values) // stretch * stretch
    rows = values[:whole].reshape(-1, stretch)
    lowest = np.where(np.isfinite(rows), rows, np.inf).argmin(axis=1)
    highest = np.where(np.isfinite(rows), rows, -np.inf).argmax(axis=1)
    picked = np.sort(np.stack([lowest, highest], axis=1), axis=1) + np.arange(0, whole, stretch)[:, None]
    picked = np.concatenate([picked.reshape(-1), np.arange(whole, len(values))])
    return steps[picked], values[picked]
