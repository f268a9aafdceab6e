"""Which array module owns an array, and on which device the array lives.

xp          the module (numpy, cupy) of some arrays                 is_array       is it one of those modules' arrays?
device_of   "cpu", "cuda:0", ... of an array                        to_device      copy an array to a device
beside      an array from the host, where another array lives       kept_beside    the same, uploaded once and kept
new_array   an array of numbers or lists                            constant       an argument that is not a Tensor
check_mix   refuse arrays that do not go together                   check_device   refuse a device that cannot be used

The array decides: NumPy in, NumPy out; CuPy in, CuPy out.  There is no global "current backend".  CuPy is imported only
when the program first uses a GPU, because that import takes longer than the import of minigan.
"""

from collections import OrderedDict
from typing import Any

import numpy as np

from minigan import moved
from minigan.errors import DeviceError, DTypeError, ShapeError

# The types that are arrays, each with the module of its functions.  CuPy's type is added when CuPy is first used.
MODULES: dict[type, Any] = {np.ndarray: np}


def is_array(x) -> bool:
    """True for a NumPy or CuPy array (not for scalars, lists or Tensors)."""
    return type(x) in MODULES


def xp(*arrays) -> Any:
    """The module that owns the arrays: numpy or cupy.  Scalars belong to neither; if there are only scalars, it is numpy.

    DeviceError when the arrays live on different kinds of device.
    """
    module = None
    for array in arrays:
        owner = MODULES.get(type(array))
        if owner is None:
            continue
        if module is None:
            module = owner
        elif module is not owner:
            raise DeviceError(mixed_devices("operation", arrays))
    return module or np


def mixed_devices(what: str, arrays) -> str:
    """The text of the error for arrays on different devices."""
    places = ", ".join(f"{a.shape} on {device_of(a)}" for a in arrays if is_array(a))
    return f"{what}: arrays on different devices: {places}; move them to one with .to('cpu') or .to('cuda')"


def check_mix(op: str, arrays) -> None:
    """DeviceError if the arrays live on different devices, DTypeError if NumPy would convert their dtypes without a word.

    Numbers go with any array; a boolean array goes with any dtype.
    """
    arrays = [a for a in arrays if is_array(a)]
    if len({device_of(a) for a in arrays}) > 1:
        raise DeviceError(mixed_devices(op, arrays))
    if len({a.dtype for a in arrays if a.dtype != bool}) > 1:
        listing = " and ".join(f"{a.dtype} {a.shape}" for a in arrays)
        raise DTypeError(f"{op}: dtypes do not mix: {listing}; convert one with .astype(...)")


def constant(x, beside_these=()) -> Any:
    """An argument beside Tensors: None and Python numbers stay, a NumPy number becomes a Python number, a list an array.

    A Python number goes with any dtype, and so does a list of them.  A NumPy number (np.sqrt(2)) would turn float32 into
    float64, so we convert it.   beside_these: the first Tensor among them gives the dtype and device for the array of a list.
    """
    if type(x) is float or x is None or (isinstance(x, (bool, int, float)) and not isinstance(x, np.generic)):
        return x
    if isinstance(x, np.generic) and x.dtype.kind in "fiub":
        return x.item()
    like = next((t.data for t in beside_these if is_array(getattr(t, "data", None))), None)
    dtype = like.dtype if like is not None and like.dtype.kind == "f" and not _has_dtype(x) else None
    return beside(new_array(x, dtype), like)


def new_array(data, dtype=None) -> Any:
    """data as an array: numbers and nested lists become a NumPy array, in which Python floats are float32.

    Data that has a dtype (an array of any kind, also inside a list) keeps it, unless dtype is given.  DTypeError for anything
    that is not numbers or booleans, ShapeError for nested lists of unequal lengths.
    """
    try:
        array = np.asarray(data) if not is_array(data) else data
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ShapeError(
            "a tensor is made from nested lists of equal lengths; these differ, so pad them or make several tensors"
        ) from None
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"a tensor holds real numbers or booleans, got {array.dtype} from {type(data).__name__}")
    if not array.dtype.isnative:  # such as big-endian data from a file, which would not equal the same dtype elsewhere
        array = array.astype(array.dtype.newbyteorder("="))
    if dtype is None and array.dtype == np.float64 and not is_array(data) and not _has_dtype(data):
        dtype = np.float32
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def _has_dtype(data) -> bool:
    """Does the data have a dtype of its own, as arrays do and Python's numbers do not?   For a list: does any item have one?"""
    if isinstance(data, (list, tuple)):
        return any(map(_has_dtype, data))
    return hasattr(data, "dtype") or hasattr(data, "__array__")


def converted(value, shape, dtype):
    """A saved value as an array of this shape and dtype.  ValueError, which says why, if that is impossible: the shape
    differs, it does not hold real numbers, or the dtype can't hold them (3.7 in an integer, 1e300 in float32)."""
    array = value if is_array(value) else np.asarray(value)
    if array.shape != shape:
        raise ValueError(f"is {shape}, but the state has {array.shape}")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"holds real numbers, but the state has {array.dtype}")
    if array.dtype == dtype:
        return array
    with np.errstate(all="ignore"):
        new = array.astype(dtype)
    lost = abs(new) == np.inf if dtype.kind == "f" else new != array
    if array.dtype.kind == "f" and dtype.kind == "f":
        lost &= abs(array) != np.inf
    if lost.any():
        raise ValueError(f"is {dtype}, which can't hold the state's {array[lost].reshape(-1)[0]}")
    return new


def device_of(array) -> str:
    """'cpu' for a NumPy array, 'cuda:0', 'cuda:1', ... for a CuPy array."""
    if isinstance(array, np.ndarray):
        return "cpu"
    return f"cuda:{array.device.id}"


def check_device(device: str) -> str:
    """The device's full name ('cuda' is 'cuda:0').  DeviceError if it is unknown or can't be used on this machine."""
    device = str(device)
    kind, _, number = device.partition(":")
    if device == "cpu":
        return device
    if kind != "cuda" or (number and not number.isdigit()):
        raise DeviceError(f"unknown device {device!r}; use 'cpu', 'cuda' or 'cuda:1'")
    cupy = load_cupy()
    count = cupy.cuda.runtime.getDeviceCount()
    if int(number or 0) >= count:
        raise DeviceError(f"device {device!r} does not exist: this machine has {count} CUDA device(s), numbered from 0")
    return f"cuda:{int(number or 0)}"


def to_device(array, device: str):
    """The array on that device: itself if it is there already, else a copy.  DeviceError if the device can't be used.

    A process uses one GPU at a time: ops run on the GPU to which something was moved last.
    """
    if device == "cpu":
        return array if isinstance(array, np.ndarray) else array.get()
    device = check_device(device)
    if not isinstance(array, np.ndarray) and device_of(array) == device:
        return array
    cupy = load_cupy()
    cupy.cuda.Device(int(device.partition(":")[2])).use()
    return cupy.asarray(array) if isinstance(array, np.ndarray) else array.copy()  # copy() copies to the GPU in use


def beside(array, like):
    """The array on the device of `like`: if that is a GPU, a NumPy array is uploaded at every call."""
    on_cpu = isinstance(like, np.ndarray) or not is_array(like)
    return array if on_cpu or type(array) is type(like) else to_device(np.asarray(array), device_of(like))


_kept: OrderedDict = OrderedDict()  # (device, dtype, shape, bytes) -> array on a GPU; the one used last is at the end
KEPT = 256  # we keep at most so many


def kept_beside(array, like):
    """`beside` for a small NumPy array that depends only on shapes and options, such as an index: it is uploaded once and kept.

    So an op that needs one makes no transfer in a training step.  The caller must not write into it.
    """
    if isinstance(like, np.ndarray) or not is_array(like) or type(array) is type(like):
        return array
    key = device_of(like), array.dtype.str, array.shape, array.tobytes()
    if key not in _kept:
        _kept[key] = to_device(array, key[0])
    _kept.move_to_end(key)
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return _kept[key]


def kept() -> list:
    """The arrays that kept_beside keeps now."""
    return list(_kept.values())


def load_cupy():
    """The cupy module, imported and registered on first use; DeviceError, which says what to do, if it cannot be used."""
    try:
        import cupy
    except ModuleNotFoundError:
        raise DeviceError(
            "device 'cuda' needs CuPy, which is not installed; pip install 'cupy-cuda13x[ctk]' (or 'cupy-cuda12x[ctk]' "
            "if your driver is for CUDA 12), or use device 'cpu'"
        ) from None
    except ImportError as error:  # the first of its lines says what failed
        first = next(iter(str(error).strip().splitlines()), "")
        raise DeviceError(
            f"CuPy is installed but does not load: {first}; reinstall it with pip install 'cupy-cuda13x[ctk]' or "
            f"'cupy-cuda12x[ctk]' (only one CuPy at a time), or use device 'cpu'"
        ) from None
    except OSError as error:  # CuPy's import creates a folder for compiled kernels
        raise DeviceError(
            f"CuPy is installed but cannot write {error.filename}: {error.strerror}; set CUPY_CACHE_DIR to a "
            f"folder that can be written, or use device 'cpu'"
        ) from None
    if not cupy.cuda.is_available():
        raise DeviceError(f"CuPy is installed but {_what_is_missing(cupy)}, or use device 'cpu'")
    if cupy.ndarray not in MODULES:  # a driver is not enough: CuPy also needs NVRTC to compile each kernel on first use
        try:
            cupy.cuda.nvrtc.getVersion()
        except (RuntimeError, OSError, ImportError):
            built_for = cupy.cuda.runtime.runtimeGetVersion() // 1000
            raise DeviceError(
                f"CuPy is installed but finds no NVRTC, NVIDIA's compiler for kernels; pip install "
                f"'cupy-cuda{built_for}x[ctk]', or install the CUDA toolkit {built_for}, or use device 'cpu'"
            ) from None
        MODULES[cupy.ndarray] = cupy
    return cupy


def _what_is_missing(cupy) -> str:
    """Why an installed CuPy has no GPU to use, and what to do.   CUDA writes its version 13.2 as 13020."""
    driver, built_for = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
    if not driver:
        return "this machine has no CUDA driver; install NVIDIA's driver"
    if driver // 1000 < built_for // 1000:  # a driver supports all minor versions of its major version, and older ones
        return (
            f"is for CUDA {built_for // 1000}, and the driver here knows CUDA {driver // 1000}.{driver % 1000 // 10} at "
            f"most; update the driver, or uninstall this CuPy and pip install 'cupy-cuda{driver // 1000}x[ctk]'"
        )
    return "finds no GPU here; check that nvidia-smi lists one, and $CUDA_VISIBLE_DEVICES"


def has_card() -> bool:
    """True if CuPy is installed and a GPU can be used."""
    try:
        load_cupy()
    except DeviceError:
        return False
    return True


def pick_device(device: str) -> str:
    """check_device, which also accepts 'auto': 'cuda:0' if there is a GPU, else 'cpu'."""
    if device == "auto":
        return "cuda:0" if has_card() else "cpu"
    return check_device(device)


def extent(array) -> tuple[int, int]:
    """The first address of an array's memory and the first one after it, for any strides."""
    start = array.__array_interface__["data"][0] if isinstance(array, np.ndarray) else array.data.ptr
    reach = [(n - 1) * stride for n, stride in zip(array.shape, array.strides)]
    return start + sum(r for r in reach if r < 0), start + sum(r for r in reach if r > 0) + array.itemsize


moved.guard(__name__)
