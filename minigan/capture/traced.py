"""Record a step on the CPU: stand-ins for arrays write down every NumPy call that is made with them.

Traced      stands for an array while a step is recorded; NumPy's C code sees that it is none, so nothing uses its memory unseen
Recorder    the calls of one step, and what they read and write          Call, Memory    what it writes down

While a step is recorded, every Tensor of the program holds a Traced instead of its array.  Each call on a Traced computes at
once, on the arrays behind it, and is noted with these arrays.  What a list of calls cannot repeat raises Unseen: a value that
Python reads (`if`, float(), item()), memory that is given to a function which asks for a real array, a result written into an
array that the recorder does not know.

Some functions may read values, because their Python runs again at every replay.  Such a function is noted as one call:
  - an op, a gradient rule or a kernel that raised Unseen is called once more, with the arrays themselves (`run`);
  - whatever is marked with watch.again: an optimizer's step reads its learning rate and counts its steps;
  - a draw from a random stream.
"""

import contextlib
import gc
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minigan.backend import MODULES
from minigan.capture.state import State
from minigan.capture.structure import arrays_in, items_in, mapped
from minigan.errors import CaptureError
from minigan.numpy_functions import WRITES
from minigan.tensor import Tensor
from minigan.watch import calling_line, watch, watchers


class Unseen(CaptureError):
    """Something used a Traced in a way that cannot be noted."""


class Memory:
    """One piece of memory: of a Tensor that the step found, or of a value that the step made."""

    __slots__ = ("first", "kept", "last", "number", "offset", "root", "tensor")

    def __init__(self, root, tensor=None):
        self.root = root  # the array that owns it; of a Tensor, the Tensor's array
        self.tensor = tensor  # the Tensor; None for a value
        self.first, self.last = -1, -1  # the numbers of the calls that use it first and last
        self.kept = False  # is it used after the step, such as a result?
        self.number, self.offset = -1, 0  # of its buffer (plan.py), and where it begins there


class Call:
    """One noted call.   how it gives its result:

    out     the function takes `out`, an array        copy     its result is copied to `out`
    write   it writes into `out`, one of its arguments; `draws` says that it does so from a random stream
    again   its Python runs again, and the results go to the arrays in `out`: an op, a rule or a kernel
    method  the same, of an object that has numbers of its own, such as an optimizer
    """

    __slots__ = ("args", "draws", "function", "how", "kwargs", "name", "op", "out", "site")

    def __init__(self, op, site, function, args, kwargs, out, how, name=None, draws=False):
        self.op, self.site, self.function, self.args, self.kwargs = op, site, function, args, kwargs
        self.out, self.how, self.draws = out, how, draws
        self.name = name or getattr(function, "__name__", type(function).__name__)

    def arrays(self) -> list:
        """All arrays that the call reads or writes."""
        return [*arrays_in((self.args, self.kwargs)), *arrays_in(self.out)]


class Held:
    """An object that is no array, such as what a kernel keeps for its gradient: it is made anew at every replay."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def found(x) -> Any:
    """The object in a Held; anything else as it is."""
    return x.value if type(x) is Held else x


class Traced(NDArrayOperatorsMixin):
    """Stands for `array` while `recorder` records.   base: the Traced of which this is a view, or None."""

    __slots__ = ("array", "base", "memory", "recorder")
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]  # the mixin has none, because == compares elements
    __class__ = property(lambda self: np.ndarray)  # type: ignore[assignment]  # isinstance is true, so ops go NumPy's way
    device = "cpu"

    def __init__(self, array, memory, recorder, base=None):
        self.array, self.memory, self.recorder, self.base = array, memory, recorder, base

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if any(isinstance(x, Tensor) for x in inputs):
            return NotImplemented
        return self.recorder.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function, types, args, kwargs):
        if any(issubclass(t, Tensor) for t in types):
            return NotImplemented
        if function.__name__ in WRITES:
            return self.recorder.write(function, args[0], args, kwargs)
        return self.recorder.apply(function, args, kwargs)

    def __getitem__(self, index):
        if any(type(i) is Traced and i.dtype == bool for i in (index if isinstance(index, tuple) else (index,))):
            # not Unseen: an op that is called again would give another shape
            raise CaptureError(
                *self.recorder.unseen("picks elements with a mask, so values decide a shape", "use mg.where").args
            )
        return self.recorder.apply(_item, (self, index), {})

    def __setitem__(self, index, value):
        self.recorder.write(operator.setitem, self, (self, index, value), {})

    def fill(self, value):
        """See numpy.ndarray.fill."""
        self[...] = value

    def __pow__(self, exponent):
        if isinstance(exponent, Tensor):
            return NotImplemented
        return self.recorder.apply(operator.pow, (self, exponent), {})  # NumPy computes some powers as products

    def __rpow__(self, base):
        return self.recorder.apply(operator.pow, (base, self), {})

    def __ipow__(self, exponent):
        self[...] = self**exponent
        return self

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"Traced({self.array.dtype} {self.array.shape})"

    def __array__(self, dtype=None, copy=None):
        raise self.recorder.unseen(
            "gives a Tensor to a function that wants NumPy's own arrays, or puts it into one",
            "use minigan's ops, and x[...] = value on Tensors",
        )

    def __getattr__(self, name):
        if name in ("data", "ctypes") or name.startswith("__array_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        raise self.recorder.unseen(
            f"needs the values of a Tensor ({name.strip('_')})",
            "return the Tensor from the step and read it there; mg.where can choose between values",
        )


def _item(array, index):
    """array[index]; a view also of a single element, which NumPy would copy."""
    y = array[index]
    return array[(*index, ...) if isinstance(index, tuple) else (index, ...)] if isinstance(y, np.generic) else y


def _install():
    """Give Traced the attributes and methods of ndarray that do not tell values."""
    for name in ("shape", "dtype", "ndim", "size", "itemsize", "nbytes", "strides", "flags"):
        setattr(Traced, name, property(operator.attrgetter(f"array.{name}")))
    setattr(Traced, "T", property(lambda self: self.transpose()))  # noqa: B010  # type checkers see only what the class has
    for name, ufunc in REDUCTIONS.items():
        setattr(Traced, name, _reduction(ufunc))
    for name in METHODS.split():
        setattr(Traced, name, _method(getattr(np.ndarray, name)))
    for name in ("__bool__", "__int__", "__float__", "__index__", "__complex__"):
        setattr(Traced, name, _refused(name))


def _reduction(ufunc):
    def method(self, axis=None, dtype=None, out=None, keepdims=False, **options):
        options |= {"dtype": dtype} if dtype is not None else {}
        options |= {"out": (out,)} if out is not None else {}
        return self.recorder.ufunc(ufunc, "reduce", (self,), {"axis": axis, "keepdims": keepdims, **options})

    return method


def _method(function):
    return lambda self, *args, **kwargs: self.recorder.apply(function, (self, *args), kwargs)


def _refused(name):
    return lambda self: Traced.__getattr__(self, name)


REDUCTIONS = {
    "sum": np.add,
    "prod": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "any": np.logical_or,
    "all": np.logical_and,
}
METHODS = (
    "argmax argmin argsort astype clip copy cumprod cumsum diagonal dot flatten mean ravel repeat reshape round squeeze std "
    "swapaxes take trace transpose var view"
)
# NumPy's functions that tell only shapes and dtypes.
OF_SHAPES = {"shape", "ndim", "size", "may_share_memory", "shares_memory", "result_type", "can_cast", "iscomplexobj"}
# Functions whose result's shape depends on values.
OF_VALUES = {"nonzero", "flatnonzero", "argwhere", "unique", "compress", "extract", "array_equal", "allclose"}
YOURS = "your code"  # the op of a call that the step itself makes
CONSTANTS = {"zeros_like": 0, "ones_like": 1}
DRAWS_INTO = {"standard_normal", "random"}  # their third argument is where the numbers go

_install()


class Recorder:
    """Records one step: `with recorder.recording(): result = step(*arguments)`."""

    def __init__(self):
        self.calls: list[Call] = []
        self.memory: dict[int, tuple[Any, Memory]] = {}  # id of an array -> the array, and the memory of which it is a view
        self.values: list[Memory] = []
        self.inputs: list[Any] = []  # the arrays for the arguments of the step
        self.state = State()  # what the step changes, as it was before
        self.tensors: list[tuple[Tensor, Any, Traced]] = []  # every Tensor that there is, its array, and what stands for it
        self.owners: dict[int, list] = {}  # id of a Tensor's array -> the Tensors that have it
        self.op, self.site = YOURS, None  # of the call that is being made
        self.undo: list[Callable] = []  # takes back what an op has written into Tensors, if it must be called again

    # ------------------------------------------------------------------------------------------------ the beginning ---

    @contextlib.contextmanager
    def recording(self):
        """Inside, all Tensors hold Traced arrays, and the engine calls ops through `run`."""
        kinds = kinds_of(Tensor)
        self.tensors = [(t, t.data, self.tensor(t)) for t in gc.get_objects() if type(t) in kinds and _is_plain(t)]
        MODULES[Traced] = np
        self._swap(True)
        outer, watchers.recorder = watchers.recorder, self
        try:
            with watch(_nothing):
                yield self
            self._settle()
        finally:
            watchers.recorder = outer
            for tensor, array, _ in self.tensors:
                tensor.data = array

    def input(self, x) -> Any:
        """What the step gets for one of its arguments: an array is copied to where each replay copies the next one."""
        if not isinstance(x, (Tensor, np.ndarray)):
            return x
        stand_in = self.value((x.data if isinstance(x, Tensor) else x).copy(order="K"))
        self.inputs.append(stand_in.array)
        return Tensor(stand_in) if isinstance(x, Tensor) else stand_in

    def tensor(self, tensor) -> Traced:
        """What stands for the array of a Tensor from before the step."""
        array = tensor.data
        self.owners.setdefault(id(array), []).append(tensor)
        if id(array) not in self.memory:
            self.memory[id(array)] = array, Memory(array, tensor)
        return Traced(array, self.memory[id(array)][1], self)

    def _swap(self, traced):
        for tensor, array, stand_in in self.tensors:
            if tensor.data is (array if traced else stand_in):
                tensor.data = stand_in if traced else array  # pyright: ignore[reportAttributeAccessIssue]

    def _settle(self):
        """A Tensor that got another array (x.data = ...): at every replay the new values are copied into the old one."""
        for tensor, array, stand_in in self.tensors:
            new = tensor.data
            if new is not stand_in and new is not array:
                if (new.shape, new.dtype) != (array.shape, array.dtype):
                    raise CaptureError(
                        f"capture: the step changes a Tensor from {array.dtype} {array.shape} to {new.dtype} {new.shape}; "
                        "make a new Tensor, and return it from the step"
                    )
                if any(np.may_share_memory(array, other) for t, other, _ in self.tensors if t is not tensor):
                    raise CaptureError(
                        f"capture: the step gives new data to a Tensor {array.shape} that shares its memory with another one, "
                        "which a replay would change, too; write x[...] = value"
                    )
                self.op, self.site = "x.data = value", None
                stand_in[...] = new

    def value(self, array, base=None) -> Any:
        """What stands for an array that the step made, or for a view of `base`."""
        if base is not None:
            memory = base.memory
        else:
            root = array
            while isinstance(root.base, np.ndarray):
                root = root.base
            memory = Memory(root)
            self.values.append(memory)
        self.memory[id(array)] = array, memory
        return Traced(array, memory, self, base if base is None or base.base is None else base.base)

    # -------------------------------------------------------------------------------------------------------- notes ---

    def note(self, function, args, kwargs, out, how, name=None, draws=False):
        """Write down a call that was just made."""
        self.calls.append(Call(self.op, self.site, function, args, kwargs, out, how, name, draws))

    def unseen(self, what, instead) -> Unseen:
        """The error for what cannot be noted."""
        site = self.site or calling_line()
        return Unseen(f"capture: {self.op}{f' ({site})' if site else ''} {what}, which a replay cannot repeat; {instead}")

    def _here(self):
        if watchers.recorder is not self:
            raise Unseen(
                "capture: a Tensor from inside a captured step is used outside of it, or in another thread; return it "
                "from the step"
            )

    def _will_write(self, target):
        if type(target) is not Traced:
            raise self.unseen("writes into an array that is no Tensor", "write into a Tensor, or make a new one")
        if target.memory.tensor is not None:
            root = target.memory.root
            self.state.array(root, self.owners[id(root)])
            old = root.copy()
            self.undo.append(lambda: np.copyto(root, old))

    def ufunc(self, ufunc, method, inputs, options):
        """Compute and note a ufunc or one of its methods."""
        self._here()
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        if method == "at":
            return self.write(function, inputs[0], inputs, options, name)
        out = options.pop("out", (None,))
        args, kwargs = mapped(_array, inputs), mapped(_array, options)
        if out[0] is not None:
            self._will_write(out[0])
            function(*args, **kwargs, out=out[0].array)
            self.note(function, args, kwargs, out[0].array, "out", name)
            return out[0]
        y = function(*args, **kwargs)
        if isinstance(y, tuple):
            raise self.unseen(f"calls np.{name}, which has several results", "use an op with one result")
        y = np.asarray(y)  # NumPy makes scalars of arrays without axes
        self.note(function, args, kwargs, y, "out", name)
        return self.value(y)

    def apply(self, function, args, kwargs) -> Any:
        """Compute and note a function or method of NumPy.  A view needs no call."""
        self._here()
        name = function.__name__
        if name in OF_VALUES:
            raise self.unseen(f"calls np.{name}, whose result depends on values", "use mg.where")
        if kwargs.get("out") is not None:
            target = kwargs["out"]
            return self.write(function, target, args, kwargs)
        plain_args, plain_kwargs = mapped(_array, args), mapped(_array, kwargs)
        y = function(*plain_args, **plain_kwargs)
        if name in OF_SHAPES:
            return y
        for x in arrays_in((args, kwargs), Traced):
            if y is x.array and args and x is not args[0]:
                raise self.unseen(f"gives np.{name} an array for its result", "leave it out")
            if y is x.array:
                return x
            if isinstance(y, np.ndarray) and y.size and np.may_share_memory(y, x.array):
                return self.value(y, x)
        if not isinstance(y, (np.ndarray, np.generic)):
            raise self.unseen(f"calls np.{name}, which gives a {type(y).__name__}", "use an op of minigan")
        y = np.asarray(y)
        if name in CONSTANTS:
            self.note(np.copyto, (y, CONSTANTS[name]), {}, y, "write", name)
        elif name == "concatenate" and not set(kwargs) - {"axis"}:
            self.note(function, (*plain_args, *plain_kwargs.values()), {}, y, "out")
        elif name != "empty_like":
            self.note(function, plain_args, plain_kwargs, y, "copy", name)
        return self.value(y)

    def write(self, function, target, args, kwargs, name=None):
        """Compute and note a call that writes into one of its arguments."""
        self._here()
        self._will_write(target)
        args, kwargs = mapped(_array, args), mapped(_array, kwargs)
        function(*args, **kwargs)
        self.note(function, args, kwargs, target.array, "write", name)
        return target

    # --------------------------------------------------------------------------------------- functions as one call ---

    def run(self, op, site, function, args, params):
        """Call an op, a rule or a kernel.  If it reads values, it is noted as one call."""
        if any(type(x) in MODULES and type(x) not in (np.ndarray, Traced) for x in items_in((args, params))):
            raise CaptureError(
                f"capture: {op} gets an array on a GPU, but none of the step's arguments is there; give the step its batch "
                "as a Tensor on the GPU"
            )
        outer, undo, mark = (self.op, self.site), self.undo, len(self.calls)
        self.op, self.site, self.undo = op if self.op == YOURS else self.op, site or self.site, []
        try:
            if not arrays_in((args, params), Held):
                try:
                    return function(*args, **params)
                except Exception as error:  # a real error comes again when the function gets its arrays
                    if arrays_in((args, params), Tensor) or (isinstance(error, CaptureError) and type(error) is not Unseen):
                        raise
                    del self.calls[mark:]
                    for take_back in reversed(self.undo):
                        take_back()
            return self.once(function, args, params, op)
        finally:
            (self.op, self.site), self.undo = outer, undo + self.undo if outer[0] != YOURS else []

    def again(self, method, owner, args, changes):
        """Call a method that watch.again marks; see there."""
        outer = self.op, self.site
        self.op, self.site = f"{type(owner).__name__}.{method.__name__.strip('_')}", calling_line()
        try:
            return self.once(partial(method, owner), args, {}, self.op, changes, owner)
        finally:
            self.op, self.site = outer

    def once(self, function, args, kwargs, name, changes=(), owner=None):
        """Call a function with plain arrays, note it as one call, and give what stands for its results."""
        self._here()
        for tensor in changes:
            array = next((a for t, a, _ in self.tensors if t is tensor), None)
            if array is not None:
                self.state.array(array, self.owners[id(array)])
        if owner is not None:
            self.state.object(owner)
        args, kwargs = mapped(_array, args), mapped(_array, kwargs)
        old = [(a, a.copy()) for a in arrays_in((args, kwargs)) if id(a) in self.owners]
        watchers.recorder = None
        self._swap(False)
        try:
            y = function(*mapped(found, args), **mapped(found, kwargs))
        finally:
            self._swap(True)
            watchers.recorder = self
        for array, was in old:
            if array.tobytes() != was.tobytes():
                self.state.array(array, self.owners[id(array)], was)
        results = []
        y = mapped(lambda x: self._result(x, args, results), y)
        self.note(function, args, kwargs, mapped(_array, y), "again" if owner is None else "method", name)
        return y

    def _result(self, x, args, results):
        if isinstance(x, np.generic):
            x = np.asarray(x)
        if type(x) is np.ndarray:
            if x.base is not None or id(x) in self.memory or any(x is a for a in [*arrays_in(args), *results]):
                x = x.copy(order="K")  # it may be a view of an argument, and a later call may write into it
            results.append(x)
            return self.value(x)
        if x is None or isinstance(x, (bool, int, float, str)):
            return x
        return Held(x)

    def draw(self, streams, name):
        """What stands for a generator: its draws are noted, and drawn again at every replay."""
        return _Drawing(self, streams, name)


class _Drawing:
    def __init__(self, recorder, streams, name):
        self._recorder, self._streams, self._name = recorder, streams, name

    def __getattr__(self, method):
        recorder, streams, name = self._recorder, self._streams, self._name

        def draw(*args, **kwargs):
            recorder._here()
            generator = streams.generator(name)
            recorder.state.generator(streams, name)
            before = generator.bit_generator.state
            recorder.undo.append(lambda: setattr(generator.bit_generator, "state", before))
            args, kwargs = mapped(_array, args), mapped(_array, kwargs)
            y = getattr(generator, method)(*args, **kwargs)
            if not isinstance(y, np.ndarray):
                raise recorder.unseen(f"draws a single number ({method})", "draw an array, with a size")

            def again(*args, **kwargs):  # mg.seed makes new generators, so it asks for the generator each time
                return getattr(streams.generator(name), method)(*args, **kwargs)

            label = f'{method} from "{name}"'
            dtype = kwargs.get("dtype", args[1] if len(args) > 1 else None)
            if method in DRAWS_INTO and dtype is not None and "out" not in kwargs and y.flags.c_contiguous:
                recorder.note(again, (None, dtype, y), {}, y, "write", label, draws=True)
            else:
                recorder.note(again, args, kwargs, y, "copy", label, draws=True)
            return recorder.value(y)

        return draw


def kinds_of(base) -> set[type]:
    """A class and all its subclasses, such as Tensor and Parameter."""
    kinds = [base]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return set(kinds)


def _is_plain(tensor):
    return type(getattr(tensor, "data", None)) is np.ndarray


def _array(x) -> Any:
    return x.array if type(x) is Traced else x


def _nothing(*_):
    """A watcher that does nothing; while there is a watcher, the engine calls ops through watch.run."""
