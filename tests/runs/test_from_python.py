"""mg.runs.train and open: a run from Python, with nets of one's own, a system of one's own, and pictures in a notebook."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import CheckpointError, ConfigError
from minigan.runs import notebook
from minigan.systems import registry

SMALL = {"batch_size": 8, "width": 4, "log_every": 1, "sample_every": 2, "checkpoint_every": 2}


def test_a_run_gives_samples_metrics_and_curves(tmp_path, capsys):
    run = mg.runs.train("gan", "ring8", steps=4, out=tmp_path / "run", metrics="diversity", metrics_every=2, **SMALL)
    assert run.step == 4 and run.sample(5).shape == (5, 2)
    steps, values = run.curves()["G"]
    assert steps.tolist() == [1, 2, 3, 4] and np.isfinite(values).all()
    assert run.curves()["diversity"][0].tolist() == [2, 4]
    assert set(run.evaluate(["modes"])) == {"modes", "high-quality", "reverse-kl", "fair-modes"}
    assert "4/4" in capsys.readouterr().err  # the bar
    again = mg.runs.open(tmp_path / "run")
    np.testing.assert_array_equal(again.sample(5), run.sample(5))


def test_nets_of_one_s_own_are_trained_in_place_and_needed_to_open_the_run(tmp_path):
    mine = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    before = mine[0].weight.detach().numpy().copy()
    run = mg.runs.train("wgan-gp", "ring8", steps=2, nets={"G": mine}, out=tmp_path / "run", quiet=True, **SMALL)
    assert run.game.nets["G"] is mine and not np.array_equal(mine[0].weight.detach().numpy(), before)
    with pytest.raises(CheckpointError, match="was started with nets of its author's, G; open it in Python"):
        mg.runs.open(tmp_path / "run")
    other = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    opened = mg.runs.open(tmp_path / "run", nets={"G": other})
    np.testing.assert_array_equal(opened.sample(3), run.sample(3))
    assert opened.train(steps=3) and opened.step == 3
    with pytest.raises(ConfigError, match="gan has no net 'generator'; known: G, D"):
        mg.runs.train("gan", "ring8", nets={"generator": mine}, out=tmp_path / "other", **SMALL)
    assert not (tmp_path / "other").exists()


MINE = '''"""Mine: least squares on points."""

from minigan.systems import registry
from minigan.train.settings import Setting

registry.system("mine", parent="gan", data="ring8", settings=[Setting("objective", "least-squares"), Setting("depth", 1, "x")])
'''


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "SYSTEMS", dict(registry.systems()))
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def test_a_system_from_outside_trains_resumes_and_is_told_by_its_file(file, tmp_path, monkeypatch):
    run = mg.runs.train(str(file), steps=2, out=tmp_path / "run", quiet=True, **SMALL)
    assert (run.run.system, run.settings.objective, run.settings.depth) == ("mine", "least-squares", 1)
    assert run.run.config["file"] == str(file)
    assert f"minigan train {file}" in (tmp_path / "run" / "report.html").read_text()
    monkeypatch.delitem(registry.SYSTEMS, "mine")  # as in another process
    opened = mg.runs.open(tmp_path / "run")
    np.testing.assert_array_equal(opened.sample(3), run.sample(3))
    monkeypatch.delitem(registry.SYSTEMS, "mine")
    file.unlink()
    with pytest.raises(CheckpointError, match=r"its system is defined in .*mine\.py, which does not exist; put the file back"):
        mg.runs.open(tmp_path / "run")


def test_an_error_in_a_system_s_own_code_is_told_as_it_is(file, tmp_path):
    file.write_text(MINE + '\n\n@registry.system("broken", parent="gan", data="ring8")\n'
                    "def build(settings, data):\n    return settings.no_such_setting\n")
    file.write_text(file.read_text().replace('registry.system("mine"', '0 and registry.system("mine"'))
    with pytest.raises(AttributeError, match="no_such_setting"):
        mg.runs.train(str(file), out=tmp_path / "run", **SMALL)


@pytest.fixture
def kernel(monkeypatch):
    """A notebook: what was displayed, in order."""
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(("update", picture))

    def display(picture, display_id):
        shown.append(("display", picture))
        return Handle()

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(Image=lambda filename: filename, display=display))
    return shown


def test_in_a_notebook_the_pictures_appear_in_one_place(kernel, tmp_path):
    run = mg.runs.train("gan", "ring8", steps=4, out=tmp_path / "run", quiet=True, **SMALL)
    assert [(how, path[-10:]) for how, path in kernel] == [("display", "000002.png"), ("update", "000004.png")]
    page = run._repr_html_()
    assert page.count("<img") == 2 and "gan on ring8, seed 0, step 4" in page


def test_a_terminal_is_no_notebook(monkeypatch):
    assert not notebook.inside()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not notebook.inside()
