"""SeqGAN: the policy gradient is the gradient of the expected reward, where all sequences can be listed; rollouts keep what was
written; the stages follow each other, and resume, to the same bits."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from described import described

import minigan as mg
from minigan import data, ops
from minigan.data.oracle import Oracle
from minigan.errors import ConfigError
from minigan.gradcheck import gradcheck
from minigan.runs.session import Session
from minigan.streams import Streams
from minigan.systems import registry
from minigan.systems.text.seqgan import LanguageModel, TextCNN, policy, report, values
from minigan.tensor import Tensor
from minigan.train.game import play

K, T = 3, 3
EVERY = Tensor(np.array(list(itertools.product(range(K), repeat=T))))  # all 27 sequences
PLACE = np.array([9, 3, 1])  # of a sequence in EVERY
REWARD = np.random.default_rng(4).random(len(EVERY))


def writer():
    """A small G in float64 whose choices are far from uniform."""
    mg.seed(3)
    G = LanguageModel(K, 4).double()
    for p in G.parameters():
        p.data[...] *= 2
    return G


def likelihoods(G):
    """p(y) of all sequences (27,), a Tensor."""
    return ops.exp(ops.sum(G(EVERY), axis=1))


def true_values(p):
    """Q_t(y) = E[reward | y_1 ... y_t] for all sequences (27, T), by sums over all of them."""
    p, r = p.reshape(K, K, K), REWARD.reshape(K, K, K)
    Q = np.empty((K, K, K, T))
    Q[..., 0] = ((p * r).sum((1, 2)) / p.sum((1, 2)))[:, None, None]
    Q[..., 1] = ((p * r).sum(2) / p.sum(2))[:, :, None]
    Q[..., 2] = r
    return Q.reshape(-1, T)


def gradient(G, loss):
    return np.concatenate([g.data.ravel() for g in mg.grad(loss, list(G.parameters()))])


# ---- the estimator -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["the whole reward", "the values", "the values less a baseline"])
def test_the_policy_gradient_is_on_average_that_of_the_expected_reward(kind):
    G = writer()
    p = likelihoods(G)
    exact = gradient(G, ops.sum(p * REWARD))
    p = p.data
    assert p.sum() == pytest.approx(1, abs=1e-12) and p.max() > 3 * p.min()
    Q = {
        "the whole reward": np.repeat(REWARD[:, None], T, axis=1),
        "the values": true_values(p),
        "the values less a baseline": true_values(p) - [0.3, -2.0, 5.0],
    }[kind]
    # The mean over sequences weighted by their probability: 27 p Q in place of Q in a mean over all 27.
    found = gradient(G, policy(G(EVERY), Tensor(27 * p[:, None] * Q), baseline=False))
    np.testing.assert_allclose(-found, exact, rtol=1e-9, atol=1e-12)
    assert np.abs(exact).max() > 1e-3


def test_values_of_beginnings_make_it_vary_less_than_the_whole_reward():
    G = writer()
    p = likelihoods(G).data

    def variance(Q):
        each = np.stack([gradient(G, policy(G(EVERY[i : i + 1]), Tensor(Q[i : i + 1]), baseline=False)) for i in range(27)])
        return (p @ (each - p @ each) ** 2).sum()

    assert variance(true_values(p)) < 0.9 * variance(np.repeat(REWARD[:, None], T, axis=1))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("baseline", [True, False])
def test_derivatives(order, baseline):
    rng = np.random.default_rng(0)
    gradcheck(lambda log_p, Q: policy(log_p, Q, baseline), rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), order=order)
    G = writer()

    def likelihood(weight):
        G.lstm.__dict__["weight_hh_l0"] = weight  # an assignment would refuse a Tensor in the place of a Parameter
        return ops.mean(G(EVERY[::5]))

    gradcheck(likelihood, rng.normal(size=(16, 4)), order=order)


def test_the_baseline_is_the_mean_of_the_batch_at_each_token():
    log_p, Q = np.array([[-1.0, -2.0], [-3.0, -5.0]]), np.array([[1.0, 10.0], [3.0, 20.0]])
    # Q - b is -1, -5 and 1, 5:  -((1 + 10) + (-3 - 25)) / 2
    assert float(policy(Tensor(log_p), Tensor(Q))) == 8.5
    assert float(policy(Tensor(log_p), Tensor(Q), baseline=False)) == ((1 + 20) + (9 + 100)) / 2


def test_a_constant_reward_teaches_nothing_with_a_baseline_and_only_noise_without():
    G = writer()
    ones = Tensor(np.ones((27, T)))
    assert not gradient(G, policy(G(EVERY), ones)).any()  # exactly zero
    assert np.abs(gradient(G, policy(G(EVERY), ones, baseline=False))).max() > 0.01
    p = likelihoods(G).data[:, None]
    assert np.abs(gradient(G, policy(G(EVERY), Tensor(27 * p * ones.data), baseline=False))).max() < 1e-12


# ---- writing and completing --------------------------------------------------------------------------------------------


def distance(counts, p):
    """Chi-square in standard deviations from what chance makes."""
    expected = counts.sum() * p
    return (((counts - expected) ** 2 / expected).sum() - (len(p) - 1)) / math.sqrt(2 * (len(p) - 1))


def test_it_writes_every_sequence_as_often_as_it_is_likely():
    G = writer()
    written = G.sample(Tensor(np.random.default_rng(1).random((40_000, T)))).data
    counts = np.bincount(written @ PLACE, minlength=27)
    assert distance(counts, likelihoods(G).data) < 4 < 100 < distance(counts, np.full(27, 1 / 27))


def test_the_largest_uniform_number_still_is_a_token():
    assert LanguageModel(30, 8).sample(Tensor(np.full((50, 10), np.float32(1 - 2**-24)))).data.max() == 29


def test_reading_token_by_token_gives_the_likelihood_of_the_whole():
    G, state, tokens = writer(), None, EVERY.data
    total, before = np.zeros((27, T)), np.full(27, K)
    for t in range(T):
        log_p, state = G.read(before, state)
        total[:, t] = log_p.data[np.arange(27), tokens[:, t]]
        before = tokens[:, t]
    np.testing.assert_allclose(G(EVERY).data, total, rtol=1e-12)


def test_rollouts_keep_the_beginning_and_are_those_of_a_loop():
    mg.seed(1)
    G, n, rollouts, length = LanguageModel(6, 5).double(), 4, 3, 5
    for p in G.parameters():
        p.data[...] *= 5  # so that what was read long ago decides what is written
    rng = np.random.default_rng(2)
    tokens, z = rng.integers(6, size=(n, length)), rng.random((length - 1, rollouts, n, length))
    kept = tokens.copy()
    done = G.complete(Tensor(tokens), Tensor(z)).data
    assert done.shape == z.shape and np.array_equal(tokens, kept)
    for k, r, i in itertools.product(range(1, length), range(rollouts), range(n)):
        sequence = list(tokens[i, :k])
        while len(sequence) < length:  # read the whole beginning anew for every token
            state, log_p = None, None
            for token in [6, *sequence]:
                log_p, state = G.read(np.array([token]), state)
            sequence.append(int(np.searchsorted(np.exp(log_p.data[0]).cumsum(), z[k - 1, r, i, len(sequence)], side="right")))
        assert done[k - 1, r, i].tolist() == sequence


def test_values_are_the_mean_reward_of_the_completions():
    G = writer()
    Q = true_values(likelihoods(G).data)
    step = SimpleNamespace(
        fake=EVERY,
        game=SimpleNamespace(nets={"G": G}),
        draw=lambda name, f: Tensor(f(np.random.default_rng(6))),
        score=lambda tokens: Tensor(REWARD[tokens.data @ PLACE][:, None]),
    )  # a D that says the reward itself
    found = values(step, lambda logits: logits, 3000).data
    assert found.shape == (27, T) and np.array_equal(found[:, -1], REWARD)
    np.testing.assert_allclose(found, Q, atol=0.03)
    assert np.abs(found[:, 0] - REWARD).max() > 0.2


# ---- the game ----------------------------------------------------------------------------------------------------------


def game(**settings):
    mg.seed(5)
    small = {"hidden": 8, "channels": 4, "batch_size": 16, "rollouts": 2, "mle_steps": 1, "d_pretrain": 1, **settings}
    return registry.get("seqgan").build(registry.get("seqgan").configure(small), described((10,)))


def weights(net):
    return {name: p.data.copy() for name, p in net.named_parameters()}


def moved(before, net):
    return [name for name, p in net.named_parameters() if not np.array_equal(before[name], p.data)]


def test_each_stage_trains_whom_it_should():
    whole, streams = game(d_steps=2), Streams(0)
    loader = data.Loader(data.load("oracle", size=200), 16, 1)
    G, D = whole.nets["G"], whole.nets["D"]
    for step, (g, d, logged) in enumerate([(True, False, {"G"}), (False, True, {"D"}), (True, True, {"D", "G"})]):
        before = weights(G), weights(D)
        losses = play(whole.at(step), loader, streams)
        assert {name for name in losses if "." not in name and "(" not in name} == logged
        assert bool(moved(before[0], G)) is g and bool(moved(before[1], D)) is d
    assert set(moved(before[0], G)) == set(before[0]) and set(moved(before[1], D)) == set(before[1])


def test_a_constant_reward_with_a_baseline_leaves_the_generator_as_it_was():
    loader = data.Loader(data.load("oracle", size=200), 16, 1)
    for baseline in (True, False):
        whole = game(reward="constant", baseline=baseline)
        before = weights(whole.nets["G"])
        play(whole.at(2), loader, Streams(0))
        assert bool(moved(before, whole.nets["G"])) is not baseline


def test_the_same_turn_taken_again_has_the_same_rollouts():
    last = game().at(2)
    loader, author = data.Loader(data.load("oracle", size=200), 16, 1), last.players[1]
    turn = last.step(last, author, next(loader), Streams(0))
    assert float(last.parts(turn)["policy"]) == float(last.parts(turn.again())["policy"]) != 0


def oracle_as_writer(sharper=1.0):
    """A G with the oracle's own weights; sharper: times its logits, which makes the likely likelier."""
    oracle, G = Oracle(), LanguageModel(30, 32).double()
    for p, value in (
        (G.embedding.weight, oracle.embedding),
        (G.lstm.weight_ih_l0, oracle.weight[:, :32]),
        (G.lstm.weight_hh_l0, oracle.weight[:, 32:]),
        (G.lstm.bias_ih_l0, oracle.bias),
        (G.lstm.bias_hh_l0, 0),
        (G.out.weight, sharper * oracle.out),
        (G.out.bias, sharper * oracle.out_bias),
    ):
        p.data[...] = value
    whole = game(hidden=32)
    whole.nets["G"], whole._sample = G, G.sample
    return whole


def test_the_report_of_a_generator_that_is_the_oracle():
    test, whole = data.load("oracle", "test", size=1000), oracle_as_writer()
    log_p = whole.nets["G"](Tensor(test.tokens)).data
    np.testing.assert_allclose(-log_p.mean(axis=1), test.oracle.nll(test.tokens), rtol=1e-10)
    found = report(whole, test, np.random.default_rng(0))
    assert found["kl-oracle"] == pytest.approx(0, abs=1e-10) and found["distinct"] > 0.99
    assert found["nll-oracle"] == pytest.approx(found["entropy"], abs=0.03)
    assert found["nll-test"] == pytest.approx(test.oracle.nll(test.tokens).mean())
    cooler = report(oracle_as_writer(sharper=1 / 0.8), test, np.random.default_rng(0))
    assert found["nll-cool"] == pytest.approx(cooler["nll-oracle"]) and found["nll-cool"] < found["entropy"] - 0.2


def test_the_report_of_a_generator_that_writes_only_the_likely_raises_the_alarm():
    test = data.load("oracle", "test", size=1000)
    found = report(oracle_as_writer(sharper=3), test, np.random.default_rng(0))
    assert found["collapsed"] == 1 and found["nll-oracle"] < found["entropy"] - 0.3  # better than perfect,
    assert found["nll-test"] > found["entropy"] + 0.3 and found["kl-oracle"] > 0.3 and found["distinct"] < 0.9  # and worse


def test_maximum_likelihood_brings_the_generator_nearer_to_data_it_has_not_seen():
    whole = game(mle_steps=200, batch_size=64, hidden=32)
    loader, test = data.Loader(data.load("oracle"), 64, 1), data.load("oracle", "test", size=1000)
    before = report(whole, test, np.random.default_rng(0))
    for step in range(200):
        play(whole.at(step), loader, Streams(0))
    after = report(whole, test, np.random.default_rng(0))
    assert before["nll-test"] == pytest.approx(math.log(30), abs=0.1) and after["nll-test"] < 2.6
    assert after["nll-oracle"] < before["nll-oracle"] - 1.5 and after["kl-oracle"] < before["kl-oracle"] - 1


def test_a_text_cnn_sees_the_order_of_tokens():
    """D learns to tell sequences from the same tokens in another order."""
    mg.seed(0)
    D, rng = TextCNN(30, 16), np.random.default_rng(0)
    optimizer = mg.optim.Adam(D.parameters(), lr=1e-2)
    tokens = data.load("oracle").tokens
    shuffled = rng.permuted(tokens, axis=1)
    for i in range(0, 9000, 100):
        loss = ops.mean(ops.softplus(-D(tokens[i : i + 100]))) + ops.mean(ops.softplus(D(shuffled[i : i + 100])))
        optimizer.step(mg.grad(loss, list(D.parameters())))
    right = (D(tokens[9000:]).data > 0).mean() + (D(shuffled[9000:]).data < 0).mean()
    assert right / 2 > 0.85


# ---- a run of it -------------------------------------------------------------------------------------------------------

RUN = {
    "hidden": 8,
    "channels": 4,
    "batch_size": 16,
    "rollouts": 2,
    "mle_steps": 4,
    "d_pretrain": 3,
    "steps": 10,
    "log_every": 1,
    "sample_every": 5,
    "checkpoint_every": 100,
}


def final(folder):
    with np.load(folder / "checkpoints" / "step_000010.npz") as file:
        return {name: file[name].tobytes() for name in file.files}


def test_a_run_stopped_in_any_stage_ends_in_the_same_bits(tmp_path):
    whole = Session.start("seqgan", seed=2, overrides=RUN, out=tmp_path / "whole")
    assert whole.train()
    for stop in (3, 4, 6):  # within and at the end of a stage
        folder = tmp_path / str(stop)
        Session.start("seqgan", seed=2, overrides=RUN, out=folder).train(stop)
        assert Session.open(folder).train()
        assert final(folder) == final(tmp_path / "whole"), stop
    samples = whole.sample(20, seed=1)
    assert samples.shape == (20, 10) and samples.dtype.kind == "i" and 0 <= samples.min() <= samples.max() < 30
    assert np.array_equal(Session.open(tmp_path / "3").sample(20, seed=1), samples)
    assert (tmp_path / "whole" / "samples" / "step_000010.png").stat().st_size > 0


@pytest.mark.parametrize(
    "system, name, overrides, text",
    [
        ("seqgan", "ring8", {}, "seqgan learns tokens; ring8 holds points 2: use autoencoder or cgan"),
        ("gan", "oracle", {}, "gan learns pictures or points; oracle holds tokens 30x10: use seqgan"),
        ("seqgan", "oracle", {"reward": "constnat"}, "unknown reward 'constnat'; did you mean 'constant'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(system, name, overrides, text, tmp_path):
    with pytest.raises(ConfigError, match=text):
        Session.start(system, name, overrides=overrides, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pictures_are_refused():
    with pytest.raises(ConfigError, match="seqgan learns tokens; digits holds pictures 1x28x28: use"):
        registry.get("seqgan").build(registry.get("seqgan").configure(), described((1, 28, 28)))
