"""cupy.cuda.nvrtc: NVIDIA's compiler, which is there or not."""

from cupy import _fake


def getVersion():
    """(major, minor); RuntimeError where the library is missing, as cuda.pathfinder raises it."""
    if not _fake.machine.nvrtc:
        raise RuntimeError('Failure finding "libnvrtc.so.13 or libnvrtc.so.12": No such file: libnvrtc.so.13')
    return 13, 0
