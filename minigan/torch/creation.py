"""Functions that make Tensors: from values, constants, and random numbers.

Random numbers come from minigan's stream "torch", or from a Generator; a seed gives other numbers than PyTorch's.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import minigan as mg
from minigan.streams import streams
from minigan.torch import kinds
from minigan.torch.tensor import Tensor, lower, wrap

DEFAULT = {"dtype": np.dtype("float32")}


class Generator:
    """A random generator of its own, which functions take as `generator`."""

    def __init__(self, device: Any = "cpu"):
        self.device = kinds.device(device)
        self.manual_seed(0)

    def manual_seed(self, seed: int) -> Generator:
        """Start again from this seed; returns self."""
        self.seed, self.rng = seed, np.random.default_rng(seed)
        return self

    def initial_seed(self) -> int:
        """The seed."""
        return self.seed


def rng_of(generator: Any) -> np.random.Generator:
    """NumPy's generator behind a Generator; without one, the stream "torch"."""
    return streams("torch") if generator is None else generator.rng


def manual_seed(seed: int) -> None:
    """Restart all of minigan's random streams from this seed."""
    mg.seed(int(seed) % 2**63)


def _new(array, dtype=None, device=None, requires_grad=False):
    if dtype is not None:
        array = array.astype(kinds.to_numpy(dtype), copy=False)
    engine = mg.Tensor(array)
    if device is not None:
        engine = engine.to(kinds.target(device))
    return wrap(engine.requires_grad_() if requires_grad else engine)


def _sizes(size):
    given = size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    try:
        sizes = tuple(operator.index(n) for n in given)
    except TypeError:
        raise TypeError(f"sizes are whole numbers, got {', '.join(map(repr, given))}") from None
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"sizes can't be negative, got {sizes}")
    return sizes


def _usual(dtype):
    return DEFAULT["dtype"] if dtype is None else kinds.to_numpy(dtype)


# ------------------------------------------------------------------------------------------------ from values ---


def _array(data, dtype):
    if isinstance(data, Tensor):
        array = data.engine.data
    elif isinstance(data, (list, tuple)) and any(isinstance(item, Tensor) for item in _leaves(data)):
        array = np.asarray(_plain(data))
        array = array.astype(np.float32) if array.dtype == np.float64 else array
    else:
        array = np.asarray(data) if isinstance(data, (np.ndarray, np.generic)) else mg.tensor(data, lower(dtype)).data
    return array if dtype is None else array.astype(kinds.to_numpy(dtype), copy=False)


def _leaves(data):
    for item in data:
        yield from _leaves(item) if isinstance(item, (list, tuple)) else [item]


def _plain(data):
    return [
        _plain(item) if isinstance(item, (list, tuple)) else item.tolist() if isinstance(item, Tensor) else item
        for item in data
    ]


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A copy of the data: numbers, nested lists, an array or a Tensor."""
    array = _array(data, dtype)
    return _new(array.copy() if isinstance(data, (np.ndarray, Tensor)) else array, None, device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The data, without a copy where that is possible."""
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(*(v for v in (device, dtype) if v is not None))
    return _new(_array(data, dtype), None, device)


asarray = as_tensor


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A Tensor that shares the array's memory."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: takes an array, got {type(ndarray).__name__}")
    kinds.of_numpy(ndarray.dtype)
    return wrap(mg.Tensor(ndarray))


def _typed(data, dtype):
    if len(data) == 1 and isinstance(data[0], kinds.Size):
        data = tuple(data[0])
    if len(data) == 1 and not isinstance(data[0], int):
        return tensor(data[0], dtype=dtype)
    return _new(np.zeros(data or (0,), dtype))


class TensorType(type):
    """torch.FloatTensor and its relatives: called, they make Tensors; isinstance asks for the dtype."""

    kind: str
    on_gpu: bool

    def __instancecheck__(cls, value):
        return isinstance(value, Tensor) and value.engine.dtype == cls.kind and value.is_cuda == cls.on_gpu

    def __call__(cls, *data):
        made = _typed(data, cls.kind)
        return made.to("cuda") if cls.on_gpu else made


def tensor_type(name: str, kind: str, on_gpu: bool = False) -> Any:
    """The class torch.<name>, or torch.cuda.<name>."""
    return TensorType(name, (), {"kind": kind, "on_gpu": on_gpu, "__module__": "torch.cuda" if on_gpu else "torch"})


TYPES = {
    "FloatTensor": "float32", "DoubleTensor": "float64", "LongTensor": "int64", "IntTensor": "int32", "ShortTensor": "int16",
    "ByteTensor": "uint8", "CharTensor": "int8", "BoolTensor": "bool", "HalfTensor": "float16",
}  # fmt: skip
for _name, _kind in TYPES.items():
    globals()[_name] = tensor_type(_name, _kind)

# -------------------------------------------------------------------------------------------------- constants ---


def zeros(
    *size: Any, out: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False, **layout: Any
) -> Tensor:
    """Zeros."""
    return _new(np.zeros(_sizes(size or (layout.get("size", ()),)), _usual(dtype)), None, device, requires_grad)


def ones(
    *size: Any, out: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False, **layout: Any
) -> Tensor:
    """Ones."""
    return _new(np.ones(_sizes(size or (layout.get("size", ()),)), _usual(dtype)), None, device, requires_grad)


empty = zeros  # PyTorch leaves there what was in memory


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """fill_value everywhere."""
    array = np.full(tuple(size), lower(fill_value) if not isinstance(fill_value, Tensor) else fill_value.item())
    array = array.astype(DEFAULT["dtype"]) if array.dtype == np.float64 else array
    return _new(array, dtype, device, requires_grad)


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """start, start + step, ... below end."""
    first, end = (0, start) if end is None else (start, end)
    first, end, step = (v.item() if isinstance(v, Tensor) else v for v in (first, end, step))
    if not step or (end - first) * step < 0:
        raise RuntimeError(f"arange: no steps of {step} lead from {first} to {end}")
    array = np.arange(first, end, step)
    return _new(
        array.astype(DEFAULT["dtype"]) if array.dtype == np.float64 else array.astype(np.int64), dtype, device, requires_grad
    )


def linspace(
    start: float, end: float, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers from start to end, equally far apart."""
    return _new(np.linspace(start, end, steps).astype(_usual(dtype)), None, device, requires_grad)


def logspace(start: float, end: float, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """base to the power of linspace."""
    return _new(np.logspace(start, end, steps, base=base).astype(_usual(dtype)), None, device)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """1 on the diagonal, else 0."""
    return _new(np.eye(n, m, dtype=_usual(dtype)), None, device, requires_grad)


# ---------------------------------------------------------------------------------------------- random numbers ---


def _draw(draw, size, dtype, device, requires_grad=False):
    return _new(np.asarray(draw(size)), _usual(dtype), device, requires_grad)


def _precise(dtype):
    """The dtype that NumPy draws in."""
    return np.float64 if _usual(dtype) == np.float64 else np.float32


def randn(
    *size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False, **layout: Any
) -> Tensor:
    """Standard normal numbers."""
    size = _sizes(size or (layout.get("size", ()),))
    return _draw(lambda n: rng_of(generator).standard_normal(n, _precise(dtype)), size, dtype, device, requires_grad)


def rand(
    *size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False, **layout: Any
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    size = _sizes(size or (layout.get("size", ()),))
    return _draw(lambda n: rng_of(generator).random(n, _precise(dtype)), size, dtype, device, requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from low up to high - 1; randint(high, size) starts at 0."""
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not low < high:
        raise RuntimeError(f"randint: there is no whole number from {low} up to {high} - 1")
    return _new(rng_of(generator).integers(int(low), int(high), tuple(size)), dtype, device, requires_grad)


def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None, **layout: Any) -> Tensor:
    """0 .. n - 1 in a random order."""
    return _new(rng_of(generator).permutation(n), dtype, device)


def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None
) -> Tensor:
    """Normal numbers with these means and standard deviations."""
    if size is None:
        size = mean.shape if isinstance(mean, Tensor) else std.shape
    return randn(*size, generator=generator, dtype=dtype, device=device) * std + mean


def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """1 with the given probabilities, else 0."""
    return (rand(*input.shape, generator=generator) < (input if p is None else p)).to(input.dtype)


def poisson(input: Tensor, *, generator: Any = None) -> Tensor:
    """Poisson numbers with these means."""
    drawn = rng_of(generator).poisson(input.detach().cpu().numpy())
    return _new(np.asarray(drawn), input.dtype, input.device)


def scalar_tensor(s: float, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A number as a tensor without axes, of the default dtype."""
    return _new(np.asarray(s), _usual(dtype), device, requires_grad)


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """num_samples indices for each row, drawn with probabilities in proportion to the row."""
    rng, weights = rng_of(generator), input.detach().cpu().double().numpy()
    rows = weights.reshape(-1, weights.shape[-1])
    if (rows < 0).any() or not np.isfinite(rows).all() or not (rows.sum(1) > 0).all():
        raise RuntimeError("multinomial: the weights must be >= 0 and finite, and each row needs one that is > 0")
    if replacement or num_samples == 1:
        ends = np.cumsum(rows / rows.sum(1, keepdims=True), 1)
        drawn = (rng.random((len(rows), num_samples, 1)) >= ends[:, None, :]).sum(2).clip(max=rows.shape[1] - 1)
    else:
        if ((rows > 0).sum(1) < num_samples).any():
            raise RuntimeError(f"multinomial: a row has fewer than {num_samples} weights above 0; use replacement=True")
        with np.errstate(divide="ignore"):  # the num_samples largest of log w + Gumbel noise: Efraimidis and Spirakis 2006
            keys = np.log(rows) + rng.gumbel(size=rows.shape)
        drawn = np.argsort(-keys, 1)[:, :num_samples]
    return _new(drawn.reshape(*weights.shape[:-1], num_samples), np.int64, input.device)


# -------------------------------------------------------------------------------------------------------- like ---


def _like(make):
    def call(input, *args, dtype=None, device=None, requires_grad=False, memory_format=None, **options):
        dtype, device = input.dtype if dtype is None else dtype, input.device if device is None else device
        return make(tuple(input.shape), *args, dtype=dtype, device=device, requires_grad=requires_grad, **options)

    return call


zeros_like, ones_like, empty_like, randn_like, rand_like, full_like = map(_like, (zeros, ones, empty, randn, rand, full))
randint_like = _like(lambda size, low, high=None, **options: randint(low, high, size, **options))
for _name in ("zeros_like", "ones_like", "empty_like", "randn_like", "rand_like", "full_like", "randint_like"):
    globals()[_name].__name__ = _name
    globals()[_name].__doc__ = f"{_name.removesuffix('_like')}, with the shape, dtype and device of another Tensor."

__all__ = [
    "Generator", "arange", "as_tensor", "asarray", "bernoulli", "empty", "eye", "from_numpy", "full", "linspace", "logspace",
    "manual_seed", "multinomial", "normal", "ones", "poisson", "rand", "randint", "randn", "randperm", "scalar_tensor",
    "tensor", "zeros",
    "empty_like", "full_like", "ones_like", "rand_like", "randint_like", "randn_like", "zeros_like", *TYPES,
]  # fmt: skip
