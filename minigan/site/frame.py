"""The frame of a page: its head, the bar at its top, links to its neighbours, and the style of all pages.

page      a whole page around its content      index     the list of lessons      WORDS     what the frame says, by language
"""

import html

LANGUAGES = ("en", "zh")
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "lang": "en",
        "course": "Backpropagation and adversarial training, seen from inside",
        "lessons": "Lessons",
        "glossary": "Glossary",
        "reference": "Reference",
        "systems": "Systems",
        "results": "Results",
        "search": "Search",
        "before": "before",
        "next": "next",
        "output": "what the cell printed",
        "figure": "figure",
        "notebook": "This lesson as a notebook",
        "stale": "This part was translated from an earlier English text.",
        "how": "Read them in this order. Each runs in under a minute on two cores, without a network: "
        "<code>minigan lesson 1</code>. Every number in a lesson was checked when this page was made.",
        "skip": "to the text",
        "seconds": "s",
    },
    "zh": {
        "lang": "zh-CN",
        "course": "从内部看反向传播与对抗训练",
        "lessons": "课程",
        "glossary": "术语表",
        "reference": "接口参考（英文）",
        "systems": "系统（英文）",
        "results": "实测结果（英文）",
        "search": "搜索",
        "before": "上一课",
        "next": "下一课",
        "output": "这一格的输出",
        "figure": "图",
        "notebook": "本课的笔记本文件",
        "stale": "英文原文已有改动，这一段的译文尚未更新。",
        "how": "请按顺序阅读。每一课在两个处理器核心上不到一分钟就能跑完，不需要联网：<code>minigan lesson 1</code>。"
        "课文里的每一个数字，在生成本页时都由程序核对过。",
        "skip": "跳到正文",
        "seconds": "秒",
    },
}


def page(title: str, body: str, language: str, depth: int = 0, around=(None, None), other: str = "") -> str:
    """A whole page.   depth: how many folders below the site's first one.   around: the names of the lessons before and after.
    other: the file of the same page in the other language, if there is one."""
    words, root = WORDS[language], "../" * depth
    here = root if language == "en" else ""
    bar = [_link(f"{here}index.html", "minigan", "home"), _link(f"{here}index.html", words["lessons"])]
    pages = {
        "glossary": "glossary.html",
        "reference": "reference/index.html",
        "systems": "systems.html",
        "results": "results.html",
    }
    bar += [_link(root + file, words[key]) for key, file in pages.items()]
    if other:
        bar.append(_link(f"zh/{other}", "中文") if language == "en" else _link(f"../{other}", "English"))
    ends = [
        _link(f"{stem}.html", f"{words[key]}: {stem}") if stem else "<span></span>"
        for stem, key in zip(around, ("before", "next"))
    ]
    nav = f'<nav class="around">{"".join(ends)}</nav>' if any(around) else ""
    return f"""<!DOCTYPE html>
<html lang="{words["lang"]}" data-root="{root}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)} – minigan</title>
<link rel="stylesheet" href="{root}style.css">
</head>
<body>
<a class="skip" href="#text">{words["skip"]}</a>
<header>{"".join(bar)}<form role="search" onsubmit="return false">
<input id="search" type="search" placeholder="{words["search"]}" aria-label="{words["search"]}">
</form><div id="found" aria-live="polite"></div></header>
<main id="text">
{body}
{nav}
</main>
<script src="{root}search.js"></script>
</body>
</html>
"""


def index(lessons, language: str) -> str:
    """The list of lessons.   lessons: (file, title, first paragraph as HTML, seconds) in their order."""
    words = WORDS[language]
    rows = [
        f"<li>{_link(name, title)} <small>{seconds:.0f} {words['seconds']}</small>{about}</li>"
        for name, title, about, seconds in lessons
    ]
    return f"<article><h1>{words['course']}</h1><p>{words['how']}</p><ul class='list'>{''.join(rows)}</ul></article>"


def _link(url, text, kind=""):
    return f"<a href='{url}'{f' class={kind}' if kind else ''}>{html.escape(text)}</a>"
