"""The judges: what gives the features and class probabilities that metrics compare.   There is a metric of a kind for each.

DIGIT_JUDGE     the project's digit classifier (digitnet.py)            metrics ending in -digits
CLASS_JUDGE     a net trained on the data's own classes (classnet.py)   metrics ending in -classes
OWN_JUDGE       features that the user brings                           metrics ending in -features
Brought         such features, as a function of Python                  from_file       or named on the command line
"""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import paths
from minigan.errors import ConfigError, MiniganError, suggestion
from minigan.metrics import checks
from minigan.metrics.classnet import CLASS_JUDGE
from minigan.metrics.digitnet import DIGITS, classify, features
from minigan.metrics.metric import METRICS, Judge, Metric, Needs

BATCH = 500  # so many samples are given to the user's function at a time


class Brought:
    """Features that the user brings.   function: samples (n, ...), pictures (n, C, H, W) float32 in [-1, 1] -> features (n, d),
    as an array or a tensor of PyTorch's or minigan's on the CPU.   name: of the function, for messages and files.

    A call gives the features (N, d) of all samples.   ConfigError, with the place in the user's file, if the function fails or
    returns something else."""

    def __init__(self, function: Callable, name: str = ""):
        if not callable(function):
            raise ConfigError(f"features: {function!r:.60} cannot be called; give a function from samples to features (N, d)")
        self.function, self.name = function, name or getattr(function, "__name__", type(function).__name__)

    def __call__(self, samples) -> np.ndarray:
        samples = checks.numbers(samples, "features")
        samples = samples.astype(np.float32, copy=False) if samples.dtype.kind == "f" else samples
        parts = [self._part(samples[start : start + BATCH]) for start in range(0, len(samples), BATCH)]
        widths = {part.shape[1] for part in parts}
        if len(widths) != 1:
            raise ConfigError(
                f"features {self.name}: gave rows of different lengths, {sorted(widths)}; give each sample as many"
            )
        return np.concatenate(parts)

    def _part(self, samples):
        try:
            found = self.function(samples.copy())
            found = np.asarray(found.detach() if hasattr(found, "detach") else found)
        except MiniganError as error:
            raise ConfigError(f"features {self.name}: {error}") from error
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise ConfigError(
                f"features {self.name}: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"
            ) from error
        if found.ndim != 2 or len(found) != len(samples) or not found.shape[1]:
            raise ConfigError(
                f"features {self.name}: for samples {samples.shape} gave {found.shape}, and must give one row for each sample, "
                f"({len(samples)}, d)"
            )
        return checks.numbers(found, f"features {self.name}")


def from_file(text: str) -> Brought:
    """The function that FILE.py:FUNCTION names.   ConfigError, with what is wrong, if there is none."""
    file, colon, function = text.rpartition(":")
    if not colon or not function.isidentifier():
        raise ConfigError(f"features {text!r}: name a file and a function in it, FILE.py:FUNCTION")
    path = paths.path(file, "features")
    if not path.is_file():
        raise ConfigError(f"features {text!r}: {path} is no file; name a file and a function in it, FILE.py:FUNCTION")
    name = f"minigan_features_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec: Any = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise ConfigError(f"features {text!r}: {path} is no Python file; its name must end in .py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        places = [one for one in traceback.extract_tb(error.__traceback__) if one.filename == str(path)]
        where = f", line {places[-1].lineno}" if places else ""
        raise ConfigError(f"features: {path}{where}: {type(error).__name__}: {error}") from error
    if not callable(getattr(module, function, None)):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise ConfigError(f"features: {path} has no function {function!r}{suggestion(function, known)}")
    return Brought(getattr(module, function), text)


def own_metrics() -> list[Metric]:
    """The metrics of features that the user brings."""
    return [metric for metric in METRICS.values() if metric.needs is OWN_JUDGE.needs]


def _brought(seen):
    if seen.features is None:
        raise ConfigError(OWN_JUDGE.needs.otherwise)
    if not isinstance(seen.features, Brought):
        seen.features = Brought(seen.features)  # kept, because the features are computed once for each function
    return seen.features


DIGIT_JUDGE = Judge(
    "digits",
    "the project's digit classifier",
    "the project's 64 digit features",
    DIGITS,
    features=lambda seen: features,
    probabilities=lambda seen: classify,
)
OWN_JUDGE = Judge(
    "features",
    "you",
    "the features that you bring",
    Needs("any data", "features of your own are needed: --features FILE.py:FUNCTION, or features=function in Python"),
    features=_brought,
)
JUDGES = (DIGIT_JUDGE, CLASS_JUDGE, OWN_JUDGE)
