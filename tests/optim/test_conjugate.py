"""Conjugate gradients: what the theory promises on quadratics, a curved valley, and Wolfe's conditions where a step ends."""

import copy
from functools import partial

import numpy as np
import pytest

import minigan as mg
from minigan.errors import CheckpointError, ConfigError, ShapeError
from minigan.nn import Parameter
from minigan.optim import SGD, ConjugateGradient, lr_scheduler
from minigan.optim.conjugate import BETAS, wolfe_search

EXACT = dict(line_search="strong-wolfe", c1=1e-9, c2=1e-8)  # a search that ends where the slope is 0, nearly


def quadratic(n):
    """A symmetric positive definite matrix, its eigenvalues in 1 .. 5 about, and a right-hand side."""
    rng = np.random.default_rng(n)
    B = rng.standard_normal((n, n))
    return B @ B.T / n + np.eye(n), rng.standard_normal(n)


def descend(A, b, steps, **options):
    """`steps` steps of w' A w / 2 - b' w from 0; returns the moves, one row each, and the last gradient."""
    w = Parameter(np.zeros(len(b)))
    optimizer = ConjugateGradient([w], lr=0.1, **options)
    moves = []
    for _ in range(steps):
        before = w.data.copy()
        optimizer.step(closure=lambda: (0.5 * w.data @ A @ w.data - b @ w.data, [A @ w.data - b]))
        moves.append(w.data - before)
    return np.array(moves), A @ w.data - b


@pytest.mark.parametrize("rule", BETAS)
@pytest.mark.parametrize("n", [1, 2, 5, 10, 20, 50])
def test_a_quadratic_of_n_coordinates_is_solved_in_n_steps_along_conjugate_directions(rule, n):
    A, b = quadratic(n)
    moves, gradient = descend(A, b, n, rule=rule, **EXACT)
    assert np.linalg.norm(gradient) < 1e-9 * np.linalg.norm(b)
    # Directions of steps that are longer than rounding: on these matrices the sum is often there long before step n.
    moves = moves[np.linalg.norm(moves, axis=1) > 1e-5 * np.linalg.norm(moves[0])]
    products = moves @ A @ moves.T
    lengths = np.sqrt(np.diag(products))
    assert len(moves) >= min(n, 8)
    assert np.abs(products / np.outer(lengths, lengths) - np.eye(len(moves))).max() < 1e-8


def test_steepest_descent_is_not_that_good():
    A, b = quadratic(10)
    moves, gradient = descend(A, b, 10, restart=1, **EXACT)
    assert np.linalg.norm(gradient) > 1e-4 * np.linalg.norm(b)
    assert abs(moves[0] @ A @ moves[2]) > 0.1 * np.linalg.norm(moves[0]) * np.linalg.norm(moves[2])


def test_the_four_rules_walk_the_same_path_on_a_quadratic():
    A, b = quadratic(8)
    paths = [descend(A, b, 6, rule=rule, **EXACT)[0] for rule in BETAS]
    for path in paths[1:]:
        np.testing.assert_allclose(path, paths[0], rtol=1e-6, atol=1e-10)


def test_the_four_betas_by_hand():
    g, h, d = np.array([1.0, 2.0]), np.array([3.0, 1.0]), np.array([-1.0, 4.0])  # g - h = (-2, 1)
    assert {rule: beta(g, h, d) for rule, beta in BETAS.items()} == {
        "fletcher-reeves": 5 / 10,
        "polak-ribiere": 0.0,
        "hestenes-stiefel": 0.0,
        "dai-yuan": 5 / 6,
    }
    g = np.array([2.0, 2.0])  # g - h = (-1, 1)
    assert {rule: beta(g, h, d) for rule, beta in BETAS.items()} == {
        "fletcher-reeves": 8 / 10,
        "polak-ribiere": 0.0,
        "hestenes-stiefel": 0.0,
        "dai-yuan": 8 / 5,
    }
    g = np.array([1.0, 3.0])  # g - h = (-2, 2)
    assert {rule: beta(g, h, d) for rule, beta in BETAS.items()} == {
        "fletcher-reeves": 1.0,
        "polak-ribiere": 4 / 10,
        "hestenes-stiefel": 4 / 10,
        "dai-yuan": 10 / 10,
    }
    assert BETAS["polak-ribiere"](h / 2, h, d) == 0  # PR itself: -1/4
    assert BETAS["hestenes-stiefel"](h, h, d) == 0  # no change, no quotient: start anew


def rosenbrock(w):
    x, y = w
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2, np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


@pytest.mark.parametrize("rule", BETAS)
def test_rosenbrocks_valley_is_walked_to_its_end(rule):
    w = Parameter(np.array([-1.2, 1.0]))
    optimizer = ConjugateGradient([w], rule=rule, line_search="strong-wolfe")
    closure = lambda: (rosenbrock(w.data)[0], [rosenbrock(w.data)[1]])
    for _ in range(150):
        before = rosenbrock(w.data)[0]
        optimizer.step(closure=closure)
        assert rosenbrock(w.data)[0] <= before + 1e-14
    np.testing.assert_allclose(w.data, [1, 1], atol=1e-5)


@pytest.mark.parametrize("c1, c2", [(1e-4, 0.1), (1e-4, 0.9), (0.1, 0.11), (1e-4, 1e-3)])
@pytest.mark.parametrize("first", [1e-6, 0.1, 1.0, 1e5])
@pytest.mark.parametrize(
    "phi",
    [
        lambda a: ((a - 1) ** 2 - 1, 2 * (a - 1)),
        lambda a: (-a / (a * a + 2), (a * a - 2) / (a * a + 2) ** 2),  # More and Thuente 1994, their first function
        lambda a: ((a + 0.004) ** 5 - 2 * (a + 0.004) ** 4, 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3),  # their second
        lambda a: (np.cos(3 * a) - a + 0.1 * a * a, -3 * np.sin(3 * a) - 1 + 0.2 * a),  # many valleys
        lambda a: (-np.log(a + 1e-3) + a * a if a > -1e-3 else np.nan, -1 / (a + 1e-3) + 2 * a),
        lambda a: (np.exp(a) - 2 * a, np.exp(a) - 2) if a < 50 else (np.inf, np.nan),  # an overflow is a step too far
    ],
    ids=["parabola", "more-thuente-1", "more-thuente-2", "valleys", "barrier", "overflow"],
)
def test_a_search_ends_where_both_strong_wolfe_conditions_hold(phi, first, c1, c2):
    calls = []
    value, slope = phi(0.0)
    a = wolfe_search(lambda a: calls.append(a) or phi(a), value, slope, first, c1, c2, most=60)
    assert a > 0 and calls[-1] == a
    assert phi(a)[0] <= value + c1 * a * slope + 1e-15 * abs(value)
    assert abs(phi(a)[1]) <= c2 * abs(slope)


def test_a_search_of_a_parabola_needs_two_values():
    calls = []
    phi = lambda a: calls.append(a) or ((a - 1) ** 2, 2 * (a - 1))
    for first in (0.2, 5.0, 1000.0):
        assert wolfe_search(phi, 1.0, -2.0, first, c2=1e-9) == pytest.approx(1, abs=1e-9)
    assert len(calls) == 3 * 2


def test_a_search_that_runs_out_of_calls_returns_the_lowest_length_it_saw():
    seen = iter([(-2.0, -1.0), (-1.5, -1.0), (-1.9, -1.0)])  # all are low enough, none is flat
    assert wolfe_search(lambda a: next(seen), 0.0, -1.0, 1.0, most=3) == 1.0


def test_a_search_that_finds_nothing_lower_stays():
    w = Parameter(np.array([1.0]))
    optimizer = ConjugateGradient([w], line_search="strong-wolfe")
    optimizer.step(closure=lambda: (abs(w.data[0] - 1), [np.array([1.0])]))  # the slope is a lie
    assert w.data.tolist() == [1.0]
    optimizer.step([np.zeros(1)], closure=lambda: (0.0, [np.zeros(1)]))  # at the bottom
    assert w.data.tolist() == [1.0]


def test_steps_of_the_optimizer_fulfil_wolfes_conditions_on_a_network(rng):
    net = mg.nn.Sequential(mg.nn.Linear(3, 8), mg.nn.Tanh(), mg.nn.Linear(8, 1)).double()
    x, y = mg.tensor(rng.standard_normal((20, 3))), mg.tensor(rng.standard_normal((20, 1)))
    parameters = list(net.parameters())
    flat = lambda tensors: np.concatenate([np.asarray(t.detach()).reshape(-1) for t in tensors])

    def closure():
        loss = ((net(x) - y) ** 2).mean()
        return float(loss), list(mg.grad(loss, parameters))

    optimizer = ConjugateGradient(parameters, lr=0.1, line_search="strong-wolfe")
    start = closure()[0]
    for _ in range(30):
        (value, g), w = closure(), flat(parameters)
        optimizer.step(g, closure, value)
        (lower, after), move = closure(), flat(parameters) - w
        assert lower <= value + 1e-4 * (flat(g) @ move) + 1e-14
        assert abs(flat(after) @ move) <= 0.1 * abs(flat(g) @ move) * (1 + 1e-9)
    assert lower < 0.5 * start


def test_a_fixed_step_follows_the_recursion_written_out():
    g1, g2, g3 = np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([0.2, 0.4])
    w = Parameter(np.zeros(2))
    optimizer = ConjugateGradient([w], lr=0.1, rule="fletcher-reeves")
    assert not optimizer.needs_closure
    for g in (g1, g2, g3):
        optimizer.step([g])
    d1 = -g1
    d2 = -g2 + 0.5 / 1.0 * d1
    d3 = -g3 + 0.2 / 0.5 * d2
    np.testing.assert_allclose(w.data, 0.1 * (d1 + d2 + d3), rtol=1e-14)


def test_an_uphill_direction_and_every_nth_step_start_anew():
    w = Parameter(np.zeros(2))
    optimizer = ConjugateGradient([w], lr=1.0, rule="fletcher-reeves")
    optimizer.step([np.array([1.0, 0.0])])
    optimizer.step([np.array([-2.0, 0.0])])  # -g + beta d = (2, 0) + 4 (-1, 0) would lead uphill
    np.testing.assert_array_equal(w.data, [1.0, 0.0])
    w, gradients = Parameter(np.zeros(2)), np.random.default_rng(0).standard_normal((6, 2)) + 3
    optimizer, moves = ConjugateGradient([w], lr=1.0, restart=2), []
    for g in gradients:
        before = w.data.copy()
        optimizer.step([g])
        moves.append(np.allclose(w.data - before, -g))
    assert moves[0] and moves[2] and moves[4]
    assert not all(moves)


def test_a_parameter_without_a_gradient_stays():
    a, b = Parameter(np.zeros(2)), Parameter(np.zeros(3))
    optimizer = ConjugateGradient([a, b], lr=1.0, rule="fletcher-reeves")
    optimizer.step([np.ones(2), np.ones(3)])
    optimizer.step([np.ones(2), None])
    assert b.data.tolist() == [-1, -1, -1] and (a.data < -2).all()


@pytest.mark.parametrize("options", [{}, {"line_search": "strong-wolfe", "rule": "hestenes-stiefel", "restart": 3}])
def test_a_saved_state_continues_to_the_same_bits(options, tmp_path, rng):
    A, b = quadratic(5)
    A, b, noise = A.astype("f4"), b.astype("f4"), rng.standard_normal((9, 5)).astype("f4")

    def fresh():
        ps = [Parameter(np.ones(2, np.float32)), Parameter(np.ones(3, np.float32))]
        return ps, ConjugateGradient(ps, lr=0.01, **options)

    def walk(ps, optimizer, batches):
        def evaluate(z):
            w = np.concatenate([p.data for p in ps])
            g = A @ w - b - z
            return float(0.5 * w @ A @ w - (b + z) @ w), [g[:2], g[2:]]

        for z in batches:
            optimizer.step(evaluate(z)[1], partial(evaluate, z))

    straight, optimizer = fresh()
    walk(straight, optimizer, noise[:4])
    mg.save(tmp_path / "state.npz", {"w": [p.data for p in straight], "optimizer": optimizer.state_dict()})
    walk(straight, optimizer, noise[4:])
    saved = mg.load(tmp_path / "state.npz")
    resumed, again = fresh()
    for p, w in zip(resumed, saved["w"]):
        p.copy_(mg.tensor(w))
    again.load_state_dict(saved["optimizer"])
    walk(resumed, again, noise[4:])
    for p, q in zip(straight, resumed):
        np.testing.assert_array_equal(p.data, q.data)
    assert again.evaluations == optimizer.evaluations


def test_evaluations_count_every_gradient_used():
    w = Parameter(np.array([1.0]))
    calls = []
    closure = lambda: calls.append(0) or (0.5 * float(w.data[0]) ** 2, [w.data.copy()])
    optimizer = ConjugateGradient([w], lr=0.3, line_search="strong-wolfe", c2=1e-3)
    optimizer.step(closure=closure)
    assert optimizer.evaluations == len(calls) == 3  # the start, 0.3, and 1
    optimizer = ConjugateGradient([w], lr=0.3)
    optimizer.step(closure()[1])
    assert optimizer.evaluations == 1


def test_a_schedule_changes_its_step():
    w = Parameter(np.zeros(1))
    optimizer = ConjugateGradient([w], lr=1.0)
    lr_scheduler.ExponentialLR(optimizer, 0.5).step()
    optimizer.step([np.ones(1)])
    assert w.data.tolist() == [-0.5]


def test_a_deep_copy_walks_on_its_own():
    w = Parameter(np.zeros(1))
    optimizer = ConjugateGradient([w], lr=1.0)
    optimizer.step([np.ones(1)])
    v, twin = copy.deepcopy((w, optimizer))
    twin.step([np.ones(1)])
    assert w.data.tolist() == [-1.0] and v.data[0] < -1.5


def test_old_graphs_notice_that_the_weights_have_moved():
    w = Parameter(np.ones(2))
    loss = (w * w).sum()
    ConjugateGradient([w]).step([np.ones(2)])
    with pytest.raises(mg.errors.GraphError, match="updated in place"):
        mg.grad(loss, [w])


def test_bad_options_and_calls_are_refused():
    w, v = Parameter(np.ones(2)), Parameter(np.ones(2, np.float32))
    with pytest.raises(ConfigError, match="unknown rule 'polak-ribière'; did you mean 'polak-ribiere'"):
        ConjugateGradient([w], rule="polak-ribière")
    with pytest.raises(ConfigError, match="line_search must be None or 'strong-wolfe', got True"):
        ConjugateGradient([w], line_search=True)
    with pytest.raises(ConfigError, match="0 < c1 < c2 < 1"):
        ConjugateGradient([w], c1=0.5, c2=0.1)
    with pytest.raises(ConfigError, match="restart must be None or a whole number above 0, got 0"):
        ConjugateGradient([w], restart=0)
    with pytest.raises(ConfigError, match="one group, of one dtype and on one device"):
        ConjugateGradient([w, v])
    with pytest.raises(ConfigError, match=r"pass step\(grads, closure\)"):
        ConjugateGradient([w], line_search="strong-wolfe").step([np.ones(2)])
    with pytest.raises(ShapeError, match=r"a gradient is \(3,\), its parameter \(2,\)"):
        ConjugateGradient([w]).step([np.ones(3)])
    with pytest.raises(CheckpointError, match="another rule"):
        ConjugateGradient([w]).load_state_dict(SGD([w]).state_dict())
