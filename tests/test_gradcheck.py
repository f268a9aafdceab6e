"""The checker is checked: every wrong rule planted here must be found, and no right one may be called wrong."""

import numpy as np
import pytest

import minigan as mg
from minigan import optable
from minigan.autograd import fused, primitive
from minigan.errors import DTypeError, GradientMismatch, GraphError, MiniganError
from minigan.gradcheck import gradcheck
from minigan.tensor import plain

A = np.random.default_rng(1).normal(size=(3, 4))
B = np.random.default_rng(2).normal(size=(3, 4))
SQUARE = np.random.default_rng(3).normal(size=(3, 3))


# ------------------------------------------------------------------------------------------- planted: wrong values ---


def test_a_dropped_factor_is_found():
    wrong = primitive(lambda x: x * x, lambda g, y, x: g * x, name="square")
    with pytest.raises(GradientMismatch, match=r"square, order 1, input 0 \(3, 4\)"):
        gradcheck(wrong, A)


def test_a_rule_off_by_one_in_a_thousand_is_found_and_both_numbers_are_told():
    wrong = primitive(lambda x: 2 * x, lambda g, y, x: 2.002 * g, name="double")
    with pytest.raises(GradientMismatch, match=r"2\.002 by rule, 2 by differences"):
        gradcheck(wrong, np.array(1.0))


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("error", [1e-3, 1e-5])
def test_small_errors_are_found_whatever_the_size_of_the_gradient(size, error):
    wrong = primitive(lambda x: size * x, lambda g, y, x: size * (1 + error) * g, name="scale")
    with pytest.raises(GradientMismatch):
        gradcheck(wrong, A)
    gradcheck(primitive(lambda x: size * x, lambda g, y, x: size * g, name="scale"), A)


def test_a_small_wrong_gradient_cannot_hide_behind_a_large_right_one():
    def plant(error):
        return primitive(lambda a, b: a + 1e-6 * b, lambda g, y, a, b: g, lambda g, y, a, b: 1e-6 * (1 + error) * g, name="sum")

    with pytest.raises(GradientMismatch, match="input 1"):
        gradcheck(plant(1e-4), A, B)
    gradcheck(plant(0.0), A, B)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_the_step_follows_the_size_of_the_input(unit):
    gradcheck(lambda x: mg.exp(x / unit), A * unit, order=2)
    wrong = primitive(lambda x: np.exp(x / unit), lambda g, y, x: g * y * (1.0001 / unit), name="exp")
    with pytest.raises(GradientMismatch):
        gradcheck(wrong, A * unit)


def test_a_sum_over_only_some_of_the_broadcast_elements_is_found():
    first_row = primitive(lambda x: np.broadcast_to(x, (5, *x.shape)), lambda g, y, x: g[0], name="rows")  # not g.sum(0)
    with pytest.raises(GradientMismatch, match="rows"):
        gradcheck(first_row, A)


def test_a_gradient_of_the_wrong_shape_never_gets_as_far():
    wrong = primitive(lambda x: np.broadcast_to(x, (5, *x.shape)), lambda g, y, x: g, name="rows")
    with pytest.raises(GraphError, match="rows: the rule of input 0 returned"):
        gradcheck(wrong, A)


def test_a_transposed_weight_gradient_is_found():
    wrong = primitive(
        lambda a, w: a @ w, lambda g, y, a, w: g @ mg.transpose(w), lambda g, y, a, w: mg.transpose(g) @ a, name="matmul"
    )
    with pytest.raises(GradientMismatch, match="input 1"):
        gradcheck(wrong, SQUARE, SQUARE + 1)


def test_a_rule_that_a_cotangent_of_ones_would_pass_is_found():
    wrong = primitive(lambda x: 3 * x, lambda g, y, x: g * g * 3, name="triple")
    x = mg.tensor(A, requires_grad=True)
    np.testing.assert_array_equal(mg.grad(wrong(x), x, mg.tensor(np.ones_like(A)))[0].numpy(), np.full(A.shape, 3.0))
    with pytest.raises(GradientMismatch):
        gradcheck(wrong, A)


def test_ties_that_each_get_all_are_found():
    """At a tie both slopes exist: the mean of them is what finite differences see, and what sharing evenly gives."""
    tied = np.array([1.0, 3.0, 3.0, 3.0])
    wrong = primitive(lambda x: x.max(), lambda g, y, x: g * (plain(x) == plain(y)).astype(x.dtype), name="max")
    with pytest.raises(GradientMismatch):
        gradcheck(wrong, tied)

    def whole_rows(f):  # all equal elements moved at once: no kink on this line, so the slope is 1, not k
        return lambda shift: f(shift + np.array([1.0, 1.0, 1.0]))

    gradcheck(whole_rows(mg.max), np.array(0.5))
    with pytest.raises(GradientMismatch, match="rule gives"):
        gradcheck(whole_rows(wrong), np.array(0.5))


def test_one_wrong_element_is_named():
    def rule(g, y, x):
        factor = np.full(x.shape, 2.0)
        factor[1, 2] = 2.5
        return g * factor

    with pytest.raises(GradientMismatch, match=r"at \[1, 2\] the rule gives .* output\[1, 2\] is 2\.5 by rule, 2 by"):
        gradcheck(primitive(lambda x: 2 * x, rule, name="double"), A)


def test_a_dependence_that_the_graph_does_not_know_is_found():
    with pytest.raises(GradientMismatch, match="rule gives 0, finite"):
        gradcheck(lambda x: mg.tensor(plain(x)) * 2.0, A)


# -------------------------------------------------------------------------------------- planted: wrong second order ---


def test_a_rule_cut_off_from_its_own_derivative_is_found_at_second_order():
    cut = primitive(lambda x: x**3, lambda g, y, x: g * (3 * plain(x) ** 2), name="cube")
    assert gradcheck(cut, A).worst < 1e-9  # its values are right
    with pytest.raises(GradientMismatch, match=r"cube, order 2, input 0"):
        gradcheck(cut, A, order=2)


def test_a_rule_cut_off_from_g_is_found_at_second_order():
    cut = primitive(lambda x: x**3, lambda g, y, x: plain(g) * (3 * x * x), name="cube")
    gradcheck(cut, A)
    with pytest.raises(GradientMismatch, match="order 2, cotangent of order 1"):
        gradcheck(cut, A, order=2)


def test_a_rule_wrong_at_third_order_only_is_found_there():
    def rule(g, y, x):
        return g * _slope(x)

    _slope = primitive(lambda x: 4 * x**3, lambda g, y, x: g * (12 * plain(x) ** 2), name="slope")
    quartic = primitive(lambda x: x**4, rule, name="quartic")
    gradcheck(quartic, A, order=2)
    with pytest.raises(GradientMismatch, match="order 3"):
        gradcheck(quartic, A, order=3)


def test_a_fused_op_whose_backward_is_not_that_of_its_composition_is_found():
    def plant(factor):
        return fused(lambda x: (x**3, None), lambda g, needed, kept, x: [3 * g * x * x], lambda x: factor * x * x * x)

    gradcheck(plant(1.0), A, order=3)
    with pytest.raises(GradientMismatch, match="create_graph=True gives another gradient"):
        gradcheck(plant(1.001), A)


def test_a_fused_op_with_a_wrong_backward_is_found():
    wrong = fused(lambda x: (x**3, None), lambda g, needed, kept, x: [2 * g * x * x], lambda x: x * x * x)
    with pytest.raises(GradientMismatch):
        gradcheck(wrong, A)


# --------------------------------------------------------------------------------------------- planted: bad manners ---


def test_a_rule_that_returns_a_view_of_its_cotangent_is_safe():
    flip = primitive(lambda x: x[::-1], lambda g, y, x: g[::-1], name="flip")
    gradcheck(flip, A, order=2)
    gradcheck(lambda x: flip(x) + flip(flip(x)), A)


def test_a_rule_that_writes_into_its_cotangent_is_found():
    def rule(g, y, x):
        plain(g)[...] *= 2  # the right number, in the wrong place
        return g

    with pytest.raises(GradientMismatch, match="cotangent of output 0 was changed in place"):
        gradcheck(primitive(lambda x: 2 * x, rule, name="double"), A)


def test_a_rule_that_returns_a_saved_array_is_found():
    fixed = np.full((3, 4), 5.0)
    wrong = primitive(lambda x: x * x / 2, lambda g, y, x: x, name="half_square")  # right only for g = 1
    with pytest.raises(GradientMismatch, match="shares memory with input 0"):
        gradcheck(wrong, A)
    both = primitive(lambda a, b: a + b, lambda g, y, a, b: _store(fixed, g), lambda g, y, a, b: _store(fixed, g), name="both")
    with pytest.raises(GradientMismatch, match="gradient of input 1 shares memory with the gradient of input 0"):
        gradcheck(both, A, B)


def _store(array, g):
    array[...] = plain(g)
    return array


def test_a_rule_that_writes_into_a_saved_array_is_found():
    def rule(g, y, x):
        h = g * (2 * x)
        plain(x)[...] += 1.0
        return h

    with pytest.raises(GradientMismatch, match="input 0 was changed in place"):
        gradcheck(primitive(lambda x: x * x, rule, name="square"), A)

    def rule_of_kept(g, needed, kept, x):
        kept *= g  # a scratch array, but the graph may be walked again
        return [kept.copy()]

    with pytest.raises(GradientMismatch, match="second backward over the same graph"):
        gradcheck(fused(lambda x: (x * x, 2 * x), rule_of_kept, lambda x: x * x), A)


def test_a_forward_that_changes_its_input_is_found():
    def forward(x):
        x *= 2
        return x.copy()

    with pytest.raises(GradientMismatch, match="input 0 was changed in place"):
        gradcheck(primitive(forward, lambda g, y, x: 2 * g, name="double"), A)


def test_a_function_that_depends_on_memory_order_is_found():
    wrong = primitive(lambda x: x.ravel(order="K"), lambda g, y, x: g.reshape(x.shape), name="ravel")
    with pytest.raises(GradientMismatch, match="depends on the inputs' memory order"):
        gradcheck(wrong, A)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_gradient_or_output_that_is_not_finite_never_passes(bad):
    def rule(g, y, x):
        factor = np.ones(x.shape)
        factor[1, 2] = bad
        return g * factor

    with pytest.raises(GradientMismatch, match=rf"the gradient of input 0 is -?{bad} at \[1, 2\]"):
        gradcheck(primitive(lambda x: 1.0 * x, rule, name="copy"), A)
    with pytest.raises(GradientMismatch, match="output 0 is"):
        gradcheck(lambda x: x + bad, A)


def test_a_function_with_fresh_random_numbers_is_refused():
    with pytest.raises(GradientMismatch, match="differs between two calls"):
        gradcheck(lambda x: x * mg.Tensor(np.random.default_rng().normal(size=x.shape)), A)


# ------------------------------------------------------------------------------------------------- right functions ---


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "f",
    [mg.relu, mg.abs, lambda x: mg.max(x, axis=1), lambda x: mg.clip(x, -0.3, 0.3), lambda x: mg.maximum(x, x[::-1])],
    ids=["relu", "abs", "max", "clip", "maximum"],
)
def test_kinks_nearby_are_not_called_wrong_at_random(f, order):
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(8, 25))  # with 200 elements one is within the first step of a kink
        if seed % 2:
            x[0, 0], x[1, 1] = 1e-4, -3e-5  # much nearer than the first step
        gradcheck(f, x, order=order, seed=seed)


def test_a_wrong_rule_is_found_even_beside_a_kink():
    wrong = primitive(lambda x: np.maximum(x, 0), lambda g, y, x: 1.001 * g * (plain(x) > 0).astype(x.dtype), name="relu")
    for kinks in ("raise", "skip"):
        for seed in range(20):
            x = np.random.default_rng(seed).normal(size=(8, 25))
            x[0, 0] = 1e-4
            with pytest.raises(GradientMismatch, match="the rule gives"):
                gradcheck(wrong, x, kinks=kinks, seed=seed)


def test_a_point_on_a_kink_is_reported_as_one_or_skipped():
    x = np.array([1.0, 0.0, -2.0])
    with pytest.raises(GradientMismatch, match="a kink: the function is not smooth here"):
        gradcheck(mg.relu, x)
    report = gradcheck(mg.relu, x, kinks="skip")
    assert report.skipped == 1 and "1 comparison(s) on a kink skipped" in str(report)
    with pytest.raises(GradientMismatch, match="a kink"):
        gradcheck(mg.floor, np.array(1.0))


def test_strongly_curved_functions_and_cancelling_sums_pass():
    gradcheck(lambda x: mg.exp(20 * x), np.array([0.5, -0.5]), order=2)
    gradcheck(lambda x: 1 / x, np.array([1e-3, 1.0]), order=2)
    gradcheck(lambda x: mg.softmax(x).sum(), A, order=2)  # the constant 1: gradients of the size of rounding
    gradcheck(lambda x: mg.sin(x) ** 2 + mg.cos(x) ** 2 - 1, A, order=2)
    gradcheck(lambda x: (x + 1e6) - 1e6, A)  # ten digits of every output are rounding
    gradcheck(lambda x: x**5, np.zeros(3), order=3)  # derivatives exactly 0: no relative error to speak of
    gradcheck(mg.prod, np.zeros(4), order=3)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_right_function_of_several_inputs_and_outputs_passes(order):
    report = gradcheck(lambda a, w, b: [mg.tanh(a @ w + b), (a * a).sum()], A, B.T, np.array(0.3), order=order)
    assert report.worst < 1e-8 and len(report.errors) == order
    assert report.shapes == ((3, 4), (4, 3), ())
    assert str(report).startswith(f"<lambda>: order {order}, worst relative error")


def test_inputs_that_are_not_floats_pass_through():
    def f(x, index, power, flag):
        assert index.dtype == np.int64 and power == 2 and flag is None
        return x[index] ** power

    gradcheck(f, A.astype(np.float32), np.array([0, 0, 2]), 2, None)


def test_wrt_chooses_what_is_differentiated_and_the_rest_is_constant():
    wrong = primitive(lambda a, b: a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g * b, name="multiply")
    gradcheck(wrong, A, B, wrt=0)
    with pytest.raises(GradientMismatch, match="input 1"):
        gradcheck(wrong, A, B, wrt=[1])
    with pytest.raises(DTypeError, match="no float input"):
        gradcheck(wrong, A, 2, wrt=[1])


def test_float32_inputs_are_checked_in_float64_and_left_alone():
    x = mg.tensor(A, dtype="float32", requires_grad=True)
    seen = []
    gradcheck(lambda t: seen.append(t.dtype) or t * t, x)
    assert set(seen) == {np.dtype(np.float64)} and x.grad is None and x.dtype == np.float32


def test_empty_arrays_and_single_numbers_pass():
    gradcheck(mg.exp, np.zeros((0, 3)), order=3)
    gradcheck(mg.exp, 1.5 * np.ones(()), order=3)


def test_the_same_seed_gives_the_same_report_and_another_does_not():
    f = lambda x: mg.tanh(x) * x
    assert gradcheck(f, A, seed=3) == gradcheck(f, A, seed=3)
    assert gradcheck(f, A, seed=3).errors != gradcheck(f, A, seed=4).errors


# ------------------------------------------------------------------------------------------------------- the table ---


def test_every_public_op_is_in_the_table_or_has_a_reason_not_to_be():
    assert optable.missing() == []
    assert not set(optable.NOT_DIFFERENTIABLE) & set(optable.TABLE)
    assert set(optable.NOT_DIFFERENTIABLE) <= set(mg.ops.__all__)


def test_the_table_prints_aligned_and_reports_what_is_wrong(monkeypatch):
    wrong = primitive(lambda x: 2 * x, lambda g, y, x: 2.002 * g, name="double")
    monkeypatch.setitem(optable.TABLE, "double", optable.Op("double", [(wrong, (2, 3)), (wrong, ())]))
    results = optable.check_all(["double", "exp"], order=1)
    lines = optable.table(results).splitlines()
    assert [line.split()[:3] for line in lines[:2]] == [["op", "order", "error"], ["double", "1", "WRONG"]]
    assert lines[2].startswith("exp     ") and lines[2].endswith("(), 3, 2x1x3, 0x2")
    assert lines[3].startswith("shapes 2x3: double, order 1")
    assert results[0].failure and not results[1].failure and results[1].error < 1e-9


def test_an_unknown_op_is_answered_with_the_nearest_name():
    with pytest.raises(MiniganError, match="did you mean 'matmul'"):
        optable.check_op("matmull")
    with pytest.raises(MiniganError, match="argmax has no derivative to check: it returns integers"):
        optable.check_op("argmax")
