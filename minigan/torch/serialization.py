"""torch.save and torch.load, in minigan's own format without pickle.

A file that PyTorch wrote is a pickle, which runs code when it is read, so it is refused; `load` says how to bring the weights.
"""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from typing import Any

import numpy as np

import minigan as mg
from minigan.errors import CheckpointError
from minigan.torch import kinds
from minigan.torch.creation import _new
from minigan.torch.missing import said_once
from minigan.torch.nn.module import Module
from minigan.torch.tensor import Tensor

KIND = "torch"


def save(obj: Any, f: Any, **ignored: Any) -> None:
    """Write dicts, lists, numbers, text and Tensors.   Of a whole module only the state_dict() is written; it says so once."""
    if isinstance(obj, Module):
        said_once(
            f"torch.save: of the {type(obj).__name__} only its state_dict() is saved; there is no pickle here for its class"
        )
        obj = obj.state_dict()
    state = {"value": _plain(obj)}
    if isinstance(f, (str, os.PathLike)):
        mg.save(f, state, kind=KIND)
        return
    with tempfile.TemporaryDirectory() as folder:  # minigan writes whole files, and an open file gets a copy
        path = os.path.join(folder, "state.npz")
        mg.save(path, state, kind=KIND)
        with open(path, "rb") as file:
            f.write(file.read())


def load(f: Any, map_location: Any = None, *, weights_only: bool = True, **ignored: Any) -> Any:
    """Read what `save` wrote, or a .safetensors file.   map_location: a device for all tensors."""
    if not isinstance(f, (str, os.PathLike)):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "state.npz")
            with open(path, "wb") as file:
                file.write(f.read())
            return load(path, map_location)
    if str(f).endswith(".safetensors"):
        arrays: Any = mg.load(f)
        return OrderedDict((name, _new(array, None, map_location)) for name, array in arrays.items())
    with open(f, "rb") as file:
        start = file.read(2)
    try:
        state: Any = mg.load(f, KIND)
        return _tensors(state["value"], map_location)
    except CheckpointError as error:
        if start == b"\x80\x02" or "minigan did not write" in str(error) or start == b"PK":
            raise CheckpointError(
                f"{f}: is a file of PyTorch's, a pickle, which runs code when it is read.  Where PyTorch is installed, run "
                f"safetensors.torch.save_file(torch.load(FILE), 'weights.safetensors'), and load that file here"
            ) from error
        raise


def _plain(value):
    if isinstance(value, (kinds.dtype, kinds.device, kinds.Size)):
        return str(value) if not isinstance(value, kinds.Size) else _plain(tuple(value))
    if isinstance(value, Tensor):
        return {"tensor": np.asarray(value.engine.detach().to("cpu").data)}
    if isinstance(value, dict):
        return {"keys": [_plain(key) for key in value], "values": [_plain(v) for v in value.values()]}
    if isinstance(value, (list, tuple)):
        parts = [_plain(v) for v in value]
        return {"tuple" if isinstance(value, tuple) else "list": parts}
    return value


def _tensors(value, device):
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return _new(value["tensor"], None, device)
    if "keys" in value:
        return OrderedDict(zip((_tensors(k, device) for k in value["keys"]), (_tensors(v, device) for v in value["values"])))
    kind = "tuple" if "tuple" in value else "list"
    parts = [_tensors(v, device) for v in value[kind]]
    return tuple(parts) if kind == "tuple" else parts
