"""mg.capture on a GPU: a launch is the step, and what a graph would freeze is refused by name."""

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.capture.launched import WARM_UP
from minigan.errors import CaptureError
from minigan.streams import Streams, streams, using

pytestmark = pytest.mark.gpu


def batches(*shape, n=24):
    generator = np.random.default_rng(0)
    return [mg.tensor(generator.standard_normal(shape).astype(np.float32), device="cuda") for _ in range(n)]


def net(*sizes):
    layers = [layer for n, m in zip(sizes, sizes[1:]) for layer in (nn.Linear(n, m), nn.Tanh())]
    return nn.Sequential(*layers[:-1]).to("cuda")


def played(optimizer, inputs, captured, between=None, **options):
    with using(Streams(0)) as own:
        D = nn.Sequential(*net(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), *net(8, 1)).to("cuda")
        adam = optimizer(D.parameters(), **options)

        def step(x):
            z = mg.Tensor(streams.on("cuda")("latent").standard_normal(x.shape, np.float32))
            loss = mg.softplus(-D(x)).mean() + mg.softplus(D(z)).mean()
            adam.step(mg.grad(loss, list(D.parameters())))
            return {"loss": loss, "z": z}

        step = mg.capture(step) if captured else step
        results = []
        for i, x in enumerate(inputs):
            y = step(x)
            results.append([y["loss"].detach().to("cpu").numpy(), y["z"].to("cpu").numpy()])
            if between is not None:
                between(i, adam)
        return results, D.state_dict(), adam.state_dict()["state"], own.state_dict()["gpu"], step


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return all(map(same, a, b))
    return np.allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "optimizer, options",
    [(mg.optim.Adam, {"lr": 1e-2}), (mg.optim.SGD, {"lr": 0.1, "momentum": 0.9}), (mg.optim.RMSprop, {"lr": 1e-3})],
)
def test_launches_are_steps(card, optimizer, options):
    def between(i, rule):
        if i == 14:
            rule.param_groups[0]["lr"] *= 0.5

    *eager, _ = played(optimizer, batches(8, 2), False, between, **options)
    *launched, step = played(optimizer, batches(8, 2), True, between, **options)
    for what, a, b in zip(("results", "weights", "optimizer", "streams"), eager, launched):
        assert same(a, b), what
    assert "a CUDA graph of" in str(step) and "linear" in str(step)


def test_a_launch_does_not_run_python_and_waits_for_nothing(card):
    calls = []
    w = net(2, 1)

    @mg.capture
    def step(x):
        calls.append(1)
        return w(x).sum()

    inputs = batches(4, 2)
    for x in inputs[: WARM_UP + 2]:
        step(x)
    count = len(calls)
    card.counts.reset()
    step(inputs[-1])
    assert len(calls) == count and (card.counts.h2d, card.counts.d2h, card.counts.sync, card.counts.launch) == (0, 0, 0, 0)


def refused(step, match):
    step = mg.capture(step)
    with pytest.raises(CaptureError, match=match):
        for x in batches(4, 2):
            step(x)


def test_a_number_that_changes_on_the_host_is_found_by_name(card):
    count = [0]

    def step(x):
        count[0] += 1
        return mg.tanh(x) * (1 / count[0])

    refused(step, r"multiply at test_launched.py:\d+ gets other numbers from the host")


def test_draws_on_the_host_are_refused(card):
    refused(lambda x: x + mg.tensor(streams("latent").random((4, 2), np.float32), device="cuda"), "draws from the stream")


def test_an_optimizer_that_computes_with_numbers_of_the_host_is_refused(card):
    w = net(2, 1)
    adagrad = mg.optim.Adagrad(w.parameters())
    refused(lambda x: adagrad.step(mg.grad(w(x).sum(), list(w.parameters()))), "Adagrad computes with numbers of the host")


def test_a_net_on_the_gpu_whose_step_gets_no_batch_is_refused(card):
    w = net(2, 1)
    step = mg.capture(lambda: (w[0].weight * 2).sum())
    with pytest.raises(CaptureError, match="none of the step's arguments is there"):
        step()
