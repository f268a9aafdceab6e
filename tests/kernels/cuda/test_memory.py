"""Arrays on a card one after the other, and that the arrays decide which function makes them so."""

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.errors import DeviceError
from minigan.kernels import dispatch
from minigan.kernels.cuda import memory


def test_the_arrays_decide(card, monkeypatch):
    there = []
    monkeypatch.setattr(memory, "concatenate", lambda arrays, axis=0: there.append(len(arrays)))
    a, b = np.ones(2, np.float32), to_device(np.ones(2, np.float32), "cuda")
    assert dispatch.concatenate([a, a]).tolist() == [1, 1, 1, 1] and not there
    dispatch.concatenate([b] * 9)
    assert there == [9]
    with pytest.raises(DeviceError, match="different devices"):
        dispatch.concatenate([a, b])


@pytest.mark.parametrize("count", [2, 9])
def test_concatenate_on_a_card_is_numpys(card, rng, count):
    arrays = [rng.standard_normal((2, i + 1), dtype=np.float32) for i in range(count)]
    found = dispatch.concatenate([to_device(a, "cuda") for a in arrays], 1)
    np.testing.assert_array_equal(to_device(found, "cpu"), np.concatenate(arrays, 1))
