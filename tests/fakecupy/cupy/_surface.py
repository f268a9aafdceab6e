"""surface.json, read: what the real package has, and which arguments its functions take."""

import json
from functools import lru_cache
from pathlib import Path

SURFACE = json.loads((Path(__file__).parents[1] / "surface.json").read_text())


@lru_cache(None)
def _call(section, name):
    """(how many positional arguments, the keywords, any keyword?), or None where the real one does not tell."""
    names = SURFACE[section][name]
    if names is None:
        return None
    before = names[: names.index("*")] if "*" in names else names
    any_number = any(n.startswith("*") and n.strip("*") for n in before if not n.startswith("**"))
    only_positional = names.index("/") if "/" in names else 0
    positional = [n for n in before if n != "/" and not n.startswith("*")]
    keywords = frozenset(n for n in names[only_positional:] if n.strip("*/"))
    return (None if any_number else len(positional)), keywords, any(n.startswith("**") for n in names)


def check(section, name, args, kwargs):
    """TypeError for arguments that the real function of that name does not take."""
    known = _call(section, name)
    if known is None:
        return
    count, keywords, anything = known
    if count is not None and len(args) > count:
        raise TypeError(f"{name}() takes {count} positional arguments, got {len(args)}")
    for keyword in kwargs:
        if keyword not in keywords and not anything:
            raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")


def bind(section, name, args, kwargs):
    """The arguments by the real function's parameters: {parameter: value}, {"*args": (...)} for any number."""
    given, args = {}, list(args)
    for parameter in SURFACE[section][name]:
        if parameter.startswith("*") and parameter.strip("*") and not parameter.startswith("**"):
            given[parameter], args = tuple(args), []
        elif args and parameter.strip("*/"):
            given[parameter] = args.pop(0)
    return {**given, **kwargs}
