# %% [markdown] id="promise"
# # 10. The VAE: learn a density through a bound
#
# At the end of this lesson you have trained a variational autoencoder: two networks that turn a picture into two numbers, and
# two numbers into a picture. You see the digits on a map, and you draw new ones. Before that, we do everything in one
# dimension, where each quantity is known exactly, so you can check what the bound bounds and what the famous trick is for.
#
# It takes about 15 seconds of processor time (`--fast`: a few seconds). You need lesson 1 (the tape) and lesson 5 (modules);
# Adam is from lesson 6. From probability you need densities, mean and variance, and $p(x, z) = p(z)\,p(x|z)$, where $p(x|z)$ is
# the density of $x$ if $z$ is known.
#
# Sources: Kingma and Welling 2014, "Auto-Encoding Variational Bayes" (equations 1 to 3, 10, appendix B); Rezende, Mohamed and
# Wierstra 2014 found the same at the same time. Burda, Grosse and Salakhutdinov 2016, "Importance Weighted Autoencoders"
# (equation 8). The sizes of the nets and the number of steps are our own choice.

# %% id="setup"
import math

import numpy as np

import minigan as mg
from minigan import nn
from minigan.data import load
from minigan.lesson import Lesson
from minigan.metrics.likelihood import iwae_bound
from minigan.systems.latent.vae import Bernoulli, kl, reconstruction, vae

lesson = Lesson("10_vae")
claim, figure = lesson.claim, lesson.figure
STEPS = 100 if lesson.fast else 1500

# %% [markdown] id="hidden"
# ## A hidden cause
#
# A picture of a digit has 784 pixels, but they do not vary freely. A few hidden causes decide all of them: which digit, how
# slanted, how thick. A *latent variable model* says so in two lines. First draw hidden numbers $z \sim p(z) = N(0, I)$:
# independent normal numbers, each with mean 0 and variance 1. Then draw the picture from $p(x|z)$. The probability of a picture
# is an average over all causes that it may have had:
#
# $$p(x) = \int p(z)\, p(x|z)\, dz.$$
#
# Training should make $p(x)$ large for real pictures. The integral is the difficulty. Let us look at one where we know the
# answer: $z$ is one number, and $x = 2z + e$ with $e \sim N(0, 1)$. A sum of Gaussians is a Gaussian: $p(x) = N(x;\, 0,\, 5)$,
# the normal density with mean 0 and variance 5, at $x$.
#
# **Predict:** we observe $x = 3$. Which $z$ caused it? (1.5 would explain $x$ exactly. But $z$ near 0 is more usual.)

# %% id="hidden-code"
X = 3.0
log_normal = lambda x, mean, variance: -0.5 * (math.log(2 * math.pi * variance) + (x - mean) ** 2 / variance)

z = np.linspace(-8, 8, 160_001)
joint = np.exp(log_normal(z, 0, 1) + log_normal(X, 2 * z, 1))  # p(z) p(x|z)
density = joint.sum() * (z[1] - z[0])
posterior = joint / joint.sum()  # p(z|x), as shares of the grid's points
mean = posterior @ z
log_px = log_normal(X, 0, 5)
claim(math.log(density), log_px, atol=1e-9, says="ln p(3): the integral on a grid, and the formula N(0, 5)")
claim(log_px, -2.6237, atol=1e-4, says="ln p(3)")
claim(mean, 1.2, atol=1e-9, says="the mean of z, if x = 3 was seen: 2x/5")
claim(posterior @ (z - mean) ** 2, 0.2, atol=1e-9, says="its variance: 1/5, where before we saw x it was 1")

# %% [markdown] id="bound"
# ## The bound
#
# On a grid we needed 160,001 points for one hidden number. For twenty hidden numbers we would need $160001^{20}$. So we give up
# the integral, and guess instead: we choose a Gaussian $q(z)$ and hope that it is near $p(z|x)$. Whatever $q$ is,
#
# $$\ln p(x) \;=\; \underbrace{\mathbb{E}_q \ln p(x|z) - \mathrm{KL}(q \,\|\, p(z))}_{\text{ELBO}}
#   \;+\; \mathrm{KL}(q \,\|\, p(z|x)).$$
#
# (Kingma and Welling 2014, equations 1 and 3. To see it, write $p(z|x) = p(z)\,p(x|z)/p(x)$, take the logarithm, and average
# over $q$.) KL is the Kullback-Leibler divergence, $\mathbb{E}_q \ln (q / p)$, where $\mathbb{E}_q$ is the mean over draws from
# $q$. (With the natural logarithm, its unit is called a *nat*; with that of base 2 it is a bit.) It is never negative, and 0
# only for equal densities. So the ELBO is a *lower bound*: it can be raised in two ways, by a better model or by a better
# guess. Between two Gaussians of one dimension, KL is a formula:
#
# $$\mathrm{KL}\bigl(N(m, v) \,\|\, N(m', v')\bigr) = \tfrac12\left(\frac{v + (m - m')^2}{v'} - 1 - \ln \frac{v}{v'}\right).$$
#
# **Predict:** we guess $q = p(z) = N(0, 1)$: "seeing $x$ has told me nothing". How far below $\ln p(x)$ is the ELBO?


# %% id="bound-code"
def gaussian_kl(m, v, m_other, v_other):
    """KL( N(m, v) || N(m_other, v_other) ) in one dimension."""
    return 0.5 * ((v + (m - m_other) ** 2) / v_other - 1 - np.log(v / v_other))


def elbo(m, v):
    """The ELBO of x = 3 with the guess q = N(m, v).   E (x - 2z)^2 is (x - 2m)^2 + 4v."""
    return -0.5 * (math.log(2 * math.pi) + (X - 2 * m) ** 2 + 4 * v) - gaussian_kl(m, v, 0, 1)


draws = 1.0 + np.random.default_rng(0).standard_normal(1_000_000)
ratio = log_normal(draws, 1, 1) - log_normal(draws, 0, 1)
claim(gaussian_kl(1, 1, 0, 1), 0.5, says="KL( N(1, 1) || N(0, 1) ) by the formula")
claim(ratio.mean(), 0.5, atol=5e-3, says="the same as an average over a million draws")
claim(elbo(1.2, 0.2), log_px, atol=1e-12, says="the guess N(1.2, 0.2) is p(z|x) itself: the ELBO is ln p(x)")
claim(log_px - elbo(0, 1), 4.795, atol=1e-3, says="the guess N(0, 1): the ELBO is too low by 4.795 nats")
gaps = [log_px - elbo(m, v) - gaussian_kl(m, v, 1.2, 0.2) for m in (-1.0, 0.5, 2.0) for v in (0.05, 0.2, 3.0)]
claim(gaps, [0.0] * 9, atol=1e-12, says="ln p(x) - ELBO - KL(q || p(z|x)) for nine other guesses")

# %% id="bound-draw"
means, spreads = np.meshgrid(np.linspace(-0.5, 2.5, 121), np.linspace(0.1, 1.2, 111))
with figure("bound", width=7, height=4.2) as fig:
    axes = fig.add_subplot()
    heights = elbo(means, spreads**2)
    levels = [-16, -12, -9, -7, -5.5, -4.5, -3.7, -3.1, -2.75, log_px]
    colours = axes.contourf(means, spreads, heights, levels=levels, cmap="YlGnBu_r", extend="min")
    axes.contour(means, spreads, heights, levels=levels[:-1], colors="white", linewidths=0.6)
    axes.plot(1.2, math.sqrt(0.2), "o", color="#D55E00")
    axes.annotate(
        "$q = p(z|x)$: ELBO = ln p(x)", (1.2, math.sqrt(0.2)), (0.2, 0.2), color="#D55E00", arrowprops={"arrowstyle": "->"}
    )
    axes.plot(0, 1, "s", color="black")
    axes.annotate("$q = p(z)$", (0, 1), (0.1, 1.03))
    axes.set(xlabel="mean of q", ylabel="standard deviation of q", title="ELBO of x = 3, in nats")
    fig.colorbar(colours)

# %% [markdown] id="trick"
# ## A gradient through a die
#
# We want to climb this hill by gradients, without the formula: for a network there is none. The ELBO is an expectation over
# draws $z \sim q$. But what is the derivative of a *random draw* by the mean of its distribution?
#
# `rng.normal(mean, std)` gives a plain number. No operation connects it with `mean`, and the tape holds nothing. The way out:
# draw the noise first, from a distribution without parameters, then *compute* $z$ from it:
#
# $$z = m + \sigma e, \qquad e \sim N(0, 1).$$
#
# Now $m$ and $\sigma$ are ordinary inputs, and $\partial z/\partial m = 1$, $\partial z/\partial\sigma = e$. This is the
# *reparameterisation trick* (Kingma and Welling 2014, section 2.4). The encoder gives $\ln\sigma^2$, not $\sigma$: it may be
# any number, and $\sigma = e^{\ln\sigma^2/2}$ is always positive. We call it `log_var`. (A *variance*: mind the half.)
#
# **Predict:** at $q = N(0, 1)$ the exact slopes of the ELBO are 6 by $m$ and $-2$ by $\ln\sigma^2$. One draw of $e$ gives a
# slope too. How far is it typically from 6?


# %% id="trick-code"
def slopes(m, log_var, e):
    """The gradient of ln p(x|z) - KL by m and log_var for each draw e of the noise: two arrays like e."""
    m, log_var = (mg.tensor(np.full(e.shape, value), requires_grad=True) for value in (m, log_var))
    z = m + mg.exp(0.5 * log_var) * e
    bound = -0.5 * mg.square(X - 2 * z) - 0.5 * (mg.square(m) + mg.exp(log_var) - 1 - log_var)
    return [g.numpy() for g in mg.grad(mg.sum(bound), [m, log_var])]


e = np.random.default_rng(1).standard_normal(200_000)
by_mean, by_log_var = slopes(0.0, 0.0, e)
claim([by_mean.mean(), by_log_var.mean()], [6, -2], atol=0.05, says="mean of 200,000 slopes, by m and by log_var")
claim(by_mean.std(), 4, atol=0.02, says="spread of the slope by m from draw to draw: 4, since it is 6 - 4e")

# %% [markdown] id="score"
# There is another way, which needs no path through $z$:
# $\nabla_m \mathbb{E}_q f(z) = \mathbb{E}_q\bigl[f(z)\, \nabla_m \ln q(z)\bigr]$. It asks only "was this draw good?", and not
# "which way is better?". It is right on average as well.
#
# **Predict:** is its spread smaller, equal or larger?

# %% id="score-code"
f = -0.5 * (X - 2 * e) ** 2  # at m = 0 and variance 1 the draw z is e itself
by_score = f * e  # d ln q / dm = (z - m) / variance
claim(by_score.mean(), 6, atol=0.1, says="the other way gives the same slope by m on average")
claim(
    by_score.std() / by_mean.std() > 2.5,
    True,
    says=f"its spread is {by_score.std():.0f} in place of 4: so it needs 14 times the draws",
)

# %% [markdown] id="climb"
# The error of a mean falls with the root of the number of draws, and $(15/4)^2 \approx 14$. This is one dimension; with many
# hidden numbers it is far worse. So we take the first way. One fresh draw per
# step is enough, because Adam averages over steps.
#
# **Predict:** where do $m$ and $\sigma^2$ end?

# %% id="climb-code"
guess = [mg.zeros(1, requires_grad=True), mg.zeros(1, requires_grad=True)]  # m and log_var
adam = mg.optim.Adam(guess, lr=0.02)
noise, late = np.random.default_rng(2), []
for step in range(400 if lesson.fast else 2000):
    m, log_var = guess
    z = m + mg.exp(0.5 * log_var) * mg.tensor(noise.standard_normal(16, dtype=np.float32))
    divergence = 0.5 * mg.sum(mg.square(m) + mg.exp(log_var) - 1 - log_var)
    adam.step(mg.grad(0.5 * mg.mean(mg.square(X - 2 * z)) + divergence, guess))
    if step >= 200:
        late.append([float(m), math.exp(float(log_var))])
claim(np.mean(late, axis=0), [1.2, 0.2], atol=0.05, says="m and variance, found by noisy gradients: those of p(z|x)")

# %% [markdown] id="pictures"
# ## Pictures as coin flips
#
# Now digits. A pixel is white or black, a coin flip: a grey pixel of 0.7 becomes white with probability 0.7, anew in each
# batch. (With grey values in the formula the result would be no probability, and could not be compared.) The simplest model:
# each pixel has a coin of its own, the same for all pictures, and no hidden causes. We measure in nats per picture.
#
# **Predict:** 784 fair coins pay $784 \ln 2 = 543$ nats. What do coins pay that know the mean of each pixel: about 500, 200 or
# 50?

# %% id="pictures-code"
train_set, test_set = load("digits"), load("digits", "test")
flat = lambda pictures: (pictures.reshape(-1, 784) + 1) / 2  # grey values from 0 to 1
grey, unseen = flat(train_set[:].x), flat(test_set[:].x)
flip = lambda values, rng: (rng.random(values.shape, dtype=np.float32) < values).astype(np.float32)
test = flip(unseen, np.random.default_rng(3))

coins = grey.mean(axis=0).clip(1e-3, 1 - 1e-3)
log_coins = (test @ np.log(coins) + (1 - test) @ np.log(1 - coins)).mean()
claim(784 * math.log(2), 543.4, atol=0.05, says="784 fair coins pay")
claim(log_coins, -202.6, atol=0.5, says="ln p of an unseen picture with a coin per pixel")

# %% [markdown] id="nets"
# ## Two networks
#
# The *encoder* is the guess $q$: it looks at a picture and gives a mean and a log-variance for each hidden number. One network
# does so for all pictures, so that an unseen picture costs one pass, not a climb of 2,000 steps. The *decoder* is the model
# $p(x|z)$: it gives 784 logits, one per coin. The loss is $-$ELBO (Kingma and Welling 2014, equation 10 and appendix B):
#
# $$\underbrace{-\ln p(x|z)}_{\text{sum over 784 pixels}} \;+\; \underbrace{\tfrac12 \sum_j \left(m_j^2 + \sigma_j^2 - 1 -
# \ln\sigma_j^2\right)}_{\mathrm{KL}}, \qquad z = m + \sigma e.$$
#
# Sums over pixels and hidden numbers, and a mean over pictures. (What happens with other choices is lesson 11.) In code:
# $-\ln$ of a coin's probability is `softplus(logit) - x * logit`, as in lesson 2.
#
# We take only *two* hidden numbers, because a map has two axes.


# %% id="nets-code"
class VAE(nn.Module):
    """Pictures (N, 784) of 0 and 1, two hidden numbers."""

    def __init__(self, latent=2, width=200):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, 784))

    def guess(self, x):
        """mean and log_var of q(z|x), each (N, latent)."""
        return mg.split(self.encoder(x), 2, axis=1)

    def forward(self, x, e):
        """(-ln p(x|z), KL), both in nats and as means over the pictures, for the noise e (N, latent)."""
        mean, log_var = self.guess(x)
        logits = self.decoder(mean + mg.exp(0.5 * log_var) * e)
        paid = mg.sum(mg.softplus(logits) - x * logits, axis=1)
        divergence = mg.sum(0.5 * (mg.square(mean) + mg.exp(log_var) - 1 - log_var), axis=1)
        return mg.mean(paid), mg.mean(divergence)


# %% [markdown] id="train"
# **Predict:** what do the two parts cost at the start, when both networks are random? (Random logits are near 0, and so are
# `mean` and `log_var`.) And after training: which of the two is larger?


# %% id="train-code"
def fit(model, steps, weight=1.0):
    """Train; (reconstruction, KL) of every step.   weight: of the KL."""
    adam = mg.optim.Adam(model.parameters(), lr=1e-3)
    rng, paid = np.random.default_rng(5), []
    for _ in range(steps):
        x = mg.tensor(flip(grey[rng.integers(0, len(grey), 128)], rng))
        e = mg.tensor(rng.standard_normal((128, model.decoder[0].in_features), dtype=np.float32))
        lost, divergence = model(x, e)
        adam.step(mg.grad(lost + weight * divergence, model.parameters()))
        paid.append((float(lost), float(divergence)))
    return paid


mg.seed(4)
model = VAE()
paid = fit(model, STEPS)
claim(paid[0][0], 784 * math.log(2), atol=10, says="reconstruction at the start: nearly 784 fair coins")
claim(paid[0][1], 0, atol=0.1, says="KL at the start, nearly")
claim(np.mean(paid[-100:], axis=0), [171.5, 4.9], atol=4, full=True, says="reconstruction and KL, mean of the last 100 steps")

# %% [markdown] id="judge"
# ## Judge it on pictures it has not seen
#
# The test pictures come from four fonts that no training picture uses. `one draw` below is the ELBO. Is the gap to $\ln p(x)$
# large? Burda et al. 2016 (equation 8) take $k$ draws per picture and average the *weights* $w = p(x|z)\,p(z)/q(z|x)$ inside
# the logarithm. It is still a lower bound, and a tighter one:
#
# $$\mathbb{E}\ln w \;\le\; \mathbb{E} \ln \tfrac1k \textstyle\sum_i w_i \;\le\; \ln p(x).$$
#
# **Predict:** one coin per pixel has $-203$. Which ELBO will two hidden numbers give? (They carry about 5 nats.)


# %% id="judge-code"
def log_weights(model, x, k, rng):
    """ln w of k draws for each picture: (N, k)."""
    mean, log_var = model.guess(mg.tensor(x))
    found = []
    for _ in range(k):
        e = mg.tensor(rng.standard_normal(mean.shape, dtype=np.float32))
        z = mean + mg.exp(0.5 * log_var) * e
        logits = model.decoder(z)
        log_p = -mg.sum(mg.softplus(logits) - x * logits, axis=1)
        found.append((log_p + 0.5 * mg.sum(mg.square(e) - mg.square(z) + log_var, axis=1)).numpy())
    return np.stack(found, axis=1)


with mg.no_grad():
    weights = log_weights(model, test[:500], 5 if lesson.fast else 50, np.random.default_rng(6))
one_draw, many = weights.mean(), (np.logaddexp.reduce(weights, axis=1) - math.log(weights.shape[1])).mean()
claim(many, iwae_bound(weights), atol=1e-4, says="our bound from many draws, and minigan's")
claim(many > one_draw, True, says=f"it is tighter: {many:.1f} in place of {one_draw:.1f}")
claim(one_draw, -167, atol=4, full=True, says="ELBO of unseen pictures, for two hidden numbers")

# %% [markdown] id="map"
# ## The map
#
# Left: where the encoder puts the test pictures (the means), coloured by digit. It never saw a label. Right: the decoder's
# pictures on a grid over the same plane. The grid is even in probability, so each cell is as likely as any other.

# %% id="map-draw"
with mg.no_grad():
    places = model.guess(mg.tensor(test))[0].numpy()
    even = (np.arange(15) + 0.5) / 15
    fine = np.linspace(-4, 4, 8001)
    total = np.cumsum(np.exp(-(fine**2) / 2))
    axis = np.interp(even, total / total[-1], fine).astype(np.float32)  # 15 numbers of equal probability
    nodes = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1).reshape(-1, 2)
    drawn = mg.sigmoid(model.decoder(mg.tensor(nodes))).numpy().reshape(15, 15, 28, 28)

with figure("map", width=10.5, height=5) as fig:
    left, right = fig.subplots(1, 2)
    dots = left.scatter(*places.T, c=test_set.labels, cmap="tab10", s=5)
    left.set(xlabel="$z_1$", ylabel="$z_2$", xlim=(-4, 4), ylim=(-4, 4), aspect="equal", title="unseen pictures")
    fig.colorbar(dots, ticks=range(10), shrink=0.8)
    right.imshow(drawn.transpose(0, 2, 1, 3).reshape(420, 420), cmap="gray")
    right.set(xticks=[], yticks=[], title="what the decoder draws there")

# %% [markdown] id="map-look"
# Neighbours look alike, and one digit turns into another without a jump. This is the KL's work: it keeps the guesses
# overlapping and near the origin, so that no hole is left from which we might draw. The digits 1, 2, 3, 4 and 7 mostly have
# places of their own. The round ones (0, 5, 6, 8, 9) share one place: two numbers are not enough to keep them apart.
#
# The pictures are grey where the model is unsure, and soft. This is no fault of the code. Given $z$, the pixels are independent
# coins. So all that two numbers cannot say (the font, the slant, the thickness) becomes greyness. More hidden numbers help.
#
# **Predict:** how many nats better is the ELBO with ten hidden numbers in place of two: 5, 20 or 50?

# %% id="ten-code"
mg.seed(4)
ten = VAE(latent=10)
fit(ten, STEPS)
with mg.no_grad():
    ten_elbo = log_weights(ten, test[:500], 10, np.random.default_rng(6)).mean()
claim(ten_elbo, -120, atol=4, full=True, says="ELBO of unseen pictures, for ten hidden numbers")

# %% [markdown] id="draw"
# ## Draw and compare
#
# Draw $z \sim N(0, I)$, decode, done. No step of this needs the encoder.

# %% id="draw-draw"
with mg.no_grad():
    fresh = mg.tensor(np.random.default_rng(7).standard_normal((24, 10), dtype=np.float32))
    generated = mg.sigmoid(ten.decoder(fresh)).numpy()
    again = mg.sigmoid(ten.decoder(ten.guess(mg.tensor(test[:24]))[0])).numpy()
with figure("drawn", width=10, height=1.9) as fig:
    for row, (name, pictures) in enumerate((("seen as", test), ("encoded, decoded", again), ("drawn", generated))):
        axes = fig.add_subplot(3, 1, row + 1)
        axes.imshow(pictures[:24].reshape(24, 28, 28).transpose(1, 0, 2).reshape(28, -1), cmap="gray")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center")

# %% [markdown] id="engine"
# ## The same in minigan
#
# `minigan train vae` is a game with one player and two terms, `reconstruction` and `kl` (`minigan/systems/latent/vae.py`). We
# give it our networks and let both compute the loss of the same pictures with the same noise.
#
# **Predict:** how far apart are they?


# %% id="engine-code"
class Turn:
    """A turn of that game: its nets, and the quantities that its two terms ask for."""

    def __init__(self, model, x, e):
        self.game = vae(model.encoder, Bernoulli(model.decoder), latent=2, optimizer=mg.optim.Adam)
        self.x, self.posterior = x, model.guess(x)
        self.z = self.posterior[0] + mg.exp(0.5 * self.posterior[1]) * e


x, e = mg.tensor(test[:100]), mg.tensor(np.random.default_rng(8).standard_normal((100, 2), dtype=np.float32))
turn = Turn(model, x, e)
claim([float(reconstruction(turn)), float(kl(turn))], [float(part) for part in model(x, e)], atol=1e-3, says="both terms")

# %% [markdown] id="break"
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `VAE.forward` and `log_weights`: write `mg.exp(log_var)` in place of `mg.exp(0.5 * log_var)` where $z$ is made.
# 2. In `fit`: `weight=0.0`. What will the reconstruction, the KL and the map look like?
# 3. In `VAE.forward`: leave the noise out, `logits = self.decoder(mean)`.

# %% [markdown] id="exercise-1"
# ## Exercise 10.1
#
# Write the trick: $z$ from `mean`, `log_var` and the noise `e`, all of the same shape. Write it here, or in a file of your own
# (`minigan exercise start 10.1`).


# %% id="exercise-1-code"
def reparameterise(mean, log_var, e):
    """z = m + sigma e, differentiable by mean and log_var (Tensors)."""
    return None


lesson.exercise("10.1", reparameterise)

# %% [markdown] id="exercise-2"
# ## Exercise 10.2
#
# Write $\mathrm{KL}(N(m, \sigma^2) \,\|\, N(0, I))$ in nats: the sum over the hidden numbers, the mean over the pictures.


# %% id="exercise-2-code"
def kl_to_prior(mean, log_var):
    """One number from mean and log_var, Tensors (pictures, hidden numbers)."""
    return None


lesson.exercise("10.2", kl_to_prior)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 10.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. The draws lie too near the mean, because for $\sigma < 1$ the variance is smaller than $\sigma$. Training does not mind,
#    and with ten hidden numbers the "ELBO" becomes $-110$: ten nats *better*. But it is no bound any more, because the KL
#    belongs to another Gaussian than the one that we draw from. Only the comparison with minigan's terms notices it.
# 2. The reconstruction is hardly better (171, two numbers cannot do more), but the KL is 22 in place of 5: the guesses become
#    narrow and lie far from the origin. The ELBO of unseen pictures falls to $-187$, with ten hidden numbers to $-300$, which
#    is worse than coins.
# 3. Without noise nothing punishes a wide guess, so $\sigma$ stays 1 and the KL is about 1. The reconstruction looks as good as
#    before (170), and the ELBO, which does draw, is $-248$. A loss that looks good is not a bound.
#
# </details>
#
# Predictions: 1.2; 4.795 nats; about 4; larger; 1.2 and 0.2; about 200; 543 and nearly 0, and afterwards the reconstruction is
# still far larger; about $-167$; almost 50; the same to rounding.
#
# ## What you have now
#
# * A bound on $\ln p(x)$, its two parts, and the exact size of what is missing.
# * A gradient through a random draw, and the reason why the noise is an input.
# * A map of digits without labels, and honest numbers for unseen pictures.
#
# Next: a well-known tutorial writes the same loss with one mean in another place, and learns nothing. Lesson 11 says why.

# %% id="end"
lesson.end()
