"""The setup of every test: fresh random streams, an engine that records, and the same property tests in each run."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

import minigan as mg
from minigan.grad_mode import is_recording

# Tests run in parallel, one per core.  With several BLAS threads each, they would wait for each other (ten times slower).
threadpool_limits(1)
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the commands that tests start

# `import cupy` finds the stand-in, which has no card unless a test asks for one (with the fixture `card`).
# MINIGAN_BACKEND=fakecupy runs all tests on the stand-in's card, and cupy runs them on a real card.
BACKEND = os.environ.get("MINIGAN_BACKEND", "numpy")
if BACKEND != "cupy":
    sys.path.insert(0, str(Path(__file__).parent / "fakecupy"))
    os.environ.setdefault("FAKECUPY_CARDS", "0" if BACKEND == "numpy" else "1")

    from cudashim.cublas import FakeCublas  # the stand-in's matrix products

    from minigan.kernels.cuda import gemm

    def _standins_cublas():
        from cupy import _fake

        return FakeCublas(lambda function, out: _fake.mutate(function, out, kind="launch"))

    gemm.load_library, gemm.WORKSPACE = _standins_cublas, 1024

if BACKEND != "numpy":
    sys.path.append(str(Path(__file__).parent))
    import second_pass

    second_pass.enter(lenient=BACKEND == "fakecupy")


def pytest_collection_modifyitems(config, items):
    """In a second pass, leave out tests that are about the CPU only, and tests marked slow, which make no other calls."""
    if BACKEND != "numpy":
        out = [item for item in items if second_pass.why_skipped(item.nodeid) or item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]


settings.register_profile(
    "minigan", derandomize=True, deadline=None, database=None, max_examples=25 if BACKEND == "numpy" else 5
)
settings.load_profile("minigan")


@pytest.fixture(autouse=True)
def sealed():
    """Start the default streams from seed 0, and check that the test left recording on and NumPy's error handling unchanged."""
    mg.seed(0)
    handling = np.geterr()
    yield
    assert is_recording()
    assert np.geterr() == handling


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def card(monkeypatch):
    """A machine with one GPU: the controls of the stand-in, with all counts at zero."""
    from cupy import _fake

    monkeypatch.setattr(_fake.machine, "cards", 1)
    monkeypatch.setattr(_fake, "recording", None)
    monkeypatch.setattr(_fake, "current_device", 0)
    _fake.counts.reset()
    return _fake


def pytest_sessionfinish(session, exitstatus):
    """After a whole run of the GPU's suite on a real card without a failure, write down which files it has verified."""
    config = session.config
    option = config.option
    whole = not (option.keyword or getattr(option, "lf", False) or option.deselect or session.shouldstop or session.shouldfail)
    if (
        BACKEND == "cupy"
        and exitstatus == 0
        and whole
        and option.markexpr == "gpu"
        and config.args_source.name != "ARGS"
        and not hasattr(config, "workerinput")
    ):
        from minigan.kernels.cuda import verified

        verified.record(*verified.this_card())
