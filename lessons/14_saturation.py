# %% [markdown] id="promise"
# # 14. Saturation: what G feels when D is sure
#
# Lesson 2 showed that one of G's two losses goes flat when D is sure. Here we see why, how flat, and what the other loss
# really descends. At the end you know three things that are seldom said: the flat loss is not only small, it is *noisy*; Adam
# repairs the first and not the second; and a small constant "for safety" makes the good loss flat as well.
#
# It takes about 5 seconds. You need lesson 13. Answer the question first, then run the cell.
#
# Sources: Goodfellow et al. 2014, section 3 (the two losses). Arjovsky and Bottou 2017, "Towards principled methods for
# training generative adversarial networks" (theorem 2.4: the slope vanishes as D becomes perfect; theorem 2.5: what the other
# loss descends). Kingma and Ba 2015, algorithm 1 (Adam). Sønderby et al. 2017 (noise on what D sees). Salimans et al. 2016,
# section 3.4 (one-sided smoothing). The bells, the nets and all numbers of steps are ours.

# %% id="setup"
import math

import numpy as np

import minigan as mg
from minigan import nn
from minigan.data import Loader, load
from minigan.lesson import Lesson

lesson = Lesson("14_saturation")
claim, figure = lesson.claim, lesson.figure

# %% [markdown] id="bells"
# ## A sure D, in a formula
#
# As in lesson 13: real numbers come from $N(0, 1)$, generated ones from $N(m, 1)$, so $x = G(z) = m + z$. The best D has the
# logit $\log p - \log q = \frac{m^2}{2} - m x$. At a generated number this is
#
# $$b = \frac{m^2}{2} - m\,(m + z) = -\frac{m^2}{2} - m z.$$
#
# **Predict:** at $m = 6$, what is the mean of $b$? What probability $\sigma(b)$ of "real" does D give to the average
# generated number: about 0.1, 0.001, or $10^{-8}$?

# %% id="bells-code"
z = np.linspace(-9, 9, 3601)  # a mean over z ~ N(0, 1) is a sum over this grid, with the weights of the bell
weight = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
sigmoid = lambda t: np.exp(-np.logaddexp(0, -t))


def logits(m, x):
    """D*(x) if the real numbers are N(0, 1) and the generated ones N(m, 1)."""
    return m**2 / 2 - m * x


claim(weight.sum(), 1, atol=1e-9, says="the weights sum to 1")
claim((weight * logits(6, 6 + z)).sum(), -18, atol=1e-9, says="mean logit of generated numbers at m = 6")
claim(sigmoid(-18) / 1e-8, 1.52, atol=0.01, says="sigma(-18) in units of 1e-8")

# %% [markdown] id="slopes"
# ## Two slopes
#
# Now G's turn: D is fixed, and we want the slope of G's loss by $m$. The saturating loss is $\mathbb{E}\log(1 - \sigma(b))$,
# the non-saturating one $-\mathbb{E}\log\sigma(b)$. By the chain rule, with $\partial b/\partial m = -m$ (D's slope in $x$):
#
# $$\text{saturating: } m\,\mathbb{E}\,\sigma(b), \qquad \text{non-saturating: } m\,\mathbb{E}\,(1 - \sigma(b)).$$
#
# A positive slope is right: it means that a smaller $m$ is better.
#
# **Predict:** the saturating slope is 0 at $m = 0$ and nearly 0 for large $m$. Where is it largest: at 0.5, 2 or 5? And what
# do the two slopes add up to?


# %% id="slopes-code"
def slopes(m):
    """(saturating, non-saturating) slope of G's loss by m, by the engine; D* is fixed at its logits for this m."""
    at = mg.tensor(float(m), dtype="float64", requires_grad=True)
    b = logits(float(m), at + z)  # the first m belongs to D, and is a constant in G's turn
    losses = -mg.sum(mg.softplus(b) * weight), mg.sum(mg.softplus(-b) * weight)
    return [float(mg.grad(loss, [at], retain_graph=True)[0]) for loss in losses]


ms = np.linspace(0, 10, 201)
saturating, other = np.array([slopes(m) for m in ms]).T
by_hand = [m * (weight * sigmoid(logits(m, m + z))).sum() for m in ms]
claim(saturating, by_hand, atol=1e-12, says="the saturating slopes, by the engine and by the formula")
claim(saturating + other, ms, atol=1e-9, says="the two slopes add up to m")
claim(ms[saturating.argmax()], 1.85, atol=0.3, says="the saturating slope is largest at m =")
claim(np.interp([2, 6, 10], ms, other) > [1, 5, 9], [True] * 3, says="the other one grows with the distance: m = 2, 6, 10")
claim(saturating[-1] < 2e-5, True, says=f"at m = 10 the saturating slope is {saturating[-1]:.1g}")

# %% [markdown] id="meaning"
# ## What the two losses descend
#
# With the best D, the value of the game is $2\,\mathrm{JS}(p, q) - 2 \ln 2$ (lesson 13), and the saturating loss is its part
# that contains G. D stands still in G's turn; but at the best D a small move of D would change nothing anyway. So the two
# slopes by $m$ are the same: the saturating loss descends $2\,\mathrm{JS}$. JS cannot be larger than $\ln 2$, and at a
# distance it is nearly that: a plateau, which has no slope. This is theorem 2.4 in one picture.
#
# And the other loss? Its slope is $m$ minus that of $2\,\mathrm{JS}$, and $m$ is the slope of $m^2/2 = \mathrm{KL}(q, p)$ (the
# formula of lesson 10):
#
# $$\text{slope of the non-saturating loss} = \frac{d}{dm}\bigl[\mathrm{KL}(q, p) - 2\,\mathrm{JS}(p, q)\bigr] \qquad
#   \text{(theorem 2.5)}.$$
#
# **Predict:** so the loss that everybody uses pushes JS *up*. Why does $m$ fall nevertheless?


# %% id="meaning-code"
def twice_js(m):
    """2 JS between N(0, 1) and N(m, 1), as a Tensor; here D* moves with m."""
    b = -(m**2) / 2 - m * mg.tensor(z)  # D* at generated numbers; at real ones, -z in the place of z, it is -b
    return 2 * math.log(2) - 2 * mg.sum(mg.softplus(b) * weight)


at = mg.tensor(ms[1:], requires_grad=True)
total = sum(twice_js(m) for m in at)
(slope_js,) = mg.grad(total, [at])
claim(slope_js, saturating[1:], atol=1e-9, says="the saturating slope is that of 2 JS, at 200 places")
claim(ms[1:] - slope_js, other[1:], atol=1e-9, says="the other one is that of KL(q, p) - 2 JS")
claim(np.all(other[1:] > 0), True, says="and it is always positive: KL is the stronger part")

# %% id="slopes-draw"
with figure("slopes", width=9, height=3.8) as fig:
    left, right = fig.subplots(1, 2)
    left.plot(ms, [float(twice_js(m)) for m in ms], color="#D55E00", label="saturating: $2\\,JS$")
    left.plot(ms, [m**2 / 2 - float(twice_js(m)) for m in ms], "--", color="#0072B2", label="other: $KL - 2\\,JS$")
    left.set(ylim=(-0.2, 6), xlabel="$m$: distance of $G$'s bell", title="what G descends")
    right.semilogy(ms, saturating, color="#D55E00", label="saturating")
    right.semilogy(ms, other, "--", color="#0072B2", label="non-saturating")
    right.set(ylim=(1e-6, 30), xlabel="$m$", title="slope, on a logarithmic scale")
    for axes in (left, right):
        axes.legend(frameon=False)

# %% [markdown] id="noise"
# ## Small, and noisy
#
# A small slope is no tragedy: take larger steps. Adam does so by itself. But look at *where* the saturating slope comes from.
# It is the mean of $m\,\sigma(b)$, and $\sigma(b)$ is tiny for nearly all numbers. The mean is carried by a few rare numbers
# that happen to lie near the real ones. A batch without such a number shows no slope at all.
#
# The right measure is the signal against the noise: for a batch of $n$ numbers
#
# $$\frac{\text{mean of the slope}}{\text{standard deviation of one number's slope} / \sqrt{n}} .$$
#
# Below 1 the direction of a step is mostly chance. **Predict:** for $n = 256$ at $m = 8$: is it above or below 1 for each
# loss?


# %% id="noise-code"
def signal(m, n=256):
    """Signal to noise of the two slopes by m, for a batch of n numbers: (saturating, non-saturating)."""
    each = m * sigmoid(logits(m, m + z)), m * sigmoid(-logits(m, m + z))
    means = [(weight * slope).sum() for slope in each]
    return [mean / math.sqrt((weight * slope**2).sum() - mean**2) * math.sqrt(n) for mean, slope in zip(means, each)]


claim(signal(2)[0] > 10, True, says=f"saturating, m = 2: {signal(2)[0]:.0f}, a clear signal")
claim(signal(6)[0], 1.03, atol=0.01, says="saturating, m = 6: as much noise as signal")
claim(signal(8)[0] < 0.2, True, says=f"saturating, m = 8: {signal(8)[0]:.2f}, nearly all is noise")
claim(signal(8)[1] > 1000, True, says=f"non-saturating, m = 8: {signal(8)[1]:.0f}, no noise to speak of")
sixth = sigmoid(logits(6, 6 + z))
rare = np.sort(weight[sixth > 0.01]).sum()
share = (weight * sixth)[sixth > 0.01].sum() / (weight * sixth).sum()
claim([rare < 0.02, share > 0.9], [True, True], says=f"m = 6: {rare:.1%} of the numbers give {share:.0%} of the slope")

# %% [markdown] id="race"
# ## A race
#
# Four runs, always with the best D, in batches of 256: two losses, and two optimizers. All start at the same $m$; who comes
# below 1 first? Once from $m = 6$, and once from $m = 10$.
#
# **Predict:** order the four by speed. Which of them does not move at all? Where does Adam help most?


# %% id="race-code"
def race(loss, optimizer, steps, start, dtype="float64", batch=256):
    """The path of m for G's loss of the logits b, with the best D at every step."""
    rng = np.random.default_rng(0)
    m = mg.tensor([start], dtype=dtype, requires_grad=True)
    rule, path = optimizer([m], lr=0.03), [start]
    for _ in range(steps):
        x = m + mg.tensor(rng.standard_normal(batch), dtype=dtype)
        rule.step(mg.grad(loss(logits(path[-1], x)), [m]))
        path.append(float(m))
    return np.array(path)


flat = lambda b: -mg.mean(mg.softplus(b))
steep = lambda b: mg.mean(mg.softplus(-b))
lanes = {
    "saturating, plain": (flat, mg.optim.SGD),
    "saturating, Adam": (flat, mg.optim.Adam),
    "non-saturating, plain": (steep, mg.optim.SGD),
    "non-saturating, Adam": (steep, mg.optim.Adam),
}
near, far = ({name: race(*lane, 800, start) for name, lane in lanes.items()} for start in (6.0, 10.0))
arrived = lambda runs: [int(np.argmax(path < 1)) for path in runs.values()]  # 0: never
claim(arrived(near), [0, 122, 73, 277], atol=15, says="from 6: steps until m < 1, in the order of `lanes` (0: never)")
claim(near["saturating, plain"][-1] > 5, True, says=f"saturating, plain: m is still {near['saturating, plain'][-1]:.2f}")
claim(arrived(far), [0, 676, 90, 553], atol=120, says="from 10: the same")

# %% id="race-draw"
with figure("race", width=9.5, height=4) as fig:
    panels = fig.subplots(1, 2)
    for axes, runs in zip(panels, (near, far)):
        for (name, path), colour, line in zip(
            runs.items(), ("#D55E00", "#D55E00", "#0072B2", "#0072B2"), ("-", "--", "-", "--")
        ):
            axes.plot(path, line, color=colour, label=name)
        axes.axhline(0, color="0.6", linewidth=1)
        axes.set(xlabel="step", ylabel="$m$", title=f"from {path[0]:.0f} to the real numbers at 0")
    panels[0].legend(frameon=False, fontsize=9)

# %% [markdown] id="race-look"
# Did you expect the dashed orange line in the left picture? With Adam the "bad" loss is *faster* than the good one. Adam
# divides by the size that the slope had before. The saturating slope grows on the way, so it is divided by a number that is too
# small. The other slope shrinks, and is divided by one that is too large. So "the saturating loss does not work" is a sentence
# about plain gradient descent.
#
# On the right the noise decides. From 10, the dashed orange line creeps and halts: nearly every batch shows Adam nothing but
# noise. Then one lucky batch comes, and it runs. Adam has repaired the size, and not the noise.
#
# ## Exactly zero
#
# A float32 cannot be smaller than about $10^{-45}$. **Predict:** at $m = 20$ the mean logit is -200. What is $\sigma(-200)$
# in float32? How far does Adam move $m$ in 100 steps with the saturating loss? And how far with the other one?

# %% id="zero-code"
b = mg.tensor([-200.0], dtype="float32", requires_grad=True)
claim(mg.grad(flat(b), [b])[0], [0.0], says="the saturating slope at b = -200 in float32: exactly 0")
claim(mg.grad(steep(b), [b])[0], [-1.0], says="the non-saturating slope there")
still = race(flat, mg.optim.Adam, 100, 20.0, dtype="float32")
moving = race(steep, mg.optim.Adam, 100, 20.0, dtype="float32")
claim(still[-1], 20.0, says="m after 100 steps of Adam, saturating")
claim(moving[-1], 17, atol=0.1, says="and non-saturating: 100 steps of nearly 0.03 each")

# %% [markdown] id="eps"
# ## How to make the good loss flat
#
# Many programs let D end in a sigmoid, and compute $-\log(\text{D(G(z))})$ from the probability. At $b = -110$ in float32 the
# probability is 0, its logarithm is $-\infty$, and training stops with NaN. So people add a small number "for safety":
# $-\log(\sigma(b) + 10^{-8})$.
#
# **Predict:** the slope of $-\log(\sigma(b) + 10^{-8})$ by $b$, at $b = -10$ and at $b = -40$. (The slope of the true loss is
# -1.)

# %% id="eps-code"
b = mg.tensor([-110.0, -40.0, -10.0], dtype="float32", requires_grad=True)
with np.errstate(divide="ignore", invalid="ignore"):
    naive = -mg.log(mg.sigmoid(b))
    (naive_slope,) = mg.grad(mg.sum(naive), [b])
(safe_slope,) = mg.grad(mg.sum(-mg.log(mg.sigmoid(b) + 1e-8)), [b])
(true_slope,) = mg.grad(mg.sum(mg.softplus(-b)), [b])
claim(naive[0], np.inf, says="-log(sigmoid(-110)) in float32")
claim(bool(np.isnan(naive_slope.numpy()[0])), True, says="and its slope is not a number")
claim(true_slope, [-1, -1, -1], atol=1e-4, says="softplus(-b): slopes at b = -110, -40, -10")
claim(safe_slope, [0, -4.2e-10, -1], atol=4e-4, says="with + 1e-8: slopes at the same places")
claim(abs(safe_slope.numpy()[1]) < 1e-9, True, says="at b = -40 the slope has gone")

# %% [markdown] id="nets"
# So "non-saturating" is a property of the *program*, not only of the formula. Let D end in its logit, and use `softplus`: it
# is exact everywhere, and needs no safety.
#
# ## On pictures
#
# Now the nets: G and D are perceptrons for the digits, with random weights. D plays alone. After each of its steps we compare
# the lengths of G's two gradients, without moving G.
#
# **Predict:** after how many steps of D is the non-saturating gradient ten times as long as the other: 8, 80 or 800?

# %% id="nets-code"
digits = load("digits", size=2000)
mg.seed(0)
G = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 784), nn.Tanh())
D = nn.Sequential(nn.Linear(784, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
adam = mg.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
loader, rng = Loader(digits, 64, 0), np.random.default_rng(1)
noise = lambda: mg.tensor(rng.standard_normal((64, 64), dtype=np.float32))


def length(loss):
    """The length of G's gradient."""
    return math.sqrt(sum(float(mg.sum(mg.square(g))) for g in mg.grad(loss(D(G(eval_z))), G.parameters())))


eval_z, ratios, paid = noise(), [], []
for _ in range(120 if lesson.fast else 200):
    x, fake = mg.tensor(next(loader).x.reshape(64, 784)), G(noise()).detach()
    loss = mg.mean(mg.softplus(-D(x))) + mg.mean(mg.softplus(D(fake)))
    adam.step(mg.grad(loss, D.parameters()))
    paid.append(float(loss))
    ratios.append(length(steep) / length(flat))
first = int(np.argmax(np.array(ratios) > 10)) + 1
claim(ratios[0] < 2, True, says=f"after one step the two gradients are of similar length: ratio {ratios[0]:.1f}")
claim(20 < first < 120, True, says=f"ratio above 10 after {first} steps of D")
claim(ratios[-1] > 30, True, full=True, says=f"after 200 steps it is {ratios[-1]:.0f}, and D pays {paid[-1]:.3f}")

# %% [markdown] id="remedies"
# ## Two remedies, one of which works
#
# *Noise on what D sees.* Add the same noise of standard deviation $\tau$ to real and to generated numbers. Both bells get the
# variance $1 + \tau^2$, they overlap, and D cannot be sure: its logits are divided by $1 + \tau^2$.
#
# *One-sided smoothing.* Tell D that a real number is real with probability 0.9 only. Then the best D is
# $\frac{0.9\,p}{p + q}$.
#
# **Predict:** which of the two gives the saturating loss a slope at $m = 10$? (Look at what each does where $p$ is nearly 0.)

# %% id="remedies-code"
m, tau = 10.0, 5.0
both = math.sqrt(1 + tau**2) * z  # a generated number is m + z + noise, and z + noise has this spread
blurred = m / (1 + tau**2) * (weight * sigmoid(logits(m, m + both) / (1 + tau**2))).sum()
x = m + z
p, q = np.exp(-(x**2) / 2), np.exp(-(z**2) / 2)
answer = 0.9 * p / (p + q)
slope_logit = -m - m * 0.9 * p / (q + 0.1 * p)  # d/dx of log(answer / (1 - answer))
smoothed = -(weight * answer * slope_logit).sum()
claim(saturating[-1] < 2e-5, True, says=f"neither: slope {saturating[-1]:.1e} at m = 10")
claim(blurred > 0.05, True, says=f"noise of standard deviation 5: slope {blurred:.3f}")
claim(smoothed < 1e-4, True, says=f"one-sided smoothing: slope {smoothed:.1e}")

# %% [markdown] id="remedies-why"
# Where there are only generated numbers, $p$ is 0, and 0.9 times 0 is still 0. One-sided smoothing keeps D from being too
# sure of *real* numbers; it has its uses, but not here. Noise works because it makes the two densities overlap. It has a
# price: D sees blurred numbers, so it must fade before the end.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `zero-code`: `dtype="float64"` in the call that gives `still`. Does $m$ move now?
# 2. In `race-code`: `batch=4` in the first line of `race`. Which of the four runs from 6 changes most?
# 3. In `nets-code`: `lr=2e-3` for D. After how many steps is the ratio above 10?

# %% [markdown] id="exercise-1"
# ## Exercise 14.1
#
# Write the non-saturating loss of G, $-\mathbb{E}\log\sigma(b)$, for a Tensor of logits $b$. It must be finite, with the
# right slopes, even at $b = \pm 1000$.


# %% id="exercise-1-code"
def loss_of_G(b):
    """The mean of -log sigmoid(b) over the logits b, a Tensor; finite for every b."""
    return None


lesson.exercise("14.1", loss_of_G)

# %% [markdown] id="exercise-2"
# ## Exercise 14.2
#
# You have the slopes that $N$ single numbers give (an array). Return the signal against the noise of their mean: the size of
# the mean, divided by the standard deviation *of the mean*.


# %% id="exercise-2-code"
def signal_to_noise(slopes):
    """|mean| / (standard deviation of the mean), for an array of N slopes, each from a number of its own."""
    return None


lesson.exercise("14.2", signal_to_noise)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 14.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. No. $\sigma(-200)$ is $10^{-87}$ now and not 0, but Adam divides by the size of the slope *plus* $10^{-8}$, so its step
#    is about $10^{-77}$, and 20 minus that is 20.
# 2. The saturating loss with Adam: it needs 267 steps in place of 122, because a smaller batch has more noise. From 10 it
#    does not arrive at all. The non-saturating runs hardly notice: they have almost no noise.
# 3. After 10. D's speed decides how soon the saturating loss is flat; the nets and the pictures are the same.
#
# </details>
#
# Predictions: -18, about $10^{-8}$; near 2, they add up to $m$; because the slope of KL is larger; below 1 for the saturating
# loss, far above for the other; plain saturating does not move, and see the picture for the rest; 0, not at all, and about 3;
# -1 at -10, nearly 0 at -40; about 80; noise.
#
# ## What you have now
#
# * Saturation is a plateau of JS, and the non-saturating loss descends something else: $\mathrm{KL}(q, p) - 2\,\mathrm{JS}$.
# * A slope has a size and a noise. Adam repairs the size.
# * Logits and `softplus`, no probabilities with a safety constant.
#
# Lesson 15 repairs a tutorial's program, in which a loss is only one of ten faults.

# %% id="end"
lesson.end()
