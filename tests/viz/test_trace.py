"""The page that steps through a backward pass: its numbers are those of the engine, and of the function itself."""

import json
import re
import sys

import numpy as np
import pytest
from browser import Browser, found

import minigan as mg
from minigan import nn
from minigan.errors import GraphError
from minigan.viz.trace import Traced, trace, watching


def story(path):
    """What a page tells."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r"const story = (.*);\n", text)[1].replace("<\\/", "</"))


def node(told, name):
    return next(one for one in told["nodes"] if one["name"] == name)


@pytest.fixture
def square(tmp_path):
    """The page of ((b c + c)^2).sum(), in which c is broadcast, and used twice."""
    b = mg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    c = mg.tensor([0.5, -1.0], requires_grad=True)
    return trace(((b * c + c) ** 2).sum(), tmp_path / "square.html"), b, c


@pytest.fixture
def d_step(tmp_path):
    """The page of a discriminator's step, and its parts."""
    mg.seed(0)
    rng = np.random.default_rng(0)
    D = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 1))
    x, fake = (mg.tensor(rng.standard_normal((3, 1, 8, 8)).astype("f")) for _ in range(2))
    loss = lambda: mg.softplus(-D(x)).mean() + mg.softplus(D(fake)).mean()
    return trace(loss, tmp_path / "d.html", title="D's step"), D, loss


def test_every_gradient_is_that_of_the_engine(square):
    path, b, c = square
    told = story(path)
    of_b, of_c = mg.grad(((b * c + c) ** 2).sum(), [b, c])
    assert node(told, "b")["gradient"]["rows"] == of_b.tolist()
    assert node(told, "c")["gradient"]["rows"] == [of_c.tolist()] and node(told, "c")["value"]["rows"] == [[0.5, -1.0]]
    assert node(told, "sum")["value"]["rows"] == [[97.0]]


def test_gradient_times_local_derivative_is_what_is_handed_on(square):
    told = story(square[0])
    elementwise = [event for event in told["events"] if "local" in event]
    assert len(elementwise) == 5
    for event in elementwise:
        arrives, local, product = (
            np.array(a["rows"]) for a in (told["nodes"][event["node"]]["gradient"], event["local"], event["product"])
        )
        assert np.allclose(arrives * local, product, rtol=1e-4)
    of_sum = next(event for event in told["events"] if "matrix" in event)
    assert of_sum["matrix"]["rows"] == [[1.0] * 6]


def test_a_broadcast_is_undone_and_two_uses_add_up(square):
    told = story(square[0])
    to_c = [event for event in told["events"] if event["kind"] == "back" and told["nodes"][event["to"]]["name"] == "c"]
    assert [event["fitted"]["shape"] for event in to_c] == [[2], [2]] and "before" not in to_c[0]
    before, comes, after = (np.array(to_c[1][key]["rows"]) for key in ("before", "fitted", "after"))
    assert np.allclose(before + comes, after)
    assert "is summed to (2,). c is used more than once, so its gradients add up: −30 + (−136) = −166." in to_c[1]["says"]


def test_finite_differences_agree_in_a_real_discriminator(d_step):
    path, D, loss = d_step
    told = story(path)
    checks = [one["check"] for one in told["nodes"]]
    assert all(check["near"] for check in checks) and len(checks) > 20
    gradients = mg.grad(loss(), list(D.parameters()))
    for (name, _), gradient in zip(D.named_parameters(), gradients):
        check = node(told, f"D.{name}")["check"]
        assert check["gradient"] == pytest.approx(gradient.numpy()[tuple(check["at"])], rel=1e-5)
        assert abs(check["gradient"]) == np.abs(gradient.numpy()).max()


def test_a_wrong_rule_gets_a_cross(tmp_path):
    wrong = mg.primitive(lambda x: x * x, lambda g, y, x: 3 * g * x, name="wrong")
    x = mg.tensor([1.0, -2.0], requires_grad=True)
    told = story(trace(wrong(x).sum(), tmp_path / "w.html"))
    assert node(told, "x")["check"]["near"] is False and node(told, "wrong")["check"]["near"] is True
    assert node(told, "x")["check"]["difference"] == pytest.approx(-4, abs=1e-6)


def test_the_rule_and_its_place_are_shown(square):
    told = story(square[0])
    rules = {told["nodes"][event["node"]]["name"]: event for event in told["events"] if event["kind"] == "back"}
    assert rules["multiply"]["rule"] == "lambda g, y, a, b: g * a"
    assert re.fullmatch(r"ops/elementwise\.py:\d+", rules["multiply"]["where"])


def test_what_cannot_be_told_truly_is_refused(tmp_path):
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x + 1).sum()
    with mg.no_grad():
        x += 1
    with pytest.raises(GraphError, match="x \\(2,\\) is gone, or has changed since it was used; trace before the update"):
        trace(y, tmp_path / "a.html")
    z = (x * x).sum()
    with mg.no_grad():
        x += 1
    with pytest.raises(GraphError, match=r"in place|has changed"):
        trace(z, tmp_path / "a.html")
    with pytest.raises(GraphError, match="has no graph"):
        trace(mg.ones(2), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_nothing_is_freed_and_nothing_changes(tmp_path):
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    trace(y, tmp_path / "a.html")
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_great_graphs_are_drawn_without_the_check(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["minigan.viz.trace"], "EFFORT", 0)
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert node(story(trace((x * x).sum(), tmp_path / "a.html")), "x")["check"] is None


@pytest.mark.parametrize("number", [1, 2])
def test_the_gradient_that_a_program_asks_for_is_traced(number, tmp_path):
    x = mg.tensor(3.0, requires_grad=True)

    def program():
        mg.grad(x * x, x)
        (x * 5).backward()

    with pytest.raises(Traced), watching(tmp_path / "p.html", number):
        program()
    assert node(story(tmp_path / "p.html"), "x")["gradient"]["rows"] == [[(6.0, 5.0)[number - 1]]]
    assert mg.grad(x * x, x)[0].item() == 6.0  # the engine is as before


def test_numbers_that_are_none_and_names_with_markup_are_shown(tmp_path):
    x = mg.tensor([np.inf, np.nan, 1.0], requires_grad=True)
    path = trace((x * 1).sum(), tmp_path / "a.html", {"</script><b>": x})
    assert story(path)["nodes"][0]["value"]["rows"] == [["inf", "nan", 1.0]] and "</script><b>" not in path.read_text()


# ---- in a browser ----------------------------------------------------------------------------------------------------

seen = pytest.mark.skipif(found() is None, reason="no Chromium is installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


def press(browser, key):
    browser.ask(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: {key!r}, bubbles: true}}))")


@seen
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_steps_and_fits_the_window(d_step, browser, width, dark):
    browser.open(d_step[0], width, dark)
    told = story(d_step[0])
    browser.ask("choose('ops'); show(0)")
    assert browser.ask("document.title") == "D's step"
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.ask("document.getElementById('says').textContent").startswith("D.0.weight is given")
    press(browser, "End")
    assert browser.ask("document.getElementById('says').textContent") == told["events"][-1]["says"]
    assert "✓ finite difference" in browser.ask("document.getElementById('parts').textContent")
    press(browser, "ArrowLeft")
    count = browser.ask("document.getElementById('count').textContent")
    assert re.fullmatch(r"backwards, step (\d+) of \d+", count)
    assert browser.ask("document.querySelectorAll('#picture .now').length") == 1
    assert browser.ask("document.querySelectorAll('#picture path.flow').length") == 1
    assert browser.complaints == [] and browser.requests == []


@seen
def test_layers_and_nets_close_and_boxes_can_be_chosen(d_step, browser):
    browser.open(d_step[0])
    counts = {}
    for depth in ("ops", "layers", "nets"):
        browser.ask(f"choose('{depth}')")
        counts[depth] = browser.ask("document.querySelectorAll('#picture g').length")
        press(browser, "End")
        assert browser.ask("document.getElementById('parts').textContent.length") > 100
    assert counts["nets"] < counts["layers"] <= counts["ops"]
    press(browser, "Home")
    browser.ask("document.querySelector('#picture g:last-of-type').dispatchEvent(new MouseEvent('click'))")
    assert "gives" in browser.ask("document.getElementById('says').textContent")
    assert browser.complaints == []
