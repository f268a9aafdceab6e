# %% [markdown] id="promise"
# # 21. Dynamics: why the players circle each other
#
# Gradient descent on a valley has an end. A game may turn for ever. At the end of this lesson you can read from two numbers,
# the eigenvalues of a small matrix, whether a game turns, runs away or comes to rest. You know what a smaller step, taking
# turns, momentum and the penalty R1 each change, and how strong R1 should be here.
#
# It takes about 2 seconds. You need lessons 6 (learning rates), 7 (second derivatives), 13 and 20 (R1).
#
# Sources: Mescheder, Geiger and Nowozin 2018, "Which training methods for GANs do actually converge?" (the Dirac-GAN: section
# 2; R1: section 4). Gidel et al. 2019, "Negative momentum for improved game dynamics". Balduzzi et al.
# 2018 (a field as a sum of a symmetric and an antisymmetric part). minigan's own $J$ is in `minigan/optim/dynamics.py`.

# %% id="setup"
import numpy as np

import minigan as mg
from minigan.lesson import Lesson
from minigan.optim import dynamics

lesson = Lesson("21_dynamics")
claim, figure = lesson.claim, lesson.figure

# %% [markdown] id="dirac"
# ## The smallest GAN
#
# All real points are at 0. G has one number: all its points are at $\theta$. D has one number too: its logit is $D(x) = \psi
# x$. With $f(t) = \log \sigma(t)$ the game is (saturating, so both players look at the same number)
#
# $$v(\theta, \psi) = f(-\theta\psi) + f(0), \qquad \psi \text{ goes up, } \theta \text{ goes down.}$$
#
# **Predict:** where does the game rest? What do the two players do, if G stands at $\theta = 1$ and D is undecided, $\psi =
# 0$?


# %% id="dirac-code"
def value(theta, psi):
    """What D gains: log sigma(D(0)) + log(1 - sigma(D(theta)))."""
    return -mg.softplus(theta * psi) - mg.softplus(0 * psi)


def field(point, gamma=0.0):
    """(where theta goes, where psi goes) at a point.   gamma: of R1, gamma/2 times D's squared slope at the real points."""
    theta, psi = (mg.tensor(float(number), dtype="float64", requires_grad=True) for number in point)
    of_theta, of_psi = mg.grad(value(theta, psi), [theta, psi])
    return np.array([-of_theta.item(), of_psi.item() - gamma * psi.item()])


claim(field([0.0, 0.0]), [0.0, 0.0], says="at (0, 0) nobody moves")
claim(field([1.0, 0.0]), [0.0, -0.5], says="at (1, 0): G has no slope, D turns its slope to the left")
claim(field([0.0, 1.0]), [0.5, 0.0], says="at (0, 1): G is right, and D drives it away")

# %% [markdown] id="jacobian"
# The last line is the trouble. G stands where it should, and D is not zero, so G leaves.
#
# ## Two numbers that say what will happen
#
# Near the resting place, the field is linear: a matrix $J$ of its derivatives (lesson 7). Its eigenvalues tell the rest: a
# real part below 0 pulls in, above 0 drives out, and an imaginary part turns.
#
# **Predict:** the eigenvalues of $J$ at (0, 0). (By hand: the field is $(\psi, -\theta)$ times $\sigma(\theta\psi)$.)


# %% id="jacobian-code"
def jacobian(gamma=0.0, h=1e-6):
    """The derivatives of the field at (0, 0), by differences."""
    units = np.eye(2) * h
    return np.array([(field(unit, gamma) - field(-unit, gamma)) / (2 * h) for unit in units]).T


eigenvalues = np.linalg.eigvals(jacobian())
claim(jacobian(), [[0, 0.5], [-0.5, 0]], atol=1e-6, says="J: each player is moved by the other only")
claim(eigenvalues.real, [0, 0], atol=1e-6, says="real parts: nothing pulls in")
claim(np.sort(eigenvalues.imag), [-0.5, 0.5], atol=1e-6, says="imaginary parts: it turns, by half a radian per unit of time")

# %% [markdown] id="steps"
# ## Steps
#
# Training does not follow the field, it takes steps of length $h$. If both players move at once, a step multiplies by
# $1 + h\lambda$. If they take turns, the second player already sees the first one's new place.
#
# **Predict:** $h = 0.2$, 200 steps from near (0, 0). By which factor does the distance to the centre change, if both move at
# once? (The length of $1 + 0.1\,i$, to the power of 200.) And if they take turns?


# %% id="steps-code"
def path(start, steps=200, h=0.2, gamma=0.0, turns=False, momentum=0.0):
    """The places of the game, (steps + 1, 2)."""
    places, speed = [np.array(start, float)], np.zeros(2)
    for _ in range(steps):
        point = places[-1].copy()
        if turns:
            for player in (1, 0):  # D first, as in a GAN
                speed[player] = momentum * speed[player] + h * field(point, gamma)[player]
                point[player] += speed[player]
        else:
            speed = momentum * speed + h * field(point, gamma)
            point = point + speed
        places.append(point)
    return np.array(places)


def radius(places):
    return np.linalg.norm(places, axis=1)


START = [0.01, 0.0]
at_once, in_turns = radius(path(START)), radius(path(START, turns=True))
claim(at_once[-1] / at_once[0], abs(1 + 0.1j) ** 200, atol=0.01, says="at once: it grows as |1 + 0.1 i|^200")
claim(abs(1 + 0.1j) ** 200, 2.705, atol=1e-3, says="which is 2.7")
claim(in_turns.max() / in_turns.min() < 1.2, True, says="in turns: the distance stays between two bounds")

# %% [markdown] id="step-size"
# A circle in the flow becomes a spiral outwards in steps. A smaller step only makes it slower: over the same time $T = n h$
# the factor is about $e^{T h/8}$. Taking turns is better: it neither grows nor shrinks. But nothing *arrives*.
#
# ## R1
#
# R1 takes $\gamma\psi$ away from D's movement: a brake for D.
#
# **Predict:** write down $J$ with $\gamma$. Its eigenvalues are $-\frac\gamma2 \pm \sqrt{\frac{\gamma^2}4 - \frac14}$. For
# which $\gamma$ does the game stop turning? For which does it arrive fastest?


# %% id="r1-code"
gammas = [0.2, 1.0, 4.0]
slowest = [np.linalg.eigvals(jacobian(gamma)).real.max() for gamma in gammas]
turning = [abs(np.linalg.eigvals(jacobian(gamma)).imag).max() > 0.01 for gamma in gammas]
claim(slowest, [-0.1, -0.5, -2 + np.sqrt(3.75)], atol=2e-3, says="the slowest part, for gamma = 0.2, 1, 4")
claim(turning, [True, False, False], says="it turns with 0.2 only")
paths = {gamma: path([1.0, 0.0], gamma=gamma, turns=True) for gamma in gammas}
ends = [radius(paths[gamma])[-1] for gamma in gammas]
claim(ends[1] < 1e-5, True, says="gamma = 1: after 200 steps the distance is below 1e-5")
claim(min(ends[0], ends[2]) > 1e-4, True, says="with 0.2 and with 4 it is above 1e-4: too little, too much")

# %% id="r1-figure"
with figure("paths", width=9, height=2.4) as fig:
    shown = [("both at once", path([1.0, 0.0])), ("in turns", path([1.0, 0.0], turns=True))]
    shown += [(rf"R1, $\gamma$ = {gamma:g}", paths[gamma]) for gamma in gammas]
    for axes, (title, places) in zip(fig.subplots(1, 5, sharex=True, sharey=True), shown):
        axes.plot(*places.T, color="#0072B2", linewidth=0.8)
        axes.plot(*places[0], "o", color="#D55E00", markersize=4)
        axes.plot(0, 0, "+", color="black")
        axes.set(title=title, xlabel=r"$\theta$ (G)", aspect="equal")
    fig.axes[0].set_ylabel(r"$\psi$ (D)")

# %% [markdown] id="momentum"
# Too little brake and it still turns; too much, and D hardly moves, so G has nobody to follow.
#
# ## Momentum
#
# In a valley, momentum helps (lesson 6). It keeps the old direction. On a circle the old direction is wrong.
#
# **Predict:** taking turns, with momentum 0.5: does the game arrive, stay, or run away? And with *minus* 0.5?


# %% id="momentum-code"
forward = radius(path(START, turns=True, momentum=0.5))
back = radius(path(START, turns=True, momentum=-0.5, steps=2000))
claim(forward[-1] > 5 * forward[0], True, says="momentum 0.5 drives it out: more than 5 times as far")
claim(back[-1] < 0.1 * back[0], True, says="momentum -0.5 pulls it in, slowly: after 2,000 steps below a tenth")

# %% [markdown] id="parts"
# (Gidel et al. 2019 study both. It is one reason why GANs use Adam with $\beta_1 = 0.5$ or 0 in the place of 0.9.)
#
# ## Valley and whirl
#
# Every matrix is the sum of a symmetric part $S$, a valley or a hill, and an antisymmetric part $A$, a pure whirl. The share
# of the whirl, $|A|^2/(|S|^2 + |A|^2)$, is 0 for a single loss (lesson 7: a Hessian is symmetric).
#
# **Predict:** the share for the Dirac-GAN without R1? And with $\gamma = 1$?


# %% id="parts-code"
def whirl(J):
    """The share of the antisymmetric part."""
    S, A = (J + J.T) / 2, (J - J.T) / 2
    return np.sum(A**2) / (np.sum(S**2) + np.sum(A**2))


claim(whirl(jacobian()), 1.0, atol=1e-6, says="without R1: nothing but a whirl")
claim(whirl(jacobian(1.0)), 1 / 3, atol=1e-6, says="with gamma = 1: a third")

# %% [markdown] id="engine"
# minigan computes $J$ exactly, from second derivatives of the players' losses. Its players step along $-v$, so its signs are
# the other way round. For two networks $J$ is too large to write down. Then `asymmetry` compares $u^T J w$ with $w^T J u$ for
# random $u$ and $w$: 0 for a single loss and 1 for a pure whirl, as above. In between it is another number than our share.
#
# **Predict:** what does it give for the Dirac-GAN without R1?


# %% id="engine-code"
def losses(gamma):
    """The losses of G and of D at (0, 0), and the parameters of each."""
    theta, psi = (mg.tensor(0.0, dtype="float64", requires_grad=True) for _ in range(2))
    v = value(theta, psi)
    return [v, gamma / 2 * psi**2 - v], [[theta], [psi]]


claim(-dynamics.jacobian(*losses(1.0)), jacobian(1.0), atol=1e-6, says="minigan's J and ours, with gamma = 1")
claim(dynamics.asymmetry(*losses(0.0), np.random.default_rng(0)), 1.0, atol=1e-9, says="asymmetry without R1")

# %% [markdown] id="break"
# No optimizer that knows valleys only can do well in a whirl. What helps must change the field (a penalty), or look at it
# twice.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `path`: let the default of `h` be `0.02` and that of `steps` `2000`: the same time in smaller steps.
# 2. In `field`: take the brake from G, not from D: `np.array([-of_theta.item() - gamma * theta.item(), of_psi.item()])`.
# 3. In `value`: put `-theta * psi` in the place of `-mg.softplus(theta * psi)`. This is WGAN.

# %% [markdown] id="exercise-1"
# ## Exercise 21.1
#
# Two players of one number each: $a$ wants $v(a, b) = a\,b + \frac12 k\,(a^2 - b^2)$ to be small, $b$ wants it to be large.
# Write the matrix $J$ of their field, as a list of two rows.


# %% id="exercise-1-code"
def field_matrix(k):
    """[[d a'/da, d a'/db], [d b'/da, d b'/db]], where a' and b' say where the players go."""
    return None


lesson.exercise("21.1", field_matrix)

# %% [markdown] id="exercise-2"
# ## Exercise 21.2
#
# By which factor does the distance to the centre change in one step of length `h`, both players at once, if $J$ has the
# eigenvalues $r \pm i w$? (Think of the length of $1 + h\lambda$.)


# %% id="exercise-2-code"
def factor(h, r, w):
    """The length of 1 + h (r + i w)."""
    return None


lesson.exercise("21.2", factor)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 21.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. At once, the distance grows by 1.105 only: $e^{40 \cdot 0.02/8}$. It still grows. Momentum does less harm, too: a factor
#    of 2 in the place of 245.
# 2. It arrives just as well: $J$ has its brake in the other corner, and the same eigenvalues. But this G brakes towards 0,
#    which it can only do because we know that the real points are there. R1 brakes D, and D should be flat wherever the real
#    points are.
# 3. It turns twice as fast ($\pm i$), and runs away faster: 50 times as far, both at once. A linear loss has no brake of its
#    own either; with $\gamma = 1$ it still turns, and arrives.
#
# </details>
#
# Predictions: at (0, 0), and D moves first; $\pm i/2$; 2.7, it stays between bounds; from $\gamma = 1$ on, and fastest there;
# out, and in; 1, and a third; 1.
#
# ## What you have now
#
# * The smallest GAN, and its field.
# * Eigenvalues as a forecast: the real part for near and far, the imaginary part for turning.
# * R1 as a brake, with a best strength; and a reason for little momentum.
#
# Next: lesson 22 tries the best methods of optimisation on a game.

# %% id="end"
lesson.end()
