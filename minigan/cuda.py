"""The GPU, with the names of torch.cuda: `mg.cuda.is_available()`, `with mg.cuda.device("cuda:1"): ...`; a switch for TF32.

backend.py knows on which device an array is, and moves it.
"""

import contextlib

from minigan.backend import check_device, has_card, load_cupy


def is_available() -> bool:
    """True if CuPy is installed and a GPU can be used."""
    return has_card()


def device(device: str):
    """Inside the block, new arrays are made on that GPU, and you can compute with its arrays.   "cpu" changes nothing.

    You do not need this on a machine with one GPU.
    """
    if device == "cpu":
        return contextlib.nullcontext()
    return load_cupy().cuda.Device(int(check_device(device).partition(":")[2]))


def allow_tf32(allowed: bool = True) -> None:
    """Let matrix products of float32 round their inputs to 10 bits of mantissa, for speed; by default they do not.

    The error is about 3e-4 instead of 1e-7 (kernels/cuda/gemm.py).   torch.backends.cuda.matmul.allow_tf32.
    """
    from minigan.kernels.cuda import gemm

    gemm.allow_tf32(allowed)
