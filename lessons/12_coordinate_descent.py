# %% [markdown] id="promise"
# # 12. Coordinate descent: one unknown at a time, exactly
#
# Gradient descent moves all weights a little. Coordinate descent moves one weight, all the way to its best value, then the
# next. At the end of this lesson you have written it for two classical problems, the lasso and the support vector machine, and
# used it for a third, logistic regression. None of them needs a learning rate. You have a certificate that an answer *is* the
# minimum. And you have seen the two mistakes that turn it into something else.
#
# It takes a few seconds. You need lesson 1; lesson 6 (optimizers) is good to know.
#
# Sources: Tseng 2001, "Convergence of a Block Coordinate Descent Method for Nondifferentiable Minimization". Friedman, Hastie
# and Tibshirani 2010 (section 2.1: lasso). Chang, Hsieh and Lin 2008 (algorithm 3: logistic regression; theirs is for another
# loss). Hsieh et al. 2008 (algorithm 1: the dual SVM). minigan has all three in `minigan/optim/convex.py`.

# %% id="setup"
import numpy as np

import minigan as mg
from minigan.data import load
from minigan.lesson import Lesson
from minigan.optim import convex

lesson = Lesson("12_coordinate_descent")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(0)

# %% [markdown] id="staircase"
# ## A staircase
#
# $f(w) = \frac12 w^\top A w - b^\top w$ with $A = \begin{pmatrix} 1 & \rho \\ \rho & 1 \end{pmatrix}$: a bowl, tilted if the
# two coordinates are correlated. Keep all but $w_j$ fixed. Then $f$ is a parabola, and its lowest point is a formula:
#
# $$w_j = \frac{b_j - \sum_{k \neq j} A_{jk} w_k}{A_{jj}}.$$
#
# A *sweep* does this for each $j$ in turn, and always uses the newest values. (For linear equations the method is called after
# Gauss and Seidel.)
#
# **Predict:** how many sweeps does it need if $\rho = 0$? And for $\rho = 0.9$, by which factor does the error fall in one
# sweep?


# %% id="staircase-code"
def sweep(A, b, w):
    """One sweep, in place; the points on the way."""
    way = []
    for j in range(len(w)):
        w[j] += (b[j] - A[j] @ w) / A[j, j]
        way.append(w.copy())
    return way


def tilted(rho, n=2):
    """A bowl of n coordinates, each pair correlated by rho."""
    return np.full((n, n), rho) + (1 - rho) * np.eye(n)


A, b = tilted(0.9), np.array([1.0, -0.5])
best, w = np.linalg.solve(A, b), np.zeros(2)
stairs, errors = [w.copy()], []
for _ in range(20):
    stairs += sweep(A, b, w)
    errors.append(abs(w[0] - best[0]))
claim(errors[6] / errors[5], 0.81, atol=1e-9, says="error after a sweep / before: the square of 0.9")
level = np.zeros(2)
sweep(np.eye(2), b, level)
claim(level, b, says="uncorrelated: one sweep is enough")

# %% id="staircase-draw"
walk = [np.zeros(2)]
for _ in range(40):
    walk.append(walk[-1] - 0.5 * (A @ walk[-1] - b))  # gradient descent with the learning rate 0.5
with figure("staircase", width=7, height=4.4) as fig:
    axes = fig.add_subplot()
    grid = np.stack(np.meshgrid(np.linspace(-1, 9, 200), np.linspace(-9, 1, 200)), axis=-1)
    bowl = 0.5 * np.einsum("...i,ij,...j", grid, A, grid) - grid @ b
    axes.contour(grid[..., 0], grid[..., 1], bowl, levels=np.linspace(bowl.min(), 2, 14), colors="0.8", linewidths=0.8)
    axes.plot(*np.array(stairs).T, "o-", color="#0072B2", markersize=3, label="coordinate descent, 20 sweeps")
    axes.plot(*np.array(walk).T, ".-", color="#D55E00", markersize=4, label="gradient descent, 40 steps of 0.5")
    axes.plot(*best, "*", color="black", markersize=12)
    axes.set(xlabel="$w_1$", ylabel="$w_2$")
    axes.legend(frameon=False)

# %% [markdown] id="at-once"
# ## All at once is another method
#
# In a tutorial "coordinate descent for GANs" computes one gradient of *all* the generator's weights and applies it to all of
# them. That is gradient descent. What if we take the *best* value of each coordinate, but set all of them at once, from the old
# values? (For linear equations: Jacobi's method.)
#
# **Predict:** three coordinates, each pair correlated by 0.9. Does the loss fall if all jump to their best values together?

# %% id="at-once-code"
A3, b3 = tilted(0.9, 3), np.array([1.0, -0.5, 0.2])
best3 = np.linalg.solve(A3, b3)
together, one_by_one, gone = np.zeros(3), np.zeros(3), []
for _ in range(30):
    together = together + (b3 - A3 @ together) / np.diag(A3)
    sweep(A3, b3, one_by_one)
    gone.append(np.linalg.norm(together - best3))
claim(gone[-1] / gone[-2], 1.8, atol=1e-6, says="all at once: the distance to the minimum grows in each sweep by this factor")
claim(np.linalg.norm(one_by_one - best3) < 0.05 * np.linalg.norm(best3), True, says="one by one: 95 percent of the way is done")

# %% [markdown] id="corner"
# Each coordinate corrects the whole error, as if it were alone, so the three together correct it nearly three times. One by
# one, each sees what the others have already corrected.
#
# ## A corner can stop it
#
# One by one, $f$ can never rise. Does it always arrive? Take $f(x, y) = |x - y| + \frac{1}{10}(x^2 + y^2)$. It is *convex* (no
# straight line between two points of its graph runs below the graph), and its minimum is at $(0, 0)$. We start at $(2, 1)$ and
# search each coordinate on a fine grid.
#
# **Predict:** where does it end?

# %% id="corner-code"
fine = np.linspace(-3, 3, 6001)
f = lambda x, y: np.abs(x - y) + 0.1 * (x**2 + y**2)
x, y = 2.0, 1.0
for _ in range(50):
    x = fine[f(fine, y).argmin()]
    y = fine[f(x, fine).argmin()]
claim([x, y], [1, 1], atol=2e-3, says="after 50 sweeps it stands at (1, 1)")
claim(f(x, y), 0.2, atol=1e-3, says="f there; the minimum is 0")

# %% [markdown] id="corner-why"
# At $(1, 1)$ each single move is uphill: it leaves the crease $x = y$. Only a move of both along the crease is downhill. So a
# corner that *couples* coordinates can stop coordinate descent. Smooth functions have no corners. And corners of single
# coordinates, $|w_1| + |w_2| + \dots$, do no harm (Tseng 2001, theorem 4.1). The lasso is of this kind.
#
# ## Lasso: the soft threshold
#
# $$\min_w\; \frac{1}{2n} \|y - Xw\|^2 + t \|w\|_1.$$
#
# $X$ has a row for each of $n$ samples and a column $X_j$ for each feature, $y$ holds the targets, and $\|w\|_1$ is the sum of
# all $|w_j|$. The second term makes many weights exactly 0, so it selects features.
#
# For one coordinate $w$, let $r_j$ be what the other weights leave of $y$, and $a = \|X_j\|^2/n$, $z = X_j^\top r_j/n$. The
# problem is then $\frac12 a w^2 - z w + t |w|$. If $w > 0$, its slope is $aw - z + t$, which is 0 at $(z - t)/a$: possible only
# if $z > t$. So the answer is
#
# $$w = S(z, t) / a, \qquad S(z, t) = \operatorname{sign}(z)\, \max(|z| - t,\, 0).$$
#
# **Predict:** $a = 2$, $t = 1$. Which $w$ is best for $z = 3$, $z = 0.9$ and $z = -5$?


# %% id="lasso-code"
def soft(z, t):
    """The soft threshold S(z, t)."""
    return np.sign(z) * max(abs(z) - t, 0.0)


by_search = [fine[(0.5 * 2 * fine**2 - z * fine + abs(fine)).argmin()] for z in (3.0, 0.9, -5.0)]
claim([soft(z, 1.0) / 2 for z in (3.0, 0.9, -5.0)], [1, 0, -2], says="by the formula")
claim(by_search, [1, 0, -2], atol=1e-3, says="by searching a grid")


def lasso(X, y, t, sweeps):
    """Coordinate descent from w = 0.   The residual r = y - X w is kept, so a coordinate costs two passes over a column."""
    n, d = X.shape
    w, r, a = np.zeros(d), y.copy(), (X**2).sum(axis=0) / n
    for _ in range(sweeps):
        for j in range(d):
            new = soft(X[:, j] @ r / n + a[j] * w[j], t) / a[j]
            r += X[:, j] * (w[j] - new)
            w[j] = new
    return w


# %% [markdown] id="certificate"
# ## A certificate
#
# How do we know that an answer is the minimum, if we do not know the minimum? For convex problems there is a test (the
# conditions of Karush, Kuhn and Tucker). Let $c = X^\top(y - Xw)/n$, the slopes of the first term with a minus. At the minimum,
# and only there: $c_j = t\,\operatorname{sign}(w_j)$ where $w_j \neq 0$, and $|c_j| \le t$ where $w_j = 0$.
#
# Our data: 100 samples of 20 correlated features, of which only 4 matter.
#
# **Predict:** above which $t$ are all weights 0? (Look at the second condition for $w = 0$.)

# %% id="certificate-code"
shared = rng.standard_normal((100, 1))
X = 0.7 * rng.standard_normal((100, 20)) + 0.7 * shared  # each pair is correlated by about 0.5
truth = np.zeros(20)
truth[[2, 5, 11, 17]] = [2.0, -1.5, 1.0, -0.7]
y = X @ truth + 0.3 * rng.standard_normal(100)
X, y = X - X.mean(axis=0), y - y.mean()

ours = lasso(X, y, 0.05, 100)
c = X.T @ (y - X @ ours) / 100
claim(c[ours != 0], 0.05 * np.sign(ours[ours != 0]), atol=1e-9, says="the condition for weights that are not 0")
claim(np.abs(c[ours == 0]).max(initial=0) <= 0.05, True, says="and for those that are 0")
solution = convex.lasso(X, y, 0.05)
claim(np.abs(ours - solution.x).max(), 0, atol=1e-7, says="ours and minigan's: largest difference")
claim(list(np.flatnonzero(np.abs(ours) > 0.1)), [2, 5, 11, 17], says="the weights above 0.1 are the true ones")
limit = np.abs(X.T @ y).max() / 100
counts = [np.count_nonzero(lasso(X, y, part * limit, 100)) for part in (1.0001, 0.9999)]
claim(counts, [0, 1], says="just above max |X'y| / n all weights are 0, just below it one is not")

# %% id="path-draw"
penalties = limit * 10 ** np.linspace(0.05, -2.5, 60)
paths = np.array([lasso(X, y, t, 40) for t in penalties])
with figure("path", width=7.5, height=4) as fig:
    axes = fig.add_subplot()
    for j, weights in enumerate(paths.T):
        colour = "#0072B2" if truth[j] else "0.7"
        axes.semilogx(penalties, weights, color=colour, linewidth=1.5 if truth[j] else 0.8)
        if truth[j]:
            axes.text(penalties[-1] * 0.93, truth[j], f"$w_{{{j}}}$ = {truth[j]:g}", va="center", ha="right", color=colour)
    axes.axvline(limit, color="#D55E00", linestyle="--")
    axes.text(limit * 0.97, 1.9, "max $|X^\\top y|/n$", color="#D55E00", ha="right")
    axes.set(
        xlabel="penalty $t$", ylabel="weight", xlim=(penalties[-1] * 0.35, penalties[0]), title="20 weights, 4 of them true"
    )
    axes.grid(color="0.9")

# %% [markdown] id="path-look"
# From right to left in `path.png` the penalty falls, and weights wake up one after the other, the true ones (blue) first. All
# are a bit too small: the penalty pulls on them too. This is the price of the selection.
#
# ## What is a pass worth?
#
# Compare with a method that moves all weights: a gradient step for the first term, then the soft threshold (*proximal
# gradient*). It needs a step size, at most $1/\Lambda$ with the largest eigenvalue $\Lambda$ of $X^\top X / n$. One of its
# steps costs as much as a sweep.
#
# **Predict:** how many passes over the data does each need until the certificate is right to $10^{-6}$?


# %% id="passes-code"
def proximal_gradient(X, y, t, tolerance):
    """The number of passes until the KKT residual is below the tolerance."""
    n, d = X.shape
    w, step, passes = np.zeros(d), 1 / np.linalg.eigvalsh(X.T @ X / n)[-1], 0
    while np.abs(convex.lasso_kkt_residual(X, y, t, w)).max() > tolerance:
        z = w + step * X.T @ (y - X @ w) / n
        w, passes = np.sign(z) * np.maximum(np.abs(z) - t * step, 0), passes + 1
    return passes


sweeps = int((solution.residuals > 1e-6).sum())
passes = proximal_gradient(X, y, 0.05, 1e-6)
claim(sweeps, 19, atol=1, says="sweeps of coordinate descent")
claim(passes, 322, atol=5, says="steps of proximal gradient")

# %% [markdown] id="logistic"
# ## Logistic regression: when the best value is no formula
#
# Now two classes, $y = \pm 1$, and the loss of lesson 2's discriminator, $\ln(1 + e^{-y\, x^\top w})$, plus
# $\frac{t}{2}\|w\|^2$. For one coordinate there is no formula, but its slope $g$ and curvature $h$ are easy. So each coordinate
# takes one Newton step, $-g/h$.
#
# Is Newton's step always good? Two samples that contradict each other give $f(w) = \ln(1 + e^{-w}) + \ln(1 + e^{w})$, with the
# minimum at 0.
#
# **Predict:** we start at $w = 3$. Where is $w$ after one Newton step?

# %% id="newton-code"
w = mg.tensor(3.0, dtype="float64", requires_grad=True)
value = mg.softplus(-w) + mg.softplus(w)
(g,) = mg.grad(value, w, create_graph=True)
(h,) = mg.grad(g, w)
newton = 3 - float(g) / float(h)
claim(newton, -7.02, atol=0.01, says="w after one Newton step from 3: it is farther away, on the other side")
height = lambda w: np.logaddexp(0, -w) + np.logaddexp(0, w)
claim([height(newton) > height(3), height(3 - float(g) / float(h) / 2) < height(3)], [True, True], says="half a step is good")

# %% [markdown] id="digits"
# So the step is halved until the loss falls (a *line search*). `convex.logistic_regression` does that.
#
# Our data: 3 against 8, 28x28 pixels averaged over 4x4 blocks, 49 numbers per picture and a constant 1. We test on four fonts
# that no training picture uses. The certificate is the gradient itself, and minigan's engine can compute it independently.
#
# We solve it twice: with the pixels as they are, from $-1$ (black) to 1, and with the mean of each block subtracted.
#
# **Predict:** does it matter for the number of sweeps? (In almost all pictures the border is black. What does that mean for two
# columns of $X$?) And how many percent of unseen pictures does a linear classifier get right: about 65, 80 or 98?


# %% id="digits-code"
def three_or_eight(split, n):
    """(X (n, 50), y (n,) with -1 for a 3 and 1 for an 8)."""
    data = load("digits", split)
    rows = np.flatnonzero(np.isin(data.labels, (3, 8)))[:n]
    blocks = data[rows].x.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)
    return np.hstack([blocks, np.ones((len(rows), 1))]).astype(np.float64), np.where(data.labels[rows] == 8, 1.0, -1.0)


seen, side = three_or_eight("train", 200 if lesson.fast else 1000)
unseen, unseen_side = three_or_eight("test", 400)
right = lambda w: np.mean(np.sign(unseen @ w) == unseen_side)

raw = convex.logistic_regression(seen, side, 1e-2, tolerance=1e-7, sweeps=100)
middle = np.append(seen[:, :-1].mean(axis=0), 0)  # the constant 1 stays
seen, unseen = seen - middle, unseen - middle
logistic = convex.logistic_regression(seen, side, 1e-2, tolerance=1e-7)
claim(raw.residuals[-1] > 1e-4, True, says="pixels as they are: the certificate still fails after 100 sweeps")
claim(len(logistic.residuals) - 1, 17, atol=2, full=True, says="mean subtracted: it holds after this many sweeps")


# %% id="digits-check"
w = mg.tensor(logistic.x, requires_grad=True)
objective = mg.mean(mg.softplus(-mg.tensor(side) * (mg.tensor(seen) @ w))) + 0.5e-2 * mg.sum(mg.square(w))
(slope,) = mg.grad(objective, w)
claim(np.abs(slope.numpy()).max(), 0, atol=1e-7, says="the gradient by minigan's engine: largest slope")
claim(np.all(np.diff(logistic.objectives) <= 0), True, says=f"no sweep of {len(logistic.objectives) - 1} has raised the loss")
claim(right(logistic.x), 0.978, atol=0.015, full=True, says="share of unseen pictures that are right")

# %% [markdown] id="centre"
# The two problems are nearly the same, but the road is not. Two columns that are both nearly $-1$ everywhere point in nearly
# the same direction: $\rho$ is near 1, and we know from the staircase that the error then falls by $\rho^2$ per sweep. Subtract
# the means first.
#
# ## The support vector machine: descend in the samples
#
# The SVM wants a margin. It minimises $\frac12 \|w\|^2 + C \sum_i \max(0,\, 1 - y_i\, x_i^\top w)$: a sample that is on its own
# side, with room to spare, costs nothing, and $C$ is the price of the others. This is a corner that couples all weights, just
# what stops coordinate descent. The way out is the *dual* problem. Give each *sample* a number:
#
# $$\min_{0 \le \alpha_i \le C}\; \tfrac12 \|w\|^2 - \sum_i \alpha_i, \qquad w = \sum_i \alpha_i y_i x_i.$$
#
# Its corners are walls of single coordinates, a box. One coordinate's best value is a parabola's lowest point, clipped to the
# box: with $G = y_i\, x_i^\top w - 1$, it is $\alpha_i - G / \|x_i\|^2$, then into $[0, C]$.
#
# **Predict:** a sample lies far on its own side. What is its $\alpha_i$?


# %% id="svm-code"
def svm(X, y, C, sweeps):
    """(w, alpha) after some sweeps over the samples."""
    alpha, w = np.zeros(len(X)), np.zeros(X.shape[1])
    for _ in range(sweeps):
        for i in range(len(X)):
            G = y[i] * (X[i] @ w) - 1
            new = min(max(alpha[i] - G / (X[i] @ X[i]), 0.0), C)
            w += (new - alpha[i]) * y[i] * X[i]
            alpha[i] = new
    return w, alpha


sides = np.repeat([-1.0, 1.0], 30)
plane = 1.1 * rng.standard_normal((60, 2)) + sides[:, None] * [1.5, 1.0]
plane = np.hstack([plane, np.ones((60, 1))])  # the constant 1 is the bias
C = 1.0
w, alpha = svm(plane, sides, C, 1000)
margins = sides * (plane @ w)
claim(alpha[margins > 1.001], np.zeros((margins > 1.001).sum()), says="samples with room to spare: alpha is exactly 0")
claim(alpha[margins < 0.999], np.full((margins < 0.999).sum(), C), says="samples inside the margin: alpha is C")

# %% [markdown] id="gap"
# There is a certificate again, and a beautiful one. Every $w$ gives a value of the primal problem (the one with the margin),
# and every $\alpha$ one of the dual. The first is never below minus the second. If they meet, both are best.
#
# **Predict:** we throw away all samples with $\alpha_i = 0$ and train again. What changes?

# %% id="gap-code"
primal = w @ w / 2 + C * np.maximum(0, 1 - margins).sum()
dual = w @ w / 2 - alpha.sum()
claim(primal + dual, 0, atol=1e-6, says="the gap between primal and dual")
kept = alpha > 0
again, _ = svm(plane[kept], sides[kept], C, 1000)
claim(np.abs(again - w).max(), 0, atol=1e-5, says="trained on the support vectors only: largest change of w")
claim(kept.sum() < 30, True, says=f"they are {kept.sum()} of the 60 samples")

# %% id="svm-draw"
with figure("svm", width=6.5, height=4.8) as fig:
    axes = fig.add_subplot()
    for sign, colour, shape in ((-1, "#D55E00", "s"), (1, "#0072B2", "o")):
        axes.plot(*plane[(sides == sign) & ~kept, :2].T, shape, color=colour, markersize=4, alpha=0.4)
        axes.plot(*plane[(sides == sign) & kept, :2].T, shape, color=colour, markeredgecolor="black", label=f"$y = {sign:+d}$")
    across = np.linspace(-4, 4, 2)
    for margin, style in ((-1, "--"), (0, "-"), (1, "--")):
        axes.plot(across, (margin - w[2] - w[0] * across) / w[1], style, color="black", linewidth=1)
    axes.set(xlim=(-4, 4), ylim=(-4, 4), title="black edges: support vectors, $\\alpha > 0$")
    axes.legend(frameon=False)

# %% [markdown] id="compare"
# The same on 3 against 8. The two classifiers pay in a different way, but both are linear.
#
# **Predict:** which one gets more unseen pictures right?

# %% id="compare-code"
machine = convex.svm_dual(seen, side, 0.05, tolerance=1e-4)
w_machine = seen.T @ (machine.x * side)
print(f"  right on unseen fonts: logistic {right(logistic.x):.3f}, SVM {right(w_machine):.3f}")
claim(machine.residuals[-1] <= 1e-4, True, says=f"certificate of the SVM after {len(machine.residuals) - 1} sweeps")
claim(right(w_machine), right(logistic.x), atol=0.03, full=True, says="SVM and logistic regression: nearly the same share")

# %% [markdown] id="networks"
# ## And networks?
#
# Three things made this work: the best value of one coordinate is cheap, corners do not couple coordinates, and the problem is
# convex. A network lacks the first and the last. One weight of an early layer changes everything after it, so its "column" is a
# forward pass. minigan's `mg.optim.CoordinateDescent` changes one *block*, such as a layer, with a gradient step. Whether this
# helps a GAN is a question for an experiment, and a later lesson makes it.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `lasso`: move the line `r += ...` out of the inner loop, behind it: `r = y - X @ w`.
# 2. After `X, y = X - ...`: `X[:, 3] = X[:, 2]`, a copy of a feature that matters. Which of the two gets the weight?
# 3. In `svm`: leave the clipping out, `new = alpha[i] - G / (X[i] @ X[i])`.

# %% [markdown] id="exercise-1"
# ## Exercise 12.1
#
# The *elastic net* adds $\frac{s}{2}\|w\|^2$ to the lasso. In one coordinate: $\frac12 a w^2 - zw + t|w| + \frac{s}{2} w^2$.
# Which $w$ is best? Write it here, or in a file of your own (`minigan exercise start 12.1`).


# %% id="exercise-1-code"
def elastic(a, z, t, s):
    """The w that minimises a w^2 / 2 - z w + t |w| + s w^2 / 2, for numbers a > 0, t >= 0, s >= 0."""
    return None


lesson.exercise("12.1", elastic)

# %% [markdown] id="exercise-2"
# ## Exercise 12.2
#
# One step of the dual SVM: the new $\alpha_i$, with the others fixed.


# %% id="exercise-2-code"
def new_alpha(alpha, x, y, w, C):
    """The best alpha in [0, C] of one sample x (d,) with y = -1 or 1.   w (d,): the sum over all samples, this one included."""
    return None


lesson.exercise("12.2", new_alpha)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 12.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. All coordinates are set at once, from the same residual: "all at once is another method". The features are correlated, and
#    the weights explode.
# 2. The first one in the order gets all of it, the copy gets 0. Sharing it in any way would cost the same, so the minimum is
#    not unique. Do not read a lasso's zeros as "this feature does not matter". No claim about the weights notices the copy.
# 3. Without the box the problem has no minimum for points that no line separates, and the $\alpha$ run away, some below 0. The
#    gap between primal and dual shows it at once.
#
# </details>
#
# Predictions: one, and $0.9^2 = 0.81$; no, it explodes; at $(1, 1)$; 1, 0 and $-2$; above $\max|X^\top y|/n$; 19 and
# 322; $-7$; yes, and 98; 0; nothing; neither, the difference is below one standard deviation (lesson 9).
#
# ## What you have now
#
# * A method without a learning rate, and the reason why its order (one by one) matters.
# * Where it stops too early, and why the lasso and the dual SVM are safe.
# * Certificates: numbers that say "this is the minimum" without knowing it.
#
# Next: lesson 13 goes back to two players, in one dimension, where there is nothing to descend on.

# %% id="end"
lesson.end()
