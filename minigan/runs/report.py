"""report.html: everything about a run in one file, to read, print, keep or send.

rewrite     curves.png, samples.gif and report.html from the files of a run, at any time
write       only report.html        page        the report as HTML text        game_of     a game of the run's settings
command     the `minigan train` line that repeats the run        reached     the step that a run has come to
Elsewhere: the findings (diagnosis.py), the curves (viz/chart.py), the pictures (viz/ has drawn them), the numbers (log.py).
The file contains its pictures as data URIs and has no scripts and no links, so it looks the same everywhere.
"""

import base64
import html
import math
import re
import struct

from minigan import paths, serialize, viz
from minigan.data.kinds import Description, Pair, Points, Tokens
from minigan.errors import MiniganError
from minigan.runs import diagnosis, environment, evaluation
from minigan.runs.config import DATA, fields
from minigan.runs.folder import step_of
from minigan.streams import Streams, using
from minigan.train.settings import word
from minigan.viz import chart, curves

PICTURES = 6  # how many earlier pictures of samples are shown, beside the newest one; they are spread evenly over the steps
FRAMES = 40  # at most so many pictures in the GIF, which is a part of the page

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --soft: #5a6069; --line: #e0e3e7; --tint: #f4f5f7;
  --bad: #b84300; --good: #00734f; --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b3528a; --c4: #2e8bc0; --c5: #a86f00;
  --c6: #1c1e21; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e4e6e9; --soft: #a3a9b2; --line: #33373d; --tint: #212429; --bad: #ff9a5c; --good: #4fd1a5;
    --c0: #56b4e9; --c1: #ff8c42; --c2: #2fc99a; --c3: #e39ac6; --c4: #9fd3f2; --c5: #f0b43c; --c6: #e4e6e9; }
}
* { box-sizing: border-box; }
body { font: 1rem/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 0 auto;
  padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .9rem;
  padding-top: .9rem; border-top: 1px solid var(--line); } h1, h2, h3 { break-after: avoid; text-wrap: balance; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; } p { max-width: 46rem; margin: .6rem 0; } .soft, small { color: var(--soft); }
.lead { font-size: 1.05rem; color: var(--soft); margin: 0 0 1rem; }
code { font: .9em/1.4 ui-monospace, monospace;
  background: var(--tint); padding: .1em .35em; border-radius: .25em;
  overflow-wrap: anywhere; }
pre { background: var(--tint); padding: .8rem 1rem; border-radius: .4rem; overflow-x: auto; white-space: pre-wrap; }
.whole { white-space: nowrap; }
pre code { background: none; padding: 0; }
figure { margin: 0; } figcaption { font-size: .9rem; color: var(--soft); margin-top: .4rem; }
.pictures { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
  margin: 1rem 0; }
.pictures.large { grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.pictures.wide { grid-template-columns: 100%; }
.pictures figure { break-inside: avoid; min-width: 0; } .scroll { overflow-x: auto; }
.pictures img { display: block; max-width: 100%; height: auto; border-radius: .3rem; }
table { border-collapse: collapse; font-size: .95rem; } th, td { padding: .4rem 1.25rem .4rem 0; text-align: left;
  vertical-align: top; border-bottom: 1px solid var(--line); } thead th { color: var(--soft);
  font-weight: 500; font-size: .85rem; }
tbody th { font-weight: 600; } tr { break-inside: avoid; } .number { text-align: right; font-variant-numeric: tabular-nums; }
.settings { width: 100%; } .settings tbody th { font: 600 .9em/1.6 ui-monospace, monospace; } .settings td:nth-child(2) {
  white-space: nowrap; } .changed > :first-child { box-shadow: inset 3px 0 var(--c0); padding-left: .6rem; } .changed small {
  display: block; }
.formula { font-family: "STIX Two Text", "Cambria Math", Cambria, Georgia, serif; font-size: 1.05em; }
.finding { border-left: 4px solid var(--bad); background: var(--tint); border-radius: 0 .4rem .4rem 0; padding: .3rem 1rem;
  margin: 1rem 0; break-inside: avoid; } .fine { border-left-color: var(--good); }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 3rem; } h1 { font-size: 1.45rem; } th, td { padding-right: .8rem; }
  .settings thead { position: absolute; clip-path: inset(50%); } .settings tr { display: grid; grid-template-columns: 1fr auto;
    border-bottom: 1px solid var(--line); padding: .5rem 0; } .settings :is(th, td) { border: 0; padding: 0 .6rem; }
  .settings td:nth-child(2) { text-align: right; } .settings td:nth-child(n + 3) { grid-column: 1 / -1; color: var(--soft); }
  .settings td:nth-child(3):not(:empty)::before { content: "the paper's: "; } .plot { margin-left: 3rem; }
}
@media (prefers-reduced-motion: reduce) { .moving { display: none; } }
@media print {
  body { font-size: 10pt; padding: 0; max-width: none; } .moving { display: none; } h2 { margin-top: 1.6rem; }
  .pictures { grid-template-columns: repeat(3, 1fr); } .pictures.large { grid-template-columns: 60%; }
  table { font-size: 9pt; } th, td { padding-top: .2rem; padding-bottom: .2rem; } .scroll { overflow: visible; }
  .finding, pre { border: 1px solid var(--line); } .pictures img { min-width: 0 !important; } * { print-color-adjust: exact; }
}
"""


def rewrite(run, system, game=None, step=None) -> None:
    """Write curves.png, samples.gif and report.html into a run's folder, from the files that are there now.   Each file is
    complete or unchanged.   If one cannot be written, the others are, before its error is raised.

    run: a Run (folder.py).   system: its System (systems/registry.py).   game: its game, for the formulas of the losses; None
    leaves them out.   step: where the run is; by default what its files say."""
    step = reached(run) if step is None else step

    def draw_curves():
        title = f"{run.system} on {run.config.get('data')}"
        viz.curves_png(run.curves_path, run.read_log(), title, unit=_unit(game), undecided=_undecided(game))

    def draw_gif():
        paths = [path for path in run.samples() if step_of(path) <= step]
        apart = 2 ** max(0, math.ceil(math.log2(max(1, len(paths)) / FRAMES)))  # a power of 2: earlier frames are used again
        paths = paths[:-1:apart] + paths[-1:]
        if paths:
            titled = isinstance(fields(run.config)["x"], Points)
            viz.save_gif(run.gif_path, paths, None if titled else [f"step {step_of(path):,}" for path in paths])

    first = None
    for make in (draw_curves, draw_gif, lambda: write(run, system, game, step)):
        try:
            make()
        except Exception as error:
            first = first or error
    if first:
        raise first


def write(run, system, game=None, step=None) -> None:
    """Write report.html into a run's folder, from the files that are there now; the arguments are those of `rewrite`.   Raises
    CheckpointError when the file cannot be written."""
    text = page(run, system, game, step)
    with serialize.replacing(run.report_path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))  # a folder's name may have bytes that are no text


def game_of(setup):
    """A game of a run's settings, which has learnt nothing: it knows the formulas of the losses.   None if the system cannot
    build one, because the run has nets of the user's own.   setup: from start.read."""
    try:
        with using(Streams(0)):
            return setup.system.build(setup.settings, setup.description)
    except MiniganError:
        return None


def reached(run) -> int:
    """The step that a run has come to: that of its newest checkpoint, or of the last line of its log, which may be later."""
    steps = [step_of(path) for path in run.checkpoints()]
    for record in run.read_log():
        if isinstance(record.get("step"), int):
            steps.append(record["step"] - ("not finite" in record))  # a step that diverged is not done
    return max(steps, default=0)


def page(run, system, game=None, step=None) -> str:
    """The text of report.html.   The arguments are those of `rewrite`."""
    records = run.read_log()
    step = reached(run) if step is None else step
    title = f"{run.system} on {run.config.get('data')}, seed {run.seed}"
    parts = [
        "<header>",
        f"<h1>{_text(title)}</h1>",
        *_what(run, system, step, records),
        "</header>\n<main>",
        *_samples(run, game, step),
        *_diagnosis(run, system, records),
        *_metrics(run),
        *_curves(records, game),
        *_losses(game),
        *_settings(run, system),
        *_environment(run),
        "</main>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}{chart.STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def command(run, system) -> str:
    """The `minigan train` command that repeats the run; it names only settings that differ from the system's defaults."""
    config, words = run.config, ["train", run.config.get("file") or run.system]
    defaults = vars(system.configure(data=Description(config["data"], fields(config))))
    if config.get("data") != system.default_data:
        words += ["--data", config["data"]]
    if config["data"] == "folder":
        words += ["--data-dir", config["data_dir"]]
    for key, value in config.get("data_options", {}).items():
        words += ["--set", f"{key}={value}"]
    if run.seed:
        words += ["--seed", str(run.seed)]
    if config.get("device", "cpu") != "cpu":
        words += ["--device", config["device"]]
    for key, value in config.items():
        if key not in DATA and defaults.get(key) != value:
            if key in ("steps", "batch_size"):
                words += [f"--{key.replace('_', '-')}", str(value)]
            else:
                words += ["--set", f"{key}={word(value)}"]
    return paths.command(*words, encoding="utf-8")  # of the page, whatever the console can show


class _Html(str):
    """A text that is HTML already."""


def _text(value):
    return value if isinstance(value, _Html) else html.escape(str(value), quote=True)


NUMBER = ' class="number"'


def data_uri(path) -> str:
    """A .png or .gif file as the address of an <img> that needs no file."""
    kind = {".png": "image/png", ".gif": "image/gif"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _size(path):
    """(width, height) of a .png or .gif file in pixels."""
    with open(path, "rb") as file:
        start = file.read(24)
    return struct.unpack("<HH", start[6:10]) if path.suffix == ".gif" else struct.unpack(">II", start[16:24])


def _is_wide(wide, high):
    return wide > 700 and wide > 1.4 * high


def _picture(path, alt):
    """An <img> of a .png or .gif file.   A wide one does not shrink below half of its width, so its words stay readable; it
    scrolls on a phone."""
    wide, high = _size(path)
    size = f'width="{wide}" height="{high}" style="min-width:{wide // 2 if _is_wide(wide, high) else 0}px"'
    return f'<div class="scroll"><img src="{data_uri(path)}" {size} alt="{_text(alt)}"></div>'


def _table(head, rows, numbers=(), kind="", marked=()):
    """Rows of cells as an HTML table.   head: the texts above the columns, or () for none.   The first cell of a row is its
    head.   numbers: indices of columns that are aligned to the right.   marked: indices of rows that are marked."""

    def cell(tag, value, i, scope=""):
        return f"<{tag}{scope}{NUMBER if i in numbers else ''}>{_text(value)}</{tag}>"

    lines = ['<div class="scroll"><table' + (f' class="{kind}">' if kind else ">")]
    if head:
        lines.append("<thead><tr>" + "".join(cell("th", c, i, ' scope="col"') for i, c in enumerate(head)) + "</tr></thead>")
    lines.append("<tbody>")
    for number, row in enumerate(rows):
        cells = [cell("td" if i else "th", c, i, "" if i else ' scope="row"') for i, c in enumerate(row)]
        lines.append(("<tr" + (' class="changed">' if number in marked else ">")) + "".join(cells) + "</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


# ---- the sections ----------------------------------------------------------------------------------------------------


def _what(run, system, step, records):
    planned = run.config.get("steps", 0)
    yield f'<p class="lead">{_text(system.title)}</p>'
    seconds = run.seconds()
    took = f" in {_duration(max(seconds.values()))} of training" if seconds else ""
    saved = max((step_of(path) for path in run.checkpoints()), default=None)
    stopped = any("not finite" in record for record in records)
    kept = "" if saved in (None, step) else f"  Its newest checkpoint is that of step {saved:,}."
    end = "  It has stopped, because a number became NaN or infinite." if stopped else ""
    yield f"<p>The run has done <strong>{step:,} of {planned:,} steps</strong>{took}.{kept}{end}  Repeat it with</p>"
    yield f"<pre><code>{_unbroken(command(run, system))}</code></pre>"
    if earlier := _earlier(run):
        yield f"<p>which uses one rate from the first step to the last; in this run, {_text(earlier)}.</p>"
    if saved and step < planned and not stopped:
        go_on = paths.command("resume", run.folder, encoding="utf-8")
        yield f"<p>{planned - step:,} steps are left; continue it with <code>{_text(go_on)}</code></p>"


def _earlier(run):
    """The values that rates had before they were changed in the middle of the run, in words."""
    return "; ".join(
        f"{entry['name']} was {word(entry['value'])} up to step {entry['step']:,}" for entry in run.config.get("earlier", [])
    )


def _unbroken(line):
    """A command whose options do not break, neither after a hyphen nor before a short value."""
    return re.sub(r"(--[\w-]+( [^- ]\S{0,30}(?!\S))?)", r'<span class="whole">\1</span>', _text(line))


def _code(text):
    """A text in which `...` stands for code."""
    return _Html(re.sub("`([^`]*)`", r"<code>\1</code>", _text(text)))


def _duration(seconds):
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s" if seconds < 10 else f"{rest} s"


def _diagnosis(run, system, records):
    yield "<h2>What the curves say</h2>"
    findings = diagnosis.of(run, system)
    for finding in findings:
        yield (
            f'<div class="finding"><p>{_text(finding.what)}.</p><p>{_text(_sentence(finding.advice))}.</p>'
            f"<p><small>Evidence: {_text(finding.evidence)}.</small></p></div>"
        )
    if not findings:
        few = len(diagnosis.Curves(records, run.config).losses) < diagnosis.ENOUGH
        yield (
            '<div class="finding fine"><p>'
            + (
                "The log has too few steps to say anything."
                if few
                else "Nothing in the curves points to a failure.  That does "
                "not mean that the samples are good: look at the samples and at the metrics."
            )
            + "</p></div>"
        )


def _sentence(text):
    return text[0].upper() + text[1:]


def _metrics(run):
    yield "<h2>How good the samples are</h2>"
    entries = run.measurements()
    if not entries:
        measure = paths.command("evaluate", run.folder, encoding="utf-8")
        yield f"<p>They are not measured yet.  Measure them with <code>{_text(measure)}</code></p>"
        return
    last = entries[-1]
    how = f"{last['samples']:,} samples" if last["samples"] else "as logged during training"
    yield f"<p>Step {last['step']:,}, {how}:</p>"
    known = [(evaluation.meaning(name, run.system), value) for name, value in last["metrics"].items()]
    other = {name: f", of {count:,} samples" for name, count in last.get("samples_of", {}).items()}
    rows = [(one.name, _number(value), one.direction, one.meaning + other.get(one.name, "")) for one, value in known]
    yield _table(("metric", "value", "better", "what it is"), rows, numbers=(1,))
    if len(entries) > 1:
        names = list(last["metrics"])
        rows = [(f"{e['step']:,}", *(_number(e["metrics"].get(n)) for n in names)) for e in entries[:-1]]
        yield "<h3>At earlier steps</h3>"
        yield _table(("step", *names), rows, numbers=range(len(names) + 1))


def _number(value):
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else str(value)


def _samples(run, game, step):
    yield "<h2>Samples</h2>"
    paths = [path for path in run.samples() if step_of(path) <= step]
    if not paths:
        yield "<p>There are no samples yet.</p>"
        return
    seen, last = _seen(run, game), step_of(paths[-1])
    same = "the same sources" if game and game.heads else "the same latent vectors z"
    yield f"<p>{_text(_sentence(seen))}.  All pictures use {same}, so that they can be compared.</p>"
    wide = " wide" if _is_wide(*_size(paths[-1])) else ""
    yield f'<div class="pictures large{wide}">'
    yield f"<figure>{_picture(paths[-1], f'{seen}, after step {last:,}')}<figcaption>after step {last:,}</figcaption></figure>"
    if run.gif_path.exists() and len(paths) > 1:
        first = step_of(paths[0])
        moving = f"animation: {seen}, from step {first:,} to step {last:,}"
        below = f"<figcaption>from step {first:,} to step {last:,}</figcaption>"
        yield f'<figure class="moving">{_picture(run.gif_path, moving)}{below}</figure>'
    yield "</div>"
    earlier = paths[:-1]
    chosen = sorted({i * len(earlier) // PICTURES for i in range(PICTURES)}) if earlier else []
    if chosen:
        yield f'<h3>On the way</h3>\n<div class="pictures{wide}">'
        for path in (earlier[i] for i in chosen):
            about = f"{seen}, after step {step_of(path):,}"
            yield f"<figure>{_picture(path, about)}<figcaption>after step {step_of(path):,}</figcaption></figure>"
        yield "</div>"


def _seen(run, game):
    """What a picture of samples shows, in words."""
    kind = fields(run.config)["x"]
    count, heads = viz.shown(kind), game.heads if game else ()
    if isinstance(kind, Points):
        on = {"D(x)": ", on the colours of what D says: blue for real, red for generated", None: ""}
        text = game.judge[0] if game and game.judge and kind.size == 2 else None
        return f"{count:,} generated points and as many real ones" + on.get(
            text, ", on the colours of D's score: blue is high, red is low"
        )
    if isinstance(kind, Tokens):
        return f"{count} generated sequences of {kind.length} tokens, a line for each"
    if heads:
        return f"{count} samples, each of {len(heads)} pictures side by side: {', '.join(heads)}"
    if isinstance(kind, Pair):
        return f"{count} generated pairs of pictures, A beside B"
    if game and game.classes:
        return f"{count} generated pictures in rows by their class, 0 to {game.classes - 1}"
    return f"{math.isqrt(count)} by {math.isqrt(count)} generated pictures"


def _unit(game):
    return game.unit if game else ""


def _undecided(game):
    return game.undecided if game else None


def _curves(records, game):
    yield "<h2>Curves</h2>"
    yield chart.charts(curves.panels(records, unit=_unit(game), undecided=_undecided(game)))
    yield (
        '<p class="soft">Pale lines show the logged values, strong lines a running median.  The gradient norm is the length of '
        "a player's whole gradient: when it is near 0, the player learns nothing; when it grows without limit, the player "
        "diverges.  A GAN's losses say which player is ahead, not how good the samples are.  Diversity is the mean distance "
        "between two samples, divided by that between two real ones: a value near 1 is healthy; near 0, all samples are the "
        "same.</p>"
    )


def _losses(game):
    if game is None:
        return
    yield "<h2>What each player minimises</h2>"
    stages, adversarial = getattr(game, "stages", [(None, game)]), False
    for number, (iterations, stage) in enumerate(stages, 1):
        if iterations is not None:
            length = f"{iterations:,} steps" if number < len(stages) else "all further steps"
            yield f"<h3>Stage {number}: {length}</h3>"
        rows = []
        for player in stage.players:
            for term in (term for term in stage.terms if term.player == player.name):
                adversarial = adversarial or term.name == "adversarial"
                rows.append((player.name, term.name, f"{term.weight:g}", _formula(term.formula)))
        yield _table(("player", "term", "weight", "formula"), rows, numbers=(2,))
    if len(game.terms) > len(game.players):
        yield '<p class="soft">A player\'s loss is the sum of its terms, each times its weight.</p>'
    if adversarial:
        a, b, s = (_formula(text) for text in ("a = D(x)", "b = D(G(z))", "s(t) = 1 / (1 + exp(-t))"))
        meaning = f"{a} and {b}: D's outputs for a real and for a generated sample.  {s}.  E: the mean over the batch."
        yield f'<p class="soft">{meaning}</p>'
    if game.undecided is not None:
        pays = f"pays <strong>{curves.written(game.undecided)}</strong>, the dashed line in the curves"
        yield f"<p>A D that cannot tell real samples from generated ones {pays}.</p>"


def _formula(text):
    return _Html(f'<span class="formula">{formula(text)}</span>')


def formula(text: str) -> str:
    """A formula in the notation of train/objectives.py as HTML: letters in italics, powers raised, real minus signs.

    >>> formula("E (a - 1)^2")
    'E (<var>a</var> − 1)<sup>2</sup>'"""
    text = _text(text.replace("||", "\N{DOUBLE VERTICAL LINE}").replace("x^|", "x\N{COMBINING CIRCUMFLEX ACCENT}|"))
    text = re.sub(r"\bs\(", "\N{GREEK SMALL LETTER SIGMA}(", text)
    text = re.sub(r"(?<![\w;])(?!E\b)([A-Za-z])(?![\w&])", r"<var>\1</var>", text)
    text = re.sub(r"\^(\d+|<var>\w</var>)", r"<sup>\1</sup>", text)
    return re.sub(r"(?<![\w)])-(?=[\w(<])| - ", lambda found: found[0].replace("-", "\N{MINUS SIGN}"), text)


def _settings(run, system):
    yield "<h2>Settings</h2>"
    defaults = vars(system.configure(data=Description(run.config["data"], fields(run.config))))
    known, rows = system.settings, []
    for name, value in run.config.items():
        if name in DATA:
            continue
        setting, usual = known.get(name), defaults.get(name, value)
        paper = "" if setting is None or setting.paper is None else word(setting.paper)
        paper += f", {setting.where}" if paper and setting.where else ""
        shown = word(value) if value == usual else _Html(f"{_text(word(value))} <small>not {_text(word(usual))}</small>")
        rows.append((name, shown, paper, _code(setting.says if setting else "")))
    changed = [i for i, row in enumerate(rows) if isinstance(row[1], _Html)]
    if changed:
        names = ", ".join(f"<code>{_text(rows[i][0])}</code>" for i in changed)
        differ = "1 differs" if len(changed) == 1 else f"{len(changed)} differ"
        yield f"<p>{differ} from the defaults of {_text(system.name)} on these data: {names}.</p>"
    else:
        yield f"<p>All are the defaults of {_text(system.name)} on these data.</p>"
    if earlier := _earlier(run):
        yield f"<p>They are those of the last step: {_text(earlier)}.</p>"
    yield f'<p class="soft">{_text(str(system.paper))}</p>' if system.paper else ""
    if not any(row[2] for row in rows):
        yield "<p>The system states no value of its paper's.</p>"
    yield _table(("setting", "value", "the paper's", "what it does"), rows, kind="settings", marked=changed)


def _environment(run):
    yield "<h2>Environment</h2>"
    try:
        facts = environment.read(run.folder / "env.json")
        flat = [
            (
                key,
                ", ".join(map(str, v)) if isinstance(v, list) else " ".join(map(str, v.values())) if isinstance(v, dict) else v,
            )
            for key, v in facts.items()
        ]
    except (OSError, ValueError, AttributeError):
        yield "<p>env.json cannot be read.</p>"
        return
    yield _table((), flat)
