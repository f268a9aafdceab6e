"""NVIDIA's own compiler for CUDA C, which needs no card: machine code, or its messages, for any generation of cards."""

import ctypes
from functools import cache
from pathlib import Path

import pytest


@cache
def library():
    """libnvrtc of the wheel nvidia-cuda-nvrtc; the test is skipped where that is not installed."""
    package = pytest.importorskip("nvidia.cu13", reason="compiling for real cards needs nvidia-cuda-nvrtc (extra test-gpu)")
    for folder in package.__path__:
        for file in sorted(Path(folder, "lib").glob("libnvrtc.so.*")):
            for part in file.parent.glob("libnvrtc-builtins.so.*"):  # which it would look for among the system's
                ctypes.CDLL(str(part), ctypes.RTLD_GLOBAL)
            return ctypes.CDLL(str(file))
    pytest.skip("compiling for real cards needs nvidia-cuda-nvrtc (extra test-gpu)")


def cubin(source: str, options: tuple, architecture: str) -> bytes:
    """Machine code for that architecture, such as "sm_90".   RuntimeError with the messages if there is a mistake."""
    nvrtc, program, size = library(), ctypes.c_void_p(), ctypes.c_size_t()
    _check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None))
    arguments = [o.encode() for o in (*options, f"--gpu-architecture={architecture}")]
    status = nvrtc.nvrtcCompileProgram(program, len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
    _check(nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
    log = ctypes.create_string_buffer(size.value)
    _check(nvrtc.nvrtcGetProgramLog(program, log))
    if status:
        raise RuntimeError(f"does not compile for {architecture}:\n{log.value.decode()}")
    _check(nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size)))
    code = ctypes.create_string_buffer(size.value)
    _check(nvrtc.nvrtcGetCUBIN(program, code))
    _check(nvrtc.nvrtcDestroyProgram(ctypes.byref(program)))
    return code.raw


def _check(status):
    if status:
        raise RuntimeError(f"NVRTC answered {status}")
