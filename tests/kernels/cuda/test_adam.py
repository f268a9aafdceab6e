"""Adam's kernel against the paper's lines, and against the optimizer on the CPU."""

import numpy as np
import pytest

import minigan as mg
from minigan.backend import to_device
from minigan.kernels.cuda import adam
from minigan.optim import Adam

pytestmark = pytest.mark.gpu
OPTIONS = dict(lr=1e-2, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.0)


def paper(w, gradients, lr, betas, eps, weight_decay, amsgrad=False):
    """Algorithm 1, line by line, in float64."""
    m = v = largest = 0
    for t, g in enumerate(gradients, 1):
        g = g + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        largest = np.maximum(largest, v) if amsgrad else v
        w = w - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(largest / (1 - betas[1] ** t)) + eps)
    return w


def state_of(card, w, amsgrad=False):
    return {name: card.zeros_like(w) for name in ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else []))}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 255, 1000])
@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.1}, {"amsgrad": True}, {"weight_decay": 0.1, "amsgrad": True}])
def test_five_steps_are_the_papers(card, rng, size, dtype, more):
    options = OPTIONS | more
    gradients = [rng.standard_normal(size).astype(dtype) * (3 - k) for k in range(5)]  # shrinking, so that amsgrad differs
    start = rng.standard_normal(size).astype(dtype)
    w = card.asarray(start)
    state = state_of(card, w, options.get("amsgrad"))
    for t, g in enumerate(gradients, 1):
        adam.update(w, card.asarray(g), state, t, options)
    wanted = paper(start.astype(float), [g.astype(float) for g in gradients], **options)
    assert np.abs(to_device(w, "cpu") - wanted).max() < (1e-5 if dtype == "float32" else 1e-12)


def test_a_clock_on_the_card_takes_the_place_of_t_and_lr(card, rng):
    gradients, start = rng.standard_normal((4, 50)), rng.standard_normal(50)
    w, by_clock = card.asarray(start), card.asarray(start)
    state, state_by_clock = state_of(card, w), state_of(card, w)
    clock = adam.Clock(w, 0, 1e-2, OPTIONS["betas"], OPTIONS["eps"])
    for t, g in enumerate(gradients, 1):
        lr = 1e-2 if t < 3 else 1e-3
        if t == 3:
            clock.set(lr=lr)
        adam.update(w, card.asarray(g), state, t, OPTIONS | {"lr": lr})
        clock.tick()
        adam.update(by_clock, card.asarray(g), state_by_clock, 1, OPTIONS | {"lr": 99.0}, clock)
    assert np.allclose(to_device(w, "cpu"), to_device(by_clock, "cpu"), rtol=1e-14, atol=0)
    assert to_device(clock.array, "cpu")[:2].tolist() == [4, 1e-3]


def test_a_nan_in_a_gradient_reaches_its_weight_only(card):
    w = card.ones(3)
    state = state_of(card, w, True)
    adam.update(w, card.asarray([0.0, np.nan, 1.0]), state, 1, OPTIONS)
    assert np.isnan(to_device(w, "cpu")).tolist() == [False, True, False]
    assert np.isnan(to_device(state["max_exp_avg_sq"], "cpu")).tolist() == [False, True, False]


@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.1}, {"amsgrad": True}, {"maximize": True}])
def test_the_optimizer_does_on_a_card_what_it_does_on_the_cpu(card, rng, more):
    shapes = [(3, 4), (5,), ()]
    start, ends = [rng.standard_normal(s) for s in shapes], []
    for device in ("cpu", "cuda"):
        parameters = [mg.tensor(to_device(np.array(a), device), requires_grad=True) for a in start]
        optimizer, draw = Adam(parameters, lr=0.1, **more), np.random.default_rng(5)
        for step in range(4):
            gradients = [to_device(np.array(draw.standard_normal(s)), device) for s in shapes]
            if step == 2:
                gradients[1] = None  # from here on the parameters have made different numbers of steps
            optimizer.step(gradients)
        ends.append([to_device(p.data, "cpu") for p in parameters])
    for a, b in zip(*ends, strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-14)
