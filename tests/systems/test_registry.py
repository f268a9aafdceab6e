"""The systems by name, and what --set may write into their settings."""

import numpy as np
import pytest

from minigan import data
from minigan.errors import ConfigError
from minigan.systems import registry
from minigan.systems.registry import COMMON, Recipe, get, idle, recipe, recipes, typed
from minigan.train.game import Game

OWN = Recipe("own", None, "digits", {"steps": 10, "lr": 0.1, "flip": False, "mode": "fast"}, "Own: a test.")


def test_every_system_declares_what_the_loop_needs():
    known = recipes()
    assert list(known) == sorted(known) and {"gan", "dcgan"} <= set(known)
    for name, system in known.items():
        assert {"steps", "batch_size"} <= set(system.settings), name
        for where, settings in (("points", system.points), *system.on.items()):
            assert where in ("points", *data.names()) and set(settings) <= set(system.settings) | set(COMMON), name
        assert system.data in data.names() and system.summary.partition(": ")[2] and "\n" not in system.summary
        assert get(name) is system
        for key, value in system.settings.items():  # its own defaults are within the limits, and typed
            assert typed(key, str(value), value) == value and type(value) in (int, float, bool, str)


SHAPES = {"ring8": (2,), "filled-outline": (2, 28, 28), "oracle": (10,)}


@pytest.mark.parametrize("name", sorted(recipes()))
def test_every_system_builds_with_its_defaults(name):
    system = get(name)
    shape = SHAPES.get(system.data, (1, 28, 28))
    settings = system.configure({"channels": 2} if "channels" in system.settings else None, shape)
    game = system.build(settings, shape)
    labels = None if game.classes is None else np.arange(3) % game.classes
    assert isinstance(game, Game)
    assert len(game.sample(game.latent(3, np.random.default_rng(0)), labels)) == 3


def test_a_name_stands_for_both_players_and_points_have_defaults_of_their_own():
    gan = get("gan")
    settings = gan.configure({"lr": 0.5, "norm": "layer", "optimizer_d": "sgd"}, (2,))
    assert (settings.lr_d, settings.lr_g, settings.norm_d, settings.norm_g) == (0.5, 0.5, "layer", "layer")
    assert (settings.optimizer_d, settings.optimizer_g) == ("sgd", "adam")
    assert settings.batch_size == gan.points["batch_size"] != gan.configure(None, (1, 28, 28)).batch_size
    with pytest.raises(ConfigError, match=r"gan has no setting 'beta'; did you mean 'beta\d'\?"):
        gan.configure({"beta": 0.5})
    with pytest.raises(ConfigError, match="gan has no setting 'importance': it is a setting of vae; `minigan list systems`"):
        gan.configure({"importance": 50})
    assert get("wgan-gp").configure(None, (2,)).schedule == "linear" and get("wgan-gp").configure().schedule == "none"


def test_data_of_another_kind_are_refused_and_classes_are_those_of_the_data():
    pair = data.ImageDataset("filled-outline", np.zeros((4, 2, 28, 28), np.uint8))
    with pytest.raises(ConfigError, match="dcgan learns pictures of one kind; filled-outline holds two kinds, use cyclegan"):
        get("dcgan").fit(pair)
    assert get("cyclegan").fit(pair).batch_size == get("cyclegan").settings["batch_size"]
    assert [get("cgan").fit(data.load(name)).classes for name in ("two-moons", "ring8", "grid25")] == [2, 8, 25]
    assert get("cgan").fit(data.load("grid25"), {"classes": "30"}).classes == 30
    assert not hasattr(get("gan").fit(data.load("ring8")), "classes")


def test_a_data_set_may_have_defaults_of_its_own():
    system, grid = get("wgan-gp"), data.load("grid25")
    assert system.fit(grid).steps == system.on["grid25"]["steps"] != system.fit(data.load("ring8")).steps
    assert system.fit(grid).lr_g == system.points["lr_g"] and system.fit(grid, {"steps": 7}).steps == 7


@pytest.mark.parametrize("given, lines", [
    ({"penalty_weight": "5"}, ["penalty_weight=5: changes nothing with penalty=none"]),
    ({"penalty_weight": "5", "penalty": "r1"}, []),
    ({"beta1": "0.9", "optimizer": "sgd"}, ["beta1=0.9: changes nothing with optimizer_d=sgd, optimizer_g=sgd"]),
    ({"beta1": "0.9", "optimizer_d": "sgd"}, []),
    ({"beta2": "0.9", "optimizer_d": "sgd", "optimizer_g": "coordinate-random"}, []),
    ({"patience": "0", "final_lr": "0.1", "schedule": "linear"}, ["patience=0: changes nothing with schedule=linear"]),
    ({"patience": "0", "final_lr": "0.1"}, ["final_lr=0.1: changes nothing with schedule=none",
                                            "patience=0: changes nothing with schedule=none"]),
    ({}, []),
])
def test_a_setting_that_changes_nothing_is_told(given, lines):
    assert idle(get("gan").configure(given, (2,)), given) == lines


def test_betas_of_a_system_that_has_one_optimizer_only_are_used():
    assert idle(get("cyclegan").configure({"beta1": 0.9}), {"beta1": 0.9}) == []


def test_an_unknown_system_is_told_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown system 'dcgn'; did you mean 'dcgan'\?; `minigan list systems`"):
        get("dcgn")


def test_a_new_system_is_entered_by_its_decorator(monkeypatch):
    monkeypatch.setattr(registry, "RECIPES", {})

    @recipe("tiny", data="ring8", steps=5, batch_size=2)
    def build(settings, sample_shape):
        return settings.steps, sample_shape

    entered = registry.RECIPES["tiny"]
    assert entered.summary == __doc__.splitlines()[0] and (entered.data, entered.settings["steps"]) == ("ring8", 5)
    assert build(entered.configure({"steps": "7"}), (2,)) == (7, (2,))


def test_settings_keep_their_types_and_their_defaults():
    settings = OWN.configure({"steps": "1e3", "lr": "1", "flip": "True", "mode": 3, "log_every": 2.0})
    assert vars(settings) == {"steps": 1000, "lr": 1.0, "flip": True, "mode": "3", **COMMON, "log_every": 2}
    assert [type(value) for value in vars(settings).values()][:5] == [int, float, bool, str, int]
    assert vars(OWN.configure()) == {**OWN.settings, **COMMON} and OWN.settings["steps"] == 10


@pytest.mark.parametrize("key, value, text", [
    ("stps", 1, r"own has no setting 'stps'; did you mean 'steps'\?"),
    ("sample_evry", 1, r"did you mean 'sample_every'\?"),
    ("zzzz", 1, "own has no setting 'zzzz'; known: steps, lr, flip, mode, log_every"),
    *[("steps", value, "setting steps must be a whole number such as 10, got") for value in
      ("1.5", "many", "", "nan", "inf", "-inf", None, [], 2.5, 10**400)],
    *[("steps", value, "setting steps must be from 1 to 999999999, got") for value in ("0", -1, "1e9", "1e99")],
    *[("lr", value, r"setting lr must be a number such as 0\.1, got") for value in ("fast", "", None, {})],
    *[("lr", value, "setting lr must be from 0 to 999999999, got") for value in ("-1e-9", "nan", "inf", "1e99", "-inf")],
    *[("flip", value, "setting flip must be true or false such as false, got") for value in ("1", "yes", "", 0, None)],
])
def test_a_value_that_does_not_fit_is_refused(key, value, text):
    with pytest.raises(ConfigError, match=text):
        OWN.configure({key: value})


def test_the_edges_are_allowed():
    settings = OWN.configure({"lr": "0", "steps": 999_999_999, "checkpoint_every": 1})
    assert (settings.lr, settings.steps, settings.checkpoint_every) == (0.0, 999_999_999, 1)
    for key, most in registry.MOST.items():
        assert typed(key, most, 1) == most
        with pytest.raises(ConfigError, match=f"setting {key} must be from 1 to {most}"):
            typed(key, most + 1, 1)
