"""What a recording would freeze: each is refused, by the name of the op or of the line, and never replayed."""

import random

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import CaptureError
from minigan.streams import streams

X = [mg.tensor(np.random.default_rng(i).standard_normal((4, 3)).astype(np.float32)) for i in range(40)]


def refused(step, match, calls=40, inputs=X):
    """Call the captured step until it raises; the error must match, and later calls must raise it, too."""
    captured = mg.capture(step)
    with pytest.raises(CaptureError, match=match):
        for i in range(calls):
            captured(inputs[i])
    with pytest.raises(CaptureError, match=match):
        captured(inputs[0])


# ------------------------------------------------------------------------------------- values that Python reads ---


@pytest.mark.parametrize(
    "step, what",
    [
        (lambda x: x * float(x.sum()), r"item|float"),
        (lambda x: x * x.sum().item(), "item"),
        (lambda x: x * int(x.argmax()), "item|int"),
        (lambda x: x if x.sum() > 0 else -x, "item|bool"),
        (lambda x: x * x.tolist()[0][0], "tolist"),
        (lambda x: x * mg.tensor(np.asarray(x)), "NumPy's own arrays"),
        (lambda x: x * mg.Tensor(np.sort(x)), "calls np.sort|values|NumPy's own"),
        (lambda x: x[x > 0], "mask"),
        (lambda x: x[mg.argmax(x[:, 0]).item()], "item"),
        (lambda x: mg.tensor(str(x).count("-")), "array2string|values"),
        (lambda x: mg.where(x > 0)[0] if False else x[np.nonzero(x.numpy())], "nonzero"),
        (lambda x: x * len(np.unique(x.numpy())), "unique"),
    ],
)
def test_reading_values_is_refused_when_it_is_recorded(step, what):
    captured = mg.capture(step)
    with pytest.raises(CaptureError, match=what) as error:
        captured(X[0])
    assert "replay" in str(error.value)


def test_the_error_names_the_op_and_the_line():
    net = nn.Linear(3, 1)

    def step(x):
        loss = net(x).sum()
        return loss * float(loss)  # this line is named

    with pytest.raises(CaptureError, match=r"your code \(test_refusals.py:\d+\) needs the values of a Tensor \(item\)"):
        mg.capture(step)(X[0])


def test_writing_into_ones_own_array_is_refused():
    buffer = np.zeros((4, 3), np.float32)

    def step(x):
        buffer[...] = x.numpy()
        return x

    with pytest.raises(CaptureError, match="puts it into one"):
        mg.capture(step)(X[0])

    def out(x):
        return mg.Tensor(np.add(x.numpy(), 1, out=buffer))

    with pytest.raises(CaptureError, match="no Tensor"):
        mg.capture(out)(X[0])


# ----------------------------------------------------------------------- what changes behind the recorder's back ---


def test_a_counter_in_python_is_found_by_name():
    count = [0]

    def step(x):
        count[0] += 1
        return mg.tanh(x) * (1 / count[0])

    refused(step, r"multiply.*test_refusals.py.* gets 0\.33\d*, but got 1\.0 when it was recorded")


def test_a_number_that_changes_only_later_is_found_at_the_next_proof():
    count = [0]

    def step(x):
        return x * (0.5 if count[0] > 9 else 1.0)

    captured = mg.capture(step)
    wrong = []
    with pytest.raises(CaptureError, match=r"multiply.* gets 0\.5, but got 1\.0"):
        for x in X:
            count[0] += 1
            wrong.append(not np.array_equal(captured(x).numpy(), step(x).numpy()))
    assert len(wrong) == 15  # the proof at call 16
    assert sum(wrong) == 6  # docs/capture.md says so: up to as many calls as before may be wrong


@pytest.mark.parametrize("draw", [lambda: np.random.default_rng().standard_normal((4, 3), np.float32), lambda: random.random()])
def test_draws_that_are_not_minigans_are_found(draw):
    def step(x):
        return mg.square(x + mg.tensor(draw())).sum()

    refused(step, r"add.*gets .*but got .*streams")


def test_a_generator_of_ones_own_is_found():
    generator = np.random.default_rng(0)

    def step(x):
        z = mg.tensor(generator.standard_normal((4, 3), dtype=np.float32))
        return mg.square(x + z).sum()

    refused(step, "add.*streams")


def test_a_single_number_from_a_stream_is_refused():
    refused(lambda x: x * streams("noise").random(), "draws a single number", calls=1)


def test_another_way_through_the_step_is_found():
    count = [0]

    def step(x):
        count[0] += 1
        return mg.exp(x) if count[0] % 2 else mg.sin(x)

    refused(step, "exp|sin")


def test_a_tensor_that_a_step_keeps_is_refused():
    kept = []

    def step(x):
        kept.append(mg.exp(x))
        return x

    refused(step, "keeps a Tensor", calls=1)


def test_state_in_a_python_variable_is_refused():
    class Net:
        h = mg.zeros((4, 3))

        def step(self, x):
            self.h = mg.tanh(self.h + x)
            return self.h.sum()

    refused(Net().step, "keeps a Tensor", calls=1)


def test_state_that_is_passed_on_or_written_in_place_works():
    def play(capture):
        h, total, results = mg.zeros((4, 3)), mg.zeros((4, 3)), []
        step = (mg.capture if capture else lambda f: f)(lambda h, x: (mg.tanh(h + x), total.copy_(total + x).sum()))
        for x in X:
            h, s = step(h, x)
            results.append((h.numpy().tobytes(), s.item(), total.numpy().tobytes()))
        return results

    assert play(True) == play(False)


def test_gradients_that_add_up_over_calls_are_refused():
    w = nn.Parameter(np.ones((3, 1), np.float32))

    def step(x):
        (x @ w).sum().backward()
        return x

    refused(step, r"\.grad of a Tensor \(3, 1\)")


def test_an_optimizer_that_looks_for_its_step_is_refused():
    w = nn.Parameter([1.0])
    lbfgs = mg.optim.LBFGS([w])

    def step(x):
        lbfgs.step(lambda: (mg.square(w).sum(), mg.grad(mg.square(w).sum(), [w])))
        return x

    with pytest.raises(CaptureError):
        for x in X:
            mg.capture(step)(x)


def test_unequal_results_of_one_call_are_found_at_the_replay():
    counts = mg.primitive(lambda x: np.flatnonzero(np.asarray(x) > 0).astype(np.float32), lambda g, y, x: None, name="counts")
    positive = mg.tensor([1.0, 1.0, 1.0])
    step = mg.capture(lambda x: counts(x))
    step(positive)
    step(positive)
    with pytest.raises(CaptureError, match=r"counts .*gives the shape \(1,\), not \(3,\)"):
        step(mg.tensor([1.0, -1.0, -1.0]))


# ------------------------------------------------------------------------------------------- planted in minigan ---


def test_a_kernel_that_keeps_state_is_found(monkeypatch):
    calls = []

    def forward(x):
        calls.append(1)
        return x + len(calls)

    refused(lambda x: mg.primitive(forward, lambda g, y, x: g, name="counting")(x), "counting.* gets 3, but got 1")


def test_an_op_whose_recorded_way_gives_other_bits_is_found():
    def forward(x):
        return x * 1.0000001 if type(x) is not np.ndarray else x  # as if an op took another way while it is recorded

    odd = mg.primitive(forward, lambda g, y, x: g, name="odd")
    refused(lambda x: odd(mg.exp(x)), r"odd forward \(test_refusals.py:\d+\) gives other bits when it is recorded", calls=2)


def test_a_write_that_is_not_recorded_is_found():
    w = nn.Parameter(np.ones(3, np.float32))
    array = w.data  # NumPy's own array, which is not recorded

    def step(x):
        array[0] += 1
        return (x * w).sum()

    refused(step, "what it returns|a Tensor", calls=2)


# -------------------------------------------------------------------------------------------------- the arguments ---


def test_arguments_that_need_gradients_and_unknown_objects():
    step = mg.capture(lambda x: mg.square(x).sum())
    with pytest.raises(CaptureError, match="requires a gradient"):
        step(mg.tensor([1.0], requires_grad=True))
    step = mg.capture(lambda x: x)
    with pytest.raises(CaptureError, match="got set"):
        step({1, 2})
    with pytest.raises(mg.errors.ConfigError, match="capture: needs a function"):
        mg.capture(3)


def test_an_error_of_the_step_leaves_it_usable():
    bad = [True]

    def step(x):
        if bad[0]:
            raise ValueError("not yet")
        return x * 2

    step = mg.capture(step)
    with pytest.raises(ValueError, match="not yet"):
        step(X[0])
    bad[0] = False
    assert [step(x).numpy().tobytes() for x in X] == [(x * 2).numpy().tobytes() for x in X]


def test_a_tensor_of_the_recording_cannot_be_used_later():
    leaked = []
    step = mg.capture(lambda x: leaked.append(x.numpy()) or x * 2)
    step(X[0])
    with pytest.raises(CaptureError, match="outside of it"):
        leaked[0] + 1


def test_an_array_for_the_result_that_is_given_by_its_place_is_not_lost():
    total = mg.zeros((4, 3))

    def step(x):
        np.clip(x.data, -1, 1, total.data)
        return x.sum()

    with pytest.raises(CaptureError, match="clip an array for its result"):
        mg.capture(step)(X[0])


def test_an_error_of_an_op_stays_what_it_is():
    with pytest.raises(mg.errors.ShapeError, match="matmul"):
        mg.capture(lambda x: x @ mg.ones((5, 5)))(X[0])
    with pytest.raises(mg.errors.OutOfBoundsError, match="target 7 is not a class"):
        mg.capture(lambda x: nn.functional.cross_entropy(x, np.array([0, 1, 2, 7])))(X[0])


def test_checks_of_values_are_made_at_a_replay_too():
    step = mg.capture(lambda x, labels: nn.functional.cross_entropy(x, labels))
    for x in X[:6]:
        step(x, np.array([0, 1, 2, 0]))
    with pytest.raises(mg.errors.OutOfBoundsError, match="target 7 is not a class"):
        step(X[0], np.array([0, 1, 2, 7]))
