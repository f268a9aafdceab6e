# %% [markdown] id="promise"
# # 17. Mode collapse, and how to count it
#
# "My GAN collapses": how much, and compared with what? At the end of this lesson you can count what a generator leaves out in
# four ways, and you know how each of them can be fooled. You know why the game itself invites G to collapse, you have made it
# jump from mode to mode, and you have tried a remedy with several seeds, as one must.
#
# It takes about 20 seconds (`--fast`: about 3). You need lessons 2, 13 and 15. Answer the question first, then run the cell.
#
# Sources: Srivastava et al. 2017 (VEEGAN), section 4.1: captured modes, share of good samples. Lin, Khetan, Fanti and Oh 2018
# (PacGAN), sections 3 and 4.1: packing, reverse KL. Goodfellow 2016, "NIPS 2016 tutorial", section 5.1.1: the order of min
# and max. Arora and Zhang 2017, "Do GANs actually learn the distribution?": the birthday test. Lucic et al. 2018: why one run
# proves little. Nets, rates and numbers of steps are ours.

# %% id="setup"
import itertools
import math

import numpy as np

import minigan as mg
from minigan import nn
from minigan.data import load
from minigan.lesson import Lesson
from minigan.metrics.modes import mode_report

lesson = Lesson("17_mode_collapse")
claim, figure = lesson.claim, lesson.figure
STEPS = 40 if lesson.fast else 800

# %% [markdown] id="four"
# ## Four generators made by hand
#
# The real points are the ring of lesson 2: eight narrow Gaussians, the modes. We make three bad "generators" by hand:
#
# * *half*: perfect, but only on four of the eight modes.
# * *greedy*: perfect on all eight, but 96.5 percent of its points are on one of them, and 0.5 percent on each of the others.
# * *blurred*: all eight modes, ten times too wide.
# * And *real*: real points, for comparison.
#
# And four numbers. A point is *good* within three standard deviations of a centre. *Captured*: modes with at least one good
# point of 2,500. *Fair*: modes with at least a quarter of their fair number of good points. *Good*: the share of good points.
# *Reverse KL*: with $q_k$, the share of points whose nearest centre is $k$,
# $\mathrm{KL}(q, \text{uniform}) = \sum_k q_k \ln(8\,q_k)$.
#
# **Predict:** for each of the three bad ones: which of the four numbers shows the fault, and which do not?


# %% id="four-code"
ring = load("ring8")
rng = np.random.default_rng(0)


def points(shares, std=ring.std, n=2500):
    """n points of a generator that visits mode k with probability shares[k]."""
    return ring.centres[rng.choice(8, n, p=shares)] + std * rng.standard_normal((n, 2))


def report(samples):
    """(captured, fair, share of good points, reverse KL)."""
    found = mode_report(samples, ring.centres, ring.std)
    return found.captured, found.fair, found.high_quality, found.reverse_kl


by_hand = {
    "real": points([1 / 8] * 8),
    "half": points([1 / 4, 0] * 4),
    "greedy": points([0.965] + [0.005] * 7),
    "blurred": points([1 / 8] * 8, std=10 * ring.std),
}
captured, fair, good, reverse_kl = zip(*map(report, by_hand.values()))
claim(captured, [8, 4, 8, 8], says="captured: real, half, greedy, blurred")
claim(fair, [8, 4, 1, 0], says="fair modes")
claim(good, [0.989, 0.989, 0.989, 0.044], atol=0.01, says="share of good points")
claim(reverse_kl, [0, math.log(2), 1.86, 0], atol=0.03, says="reverse KL in nats")

# %% id="four-draw"
with figure("four", width=9.5, height=2.9) as fig:
    for axes, (name, samples) in zip(fig.subplots(1, 4), by_hand.items()):
        axes.plot(*samples.T, ".", markersize=2, color="#0072B2", alpha=0.4)
        axes.plot(*ring.centres.T, "o", markersize=12, markerfacecolor="none", markeredgecolor="0.4")
        numbers = report(samples)
        axes.set_title(
            f"{name}: {numbers[0]} captured, {numbers[1]} fair\n{numbers[2]:.0%} good, reverse KL {numbers[3]:.2f}", fontsize=8
        )
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])

# %% [markdown] id="one"
# Only "fair" shows all three faults, and it does not say which of them. The most published number, "captured", is content
# with two of the three.
#
# ## One of 2,500 is enough
#
# Why? A mode counts as captured with a single good point. If a generator visits a mode with probability $s$, then 2,500
# points capture it with probability $1 - (1 - s)^{2500}$.
#
# **Predict:** $s = 1/2500$, where the fair share would be 1/8. How often is the mode captured: never, in 4 of 10 cases, or in
# 6 of 10?

# %% id="one-code"
chance = lambda s, n: 1 - (1 - s) ** n
claim(chance(1 / 2500, 2500), 1 - math.exp(-1), atol=1e-3, says="chance of capture at s = 1/2500: 1 - 1/e")
trials = np.mean([(rng.random(2500) < 1 / 2500).any() for _ in range(2000)])
claim(trials, chance(1 / 2500, 2500), atol=0.04, says="the same by 2,000 trials")
claim(1 + 7 * chance(0.0004, 2500), 5.42, atol=0.01, says="mean number captured, with 99.72 % of the points on one mode")
claim(1 + 7 * chance(0.0004, 25_000), 8, atol=0.01, says="and with 25,000 points: the count depends on how many you draw")

# %% [markdown] id="kl"
# ## Reverse KL, and its own trap
#
# If a generator has $k$ of the 8 modes, all equally often, the reverse KL is $\ln(8/k)$. (The other direction,
# $\mathrm{KL}(\text{uniform}, q)$, is infinite as soon as one mode is lost, so it says little.)
#
# But it never measures exactly 0. Even real points do not fall on the modes in equal numbers. For $n$ points and $K$ modes
# the mean of the reverse KL is about $\frac{K-1}{2n}$.
#
# It sees what "fair" cannot see: four modes with 21 percent each, and four with 4 percent, are all fair.
#
# **Predict:** what do 50 *real* points give on average? Which $k$ would you take that for?

# %% id="kl-code"
claim([math.log(8 / k) for k in (8, 7, 4, 1)], [0, 0.134, 0.693, 2.079], atol=5e-4, says="ln(8/k) for k = 8, 7, 4, 1")
uneven = report(points([0.21, 0.04] * 4))
claim(uneven[1], 8, says="fair modes of a generator with 21 and 4 percent")
claim(uneven[3], 0.25, atol=0.04, says="its reverse KL")
means = [np.mean([report(ring.sample(n, rng).x)[3] for _ in range(300)]) for n in (50, 2500)]
claim(means[0], 7 / 100, atol=0.015, says="reverse KL of 50 real points, mean of 300 trials")
claim(means[1], 7 / 5000, atol=4e-4, says="of 2,500 real points")

# %% [markdown] id="why"
# So 50 perfect points look like half a lost mode. Compare numbers only if they come from equally many points.
#
# ## Why G collapses: the best answer to one D is one point
#
# The theory lets G face the best D for each of its moves: $\min_G \max_D V$. In G's turn D stands still, and G answers this
# one D. If G is fast, the game becomes $\max_D \min_G V$, which is another game (Goodfellow 2016). And the best answer to one
# D is simple: *all* points at the place where its logit is highest. Nothing in $-\mathbb{E}\log\sigma(D(G(z)))$ asks for
# variety.
#
# We let D learn for 300 steps against an untrained G, then freeze it, and train G alone for 200 steps.
#
# **Predict:** how many modes does G have in the end? Who pays less against this D: G's points, or *real* points?


# %% id="why-code"
def mlp(*sizes):
    """Linear layers of these sizes with ReLU between them."""
    layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


d_loss = lambda a, b: mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b))
g_loss = lambda b: mg.mean(mg.softplus(-b))
Z = mg.tensor(np.random.default_rng(99).standard_normal((2500, 2), dtype=np.float32))


def samples(G):
    """2,500 points of G, always from the same noise."""
    with mg.no_grad():
        return G(Z).numpy()


# %% id="play-code"
def play(steps, seed=0, d_turns=1, g_turns=1, pack=1, nets=None, moments=()):
    """Play.   Returns (G, D, {step: points of G} for the steps in moments and for 20 more on the way)."""
    mg.seed(seed)
    G, D = nets or (mlp(2, 64, 64, 2), mlp(2 * pack, 64, 64, 1))
    adams = [mg.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (G, D)]
    rng, story = np.random.default_rng(seed), {}
    noise = lambda: mg.tensor(rng.standard_normal((128, 2), dtype=np.float32))
    packs = lambda x: x.reshape(128 // pack, 2 * pack)  # D sees `pack` points at a time
    for step in range(steps + 1):
        if step in moments or step % max(1, steps // 20) == 0:
            story[step] = samples(G)
        for _ in range(d_turns):
            x, fake = mg.tensor(ring.sample(128, rng).x), G(noise()).detach()
            adams[1].step(mg.grad(d_loss(D(packs(x)), D(packs(fake))), D.parameters()))
        for _ in range(g_turns):
            adams[0].step(mg.grad(g_loss(D(packs(G(noise())))), G.parameters()))
    return G, D, story


# %% id="why-run"
G, D, _ = play(30 if lesson.fast else 300, g_turns=0)
_, _, story = play(20 if lesson.fast else 200, d_turns=0, nets=(G, D))
with mg.no_grad():
    paid = float(g_loss(D(G(Z)))), float(g_loss(D(mg.tensor(ring.sample(2500, 1).x))))
frozen = report(samples(G))
claim(paid[0] < paid[1], True, full=True, says=f"G pays {paid[0]:.4f}, real points would pay {paid[1]:.4f}: G fools D better")
claim(frozen[0] <= 2, True, full=True, says=f"modes captured: {frozen[0]}")
claim(frozen[3], math.log(8), atol=0.1, full=True, says="reverse KL: ln 8, all points are nearest to one mode")

# %% [markdown] id="hops"
# G's points fool this D *better than real points do*. In the game, D then learns that this one place is fake, and G must move
# on: to the next place. So it is a question of speed. If D answers at once, G has no time to gather. If G takes many steps
# for each of D, it gathers, jumps, gathers, jumps.
#
# **Predict:** we give G five turns for each turn of D. What will the reverse KL be in the second half of the run: near 0, near
# $\ln 2$, or above 1? And how many of the eight modes does G visit in this half?

# %% id="hops-code"
moments = [round(STEPS * part) for part in (0.5, 0.6, 0.7, 0.8, 0.9, 1)]
_, _, even = play(STEPS)
_, _, greedy = play(STEPS, g_turns=5, moments=moments)
late = lambda story: [report(story[step])[3] for step in story if step >= STEPS / 2]
nearest = lambda x: int(np.linalg.norm(np.mean(x, axis=0) - ring.centres, axis=1).argmin())
visited = {nearest(x) for step, x in greedy.items() if step >= STEPS / 2}
claim(np.median(late(even)) < 0.5, True, full=True, says=f"reverse KL, one turn each: {np.median(late(even)):.2f}")
claim(np.median(late(greedy)) > 0.7, True, full=True, says=f"five turns of G: {np.median(late(greedy)):.2f}")
claim(len(visited) >= 3, True, full=True, says=f"where the mean of its points has been nearest: {len(visited)} modes")

# %% id="hops-draw"
with figure("hops", width=9.5, height=2.1) as fig:
    for axes, step in zip(fig.subplots(1, 6), moments):
        axes.plot(*ring.centres.T, "o", markersize=9, markerfacecolor="none", markeredgecolor="0.4")
        axes.plot(*greedy[step].T, ".", markersize=2, color="#D55E00", alpha=0.4)
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
        axes.set_title(f"step {step}", fontsize=9)

# %% [markdown] id="packs"
# ## A remedy: show D two points at once
#
# A D that sees one point at a time cannot know that all points are alike. PacGAN (Lin et al. 2018) shows it *packs*: two
# points, side by side, both real or both generated. If G has half of the modes, then two generated points share a mode twice
# as often as two real points do. D can see that, and so G can learn it. Our packs are made of the same 128 points, so that
# nobody gets more data.
#
# One run proves little. So: five seeds, each with and without packs, one turn each.
#
# **Predict:** with how many of the five seeds has the plain GAN lost half of the modes or more (reverse KL above $\ln 2$) at
# step 800? And with packs?

# %% id="packs-code"
seeds = range(2 if lesson.fast else 5)
plain, packed = ([play(STEPS, seed, pack=pack)[2] for seed in seeds] for pack in (1, 2))
ends = np.array([[report(story[STEPS])[3] for story in runs] for runs in (plain, packed)])
lost = (ends > math.log(2)).sum(axis=1)
claim(lost[0], 2, atol=1, full=True, says="seeds of the plain GAN with half of the modes lost")
claim(lost[1], 0, full=True, says="with packs of two")
_, _, calmed = play(STEPS, g_turns=5, pack=2)
claim(np.median(late(calmed)) < 0.3, True, full=True, says=f"five turns of G, but packs: {np.median(late(calmed)):.2f}")

# %% id="packs-draw"
with figure("packs", width=9, height=3.4) as fig:
    for axes, runs, name in zip(fig.subplots(1, 2, sharey=True), (plain, packed), ("plain", "packs of two")):
        for seed, story in zip(seeds, runs):
            axes.plot(list(story), [report(x)[3] for x in story.values()], label=f"seed {seed}")
        axes.axhline(math.log(2), color="0.6", linestyle="--", linewidth=1)
        axes.set(xlabel="step", title=name)
    axes.legend(frameon=False, fontsize=8)
    fig.axes[0].set_ylabel("reverse KL (nats)")

# %% [markdown] id="birthday"
# Two seeds of five collapse without packs, none with packs. (With other nets, fewer or more: see "Break it".)
#
# ## Counting without centres: birthdays
#
# For pictures nobody knows the modes. But one thing can be counted: how many *different* pictures can G draw? If it can draw
# $M$, all equally often, then among $s$ of them two are the same with probability
#
# $$1 - \prod_{i<s} \left(1 - \tfrac{i}{M}\right) \approx 1 - e^{-s(s-1)/(2M)}.$$
#
# This is the birthday problem, and Arora and Zhang 2017 turn it around: find the $s$ for which half of the batches have a
# pair, then $M \approx s^2 / (2 \ln 2)$. Here our "generator" simply knows 400 digits by heart.
#
# **Predict:** how many pictures must it draw until a pair is as likely as not: 24, 100 or 200?


# %% id="birthday-code"
digits = load("digits", size=2000)


def pairs(known, s, trials):
    """The share of batches of s pictures with a pair in them, for a generator that knows this many digits by heart."""
    batches = (digits.images[rng.integers(known, size=s)] for _ in range(trials))
    return np.mean([len({picture.tobytes() for picture in batch}) < s for batch in batches])


formula = lambda M, s: 1 - math.exp(-s * (s - 1) / (2 * M))
claim(formula(400, 24), 0.5, atol=0.01, says="M = 400: chance of a pair among 24")
claim(pairs(400, 24, 1000), 0.5, atol=0.06, says="the same by 1,000 batches of a generator that knows 400 digits")
claim(24**2 / (2 * math.log(2)), 400, atol=20, says="turned around: M from s = 24")
claim(pairs(2000, 24, 1000), formula(2000, 24), atol=0.05, says=f"one that knows 2,000: {formula(2000, 24):.2f}")

# %% [markdown] id="break"
# A real G never draws exactly the same picture twice, so one looks for pairs that are *nearly* the same, and judges them by
# eye or by the distance of their features. The test cannot see how *good* the pictures are: noise never has a pair.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `mlp`: `nn.Tanh()` in the place of `nn.ReLU()`. How many of the five plain seeds lose modes now?
# 2. In `hops-code`: `play(STEPS, g_turns=5, d_turns=5, moments=moments)`. Does D's speed stop the jumping?
# 3. In `packs-code`: `for pack in (1, 4)`. Are packs of four still better than none?

# %% [markdown] id="exercise-1"
# ## Exercise 17.1
#
# Count the captured modes: those with at least one sample within three standard deviations.


# %% id="exercise-1-code"
def captured_modes(samples, centres, std):
    """How many of the centres (K, d) have one of the samples (N, d) within 3 std."""
    return None


lesson.exercise("17.1", captured_modes)

# %% [markdown] id="exercise-2"
# ## Exercise 17.2
#
# From the number of samples at each mode (some may be 0), compute the reverse KL: with the shares $q_k$ and $K$ modes,
# $\sum_k q_k \ln(K q_k)$, where $0 \ln 0$ counts as 0.


# %% id="exercise-2-code"
def reverse_kl_of(counts):
    """KL(shares, uniform) in nats, for the numbers of samples at each of K modes (an array; zeros are allowed)."""
    return None


lesson.exercise("17.2", reverse_kl_of)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 17.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. None. With tanh the reverse KL is small for all five, with and without packs. So an activation can matter as much as a
#    remedy with a paper of its own; and a remedy looks best where the plain program is weak. (G with five turns still
#    gathers.)
# 2. Yes, nearly: the median of the reverse KL is 0.16 in place of 2.07. It is the ratio of the two speeds that counts.
# 3. No seed loses modes, as with two.
#
# </details>
#
# Predictions: half: captured, fair, reverse KL; greedy: fair, reverse KL; blurred: fair, good; in 6 of 10 cases; 0.07, about
# half a lost mode; one, and G pays less; above 1, and nearly all of them; two, and none; 24.
#
# ## What you have now
#
# * Four numbers, and for each of them a generator that it does not see. Report all of them, with the number of samples and
#   seeds.
# * The reason: G's best answer to one D is one point; so the speeds of the two players matter.
# * A remedy that gives D the means to see the fault.
#
# Lesson 18 changes the losses themselves.

# %% id="end"
lesson.end()
