"""What holds for every test: fresh random streams, an engine that records, the same property tests in each run."""

import numpy as np
import pytest
from hypothesis import settings

import minigan as mg
from minigan.autograd import is_recording

settings.register_profile("minigan", derandomize=True, deadline=None, max_examples=25, database=None)
settings.load_profile("minigan")


@pytest.fixture(autouse=True)
def sealed():
    """Default streams start from seed 0, and no test leaves recording off or NumPy's error handling changed."""
    mg.seed(0)
    handling = np.geterr()
    yield
    assert is_recording()
    assert np.geterr() == handling


@pytest.fixture
def rng():
    return np.random.default_rng(7)
