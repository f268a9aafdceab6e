"""The reference: every public name with its signature and its docstring, as it stands in the code.

pages    (name, title, HTML) of each page: one for each module whose names are public
"""

import html
import importlib
import inspect
import re
from collections.abc import Iterator

MODULES = {
    "minigan": "tensors, gradients and ops",
    "minigan.nn": "layers and networks",
    "minigan.nn.functional": "functions of networks, under PyTorch's names",
    "minigan.nn.init": "the start of weights",
    "minigan.nn.utils": "changes of a module from outside",
    "minigan.optim": "update rules",
    "minigan.optim.lr_scheduler": "schedules of rates",
    "minigan.data": "data sets and loaders",
    "minigan.metrics": "how good samples are",
    "minigan.train": "the game",
    "minigan.systems": "the generative systems",
    "minigan.runs": "a run, from Python",
    "minigan.viz": "pictures",
    "minigan.cuda": "the GPU",
    "minigan.errors": "errors that minigan raises on purpose",
}


def pages() -> Iterator[tuple[str, str, str]]:
    """(name, title, HTML) of the list of modules and of each module."""
    rows = "".join(f'<li><a href="{name}.html"><code>{name}</code></a>: {says}</li>' for name, says in MODULES.items())
    yield "index", "Reference", f"<article><h1>Reference</h1><p>Every public name, from the code.</p><ul>{rows}</ul></article>"
    for name, says in MODULES.items():
        module = importlib.import_module(name)
        parts = [_entry(key, thing, name) for key, thing in public(module)]
        head = f"<h1><code>{name}</code></h1><p>{says}</p><pre class='doc'>{html.escape(inspect.getdoc(module) or '')}</pre>"
        yield name, f"{name}: {says}", f"<article class='wide'>{head}{''.join(parts)}</article>"


def public(module) -> list[tuple[str, object]]:
    """(name, thing) of the public names of a module, sorted: those of __all__, or those that are defined in its package."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [key for key, thing in vars(module).items() if not key.startswith("_") and _own(thing)]
    return [
        (key, getattr(module, key)) for key in sorted(set(names), key=str.lower) if not inspect.ismodule(getattr(module, key))
    ]


def _own(thing):
    return getattr(thing, "__module__", "").startswith("minigan") and (inspect.isclass(thing) or callable(thing))


def _entry(key, thing, module):
    anchor = html.escape(key)
    parts = [f'<section class="name" id="{anchor}"><h2><code>{anchor}{_signature(thing)}</code></h2>']
    parts.append(
        f"<pre class='doc'>{html.escape(inspect.getdoc(thing) or '')}</pre>" if callable(thing) else f"<p>{_short(thing)}</p>"
    )
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            member = getattr(member, "__func__", member)
            if (
                name.startswith("_")
                or not (inspect.isfunction(member) or isinstance(member, property))
                or not inspect.getdoc(member)
            ):
                continue
            given = "" if isinstance(member, property) else _signature(member)
            doc = html.escape(inspect.getdoc(member) or "")
            parts.append(f"<h3><code>{anchor}.{name}{given}</code></h3><pre class='doc'>{doc}</pre>")
    return "".join(parts) + "</section>"


def _signature(thing):
    if not callable(thing):
        return ""
    try:
        return html.escape(re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(thing))))
    except (TypeError, ValueError):
        return ""


def _short(thing):
    text = repr(thing)
    return html.escape(text if len(text) < 100 else f"{type(thing).__name__}, {text[:90]}...")
