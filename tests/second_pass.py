"""Run the suite again on a GPU's arrays: MINIGAN_BACKEND=fakecupy pytest (the stand-in), MINIGAN_BACKEND=cupy (a real card).

Tests are written for NumPy.  Here their Tensors live on the GPU: we upload what a test makes from a NumPy array, and fetch what
it compares.  minigan itself has nothing of this, and the checks of what minigan does are as strict as in the first pass.

enter       conftest.py calls it once, to make the changes                  SKIPPED   tests that are about the CPU, and why
"""

import functools
import os
import sys
from pathlib import Path
from types import FunctionType

import numpy as np

import minigan
from minigan import autograd, backend, ops
from minigan.nn import Module, functional
from minigan.optim import Adam, ConjugateGradient, CoordinateDescent
from minigan.optim.optimizer import Optimizer
from minigan.tensor import Tensor
from minigan.train.game import Game, Stages

TESTS, MINIGAN = str(Path(__file__).parent) + "/", str(Path(minigan.__file__).parent) + "/"
TABLE = MINIGAN + "optable.py"  # it uploads its constants itself
# The files between `a + b` in a test and the engine:
OPERATORS = tuple(MINIGAN + file for file in ("autograd.py", "methods.py", "arguments.py", "numpy_functions.py", "in_place.py"))

# The start of a test's name -> why the test says nothing about a GPU.
CPU, MEMORY, HERE = "what runs on the CPU alone", "which NumPy memory is shared", "devices; tests/gpu has its own"
# A table: one entry, one line, so the formatter leaves it alone.
# fmt: off
SKIPPED: dict[str, str] = {
    **dict.fromkeys(("cli/", "data/", "viz/", "metrics/", "typing/", "test_architecture.py", "test_doctor.py",
                     "test_lessons.py", "test_examples.py", "test_namespace.py", "test_readme.py", "test_threads.py",
                     "test_memory_order.py", "test_copies.py", "test_interchange.py", "kernels/test_locality.py",
                     "runs/test_session.py::test_the_same_with_two_threads", "runs/test_life.py", "test_locks.py",
                     "capture/test_captured.py", "capture/test_refusals.py", "capture/test_page.py",
                     "runs/test_replayed.py"), CPU),
    **dict.fromkeys(("nn/test_against_torch.py", "test_tensor.py::test_dlpack", "test_conv_training.py"),
                    "torch, which is on the CPU"),
    **dict.fromkeys(("test_tensor.py::test_repr_shows", "test_tensor.py::test_to_the_same_device_keeps",
                     "test_autograd.py::test_arrays_on_two_devices", "test_autograd.py::test_to_the_same_device_is",
                     "nn/test_module.py::test_to_a_device_and_the_errors",
                     "runs/test_session.py::test_another_device"), HERE),
    **dict.fromkeys(("test_numpy_functions.py", "test_tensor.py::test_whatever_says_float64",
                     "test_tensor.py::test_masks_combine", "test_tensor.py::test_leaving_the_graph",
                     "test_tensor.py::test_comparisons_with", "test_tensor.py::test_numpy_functions_take_tensors"),
                    "NumPy's own arrays beside Tensors"),
    **dict.fromkeys(("nn/test_module.py::test_parameter_shares_memory", "optim/test_rules.py::test_parameters_are_views"),
                    MEMORY),
    "test_gradcheck.py::test_a_rule_that_returns_a_saved_array": "its wrong rule is written in NumPy",
    "nn/test_init.py::test_the_same_seed": "puts elements of an array into a set, which CuPy's do not allow",
    "ops/test_derivatives.py::test_third": "the third order calls the same functions of CuPy as the second",
    "runs/test_old_folders.py": "compares with what the CPU computed, to its last digits",
    "runs/test_session.py::test_a_run_with_noise_in_its_nets": "compares bytes, and on a GPU the stream of the data is ahead",
    "runs/test_session.py::test_sessions_in_two_threads": "two threads at once on the one stand-in, which counts for one",
    **dict.fromkeys(("runs/test_session.py::test_a_run_killed", "runs/test_session.py::test_it_may_be_killed"),
                    "starts processes of its own, which are on the CPU"),
    "train/test_game.py::test_an_iteration_is_what": "computes with the numbers that the CPU's generator draws",
    "ops/test_derivatives.py::test_called_with_arrays": "its arrays stay on the CPU, which rounds otherwise than our kernels",
    "edges/test_odd_calls.py": "what is refused before a device is asked",
    "torch_api/": "PyTorch's names, whose tensors are made on the CPU; torch_api/test_cuda.py brings the stand-in's card",
    "gpu/": "the stand-in itself, and what is said when there is no card",
}

if os.environ.get("MINIGAN_BACKEND") == "fakecupy":
    SKIPPED["kernels/"] = "has brought the stand-in's card to the first pass already; a real one runs it too"
# fmt: on


def why_skipped(nodeid: str) -> str | None:
    """The reason why a test does not run on a GPU, or None."""
    name = nodeid.removeprefix("tests/")
    return next((why for start, why in SKIPPED.items() if name.startswith(start)), None)


def asked_by_a_test(handed_on=()) -> bool:
    """Take the innermost frame of a test or of minigan: is it a test's?   handed_on: files of minigan that we skip."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file in handed_on:
            pass
        elif file.startswith(MINIGAN):
            return False
        if file.startswith(TESTS) and not file.startswith(TESTS + "fakecupy/") and file != __file__:
            return True
        frame = frame.f_back
    return False


def upload(x):
    """A NumPy array on the GPU; anything else as it is."""
    if type(x) in (list, tuple):
        return type(x)(map(upload, x))
    if isinstance(x, (FunctionType, functools.partial)):  # an optimizer's closure
        return lambda *args, **kwargs: upload(x(*args, **kwargs))
    if type(x) is not np.ndarray or x.dtype.kind != "f":  # minigan uploads indices and conditions itself
        return x
    import cupy

    return cupy.asarray(x)


def is_there(x) -> bool:
    """Is it a Tensor on the GPU, or a module or an optimizer with parameters there?"""
    if isinstance(x, Module):
        x = next(x.parameters(), None)
    if isinstance(x, Optimizer):
        x = x.parameters[0]
    return isinstance(x, Tensor) and not isinstance(x.data, np.ndarray)


def enter(lenient: bool) -> None:
    """Put everything that tests make on the GPU.   lenient: tell the stand-in to allow the tests' own conversions."""
    import cupy

    backend.to_device(np.zeros(1), "cuda")  # registers CuPy
    if lenient:
        from cupy import _fake

        _fake.lenient = asked_by_a_test
    init, slot, to_numpy = Tensor.__init__, Tensor.data, Tensor.__array__

    def uploading_init(self, data, node=None, changed=None):
        caller = sys._getframe(1).f_code
        if type(data) is np.ndarray and changed is None and caller.co_name != "record" and caller.co_filename != TABLE:
            data = cupy.asarray(data)
        init(self, data, node, changed)

    def uploading_data(self, value):
        slot.__set__(self, cupy.asarray(value) if type(value) is np.ndarray and asked_by_a_test() else value)

    def fetching_array(self, dtype=None, copy=None):
        return np.asarray(self.data.get(), dtype) if is_there(self) and asked_by_a_test() else to_numpy(self, dtype, copy)

    Tensor.__init__, Tensor.data, Tensor.__array__ = uploading_init, property(slot.__get__, uploading_data), fetching_array
    record = autograd.record

    def uploading_record(op, args, params):
        if any(type(x) is np.ndarray for x in args) and any(map(is_there, args)) and asked_by_a_test(OPERATORS):
            args = tuple(map(upload, args))
        return record(op, args, params)

    autograd.record = uploading_record
    sys.modules["minigan.watch"]._NOT_THE_USERS.add("second_pass")  # its lines are not a user's
    Module.__call__ = uploading(Module.__call__)
    for optimizer in (Optimizer, Adam, ConjugateGradient, CoordinateDescent):
        optimizer.step = uploading(optimizer.step)
    _play_there()
    for module in (ops, functional):
        for name in ops.__all__ if module is ops else vars(functional):
            function = getattr(module, name)
            if callable(function) and not isinstance(function, type):
                if getattr(minigan, name, None) is function:
                    setattr(minigan, name, uploading(function))
                setattr(module, name, uploading(function))


def _play_there() -> None:
    """Put games on the GPU, and the sessions of tests that name no device."""
    init, pick = Game.__init__, backend.pick_device

    def init_there(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.device = "cuda:0"

    Game.__init__ = init_there
    for kind in (Game, Stages):
        kind.to = lambda self, device, to=kind.to: to(self, "cuda:0" if device == "cpu" else device)
    backend.pick_device = lambda device: pick("cuda:0" if device == "cpu" else device)


def uploading(function):
    """function, but if a test calls it with Tensors on the GPU, it uploads the NumPy arrays beside them."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        if any(map(is_there, args)) and asked_by_a_test():
            args, kwargs = tuple(map(upload, args)), {k: upload(v) for k, v in kwargs.items()}
        return function(*args, **kwargs)

    return call
