"""What public functions accept.  For anything else they raise an error of one line that names the function and the argument.

public      an op as the user calls it: it takes lists and numbers as NumPy does, and raises minigan's errors
makes       a function that makes an array         explained       a module's forward
checked     a constructor, checked before a call   whole, sizes    an int, or several, from what was given

A good call costs no extra time.  `public` calls the op first.  Only if that fails, or gives no array, it checks the arguments
by their names (KINDS), turns lists into arrays, and calls the op again.
"""

import operator
from functools import wraps

import numpy as np

from minigan import autograd, names
from minigan.backend import beside, is_array, new_array
from minigan.errors import ArgumentError, ConfigError, DTypeError, MiniganError, ShapeError, broadcast_advice
from minigan.tensor import Tensor, plain

# Errors of Python and NumPy, which do not name the op or the argument.
RAW = (TypeError, ValueError, AttributeError, IndexError, KeyError, OverflowError)
HALF = np.dtype("float16")
VARARGS = 0x04  # the function has a parameter *name; this is inspect.CO_VARARGS, but inspect is slow to import


def whole(op: str, name: str, value, least=None, what="an int") -> int:
    """value, an int or a NumPy integer, as an int.  ShapeError for anything else, or for a number below `least`."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least):
        raise ShapeError(f"{op}: {name} must be {what}{'' if least is None else f' >= {least}'}, got {shown(value)}")
    return number


def sizes(op: str, name: str, value, least=None) -> tuple:
    """value, an int or a sequence of ints, as a tuple.  ShapeError for anything else, or for a number below `least`."""
    items = value if isinstance(value, (tuple, list, range)) or (is_array(value) and value.ndim == 1) else (value,)
    try:
        return tuple(whole(op, name, item, least) for item in items)
    except ShapeError:
        bound = "" if least is None else f" >= {least}"
        raise ShapeError(f"{op}: {name} must be an int{bound} or a tuple of them, got {shown(value)}") from None


def shown(value) -> str:
    """A value for the text of an error: dtype and shape of an array; anything else as Python writes it, shortened."""
    if is_array(plain(value)):
        return f"{plain(value).dtype} {plain(value).shape}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# ---------------------------------------------------------------------------------------------- kinds of arguments ---


def _array(op, name, value, like):
    """Numbers: a list or a number becomes an array on the device of `like`, with its dtype if that is a float."""
    array = plain(value)
    try:
        if is_array(array) and array.dtype.kind in "fiub":
            return value
        if isinstance(value, (str, bytes, dict)):
            raise TypeError
        if isinstance(value, (tuple, list)) and any(isinstance(item, Tensor) for item in value):
            array = [item.tolist() if isinstance(item, Tensor) and item.node is None else item for item in value]
        array = new_array(array)
    except (TypeError, ValueError, OverflowError):
        raise DTypeError(f"{op}: {name} must be numbers (a Tensor, an array, a list of numbers), got {shown(value)}") from None
    if like is not None and like.dtype.kind == "f" and array.dtype.kind != "b":
        array = array.astype(like.dtype)
    return beside(array, like)


def _indices(op, name, value, like):
    return _array(op, name, value, None)


def _arrays(op, name, value, like):
    if isinstance(value, (str, dict)) or not hasattr(value, "__iter__"):
        raise DTypeError(f"{op}: {name} must be a list or tuple of arrays, got {shown(value)}")
    return [_array(op, f"{name}[{i}]", item, like) for i, item in enumerate(value)]


def _number(op, name, value, like=None):
    if isinstance(value, (bool, int, float, np.integer, np.floating)) or (
        is_array(plain(value)) and plain(value).size == 1 and plain(value).dtype.kind in "fiub"
    ):
        return value
    raise ConfigError(f"{op}: {name} must be a number, got {shown(value)}")


def _positive(op, name, value, like=None):
    if not _number(op, name, value) > 0:
        raise ConfigError(f"{op}: {name} must be > 0, got {shown(value)}; it prevents a division by 0")
    return value


def _int(op, name, value, like=None):
    return whole(op, name, value)


def _count(op, name, value, like=None):
    return whole(op, name, value, 0)


def _positive_count(op, name, value, like=None):
    return whole(op, name, value, 1)


def _text(op, name, value, like=None):
    if not isinstance(value, str):
        raise ConfigError(f"{op}: {name} must be a string, got {shown(value)}")
    return value


def _dtype(op, name, value, like=None):
    try:
        return np.dtype(value)
    except TypeError:
        raise DTypeError(f"{op}: {name} must name a dtype such as 'float32', got {shown(value)}") from None


def _flag(op, name, value, like=None):
    if not isinstance(value, (bool, np.bool_, int, np.integer)):
        raise ConfigError(f"{op}: {name} must be True or False, got {shown(value)}")
    return value


def _ints(op, name, value, like=None):
    sizes(op, name, value)
    return value


def _several(op, name, value, like=None):
    if not isinstance(value, str):  # "same"
        sizes(op, name, value)
    return value


def _shape(op, name, value, like=None):
    return sizes(op, name, value, 0)


def _iterable(op, name, value, like=None):
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise ConfigError(f"{op}: {name} must be a list or another iterable, got {shown(value)}")
    return value


def _iterables(op, name, value, like=None):
    _iterable(op, name, value)
    for item in value if hasattr(value, "__len__") else ():  # a generator is read only once
        _iterable(op, f"an item of {name}", item)
    return value


def _word(op, name, value, like=None):
    """A choice by name: the constructor has a better error for an unknown name, so this refuses only what cannot be a name."""
    return value if value is None or isinstance(value, (bool, int, float)) else _text(op, name, value)


def _pair(op, name, value, like=None):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ConfigError(f"{op}: {name} must be two numbers, got {shown(value)}")
    return tuple(_number(op, name, item) for item in value)


def _callable(op, name, value, like=None):
    if not callable(value):
        raise ConfigError(f"{op}: {name} must be a class or function, got {shown(value)}")
    return value


def _tensor(op, name, value, like=None):
    if not is_array(plain(value)) or plain(value).dtype.kind not in "fiub":
        raise DTypeError(f"{op}: {name} must be a Tensor or an array of numbers, got {shown(value)}")
    return value


def _state(op, name, value, like=None):
    for part in value if isinstance(value, (tuple, list)) else [value]:
        _tensor(op, name, part)
    return value


def _named(kind, names):
    return dict.fromkeys(names.split(), kind)


# The kind of each argument of a function, by its name.
KINDS = {
    **_named(
        _array,
        "x a b v q xi x1 x2 input1 input2 anchor positive negative query key value attn_mask input weight "
        "bias target values var running_mean running_var pos_weight min max operands",
    ),
    **_named(_indices, "indices labels condition"),
    **_named(_arrays, "arrays"),
    **_named(
        _number,
        "alpha beta delta negative_slope threshold momentum p label_smoothing constant_values margin scale "
        "ord dropout_p min_val max_val",
    ),
    **_named(_positive, "eps"),
    **_named(_int, "k offset ddof ignore_index padding_idx groups num_groups num_classes upscale_factor downscale_factor"),
    **_named(_text, "reduction mode approximate subscripts side indexing"),
    **_named(_ints, "shape reps repeats sections shift pad"),
    **_named(
        _flag,
        "keepdims ceil_mode count_include_pad log_target full training use_input_stats align_corners keepdim "
        "is_causal return_indices swap log_input largest full_matrices",
    ),
    **_named(_dtype, "dtype"),
}
# The same for a constructor.
CONSTRUCTOR_KINDS = {
    **_named(
        _count,
        "in_features out_features in_channels out_channels num_embeddings embedding_dim num_features num_channels "
        "num_groups groups num_parameters input_size hidden_size num_layers kernels upscale_factor "
        "downscale_factor n m",
    ),
    **_named(_int, "padding_idx ignore_index"),
    **_named(_number, "p alpha beta threshold negative_slope delta label_smoothing dropout momentum init fill_value"),
    **_named(_positive, "eps"),
    **_named(_several, "padding"),
    **_named(_ints, "normalized_shape unflattened_size"),
    **_named(
        _flag,
        "bias affine track_running_stats elementwise_affine batch_first bidirectional return_indices ceil_mode "
        "count_include_pad align_corners log_target requires_grad inplace norm_first swap full log_input",
    ),
    **_named(_shape, "shape"),
    **_named(_array, "weight pos_weight"),
    **_named(_text, "reduction mode padding_mode approximate device nonlinearity"),
    **_named(_dtype, "dtype"),
}
OPTIMIZER_KINDS = {
    **_named(_iterable, "params"),
    **_named(_iterables, "blocks"),
    **_named(_pair, "betas"),
    **_named(_callable, "base"),
    **_named(_count, "seed"),
    **_named(_number, "lr momentum dampening weight_decay eps alpha c1 c2 rho lr_decay tolerance_grad tolerance_change"),
    **_named(_word, "rule line_search line_search_fn"),
    **_named(_positive_count, "max_iter history_size"),
    **_named(_flag, "nesterov amsgrad centered maximize"),
}
# The same for a module's forward.
FORWARD_KINDS = {
    **_named(_tensor, "x input target input1 input2 anchor positive negative query key value src var"),
    **_named(_state, "hx"),
}


def _looked_at(op, f, args, params, kinds):
    """args and params, with each argument converted to its kind.  A MiniganError if an argument is not of its kind."""
    while hasattr(f, "__wrapped__"):
        f = f.__wrapped__
    code = f.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = {**dict(zip(names[::-1], (f.__defaults__ or ())[::-1])), **(f.__kwdefaults__ or {})}
    may_be_none = {"bias", "momentum", *(name for name, default in defaults.items() if default is None)}
    rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code.co_flags & VARARGS else ""
    flat = [item for v in (*args, *params.values()) for item in (v if isinstance(v, (tuple, list)) else [v])]
    like = next((plain(v) for v in flat if is_array(plain(v)) and plain(v).dtype.kind == "f"), None)

    def look(name, value):
        if name not in kinds or (value is None and name in may_be_none):
            return value
        return kinds[name](op, name, value, like)

    return [look(name, value) for name, value in zip((*names, *[rest] * len(args)), args)], {  # rest: *operands
        name: look(name, value) for name, value in params.items()
    }


def public(f, moves=False):
    """The op f as users call it.   moves: it moves numbers and computes none, so it may take float16.

    The public function of a primitive replaces the op's own call, so that a good call costs no extra function call.
    """
    name, op = f.__name__, getattr(f, "op", None)

    def careful(error, args, params):
        # A DTypeError may come from new_array, which knows neither the op nor the argument.
        if type(error) is TypeError and params:
            names.refuse_argument(name, error)
        unclear = isinstance(error, DTypeError) or (isinstance(error, RAW) and not isinstance(error, MiniganError))
        if error is not None and not unclear:
            raise error
        return _carefully(name, f, args, params, moves)

    @wraps(f)
    def composition(*args, **params):
        if _half(args):
            return careful(None, args, params)
        try:
            y = f(*args, **params)
            half = type(y) not in (tuple, list) and (y.data if type(y) is Tensor else y).dtype == HALF
        except Exception as error:
            return careful(error, args, params)
        return careful(None, args, params) if half else y

    if op is None:
        return composition
    count, least = op.count, op.count or 0

    @wraps(f)
    def call(*args, **params):
        try:
            for x in args if len(args) == count else args[:count] if len(args) >= least else ():
                if isinstance(x, Tensor):
                    if x.data.dtype == HALF:  # before anything is computed, because NumPy would warn of an overflow
                        break
                    y = autograd.record(op, args, params)
                    if y.data.dtype != HALF:
                        return y
                    break
            else:  # arrays, or inputs given by name
                if _half(args):
                    return careful(None, args, params)
                y = f(*args, **params)
                if (y.data if type(y) is Tensor else y).dtype != HALF:
                    return y
        except Exception as error:
            return careful(error, args, params)
        return careful(None, args, params)

    return call


def _half(args):
    return any(getattr(x, "dtype", None) == HALF for x in args)


def _carefully(op, f, args, params, moves):
    args, params = _looked_at(op, f, args, params, KINDS)
    arrays = [plain(item) for v in (*args, *params.values()) for item in (v if isinstance(v, (tuple, list)) else [v])]
    if not moves and any(is_array(x) and x.dtype == HALF for x in arrays):
        raise DTypeError(
            f"{op}: float16 is for storing numbers, not for computing: sums overflow at 65504 and keep three "
            f"digits; convert with .astype('float32') first"
        )
    try:
        return f(*args, **params)
    except ValueError as error:
        if isinstance(error, MiniganError) or "broadcast" not in str(error):
            raise
        raise ShapeError(broadcast_advice(op, [x.shape for x in arrays if is_array(x)])) from None


def explained(forward):
    """A module's forward: if it fails because x is not numbers, the error says so."""

    @wraps(forward)
    def call(module, *args, **params):
        try:
            return forward(module, *args, **params)
        except MiniganError:
            raise
        except RAW:
            _looked_at(type(module).__name__, forward, (module, *args), params, FORWARD_KINDS)
            raise

    return call


def makes(f):
    """A function that makes an array; if it fails, its arguments are checked, so that the error names one."""

    @wraps(f)
    def call(*args, **params):
        try:
            return f(*args, **params)
        except MiniganError:
            raise
        except RAW:
            if f.__name__ in ("zeros", "ones") and len(args) > 1 and all(isinstance(n, int) for n in args):
                raise ArgumentError(f"{f.__name__}: the shape is one tuple, {f.__name__}({args})") from None
            _looked_at(f.__name__, f, args, params, CONSTRUCTOR_KINDS)
            raise

    return call


def checked(f, kinds=CONSTRUCTOR_KINDS):
    """A constructor that checks its arguments first."""

    @wraps(f)
    def call(*args, **params):
        args, params = _looked_at(type(args[0]).__name__, f, args, params, kinds)
        return f(*args, **params)

    return call
