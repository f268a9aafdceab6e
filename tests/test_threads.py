"""Sharing a kernel among threads changes nothing but the time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import minigan as mg
from minigan.errors import ConfigError
from minigan.kernels import threads
from minigan.kernels.cpu import conv


@pytest.fixture
def three_threads(monkeypatch):
    monkeypatch.setattr(conv, "WORTH_A_THREAD", 1)  # so that small arrays are shared, too
    monkeypatch.setattr(conv, "CACHE", 2000)
    before = mg.get_num_threads()
    mg.set_num_threads(3)
    yield
    mg.set_num_threads(before)


CASES = [(1, 1, 1, 1), (2, 1, 1, 1), (2, 1, 2, 1), (1, 0, 1, 2), (3, 2, 1, 1)]


def all_three(how, channels, rng):
    stride, padding, dilation, groups = how
    x = rng.standard_normal((3, channels, 9, 7))
    w = rng.standard_normal((6, channels // groups, 3, 3))
    size = tuple((n + 2 * padding - dilation * 2 - 1) // stride + 1 for n in (9, 7))
    u = rng.standard_normal((3, 6, *size))
    pairs = [(v, v) for v in (stride, padding, dilation)]
    return (
        conv.conv2d(x, w, size, *pairs, groups),
        conv.conv2d_adjoint(u, w, (9, 7), *pairs, groups),
        conv.conv2d_weight(x, u, (3, 3), *pairs, groups),
    )


@pytest.mark.parametrize("channels", [2, 16])
@pytest.mark.parametrize("how", CASES)
def test_convolutions_are_the_same_on_one_thread_and_on_three(how, channels, three_threads):
    shared = all_three(how, channels, np.random.default_rng(0))
    again = all_three(how, channels, np.random.default_rng(0))
    mg.set_num_threads(1)
    alone = all_three(how, channels, np.random.default_rng(0))
    for a, b, c in zip(shared, again, alone):
        np.testing.assert_array_equal(a, b)  # the same bits every time
        np.testing.assert_allclose(a, c, rtol=1e-12, atol=1e-12)


def test_pieces_cover_the_range_once_in_order(three_threads):
    for n in (1, 2, 3, 7, 10):
        pieces = threads.share(lambda a, b: (a, b), n)
        assert pieces[0][0] == 0 and pieces[-1][1] == n and len(pieces) == min(3, n)
        assert all(first[1] == second[0] for first, second in zip(pieces, pieces[1:]))
    assert threads.share(lambda a, b: (a, b), 10, least=6) == [(0, 10)]


def test_an_error_in_a_thread_is_raised(three_threads):
    def fail(a, b):
        if a:
            raise RuntimeError("in a thread")

    with pytest.raises(RuntimeError, match="in a thread"):
        threads.share(fail, 3)


def test_blas_is_held_to_one_thread_and_given_back():
    blas = lambda: [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
    with threadpool_limits(2):
        mg.set_num_threads(2)
        assert set(blas()) == {1}
        mg.set_num_threads(1)
        assert set(blas()) == {2}
    for wrong in (0, -1, 1.5, True, "2", [2], np.array([2, 3]), np.float32(2)):
        with pytest.raises(ConfigError, match="int >= 1"):
            mg.set_num_threads(wrong)


def test_ours_suit_convolutions_unless_the_user_chose(monkeypatch):
    blas = lambda: {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}
    monkeypatch.setattr(threads, "_chosen", False)
    with threadpool_limits(2):
        for _ in range(2):
            with threads.suit(convolutions=True):
                assert mg.get_num_threads() == 2 and blas() == {1}
                with threads.suit(convolutions=True):  # one run inside another has as many as it has alone
                    assert mg.get_num_threads() == 2 and blas() == {1}
                assert mg.get_num_threads() == 2 and blas() == {1}
            assert mg.get_num_threads() == 1 and blas() == {2}
        with threads.suit(convolutions=False):
            assert mg.get_num_threads() == 1 and blas() == {2}
        for largest, wanted in ((threads.SMALL, {1}), (threads.SMALL + 1, {2}), (None, {2})):
            with threads.suit(False, largest):
                assert mg.get_num_threads() == 1 and blas() == wanted
            assert blas() == {2}
        mg.set_num_threads(1)
        with threads.suit(convolutions=True):
            assert mg.get_num_threads() == 1 and blas() == {2}
        with threads.suit(False, 1):
            assert blas() == {2}  # the user chose
    monkeypatch.setattr(threads, "_chosen", False)
    with threadpool_limits(1), threads.suit(convolutions=True):  # whoever gave BLAS one thread wants one core to be used
        assert mg.get_num_threads() == 1


def test_what_suits_a_run_is_not_disturbed_by_a_run_in_another_thread(monkeypatch):
    """The other one begins and ends in the middle of a kernel of the first."""
    monkeypatch.setattr(threads, "_chosen", False)

    def other():
        with threads.suit(convolutions=False):
            return threads.get_num_threads()

    def piece(a, b):
        if a == 0:
            with ThreadPoolExecutor(1) as pool:
                seen.append(pool.submit(other).result())
        return a, b

    seen = []
    with threadpool_limits(2), threads.suit(convolutions=True):
        for _ in range(2):
            assert threads.share(piece, 10) == [(0, 5), (5, 10)]
        assert mg.get_num_threads() == 2
    assert seen == [1, 1] and mg.get_num_threads() == 1


@pytest.mark.parametrize("n, k, m, expected", [(50, 20, 7, 3), (2, 3, 1, 2), (1, 3, 1, 1), (0, 3, 4, 3), (4, 0, 3, 3)])
def test_products_of_matrices_are_shared_by_the_longer_side(n, k, m, expected, three_threads, monkeypatch):
    from minigan.kernels.cpu import linalg

    monkeypatch.setattr(linalg, "WORTH_A_THREAD", 1)
    rng, pieces = np.random.default_rng(0), []
    a, b = rng.standard_normal((n, k)), rng.standard_normal((k, m))
    monkeypatch.setattr(linalg, "share", lambda *given: pieces.append(len(threads.share(*given))))
    for x, y in ((a, b), (b.T, a.T)):
        np.testing.assert_allclose(linalg.matmul(x, y), x @ y, rtol=1e-13, atol=1e-13)
    assert pieces == [expected, expected]


def test_activations_norms_and_adam_are_the_same_on_one_thread_and_on_three(three_threads, monkeypatch):
    from minigan.kernels.cpu import memory
    from minigan.optim import rules

    for module, name, size in ((memory, "PIECE", 16), (memory, "SHARED_PIECE", 16), (rules, "WORTH_A_THREAD", 8)):
        monkeypatch.setattr(module, name, size)

    def train():
        mg.seed(0)
        rng = np.random.default_rng(0)
        x = mg.Tensor(rng.standard_normal((6, 3, 5, 4)))
        weight, bias = (mg.Tensor(rng.standard_normal(3)).requires_grad_() for _ in range(2))
        w = mg.Tensor(rng.standard_normal((60, 9))).requires_grad_()
        adam = mg.optim.Adam([weight, bias, w], lr=0.1)
        for _ in range(3):
            y = mg.ops.batch_norm(mg.ops.leaky_relu(x, 0.2), weight=weight, bias=bias, training=True)
            loss = mg.ops.square(mg.ops.relu(mg.ops.reshape(y, (6, -1))) @ w).mean()
            adam.step(mg.grad(loss, [weight, bias, w]))
        return [p.data.copy() for p in (weight, bias, w)]

    shared, again = train(), train()
    mg.set_num_threads(1)
    for a, b, c in zip(shared, again, train()):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=1e-10, atol=1e-12)


def own_loop(net, x, steps=2):
    optimizer = mg.optim.SGD(net.parameters(), 0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        net(x).mean().backward()
        optimizer.step()


def test_a_loop_of_one_s_own_gets_the_threads_that_suit_its_net(monkeypatch):
    """Large convolutions take our threads, small nets hold BLAS to one thread, others leave BLAS its own; each loop anew."""
    monkeypatch.setattr(threads, "_chosen", False)
    monkeypatch.setattr(threads, "LARGE", 2**12)
    blas = lambda: {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}
    images = mg.tensor(np.ones((16, 16, 8, 8), np.float32))
    small, large = mg.tensor(np.ones((4, 3), np.float32)), mg.tensor(np.ones((64, 512), np.float32))
    with threadpool_limits(2):
        threads.new_loop()
        try:
            for _ in range(2):
                own_loop(mg.nn.Conv2d(16, 16, 3), images)
                assert (mg.get_num_threads(), blas()) == (2, {1}) and "convolutions" in threads.choice()
                own_loop(mg.nn.Linear(3, 2), small)
                assert (mg.get_num_threads(), blas()) == (1, {1}) and "small" in threads.choice()
                own_loop(mg.nn.Linear(512, 512), large)
                assert (mg.get_num_threads(), blas()) == (1, {2}) and "BLAS" in threads.choice()
            own_loop(mg.nn.Conv2d(16, 16, 3), images)
            mg.set_num_threads(1)  # overrules it, now and later
            assert (mg.get_num_threads(), blas()) == (1, {2})
            own_loop(mg.nn.Conv2d(16, 16, 3), images)
            assert (mg.get_num_threads(), blas()) == (1, {2})
        finally:
            threads.new_loop()
    assert threads._held == 0


def test_a_session_does_not_choose_for_the_loops_outside(monkeypatch):
    monkeypatch.setattr(threads, "_chosen", False)
    monkeypatch.setattr(threads, "LARGE", 2**12)
    threads.new_loop()
    with threads.suit(False):
        own_loop(mg.nn.Conv2d(16, 16, 3), mg.tensor(np.ones((16, 16, 8, 8), np.float32)))
        assert mg.get_num_threads() == 1
    assert threads.watching
