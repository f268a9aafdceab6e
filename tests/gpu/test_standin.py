"""The stand-in for CuPy refuses what CuPy refuses, and counts what costs time: with NumPy each of these lines would pass."""

import ast
import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest

import minigan as mg

SURFACE = Path(__file__).parents[1] / "cupy_surface.py"


@pytest.fixture
def cp(card):
    import cupy

    return cupy


@pytest.fixture
def x(cp, card):
    array = cp.asarray(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    card.counts.reset()
    return array


HOST = np.ones(3, np.float32)

# (what happens, the error that CuPy raises, what is done with x, an array (2, 3) on the device)
REFUSED = [
    ("np.asarray", TypeError, lambda cp, x: np.asarray(x)),
    ("np.array of a list with one", TypeError, lambda cp, x: np.array([x])),
    ("assigned to a host array", TypeError, lambda cp, x: HOST.copy().__setitem__(slice(None), x[0])),
    ("as the index of a host array", (TypeError, IndexError), lambda cp, x: HOST[x[0].astype(int)]),
    ("range", TypeError, lambda cp, x: range(x[0, 0].astype(int))),
    ("index of a list", TypeError, lambda cp, x: [1, 2][x[0, 1].astype(int)]),
    ("size of zeros", TypeError, lambda cp, x: cp.zeros(x[0, 0].astype(int))),
    ("bound of a slice", TypeError, lambda cp, x: x[: x[0, 1].astype(int)]),
    ("round()", TypeError, lambda cp, x: round(x[0, 0])),
    ("hash", TypeError, lambda cp, x: hash(x)),
    ("setflags", AttributeError, lambda cp, x: x.setflags(write=False)),
    ("resize", AttributeError, lambda cp, x: x.resize(6)),
    ("plus a host array", TypeError, lambda cp, x: x + HOST),
    ("a host array plus it", TypeError, lambda cp, x: HOST + x),
    ("plus a list", TypeError, lambda cp, x: x + [1.0, 2.0, 3.0]),
    ("compared with a host array", TypeError, lambda cp, x: x > HOST),
    ("added in place", TypeError, lambda cp, x: x.__iadd__(HOST)),
    ("matmul with a host array", TypeError, lambda cp, x: x @ HOST),
    ("ufunc of a list", TypeError, lambda cp, x: cp.exp([1.0])),
    ("ufunc of a number", TypeError, lambda cp, x: cp.exp(1.0)),
    ("cp.sum of a host array", TypeError, lambda cp, x: cp.sum(HOST)),
    ("concatenate with a host array", TypeError, lambda cp, x: cp.concatenate([x[0], HOST])),
    ("where with a host condition", AttributeError, lambda cp, x: cp.where(True, x, 0)),
    ("where with a host branch", TypeError, lambda cp, x: cp.where(x > 0, x, HOST)),
    ("NumPy's function with both", TypeError, lambda cp, x: np.concatenate([x[0], HOST])),
    ("host array assigned", ValueError, lambda cp, x: x.__setitem__(0, HOST)),
    ("list assigned", TypeError, lambda cp, x: x.__setitem__(0, [1.0, 2.0, 3.0])),
    ("out on the host", TypeError, lambda cp, x: cp.exp(x[0], out=HOST.copy())),
    ("set of another dtype", TypeError, lambda cp, x: x.set(np.zeros((2, 3)))),
    ("set of another shape", ValueError, lambda cp, x: x.set(np.zeros(6, np.float32))),
    ("array of a list of arrays", TypeError, lambda cp, x: cp.array([x[0], x[1]])),
    ("strings", ValueError, lambda cp, x: cp.asarray(["a"])),
    # what CuPy copies behind one's back
    ("index by a host array", TypeError, lambda cp, x: x[np.array([0, 1])]),
    ("index by a list", TypeError, lambda cp, x: x[[0, 1]]),
    ("assignment by a list", TypeError, lambda cp, x: x.__setitem__([0], 1)),
    ("take of a list", TypeError, lambda cp, x: x.take(np.array([0]))),
    # what CuPy does in silence
    ("index out of bounds", IndexError, lambda cp, x: x[cp.asarray(np.array([2]))]),
    ("negative index out of bounds", IndexError, lambda cp, x: x[cp.asarray(np.array([-3]))]),
    ("added out of bounds", IndexError, lambda cp, x: cp.add.at(x, cp.asarray(np.array([2])), 1.0)),
    ("two values for one place", IndexError, lambda cp, x: x.__setitem__(cp.asarray(np.array([0, 0])), x + 1)),
    ("writing into a broadcast view", ValueError, lambda cp, x: cp.broadcast_to(x, (4, 2, 3)).__setitem__(0, 1)),
    ("adding into a broadcast view", ValueError, lambda cp, x: cp.broadcast_to(x, (4, 2, 3)).__iadd__(1)),
    # functions and arguments that are not there
    *(
        (f"cp.{name}", AttributeError, lambda cp, x, name=name: getattr(cp, name))
        for name in "errstate block insert unstack vecdot matvec geomspace nditer ndenumerate einsum_path frompyfunc".split()
    ),
    *((f"sum with {name}", TypeError, lambda cp, x, name=name: x.sum(**{name: 0})) for name in ("where", "initial")),
    *((f"cp.max with {name}", TypeError, lambda cp, x, name=name: cp.max(x, **{name: 0})) for name in ("where", "initial")),
    *((f"cp.var with {name}", TypeError, lambda cp, x, name=name: cp.var(x, **{name: 0})) for name in ("mean", "correction")),
    ("clip with min", TypeError, lambda cp, x: cp.clip(x, min=0)),
    ("argsort with stable", TypeError, lambda cp, x: cp.argsort(x, stable=True)),
    ("take with mode", TypeError, lambda cp, x: cp.take(x, 0, mode="clip")),
    ("zeros with device", TypeError, lambda cp, x: cp.zeros(3, device="cpu")),
    ("zeros with like", TypeError, lambda cp, x: cp.zeros(3, like=x)),
    ("reshape with shape", TypeError, lambda cp, x: cp.reshape(x, shape=(6,))),
    ("ufunc with where", TypeError, lambda cp, x: cp.add(x, 1, where=x > 0)),
    ("add.at of small integers", TypeError, lambda cp, x: cp.add.at(x.astype(np.int16), x[0].astype(int) % 2, 1)),
    ("multiply.at", NotImplementedError, lambda cp, x: cp.multiply.at(x, x[0].astype(int), 2.0)),
    *(
        (f"Generator.{name}", AttributeError, lambda cp, x, name=name: getattr(cp.random.default_rng(0), name))
        for name in "normal permutation permuted shuffle choice bytes spawn bit_generator".split()
    ),
]


@pytest.mark.parametrize("error, use", [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_what_cupy_refuses_or_does_in_silence_is_refused(cp, x, error, use):
    before = x._a.copy()
    with pytest.raises(error):
        use(cp, x)
    assert np.array_equal(x._a, before)


def test_at_equals_on_a_product_rebinds(cp, x):
    y = z = x @ x.T
    y @= y
    assert y is not z  # CuPy has no __imatmul__


def test_what_is_allowed_stays_allowed(cp, x, card):
    assert (np.float32(2) * x + 1 - x / 3).dtype == np.float32
    assert (np.float64(2) * x).dtype == np.float64  # NEP 50: a NumPy number is strong
    assert np.exp(x).__class__ is cp.ndarray and x[0].sum().shape == ()
    x[0] = 7.0
    x[:, cp.asarray(np.array([0, 0]))] = 1.0  # one number for a place named twice is no question
    assert cp.where(x > 0, x, 0).shape == (2, 3) and len(list(x)) == 2
    assert x.reshape(-1).base is x and (x + 1).base is None
    assert x.T.data.ptr == x.data.ptr == x[0].data.ptr and x[1].data.ptr == x.data.ptr + 12


def test_fresh_memory_is_not_zero(cp):
    assert np.isnan(cp.empty((2, 2)).get()).all() and np.isnan(cp.ndarray(3, np.float32).get()).all()
    assert (cp.empty(2, np.int64).get() > 2**40).all()
    assert np.isnan(cp.empty_like(cp.zeros(2)).get()).all()


# ------------------------------------------------------------------------------------------------------- counting ---


def test_a_transfer_that_a_rule_makes_is_counted(card):
    weights = np.array([1.0, 2.0, 3.0], np.float32)
    for rule, h2d in ((lambda g, y, x: g * 2, 0), (lambda g, y, x: g * mg.tensor(weights, device="cuda").data, 1)):
        op = mg.primitive(lambda x: x * 2, rule, name="planted")
        x = mg.tensor(weights, device="cuda", requires_grad=True)
        y = op(x).sum()
        card.counts.reset()
        mg.grad(y, x)
        assert (card.counts.h2d, card.counts.d2h, card.counts.sync) == (h2d, 0, 0) and card.counts.op >= 1


@pytest.mark.parametrize(
    "read", [float, bool, int, str, repr, lambda a: f"{a:.2f}", lambda a: a.item(), lambda a: a.tolist(), lambda a: a.get()]
)
def test_every_way_to_read_a_number_is_a_copy_and_a_wait(x, card, read):
    read(x[0, 1])
    assert card.counts.d2h == card.counts.sync == 1 and card.counts.h2d == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda cp, x: x[x > 0],
        lambda cp, x: cp.nonzero(x),
        lambda cp, x: cp.where(x),
        lambda cp, x: cp.unique(x),
        lambda cp, x: cp.cuda.Stream().synchronize(),
        lambda cp, x: cp.cuda.Event().synchronize(),
        lambda cp, x: cp.cuda.Device().synchronize(),
    ],
)
def test_what_waits_is_counted(cp, x, card, ask):
    ask(cp, x)
    assert card.counts.sync == 1


def test_a_view_is_no_operation_and_a_copy_is_one(cp, x, card):
    x.T, x[0], x[:, None], x.reshape(6), x.transpose(1, 0), cp.broadcast_to(x, (2, 2, 3)), cp.expand_dims(x, 0)
    assert card.counts.op == 0
    x.T.reshape(6)
    assert card.counts.op == 1
    x += 1
    assert card.counts.op == 2
    cp.negative(x[0], out=x[0])  # two views of the same memory: CuPy copies the input first
    assert card.counts.op == 4
    row = x[0]
    cp.negative(row, out=row)
    assert card.counts.op == 5


def test_an_array_without_axes_is_no_contiguous_one(cp):
    assert cp.ascontiguousarray(cp.zeros(())).shape == (1,)


def test_sliding_windows_and_many_small_arrays_are_hidden_transfers(cp, x, card):
    cp.lib.stride_tricks.as_strided(x, (2, 2, 2), (12, 4, 4))
    cp.concatenate([x] * 8)
    assert card.counts.h2d == card.counts.sync == 0
    cp.lib.stride_tricks.sliding_window_view(x, (2, 2))
    assert card.counts.h2d == card.counts.sync == 2
    cp.concatenate([x] * 9)
    assert card.counts.h2d == 3


def test_uploads_are_counted(cp, card):
    cp.asarray(HOST), cp.array([1.0]), cp.zeros(3, np.float32).set(HOST)
    assert card.counts.h2d == 3
    cp.zeros(3), cp.full(3, 2.0), cp.arange(3), cp.eye(3), cp.asarray(cp.ones(2))
    assert card.counts.h2d == 3


# -------------------------------------------------------------------------------------------------------- capturing ---

UNCAPTURABLE = [
    lambda cp, x: x.get(),
    lambda cp, x: float(x[0, 0]),
    lambda cp, x: cp.asarray(HOST),
    lambda cp, x: x[0].set(HOST),
    lambda cp, x: x @ x.T,
    lambda cp, x: cp.dot(x, x.T),
    lambda cp, x: cp.tensordot(x, x),
    lambda cp, x: x.dot(x.T),
    lambda cp, x: cp.einsum("ij,kj->ik", x, x),
    lambda cp, x: x[x > 0],
    lambda cp, x: cp.nonzero(x),
    lambda cp, x: cp.random.normal(size=3),
    lambda cp, x: cp.random.default_rng(0).standard_normal(3),
    lambda cp, x: cp.cuda.get_current_stream().synchronize(),
    lambda cp, x: cp.cuda.Stream().done,
    lambda cp, x: cp.cuda.alloc_pinned_memory(8),
    lambda cp, x: __import__("cupyx").empty_pinned(3),
    lambda cp, x: cp.concatenate([x] * 9),
]


@pytest.mark.parametrize("use", UNCAPTURABLE)
def test_what_a_graph_cannot_hold_is_refused(cp, x, card, use):
    with card.capturable(), pytest.raises(NotImplementedError, match="CUDA graph"):
        use(cp, x)
    stream, pool = cp.cuda.Stream(non_blocking=True), cp.cuda.MemoryPool()
    with stream, cp.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        try:
            with pytest.raises(NotImplementedError, match="CUDA graph"):
                use(cp, x)
        finally:
            with pytest.raises(RuntimeError, match="CaptureInvalidated"):
                stream.end_capture()


def captured(cp, function):
    stream, pool = cp.cuda.Stream(non_blocking=True), cp.cuda.MemoryPool()
    with stream, cp.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        function()
        return stream.end_capture(), pool


def test_a_graph_does_later_in_the_same_memory_what_was_captured(cp, x):
    total, kept = cp.zeros(3, np.float32), {}

    def step():
        kept["y"] = cp.exp(x).sum(axis=0) * 2
        total[...] += kept["y"]
        x[0, 0] = 1.0

    before = x.get()
    graph, pool = captured(cp, step)
    assert np.array_equal(x.get(), before) and not total.get().any()  # a capture computes nothing
    assert np.isnan(kept["y"].get()).all()
    expected = np.zeros(3, np.float32)
    for values in (np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)):
        x.set(values)
        graph.launch()
        expected += np.exp(values).sum(axis=0) * 2
        np.testing.assert_allclose(total.get(), expected, rtol=1e-6)
        assert x.get()[0, 0] == 1.0
    assert np.isfinite(kept["y"].get()).all()
    del pool
    assert np.isnan(kept["y"].get()).all()  # a pool that is gone has taken its arrays' memory along


def test_a_capture_wants_a_stream_and_a_pool_of_its_own(cp, x):
    with pytest.raises(RuntimeError, match="default"):
        cp.cuda.Stream.null.begin_capture()
    stream = cp.cuda.Stream()
    with pytest.raises(RuntimeError, match="not the current"):
        stream.begin_capture()
    with stream:
        stream.begin_capture()
        with pytest.raises(RuntimeError, match="default pool"):
            x + 1
        stream.end_capture()


# ---------------------------------------------------------------------------------------------------------- devices ---


def test_arrays_of_two_devices_do_not_meet(cp, card, monkeypatch):
    monkeypatch.setattr(card.machine, "cards", 2)
    a = cp.zeros(2)
    with cp.cuda.Device(1):
        b = cp.zeros(2)
        assert b.device.id == 1
        with pytest.raises(ValueError, match="current device"):
            a + 1
        assert a.copy().device.id == 1
        with pytest.raises(ValueError, match="current device"):
            a[...] = 1
    with pytest.raises(ValueError, match="current device"):
        a + b
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match="invalid device"):
        cp.cuda.Device(2).use()


def test_kernels_take_exact_types_only(cp, x):
    kernel = cp.RawModule(code="").get_function("f")
    for args in ((x, 3), (x, 0.5), (x, HOST)):
        with pytest.raises(TypeError, match="as an argument"):
            kernel((1,), (32,), args)
    with pytest.raises(TypeError, match="tuple"):
        kernel(1, (32,), (x,))
    with pytest.raises(ValueError, match="1024"):
        kernel((1,), (2048,), (x,))


# --------------------------------------------------------------------------------------------------------- the real ---


def asked_of_modules(source):
    """The names that a program asks of an array module: xp(x).name, and m.name where m = xp(x) in the same function."""
    is_xp = lambda node: isinstance(node, ast.Call) and getattr(node.func, "id", "") == "xp"
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, (ast.FunctionDef, ast.Lambda)):
            continue
        nodes, modules = list(ast.walk(function)), set()
        for node in nodes:
            if isinstance(node, ast.Assign):
                for target, value in (
                    (node.targets[0], node.value),
                    *zip(getattr(node.targets[0], "elts", ()), getattr(node.value, "elts", ())),
                ):
                    if is_xp(value):
                        modules.add(getattr(target, "id", None))
        for node in nodes:
            if isinstance(node, ast.Attribute) and (is_xp(node.value) or getattr(node.value, "id", "") in modules):
                yield node.attr


def test_every_function_that_minigan_asks_of_an_array_module_is_cupys():
    surface = json.loads((SURFACE.parent / "fakecupy" / "surface.json").read_text())["cupy"]
    asked = {name for path in Path(mg.__file__).parent.rglob("*.py") for name in asked_of_modules(path.read_text())}
    assert len(asked) > 40 and asked <= set(surface)
    planted = "def f(x):\n    m, n = xp(x), 3\n    return m.nanpercentile(x) + xp(x).exp(x)"
    assert set(asked_of_modules(planted)) - set(surface) == {"nanpercentile"}


def test_the_snapshot_is_what_the_installed_cupy_says():
    if not any(name.startswith("cupy-cuda") for name in packages_distributions().get("cupy", [])):
        pytest.skip("the real CuPy is not installed: pip install '.[test-gpu]'")
    checked = subprocess.run([sys.executable, SURFACE, "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
