# %% [markdown] id="promise"
# # 19. WGAN: a distance that can be felt from far away
#
# D's loss says *that* generated points differ from real ones (lesson 13). It does not say by how much, once they no longer
# overlap. The Wasserstein distance does. At the end of this lesson you can compute it exactly on a line, you have built the
# function that attains it, and you have trained a *critic* that estimates it. You know what clipping its weights costs.
#
# It takes about 6 seconds (`--fast`: 2). You need lessons 6, 13 and 14. Answer the question first, then run.
#
# Sources: Arjovsky, Chintala and Bottou 2017, "Wasserstein GAN" (example 1, equation 2, algorithm 1; section 3: clipping).
# Villani 2009, "Optimal Transport" (the dual form; theorem 5.10). Gulrajani et al. 2017 (section 3: what clipping does to the
# weights).

# %% id="setup"
import numpy as np

import minigan as mg
from minigan import nn
from minigan.lesson import Lesson

lesson = Lesson("19_wgan")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(0)

# %% [markdown] id="work"
# ## A distance as work
#
# Think of a distribution as a heap of sand. To turn one heap into another, sand must be carried. The *Wasserstein distance*
# $W$ is the least work: amount times way, with the best plan. On a line, the best plan is simple: the leftmost grain goes to
# the leftmost place, and so on. So for two samples of the same size, sort both and take the mean difference.
#
# **Predict:** all real points are at 0, all generated ones at $\theta$. How large is $W$? And if 1,000 points of $N(0, 1)$
# are all moved by 3?


# %% id="work-code"
def distance(x, y):
    """The Wasserstein distance of two samples of the same size on a line."""
    return np.abs(np.sort(x) - np.sort(y)).mean()


points = rng.standard_normal(1000)
claim(distance(np.zeros(10), np.full(10, 0.7)), 0.7, atol=1e-12, says="from 0 to 0.7")
claim(distance(points, rng.permutation(points + 3)), 3.0, atol=1e-12, says="everything moved by 3, in another order")
claim(distance(points, points[::-1]), 0.0, says="the same points in another order")

# %% [markdown] id="flat"
# ## What the other distance does
#
# The best D of lesson 13 pays $2\ln 2 - 2\,\mathrm{JS}$. Take two uniform distributions of width 1, the second moved by
# $\theta$ (example 1 of the paper is the same with width 0). They overlap while $|\theta| < 1$.
#
# **Predict:** JS and $W$ for $\theta$ = 0.5, 1, 2 and 3. What is the slope of each by $\theta$ beyond 1?


# %% id="flat-code"
def js(p, q):
    """The Jensen-Shannon divergence of two lists of probabilities."""
    middle = (p + q) / 2
    log_ratio = lambda a: np.sum(a[a > 0] * np.log(a[a > 0] / middle[a > 0]))
    return (log_ratio(p) + log_ratio(q)) / 2


grid = np.arange(-1, 6, 0.001) + 0.0005
box = lambda theta: np.where((grid > theta) & (grid < theta + 1), 1.0, 0.0) / 1000
thetas = [0.5, 1.0, 2.0, 3.0]
claim([js(box(0), box(t)) for t in thetas], [0.5 * np.log(2), *[np.log(2)] * 3], atol=1e-6, says="JS: half of ln 2, then ln 2")
uniform = (np.arange(1000) + 0.5) / 1000
claim([distance(uniform, uniform + t) for t in thetas], thetas, atol=1e-12, says="W is theta")
with figure("distances") as fig:
    axes, where = fig.add_subplot(), np.linspace(0, 3, 61)
    axes.plot(where, [js(box(0), box(t)) for t in where], color="#D55E00", label="JS (what D measures)")
    axes.plot(where, where, color="#0072B2", label="W (work)")
    axes.set(xlabel=r"$\theta$", ylabel="distance of the two boxes", ylim=(0, 2.2))
    axes.legend(frameon=False)

# %% [markdown] id="dual"
# JS is flat where G most needs a slope. $W$ falls all the way.
#
# ## The same number, from a function
#
# A network cannot sort a cloud of pictures. But $W$ has a second form (Villani 2009; equation 2 of the paper):
#
# $$W(p, q) = \max_{|f'| \le 1}\ \mathbb{E}_p\, f - \mathbb{E}_q\, f.$$
#
# Among all functions whose slope is nowhere above 1, take the one that tells the two apart best. On a line we can build it:
# let $P$ and $Q$ be the shares of points to the left of a place. Where $Q > P$ the best $f$ rises with slope 1, where $Q < P$
# it falls.
#
# **Predict:** for real points around 0 and generated ones around 3: what does the best $f$ look like?


# %% id="dual-code"
def best_critic(x, y):
    """The function f that attains the maximum: its corners (places, values)."""
    places = np.sort(np.concatenate([x, y]))
    left = lambda sample: np.searchsorted(np.sort(sample), places[:-1], side="right") / len(sample)
    slopes = np.sign(left(y) - left(x))
    return places, np.concatenate([[0.0], np.cumsum(slopes * np.diff(places))])


def value(f, x, y):
    """E f(x) - E f(y)."""
    return np.mean(f(x)) - np.mean(f(y))


real, moved, wide = rng.normal(0, 1, 4000), rng.normal(3, 1, 4000), rng.normal(0, 3, 4000)
corners = [best_critic(real, other) for other in (moved, wide)]
values = [value(lambda z, c=c: np.interp(z, *c), real, other) for c, other in zip(corners, (moved, wide))]
steepest = [np.abs(np.diff(c[1]) / np.diff(c[0])).max() for c in corners]
claim(values[0], distance(real, moved), atol=1e-9, says="moved by 3: the best f gives W")
claim(values[1], distance(real, wide), atol=1e-9, says="three times as wide: the best f gives W")
claim(steepest, [1.0, 1.0], atol=1e-6, says="their steepest slopes")
claim(abs(value(np.sin, real, moved)) < distance(real, moved), True, says="the sine, whose slope is at most 1 too, gives less")

# %% [markdown] id="clip"
# ## A critic with clipped weights
#
# The paper lets a network be $f$, and calls it the *critic*: no sigmoid, it gives a score. It must not be steep. The paper's
# way is crude: after each update, put every weight that left $[-c, c]$ back on the border. Then the slope is at most some
# number $K$, and the critic can reach at most $K\,W$.
#
# The network below has three layers of weights. **Predict:** we halve $c$. By which factor does the largest possible slope
# change?


# %% id="clip-code"
def network():
    return nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))


def clip(net, c):
    """Put every weight back into [-c, c]."""
    with mg.no_grad():
        for p in net.parameters():
            p.copy_(mg.clip(p, -c, c))


column = lambda sample: mg.tensor(np.asarray(sample, np.float32)[:, None])
score = lambda net, z: net(column(z)).detach().numpy()[:, 0]


# %% id="critic-code"
def trained_critic(x, y, c, steps=900):
    """A critic that tells the samples x and y apart, by algorithm 1."""
    mg.seed(0)
    net, draws = network(), np.random.default_rng(1)
    rms = mg.optim.RMSprop(net.parameters(), lr=5e-4)
    for _ in range(250 if lesson.fast else steps):
        loss = net(column(draws.choice(y, 256))).mean() - net(column(draws.choice(x, 256))).mean()
        rms.step(mg.grad(loss, net.parameters()))
        clip(net, c)
    return net


far = {t: (rng.normal(0, 0.1, 2000), rng.normal(t, 0.1, 2000)) for t in (2.0, 3.0, 4.0)}
critics = {t: trained_critic(*far[t], c=0.1) for t in far}
narrow = trained_critic(*far[3.0], c=0.05)
found = [value(lambda z, t=t: score(critics[t], z), *far[t]) for t in far]
half = value(lambda z: score(narrow, z), *far[3.0])
weights = np.concatenate([p.detach().numpy().ravel() for p in critics[3.0].parameters()])
claim(found[1] / half, 8, atol=1.5, says="half the border, an eighth of the value: three layers", full=True)
claim(np.mean(np.abs(weights) > 0.099) > 0.8, True, says="more than 80 percent of the weights stand at the border", full=True)
claim(found[0] < found[1] < found[2], True, says="the value grows with the distance 2, 3, 4")
shares = [v / distance(*far[t]) for v, t in zip(found, far)]
claim(shares, [0.59, 0.49, 0.52], atol=0.1, says="the value as a share of W: about a half each time", full=True)

# %% [markdown] id="clip-why"
# Two things are wrong with clipping. The value is about a half of $W$ here, but only by chance: its bound is $K\,W$, and $K$
# depends on $c$ to the power of the depth. With a small $c$ the gradients vanish, with a large one they explode, and there is
# no telling which is which. And nearly all weights stand at $-c$ or $c$: what is left is a very simple function (Gulrajani et
# al. 2017 show the same, and replace clipping: lesson 20).
#
# ## What G feels
#
# **Predict:** generated points are at $\theta$ = 4, real ones at 0. What slope does G get from the critic, and what from a
# trained D with the saturating loss of lesson 14? And at $\theta$ = 2?


# %% id="feel-code"
def trained_d(x, y):
    """A discriminator that tells the samples apart."""
    mg.seed(0)
    net, draws = network(), np.random.default_rng(1)
    adam = mg.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(150 if lesson.fast else 600):
        real, fake = column(draws.choice(x, 256)), column(draws.choice(y, 256))
        loss = mg.softplus(-net(real)).mean() + mg.softplus(net(fake)).mean()
        adam.step(mg.grad(loss, net.parameters()))
    return net


def pull(net, loss, y):
    """The slope of G's loss, if all generated points move together."""
    z = mg.tensor(column(y).numpy(), requires_grad=True)
    return abs(float(mg.grad(loss(net(z)), z)[0].sum()))


of_critic = [pull(critics[t], lambda b: -b.mean(), far[t][1]) for t in (2.0, 4.0)]
of_d = [pull(trained_d(*far[t]), lambda b: -mg.softplus(b).mean(), far[t][1]) for t in (2.0, 4.0)]
claim(of_critic[1] / of_critic[0], 1.0, atol=0.25, says="the critic pulls equally at 2 and at 4", full=True)
claim(min(of_critic) > 100 * max(of_d), True, says="100 times the pull of the saturating loss", full=True)

# %% [markdown] id="game"
# ## A generator on a line
#
# Real points are $N(2, 0.5)$. G has two numbers, $m$ and $s$, and makes $m + s z$; it starts at $-2$ and 1. In each iteration
# the critic takes five steps, G takes one (algorithm 1). We write down the critic's value, and the exact $W$ beside it.
#
# **Predict:** does the critic's value say how far G still has to go? (D's loss, lesson 13, did not.)


# %% id="game-code"
def play(c=0.1, turns=5, optimizer=mg.optim.RMSprop):
    """The log of the game: rows (critic's value, exact W, m, s)."""
    mg.seed(0)
    draws, net, log = np.random.default_rng(0), network(), []
    m, s = (mg.tensor([start], dtype="float32", requires_grad=True) for start in (-2.0, 1.0))
    of_net, of_g = optimizer(net.parameters(), lr=1e-3), mg.optim.RMSprop([m, s], lr=1e-2)
    for _ in range(60 if lesson.fast else 500):
        for _ in range(turns):
            fake = (m + s * column(draws.standard_normal(256))).detach()
            loss = net(fake).mean() - net(column(draws.normal(2, 0.5, 256))).mean()
            of_net.step(mg.grad(loss, net.parameters()))
            clip(net, c)
        of_g.step(mg.grad(-net(m + s * column(draws.standard_normal(256))).mean(), [m, s]))
        made = m.item() + s.item() * draws.standard_normal(4000)
        log.append((-float(loss.detach()), distance(draws.normal(2, 0.5, 4000), made), m.item(), s.item()))
    return np.array(log)


log = play()
critic_value, exact, m, s = log.T

# %% id="game-claims"
claim(exact[0] > 3.5 and exact[-1] < exact[0], True, says="W begins near 4 and falls")
claim(exact[-100:].mean() < 0.15, True, says="at the end, W is below 0.15", full=True)
claim(np.corrcoef(critic_value[20:], exact[20:])[0, 1] > 0.9, True, says="value and W: correlation above 0.9", full=True)
claim([m[-100:].mean(), s[-100:].mean()], [2.0, 0.5], atol=0.2, says="G has found 2 and 0.5", full=True)
with figure("game", width=8, height=3.4) as fig:
    left, right = fig.subplots(1, 2)
    left.plot(exact, color="#0072B2", label="exact W")
    left.plot(critic_value / critic_value[20:60].mean() * exact[20:60].mean(), color="#D55E00", label="critic's value, scaled")
    left.set(xlabel="iteration", ylim=(-0.3, 4.3))
    left.legend(frameon=False)
    right.plot(m, color="#009E73", label="m (goal 2)")
    right.plot(s, color="#CC79A7", label="s (goal 0.5)")
    right.set(xlabel="iteration")
    right.legend(frameon=False)

# %% [markdown] id="break"
# The value falls as $W$ falls, so for the first time a loss of a GAN can be read as progress. But only its *course*: its
# scale is $K$, which nobody knows. And it lags: the critic must follow G.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `log = play()`: put `turns=1`. The critic now has as many steps as G.
# 2. In `log = play()`: put `c=1.0`, a wide border.
# 3. In `clip-code`: take one of the two hidden layers out of `network`. What is the factor of 8 now?

# %% [markdown] id="exercise-1"
# ## Exercise 19.1
#
# The samples `x` and `y` may have *different* sizes. On a line, $W$ is the area between the two step functions $P$ and $Q$
# (the share of points to the left of a place). Write it with NumPy: sort all places, and add up |P - Q| times the way to the
# next place.


# %% id="exercise-1-code"
def any_sizes(x, y):
    """The Wasserstein distance of two samples on a line, of any sizes."""
    return None


lesson.exercise("19.1", any_sizes)

# %% [markdown] id="exercise-2"
# ## Exercise 19.2
#
# Write what the critic and G minimise in a WGAN, given the critic's scores `a` of real and `b` of generated points.


# %% id="exercise-2-code"
def wgan_losses(a, b):
    """(loss of the critic, loss of G)."""
    return None


lesson.exercise("19.2", wgan_losses)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 19.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. The critic is behind, so G runs past its goal: $W$ is about 0.76 in the last 100 iterations, and $m$ is near 2.8.
# 2. The critic is very steep and one step of RMSprop changes it much. G is thrown about: $W$ is about 0.24 at the end,
#    and value and $W$ go together less well.
# 3. Near 4: two layers of weights, the border to the power of two.
#
# </details>
#
# Predictions: $\theta$ and 3; JS 0.347, then 0.693 three times, and $W$ is $\theta$, slopes 0 and 1; it falls with slope 1
# from the real points to the generated ones; an eighth; about 0.4 at both, from D less than 0.001; yes, up to its scale.
#
# ## What you have now
#
# * A distance that is exact on a line: sort and subtract.
# * Its second form, a function of bounded slope, which a network can be.
# * A critic whose value can be read, and two reasons to bound its slope in a better way.
#
# Next: lesson 20 replaces clipping by a penalty.

# %% id="end"
lesson.end()
