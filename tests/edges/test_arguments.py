"""Arguments as NumPy takes them: lists, numbers, NumPy's integers; none by half: a line that names op and argument."""

import warnings

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import ConfigError, DTypeError, MiniganError, OutOfBoundsError, ShapeError
from minigan.nn import functional as F

X = mg.ones((2, 3))
N = np.int64


def test_lists_and_numbers_are_taken_as_numpy_takes_them():
    assert mg.sum([1, 2]) == 3 and mg.mean([[1.0, 2.0], [3.0, 4.0]], 0).tolist() == [2.0, 3.0]
    assert mg.stack([[1.0], [2.0]]).tolist() == [[1.0], [2.0]]
    assert mg.concatenate([[1], [2, 3]]).tolist() == [1, 2, 3]
    assert mg.add([1, 2], [3, 4]).tolist() == [4, 6] and mg.multiply([1, 2], 2).tolist() == [2, 4]  # not lists joined, repeated
    assert mg.dot(X, 2.0).tolist() == [[2.0] * 3] * 2 and mg.dot(2.0, 3) == 6 and mg.exp(0) == 1
    assert mg.matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist() == [[11.0]]
    assert mg.reshape([1, 2, 3, 4], (2, 2)).tolist() == [[1, 2], [3, 4]] and mg.max([3, 1, 2]) == 3
    assert mg.where([True, False], [1.0, 2.0], [3.0, 4.0]).tolist() == [1.0, 4.0]
    assert F.mse_loss([1.0, 2.0], [1.0, 4.0]) == 2 and F.softmax([1.0, 1.0], 0).tolist() == [0.5, 0.5]
    assert nn.Linear(3, 2)([1.0, 2.0, 3.0]).shape == (2,)
    a = mg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    y = mg.stack([a, [3.0, 4.0]])
    assert y.dtype == np.float64 and mg.grad((y * y).sum(), a)[0].tolist() == [2.0, 4.0]
    assert isinstance(mg.dot([1.0, 2.0], a), mg.Tensor)


@pytest.mark.parametrize(
    "call, shape",
    [
        (lambda: mg.reshape(mg.ones((1, 2, 3, 4)), -1), (24,)),
        (lambda: mg.ones((1, 2, 3, 4)).reshape(N(24)), (24,)),
        (lambda: mg.reshape(X, N(6)), (6,)),
        (lambda: mg.reshape(X, (N(3), N(-1))), (3, 2)),
        (lambda: mg.reshape(X, [3, 2]), (3, 2)),
        (lambda: nn.Conv2d(N(3), N(8), N(3), N(2), N(1), N(1), N(1))(mg.ones((1, 3, 5, 5))), (1, 8, 3, 3)),
        (lambda: nn.Conv1d(N(3), 8, N(3))(mg.ones((1, 3, 5))), (1, 8, 3)),
        (lambda: mg.conv2d(mg.ones((1, 4, 5, 5)), mg.ones((2, 2, 3, 3)), groups=N(2), padding=(N(1), N(0))), (1, 2, 5, 3)),
        (lambda: mg.max_pool2d(mg.ones((1, 1, 4, 4)), N(2)), (1, 1, 2, 2)),
        (lambda: mg.split(X, N(3), N(1))[0], (2, 1)),
        (lambda: mg.split(X, np.array([1]), 1)[1], (2, 2)),
        (lambda: mg.tile(X, N(2)), (2, 6)),
        (lambda: mg.tile(X, (N(2), N(1))), (4, 3)),
        (lambda: nn.LayerNorm(N(3))(X), (2, 3)),
        (lambda: nn.LayerNorm((N(2), N(3)))(X), (2, 3)),
        (lambda: mg.sum(X, N(0)), (3,)),
        (lambda: mg.layer_norm(X, N(3)), (2, 3)),
        (lambda: mg.group_norm(X, N(3)), (2, 3)),
        (lambda: mg.softmax(X, N(1)), (2, 3)),
        (lambda: mg.repeat(X, N(2), N(0)), (4, 3)),
        (lambda: mg.roll(X, N(1), N(0)), (2, 3)),
        (lambda: mg.one_hot([0, 1], N(3)), (2, 3)),
        (lambda: mg.tensordot(X, X.T, N(1)), (2, 2)),
        (lambda: F.pad(X, (N(1), N(0))), (2, 4)),
        (lambda: mg.ones((N(2), N(0))), (2, 0)),
        (lambda: nn.Embedding(N(4), N(2), N(1))(np.array([1])), (1, 2)),
        (lambda: nn.Linear(N(3), N(2))(X), (2, 2)),
        (lambda: mg.transpose(X, np.array([1, 0]).tolist()), (3, 2)),
        (lambda: mg.unfold(mg.ones((1, 1, 3, 3)), N(2)), (1, 4, 4)),
        (lambda: mg.interpolate(mg.ones((1, 1, 2, 2)), N(3)), (1, 1, 3, 3)),
        (lambda: nn.ZeroPad2d(N(1))(mg.ones((1, 1, 2, 2))), (1, 1, 4, 4)),
        (lambda: nn.Unflatten(1, (N(3), N(1)))(X), (2, 3, 1)),
        (lambda: mg.pixel_shuffle(mg.ones((1, 4, 1, 1)), N(2)), (1, 1, 2, 2)),
    ],
)
def test_numpys_integers_are_sizes_axes_and_kernels(call, shape):
    assert call().shape == shape


REFUSED = [
    (lambda: mg.argmax(X, (0, 1)), DTypeError, r"argmax: axis must be one int, got \(0, 1\)"),
    (lambda: mg.stack([X, X], (0, 1)), DTypeError, r"stack: axis must be one int, got \(0, 1\)"),
    (lambda: mg.cumsum(X, (0, 1)), DTypeError, "cumsum: axis must be one int"),
    (lambda: mg.take(X, 0, (0, 1)), DTypeError, "take: axis must be one int"),
    (lambda: mg.split(X, 1, (0, 1)), DTypeError, "split: axis must be one int"),
    (lambda: mg.concatenate([X, X], (0, 1)), DTypeError, "concatenate: axis must be one int"),
    (lambda: mg.max(X, axis=3), ShapeError, "^max: axis 3 is out of range"),
    (lambda: mg.std(X, axis=3), ShapeError, "^std: axis 3 is out of range"),
    (lambda: mg.prod(X, axis=3), ShapeError, "^prod: axis 3 is out of range"),
    (lambda: mg.logsumexp(X, axis=3), ShapeError, "^logsumexp: axis 3 is out of range"),
    (lambda: mg.sum(X, 1.5), DTypeError, "sum: axis must be an int, a tuple of ints or None, got 1.5"),
    (lambda: mg.sum("abc"), DTypeError, "sum: x must be numbers .*, got 'abc'"),
    (lambda: X + "abc", DTypeError, "add: b must be numbers"),
    (lambda: mg.add([1, 2], [1, 2, 3]), ShapeError, r"add: \(2,\) and \(3,\) do not broadcast"),
    (lambda: F.embedding([0], X, padding_idx=7), OutOfBoundsError, "embedding: padding_idx 7 is not one of the 2 rows"),
    (lambda: F.softmax(X, None), DTypeError, "softmax: axis must be one int, got None"),
    (lambda: F.log_softmax(X, None), DTypeError, "log_softmax: axis must be one int, got None"),
    (lambda: F.cross_entropy(X, X, ignore_index=1), ConfigError, "ignore_index=1 is for class numbers"),
    (lambda: mg.layer_norm(X, 3, eps=0), ConfigError, "layer_norm: eps must be > 0, got 0"),
    (lambda: mg.batch_norm(X, training=True, eps=-1.0), ConfigError, "batch_norm: eps must be > 0, got -1.0"),
    (lambda: mg.group_norm(X, 3, eps=0), ConfigError, "group_norm: eps must be > 0"),
    (lambda: mg.instance_norm(mg.ones((1, 2, 3)), eps=0), ConfigError, "instance_norm: eps must be > 0"),
    (lambda: F.normalize(X, eps=0), ConfigError, "normalize: eps must be > 0"),
    (lambda: nn.BatchNorm2d(3, eps=0), ConfigError, "BatchNorm2d: eps must be > 0, got 0"),
    (lambda: nn.LayerNorm(3, eps=-1e-5), ConfigError, "LayerNorm: eps must be > 0"),
    (lambda: nn.GroupNorm(3, 3, eps=0), ConfigError, "GroupNorm: eps must be > 0"),
    (lambda: nn.InstanceNorm2d(3, eps=0), ConfigError, "InstanceNorm2d: eps must be > 0"),
    (lambda: nn.Linear(-1, 3), ShapeError, "Linear: in_features must be an int >= 0, got -1"),
    (lambda: nn.Linear(3.0, 2), ShapeError, "Linear: in_features must be an int >= 0, got 3.0"),
    (lambda: nn.Embedding(3, "2"), ShapeError, "Embedding: embedding_dim must be an int >= 0, got '2'"),
    (lambda: nn.Conv2d(3, 8, 2.5), ShapeError, "Conv2d: kernel_size must be an int >= 1 or two of them, got 2.5"),
    (lambda: mg.ones((2, -1)), ShapeError, r"ones: shape must be an int >= 0 or a tuple of them, got \(2, -1\)"),
    (lambda: mg.zeros(1.5), ShapeError, "zeros: shape must be an int >= 0 or a tuple of them, got 1.5"),
    (lambda: mg.reshape(X, "ab"), ShapeError, "reshape: shape must be an int or a tuple of them, got 'ab'"),
    (lambda: mg.tile(X, 1.5), ShapeError, "tile: reps must be an int or a tuple of them, got 1.5"),
    (lambda: mg.roll(X, (1, 2), 0), ShapeError, "roll: 2 shifts"),
    (lambda: X["a"], OutOfBoundsError, "getitem: an index is integers, slices, booleans, None or ..., got 'a'"),
    (lambda: mg.one_hot([0], 2.5), ShapeError, "one_hot: num_classes must be an int >= 0, got 2.5"),
]


@pytest.mark.parametrize("call, error, text", REFUSED, ids=[text for _, _, text in REFUSED])
def test_what_is_taken_by_half_or_ignored_is_refused_in_one_line(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------- float16 ---

HALF = mg.tensor(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float16))


def test_float16_is_loaded_moved_and_converted():
    assert HALF.dtype == np.float16 and HALF.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    for y in (
        HALF.reshape(3, 2),
        HALF.T,
        HALF[0],
        mg.concatenate([HALF, HALF]),
        mg.stack([HALF]),
        mg.split(HALF, 3, 1)[0],
        mg.pad(HALF, 1),
        mg.take(HALF, [0]),
        mg.flip(HALF),
    ):
        assert y.dtype == np.float16
    assert HALF.astype("float32").sum().item() == 21 and X.astype("float16").dtype == np.float16


@pytest.mark.parametrize(
    "call",
    [
        lambda: HALF + 1,
        lambda: 2 * HALF,
        lambda: HALF @ HALF.T,
        lambda: HALF.sum(),
        lambda: mg.mean(HALF),
        lambda: mg.exp(HALF.data),
        lambda: F.softmax(HALF, 1),
        lambda: nn.ReLU()(HALF),
        lambda: mg.var(HALF),
        lambda: mg.sqrt(HALF),
        lambda: -HALF,
        lambda: F.mse_loss(HALF, HALF),
        lambda: mg.layer_norm(HALF, 3),
        lambda: mg.max_pool2d(HALF.reshape(1, 1, 2, 3), 2),
    ],
)
def test_float16_does_not_compute(call):
    """The mean of 300 times 500 was inf."""
    with pytest.raises(DTypeError, match=r"^\w+: float16 is for storing .* \.astype\('float32'\)"):
        call()


def test_an_op_that_fails_for_another_reason_says_that_one():
    with pytest.raises(MiniganError, match="matmul: inner sizes differ"):
        mg.matmul(X, X)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mg.sum(X, 0, False, 5, 6),
        lambda: mg.sum(X, axes=0),
        lambda: mg.add(X),
        lambda: nn.Linear(3, 2, True, 4),
        lambda: mg.var(X, 0, 0, False, 7),
        lambda: mg.zeros(),
        lambda: F.softmax(X),
    ],
)
def test_too_many_or_too_few_arguments_are_pythons_error(call):
    with pytest.raises(TypeError, match="argument") as caught:
        call()
    assert not isinstance(caught.value, MiniganError)


@pytest.mark.parametrize("make", [lambda x: x, mg.tensor])
def test_float16_is_refused_before_anything_overflows(make):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for op in (mg.mean, mg.sum, mg.var, mg.exp):
            with pytest.raises(DTypeError, match="float16 is for storing numbers"):
                op(make(np.full(70000, 60000, np.float16)))
    assert not seen
