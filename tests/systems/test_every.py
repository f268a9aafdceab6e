"""Every system lives a whole run with its own tiny settings: it trains, draws, is resumed to the same bits, and reports."""

import html
import re

import numpy as np
import pytest

from minigan.runs.session import Session
from minigan.systems.registry import get, systems

EVERY = {"log_every": 1, "sample_every": 2, "checkpoint_every": 2}


def started(name, out, steps):
    own = get(name)
    overrides = own.smallest | EVERY | {"steps": steps}
    return Session.start(name, overrides={k: v for k, v in overrides.items() if k in own.settings}, out=out)


@pytest.mark.parametrize("name", systems())
def test_a_run_that_was_resumed_ends_in_the_bits_of_one_that_was_not(name, tmp_path):
    whole = started(name, tmp_path / "whole", 4)
    whole.train()
    started(name, tmp_path / "halved", 4).train(steps=2)
    resumed = Session.open(tmp_path / "halved")
    assert resumed.step == 2
    resumed.train()
    expected, found = (session.game.state_dict()["nets"] for session in (whole, resumed))
    assert expected.keys() == found.keys()
    for net, weights in expected.items():
        for key, array in weights.items():
            np.testing.assert_array_equal(found[net][key], array, err_msg=f"{net} {key}")
    np.testing.assert_array_equal(resumed.sample(5), whole.sample(5))
    assert whole.sample(5).shape[1:] == whole.description.shape
    for file in ("samples/step_000004.png", "samples.gif", "curves.png", "report.html"):
        assert (tmp_path / "halved" / file).stat().st_size > 0
    text = html.unescape(re.sub("<[^>]+>", "", (tmp_path / "halved" / "report.html").read_text(encoding="utf-8")))
    assert all(setting.says.replace("`", "") in text for setting in get(name).settings.values())
    assert all(term.formula for _, game in getattr(whole.game, "stages", [(0, whole.game)]) for term in game.terms)
