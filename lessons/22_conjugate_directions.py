# %% [markdown] id="promise"
# # 22. Conjugate directions: why a VAE may use them and a GAN may not
#
# An article compares the GAN and the VAE "from the direction of conjugate gradients". It never says what that means, and its
# code uses Adam for both. We take the question seriously. At the end of this lesson you know what conjugate directions are, and
# which property of a loss they use. You can measure whether a training has this property: a VAE has it, and a GAN has not. And
# you have seen what happens to both if one trains them with conjugate gradients nevertheless.
#
# It takes about 7 seconds of processor time (`--fast`: about 3). You need lessons 7 (Hessians), 10 (the VAE) and 13 (the game
# on a line). Answer the question first, then run the cell.
#
# Sources: Hestenes and Stiefel 1952 (the method). Nocedal and Wright 2006, "Numerical Optimization" (theorem 3.3; equation 5.5;
# algorithms 5.2 and 5.4; theorem 5.4; equations 5.41a, 5.44, 5.46 and 5.49). Mescheder, Nowozin and Geiger 2017, "The Numerics
# of GANs" (section 3: the field of a game). Nets, rates and numbers of steps are our own choice.

# %% id="setup"
import math
from statistics import NormalDist

import numpy as np

import minigan as mg
from minigan import nn
from minigan.lesson import Lesson
from minigan.optim import Adam, ConjugateGradient, dynamics

lesson = Lesson("22_conjugate_directions")
claim, figure = lesson.claim, lesson.figure
variable = lambda value: mg.tensor(value, dtype="float64", requires_grad=True)

# %% [markdown] id="zigzag"
# ## A valley, and two ways down
#
# $f(w) = \frac12 w^\top A w$ with $A = \begin{pmatrix} 10 & 0 \\ 0 & 1 \end{pmatrix}$, gradient $g = Aw$. Along a direction $d$
# the function is a parabola, so we know the best step length without a search:
#
# $$a = -\frac{g \cdot d}{d \cdot A d}.$$
#
# *Steepest descent* goes along $d = -g$. With the best step length, its next direction is at a right angle to the last one. So
# it zigzags, and each step spoils a part of what the last one has reached.
#
# *Conjugate gradients* keep a part of the last direction (Fletcher and Reeves' $\beta$; $g'$ is the new gradient):
#
# $$d' = -g' + \beta d, \qquad \beta = \frac{g' \cdot g'}{g \cdot g}.$$
#
# **Predict:** we start at $w = (1, 10)$. By which factor does $f$ fall in each step of steepest descent? How many steps do
# conjugate gradients take?


# %% id="zigzag-code"
def descend(J, w, steps, conjugate=True):
    """The places (steps + 1, n) and directions (steps, n) of the method, for the field J w."""
    places, directions, g = [w], [], J @ w
    d = -g
    for _ in range(steps):
        if not g.any():
            break
        w = w - (g @ d) / (d @ J @ d) * d
        new = J @ w
        directions.append(d)
        beta = (new @ new) / (g @ g) if conjugate else 0.0
        d, g = -new + beta * d, new
        places.append(w)
    return np.array(places), np.array(directions)


A, start = np.diag([10.0, 1.0]), np.array([1.0, 10.0])
f = lambda w: 0.5 * w @ A @ w
steepest, steep_d = descend(A, start, 20, conjugate=False)
conjugate, conj_d = descend(A, start, 2)
claim(
    [f(b) / f(a) for a, b in zip(steepest, steepest[1:])], [(9 / 11) ** 2] * 20, atol=1e-9, says="f falls by (9/11)^2 per step"
)
claim(np.abs(conjugate[2]).max(), 0, atol=1e-12, says="conjugate gradients: after two steps they stand at the minimum")

# %% id="zigzag-draw"
with figure("zigzag", width=8, height=3.4) as fig:
    axes = fig.add_subplot()
    across, along = np.meshgrid(np.linspace(-1.3, 1.3, 101), np.linspace(-2, 11, 201))
    axes.contour(along, across, 5 * across**2 + 0.5 * along**2, levels=np.linspace(1, 60, 12), colors="0.8", linewidths=0.8)
    axes.plot(steepest[:, 1], steepest[:, 0], ".-", color="#D55E00", label="steepest descent, 20 steps")
    axes.plot(conjugate[:, 1], conjugate[:, 0], "o-", color="#0072B2", label="conjugate gradients, 2 steps")
    axes.plot(0, 0, "*", color="black", markersize=12)
    axes.set(xlabel="$w_2$", ylabel="$w_1$", title="(the two axes have different scales)")
    axes.legend(frameon=False)

# %% [markdown] id="conjugate"
# ## What "conjugate" means
#
# After the first step the slope along $d$ is 0: this is what "best step length" means. The second step goes along $e$ and
# changes the gradient by a multiple of $Ae$. So the slope along $d$ changes by a multiple of $d \cdot Ae$. If
#
# $$d \cdot A e = 0,$$
#
# then it stays 0: *the second step spoils nothing that the first one has reached*. Such directions are called conjugate
# (Nocedal and Wright, equation 5.5). In $n$ dimensions there are $n$ of them, and after $n$ steps nothing is left to do.
#
# It may go faster. **Predict:** 20 unknowns, but $A$ has only the three eigenvalues 1, 10 and 100. How many steps now? And
# how far has steepest descent come after 30?

# %% id="conjugate-code"
claim(conj_d[0] @ A @ conj_d[1], 0, atol=1e-9, says="d A e of the two directions in the picture")
claim(
    [conj_d[0] @ A @ conjugate[2], steep_d[0] @ A @ steepest[2]],
    [0, -133.9],
    atol=0.1,
    says="slope along d after step 2, of both",
)

rng = np.random.default_rng(22)
turn, _ = np.linalg.qr(rng.standard_normal((20, 20)))
A20 = turn @ np.diag(np.repeat([1.0, 10.0, 100.0], [7, 7, 6])) @ turn.T
from_here = rng.standard_normal(20)
size = lambda J, places: [float(np.linalg.norm(J @ w)) for w in places]
fast = size(A20, descend(A20, from_here, 3)[0])
slow = size(A20, descend(A20, from_here, 30, conjugate=False)[0])
claim(fast[3] / fast[0], 0, atol=1e-9, says="three eigenvalues: length of the gradient after 3 steps / at the start")
claim(slow[30] / slow[0] > 1e-3, True, says=f"steepest descent after 30 steps: {slow[30] / slow[0]:.4f}, above 0.001")

# %% [markdown] id="curved"
# (This is theorem 5.4 of Nocedal and Wright: at most one step for each *different* eigenvalue.)
#
# ## Where the loss is no parabola
#
# A network's loss is no parabola. Then the best step length has no formula and must be searched, and there are several
# formulas for $\beta$ that agree only on parabolas. minigan has four in `mg.optim.ConjugateGradient`; each search evaluates the
# loss and its gradient several times. So we count *gradients*, not steps.
#
# The test is Rosenbrock's curved valley (lesson 7), from $(-1.2, 1)$ down to $f < 10^{-10}$. `restart=1` forgets the last
# direction in each step: it is steepest descent with the same search.
#
# **Predict:** how many gradients does the best of them need: about 10, 100 or 1,000? And steepest descent?


# %% id="curved-code"
def valley(w):
    """Rosenbrock's function."""
    return mg.square(1 - w[0]) + 100 * mg.square(w[1] - mg.square(w[0]))


def gradients_used(rule, restart=None, most=2000):
    """(gradients used, f at the end) until f < 1e-10, or `most` gradients are used."""
    w = variable([-1.2, 1.0])
    method = ConjugateGradient([w], rule=rule, line_search="strong-wolfe", restart=restart)

    def closure():
        value = valley(w)
        return float(value), mg.grad(value, [w])

    while closure()[0] > 1e-10 and method.evaluations < most:
        method.step(closure=closure)
    return method.evaluations, closure()[0]


rules = ("polak-ribiere", "hestenes-stiefel", "dai-yuan", "fletcher-reeves")
counts = {rule: gradients_used(rule)[0] for rule in rules}
steep_count, steep_f = gradients_used("polak-ribiere", restart=1)
print("  gradients used:", ", ".join(f"{rule} {count}" for rule, count in counts.items()))
claim(counts["polak-ribiere"], 106, atol=15, says="gradients that Polak and Ribiere's rule needs")
claim(max(counts.values()) < 400, True, says="no rule needs more than 400")
claim(steep_f > 1e-3, True, says=f"steepest descent, after {steep_count} gradients, is still at f = {steep_f:.3f}")

# %% [markdown] id="symmetric"
# ## The property that all of this uses
#
# "Step $e$ does not spoil $d$" reads $d \cdot Ae = 0$. "Step $d$ does not spoil $e$" reads $e \cdot Ad = 0$. For a symmetric
# $A$ these are one condition. A Hessian *is* symmetric: $\partial^2 f/\partial w_i \partial w_j = \partial^2 f/\partial w_j
# \partial w_i$. So on the way down a single function, nobody has to think about it.
#
# Now two players. The first one owns $x$ and pays $\frac12 x^2 + c\,xy$. The second one owns $y$ and pays $\frac12 y^2 -
# c\,xy$. Each follows its own slope, so together they follow the *field*
#
# $$v = (x + c\,y,\; y - c\,x) = Jw, \qquad J = \begin{pmatrix} 1 & c \\ -c & 1 \end{pmatrix}.$$
#
# Both have a reason to come to $(0, 0)$. For $c = 0$ it is a round bowl, and one step is enough. We use the same function
# `descend` with $J$ in the place of $A$.
#
# **Predict:** $c = 1$. How long is the field after 6 steps, compared with the start? And what do 100 plain steps $w - 0.1\,v$
# give?

# %% id="symmetric-code"
quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
game = lambda c: np.eye(2) + c * quarter
here = np.array([2.0, 1.0])
after = {c: size(game(c), descend(game(c), here, 6)[0]) for c in (0, 1, 2)}
claim(after[0][1], 0, atol=1e-12, says="c = 0: one step is enough")
claim(after[1][6] / after[1][0], 3.42, atol=0.01, says="c = 1: after 6 steps the field is this many times as long")
claim(after[2][6] / after[2][0], 10.1, atol=0.1, says="c = 2: this many times")
plain = here
for _ in range(100):
    plain = plain - 0.1 * game(1) @ plain
claim(np.linalg.norm(plain) < 1e-3, True, says="c = 1: 100 plain steps of 0.1 do arrive")
claim(
    [d @ quarter @ d for d in rng.standard_normal((3, 2))], [0, 0, 0], atol=1e-12, says="pure rotation: d J d = 0 for every d"
)

# %% [markdown] id="clever"
# The clever method runs away where the simplest one arrives. It trusts in two things that are not there: in a function that
# falls along $d$, and in "what is done stays done". In a pure rotation even the step length divides by $d \cdot Jd = 0$.
#
# ## Has a training this property?
#
# A field $v(w)$ is the gradient of one function if, and only if, its Jacobian $J$ is symmetric everywhere. So we can *look*.
# Two small trainings, with all weights of both nets in one vector:
#
# * a VAE: encoder 2-3-2, decoder 1-3-2, one loss (lesson 10).
# * a GAN: D 2-3-1, G 1-3-2, each with its own loss. First with the saturating loss, where G pays minus what D pays for
#   generated points.
#
# **Predict:** cut $J$ into four blocks, (D, D), (D, G), (G, D), (G, G). Which parts are symmetric? And what if we call encoder
# and decoder of the VAE two players, each of which steps along its own part of the gradient?


# %% id="nets-code"
def net(*sizes):
    """Linear layers of these sizes with tanh between them, float64."""
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(*layers[:-1]).double()


weights = lambda *nets: [p for one in nets for p in one.parameters()]


def vae_loss(encoder, decoder, x, e, variance=1.0):
    """-ELBO of points x with the noise e: Gaussian decoder of this variance, up to a constant."""
    mean, log_var = mg.split(encoder(x), 2, axis=1)
    missed = mg.sum(mg.square(x - decoder(mean + mg.exp(0.5 * log_var) * e)), axis=1)
    return mg.mean(missed) / (2 * variance) + 0.5 * mg.mean(mg.square(mean) + mg.exp(log_var) - 1 - log_var)


def gan_losses(G, D, x, z, saturating):
    """The losses of D and of G."""
    a, b = D(x), D(G(z))
    return [
        mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b)),
        -mg.mean(mg.softplus(b)) if saturating else mg.mean(mg.softplus(-b)),
    ]


# %% id="look-code"
mg.seed(0)
x, z = mg.tensor(rng.standard_normal((32, 2)) * [1.5, 0.5]), mg.tensor(rng.standard_normal((32, 1)))
encoder, decoder, G, D = net(2, 3, 2), net(1, 3, 2), net(1, 3, 2), net(2, 3, 1)
one_loss = lambda: vae_loss(encoder, decoder, x, z)
J_vae = dynamics.jacobian([one_loss()], [weights(encoder, decoder)])
J_split = dynamics.jacobian([one_loss(), one_loss()], [weights(encoder), weights(decoder)])
J_zero, J_other = (dynamics.jacobian(gan_losses(G, D, x, z, kind), [weights(D), weights(G)]) for kind in (True, False))
n = sum(p.size for p in weights(D))
claim(np.abs(J_vae - J_vae.T).max(), 0, atol=1e-12, says=f"VAE, {len(J_vae)} weights: largest number of J - J'")
claim(np.abs(J_split - J_vae).max(), 0, atol=1e-12, says="encoder and decoder as two players: the same J")
own = [np.abs(block - block.T).max() for J in (J_zero, J_other) for block in (J[:n, :n], J[n:, n:])]
claim(own, [0] * 4, atol=1e-12, says="GAN, both losses: largest number of J - J' in the blocks (D, D) and (G, G)")
claim(np.abs(J_zero[:n, n:] + J_zero[n:, :n].T).max(), 0, atol=1e-12, says="saturating: (G, D) is minus (D, G) turned over")
claim(np.abs(J_other[:n, n:] + J_other[n:, :n].T).max() > 0.01, True, says="non-saturating: it is not")

# %% id="look-draw"
with figure("jacobians", width=9.5, height=3.6) as fig:
    for axes, (name, J, cut) in zip(
        fig.subplots(1, 3),
        (
            ("VAE", J_vae, sum(p.size for p in weights(encoder))),
            ("GAN, saturating", J_zero, n),
            ("GAN, non-saturating", J_other, n),
        ),
    ):
        axes.imshow(J, cmap="RdBu", vmin=-0.25, vmax=0.25)
        axes.axhline(cut - 0.5, color="black", linewidth=1)
        axes.axvline(cut - 0.5, color="black", linewidth=1)
        first, second = ("encoder", "decoder") if name == "VAE" else ("D", "G")
        axes.set(xticks=[cut / 2, (cut + len(J)) / 2], xticklabels=[first, second], title=name)
        axes.set(yticks=[cut / 2, (cut + len(J)) / 2], yticklabels=[first, second])

# %% [markdown] id="look"
# In `jacobians.png`, mirror each picture along its diagonal. The VAE stays as it is. In the saturating GAN the two off-diagonal
# blocks change their colour: blue becomes red. Two *nets* are not the point (a VAE has two as well). Two *losses* are.
#
# The blocks (D, D) and (G, G) are symmetric. So each player *alone*, against an opponent that stands still, goes down a
# function, and conjugate gradients are justified for it.
#
# ## One number, without the matrix
#
# Nobody makes $J$ for a real network. But $u \cdot Jw$ for two random vectors is a matter of two gradients (lesson 7), and
#
# $$\text{asymmetry} = \frac{\sum |u \cdot Jw - w \cdot Ju|}{\sum |u \cdot Jw| + |w \cdot Ju|}$$
#
# over some pairs is 0 for a symmetric $J$ and 1 for a pure rotation. minigan has it as `dynamics.asymmetry`, and as a metric
# of the runs of a GAN or a VAE (`minigan evaluate RUN --metrics asymmetry`).
#
# **Predict:** what is it for the game of $x$ and $y$ above, if $c = 0$? What does it tend to for large $c$?


# %% id="asymmetry-code"
def asymmetry(J, rng, pairs=8):
    """The formula, with the whole matrix."""
    apart = total = 0.0
    for _ in range(pairs):
        u, w = rng.standard_normal(len(J)), rng.standard_normal(len(J))
        apart += abs(u @ J @ w - w @ J @ u)
        total += abs(u @ J @ w) + abs(w @ J @ u)
    return apart / total


new_rng = lambda: np.random.default_rng(5)
claim([asymmetry(game(c), new_rng()) for c in (0, 1e6)], [0, 1], atol=1e-4, says="c = 0, and a very large c")
ours = asymmetry(J_zero, new_rng())
theirs = dynamics.asymmetry(gan_losses(G, D, x, z, True), [weights(D), weights(G)], new_rng())
claim(theirs, ours, atol=1e-9, says="GAN: minigan's number, without the matrix, and ours")
claim(theirs > 0.2, True, says="and it is above 0.2")
vae_asymmetry = dynamics.asymmetry([one_loss()], [weights(encoder, decoder)], new_rng())
claim(vae_asymmetry, 0, atol=1e-12, says="VAE")

# %% [markdown] id="vae"
# ## Conjugate gradients train a VAE
#
# So a VAE may be trained with conjugate gradients. Does it *help*? Points on a half circle, 128 of them, encoder 2-16-2,
# decoder 1-16-2. First with everything fixed: the same points and the same noise in each step, so that there is one function.
#
# **Predict:** after 100 gradients, which of the three is lowest: Adam (rate 0.01), conjugate gradients, or steepest descent
# with the same search? And if points and noise are new in each step, as in a real training: who is lowest after 1,000?


# %% id="vae-code"
METHODS = {
    "Adam": lambda weights: Adam(weights, lr=1e-2),
    "conjugate gradients": lambda weights: ConjugateGradient(weights, line_search="strong-wolfe"),
    "steepest descent": lambda weights: ConjugateGradient(weights, line_search="strong-wolfe", restart=1),
}


def arc(rng, n=128):
    """n points on a half circle, and noise for them."""
    angle = rng.uniform(0, np.pi, n)
    points = 1.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.05 * rng.standard_normal((n, 2))
    return mg.tensor(points), mg.tensor(rng.standard_normal((n, 1)))


def take_step(method, loss, weights):
    """One step of either kind; how many gradients it used."""

    def closure():
        value = loss()
        return float(value), mg.grad(value, weights)

    if method.needs_closure:
        before = method.evaluations
        method.step(closure=closure)
        return method.evaluations - before
    method.step(closure()[1])
    return 1


# %% id="vae-train"
def train_vae(make, gradients, fresh):
    """For each step (gradients used so far, loss on the judge's points)."""
    mg.seed(0)
    rng, encoder, decoder = np.random.default_rng(1), net(2, 16, 2), net(1, 16, 2)
    own, fixed, used, story = weights(encoder, decoder), arc(rng), 0, []
    method = make(own)
    judge = arc(np.random.default_rng(2), 1000) if fresh else fixed
    while used < gradients:
        x, e = arc(rng) if fresh else fixed
        used += take_step(method, lambda x=x, e=e: vae_loss(encoder, decoder, x, e, 0.01), own)
        with mg.no_grad():
            story.append((used, float(vae_loss(encoder, decoder, *judge, 0.01))))
    return np.array(story)


most = 120 if lesson.fast else 1000
fixed, fresh = ({name: train_vae(make, most, kind) for name, make in METHODS.items()} for kind in (False, True))
at = lambda story, used: story[story[:, 0] <= used][-1, 1]
early = {name: at(story, 100) for name, story in fixed.items()}
claim(
    early["conjugate gradients"] < early["Adam"] < early["steepest descent"],
    True,
    says="fixed, 100 gradients: CG, Adam, steepest",
)
late = {name: at(story, 1e9) for name, story in fresh.items()}
claim(late["Adam"] < late["conjugate gradients"], True, full=True, says="fresh points and noise: Adam is below CG in the end")

# %% id="vae-draw"
COLOURS = {"Adam": "#009E73", "conjugate gradients": "#0072B2", "steepest descent": "#D55E00"}
with figure("vae", width=9, height=3.6) as fig:
    for axes, (title, stories) in zip(
        fig.subplots(1, 2, sharey=True), (("one fixed function", fixed), ("new in each step", fresh))
    ):
        for name, story in stories.items():
            axes.semilogx(*story.T, color=COLOURS[name], label=name)
        axes.set(xlabel="gradients used", title=title, ylim=(2.5, 20), xlim=(5, most))
        axes.grid(color="0.9")
    axes.legend(frameon=False)
    fig.axes[0].set(ylabel="loss, nats per point")

# %% [markdown] id="vae-look"
# With one fixed function, conjugate gradients are what they promise: ahead of Adam from early on, without a learning rate, and
# far ahead of steepest descent. (It is a comparison of *training* losses.) With fresh points in each step they lose. The field
# still *is* a gradient, but of another function in each step: the search runs to the end of a line that is right for this batch
# only, and the last direction is conjugate with respect to a function that is gone. So symmetry is necessary, and not enough.
#
# ## And a GAN
#
# The game of lesson 13: real numbers from $N(0, 1)$, $G(z) = m + sz$, started at $m = 2$, $s = 0.5$, D a network 1-16-1, the
# non-saturating loss. We make it as easy as possible: 64 fixed quantiles stand for the real numbers and for $z$, so that
# nothing is random. Each turn is one step of D, then one of G.
#
# **Predict:** who arrives at $m = 0$, $s = 1$: Adam (rate 0.01)? Conjugate gradients with line search for both? Steepest
# descent with line search for both? Conjugate gradients for D only, and Adam for G?

# %% id="game-code"
quantiles = mg.tensor([[NormalDist().inv_cdf((k + 0.5) / 64)] for k in range(64)], dtype="float64")
OUT = 100  # beyond this |m|, or with log s beyond 20, the game is over


def play_on_line(make_D, make_G, turns):
    """(m, s) after each turn, until the game is over."""
    mg.seed(0)
    D, own = net(1, 16, 1), [variable([2.0]), variable([math.log(0.5)])]
    G, method_D, method_G, story = lambda: own[0] + mg.exp(own[1]) * quantiles, make_D(weights(D)), make_G(own), []
    loss_D = lambda: mg.mean(mg.softplus(-D(quantiles))) + mg.mean(mg.softplus(D(G().detach())))
    loss_G = lambda: mg.mean(mg.softplus(-D(G())))
    for _ in range(turns):
        take_step(method_D, loss_D, weights(D))
        take_step(method_G, loss_G, own)
        if not (abs(float(own[0])) < OUT and abs(float(own[1])) < 20):
            break
        story.append((float(own[0]), math.exp(float(own[1]))))
    return np.array(story)


# %% id="game-run"
adam, cg, steep = METHODS.values()
slow_adam = lambda weights: Adam(weights, lr=1e-2, betas=(0.5, 0.999))
turns = 60 if lesson.fast else 1000
with np.errstate(over="ignore"):  # a search may try lengths for which s overflows; it then takes a shorter one
    adam_game = play_on_line(slow_adam, slow_adam, turns)
    cg_game, steep_game = (play_on_line(make, make, 200) for make in (cg, steep))
    cg_for_D = play_on_line(cg, slow_adam, turns // 2)
claim(adam_game[-1], [0, 1], atol=0.02, full=True, says="Adam for both: m and s at the end")
claim(cg_game[0][0] < -3, True, says=f"conjugate gradients: the very first turn throws m from 2 to {cg_game[0][0]:.1f}")
claim([len(cg_game) < 100, len(steep_game) < 100], [True, True], says="with line searches for both, the game is over early")
print(f"  over after {len(cg_game)} turns (conjugate gradients) and {len(steep_game)} (steepest descent)")
claim(cg_for_D[-1], [0, 1], atol=0.15, full=True, says="conjugate gradients for D, Adam for G: m and s at the end")
claim(np.abs(cg_for_D).max() < 3, True, says="conjugate gradients for D only: m and s never leave the neighbourhood")

# %% id="game-draw"
with figure("game", width=9, height=3.6) as fig:
    left, right = fig.subplots(1, 2)
    left.plot(*adam_game.T, color="#009E73", label="Adam for both")
    left.plot(*cg_for_D.T, color="#0072B2", label="CG for D, Adam for G")
    left.plot(0, 1, "*", color="black", markersize=12)
    left.set(xlabel="$m$", ylabel="$s$", title="two that stay", xlim=(-0.5, 2.2))
    for name, story in (("conjugate gradients", cg_game), ("steepest descent", steep_game)):
        right.plot(np.arange(1, len(story) + 1), story[:, 0], "o-", color=COLOURS[name], label=name)
    right.axhline(0, color="black", linewidth=0.8)
    right.set(xlabel="turn", ylabel="$m$", title="line search for both", yscale="symlog")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=9)

# %% [markdown] id="game-why"
# Steepest descent runs away as well, so conjugacy is not the only culprit: it is the *line search*. G asks D: which way do I
# become more real? D says: to the left. G then goes to the left *as far as its loss falls*. But D has seen no numbers there;
# its opinion ends where its data end (lesson 13). Adam's small step asks D again after 0.01. A minimiser takes a function at
# its word; a player must not.
#
# D alone may use conjugate gradients, because in its turn G stands still: the block (D, D) is symmetric. With a slow G the path
# even becomes straighter (`game.png`, left): D is near its best in each turn. But it costs several gradients per turn.
#
# Whether this holds for larger nets is a matter of measurement: `docs/results.md`, section `conjugate-gradients`, has a VAE on
# digits and a GAN on the ring with five seeds. Adam is ahead in both, and the GAN with a fixed step along conjugate directions
# mostly diverges. So the comparison that the article promises has this answer: **conjugate directions belong to minimisation.
# A VAE minimises, a GAN plays.**
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `conjugate-code`: `np.linspace(1, 100, 20)` in the place of `np.repeat(...)`: twenty different eigenvalues.
# 2. In `gan_losses`: `return [...]` with `- mg.mean(mg.softplus(b))` in D's loss (a wrong sign): both want $b$ large.
# 3. In `game-run`: `play_on_line(slow_adam, cg, 200)` in the place of `play_on_line(cg, slow_adam, turns // 2)`.

# %% [markdown] id="exercise-1"
# ## Exercise 22.1
#
# You have a direction $d$, and any other direction $e$. Take away from $e$ a multiple of $d$, so that the rest is conjugate to
# $d$. Write it here, or in a file of your own (`minigan exercise start 22.1`).


# %% id="exercise-1-code"
def conjugate_part(A, d, e):
    """e minus a multiple of d, so that d A (the result) = 0.   A (n, n) symmetric, all eigenvalues > 0; d, e (n,)."""
    return None


lesson.exercise("22.1", conjugate_part)

# %% [markdown] id="exercise-2"
# ## Exercise 22.2
#
# Each matrix is the sum of a symmetric part $S$ and an antisymmetric part $R$, where $R' = -R$. Return the share of $R$:
# $\|R\|^2 / \|J\|^2$, where $\|\cdot\|^2$ is the sum of the squares of all numbers.


# %% id="exercise-2-code"
def rotation(J):
    """The share of the antisymmetric part of J (n, n): 0 for a Hessian, 1 for a pure rotation."""
    return None


lesson.exercise("22.2", rotation)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 22.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. After three steps most of the gradient is still there. With 20 different eigenvalues it may take 20 steps.
# 2. The off-diagonal blocks become each other's mirror, and the asymmetry is 0. D and G now share the term that both of them
#    see, so both go down one function. It would be safe to minimise it, and it is no GAN: D helps G to look bad.
# 3. G's searches throw it far away, beyond $m = -10$ at once, and the game is over early. One player that searches is enough.
#
# </details>
#
# Predictions: $(9/11)^2$, and two; three, and steepest descent is not there; about 100, and steepest descent needs far more
# than 2,000; 3.4 times as long, and the plain steps arrive; the blocks of each player alone, and the same $J$; 0, and 1;
# conjugate gradients, and Adam; Adam does; with a search for both, nobody; with a
# search for D only, yes.
#
# ## What you have now
#
# * Conjugate directions: a later step does not spoil an earlier one.
# * The property behind them, a symmetric Jacobian, and a number that measures it in any training.
# * A reason to distrust line searches in a game, which is not about conjugate directions at all.
#
# Lesson 23 asks the same kind of question about coordinate descent.

# %% id="end"
lesson.end()
