"""The numbers of a run over its steps, raw and smoothed.

curves_png      log records -> .png: a panel for the losses, one for the gradients, one for each metric
compare_png     several runs -> .png: a panel for each metric, a colour for each group of runs
smooth          the running median that is drawn
Elsewhere: the log (runs/folder.py).
"""

import io
import math

import numpy as np

from minigan.serialize import replacing

# Okabe & Ito 2008, "Color Universal Design", without the yellow, which is too light for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
NOT_LOSSES = frozenset({"step", "steps", "epoch", "time", "seconds", "lr", "steps_per_second", "images_per_second"})
_FEW = 80  # values that are drawn one by one, with markers
_METRICS = 6  # panels of metrics, the rest is in the log


def curves_png(path, records, title="training", keys=None, unit=""):
    """Draw the numbers of the log over their steps: a pale line as logged, a strong one smoothed.

    records     dicts with "step", as Run.read_log gives them.  A key may be in some of them only; None or NaN is a gap
    keys        which numbers to draw, in one panel; by default the losses (all except NOT_LOSSES), below them the norms of
                the gradients ("D.gradient") and the learning rates ("D.lr") on logarithmic axes, then record["metrics"]
    unit        of the losses: "nats" only where they are cross-entropies or likelihoods
    "D.penalty" is drawn dashed in the colour of "D", as a part of it.
    The vertical axis holds every smoothed line and 98 % of the raw values, so one spike does not flatten the rest.
    CheckpointError when the file cannot be written.
    """
    panels = _panels(records, keys, f"loss ({unit})" if unit else "loss")
    figure = _figure(4.5 + 2.1 * (len(panels) - 1))
    rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False,
                           gridspec_kw={"height_ratios": [2, *[1] * (len(panels) - 1)]})[:, 0]
    for axes, (label, series, logarithmic) in zip(rows, panels):
        _draw(axes, series, label, logarithmic)
    rows[-1].set_xlabel("step")
    rows[0].set_title(title, fontsize=11, parse_math=False)
    _save(figure, path)


def _panels(records, keys, label):
    """[(label, series, logarithmic?)]: the first is of the losses, the others are there if the log has such numbers."""
    if keys is not None:
        return [(label, _series(records, keys), False)]
    names = list(dict.fromkeys(key for r in records for key in r if key not in NOT_LOSSES and key != "metrics"))
    kinds = {"gradient": [], "lr": [], "": []}
    for name in names:
        kind = name.rpartition(".")[2]
        kinds[kind if "." in name and kind in kinds else ""].append(name)
    panels = [(label, _series(records, _parts_after_totals(kinds[""])), False)]
    for kind, text in (("gradient", "gradient norm"), ("lr", "learning rate")):
        series = {name.rpartition(".")[0]: values for name, values in _series(records, kinds[kind]).items()}
        if series:
            panels.append((text, series, True))
    measured = [{"step": r["step"], **r["metrics"]} for r in records if isinstance(r.get("metrics"), dict) and "step" in r]
    names = list(dict.fromkeys(key for r in measured for key in r if key != "step"))
    for name, values in _series(measured, names[:_METRICS]).items():
        panels.append((name, {name: values}, False))
    return panels


def _draw(axes, series, label, logarithmic):
    """Lines with a legend at their right, an axis that holds them, or a word where there is nothing to draw."""
    from matplotlib.ticker import MaxNLocator

    handles = []
    bounds = []  # pairs (low, high) that the vertical axis must hold
    for (name, (steps, values)), (colour, style) in zip(series.items(), _looks(series)):
        if logarithmic:
            values = np.where(values > 0, values, np.nan)
            if np.isnan(values).all():
                continue
        where, middle = smooth(values)
        few = len(values) < _FEW
        if not few:
            axes.plot(*_thin(steps, values), color=colour, alpha=0.3, linewidth=0.8)
        axes.plot(steps[where], middle, color=colour, linestyle=style, linewidth=1.8, marker="o" if few else None, ms=4)
        handles.append((axes.lines[-1], name))
        bounds += [(np.nanmin(middle), np.nanmax(middle)), tuple(np.nanpercentile(values, (1, 99)))]
    if bounds:
        low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
        if logarithmic:
            axes.set_yscale("log")
            axes.set_ylim(low / 1.5, high * 1.5)
        else:
            margin = 0.05 * (high - low) or 0.5
            axes.set_ylim(low - margin, high + margin)
        axes.margins(x=0.01)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
        if len(handles) > 1 or handles[0][1] != label:
            _legend(axes, handles)
    else:
        axes.text(0.5, 0.5, "no losses logged yet", transform=axes.transAxes, ha="center", va="center", color="0.4")
        axes.set(xticks=[], yticks=[])
    axes.set_ylabel(label, parse_math=False)
    _plain_axes(axes)


def _legend(axes, handles):
    legend = axes.legend(*zip(*handles), loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, fontsize=10)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a "$" in a name is a dollar


def _plain_axes(axes):
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _figure(height):
    from matplotlib.figure import Figure

    return Figure(figsize=(8, height), dpi=120, layout="constrained", facecolor="white")


def _save(figure, path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data, metadata={"Software": None})  # the same records, the same bytes
    with replacing(path) as file:
        file.write(data.getbuffer())


def compare_png(path, groups, better, title="runs compared"):
    """A panel for each metric: one row of dots per group where every run was measured once, else lines over the steps.

    groups      {name: [{metric: [(step, value), ...]} for each of its runs]}
    better      {metric: "higher", "lower", ...}: written on its axis
    CheckpointError when the file cannot be written.
    """
    from matplotlib.ticker import MaxNLocator

    metrics = list(dict.fromkeys(name for runs in groups.values() for run in runs for name in run))
    names = list(groups)
    height = 0.9 + 0.3 * len(names)
    histories = {m: any(len(run.get(m, ())) > 1 for runs in groups.values() for run in runs) for m in metrics}
    figure = _figure(max(2.5, sum(3.0 if histories[m] else height for m in metrics)))
    rows = figure.subplots(max(1, len(metrics)), 1, squeeze=False,
                           gridspec_kw={"height_ratios": [3.0 if histories[m] else height for m in metrics] or [1]})[:, 0]
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
        counted = [axes.xaxis] if histories[metric] else []  # there are no half steps, and of modes no half ones
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
    """{key: (steps, values)}, both (N,) float64, NaN for a value that is no number; without keys that have none."""
    records = sorted((r for r in records if np.isfinite(_number(r.get("step")))), key=lambda r: r["step"])
    series = {}
    for key in keys:
        rows = [(_number(r["step"]), _number(r[key])) for r in records if key in r]
        steps, values = np.array(rows, np.float64).reshape(-1, 2).T
        if np.isfinite(values).any():
            series[key] = steps, values
    return series


def _parts_after_totals(names):
    """The names as they appear, "D.penalty" right after "D"."""
    totals = list(dict.fromkeys(_total(name) for name in names))
    return sorted(names, key=lambda name: (totals.index(_total(name)), name != _total(name)))


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
