"""The course as pages: what a lesson computes stands beside its prose, nothing is fetched, and the pages fit every window."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from browser import Browser, found

from minigan import checkout, lesson_files
from minigan.cli import main
from minigan.errors import ConfigError
from minigan.lesson_files import Cell
from minigan.site import build, markup, notebook, reference, translation

LESSON = r"""# %% [markdown] id="promise"
# # 7. A small lesson
#
# It draws $x^2$ and asserts one number.

# %% id="setup"
from minigan.lesson import Lesson
lesson = Lesson("07_small")

# %% [markdown] id="square"
# ## The square
#
# $$y = \frac{x^2}{2}$$
#
# **Predict:** what is 3 < 4, and 3 squared? <b>bold</b>

# %% id="square-code"
lesson.claim(3**2, 9, says="3 squared")
with lesson.figure("a_parabola", width=3, height=2) as fig:
    fig.add_subplot().plot([4, 1, 0, 1, 4])
print("<i>", 1 < 2)

# %% id="end"
lesson.end()
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of one small lesson with a Chinese text, of which one part is stale: the folder of its pages."""
    root = tmp_path_factory.mktemp("course")
    (root / "lessons" / "zh").mkdir(parents=True)
    lesson = root / "lessons" / "07_small.py"
    lesson.write_text(LESSON, encoding="utf-8")
    first = lesson_files.cells(lesson)[0]
    mark = translation.stamp(first)
    chinese = f"<!-- cell: promise {mark} -->\n# 7. 一堂小课\n\n画出 $x^2$。\n\n<!-- cell: square 00000000 -->\n## 平方\n"
    translation.file(lesson, "zh").write_text(chinese, encoding="utf-8")
    patch = pytest.MonkeyPatch()
    patch.setattr(checkout, "PACKAGE", root / "minigan")
    said = []
    try:
        assert build(root / "site", say=said.append) is True
    finally:
        patch.undo()
    return SimpleNamespace(root=root, site=root / "site", lesson=lesson, said=said)


def text(course, name):
    return (course.site / name).read_text(encoding="utf-8")


def test_prose_code_output_and_figure_stand_together(course):
    page = text(course, "07_small.html")
    row = re.search(r'<section class="row" id="square">.*?</section>', page, re.DOTALL)[0]
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in row and "<mfrac>" in row
    assert '<p class="predict"><strong>Predict:</strong>' in row and "<b>bold</b>" in row
    assert '<span class="true">  ✓  3 squared: 9</span>' in row and "&lt;i&gt; True" in row
    assert re.search(r"<img src='data:image/png;base64,[\w+/=]{500,}' alt='figure: a parabola'>", row)
    assert "figure lesson-figures" not in page
    assert re.fullmatch(r"07_small: \d+\.\d s", course.said[0])


def test_nothing_is_fetched_from_elsewhere(course):
    for page in course.site.rglob("*.html"):
        for address in re.findall(r'(?:src|href)=["\']([^"\']+)', page.read_text(encoding="utf-8")):
            assert (
                address.startswith(("data:", "#"))
                or (page.parent / address.partition("#")[0]).exists()
                or (address.startswith(("https://semver.org", "https://", "../")) and "<a" in page.read_text(encoding="utf-8"))
            ), (page, address)


def test_a_notebook_has_the_cells(course):
    book = json.loads(text(course, "07_small.ipynb"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert [cell["cell_type"] for cell in book["cells"]] == ["markdown", "code", "markdown", "code", "code"]
    assert book["cells"][0]["source"][0] == "# 7. A small lesson\n" and book["cells"][1]["outputs"] == []
    assert all(re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", cell["id"]) for cell in book["cells"])


def test_the_index_lists_what_there_is_in_each_language(course):
    assert "7. A small lesson" in text(course, "index.html") and "zh/index.html" in text(course, "index.html")
    page = text(course, "zh/index.html")
    assert "7. 一堂小课" in page and 'lang="zh-CN"' in page and "术语表" in page


def test_a_stale_translation_says_so_and_problems_name_each_cell(course):
    page = text(course, "zh/07_small.html")
    assert page.count("class='stale'") == 1 and "平方" in page and "✓  3 squared: 9" in page
    (problem,) = translation.problems(course.lesson, "zh")
    assert problem.startswith("07_small: square is stale: the English cell has changed, and has the hash ")
    file = translation.file(course.lesson, "zh")
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("cell: square", "cell: sqare"), encoding="utf-8")
    lines = translation.problems(course.lesson, "zh")
    file.write_text(before, encoding="utf-8")
    assert "square is missing; begin it with <!-- cell: square " in lines[0] and "sqare is no cell of the lesson" in lines[1]


def test_the_translations_of_the_real_lessons_are_up_to_date():
    lessons = lesson_files.find().values()
    done = [path for path in lessons if translation.file(path, "zh").is_file()]
    assert [line for path in done for line in translation.problems(path, "zh")] == []
    known = {path.stem for path in lessons}
    folder = next(iter(lessons)).parent / "zh"
    assert {path.stem for path in folder.glob("*.md")} <= known


def test_the_search_knows_sections_and_names(course):
    entries = json.loads(re.match(r"const ENTRIES = (.*);\n", text(course, "search.js"))[1])
    by_url = {entry["url"]: entry for entry in entries}
    assert by_url["07_small.html#square"]["title"] == "7. A small lesson: The square"
    assert "zh/07_small.html#promise" in by_url and "leaky_relu" in by_url["reference/minigan.nn.functional.html"]["text"]


def test_the_reference_has_every_public_name():
    import minigan as mg

    pages = {name: body for name, _, body in reference.pages()}
    for name in mg.__all__:
        thing = getattr(mg, name)
        assert f'id="{name}"' in pages["minigan"] or hasattr(thing, "__path__") or type(thing).__name__ == "module", name
    assert set(pages) == {"index", *reference.MODULES}
    assert 'id="Conv2d"' in pages["minigan.nn"] and "torch.nn" in pages["minigan.nn"]


def test_a_false_claim_makes_the_build_fail_and_an_error_is_shown(course, tmp_path, monkeypatch):
    monkeypatch.setattr(checkout, "PACKAGE", tmp_path / "minigan")
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "01_a.py").write_text(LESSON.replace("3**2, 9", "3**2, 8"), encoding="utf-8")
    (tmp_path / "lessons" / "02_b.py").write_text(LESSON.replace("print(", "1 / 0\nprint("), encoding="utf-8")
    said = []
    assert build(tmp_path / "site", say=said.append) is False
    assert all("FAILED" in line for line in said)
    assert '<span class="false">  ✗  3 squared: the text says 8' in (tmp_path / "site" / "01_a.html").read_text(
        encoding="utf-8"
    )
    assert "ZeroDivisionError: division by zero" in (tmp_path / "site" / "02_b.html").read_text(encoding="utf-8")


def test_mistakes_get_one_line(course, tmp_path, monkeypatch, capsys):
    with pytest.raises(ConfigError, match="there is no lesson 99"):
        build(tmp_path / "site", [99])
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    markup.ready.cache_clear()
    assert main(["lesson", "build", "--out", str(tmp_path / "site")]) == 2
    markup.ready.cache_clear()
    assert f"latex2mathml.converter: pip install {markup.PACKAGES}" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_code_and_words():
    assert '<span class="k">def</span>' in markup.code("def f(): pass")
    assert markup.plain("<main><p>a &lt; b</p><script>x</script></main>") == "a < b"
    assert json.loads(notebook.of([Cell("code", "a", "x = 1\n")]))["cells"][0]["source"] == ["x = 1"]


# ---- in a browser ----------------------------------------------------------------------------------------------------

seen = pytest.mark.skipif(found() is None, reason="no Chromium is installed (apt-get install chromium)")


@seen
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_the_window_and_the_search_finds(course, width, dark):
    with Browser() as browser:
        for name in ("index.html", "07_small.html", "zh/07_small.html", "reference/minigan.nn.html"):
            browser.open(course.site / name, width, dark)
            assert browser.ask("document.documentElement.scrollWidth") <= width, name
            assert all(url.startswith(course.site.resolve().as_uri()) for url in browser.requests)
        browser.ask("document.getElementById('search').value = 'leaky'")
        browser.ask("document.getElementById('search').dispatchEvent(new Event('input'))")
        links = browser.ask("[...document.querySelectorAll('#found a')].map(a => a.href)")
        assert links and all(Path(link.removeprefix("file://").partition("#")[0]).exists() for link in links)
        assert browser.complaints == []
