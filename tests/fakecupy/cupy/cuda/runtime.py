"""cupy.cuda.runtime: the calls of CUDA that the project makes."""

from cupy import _fake
from cupy._surface import SURFACE


class CUDARuntimeError(RuntimeError):
    """An error code of CUDA."""

    def __init__(self, status):
        self.status = status
        names = {
            35: "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version",
            100: "cudaErrorNoDevice: no CUDA-capable device is detected",
            101: "cudaErrorInvalidDevice: invalid device ordinal",
        }
        super().__init__(names.get(status, f"cudaError {status}"))


def getDeviceCount():
    """How many cards; CUDARuntimeError if there is no driver, or no card."""
    if _fake.machine.driver < 13000:
        raise CUDARuntimeError(35)
    if not _fake.machine.cards:
        raise CUDARuntimeError(100)
    return _fake.machine.cards


def _check(device):
    if not 0 <= device < getDeviceCount():
        raise CUDARuntimeError(101)


def getDevice():
    """The current card's number."""
    return _fake.current_device


def setDevice(device):
    """Make it the current one."""
    _check(device)
    _fake.current_device = device


def getDeviceProperties(device):
    """Of the pretended card."""
    _check(device)
    return {"name": b"stand-in", "major": 9, "minor": 0, "totalGlobalMem": _fake.machine.memory, "multiProcessorCount": 132}


def runtimeGetVersion():
    """13.2."""
    return 13020


def driverGetVersion():
    """As the machine is set; 0 without a driver."""
    return _fake.machine.driver


def deviceSynchronize():
    """Wait for everything."""
    _fake.synchronise("deviceSynchronize()")


def memGetInfo():
    """(free, total) bytes."""
    return _fake.machine.memory, _fake.machine.memory


def __getattr__(name):
    if name not in SURFACE["cupy.cuda.runtime"]:
        raise AttributeError(f"module 'cupy.cuda.runtime' has no attribute {name!r}")
    raise NotImplementedError(f"the stand-in has no cupy.cuda.runtime.{name}, which the real package has: add it")
