"""Markdown and formulas to HTML: the formulas become MathML now, so a page needs no script for them.

html    Markdown as HTML        lesson    the cells of a lesson with their outputs        plain    the words of a page
ready   load the packages, or say what to install        first_paragraph, code_style
"""

import functools
import html as escaping
import re
from typing import Any

from minigan.errors import ConfigError
from minigan.site import frame

PACKAGES = "markdown-it-py mdit-py-plugins latex2mathml pygments"  # the extra `site`


@functools.cache
def ready() -> Any:
    """The Markdown parser.   Raises ConfigError if a package is missing."""
    try:
        from latex2mathml.converter import convert
        from markdown_it import MarkdownIt
        from mdit_py_plugins.anchors import anchors_plugin
        from mdit_py_plugins.dollarmath import dollarmath_plugin
    except ImportError as error:
        raise ConfigError(f"the pages need the package {error.name}: pip install {PACKAGES}") from None
    parser = MarkdownIt("commonmark", {"html": True, "highlight": code}).enable(["table", "strikethrough"])
    formula = lambda text, about: convert(text, display="block" if about["display_mode"] else "inline")
    return parser.use(dollarmath_plugin, renderer=formula, double_inline=True).use(anchors_plugin, max_level=3)


def html(text: str) -> str:
    """Markdown as HTML; tables can be scrolled on a narrow window."""
    done = ready().render(text)
    return done.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")


def code(text: str, language: str = "python", *_) -> str:
    """A piece of code as HTML, with its words coloured."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language or "text")
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    return f'<pre class="code"><code>{highlight(text, lexer, HtmlFormatter(nowrap=True))}</code></pre>'


def code_style() -> str:
    """The colours of code, for light and for dark."""
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="friendly").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    keep = lambda text: "\n".join(line for line in text.splitlines() if line.startswith(".code ."))
    return f"{keep(light)}\n@media (prefers-color-scheme: dark) {{\n{keep(dark)}\n}}\n"


def lesson(cells, result, stale, language, folder) -> str:
    """The rows of a lesson: prose beside the code that belongs to it, and below the code what it printed and drew."""
    words, rows, prose = frame.WORDS[language], [], []
    for cell in cells:
        if cell.kind == "markdown":
            if prose:  # two cells of text in a row
                rows.append(_row(prose, ""))
            note = f"<p class='stale'>{words['stale']}</p>" if cell.name in stale else ""
            prose = [cell.name, note + html(cell.text)]
            continue
        output = result["cells"].get(cell.name, {"text": "", "figures": []})
        right = code(cell.text.strip("\n"))
        if output["text"].strip():
            printed = _signs(escaping.escape(output["text"].rstrip()))
            right += f"<pre class='out' aria-label='{words['output']}'>{printed}</pre>"
        for figure in output["figures"]:
            about = escaping.escape(f"{words['figure']}: {figure['name'].replace('-', ' ').replace('_', ' ')}", quote=True)
            right += f"<figure><img src='data:image/png;base64,{figure['png']}' alt='{about}'></figure>"
        rows.append(_row(prose or [cell.name, ""], right))
        prose = []
    if prose:
        rows.append(_row(prose, ""))
    head = f'<p class="links"><a href="{folder}.ipynb" download>{words["notebook"]}</a></p>'
    return head + "\n".join(rows)


def _row(prose, right):
    name, text = prose
    text = re.sub(r"<p><strong>(Predict|预测)[:：]?</strong>", r'<p class="predict"><strong>\1:</strong>', text)
    wide = "" if right else " wide"
    return f'<section class="row{wide}" id="{name}"><div class="prose">{text}</div><div class="right">{right}</div></section>'


def _signs(text):
    text = re.sub(r"(?m)^(\s*✓.*)$", r'<span class="true">\1</span>', text)
    return re.sub(r"(?m)^(\s*✗.*)$", r'<span class="false">\1</span>', text)


def first_paragraph(text: str) -> str:
    """The first paragraph under the heading, as HTML."""
    parts = [part for part in text.split("\n\n") if part.strip() and not part.startswith("#")]
    return html(parts[0]) if parts else ""


def plain(page: str) -> str:
    """The words of a page, without its tags."""
    body = page.partition("<main>")[2] or page
    text = re.sub(r"<(script|style|math)\b.*?</\1>", " ", body, flags=re.DOTALL)
    return re.sub(r"\s+", " ", escaping.unescape(re.sub(r"<[^>]+>", " ", text))).strip()
