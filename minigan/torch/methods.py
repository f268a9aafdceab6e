"""It puts operators and methods on Tensor: those of functions.py, conversions, in-place versions and random ones."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigan as mg
from minigan.torch import creation, indexing, kinds, shapes
from minigan.torch.shapes import given
from minigan.torch.tables import METHODS
from minigan.torch.tensor import Tensor, lift, lower, view_of, wrap

cls: Any = Tensor

for _name, _function in METHODS.items():
    setattr(cls, _name, _function)


def _swapped(function):
    return lambda a, b: function(b, a)


def _or_not(function):
    """The operator; NotImplemented for something that is neither a Tensor, an array nor a number."""

    def call(a, b):
        if not isinstance(b, (Tensor, int, float, np.ndarray, np.generic)):
            return NotImplemented
        return function(a, b)

    return call


for _symbol, _name in {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow", "mod": "remainder", "floordiv": "floor_divide",
}.items():  # fmt: skip
    setattr(cls, f"__{_symbol}__", _or_not(METHODS[_name]))
    setattr(cls, f"__r{_symbol}__", _or_not(_swapped(METHODS[_name])))
cls.__matmul__ = lambda a, b: METHODS["matmul"](a, b) if isinstance(b, (Tensor, np.ndarray)) else NotImplemented
for _symbol in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(cls, f"__{_symbol}__", _or_not(METHODS[_symbol]))
for _symbol in ("and", "or", "xor"):
    setattr(cls, f"__{_symbol}__", _or_not(METHODS[f"bitwise_{_symbol}"]))
    setattr(cls, f"__r{_symbol}__", _or_not(METHODS[f"bitwise_{_symbol}"]))
cls.__neg__ = METHODS["neg"]
cls.__pos__ = lambda x: x
cls.__abs__ = METHODS["abs"]
cls.__invert__ = lambda x: lift(~x.engine)


def _getitem(x, index):
    """x[index]: NumPy's indexing, with Tensors as indices.   ValueError for a negative step."""
    kind = type(index)
    if kind is not int and kind is not slice:
        for part in index if kind is tuple else (index,):
            if isinstance(part, (str, float)):
                error = IndexError if isinstance(part, float) else TypeError
                raise error(f"an index is whole numbers, slices, booleans, None or ..., not {part!r}")
            if type(part) is slice and part.step is not None and part.step < 0:
                raise ValueError("a slice with a negative step; use .flip(dim)")
        index = lower(_bool_of_bytes(index))
        if kind is tuple and len(index) == x.engine.data.ndim and all(type(part) is int for part in index):
            index = (*index, ...)  # NumPy copies one element, but x[0, 0, ...] is a view of it
    elif kind is slice and index.step is not None and index.step < 0:
        raise ValueError("a slice with a negative step; use .flip(dim)")
    elif kind is int and x.engine.data.ndim == 1:
        index = (index, ...)
    return view_of(x, mg.getitem(x.engine, index))


def _bool_of_bytes(index):
    """uint8 Tensors are masks, as they were in old PyTorch."""
    if isinstance(index, tuple):
        return tuple(_bool_of_bytes(i) for i in index)
    return index.bool() if isinstance(index, Tensor) and index.engine.dtype == np.uint8 else index


cls.__getitem__ = _getitem
cls.T = property(lambda x: view_of(x, mg.transpose(x.engine)), doc="The axes reversed.")
cls.mT = property(lambda x: x.transpose(-1, -2), doc="The last two axes exchanged.")

# ------------------------------------------------------------------------------------------------ conversions ---


def _to(x: Tensor, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, copy: bool = False) -> Tensor:
    """On a device, as a dtype, both, or as another Tensor has them; itself if nothing changes."""
    wanted: list = [dtype, device]
    for value in args:
        wanted += [value.device, value.dtype] if isinstance(value, Tensor) else [] if isinstance(value, bool) else [value]
    engine = x.engine
    for value in wanted:
        if value is None:
            continue
        name = kinds.target(value)
        engine = (
            engine.to(name) if name.startswith(("cpu", "cuda")) else engine if engine.dtype == name else mg.astype(engine, name)
        )
    if copy and engine is x.engine:
        return x.clone()
    return x if engine is x.engine else lift(engine)


def _type(x, dtype=None):
    """The dtype as a text, "torch.FloatTensor"; or the tensor as this dtype."""
    if dtype is None:
        name = next(n for n, kind in creation.TYPES.items() if kind == x.engine.dtype)
        return f"torch.cuda.{name}" if x.is_cuda else f"torch.{name}"
    if dtype is Tensor:  # torch.Tensor is the type of the default dtype
        return _to(x, kinds.of_numpy(creation.DEFAULT["dtype"]))
    if isinstance(dtype, creation.TensorType):
        return _to(x, dtype.kind, *(["cuda"] if dtype.on_gpu else []))
    if isinstance(dtype, str) and dtype.endswith("Tensor"):
        return _to(x, creation.TYPES[dtype.rpartition(".")[2]], *(["cuda"] if ".cuda." in dtype else []))
    return _to(x, dtype)


cls.to, cls.type = _to, _type
for _name, _kind in {**kinds.ALIASES, "bool": "bool", "byte": "uint8", "char": "int8"}.items():
    setattr(cls, _name, lambda x, _kind=_kind: _to(x, _kind))
cls.type_as = lambda x, other: _to(x, other)
cls.cpu = lambda x: _to(x, "cpu")
cls.cuda = lambda x, device=None, non_blocking=False: _to(x, "cuda" if device is None else kinds.device(device))
cls.contiguous = lambda x, memory_format=None: x  # memory order is the engine's business
cls.is_contiguous = lambda x, memory_format=None: True
cls.pin_memory = lambda x: x
cls.dim = lambda x: x.ndim
cls.ndimension = cls.dim
cls.numel = cls.nelement = indexing.numel
cls.element_size = lambda x: x.engine.dtype.itemsize
cls.itemsize = property(cls.element_size, doc="Bytes of an element.")
cls.nbytes = property(lambda x: x.engine.data.nbytes, doc="Bytes of all elements.")
cls.is_floating_point = indexing.is_floating_point
cls.detach_ = lambda x: _renamed(x, x.detach())
cls.where = lambda x, condition, other: indexing.where(condition, x, other)
cls.tile = lambda x, *dims: shapes.tile(x, given(dims))
cls.multinomial, cls.bernoulli = creation.multinomial, creation.bernoulli


def _new(make):
    def call(x, *args, dtype=None, device=None, requires_grad=False):
        dtype, device = x.dtype if dtype is None else dtype, x.device if device is None else device
        return make(*args, dtype=dtype, device=device, requires_grad=requires_grad)

    return call


cls.new_zeros, cls.new_ones, cls.new_empty = map(_new, (creation.zeros, creation.ones, creation.empty))
cls.new_full, cls.new_tensor = _new(creation.full), _new(creation.tensor)
cls.new = lambda x, *data: creation._typed(data, x.engine.dtype).to(x.device)

# --------------------------------------------------------------------------------------------------- in place ---


def _in_place(function):
    def call(x, *args, **options):
        value = function(x, *args, **options)
        return NotImplemented if value is NotImplemented else x.become(value)

    call.__doc__ = f"{function.__name__}, in place."
    return call


for _name in (
    "add sub mul div pow remainder fmod floor_divide clamp clip clamp_min clamp_max exp expm1 log log2 log10 log1p sqrt neg "
    "abs tanh sigmoid relu floor ceil round trunc frac sign reciprocal rsqrt square sin cos tan erf lerp addcmul addcdiv addmm "
    "baddbmm masked_fill masked_scatter scatter scatter_add index_fill index_copy index_add index_put tril triu cumsum cumprod "
    "eq ne lt le gt ge logical_and logical_or logical_not logical_xor nan_to_num subtract multiply divide true_divide"
).split():
    setattr(cls, f"{_name}_", _in_place(METHODS[_name]))
for _symbol, _name in {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "truediv": "div",
    "pow": "pow",
    "mod": "remainder",
    "floordiv": "floor_divide",
}.items():
    setattr(cls, f"__i{_symbol}__", getattr(cls, f"{_name}_"))
for _symbol in ("and", "or", "xor"):
    setattr(cls, f"__i{_symbol}__", _in_place(getattr(cls, f"__{_symbol}__")))


def _fill_(x, value):
    """value everywhere, in place."""
    engine = x.engine
    if isinstance(value, Tensor):
        return _copy_(x, value)
    return x.become(wrap(mg.full(engine.shape, value, engine.dtype).to(engine.device)))


def _copy_(x, src, non_blocking=False):
    """The values of another tensor, in place, converted to this dtype."""
    return x.become(src.to(x.device).expand(*x.shape) if src.shape != x.shape else src.to(x.device), convert=True)


def _fill_diagonal_(x, fill_value, wrap=False):
    """fill_value on the diagonal, in place."""
    i = np.arange(min(x.shape))
    x[(i,) * x.ndim] = fill_value
    return x


def _drawn(draw):
    def call(x, *args, generator=None, **options):
        values = np.asarray(draw(creation.rng_of(generator), x.engine.shape, *args, **options)).astype(x.engine.dtype)
        return x.become(wrap(mg.Tensor(values).to(x.engine.device)))

    return call


cls.fill_, cls.copy_ = _fill_, _copy_
cls.zero_ = lambda x: _fill_(x, 0)
cls.normal_ = _drawn(lambda rng, size, mean=0.0, std=1.0: rng.standard_normal(size, np.float32) * std + mean)
cls.uniform_ = _drawn(
    lambda rng, size, a=0.0, b=1.0, **to: rng.random(size, np.float32) * (to.get("to", b) - a) + to.get("from", a)
)
cls.bernoulli_ = _drawn(lambda rng, size, p=0.5: rng.random(size) < lower(p if not isinstance(p, Tensor) else p.numpy()))
cls.exponential_ = _drawn(lambda rng, size, lambd=1.0: rng.exponential(1 / lambd, size))
cls.random_ = _drawn(lambda rng, size, low=0, high=None: rng.integers(*((0, low) if high is None else (low, high)), size))
cls.cauchy_ = _drawn(lambda rng, size, median=0.0, sigma=1.0: rng.standard_cauchy(size) * sigma + median)
cls.log_normal_ = _drawn(lambda rng, size, mean=1.0, std=2.0: rng.lognormal(mean, std, size))
cls.geometric_ = _drawn(lambda rng, size, p: rng.geometric(p, size))
cls.fill_diagonal_ = _fill_diagonal_
cls.resize_ = lambda x, *shape: x._resized(given(shape))
cls.squeeze_ = lambda x, dim=None: _renamed(x, x.squeeze(dim))
cls.unsqueeze_ = lambda x, dim: _renamed(x, x.unsqueeze(dim))
cls.t_ = lambda x: _renamed(x, x.t())
cls.transpose_ = cls.swapaxes_ = cls.swapdims_ = lambda x, dim0, dim1: _renamed(x, x.transpose(dim0, dim1))


def _renamed(x, y):
    """x stands for y, which has the same elements under another shape."""
    x.engine = y.engine
    return x


def _resized(x, shape):
    size = int(np.prod(shape))
    return _renamed(x, x.reshape(*shape) if size == x.numel() else creation.zeros(*shape, dtype=x.dtype, device=x.device))


cls._resized = _resized
