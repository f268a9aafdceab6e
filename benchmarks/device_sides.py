"""The sides that devices.py compares: a library on a device, with its clock, its arrays and its settings.

Ours, Theirs    minigan and PyTorch on a device, as steps.py needs them        card   facts about the GPU
Side            one of SIDES, with its ceilings                                has     can this side run here?
"""

import importlib.util
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from clocks import CupyClock, HostClock, TorchClock, card_ceilings, host_cache, host_ceilings, transfer_rates
from harness import Minigan, Torch

import minigan as mg
from minigan import ops
from minigan.backend import to_device, xp
from minigan.kernels.cpu.memory import pixels_first
from minigan.streams import Streams

SIDES = ("minigan", "cpu"), ("minigan", "cuda"), ("PyTorch", "cpu"), ("PyTorch", "cuda")


class Ours(Minigan):
    """minigan on a device."""

    def __init__(self, device, dtype=np.float32):
        super().__init__(dtype)
        self.device, self.streams = device, Streams(0)
        self.generator = self.streams.on(device)("noise")

    def tensor(self, array, requires_grad=False):
        """A Tensor there with the values of a NumPy array."""
        return mg.Tensor(to_device(array, self.device)).requires_grad_(requires_grad)

    def load(self, net, weights):
        """Give a net these weights, and move it to the device."""
        return super().load(net, weights).to(self.device)

    def array(self, x):
        """The values as a NumPy array."""
        return to_device(x.detach().data, "cpu")


class Theirs(Torch):
    """PyTorch on a device.   captured: use an optimizer that a CUDA graph can record."""

    def __init__(self, torch, device, captured=False):
        super().__init__(torch)
        self.device, self.captured = device, captured
        self.normal, self.uniform, self.zeros = (partial(f, device=device) for f in (torch.randn, torch.rand, torch.zeros))

    def tensor(self, array, requires_grad=False):
        """A tensor there with the values of a NumPy array."""
        return self.torch.tensor(array, device=self.device, requires_grad=requires_grad)

    def adam(self, parameters):
        """Adam with the rates of the DCGAN paper."""
        return self.torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999), capturable=self.captured)

    def load(self, net, weights):
        """Give a net these weights, and move it to the device."""
        return super().load(net, weights).to(self.device)

    def array(self, x):
        """The values as a NumPy array."""
        return x.detach().cpu().numpy()


class Side:
    """A library on a device: its clock, its arrays, its settings."""

    def __init__(self, library, device, threads):
        self.library, self.device = library, device
        self.is_card, self.is_ours, self.tf32 = device != "cpu", library == "minigan", False
        if not self.is_ours:
            import torch

            torch.set_num_threads(threads)
            self.torch = torch
        if not self.is_card:
            self.clock, self.cache = HostClock(), host_cache()
        elif self.is_ours:
            self.cupy = xp(to_device(np.ones(1, np.float32), "cuda"))
            self.clock, self.cache = CupyClock(), card()["cache"]
        else:
            self.clock = TorchClock(self.torch)
            self.cache = getattr(self.torch.cuda.get_device_properties(0), "L2_cache_size", 2**26)

    def put(self, array, is_image=False):
        """A copy of the NumPy array on the device; images get the memory order that the library's own layers produce."""
        if not self.is_ours:
            return self.torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
        if not is_image:
            return to_device(array, self.device)
        if not self.is_card:
            return pixels_first(array)
        array = to_device(array, self.device)
        return xp(array).ascontiguousarray(array.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)

    def get(self, results) -> list:
        """Results as NumPy arrays."""
        results = results if isinstance(results, (list, tuple)) else [results]
        if self.is_ours:  # NumPy's sum over all axes is a number, not an array
            return [np.asarray(a) if isinstance(a, np.generic) else to_device(a, "cpu") for a in results]
        return [a.detach().cpu().numpy() for a in results]

    def use_tf32(self, allowed):
        """Allow products to round their float32 operands to ten bits of mantissa, or forbid it."""
        self.tf32 = allowed
        if not self.is_card:
            return
        if self.is_ours:
            mg.cuda.allow_tf32(allowed)
        else:
            for setting in (self.torch.backends.cuda.matmul, self.torch.backends.cudnn.conv):
                setting.fp32_precision = "tf32" if allowed else "ieee"

    def product(self, n):
        """A function that multiplies two matrices of n x n."""
        draw = np.random.default_rng(0).standard_normal
        a, b = (self.put(draw((n, n), np.float32)) for _ in range(2))
        return (lambda: ops.matmul(a, b)) if self.is_ours else (lambda: a @ b)

    def ceilings(self, threads, seconds, quick) -> dict:
        """Its best rates: {"memory", "cache": bytes per second, "product", "product, TF32": operations per second}."""
        if not self.is_card:
            return host_ceilings(threads, self.product, seconds, quick)
        found = {}
        for allowed in (True, False):
            self.use_tf32(allowed)
            found |= {"product, TF32": found.get("product")}
            lib = self.cupy if self.is_ours else self.torch
            found |= card_ceilings(lib, self.clock, self.product, self.cache, seconds, quick)
        if self.is_ours:
            found |= transfer_rates(self.cupy, 2**12 if quick else 2**27, seconds)
        return found


def card() -> dict:
    """The GPU that CuPy sees, and its versions."""
    cupy = xp(to_device(np.ones(1, np.float32), "cuda"))
    runtime, device = cupy.cuda.runtime, cupy.cuda.Device()
    known = runtime.getDeviceProperties(device.id)
    driver = Path("/proc/driver/nvidia/version")
    # The tests' stand-in computes with NumPy: a reader of its times must see that they are not those of a GPU.
    stand_in = hasattr(cupy, "_fake")
    return {
        "name": known["name"].decode(),
        "is_stand_in": stand_in,
        "capability": str(device.compute_capability),
        "multiprocessors": known["multiProcessorCount"],
        "memory": known["totalGlobalMem"],
        "cache": known.get("l2CacheSize", 2**26),
        "cupy": cupy.__version__,
        "cuda_runtime": runtime.runtimeGetVersion(),
        "cuda_driver": runtime.driverGetVersion(),
        "driver": driver.read_text().splitlines()[0] if driver.exists() and not stand_in else None,
        "tf32_override": os.environ.get("NVIDIA_TF32_OVERRIDE"),
    }


def has(library, device) -> bool:
    """Is that library installed, and can it use the device?"""
    if library == "minigan":
        return True
    if importlib.util.find_spec("torch") is None:
        return False
    return device == "cpu" or _torch_has_cuda()


def _torch_has_cuda():
    import torch

    return torch.cuda.is_available()
