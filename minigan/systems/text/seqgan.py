"""SeqGAN: G writes sequences of tokens, and learns from D by policy gradient.

Backpropagation cannot reach G through D, because choosing a token has no gradient.  G is an LSTM language model, D a text CNN
(Kim 2014).  There are three stages: G learns by maximum likelihood, then D learns alone, then both learn in turn.  In the last
stage G's loss is

    -E sum_t log p(y_t | y_1 ... y_{t-1}) (Q_t - b_t)

Q_t is D's mean probability of "real" over `rollouts` completions of y_1 ... y_t, which G draws (equation 4).  b_t is the mean
of Q_t over the batch.
Differences from the paper: 30 tokens and length 10 (data/oracle.py); the baseline b_t, which theirs has not; G itself draws the
completions, not a slower copy of it; D has no highway layer and no dropout.  Rates, batch and numbers of steps are ours:
mle_steps is so large that more maximum likelihood at that rate gains nothing, and D has a higher rate than theirs.  A turn of D
is one batch; a d-step of the paper is several epochs on newly written sequences, so d_steps has no value of theirs.
A latent draw is uniform numbers (n, T), one for each token, so that G's samples are a function of them.

The control is reward="constant" with baseline=false: it makes every token that G happens to write more probable, whatever D
says.  The oracle's NLL may then fall while the samples become less varied.  With the baseline a constant reward does nothing.
"""

from functools import cached_property, partial

import numpy as np

from minigan.backend import to_device, xp
from minigan.data.kinds import Tokens
from minigan.errors import ConfigError
from minigan.grad_mode import no_grad
from minigan.metrics.metric import Metric, Needs, Number
from minigan.nn import LSTM, Conv1d, Embedding, Linear, Module, ModuleList
from minigan.ops import concatenate, log_softmax, max, mean, relu, sigmoid, softmax, sum, swapaxes, take_along_axis
from minigan.optim import Adam
from minigan.systems.claims import Arm, Check, Claim
from minigan.systems.registry import Paper, system
from minigan.tensor import Tensor
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.game import Game, Player, Stages, Term
from minigan.train.settings import Setting

WIDTHS = (2, 3, 4)  # of D's convolutions, in tokens
SAMPLES = 5000  # of G, for its report


class Uniform:
    """The latent distribution: (n, length) float32, uniform in [0, 1)."""

    def __init__(self, length: int):
        self.length = length

    def __call__(self, n, generator) -> np.ndarray:
        """n draws."""
        return generator.random((n, self.length), dtype=np.float32)


class LanguageModel(Module):
    """log p(y) = sum_t log p(y_t | y_1 ... y_{t-1}): embedding, LSTM, a linear layer to the tokens.

    The first input is a start token with the number `vocabulary`, which G never writes.
    """

    def __init__(self, vocabulary: int, hidden: int):
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = Embedding(vocabulary + 1, hidden)
        self.lstm = LSTM(hidden, hidden)
        self.out = Linear(hidden, vocabulary)

    def forward(self, tokens):
        """log p of each token, given the tokens before it.   tokens (n, T) integers -> (n, T)."""
        tokens = tokens.data
        before = xp(tokens).concatenate([self._start(tokens), tokens[:, :-1]], axis=1)
        states, _ = self.lstm(self.embedding(before.T))
        log_p = log_softmax(swapaxes(self.out(states), 0, 1), axis=-1)
        return take_along_axis(log_p, tokens[:, :, None], axis=-1)[:, :, 0]

    def read(self, tokens, state=None):
        """Read one more token of each of n sequences: log p of the next token (n, vocabulary), and the new state."""
        states, state = self.lstm(self.embedding(tokens[None]), state)
        return log_softmax(self.out(states[0]), axis=-1), state

    def sample(self, z, temperature=1.0):
        """Sequences for uniform numbers z (n, T): integers (n, T), a constant.

        z_t picks the first token whose cumulative probability is above z_t.   temperature: the logits are divided by it; a
        temperature below 1 makes probable tokens more probable."""
        with no_grad():
            z, state = z.data, None
            token = self._start(z)[:, 0]
            tokens = xp(z).empty(z.shape, np.int64)
            for t in range(z.shape[1]):
                log_p, state = self.read(token, state)
                tokens[:, t] = token = pick(log_p / temperature, z[:, t])
            return Tensor(tokens)

    def complete(self, tokens, z):
        """Let G complete every beginning of the sequences, `rollouts` times.   The result is a constant.

        tokens (n, T), z (T - 1, rollouts, n, T) uniform -> (T - 1, rollouts, n, T) integers; entry [k - 1] keeps the first
        k tokens.  All beginnings go through the LSTM together; the one with k tokens joins after the k-th token was read.
        """
        with no_grad():
            tokens, z = tokens.data, z.data
            _, rollouts, n, length = z.shape
            m = xp(tokens)
            done = m.broadcast_to(tokens, z.shape).copy()
            _, (h, c) = self.read(self._start(tokens)[:, 0])
            h, c = m.tile(h.data, (1, rollouts, 1)), m.tile(c.data, (1, rollouts, 1))
            for t in range(1, length):  # the last block of h and c has read only the sequences' own tokens
                log_p, (h, c) = self.read(done[:t, :, :, t - 1].reshape(-1), (Tensor(h), Tensor(c)))
                done[:t, :, :, t] = pick(log_p, z[:t, :, :, t].reshape(-1)).reshape(t, rollouts, n)
                h, c = (m.concatenate([s.data, s.data[:, -rollouts * n :]], axis=1) for s in (h, c))
            return Tensor(done)

    def _start(self, like):
        return xp(like).full((len(like), 1), self.vocabulary)


def pick(log_p, u):
    """The first token whose cumulative probability is above u.   log_p (n, vocabulary), u (n,) in [0, 1) -> integers (n,)."""
    m, p = xp(u), softmax(log_p, axis=-1).data
    return m.minimum((p.cumsum(axis=1) <= u[:, None]).sum(axis=1), p.shape[1] - 1)  # rounding: the last sum may be below u


class TextCNN(Module):
    """A logit for every sequence: convolutions of several widths over the embedded tokens, ReLU, the maximum over time.

    tokens (n, T) integers -> (n, 1).   Kim 2014.
    """

    def __init__(self, vocabulary: int, channels: int):
        super().__init__()
        self.embedding = Embedding(vocabulary, channels)
        self.convolutions = ModuleList([Conv1d(channels, channels, width) for width in WIDTHS])
        self.out = Linear(channels * len(WIDTHS), 1)

    def forward(self, tokens):
        """The logits."""
        x = swapaxes(self.embedding(tokens), 1, 2)  # (n, channels, T)
        return self.out(concatenate([relu(max(convolution(x), axis=2)) for convolution in self.convolutions], axis=1))


class Turn(AdversarialStep):
    """A turn whose samples are sequences: integers (n, T).  They are constants, since choosing a token has no gradient."""

    @cached_property
    def fake(self):
        """Sequences from G."""
        return self.game.nets["G"].sample(self.z)


def values(step, reward, rollouts):
    """Q_t (n, T), a constant: the mean reward of `rollouts` completions of y_1 ... y_t, where y is step.fake.  Q_T is the
    reward of the whole sequence.   reward: a function of D's logits."""
    n, length = step.fake.shape
    z = step.draw("rollouts", lambda generator: generator.random((length - 1, rollouts, n, length), dtype=np.float32))
    with no_grad():
        done = step.game.nets["G"].complete(step.fake, z)
        begun = reward(step.score(done.reshape(-1, length))).reshape(length - 1, rollouts, n)
        whole = reward(step.score(step.fake)).reshape(1, n)
        return concatenate([mean(begun, axis=1), whole]).transpose()


def policy(log_p, values, baseline=True):
    """-E sum_t log p(y_t | ...) (Q_t - b_t), whose gradient is minus that of the expected reward (REINFORCE, Williams 1992).

    log_p (n, T) of sequences drawn from G; values Q (n, T), constants -> a scalar.   b_t: the mean of Q_t over the batch.
    """
    if baseline:
        values = values - mean(values, axis=0, keepdims=True)
    return -mean(sum(log_p * values, axis=1))


REWARDS = {"discriminator": sigmoid, "constant": lambda logits: 0 * logits + 1}


def report(game, dataset, generator):
    """The quality of 5,000 sequences drawn from G, in nats per token.

    nll-oracle  -(1/T) log p(y) of G's sequences under the oracle: it falls if G gets better, but also if G collapses
    nll-test    -(1/T) log p(y) of the test sequences under G: it rises if G no longer writes some of them
    kl-oracle   KL(G || oracle) / T, estimated from G's sequences: 0 only if G equals the oracle
    distinct    the share of different sequences among G's
    nll-cool    nll-oracle at temperature 0.8: it is lower without any learning, because G writes probable tokens more often
    entropy     the oracle's entropy: a perfect G has this value of both nlls
    collapsed   1 if nll-oracle is below the entropy: G writes only the most probable sequences
    """
    G, z = game.nets["G"], game.latent(SAMPLES, generator)
    own, cool = game.sample(z), G.sample(Tensor(to_device(z, game.device)), temperature=0.8).to("cpu").numpy()
    with no_grad():
        found = {
            "nll-test": -float(mean(G(Tensor(to_device(dataset[:].x, game.device))))),
            "distinct": len(np.unique(own, axis=0)) / len(own),
        }
        own_nll = -float(mean(G(Tensor(to_device(own, game.device)))))
    if dataset.oracle is not None:
        nll, entropy = float(dataset.oracle.nll(own).mean()), dataset.oracle.entropy[0]
        found |= {
            "nll-oracle": nll,
            "kl-oracle": nll - own_nll,
            "entropy": entropy,
            "collapsed": float(nll < entropy),
            "nll-cool": float(dataset.oracle.nll(cool).mean()),
        }
    return found


ORACLE = Metric(
    "oracle",
    [
        Number("nll-test", "lower", "-ln p of unseen sequences under the generator", "nats per token"),
        Number("distinct", "higher", "share of different sequences among the samples"),
        Number("nll-oracle", "lower", "-ln p of the samples under the oracle; below its entropy: collapse", "nats per token"),
        Number("kl-oracle", "lower", "KL(generator || oracle)", "nats per token"),
        Number("entropy", "", "the oracle's entropy; a perfect generator has this value of both nlls", "nats per token"),
        Number("collapsed", "lower", "1 if nll-oracle is below the entropy"),
        Number("nll-cool", "", "nll-oracle of samples at temperature 0.8: lower without any learning", "nats per token"),
    ],
    report,
    Needs("sequences of tokens", "it writes no tokens", lambda data: isinstance(data.kinds["x"], Tokens)),
    summary="the quality of the generator's sequences",
)


@system(
    "seqgan",
    data="oracle",
    learns=[Tokens],
    paper=Paper("Yu et al. 2017", arxiv="1609.05473", where="algorithm 1"),
    settings=[
        Setting("steps", 8000),
        Setting("batch_size", 64, paper=64, where="section 5.1"),
        Setting("mle_steps", 4000, "first stage: steps in which G learns by maximum likelihood"),
        Setting("d_pretrain", 500, "second stage: steps in which D learns alone"),
        Setting("d_steps", 1, "turns of D, one batch each, for each turn of G"),
        Setting("rollouts", 4, "completions of every beginning; their mean reward is its value"),
        Setting(
            "reward",
            "discriminator",
            "discriminator: D's probability of real; constant: always 1, the control",
            choices=REWARDS,
        ),
        Setting("baseline", True, "subtract the batch's mean value at each position"),
        Setting("hidden", 32, "units of G's LSTM", most=10_000, paper=32, where="section 4.2"),
        Setting("channels", 64, "channels of each of D's convolutions", most=1024),
        Setting("lr_mle", 1e-2, "G's learning rate in maximum likelihood", paper=1e-2, where="the authors' code"),
        Setting("lr_d", 3e-3, "learning rate of D", paper=1e-4, where="the authors' code"),
        Setting("lr_g", 3e-4, "G's learning rate in the game", paper=1e-2, where="the authors' code"),
    ],
    metrics=[ORACLE],
    tiny={"batch_size": 4, "mle_steps": 2, "d_pretrain": 1, "rollouts": 1, "hidden": 8, "channels": 4},
    claims=[
        Claim(
            "seqgan",
            "SeqGAN brings the oracle's NLL below its start, 4,000 steps of maximum likelihood, below the "
            "constant-reward control, and below maximum likelihood for as long; the start at temperature 0.8 "
            "(nll-cool) is lower without learning anything",
            ["nll-oracle", "kl-oracle", "nll-test", "distinct", "nll-cool", "entropy"],
            {
                "seqgan": Arm("seqgan", "oracle"),
                "its start": Arm("seqgan", "oracle", {"steps": 4000}),
                "constant reward": Arm("seqgan", "oracle", {"reward": "constant", "baseline": False}),
                "maximum likelihood, equal time": Arm("seqgan", "oracle", {"mle_steps": 10**6, "steps": 10**6}, like="seqgan"),
            },
            [
                Check("seqgan", "nll-oracle", "below", of="its start"),
                Check("seqgan", "nll-oracle", "below", of="constant reward"),
                Check("seqgan", "nll-oracle", "below", of="maximum likelihood, equal time"),
                Check("seqgan", "seconds", "at most", 300),
            ],
        )
    ],
)
def build(settings, data):
    """The three stages for sequences of this length."""
    if data.x.length < WIDTHS[-1]:
        raise ConfigError(
            f"seqgan needs sequences of at least {WIDTHS[-1]} tokens, since D's widest convolution spans that "
            f"many, but {data.name} holds {data.x}; use longer sequences"
        )
    vocabulary, reward = data.x.vocabulary, REWARDS[settings.reward]
    G, D = LanguageModel(vocabulary, settings.hidden), TextCNN(vocabulary, settings.channels)
    latent, nets = Uniform(data.x.length), {"G": G, "D": D}
    options = {"latent": latent, "sample": G.sample, "step": Turn}
    imitator = Player("G", [G], partial(Adam, lr=settings.lr_mle))
    judge = Player("D", [D], partial(Adam, lr=settings.lr_d), settings.d_steps)
    writer = Player("G", [G], partial(Adam, lr=settings.lr_g))
    likelihood = Term("likelihood", "G", lambda step: -mean(G(step.x)), says="-E ln p(token | the tokens before it)")
    verdict = adversarial_terms("non-saturating", g_weight=0)
    rewarded = Term(
        "policy",
        "G",
        lambda step: policy(G(step.fake), values(step, reward, settings.rollouts), settings.baseline),
        says="-E (value - baseline) ln p(token | the tokens before it)",
    )
    return Stages(
        [
            (settings.mle_steps, Game(nets, [imitator], [likelihood], **options)),
            (settings.d_pretrain, Game(nets, [judge], verdict, **options)),
            (0, Game(nets, [judge, writer], [*verdict, rewarded], **options)),
        ]
    )
