"""The curves of a run as HTML, for a page: their text has the reader's size, their colours are the page's, at every width.

charts      panels (curves.py) -> HTML, one <figure> for each
STYLE       the rules for a style sheet; the page sets the colours --c0 to --c6, --ink, --soft, --line and --paper
Elsewhere: what is drawn, and as a .png (curves.py); the page (runs/report.py).
"""

import html
import math

import numpy as np

from minigan.viz.curves import COLOURS, lines

SIDE = 1000  # the height and the width of a drawing, which the page stretches; so a tenth of a unit is never seen
STRETCHES = 150  # of the raw values; see curves.py, _thin
STYLE = """
.chart { margin: 0 0 1.5rem; break-inside: avoid; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; color: var(--ink); font-size: .95rem;
  margin: 0 0 .4rem; }
.chart figcaption strong { flex: 1 1 auto; font-weight: 600; }
.chart .key::before { content: ""; display: inline-block; width: 1.3rem; vertical-align: .28em; margin-right: .4rem;
  border-top: 3px solid var(--c); }
.chart .key.dashed::before { border-top-style: dashed; } .chart .key.dotted::before { border-top-style: dotted; }
.plot { position: relative; height: 9rem; margin: 0 .8rem 1.6rem 3.4rem; border: solid var(--soft); border-width: 0 0 1px 1px; }
.chart:first-of-type .plot { height: 15rem; }
.plot svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.plot path { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round;
  vector-effect: non-scaling-stroke; }
.plot .raw { stroke-width: 1; opacity: .35; } .plot .dots { stroke-width: 6; }
.plot .dashed { stroke-dasharray: 7 5; stroke-linecap: butt; } .plot .dotted { stroke-dasharray: 2 4; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .mark { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 5 4; }
.plot span { position: absolute; font-size: .78rem; line-height: 1; color: var(--soft); font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.plot .y { right: 100%; margin-right: .4rem; transform: translateY(50%); }
.plot .x { top: 100%; margin-top: .4rem; transform: translateX(-50%); }
.plot .says { right: .2rem; margin-bottom: .25rem; padding: .1rem .2rem; background: var(--paper); opacity: .85; }
"""


def charts(panels) -> str:
    """The panels of curves.py as HTML: one figure for each, all with the same horizontal axis.   A figure's text says what is
    seen: each line's first and last smoothed value."""
    steps = np.concatenate([values for panel in panels for values, _ in panel.series.values()] or [np.zeros(0)])
    first, last = (float(steps.min()), float(steps.max())) if len(steps) else (0.0, 1.0)
    return "\n".join(_figure(panel, first, max(last, first + 1)) for panel in panels)


def _figure(panel, first, last):
    found, low, high = lines(panel, STRETCHES)
    if not found:
        label = f"<figcaption><strong>{_text(panel.label)}</strong></figcaption>"
        return f'<figure class="chart">{label}<p>Nothing is logged yet.</p></figure>'
    across = lambda step: SIDE * (np.asarray(step, float) - first) / (last - first)
    scale = np.log if panel.logarithmic else np.asarray
    share = lambda value: (scale(np.clip(value, low, high)) - scale(low)) / (scale(high) - scale(low))
    up = lambda value: SIDE * (1 - share(value))
    parts, words = [], []
    ticks = _ticks(low, high, panel.logarithmic)
    for tick in ticks:
        parts.append(f'<path class="grid" d="M0 {up(tick):.1f}H{SIDE}"/>')
        words.append(f'<span class="y" style="bottom:{100 * share(tick):.2f}%">{_number(tick)}</span>')
    for tick in _ticks(first, last, whole=True):
        words.append(f'<span class="x" style="left:{across(tick) / SIDE:.2%}">{tick:,.0f}</span>')
    if panel.mark:
        text, height = panel.mark
        parts.append(f'<path class="mark" d="M0 {up(height):.1f}H{SIDE}"/>')
        words.append(f'<span class="says" style="bottom:{100 * share(height):.2f}%">{_text(text)}</span>')
    keys, seen = [], []
    for line in found:
        colour = f"--c:var(--c{line.colour % len(COLOURS)})"
        style = {"--": " dashed", ":": " dotted", "-.": " dotted"}.get(line.style, "")
        if len(line.values):
            parts.append(f'<path class="raw" style="{colour}" d="{_path(across(line.steps), up(line.values))}"/>')
        else:
            parts.append(f'<path class="dots" style="{colour}" d="{_dots(across(line.where), up(line.middle))}"/>')
        parts.append(f'<path class="line{style}" style="{colour}" d="{_path(across(line.where), up(line.middle))}"/>')
        keys.append(f'<span class="key{style}" style="{colour}">{_text(line.name)}</span>')
        known = line.middle[np.isfinite(line.middle)]
        seen.append(f"{line.name} goes from {_number(known[0])} to {_number(known[-1])}")
    about = f"{panel.label} from step {first:,.0f} to step {last:,.0f}: {'; '.join(seen)}."
    about += f" A dashed line shows {panel.mark[0]}." if panel.mark else ""
    one = len(found) == 1 and found[0].name == panel.label
    return (
        f'<figure class="chart"><figcaption><strong>{_text(panel.label)}</strong>{"" if one else "".join(keys)}</figcaption>\n'
        f'<div class="plot" role="img" aria-label="{_text(about)}">'
        f'<svg viewBox="0 0 {SIDE} {SIDE}" preserveAspectRatio="none" aria-hidden="true">{"".join(parts)}</svg>{"".join(words)}'
        "</div></figure>"
    )


def _path(xs, ys):
    """A line through the points as the `d` of a path; a point that is not finite leaves a gap."""
    text, pen = [], "M"
    for x, y in zip(xs, ys):
        if math.isfinite(y):
            text.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L" if math.isfinite(y) else "M"
    return "".join(text)


def _dots(xs, ys):
    """A line of no length for each point, which is drawn as a round dot, however the page stretches the drawing."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(xs, ys) if math.isfinite(y))


def _ticks(low, high, logarithmic=False, whole=False):
    """Round numbers from low to high."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    if logarithmic:
        locator = LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,), numticks=6)
    else:
        locator = MaxNLocator(4 if whole else 5, steps=[1, 2, 5, 10], integer=whole, min_n_ticks=1)
    return [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]


def _number(value):
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def _text(value):
    return html.escape(str(value), quote=True)
