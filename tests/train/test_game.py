"""The loop against games small enough to be played by hand in NumPy, and the objectives against their formulas."""

import copy
import itertools
import math
import zlib
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

import minigan as mg
from minigan import ops
from minigan.data import Batch
from minigan.errors import ConfigError, NotFiniteError
from minigan.nn import BatchNorm1d, Dropout, Linear, Sequential
from minigan.optim import SGD, Adam
from minigan.runs.capture import refuse
from minigan.runs.hooks import Schedule
from minigan.streams import Streams
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.asymmetry import asymmetry
from minigan.train.game import Game, Normal, Player, Step, Term, play
from minigan.train.objectives import OBJECTIVES, Objective

sgd = partial(SGD, lr=0.5)


def batches(n=6, shape=(2,), seed=3, labels=False):
    rng = np.random.default_rng(seed)
    while True:
        yield Batch(rng.standard_normal((n, *shape)).astype(np.float32), np.arange(n) if labels else None)


def linear_game(objective="non-saturating", d_steps=1, g_steps=1, optimizer=sgd):
    """G(z) = z V' + c with z (N, 3), D(x) = x w' + b with x (N, 2)."""
    G, D = Linear(3, 2), Linear(2, 1)
    return Game(
        {"G": G, "D": D},
        [Player("D", [D], optimizer, d_steps), Player("G", [G], optimizer, g_steps)],
        adversarial_terms(objective),
        Normal(3),
        step=AdversarialStep,
    )


def weights(net):
    return {name: p.data.copy() for name, p in net.named_parameters()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def latent(seed=0):
    """The stream of the latent draws, made as streams.Streams says it is."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(b"latent")])))


# ---- one iteration, by hand --------------------------------------------------------------------------------------------


def test_an_iteration_is_what_one_computes_by_hand():
    """D: -log s(a) - log s(-b), whose slopes are s(a) - 1 and s(b); then G, against the D that has just moved: s(b) - 1."""
    game = linear_game()
    V, c, w, b0 = (p.data.astype(np.float64) for net in ("G", "D") for p in game.nets[net].parameters())
    losses = play(game, batches(), Streams(0))

    data, z = batches(), latent()
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    x, z1 = next(data).x.astype(np.float64), z.standard_normal((6, 3), dtype=np.float32).astype(np.float64)
    fake = z1 @ V.T + c
    a, b = x @ w.T + b0, fake @ w.T + b0
    assert losses["D"] == pytest.approx((np.log1p(np.exp(-a)) + np.log1p(np.exp(b))).mean(), rel=1e-5)
    slope_a, slope_b = (sigmoid(a) - 1) / 6, sigmoid(b) / 6
    w, b0 = w - 0.5 * (slope_a.T @ x + slope_b.T @ fake), b0 - 0.5 * (slope_a.sum() + slope_b.sum())

    next(data)  # G's turn takes a batch of its own
    z2 = z.standard_normal((6, 3), dtype=np.float32).astype(np.float64)
    b = (z2 @ V.T + c) @ w.T + b0
    assert losses["G"] == pytest.approx(np.log1p(np.exp(-b)).mean(), rel=1e-5)
    slope_fake = (sigmoid(b) - 1) / 6 @ w
    V, c = V - 0.5 * slope_fake.T @ z2, c - 0.5 * slope_fake.sum(axis=0)
    for net, expected in (("D", (w, b0)), ("G", (V, c))):
        for p, value in zip(game.nets[net].parameters(), expected):
            np.testing.assert_allclose(p.data, value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("moves, rests", [("D", "G"), ("G", "D")])
def test_a_turn_leaves_the_other_players_weights_and_gradients_alone(moves, rests):
    game = linear_game(d_steps=int(moves == "D"), g_steps=int(moves == "G"), optimizer=partial(Adam, lr=0.1))
    for net in game.nets.values():
        for p in net.parameters():
            p.grad = mg.full(p.shape, 7.0)
    before = {name: weights(net) for name, net in game.nets.items()}
    for _ in range(2):
        play(game, batches(), Streams(0))
    assert same(weights(game.nets[rests]), before[rests])
    moved = weights(game.nets[moves])
    assert all(not np.array_equal(moved[name], before[moves][name]) for name in moved)
    assert all(np.array_equal(p.grad.data, np.full(p.shape, 7.0)) for net in game.nets.values() for p in net.parameters())
    assert all(p.requires_grad for net in game.nets.values() for p in net.parameters())


def test_a_gradient_left_over_from_elsewhere_changes_nothing():
    """The loop asks for its gradients; it adds to none and reads none."""
    results = []
    for leftover in (None, 1e9):
        mg.seed(0)
        game = linear_game()
        for net in game.nets.values():
            for p in net.parameters():
                p.grad = None if leftover is None else mg.full(p.shape, leftover)
        play(game, batches(), Streams(0))
        results.append(weights(game.nets["G"]))
    assert same(*results)


def test_no_derivative_is_computed_for_the_net_that_rests():
    """In D's turn no rule runs for an op of G, in G's turn none for D's weights: the shapes of all gradients show it."""
    game = linear_game()
    seen = []

    def watcher(op, phase, inputs, output, seconds, site):
        if phase == "backward":
            seen.append(np.shape(output))

    with mg.watch(watcher):
        step = AdversarialStep(game, game.players[0], next(batches()), Streams(0))
        mg.grad(sum(game.parts(step).values()), game.players[0].parameters)
    assert (1, 2) in seen and not {(2, 3), (3, 2), (6, 3)} & set(seen)  # D's weight; not G's weight, not z
    seen.clear()
    with mg.watch(watcher):
        step = AdversarialStep(game, game.players[1], next(batches()), Streams(0))
        mg.grad(sum(game.parts(step).values()), game.players[1].parameters)
    assert (2, 3) in seen and not {(1, 2), (2, 1)} & set(seen)


@pytest.mark.parametrize("d_steps, g_steps", [(1, 1), (5, 1), (2, 3)])
def test_each_player_takes_its_number_of_steps_each_with_a_batch_and_noise_of_its_own(d_steps, g_steps):
    game, turns = linear_game(d_steps=d_steps, g_steps=g_steps), []
    real = Game.parts

    def parts(self, step):
        turns.append((step.player.name, step.x.data.tobytes(), step.z.data.tobytes()))
        return real(self, step)

    game.parts = partial(parts, game)
    data, streams = batches(), Streams(0)
    for _ in range(2):
        play(game, data, streams)
    assert "".join(name for name, _, _ in turns) == 2 * ("D" * d_steps + "G" * g_steps)
    assert len({x for _, x, _ in turns}) == len({z for _, _, z in turns}) == 2 * (d_steps + g_steps)
    steps = {
        name: player.optimizer.state_dict()["state"]["0"]["step"]
        for name, player in (("D", game.players[0]), ("G", game.players[1]))
    }
    assert steps == {"D": 2 * d_steps, "G": 2 * g_steps}


def test_within_a_turn_everything_is_computed_once():
    calls = []

    class Counted(Linear):
        def forward(self, x):
            calls.append(self)
            return super().forward(x)

    G, D = Counted(3, 2), Counted(2, 1)
    game = Game(
        {"G": G, "D": D},
        [Player("D", [D], sgd)],
        [
            *adversarial_terms("hinge")[:1],
            Term("again", "D", lambda s: ops.mean(s.real_logits**2) + ops.mean(s.fake_logits**2)),
        ],
        Normal(3),
        step=AdversarialStep,
    )
    play(game, batches(), Streams(0))
    assert sorted(c is D for c in calls) == [False, True, True]  # G(z), D(x), D(fake)


def test_the_step_shows_the_batch():
    game = linear_game()
    batch = next(batches(labels=True))
    step = AdversarialStep(game, game.players[0], batch, Streams(0))
    assert np.array_equal(step.x.data, batch.x) and np.array_equal(step.labels, np.arange(6))
    assert step.z.shape == (6, 3) and step.z.dtype == np.float32 and step.real_logits.shape == step.fake_logits.shape == (6, 1)
    assert step.trains("D") and not step.trains("G") and not step.fake.requires_grad
    assert AdversarialStep(game, game.players[1], batch, Streams(0)).fake.requires_grad


def test_the_base_of_all_steps_knows_a_batch_with_any_fields_and_no_net():
    class Masked(NamedTuple):
        x: np.ndarray
        mask: np.ndarray
        labels: np.ndarray | None = None

    x, mask = np.ones((4, 2), np.float32), np.zeros((4, 1), np.float32)
    step = Step(linear_game(), None, Masked(x, mask), Streams(0))
    assert step.x.tolist() == x.tolist() and step.field("mask").tolist() == mask.tolist()
    assert step.field("labels") is step.labels is None
    with pytest.raises(ConfigError, match="step.field: a batch has no field 'masc'; did you mean 'mask'"):
        step.field("masc")
    with pytest.raises(ConfigError, match="no field 'count'; known: x, mask, labels"):  # a method of every tuple
        step.field("count")
    assert not [name for name in dir(Step) if name in ("z", "fake", "score", "generate", "real_logits", "fake_logits")]
    assert step.draw("u", lambda g: g.random(3)).numpy().tolist() == step.draw("u", lambda g: g.random(3)).numpy().tolist()
    assert step.again().draw("u", lambda g: g.random(3)).numpy().tolist() == step.draw("u", None).numpy().tolist()


# ---- players that need no gradient ---------------------------------------------------------------------------------------


class Evolution:
    """A player of the (1 + 1) evolution strategy: w + s e takes the place of w if its loss is no larger; then s grows, else
    it shrinks (the 1/5 rule)."""

    def __init__(self, name, net, steps=1, s=0.1):
        self.name, self.nets, self.steps, self.s = name, [net], steps, s

    def take(self, step, read=float):
        weights = [p.data.copy() for p in self.nets[0].parameters()]
        loss = self.loss(step)
        for i, p in enumerate(self.nets[0].parameters()):
            p.copy_(p.data + self.s * step.draw(f"mutation {i}", lambda g, p=p: g.standard_normal(p.shape, np.float32)).data)
        found = self.loss(step.again())
        self.s *= 1.5 if found <= loss else 1.5**-0.25
        if found > loss:
            for p, before in zip(self.nets[0].parameters(), weights):
                p.copy_(before)
        return {} if read is None else {self.name: min(found, loss)}

    def loss(self, step):
        with mg.no_grad():
            return float(sum(step.game.parts(step).values()))

    def state_dict(self):
        return {"s": self.s}

    def load_state_dict(self, state):
        self.s = float(state["s"])


class Diary:
    """A player without nets and terms, who remembers how far the means of the generated samples were from 0."""

    name, nets, steps = "diary", [], 1

    def __init__(self):
        self.pages = []

    def take(self, step, read=float):
        self.pages.append(float(ops.mean(step.fake) ** 2))
        return {}

    def state_dict(self):
        return {"pages": list(self.pages)}

    def load_state_dict(self, state):
        self.pages = list(state["pages"])


def evolved(seed=0):
    """D learns by gradients, G by evolution, and somebody looks on."""
    mg.seed(seed)
    G, D = Linear(3, 2), Linear(2, 1)
    return Game(
        {"G": G, "D": D},
        [Player("D", [D], partial(SGD, lr=0.01)), Evolution("G", G, steps=2), Diary()],
        adversarial_terms("non-saturating"),
        Normal(3),
        step=AdversarialStep,
    )


def test_a_player_that_needs_no_gradient_takes_its_turns_and_resumes_to_the_same_bits():
    game, data, streams = evolved(), batches(), Streams(0)
    first = [play(game, data, streams) for _ in range(20)]
    assert all(set(losses) == {"D", "D.gradient", "G", "D(x)", "D(G(z))"} for losses in first)
    saved, drawn = copy.deepcopy(game.state_dict()), streams.state_dict()
    data, its_data = itertools.tee(data)
    later = [play(game, data, streams) for _ in range(20)]
    other, its_streams = evolved(seed=1), Streams(1)
    other.load_state_dict(saved)
    its_streams.load_state_dict(drawn)
    assert [play(other, its_data, its_streams) for _ in range(20)] == later
    assert all(same(weights(other.nets[name]), weights(net)) for name, net in game.nets.items())
    assert other.players[1].s == game.players[1].s != 0.1 and other.players[2].pages == game.players[2].pages


def test_evolution_finds_what_gradients_find():
    """All of G's samples must come to (1.5, 1.5), where its loss is 0."""
    mg.seed(0)
    G = Linear(3, 2)
    term = Term("distance", "G", lambda step: ops.mean(ops.square(step.fake - 1.5)))
    game = Game({"G": G}, [Evolution("G", G, steps=5)], [term], Normal(3), step=AdversarialStep)
    data, streams = batches(256), Streams(0)
    losses = [play(game, data, streams)["G"] for _ in range(150)]
    assert losses[0] > 1 and max(losses[-20:]) < 1e-6


def test_a_schedule_or_a_measure_meets_a_player_without_gradients(rng):
    game = evolved()
    settings = SimpleNamespace(schedule="cosine", steps=10, metrics_every=5, final_lr=0.1, factor=0.5)
    assert list(Schedule(settings, game, (2,)).optimizers) == ["D"]
    assert asymmetry(game, next(batches()), Streams(0), rng) < 1e-5  # one field that is left: D's own
    game.players = game.players[1:]
    with pytest.raises(ConfigError, match="no player of this game uses gradients"):
        asymmetry(game, next(batches()), Streams(0), rng)
    game.device = "cuda:0"
    with pytest.raises(ConfigError, match="the Evolution G may make decisions on the host in its turn"):
        refuse(game)


# ---- terms -----------------------------------------------------------------------------------------------------------


def test_terms_are_weighed_and_added():
    """loss = 2 mean(x w) + 10 |w|^2, so w moves by lr (2 mean(x) + 20 w)."""
    D = Linear(2, 1, bias=False)
    terms = [
        Term("score", "D", lambda step: ops.mean(step.real_logits), weight=2.0),
        Term("size", "D", lambda step: ops.sum(D.weight**2), weight=10.0),
    ]
    game = Game({"D": D}, [Player("D", [D], partial(SGD, lr=0.01))], terms, Normal(1), step=AdversarialStep)
    w, x = D.weight.data.copy(), next(batches()).x
    losses = play(game, batches(), Streams(0))
    expected = {"D.score": 2 * (x @ w.T).mean(), "D.size": 10 * (w**2).sum()}
    assert {name: pytest.approx(value, rel=1e-5) for name, value in expected.items()} == {k: losses[k] for k in expected}
    assert losses["D"] == pytest.approx(sum(expected.values()), rel=1e-5) and set(losses) == {"D", "D.gradient", *expected}
    assert losses["D.gradient"] == pytest.approx(np.linalg.norm(2 * x.mean(axis=0) + 20 * w), rel=1e-5)
    np.testing.assert_allclose(D.weight.data, w - 0.01 * (2 * x.mean(axis=0) + 20 * w), rtol=1e-5)


def test_a_term_pays_one_player_only():
    """A penalty on G's weights in D's terms moves nothing; as G's term it shrinks them."""
    for player, shrinks in (("D", False), ("G", True)):
        game = linear_game(Objective(lambda a, b: 0.0 * ops.mean(a), lambda a, b: 0.0 * ops.mean(b)))
        G = game.nets["G"]
        game.terms.append(Term("size", player, lambda step, G=G: ops.sum(G.weight**2)))
        before = np.abs(G.weight.data).sum()
        play(game, batches(), Streams(0))
        assert (np.abs(G.weight.data).sum() < 0.99 * before) == shrinks


def test_one_term_is_reported_once_and_losses_are_plain_numbers():
    losses = play(linear_game(), batches(), Streams(0))
    assert set(losses) == {"D", "D.gradient", "D(x)", "D(G(z))", "G", "G.gradient"}
    assert all(type(value) is float for value in losses.values())


def test_what_d_says_of_a_batch_is_a_probability_only_where_the_loss_makes_it_one():
    a, b = np.array([[0.0], [2.0]], np.float32), np.array([[-1.0], [1.0]], np.float32)
    sure = 1 / (1 + np.exp(-2.0))
    for name, objective in OBJECTIVES.items():
        said = objective.opinion(a, b)
        if name in ("minimax", "non-saturating"):
            assert said == {"D(x)": pytest.approx((0.5 + sure) / 2), "D(G(z))": pytest.approx(0.5)}, name
        else:
            assert said == {"score(x)": pytest.approx(1.0), "score(G(z))": pytest.approx(0.0)}, name


def test_what_a_term_watches_changes_no_bit_of_the_training():
    trained = []
    for watch in (True, False):
        mg.seed(0)
        game, data, streams = linear_game(), batches(), Streams(0)
        for term in game.terms:
            term.watch = term.watch if watch else None
        for _ in range(5):
            losses = play(game, data, streams)
        assert ("D(x)" in losses) == watch
        trained.append([p.data.tobytes() for player in game.players for p in player.parameters])
    assert trained[0] == trained[1]


def test_a_term_for_nobody_and_a_player_without_a_term_are_refused():
    D = Linear(2, 1)
    player, term = Player("D", [D], sgd), Term("score", "D", lambda step: ops.mean(step.real_logits))
    with pytest.raises(ConfigError, match=r"term 'score' is for player 'd'; did you mean 'D'\?|known: D"):
        Game({"D": D}, [player], [Term("score", "d", term.loss)], Normal(1))
    with pytest.raises(ConfigError, match="player 'G' has no term, so it has no loss to minimise; add a Term for it"):
        Game({"D": D}, [player, Player("G", [Linear(1, 2)], sgd)], [term], Normal(1))
    with pytest.raises(ConfigError, match=r"unknown objective 'hing'; did you mean 'hinge'\?"):
        adversarial_terms("hing")


# ---- numbers that are none -------------------------------------------------------------------------------------------


def test_a_nan_in_a_loss_stops_and_names_the_op():
    game = linear_game()
    game.terms.append(Term("planted", "G", lambda step: ops.mean(ops.log(-1 - step.fake_logits**2))))
    before = weights(game.nets["G"])
    with pytest.raises(
        NotFiniteError,
        match=r"^player G: log: first NaN in its output \(6, 1\) \(called at "
        r"test_game\.py:\d+\); its inputs were finite",
    ):
        play(game, batches(), Streams(0))
    assert same(weights(game.nets["G"]), before)  # no step was taken along a NaN


def test_an_infinite_slope_is_found_in_the_backward_pass():
    """sqrt is 0 at 0 and finite, its slope is not."""
    game = linear_game()
    game.terms.append(Term("planted", "D", lambda step: ops.mean(ops.sqrt(0.0 * step.real_logits))))
    with pytest.raises(NotFiniteError, match="sqrt: first (NaN|Inf) in its gradient"):
        play(game, batches(), Streams(0))


def test_a_nan_in_the_data_is_not_blamed_on_the_op_that_met_it():
    def spoilt():
        x = next(batches()).x
        x[3, 1] = np.nan
        while True:
            yield Batch(x, None)

    with pytest.raises(NotFiniteError, match=r"input \d \(6, 2\) had one already"):
        play(linear_game(), spoilt(), Streams(0))


def test_a_large_but_finite_gradient_is_no_error():
    """Its square is beyond float32."""
    game = linear_game(Objective(lambda a, b: 1e25 * ops.mean(a), lambda a, b: ops.mean(b)), optimizer=partial(SGD, lr=1e-25))
    w, x = game.nets["D"].weight.data.copy(), next(batches()).x
    play(game, batches(), Streams(0))
    np.testing.assert_allclose(game.nets["D"].weight.data, w - x.mean(axis=0), rtol=1e-4)


# ---- sampling --------------------------------------------------------------------------------------------------------


def test_samples_are_those_of_evaluation_mode_and_change_nothing():
    G = Sequential(Linear(3, 4), BatchNorm1d(4), Dropout(0.5), Linear(4, 2))
    game = Game(
        {"G": G},
        [Player("G", [G], sgd)],
        [Term("size", "G", lambda step: ops.mean(step.fake))],
        Normal(3),
        step=AdversarialStep,
    )
    play(game, batches(), Streams(0))
    state = {name: value.copy() for name, value in G.state_dict().items()}
    z = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    samples = game.sample(z)
    assert type(samples) is np.ndarray and samples.shape == (5, 2) and samples.dtype == np.float32
    h = (z @ state["0.weight"].T + state["0.bias"] - state["1.running_mean"]) / np.sqrt(state["1.running_var"] + 1e-5)
    h = h * state["1.weight"] + state["1.bias"]
    np.testing.assert_allclose(samples, h @ state["3.weight"].T + state["3.bias"], rtol=1e-4, atol=1e-5)
    assert same(state, G.state_dict()) and all(m.training for m in G.modules())
    assert np.array_equal(game.sample(z[:2]), samples[:2]) or np.allclose(game.sample(z[:2]), samples[:2], atol=1e-6)
    G.eval()
    game.sample(z)
    assert not any(m.training for m in G.modules())


def test_training_mode_comes_back_after_an_error():
    game = linear_game()
    with pytest.raises(mg.errors.MiniganError):
        game.sample(np.zeros((2, 99), np.float32))
    assert all(m.training for net in game.nets.values() for m in net.modules())


def test_the_latent_draws():
    z = Normal(5)(20_000, np.random.default_rng(1))
    assert z.shape == (20_000, 5) and z.dtype == np.float32
    assert np.abs(z.mean(axis=0)).max() < 0.03 and np.abs(z.std(axis=0) - 1).max() < 0.03


# ---- objectives ------------------------------------------------------------------------------------------------------

ln, softplus = math.log, lambda t: np.logaddexp(0.0, t)
probability = lambda t: 1 / (1 + np.exp(-t))
cross_entropy = lambda real, fake: -np.log(probability(real)).mean() - np.log(1 - probability(fake)).mean()
FORMULAS = {  # (D's loss of a, b; G's loss of a, b), in NumPy, float64
    "minimax": (cross_entropy, lambda a, b: np.log(1 - probability(b)).mean()),
    "non-saturating": (cross_entropy, lambda a, b: -np.log(probability(b)).mean()),
    "least-squares": (lambda a, b: ((a - 1) ** 2).mean() / 2 + (b**2).mean() / 2, lambda a, b: ((b - 1) ** 2).mean() / 2),
    "hinge": (lambda a, b: np.maximum(0, 1 - a).mean() + np.maximum(0, 1 + b).mean(), lambda a, b: -b.mean()),
    "wasserstein": (lambda a, b: b.mean() - a.mean(), lambda a, b: -b.mean()),
    "relativistic": (
        lambda a, b: cross_entropy(a - b.mean(), b - a.mean()),
        lambda a, b: cross_entropy(b - a.mean(), a - b.mean()),
    ),
}
UNDECIDED = {
    "minimax": (2 * ln(2), -ln(2)),
    "non-saturating": (2 * ln(2), ln(2)),
    "least-squares": (0.5, 0.5),
    "hinge": (2.0, 0.0),
    "wasserstein": (0.0, 0.0),
    "relativistic": (2 * ln(2), 2 * ln(2)),
}


def test_every_objective_has_its_formula_here():
    assert OBJECTIVES.keys() == FORMULAS.keys() == UNDECIDED.keys()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_is_its_formula_with_its_slopes(name):
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 2, (7, 1)), rng.normal(0, 2, (5, 1))
    d, g = FORMULAS[name]
    ta, tb = mg.tensor(a, requires_grad=True), mg.tensor(b, requires_grad=True)
    loss = OBJECTIVES[name].d(ta, tb)
    assert loss.shape == () and float(loss) == pytest.approx(d(a, b), rel=1e-12)
    assert float(OBJECTIVES[name].g(ta, tb)) == pytest.approx(g(a, b), rel=1e-12)
    slopes = (*mg.grad(loss, [ta, tb]), *mg.grad(OBJECTIVES[name].g(ta, tb), [tb]))
    functions = (lambda t: d(t, b), lambda t: d(a, t), lambda t: g(a, t))
    for slope, function, at in zip(slopes, functions, (a, b, b)):
        for i in range(len(at)):
            step = np.zeros_like(at)
            step[i] = 1e-6
            numeric = (function(at + step) - function(at - step)) / 2e-6
            assert float(slope.data[i, 0]) == pytest.approx(numeric, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_an_undecided_d_pays(name):
    zero = mg.zeros((4, 1))
    assert float(OBJECTIVES[name].d(zero, zero)) == pytest.approx(UNDECIDED[name][0], abs=1e-6)
    assert float(OBJECTIVES[name].g(zero, zero)) == pytest.approx(UNDECIDED[name][1], abs=1e-6)
    level, best = OBJECTIVES[name].undecided, mg.full((4, 1), 0.5 if name == "least-squares" else 0.0)
    assert level is None or level == pytest.approx(float(OBJECTIVES[name].d(best, best)), abs=1e-6)
    assert (level is None) == (name == "wasserstein")


@pytest.mark.parametrize(
    "name, slope",
    [
        ("minimax", -1 / (1 + math.exp(10))),  # -0.000045: G learns nothing from a D that is sure
        ("non-saturating", -1 / (1 + math.exp(-10))),  # -0.99995
        ("least-squares", -11.0),
        ("hinge", -1.0),
        ("wasserstein", -1.0),
    ],
)
def test_what_g_feels_when_d_is_sure(name, slope):
    b = mg.tensor([[-10.0]], requires_grad=True)
    (found,) = mg.grad(OBJECTIVES[name].g(None, b), [b])
    assert float(found) == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_logits_of_any_size_are_finite(name):
    a, b = mg.tensor([[1e4], [-1e4]], requires_grad=True), mg.tensor([[1e4], [-1e4]], requires_grad=True)
    loss = OBJECTIVES[name].d(a, b) + OBJECTIVES[name].g(a, b)
    assert np.isfinite(float(loss)) and all(np.isfinite(g.data).all() for g in mg.grad(loss, [a, b]))


def test_names_are_unique_and_frozen_parameters_stay():
    D = mg.nn.Linear(1, 1)
    terms = 2 * [Term("l", "D", lambda step: ops.mean(step.real_logits))]
    with pytest.raises(ConfigError, match="two terms called 'l'"):
        Game({"D": D}, [Player("D", [D], sgd)], terms, Normal(1))
    with pytest.raises(ConfigError, match="players must have different names, got"):
        Game({"D": D}, [Player("D", [D], sgd), Player("D", [D], sgd)], terms[:1], Normal(1))
    D.bias.requires_grad = False
    player = Player("D", [D], sgd)
    before = [p.data.copy() for p in (D.weight, D.bias)]
    player.update(player.gradients(D(mg.ones((2, 1))).sum()))
    assert (D.weight.data != before[0]).all() and (D.bias.data == before[1]).all()
