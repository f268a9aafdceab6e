"""report.html in headless Chromium: nothing runs off a phone's edge, light and dark are readable, nothing leaves it."""

import re

import pytest
from browser import Browser, found

from minigan.runs.session import Session

pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium is installed (apt-get install chromium)")

# The contrast of two colours, WCAG 2.2: (lighter + 0.05) / (darker + 0.05), of relative luminances.
CONTRAST = """
(() => {
  const linear = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(linear);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = [99, ''];
  for (const e of document.querySelectorAll('h1, h2, p, td, th, code, figcaption, small, .plot span')) {
    if (!e.textContent.trim()) continue;
    const pair = [getComputedStyle(e).color, ground(e)].map(light).sort((a, b) => b - a);
    const contrast = (pair[0] + .05) / (pair[1] + .05);
    if (contrast < least[0]) least = [contrast, e.outerHTML.slice(0, 200)];
  }
  return least;
})()
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    session = Session.start(
        "gan",
        "ring8",
        overrides={"steps": 6, "log_every": 1, "sample_every": 3, "batch_size": 16, "width": 8},
        out=tmp_path_factory.mktemp("runs") / "run",
    )
    session.train()
    return session.run.report_path


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_window_and_can_be_read(page, browser, width, dark):
    browser.open(page, width, dark)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    ground = [int(part) for part in re.findall(r"\d+", browser.ask("getComputedStyle(document.body).backgroundColor"))[:3]]
    assert (sum(ground) < 200) == dark
    contrast, where = browser.ask(CONTRAST)
    assert contrast >= 4.5, where  # WCAG 2.2, 1.4.3
    assert browser.ask("[...document.images].every(image => image.complete && image.naturalWidth > 0 && image.alt)")
    assert browser.ask(
        "[...document.querySelectorAll('.plot span')].every(s => parseFloat(getComputedStyle(s).fontSize) >= 12)"
    )
    assert not browser.complaints and not browser.requests


def test_it_prints_without_the_animation_and_no_picture_is_torn(page, browser, tmp_path):
    browser.open(page)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.ask("getComputedStyle(document.querySelector('.moving')).display") == "none"
    kept = browser.ask("[...document.querySelectorAll('figure, tr, .finding')].map(f => getComputedStyle(f).breakInside)")
    assert len(kept) > 10 and kept.count("avoid") >= len(kept) - 1  # all but the animation
    browser.pdf(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
