"""The layers: minigan's own, with PyTorch's Parameters.

A layer here holds one of minigan's layers.  That one has the options (`in_features`, `stride`, ...) and the forward; the
Parameters, buffers and submodules are this module's own.  Before each forward the inner layer is given the tensors that the
outer one has at that moment, so it does not matter how they came there: from the constructor, by an assignment
(`decoder.weight = encoder.weight`), from a state_dict, or as the weight / sigma of a spectral norm.
"""

from __future__ import annotations

import inspect
from typing import Any

import minigan as mg
from minigan.errors import ConfigError
from minigan.torch.nn.functional import dropout2d, implicit_dim, with_reduction
from minigan.torch.nn.module import Module
from minigan.torch.tensor import Parameter, Tensor, lift, lower


class Layer(Module):
    """The common part of all layers.   It takes the arguments of minigan's layer, then PyTorch's device and dtype.

    kind: minigan's class.   lacking: arguments that PyTorch has and minigan's layer has not, with their only value.
    """

    kind: type[mg.nn.Module]
    lacking: dict[str, Any] = {}

    def __init__(self, *args: Any, device: Any = None, dtype: Any = None, **options: Any):
        super().__init__()
        taken = [p for n, p in inspect.signature(self.kind.__init__).parameters.items() if n != "self"]
        if len(args) > len(taken) and not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in taken):
            device, dtype = (*args[len(taken) :], dtype)[:2]
            args = args[: len(taken)]
        for name in [name for name in options if name in self.lacking]:
            if options.pop(name) != self.lacking[name]:
                raise ConfigError(f"{type(self).__name__}: minigan has no {name}; leave it out")
        with_reduction(options)
        self.hold(self.kind(*map(lower, args), **{name: lower(value) for name, value in options.items()}))
        if "inplace" in (names := [p.name for p in taken]):
            self.inplace = bool(options.get("inplace", dict(zip(names, args)).get("inplace", False)))
        if device is not None or dtype is not None:
            self.to(device, dtype)

    def hold(self, inner: mg.nn.Module) -> None:
        """Take minigan's layer: its Parameters, buffers and submodules become this module's."""
        own = vars(inner)
        buffers, children = own.get("_buffers", {}), dict(inner.named_children())
        for name, value in own.items():
            if isinstance(value, mg.nn.Parameter):
                self.register_parameter(name, Parameter(value))
            elif name in buffers:
                self.register_buffer(name, lift(value))
            elif value is None and name.startswith(("weight", "bias", "in_proj")):  # an option left this parameter out
                self.register_parameter(name, None)
            elif name in children:
                self.register_module(name, held(children[name]))
        tensors = (*self._parameters, *self._buffers)
        options = frozenset(n for n in own if n not in tensors and n not in children and not n.startswith("_"))
        vars(self).update(_inner=inner, _tensors=tensors, _options=options)

    def _lend(self):
        """Give the inner layer the tensors of this module, and its mode."""
        own = vars(self)
        inner, parameters, buffers = vars(own["_inner"]), own["_parameters"], own["_buffers"]
        inner["training"] = own["training"]
        for name in own["_tensors"]:
            value = parameters[name] if name in parameters else buffers[name] if name in buffers else getattr(self, name)
            inner[name] = None if value is None else value.engine
        for child in own["_modules"].values():
            if isinstance(child, Layer):  # a script's subclass may hold other modules
                child._lend()

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The output of minigan's layer."""
        self._lend()
        own = vars(self)
        if options:
            options = {name: lower(value) for name, value in options.items()}
        y = lift(own["_inner"].forward(*map(lower, inputs), **options))
        return inputs[0].become(y) if own.get("inplace") else y

    def __getattr__(self, name: str) -> Any:
        """Also an option of the inner layer, such as in_features."""
        own = vars(self)
        return getattr(own["_inner"], name) if name in own.get("_options", ()) else super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self).get("_options", ()) and not isinstance(value, (Tensor, Module)):
            setattr(self._inner, name, value)
        else:
            super().__setattr__(name, value)

    def extra_repr(self) -> str:
        """The options, as minigan's layer prints them."""
        return self._inner.extra_repr()


def _reset_parameters(self):
    """Draw new weights."""
    self._lend()
    self._inner.reset_parameters()


LAYERS: dict[type, type[Layer]] = {}  # minigan's class -> the one here


def held(inner: mg.nn.Module) -> Layer:
    """The layer here around one of minigan's that exists already, a part of a larger one."""
    cls = LAYERS[type(inner)]
    layer = cls.__new__(cls)
    Module.__init__(layer)
    layer.hold(inner)
    return layer


def _layer(name, base=Layer, **lacking):
    """The layer of this name, in front of minigan's."""
    kind = getattr(mg.nn, name)
    doc = (kind.__doc__ or "").partition("\n\n    >>>")[0]
    members: dict[str, Any] = {"kind": kind, "lacking": lacking, "__doc__": doc, "__module__": __name__}
    if hasattr(kind, "reset_parameters"):
        members["reset_parameters"] = _reset_parameters
    cls: Any = type(name, (base,), members)
    own = [p for n, p in inspect.signature(kind.__init__).parameters.items() if n != "self"]
    rest = [p for p in own if p.kind is inspect.Parameter.VAR_KEYWORD]
    more = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None) for n in ("device", "dtype")]
    cls.__signature__ = inspect.Signature([*(p for p in own if p not in rest), *more, *rest])
    LAYERS[kind] = cls
    return cls


class _AlongAnAxis(Layer):
    """Softmax and LogSoftmax, which find their axis by PyTorch's old rule if none is given."""

    def __init__(self, dim: int | None = None):
        super().__init__(0)
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """The softmax, or its log."""
        dim = self.dim
        self._inner.dim = implicit_dim(input) if dim is None else dim
        try:
            return super().forward(input)
        finally:
            self._inner.dim = dim


class _ChannelDropout(Layer):
    """Dropout2d, which PyTorch also lets work on fewer axes."""

    def forward(self, input: Any) -> Any:
        """input, in which some channels are 0."""
        return dropout2d(input, self.p, self.training, self.inplace)


class _InstanceNorm(Layer):
    """InstanceNorm, which counts the channels only if it has weights for them, as PyTorch's."""

    def forward(self, input: Any) -> Any:
        """input, normalised per channel and sample."""
        return super().forward(input) if self.affine else lift(mg.instance_norm(input.engine, eps=self.eps))


class _Transposed(Layer):
    """The transposed convolutions, whose forward may be given the output's size."""

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The transposed convolution; output_size decides output_padding, which stride leaves open."""
        if output_size is None:
            return super().forward(input)
        inner, usual = self._inner, self._inner.output_padding
        sizes = tuple(output_size)[-inner.axes :]
        least = (
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(input.shape[-inner.axes :], inner.stride, inner.padding, inner.dilation, inner.kernel_size)
        )
        inner.output_padding = tuple(size - n for size, n in zip(sizes, least))
        try:
            return super().forward(input)
        finally:
            inner.output_padding = usual


class _Table(Layer):
    """Embedding, which may be given its table."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *, _weight: Any = None, **options: Any
    ):
        super().__init__(num_embeddings, embedding_dim, padding_idx, **options)
        if _weight is not None:
            self.weight = Parameter(_weight)

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, padding_idx: Any = None, **options: Any) -> Any:
        """A layer with this table; freeze: training does not change it."""
        rows, columns = embeddings.shape
        layer = cls(rows, columns, padding_idx, _weight=embeddings, **options)
        layer.weight.requires_grad_(not freeze)
        return layer


_SPECIAL: dict[str, Any] = {
    "Softmax": (_AlongAnAxis, {}),
    "LogSoftmax": (_AlongAnAxis, {}),
    "Dropout2d": (_ChannelDropout, {}),
    "ConvTranspose1d": (_Transposed, {}),
    "ConvTranspose2d": (_Transposed, {}),
    "Embedding": (_Table, {"max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False, "sparse": False}),
    "AvgPool2d": (Layer, {"divisor_override": None}),
    "BatchNorm1d": (Layer, {"bias": True}),
    "BatchNorm2d": (Layer, {"bias": True}),
    "GroupNorm": (Layer, {"bias": True}),
    "InstanceNorm1d": (_InstanceNorm, {"bias": True}),
    "InstanceNorm2d": (_InstanceNorm, {"bias": True}),
    "Upsample": (Layer, {"recompute_scale_factor": None}),
    "MultiheadAttention": (Layer, {"add_bias_kv": False, "add_zero_attn": False}),
    "LSTM": (Layer, {"proj_size": 0}),
    "AdaptiveMaxPool2d": (Layer, {"return_indices": False}),
}
# minigan's own extras, and what containers.py and transformer.py have instead.
_ELSEWHERE = {
    "Module",
    "ModuleDict",
    "ModuleList",
    "Sequential",
    "TransformerEncoderLayer",
    "MinibatchDiscrimination",
    "VirtualBatchNorm",
}

__all__ = [
    name
    for name in mg.nn.__all__
    if name not in _ELSEWHERE and isinstance(getattr(mg.nn, name), type) and issubclass(getattr(mg.nn, name), mg.nn.Module)
]
for _name in __all__:
    _base, _lacking = _SPECIAL.get(_name, (Layer, {}))
    globals()[_name] = _layer(_name, _base, **_lacking)
