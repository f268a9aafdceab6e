"""SeqGAN: a generator of tokens learns from D's verdicts by policy gradient, because no gradient passes a choice.

Yu et al. 2017.  G is an LSTM language model, D a text CNN (Kim 2014).  Three stages: G by maximum likelihood, D alone, then
both in turn.  G's loss is  -E sum_t log p(y_t | y_1 ... y_{t-1}) (Q_t - b_t):  Q_t is D's mean probability of "real" over
`rollouts` completions of y_1 ... y_t drawn from G (equation 4), b_t the mean of Q_t over the batch.
Against the paper: 30 tokens and length 10 (data/oracle.py), the baseline b_t (theirs has none), rollouts from G itself, not
from a slower copy, no highway layer and no dropout in D; rates, batch and numbers of steps are ours.
Latent draws are uniform numbers (n, T), one for each token: G's samples are a function of them.

reward="constant" with baseline=false is the control: every token G happens to write is made likelier, whatever D says, and
NLL by the oracle may fall while the variety goes.  With the baseline a constant reward does nothing.
After mle_steps of maximum likelihood more at this rate gains nothing, and D must be quick and wide to have something to say.
Seen with seed 0, from a start of 300 such steps, as NLL by the oracle, 2.85: 2.76 with D's rate 1e-3 and 32 channels, 2.70 with
rate 3e-3, 2.66 with 64 channels too; from a start of 4,000, 2.59: 2.49 with both.  Maximum likelihood alone reaches 2.52 if
its rate falls to 1/100 over 40,000 steps.
"""

from functools import cached_property, partial

import numpy as np

from minigan.backend import to_device, xp
from minigan.data.oracle import VOCABULARY
from minigan.errors import ConfigError, choose
from minigan.grad_mode import no_grad
from minigan.nn import LSTM, Conv1d, Embedding, Linear, Module, ModuleList
from minigan.ops import concatenate, log_softmax, max, mean, relu, sigmoid, softmax, sum, swapaxes, take_along_axis
from minigan.optim import Adam
from minigan.systems.registry import recipe
from minigan.tensor import Tensor
from minigan.train.game import Game, Player, Stages, Step, Term, adversarial

WIDTHS = (2, 3, 4)  # of D's convolutions, in tokens
SAMPLES = 5000      # of G, for its report


class Uniform:
    """The latent distribution: (n, length) float32, uniform in [0, 1)."""

    def __init__(self, length: int):
        self.length = length

    def __call__(self, n, generator) -> np.ndarray:
        """n draws."""
        return generator.random((n, self.length), dtype=np.float32)


class LanguageModel(Module):
    """log p(y) = sum_t log p(y_t | y_1 ... y_{t-1}): embedding, LSTM, a linear layer to the tokens.

    The first input is a start token, number `vocabulary`, which is never written.
    """

    def __init__(self, vocabulary: int, hidden: int):
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = Embedding(vocabulary + 1, hidden)
        self.lstm = LSTM(hidden, hidden)
        self.out = Linear(hidden, vocabulary)

    def forward(self, tokens):
        """log p of every token given those before it.   tokens (n, T) integers -> (n, T)."""
        tokens = tokens.data
        before = xp(tokens).concatenate([self._start(tokens), tokens[:, :-1]], axis=1)
        states, _ = self.lstm(self.embedding(before.T))
        log_p = log_softmax(swapaxes(self.out(states), 0, 1), axis=-1)
        return take_along_axis(log_p, tokens[:, :, None], axis=-1)[:, :, 0]

    def read(self, tokens, state=None):
        """log p of the next token (n, vocabulary), and the state after reading one more token of each of n sequences."""
        states, state = self.lstm(self.embedding(tokens[None]), state)
        return log_softmax(self.out(states[0]), axis=-1), state

    def sample(self, z, temperature=1.0):
        """Sequences for uniform numbers z (n, T): integers (n, T), a constant.

        z_t picks the first token whose cumulative probability is above it.   temperature: what the logits are divided by; below
        1 the likely becomes likelier."""
        with no_grad():
            z, state = z.data, None
            token = self._start(z)[:, 0]
            tokens = xp(z).empty(z.shape, np.int64)
            for t in range(z.shape[1]):
                log_p, state = self.read(token, state)
                tokens[:, t] = token = pick(log_p / temperature, z[:, t])
            return Tensor(tokens)

    def complete(self, tokens, z):
        """Every proper beginning of the sequences, completed `rollouts` times by what G would write.   A constant.

        tokens (n, T), z (T - 1, rollouts, n, T) uniform -> (T - 1, rollouts, n, T) integers; entry [k - 1] keeps the first
        k tokens.  All beginnings go through the LSTM together: one that has k tokens joins after reading the k-th.
        """
        with no_grad():
            tokens, z = tokens.data, z.data
            _, rollouts, n, length = z.shape
            m = xp(tokens)
            done = m.broadcast_to(tokens, z.shape).copy()
            _, (h, c) = self.read(self._start(tokens)[:, 0])
            h, c = m.tile(h.data, (1, rollouts, 1)), m.tile(c.data, (1, rollouts, 1))
            for t in range(1, length):  # the state of the longest beginning is that of the sequence itself
                log_p, (h, c) = self.read(done[:t, :, :, t - 1].reshape(-1), (Tensor(h), Tensor(c)))
                done[:t, :, :, t] = pick(log_p, z[:t, :, :, t].reshape(-1)).reshape(t, rollouts, n)
                h, c = (m.concatenate([s.data, s.data[:, -rollouts * n:]], axis=1) for s in (h, c))
            return Tensor(done)

    def _start(self, like):
        return xp(like).full((len(like), 1), self.vocabulary)


def pick(log_p, u):
    """The first token whose cumulative probability is above u.   log_p (n, vocabulary), u (n,) in [0, 1) -> integers (n,)."""
    m, p = xp(u), softmax(log_p, axis=-1).data
    return m.minimum((p.cumsum(axis=1) <= u[:, None]).sum(axis=1), p.shape[1] - 1)  # rounding may leave the last sum under u


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


class Turn(Step):
    """A turn whose samples are sequences: integers (n, T), constants, for no gradient passes the choice of a token."""

    @cached_property
    def fake(self):
        """Sequences from G."""
        return self.game.nets["G"].sample(self.z)


def values(step, reward, rollouts):
    """Q_t (n, T), a constant: the mean reward of step.fake's beginnings y_1 ... y_t, completed `rollouts` times; Q_T is the
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

    log_p (n, T) of sequences drawn from G; values (n, T), constants; b_t their mean over the batch -> a scalar.
    """
    if baseline:
        values = values - mean(values, axis=0, keepdims=True)
    return -mean(sum(log_p * values, axis=1))


REWARDS = {"discriminator": sigmoid, "constant": lambda logits: 0 * logits + 1}


def report(game, dataset, generator):
    """What G's sequences are worth, in nats per token, beside `entropy` of the oracle, which a perfect G reaches in both nlls.

    nll-oracle  -(1/T) log p(y) under the oracle, of 5,000 sequences of G's: falls when G is right, and when it collapses
    nll-test    the same under G, of the test sequences: rises when G has lost any of them
    kl-oracle   KL(G || oracle) / T, from the former sequences: 0 only if G is right
    distinct    the share of different sequences among them
    nll-cool    nll-oracle at temperature 0.8: how far it falls without any learning, only by writing the likely more often
    collapsed   1 if nll-oracle is below the entropy: G writes only what is likeliest
    """
    G, z = game.nets["G"], game.latent(SAMPLES, generator)
    own, cool = game.sample(z), G.sample(Tensor(to_device(z, game.device)), temperature=0.8).to("cpu").numpy()
    with no_grad():
        found = {"nll-test": -float(mean(G(Tensor(to_device(dataset[:].x, game.device))))),
                 "distinct": len(np.unique(own, axis=0)) / len(own)}
        own_nll = -float(mean(G(Tensor(to_device(own, game.device)))))
    if dataset.oracle is not None:
        nll, entropy = float(dataset.oracle.nll(own).mean()), dataset.oracle.entropy[0]
        found |= {"nll-oracle": nll, "kl-oracle": nll - own_nll, "entropy": entropy, "collapsed": float(nll < entropy),
                  "nll-cool": float(dataset.oracle.nll(cool).mean())}
    return found


@recipe("seqgan", data="oracle", steps=8000, batch_size=64, mle_steps=4000, d_pretrain=500, d_steps=1, rollouts=4,
        reward="discriminator", baseline=True, hidden=32, channels=64, lr_mle=1e-2, lr_d=3e-3, lr_g=3e-4)
def build(settings, sample_shape):
    """The three stages for sequences of this length."""
    if len(sample_shape) != 1 or sample_shape[0] < WIDTHS[-1]:
        raise ConfigError(f"seqgan writes sequences of at least {WIDTHS[-1]} tokens, got samples of shape "
                          f"{tuple(sample_shape)}; use --data oracle")
    reward = choose("reward", settings.reward, REWARDS)
    G, D = LanguageModel(VOCABULARY, settings.hidden), TextCNN(VOCABULARY, settings.channels)
    latent, nets = Uniform(sample_shape[0]), {"G": G, "D": D}
    options = {"latent": latent, "sample": G.sample, "step": Turn, "metrics": {"oracle": report}}
    imitator = Player("G", [G], partial(Adam, lr=settings.lr_mle))
    judge = Player("D", [D], partial(Adam, lr=settings.lr_d), settings.d_steps)
    writer = Player("G", [G], partial(Adam, lr=settings.lr_g))
    likelihood = Term("likelihood", "G", lambda step: -mean(G(step.x)))
    verdict = adversarial("non-saturating", g_weight=0)
    rewarded = Term("policy", "G", lambda step: policy(G(step.fake), values(step, reward, settings.rollouts),
                                                       settings.baseline))
    return Stages([(settings.mle_steps, Game(nets, [imitator], [likelihood], **options)),
                   (settings.d_pretrain, Game(nets, [judge], verdict, **options)),
                   (0, Game(nets, [judge, writer], [*verdict, rewarded], **options))])
