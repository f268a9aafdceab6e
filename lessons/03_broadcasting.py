# %% [markdown] id="promise"
# # 3. Broadcasting: copy forward, add backward
#
# Lesson 1 ended with one line about `X + b`: copying forward, summing backward. At the end of this lesson you know why this is
# so for every linear step of a network, not only for this one. You have a test that finds a wrong rule in one line. And you
# have seen the bug that broadcasting causes most often: a loss that falls as it should, and a model that learns nothing.
#
# It takes about 1 second. You need lesson 1, and matrices times vectors. As before: answer the question first, then run.
#
# Sources: Harris et al. 2020, "Array programming with NumPy" (broadcasting: figure 1). Giles 2008, "Collected matrix derivative
# results for forward and reverse mode algorithmic differentiation" (section 2: reverse mode as an equality of two inner
# products). Claerbout 1992, "Earth Soundings Analysis" (the dot-product test of an adjoint, which geophysicists use daily).

# %% id="setup"
import numpy as np

import minigan as mg
from minigan.lesson import Lesson, raises

lesson = Lesson("03_broadcasting")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(3)
variable = lambda array: mg.tensor(array, dtype="float64", requires_grad=True)

# %% [markdown] id="shapes"
# ## Which shapes fit?
#
# NumPy writes the two shapes one above the other, *aligned on the right*. Then it looks at each axis:
#
# * an axis that is missing on the left counts as 1,
# * an axis of size 1 is stretched to the size of the other,
# * any other two sizes must be equal, otherwise there is an error.
#
# **Predict:** which shape has `a + b` if `a` is (5, 1, 3) and `b` is (4, 1)? And if `b` is (4,)?


# %% id="shapes-code"
def together(a, b):
    """The shape of a + b for arrays of the shapes a and b."""
    longest = max(len(a), len(b))
    a, b = ((1,) * (longest - len(s)) + s for s in (a, b))
    if any(m != n and 1 not in (m, n) for m, n in zip(a, b)):
        raise ValueError(f"{a} and {b} do not fit")
    return tuple(n if m == 1 else m for m, n in zip(a, b))


claim(together((5, 1, 3), (4, 1)), [5, 4, 3], says="(5, 1, 3) and (4, 1) together")
claim(np.broadcast_shapes((5, 1, 3), (4, 1)), [5, 4, 3], says="NumPy says the same")
claim(raises(ValueError, lambda: together((5, 1, 3), (4,))), True, says="(5, 1, 3) and (4,) do not fit: 3 is not 4")
claim(together((64, 1), (64,)), [64, 64], says="but (64, 1) and (64,) do: remember this one")

# %% [markdown] id="free"
# ## Stretching costs no memory
#
# NumPy does not write the copies. It only says: to reach the next row, go 0 bytes forward (`strides`).
#
# **Predict:** three numbers of 8 bytes are stretched to the shape (1000, 3). How many bytes does one step down the rows move?

# %% id="free-code"
rows = np.broadcast_to(np.array([0.1, 0.2, 0.3]), (1000, 3))
claim(rows.strides, [0, 8], says="bytes to the next row, to the next column")
claim(rows.flags.writeable, False, says="may one write into the stretched array?")

# %% [markdown] id="matrix"
# ## Stretching is a matrix
#
# Write the stretched array as one long vector. Then each of its numbers is one of the original numbers. So the map
# $B: b \mapsto \text{stretched } b$ is linear, and it is a matrix of zeros and ones. How do we find the matrix of a linear map?
# Its columns are the images of the unit vectors.
#
# **Predict:** $b$ has 3 numbers, and is stretched to (2, 3). How large is the matrix? How many ones are in each column?


# %% id="matrix-code"
def matrix_of(linear, shape):
    """The matrix of a linear map of arrays of this shape: one column for each unit array, flattened."""
    units = np.eye(int(np.prod(shape)))
    return np.stack([np.asarray(linear(unit.reshape(shape))).ravel() for unit in units], axis=1)


stretch = lambda b: np.broadcast_to(b, (2, 3))
B = matrix_of(stretch, (3,))
claim(B.shape, [6, 3], says="rows and columns of B")
claim(B.sum(axis=0), [2, 2, 2], says="ones in each column: how often each number is used")
claim(B.sum(axis=1), np.ones(6), says="ones in each row: each copy has one origin")
b = np.array([0.1, 0.2, 0.3])
claim(B @ b, stretch(b).ravel(), says="B b is the stretched b")

# %% [markdown] id="transpose"
# ## Why the gradient goes through the transposed matrix
#
# Let $y = Bb$, and let a number $L$ depend on $y$, with the gradient $g = \partial L/\partial y$. The chain rule is a sum over
# paths: $b_j$ reaches $L$ through every $y_i$, with the local derivative $B_{ij}$.
#
# $$\frac{\partial L}{\partial b_j} = \sum_i g_i\, B_{ij}, \qquad\text{and so}\qquad \frac{\partial L}{\partial b} = B^\top g.$$
#
# Nothing here is special to broadcasting. **The rule of a linear map is its transposed matrix.** A network never writes this
# matrix: for a real layer it would fill the memory. It needs a *function* that does what $B^\top$ does. This function is called
# the *adjoint* of the map. For stretching, a column of $B$ has a one for each copy, so $B^\top$ adds up what arrives at the
# copies.
#
# **Predict:** $g$ is the array below. What does $b$ receive?

# %% id="transpose-code"
g = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
tensor_b = variable(b)
(received,) = mg.grad(mg.broadcast_to(tensor_b, (2, 3)), [tensor_b], grad_outputs=[mg.tensor(g)])
claim(B.T @ g.ravel(), [11, 22, 33], says="B^T g, with the matrix")
claim(g.sum(axis=0), [11, 22, 33], says="the same as a sum over the rows")
claim(received, [11, 22, 33], says="the same from minigan")

# %% id="matrix-draw"
with figure("matrix", width=9, height=4.2) as fig:
    for axes, (small, large) in zip(fig.subplots(1, 3), [((3,), (2, 3)), ((2, 1), (2, 3)), ((), (3, 3))]):
        picture = matrix_of(lambda a, to=large: np.broadcast_to(a, to), small)
        axes.imshow(picture, cmap="Blues", vmin=0, vmax=1.4)
        for (i, j), one in np.ndenumerate(picture):
            axes.text(j, i, f"{one:.0f}", ha="center", va="center", color="white" if one else "0.6")
        axes.set(
            title=f"{small} to {large}",
            xlabel="original number $j$",
            xticks=range(picture.shape[1]),
            yticks=range(len(picture)),
        )
    fig.axes[0].set_ylabel("copy $i$")
    fig.suptitle("$B_{ij} = 1$: copy $i$ comes from number $j$.   Backward: add up the ones of a column", fontsize=11)

# %% [markdown] id="test"
# ## A test in one line
#
# (`matrix.png` shows our $B$, and two others.) How can we test an adjoint without writing the matrix? For any $b$ and $g$ of
# the right shapes,
#
# $$\langle B b,\ g \rangle = \sum_i \sum_j B_{ij}\, b_j\, g_i = \langle b,\ B^\top g \rangle,$$
#
# where $\langle u, v\rangle$ is `sum(u * v)`. Take random $b$ and $g$, and compare two numbers. A wrong rule passes this test
# only by a very rare accident. (This works for linear maps. For the others, lesson 1 had finite differences.)
#
# **Predict:** somebody forgets that the copies are *added*, and takes their mean. By which factor do the two numbers differ, if
# $b$ of shape (3,) is stretched to (4, 3)?


# %% id="test-code"
def two_products(linear, shape, adjoint=None):
    """<A x, g> and <x, A^T g> for random x and g.   adjoint: A^T as a function; by default minigan's rule of A."""
    x = variable(rng.standard_normal(shape))
    y = linear(x)
    g = rng.standard_normal(y.shape)
    back = adjoint(g) if adjoint else mg.grad(y, [x], grad_outputs=[mg.tensor(g)])[0].numpy()
    return float(np.sum(y.detach().numpy() * g)), float(np.sum(x.detach().numpy() * back))


to_four_rows = lambda x: mg.broadcast_to(x, (4, 3))
left, right = two_products(to_four_rows, (3,))
claim(left - right, 0, atol=1e-12, says="minigan's rule: the two products agree")
left, right = two_products(to_four_rows, (3,), adjoint=lambda g: g.mean(axis=0))
claim(left / right, 4, atol=1e-9, says="a mean in place of the sum: the factor between them")

# %% [markdown] id="pairs"
# ## Linear steps come in pairs
#
# Many steps of a network are linear and only move numbers. If $B^\top$ is the adjoint of $B$, then $B$ is the adjoint of
# $B^\top$. So they come in pairs, and each is the rule of the other:
#
# | forward | backward | in words |
# | --- | --- | --- |
# | stretch | sum | copied numbers add up |
# | sum | stretch | every summand receives the same $g$ |
# | pad with zeros | crop | nobody asks what the zeros receive |
# | concatenate | split | each part gets its own back |
# | transpose, reshape, flip | the same, in the other direction | numbers only change places |
# | take rows (`x[index]`) | add into rows | a row that is taken twice receives twice |
# | $x \mapsto xW$ | $g \mapsto gW^\top$ | lesson 1 |
#
# **Predict:** `y = x[[0, 0, 2]]` and every number of `y` receives 1. What does `x` (three numbers) receive?

# %% id="pairs-code"
differences = [
    np.subtract(*two_products(linear, shape))
    for linear, shape in [
        (lambda x: mg.sum(x, axis=0), (4, 3)),
        (lambda x: mg.pad(x, ((1, 2), (0, 1))), (4, 3)),
        (lambda x: mg.concatenate([x, 2 * x], axis=1), (4, 3)),
        (lambda x: mg.transpose(x), (4, 3)),
        (lambda x: mg.flip(x, axis=0), (4, 3)),
        (lambda x: x[[0, 0, 2]], (4, 3)),
        (lambda x: x @ mg.tensor(np.arange(6.0).reshape(3, 2)), (4, 3)),
    ]
]
claim(np.abs(differences).max(), 0, atol=1e-12, says="largest difference of the two products, for seven linear steps")
x = variable([5.0, 6.0, 7.0])
(received,) = mg.grad(mg.sum(x[[0, 0, 2]]), [x])
claim(received, [2, 0, 1], says="x[[0, 0, 2]]: taken twice, never, once")

# %% [markdown] id="pairs-trap"
# There is a trap for those who write such a rule by hand. In NumPy, `r[index] += g` reads all rows first, adds, and then writes
# them. A row that is named twice is written twice, each time with one part only: the other part is lost, and nobody is told.
# `np.add.at(r, index, g)` adds one after the other. (A table of words, an *embedding*, is such a step: a frequent word is taken
# many times in one batch.)
#
# **Predict:** what is in `r` after `r[[0, 0, 2]] += 1`, if it was zero before?

# %% id="pairs-trap-code"
lost, kept = np.zeros(3), np.zeros(3)
lost[[0, 0, 2]] += 1
np.add.at(kept, [0, 0, 2], 1)
claim(lost, [1, 0, 1], says="with += one part is lost")
claim(kept, [2, 0, 1], says="with np.add.at it is kept")

# %% [markdown] id="product"
# ## Products that stretch
#
# In `y = x * s` with `x` of shape (4, 3) and `s` of shape (4, 1), two things happen: `s` is stretched, then multiplied.
# Backward goes through the same two steps in the other order: first the rule of the product gives $g\,x$, of shape (4, 3). Then
# the adjoint of stretching adds up what belongs to the same number of `s`.
#
# **Predict:** over which axis does it add? Which shape does the sum need?

# %% id="product-code"
x, s = variable(rng.standard_normal((4, 3))), variable(rng.standard_normal((4, 1)))
g = rng.standard_normal((4, 3))
of_x, of_s = mg.grad(x * s, [x, s], grad_outputs=[mg.tensor(g)])
by_hand = (g * x.detach().numpy()).sum(axis=1, keepdims=True)
claim(by_hand.shape, [4, 1], says="over axis 1, and the axis stays")
claim(np.abs(of_s.numpy() - by_hand).max(), 0, atol=1e-12, says="s receives this sum of g x: largest difference")
claim(of_x, g * s.detach().numpy(), atol=1e-12, says="x receives g s; here s is stretched again")

# %% [markdown] id="engine"
# ## Once, in the engine
#
# Every op with two inputs can stretch: `+ - * / maximum where ...`. It would be easy to forget the sum in one of these rules.
# So minigan's rules do not contain it. A rule returns what it has, in the shape of the output, and the engine takes the sum for
# every op that is marked with `broadcasts=True`. An op without the mark must return exactly the shape of its input. If it does
# not, the engine refuses. (An engine that stretched a wrong gradient silently would train, and train wrongly.)
#
# **Predict:** below, both ops return $g$ unchanged to both inputs. For which one does minigan complain, and about which input?

# %% id="engine-code"
rules = (lambda g, y, a, b: g, lambda g, y, a, b: g)
marked = mg.primitive(lambda a, b: a + b, *rules, name="marked", broadcasts=True)
unmarked = mg.primitive(lambda a, b: a + b, *rules, name="unmarked")
x, b = variable(np.ones((4, 3))), variable(np.ones(3))
claim(mg.grad(mg.sum(marked(x, b)), [b])[0], [4, 4, 4], says="marked: the engine adds over the rows")
refused = raises(mg.errors.GraphError, lambda: mg.grad(mg.sum(unmarked(x, b)), [b]))
claim(refused, True, says="not marked: a gradient of shape (4, 3) for b of shape (3,) is refused")

# %% [markdown] id="twice"
# ## The rule of the rule
#
# The sum is a public op too, and its rule is stretching. So a second derivative walks from stretching to summing and back, as
# often as one likes, and no new rule is needed.
#
# **Predict:** $r = B^\top g$ for a $g$ of shape (4, 3). We send $(1, 2, 3)$ backward from $r$. What does $g$ receive?

# %% id="twice-code"
b, g = variable(np.zeros(3)), variable(np.ones((4, 3)))
(r,) = mg.grad(mg.broadcast_to(b, (4, 3)), [b], grad_outputs=[g], create_graph=True)
(received,) = mg.grad(r, [g], grad_outputs=[mg.tensor([1.0, 2.0, 3.0], dtype="float64")])
claim(received, [[1, 2, 3]] * 4, says="the adjoint of the adjoint: (1, 2, 3) is stretched again")

# %% [markdown] id="batch"
# ## Sum or mean?
#
# The bias of a layer is stretched over all samples of a batch, so its gradient is a sum over the batch. Does a batch of twice
# the size then give a gradient of twice the size? This depends on the loss. A *sum* over the samples sends $g = 1$ to each of
# them. A *mean* sends $g = 1/N$, and the sum of $N$ such parts stays as large as before.
#
# **Predict:** the gradient of the bias for 8 and for 64 samples, if the loss is the sum of all outputs, and if it is their
# mean.


# %% id="batch-code"
def of_bias(reduce, samples):
    """The gradient of a bias that is added to this many samples, for a loss that reduces the outputs to one number."""
    bias = variable([0.5])
    return float(mg.grad(reduce(mg.tensor(np.zeros((samples, 1))) + bias), [bias])[0])


claim([of_bias(mg.sum, 8), of_bias(mg.sum, 64)], [8, 64], says="sum: the gradient grows with the batch")
claim([of_bias(mg.mean, 8), of_bias(mg.mean, 64)], [1, 1], atol=1e-12, says="mean: it does not")

# %% [markdown] id="trap"
# ## The bug: a loss that falls, and a model that learns nothing
#
# A network for one number returns predictions of shape (64, 1). The targets come from a file, with shape (64,). Then
# `predictions - targets` does not fail. You have seen its shape above. Every prediction is compared with *every* target.
#
# Our data are points on the line $t = 3u + 1$, with a little noise. We fit a line with the mean square of the difference, by
# plain gradient descent: 400 times $w \leftarrow w - 0.3\,\partial L/\partial w$.
#
# **Predict:** which slope is found? Where does the loss end?


# %% id="trap-code"
u = rng.uniform(-1, 1, (64, 1))
noisy = 3 * u + 1 + 0.1 * rng.standard_normal((64, 1))


def fit(targets, loss=lambda p, t: mg.mean(mg.square(p - t))):
    """Fit a line to the points (u, targets); its slope, its height at u = 0, and the losses on the way."""
    slope, height, losses = 0.0, 0.0, []
    for _ in range(400):
        line = variable([slope, height])
        now = loss(line[0] * mg.tensor(u) + line[1], mg.tensor(targets))
        (g,) = mg.grad(now, [line])
        slope, height = slope - 0.3 * float(g[0]), height - 0.3 * float(g[1])
        losses.append(float(now))
    return slope, height, losses


good, bad = fit(noisy), fit(noisy[:, 0])
claim(good[:2], [3, 1], atol=0.05, says="targets (64, 1): slope and height")
claim(good[2][-1], 0.01, atol=0.004, says="and the loss ends at the variance of the noise")
claim(bad[:2], [0, noisy.mean()], atol=1e-6, says="targets (64,): slope 0, and the mean of the targets")
claim(bad[2][-1], noisy.var(), atol=1e-6, says="and the loss ends at the variance of the targets")
claim(bad[2][-1] < 0.7 * bad[2][0], True, says="on the way it has fallen by more than 30 percent: it looks like learning")

# %% id="trap-draw"
with figure("trap", width=9, height=3.8) as fig:
    left, right = fig.subplots(1, 2)
    left.plot(u, noisy, ".", color="0.6", label="data")
    ends = np.array([-1, 1])
    for (slope, height, losses), colour, name in ((good, "#0072B2", "targets (64, 1)"), (bad, "#D55E00", "targets (64,)")):
        left.plot(ends, slope * ends + height, color=colour, linewidth=2, label=name)
        right.semilogy(losses, color=colour, linewidth=2, label=name)
    left.set(xlabel="$u$", ylabel="$t$", title="what is learned", xticks=[-1, -0.5, 0, 0.5, 1])
    right.set(xlabel="step", ylabel="loss", title="what one sees on the way", xlim=(0, 60))
    left.legend(frameon=False)
    right.legend(frameon=False)

# %% [markdown] id="trap-why"
# Why the mean? The loss is now a mean over all pairs $(i, j)$, and it splits into two parts:
#
# $$\frac{1}{N^2}\sum_{i,j} (p_i - t_j)^2 = \frac1N\sum_i (p_i - \bar t)^2 + \mathrm{Var}(t).$$
#
# The first part pulls every prediction to the mean $\bar t$, whatever its input. The second part cannot be reduced.
#
# A look at the shapes prevents this. minigan's own losses refuse such a pair. (In a GAN the same mistake hides longer: the
# targets of D are all 1 or all 0, so every pair has the same target. The loss is then even right, but it costs $N$ times the
# work.)

# %% id="trap-refused"
p, t = rng.standard_normal((64, 1)), rng.standard_normal(64)
pairs = np.mean((p - t) ** 2)
claim(pairs, np.mean((p - t.mean()) ** 2) + t.var(), atol=1e-12, says="the mean over all pairs splits in two")
claim(raises(mg.errors.ShapeError, lambda: fit(noisy[:, 0], loss=mg.mse_loss)), True, says="mg.mse_loss refuses (64,)")

# %% [markdown] id="break"
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `fit`: put `mg.tensor(u[:, 0])` in the place of `mg.tensor(u)`, so that the *predictions* have the shape (64,) too.
# 2. In `test-code`: let the wrong adjoint be `lambda g: g[0]`. It keeps the first copy and forgets the others.
# 3. In `fit`: put `mg.sum` in the place of `mg.mean`.

# %% [markdown] id="exercise-1"
# ## Exercise 3.1
#
# Write the adjoint of stretching for every shape, with NumPy: `gradient` has the shape of the stretched array, `shape` is the
# shape of the original. Two kinds of axes must be added up: those that were missing on the left, and those that had size 1.


# %% id="exercise-1-code"
def unbroadcast(gradient, shape):
    """What an array of this shape receives, if it was stretched to gradient.shape."""
    return None


lesson.exercise("3.1", unbroadcast)

# %% [markdown] id="exercise-2"
# ## Exercise 3.2
#
# `y = x - x.mean(axis=0)` takes the mean of the batch away from each sample of `x` (N, features). This is the first half of
# batch normalisation (lesson 5). It is linear. What does `x` receive, if `g` arrives at `y`? Think of two paths: the direct
# one, and the one through the mean, to all samples.


# %% id="exercise-2-code"
def centre_rule(g):
    """What x receives for y = x - x.mean(axis=0), where g (N, features) arrives at y; in NumPy."""
    return None


lesson.exercise("3.2", centre_rule)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 3.1 --answer` shows a right answer. In 3.2 the map is its own adjoint: it is a projection, onto
# the arrays with mean 0. So the gradient that leaves it has mean 0 as well: what all samples want in common is lost.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. The two fits change places: now the targets of shape (64,) give the right line, and those of shape (64, 1) the flat one.
#    Five claims get a cross. No shape is wrong by itself; two shapes fit together, or they do not.
# 2. The factor is not 4 and no whole number at all: it depends on the random numbers. The test still finds the mistake. But it
#    cannot say what is wrong; only a look at the shapes of the error could.
# 3. The gradient is 64 times larger, and so is each step. The slope overshoots, further each time, until the numbers are too
#    large for a float, and everything is `nan`. "Sum or mean" is a decision about the learning rate.
#
# </details>
#
# Predictions: (5, 4, 3), and an error; 0 bytes; 6 x 3 with two ones in each column; (11, 22, 33); 4; (2, 0, 1); (1, 0, 1); over
# axis 1, with the shape (4, 1); for the one that is not marked, about $b$; (1, 2, 3) in each of the four rows; 8 and 64 for the
# sum, 1 and 1 for the mean; slope 0, and the variance of the targets.
#
# ## What you have now
#
# * The rule of a linear map is its transpose, written as a function: the adjoint.
# * One line that tests it: $\langle Bb, g\rangle = \langle b, B^\top g\rangle$.
# * A habit: look at the shapes before you look at the loss.
#
# Next: lesson 4 does the same with convolution, whose adjoint has a name of its own.

# %% id="end"
lesson.end()
