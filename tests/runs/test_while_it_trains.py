"""What one can look at while a run trains: report, curves and GIF are new at each checkpoint, and never end the run."""

import webbrowser

import numpy as np
import pytest
from PIL import Image

from minigan import nn, viz
from minigan.cli import main
from minigan.runs import report
from minigan.runs.session import Session
from minigan.viz import points

SMALL = {"steps": 4, "log_every": 1, "sample_every": 2, "checkpoint_every": 2, "batch_size": 16, "width": 8}


def started(folder, system="gan", data="ring8", **changed):
    return Session.start(system, data, overrides=SMALL | changed, out=folder)


def test_all_three_are_there_and_up_to_date_at_every_checkpoint(tmp_path):
    session, seen = started(tmp_path / "run"), {}

    def look(step, losses):
        run = session.run
        if step % 2 == 0:
            with Image.open(run.gif_path) as gif:
                seen[step] = gif.n_frames, run.report_path.read_text(encoding="utf-8"), run.curves_path.read_bytes()

    session.train(report=look)
    assert [frames for frames, _, _ in seen.values()] == [2, 3]
    assert all(f"<strong>{step} of 4 steps</strong>" in text for step, (_, text, _) in seen.items())
    assert all("after step 2" in text and "D(G(z))" in text for _, text, _ in seen.values())
    assert seen[2][2] != seen[4][2]


@pytest.mark.parametrize("broken", ["curves_png", "save_gif"])
def test_what_cannot_be_drawn_is_told_once_and_the_training_goes_on(tmp_path, monkeypatch, capsys, broken):
    def fail(*arguments, **options):
        raise RuntimeError("no ink")

    monkeypatch.setattr(viz, broken, fail)
    session = started(tmp_path / "run", steps=6)
    with pytest.raises(RuntimeError, match="no ink"):  # the last one is no longer beside the training
        session.train()
    assert session.step == 6 and session.run.checkpoints()[-1].name == "step_000006.npz"
    assert "6 of 6 steps" in session.run.report_path.read_text(encoding="utf-8")
    assert capsys.readouterr().err.count("no ink") == 1


@pytest.mark.parametrize("system, name", [("gan", "D(x)"), ("wgan", "score(x)"), ("lsgan", "score(x)")])
def test_points_lie_on_what_d_says(tmp_path, monkeypatch, system, name):
    fields = []
    monkeypatch.setattr(viz.samples, "scatter_png", lambda *a, field=None, **k: fields.append(field))
    session = started(tmp_path / "run", system)
    session.draw()
    ((text, field),) = fields
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    logits = session.game.nets["D"](x).detach().numpy().reshape(5)
    expected = 1 / (1 + np.exp(-logits)) if name == "D(x)" else logits
    assert text == name and field(x) == pytest.approx(expected, rel=1e-5)


def test_a_d_that_sees_labels_or_the_whole_batch_has_no_field(tmp_path):
    for i, (system, changed) in enumerate((("cgan", {}), ("gan", {"minibatch": True}), ("vae", {}))):
        assert started(tmp_path / str(i), system, **changed).game.judge is None


def test_pictures_of_the_field_change_no_bit_even_if_d_drops_out(tmp_path):
    weights = []
    for every in (1, 4):
        D = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 1))
        for i, parameter in enumerate(D.parameters()):
            parameter.data[...] = np.random.default_rng(i).normal(size=parameter.shape)
        session = Session.start(
            "gan", "ring8", overrides=SMALL | {"sample_every": every}, out=tmp_path / str(every), nets={"D": D}
        )
        session.train()
        weights.append([array.tobytes() for net in session.game.nets.values() for array in net.state_dict().values()])
    assert weights[0] == weights[1]


@pytest.mark.parametrize("name, values, colour", [("D(x)", 1.0, "blue"), ("D(x)", 0.0, "red"), ("score(x)", None, "both")])
def test_the_field_has_the_colours_of_the_lesson(tmp_path, name, values, colour):
    def field(x):
        assert x.shape == (points.CELLS**2, 2) and x.dtype == np.float32
        return np.full(len(x), values) if values is not None else 100 + x[:, 0]

    viz.scatter_png(tmp_path / "x.png", np.zeros((3, 2)), np.array([[-1.0, -1.0], [1.0, 1.0]]), field=(name, field))
    with Image.open(tmp_path / "x.png") as file:
        red, _, blue = np.asarray(file.convert("RGB"))[150:400, 120:520].astype(int).transpose(2, 0, 1)
    more = {"blue": (blue - red > 30).mean(), "red": (red - blue > 30).mean()}
    assert min(more.values()) > 0.3 if colour == "both" else more[colour] > 0.9


def test_a_field_without_a_finite_number_is_drawn(tmp_path):
    for name in ("D(x)", "score(x)"):
        viz.scatter_png(tmp_path / "x.png", np.zeros((3, 2)), field=(name, lambda x: np.full(len(x), np.nan)))
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_the_report_is_written_at_any_time(tmp_path, monkeypatch, capsys):
    session = started(tmp_path / "run")
    session.train(steps=2)
    for path in (session.run.report_path, session.run.gif_path, session.run.curves_path):
        path.unlink()
    shown = []
    monkeypatch.setattr(webbrowser, "open", lambda address: shown.append(address) or True)
    assert main(["report", str(tmp_path / "run"), "--open"]) == 0
    assert capsys.readouterr().out == f"{session.run.report_path}\n"
    assert shown == [session.run.report_path.resolve().as_uri()]
    assert session.run.gif_path.exists() and session.run.curves_path.exists()
    text = session.run.report_path.read_text(encoding="utf-8")
    assert "<strong>2 of 4 steps</strong>" in text and text == report.page(session.run, session.system, session.game)
    assert main(["report", str(tmp_path)]) == 2 and "not a run" in capsys.readouterr().err


def test_a_run_with_nets_of_its_authors_has_a_report_without_formulas_if_need_be(tmp_path, capsys):
    G = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
    session = Session.start("gan", "ring8", overrides=SMALL | {"steps": 2}, out=tmp_path / "run", nets={"G": G})
    session.train()
    assert main(["report", str(tmp_path / "run")]) == 0
