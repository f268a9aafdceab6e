"""What a CUDA graph must hold: our kernels and products, recorded once, give on every launch what they give eagerly."""

import contextlib

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.kernels.cuda import adam, conv, gemm, norm
from minigan.kernels.cuda.random import Philox

pytestmark = pytest.mark.gpu


def host(x):
    return to_device(x, "cpu")


def captured(card, step, warm_up=1):
    """(the graph of step(), its stream, what keeps its memory alive)."""
    stream, pool = card.cuda.Stream(non_blocking=True), card.cuda.MemoryPool()
    stream.wait_event(card.cuda.get_current_stream().record())  # such a stream waits for no other by itself
    with stream, card.cuda.using_allocator(pool.malloc):
        for _ in range(warm_up):  # kernels are compiled, handles made
            step()
        stream.synchronize()
        stream.begin_capture()
        try:
            kept = step()
        except BaseException:
            with contextlib.suppress(Exception):
                stream.end_capture()
            raise
        graph = stream.end_capture()
    return graph, stream, (pool, kept)


def test_cupys_own_product_is_refused_in_a_capture_and_ours_is_not(card, rng):
    a, b, out = card.asarray(rng.standard_normal((5, 4))), card.asarray(rng.standard_normal((4, 3))), card.empty((5, 3))
    card.matmul(a, b)  # CuPy makes its handle, so that refusing is all it does in the capture
    with pytest.raises(NotImplementedError):
        captured(card, lambda: card.matmul(a, b), warm_up=0)
    graph, stream, _kept = captured(card, lambda: gemm.gemm(a, b, out))
    new = rng.standard_normal((5, 4))
    with stream:
        a[...] = card.asarray(new)
        out[...] = 0
        graph.launch(stream)
        stream.synchronize()
    assert np.allclose(host(out), new @ host(b))


def test_a_recorded_convolution_and_batch_norm_follow_their_input(card, rng):
    x, w = card.asarray(rng.standard_normal((4, 3, 8, 8))), card.asarray(rng.standard_normal((5, 3, 4, 4)))
    how = ((2, 2), (1, 1), (1, 1), 1)
    out = {name: card.empty(shape) for name, shape in (("y", (4, 5, 4, 4)), ("dx", x.shape), ("dw", w.shape))}

    def step():
        y = conv.conv2d(x, w, (4, 4), *how)
        _, var, kept = norm.moments(y)
        y = norm.forward(kept, 1 / card.sqrt(var + 1e-5), None, None, y.shape)
        out["y"][...] = y
        out["dx"][...] = conv.conv2d_adjoint(y, w, (8, 8), *how)
        out["dw"][...] = conv.conv2d_weight(x, y, (4, 4), *how)

    graph, stream, _kept = captured(card, step)
    new = rng.standard_normal(x.shape)
    with stream:
        x[...] = card.asarray(new)
        step()
        eager = {name: host(value.copy()) for name, value in out.items()}
        for value in out.values():
            value[...] = 0
        graph.launch(stream)
        stream.synchronize()
    for name, value in out.items():
        assert np.array_equal(host(value), eager[name]), name


def test_twenty_launches_of_an_optimizer_step_are_twenty_steps(card, rng):
    g, start = card.asarray(rng.standard_normal(100)), card.asarray(rng.standard_normal(100))
    options = dict(lr=1e-2, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)
    eager, w = start.copy(), start.copy()
    state, replayed = ({name: card.zeros_like(w) for name in ("exp_avg", "exp_avg_sq")} for _ in range(2))
    for t in range(1, 21):
        adam.update(eager, g, state, t, options)
    clock = adam.Clock(w, 0, options["lr"], options["betas"], options["eps"])

    def step():
        clock.tick()
        adam.update(w, g, replayed, 1, options, clock)

    step()  # the first of the twenty, which compiles
    graph, stream, _kept = captured(card, step, warm_up=0)
    with stream:
        for _ in range(19):
            graph.launch(stream)
        stream.synchronize()
    assert np.allclose(host(w), host(eager), rtol=1e-14, atol=1e-15)


def test_twenty_launches_of_two_draws_are_forty_draws(card):
    eager, recorded, out = Philox(3, "cuda"), Philox(3, "cuda"), card.empty((2, 7), np.float32)

    def step():
        out[0] = recorded.standard_normal(7, np.float32)
        out[1] = recorded.random(7, np.float32)
        recorded.advance()

    graph, stream, _kept = captured(card, step)  # the warm-up has drawn two
    drawn = []
    with stream:
        for _ in range(20):
            graph.launch(stream)
            stream.synchronize()
            drawn += [host(out[0]), host(out[1])]
    expected = [host(draw(7, np.float32)) for _ in range(21) for draw in (eager.standard_normal, eager.random)]
    assert np.array_equal(drawn, expected[2:])
