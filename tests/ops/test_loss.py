"""Losses against their formulas in plain NumPy, finite differences, and torch where it is installed."""

import math

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError, DTypeError, OutOfBoundsError, ShapeError
from minigan.gradcheck import gradcheck
from minigan.nn import functional as F

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 5)), RNG.normal(size=(4, 5))
P, T = RNG.uniform(0.05, 0.95, (4, 5)), RNG.uniform(0.05, 0.95, (4, 5))
Q, LOG_P = RNG.dirichlet(np.ones(5), 4), np.log(RNG.dirichlet(np.ones(5), 4))
WEIGHT, PER_CLASS = RNG.uniform(0.5, 2.0, (4, 5)), RNG.uniform(0.5, 2.0, 5)
LABELS = np.array([3, 0, 4, 0])


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


# Each loss: name, its formula element by element, arguments, options.
ELEMENTWISE = [
    ("mse_loss", lambda x, t: (x - t) ** 2, (A, B), {}),
    ("l1_loss", lambda x, t: np.abs(x - t), (A, B), {}),
    ("smooth_l1_loss", lambda x, t: np.where(abs(x - t) < 1, (x - t) ** 2 / 2, abs(x - t) - 0.5), (A, B), {}),
    ("smooth_l1_loss", lambda x, t: np.where(abs(x - t) < 0.3, (x - t) ** 2 / 0.6, abs(x - t) - 0.15), (A, B), {"beta": 0.3}),
    ("smooth_l1_loss", lambda x, t: np.abs(x - t), (A, B), {"beta": 0}),
    ("huber_loss", lambda x, t: np.where(abs(x - t) < 1, (x - t) ** 2 / 2, abs(x - t) - 0.5), (A, B), {}),
    ("huber_loss", lambda x, t: np.where(abs(x - t) < 0.4, (x - t) ** 2 / 2, 0.4 * (abs(x - t) - 0.2)), (A, B), {"delta": 0.4}),
    ("binary_cross_entropy", lambda p, t: -t * np.log(p) - (1 - t) * np.log(1 - p), (P, T), {}),
    ("binary_cross_entropy", lambda p, t: WEIGHT * (-t * np.log(p) - (1 - t) * np.log(1 - p)), (P, T), {"weight": WEIGHT}),
    (
        "binary_cross_entropy_with_logits",
        lambda a, t: -t * np.log(sigmoid(a)) - (1 - t) * np.log(1 - sigmoid(a)),
        (3 * A, T),
        {},
    ),
    (
        "binary_cross_entropy_with_logits",
        lambda a, t: WEIGHT * (-PER_CLASS * t * np.log(sigmoid(a)) - (1 - t) * np.log(1 - sigmoid(a))),
        (3 * A, T),
        {"weight": WEIGHT, "pos_weight": PER_CLASS},
    ),
    ("kl_div", lambda x, t: t * (np.log(t) - x), (LOG_P, Q), {}),
    ("kl_div", lambda x, t: np.exp(t) * (t - x), (LOG_P, np.log(Q)), {"log_target": True}),
    ("gaussian_nll_loss", lambda x, t, v: (np.log(v) + (x - t) ** 2 / v) / 2, (A, B, WEIGHT), {}),
    ("gaussian_nll_loss", lambda x, t, v: (np.log(2 * np.pi * v) + (x - t) ** 2 / v) / 2, (A, B, WEIGHT), {"full": True}),
    ("gaussian_nll_loss", lambda x, t, v: (np.log(v[:, None]) + (x - t) ** 2 / v[:, None]) / 2, (A, B, WEIGHT[:, 0]), {}),
    ("gaussian_nll_loss", lambda x, t, v: (np.log(v) + (x - t) ** 2 / v) / 2, (A, B, WEIGHT[:, :1]), {}),
]
REDUCE = {"mean": np.mean, "sum": np.sum, "none": lambda loss: loss}


@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize("name, formula, arrays, options", ELEMENTWISE)
def test_each_loss_is_its_formula(name, formula, arrays, options, reduction):
    loss = getattr(mg, name)(*arrays, reduction=reduction, **options)
    np.testing.assert_allclose(loss, REDUCE[reduction](formula(*arrays)), rtol=1e-12, atol=1e-14)
    if reduction == "mean":
        np.testing.assert_array_equal(getattr(mg, name)(*arrays, **options), loss)  # it is the default


@pytest.mark.parametrize("name, formula, arrays, options", ELEMENTWISE)
def test_every_argument_of_a_loss_has_derivatives_to_order_two(name, formula, arrays, options):
    gradcheck(lambda *xs: getattr(mg, name)(*xs, reduction="none", **options), *arrays, order=2)
    gradcheck(lambda *xs: getattr(mg, name)(*xs, **options), *arrays, order=2)


def test_smooth_l1_is_curved_where_input_and_target_are_equal():
    x = mg.zeros((1,), dtype=np.float64, requires_grad=True)
    (g,) = mg.grad(mg.smooth_l1_loss(x, np.zeros(1), "sum", beta=0.5), x, create_graph=True)
    (h,) = mg.grad(g.sum(), x)
    assert g.tolist() == [0.0] and h.tolist() == [2.0]  # 1 / beta, although |x| has a kink there


# ------------------------------------------------------------------------------------------------------- classes ---


def naive_cross_entropy(x, labels, weight=None, ignore_index=-100, smoothing=0.0):
    """(the losses, their shares in the mean): one target at a time, from the definition.   x (N, C, ...)."""
    classes = x.shape[1]
    weight = np.ones(classes) if weight is None else weight
    losses, shares = np.zeros(labels.shape), np.zeros(labels.shape)
    for place in np.ndindex(*labels.shape):
        if labels[place] == ignore_index:
            continue
        logits = x[(place[0], slice(None), *place[1:])]
        log_p = logits - np.log(np.exp(logits).sum())
        target = np.full(classes, smoothing / classes)
        target[labels[place]] += 1 - smoothing
        losses[place] = -(target * weight * log_p).sum()
        shares[place] = weight[labels[place]]
    return losses, shares


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weight", [None, PER_CLASS])
@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 2, 3)])
def test_cross_entropy_is_the_loop_over_targets(shape, weight, smoothing):
    x = np.random.default_rng(1).normal(size=shape) * 2
    labels = np.random.default_rng(2).integers(0, 5, (shape[0], *shape[2:]))
    for ignore_index in (-100, 2):
        labels.reshape(-1)[1] = ignore_index
        losses, shares = naive_cross_entropy(x, labels, weight, ignore_index, smoothing)
        options = {"weight": weight, "ignore_index": ignore_index, "label_smoothing": smoothing}
        np.testing.assert_allclose(mg.cross_entropy(x, labels, reduction="none", **options), losses, rtol=1e-12)
        assert mg.cross_entropy(x, labels, reduction="sum", **options) == pytest.approx(losses.sum(), rel=1e-12)
        assert mg.cross_entropy(x, labels, **options) == pytest.approx(losses.sum() / shares.sum(), rel=1e-12)
        gradcheck(lambda x, o=options: mg.cross_entropy(x, labels, **o), x, order=2)


def test_one_sample_has_its_classes_on_the_only_axis():
    x = A[0]
    assert mg.cross_entropy(x, np.array(2)) == pytest.approx(np.log(np.exp(x).sum()) - x[2], rel=1e-12)
    assert mg.cross_entropy(x, 2) == mg.cross_entropy(x, np.array(2))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_probabilities_is_its_formula_and_differentiates_them_too(smoothing):
    log_p = A - np.log(np.exp(A).sum(1, keepdims=True))
    target = (1 - smoothing) * Q + smoothing / 5
    losses = -(PER_CLASS * target * log_p).sum(1)
    options = {"weight": PER_CLASS, "label_smoothing": smoothing}
    np.testing.assert_allclose(mg.cross_entropy(A, Q, reduction="none", **options), losses, rtol=1e-12)
    assert mg.cross_entropy(A, Q, **options) == pytest.approx(losses.mean(), rel=1e-12)  # by number, not by weight
    gradcheck(lambda a, q: mg.cross_entropy(a, q, **options), A, Q, order=2)
    gradcheck(lambda a, q: mg.cross_entropy(a, q), A.reshape(2, 5, 2), Q.reshape(2, 5, 2), order=2)


def test_probabilities_that_name_one_class_are_that_class():
    one_hot = np.eye(5)[LABELS]
    assert mg.cross_entropy(A, one_hot) == pytest.approx(float(mg.cross_entropy(A, LABELS)), rel=1e-12)


def test_nll_loss_is_cross_entropy_without_the_softmax():
    x = np.random.default_rng(1).normal(size=(4, 5, 3))
    labels = np.random.default_rng(2).integers(0, 5, (4, 3))
    labels[0, 0] = -100
    losses = np.array([[0.0 if labels[n, i] < 0 else -x[n, labels[n, i], i] for i in range(3)] for n in range(4)])
    np.testing.assert_array_equal(mg.nll_loss(x, labels, reduction="none"), losses)
    assert mg.nll_loss(x, labels) == pytest.approx(losses.sum() / 11, rel=1e-12)
    gradcheck(lambda x: mg.nll_loss(x, labels, PER_CLASS), x, order=2)


def test_an_undecided_classifier_pays_log_of_the_number_of_classes():
    assert mg.cross_entropy(np.zeros((3, 7)), np.array([0, 3, 6])) == pytest.approx(math.log(7), rel=1e-12)


def test_ignored_targets_cost_nothing_get_no_gradient_and_may_hold_infinities():
    x = mg.tensor(A, requires_grad=True)
    labels = np.array([1, -100, 2, -100])
    (g,) = mg.grad(mg.cross_entropy(x, labels), x)
    assert (g.numpy()[[1, 3]] == 0).all() and (g.numpy()[[0, 2]] != 0).all()
    log_p = LOG_P.copy()
    log_p[1] = -np.inf
    assert np.isfinite(mg.nll_loss(log_p, labels))
    assert np.isnan(mg.cross_entropy(A, np.full(4, -100)))  # the mean of nothing
    assert mg.cross_entropy(A, np.full(4, -100), reduction="sum") == 0


# --------------------------------------------------------------------------------------------------- extreme values ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_have_finite_losses_and_gradients(dtype):
    a = np.array([1e4, -1e4, 1e4, -1e4, 0.0], dtype)
    t = np.array([1, 0, 0, 1, 0.5], dtype)
    expected = np.array([0, 0, 1e4, 1e4, math.log(2)])
    slope = np.array([0, 0, 1, -1, 0])
    for pos_weight in (None, np.ones(5, dtype)):
        x = mg.tensor(a, requires_grad=True)
        loss = mg.binary_cross_entropy_with_logits(x, t, reduction="none", pos_weight=pos_weight)
        np.testing.assert_allclose(loss.detach().numpy(), expected, rtol=1e-6)
        (g,) = mg.grad(loss.sum(), x, create_graph=True)
        assert g.tolist() == slope.tolist()
        assert np.isfinite(mg.grad(g.sum(), x)[0].numpy()).all()
    x = mg.tensor(np.array([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]], dtype), requires_grad=True)
    loss = mg.cross_entropy(x, np.array([0, 1]), reduction="none")
    assert loss.tolist() == [0.0, 2e4]
    (g,) = mg.grad(loss.sum(), x)
    assert g.tolist() == [[0, 0, 0], [1, -1, 0]]
    x = mg.tensor(np.array([1e30, -1e30, 0.0], dtype), requires_grad=True)
    for loss in (mg.huber_loss(x, np.zeros(3, dtype), "sum"), mg.smooth_l1_loss(x, np.zeros(3, dtype), "sum")):
        assert float(loss) == pytest.approx(2e30)
        assert mg.grad(loss, x)[0].tolist() == [1, -1, 0]


@pytest.mark.parametrize("a, t", [(-30.0, 0.0), (30.0, 1.0)])
def test_a_confident_right_logit_still_pays_its_small_price(a, t):
    loss = mg.binary_cross_entropy_with_logits(np.array([a], np.float32), np.array([t], np.float32))
    assert loss == pytest.approx(math.exp(-30), rel=1e-5, abs=0)  # not 0


def test_certain_and_wrong_probabilities_pay_one_hundred():
    x = mg.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = mg.binary_cross_entropy(x, np.array([1, 0, 0, 1], np.float32), reduction="none")
    assert loss.tolist() == [100, 100, 0, 0]
    (g,) = mg.grad(loss.sum(), x)
    np.testing.assert_allclose(g.numpy(), [-1e12, 1e12, 0, 0], rtol=1e-6)
    t = mg.tensor([0.5, 0.5], requires_grad=True)  # the value is linear in t, with a slope of +-100 (torch says inf)
    assert mg.grad(mg.binary_cross_entropy(mg.tensor([0.0, 1.0]), t, reduction="sum"), t)[0].tolist() == [100, -100]


def test_kl_div_takes_a_probability_of_zero():
    t = mg.tensor(np.array([[0.0, 0.25, 0.75]]), requires_grad=True)
    x = np.log(np.array([[0.2, 0.5, 0.3]]))
    loss = mg.kl_div(x, t, "batchmean")
    assert float(loss) == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(2.5), rel=1e-12)
    assert np.isfinite(mg.grad(loss, t)[0].numpy()).all()
    assert mg.kl_div(LOG_P, Q, "batchmean") == pytest.approx(float(mg.kl_div(LOG_P, Q, "sum")) / 4, rel=1e-12)


def test_a_variance_below_eps_counts_as_eps_and_still_learns():
    var = mg.tensor(np.array([0.0]), requires_grad=True)
    loss = mg.gaussian_nll_loss(np.array([1.0]), np.array([0.0]), var, eps=0.5)
    assert float(loss) == pytest.approx((math.log(0.5) + 2) / 2, rel=1e-12)
    assert mg.grad(loss, var)[0].tolist() == pytest.approx([(2 - 4) / 2])
    assert mg.gaussian_nll_loss(A, B, 2.0) == pytest.approx(np.mean(math.log(2) + (A - B) ** 2 / 2) / 2, rel=1e-12)


# ------------------------------------------------------------------------------------------------ dtypes, mistakes ---


@pytest.mark.parametrize("name, formula, arrays, options", ELEMENTWISE)
def test_float32_stays_float32(name, formula, arrays, options):
    options = {k: v.astype(np.float32) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    xs = [mg.tensor(x, dtype=np.float32, requires_grad=True) for x in arrays]
    for reduction in REDUCE:
        loss = getattr(mg, name)(*xs, reduction=reduction, **options)
        assert loss.dtype == np.float32
        assert all(g.dtype == np.float32 for g in mg.grad(loss.sum(), xs))


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"weight": PER_CLASS.astype(np.float32)}])
def test_cross_entropy_of_float32_is_float32(options):
    x = mg.tensor(A, dtype=np.float32, requires_grad=True)
    for reduction in REDUCE:
        loss = mg.cross_entropy(x, LABELS.astype(np.int32), reduction=reduction, **options)
        assert loss.dtype == np.float32 and mg.grad(loss.sum(), x)[0].dtype == np.float32
    assert mg.cross_entropy(x, Q.astype(np.float32), **options).dtype == np.float32


def test_labels_may_be_tensors_lists_or_small_integers():
    expected = float(mg.cross_entropy(A, LABELS))
    for labels in (LABELS.tolist(), mg.tensor(LABELS), LABELS.astype(np.uint8)):
        assert float(mg.cross_entropy(A, labels)) == expected
    assert float(mg.mse_loss(mg.tensor([1.0, 2.0]), [0.0, 4.0])) == 2.5


LOSSES = [
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "kl_div",
    "binary_cross_entropy_with_logits",
]


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_is_broadcast_in_silence(name):
    with pytest.raises(ShapeError, match=rf"{name}: input is \(4, 1\) and target \(4,\)"):
        getattr(mg, name)(P[:, :1], T[:, 0])


@pytest.mark.parametrize("name", [*LOSSES, "cross_entropy"])
def test_an_unknown_reduction_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name}: reduction is 'mean', 'sum' or 'none', not 'average'"):
        getattr(mg, name)(P, T, reduction="average")


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: mg.cross_entropy(A, np.array([0, 1, 2, 5])), OutOfBoundsError, "target 5 is not a class.* 0 .. 4"),
        (lambda: mg.nll_loss(A, np.array([0, 1, 2, -1])), OutOfBoundsError, "target -1 is not a class"),
        (lambda: mg.cross_entropy(A, LABELS[:3]), ShapeError, r"target must be \(4,\), got \(3,\)"),
        (lambda: mg.cross_entropy(A, LABELS[:, None]), ShapeError, r"got \(4, 1\)"),
        (lambda: mg.cross_entropy(A, Q[:, :4]), ShapeError, r"target \(4, 4\)"),
        (lambda: mg.cross_entropy(A, LABELS > 1), DTypeError, "integers, got bool"),
        (lambda: mg.cross_entropy(A, LABELS, weight=PER_CLASS[:3]), ShapeError, r"weight is \(3,\), need \(5,\)"),
        (lambda: mg.cross_entropy(A, LABELS, weight=np.ones(5, np.float32)), DTypeError, "weight is float32, but input"),
        (lambda: mg.cross_entropy(A, LABELS, label_smoothing=2), ConfigError, r"label_smoothing must be in \[0, 1\]"),
        (lambda: mg.cross_entropy(np.zeros((3, 0)), LABELS[:3]), ShapeError, "C >= 1 classes"),
        (lambda: mg.huber_loss(A, B, delta=0), ConfigError, "delta must be > 0"),
        (lambda: mg.smooth_l1_loss(A, B, beta=-1), ConfigError, "beta must be >= 0"),
        (lambda: mg.binary_cross_entropy(A, T), ConfigError, "for logits use binary_cross_entropy_with_logits"),
        (lambda: mg.binary_cross_entropy(P * np.nan, T), ConfigError, "got nan .. nan"),
        (lambda: mg.binary_cross_entropy(P, T, np.ones(4)), ShapeError, r"weight \(4,\) does not broadcast"),
        (lambda: mg.gaussian_nll_loss(A, B, -WEIGHT), ConfigError, "var must be >= 0"),
        (lambda: mg.gaussian_nll_loss(A, B, WEIGHT[0]), ShapeError, r"var is \(5,\), input \(4, 5\)"),
        (lambda: mg.mse_loss(mg.tensor(A), mg.tensor(B, dtype=np.float32)), DTypeError, "do not mix"),
    ],
)
def test_mistakes_are_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


# ---------------------------------------------------------------------------------------------------------- torch ---


def agree_with_torch(torch, name, arrays, *constants, **options):
    """Value and every gradient, in both precisions.   constants: arguments after the differentiated ones."""
    for dtype, value, gradient in ((np.float32, 1e-5, 1e-4), (np.float64, 1e-10, 1e-10)):

        def cast(x, dtype=dtype):
            return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

        def lift(x):
            return torch.tensor(x) if isinstance(x, np.ndarray) else x

        xs = [mg.tensor(cast(x), requires_grad=True) for x in arrays]
        ts = [torch.tensor(cast(x), requires_grad=True) for x in arrays]
        extra, more = [cast(c) for c in constants], {k: cast(v) for k, v in options.items()}
        y = getattr(F, name)(*xs, *extra, **more)
        t = getattr(torch.nn.functional, name)(*ts, *map(lift, extra), **{k: lift(v) for k, v in more.items()})
        np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=value, atol=value)
        g = np.asarray(np.random.default_rng(1).normal(size=y.shape), dtype)
        for ours, theirs in zip(mg.grad(y, xs, mg.tensor(g)), torch.autograd.grad(t, ts, torch.tensor(g))):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=gradient, atol=gradient)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss")
@pytest.mark.parametrize("name, formula, arrays, options", ELEMENTWISE)
def test_elementwise_losses_are_torchs(name, formula, arrays, options):
    torch = pytest.importorskip("torch")
    for reduction in REDUCE:
        agree_with_torch(torch, name, arrays, reduction=reduction, **options)


@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize("weight", [None, PER_CLASS])
@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 2, 3), (5,)])
def test_class_losses_are_torchs(shape, weight, reduction):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).normal(size=shape) * 3
    labels = np.asarray(np.random.default_rng(2).integers(0, 5, shape[:1] + shape[2:] if len(shape) > 1 else ()))
    if labels.ndim:
        labels.reshape(-1)[1] = -100
    options = {"weight": weight, "reduction": reduction}
    agree_with_torch(torch, "nll_loss", [x], labels, **options)
    q = np.exp(x[::-1])
    q = q / q.sum(1 if q.ndim > 1 else 0, keepdims=True)
    for smoothing in (0.0, 0.1):
        agree_with_torch(torch, "cross_entropy", [x], labels, label_smoothing=smoothing, **options)
        agree_with_torch(torch, "cross_entropy", [x, q], label_smoothing=smoothing, **options)


def test_probabilities_at_the_ends_are_torchs():
    torch = pytest.importorskip("torch")
    p = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1e-7], np.float32)
    t = np.array([0.0, 1.0, 1.0, 0.0, 0.3, 0.3, 1.0], np.float32)
    x, y = mg.tensor(p, requires_grad=True), torch.tensor(p, requires_grad=True)
    ours = mg.binary_cross_entropy(x, t, reduction="none")
    theirs = torch.nn.functional.binary_cross_entropy(y, torch.tensor(t), reduction="none")
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-6)
    theirs.sum().backward()
    np.testing.assert_allclose(mg.grad(ours.sum(), x)[0].numpy(), y.grad.numpy(), rtol=1e-5)
