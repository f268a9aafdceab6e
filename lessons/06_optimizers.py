# %% [markdown] id="promise"
# # 6. Optimizers: from the gradient to the step
#
# The gradient says which way is down. It does not say how far to go. At the end of this lesson you can derive the largest
# learning rate of plain gradient descent, you know what momentum and Adam each repair (and what Adam does not), and you can say
# to two digits what goes wrong when a GAN's two players share one Adam, as in a tutorial's DCGAN.
#
# It takes about 4 seconds (`--fast`: 3). You need lessons 1 to 3 and 5. Answer the question first, then run.
#
# Sources: Robbins and Monro 1951 (falling learning rates). Polyak 1964 (momentum). Sutskever et al. 2013, "On the importance of
# initialization and momentum in deep learning" (equations 1 to 4). Tieleman and Hinton 2012 (RMSprop, lecture 6.5). Kingma and
# Ba 2015, "Adam" (algorithm 1; section 2.1: the size of a step; section 3: bias correction). Radford et al. 2016 (betas of 0.5
# and 0.999 for GANs). Goh 2017, "Why momentum really works" (the valley).

# %% id="setup"
import math
from functools import partial

import numpy as np

import minigan as mg
from minigan.lesson import Lesson
from minigan.optim import SGD, Adam, RMSprop

lesson = Lesson("06_optimizers")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(6)
variable = lambda array: mg.tensor(array, dtype="float64", requires_grad=True)

# %% [markdown] id="valley"
# ## A valley
#
# Near a minimum, every smooth loss looks like a sum of parabolas (lesson 7 finds them). So let us study two of them:
#
# $$f(w) = \tfrac12\,(h_1 w_1^2 + h_2 w_2^2), \qquad h_1 = 1,\ h_2 = 25.$$
#
# A valley: flat along $w_1$, steep across. Gradient descent $w \leftarrow w - \eta\,\nabla f$ treats each coordinate by itself,
# and multiplies it by $1 - \eta h_i$ in each step. It shrinks if this number is between -1 and 1.
#
# **Predict:** what is the largest learning rate $\eta$ with which both coordinates shrink? Which one is the best, and by which
# factor does the slower coordinate shrink then?


# %% id="valley-code"
def descend(rule, steps, h=(1.0, 25.0), angle=0.0, scale=1.0):
    """Follow the optimizer rule down the valley, turned by an angle; the places (steps + 1, 2), the values of f on the way."""
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    w, values = variable(turn @ np.array([5.0, 1.0])), []
    optimizer, places = rule([w]), [w.tolist()]
    for _ in range(steps):
        f = 0.5 * mg.sum(np.array(h) * mg.square(turn.T @ w))
        optimizer.step(mg.grad(scale * f, [w]))
        values.append(float(f))
        places.append(w.tolist())
    return np.array(places), np.array(values)


def until(values, low=1e-6):
    """The first step at which f is below `low`; -1 if it never is."""
    return int(np.argmax(values < low)) if (values < low).any() else -1


below, above = (descend(partial(SGD, lr=lr), 300)[1][-1] for lr in (0.079, 0.081))
claim([below < 1e-4, above > 1e4], [True, True], says="2 / 25 = 0.08 is the border: 0.079 shrinks, 0.081 explodes")
places, plain = descend(partial(SGD, lr=2 / 26), 300)
claim(np.abs(places[101] / places[100]), [24 / 26, 24 / 26], atol=1e-9, says="at 2 / (1 + 25) both shrink by 24/26 = 0.923")
claim(until(plain), 107, atol=1, says="steps until f is below a millionth")

# %% [markdown] id="condition"
# So the steep direction limits the learning rate, and the flat direction pays for it. With $\kappa = h_2/h_1$ (the *condition
# number*), the best factor is $(\kappa - 1)/(\kappa + 1)$: the number of steps grows like $\kappa$.
#
# ## Momentum
#
# Let the gradients $g$ add up in $b$, and forget the old ones slowly. The *momentum* $\mu$, a number between 0 and 1, says how
# slowly (Polyak 1964; here in PyTorch's form):
#
# $$b \leftarrow \mu\, b + g, \qquad w \leftarrow w - \eta\, b.$$
#
# Across the valley, the gradients change their sign, and cancel in $b$. Along it, they agree, and add up.
#
# **Predict:** the gradient is 1 in every step, and $\mu = 0.9$. How long is a step after a while, in units of $\eta$?


# %% id="momentum-code"
def steps_for(rule, gradients):
    """The steps that the optimizer rule makes for this list of gradients of one number."""
    w = variable([0.0])
    optimizer, places = rule([w]), [0.0]
    for g in gradients:
        optimizer.step([np.array([g])])
        places.append(float(w))
    return -np.diff(places)


claim(steps_for(partial(SGD, lr=1.0, momentum=0.9), [1.0] * 200)[-1], 10, atol=1e-6, says="1 + 0.9 + 0.81 + ... =")
momentum = descend(partial(SGD, lr=4 / 36, momentum=(4 / 6) ** 2), 300)[1]
claim(until(momentum), 30, atol=1, says="steps down the valley with the best momentum, in place of 107")

# %% [markdown] id="momentum-why"
# A momentum of 0.9 makes the steps ten times longer. Who adds momentum should divide the learning rate by ten, or compare
# again.
#
# With the best $\eta = 4/(\sqrt{h_1} + \sqrt{h_2})^2$ and $\mu = ((\sqrt\kappa - 1)/(\sqrt\kappa + 1))^2$, the factor per step
# becomes $(\sqrt\kappa - 1)/(\sqrt\kappa + 1)$: here 4/6. The number of steps grows like $\sqrt\kappa$ only. (Nesterov's
# variant looks ahead: it takes the gradient where the momentum will lead. This is exercise 6.2.)
#
# ## A learning rate for each coordinate
#
# RMSprop and Adam divide each coordinate of the gradient by its own recent size. Adam (Kingma and Ba 2015, algorithm 1):
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2, \qquad
#   w \leftarrow w - \eta\,\frac{\hat m}{\sqrt{\hat v} + \epsilon}.$$
#
# $m$ is a mean of recent gradients (the momentum), $v$ one of their squares. The hats come in a moment; $\epsilon$ is a tiny
# number that prevents a division by 0. RMSprop is Adam without hats, with $\beta_1 = 0$ and, here, $\beta_2 = 0.99$.
#
# **Predict:** we multiply the whole loss by 1000. What happens to the path of Adam? To that of gradient descent?

# %% id="scale-code"
same = descend(partial(Adam, lr=0.1), 100, scale=1000)[0] - descend(partial(Adam, lr=0.1), 100)[0]
claim(np.abs(same).max(), 0, atol=1e-6, says="Adam: largest change of the path")
claim(descend(partial(SGD, lr=2 / 26), 20, scale=1000)[1][-1] > 1e50, True, says="gradient descent: it explodes")

# %% [markdown] id="turned"
# Adam does not see the scale of the loss (only $\epsilon$ does, a little). And it does not see the scale of a coordinate: in
# our valley, it makes both directions equally steep.
#
# **Predict:** how many steps does Adam ($\eta = 0.1$) need in a valley with $\kappa = 25$? With $\kappa = 2500$? And if this
# second valley is turned by 45 degrees?


# %% id="turned-code"
def adam_needs(kappa, angle=0.0, steps=200):
    """Adam's steps until f is below 1/1000; -1 if these are not enough."""
    return until(descend(partial(Adam, lr=0.1), steps, h=(1.0, kappa), angle=angle)[1], 1e-3)


claim([adam_needs(25.0), adam_needs(2500.0)], [82, 82], atol=3, says="steps until f is below 1/1000, for 25 and for 2500")
claim(adam_needs(2500.0, math.pi / 4, steps=2000), -1, says="turned by 45 degrees: it is not there after 2000 steps")
straight, diagonal = (descend(partial(SGD, lr=2 / 26), 100, angle=angle)[1] for angle in (0.0, math.pi / 4))
claim(np.abs(straight - diagonal).max(), 0, atol=1e-9, says="gradient descent: turning the valley changes nothing")

# %% [markdown] id="turned-why"
# This is the fine print. "A learning rate for each coordinate" helps if the valley lies along a coordinate: for example if one
# layer has much smaller gradients than another. Across two coordinates there is nothing to divide by. (Gradient descent would
# not care about the angle at all. It would be slow in both.)
#
# The paths, for $\kappa = 25$:

# %% id="paths-draw"
with figure("paths", width=9, height=5.2) as fig:
    grid = np.meshgrid(np.linspace(-3.5, 6, 100), np.linspace(-1.6, 1.6, 60))
    rules = {
        "gradient descent, 2/26": (partial(SGD, lr=2 / 26), "#0072B2"),
        "momentum": (partial(SGD, lr=4 / 36, momentum=(4 / 6) ** 2), "#D55E00"),
        "RMSprop, 0.1": (partial(RMSprop, lr=0.1), "#009E73"),
        "Adam, 0.3": (partial(Adam, lr=0.3), "#CC79A7"),
    }
    for axes, (name, (rule, colour)) in zip(fig.subplots(2, 2, sharex=True, sharey=True).ravel(), rules.items()):
        axes.contour(
            *grid, 0.5 * (grid[0] ** 2 + 25 * grid[1] ** 2), levels=2.0 ** np.arange(-3, 6), colors="0.8", linewidths=1
        )
        axes.plot(*descend(rule, 40)[0].T, "o-", color=colour, markersize=3, linewidth=1.2)
        axes.plot(0, 0, "k+", markersize=10)
        axes.set_title(f"{name}: 40 steps", fontsize=10)

# %% [markdown] id="bias"
# ## The hats: bias correction
#
# In `paths.png`, look at the first step of RMSprop: it is ten times as long as its learning rate. Here is why.
#
# $m$ and $v$ start at 0, so at first they are too small. After $t$ steps with a constant gradient, $m = (1 - \beta_1^t)\,g$ and
# $v = (1 - \beta_2^t)\,g^2$. Adam divides this out (section 3 of the paper):
#
# $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}.$$
#
# Then the first step has exactly the length $\eta$.
#
# **Predict:** without the hats, is the first step too short or too long? By which factor, for the usual betas 0.9 and 0.999?
# And for 0.5 and 0.999, which many GANs use?


# %% id="bias-code"
def without_hats(gradients, betas):
    """The steps of an Adam with learning rate 1 that uses m and v as they are."""
    m, v, steps = 0.0, 0.0, []
    for g in gradients:
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        steps.append(m / math.sqrt(v))
    return np.array(steps)


usual, for_gans = (0.9, 0.999), (0.5, 0.999)
claim(steps_for(partial(Adam, lr=1.0), [7.0] * 3), [1, 1, 1], atol=1e-6, says="Adam: three steps with the gradient 7")
claim(without_hats([7.0], usual), [0.1 / math.sqrt(0.001)], atol=1e-9, says="without hats: the first step, 3.16 times too long")
claim(without_hats([7.0], for_gans), [0.5 / math.sqrt(0.001)], atol=1e-9, says="with betas 0.5 and 0.999: 15.8 times")
claim(steps_for(partial(RMSprop, lr=1.0), [7.0]), [10], atol=1e-6, says="RMSprop has no hats: 1 / sqrt(1 - 0.99)")
claim(without_hats([7.0] * 100, usual).max() > 6, True, says="and the worst of the first hundred is more than 6 times too long")

# %% [markdown] id="bias-why"
# Both means are too small, but $v$ stands under a root and is much slower. So without the correction Adam begins with its
# longest steps, at the moment when the gradients say least.
#
# The same factor has a second meaning. Let a weight receive nothing for a long time, and then one gradient (a rare word, say).
# Then $m = (1-\beta_1)\,g$ and $v = (1 - \beta_2)\,g^2$ again, and the hats are 1 by now. **Predict:** how long is this one
# step?

# %% id="sparse-code"
rare = steps_for(partial(Adam, lr=1.0), [0.0] * 10_000 + [7.0])[-1]
claim(rare, 3.16, atol=0.01, says="a rare gradient: the step, in units of the learning rate")

# %% [markdown] id="shared"
# ## A shared counter
#
# A tutorial's DCGAN makes *one* Adam, and lets it update first D, then G, in every iteration. Its library (Keras) keeps $m$ and
# $v$ for each weight. But it counts the steps $t$ once for the whole optimizer. So $t$ runs twice as fast as the means: at the
# $k$-th update of G, $t = 2k$. The hats are then wrong. For a constant gradient the step is too long by the factor
#
# $$\frac{1 - \beta_1^{k}}{1 - \beta_1^{2k}}\,\sqrt{\frac{1 - \beta_2^{2k}}{1 - \beta_2^{k}}}
#   = \frac{\sqrt{1 + \beta_2^k}}{1 + \beta_1^k}.$$
#
# **Predict:** is G's first step too short or too long? And the step number 58? (Use $0.9^{58} \approx 0$ and $0.999^{58}
# \approx 0.94$.) When is it over?
#
# We measure it with minigan's Adam: between two steps we count further, as if another player had moved.


# %% id="shared-code"
def shared(others, betas, updates, first=False):
    """Step lengths of a player whose Adam also counts `others` steps of other players per round, with the gradient 1.

    first: does this player move before the others?"""
    w, places = variable([0.0]), [0.0]
    adam = Adam([w], lr=1.0, betas=betas)
    for k in range(updates):
        state = adam.state_dict()
        state["state"]["0"]["step"] += others if k or not first else 0
        adam.load_state_dict(state)
        adam.step([np.array([1.0])])
        places.append(float(w))
    return -np.diff(places)


# %% id="shared-measured"
updates = 1000 if lesson.fast else 3000
k = np.arange(1, updates + 1)
G_steps, D_steps = shared(1, usual, updates), shared(1, usual, updates, first=True)
claim(G_steps, np.sqrt(1 + 0.999**k) / (1 + 0.9**k), atol=1e-6, says="every step of G, as the formula says")
claim(
    [D_steps[0], G_steps[0]],
    [1, math.sqrt(1.999) / 1.9],
    atol=1e-6,
    says="the first steps of D and G: the right length, and 0.74 of it",
)
claim(G_steps.max(), 1.391, atol=0.001, says="the longest step of G is 39 percent too long")
claim(G_steps.argmax() + 1, 58, atol=1, says="this is its update number")
claim([G_steps[99], G_steps[999]], [1.380, 1.169], atol=0.001, says="after 100 and after 1000 updates it is still too long by")
claim(math.sqrt(1 + 0.999**3000), 1.025, atol=0.001, says="and after 3000, by the formula")

# %% [markdown] id="shared-more"
# The limit is $\sqrt2$, because $\hat v$ is half of what it should be. It fades only as $0.999^k$ does: 2.5 percent are left
# after 3,000 updates. So the fault is a learning rate that is up to 39 percent too large, in the part of the training where a
# GAN is most easily lost. No curve shows it, and it is not in the log.
#
# **Predict:** WGAN-GP makes five updates of D for each one of G. How much too long are G's steps if all of them are counted
# together?

# %% id="shared-more-code"
many = shared(5, for_gans, updates)
claim(many.max(), 2.42, atol=0.01, says="five turns of D: G's longest step, limit sqrt(6) = 2.45")
claim(shared(5, (0.0, 0.9), 40)[-1] < 1.01, True, says="with WGAN-GP's own betas, 0 and 0.9, it is over after 40 updates")


# %% id="shared-draw"
with figure("shared", width=8, height=4) as fig:
    axes = fig.add_subplot()
    for steps, colour, style, name in (
        (G_steps, "#D55E00", "-", "G, betas 0.9 and 0.999"),
        (D_steps, "#0072B2", "--", "D, the same (it moves first)"),
        (shared(1, for_gans, updates), "#E69F00", ":", "G, betas 0.5 and 0.999"),
        (many, "#009E73", "-", "G, five turns of D, betas 0.5 and 0.999"),
    ):
        axes.semilogx(k, steps, style, color=colour, linewidth=2, label=name)
    axes.axhline(1, color="0.4", linewidth=1)
    axes.set(xlabel="update $k$ of this player", ylabel="its step / the right step", ylim=(0.6, 2.6))
    axes.legend(frameon=False, loc="upper right", fontsize=9)

# %% [markdown] id="own"
# What protects from this? An Adam for each player, as in lesson 2 and in all of minigan's systems. Or a count for each
# *parameter*: minigan's optimizers have it (PyTorch's as well). Then even one Adam for both is right, if the other player's
# gradients are `None`.
#
# **Predict:** one Adam for two weights; each moves only in every second step. How far from two Adams is it after 20 steps?

# %% id="own-code"
gradients = rng.standard_normal((20, 2))
together, apart = [variable([0.0]), variable([0.0])], [variable([0.0]), variable([0.0])]
one, two = Adam(together, lr=0.1), [Adam([w], lr=0.1) for w in apart]
for row in gradients:
    for player in (0, 1):
        g = np.array([row[player]])
        one.step([g if player == 0 else None, g if player == 1 else None])
        two[player].step([g])
claim([float(a) - float(b) for a, b in zip(together, apart)], [0, 0], says="difference after 20 steps of each")
claim(one.state_dict()["state"]["1"]["step"], 20, says="the count of the second weight, not 40")

# %% [markdown] id="noise"
# ## The gradient is a guess
#
# A batch gives the gradient with noise. At the minimum of $\frac12 w^2$ each step is $w \leftarrow w - \eta\,(w + \xi)$, with
# noise $\xi$ of variance 1. So the variance of $w$ does not go to zero: it settles where $V = (1-\eta)^2 V + \eta^2$, at $V =
# \eta/(2 - \eta)$.
#
# **Predict:** what helps more in the end: half the learning rate, or $\eta = 1/t$ in step $t$ (Robbins and Monro 1951)? What is
# the variance after 200 steps of the latter? (Hint: $w$ is then the mean of all noise so far.)


# %% id="noise-code"
def settled(lr, steps=200, copies=20_000):
    """The variance of w over many copies, after so many noisy steps; lr: a function of the step, from 1."""
    w = variable(np.ones(copies))
    sgd = SGD([w], lr=1.0)
    for t in range(1, steps + 1):
        sgd.param_groups[0]["lr"] = lr(t)
        sgd.step([w.detach().numpy() + rng.standard_normal(copies)])
    return w.detach().numpy().var()


constant = [settled(lambda t: 0.2), settled(lambda t: 0.1)]
claim(constant, [0.2 / 1.8, 0.1 / 1.9], atol=0.004, says="0.2 and 0.1: about half the variance")
claim(settled(lambda t: 1 / t), 1 / 200, atol=0.0005, says="1/t: the variance after 200 steps is 1/200")

# %% [markdown] id="break"
# So a learning rate does two things: it decides how fast one arrives, and how much one trembles after that. Schedules begin
# with large steps and end with small ones. (In a GAN the minimum moves, because the opponent learns. There a rate that falls to
# zero stops the game, it does not win it.)
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `descend`: start with `np.array([5.0, 0.0])` in the place of `np.array([5.0, 1.0])`. Which learning rates explode now?
# 2. In `own-code`: put `0 * g` in the place of `None`, twice. The player who waits now receives a gradient of zero.
# 3. In `momentum-code`, in the call of `descend`: put `momentum=0.95` in the place of `momentum=(4 / 6) ** 2`.

# %% [markdown] id="exercise-1"
# ## Exercise 6.1
#
# Write one step of Adam, in the five lines of algorithm 1. `t` counts from 1. Return the new `w`, `m` and `v` (without hats:
# the next step needs them as they are).


# %% id="exercise-1-code"
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    """The new (w, m, v) after step t of Adam with the gradient g; in NumPy."""
    return None


lesson.exercise("6.1", adam_step)

# %% [markdown] id="exercise-2"
# ## Exercise 6.2
#
# Nesterov's momentum, as Sutskever et al. 2013 write it (equations 3 and 4): look where the momentum leads, $w + \mu b$, take
# the gradient *there*, then $b \leftarrow \mu b - \eta\,g$ and $w \leftarrow w + b$. (Here the learning rate is inside of $b$.)


# %% id="exercise-2-code"
def nesterov_step(w, b, gradient, lr, momentum):
    """The new (w, b); gradient is a function of the place."""
    return None


lesson.exercise("6.2", nesterov_step)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 6.1 --answer` shows a right answer. minigan's own (`minigan/optim/rules.py`) is the same in place, and
# works on one vector that holds all parameters.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. Then there is no steep direction: $w_2$ is 0 and stays exactly 0. The border moves from 2/25 to 2/1, and 0.081 converges.
#    (The second claim divides 0 by 0.) In the turned valley nothing is exactly 0, rounding is enough, and the steep direction
#    is back.
# 2. The two are no longer equal, and the count is 40. A gradient of zero is not "no gradient": $m$ and $v$ shrink, the counter
#    runs, and the weight even *moves* in the other player's turn, because $m$ is not zero. `None` leaves all of it alone.
# 3. It needs 227 steps, twice as many as without momentum. The weight shoots past the minimum again and again, like a ball in a
#    bowl. More momentum is not better: the best one depends on $\kappa$.
#
# </details>
#
# Predictions: 2/25, 2/26, 24/26; 10; Adam stays on its path, gradient descent explodes; 82, 82, more than 2000; too long, 3.16
# and 15.8; 3.16; first too short (0.74), then too long (1.39), over after about 3,000; 2.42; it is the same to the last bit;
# 1/t, 1/200.
#
# ## What you have now
#
# * A formula for the largest learning rate, and the condition number as the reason for trouble.
# * What each cure is for: momentum for narrow valleys, division by the size for coordinates of different scale, hats for the
#   start.
# * One optimizer for each player.
#
# Next: lesson 7 differentiates the gradient.

# %% id="end"
lesson.end()
