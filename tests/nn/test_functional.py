"""torch.nn.functional's names and arguments: those written out here against formulas, the surface against torch."""

import inspect
import math

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError, ShapeError
from minigan.gradcheck import gradcheck
from minigan.nn import functional as F

X = np.random.default_rng(0).normal(size=(3, 4, 5)) * 4


@pytest.mark.parametrize("beta, threshold", [(1.0, 20.0), (2.5, 20.0), (0.5, 20.0), (1.0, 3.0), (2.0, 1.0)])
def test_softplus_is_its_formula_and_a_line_beyond_the_threshold(beta, threshold):
    expected = np.array([x if x * beta > threshold else math.log1p(math.exp(x * beta)) / beta for x in X.flat])
    np.testing.assert_allclose(F.softplus(X, beta, threshold), expected.reshape(X.shape), rtol=1e-12)
    gradcheck(lambda x: F.softplus(x, beta, threshold), X, order=2)
    assert F.softplus(mg.tensor([1e4, -1e4]), beta, threshold).tolist() == [1e4, 0.0]


def test_logsigmoid_is_its_formula_and_finite_for_any_logit():
    np.testing.assert_allclose(F.logsigmoid(X), np.log(1 / (1 + np.exp(-X))), rtol=1e-12)
    gradcheck(F.logsigmoid, X, order=2)
    x = mg.tensor([1e4, -1e4], requires_grad=True)
    y = F.logsigmoid(x)
    assert y.tolist() == [0.0, -1e4] and mg.grad(y.sum(), x)[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_goes_along_dim(dim):
    p = np.exp(X) / np.exp(X).sum(dim, keepdims=True)
    np.testing.assert_allclose(F.softmax(X, dim), p, rtol=1e-12)
    np.testing.assert_allclose(F.log_softmax(X, dim=dim), np.log(p), rtol=1e-10)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize_gives_length_one_along_dim_and_survives_length_zero(dim):
    np.testing.assert_allclose(F.normalize(X, dim=dim), X / np.sqrt((X * X).sum(dim, keepdims=True)), rtol=1e-12)
    gradcheck(lambda x: F.normalize(x, dim=dim), X, order=2)
    zero = mg.zeros((2, 3), requires_grad=True)
    y = F.normalize(zero)
    assert y.tolist() == [[0, 0, 0]] * 2 and np.isfinite(mg.grad(y.sum(), zero)[0].numpy()).all()


def test_instance_norm_is_its_formula():
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 4))
    weight, bias = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.0, -0.5])
    mean, var = x.mean((2, 3), keepdims=True), x.var((2, 3), keepdims=True)
    expected = (x - mean) / np.sqrt(var + 1e-3) * weight[:, None, None] + bias[:, None, None]
    np.testing.assert_allclose(F.instance_norm(x, weight=weight, bias=bias, eps=1e-3), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "pad, widths",
    [
        ((1, 2), ((0, 0), (0, 0), (1, 2))),
        ((1, 0, 2, 3), ((0, 0), (2, 3), (1, 0))),
        ((0, 0, 0, 0, 1, 1), ((1, 1), (0, 0), (0, 0))),
    ],
)
@pytest.mark.parametrize(
    "mode, numpys", [("constant", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
def test_pad_counts_from_the_last_axis(pad, widths, mode, numpys):
    assert np.array_equal(F.pad(X, pad, mode), np.pad(X, widths, mode=numpys))
    gradcheck(lambda x: F.pad(x * x, pad, mode), X, order=2)


def test_pad_fills_with_value_and_cuts_where_negative():
    assert F.pad(np.ones((1, 2)), [1, -1], value=7.0).tolist() == [[7.0, 1.0]]
    assert np.array_equal(F.pad(X, (-1, -2, 0, -1)), X[:, :-1, 1:-2])
    assert np.array_equal(F.pad(X, (-2, 1), "replicate"), np.pad(X[:, :, 2:], ((0, 0), (0, 0), (0, 1)), mode="edge"))
    gradcheck(lambda x: F.pad(x * x, (-1, 2)), X, order=2)


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: F.pad(X, (1,)), ShapeError, r"pad=\(1,\) must be pairs"),
        (lambda: F.pad(X, (1,) * 8), ShapeError, "at most the 3 axes"),
        (lambda: F.pad(X, (-3, -3)), ShapeError, "cuts more than there is on axis 2"),
        (lambda: F.pad(X, (1, 1), "mirror"), ConfigError, "'constant', 'reflect', 'replicate', 'circular', not 'mirror'"),
        (lambda: F.pad(X, (5, 0), "reflect"), ShapeError, "too wide for axis 2 of size 5"),
        (lambda: F.normalize(X, p="one"), ConfigError, "ord must be a number"),
        (lambda: F.instance_norm(X, np.zeros(4), np.ones(4)), ConfigError, "running statistics are not kept"),
    ],
)
def test_mistakes_are_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_dropout_in_evaluation_changes_nothing():
    assert np.array_equal(F.dropout(X, 0.5, training=False), X)
    kept = F.dropout(np.ones((100, 100)), 0.25)
    assert set(np.unique(kept)) == {0.0, 1 / 0.75} and abs((kept == 0).mean() - 0.25) < 0.02


# ---------------------------------------------------------------------------------------------------------- torch ---

PUBLIC = sorted(
    name
    for name, value in vars(F).items()
    if callable(value) and not name.startswith("_") and not inspect.isclass(value) and name != "plain"
)
LEFT_OUT = {
    "size_average",
    "reduce",
    "inplace",
    "divisor_override",
    "recompute_scale_factor",
    "antialias",
    "_stacklevel",
    "dtype",
    "out",
    "max_norm",
    "norm_type",
    "scale_grad_by_freq",
    "sparse",
}
# These differ in more:
OTHER = {"one_hot": "num_classes is required, and dtype may be chosen"}


def test_there_is_something_to_compare():
    assert {"conv2d", "max_pool2d", "cross_entropy", "interpolate", "softplus", "batch_norm", "dropout"} <= set(PUBLIC)


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - set(OTHER)))
def test_arguments_and_their_order_are_torchs(name):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn.functional, name)
    try:
        theirs = list(inspect.signature(theirs).parameters)
    except ValueError:  # a built-in: its docstring begins with the signature
        theirs = [
            part.split("=")[0].split(":")[0].strip(" *\n") for part in theirs.__doc__.split(")")[0].split("(")[1].split(",")
        ]
    if theirs == ["args", "kwargs"]:  # chosen by return_indices: look at the function behind
        theirs = list(inspect.signature(getattr(torch.nn.functional, f"_{name}")).parameters)
    ours = list(inspect.signature(getattr(F, name)).parameters)
    left_out = LEFT_OUT | ({"return_indices"} - set(ours))
    theirs = [argument for argument in theirs if argument and argument not in left_out]
    assert ours == theirs[: len(ours)]  # a newer torch may have more at the end


def agree_with_torch(torch, name, x, *options, **more):
    for dtype, value, gradient in ((np.float32, 1e-5, 1e-4), (np.float64, 1e-10, 1e-10)):
        a = mg.tensor(x.astype(dtype), requires_grad=True)
        b = torch.tensor(x.astype(dtype), requires_grad=True)
        y, t = getattr(F, name)(a, *options, **more), getattr(torch.nn.functional, name)(b, *options, **more)
        assert y.shape == tuple(t.shape) and y.dtype == dtype
        np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=value, atol=value)
        g = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
        np.testing.assert_allclose(
            mg.grad(y, a, mg.tensor(g))[0].numpy(),
            torch.autograd.grad(t, b, torch.tensor(g))[0].numpy(),
            rtol=gradient,
            atol=gradient,
        )


@pytest.mark.parametrize(
    "name, options, more",
    [
        ("relu", (), {}),
        ("leaky_relu", (0.2,), {}),
        ("elu", (0.7,), {}),
        ("gelu", (), {}),
        ("silu", (), {}),
        ("gelu", (), {"approximate": "tanh"}),
        ("sigmoid", (), {}),
        ("tanh", (), {}),
        ("logsigmoid", (), {}),
        ("softplus", (), {}),
        ("softplus", (2.5, 3.0), {}),
        ("softmax", (1,), {}),
        ("log_softmax", (), {"dim": -1}),
        ("normalize", (), {}),
        ("normalize", (), {"dim": -1, "eps": 3.0}),
        ("instance_norm", (), {"eps": 0.1}),
        ("layer_norm", ((4, 5),), {}),
        ("group_norm", (2,), {"eps": 0.1}),
        ("pad", ((1, 2),), {"value": 3.0}),
        ("pad", ((-1, 2, 1, -1),), {}),
        ("pad", ((2, 1), "reflect"), {}),
        ("pad", ((2, 1), "replicate"), {}),
    ],
)
def test_values_and_gradients_are_torchs(name, options, more):
    agree_with_torch(pytest.importorskip("torch"), name, X, *options, **more)


def test_sequential_refuses_a_list_instead_of_becoming_the_identity():
    from minigan import nn

    with pytest.raises(TypeError, match=r"write Sequential\(\*layers\)"):
        nn.Sequential([nn.Linear(2, 2)])
