"""The verb show, the list of systems, and the page docs/systems.md, which all use the same descriptions."""

import textwrap
from pathlib import Path

from minigan.paths import command

WIDTH = 120


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    verb = verbs.add_parser(
        "show",
        help="describe a system",
        allow_abbrev=False,
        description="Describe a system: its paper, how it differs from its parent and from the paper, its "
        "settings, its file, and its measured results.",
    )
    verb.add_argument(
        "system", metavar="SYSTEM", help="name of a system (see `minigan list`), or a Python file that registers one"
    )
    verb.set_defaults(run=_show)


def listing() -> str:
    """All systems, by family: a line each with name, year and title."""
    from minigan.systems.registry import families

    lines = ["systems (`minigan show SYSTEM` describes one, `minigan train SYSTEM` trains it):"]
    for family, members in families().items():
        lines.append(f"  {family.replace('_', ' ')}")
        lines += [f"    {one.name:<18}{one.paper.year if one.paper else '':<6}{_one_line(one)}" for one in members]
    return "\n".join(lines)


def _one_line(system) -> str:
    return textwrap.shorten((system.title.partition(": ")[2] or system.title).rstrip("."), WIDTH - 28, placeholder=" ...")


def _show(options):
    from minigan.systems.registry import get

    print("\n".join(described(get(options.system))))


def described(system) -> list[str]:
    """The lines that `minigan show` prints."""
    from minigan.cli.judge import table
    from minigan.train.settings import RUN

    lines = [system.title]
    lines += [f"  {key:<9}{text}" for key, text in facts(system).items()]
    rows = differences(system)
    if rows:
        lines += ["", "differences from the parent and from the paper"]
        lines += [f"  {line}" for line in table([["", "here", system.parent or "", "paper"], *rows])]
    own = [setting for setting in system.settings.values() if setting.name not in RUN]
    lines += ["", "settings (--set KEY=VALUE), with their defaults", *_settings(own, system)]
    for where, values in system.defaults.items():
        lines += textwrap.wrap(
            f"on {where}: {_pairs(values)}", WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
        )
    lines += ["", "settings of every run", *_settings([system.settings[name] for name in RUN], system)]
    if system.claims:
        lines += ["", "claims (docs/results.md has the figures)"]
        for claim in system.claims:
            lines += textwrap.wrap(
                f"{claim.name}: {claim.says}; {claim.seeds} seeds",
                WIDTH,
                initial_indent="  ",
                subsequent_indent="    ",
                break_on_hyphens=False,
            )
            lines += [f"    {line}" for line in measured(claim)]
    return lines


def _settings(settings, system):
    for setting in settings:
        text = "; ".join(part for part in (setting.says, _bounds(setting), _needed(setting, system)) if part)
        yield from textwrap.wrap(
            f"{_pair(setting.name, setting.default):<28}  {text}",
            WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * 32,
            break_on_hyphens=False,
        )


def facts(system) -> dict[str, str]:
    """{"paper": ..., "parent": ..., "learns": ..., "file": ..., "train": ...} of a system, as text."""
    own = {
        "paper": str(system.paper) if system.paper else "none",
        "parent": system.parent or "none",
        "learns": " or ".join(kind.word for kind in system.kinds) + f", by default {system.default_data}",
        "file": _file(system),
        "train": _command(system),
    }
    metrics = [metric.name for metric in system.metrics]
    return own | ({"measures": ", ".join(metrics)} if metrics else {})


def differences(system) -> list[list[str]]:
    """Rows of a table: setting, value here, value in the parent, value in the paper.  It holds the settings that differ from
    the parent, and those for which the system states the paper's value."""
    from minigan.train.settings import RUN, word

    above = system.ancestor.settings if system.ancestor else RUN
    rows = []
    for name, setting in system.settings.items():
        before = above[name].default if name in above else None
        stated = any(own.name == name for own in system.own)
        if (before != setting.default and system.ancestor) or (stated and setting.paper is not None):
            place = f" ({setting.where})" if setting.where else ""
            paper = f"{word(setting.paper)}{place}" if setting.paper is not None else ""
            parent = "the same" if before == setting.default else "-" if before is None else word(before)
            rows.append([name, word(setting.default), parent if system.ancestor else "", paper])
    return rows + [[name, "-", "has it", ""] for name in system.without]


def measured(claim) -> list[str]:
    """One line for each check of a claim.  In a checkout, which has docs/results.json, it says how many seeds met the check."""
    import json

    file = Path(__file__).resolve().parents[2] / "docs" / "results.json"
    if not claim.checks:
        return []
    if not file.is_file():
        return [f"- {check}" for check in claim.checks]
    results = json.loads(file.read_text(encoding="utf-8")).get(claim.name, {})
    return [check.verdict(results) for check in claim.checks]


def markdown() -> str:
    """The text of docs/systems.md: every system with its paper, its settings and its differences from parent and paper."""
    from minigan.systems.registry import families
    from minigan.train.settings import word

    lines = [
        "# The systems",
        "",
        "`minigan list systems --markdown` generates this page from the systems' own files;",
        "[results.md](results.md) has their measured results.",
        "",
    ]
    for family, members in families().items():
        lines += [f"## {family.replace('_', ' ').capitalize()}", ""]
        for one in members:
            lines += [f"### {one.name}", "", one.title, ""]
            lines += [f"- {key}: {f'`{text}`' if key in ('file', 'train') else text}" for key, text in facts(one).items()]
            rows = differences(one)
            if rows:
                lines += ["", f"| setting | here | {one.parent or ''} | paper |", "| --- | --- | --- | --- |"]
                lines += [f"| {' | '.join(row)} |" for row in rows]
            own = [setting for setting in one.own if not (one.ancestor and setting.name in one.ancestor.settings)]
            if own:
                lines += ["", "| setting | default | what it does |", "| --- | --- | --- |"]
                lines += [
                    f"| `{s.name}` | {word(one.settings[s.name].default)} | {one.settings[s.name].says} |"
                    for s in {s.name: s for s in own}.values()
                ]
            others = [f"- on {where}: {_pairs(values)}" for where, values in one.defaults.items()]
            lines += ["", *others, ""] if others else [""]
    return "\n".join(lines)


def _pairs(values):
    return ", ".join(_pair(name, value) for name, value in values.items())


def _pair(name, value):
    from minigan.train.settings import word

    return f"{name}={word(value)}"


def _bounds(setting):
    """The choices of a setting, or the bounds of a number if it has its own."""
    if setting.choices is not None:
        return f"one of {setting.range}"
    own = (setting.least, setting.most, setting.above, setting.below)
    return setting.range if any(bound is not None for bound in own) else ""


def _needed(setting, system):
    from minigan.train.settings import needed

    when = needed(setting, system.settings)
    return f"used {when}" if when else ""


def _command(system):
    if not system.file:
        return f'mg.runs.train("{system.name}")'
    return command("train", Path(system.file) if system.outside else system.name)


def _file(system):
    return system.place if system.outside else f"minigan/{Path(system.file).relative_to(Path(__file__).parents[1]).as_posix()}"
