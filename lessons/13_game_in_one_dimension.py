# %% [markdown] id="promise"
# # 13. The game in one dimension: what D's loss says, and why it does not fall
#
# On a line we know everything: the density of the real numbers, the density of the generated ones, and the best D there can
# be. At the end of this lesson you can read D's loss as a distance, you know why it *rises* while G learns, and you have seen
# a famous slip (a gradient that is never cleared) spoil a game without any error.
#
# It takes about 5 seconds. You need lessons 1, 2 and 7. As before: answer the question first, then run the cell.
#
# Sources: Goodfellow et al. 2014, "Generative Adversarial Nets" (equation 1; proposition 1 with equation 2; theorem 1 with
# equations 4 to 6). The two bells on a line, all sizes of nets, learning rates and numbers of steps are our own choice.

# %% id="setup"
import math

import numpy as np

import minigan as mg
from minigan import nn
from minigan.lesson import Lesson

lesson = Lesson("13_game_in_one_dimension")
claim, figure = lesson.claim, lesson.figure
STEPS = 300 if lesson.fast else 2000

# %% [markdown] id="densities"
# ## Two bells on a line
#
# Real numbers: $x \sim N(0, 1)$, with density $p$. Generated numbers: $G(z) = m + s z$ with $z \sim N(0, 1)$, so they have
# the density $q$ of $N(m, s^2)$. G has just two parameters, and we know $q$ at every moment.
#
# An integral is here a sum over a fine grid from -12 to 12.
#
# For a fixed G the best D is $D^*(x) = \dfrac{p(x)}{p(x) + q(x)}$ (proposition 1). Its logit is simpler:
#
# $$\log\frac{D^*}{1 - D^*} = \log\frac{p(x)}{q(x)} = \log p(x) - \log q(x).$$
#
# **Predict:** $m = 2$, $s = 1$. At which $x$ is $D^*$ undecided? And what kind of function of $x$ is its logit?

# %% id="densities-code"
grid = np.linspace(-12, 12, 4801)
dx = grid[1] - grid[0]


def log_normal(m, s):
    """The logarithm of the density of N(m, s^2) on the grid."""
    return -0.5 * ((grid - m) / s) ** 2 - math.log(s * math.sqrt(2 * math.pi))


def best_logit(m, s):
    """The logit of the best D against G(z) = m + s z: log p - log q."""
    return log_normal(0, 1) - log_normal(m, s)


p = np.exp(log_normal(0, 1))
claim(p.sum() * dx, 1, atol=1e-9, says="the density of the real numbers sums to 1")
claim(grid[np.abs(best_logit(2, 1)).argmin()], 1, atol=1e-9, says="for m = 2, s = 1 the best D is undecided at x =")
claim(best_logit(2, 1), 2 - 2 * grid, atol=1e-9, says="its logit is the straight line 2 - 2 x")

# %% [markdown] id="best"
# ## Why this D is the best
#
# D pays $L_D = \int p\,\mathrm{softplus}(-\ell) + q\,\mathrm{softplus}(\ell)\,dx$ for its logits $\ell(x)$. On the grid this
# is a sum, and each logit appears in one summand only. So each can be chosen alone, and the engine can tell the slope by
# each.
#
# What does the best D pay? By theorem 1, $2\ln 2 - 2\,\mathrm{JS}(p, q)$, where with $r = (p + q)/2$
#
# $$\mathrm{JS}(p, q) = \tfrac12 \int p \ln\frac{p}{r}\,dx + \tfrac12 \int q \ln\frac{q}{r}\,dx .$$
#
# **Predict:** what are the slopes at the logits of $D^*$? And if all of these logits are moved by 0.5, does D pay more or
# less?


# %% id="best-code"
def pays(logit, m, s):
    """What a D with these logits on the grid pays against N(m, s^2): the integral, a Tensor."""
    return mg.sum(mg.softplus(-logit) * p + mg.softplus(logit) * np.exp(log_normal(m, s))) * dx


def js(m, s):
    """The Jensen-Shannon divergence between N(0, 1) and N(m, s^2)."""
    log_p, log_q = log_normal(0, 1), log_normal(m, s)
    log_r = np.logaddexp(log_p, log_q) - math.log(2)
    return 0.5 * dx * (p * (log_p - log_r) + np.exp(log_q) * (log_q - log_r)).sum()


star = mg.tensor(best_logit(2, 1), requires_grad=True)
(slopes,) = mg.grad(pays(star, 2, 1), [star])
claim(slopes, np.zeros(len(grid)), atol=1e-15, says="the slope by each of the logits of D*")
claim(
    [float(pays(star + move, 2, 1)) > float(pays(star, 2, 1)) for move in (-0.5, 0.5)], [True, True], says="moved: D pays more"
)
claim(pays(star, 2, 1), 2 * math.log(2) - 2 * js(2, 1), atol=1e-9, says="D* pays 2 ln 2 - 2 JS")
claim([js(0, 1), js(2, 1), js(4, 0.5)], [0, 0.337, 0.682], atol=5e-4, says="JS: equal bells, m = 2, and a far one")
claim(math.log(2), 0.693, atol=5e-4, says="the largest possible JS is ln 2: nothing overlaps")

# %% [markdown] id="learn"
# ## A learned D, and its distance from the best one
#
# Now D is a small network. We fix G at $m = 2$, $s = 1$, and let D play alone. How good is it? On a line we can say it
# exactly: the mean of $|D - D^*|$ over all numbers that D is shown, half of them real and half generated,
#
# $$\text{error} = \int \frac{p + q}{2}\,|D - D^*|\,dx .$$
#
# **Predict:** what is this error for a D that has learned nothing and always says 1/2? Is it nearer to 0.05, 0.4 or 1? And
# after 300 steps?


# %% id="learn-code"
def new_D():
    """A D for numbers, always with the same random weights."""
    mg.seed(0)
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))


def on_grid(D):
    """The logits of D on the grid."""
    with mg.no_grad():
        return D(mg.tensor(grid[:, None], dtype="float32")).numpy()[:, 0].astype(np.float64)


def error(logit, m, s):
    """The mean of |D - D*| over real and generated numbers."""
    shown = (p + np.exp(log_normal(m, s))) / 2
    distance = mg.abs(mg.sigmoid(mg.tensor(logit)) - mg.sigmoid(mg.tensor(best_logit(m, s))))
    return float(mg.sum(distance * shown)) * dx


# %% id="learn-run"
d_loss = lambda a, b: mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b))
rng = np.random.default_rng(0)
draw = lambda: mg.tensor(rng.standard_normal((256, 1), dtype=np.float32))

D = new_D()
adam = mg.optim.Adam(D.parameters(), lr=1e-2)
for _ in range(300):
    adam.step(mg.grad(d_loss(D(draw()), D(2 + draw())), D.parameters()))
learned = on_grid(D)
claim(error(0 * grid, 2, 1), 0.34, atol=0.01, says="error of a D that always says 1/2")
claim(error(learned, 2, 1) < 0.05, True, says=f"after 300 steps it is {error(learned, 2, 1):.3f}, below 0.05")

# %% [markdown] id="bound"
# ## D's loss is a ruler
#
# No D can pay less than the best one. So for *every* D, $L_D \ge 2\ln 2 - 2\,\mathrm{JS}$, or
#
# $$\mathrm{JS}(p, q) \ge \ln 2 - \tfrac12 L_D .$$
#
# A D measures the distance between $p$ and $q$, and it never says too much. The better D is, the more exact is the ruler. A D
# that knows nothing reads 0.
#
# But D learns only where it is shown numbers. **Predict:** at $x = -12$, where no number ever appears, the best logit is 26.
# Is the learned one near to it?

# %% id="bound-code"
reading = math.log(2) - float(pays(mg.tensor(learned), 2, 1)) / 2
claim(reading <= js(2, 1), True, says="the reading of the learned D is not above JS")
claim(reading, js(2, 1), atol=0.01, says="and not far below")
claim(math.log(2) - float(pays(mg.tensor(0 * grid), 2, 1)) / 2, 0, atol=1e-9, says="an undecided D reads 0")
claim(best_logit(2, 1)[0], 26, atol=1e-9, says="best logit at x = -12")
claim(learned[0] < 10, True, says=f"the learned one is {learned[0]:.1f}: sure, but without a reason")

# %% id="bound-draw"
with figure("best", width=9, height=3.8) as fig:
    left, right = fig.subplots(1, 2)
    left.plot(grid, p, color="#0072B2", label="$p$, real")
    left.plot(grid, np.exp(log_normal(2, 1)), color="#D55E00", label="$q$, generated")
    left.plot(grid, mg.sigmoid(star).tolist(), color="0.3", linewidth=2.5, label="$D^* = p / (p + q)$")
    left.plot(grid, mg.sigmoid(mg.tensor(learned)).tolist(), "--", color="#009E73", label="learned $D$")
    left.set(xlim=(-4, 6), xlabel="$x$", title="as probabilities the two look alike")
    right.plot(grid, best_logit(2, 1), color="0.3", linewidth=2.5, label="logit of $D^*$")
    right.plot(grid, learned, "--", color="#009E73", label="logit of the learned $D$")
    right.axvspan(-2, 4, color="#F0E442", alpha=0.3, label="nearly all numbers are here")
    right.set(xlim=(-12, 12), ylim=(-24, 28), xlabel="$x$", title="as logits: they part where nothing is shown")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=9)

# %% [markdown] id="game"
# ## The game
#
# Now both play, with the loop of lesson 2. G starts at $m = 4$, $s = 0.5$, far from the real numbers. It minimises the
# non-saturating loss. At each step we note D's loss, the loss of the *best* D, and JS.
#
# **Predict:** while G comes nearer, does D's loss fall, rise, or stay? And at the end of a perfect game, what does D pay?


# %% id="game-code"
def play(steps, lr_D=1e-2, lr_G=5e-3, turn_of_D=None):
    """Play; for each step (loss of D, of G, m, s, error of D).   turn_of_D(D, adam, x, fake): D's turn, returns its loss."""
    D, m, log_s = new_D(), mg.tensor([4.0], requires_grad=True), mg.tensor([math.log(0.5)], requires_grad=True)
    adam_D = mg.optim.Adam(D.parameters(), lr=lr_D, betas=(0.5, 0.999))
    adam_G = mg.optim.Adam([m, log_s], lr=lr_G, betas=(0.5, 0.999))
    story = []
    for step in range(steps):
        fake = (m + mg.exp(log_s) * draw()).detach()
        loss_D = (turn_of_D or turn)(D, adam_D, draw(), fake)
        loss_G = mg.mean(mg.softplus(-D(m + mg.exp(log_s) * draw())))
        adam_G.step(mg.grad(loss_G, [m, log_s]))
        now = float(m), math.exp(float(log_s))
        story.append((float(loss_D), float(loss_G), *now, error(on_grid(D), *now) if step % 10 == 0 else np.nan))
    return np.array(story).T


def turn(D, adam, x, fake):
    """D's turn, as it should be."""
    loss = d_loss(D(x), D(fake))
    adam.step(mg.grad(loss, D.parameters()))
    return loss


# %% id="game-run"
loss_D, loss_G, m, s, errors = play(STEPS)
distance = np.array([js(*place) for place in zip(m, s)])
best = 2 * math.log(2) - 2 * distance
claim(distance[0], 0.68, atol=0.01, says="JS at the start")
claim(loss_D[0], 2 * math.log(2), atol=0.1, says="D's loss at the very first step: about 2 ln 2, D knows nothing")
claim(loss_D[:60].min() < 0.2, True, says="D's loss soon falls below 0.2: G is bad, and D sees it")
claim([m[-1], s[-1]], [0, 1], atol=0.1, full=True, says="at the end m and s are those of the real numbers")
claim(distance[-1] < 0.005, True, full=True, says="and JS is below 0.005")
claim(loss_D[-200:].mean(), 2 * math.log(2), atol=0.01, full=True, says="at the end D pays 2 ln 2 again: G is perfect")

# %% [markdown] id="game-look"
# The loss of D is 1.386 twice: at the beginning, because D knows nothing, and at the end, because there is nothing to know.
# Between them it falls at once, and then it *rises* for the whole rest of the training, while everything gets better.
#
# **Predict:** in the plot below, on which side of the curve "best D" can D's loss lie? Always above, or on both sides?

# %% id="game-draw"
with figure("game", width=9, height=5.4) as fig:
    above, below = fig.subplots(2, 1, sharex=True)
    above.plot(loss_D, color="#0072B2", linewidth=0.6, label="$D$'s loss, one batch of 256")
    above.plot(best, color="black", linewidth=1.5, label="what the best $D$ pays: $2 \\ln 2 - 2\\,JS$")
    above.axhline(2 * math.log(2), color="0.5", linestyle="--", linewidth=1, label="$2 \\ln 2$")
    above.set(ylabel="loss of $D$", ylim=(0, 1.7), title="the loss of D rises ...")
    below.plot(distance, color="#D55E00", label="JS($p$, $q$): how bad $G$ is")
    below.plot(np.arange(0, STEPS, 10), errors[::10], color="#009E73", label="error of $D$")
    below.set(xlabel="step", ylim=(0, 0.75), title="... because G gets better; D stays near its best")
    for axes in (above, below):
        axes.legend(frameon=False, fontsize=9, loc="right")
claim(np.mean(loss_D[100:] >= best[100:] - 0.15), 1, atol=0.02, says="D's loss is not far below the best one, up to chance")
claim(np.nanmean(errors[100:]) < 0.05, True, says=f"mean error of D in the game: {np.nanmean(errors[100:]):.3f}, below 0.05")

# %% [markdown] id="game-why"
# On both sides, a little: the loss of one batch is an average of 256 numbers, so it swings around its mean. (A mean over
# all numbers would lie above.)
#
# So why do losses not fall? In ordinary training the loss measures the net against *fixed* data. Here D's loss measures the
# *opponent*. It is a ruler for the distance between $p$ and $q$, turned upside down. As G improves, it rises to $2 \ln 2$.
# And G's loss measures D. **Predict:** G comes nearer from the first step on. Does its loss fall all the time?

# %% id="game-losses"
claim(loss_G[:60].max() > 3, True, says=f"G's loss rises from {loss_G[0]:.1f} to {loss_G[:60].max():.1f} while G comes nearer")
claim(m[60] < m[0] and distance[60] < distance[0], True, says="G did come nearer in these 60 steps")
claim(loss_G[-200:].mean(), math.log(2), atol=0.03, full=True, says="at the end G pays ln 2")

# %% [markdown] id="nash"
# Some texts say "a GAN has no loss function". It has two. What is missing is a single quantity that falls.
#
# ## The place where the game ends
#
# Nobody can gain by moving alone: this is a *Nash equilibrium*. To see its shape, let D be as small as G. D's logit is
# $w x$, and G's numbers are $m + z$. The value (equation 1; D maximises it, G minimises it) is
#
# $$V(w, m) = \mathbb{E}_x \log \sigma(w x) + \mathbb{E}_z \log(1 - \sigma(w (m + z))).$$
#
# **Predict:** at $w = 0$, $m = 0$ the slopes are 0. Is this point a minimum, a maximum, or something else? What does G gain
# if it leaves alone ($w$ stays 0)?


# %% id="nash-code"
def value(w, m):
    """V(w, m), with integrals over the grid, as a Tensor."""
    return -mg.sum((mg.softplus(-w * grid) + mg.softplus(w * (m + grid))) * p) * dx


w, shift = (mg.tensor(0.0, dtype="float64", requires_grad=True) for _ in range(2))
slopes = mg.grad(value(w, shift), [w, shift], create_graph=True)
hessian = np.array([[float(g) for g in mg.grad(slope, [w, shift], retain_graph=True)] for slope in slopes])
claim([float(slope) for slope in slopes], [0, 0], atol=1e-9, says="the slopes of V at (0, 0)")
claim(hessian, [[-0.5, -0.5], [-0.5, 0]], atol=1e-9, says="the second derivatives of V there")
claim(np.linalg.eigvalsh(hessian), [-0.809, 0.309], atol=5e-4, says="its eigenvalues have both signs: a saddle")
claim(
    [float(value(0.0, move)) for move in (-3, 1, 5)],
    [-2 * math.log(2)] * 3,
    atol=1e-9,
    says="w = 0: G may go anywhere, V stays",
)
claim([float(value(move, 0.0)) < -2 * math.log(2) for move in (-1, 0.2)], [True, True], says="m = 0: D only loses by moving")

# %% id="nash-draw"
with figure("saddle", width=5.6, height=4.6) as fig:
    axes = fig.add_subplot()
    ws, ms = np.linspace(-1.5, 1.5, 31), np.linspace(-3, 3, 31)
    surface = np.array([[float(value(a, b)) for a in ws] for b in ms])
    levels = -2 * math.log(2) + np.array([-2, -1, -0.5, -0.2, -0.05, 0.0, 0.05, 0.2, 0.4])
    lines = axes.contour(ws, ms, surface, levels=levels, cmap="viridis")
    axes.clabel(lines, fontsize=8, fmt="%.2f")
    axes.plot(0, 0, "o", color="#D55E00")
    axes.set(xlabel="$w$:  D moves left and right, and wants to climb", ylabel="$m$:  G moves up and down")
    axes.set_title("V(w, m): a saddle at (0, 0)", fontsize=11)

# %% [markdown] id="nash-why"
# A saddle is no valley. One can prove that gradient descent reaches the bottom of a valley. For a saddle, with one player going
# up and the other one down, there is no such proof. How such a game moves, and when it turns in circles, is the subject of
# lesson 21.
#
# ## A famous slip: the gradient that is never cleared
#
# A tutorial trains its GAN with `backward()`, which *adds* gradients to what is there (lesson 1). Its loop clears the
# gradients of G twice in each step, and those of D never. Nothing complains. What does D follow then? The sum of all
# gradients since the first step, its own, and also those of G's turns, which want D to call generated numbers real.
#
# **Predict:** how large is the error of D then, after the same number of steps? And does G still arrive?


# %% id="slip-code"
def never_cleared(D, adam, x, fake):
    """D's turn when nobody clears D's gradients: `backward()` adds to all those before."""
    loss = d_loss(D(x), D(fake))
    loss.backward()
    adam.step([param.grad for param in D.parameters()])
    return loss


slip_loss, _, slip_m, slip_s, slip_errors = play(STEPS, turn_of_D=never_cleared)
slip = np.array([js(*place) for place in zip(slip_m, slip_s)])
ratio = np.nanmean(slip_errors[100:]) / np.nanmean(errors[100:])
claim(ratio > 5, True, says=f"the error of D is {ratio:.0f} times as large")
half = STEPS // 2
claim(distance[half:].mean() < 0.01, True, full=True, says="JS in the right game, mean of the second half, is below 0.01")
claim(slip[half:].mean() > 0.03, True, full=True, says=f"with the slip it is {slip[half:].mean():.3f}, above 0.03")
claim(slip_loss[half:].mean() > 2, True, full=True, says=f"and D pays {slip_loss[half:].mean():.2f}, more than a coin does")

# %% id="slip-draw"
with figure("slip", width=8, height=3.6) as fig:
    axes = fig.add_subplot()
    axes.plot(m, color="#0072B2", label="$m$, cleared")
    axes.plot(slip_m, color="#D55E00", label="$m$, never cleared")
    axes.plot(s, "--", color="#0072B2", label="$s$, cleared")
    axes.plot(slip_s, "--", color="#D55E00", label="$s$, never cleared")
    axes.set(xlabel="step", title="G, with a right D and with one whose gradients pile up")
    axes.legend(frameon=False, ncols=2)

# %% [markdown] id="slip-why"
# A surprise: G does not get lost. It still comes near, a little slower, and then it swings around the goal without end. So
# the samples of such a program look nearly right, and the slip can live for years. In our version only D's own gradients pile
# up, and this is enough: a sum over hundreds of steps hardly changes from step to step, so D runs on in a direction that was
# right long ago.
#
# D's loss does show it, to a reader who knows the ruler: on average, an honest D cannot pay more than $2\ln 2$ for long,
# because it could say 1/2 everywhere. **A D that pays clearly more than 1.386 is not weak, it is broken.**
#
# `mg.grad` returns new gradients, and adds nothing anywhere. Whoever uses `backward()` must clear *both* nets before each
# turn.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `game-run`: `play(STEPS, lr_D=1e-4)`: a D that is a hundred times slower than before.
# 2. In `new_D`: `nn.Sequential(nn.Linear(1, 1))`. D's logit is now a straight line. Which of m and s can G still learn?
# 3. In `play`: start `log_s` with `math.log(0.01)`: G's numbers lie nearly at one point.

# %% [markdown] id="exercise-1"
# ## Exercise 13.1
#
# You know the two densities at some points, `p` and `q` (arrays of positive numbers). Return the *logits* of the best D.


# %% id="exercise-1-code"
def logit_of_best(p, q):
    """The logits of the best D, for the densities p of real and q of generated samples (arrays of positive numbers)."""
    return None


lesson.exercise("13.1", logit_of_best)

# %% [markdown] id="exercise-2"
# ## Exercise 13.2
#
# Return the Jensen-Shannon divergence, in nats, of two lists of probabilities (arrays that sum to 1). Some of them may be 0:
# there $0 \ln 0$ counts as 0, and NumPy must not divide by zero on the way.


# %% id="exercise-2-code"
def jensen_shannon(p, q):
    """JS in nats of the probabilities p and q (arrays of the same length, each sums to 1; zeros are allowed)."""
    return None


lesson.exercise("13.2", jensen_shannon)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 13.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. Surprise: G still comes to the goal. In this game a D that only points in the right direction is enough. But D never gets
#    near its best, so G swings: $s$ grows to 5, falls below 0.5, and rises again. And the ruler is too short: at step 300 it
#    reads about 0.06, while JS is 0.31.
# 2. Only $m$. A straight logit can say "too far to the right", but not "too narrow". G finds $m = 0$, and $s$ falls below
#    0.1: G collapses to a point. G can only learn what D can see.
# 3. At first D is sure of everything: its loss is near 0. G still gets its way: after 2,000 steps $m$ is about 0.4 and JS
#    about 0.02; it only takes longer. (The claims about the start get a cross, because JS is now $\ln 2$.)
#
# </details>
#
# Predictions: at $x = 1$, a straight line; all slopes are 0, and D pays more; 0.34, and below 0.05; no, the learned one is
# about 5; D's loss rises, to $2 \ln 2$; on both sides, because of chance; no, it rises first; a saddle, and G gains nothing;
# many times as large, and G arrives, but does not stay.
#
# ## What you have now
#
# * $D^* = p/(p+q)$, a yardstick for D, and D's loss, a yardstick for the distance between $p$ and $q$.
# * The reason why losses do not fall: each measures the opponent.
# * The end of the game is a saddle, not a valley.
#
# Lesson 14 looks at what G feels while D is sure of itself.

# %% id="end"
lesson.end()
