"""The systems as their files declare them: complete, within their own bounds, and open to systems from outside."""

import numpy as np
import pytest

from minigan import data, nn
from minigan.cli import systems as pages
from minigan.data.kinds import Points
from minigan.errors import ConfigError
from minigan.metrics.modes import MODES
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.systems.registry import families, get, system, systems
from minigan.train.game import Game, play
from minigan.train.settings import TAKEN, Setting

SMALL = {}  # name -> a small data set of that name


def small(name):
    if name not in SMALL:
        SMALL[name] = data.load(name, **({} if name in data.points.DENSITIES else {"size": 40}))
    return SMALL[name]


def learnable(one):
    """The data sets of the package that a system learns, those that need files left out."""
    drawn = [name for name in data.names() if name not in (*data.mnist.MIRRORS, "cifar10", "folder")]
    return [name for name in drawn if isinstance(small(name).kinds["x"], one.kinds)]


@pytest.mark.parametrize("name", systems())
def test_every_system_says_all_there_is_to_know(name):
    one = get(name)
    assert one.title.partition(": ")[2] and "\n" not in one.title
    assert one.default_data in learnable(one)
    assert one.parent is None or one.parent in systems()
    assert one.paper or one.parent
    for where, defaults in one.defaults.items():
        assert where in (*[kind.word for kind in one.kinds], *data.names()), where
        assert all(one.settings[key].read(value) == value for key, value in defaults.items())
    for setting in one.settings.values():
        assert setting.says, setting.name
        assert setting.read(setting.default) == setting.default
        assert setting.paper is None or setting.read(setting.paper) == setting.paper, setting.name
        if setting.depends:
            assert {setting.depends[0], f"{setting.depends[0]}_d"} & set(one.settings), setting.name
    for claim in one.claims:
        assert set(claim.numbers) and claim.seeds >= 1
        for arm in claim.arms.values():
            get(arm.system).configure(arm.settings)


def test_a_papers_value_is_on_our_scale_and_in_the_paper():
    """Kept from a review: values of a paper that meant another thing than ours, or that its algorithm leaves to the reader."""
    penalised, cycle = get("wgan-gp").settings, get("cyclegan").settings["cycle"]
    assert penalised["penalty_weight"].default == penalised["penalty_weight"].paper == 10.0
    assert penalised["batch_size"].paper is None and get("seqgan").settings["d_steps"].paper is None
    assert cycle.paper == 5.0 and "section 4: 10" in cycle.where  # our G has half of their loss
    assert get("wgan-gp").configure({}, small("ring8")).batch_size == 64  # not wgan's 256


def test_the_weight_that_wgan_gp_states_plays_the_bits_of_the_penalties_own():
    """Weight 0 means the weight in the penalty's paper, which is what the setting was."""
    dataset, one, losses = small("digits"), get("wgan-gp"), []
    for given in ({}, {"penalty_weight": 0.0}):
        settings = one.configure({"nets": "mlp", "width": 8, "latent": 4, "batch_size": 4, **given}, dataset)
        with using(Streams(0)):
            game = one.build(settings, dataset)
        losses.append(play(game, data.Loader(dataset, 4, 0), Streams(0)))
    assert losses[0] == losses[1] and losses[0]["D.penalty"] > 0


@pytest.mark.parametrize("name", systems())
def test_every_system_plays_on_all_it_learns_with_its_tiny_settings(name):
    one = get(name)
    for data_name in learnable(one):
        dataset = small(data_name)
        if name == "cgan" and dataset.classes is None:
            continue
        game = one.build(one.configure(one.smallest, dataset), dataset)
        assert isinstance(game, Game)
        labels = None if game.classes is None else np.arange(3) % game.classes
        samples = game.sample(game.latent(3, np.random.default_rng(0)), labels)
        assert samples.shape == (3, *dataset.sample_shape)


def test_a_child_has_what_its_parent_has_and_data_may_have_defaults_of_their_own():
    gan, gp, ring, grid = get("gan"), get("wgan-gp"), small("ring8"), small("grid25")
    assert set(gan.settings) < set(gp.settings) and gp.ancestor is get("wgan")
    assert gan.configure(None, ring).batch_size == 256 != gan.configure(None, small("digits")).batch_size
    assert gp.configure(None, ring).schedule == "linear" and gp.configure().schedule == "none"
    assert gp.configure(None, grid).steps == 80_000 != gp.configure(None, ring).steps
    assert gp.configure({"steps": 7}, grid).steps == 7
    # what a child declares anew holds on all data: wgan's clip of points is not that of wgan-gp
    assert get("wgan").configure(None, ring).clip == 0.1 and gp.configure(None, ring).clip == 0.0
    assert "width" not in get("dcgan").settings and "width" in get("lsgan").settings


def test_settings_of_another_system_are_told_whose_they_are():
    with pytest.raises(ConfigError, match="gan has no setting 'importance': it is a setting of vae; `minigan show vae`"):
        get("gan").configure({"importance": 50})
    with pytest.raises(ConfigError, match=r"gan has no setting 'beta': it is a setting of vae; .*; did you mean 'beta\d'\?"):
        get("gan").configure({"beta": 0.5})
    with pytest.raises(ConfigError, match=r"vae has no setting 'd_steps': it is a setting of .*gan.*; did you mean 'steps'"):
        get("vae").configure({"d_steps": 2})
    with pytest.raises(ConfigError, match=r"vae has no setting 'lr_d': it is a setting of .*\bgan\b.*; did you mean 'lr'\?"):
        get("vae").configure({"lr_d": 2})
    for written in ("PENALTY", "penalti"):
        with pytest.raises(ConfigError, match=rf"vae has no setting '{written}': 'penalty' is a setting of .*\bgan\b"):
            get("vae").configure({written: "r1"})
    with pytest.raises(ConfigError, match="gan has no setting 'D-Steps'; did you mean 'd_steps'"):
        get("gan").configure({"D-Steps": 2})
    with pytest.raises(ConfigError, match=r"gan has no setting 'Objective'; did you mean 'objective'\?"):
        get("gan").configure({"Objective": "hinge"})


def test_a_run_of_every_system_is_declared_without_a_contradiction():
    for one in systems().values():
        one.check()


def test_classes_are_those_of_the_data_and_data_of_another_kind_are_refused():
    cgan = get("cgan")
    assert [cgan.configure(None, small(name)).classes for name in ("two-moons", "ring8", "grid25")] == [2, 8, 25]
    assert cgan.configure({"classes": "30"}, small("grid25")).classes == 30
    with pytest.raises(ConfigError, match="dcgan learns pictures; filled-outline holds unaligned pictures .*: use cyclegan"):
        get("dcgan").configure(None, small("filled-outline"))
    two_channels = data.ImageDataset("mine", np.zeros((4, 2, 28, 28), np.uint8))  # not a pair: nobody said so
    assert get("dcgan").build(get("dcgan").configure({"channels": 2}, two_channels), two_channels)


@pytest.mark.parametrize(
    "given, lines",
    [
        ({"penalty_weight": "5"}, ["penalty_weight=5.0: changes nothing with penalty=none"]),
        ({"penalty_weight": "5", "penalty": "r1"}, []),
        ({"beta1": "0.9", "optimizer": "sgd"}, ["beta1=0.9: changes nothing with optimizer_d=sgd, optimizer_g=sgd"]),
        ({"beta1": "0.9", "optimizer_d": "sgd"}, []),
        ({"beta2": "0.9", "optimizer_d": "sgd", "optimizer_g": "coordinate-random"}, []),
        ({"patience": "0", "final_lr": "0.1", "schedule": "linear"}, ["patience=0: changes nothing with schedule=linear"]),
        ({}, []),
    ],
)
def test_a_setting_that_changes_nothing_is_told(given, lines):
    assert get("gan").idle(get("gan").configure(given), given) == lines


def test_betas_of_a_system_that_has_one_optimizer_only_are_used():
    assert get("cyclegan").idle(get("cyclegan").configure({"beta1": 0.9}), {"beta1": 0.9}) == []


def test_an_unknown_system_is_told_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown system 'dcgn'; did you mean 'dcgan'\?; `minigan list`"):
        get("dcgn")
    with pytest.raises(ConfigError, match=r"unknown system 'DCGAN'; did you mean 'dcgan'\?"):
        get("DCGAN")


# ---- systems from outside, nets of one's own ---------------------------------------------------------------------------

MINE = '''"""Mine: a GAN whose objective is the hinge."""

from minigan.systems.registry import system
from minigan.train.settings import Setting

system("mine", parent="gan", settings=[Setting("objective", "hinge")], tiny={"width": 4})
'''


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """mine(text): a file that enters a system."""
    monkeypatch.setattr(registry, "SYSTEMS", dict(systems()))

    def write(text=MINE, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_a_file_outside_the_package_enters_a_system(outside):
    one = get(outside())
    assert (one.name, one.outside, one.configure().objective, one.title) == (
        "mine",
        True,
        "hinge",
        "Mine: a GAN whose objective is the hinge.",
    )
    assert one.smallest["width"] == 4 and get("mine") is one and not get("gan").outside
    assert "mine" in "\n".join(pages.described(one)) and str(one.file) in "\n".join(pages.described(one))


@pytest.mark.parametrize(
    "text, says",
    [
        ("x = 1\n", "enters 0 systems; it must call"),
        (MINE + MINE.replace('"mine"', '"other"').partition('"""\n')[2], "enters 2 systems"),
        (MINE.replace('"mine"', '"gan"'), "enters the system 'gan', but there is one of that name already"),
    ],
)
def test_a_file_that_enters_no_system_or_another_s_is_refused(outside, text, says):
    with pytest.raises(ConfigError, match=says):
        get(outside(text))
    assert get("gan").file.endswith("gan.py") and not get("gan").outside


def test_an_error_in_a_file_is_its_author_s_own(outside):
    with pytest.raises(ZeroDivisionError):
        get(outside("1 / 0\n"))
    with pytest.raises(ConfigError, match=r"nowhere\.py: no such file; give a Python file that enters a system"):
        get("nowhere.py")


def test_nets_of_one_s_own_take_the_place_of_the_system_s():
    one, ring = get("gan"), small("ring8")
    settings = one.configure(one.smallest, ring)
    mine = nn.Sequential(nn.Linear(settings.latent, 2))
    game = one.build(settings, ring, G=mine)
    assert game.nets["G"] is mine and any(mine in player.nets for player in game.players)
    with pytest.raises(ConfigError, match="gan has no net 'H'; known: G, D"):
        one.build(settings, ring, H=mine)
    with pytest.raises(ConfigError, match="vae makes its own nets and takes none"):
        get("vae").build(get("vae").configure(None, ring), ring, encoder=mine)
    # a system that is built as its parent is
    assert get("wgan-gp").build(get("wgan-gp").configure(None, ring), ring, G=mine).nets["G"] is mine


def test_a_system_entered_in_a_session_is_there_at_once(monkeypatch):
    monkeypatch.setattr(registry, "SYSTEMS", dict(systems()))

    @system("tiny", family="tests", data="ring8", settings=[Setting("steps", 5)])
    def build(settings, about):
        return settings.steps, about.shape

    one = get("tiny")
    assert one.build(one.configure({"steps": "7"}), small("ring8")) == (7, (2,))
    assert one in families()["tests"]


def test_a_system_that_lacks_data_or_a_game_is_told_so(monkeypatch):
    monkeypatch.setattr(registry, "SYSTEMS", dict(systems()))
    system("bare", settings=[Setting("steps", 5)])
    with pytest.raises(ConfigError, match=r'the system bare names no data set; say system\(\'bare\', data="digits"'):
        assert get("bare").default_data
    with pytest.raises(ConfigError, match="the system bare has neither a parent nor a function that builds its game"):
        get("bare").build(get("bare").configure(), small("ring8"))


DECLARATIONS = [
    (dict(settings=[Setting("a", 0, "s")]), "setting a must be from 1 to 999999999, got 0"),
    (dict(settings=[Setting("a", 5, "s", most=3)]), "setting a must be from 1 to 3, got 5"),
    (dict(settings=[Setting("a", "x", "s", choices=["y"])]), "unknown a 'x'; known: y"),
    (dict(settings=[Setting("a", None, "s")]), "setting a has the default None; give a number, a word, True or False"),
    (dict(settings=[Setting("a", [1], "s")]), r"setting a has the default \[1\]; give a number"),
    (dict(settings=[Setting("clip", -1.0)]), "setting clip must be from 0 to 999999999, got -1.0"),  # the parent's bounds
    (dict(settings=[Setting("clip", 1)]), "setting clip is float in the parent system, and int here"),
    (dict(settings=[Setting("a", 1)]), r"setting a has no text; say in a line what it does, Setting\('a', 1, \"...\"\)"),
    *[
        (dict(settings=[Setting(name, "x", "s")]), f"a setting has the name '{name}', which every run has already; choose")
        for name in TAKEN
    ],
    *[
        (dict(settings=[Setting(name, "x", "s")]), f"a setting has the name '{name}', which is no Python name; choose")
        for name in ("a b", "", "lr-d", "class", "1st")
    ],
    (dict(settings=["clip"]), r"settings has 'clip', which is no Setting; write Setting\(\.\.\.\)"),
    (dict(metrics=["modes"]), "metrics has 'modes', which is no Metric"),
    (dict(claims=["x"]), "claims has 'x', which is no Claim"),
    (dict(paper="Smith 2020"), "paper has 'Smith 2020', which is no Paper"),
    (dict(learns=[3]), "learns has 3, which is no kind of data"),
    (dict(nets={"G": 1}), r"nets is {'G': 1}; give a function nets\(settings, data\)"),
    (dict(on={"points": {"lr_q": 1.0}}), "on={'points': ...} has 'lr_q', which is no setting of this system; did you mean"),
    (dict(on={"points": {"clip": -1}}), "on={'points': ...}: setting clip must be from 0"),
    (dict(on={"pointz": {"clip": 1.0}}), "on has 'pointz', which is neither a kind .*; did you mean 'points'"),
    (dict(on={"tokens": {"clip": 1.0}}), "on has 'tokens', which is neither a kind of data that it learns nor a data set"),
    (dict(without=["nope"]), "without has 'nope', which is no setting of the parent's own"),
    (dict(without=["steps"]), "without has 'steps', which is no setting of the parent's own"),  # a run needs it
    (dict(tiny={"zz": 1}), "tiny has 'zz', which is no setting of this system"),
    (dict(tiny={"lr": -1}), "tiny: setting lr must be from 0"),
    (dict(parent="gna"), "unknown system 'gna'; did you mean 'gan'"),
    (dict(parent="ours"), "parent='ours' leads back to ours; name another parent"),
]


@pytest.mark.parametrize("declared, says", DECLARATIONS, ids=[says.partition(";")[0] for _, says in DECLARATIONS])
def test_a_declaration_that_cannot_be_is_refused_when_it_is_made(outside, declared, says):
    before = dict(registry.SYSTEMS)
    with pytest.raises(ConfigError, match="^the system ours: " + says.replace("{", r"\{")):
        system("ours", **{"parent": "gan"} | declared)
    assert before == registry.SYSTEMS


def test_a_declaration_may_use_all_that_is_allowed(outside):
    system(
        "ours",
        parent="gan",
        data="ring8",
        on={"points": {"lr_d": 1e-3}, "ring8": {}, "my-points": {}},
        learns=[Points],
        tiny={"lr": 1.0, "width": 4},
        settings=[Setting("depth", 2, "x")],
        metrics=[MODES],
    )
    assert get("ours").configure(get("ours").smallest, small("ring8")).lr_g == 1.0


def test_names_that_a_run_needs_are_all_reserved():
    import inspect

    from minigan.runs import train
    from minigan.runs.config import DATA

    arguments = {name for name, one in inspect.signature(train).parameters.items() if one.kind is not one.VAR_KEYWORD}
    assert set(DATA) | (arguments - {"steps", "nets"}) <= set(TAKEN)  # the autoencoder has a setting `nets`


def test_a_name_belongs_to_the_place_that_entered_it(outside, monkeypatch):
    with pytest.raises(ConfigError, match=r"test_registry\.py: enters the system 'gan', but there is one .* from .*gan\.py"):
        system("gan", parent="gan")
    monkeypatch.setitem(globals(), "__file__", "")  # as in a notebook
    with pytest.raises(ConfigError, match=r"this session: enters the system 'gan', but there is one of that name already"):
        system("gan")
    system("a", parent="gan"), system("b", parent="a")
    with pytest.raises(ConfigError, match="the system a: parent='b' leads back to a"):
        system("a", parent="b")
    assert not get("gan").outside and get("b").ancestor is get("a")


def test_a_system_of_a_notebook_is_shown_and_its_child_follows_when_its_cell_runs_again(outside, monkeypatch):
    monkeypatch.delitem(globals(), "__file__")
    for width in (8, 16):
        system("mine", parent="gan", data="ring8", settings=[Setting("width", width)])
        if width == 8:
            system("child", parent="mine")
        assert get("child").configure().width == width and get("child").ancestor is get("mine")
    shown = "\n".join(pages.described(get("child")))
    assert "this session" in shown and 'mg.runs.train("child")' in shown and get("child").family == "your own"
    assert "  your own\n" in pages.listing() and "child" in pages.markdown()


def test_a_file_may_give_its_system_another_name_and_a_failure_changes_nothing(outside):
    assert get(outside()).name == "mine"
    assert get(outside(MINE.replace('"mine"', '"ours"'))).name == "ours" and "mine" not in registry.SYSTEMS
    before = dict(registry.SYSTEMS)
    for text in ("1 / 0\n", MINE.replace('"mine"', '"third"') + "1 / 0\n", MINE + "raise KeyboardInterrupt\n"):
        with pytest.raises((ZeroDivisionError, KeyboardInterrupt)):
            get(outside(text))
        assert before == registry.SYSTEMS


def test_a_parent_may_be_a_file(outside):
    base = outside()
    system("child", parent=base, data="ring8")
    assert get("child").parent == "mine" and get("child").configure().objective == "hinge"


@pytest.mark.parametrize(
    "nets, says",
    [
        ({"G": 5}, "nets: G is a int, not a network; give an nn.Module"),
        ({"G": lambda z: z}, "nets: G is a function, not a network"),
        ({"G": nn.Tanh}, "nets: G is the class Tanh; make a network of it"),
        (nn.Tanh(), r'nets is a Tanh; give each network its name, such as nets={"G": my_G}'),
        (dict.fromkeys("GD", nn.Linear(2, 2)), "nets: G and D are the same network; make one for each"),
    ],
)
def test_what_is_no_net_is_refused(nets, says):
    with pytest.raises(ConfigError, match=says):
        registry.own_nets(nets)
    if isinstance(nets, dict):
        with pytest.raises(ConfigError, match=says):
            get("gan").build(get("gan").configure(None, small("ring8")), small("ring8"), **nets)


def test_the_page_of_the_systems_is_what_their_files_say():
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "systems.md"
    assert page.read_text() == pages.markdown(), "make it anew: minigan list systems --markdown > docs/systems.md"
    assert len(pages.listing().splitlines()) < 60
