# %% [markdown] id="promise"
# # 18. The zoo of objectives: what each loss pays, and whether it matters
#
# There are dozens of losses for GANs. At the end of this lesson you can read any of them: two slopes tell what a player
# feels, the best D tells what is measured, and a fair trial tells whether it matters. The trial has a result that you may not
# expect.
#
# It takes about 25 seconds (`--fast`: about 4). You need lessons 13, 14 and 17. Answer the question first, then run the cell.
#
# Sources: Goodfellow et al. 2014, equation 1 and section 3. Mao et al. 2017 (least squares), equation 9. Lim and Ye 2017, and
# Miyato et al. 2018, equations 16 and 17 (hinge). Jolicoeur-Martineau 2019 (relativistic average GAN), equations 7 and 8.
# Nowozin, Cseke and Tomioka 2016 (why each loss measures a divergence). Lucic et al. 2018, "Are GANs created equal?" (that a
# fair trial needs many seeds). The Wasserstein loss needs a D of bounded slope, and waits for lesson 19.

# %% id="setup"
import itertools
import math

import numpy as np

import minigan as mg
from minigan import nn
from minigan.data import load
from minigan.lesson import Lesson
from minigan.metrics.modes import mode_report
from minigan.train.objectives import OBJECTIVES

lesson = Lesson("18_objectives")
claim, figure = lesson.claim, lesson.figure
STEPS, SEEDS = (30, 1) if lesson.fast else (800, 4)
ZOO = ["minimax", "non-saturating", "least-squares", "hinge", "relativistic"]
COLOURS = dict(zip(ZOO, ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "0.4")))

# %% [markdown] id="slopes"
# ## Two slopes
#
# Let $a$ be D's answers on real samples and $b$ those on generated ones. (They are logits for the first two losses. For the
# others they are plain scores: no sigmoid is meant.) Minimax is another name for the saturating loss of lesson 2.
#
# | name | D pays | G pays |
# | --- | --- | --- |
# | minimax | $\mathbb{E}\,\mathrm{softplus}(-a) + \mathbb{E}\,\mathrm{softplus}(b)$ | $-\mathbb{E}\,\mathrm{softplus}(b)$ |
# | non-saturating | the same | $\mathbb{E}\,\mathrm{softplus}(-b)$ |
# | least squares | $\frac12 \mathbb{E}(a - 1)^2 + \frac12 \mathbb{E}\,b^2$ | $\frac12 \mathbb{E}(b - 1)^2$ |
# | hinge | $\mathbb{E}\max(0, 1 - a) + \mathbb{E}\max(0, 1 + b)$ | $-\mathbb{E}\,b$ |
#
# A net feels nothing but the slopes. G feels the slope of its loss by $b$.
#
# **Predict:** which of the four pulls a sample *back* that D finds too good ($b = 3$)? Which pulls with the same force
# everywhere?


# %% id="slopes-code"
b = mg.tensor(np.linspace(-6, 6, 121), requires_grad=True)


def slope_of_G(name):
    """The slope of G's loss by each b (121,), for a loss that is a mean of 121."""
    return (mg.grad(OBJECTIVES[name].g(None, b), [b])[0] * 121).numpy()


sigmoid = lambda t: 1 / (1 + np.exp(-t))
t = np.linspace(-6, 6, 121)
claim(slope_of_G("minimax"), -sigmoid(t), atol=1e-12, says="minimax: -sigma(b)")
claim(slope_of_G("non-saturating"), -sigmoid(-t), atol=1e-12, says="non-saturating: -(1 - sigma(b))")
claim(slope_of_G("least-squares"), t - 1, atol=1e-12, says="least squares: b - 1, which changes its sign at 1")
claim(slope_of_G("hinge"), -np.ones(121), atol=1e-12, says="hinge: -1 everywhere")
of_D = mg.grad(OBJECTIVES["hinge"].d(b, b), [b])[0].numpy() * 121
claim(of_D[[0, 60, 120]], [-1, 0, 1], atol=1e-12, says="D's hinge, real and generated at the same place: slopes at -6, 0 and 6")

# %% id="slopes-draw"
with figure("slopes", width=6.5, height=3.6) as fig:
    axes = fig.add_subplot()
    for name, line in zip(ZOO[:4], ("-", "--", "-.", ":")):
        axes.plot(t, slope_of_G(name), line, color=COLOURS[name], label=name, linewidth=2)
    axes.axhline(0, color="0.7", linewidth=1)
    axes.set(xlabel="$b$, what D says of a generated sample", ylabel="slope of G's loss", ylim=(-4, 2))
    axes.legend(frameon=False)

# %% [markdown] id="best"
# ## The best D
#
# As in lesson 13: real numbers from $N(0, 1)$ with density $p$, generated ones from $N(2, 1)$ with density $q$. What D pays
# is a sum over places $x$. At each place, D chooses the score $a$ that makes $p\,d_1(a) + q\,d_2(a)$ smallest, where $d_1$ is
# what it pays for a real sample there, $d_2$ for a generated one. We search for it among 2,001 scores.
#
# **Predict:** for cross-entropy it is $\log(p/q)$. For least squares set the slope $p(a - 1) + q a$ to 0. And for the hinge:
# the sum is made of straight pieces, so the minimum is at a corner. At which two scores are the corners?


# %% id="best-code"
x = np.linspace(-3, 5, 161)
scores = np.linspace(-10, 10, 2001)
bell = lambda m: np.exp(-((x - m) ** 2) / 2) / math.sqrt(2 * math.pi)
p, q = bell(0), bell(2)
pays_real = {
    "non-saturating": np.logaddexp(0, -scores),
    "least-squares": (scores - 1) ** 2 / 2,
    "hinge": np.maximum(0, 1 - scores),
}
pays_fake = {"non-saturating": np.logaddexp(0, scores), "least-squares": scores**2 / 2, "hinge": np.maximum(0, 1 + scores)}


def best(name, p, q):
    """(the best score, what it pays) at each place with densities p and q."""
    total = p[:, None] * pays_real[name] + q[:, None] * pays_fake[name]
    return scores[total.argmin(axis=1)], total.min(axis=1)


apart = np.abs(p - q) > 1e-9  # where p = q, every score between the corners of the hinge pays the same
claim(best("non-saturating", p, q)[0], np.log(p / q), atol=0.006, says="cross-entropy: log(p / q)")
claim(
    best("least-squares", p, q)[0], p / (p + q), atol=0.006, says="least squares: p / (p + q), a probability without a sigmoid"
)
claim(best("hinge", p, q)[0][apart], np.sign(p - q)[apart], atol=0.006, says="hinge: only the sign of p - q")

# %% id="best-draw"
with figure("best", width=6.5, height=3.6) as fig:
    axes = fig.add_subplot()
    axes.fill_between(x, 4 * p, color="0.85", label="$p$ (4 times)")
    axes.fill_between(x, 4 * q, color="#F0E442", alpha=0.4, label="$q$ (4 times)")
    for name, line in zip(pays_real, ("--", "-.", ":")):
        axes.plot(x, best(name, p, q)[0], line, color=COLOURS[name], label=name, linewidth=2)
    axes.set(xlabel="$x$", ylabel="best score", ylim=(-4, 4))
    axes.legend(frameon=False, fontsize=9)

# %% [markdown] id="measures"
# ## What the best D pays is an overlap
#
# Put the best score in: D pays
#
# * cross-entropy: $2 \ln 2 - 2\,\mathrm{JS}(p, q)$ (lesson 13),
# * least squares: $\frac12 \int \frac{p\,q}{p + q}$,
# * hinge: $2 \int \min(p, q)$.
#
# All three measure how much $p$ and $q$ overlap. (Nowozin et al. 2016 show the same for a whole family.)
#
# **Predict:** the three values if $p = q$, and if the two do not overlap at all.


# %% id="measures-code"
def integral(name, m):
    """What the best D pays if G's bell is at m."""
    wide = np.linspace(-8, m + 8, 801)
    p, q = (np.exp(-((wide - centre) ** 2) / 2) / math.sqrt(2 * math.pi) for centre in (0, m))
    return best(name, p, q)[1].sum() * (wide[1] - wide[0]), p, q, wide[1] - wide[0]


equal, near, far = ([integral(name, m)[0] for name in pays_real] for m in (0, 2, 12))
_, p2, q2, step = integral("hinge", 2)
claim(equal, [2 * math.log(2), 0.25, 2], atol=1e-3, says="equal bells: cross-entropy, least squares, hinge")
claim(far, [0, 0, 0], atol=1e-3, says="no overlap")
claim(near[1], 0.5 * (p2 * q2 / (p2 + q2)).sum() * step, atol=1e-4, says="m = 2, least squares")
claim(near[2], 2 * np.minimum(p2, q2).sum() * step, atol=1e-9, says="m = 2, hinge")

# %% [markdown] id="pull"
# ## What G feels from the best D
#
# An overlap is a plateau for everybody who is far away. Lesson 14 showed this for minimax, and that the non-saturating loss
# escapes. Do the newer losses escape too? G's bell is at $m$. With the best D fixed, the slope of G's loss by $m$ is the mean
# of $g'(b)\cdot D^{*\prime}(x)$ over generated $x$.
#
# **Predict:** at $m = 6$, order minimax, non-saturating, least squares and hinge by the size of the slope.

# %% id="pull-code"
z = np.linspace(-9, 9, 3601)
weight = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])


def pull(m):
    """Slope of G's loss by m against the best D, for the first four of the zoo."""
    logit = m**2 / 2 - m * (m + z)  # log(p / q) at generated numbers; its slope in x is -m
    share = sigmoid(logit)  # p / (p + q); its slope in x is -m share (1 - share)
    return [
        (weight * -share * -m).sum(),
        (weight * -(1 - share) * -m).sum(),
        (weight * (share - 1) * -m * share * (1 - share)).sum(),
        0.0,  # the best hinge D is a step: flat on both sides
    ]


claim(pull(6), [0.0125, 5.99, 0.0045, 0], atol=3e-3, says="m = 6: minimax, non-saturating, least squares, hinge")
claim(pull(10)[1], 10, atol=0.01, says="m = 10, non-saturating")
claim(max(pull(10)[0], pull(10)[2]) < 1e-5, True, says="m = 10, minimax and least squares: below 1e-5")

# %% [markdown] id="pull-why"
# So with the best D, least squares saturates just like minimax, and the hinge gives nothing at all. In practice both work,
# because the D of a program is not the best one: it is smooth, and a few steps behind. The theory of the losses is about a D
# that nobody has. (One can also bound D's slope; this is the idea of lesson 19.)
#
# ## Relativistic: only differences count
#
# Jolicoeur-Martineau 2019 asks D another question: is this real sample more real than the *average* generated one?
#
# $$L_D = \mathbb{E}\,\mathrm{softplus}(-(a - \mathbb{E} b)) + \mathbb{E}\,\mathrm{softplus}(b - \mathbb{E} a),$$
#
# and $L_G$ is the same with $a$ and $b$ exchanged. So G's loss contains the real samples too: G also learns to make *real
# ones look less real*.
#
# **Predict:** add 5 to all scores, real and generated. What changes in this loss, and what in the non-saturating one?

# %% id="relativistic-code"
rng = np.random.default_rng(0)
a, b = (mg.tensor(rng.standard_normal(8) + shift, requires_grad=True) for shift in (1, -1))
relativistic, plain = OBJECTIVES["relativistic"], OBJECTIVES["non-saturating"]
claim(relativistic.d(a + 5, b + 5), relativistic.d(a, b), atol=1e-12, says="relativistic: the same after + 5")
claim(plain.d(a + 5, b + 5) > plain.d(a, b) + 2, True, says="non-saturating: D pays much more")
claim(relativistic.d(0 * a, 0 * b), 2 * math.log(2), atol=1e-12, says="an undecided D pays 2 ln 2 here too")
by_a, by_b = mg.grad(relativistic.g(a, b), [a, b])
claim(
    [mg.sum(by_a) > 0, mg.sum(by_b) < 0],
    [True, True],
    says="G's loss wants lower scores of real samples, higher ones of its own",
)
claim(mg.sum(by_a) + mg.sum(by_b), 0, atol=1e-12, says="and the slopes sum to 0")

# %% [markdown] id="trial"
# ## A fair trial
#
# Same nets, same start, same points, same optimizer, same number of steps; only the loss differs. Four seeds for each loss.
# We look at the reverse KL (lesson 17): 0 if all eight modes are equally frequent, $\ln 8 = 2.08$ if all points are at one
# mode.
#
# **Predict:** put the five losses in an order. Which one will be the worst of all? And which differs more: the losses, or the
# seeds of one loss?


# %% id="trial-code"
ring = load("ring8")
Z = mg.tensor(np.random.default_rng(99).standard_normal((2500, 2), dtype=np.float32))


def mlp(activation, *sizes):
    """Linear layers of these sizes with an activation between them."""
    layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers[:-1])


def trial(name, seed, activation=nn.ReLU):
    """The reverse KL and the share of good points after STEPS steps with this loss."""
    loss, rng = OBJECTIVES[name], np.random.default_rng(seed)
    mg.seed(seed)
    G, D = mlp(activation, 2, 64, 64, 2), mlp(activation, 2, 64, 64, 1)
    adam_G, adam_D = (mg.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (G, D))
    noise = lambda: mg.tensor(rng.standard_normal((128, 2), dtype=np.float32))
    for _ in range(STEPS):
        x, fake = mg.tensor(ring.sample(128, rng).x), G(noise()).detach()
        adam_D.step(mg.grad(loss.d(D(x), D(fake)), D.parameters()))
        adam_G.step(mg.grad(loss.g(D(x), D(G(noise()))), G.parameters()))
    with mg.no_grad():
        report = mode_report(G(Z).numpy(), ring.centres, ring.std)
    return report.reverse_kl, report.high_quality


# %% id="trial-run"
results = {name: np.array([trial(name, seed) for seed in range(SEEDS)]) for name in ZOO}
for name, table in results.items():
    print(f"  {name:15s} reverse KL {table[:, 0].round(2)}   good points {table[:, 1].round(2)}")
worst = {name: table[:, 0].max() for name, table in results.items()}
spread = np.ptp(results["non-saturating"][:, 0])
claim(worst["minimax"] < 0.3, True, full=True, says=f"minimax, worst of four seeds: {worst['minimax']:.2f}, no mode lost")
claim(worst["least-squares"] < 0.3, True, full=True, says=f"least squares, worst of four: {worst['least-squares']:.2f}")
claim(spread > 0.5, True, full=True, says=f"non-saturating, between its best and its worst seed: {spread:.2f}")
claim(worst["relativistic"] > 0.5, True, full=True, says=f"relativistic, worst of four: {worst['relativistic']:.2f}")
smooth = [trial("relativistic", seed, nn.Tanh)[0] for seed in range(SEEDS)]
claim(max(smooth) < 0.3, True, full=True, says=f"the same loss with tanh in both nets, worst of four: {max(smooth):.2f}")

# %% id="trial-draw"
with figure("trial", width=7.5, height=3.4) as fig:
    axes = fig.add_subplot()
    rows = {**{name: table[:, 0] for name, table in results.items()}, "relativistic, tanh": smooth}
    for row, (name, values) in enumerate(rows.items()):
        shift = np.linspace(-0.25, 0.25, len(values))  # so that equal values do not hide each other
        axes.plot(values, row + shift, "o", color=COLOURS.get(name, "black"), markersize=7)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.axvline(math.log(8), color="0.6", linestyle="--", linewidth=1)
    axes.text(math.log(8) - 0.03, 0, "one mode", ha="right", va="center", fontsize=9)
    axes.grid(axis="x", color="0.9")
    axes.set(xlabel="reverse KL in nats, a dot for each seed", xlim=(-0.1, 2.3))

# %% [markdown] id="trial-look"
# Were you right? The oldest loss, which most texts warn of, kept all modes with every seed. Of the modern ones, several lost
# modes with some seeds, and with other seeds not. And with tanh in the place of ReLU the worst loss of the table is as good
# as the best.
#
# What may one conclude?
#
# * Not that minimax is best. This is one data set, one pair of nets, 800 steps and four seeds. (After 800 steps few points are
#   *good* with any of the losses: see the printed table.)
# * That the seeds of one loss can differ more than two losses do. Who compares two losses with one run each has compared two
#   seeds. Lucic et al. 2018 made a large trial and found the same: with enough tuning most losses reach similar values.
# * That a loss is one of many choices, beside the nets, the optimizer, the ratio of the turns and the packs of lesson 17.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `trial`: `mg.optim.SGD(net.parameters(), lr=0.05)` in the place of Adam. Lesson 14 says that this is bad for minimax.
#    Is it?
# 2. In `best-code`: `np.maximum(0, -scores)` and `np.maximum(0, scores)` for the hinge: no margin of 1. What does the best D
#    pay?
# 3. In `trial`: `activation=nn.Tanh` in its first line. How does `trial.png` change?

# %% [markdown] id="exercise-1"
# ## Exercise 18.1
#
# Write the hinge losses of the table: D's and G's, for Tensors of scores. Use `mg.mean` and `mg.relu`.


# %% id="exercise-1-code"
def hinge(a, b):
    """(loss of D, loss of G) for D's scores a on real and b on generated samples."""
    return None


lesson.exercise("18.1", hinge)

# %% [markdown] id="exercise-2"
# ## Exercise 18.2
#
# Write the two relativistic losses, for Tensors of scores. Use `mg.mean` and `mg.softplus`.


# %% id="exercise-2-code"
def relativistic_losses(a, b):
    """(loss of D, loss of G): D compares each score with the mean score of the other side; G wants the opposite of D."""
    return None


lesson.exercise("18.2", relativistic_losses)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 18.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. Nothing bad: all modes are there with every seed. With this optimizer D learns slowly, so it is never sure, and minimax
#    has no plateau to sit on. Now least squares and the relativistic loss lose modes, with other seeds than before.
# 2. It pays 0, for equal bells and for far ones: it says 0 everywhere. Without a margin the loss measures nothing.
# 3. All dots move to the left: no loss loses a mode. The choice of the activation was worth more than that of the loss.
#
# </details>
#
# Predictions: least squares, and the hinge; the corners are at -1 and 1; for equal densities 1.386, 0.25 and 2, and 0 without
# overlap; non-saturating far in front, then minimax, least squares, and the hinge with 0; nothing changes in the relativistic
# loss, and the other rises; in the trial the relativistic loss is the worst, and the seeds of one loss can differ more than two
# losses do.
#
# ## What you have now
#
# * A way to read a loss: its slopes, its best D, what that D pays, what G feels from it.
# * The knowledge that the theory is about a best D, and practice about a D that is a few steps behind.
# * A fair trial, and a healthy distrust of single runs.
#
# Lesson 19 gives D a bounded slope. Then D's loss becomes a distance that has no plateau.

# %% id="end"
lesson.end()
