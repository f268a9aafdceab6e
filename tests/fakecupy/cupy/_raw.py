"""RawModule: CUDA C, run on the CPU by the shim in tests/cudashim."""

import importlib
import sys
from pathlib import Path

import numpy as np

from cupy import _fake
from cupy._array import ndarray


class RawModule:
    """A translation unit of CUDA C; get_function gives its kernels."""

    def __init__(
        self,
        code=None,
        *,
        path=None,
        options=(),
        backend="nvrtc",
        translate_cucomplex=False,
        enable_cooperative_groups=False,
        name_expressions=None,
        jitify=False,
    ):
        if (code is None) == (path is None):
            raise TypeError("Exactly one of `code` and `path` keyword arguments must be given.")
        if path is not None or backend != "nvrtc" or name_expressions or jitify or enable_cooperative_groups:
            raise NotImplementedError("the stand-in's RawModule takes code and options")
        if not isinstance(options, tuple) or not all(isinstance(o, str) for o in options):
            raise TypeError("options must be a tuple of str")
        self.code, self.options, self.backend = code, options, backend
        self._built = None

    def compile(self, log_stream=None):
        """Build it now instead of at the first launch."""
        if self._built is None:
            folder = str(Path(__file__).parents[2])
            if folder not in sys.path:
                sys.path.append(folder)
            self._built = importlib.import_module("cudashim").load(self.code, self.options)

    def get_function(self, name):
        """The kernel of that name."""
        return RawKernel._of(self, name)


class RawKernel:
    """One kernel: kernel(grid, block, args, shared_mem=0, stream=None)."""

    def __init__(self, code, name, options=(), backend="nvrtc", translate_cucomplex=False, **more):
        if more:
            raise NotImplementedError(f"the stand-in's RawKernel takes no {', '.join(more)}")
        self._module, self.name = RawModule(code, options=options, backend=backend), name

    @classmethod
    def _of(cls, module, name):
        kernel = object.__new__(cls)
        kernel._module, kernel.name = module, name
        return kernel

    max_dynamic_shared_size_bytes = 48 * 1024

    def compile(self, log_stream=None):
        """Build it now."""
        self._module.compile()

    def __call__(self, grid, block, args, *, shared_mem=0, stream=None):
        for sizes, limits in ((grid, (2**31 - 1, 65535, 65535)), (block, (1024, 1024, 64))):
            if not isinstance(sizes, tuple) or not 1 <= len(sizes) <= 3 or not all(isinstance(n, int) for n in sizes):
                raise TypeError(f"{self.name}: grid and block are tuples of one to three ints, got {sizes!r}")
            if not all(1 <= n <= most for n, most in zip(sizes, limits)):
                raise ValueError(f"{self.name}: {sizes} is outside 1 .. {limits}: CUDA_ERROR_INVALID_VALUE")
        if np.prod(block) > 1024:
            raise ValueError(f"{self.name}: a block of {block} has more than 1024 threads")
        if shared_mem > self.max_dynamic_shared_size_bytes:
            raise ValueError(
                f"{self.name}: {shared_mem} bytes of shared memory, more than "
                f"{self.max_dynamic_shared_size_bytes}; raise max_dynamic_shared_size_bytes first"
            )
        if not isinstance(args, tuple):
            raise TypeError(f"{self.name}: args is a tuple")
        for x in args:
            if isinstance(x, ndarray):
                if x._device != _fake.current_device:
                    raise ValueError(f"{self.name}: an array on device {x._device}, the current one is {_fake.current_device}")
            elif not isinstance(x, np.generic):
                raise TypeError(
                    f"{self.name}: {type(x).__name__} as an argument: CuPy does not check, passes an int as long "
                    f"long, a float as double; wrap it (np.int32, np.float32)"
                )
        self._module.compile()
        kernel = self._module._built.get_function(self.name)
        grid, block = (*grid, 1, 1)[:3], (*block, 1, 1)[:3]
        _fake.mutate(
            lambda: kernel(grid, block, args, shared_mem=shared_mem),
            *(x._a for x in args if isinstance(x, ndarray)),
            kind="launch",
        )
