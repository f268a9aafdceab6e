"""Functions of whole arrays: what each argument may be, what the function waits for or uploads, which options CuPy knows.

NumPy computes.  What differs stands in tables, each with CuPy's reason:

OPERANDS        which arguments are arrays; every other one is an option
READS           how many numbers a function fetches from the card, because what it does next depends on them
ONE_OF, RULES   options with few values, and what else is refused
"""

import inspect
import warnings
from functools import lru_cache
from itertools import takewhile

import numpy as np

from cupy import _dtypes, _fake
from cupy._array import NUMBERS, is_number, memory_order, ndarray, operand, own, refuse_memcpy, wrap
from cupy._surface import SURFACE, bind, check

# Whose results are Python's, from metadata alone.
METADATA = (
    "can_cast common_type iscomplexobj isrealobj isscalar issubdtype may_share_memory min_scalar_type ndim "
    "promote_types result_type shape shares_memory size broadcast_shapes"
).split()
SAME_NAME = """
    all allclose amax amin any append argmax argmin argpartition argsort argwhere array_equal array_split around atleast_1d
    atleast_2d atleast_3d average bincount broadcast_arrays broadcast_to clip column_stack compress concatenate copyto
    count_nonzero cross cumprod cumsum delete diag diagonal diff digitize dot dstack einsum expand_dims extract flatnonzero
    flip fliplr flipud hstack inner isclose isin kron max mean median min moveaxis nan_to_num nanargmax nanargmin nanmax nanmean
    nanmedian nanmin nanstd nansum nanvar nonzero outer pad partition percentile prod ptp quantile ravel repeat reshape roll
    rollaxis rot90 round searchsorted sort split squeeze stack std sum swapaxes take take_along_axis tensordot tile trace
    transpose tril triu union1d unique unravel_index var vdot vsplit vstack where permute_dims concat""".split()
SEVERAL = """average nonzero split array_split vsplit broadcast_arrays unique atleast_1d atleast_2d atleast_3d
             unravel_index""".split()  # results
JOINING = "concatenate stack hstack vstack dstack column_stack concat".split()  # their first argument is a sequence of arrays
CUBLAS = "dot matmul inner vdot tensordot einsum".split()  # outer and kron multiply element by element
OF_NOTHING = "mean var std median nanmean nanvar nanstd nanmedian".split()  # NaN of nothing, in silence, where NumPy warns
MAY_BE_IT = "squeeze moveaxis rollaxis diff atleast_1d atleast_2d atleast_3d".split()  # with nothing to do: the array itself

# ------------------------------------------------------------------------------------------------------- operands ---

# Every function's first argument is an array; here are those that have more of them, or where a number will do ("?") or a
# sequence of Python numbers ("+", which is uploaded by the functions in UPLOADING).  None is as good as nothing.
OPERANDS = {
    row.split()[0]: row.split()[1:]
    for row in """
    allclose a? b?, append arr values?, array_equal a1 a2, average a weights, bincount x weights, clip a a_min? a_max?,
    compress condition a, copyto dst src? where, cross a b, delete arr indices?, diff a prepend? append?, digitize x bins,
    dot a b, extract condition a, inner a b, isclose a? b?, isin element test_elements, kron a? b?,
    nan_to_num x? nan? posinf? neginf?, outer a b, percentile a q?+, quantile a q?+, repeat a repeats?+, roll a shift?+,
    searchsorted a v? sorter, take a indices?, take_along_axis a indices, tensordot a b, tile A?, union1d arr1 arr2, vdot a b,
    where condition x? y?""".split(",")
}
UPLOADING = "repeat percentile quantile".split()


def _check_operands(name, given):
    """TypeError for what is no device array where CuPy wants one.  (CuPy's own class is often AttributeError: no .sum, ...)"""
    first = next(iter(given), None)
    operands = {row.rstrip("?+"): row for row in OPERANDS.get(name, [first or ""])}
    for parameter, value in given.items():
        kind = operands.get(parameter)
        if parameter == "out":
            if value is not None and not isinstance(value, ndarray):
                raise TypeError(f"{name}: out is {type(value).__name__}, not cupy.ndarray")
        elif parameter == first and (parameter.startswith("*") or name in JOINING):
            items = value[1:] if name == "einsum" else value
            if not isinstance(items, (tuple, list)):
                raise TypeError(f"{name} of {type(value).__name__}, not of a sequence of arrays")
            for item in items:
                _check_array(name, item)
        elif kind is None:
            if _arrays(value, (ndarray, np.ndarray)):
                raise TypeError(f"{name}: {parameter} is an array, where CuPy takes Python numbers")
        elif not (
            (value is None and parameter != first)
            or ("?" in kind and (is_number(value) or isinstance(value, slice)))
            or ("+" in kind and isinstance(value, (tuple, list)) and not _arrays(value))
        ):
            _check_array(name, value)


def _check_array(name, value):
    if isinstance(value, ndarray) or (isinstance(value, (np.ndarray, list, tuple)) and _fake.let_pass()):
        return
    if name == "where" and is_number(value):
        raise AttributeError(f"'{type(value).__name__}' object has no attribute 'astype'")  # CuPy's words
    raise TypeError(f"{name} of {type(value).__name__}: CuPy refuses what is no device array, or copies it at every call")


def _arrays(x, types=None):
    """The device arrays among arguments."""
    if isinstance(x, types or ndarray):
        return [x]
    if isinstance(x, dict):
        x = x.values()
    elif not isinstance(x, (tuple, list)):
        return []
    return [a for item in x for a in _arrays(item, types)]


def _plain(x):
    """An argument as NumPy takes it: device arrays unwrapped, wherever they are."""
    if isinstance(x, (ndarray, np.ndarray)):
        return operand(x)
    return type(x)(map(_plain, x)) if type(x) in (tuple, list) else x


# ------------------------------------------------------------------------------------------------- waits, uploads ---


def _of(parameter, times):
    """`times` reads if that parameter is a device array."""
    return lambda given: times * isinstance(given.get(parameter), ndarray)


READS = {
    **dict.fromkeys("nonzero flatnonzero argwhere extract compress union1d".split(), lambda given: 1),  # how many there are
    "where": lambda given: given.get("x") is None,
    "delete": lambda given: 1 + (isinstance(i := given.get("indices"), ndarray) and i.dtype == bool and given["arr"].ndim > 1),
    "unique": lambda given: 1 + bool(given.get("return_index")) + bool(given.get("return_counts")),
    "array_equal": lambda given: 3 * bool(given.get("equal_nan")),
    "bincount": lambda given: 2,  # is one negative? which is the largest?
    "nanmin": lambda given: 1,
    "nanmax": lambda given: 1,  # is the result NaN? then it warns
    "average": _of("weights", 1),  # are they 0 in all?
    "repeat": lambda given: (
        _of("repeats", 2 if getattr(given.get("repeats"), "size", 0) != 1 else 1)(given)
        or (2 * isinstance(given.get("repeats"), (tuple, list)))
    ),
    "percentile": _of("q", 2),
    "quantile": _of("q", 2),  # are all in range?
    "unravel_index": lambda given: 2,
    "argpartition": lambda given: 2,  # which unravels
}


def _count_waits(name, given):
    if name in CUBLAS:
        _fake.refuse_in_capture(f"cuBLAS, called by cupy.{name},")
    if name in JOINING and len(next(iter(given.values()))) > 8:
        _uploads_addresses(next(iter(given.values())))
    if name in UPLOADING and any(isinstance(given.get(p), (tuple, list)) for p in ("q", "repeats")):
        _fake.transfer("h2d")
    if name in READS:
        _fake.read(f"cupy.{name}", int(READS[name](given)))


def _uploads_addresses(arrays):
    """More than eight small arrays CuPy joins by one kernel, for which it uploads their addresses and sizes."""
    if len({a.dtype for a in arrays}) == 1 and sum(a.nbytes for a in arrays) < 2 * 2**20 * len(arrays):
        _fake.transfer("h2d")


# -------------------------------------------------------------------------------------------------------- options ---

CASTINGS = "no equiv safe same_kind unsafe same_value".split()
ONE_OF = {
    ("sort", "kind"): (None, "stable"),
    ("argsort", "kind"): (None, "stable"),
    ("searchsorted", "side"): ("left", "right"),  # CuPy takes anything else for "left"
    **{(name, "method"): ("linear", "lower", "higher", "midpoint", "nearest") for name in ("percentile", "quantile")},
    ("pad", "mode"): "constant edge linear_ramp maximum mean minimum reflect symmetric wrap empty".split(),
    **{(name, "casting"): CASTINGS for name in (*JOINING, "copyto")},
    ("einsum", "optimize"): (False, True, "greedy", "optimal"),
    ("percentile", "interpolation"): (None,),
    ("quantile", "interpolation"): (None,),  # deprecated: warns
    ("unique", "axis"): (None,),
}  # elsewhere it compares rows on the host, one after the other
ORDERS = {"reshape": "CFA", "ravel": "CFAK", "unravel_index": "CF"}
INTEGER = (int, np.integer, type(None))
RULES = [  # (functions, what must not be, the error, its text)
    ("einsum", lambda g: not isinstance(g["*operands"][0], str), NotImplementedError, "the stand-in's takes a string first"),
    ("einsum", lambda g: "casting" in g, TypeError, "Did not understand the following kwargs: ['casting']"),
    ("nan_to_num", lambda g: not g.get("copy", True), NotImplementedError, "the stand-in's copies"),
    ("squeeze", lambda g: not isinstance(g.get("axis"), (*INTEGER, tuple)), TypeError, "an axis is an integer or a tuple"),
    ("sort partition", lambda g: not isinstance(g.get("axis"), INTEGER), TypeError, "an axis is an integer"),
    (
        "concatenate stack concat",
        lambda g: g.get("out") is not None and g.get("dtype") is not None,
        TypeError,
        "takes `out` or `dtype` as an argument, but both were provided",
    ),
    ("concatenate concat", lambda g: any(a.ndim == 0 for a in g["tup"]), TypeError, "of arrays without axes"),
    ("where", lambda g: (g.get("x") is None) != (g.get("y") is None), ValueError, "Must provide both 'x' and 'y' or neither."),
    (
        "searchsorted",
        lambda g: isinstance(v := g["v"], np.generic) and not isinstance(v, (int, float, complex)),
        NotImplementedError,
        "Only python scalars or ndarrays are supported for v",
    ),
    ("take", lambda g: g.get("out") is not None and g["out"].dtype != g["a"].dtype, TypeError, "Output dtype mismatch"),
]


def _check_options(name, given):
    for parameter, value in given.items():
        if (name, parameter) in ONE_OF and value not in ONE_OF[name, parameter]:
            raise ValueError(f"{name}: {parameter} is {value!r}, CuPy knows {', '.join(map(repr, ONE_OF[name, parameter]))}")
        if parameter == "order":
            memory_order(value, ORDERS[name])
        if parameter == "dtype" and value is not None:
            _dtypes.check(value)
    for names, broken, error, text in RULES:
        if name in names.split() and broken(given):
            raise error(f"{name}: {text}")


# ------------------------------------------------------------------------------------------------------ functions ---


def function(name):
    """The function of that name."""
    host = _silent(getattr(np, name)) if name in OF_NOTHING else getattr(np, name)

    def call(*args, **kwargs):
        check("cupy", name, args, kwargs)
        given = bind("cupy", name, args, kwargs)
        _check_operands(name, given)
        _check_options(name, given)
        inputs = _arrays([value for parameter, value in given.items() if parameter != "out"])
        if not inputs:
            raise TypeError(f"{name} of something that is no device array: {[type(x).__name__ for x in args]}")
        _count_waits(name, given)
        if name == "copyto":
            return _copyto(**given)
        if name == "reshape":
            return given.pop("a").reshape(given.pop("newshape"), **given)
        if name == "ravel":
            return given.pop("a").ravel(**given)
        args, kwargs, dtype = _for_numpy(name, args, kwargs, given)
        out = given.get("out")
        if out is not None:
            _refuse_overlap(name, out, inputs)
            memory, compute = operand(out), lambda: host(*args, **kwargs)
            store = lambda: np.copyto(memory, compute(), casting="unsafe") if dtype else host(*args, out=memory, **kwargs)
            _fake.mutate(store, memory)
            return out
        if name == "diagonal":  # NumPy's cannot be written to
            return _diagonal(**given)
        several = host(*args, **kwargs) if name in SEVERAL else None
        if isinstance(several, (tuple, list)):
            results = [own(lambda i=i: host(*args, **kwargs)[i], *inputs) for i in range(len(several))]
            return results if name.startswith("atleast") else type(several)(results)
        compute = (lambda: np.asarray(host(*args, **kwargs)).astype(dtype)) if dtype else lambda: host(*args, **kwargs)
        result = own(compute, *(() if name in ("diag", "nan_to_num") else inputs), order=_order(name, inputs))
        return _itself(name, result, inputs[0])

    call.__name__ = name
    return call


@lru_cache(None)
def _parameters(host):
    return tuple(inspect.signature(host).parameters)


def _silent(host):
    def call(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return host(*args, **kwargs)

    return call


def _for_numpy(name, args, kwargs, given):
    """(args, kwargs without out, dtype of the result where NumPy's function takes none): names and order may be NumPy's own."""
    dtype, parameters = None, SURFACE["cupy"][name]
    if not parameters[0].startswith("*"):
        kwargs = dict(given)
        if name.removeprefix("nan") in ("argmax", "argmin"):  # CuPy has dtype before out
            dtype = kwargs.pop("dtype", None)
            parameters = parameters[:2]
        first = list(takewhile(lambda p: p in kwargs and p != "out", parameters))  # by their place, whatever NumPy calls them
        args = [kwargs.pop(p) for p in first]
    theirs = _parameters(getattr(np, name)) if kwargs else ()
    known_as = {ours: other for ours, other in zip(parameters, theirs) if ours not in theirs}
    kwargs = {known_as.get(key, key): _plain(value) for key, value in kwargs.items() if key != "out"}
    return tuple(map(_plain, args)), kwargs, dtype


def _refuse_overlap(name, out, inputs):
    """ValueError for an output over an input: only functions of elements, and running sums, copy it first."""
    for x in inputs:
        if _fake.overlap(x._a, out._a) and name not in ("clip", "round", "around", "outer", "dot"):
            if name in ("cumsum", "cumprod") and x._a.ctypes.data == out._a.ctypes.data and x.strides == out.strides:
                continue
            raise ValueError(f"{name}: out lies where an input lies, which is overwritten before it is read; give another out")


def _order(name, inputs):
    """CuPy's results lie in C order; these copy the order of what they are given."""
    if name in ("roll", "nan_to_num"):
        return "K"
    return "K" if name == "pad" and inputs[0]._a.flags.fnc else "C"


def _itself(name, result, x):
    same = lambda a: (a.shape, a.strides, a.ctypes.data)
    return x if name in MAY_BE_IT and same(result._a) == same(x._a) else result


def _diagonal(a, *args, **kwargs):
    x = operand(a)
    view = np.diagonal(x, *args, **kwargs)
    view.flags.writeable = x.flags.writeable
    return wrap(view, a)


def _copyto(dst, src, casting="same_kind", where=None):
    """dst[...] = src: by one memcpy, if both lie in the same order."""
    memory, source = operand(dst), operand(src)
    if isinstance(src, ndarray) and _fake.overlap(source, memory) and source.ctypes.data != memory.ctypes.data:
        if where is None and source.size == memory.size and (source.flags.forc and memory.flags.forc):
            refuse_memcpy(memory if memory.flags.c_contiguous else memory.T, source)
        _fake.counts.op += 1  # CuPy copies it
    mask = True if where is None else operand(where)
    if not np.can_cast(source.dtype if isinstance(src, ndarray) else np.min_scalar_type(src), memory.dtype, casting):
        np.copyto(np.empty((), memory.dtype), source if np.ndim(source) == 0 else source.ravel()[0], casting)  # NumPy's error
    store = lambda: _dtypes.convert(source, memory.dtype, copy=False) if isinstance(src, ndarray) else source
    _fake.mutate(lambda: np.copyto(memory, store(), casting=casting, where=mask), memory)


def metadata(name):
    """A function of shapes and dtypes: it looks at no element."""

    def call(*args, **kwargs):
        check("cupy", name, args, kwargs)
        if not all(isinstance(x, (ndarray, np.generic, np.dtype, type, str, tuple, *NUMBERS)) for x in args):
            raise TypeError(f"{name} of {[type(x).__name__ for x in args]}")
        return getattr(np, name)(*(x._a if isinstance(x, ndarray) else x for x in args), **kwargs)

    call.__name__ = name
    return call


MATMUL_OPTIONS = {"axes": None, "axis": None, "keepdims": False, "signature": None, "order": "K"}


def matmul(*args, out=None, **kwargs):
    """Matrix products, by cuBLAS."""
    check("cupy", "matmul", args, kwargs)
    for option, usual in MATMUL_OPTIONS.items():
        if kwargs.get(option, usual) != usual:
            raise NotImplementedError(f"the stand-in's matmul takes no {option}")
    if len(args) == 3:
        *args, out = args
    values = [operand(x) for x in args]
    if any(np.ndim(x) == 0 for x in values):
        raise ValueError("Scalar operands are not allowed, use '*' instead")
    _fake.refuse_in_capture("cuBLAS, called by cupy.matmul,")
    if out is None:
        return own(lambda: np.matmul(*values, **kwargs))
    (out,) = out if isinstance(out, tuple) else (out,)
    if not isinstance(out, ndarray):
        raise TypeError(f"matmul: out is {type(out).__name__}, not cupy.ndarray")
    memory = operand(out)
    _fake.counts.op += any(_fake.overlap(x, memory) for x in values)  # CuPy computes beside it, and copies
    _fake.mutate(lambda: np.matmul(*values, out=memory, **kwargs), memory)
    return out
