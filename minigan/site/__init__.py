"""The course as pages that need no server: `minigan lesson build --out site`.

build       run every lesson, and write its page and notebook, the index, glossary, reference and the pages of docs/
Elsewhere: running a lesson cell by cell (play.py), Markdown and formulas to HTML (markup.py), the frame and style of a page
(frame.py), the reference of public names (reference.py), translations of lessons (translation.py).
The packages that turn Markdown into HTML are the extra `site`.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from minigan import checkout, lesson_files
from minigan.errors import ConfigError
from minigan.serialize import replacing
from minigan.site import frame, markup, notebook, play, reference, translation

DOCS = (
    "systems",
    "results",
    "names",
    "why-it-is-fast",
    "edges",
    "gpu",
    "determinism",
    "life-of-a-run",
    "your-own-data",
    "capture",
)


def build(out, numbers: Iterable[int] = (), fast: bool = False, say: Callable[[str], Any] = print) -> bool:
    """Write the site into a folder, and return whether every claim of every lesson held.

    out: the folder; what stands there under the same names is replaced.   numbers: of the lessons (default: all).   fast: run
    the short form of the lessons.   say: gets a line for each lesson.   Raises ConfigError if a package is missing, and for an
    unknown number."""
    markup.ready()
    out, lessons = Path(out), lesson_files.find()
    wanted = list(numbers) or list(lessons)
    unknown = [number for number in wanted if number not in lessons]
    if unknown:
        raise ConfigError(f"there is no lesson {unknown[0]}; the lessons are {', '.join(map(str, lessons))}")
    out.mkdir(parents=True, exist_ok=True)
    entries: list[dict] = []  # what the search knows: {"title", "url", "text"}
    good, done = True, []
    for number in wanted:
        path = lessons[number]
        result = play.lesson(path, fast)
        good = good and result["ok"]
        say(f"{path.stem}: {'' if result['ok'] else 'FAILED, '}{result['seconds']:.1f} s")
        done.append((number, path, result))
    for language in frame.LANGUAGES:
        _lessons(out, language, done, entries)
    _documents(out, entries)
    for name, title, body in reference.pages():
        _write(
            out / "reference" / f"{name}.html", frame.page(title, body, "en", depth=1), entries, f"reference/{name}.html", title
        )
    with replacing(out / "search.js") as file:
        file.write(f"const ENTRIES = {json.dumps(entries, ensure_ascii=False)};\n{_text('search.js')}".encode())
    with replacing(out / "style.css") as file:
        file.write((_text("style.css") + markup.code_style()).encode())
    return good


def _text(name):
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _lessons(out, language, done, entries):
    """The lessons of one language, and their index."""
    folder = out if language == "en" else out / language
    folder.mkdir(exist_ok=True)
    listed = []
    both = {path.stem for _, path, _ in done if translation.file(path, "zh").is_file()}
    there = [path.stem for _, path, _ in done if language == "en" or path.stem in both]
    for _, path, result in done:
        cells, stale = lesson_files.cells(path), set()
        if language != "en":
            cells, stale = translation.translated(path, language)
            if cells is None:
                continue
        title = next(line[2:] for line in cells[0].text.splitlines() if line.startswith("# "))
        around = [there[k] if 0 <= k < len(there) else None for k in (there.index(path.stem) - 1, there.index(path.stem) + 1)]
        body = markup.lesson(cells, result, stale, language, path.stem)
        name = f"{path.stem}.html"
        text = frame.page(
            title, body, language, depth=int(language != "en"), around=around, other=name if path.stem in both else ""
        )
        _write(folder / name, text, entries, f"{'' if language == 'en' else language + '/'}{name}", title, cells)
        listed.append((name, title, markup.first_paragraph(cells[0].text), result["seconds"]))
        with replacing(folder / f"{path.stem}.ipynb") as file:
            file.write(notebook.of(cells).encode())
    body = frame.index(listed, language)
    with replacing(folder / "index.html") as file:
        file.write(
            frame.page(
                frame.WORDS[language]["course"], body, language, depth=int(language != "en"), other="index.html"
            ).encode()
        )


def _documents(out, entries):
    """The pages of docs/ as HTML, with their pictures; an installed package has none."""
    try:
        docs = checkout.find("docs", lambda folder: folder if (folder / "systems.md").is_file() else None)
    except ConfigError:
        return
    for picture in docs.glob("*.png"):
        shutil.copyfile(picture, out / picture.name)
    for name in (*DOCS, "glossary"):
        path = docs / f"{name}.md"
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            title = text.partition("\n")[0].lstrip("# ")
            linked = re.sub(r'href="([\w-]+)[.]md', r'href="\1.html', markup.html(text))
            body = f"<article>{linked}</article>"
            _write(out / f"{name}.html", frame.page(title, body, "en"), entries, f"{name}.html", title)


def _write(path, text, entries, url, title, cells=None):
    """Write a page, and enter it in the search: a lesson by its sections, another page as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode())
    if cells is None:
        entries.append({"title": title, "url": url, "text": markup.plain(text)})
        return
    for cell in cells:
        if cell.kind == "markdown":
            heading = re.search(r"(?m)^##? (.*)", cell.text)
            name = f"{title}: {heading[1]}" if heading and not heading[0].startswith("# ") else title
            entries.append({"title": name, "url": f"{url}#{cell.name}", "text": cell.text})
