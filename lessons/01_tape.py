# %% [markdown] id="promise"
# # 1. The tape: derivatives by bookkeeping
#
# At the end of this lesson you have built, from nothing, what `loss.backward()` does: an automatic differentiation in about 60
# lines. It gives first derivatives, second derivatives, and any order after that. You check it four ways: by hand, by finite
# differences, by a published table, and against minigan's own engine.
#
# You need Python and the chain rule from school. The whole file runs in a few seconds: `python lessons/01_tape.py`.
#
# How to read it: text, then code. Before each cell of code stands a question. Write your answer down first, then run. A line
# with a tick is a sentence of this text which the machine has just checked. A cross means that the machine found another
# number. Do change the code (`minigan lesson 1 --copy` gives you a copy to play with): the lesson goes on after a cross.
#
# Sources: Linnainmaa 1976 (the method), Rumelhart, Hinton and Williams 1986 (the same for networks), Griewank and Walther 2008,
# "Evaluating Derivatives" (the textbook), Baydin, Pearlmutter, Radul and Siskind 2018, "Automatic differentiation in machine
# learning: a survey" (our example).

# %% id="setup"
import itertools
import math

import numpy as np

import minigan as mg
from minigan.lesson import Lesson, raises

lesson = Lesson("01_tape")
claim, figure = lesson.claim, lesson.figure

# %% [markdown] id="example"
# ## The example
#
# $$f(x_1, x_2) = \ln x_1 + x_1 x_2 - \sin x_2 \qquad \text{at } x_1 = 2,\ x_2 = 5.$$
#
# This is the example of Baydin et al. 2018 (their tables 2 and 3). Each of the two inputs is used twice.
#
# By hand: $\partial f/\partial x_1 = 1/x_1 + x_2 = 5.5$ and $\partial f/\partial x_2 = x_1 - \cos x_2 = 1.716...$
#
# A computer does not see a formula. It sees five small steps, one after the other: `ln`, `*`, `+`, `sin`, `-`. For each small
# step we know the derivative. The question of this lesson is how to combine them.

# %% [markdown] id="tape"
# ## The tape
#
# A `Value` is a number that remembers how it was made: its parents, and one rule for each parent.
#
# A rule answers one question. Let $g$ be the derivative of the final result with respect to *this* value. What does this value
# add to the derivative with respect to its parent? The answer is $g$ times the local derivative:
#
# | step | rule for the first parent | rule for the second parent |
# | --- | --- | --- |
# | $y = a + b$ | $g$ | $g$ |
# | $y = a\,b$ | $g\,b$ | $g\,a$ |
# | $y = a^n$ | $g\,n\,a^{n-1}$ | |
# | $y = \ln a$ | $g / a$ | |
# | $y = \sin a$ | $g \cos a$ | |
#
# Look closely at one thing in the code. The rules do not compute with plain numbers: they compute with `Value`s, using the same
# operators `+ * **` that they define. We need this only at the end of the lesson, and then it decides everything.


# %% id="tape-code"
class Value:
    """A number that remembers how it was made: its parents, and per parent a rule  g -> what the parent receives."""

    count = itertools.count()

    def __init__(self, data, parents=(), rules=(), name=""):
        self.data, self.parents, self.rules, self.name = data, parents, rules, name
        self.order = next(Value.count)  # a value is always newer than its parents

    def __add__(a, b):
        b = value(b)
        return Value(a.data + b.data, (a, b), (lambda g: g, lambda g: g), "+")

    def __mul__(a, b):
        b = value(b)
        return Value(a.data * b.data, (a, b), (lambda g: g * b, lambda g: g * a), "*")

    def __pow__(a, n):
        return Value(a.data**n, (a,), (lambda g: g * (n * a ** (n - 1)),), f"^{n}")

    def __sub__(a, b):
        b = value(b)
        return Value(a.data - b.data, (a, b), (lambda g: g, lambda g: -g), "-")

    def __rsub__(a, b):
        return value(b) - a

    def __neg__(a):
        return a * -1.0

    __radd__, __rmul__ = __add__, __mul__


def value(x):
    """x as a Value; a plain number becomes one without parents."""
    return x if isinstance(x, Value) else Value(x)


def log(a):
    return Value(math.log(a.data), (a,), (lambda g: g * a**-1,), "ln")


def sin(a):
    return Value(math.sin(a.data), (a,), (lambda g: g * cos(a),), "sin")


def cos(a):
    return Value(math.cos(a.data), (a,), (lambda g: -(g * sin(a)),), "cos")


def exp(a):
    y = Value(math.exp(a.data), (a,), name="exp")
    y.rules = (lambda g: g * y,)  # the derivative of exp is exp itself, and y is already computed
    return y


# %% [markdown] id="forward"
# ## Forward: compute and record
#
# **Predict:** how many values does the tape hold after the next cell? Count the two inputs too.

# %% id="forward-code"
f = lambda x1, x2: log(x1) + x1 * x2 - sin(x2)
x1, x2 = Value(2.0, name="x1"), Value(5.0, name="x2")
y = f(x1, x2)
claim(y.data, 11.652, atol=5e-4, says="f(2, 5), as in table 2 of Baydin et al.")
claim(y.order - x1.order + 1, 7, says="values on the tape: 2 inputs and 5 steps")

# %% [markdown] id="paths"
# ## The chain rule is a sum over paths
#
# How does $x_1$ influence $y$? Along every path in the graph that leads from $x_1$ to $y$. There are two:
#
# * $x_1 \to \ln \to + \to -$, and the product of the local derivatives is $\frac12 \cdot 1 \cdot 1 = 0.5$
# * $x_1 \to * \to + \to -$, and the product is $5 \cdot 1 \cdot 1 = 5$
#
# Multiply **along** a path. Add **over** all paths: $0.5 + 5 = 5.5$. This is the whole chain rule. It also says why gradients
# are *added*: a value that is used twice starts two paths. (For networks: Rumelhart, Hinton and Williams 1986, equation 7.)
#
# **Predict:** how many paths lead from $x_2$ to $y$, and what are their two products?


# %% id="paths-code"
def paths(node, source, product=1.0):
    """For every path from source to node: the product of the local derivatives along it."""
    if node is source:
        yield product
    for parent, rule in zip(node.parents, node.rules):
        yield from paths(parent, source, product * rule(Value(1.0)).data)


claim(sorted(paths(y, x1)), [0.5, 5.0], says="the two paths from x1")
claim(sum(paths(y, x1)), 5.5, says="their sum is df/dx1")
claim(sorted(paths(y, x2)), [-math.cos(5.0), 2.0], atol=1e-15, says="the two paths from x2: -cos(5) and 2")

# %% [markdown] id="too-many"
# ## Too many paths
#
# The sum over paths is right, but it is not a method. Double a number sixteen times: `y = y + y`. Each `+` uses its parent
# twice, so each `+` doubles the number of paths.
#
# **Predict:** how many paths lead through 16 doublings? How many *values* are on the tape?
#
# The way out: do not walk path by path. Walk value by value, and at each value **add first**, then go on. All paths that meet
# at a value continue together, as one number. Then the work is proportional to the number of steps, not to the number of paths.
# This is reverse mode. (Griewank and Walther 2008, chapter 3; the bound on the cost is by Baur and Strassen 1983.)


# %% id="walk-code"
def walk(out):
    """Every value that out was made from, the newest first."""
    found, stack = {out}, [out]
    while stack:
        for parent in stack.pop().parents:
            if parent not in found:
                found.add(parent)
                stack.append(parent)
    return sorted(found, key=lambda node: node.order, reverse=True)


def gradients(out):
    """{value: d out / d value} for everything that out was made from; the derivatives are Values too."""
    grads = {out: Value(1.0)}
    for node in walk(out):
        g = grads[node]  # complete: whoever uses this node is newer, and was here before
        for parent, rule in zip(node.parents, node.rules):
            grads[parent] = grads[parent] + rule(g) if parent in grads else rule(g)
    return grads


# %% [markdown] id="order"
# Why *newest first*? A value may pass its gradient on only when the gradient is complete: when every step that used the value
# has added its part. A step that used it was made later, so it is newer. Going from new to old, no part is missing. No clever
# sorting is needed: the order of creation is the order we want. minigan's engine does the same.

# %% id="walk-check"
grads = gradients(y)
claim(grads[x1].data, 5.5, says="df/dx1 by one walk")
claim(grads[x2].data, 2 - math.cos(5.0), atol=1e-15, says="df/dx2 = x1 - cos(x2)")
claim([grads[x1].data, grads[x2].data], [5.5, 1.716], atol=5e-4, says="both, as in table 3 of Baydin et al.")

start = chain = Value(1.0)
for _ in range(16):
    chain = chain + chain
claim(sum(1 for _ in paths(chain, start)), 2**16, says="paths through 16 doublings")
claim(len(walk(chain)), 17, says="values that the walk visits for the same answer")
claim(gradients(chain)[start].data, 2**16, says="the derivative, after 16 steps instead of 65,536 paths")

# %% [markdown] id="picture"
# ## The picture
#
# Each box shows a step, its value and its gradient $\partial y / \partial \text{box}$. Each arrow shows a local derivative.
# Check one gradient with your finger: start at $y$ with 1, go back along the arrows, multiply along each path, add the paths.


# %% id="picture-code"
def draw(axes, out, places):
    """Boxes with value and gradient at its place (column, row); arrows with their local derivative."""
    grads, centred = gradients(out), {"ha": "center", "va": "center"}
    box = {"boxstyle": "round,pad=0.5", "facecolor": "#DCEBF7", "edgecolor": "#0072B2"}
    label = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    for node, (column, row) in places.items():
        text = f"{node.name}\nvalue {node.data:.3f}\ngrad {grads[node].data:.3f}"
        axes.text(column, row, text, fontsize=10, bbox=box, zorder=3, **centred)
        for parent, rule in zip(node.parents, node.rules):
            (c, r), local = places[parent], rule(Value(1.0)).data
            axes.annotate("", (column - 0.25, row), (c + 0.25, r), arrowprops={"arrowstyle": "->", "color": "0.4"})
            axes.text((column + c) / 2, (row + r) / 2, f"{local:.3g}", color="#B34700", bbox=label, **centred)
    axes.set(xlim=(-0.45, 3.45), ylim=(-0.75, 2.75))
    axes.axis("off")


total, sine = y.parents
ln, product = total.parents
places = {x1: (0, 2), x2: (0, 0), ln: (1, 2.25), product: (1, 1), sine: (1, -0.25), total: (2, 1.6), y: (3, 1)}
with figure("graph", width=9, height=4.6) as fig:
    draw(fig.add_subplot(), y, places)
    fig.suptitle("f = ln x1 + x1 x2 - sin x2     blue boxes: steps     orange numbers: local derivatives", fontsize=11)

# %% [markdown] id="engine"
# ## The same numbers from minigan
#
# minigan's `grad(output, inputs)` does the same walk with arrays in the place of numbers. `inputs` may also be values in the
# middle of the computation, so we can compare all seven boxes. (`float64`: as many digits as Python's own numbers have.)

# %% id="engine-code"
u1, u2 = mg.tensor(2.0, dtype="float64", requires_grad=True), mg.tensor(5.0, dtype="float64", requires_grad=True)
u_ln, u_product, u_sine = mg.log(u1), u1 * u2, mg.sin(u2)
u_total = u_ln + u_product
u = u_total - u_sine
theirs = mg.grad(u, [u1, u2, u_ln, u_product, u_sine, u_total, u])
ours = [grads[node].data for node in (x1, x2, ln, product, sine, total, y)]
claim([float(g) for g in theirs], ours, atol=1e-15, says="all seven gradients, by the engine and by our tape")

# %% [markdown] id="differences"
# ## Finite differences: a check, not a method
#
# $$\frac{\partial f}{\partial x_1} \approx \frac{f(x_1 + h,\, x_2) - f(x_1 - h,\, x_2)}{2h}$$
#
# needs no rules at all. Why not always do this? First, the cost: two calls of $f$ for *every* input, and a network has a
# million inputs. Our walk gives all derivatives at once. Second, the accuracy.
#
# **Predict:** which step $h$ is best: $10^{-2}$, $10^{-5}$ or $10^{-12}$?


# %% id="differences-code"
def difference(h):
    """The central difference of f in x1 at (2, 5)."""
    return (f(Value(2 + h), Value(5.0)).data - f(Value(2 - h), Value(5.0)).data) / (2 * h)


steps = 10.0 ** np.arange(-14, 0.1, 0.5)
errors = [abs(difference(h) - 5.5) for h in steps]
claim(difference(1e-5), grads[x1].data, atol=1e-9, says="by differences with h = 1e-5, and by our walk")
claim(abs(difference(1e-2) - 5.5) > 1e-6, True, says="h = 1e-2: error above 1e-6, the curve is not straight enough")
claim(max(errors[:5]) > 1e-6, True, says="h of 1e-12 and below: above 1e-6, too few digits remain")

# %% [markdown] id="differences-figure"
# A large $h$ has an error of about $h^2/24$ here (the third derivative of $\ln$ at 2 is $1/4$, divided by 6). A small $h$
# subtracts two nearly equal numbers: the rounding error, about $10^{-15}$, is divided by $h$. The best $h$ lies between. A rule
# has neither error. So: compute with rules, check with differences. minigan does so for every op (`minigan/gradcheck.py`).

# %% id="differences-draw"
with figure("differences", width=7, height=4) as fig:
    axes = fig.add_subplot()
    axes.loglog(steps, np.maximum(errors, 1e-16), "o-", color="#0072B2", label="measured error")
    axes.loglog(steps, steps**2 / 24, "--", color="#D55E00", label="$h^2/24$: the curve bends")
    axes.loglog(steps, 1e-15 / steps, ":", color="#009E73", linewidth=2, label="$10^{-15}/h$: rounding")
    axes.set(xlabel="step $h$", ylabel="error of the difference", ylim=(1e-14, 1))
    axes.grid(color="0.9")
    axes.legend(frameon=False)
claim(difference(1e-2) - 5.5, 1e-4 / 24, atol=1e-8, says="the error at h = 1e-2 is h^2/24")

# %% [markdown] id="recursion"
# ## Why `walk` does not call itself
#
# A recursive walk is shorter to write: "visit my parents, then their parents". But Python allows only about 1,000 calls inside
# each other, and a long training computation is a long chain. Our `walk` keeps its own list, and has no such limit. (Recursion
# has a second danger. If it passes gradients on at its first visit, they are not yet complete: see issue 68 of micrograd.)


# %% id="recursion-code"
def recursive(node):
    """How many values lie behind this one, by recursion (each has one parent here)."""
    return 1 + sum(recursive(parent) for parent in node.parents)


length = 10_000 if lesson.fast else 100_000
start = chain = Value(1.0)
for _ in range(length):
    chain = chain * 1.00001
claim(raises(RecursionError, lambda: recursive(chain)), True, says="recursion does not survive a long chain")
claim(gradients(chain)[start].data, 1.00001**length, atol=1e-9, says=f"our walk, through {length} steps")

# %% [markdown] id="twice"
# ## Calling backward twice
#
# Many engines keep the sums in the values themselves, as `node.grad`, and add to them. Then somebody must clear them. It is a
# habit to clear only the *inputs* (the parameters). Here we call backward twice, which should give twice 5.5.
#
# **Predict:** $\partial f / \partial x_1 = 5.5$. What does the careless engine say after its second call: 5.5, 11 or another?


# %% id="twice-code"
def careless_backward(out):
    """Like gradients(), but the sums live in node.grad, and nobody clears those in the middle."""
    out.grad = 1.0
    for node in walk(out):
        for parent, rule in zip(node.parents, node.rules):
            parent.grad = getattr(parent, "grad", 0.0) + rule(Value(node.grad)).data


careless_backward(y)
claim(x1.grad, 5.5, says="careless, first call")
careless_backward(y)
claim(x1.grad, 22.0, says="careless, second call: not 11")

# %% [markdown] id="twice-why"
# Where does 22 come from? At the second call the box `+` still holds its 1 of the first call, and becomes 2. It passes 2 on to
# the boxes `ln` and `*`, which still hold 1 and become 3. So $x_1$ receives $3 \cdot 5.5 = 16.5$ on top of its 5.5. This is a
# real bug with a long history (micrograd, issue 53 of 2023; reported again in pull request 102).
#
# Our `gradients` cannot do this: it keeps its sums in a dictionary of its own, which is new for each call. minigan does the
# same, and adds only the finished result to `.grad` of the inputs. And because a graph holds memory, minigan throws it away
# after one walk, unless you ask for another one with `retain_graph=True`.

# %% id="twice-engine"
u1, u2 = mg.tensor(2.0, dtype="float64", requires_grad=True), mg.tensor(5.0, dtype="float64", requires_grad=True)
u = mg.log(u1) + u1 * u2 - mg.sin(u2)
u.backward(retain_graph=True)
u.backward()
claim(u1.grad, 11.0, says="minigan, backward twice: exactly twice 5.5")
claim(raises(mg.errors.GraphError, u.backward), True, says="a third backward is refused: the graph is gone")

# %% [markdown] id="arrays"
# ## From numbers to arrays
#
# A network of numbers would need millions of `Value`s. So an engine records *arrays*. The idea stays the same: one rule per
# input. Only the rules change. For a matrix product $Y = XW$ with the arriving gradient $G$ (as large as $Y$):
#
# $$\frac{\partial L}{\partial X} = G\,W^\top, \qquad \frac{\partial L}{\partial W} = X^\top G.$$
#
# You need not believe this. Our scalar tape can do the product number by number, and it knows only `+` and `*`.
#
# **Predict:** $X$ is 4x3, $W$ is 3x2. How many `*` does $Y = XW$ need? (With arrays it is one record.)

# %% id="arrays-code"
rng = np.random.default_rng(1)
X, W = rng.standard_normal((4, 3)), rng.standard_normal((3, 2))
xs, ws = [[Value(v) for v in row] for row in X], [[Value(v) for v in row] for row in W]
ys = [[sum(xs[i][k] * ws[k][j] for k in range(3)) for j in range(2)] for i in range(4)]
loss = sum(ys[i][j] ** 2 for i in range(4) for j in range(2)) * 0.5
found = gradients(loss)
products = [node for row in ys for out in row for node in walk(out) if node.name == "*"]
claim(len(products), 4 * 3 * 2, says="multiplications in X W")

tensor_X, tensor_W = mg.tensor(X, requires_grad=True), mg.tensor(W, requires_grad=True)
of_X, of_W = mg.grad(0.5 * mg.sum(mg.square(tensor_X @ tensor_W)), [tensor_X, tensor_W])
G = X @ W  # the gradient of 0.5 sum(Y^2) by Y is Y itself
claim([[found[v].data for v in row] for row in xs], G @ W.T, atol=1e-12, says="scalar tape = G W^T")
claim([[found[v].data for v in row] for row in ws], X.T @ G, atol=1e-12, says="scalar tape = X^T G")
claim(of_X, G @ W.T, atol=1e-12, says="minigan = G W^T")
claim(of_W, X.T @ G, atol=1e-12, says="minigan = X^T G")

# %% [markdown] id="broadcast"
# ## Broadcasting is "used many times"
#
# In `X + b` with `X` of shape (4, 3) and `b` of shape (3,), NumPy uses `b` four times, once for each row. We know what that
# means: four paths, and the gradients are **added**. So the gradient of `b` is a sum over the rows.
#
# In words of linear algebra: broadcasting is a linear map $B$, and its rule is the transposed map $B^\top$ (the *adjoint*).
# Copying forward, summing backward. The test of an adjoint: always $\langle B b,\, G\rangle = \langle b,\, B^\top G\rangle$.
#
# **Predict:** the gradient of `sum(X + b)` by `b`.

# %% id="broadcast-code"
b = mg.tensor([0.1, 0.2, 0.3], dtype="float64", requires_grad=True)
(ones,) = mg.grad(mg.sum(tensor_X + b), [b])
claim(ones, [4.0, 4.0, 4.0], says="each b is used four times")

G = rng.standard_normal((4, 3))
(summed,) = mg.grad(tensor_X + b, [b], grad_outputs=[mg.tensor(G)])
claim(summed, G.sum(axis=0), atol=1e-12, says="the gradient of b is the sum of G over the rows")
copies = mg.broadcast_to(b, (4, 3))
claim(mg.sum(copies * G), mg.sum(b * summed), atol=1e-12, says="<B b, G> = <b, B^T G>")

# %% [markdown] id="again"
# ## The central idea: a rule made of operators can be differentiated again
#
# Our rules compute with `Value`s. So the derivatives in `gradients(y)` are not just numbers: they have a tape of their own. We
# can walk that one too. For our example:
#
# $$\frac{\partial^2 f}{\partial x_1^2} = -\frac{1}{x_1^2} = -0.25, \qquad
#   \frac{\partial^2 f}{\partial x_1 \partial x_2} = 1, \qquad
#   \frac{\partial^2 f}{\partial x_2^2} = \sin x_2 = -0.959...$$
#
# No new rule is needed, and no second table of "rules for second derivatives". The penalties that keep a GAN stable need
# exactly this (WGAN-GP: Gulrajani et al. 2017, equation 3): their loss contains a gradient, and training differentiates it.

# %% id="again-code"
first = gradients(y)
second = gradients(first[x1])
claim(second[x1].data, -0.25, atol=1e-15, says="second derivative, x1 twice")
claim(second[x2].data, 1.0, atol=1e-15, says="mixed: by x1, then by x2")
claim(gradients(first[x2])[x1].data, 1.0, atol=1e-15, says="mixed, in the other order")
claim(gradients(first[x2])[x2].data, math.sin(5.0), atol=1e-15, says="second derivative, x2 twice")

x = Value(2.0)
d1 = gradients(x**4)[x]
d2 = gradients(d1)[x]
d3 = gradients(d2)[x]
claim([d1.data, d2.data, d3.data], [32.0, 48.0, 48.0], says="x^4 at 2: 4 x^3, 12 x^2, 24 x")

# %% [markdown] id="engine-again"
# minigan works in the same way. Its rules are written in operators and public functions, and nothing else. Called with arrays
# they compute; called with Tensors they record as well. The switch is `create_graph=True`. With `mg.primitive` you can add an
# op of your own: a function, and one rule `(g, y, inputs...)` per input.
#
# **Predict:** below, `wrong_cube` gives the same first derivative as `cube`. And the second derivative of $x \cdot x^3 = x^4$?


# %% id="primitive-code"
def derivatives(op):
    """The first and second derivative of x op(x) at 2, by minigan."""
    x = mg.tensor(2.0, dtype="float64", requires_grad=True)
    (first,) = mg.grad(x * op(x), [x], create_graph=True)
    (second,) = mg.grad(first, [x])
    return float(first), float(second)


cube = mg.primitive(lambda x: x**3, lambda g, y, x: g * (3 * x**2), name="cube")
wrong_cube = mg.primitive(lambda x: x**3, lambda g, y, x: g * (3 * mg.tensor(x) ** 2), name="wrong_cube")
claim(derivatives(cube), (32.0, 48.0), says="x cube(x) at 2: 4 x^3 and 12 x^2")
claim(derivatives(wrong_cube)[0], 32.0, says="with wrong_cube the first derivative is right")
claim(derivatives(wrong_cube)[1], 24.0, says="with wrong_cube half of the second derivative is lost")

# %% [markdown] id="primitive-why"
# `mg.tensor(x)` copies the number out of the Tensor. From there on nobody records: the factor $3x^2$ has become a constant.
# (minigan refuses `np.asarray(x)` here, which would do the same without saying so.) The first derivative is right, so training
# looks healthy. A penalty on the gradient then has a wrong effect, or none. (When *everything* is lost, minigan notices: there
# is no graph, and it says so. When a part is lost, nobody can notice.) This is why minigan checks every rule against finite
# differences to the second order, not only to the first.

# %% [markdown] id="exercise-1"
# ## Exercise 1.1
#
# Our tape cannot divide. For $q = a / b$: which rule sends $g$ to $a$, and which one to $b$? Write them with Values (`*`, `**`,
# `-`), so that the second derivative works too. Replace the `return None`, here or in a file of your own: `minigan exercise
# start 1.1` writes one, and `minigan exercise check 1.1` judges it.


# %% id="exercise-1-code"
def divide_rules(g, a, b):
    """The pair (what a receives, what b receives) for q = a / b."""
    return None


lesson.exercise("1.1", divide_rules)

# %% [markdown] id="exercise-2"
# ## Exercise 1.2
#
# $\tanh$ is the activation of lesson 2. Its derivative is $1 - \tanh^2$: it can be written with the *output* alone. Write the
# rule with the output $y$, as `exp` does above. What is the advantage of using $y$ and not $\cosh a$?


# %% id="exercise-2-code"
def tanh_rule(g, y):
    """What a receives, for y = tanh(a)."""
    return None


lesson.exercise("1.2", tanh_rule)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 1.1 --answer` shows a right answer. In 1.2 the output is already computed, so the rule costs two
# operations, and $a$ itself need not be kept in memory.
#
# Predictions: 7 values; two paths, 2 and $-\cos 5$; $2^{16}$ paths, 17 values; $h = 10^{-5}$; 22; 24; (4, 4, 4); half is lost.
#
# ## What you have now
#
# * A tape: values, parents, one rule per parent, in the order of creation.
# * The chain rule as a sum over paths, and a walk that adds before it goes on.
# * Two bugs that you will recognise: gradients that are not cleared, and rules that leave the tape.
#
# Next, read `minigan/autograd.py`: it is this lesson with arrays. You will find `Value` (there `Node`), `walk` and `gradients`
# (there `vjp`). Lesson 2 uses the engine for two networks that play against each other.

# %% id="end"
lesson.end()
