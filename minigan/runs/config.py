"""config.toml: what a run was started with.

toml        a dict as TOML text; tomllib reads it
read        the system, the seed and the config of a file
fields      the kind of each field of a batch of the run's data, read from its config
DATA        the keys of a config that are no settings
Elsewhere: what the settings mean (train/settings.py), what a session makes of a config (start.py).
"""

import json
import re
import tomllib

import numpy as np

from minigan.data.kinds import Class, Kind, Pair, Pictures, Points, Tokens, parse
from minigan.errors import CheckpointError, ConfigError
from minigan.schema import NAME, PLAIN, Anything, Many, Misfit, Named, Number, Record, Text, Truth, Whole, printable
from minigan.train.settings import LARGEST, RUN

# Keys of a config that are no settings.   earlier: the values that rates had up to a step, [{step, name, value}, ...].
DATA = (
    *("data", "data_dir", "data_options", "data_content", "own_data", "device", "sample_shape", "fields", "file", "own_nets"),
    "earlier",
)


FILE = Record(
    {
        "system": NAME,
        "seed": Whole(),
        "config": Record(
            may={
                "data": NAME,
                "device": NAME,
                "data_dir": Text(),
                "data_options": Named(PLAIN),
                "data_content": Named(PLAIN),
                "own_data": Truth(),
                "own_nets": Many(NAME),
                "sample_shape": Many(Whole(1, LARGEST), least=1, most=4),
                "fields": Record({"x": NAME}, others=NAME),
                "file": Text(),
                "earlier": Many(Record({"step": Whole(), "name": NAME, "value": Number()})),
                **{name: setting.stored for name, setting in RUN.items()},
            },
            others=Anything(),  # the settings of the system, which start.py checks
        ),
    },
    others=Anything(),
)
MOST = 10**6  # bytes of a config.toml


def read(file):
    """(system, seed, config) of a config.toml.   Raises CheckpointError when the file cannot be read, is no TOML, or when an
    entry is missing, of another type or out of its range."""
    try:
        with open(file, "rb") as opened:
            content = opened.read(MOST + 1)
        if len(content) > MOST:
            raise ValueError(f"it has more than {MOST:,} bytes")
        values = tomllib.loads(content.decode("utf-8-sig"))  # an editor may have put a byte order mark at its start
        FILE.check(values, "")
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read: {error.strerror}") from error
    except Misfit as error:
        raise CheckpointError(f"{file}: {error}; correct it, or restore the file from a copy") from None
    except (ValueError, RecursionError) as error:  # TOML errors and bad UTF-8
        raise CheckpointError(
            f"{file}: not valid TOML: {printable(str(error))}; correct it, or restore it from a copy"
        ) from None
    return values["system"], values["seed"], values["config"]


# ---- the kinds of the data -------------------------------------------------------------------------------------------

# The number of classes in each data set, for old folders whose config.toml has no `fields`.
CLASSES = {"digits": 10, "mnist": 10, "fashion-mnist": 10, "filled-outline": 10, "ring8": 8, "grid25": 25, "two-moons": 2}


def fields(config) -> dict[str, Kind]:
    """Return {field: kind} for the data in a run's config; "x" is the field that the system learns.

    The config of an old folder has no `fields`, only `sample_shape` and the name of the data set; this function converts them.
    Raises KeyError, TypeError or AttributeError when the config has neither, or no x; ConfigError for an unknown kind.

    >>> fields({"fields": {"x": "points 2"}})
    {'x': Points(size=2)}"""
    if "fields" in config:
        texts = config["fields"]
        return {"x": parse(texts["x"])} | {name: parse(text) for name, text in texts.items()}
    name, shape = config["data"], tuple(config["sample_shape"])
    if name == "oracle":
        x: Kind = Tokens(30, *shape)
    elif name == "filled-outline":
        x = Pair(Pictures(1, *shape[1:]), Pictures(1, *shape[1:]))
    else:
        x = Points(*shape) if len(shape) == 1 else Pictures(*shape)
    return {"x": x, "labels": Class(CLASSES[name])} if name in CLASSES else {"x": x}


# ---- TOML ------------------------------------------------------------------------------------------------------------


def toml(table):
    """Return a dict as TOML text; tomllib reads it back as an equal dict.

    Values may be str, int, float, bool, lists, and dicts with string keys.  A tuple becomes a list, a NumPy scalar a number.
    Raises ConfigError, with the key's name, for any other value.

    >>> toml({"lr": 1e-4, "names": ["G", "D"]})
    'lr = 0.0001\\nnames = ["G", "D"]\\n'
    """
    return "".join(_toml_table(table, ())).lstrip("\n")


def _toml_table(table, path):
    # TOML requires this order: first the plain entries of a table, then the tables inside it, each with its heading.
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{_toml_key(key, path)} = {_toml_value(value, (*path, key))}\n"
    for key, value in table.items():
        if isinstance(value, dict):
            here = (*path, key)
            yield f"\n[{'.'.join(_toml_key(part, path) for part in here)}]\n"
            yield from _toml_table(value, here)


def _toml_key(key, path):
    if not isinstance(key, str):
        raise ConfigError(f"config: {'.'.join(path) or 'the top'} has the key {key!r}; keys must be strings")
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml_string(key, path)


def _toml_value(value, path):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value))  # the shortest text with the same bits when read back; TOML also knows inf and nan
    if isinstance(value, str):
        return _toml_string(value, path)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml_value(item, path) for item in value)}]"
    if isinstance(value, dict):  # a dict inside a list: _toml_table handles all others
        return "{" + ", ".join(f"{_toml_key(k, path)} = {_toml_value(v, path)}" for k, v in value.items()) + "}"
    where = ".".join(map(str, path))
    if value is None:
        raise ConfigError(f"config: {where} is None, which TOML cannot hold; leave it out, or write 'none' or 0")
    raise ConfigError(f"config: {where} is a {type(value).__name__}; use a string, a number, true or false, or a list")


def _toml_string(text, path):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError(f"config: {'.'.join(map(str, path))} = {text!r} is not valid Unicode; correct it") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
