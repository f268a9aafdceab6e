"""The stand-in for CuPy refuses what CuPy refuses, and counts what costs time: each of these lines would pass with NumPy."""

import numpy as np

import minigan as mg


def test_a_tensor_goes_to_the_card_and_back(card):
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]]).to("cuda")
    assert x.device == "cuda:0" and card.counts.h2d == 1
    y = mg.exp(x @ x.T).sum(axis=0)
    assert card.counts.h2d == 1 and card.counts.d2h == card.counts.sync == 0
    np.testing.assert_allclose(y.to("cpu").numpy(), np.exp(np.array([[5, 11], [11, 25]], np.float32)).sum(0))
    assert card.counts.d2h == 1
