"""A value of a file fits its field, or is refused by a short line that says where, what must be there and what is there."""

import math

import numpy as np
import pytest

from minigan.schema import (
    NAME,
    PLAIN,
    Anything,
    Array,
    Either,
    Many,
    Maybe,
    Misfit,
    Named,
    Number,
    Record,
    Text,
    Truth,
    Whole,
    like,
    printable,
    shown,
)

ODD = ["", "a\x1b[2J", "x" * 10**6, 10**5000, -(10**5000), math.nan, math.inf, -math.inf, 1e308, True, None, [], {}, [[[]]]]


@pytest.mark.parametrize(
    "field, good, bad",
    [
        (Number(), [0, -1.5, 10**300], [True, None, "1", math.nan, math.inf, 10**400, [1]]),
        (Number(0, 1), [0, 1, 0.5], [-1e-9, 1.1, -1]),
        (Whole(1, 3), [1, 3], [0, 4, 1.0, True, "2", 10**5000]),
        (Text(3), ["", "abc", "\n"], ["abcd", 1, None]),
        (NAME, ["D.gradient", "层"], ["a\nb", "\x1b[0m", "x" * 301]),
        (Truth(), [True, False], [0, 1, "true", None]),
        (Maybe(Truth()), [None, True], [0]),
        (Either((Truth(), Whole()), "either"), [True, 3], [1.5, "x"]),
        (Many(Whole(), 1, 2), [[1], [1, 2], (1, 2)], [[], [1, 2, 3], ["a"], {"a": 1}, "ab", None]),
        (Named(Number()), [{}, {"a": 1}], [{"a": "b"}, {"\x1b": 1}, {1: 1}, [], None]),
        (
            Record({"a": Whole()}, {"b": Truth()}),
            [{"a": 1}, {"a": 1, "b": True}],
            [{}, {"a": 1, "c": 1}, {"b": True}, {"a": "x"}],
        ),
        (Record(others=Anything()), [{}, {"a": object()}], [3]),
        (Array(), [np.zeros(2), np.ones((2, 2), int)], [np.array([math.nan]), np.array(["a"]), np.array([1j]), [1.0], None]),
        (PLAIN, ["a", 1, 1.5, True], [None, [1], {}, math.nan]),
    ],
)
def test_what_fits_and_what_does_not(field, good, bad):
    for value in good:
        field.check(value, "here")
    for value in [*bad]:
        with pytest.raises(Misfit) as error:
            field.check(value, "here")
        assert str(error.value).startswith("here") and len(str(error.value)) < 300 and str(error.value).isprintable()


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_a_message_is_short_and_printable_whatever_the_value(value):
    fields = (Number(5, 6), Whole(5, 6), Text(0), Truth(), Many(Whole(7), 1), Record({"x": Whole()}), Array(), NAME)
    for field in fields:
        for value_there in (value, [value], {"k\x1b" * 1000: value}):
            try:
                field.check(value_there, "a\x1b" * 1000)
            except Misfit as error:
                assert len(str(error)) < 1500 and str(error).isprintable()
    assert len(shown(value)) <= 60 and shown(value).isprintable()
    assert not isinstance(value, str) or printable(value).isprintable()


def test_the_place_is_named():
    field = Record({"runs": Named(Many(Record({"step": Whole()})))})
    with pytest.raises(Misfit, match=r"^file.runs.a\[1\].step: must be a whole number from 0, got 'x'$"):
        field.check({"runs": {"a": [{"step": 1}, {"step": "x"}]}}, "file")


STATE = {
    "t": 3,
    "mean": 0.5,
    "best": -math.inf,
    "w": np.zeros((2, 3), np.float32),
    "kind": "PCG64",
    "parts": [{"n": 1}],
    "on": True,
}


@pytest.mark.parametrize(
    "change",
    [
        {"t": "3"},
        {"t": -2},
        {"t": math.nan},
        {"t": True},
        {"mean": math.nan},
        {"mean": None},
        {"best": "x"},
        {"w": np.zeros((3, 2))},
        {"w": np.full((2, 3), math.nan)},
        {"w": np.array([["a"] * 3] * 2)},
        {"w": [1.0]},
        {"kind": 3},
        {"parts": {"n": 1}},
        {"parts": [{"n": "x"}]},
        {"parts": [3]},
        {"on": 1},
        {"new": np.array([math.inf])},
    ],
    ids=str,
)
def test_a_state_of_another_form_is_refused(change):
    like(STATE, STATE, "state")
    like(STATE | {"best": 0.5, "later": {"step": 1}, "parts": [{"n": 1}, {"n": 2}]}, STATE, "state")
    with pytest.raises(Misfit, match="^state"):
        like(STATE | change, STATE, "state")
