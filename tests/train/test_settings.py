"""A setting: what values it takes, what a child of a system inherits of it, and when it changes nothing."""

import pytest

from minigan.errors import ConfigError
from minigan.train.settings import LARGEST, RUN, Setting, idle, merged, needed, values

OWN = {
    s.name: s
    for s in (
        Setting("steps", 10, "iterations"),
        Setting("lr", 0.1, "rate"),
        Setting("flip", False, "turn it"),
        Setting("mode", "fast", "how", choices=("fast", "slow")),
        Setting("name", "a", "a word"),
        Setting("share", 0.5, "a part", above=0, below=1),
        Setting("width", 8, "units", most=100),
    )
}


def given(**overrides):
    return values("own", OWN, {}, overrides)


def test_values_keep_their_types_and_the_defaults_theirs():
    found = given(steps="1e3", lr="1", flip="True", mode="slow", name=3)
    assert vars(found) == {"steps": 1000, "lr": 1.0, "flip": True, "mode": "slow", "name": "3", "share": 0.5, "width": 8}
    assert [type(value) for value in vars(found).values()] == [int, float, bool, str, str, float, int]
    assert vars(given()) == {name: setting.default for name, setting in OWN.items()}


@pytest.mark.parametrize(
    "key, value, text",
    [
        ("stps", 1, r"own has no setting 'stps'; did you mean 'steps'\?"),
        ("STEPS", 1, r"own has no setting 'STEPS'; did you mean 'steps'\?"),
        ("zzzz", 1, "own has no setting 'zzzz'; known: steps, lr, flip, mode"),
        *[
            ("steps", value, "setting steps must be a whole number such as 10, got")
            for value in ("1.5", "many", "", "nan", "inf", "-inf", None, [], 2.5, 10**400)
        ],
        *[("steps", value, "setting steps must be from 1 to 999999999, got") for value in ("0", -1, "1e9", "1e99")],
        *[("lr", value, r"setting lr must be a number such as 0\.1, got") for value in ("fast", "", None, {})],
        *[("lr", value, "setting lr must be from 0 to 999999999, got") for value in ("-1e-9", "nan", "inf", "1e99", "-inf")],
        *[("flip", value, "setting flip must be true or false such as false, got") for value in ("1", "yes", "", 0, None)],
        *[("steps", value, "setting steps must be a whole number such as 10, got") for value in (True, False)],
        ("lr", True, r"setting lr must be a number such as 0\.1, got True"),
        *[("name", value, "setting name must be a word such as a, got") for value in (["a"], None, {"a": 1}, object())],
        *[("share", value, "setting share must be above 0 and below 1, got") for value in (0, 1, "nan", -3)],
        ("width", 101, "setting width must be from 1 to 100, got 101"),
        ("mode", "Slow", r"unknown mode 'Slow'; did you mean 'slow'\?"),
        ("mode", "sideways", "unknown mode 'sideways'; known: fast, slow"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(key, value, text):
    with pytest.raises(ConfigError, match=text):
        given(**{key: value})


def test_the_edges_are_allowed():
    assert (given(lr="0").lr, given(steps=LARGEST).steps, given(width=100).width) == (0.0, LARGEST, 100)


def test_a_child_says_what_differs_and_inherits_the_rest():
    parent = merged({}, [Setting("clip", 0.1, "weights in +-clip", most=2, paper=0.01, where="algorithm 1")])
    child = merged(parent, [Setting("clip", 0.5), Setting("new", 1, "another")])
    assert (child["clip"].default, child["clip"].says, child["clip"].most) == (0.5, "weights in +-clip", 2)
    assert (child["clip"].paper, child["clip"].where) == (None, "")  # they are of the parent's paper
    assert list(child) == ["clip", "new"] and parent["clip"].default == 0.1
    with pytest.raises(ConfigError, match="setting clip is float in the parent system, and int here"):
        merged(parent, [Setting("clip", 1)])


def test_a_name_without_its_player_stands_for_both():
    settings = {s.name: s for s in (Setting("lr_d", 1.0), Setting("lr_g", 2.0), Setting("beta_d", 3.0))}
    assert vars(values("own", settings, {}, {"lr": 5})) == {"lr_d": 5.0, "lr_g": 5.0, "beta_d": 3.0}
    with pytest.raises(ConfigError, match="no setting 'beta'"):  # there is no beta_g
        values("own", settings, {}, {"beta": 5})
    with pytest.raises(ConfigError, match="setting lr must be from 0"):  # named as the user called it
        values("own", settings, {}, {"lr": -1})


def test_what_depends_on_another_setting_is_told_when_it_changes_nothing():
    schedule = RUN["schedule"]
    settings = {"schedule": schedule, "patience": RUN["patience"]}
    found = values("own", settings, {}, {"patience": 3})
    assert idle(settings, found, ["patience"]) == ["patience=3: changes nothing with schedule=none"]
    assert idle(settings, values("own", settings, {}, {"patience": 3, "schedule": "plateau"}), ["patience"]) == []
    assert needed(settings["patience"], settings) == "with schedule=plateau" and needed(schedule, settings) == ""
    assert needed(RUN["final_lr"], settings) == "unless schedule=none"


def test_every_setting_of_a_run_has_a_text_and_a_default_within_its_bounds():
    for setting in RUN.values():
        assert setting.says and setting.read(setting.default) == setting.default
