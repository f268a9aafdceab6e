# %% [markdown] id="promise"
# # 2. The first GAN: two networks play on eight points
#
# At the end of this lesson you have written a GAN by hand and watched it learn in six pictures (`story.png`). You know why D's
# loss should *not* fall to 0, what `detach` is for, and you have made a GAN collapse on purpose.
#
# It takes about 20 seconds (`--fast`: a few seconds, with some claims left out). You need lesson 1. As before: answer the
# question first, then run the cell. A line with a tick was checked by the machine; at a cross it
# found another number.
#
# Sources: Goodfellow et al. 2014, "Generative Adversarial Nets" (equation 1, algorithm 1, proposition 1, theorem 1). Eight
# Gaussians on a ring are a usual toy: Metz et al. 2017, Gulrajani et al. 2017. Counting modes: Srivastava et al. 2017. Adam:
# Kingma and Ba 2015, with beta1 = 0.5 after Radford et al. 2016. The sizes of the nets, the activation tanh, the learning rate
# 1e-3, the batch of 256 and the number of steps are our own choice.

# %% id="setup"
import itertools
import math
from functools import partial

import numpy as np

import minigan as mg
from minigan import nn
from minigan.data import Loader, load
from minigan.lesson import Lesson
from minigan.streams import Streams
from minigan.train.adversarial import AdversarialStep
from minigan.train.game import Game, Normal, Player, Term, play

lesson = Lesson("02_first_gan")
claim, figure = lesson.claim, lesson.figure
SEED, BATCH, STEPS = 0, 256, 120 if lesson.fast else 2400

# %% [markdown] id="data"
# ## The real points
#
# $x = 2(\cos a_k, \sin a_k) + 0.02\,e$: eight narrow Gaussians on a circle. We call each of them a *mode*. Why points in the
# plane and not pictures? Because here we can see everything, and count.
#
# We call a point *good* if it lies within three standard deviations of a centre, and a mode *captured* if at least one good
# point is there, of 2,500 (Srivastava et al. 2017).
#
# **Predict:** which share of the *real* points is good? (In one dimension it would be 99.7 percent. In two it is less.)

# %% id="data-code"
ring = load("ring8")


def count(points):
    """(captured modes, share of good points, modes that are nearest to some point, good or not) of points (N, 2)."""
    distances = np.linalg.norm(points[:, None] - ring.centres, axis=2)  # (N, 8)
    nearest, good = distances.argmin(axis=1), distances.min(axis=1) <= 3 * ring.std
    return len(set(nearest[good])), good.mean(), len(set(nearest))


captured, share, _ = count(ring.sample(2500, 0).x)
claim(captured, 8, says="modes captured by real points")
claim(math.erf(3 / math.sqrt(2)), 0.997, atol=5e-4, says="three standard deviations in one dimension")
claim(share, 1 - math.exp(-4.5), atol=0.01, says="share of good points among real ones: 1 - e^(-9/2)")

# %% [markdown] id="players"
# ## The two players
#
# The generator G turns noise $z$ (two random numbers) into a point. The discriminator D looks at a point and answers with one
# number, the *logit*. Logit 0 means "I do not know", a large logit "real", a very negative one "fake". The probability is
# $\sigma(\text{logit}) = 1/(1+e^{-\text{logit}})$.
#
# **Predict:** how many parameters has G, with layers 2-128-128-2? A layer has inputs x outputs weights and a bias per output.


# %% id="players-code"
def mlp(*sizes):
    """Linear layers of these sizes with tanh between them."""
    layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(*layers[:-1])  # no tanh after the last one


def players():
    """A new G and D, always with the same random weights."""
    mg.seed(SEED)
    return mlp(2, 128, 128, 2), mlp(2, 128, 128, 1)


G, D = players()
by_hand = (2 * 128 + 128) + (128 * 128 + 128) + (128 * 2 + 2)
claim([sum(p.size for p in G.parameters()), by_hand], [17154, 17154], says="parameters of G, counted and by hand")
claim(sum(p.size for p in D.parameters()), by_hand - 128 - 1, says="D has one output less")

# %% [markdown] id="losses"
# ## What they pay
#
# Let $a = D(x)$ be the logits of real points, and $b = D(G(z))$ the logits of generated points. D minimises
#
# $$L_D = -\mathbb{E}\,\log\sigma(a) - \mathbb{E}\,\log(1-\sigma(b)),$$
#
# which is equation 1 of Goodfellow et al. 2014 with the sign turned. G minimises one of two losses:
#
# * saturating (equation 1): $\ \mathbb{E}\,\log(1-\sigma(b))$
# * non-saturating (section 3 of the paper): $\ -\mathbb{E}\,\log\sigma(b)$
#
# In code: $-\log\sigma(t)$ is `softplus(-t)`, and $-\log(1-\sigma(t))$ is `softplus(t)`. It cannot overflow.
#
# **Predict:** D is undecided: every logit is 0. What does D pay? (Hint: $\log\frac12$, twice.)

# %% id="losses-code"
d_loss = lambda a, b: mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b))
saturating = lambda b: -mg.mean(mg.softplus(b))
non_saturating = lambda b: mg.mean(mg.softplus(-b))

nn.init.zeros_(D[-1].weight)
nn.init.zeros_(D[-1].bias)
x = mg.tensor(ring.sample(BATCH, 1).x)
z = mg.tensor(np.random.default_rng(2).standard_normal((BATCH, 2), dtype=np.float32))
claim(d_loss(D(x), D(G(z))), 2 * math.log(2), atol=1e-6, says="an undecided D pays 2 ln 2, not 0")
claim(non_saturating(D(G(z))), math.log(2), atol=1e-6, says="and G pays ln 2")

# %% [markdown] id="detach"
# ## D's turn, and what `detach` is for
#
# In D's turn only D may change. But D's loss depends on G as well: it contains $D(G(z))$. So `loss.backward()` would compute
# gradients for G too. There are two ways to stop this: `fake = G(z).detach()`, or to compute `fake` inside `with
# mg.no_grad():`. Both make `fake` a constant. This is perhaps the most repeated question about GAN code, so we measure it.
#
# **Predict:** (1) Without detach: do *D's* gradients change? (2) What is in G's gradients then?


# %% id="detach-code"
def d_turn(make_fake):
    """D's backward pass; the gradients it leaves in D and in G, and how many gradient rules it called."""
    G, D = players()
    rules = []
    with mg.watch(lambda op, phase, *rest: rules.append(op) if phase == "backward" else None):
        d_loss(D(x), D(make_fake(G))).backward()
    return [p.grad for p in D.parameters()], [p.grad for p in G.parameters()], len(rules)


def without_recording(G):
    with mg.no_grad():
        return G(z)


detached = d_turn(lambda G: G(z).detach())
unrecorded = d_turn(without_recording)
leaking = d_turn(lambda G: G(z))
claim([g is None for g in detached[1] + unrecorded[1]], [True] * 12, says="detach, no_grad: G's gradients are None")
claim(any(g is None for g in leaking[1]), False, says="without: is any gradient of G still None?")
same = [np.abs(np.asarray(p) - np.asarray(q)).max() for p, q in zip(detached[0] + unrecorded[0], leaking[0] * 2)]
claim(max(same), 0, atol=1e-7, says="D's gradients are the same in all three: largest difference")
claim(leaking[2] > detached[2], True, says=f"but without, backward calls {leaking[2]} rules in place of {detached[2]}")

# %% [markdown] id="leak"
# So `detach` does not change what D learns. It saves work, and it keeps G's gradients clean. And if they are not clean? With
# `backward()`, gradients are *added* to what is there. Then G's next step goes along a sum: its own gradient and a leak. Which?
#
# **Predict:** D's loss contains $-\mathbb{E}\log(1-\sigma(b))$. Compare it with the saturating loss of G.

# %% id="leak-code"
G, D = players()
own = mg.grad(saturating(D(G(z))), G.parameters())
worst = max(np.abs(np.asarray(leak) + np.asarray(g)).max() for leak, g in zip(leaking[1], own))
claim(worst, 0, atol=1e-7, says="the leak is exactly minus G's saturating gradient: it helps D, against G")

# %% [markdown] id="functional"
# minigan's training loop does not call `backward()`. It calls `mg.grad(loss, parameters)`, which returns the gradients of
# exactly these parameters and adds nothing anywhere. A leak is not possible then, with or without detach. We use it now.
#
# ## G's turn: which loss?
#
# Early in training, D wins easily: its logits on generated points are very negative. (Not the other way round: the problem is a
# *confident D*, not a perfect G.) What does G feel then? The slopes by the logit $b$ are
#
# $$\frac{d}{db}\log(1-\sigma(b)) = -\sigma(b), \qquad \frac{d}{db}\bigl(-\log\sigma(b)\bigr) = -(1-\sigma(b)).$$
#
# **Predict:** at $b = -10$, how many times larger is the second one?

# %% id="slopes-code"
b = mg.tensor(np.linspace(-10, 10, 201), requires_grad=True)  # float64
(slope_saturating,) = mg.grad(mg.sum(-mg.softplus(b)), [b])
(slope_non_saturating,) = mg.grad(mg.sum(mg.softplus(-b)), [b])
claim(slope_saturating[0], -4.54e-5, atol=1e-7, says="slope of the saturating loss at b = -10")
claim(slope_non_saturating[0], -0.99995, atol=1e-5, says="slope of the non-saturating loss at b = -10")
claim(slope_non_saturating[0] / slope_saturating[0], math.exp(10), atol=1e-3, says="their ratio is e^10")

# %% id="slopes-draw"
with figure("slopes", width=6.5, height=3.6) as fig:
    axes = fig.add_subplot()
    axes.plot(b.tolist(), slope_saturating.tolist(), "-", color="#D55E00", label="saturating: $-\\sigma(b)$")
    axes.plot(b.tolist(), slope_non_saturating.tolist(), "--", color="#0072B2", label="non-saturating: $-(1-\\sigma(b))$")
    axes.set(xlabel="logit $b = D(G(z))$:   left: D is sure it is fake,   right: D is fooled", ylabel="slope")
    axes.grid(color="0.9")
    axes.legend(frameon=False, loc="center right")

# %% [markdown] id="loop"
# ## The loop
#
# Algorithm 1 of Goodfellow et al. 2014, with one step of D and one of G. Each turn draws fresh real points and fresh noise. G's
# turn does not look at the real points; it draws them so that all turns are alike.
#
# `head_start` lets D play alone for some steps before G begins. We shall need it for an experiment.


# %% id="loop-code"
def train(G, D, steps, head_start=0, watch=lambda step: None):
    """Play; the pairs (loss of D, loss of G), one for each step."""
    adam_D, adam_G = (mg.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (D, G))
    streams, losses = Streams(SEED), []
    loader = Loader(ring, BATCH, streams("data"))
    noise = partial(streams("latent").standard_normal, (BATCH, 2), dtype=np.float32)
    for step in range(-head_start, steps):
        watch(step)
        x, z = mg.tensor(next(loader).x), mg.tensor(noise())
        with mg.no_grad():
            fake = G(z)
        loss_D = d_loss(D(x), D(fake))
        adam_D.step(mg.grad(loss_D, D.parameters()))
        if step >= 0:
            x, z = mg.tensor(next(loader).x), mg.tensor(noise())
            loss_G = non_saturating(D(G(z)))
            adam_G.step(mg.grad(loss_G, G.parameters()))
            losses.append((float(loss_D), float(loss_G)))
    return losses


# %% [markdown] id="confident"
# ## A confident D, measured
#
# Now with real networks. D plays alone for 300 steps against a G that has not learned anything.
#
# **Predict:** what is D's loss then? And how many times larger is G's non-saturating gradient?

# %% id="confident-code"
G, D = players()
before = [mg.tensor(p) for p in G.parameters()]  # copies
train(G, D, steps=0, head_start=300)
claim(all(np.array_equal(p, q) for p, q in zip(before, G.parameters())), True, says="300 turns of D have not moved G")
claim(d_loss(D(x), D(G(z))), 0, atol=0.02, says="a confident D pays almost nothing")


def size(loss):
    """The length of G's gradient."""
    return math.sqrt(sum(float(mg.sum(mg.square(g))) for g in mg.grad(loss, G.parameters())))


ratio = size(non_saturating(D(G(z)))) / size(saturating(D(G(z))))
claim(ratio > 100, True, says=f"non-saturating gradient / saturating gradient = {ratio:.0f}, above 100")

# %% [markdown] id="adam"
# One remark that is often left out. Adam divides each gradient by its own recent size. So with Adam a gradient that is 400
# times smaller gives nearly the same step, and the saturating loss still works on our eight points (number 3 of "Break it",
# below). With plain gradient descent the step is 400 times smaller, and G hardly moves.
#
# The first step of Adam has the length `lr` in each coordinate, whatever the gradient.


# %% id="adam-code"
def first_step(optimizer, gradient):
    """How far the first step moves a weight with this gradient."""
    w = mg.zeros(1, requires_grad=True)
    optimizer([w], lr=1e-3).step([mg.tensor([gradient])])
    return -float(w)


adam_steps, plain_steps = ([first_step(rule, g) for g in (1.0, 1 / 400)] for rule in (mg.optim.Adam, mg.optim.SGD))
claim(adam_steps, [1e-3, 1e-3], atol=1e-8, says="Adam, for gradients 1 and 1/400")
claim(plain_steps, [1e-3, 2.5e-6], atol=1e-9, says="plain gradient descent, for the same two")

# %% [markdown] id="train"
# ## Train
#
# Both from the start, non-saturating. Six times on the way we take a picture: D's opinion on the whole plane, and 2,500
# generated points, always from the same noise. An arrow shows where the loss pushes a generated point: $-\partial L_G/\partial
# x$, computed by the engine for 40 of the points. Within one picture the lengths can be compared. From picture to picture they
# cannot: the scale is written in the corner, as the slope of the longest arrow.

# %% id="train-code"
Z = mg.tensor(Streams(SEED)("eval").standard_normal((2500, 2), dtype=np.float32))
grid = np.linspace(-3, 3, 61, dtype=np.float32)
plane = mg.tensor(np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2))


def picture(G, D):
    """What a frame needs: D's probabilities on the plane (61, 61), points (2500, 2), arrows at the first 40 of them."""
    with mg.no_grad():
        surface, points = mg.sigmoid(D(plane)), G(Z).numpy()
    here = mg.tensor(points[:40], requires_grad=True)
    (slope,) = mg.grad(mg.sum(mg.softplus(-D(here))), [here])
    return surface.numpy().reshape(61, 61), points, -slope.numpy()


def observer(G, D, story, history, moments=()):
    """A function of the step: it keeps a frame at each of the moments, and counts modes about 30 times on the way."""

    def look(step):
        if step in moments:
            story[step] = picture(G, D)
        if step >= 0 and step % (STEPS // 30) == 0:
            with mg.no_grad():
                history[step] = count(G(Z).numpy())

    return look


# %% id="train-run"
G, D = players()
story, history = {}, {}
moments = [round(STEPS * part) for part in (0, 0.06, 0.12, 0.25, 0.5)]
losses = train(G, D, STEPS, watch=observer(G, D, story, history, moments))
story[STEPS] = picture(G, D)


# %% id="story-draw"
def draw(axes, surface, points, arrows, title):
    """D's opinion as colour, real modes as rings, generated points black, arrows: where the loss pushes points."""
    colours = axes.imshow(surface, origin="lower", extent=(-3, 3, -3, 3), cmap="RdBu", vmin=0, vmax=1, alpha=0.8)
    axes.plot(*ring.centres.T, "o", markersize=13, markerfacecolor="none", markeredgecolor="black", markeredgewidth=1)
    axes.plot(*points.T, ".", markersize=2, color="black", alpha=0.5)
    longest = np.linalg.norm(arrows, axis=1).max()
    look = {"width": 0.012, "color": "#F0E442", "edgecolor": "black", "linewidth": 0.6, "zorder": 3}
    axes.quiver(*points[:40].T, *arrows.T, angles="xy", scale_units="xy", scale=longest, **look)
    axes.text(-2.9, -2.9, f"longest arrow: {longest:.2g}", fontsize=8, va="bottom", bbox={"color": "white", "pad": 1.5})
    axes.set(xlim=(-3, 3), ylim=(-3, 3), title=title)
    return colours


# %% id="story-figure"
with figure("story", width=10, height=6.8) as fig:
    axes = fig.subplots(2, 3, sharex=True, sharey=True).ravel()
    for place, (step, frame) in zip(axes, story.items()):
        captured, share, _ = count(frame[1])
        colours = draw(place, *frame, f"step {step}: {captured} modes, {share:.0%} good")
    fig.colorbar(colours, ax=list(axes), label="D's probability that a point here is real", shrink=0.7)

# %% [markdown] id="look"
# Look at `story.png`. White is where D is undecided, blue where it says "real", red where it says "fake". Rings are the real
# modes, black dots are generated points, yellow arrows show where the loss pushes them. At first D is one smooth slope, and all
# points are pushed the same way. They spread over the disc, then D learns that the middle is empty, and the points go to the
# ring. At the end almost all of the plane is red, with a pale path to each mode. Near the modes D is undecided again.
#
# ## Count
#
# A count depends on its definition. **Predict:** how many modes does the *untrained* G have, if every point counts for its
# nearest mode? And if only good points count?


# %% id="count-code"
def late(history):
    """The counts in the last third of the run: arrays of captured modes and of shares."""
    captured, shares, _ = zip(*list(history.values())[-len(history) // 3 :])
    return captured, shares


untrained = count(story[0][1])
claim(untrained[2] > 4, True, says=f"untrained, every point counts: {untrained[2]} modes")
claim(untrained[0] <= 1, True, says=f"untrained, good points only: {untrained[0]} modes")
captured, shares = late(history)
claim(np.median(captured), 8, full=True, says="trained, good points only: median of the last third")
claim(np.mean(shares), 0.7, atol=0.2, full=True, says="share of good points, mean of the last third")
print(f"  lowest {min(shares):.2f}, highest {max(shares):.2f}: a single picture can show a bad moment")

# %% [markdown] id="curves"
# ## Read the curves
#
# Here is the most frequent question about GANs: "my D loss does not go down, what is wrong?" Nothing is wrong.
#
# For a fixed G, the best D answers $D^*(x) = \frac{p_\text{data}(x)}{p_\text{data}(x) + p_g(x)}$ (Goodfellow et al. 2014,
# proposition 1). When G is perfect, this is 1/2 everywhere, and D pays $2\ln 2 = 1.386$: the price of a fair coin (theorem 1).
# In general the best D pays $2\ln2 - 2\,\mathrm{JS}(p_\text{data}, p_g)$, where JS is the Jensen-Shannon divergence: 0 if the
# two densities are equal, $\ln 2$ if they do not overlap.
#
# * D's loss near 1.386: D cannot tell. Either G is good, or D is weak.
# * D's loss near 0: D wins everything. Bad for G, and usually a bad sign.
# * The losses say nothing about progress by themselves: the opponent moves. Look at samples, and count.
#
# **Predict:** G has perfect points, but on only 4 of the 8 modes. What does the best D pay? (At a captured mode, $p_g$ is twice
# as dense as $p_\text{data}$, so $D^* = 1/3$. At a lost mode $D^* = 1$.)


# %% id="curves-code"
def best_D_pays(k):
    """The loss of the best D if G has k of the 8 modes, all equally often, and is perfect there."""
    captured = (1 / 8) / (1 / 8 + 1 / k)  # D* at a captured mode
    return -(k / 8) * math.log(captured) - math.log(1 - captured)  # a lost mode costs nothing: -log 1


claim(best_D_pays(8), 2 * math.log(2), atol=1e-12, says="all 8 modes: 2 ln 2")
claim(best_D_pays(4), 0.955, atol=1e-3, says="4 of 8 modes")
claim(best_D_pays(1), 0.392, atol=1e-3, says="1 of 8 modes")
claim(np.mean(losses[-500:], axis=0), [1.34, 0.76], atol=0.05, full=True, says="losses, mean of 500 steps")

# %% id="curves-draw"
with figure("curves", width=8, height=5) as fig:
    above, below = fig.subplots(2, 1, sharex=True)
    for row, (name, colour) in enumerate((("D", "#0072B2"), ("G", "#D55E00"))):
        mean = np.convolve([pair[row] for pair in losses], np.ones(25) / 25, mode="valid")
        above.plot(np.arange(len(mean)) + 25, mean, color=colour)
        above.text(STEPS * 1.01, mean[-1] - 0.02, name, color=colour, va="center", fontweight="bold")
    above.axhline(best_D_pays(8), color="0.4", linestyle="--", linewidth=1)
    above.text(STEPS / 2, best_D_pays(8) + 0.02, "2 ln 2", color="0.3", va="bottom")
    above.set(ylabel="loss (25 steps)", title="the losses hardly move ...", xlim=(0, STEPS * 1.05), ylim=(0, 1.6))
    shares = [share for _, share, _ in history.values()]
    below.plot(history.keys(), shares, "o-", color="#009E73", markersize=4)
    below.set(xlabel="step", ylabel="share of good points", ylim=(0, 1))
    below.set_title(f"... while the good points go from {shares[0]:.0%} to {shares[-1]:.0%}")

# %% [markdown] id="curves-look"
# `curves.png` shows both. After the first steps the losses are nearly flat. Nearly all of the learning happens in that time.

# %% [markdown] id="collapse"
# ## Collapse on purpose
#
# Our G has all eight modes. This is not guaranteed, and a small change destroys it: give D the head start of 300 steps from
# above, and then let both play as before. D is right about everything, and the non-saturating gradient is large.
#
# **Predict:** how many modes does G capture after 1,200 steps: more, the same, or fewer? And what does D pay?

# %% id="collapse-code"
G, D = players()
late_history = {}
after = train(G, D, steps=STEPS // 2, head_start=20 if lesson.fast else 300, watch=observer(G, D, None, late_history))
late_frame = picture(G, D)
claim(np.median(late(late_history)[0]), 4, atol=1, full=True, says="modes captured after a head start of D")
claim(np.mean(after[-200:], axis=0)[0], best_D_pays(4), atol=0.15, full=True, says="D pays, about as for 4 of 8 modes")

# %% id="collapse-draw"
with figure("collapse", width=10, height=4.8) as fig:
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.3))
    draw(left, *late_frame, "with head start: {} modes, {:.0%} good".format(*count(late_frame[1])))
    for name, run, colour in (("both from the start", losses, "#0072B2"), ("D with head start", after, "#D55E00")):
        mean = np.convolve([d for d, _ in run], np.ones(25) / 25, mode="valid")
        right.plot(np.arange(len(mean)) + 25, mean, color=colour, label=name)
    for k in (8, 4):
        right.axhline(best_D_pays(k), color="0.4", linestyle="--", linewidth=1)
        right.text(STEPS, best_D_pays(k) + 0.01, f"best D, {k} modes", ha="right", va="bottom", fontsize=9, color="0.3")
    right.set(xlabel="step", ylabel="loss of D (mean of 25 steps)", ylim=(0, 1.55))
    right.legend(frameon=False, loc="lower right")

# %% [markdown] id="collapse-why"
# Look at `collapse.png`. D is blue at four modes: it knows that only real points are there. Its loss is a little below 0.955,
# because the points on the other four modes are not perfect either. So D's loss shows the collapse, if one knows its meaning.
#
# What happened? The points run to the nearest peaks of D, as fast as they can. Nothing in G's loss asks them to be *different*
# from one another. A mode that no point reaches sends no gradient: G never hears of it. (Arjovsky and Bottou 2017, theorem 2.5,
# give the reason in formulas: the non-saturating gradient punishes a bad point hard, and a lost mode hardly at all.)
#
# Be careful with conclusions. This is one seed. With other seeds the head start usually costs modes, but not always the same
# number. Mode collapse is a tendency, not a law, and one run proves little. The other way round, too: a run that captures all
# modes, as ours did, is no proof that a plain GAN is reliable. A single moment can mislead as well: the share of good points in
# `curves.png` falls from time to time, and with other seeds all modes were lost for a moment. So we take the median of many.
#
# ## The same in minigan's loop
#
# All systems of minigan run on one loop: `minigan/train/game.py`. A `Game` has nets, players and terms. A `Player` says who
# learns, and with which optimizer. A `Term` is one piece of one player's loss. A step is what one turn sees: its logits are
# computed when a term asks for them. `play` is one iteration.
#
# **Predict:** with the same seeds, how close will its losses be to those of our own loop?

# %% id="game-code"
G, D = players()
adam = partial(mg.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
game = Game(
    {"G": G, "D": D},
    latent=Normal(2),
    players=[Player("D", [D], adam), Player("G", [G], adam)],
    terms=[
        Term("adversarial", "D", lambda step: d_loss(step.real_logits, step.fake_logits)),
        Term("adversarial", "G", lambda step: non_saturating(step.fake_logits)),
    ],
    step=AdversarialStep,
)
streams = Streams(SEED)
loader = Loader(ring, BATCH, streams("data"))
theirs = [play(game, loader, streams) for _ in range(50 if lesson.fast else 200)]
difference = np.abs(np.subtract([(turn["D"], turn["G"]) for turn in theirs], losses[: len(theirs)])).max()
claim(difference, 0, atol=1e-6, says=f"largest difference of the losses in {len(theirs)} steps")

# %% [markdown] id="game-why"
# The two terms above are so common that they have a name: `terms=adversarial_terms("non-saturating")`. With it you have written
# `minigan/systems/adversarial/gan.py`. Every other system of minigan changes a few of these lines.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `train`: delete `with mg.no_grad():` (and move `fake = G(z)` to the left).
# 2. In `mlp`: put `nn.LeakyReLU(0.2)` in the place of `nn.Tanh()`.
# 3. In `train`: put `saturating` in the place of `non_saturating`. What will `story.png` show, and what `collapse.png`?
#
# Some claims will then get a cross, and the lesson goes on. This is their purpose: they belong to the settings above.

# %% [markdown] id="exercise-1"
# ## Exercise 2.1
#
# Mao et al. 2017 ("least squares GAN", equation 9) leave the logarithm out: D wants the number 1 for real points and 0 for
# generated ones, G wants D to say 1, and each pays half the mean square of the difference. Use `mg.mean` and `mg.square`.


# %% id="exercise-1-code"
def least_squares(a, b):
    """(loss of D, loss of G) for D's answers a on real and b on generated points."""
    return None


lesson.exercise("2.1", least_squares)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 2.1 --answer` shows a right answer of the exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# Break it:
#
# 1. The losses are the same to the last bit. `mg.grad` asks only for D's gradients, so nothing can leak. It costs a little
#    memory, because the forward pass of G is recorded.
# 2. Training becomes less steady, and after the same number of steps far fewer points are good. D is now made of flat pieces
#    with edges, so its slope, which is all that G sees, jumps.
# 3. With Adam, the saturating loss learns as well as the other one. And with the head start, where the other one lost half of
#    the modes, it keeps all of them (in this run). The size of a gradient is one thing, and Adam repairs it. The direction is
#    another. The rule "never use the saturating loss" is about the size.
#
# </details>
#
# Predictions: 0.989; 17,154; $2\ln2$; D's gradients do not change, and the leak is minus the saturating gradient; 22,026;
# near 0 and above 100; all 8 and none or one; 0.955; fewer; the same.
#
# ## What you have now
#
# * The game, its two losses, and a loop of ten lines.
# * A number for each opinion: D's loss has a meaning, and "4 of 8 modes" can be read from it.
# * Respect for the seed: the same code can collapse or not.
#
# Next, read `minigan/train/game.py` and `minigan/train/objectives.py`, then `minigan train gan --data ring8`.

# %% id="end"
lesson.end()
