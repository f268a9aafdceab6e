# %% [markdown] id="promise"
# # 20. Penalties on a slope: WGAN-GP, R1, DRAGAN
#
# Lesson 19 bounded the critic's slope by clipping its weights, and nobody knew how large the bound was. A penalty says it. At
# the end of this lesson you can predict, with a pencil, by how much a penalised critic is wrong; you know at which points
# three well-known penalties act, and what each does to D; and you have met a trap that exists in one dimension only.
#
# It takes about 8 seconds (`--fast`: 3). You need lessons 7 (the penalty as code), 13, 14 and 19.
#
# Sources: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (equation 3, proposition 1; section 4: two-sided or
# one-sided). Mescheder, Geiger and Nowozin 2018 (equation 9: R1). Kodali et al. 2017, "On Convergence and Stability of GANs"
# (DRAGAN, algorithm 1). minigan's own are in `minigan/train/penalties.py`.

# %% id="setup"
import numpy as np

import minigan as mg
from minigan import nn
from minigan.lesson import Lesson

lesson = Lesson("20_penalties")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(0)
column = lambda sample: mg.tensor(np.asarray(sample, np.float32)[:, None])
distance = lambda x, y: np.abs(np.sort(x) - np.sort(y)).mean()  # lesson 19


def network():
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))


def slopes(net, points):
    """The slope of the net at each point (lesson 7); it can be differentiated again."""
    x = mg.tensor(points.detach().numpy(), requires_grad=True)
    (found,) = mg.grad(net(x).sum(), x, create_graph=True)
    return found


# %% [markdown] id="one"
# ## The slope should be 1
#
# On a line the best critic has the slope 1 or -1 wherever there is something between the two heaps (lesson 19; in any
# dimension: proposition 1 of Gulrajani et al.). So they add to the critic's loss
#
# $$\lambda\,\mathbb{E}\,(|f'(\hat x)| - 1)^2, \qquad \hat x = u\,x + (1 - u)\,y, \quad u \text{ uniform in } [0, 1],$$
#
# at random points between a real and a generated one.
#
# The critic then weighs two wishes. Let the distance be $W$ and its slope $s$ everywhere between. It gains $W s$, and pays
# $\lambda (s - 1)^2$.
#
# **Predict:** with a pencil: which $s$ is best? By how much is the critic's value wrong for $W = 3$ and $\lambda = 10$?


# %% id="one-code"
def penalty_points(kind, a, b, spread, draws):
    """Where the penalty acts: between real a and generated b, at the real points, or around them."""
    if kind == "between":
        u = draws.random(len(a))
        return column(u * a + (1 - u) * b)
    return column(a if kind == "real" else a + 0.5 * spread * draws.standard_normal(len(a)))


def penalty(kind, net, points):
    """R1 wants the slope 0, the others want 1."""
    size = abs(slopes(net, points))
    return (size**2).mean() if kind == "real" else ((size - 1) ** 2).mean()


# %% id="train-code"
def trained(x, y, kind, weight, critic):
    """A critic (or a discriminator with lesson 2's loss) that tells samples x and y apart, with a penalty."""
    mg.seed(0)
    net, draws = network(), np.random.default_rng(1)
    adam = mg.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.9))
    for _ in range(250 if lesson.fast else 800):
        a, b = draws.choice(x, 128), draws.choice(y, 128)
        real, fake = net(column(a)), net(column(b))
        loss = fake.mean() - real.mean() if critic else mg.softplus(-real).mean() + mg.softplus(fake).mean()
        if kind != "none":
            loss = loss + weight * penalty(kind, net, penalty_points(kind, a, b, x.std(), draws))
        adam.step(mg.grad(loss, net.parameters()))
    return net


def value(net, x, y):
    """E f(x) - E f(y), as a multiple of the true distance."""
    with mg.no_grad():
        return float(net(column(x)).mean() - net(column(y)).mean()) / distance(x, y)


pencil = np.arange(0, 3, 0.001)
claim(pencil[np.argmax(3 * pencil - 10 * (pencil - 1) ** 2)], 1.15, atol=1e-6, says="the best slope for W = 3, weight 10")
heaps = {w: (rng.normal(0, 0.3, 2000), rng.normal(w, 0.3, 2000)) for w in (1.0, 2.0, 3.0)}
by_distance = [value(trained(*heaps[w], "between", 10, True), *heaps[w]) for w in heaps]
by_weight = [value(trained(*heaps[3.0], "between", weight, True), *heaps[3.0]) for weight in (1.0, 10.0)]
claim(by_distance, [1.05, 1.1, 1.15], atol=0.05, says="value over W for W = 1, 2, 3: about 1 + W/20")
claim(by_distance[0] < by_distance[1] < by_distance[2], True, says="so it grows with W")
claim(by_weight, [2.5, 1.15], atol=0.15, says="for W = 3 with weight 1 and 10: 1 + W/(2 weight)", full=True)

# %% [markdown] id="where"
# $W s - \lambda(s-1)^2$ is largest at $s = 1 + W/(2\lambda)$. So the critic's value is too large, but by a known amount, and
# less with a larger $\lambda$. Compare this with clipping, where the factor was anything.
#
# **Predict:** and with $\lambda$ = 0.1, for $W$ = 3? (The answer is number 2 of "Break it", below.)
#
# ## Three penalties, three places
#
# | name | points | wanted slope | made for |
# | --- | --- | --- | --- |
# | WGAN-GP | between real and generated | 1 | a critic |
# | R1 | the real points | 0 | a D, when G is nearly right |
# | DRAGAN | around the real points | 1 | a D |
#
# We give all three to a D with the loss of lesson 2, on heaps at 0 (real) and 3.
#
# **Predict:** for each: how steep is D at the real points, and how steep is its steepest place? Which D can no longer be sure?


# %% id="where-code"
place = np.linspace(-1, 4, 401)
real_places = np.abs(place) < 0.3
kinds = {"none": 0, "real": 5, "around": 10, "between": 10}
nets = {kind: trained(*heaps[3.0], kind, weight, False) for kind, weight in kinds.items()}
steep = {kind: abs(slopes(net, column(place))).detach().numpy()[:, 0] for kind, net in nets.items()}
at_real = {kind: s[real_places].mean() for kind, s in steep.items()}
logits = {kind: net(column(place)).detach().numpy()[:, 0] for kind, net in nets.items()}
claim(at_real["real"] < 0.1, True, says="R1: flat at the real points")
claim([at_real["around"], at_real["between"]], [1.0, 1.0], atol=0.1, says="DRAGAN and WGAN-GP: slope 1 at the real points")
claim(min(steep[kind].max() for kind in ("real", "around")) > 5, True, says="R1 and DRAGAN: above 5 elsewhere")
claim(steep["between"].max() < 1.3, True, says="the penalty between: nowhere above 1.3")
claim(np.ptp(logits["between"]) < 6, True, says="its logits have a range below 6: it cannot be sure")
claim(np.ptp(logits["none"]) > 20, True, says="without a penalty the range is above 20")
claim(min(np.ptp(logits[kind]) for kind in ("real", "around")) > 20, True, says="R1 and DRAGAN: above 20, too", full=True)

# %% id="where-figure"
titles = {"none": "no penalty", "real": "R1", "around": "DRAGAN", "between": "penalty between"}
with figure("places", width=9, height=2.8) as fig:
    for axes, kind in zip(fig.subplots(1, 4), titles):
        axes.plot(place, logits[kind], color="#0072B2")
        axes.axvspan(-0.6, 0.6, color="#009E73", alpha=0.2)
        axes.axvspan(2.4, 3.6, color="#D55E00", alpha=0.2)
        axes.set(title=titles[kind], xlabel="green: real, red: generated")

# %% [markdown] id="trap"
# In `places.png` compare the vertical axes. R1 and DRAGAN say something about D near the real points only. On the whole way
# between, D is still sure: logits of 10 and -10 are probabilities of nearly 1 and 0, as 20 and -20 are. G learns from the slope
# *where its points are*. So these two help once G has arrived, and the penalty between helps on the way.
#
# ## A trap on the line
#
# Now a game: real points $N(2, 0.5)$, G makes $m + sz$ and starts at $m = -2$. The critic gets the penalty between, $\lambda
# = 10$. The network happens to start with a slope that points the wrong way.
#
# **Predict:** what must happen to the slope before the critic is right? What does $(|s| - 1)^2$ cost on the way?


# %% id="trap-code"
def play(one_sided, weight=10):
    """The game with the penalty between: rows (critic's value, exact W, m, s)."""
    mg.seed(0)
    draws, net, log = np.random.default_rng(0), network(), []
    m, s = (mg.tensor([start], dtype="float32", requires_grad=True) for start in (-2.0, 1.0))
    of_net = mg.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.9))
    of_g = mg.optim.Adam([m, s], lr=2e-2, betas=(0.5, 0.9))
    for _ in range(100 if lesson.fast else 400):
        for _ in range(5):
            a, b = draws.normal(2, 0.5, 128), m.item() + s.item() * draws.standard_normal(128)
            excess = abs(slopes(net, penalty_points("between", a, b, None, draws))) - 1
            excess = mg.maximum(excess, 0.0) if one_sided else excess
            worth = net(column(a)).mean() - net(column(b)).mean()
            of_net.step(mg.grad(weight * (excess**2).mean() - worth, net.parameters()))
        of_g.step(mg.grad(-net(m + s * column(draws.standard_normal(128))).mean(), [m, s]))
        made = m.item() + s.item() * draws.standard_normal(4000)
        log.append((float(worth.detach()), distance(draws.normal(2, 0.5, 4000), made), m.item(), s.item()))
    return np.array(log)


two_sided, one_sided = play(False), play(True)

# %% id="trap-claims"
mg.seed(0)  # the network that both games start with
claim(
    slopes(network(), column(np.linspace(-2, 2, 41))).mean().item() < 0, True, says="the first mean slope points the wrong way"
)
claim(two_sided[-1, 1] > two_sided[0, 1] + 1, True, says="two-sided: G runs away, W has grown by more than 1")
claim(two_sided[-1, 0] < 0, True, says="and the critic's value is negative: it has the wrong sign")
claim(one_sided[-50:, 1].mean() < 0.3, True, says="one-sided: W is below 0.3 at the end", full=True)
claim(one_sided[-50:, 2:].mean(axis=0), [2.0, 0.5], atol=0.3, says="G has found 2 and 0.5", full=True)
with figure("trap", width=8, height=3.2) as fig:
    for axes, log, title in zip(fig.subplots(1, 2), (two_sided, one_sided), ("two-sided", "one-sided")):
        axes.plot(log[:, 1], color="#0072B2", label="exact W")
        axes.plot(log[:, 0], color="#D55E00", label="critic's value")
        axes.set(title=title, xlabel="iteration")
        axes.legend(frameon=False)

# %% [markdown] id="trap-why"
# To change from $-1$ to $1$, a slope on a line must pass 0, and there the two-sided penalty costs $\lambda$: a hill between
# two valleys. The critic stays in the wrong valley, and pushes G away. In two and more dimensions the slope is a vector: it
# can *turn* from one direction into the other and keep its length, so there is no hill. The *one-sided* penalty $\max(0, |s|
# - 1)^2$ has none on the line either. (The authors found little difference between the two on pictures.)
#
# **Predict:** would the critic get stuck with $\lambda$ = 0.1, where the hill is only 0.1 high?
#
# ## What it costs
#
# **Predict:** how many times as many ops does a step of the critic call with the penalty as without?


# %% id="cost-code"
def calls(step):
    """How many ops and gradient rules minigan calls in a step."""
    count = 0

    def watcher(*_):
        nonlocal count
        count += 1

    with mg.watch(watcher):
        step()
    return count


net, a, b = network(), column(np.zeros(8)), column(np.ones(8))
plain = calls(lambda: mg.grad(net(b).mean() - net(a).mean(), net.parameters()))
dear = calls(
    lambda: mg.grad(net(b).mean() - net(a).mean() + penalty("between", net, column(np.full(8, 0.5))), net.parameters())
)
claim(1.8 < dear / plain < 4, True, says="with the penalty, between 1.8 and 4 times as many calls")

# %% [markdown] id="break"
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `kinds`: put `"real": 0.05`. What is left of R1?
# 2. In the last line of `trap-code`: put `play(False, weight=0.1)` in the place of `play(False)`.
# 3. In `penalty_points`: put `0.5 * a + 0.5 * b` in the place of `u * a + (1 - u) * b`.

# %% [markdown] id="exercise-1"
# ## Exercise 20.1
#
# Write R1 (equation 9 of Mescheder et al. 2018, with the factor $\gamma/2$ and $\gamma$ = 1): half the mean over the real
# points of the *squared length* of D's slope. `x` (N, features) requires gradients. No root is needed.


# %% id="exercise-1-code"
def r1(D, x):
    """Half the mean squared slope of D at the points x."""
    return None


lesson.exercise("20.1", r1)

# %% [markdown] id="exercise-2"
# ## Exercise 20.2
#
# The pencil of this lesson, for the one-sided penalty: the critic gains $W s$ and pays $\lambda \max(0, s - 1)^2$. Which
# slope $s$ does it take? Now let the wanted slope be $k$ in the place of 1.


# %% id="exercise-2-code"
def best_slope(W, weight, k):
    """The slope that maximises W s - weight * max(0, s - k)^2."""
    return None


lesson.exercise("20.2", best_slope)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 20.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. At the real points nothing happens: D is sure there, so it is flat anyway. But its steepest place goes from 34 to 77:
#    this is what the penalty had bought.
# 2. The hill is only 0.1 high, the critic climbs over it, and G arrives. Its value is far too large, though: up to 15 times
#    $W$ while G is on its way. (A critic that is trained to the end on the heaps with $W = 3$ gives 16 times, as the formula
#    says: $1 + 3/0.2$.)
# 3. The penalty then acts at the middle between the heaps only, and D is as steep as it likes on both sides: the value is 2
#    times $W$ for $W = 1$, but 18 and 29 times for 2 and 3. So the $u$ matters.
#
# </details>
#
# Predictions: $1 + W/(2\lambda)$, 15 percent; 0 and above 5, 1 and above 5, 1 and near 1, the last; it must pass 0, where the
# penalty costs $\lambda$; 2.2 times.
#
# ## What you have now
#
# * A critic whose value is $W$, up to a factor that you can compute.
# * A map: which penalty acts where, and at which time of a training it helps.
# * A reason to look at a penalty as a landscape: it can have hills.
#
# Next: lesson 21 asks why the players circle each other, and what R1 does about it.

# %% id="end"
lesson.end()
