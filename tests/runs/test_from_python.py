"""mg.runs.train and open: a run from Python, with nets of one's own, a system of one's own, and pictures in a notebook."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.cli import main
from minigan.errors import CheckpointError, ConfigError
from minigan.runs import notebook
from minigan.runs import start as start_module
from minigan.systems import registry

SMALL = {"batch_size": 8, "width": 4, "log_every": 1, "sample_every": 2, "checkpoint_every": 2}


def test_features_of_ones_own_from_python(tmp_path):
    run = mg.runs.train("gan", "ring8", steps=1, batch_size=8, out=tmp_path / "run", quiet=True)
    found = run.evaluate("fid,kid", features=lambda x: x)
    assert list(found) == ["fid-features", "kid-features"] and found.failed == {}


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
    file.write_text(
        MINE + '\n\n@registry.system("broken", parent="gan", data="ring8")\n'
        "def build(settings, data):\n    return settings.no_such_setting\n"
    )
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
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, version_info=(9, 0)))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(Image=lambda filename: filename, display=display))
    return shown


def test_in_a_notebook_the_pictures_appear_in_one_place(kernel, tmp_path):
    run = mg.runs.train("gan", "ring8", steps=4, out=tmp_path / "run", quiet=True, **SMALL)
    assert [(how, path[-10:]) for how, path in kernel] == [("display", "000002.png"), ("update", "000004.png")]
    page = run._repr_html_()
    assert page.count("<img") == 2 and "gan on ring8, seed 0, step 4" in page


def test_a_terminal_is_no_notebook(monkeypatch):
    assert not notebook.inside()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(), version_info=(9, 0)))
    assert not notebook.inside()


# ---- what does not fit is refused before anything is written ------------------------------------------------------------


def mlp(*sizes):
    return nn.Sequential(nn.Linear(sizes[0], 8), nn.Tanh(), nn.Linear(8, sizes[1]))


@pytest.mark.parametrize(
    "nets, says",
    [
        ({"G": mlp(2, 3)}, r"nets: G cannot be used here: gan on ring8: two samples have the shape \(2, 3\); they must have"),
        ({"G": mlp(5, 2)}, "nets: G cannot be used here: .*5"),
        ({"D": mlp(2, 7)}, r"nets: D cannot be used here: for 8 samples D gives logits of the shape \(8, 7\); it must give"),
        ({"G": mlp(2, 2), "D": mlp(3, 1)}, "nets: G and D cannot be used here: .*3"),
        ({"G": 5}, "nets: G is a int, not a network"),
        ({"G": nn.Tanh}, "nets: G is the class Tanh; make a network of it"),
        ({"G": lambda z: z}, "nets: G is a function, not a network"),
        (mlp(2, 2), "nets is a Sequential; give each network its name"),
        (dict.fromkeys("GD", mlp(2, 2)), "nets: G and D are the same network"),
    ],
)
def test_nets_that_do_not_fit_are_refused_before_anything_is_written(nets, says, tmp_path):
    with pytest.raises(ConfigError, match=says):
        mg.runs.train("gan", "ring8", nets=nets, out=tmp_path / "run", **SMALL)
    assert not (tmp_path / "run").exists()


def test_a_d_of_ones_own_gives_as_many_logits_as_the_system_s_own(file, tmp_path):
    file.write_text(
        MINE.replace(
            "registry.system(",
            """def nets(settings, data):
    from minigan.nn import Linear

    return {"G": Linear(2, 2), "D": Linear(2, 3)}


registry.system(""",
        ).replace('"gan", ', '"gan", nets=nets, ')
    )
    arguments = dict(steps=1, quiet=True, out=tmp_path / "run", **SMALL)
    with pytest.raises(ConfigError, match=r"D gives logits of the shape \(8, 1\); it must give \(8, 3\)"):
        mg.runs.train(str(file), nets={"D": mlp(2, 1)}, **arguments)
    assert mg.runs.train(str(file), nets={"D": mlp(2, 3)}, **arguments).step == 1


def test_samples_of_a_system_from_outside_have_the_shape_of_the_data(file, tmp_path):
    file.write_text("""from minigan.nn import Linear
from minigan.systems.registry import get, system


@system("mine", parent="gan", data="ring8")
def build(settings, data):
    game = get("gan").build(settings, data)
    game._sample = Linear(2, 3)
    return game
""")
    with pytest.raises(ConfigError, match=r"^mine on ring8: two samples have the shape \(2, 3\); they must have \(2, 2\)"):
        mg.runs.train(str(file), out=tmp_path / "run", **SMALL)
    assert not (tmp_path / "run").exists()


def test_trying_the_nets_leaves_the_bits_as_they_are(tmp_path, monkeypatch):
    """The nets have noise, and batch norm's running means: nothing of the try stays."""
    ends = []
    for number, tried in enumerate((True, False)):
        if not tried:
            monkeypatch.setattr(start_module, "_try", lambda *what: None)
        mg.seed(1)
        nets = {
            "G": nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)),
            "D": nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1)),
        }
        run = mg.runs.train("gan", "ring8", steps=3, nets=nets, out=tmp_path / str(number), quiet=True, **SMALL)
        ends.append([array for net in run.game.nets.values() for array in net.state_dict().values()])
    assert all(np.array_equal(one, other) for one, other in zip(*ends, strict=True))


@pytest.mark.parametrize(
    "given, says",
    [
        ({"metrics": ["modes"]}, r"setting metrics must be a word such as none, got \['modes'\]"),
        ({"seed": True}, "seed must be a whole number from 0 to 9223372036854775807, got True"),
        ({"seed": 2**63}, "seed must be a whole number from 0"),
        ({"batch_size": True}, "setting batch_size must be a whole number"),
        *[({"seconds": value}, "seconds must be a number above 0, got") for value in (-1, 0, True, float("nan"), "5")],
    ],
)
def test_arguments_that_are_no_such_numbers_are_refused(given, says, tmp_path):
    with pytest.raises(ConfigError, match=says):
        mg.runs.train("gan", "ring8", out=tmp_path / "run", **SMALL | given)
    assert not (tmp_path / "run").exists()


def test_what_is_asked_of_a_run_is_checked(tmp_path):
    run = mg.runs.train("gan", "ring8", steps=1, out=tmp_path / "run", quiet=True, **SMALL)
    for n in (0, -1, 2.5, True, "3"):
        with pytest.raises(ConfigError, match="n must be a whole number from 1 to 999999999, got"):
            run.sample(n)
        with pytest.raises(ConfigError, match="n must be a whole number from 1 to 999999999, got"):
            run.evaluate(["energy"], n=n)
    with pytest.raises(ConfigError, match="seed must be a whole number from 0"):
        run.sample(3, seed=-1)
    for limits in ({"steps": True}, {"steps": -1}, {"seconds": -1}):
        with pytest.raises(ConfigError, match=f"{next(iter(limits))} must be a"):
            run.train(**limits)
    for names in ([5], 5, [None]):
        with pytest.raises(ConfigError, match=r"(5|None) is no metric; give names"):
            run.evaluate(names)
    assert run.sample(np.int64(3)).shape == (3, 2)
    assert run.evaluate("energy", n=600) == run.evaluate(["energy"], n=600)
    assert set(run.evaluate("energy, modes")) == {"modes", "high-quality", "reverse-kl", "fair-modes", "energy"}


# ---- an error of a system's author is told as the author's --------------------------------------------------------------


def rewritten(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture
def own_run(file, tmp_path, monkeypatch):
    """reopened(old, new): open the run of the system's file after its text was changed, as in another process."""
    mg.runs.train(str(file), steps=2, out=tmp_path / "run", quiet=True, **SMALL)

    def reopened(old, new):
        rewritten(file, old, new)
        registry.SYSTEMS.pop("mine", None)
        return mg.runs.open(tmp_path / "run")

    return reopened


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('"depth"', '"deepness"', r"mine\.py, which defines its system, has changed: mine has no setting 'depth'.*; undo the"),
        (
            '"depth", 1, "x"',
            '"depth", 2, "x", least=2',
            "has changed: config.depth: must be a whole number from 2 to .*, got 1; undo the",
        ),
        (
            '"mine"',
            '"ours"',
            r"is a run of the system mine, and .*mine\.py now enters ours; give the system its old name again",
        ),
    ],
)
def test_a_system_that_has_changed_is_told_by_its_file(own_run, old, new, says):
    with pytest.raises(CheckpointError, match=says) as told:
        own_run(old, new)
    assert "config.toml" not in str(told.value) and "from a copy" not in str(told.value)


def test_an_error_while_a_system_is_built_again_is_no_error_of_the_config(own_run):
    with pytest.raises(ConfigError, match="^Adam: got no parameters") as told:
        own_run(
            'registry.system("mine"',
            "def nets(settings, data):\n    from minigan.optim import Adam\n\n"
            '    Adam([])\n\n\nregistry.system("mine", nets=nets',
        )
    assert "config.toml" not in str(told.value)


def test_a_key_error_in_a_player_s_own_code_passes(own_run, file):
    file.write_text(
        file.read_text()
        + """def build(settings, data):
    from minigan.systems.registry import get

    game = get("gan").build(settings, data)
    game.players[0].load_state_dict = lambda state: state["nope"]
    return game
"""
    )
    with pytest.raises(KeyError, match="nope"):
        own_run('registry.system("mine"', '@registry.system("mine"')


def test_a_system_of_a_notebook_is_entered_again_to_open_its_run(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "SYSTEMS", dict(registry.systems()))
    monkeypatch.delitem(globals(), "__file__")
    registry.system("mine", parent="gan", data="ring8")
    mg.runs.train("mine", steps=2, out=tmp_path / "run", quiet=True, **SMALL)
    del registry.SYSTEMS["mine"]  # as in a new kernel
    with pytest.raises(CheckpointError, match=r"its system mine was entered in a notebook .*; enter it again, then open"):
        mg.runs.open(tmp_path / "run")
    registry.system("mine", parent="gan", data="ring8")
    assert mg.runs.open(tmp_path / "run").step == 2


def test_the_command_names_the_author_s_line(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file.write_text(
        MINE.replace(
            "registry.system(",
            "def nets(settings, data):\n    import minigan as mg\n\n"
            "    return mg.ones((2, 3)) @ mg.ones((2, 3))\n\n\nregistry.system(",
        ).replace('parent="gan"', 'parent="gan", nets=nets')
    )
    assert main(["train", str(file)]) == 2
    assert capsys.readouterr().err.splitlines()[1] == f"{file}:9, in nets"
    file.write_text(MINE.replace('"depth", 1', '"depth", 0'))
    assert main(["train", str(file)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert "the system mine: setting depth must be from 1" in told[0] and told[1] == f"{file}:6, in <module>"
    assert main(["train", "gan", "--set", "depth=zero"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_dir() and path.name != "__pycache__"] == []
