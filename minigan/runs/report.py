"""report.html: everything about a run in one file, to read, keep or send.

write       write the report of a run folder    command     the `minigan train` line that repeats the run
page        the report as HTML text
Elsewhere: the findings (diagnosis.py), the pictures (viz/ has drawn them before), the numbers (folder.py).
The file contains its pictures as data URIs and has no scripts and no links, so it looks the same everywhere.
"""

import base64
import html
import json
import math
import shlex

from minigan import serialize
from minigan.data.kinds import Description, Points
from minigan.runs import diagnosis, evaluation
from minigan.runs.config import DATA, fields
from minigan.runs.folder import step_of
from minigan.train.settings import word

PICTURES = 6  # how many pictures of samples are shown, spread evenly from the first step to the last

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; } td, th { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { background: #f4f4f4; padding: .1rem .3rem; overflow-wrap: anywhere; }
img { max-width: 100%; } figure { display: inline-block; max-width: 100%; margin: 0 1% 1rem 0; }
figure.pixels { overflow-x: auto; } figure.pixels img { max-width: none; image-rendering: pixelated; }
figure.plot { width: 48%; min-width: 20rem; }
figcaption { font-size: .85rem; color: #555; }
.finding { border-left: 4px solid #D55E00; padding: .1rem 1rem; margin: 1rem 0; }
.fine { border-left-color: #009E73; } small { color: #555; }
"""


def write(run, system) -> None:
    """Write report.html into a run's folder, from the files that are there now.

    run: a Run (folder.py).   system: its System (systems/registry.py).   Raises CheckpointError when the file cannot be
    written."""
    with serialize.replacing(run.report_path) as file:
        file.write(page(run, system).encode("utf-8"))


def page(run, system) -> str:
    """The text of report.html.   run, system: as for `write`."""
    records, config = run.read_log(), run.config
    step = max((r["step"] for r in records if isinstance(r.get("step"), int)), default=0)
    title = f"{run.system} on {config.get('data')}, seed {run.seed}"
    parts = [
        f"<h1>{_text(title)}</h1>",
        *_what(run, system, step),
        *_diagnosis(run, system, records),
        *_metrics(run),
        *_samples(run),
        *_curves(run),
        *_settings(run, system),
        *_environment(run),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_text(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def command(run, system) -> str:
    """The `minigan train` command that repeats the run; it names only settings that differ from the system's defaults."""
    config, words = run.config, ["minigan", "train", run.config.get("file") or run.system]
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
    return shlex.join(words)


def _text(value):
    return html.escape(str(value), quote=True)


def data_uri(path) -> str:
    """A .png or .gif file as the address of an <img> that needs no file."""
    kind = {".png": "image/png", ".gif": "image/gif"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _table(rows, numbers=()):
    """Rows of cells as an HTML table; the columns whose indices are in `numbers` are aligned to the right."""
    lines = []
    for row in rows:
        cells = "".join(
            f'<td class="number">{_text(c)}</td>' if i in numbers else f"<td>{_text(c)}</td>" for i, c in enumerate(row)
        )
        lines.append(f"<tr>{cells}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


# ---- the sections ----------------------------------------------------------------------------------------------------


def _what(run, system, step):
    seconds = max(run.seconds().values(), default=None)
    took = f" in {seconds:,.0f} seconds of training" if seconds is not None else ""
    yield f"<p>The run has done {step:,} of {run.config.get('steps', 0):,} steps{took}.  Repeat it with</p>"
    yield f"<p><code>{_text(command(run, system))}</code></p>"


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
        yield f"<p>They are not measured yet.  Measure them with <code>minigan evaluate {_text(run.folder)}</code></p>"
        return
    last = entries[-1]
    how = f"{last['samples']:,} samples" if last["samples"] else "as logged during training"
    yield f"<p>Step {last['step']:,}, {how}:</p>"
    known = [(evaluation.meaning(name, run.system), value) for name, value in last["metrics"].items()]
    yield _table([(number.name, _number(value), number.direction, number.meaning) for number, value in known], numbers=(1,))
    if len(entries) > 1:
        names = list(last["metrics"])
        yield "<p>At earlier steps:</p>"
        yield _table(
            [["step", *names], *([f"{e['step']:,}", *(_number(e["metrics"].get(n)) for n in names)] for e in entries[:-1])],
            numbers=range(len(names) + 1),
        )


def _number(value):
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else str(value)


def _samples(run):
    yield "<h2>Samples over time</h2>"
    paths = run.samples()
    if not paths:
        yield "<p>There are no samples yet.</p>"
        return
    way = "plot" if isinstance(fields(run.config)["x"], Points) else "pixels"  # pixels: not scaled, so words stay sharp
    chosen = sorted({round(i * (len(paths) - 1) / (PICTURES - 1)) for i in range(PICTURES)})
    yield "<p>Every picture uses the same latent vectors z.</p>"
    for i in chosen:
        step = step_of(paths[i])
        yield (
            f'<figure class="{way}"><img src="{data_uri(paths[i])}" alt="samples at step {step}">'
            f"<figcaption>step {step:,}</figcaption></figure>"
        )


def _curves(run):
    yield "<h2>Losses, gradients and metrics over the steps</h2>"
    if run.curves_path.exists():
        yield f'<p><img src="{data_uri(run.curves_path)}" alt="curves"></p>'
    yield (
        "<p><small>Pale lines show the logged values, strong lines a running median.  The gradient norm is the length of a "
        "player's whole gradient: when it is near 0, the player learns nothing; when it grows without limit, the player "
        "diverges.  A GAN's losses say which player is ahead, not how good the samples are.  Diversity is the mean distance "
        "between two samples, divided by that between two real ones: a value near 1 is healthy; near 0, all samples are the "
        "same.</small></p>"
    )


def _settings(run, system):
    yield "<h2>Settings</h2>"
    known, rows = system.settings, [["setting", "value", "the paper's", "what it does"]]
    for name, value in run.config.items():
        if name not in DATA:
            setting = known.get(name)
            paper = "" if setting is None or setting.paper is None else f"{word(setting.paper)} {setting.where}".strip()
            rows.append([name, word(value), paper, setting.says if setting else ""])
    yield _table(rows, numbers=(1,))


def _environment(run):
    yield "<h2>Environment</h2>"
    try:
        facts = json.loads((run.folder / "env.json").read_text())
    except (OSError, ValueError):
        yield "<p>env.json cannot be read.</p>"
        return
    flat = [
        (key, ", ".join(map(str, v)) if isinstance(v, list) else " ".join(map(str, v.values())) if isinstance(v, dict) else v)
        for key, v in facts.items()
    ]
    yield _table(flat)
