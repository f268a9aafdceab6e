"""minigan list systems, show; and docs/systems.md, made of the same descriptions."""

import textwrap
from pathlib import Path

WIDTH = 120


def add(verbs) -> None:
    """Enter the verb of this file."""
    verb = verbs.add_parser("show", help="all about a system", allow_abbrev=False,
                            description="All about a system: its paper, what differs from its parent and from the paper, its "
                                        "settings, its file, what it has been measured to reach.")
    verb.add_argument("system", metavar="SYSTEM", help="its name, or a file that enters one; `minigan list` has them all")
    verb.set_defaults(run=_show)


def listing() -> str:
    """All systems by family: name, year, one line."""
    from minigan.systems.registry import families

    lines = ["systems (minigan show SYSTEM tells all about one; minigan train SYSTEM):"]
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
    """What `minigan show` prints, as lines."""
    from minigan.cli.judge import table
    from minigan.train.settings import RUN

    lines = [system.title]
    lines += [f"  {key:<9}{text}" for key, text in facts(system).items()]
    rows = differences(system)
    if rows:
        lines += ["", "what differs"]
        lines += [f"  {line}" for line in table([["", "here", system.parent or "", "paper"], *rows])]
    own = [setting for setting in system.settings.values() if setting.name not in RUN]
    lines += ["", "settings (--set KEY=VALUE), with their defaults", *_settings(own, system)]
    for where, values in system.defaults.items():
        lines += textwrap.wrap(f"on {where}: {', '.join(_pair(k, v) for k, v in values.items())}", WIDTH,
                               initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    lines += ["", "settings of every run", *_settings([system.settings[name] for name in RUN], system)]
    if system.claims:
        lines += ["", "claims (docs/results.md has the figures)"]
        for claim in system.claims:
            lines += textwrap.wrap(f"{claim.name}: {claim.says}; {claim.seeds} seeds", WIDTH, initial_indent="  ",
                                   subsequent_indent="    ", break_on_hyphens=False)
            lines += [f"    {line}" for line in measured(claim)]
    return lines


def _settings(settings, system):
    for setting in settings:
        text = "; ".join(part for part in (setting.says, _bounds(setting), _needed(setting, system)) if part)
        yield from textwrap.wrap(f"{_pair(setting.name, setting.default):<28}  {text}", WIDTH, initial_indent="  ",
                                 subsequent_indent=" " * 32, break_on_hyphens=False)


def facts(system) -> dict[str, str]:
    """Paper, parent, data, file and command of a system."""
    own = {"paper": str(system.paper) if system.paper else "none", "parent": system.parent or "none",
           "learns": " or ".join(kind.word for kind in system.kinds) + f", by default {system.default_data}",
           "file": _file(system), "train": f"minigan train {system.file if system.outside else system.name}"}
    metrics = [metric.name for metric in system.metrics]
    return own | ({"measures": ", ".join(metrics)} if metrics else {})


def differences(system) -> list[list[str]]:
    """Rows of a table: setting, value here, in the parent, in the paper; those that differ from one of the two."""
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
    """A line for each check of a claim: how many seeds met it, where the results are at hand (a checkout)."""
    import json

    file = Path(__file__).resolve().parents[2] / "docs" / "results.json"
    if not claim.checks:
        return []
    if not file.is_file():
        return [f"- {check}" for check in claim.checks]
    results = json.loads(file.read_text(encoding="utf-8")).get(claim.name, {})
    return [check.verdict(results) for check in claim.checks]


def markdown() -> str:
    """docs/systems.md: every system with its paper, its settings and what differs from its parent and its paper."""
    from minigan.systems.registry import families

    lines = ["# The systems", "",
             "`minigan list systems --markdown` makes this page from what the systems' files say of themselves;",
             "[results.md](results.md) says what they reach.", ""]
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
                lines += [f"| `{s.name}` | {_value(one.settings[s.name].default)} | {one.settings[s.name].says} |"
                          for s in {s.name: s for s in own}.values()]
            others = [f"- on {where}: {', '.join(_pair(k, v) for k, v in values.items())}"
                      for where, values in one.defaults.items()]
            lines += ["", *others, ""] if others else [""]
    return "\n".join(lines)


def _value(value):
    from minigan.train.settings import word

    return word(value)


def _pair(name, value):
    return f"{name}={_value(value)}"


def _bounds(setting):
    """The bounds of a number that are its own, or the choices."""
    if setting.choices is not None:
        return f"one of {setting.range}"
    own = (setting.least, setting.most, setting.above, setting.below)
    return setting.range if any(bound is not None for bound in own) else ""


def _needed(setting, system):
    from minigan.train.settings import needed

    when = needed(setting, system.settings)
    return f"used {when}" if when else ""


def _file(system):
    return system.file if system.outside else f"minigan/{Path(system.file).relative_to(Path(__file__).parents[1]).as_posix()}"
