# %% [markdown] id="promise"
# # 5. Modules, and the numbers they start from
#
# A network is functions and numbers. This lesson is about the numbers: who owns them, with which ones training starts, and two
# layers that change them on the way, batch normalisation and dropout. At the end you can say before a run whether a deep
# network will learn at all. And you have seen a batch norm that makes a discriminator blind.
#
# It takes about 5 seconds (`--fast`: 3, with some claims left out). You need lessons 1 to 3. Answer the question first, then
# run.
#
# Sources: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks" (equation 12, for
# both directions). He et al. 2015, "Delving deep into rectifiers" (equation 10). Ioffe and Szegedy 2015, "Batch normalization"
# (algorithm 1: training, algorithm 2: afterwards). Srivastava et al. 2014, "Dropout". Radford et al. 2016, "DCGAN" (section 3).

# %% id="setup"
import math

import numpy as np

import minigan as mg
from minigan import nn
from minigan.lesson import Lesson

lesson = Lesson("05_modules")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(5)
numbers = lambda tensor: tensor.detach().numpy()
mg.seed(5)

# %% [markdown] id="module"
# ## Who owns the numbers?
#
# An optimizer must find all weights of a network, a file must hold them, and each must be there exactly once. A `Module` is the
# answer: an object that owns `Parameter`s and other modules, as attributes, and a method `forward`.
#
# Tutorials often write a function instead, and create the layers inside it. (In one of them
# the layers are not even called: its network returns the noise that it was given.)
#
# **Predict:** we call both twice with the same input. Which one gives the same output twice?


# %% id="module-code"
def as_function(z):
    """A generator as some tutorials write it."""
    return nn.Linear(4, 2)(z)


class AsModule(nn.Module):
    """The same as a module: the layer is made once, in __init__."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, z):
        """The output for the noise z."""
        return self.layer(z)


z = mg.tensor(rng.standard_normal((3, 4)).astype(np.float32))
G = AsModule()
claim(np.array_equal(numbers(as_function(z)), numbers(as_function(z))), False, says="function: the same output twice?")
claim(np.array_equal(numbers(G(z)), numbers(G(z))), True, says="module: the same output twice?")
claim([len(list(G.parameters())), sum(p.size for p in G.parameters())], [2, 10], says="its parameters, and the numbers in them")

# %% [markdown] id="found"
# The function makes new random weights at each call, and throws them away. Nothing can be trained.
#
# How does a module find its parameters? It looks at its attributes, and into the modules among them. It does not look into a
# plain Python list.
#
# **Predict:** how many numbers do the two nets below own? Each has a layer from 4 to 4 and one from 4 to 1.


# %% id="found-code"
class Hidden(nn.Module):
    """A net that keeps a layer in a plain list."""

    def __init__(self, keep):
        super().__init__()
        self.layers, self.last = keep([nn.Linear(4, 4)]), nn.Linear(4, 1)


owned = [sum(p.size for p in Hidden(keep).parameters()) for keep in (list, nn.ModuleList)]
claim(owned, [5, 25], says="numbers that are found: in a list, in a ModuleList")
names = [name for name, _ in Hidden(nn.ModuleList).named_parameters()]
claim("layers.0.weight" in names, True, says="the name of a parameter is its path through the attributes")

# %% [markdown] id="equal"
# The layer in the list works, but it never learns, and no error tells you. So count the parameters (lesson 2 did).
#
# ## All equal is not random
#
# With which numbers do we start? Not with zeros, and not with any other single number.
#
# **Predict:** a hidden layer of 8 units, all weights 0.5. We train 100 steps. How many *different* units are there afterwards?


# %% id="equal-code"
def different_units(start):
    """Train a small net for 100 steps from this start of its weights; how many different rows has its first layer then?"""
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    for p in net.parameters():
        start(p)
    sgd = mg.optim.SGD(net.parameters(), lr=0.1)
    x = mg.tensor(rng.standard_normal((64, 2)).astype(np.float32))
    for _ in range(100):
        sgd.step(mg.grad(mg.mean(mg.square(net(x) - x[:, :1] * x[:, 1:])), list(net.parameters())))
    return len(np.unique(numbers(net[0].weight).round(5), axis=0))


claim(different_units(lambda p: nn.init.constant_(p, 0.5)), 1, says="all weights 0.5: different units after training")
claim(different_units(lambda p: nn.init.normal_(p, 0.0, 0.5)), 8, says="random weights: different units after training")

# %% [markdown] id="scale"
# Units that start equal receive equal gradients, so they stay equal: eight units do the work of one. Randomness breaks the tie.
#
# ## How large?
#
# Let a layer have $n$ inputs with the mean square $q$, and weights with mean 0 and variance $\sigma^2$. Then a sum of $n$
# products has the variance $n\sigma^2 q$. A ReLU, $\max(x, 0)$, sets the negative half to zero, and the mean square is halved.
# So one layer multiplies
#
# $$q \;\longrightarrow\; \tfrac12\, n\, \sigma^2\, q, \qquad\text{which stays } q \text{ if}\qquad \sigma^2 = \frac2n
#   \quad\text{(He et al. 2015, equation 10).}$$
#
# Backward, each layer multiplies the gradient by the transposed matrix and by the same mask: the same factor again. After 20
# layers we have its 20th power.
#
# **Predict:** $n = 256$. What is left of the size (the root mean square) after 20 layers for $\sigma = 0.02$? And for 0.2?


# %% id="scale-code"
def sizes(std, depth=20, n=256):
    """The root mean square of the numbers after each ReLU layer, and of the gradients that arrive there."""
    x = mg.tensor(rng.standard_normal((64, n)), requires_grad=True)
    layers = [x]
    for _ in range(depth):
        layers.append(mg.relu(layers[-1] @ mg.tensor(std * rng.standard_normal((n, n)))))
    gradients = mg.grad(layers[-1], layers, grad_outputs=[mg.tensor(rng.standard_normal((64, n)))])
    size = lambda a: float(np.sqrt(np.mean(np.square(numbers(a)))))
    return [size(a) for a in layers], [size(g) for g in gradients]


starts = {"0.02": 0.02, "0.088 (He)": math.sqrt(2 / 256), "0.2": 0.2}
found = {name: sizes(std) for name, std in starts.items()}
factor = lambda std: math.sqrt(256 / 2) * std  # of one layer
claim([factor(0.02), factor(0.2)], [0.226, 2.26], atol=0.005, says="one layer multiplies the size by")
powers = [np.log10(found[name][0][-1]) for name in starts]
claim(powers, [-12.9, 0.0, 7.1], atol=0.5, says="size after 20 layers, as a power of ten")
powers = [np.log10(found[name][1][0] / found[name][1][-1]) for name in starts]
claim(powers, [-12.9, 0.0, 7.1], atol=0.5, says="and of the gradient, from the last layer to the first")

# %% id="scale-draw"
with figure("scale", width=9, height=3.8) as fig:
    left, right = fig.subplots(1, 2, sharey=True)
    for (name, (forward, backward)), colour in zip(found.items(), ("#0072B2", "#009E73", "#D55E00")):
        left.semilogy(forward, "o-", color=colour, markersize=4, label=f"$\\sigma$ = {name}")
        right.semilogy(backward, "o-", color=colour, markersize=4)
    left.set(xlabel="layer", ylabel="root mean square", title="forward: the numbers", xticks=range(0, 21, 5))
    right.set(xlabel="layer (the gradient comes from the right)", title="backward: the gradients", xticks=range(0, 21, 5))
    left.legend(frameon=False)

# %% [markdown] id="default"
# In `scale.png` the vertical axis is logarithmic, so a straight line is a power. With 0.02 nothing of the input reaches the
# end, and no gradient reaches the beginning.
#
# The start that `nn.Linear` uses by itself is PyTorch's: uniform between $-1/\sqrt n$ and $1/\sqrt n$. **Predict:** what is its
# variance? What remains of the size after 20 ReLU layers?

# %% id="default-code"
weight = numbers(nn.Linear(256, 256).weight)
claim(weight.var() * 256, 1 / 3, atol=0.02, says="variance of the default weights, times n")
claim(20 * np.log10(factor(math.sqrt(1 / (3 * 256)))), -7.8, atol=0.1, says="20 ReLU layers with it, as a power of ten")
deep = nn.Sequential(*[layer for _ in range(20) for layer in (nn.Linear(256, 256), nn.ReLU())])
end = numbers(deep(mg.tensor(rng.standard_normal((64, 256)).astype(np.float32))))
claim(np.sqrt(np.mean(end**2)) > 0.01, True, says="with its biases, the numbers after 20 layers are not small")
claim(end.std(axis=0).max() < 1e-6, True, says="but they are the same for all 64 inputs: the biases speak, not the input")

# %% [markdown] id="norm"
# So for deep ReLU networks one calls `nn.init.kaiming_normal_`, or one normalises on the way.
#
# ## Batch normalisation
#
# For each feature, over the batch (Ioffe and Szegedy 2015, algorithm 1):
#
# $$y = \gamma\,\frac{x - \mu}{\sqrt{v + \epsilon}} + \beta, \qquad \mu, v = \text{mean and variance of the batch}.$$
#
# $\gamma$ and $\beta$ are parameters and start at 1 and 0. So whatever arrives, each feature leaves with mean 0 and variance 1.
#
# **Predict:** a layer is followed by batch norm. We make its weights 10 times larger. What happens to the output? To the
# gradient of the weights? And what is the gradient of its bias?


# %% id="norm-code"
def normalised(x):
    """Batch norm without eps, gamma and beta, in the words of the formula; x (N, features)."""
    return (x - mg.mean(x, axis=0)) / mg.sqrt(mg.var(x, axis=0))


def through(W, b):
    """The output of layer and batch norm, and the gradients of W and b for some loss."""
    y = normalised(x @ W + b)
    return y, mg.grad(mg.sum(y * target), [W, b])


x, target = mg.tensor(rng.standard_normal((32, 5))), mg.tensor(rng.standard_normal((32, 3)))
W, b = mg.tensor(rng.standard_normal((5, 3)), requires_grad=True), mg.tensor(rng.standard_normal(3), requires_grad=True)
y, (of_W, of_b) = through(W, b)
large, (of_large, _) = through(mg.tensor(10 * numbers(W), requires_grad=True), b)
layer = nn.BatchNorm1d(3, eps=1e-12).double()
same = np.abs(numbers(layer(x @ W + b)) - numbers(y)).max()
claim(same, 0, atol=1e-6, says="our formula and nn.BatchNorm1d: largest difference")
claim(np.abs(numbers(large) - numbers(y)).max(), 0, atol=1e-9, says="weights 10 times larger: change of the output")
claim(float(mg.norm(of_large) / mg.norm(of_W)), 0.1, atol=1e-9, says="the gradient is 10 times smaller")
claim(mg.sum(W * of_W, axis=0), [0, 0, 0], atol=1e-9, says="and at a right angle to the weights: <W, gradient> = 0")
claim(of_b, [0, 0, 0], atol=1e-9, says="the bias receives nothing: the mean is taken away again")

# %% [markdown] id="norm-why"
# The size of the weights has no effect any more. This is why a start with $\sigma = 0.02$, as in DCGAN, works there: batch norm
# follows. And this is why a layer before batch norm needs no bias (`bias=False`).
#
# We train 10 hidden layers of 64 units to say whether a point of the plane has two coordinates of the same sign. The loss is
# D's in lesson 2, written with labels: 1 for yes, 0 for no.
#
# **Predict:** which of the three nets learns: $\sigma = 0.02$; He; $\sigma = 0.02$ with batch norm? (A net that guesses pays
# $\ln 2$.)


# %% id="train-code"
def train(std, norm=False, steps=60 if lesson.fast else 300):
    """The losses on the way; std: of the weights, or None for He et al."""
    layers = []
    for inputs in [2] + [64] * 9:
        layers += [nn.Linear(inputs, 64, bias=not norm), *([nn.BatchNorm1d(64)] if norm else []), nn.ReLU()]
    net, losses = nn.Sequential(*layers, nn.Linear(64, 1)), []
    for linear in (module for module in net if isinstance(module, nn.Linear)):
        nn.init.kaiming_normal_(linear.weight) if std is None else nn.init.normal_(linear.weight, 0.0, std)
    parameters = list(net.parameters())
    sgd = mg.optim.SGD(parameters, lr=0.1)
    for _ in range(steps):
        points = rng.standard_normal((128, 2)).astype(np.float32)
        same_sign = (points[:, :1] * points[:, 1:] > 0).astype(np.float32)
        loss = mg.binary_cross_entropy_with_logits(net(mg.tensor(points)), mg.tensor(same_sign))
        sgd.step(mg.grad(loss, parameters))
        losses.append(float(loss))
    return losses


runs = {"0.02": train(0.02), "He": train(None), "0.02, batch norm": train(0.02, norm=True)}
ends = [np.mean(losses[-20:]) for losses in runs.values()]
claim(ends[0], math.log(2), atol=0.01, says="0.02: it guesses")
claim(ends[1] < 0.3, True, full=True, says=f"He: it learns, {ends[1]:.2f}")
claim(ends[2] < 0.3, True, full=True, says=f"0.02 with batch norm: it learns, {ends[2]:.2f}")

# %% id="train-draw"
with figure("train", width=7, height=3.8) as fig:
    axes = fig.add_subplot()
    for (name, losses), colour in zip(runs.items(), ("#0072B2", "#009E73", "#CC79A7")):
        axes.plot(np.convolve(losses, np.ones(10) / 10, mode="valid"), color=colour, linewidth=2, label=f"$\\sigma$ = {name}")
    axes.axhline(math.log(2), color="0.4", linestyle="--", linewidth=1)
    axes.text(0, math.log(2) + 0.01, "ln 2: a guess", color="0.3")
    axes.set(xlabel="step", ylabel="loss (10 steps)", ylim=(0, 0.8))
    axes.legend(frameon=False)

# %% [markdown] id="modes"
# ## Training and evaluation are two functions
#
# With batch norm, the output for one sample depends on the *other samples of its batch*. In training one accepts this, as a
# kind of noise. For a finished network it would be absurd. So the layer also keeps running averages of $\mu$ and $v$, and after
# `net.eval()` it uses those (algorithm 2). At each batch, `running = 0.9 running + 0.1 batch`.
#
# **Predict:** (1) We change the other samples of a batch. Does the first output change in training? After `eval()`? (2) The
# running mean starts at 0. All batches have the mean 5. Where is it after 10 batches?

# %% id="modes-code"
net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
one, others = rng.standard_normal((1, 4)).astype(np.float32), rng.standard_normal((2, 15, 4)).astype(np.float32)
first = lambda mates: numbers(net(mg.tensor(np.concatenate([one, mates])))[0])
claim(np.abs(first(others[0]) - first(others[1])).max() > 0.01, True, says="training: the first output depends on its mates")
net.eval()
claim(np.array_equal(first(others[0]), first(others[1])), True, says="evaluation: the same to the last bit")

norm = nn.BatchNorm1d(1)
for _ in range(10):
    norm(mg.tensor(np.array([[4.0], [6.0]], np.float32)))
claim(norm.running_mean, [5 * (1 - 0.9**10)], atol=1e-5, says="running mean after 10 batches of mean 5")

# %% [markdown] id="eps"
# Here a name has done much damage. In Keras, `momentum=0.9` means: keep 90 percent of the old average. In PyTorch, and here,
# `momentum=0.1` means the same: take 10 percent of the new one. And the second *argument* of PyTorch's layer is not the
# momentum: it is $\epsilon$ (eps). Of the 32 scripts of a well-known collection of GANs, 22 write `BatchNorm2d(n, 0.8)` (its
# issue 116, open since 2020).
#
# **Predict:** the input has the standard deviation 0.1. What is that of the output, with eps = 0.8?

# %% id="eps-code"
weak = mg.tensor((0.1 * rng.standard_normal((10000, 1))).astype(np.float32))
stds = [float(nn.BatchNorm1d(1, *eps)(weak).std()) for eps in ((), (0.8,))]
claim(stds, [1.0, 0.1 / math.sqrt(0.01 + 0.8)], atol=0.01, says="with the usual eps, and with 0.8 (0.11)")

# %% [markdown] id="blind"
# ## A blind discriminator
#
# D looks at real points and at generated points, and one can give them to it as *two* batches or as *one*. With batch norm this
# is not the same. Let real points be normal around 0, and generated ones normal around 3. D is batch norm and one linear layer.
#
# **Predict:** what does D pay after training, with two batches? (An undecided D pays $2\ln 2 = 1.386$.) And with one?


# %% id="blind-code"
def d_pays(together):
    """The loss of a trained D = batch norm and a linear layer, and what it sees of 512 real and 512 generated points."""
    D = nn.Sequential(nn.BatchNorm1d(1), nn.Linear(1, 1))
    sgd, losses = mg.optim.SGD(D.parameters(), lr=0.3), []
    for _ in range(200):
        real, fake = (mg.tensor((rng.standard_normal((512, 1)) + centre).astype(np.float32)) for centre in (0, 3))
        joint = D(mg.concatenate([real, fake], axis=0))
        a, b = (joint[:512], joint[512:]) if together else (D(real), D(fake))
        loss = mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b))
        sgd.step(mg.grad(loss, list(D.parameters())))
        losses.append(float(loss))
    before_last = D[:-1]
    seen = (
        before_last(mg.concatenate([real, fake], axis=0))
        if together
        else mg.concatenate([before_last(real), before_last(fake)], axis=0)
    )
    return np.mean(losses[-50:]), numbers(seen)[:, 0]


(apart, seen_apart), (together, seen_together) = d_pays(False), d_pays(True)
claim(apart, 2 * math.log(2), atol=0.01, says="two batches: D pays as if it were undecided")
claim(together < 0.5, True, says=f"one batch: it pays {together:.2f}")
gap = lambda seen: abs(seen[512:].mean() - seen[:512].mean())
claim(gap(seen_apart), 0, atol=1e-5, says="two batches: distance of the means after batch norm")

# %% id="blind-draw"
with figure("blind", width=9, height=3.4) as fig:
    for axes, seen, title in zip(fig.subplots(1, 2, sharey=True), (seen_apart, seen_together), ("two batches", "one batch")):
        for part, colour, name in ((seen[:512], "#0072B2", "real"), (seen[512:], "#D55E00", "generated")):
            axes.hist(part, bins=np.linspace(-7, 7, 57), color=colour, alpha=0.6, label=name)
        axes.set(title=f"{title}: what D sees after batch norm", xlabel="$y$")
        axes.legend(frameon=False)

# %% [markdown] id="blind-why"
# With two batches, each batch loses its own mean and its own scale. But their means were the only difference between the two,
# so D sees the same picture twice. Real discriminators do not fail as badly, because pictures differ in more than mean and
# scale; and DCGAN has no batch norm in D's first layer (with batch norm everywhere, its authors saw oscillating samples:
# section 3). Still: D with batch norm judges *batches*. Many later GANs have none in D. Some use *layer norm*: it takes mean
# and variance over the features of one sample, so samples do not see each other.
#
# ## Dropout
#
# In training, each number becomes 0 with the probability $p$, and the others are divided by $1 - p$. In evaluation nothing
# happens.
#
# **Predict:** $p = 0.3$, the input is all ones. Which two values leave? What are the mean and the variance of the output?

# %% id="dropout-code"
drop, ones = nn.Dropout(0.3), mg.ones(100000, requires_grad=True)
y = drop(ones)
(received,) = mg.grad(mg.sum(y), [ones])
values = numbers(y)
claim(np.unique(values), [0, 1 / 0.7], atol=1e-6, says="the two values")
claim([values.mean(), values.var()], [1, 0.3 / 0.7], atol=0.02, says="mean and variance: 1 and p / (1 - p)")
claim(np.array_equal(received.numpy(), values), True, says="the gradient passes through the same mask")
claim(np.array_equal(numbers(drop(ones)), values), False, says="is the mask of the next call the same?")
claim(np.array_equal(numbers(drop.eval()(ones)), numbers(ones)), True, says="evaluation: nothing happens")

# %% [markdown] id="dropout-why"
# The division keeps the *mean* of each number. It keeps the mean of a sum, too. It does not keep the mean of what a bent
# function makes of that sum. So evaluation is not exactly the average over all masks; Srivastava et al. 2014 found it close
# enough.
#
# Both layers have the same trap: they behave differently after `eval()`, and somebody must call it, and `train()` again.
# minigan's loop does so when it draws samples.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `sizes`: put `mg.tanh` in the place of `mg.relu`. What happens to the three lines of `scale.png`?
# 2. Below `train`: put `2.0` in the place of `0.02` in the last run, the one with batch norm.
# 3. In `d_pays`: put `nn.Linear(1, 8), nn.LeakyReLU(0.2), nn.BatchNorm1d(8), nn.Linear(8, 1)` into D. (A LeakyReLU multiplies
#    negative numbers by 0.2, where a ReLU makes them 0.) Its first layer now has no batch norm, as in DCGAN. Can it see the
#    difference in two batches?

# %% [markdown] id="exercise-1"
# ## Exercise 5.1
#
# With which standard deviation does a weight of this shape start, according to He et al. 2015, equation 10? `shape` is that of
# a linear layer, (outputs, inputs), or of a convolution, (outputs, inputs, height, width). $n$ is how many products one output
# adds up.


# %% id="exercise-1-code"
def start_std(shape):
    """The standard deviation of the weights before a ReLU, for a weight of this shape."""
    return None


lesson.exercise("5.1", start_std)

# %% [markdown] id="exercise-2"
# ## Exercise 5.2
#
# The rule of batch norm. Let $y = (x - \mu)/\sqrt v$ over the batch. What does $x$ receive, if $g$ arrives at $y$? You know the
# first half from exercise 3.2: taking the mean away sends $g - \bar g$. The division by $\sqrt v$ takes away one more part,
# along $y$.


# %% id="exercise-2-code"
def norm_rule(g, y, std):
    """What x receives for y = (x - mean) / std over the batch; g and y (N, features), std (features,); in NumPy."""
    return None


lesson.exercise("5.2", norm_rule)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 5.1 --answer` shows a right answer. In 5.2 the result has mean 0, and is at a right angle to $y$: the
# two directions which batch norm takes away forward are those that it takes away backward.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. The small start still dies: $10^{-9.9}$ (one layer multiplies by $\sqrt{256} \cdot 0.02 = 0.32$). The large one looks
#    healthy forward, because tanh cannot exceed 1. Backward it explodes, to about 700 times the size. To look at one direction
#    is not enough.
# 2. It learns nearly as well. Batch norm removes the size forward. But the gradients of the weights are 100 times smaller now,
#    and the weights 100 times larger, so most hidden weights change by less than 1 percent. What learns is $\gamma$, $\beta$
#    and the last layer, on top of nearly random features. (The last layer has no batch norm behind it, so the loss starts far
#    too high.)
# 3. It cannot: it still pays $2\ln2$. The features after batch norm are richer, but in both batches each of them has the mean
#    0. So the mean logit is the same, $c$, on both sides. Softplus is convex, and a mean of softplus is at least the softplus
#    of the mean: D pays at least softplus($-c$) + softplus($c$), which is at least $2\ln2$. One more nonlinear layer *behind*
#    batch norm would help.
#
# </details>
#
# Predictions: the module; 5 and 25; 1; $10^{-12.9}$ and $10^{7.1}$; $1/(3n)$, and $10^{-7.8}$; the output stays, the gradient
# is 10 times smaller, and 0 for the bias; all but the first; yes and no, 3.26; 0.11; 2 ln 2, and less than 0.5; 0 and 1.43, 1
# and 0.43.
#
# ## What you have now
#
# * A place for parameters, and the habit of counting them.
# * A pencil's answer to "will the signal reach the other end?": $\tfrac12 n\sigma^2$ per layer.
# * Batch norm with its price: samples of a batch see each other, and training and evaluation are two functions.
#
# Next: lesson 6 moves the parameters.

# %% id="end"
lesson.end()
