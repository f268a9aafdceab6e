# %% [markdown] id="promise"
# # 11. The scales of a VAE: why a tutorial's loss learns nothing
#
# A tutorial's VAE has two lines for its loss: `nn.MSELoss()` for the pictures, plus the KL. It runs, its loss falls, and it has
# learned nothing: all pictures that it draws are the same grey cloud. At the end of this lesson you can say *before training*
# how many hidden numbers a VAE will use, from a list of eigenvalues. And you know a loss that needs no scale set by hand.
#
# It takes about 20 seconds of processor time (`--fast`: a few seconds). You need lesson 10.
#
# Sources: Tipping and Bishop 1999, "Probabilistic Principal Component Analysis" (equations 7 and 8: the exact solution of the
# linear case). Lucas, Tucker, Grosse and Norouzi 2019, "Don't Blame the ELBO!" (the linear VAE). Burda, Grosse and
# Salakhutdinov 2016 (section 5.2: active units). Higgins et al. 2017 (the weight beta). Rybkin, Daniilidis and Levine 2021,
# "Simple and Effective VAE Training with Calibrated Decoders" (the variance that sets itself). Bowman et al. 2016 (a KL that is
# faded in).

# %% id="setup"
import math

import numpy as np

import minigan as mg
from minigan import nn
from minigan.data import load
from minigan.lesson import Lesson

lesson = Lesson("11_vae_scales")
claim, figure = lesson.claim, lesson.figure
STEPS, HIDDEN, PIXELS = 60 if lesson.fast else 600, 20, 784

train_set, test_set = load("digits"), load("digits", "test")
flat = lambda pictures: (pictures.reshape(-1, PIXELS) + 1) / 2  # grey values from 0 to 1
pictures, unseen = flat(train_set[:].x), flat(test_set[:].x)

# %% [markdown] id="tutorial"
# ## Two harmless lines
#
# Here is the loss of the tutorial, in our words: `mse(decoded, pictures) + kl`. (Its text says that the encoder *maximises* the
# error of the reconstruction. Its code minimises it, luckily.) As in PyTorch, `mse` is the mean over *all* elements, so over
# the 784 pixels too. The KL is the one of lesson 10: a sum over the hidden numbers, a mean over pictures.
#
# Our network has 20 hidden numbers and pixels in grey, as the tutorial has. The loss is an argument of `fit`, because we shall
# change nothing else.
#
# **Predict:** the loss falls from 0.28 to 0.065. Is that good?


# %% id="tutorial-code"
class VAE(nn.Module):
    """Grey pictures (N, 784), HIDDEN hidden numbers."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, 128), nn.ReLU(), nn.Linear(128, 2 * HIDDEN))
        self.decoder = nn.Sequential(nn.Linear(HIDDEN, 128), nn.ReLU(), nn.Linear(128, PIXELS))

    def forward(self, x, e):
        """(squared errors (N, 784), KL of each hidden number (N, HIDDEN)) for the noise e."""
        mean, log_var = mg.split(self.encoder(x), 2, axis=1)
        decoded = self.decoder(mean + mg.exp(0.5 * log_var) * e)
        return mg.square(decoded - x), 0.5 * (mg.square(mean) + mg.exp(log_var) - 1 - log_var)


def noise(n, rng):
    return mg.tensor(rng.standard_normal((n, HIDDEN), dtype=np.float32))


def batch(rng):
    """128 pictures and the noise for them."""
    return mg.tensor(pictures[rng.integers(0, len(pictures), 128)]), noise(128, rng)


tutorial = lambda squares, kl, part: mg.mean(squares) + mg.sum(kl) / len(kl)


# %% id="tutorial-train"
def fit(loss, steps=STEPS):
    """A new VAE, trained with loss(squared errors, KL, part of the run that is done); it keeps its losses."""
    mg.seed(0)
    model, rng = VAE(), np.random.default_rng(1)
    adam, model.losses = mg.optim.Adam(model.parameters(), lr=1e-3), []
    for step in range(steps):
        value = loss(*model(*batch(rng)), step / steps)
        adam.step(mg.grad(value, model.parameters()))
        model.losses.append(float(value))
    return model


def report(model):
    """(active units, KL in nats, squared error of a decoded mean), all over unseen pictures.

    A hidden number is active if its mean varies over the pictures with a variance above 0.01 (Burda et al. 2016)."""
    with mg.no_grad():
        mean, log_var = (part.numpy() for part in mg.split(model.encoder(mg.tensor(unseen)), 2, axis=1))
        error = np.square(model.decoder(mg.tensor(mean)).numpy() - unseen).sum(axis=1).mean()
    divergence = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1).mean()
    return int((mean.var(axis=0) > 0.01).sum()), float(divergence), float(error)


collapsed = fit(tutorial)
claim(collapsed.losses[0], 0.28, atol=0.02, says="the tutorial's loss at the start")
claim(np.mean(collapsed.losses[-50:]), 0.065, atol=0.005, full=True, says="the tutorial's loss at the end")

# %% [markdown] id="nothing"
# Now look at what it has learned. Compare with the laziest model: it answers with the mean of all training pictures, always.
#
# **Predict:** how many of the 20 hidden numbers are active? Is the squared error smaller than that of the mean picture?

# %% id="nothing-code"
units, divergence, error = report(collapsed)
lazy = np.square(pictures.mean(axis=0) - unseen).sum(axis=1).mean()
claim(units, 0, full=True, says="active units of 20")
claim(divergence, 0, atol=0.01, full=True, says="KL, in nats per picture: what the encoder says about a picture")
claim(error / lazy, 1, atol=0.01, full=True, says="squared error, compared with the mean picture's")
claim(lazy, 46.9, atol=0.1, says="the mean picture's squared error per picture")

# %% [markdown] id="why"
# This is *posterior collapse*: $q(z|x) = p(z)$ for every picture. The decoder ignores $z$, so it draws one picture only.
#
# ## Put the scale where it belongs
#
# Multiply the tutorial's loss by 784. This changes no minimum. With $\|x - y\|^2$, the sum over pixels:
#
# $$784 \cdot \text{loss} = \|x - y\|^2 + 784 \cdot \mathrm{KL}.$$
#
# So the KL weighs 784 times what the sum would give it. As a probability: a Gaussian decoder $N(x;\, y,\, vI)$ has
# $-\ln p(x|z) = \|x - y\|^2/(2v) + 392 \ln (2\pi v)$. The ELBO belongs to the factor $1/(2v)$, and the tutorial's is $1/784$.
#
# **Predict:** which variance $v$ does the tutorial claim for the noise of a pixel, whose values lie between 0 and 1?

# %% id="why-code"
claimed = PIXELS / 2
claim(claimed, 392, says="the variance v that belongs to a mean over 784 pixels")
claim(math.sqrt(claimed), 19.8, atol=0.01, says="as a standard deviation; a pixel goes from 0 to 1")

mg.seed(0)
model, (x, e) = VAE(), batch(np.random.default_rng(2))
squares, kl = model(x, e)
elbo_of = lambda v: mg.sum(squares) / (2 * v * len(x)) + mg.sum(kl) / len(x)
slopes = [mg.grad(loss, model.parameters(), retain_graph=True) for loss in (tutorial(squares, kl, 0), elbo_of(claimed))]
apart = max(np.abs(np.asarray(a) - np.asarray(b)).max() for a, b in zip(*slopes))
claim(apart, 0, atol=1e-7, says="all slopes: the tutorial's loss, and -ELBO with v = 392 (largest difference)")

# %% [markdown] id="threshold"
# ## One coordinate: a switch
#
# Is 392 too much? Let us see when a hidden number is worth its price. Take one coordinate of the data, with mean 0 and variance
# $\lambda$. One hidden number, a linear decoder $y = wz$, and noise of variance $v$. As in lesson 10, $p(x)$ is Gaussian,
# $N(0,\, w^2 + v)$, and a linear encoder can make the bound exact. So the loss is the mean of $-\ln p(x)$ over the data. Up to
# a constant:
#
# $$L(w) = \tfrac12 \left( \ln \frac{w^2 + v}{v} + \frac{\lambda}{w^2 + v} \right).$$
#
# **Predict:** put $v = 1$. For which $w$ is the loss smallest, if $\lambda = 4$? And if $\lambda = 0.5$?


# %% id="threshold-code"
w = np.linspace(0, 3, 3001)
L = lambda variance, v: 0.5 * (np.log((w**2 + v) / v) + variance / (w**2 + v))
best = {variance: w[L(variance, 1.0).argmin()] for variance in (0.5, 1.0, 2.0, 4.0)}
claim(best[4.0], math.sqrt(3), atol=1e-3, says="variance 4: w is the root of 4 - 1")
claim(best[2.0], 1.0, atol=1e-3, says="variance 2: the root of 2 - 1")
claim([best[1.0], best[0.5]], [0, 0], says="variances 1 and 0.5: exactly 0, the hidden number is off")

with figure("switch", width=7, height=3.8) as fig:
    axes = fig.add_subplot()
    for variance, colour in zip(best, ("#999999", "#E69F00", "#009E73", "#0072B2")):
        heights = L(variance, 1.0) - L(variance, 1.0)[0]
        axes.plot(w, heights, color=colour, label=f"$\\lambda$ = {variance:g}")
        axes.plot(best[variance], heights.min(), "o", color=colour)
    axes.set(xlabel="weight $w$ of the decoder", ylabel="$L(w) - L(0)$", ylim=(-0.9, 0.6), title="noise variance $v = 1$")
    axes.grid(color="0.9")
    axes.legend(frameon=False)

# %% [markdown] id="switch-why"
# $w^2 = \max(\lambda - v,\, 0)$ (Tipping and Bishop 1999, equation 7). There is a **switch**: a coordinate whose variance is
# below the noise that the decoder claims is not used a little, it is not used at all. Above, its KL is
# $\frac12 \ln(\lambda / v)$.
#
# ## Count before you train
#
# Pictures have 784 coordinates, but we may rotate them so that they are uncorrelated: these are the principal components, and
# their variances are the eigenvalues of the covariance matrix. For linear networks each one is a switch of its own.
#
# **Predict:** the pixels' variances add up to 49. How many eigenvalues lie above 392? How many above 0.5 (which is $v$ for a
# loss that is the plain *sum* over pixels)?


# %% id="count-code"
eigenvalues = np.linalg.eigvalsh(np.cov(pictures.T))[::-1]


def predicted(v):
    """(hidden numbers that are on, KL in nats) of the best linear VAE with noise variance v."""
    on = eigenvalues[eigenvalues > v]
    return len(on), 0.5 * np.log(on / v).sum()


claim(eigenvalues.sum(), 49.0, atol=0.1, says="variances of all pixels, added")
claim(eigenvalues[0], 5.22, atol=0.01, says="the largest eigenvalue")
claim(predicted(claimed)[0], 0, says="hidden numbers that are on for the mean over pixels, v = 392")
claim(predicted(0.5)[0], 22, says="for the sum over pixels, v = 0.5")
claim(predicted(0.5)[1], 10.35, atol=0.01, says="and their KL in nats")

# %% [markdown] id="linear"
# So the collapse is no accident of training. Zero is the *best* answer to the question that the loss asks. A linear VAE with
# $v = 392$ should use nothing even if the largest eigenvalue were 75 times larger.
#
# Does gradient descent find what the formula predicts? For linear networks the expectations in the loss are formulas as well,
# so we need neither pictures nor noise, only the eigenvalues. Encoder: mean $= Ax$ and a fixed variance $s$. Decoder: $Wz$.
#
# **Predict:** the smallest of the 22 eigenvalues above 0.5 is 0.504. Over the pictures, the mean of its hidden number has the
# variance $1 - v/\lambda$. Is this hidden number "active"?


# %% id="linear-code"
def linear_vae(v, steps):
    """Train a linear VAE of 30 hidden numbers on the 40 largest eigenvalues; (variance of each mean, KL)."""
    variances, rng = mg.tensor(eigenvalues[:40]), np.random.default_rng(0)
    A, W = (mg.tensor(0.1 * rng.standard_normal(shape), requires_grad=True) for shape in ((30, 40), (40, 30)))
    log_s = mg.tensor(np.zeros(30), requires_grad=True)
    adam, eye = mg.optim.Adam([A, W, log_s], lr=0.01), mg.tensor(np.eye(40))
    for _ in range(steps):
        of_means = mg.sum(mg.square(A) * variances, axis=1)
        divergence = 0.5 * mg.sum(of_means + mg.exp(log_s) - 1 - log_s)
        missed = mg.sum(mg.square(eye - W @ A) * variances) + mg.sum(mg.square(W) * mg.exp(log_s))
        adam.step(mg.grad(missed / (2 * v) + divergence, [A, W, log_s]))
    return np.sort(of_means.detach().numpy())[::-1], float(divergence)


for_sum, kl_for_sum = linear_vae(0.5, 400 if lesson.fast else 2000)
for_mean, kl_for_mean = linear_vae(claimed, 200)
claim(kl_for_sum, predicted(0.5)[1], atol=0.2, says="KL of the trained linear VAE, and the formula's")
claim(for_sum[:22], 1 - 0.5 / eigenvalues[:22], atol=0.02, full=True, says="variances of its means, and 1 - v / eigenvalue")
claim((for_sum > 0.01).sum(), 21, full=True, says="active units: the mean of the last one has the variance 0.0075, below 0.01")
claim([kl_for_mean, for_mean.max()], [0, 0], atol=1e-6, says="v = 392: KL and largest variance")

# %% id="linear-draw"
with figure("eigenvalues", width=9, height=3.8) as fig:
    left, right = fig.subplots(1, 2)
    left.semilogy(np.arange(1, 61), eigenvalues[:60], "o", markersize=3, color="black")
    for v, name, colour in ((claimed, "mean over pixels", "#D55E00"), (0.5, "sum over pixels", "#0072B2")):
        left.axhline(v, color=colour)
        left.text(60, v * 1.15, f"v = {v:g}: {name}", color=colour, ha="right")
    left.set(xlabel="number of the component", ylabel="eigenvalue (variance)", ylim=(0.05, 1000), title="above the line: on")
    right.plot(np.arange(1, 31), for_sum, "o", color="#0072B2", label="trained, sum")
    right.plot(np.arange(1, 31), for_mean, "s", color="#D55E00", markersize=4, label="trained, mean")
    right.plot(
        np.arange(1, 31), np.maximum(1 - 0.5 / eigenvalues[:30], 0), color="black", linewidth=1, label="$1 - v/\\lambda$"
    )
    right.set(xlabel="hidden number, sorted", ylabel="variance of its mean", title="linear VAE: what training finds")
    right.legend(frameon=False)

# %% [markdown] id="networks"
# ## Real networks, five losses
#
# Networks with an activation have no such formula, but the same scale decides. There are four ways to place sums and means, and
# `weight` is the weight of the KL if everything is divided by the scale of the first term:
#
# | over pixels | over hidden numbers | weight of the KL |
# | --- | --- | --- |
# | sum | sum | 1 |
# | mean | sum | 784 |
# | mean | mean | 784 / 20 = 39.2 |
# | sum | mean | 1 / 20 |
#
# **Predict:** which of the four collapse? And what is wrong with the one that has the smallest squared error?

# %% id="networks-code"
total = lambda values: mg.sum(values) / len(values)  # a sum over everything but the pictures
losses = {
    "mean, sum": tutorial,
    "mean, mean": lambda squares, kl, part: mg.mean(squares) + mg.mean(kl),
    "sum, sum": lambda squares, kl, part: total(squares) + total(kl),
    "sum, mean": lambda squares, kl, part: total(squares) + mg.mean(kl),
}
models = {name: collapsed if loss is tutorial else fit(loss) for name, loss in losses.items()}
found = {name: report(model) for name, model in models.items()}
for name, (units, divergence, error) in found.items():
    print(f"  {name:<12}{units:>3} active{divergence:8.2f} nats{error:8.2f} squared error")
claim([found["mean, sum"][0], found["mean, mean"][0]], [0, 0], full=True, says="both means over pixels: active units")
claim(found["sum, sum"][0] >= 10, True, full=True, says="sum and sum: at least ten active units")
claim(found["sum, sum"][1], 8.5, atol=1.5, full=True, says="its KL in nats (the linear one: 10.35)")
claim(found["sum, mean"][1] > 25, True, full=True, says="sum and mean: a KL above 25 nats")

# %% [markdown] id="own-scale"
# ## A scale that sets itself
#
# Is "sum, sum" right, then? It says $v = 0.5$: each pixel is off by $\pm 0.7$. That is far too much for pixels between 0 and 1.
# And it depends on the unit: with pixels from $-1$ to 1, all eigenvalues are four times as large, and more hidden numbers are
# on.
#
# The way out is to let the decoder say its $v$, and to keep the term $392 \ln v$ that everybody drops. For the best $v$ there
# is a formula, the mean squared error itself. Put it in, and what remains is
#
# $$-\ln p(x|z) = 392 \, \ln (\text{mean squared error}) + \text{constant}$$
#
# (Rybkin et al. 2021, section 4). If pictures and decoder are multiplied by a number $c$, this changes by the constant
# $784 \ln c$, and no gradient notices.
#
# **Predict:** will it use more or fewer nats than the sum's 8.5? And which $v$ will it find?

# %% id="own-scale-code"
own_scale = lambda squares, kl, part: PIXELS / 2 * mg.log(mg.mean(squares)) + total(kl)
models["own scale"] = fit(own_scale)
found["own scale"] = report(models["own scale"])


def best_v(model):
    """The mean squared error of a pixel on unseen pictures, with z drawn from q(z|x)."""
    with mg.no_grad():
        return float(mg.mean(model(mg.tensor(unseen), noise(len(unseen), np.random.default_rng(3)))[0]))


claim(predicted(0.5 / 4)[0], 53, says="eigenvalues above 0.5 if pixels go from -1 to 1: the sum's answer has changed")
claim(found["own scale"][0], HIDDEN, full=True, says="own scale: all 20 hidden numbers are active")
claim(found["own scale"][1], 53, atol=6, full=True, says="KL in nats")
claim(best_v(models["own scale"]), 0.014, atol=0.003, full=True, says="the variance v of a pixel, on unseen pictures")

# %% id="losses-draw"
with figure("decoded", width=9.5, height=3.4) as fig:
    grid = fig.subplots(len(models) + 1, 2, width_ratios=(1.2, 1))
    strip = lambda images: images.reshape(-1, 28, 28).transpose(1, 0, 2).reshape(28, -1).clip(0, 1)
    fresh = noise(12, np.random.default_rng(4))
    with mg.no_grad():
        rows = {"unseen": (unseen[:16], np.zeros((12, PIXELS)))}
        for name, model in models.items():
            means = mg.split(model.encoder(mg.tensor(unseen[:16])), 2, axis=1)[0]
            rows[name] = model.decoder(means).numpy(), model.decoder(fresh).numpy()
    for (left, right), (name, (decoded, drawn)) in zip(grid, rows.items()):
        left.imshow(strip(decoded), cmap="gray", vmin=0, vmax=1)
        left.set_ylabel(name, rotation=0, ha="right", va="center")
        right.imshow(strip(drawn), cmap="gray", vmin=0, vmax=1)
    for axes in grid.ravel():
        axes.set(xticks=[], yticks=[])
    grid[0, 0].set_title("encoded and decoded")
    grid[0, 1].set_title("drawn from $z \\sim N(0, I)$")
    grid[0, 1].images[0].remove()
    grid[0, 1].axis("off")

# %% [markdown] id="decoded-look"
# Look at `decoded.png`. The two rows with a mean over pixels show one cloud. "sum, sum" keeps the digit, loses details, and
# draws fairly well. "sum, mean" and "own scale" decode best, and many of their draws are no digits: their guesses are narrow
# and far apart, and a fresh $z$ falls between them. (We train for 600 steps only, on purpose.)
#
# Whom shall we believe? Compare in one currency: $-$ELBO in nats, and give each model the $v$ that is best for it.
#
# **Predict:** who is best, and how many nats behind is the tutorial's?

# %% id="currency-code"
price = {name: PIXELS / 2 * math.log(best_v(model)) + found[name][1] for name, model in models.items()}
behind = {name: value - min(price.values()) for name, value in price.items()}
print("  nats per picture behind the best:", {name: round(value) for name, value in behind.items()})
claim(behind["own scale"], 0, full=True, says="nats per picture behind the best: own scale")
claim(behind["sum, sum"], 253, atol=25, full=True, says="sum and sum")
claim(behind["mean, sum"], 518, atol=25, full=True, says="the tutorial's")

# %% [markdown] id="patience"
# If the probability of pictures counts, "own scale" is ahead. If the drawn pictures count, "sum, sum" is. So choose the loss by
# what you want from the model: a lower weight of the KL buys a smaller error with a larger KL. The two that draw one cloud are
# bad at both.
#
# ## Does patience help?
#
# A usual advice for collapse: begin without the KL and fade it in (Bowman et al. 2016). It helps if a good solution exists and
# training misses it at the start. Here the zero *is* the solution.
#
# **Predict:** we train the tutorial's loss without the KL in the first third, and fade it in during the second third. What is
# the KL at the end of the first third, and at the end?

# %% id="patience-code"
seen = []


def faded(squares, kl, part):
    """The tutorial's loss; the KL's weight is 0, then rises, and is 1 in the last third.   It notes the KL on its way."""
    seen.append(float(total(kl)))
    return mg.mean(squares) + min(max(3 * part - 1, 0.0), 1.0) * total(kl)


patient = fit(faded)
claim(max(seen) > 5, True, full=True, says=f"the KL rises at first, to {max(seen):.0f} nats")
claim(seen[-1], 0, atol=0.05, full=True, says="and at the end it is")
claim(report(patient)[0], 0, full=True, says="active units at the end")

# %% [markdown] id="signs"
# ## What to look at
#
# The loss did not tell. Three numbers do, and each costs one line: the KL in *nats per picture* (a code for ten digits alone
# needs $\ln 10 = 2.3$), the number of active units, and the squared error beside that of the mean picture.
#
# `minigan evaluate` reports the first two for its own `vae`, whose loss is a sum over pixels.

# %% id="signs-code"
claim(math.log(10), 2.303, atol=1e-3, says="nats that are needed to say which of ten digits")
claim(found["sum, sum"][1] > math.log(10) > found["mean, sum"][1], True, full=True, says="the sum has enough, the mean not")

# %% [markdown] id="break"
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `setup`: `flat` returns pictures from 0 to 28 (multiply by 28). What becomes of "mean, sum"? (Count: $28^2 = 784$.)
# 2. In `setup`: `HIDDEN = 200`. Which of the four weights changes? Which row of `decoded.png`?
# 3. In `fit`: `lr=1e-2`. Does the tutorial's VAE wake up if it learns faster?

# %% [markdown] id="exercise-1"
# ## Exercise 11.1
#
# Write the table above as a function: the weight of the KL, compared with "sum, sum". Write it here, or in a file of your own
# (`minigan exercise start 11.1`).


# %% id="exercise-1-code"
def kl_weight(pixels, hidden, over_pixels, over_hidden):
    """The weight of the KL.   pixels, hidden: how many;   over_pixels, over_hidden: "sum" or "mean"."""
    return None


lesson.exercise("11.1", kl_weight)

# %% [markdown] id="exercise-2"
# ## Exercise 11.2
#
# Count active units: hidden numbers whose mean varies over the pictures with a variance above 0.01.


# %% id="exercise-2-code"
def active_units(mean):
    """The number of active units.   mean: an array (pictures, hidden numbers), the means of q(z|x)."""
    return None


lesson.exercise("11.2", active_units)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 11.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. It wakes up. All eigenvalues are 784 times as large, and 22 of them lie above 392: it is now the "sum, sum" of pixels from
#    0 to 1. After 600 steps 13 units are active, with only 1.2 nats. The weights must become 28 times as large, and Adam's
#    steps are as long as before. So the same loss collapses or not, depending on the unit of the pixels.
# 2. Only a mean over hidden numbers divides by 200 now. "mean, mean" has the weight 784 / 200 = 3.9 and wakes up a little (13
#    active units, 0.4 nats), and "sum, mean" says 304 nats about a picture. A wider code has changed the loss.
# 3. No. It finds the mean picture faster, and more exactly.
#
# </details>
#
# Predictions: no, the mean picture alone pays about 49/784 = 0.0625; 0 and no; 392; $\sqrt3$ and 0; none and 22; no; both with
# a mean over pixels, and the other one draws badly; far more, and about 0.014; own scale, and about 518; 127 nats and 0.
#
# ## What you have now
#
# * A threshold: a hidden number is used if the variance that it explains is above the noise that the loss claims.
# * A list of eigenvalues that says so before training.
# * A loss without a scale by hand, and three numbers that show a collapse.
#
# Next: lesson 12 minimises exactly, one coordinate at a time.

# %% id="end"
lesson.end()
