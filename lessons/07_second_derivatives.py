# %% [markdown] id="promise"
# # 7. Gradients of gradients
#
# A gradient is a computation, so it can be differentiated. At the end of this lesson you can multiply by a matrix of second
# derivatives without ever making it, find the largest learning rate of a network, and write a penalty on the slope of a
# discriminator. You have also seen three ways in which such a penalty silently does nothing, or the wrong thing.
#
# It takes about 6 seconds (`--fast`: 3). You need lessons 1, 3, 5 and 6. Answer the question first, then run.
#
# Sources: Pearlmutter 1994, "Fast exact multiplication by the Hessian" (here by differentiating twice, as Christianson 1992).
# Baur and Strassen 1983 (the cost of a gradient). Drucker and LeCun 1992, "Improving generalization performance using double
# backpropagation" (a penalty on slopes). Gulrajani et al. 2017, "WGAN-GP" (equation 3; section 4: no batch norm in the critic).
# Mescheder et al. 2018 (equation 9: the penalty R1). Cohen et al. 2021, "Gradient descent on neural networks typically occurs
# at the edge of stability".

# %% id="setup"
import numpy as np

import minigan as mg
from minigan import nn
from minigan.lesson import Lesson, raises

lesson = Lesson("07_second_derivatives")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(7)
variable = lambda array: mg.tensor(array, dtype="float64", requires_grad=True)

# %% [markdown] id="hessian"
# ## Row by row
#
# Rosenbrock's valley is the classic test of minimisers: $f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2$, with its minimum 0 at (1, 1).
#
# The gradient has two numbers, and each of them has a gradient. These are the rows of the *Hessian* $H$, the matrix of second
# derivatives. `create_graph=True` tells minigan to record the computation of the gradient as well (lesson 1, at the end).
#
# **Predict:** $\partial^2 f/\partial y^2$ and $\partial^2 f/\partial x \partial y$ at $(-1.2,\ 1)$, by hand.


# %% id="hessian-code"
def rosenbrock(w):
    """f of a vector w = (x, y)."""
    return mg.square(1 - w[0]) + 100 * mg.square(w[1] - mg.square(w[0]))


def hessian(f, w):
    """The matrix of second derivatives of f at w: the gradients of each number of the gradient."""
    (g,) = mg.grad(f(w), [w], create_graph=True)
    return np.stack([mg.grad(g[i], [w], retain_graph=True)[0].numpy() for i in range(len(w))])


w = variable([-1.2, 1.0])
(g,) = mg.grad(rosenbrock(w), [w])
H = hessian(rosenbrock, w)
claim(g, [-215.6, -88.0], atol=1e-9, says="gradient at (-1.2, 1)")
claim(H.ravel(), [1330, 480, 480, 200], atol=1e-9, says="Hessian, row by row: 200 and 480 by hand")
claim(np.array_equal(H, H.T), True, says="is it symmetric?")

# %% [markdown] id="newton"
# What is it good for? Near $w$, $f$ looks like a parabola, whose minimum is at $w - H^{-1} g$ (Newton's step). And gradient
# descent needs a learning rate below $2/\lambda$, where $\lambda$ is the largest *eigenvalue* of $H$. (An eigenvalue belongs to
# a direction $v$ that $H$ only stretches: $Hv = \lambda v$. Along $v$, the second derivative of $f$ is $\lambda$. In the valley
# of lesson 6 these directions were the two coordinates, and the eigenvalues $h_1$ and $h_2$.)
#
# **Predict:** how far down does one step of Newton go from $f = 24.2$? How many steps until $f < 10^{-10}$? Does $f$ fall in
# every step? And where is gradient descent with the rate $1/\lambda$ after 1,000 steps?


# %% id="newton-code"
def walk(step, steps):
    """f at the start (-1.2, 1) and after each step; step(place, gradient, Hessian) is the next place."""
    place, values = np.array([-1.2, 1.0]), []
    for _ in range(steps + 1):
        w = variable(place)
        values.append(float(rosenbrock(w)))
        place = step(place, mg.grad(rosenbrock(w), [w])[0].numpy(), lambda w=w: hessian(rosenbrock, w))
    return values


largest = np.linalg.eigvalsh(H)[-1]
newton = walk(lambda w, g, H: w - np.linalg.solve(H(), g), 5)
descent = walk(lambda w, g, H: w - g / largest, 100 if lesson.fast else 1000)
claim(2 / largest, 0.00133, atol=1e-5, says="2 / largest eigenvalue")
claim(newton[:3], [24.2, 4.73, 1412], atol=0.2, says="Newton: f at the start, after one step, after two (it rises)")
claim(newton[5] < 1e-10, True, says="Newton after 5 steps: below 1e-10")
claim(descent[1], 4.57, atol=0.01, says="gradient descent after one step")
claim(descent[-1], 1.51, atol=0.01, full=True, says="and after 1,000 steps")

# %% [markdown] id="product"
# ## The product without the matrix
#
# A network with a million weights has a Hessian of $10^{12}$ numbers. Nobody makes it. But its *product* with a vector $v$ is
# cheap:
#
# $$H v = \nabla_w \bigl( \nabla_w f \cdot v \bigr).$$
#
# $\nabla f \cdot v$ is one number, so its gradient is one more walk backward. No matrix appears anywhere.
#
# **Predict:** we count the ops and rules that minigan calls, for a network of three layers: the loss alone, its gradient, and a
# Hessian-vector product. Roughly how many times the loss does each cost? Does it depend on the size of the network?


# %% id="product-code"
def times_hessian(loss, parameters, vectors):
    """The product of the Hessian of loss() and the vectors, one for each parameter."""
    gradients = mg.grad(loss(), parameters, create_graph=True)
    along = sum(mg.sum(g * v) for g, v in zip(gradients, vectors))
    return mg.grad(along, parameters)


def calls(width):
    """How many ops and rules run for the loss of a network, for its gradient, for a Hessian-vector product."""
    net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
    parameters, x, counts = list(net.parameters()), mg.ones((32, 2)), []
    loss = lambda: mg.mean(mg.square(net(x) - 1))
    vectors = [mg.ones(p.shape) for p in parameters]
    for work in (loss, lambda: mg.grad(loss(), parameters), lambda: times_hessian(loss, parameters, vectors)):
        counts.append(0)
        with mg.watch(lambda *about: counts.append(counts.pop() + 1)):
            work()
    return counts


small, large = calls(8), calls(128)
claim(small == large, True, says=f"calls for loss, gradient, product: {large}; the width does not matter")
claim([large[1] < 4 * large[0], large[2] < 15 * large[0]], [True, True], says="gradient below 4 losses, product below 15")

# %% [markdown] id="check"
# (The number of calls depends on how the engine cuts its work into ops. That a gradient costs a small multiple of its function,
# whatever the number of inputs, is the theorem of Baur and Strassen 1983. A Hessian-vector product is a gradient of a gradient,
# so the theorem holds for it as well.)
#
# Another way would be a difference of two gradients. **Predict:** which one is more accurate?

# %% id="check-code"
v = np.array([0.6, 0.8])
(exact,) = times_hessian(lambda: rosenbrock(w), [w], [v])
claim(exact, H @ v, atol=1e-9, says="H v, without H")


def slope_at(place):
    """The gradient of Rosenbrock's function."""
    place = variable(place)
    return mg.grad(rosenbrock(place), [place])[0].numpy()


by_difference = {
    h: (slope_at(w.detach().numpy() + h * v) - slope_at(w.detach().numpy() - h * v)) / (2 * h) for h in (1e-2, 1e-5, 1e-12)
}
worst = {h: np.abs(found - H @ v).max() for h, found in by_difference.items()}
claim(worst[1e-5] < 1e-5, True, says=f"difference of gradients, h = 1e-5: error {worst[1e-5]:.0e}")
claim([worst[1e-2] > 1e-3, worst[1e-12] > 1e-3], [True, True], says="h = 1e-2 and 1e-12: far worse, as in lesson 1")

# %% [markdown] id="rate"
# ## The largest learning rate of a network
#
# Lesson 6 found the border of the learning rate, $2/\lambda$, in a valley that we had built. Now a network: one input, 16
# hidden units, one output, 49 weights in one vector. It fits a sine.
#
# How do we find $\lambda$, the largest eigenvalue of $H$, with products alone? *Power iteration*: start with any $v$, and
# repeat $v \leftarrow Hv / |Hv|$. The eigenvalue with the largest absolute value wins.
#
# Then the test: two copies of the network, one of them moved by a tiny bit along $v$. Both do 20 steps of gradient descent. In
# each step, the distance between them is multiplied by $1 - \eta\lambda$.
#
# **Predict:** by how much does the distance change in 20 steps for $\eta = 1.8/\lambda$? And for $\eta = 2.2/\lambda$?


# %% id="rate-code"
points = np.linspace(-2, 2, 32)[:, None]


def misfit(w):
    """Mean square error of the network with these 49 weights on the sine."""
    hidden = mg.tanh(points * w[:16] + w[16:32])
    return mg.mean(mg.square(hidden @ w[32:48] + w[48] - np.sin(2 * points[:, 0])))


def descend(w, lr, steps):
    """Plain gradient descent from the array w."""
    for _ in range(steps):
        place = variable(w)
        w = w - lr * mg.grad(misfit(place), [place])[0].numpy()
    return w


w = descend(rng.standard_normal(49), 0.05, 200 if lesson.fast else 2000)
place, v = variable(w), rng.standard_normal(49)
for _ in range(50 if lesson.fast else 200):
    v = times_hessian(lambda: misfit(place), [place], [v])[0].numpy()
    largest = np.linalg.norm(v)
    v = v / largest
whole = np.linalg.eigvalsh(hessian(misfit, place))[-1]
claim(largest / whole, 1, atol=1e-3, says="power iteration / largest eigenvalue of the whole matrix")

# %% id="rate-test"
tiny, grown = 1e-6, {}
for times in (1.8, 2.2):
    lr = times / largest
    apart = descend(w + tiny * v, lr, 20) - descend(w, lr, 20)
    grown[times] = abs(apart @ v) / tiny
claim(largest, 22.0, atol=0.2, full=True, says="the largest eigenvalue")
claim(grown[1.8], 0.8**20, atol=0.003, full=True, says="1.8 / largest: the distance after 20 steps, times 0.8^20 = 0.012")
claim(grown[2.2], 1.2**20, atol=4, full=True, says="2.2 / largest: times 1.2^20 = 38")

# %% [markdown] id="penalty"
# So the border of lesson 6 holds for a real network, close to the place where $\lambda$ was measured. (The short run has
# trained too little: the Hessian still changes from step to step, so it leaves these claims out.)
#
# ## A penalty on a slope
#
# Now for GANs. A discriminator that is too steep gives its generator no useful direction. So one adds a penalty to D's loss,
# which grows with the *slope* of D at some points $x$. Two are well known:
#
# $$\text{WGAN-GP: } \lambda\,\mathbb{E}\,\bigl(|\nabla_x D| - 1\bigr)^2, \qquad
#   \text{R1: } \tfrac{\gamma}{2}\,\mathbb{E}\,|\nabla_x D|^2.$$
#
# The slope is a derivative by the *input*. Training differentiates the penalty by the *weights*. So this is a mixed second
# derivative. ($\lambda$ and $\gamma$ are weights that one chooses. This $\lambda$ is no eigenvalue.)
#
# **Predict:** let D be linear, $D(x) = w \cdot x$ with $w = (3, 4)$. How large is the slope? What is $(|\nabla_x D| - 1)^2$,
# and its gradient by $w$? (By hand: $2\,(|w| - 1)\,w/|w|$.)

# %% id="penalty-code"
x, w = variable([[1.0, 2.0]]), variable([3.0, 4.0])
(slope,) = mg.grad(mg.sum(x @ w), [x], create_graph=True)
penalty = mg.square(mg.norm(slope) - 1)
claim(mg.norm(slope), 5, atol=1e-12, says="slope")
claim(penalty, 16, atol=1e-12, says="penalty")
claim(mg.grad(penalty, [w])[0], [4.8, 6.4], atol=1e-12, says="its gradient by w: 8 (0.6, 0.8)")

# %% [markdown] id="silent"
# ## Silent failure 1: no graph
#
# Suppose that somebody forgets `create_graph=True`. The slope is then an array of plain numbers. The penalty has the right
# value, and one sees it in the log. (In a library for C++, the penalty was added to the loss and never differentiated: mlpack,
# issue 2891.)
#
# **Predict:** the gradient of `loss + penalty` by $w$, if the loss is $D(x)$ and $x = (1, 2)$: with the graph, and without.

# %% id="silent-code"
(constant,) = mg.grad(mg.sum(x @ w), [x])
penalty_without = mg.square(mg.norm(constant) - 1)
(with_graph,) = mg.grad(mg.sum(x @ w) + mg.square(mg.norm(mg.grad(mg.sum(x @ w), [x], create_graph=True)[0]) - 1), [w])
(without,) = mg.grad(mg.sum(x @ w) + penalty_without, [w])
claim(penalty_without, 16, atol=1e-12, says="without the graph, the penalty has the same value")
claim(with_graph, [5.8, 8.4], atol=1e-12, says="gradient of the sum with the graph: (1, 2) + (4.8, 6.4)")
claim(without, [1, 2], says="without: as if there were no penalty")
refused = raises(mg.errors.GraphError, lambda: mg.grad(penalty_without, [w]))
claim(refused, True, says="the penalty alone: does minigan refuse to differentiate it?")

# %% [markdown] id="norms"
# So test a penalty alone: differentiate it by itself, once, and see whether the engine complains.
#
# ## Silent failure 2: one norm for all
#
# Each sample has its own slope. It is easy to take one norm over the whole batch by mistake (it was in torchgan's function, for
# example). Take $D(x) = x^2/2$ in one dimension, whose slope at $x$ is $x$, at the two points 0.6 and 0.8.
#
# **Predict:** the penalty $\mathbb{E}\,(|\text{slope}| - 1)^2$ with a norm for each sample. And with one norm for the batch?


# %% id="norms-code"
def slopes(D, x):
    """dD/dx at each of the points x (N, features), recorded; valid if no sample looks at another one."""
    return mg.grad(mg.sum(D(x)), [x], create_graph=True)[0]


x = variable([[0.6], [0.8]])
s = slopes(lambda x: 0.5 * mg.square(x), x)
claim(s[:, 0], [0.6, 0.8], atol=1e-12, says="the slopes")
each = mg.sqrt(mg.sum(mg.square(s), axis=1))
claim(mg.mean(mg.square(each - 1)), 0.1, atol=1e-12, says="a norm for each sample: (0.16 + 0.04) / 2")
claim(mg.square(mg.norm(s) - 1), 0, atol=1e-12, says="one norm for the batch: it finds nothing to punish")

# %% [markdown] id="mates"
# ## Silent failure 3: samples that see each other
#
# `slopes` uses a trick: it differentiates the *sum* of all outputs. The output for sample 1 depends on sample 1 only, so the
# gradient by sample 1 is its own slope. With batch norm this is no longer true (lesson 5).
#
# **Predict:** we change sample 2, and look at the slope of sample 1. In which of the two nets does it change?


# %% id="mates-code"
def changes(norm):
    """How much the slope of D at the first sample changes when the second sample does; D has this layer inside."""
    mg.seed(1)
    D = nn.Sequential(nn.Linear(2, 16), norm, nn.Tanh(), nn.Linear(16, 1)).double()
    first, others = [[0.5, -0.5]], [[0.0, 1.0], [1.0, 1.0]]
    a, b = (slopes(D, variable(first + others + [last])) for last in ([0.0, 0.0], [3.0, -2.0]))
    return float(mg.norm(a[0] - b[0]))


claim(changes(nn.LayerNorm(16)), 0, atol=1e-12, says="layer norm: change of the slope of sample 1")
claim(changes(nn.BatchNorm1d(16)) > 0.01, True, says="batch norm: does it change?")

# %% [markdown] id="flat"
# So WGAN-GP has no batch norm in its *critic*, as D is called there (section 4 of the paper); layer norm, which works within
# one sample, is allowed.
#
# ## Two corners
#
# *A flat D.* $|s| = \sqrt{s_1^2 + s_2^2}$ has no derivative at 0. By the rules: $\sqrt{\cdot}$ gives infinity, the square gives
# 0, and the product is `nan`. One `nan` in a gradient ends a training. So one adds a tiny number under the root (minigan:
# $10^{-12}$), or leaves the root away, as R1 does.
#
# *A piecewise linear D.* Networks of ReLU and LeakyReLU consist of flat pieces: their second derivative by $x$ is 0.
# **Predict:** can a slope penalty work with them at all?

# %% id="flat-code"
zero = variable([0.0, 0.0])
with np.errstate(all="ignore"):
    (broken,) = mg.grad(mg.sqrt(mg.sum(mg.square(zero))), [zero])
(safe,) = mg.grad(mg.sqrt(mg.sum(mg.square(zero)) + 1e-12), [zero])
claim(np.isnan(broken.numpy()).all(), True, says="the root of a sum of squares at 0: is the gradient nan?")
claim(safe, [0, 0], says="with 1e-12 under the root")

D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)).double()
x = variable([[0.3, -0.2]])
s = slopes(D, x)
by_x = mg.grad(mg.sum(mg.square(s)), [x], allow_unused=True, retain_graph=True)[0]
by_weights = mg.grad(mg.sum(mg.square(s)), [D[0].weight, D[2].weight])
claim(by_x is None, True, says="LeakyReLU: does the slope not depend on x at all?")
moved = all(float(mg.norm(g)) > 0.01 for g in by_weights)
claim(moved, True, says="but does it depend on the weights of both layers? Then the penalty works")

# %% [markdown] id="proof"
# ## Prove it
#
# A penalty is a function of the weights like any other. So finite differences can check its gradient (lesson 1). `mg.gradcheck`
# does this, also to the second order. (For order 2 of a penalty, it differentiates D three times.)
#
# **Predict:** does it find the missing graph of failure 1?


# %% id="proof-code"
def penalised(graph):
    """The penalty of a small D as a function of its weights, with or without the graph of the slope."""
    x = variable(rng.standard_normal((5, 2)))

    def penalty(W, u):
        (s,) = mg.grad(mg.sum(mg.tanh(x @ W) @ u), [x], create_graph=graph)
        return mg.mean(mg.square(mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12) - 1)) + 0.1 * mg.sum(u)

    return penalty


weights = rng.standard_normal((2, 4)), rng.standard_normal(4)
checked = lambda graph, order: raises(mg.errors.MiniganError, lambda: mg.gradcheck(penalised(graph), *weights, order=order))
claim(checked(graph=True, order=2), False, says="does gradcheck find a mistake in the penalty, to the second order?")
claim(checked(graph=False, order=1), True, says="and without the graph, to the first?")

# %% [markdown] id="train"
# ## What a penalty does, and where
#
# Real numbers lie around 1, generated ones around -1, both with a standard deviation of 0.1. D learns to tell them apart, with
# the loss of lesson 2. G does not move here. We add $\frac12 \mathbb{E}\,|\nabla_x D|^2$, and choose the points $x$ of this
# mean: none at all; the real points, as R1 does; or random points between a real and a generated one, as WGAN-GP does.
#
# **Predict:** how does the *steepest* place of D change in the two cases, compared with no penalty?


# %% id="train-code"
line = np.linspace(-2, 2, 201).astype(np.float32)[:, None]
PLACES = {
    "no penalty": None,
    "at real points": lambda real, fake, u: real,
    "between": lambda real, fake, u: u * real + (1 - u) * fake,
}


def trained(places, steps=100 if lesson.fast else 400):
    """D's logits on the line, and its slopes there, after training with the penalty at these places."""
    mg.seed(3)
    D = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    parameters, draws = list(D.parameters()), np.random.default_rng(8)
    adam = mg.optim.Adam(parameters, lr=0.01)
    for _ in range(steps):
        real, fake = ((centre + 0.1 * draws.standard_normal((64, 1))).astype(np.float32) for centre in (1, -1))
        loss = mg.mean(mg.softplus(-D(mg.tensor(real)))) + mg.mean(mg.softplus(D(mg.tensor(fake))))
        if places:
            x = mg.tensor(places(real, fake, draws.random((64, 1), dtype=np.float32)), requires_grad=True)
            loss = loss + 0.5 * mg.mean(mg.sum(mg.square(slopes(D, x)), axis=1))
        adam.step(mg.grad(loss, parameters))
    x = mg.tensor(line, requires_grad=True)
    return D(x).detach().numpy()[:, 0], slopes(D, x).detach().numpy()[:, 0]


# %% id="train-look"
runs = {name: trained(places) for name, places in PLACES.items()}
steepest = [float(np.abs(s).max()) for _, s in runs.values()]
at_real = [float(np.abs(s[150])) for _, s in runs.values()]  # line[150] is 1, the centre of the real points
claim(steepest[0] > 15, True, says=f"no penalty: the steepest place has the slope {steepest[0]:.0f}")
claim(steepest[1] > steepest[0], True, says=f"penalty at the real points: {steepest[1]:.0f}, more than without")
claim(at_real[1] < 0.05, True, says=f"although the slope at the real points is {at_real[1]:.3f}")
claim(steepest[2] < 1.5, True, says=f"penalty between: nowhere more than {steepest[2]:.2f}")

# %% id="train-draw"
with figure("penalty", width=9, height=3.8) as fig:
    left, right = fig.subplots(1, 2)
    for (name, (logits, s)), colour in zip(runs.items(), ("#D55E00", "#0072B2", "#009E73")):
        left.plot(line, logits, color=colour, linewidth=2, label=name)
        right.plot(line, s, color=colour, linewidth=2)
    for axes in (left, right):
        for centre, name in ((1, "real"), (-1, "generated")):
            axes.axvspan(centre - 0.2, centre + 0.2, color="0.93")
            axes.text(centre, 0.8, name, ha="center", transform=axes.get_xaxis_transform(), fontsize=9, color="0.3")
    left.set(xlabel="$x$", title="D's logit")
    right.set(xlabel="$x$", title="its slope, which is what G learns from")
    right.legend(*left.get_legend_handles_labels(), frameon=False, loc="center right", fontsize=9)

# %% [markdown] id="break"
# A penalty acts where it is taken, and nowhere else. At the real points D obeys: it is flat there. Nobody said anything about
# the space between, so D does its work there, and it is even steeper. R1 is made for another moment: when the generated points
# have arrived near the real ones, then the real points are where G looks (Mescheder et al. 2018). If the two are far apart, one
# needs a penalty between them. Which penalty, at which points, is the question of a later lesson.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `trained`: put `slopes(D, x).detach()` in the place of `slopes(D, x)` in the line of the loss.
# 2. In `trained`: put `nn.ReLU()` in the place of both `nn.Tanh()`. D now consists of straight pieces.
# 3. In `rate-code`: train with the learning rate `0.1` in the place of `0.05`. Where is the largest eigenvalue then? ($2/0.1 =
#    20$.)

# %% [markdown] id="exercise-1"
# ## Exercise 7.1
#
# Write the Hessian-vector product for a function of one vector. `mg.grad` returns a tuple, also for one input: take its only
# part.


# %% id="exercise-1-code"
def hessian_times(f, w, v):
    """H v for the Hessian H of f at the Tensor w; f returns one number, v is an array of w's shape."""
    return None


lesson.exercise("7.1", hessian_times)

# %% [markdown] id="exercise-2"
# ## Exercise 7.2
#
# Write the penalty of WGAN-GP (equation 3, without the weight) for a D and points `x` (N, features) that require gradients: the
# mean over the samples of $(|\nabla_x D(x)| - 1)^2$. Put $10^{-12}$ under the root.


# %% id="exercise-2-code"
def slope_penalty(D, x):
    """The penalty, one number that can be differentiated by the weights of D."""
    return None


lesson.exercise("7.2", slope_penalty)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 7.1 --answer` shows a right answer. minigan's own penalties are in `minigan/train/penalties.py`.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. All three curves become the same, and the loss in a log would still contain the penalty. At least two claims get a cross.
# 2. It works as before: 19, 19 and 0.7. The right picture becomes stairs, because the slope of a straight piece is constant.
#    The slope at the real points falls from 6.5 to 0.005: the second derivative by $x$ is 0, but the weights still move the
#    pieces.
# 3. The largest eigenvalue is 19.6 in the place of 22.0, just below 20. At a place with an eigenvalue above 20, gradient
#    descent with 0.1 could not stay. So the learning rate also decides *where* one arrives. (Cohen et al. 2021 call this the
#    edge of stability: in their networks the eigenvalue stays near $2/\eta$. From our start, 0.2 explodes.)
#
# </details>
#
# Predictions: 200 and 480; 4.73, 5 steps, no, 1.5; about 3 and 14, no; the product; times 0.012, times 38; 5, 16 and (4.8,
# 6.4); (5.8, 8.4) and (1, 2); 0.1 and 0; with batch norm; yes; yes; steeper with R1, and below 1.5 with the penalty between.
#
# ## What you have now
#
# * Second derivatives without a second set of rules.
# * $Hv$ for the price of a few gradients, and with it the largest learning rate.
# * A penalty on a slope, and a list of what to check: the graph, the norm, the neighbours, the root.
#
# Next: lesson 8 runs all this on another machine, the GPU.

# %% id="end"
lesson.end()
