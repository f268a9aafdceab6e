"""NumPy's functions on Tensors: the value that NumPy gives, the derivative of our op, and a clear no for everything else."""

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError, GraphError

NUMPY = tuple(map(int, np.__version__.split(".")[:2]))
rng = np.random.default_rng(0)
M, V, W = rng.uniform(0.6, 0.9, (2, 3)), rng.uniform(0.6, 0.9, 3), rng.uniform(0.6, 0.9, 3)
PICKS = np.array([[0, 2, 1]])

# A call on one array (v: three numbers, m: two rows of three), and whether it is smooth.
ON_ONE = {
    "sum": lambda m: np.sum(m),
    "sum, axis": lambda m: np.sum(m, 0),
    "sum, kept": lambda m: np.sum(m, axis=1, keepdims=True),
    "sum, by place": lambda m: np.sum(m, 0, None, None, True),
    "mean": lambda m: np.mean(m, (0, 1)),
    "prod": lambda m: np.prod(m, axis=1),
    "var": lambda m: np.var(m, 0, ddof=1),
    "std": lambda m: np.std(m, axis=-1),
    "max": lambda m: np.max(m, axis=0),
    "amax": lambda m: np.amax(m),
    "min": lambda m: np.min(m),
    "cumsum": lambda m: np.cumsum(m, 1),
    "clip": lambda m: np.clip(m, 0.7, 0.8),
    "clip, above": lambda m: np.clip(m, None, 0.8),
    "clip, by name": lambda m: np.clip(m, a_max=0.8, a_min=None),
    "clip, new names": lambda m: np.clip(m, max=0.8),
    "reshape": lambda m: np.reshape(m, (3, 2)),
    "ravel": lambda m: np.ravel(m),
    "transpose": lambda m: np.transpose(m),
    "transpose, axes": lambda m: np.transpose(m, (1, 0)),
    "swapaxes": lambda m: np.swapaxes(m, 0, 1),
    "moveaxis": lambda m: np.moveaxis(m, 0, -1),
    "expand_dims": lambda m: np.expand_dims(m, (0, 2)),
    "squeeze": lambda m: np.squeeze(m[:1]),
    "broadcast_to": lambda m: np.broadcast_to(m, (2, 2, 3)),
    "concatenate": lambda m: np.concatenate([m, M], axis=1),
    "concatenate, flat": lambda m: np.concatenate((m, m), axis=None),
    "stack": lambda m: np.stack([M, m], -1),
    "split": lambda m: np.split(m, [1], axis=1)[1],
    "split, equal": lambda m: np.split(m, 3, 1)[2],
    "pad": lambda m: np.pad(m, 1, constant_values=2.0),
    "pad, edge": lambda m: np.pad(m, ((0, 1), (1, 0)), mode="edge"),
    "flip": lambda m: np.flip(m, 0),
    "roll": lambda m: np.roll(m, 1, axis=1),
    "repeat": lambda m: np.repeat(m, 2, axis=0),
    "tile": lambda m: np.tile(m, (2, 1)),
    "tril": lambda m: np.tril(m),
    "triu": lambda m: np.triu(m, 1),
    "take": lambda m: np.take(m, [2, 0], axis=1),
    "take_along_axis": lambda m: np.take_along_axis(m, PICKS, 1),
    "take_along_axis, last": lambda m: np.take_along_axis(m, PICKS),
    "diagonal": lambda m: np.diagonal(m, 1),
    "trace": lambda m: np.trace(m),
    "where": lambda m: np.where(M > 0.75, m, 0.0),
    "where, second": lambda m: np.where(M > 0.75, M, m),
    "dot": lambda m: np.dot(m, V),
    "outer": lambda m: np.outer(V, m),
    "tensordot": lambda m: np.tensordot(m, M, 2),
    "tensordot, axes": lambda m: np.tensordot(M, m, axes=([0], [0])),
    "einsum": lambda m: np.einsum("ij,j->i", m, V),
    "einsum, optimize": lambda m: np.einsum("ij,kj", m, M, optimize=True),
    "matmul": lambda m: np.matmul(m, V),
    "linalg.norm": lambda m: np.linalg.norm(m),
    "linalg.norm, rows": lambda m: np.linalg.norm(m, 2, axis=1),
    "linalg.norm, Frobenius": lambda m: np.linalg.norm(m, "fro"),
    "linalg.matmul": lambda m: np.linalg.matmul(m, V),
    "round": lambda m: np.round(m, 1),
    "around": lambda m: np.around(m),
    "array @": lambda m: M.T @ m,
    "array **": lambda m: V**m,
    "array %": lambda m: (V + 2) % m,
    "array //": lambda m: (V + 2) // m,
    "array /": lambda m: V / m,
    "number -": lambda m: V[0] - m,
    **{
        name: lambda m, name=name: getattr(np, name)(m)
        for name in (
            "exp expm1 log log1p sqrt square sin cos tan sinh cosh tanh arcsin arccos arctan reciprocal negative positive "
            "absolute abs fabs sign floor rint"
        ).split()
    },
    **{
        name: lambda m, name=name: getattr(np, name)(m, V) * getattr(np, name)(W, m)
        for name in (
            "add subtract multiply divide true_divide power logaddexp maximum minimum remainder mod floor_divide"
        ).split()
    },
}
CONSTANT_STEPS = ("sign", "floor", "rint", "round", "around", "floor_divide", "array //")


NEWER = {"clip, new names": (2, 1), "take_along_axis, last": (2, 3)}  # NumPy's own function takes this call from here on


@pytest.mark.parametrize("name", ON_ONE)
def test_a_function_gives_numpys_value_and_has_derivatives(name):
    if NEWER.get(name, NUMPY) > NUMPY:
        pytest.skip("a newer NumPy is needed for NumPy's own function to take this call")
    call = ON_ONE[name]
    want, x = call(M), mg.tensor(M, requires_grad=True)
    y = call(x)
    assert isinstance(y, mg.Tensor) and y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-12, atol=1e-14)
    constant = call(mg.tensor(M))
    assert isinstance(constant, mg.Tensor) and not constant.requires_grad
    np.testing.assert_array_equal(constant.numpy(), y.detach().numpy())
    (g,) = mg.grad(y.sum(), x)
    assert (name in CONSTANT_STEPS) == (not g.data.any())
    mg.gradcheck(call, M, order=2)


def test_numpy_code_is_differentiable_as_it_stands():
    def loss(x):
        z = np.exp(-(np.linalg.norm(x[:, None] - x[None], axis=-1) ** 2))
        return np.mean(np.where(z > 0.5, z, 0.5 * z)) + np.sum(np.concatenate([x, 2 * x])) / np.max(np.abs(x))

    points = rng.standard_normal((4, 2))
    assert float(loss(mg.tensor(points))) == pytest.approx(loss(points))
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert mg.grad((x * np.dot(x, x)).sum(), x)[0].tolist() == [11, 17]
    mg.gradcheck(lambda x: np.sum(np.tanh(x @ V) * np.sqrt(np.sum(x * x, 1))), M, order=2)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.partition(x, 1),
        lambda x: np.nanmedian(x),
        lambda x: np.dstack([x, x]),
        lambda x: np.sinc(x),
        lambda x: np.linalg.pinv(x @ x.T),
        lambda x: np.add.reduce(x),
        lambda x: np.multiply.outer(x, x),
        lambda x: np.add(x, 1, dtype="f4"),
        lambda x: np.modf(x),
        lambda x: np.sqrt(x, casting="safe"),
        lambda x: np.average([x, x]),
        lambda x: np.full_like(M, x[0, 0]),
        np.copy,
        lambda x: np.linalg.trace(x),
        lambda x: np.save("never.npy", x),
        lambda x: np.einsum_path("ij->i", x),
    ],
)
def test_what_has_no_op_is_refused_in_a_graph_and_computed_outside(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GraphError, match=r"np\.\S+.* the graph|np\.\S+.*derivative of the Tensor .* would be lost.*detach"):
        call(mg.tensor(M, requires_grad=True))
    assert not list(tmp_path.iterdir())

    def flat(y):
        parts = y if isinstance(y, (tuple, list)) else [y]
        return [np.asarray(part, float) for part in parts if not isinstance(part, (str, list)) and part is not None]

    for got, want in zip(flat(call(mg.tensor(M))), flat(call(M)), strict=True):
        np.testing.assert_array_equal(got, want)
    with mg.no_grad():
        call(mg.tensor(M, requires_grad=True))


@pytest.mark.parametrize(
    "call, argument",
    [
        (lambda x: np.sum(x, dtype=np.float32), "dtype"),
        (lambda x: np.sum(x, where=M > 0.7), "where"),
        (lambda x: np.sum(x, 0, np.float32), "dtype"),
        (lambda x: np.var(x, correction=1), "correction"),
        (lambda x: np.reshape(x, (3, 2), order="F"), "order"),
        (lambda x: np.take(x, [9], mode="clip"), "mode"),
        (lambda x: np.sum(x, out=np.zeros(())), "out"),
        (lambda x: np.concatenate([x, x], dtype="f4"), "dtype"),
        (lambda x: np.max(x, initial=5.0), "initial"),
    ],
)
def test_an_argument_that_the_op_has_not_is_named_in_a_graph_and_taken_outside(call, argument):
    with pytest.raises(ConfigError, match=rf"np\.\w+: minigan's \w+ has no argument '{argument}'"):
        call(mg.tensor(M, requires_grad=True))
    y = call(mg.tensor(M))
    assert isinstance(y, (mg.Tensor, np.ndarray))
    np.testing.assert_array_equal(np.asarray(y), call(M))


def test_numpys_other_modes_are_numpys_outside_a_graph():
    np.testing.assert_array_equal(np.asarray(np.reshape(mg.tensor(M), (3, 2), order="F")), np.reshape(M, (3, 2), order="F"))
    np.testing.assert_array_equal(np.asarray(np.clip(mg.tensor(V), a_min=0.7, a_max=0.8, casting="safe")), np.clip(V, 0.7, 0.8))


def test_a_norm_that_there_is_not():
    with pytest.raises(ConfigError, match="no norm ord=3 over 2 axes"):
        np.linalg.norm(mg.tensor(M, requires_grad=True), 3)


@pytest.mark.parametrize(
    "call",
    [
        np.isnan,
        np.isfinite,
        np.shape,
        np.ndim,
        np.size,
        np.argsort,
        np.nonzero,
        lambda x: np.argmax(x, 1),
        lambda x: np.allclose(x, M),
        lambda x: np.any(x > 0.7),
        lambda x: np.all(x),
        lambda x: np.where(x > 0.7),
        np.zeros_like,
        np.ones_like,
        lambda x: np.full_like(x, 2.0),
        lambda x: np.logical_not(x),
        lambda x: np.less(x, 0.7),
        lambda x: x < V,
        lambda x: V < x,  # noqa: SIM300
        lambda x: V[0] >= x,
        lambda x: (x > 0.7) & (M < 0.8),
        lambda x: (M < 0.8) & (x > 0.7),
        lambda x: ~(x > 0.7),
        lambda x: np.count_nonzero(x),
        lambda x: np.array2string(x),
        lambda x: np.isclose(x, V),
        lambda x: np.searchsorted(V, x),
    ],
)
def test_what_has_no_derivative_is_numpys_also_in_a_graph(call):
    y, want = call(mg.tensor(M, requires_grad=True)), call(M)
    assert not isinstance(y, mg.Tensor) or not y.requires_grad
    if isinstance(want, (str, tuple)):
        assert str(y) == str(want)
    else:
        np.testing.assert_array_equal(np.asarray(y), want)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.copyto(t, 0.0),
        lambda t: np.fill_diagonal(t, 0.0),
        lambda t: np.put(t, 0, 1.0),
        lambda t: np.add(t, 1, out=t),
        lambda t: np.add.at(t, (0, 0), 1.0),
        lambda t: np.sum(t, 0, out=t[0]),
        lambda t: np.add(M, 1, out=t),
    ],
)
def test_numpy_does_not_write_into_a_tensor(call):
    t = mg.tensor(M)
    with pytest.raises(GraphError, match=r"np\.[\w.]+ would change a Tensor"):
        call(t)
    np.testing.assert_array_equal(t.data, M)


def test_an_array_that_takes_the_result():
    array, x = M.copy(), mg.tensor(M, requires_grad=True)
    with pytest.raises(GraphError, match=r"np.add: the derivative would be lost in the array.*array \+= tensor"):
        array += x
    array += x.detach()
    np.testing.assert_array_equal(array, M + M)
    assert np.multiply(x.detach(), 3.0, out=array) is array
    np.testing.assert_array_equal(array, M * 3)


def test_two_floats_do_not_mix_through_numpy_either():
    with pytest.raises(TypeError, match="multiply: dtypes do not mix"):
        np.ones(2) * mg.ones(2)
    assert (np.float64(2) * mg.ones(2)).dtype == np.float32
