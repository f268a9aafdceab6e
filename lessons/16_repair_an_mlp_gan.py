# %% [markdown] id="promise"
# # 16. Repairing a tutorial's MLP GAN: what a broken D teaches G
#
# A second tutorial, on "coordinate descent in GANs", uses two multilayer perceptrons (MLPs: dense layers with activations
# between them) for the digits. It has fewer faults than that of lesson 15, and worse ones: its D looks at single pixels, is
# never trained, and is shown noise in the place of pictures. Again each fault gets a check that is red before the repair and
# green after it. Then we do what no reader of the tutorial could do: we train the *broken* versions too, and look at what G
# learns from each. G learns exactly what D can see.
#
# It takes about 20 seconds (`--fast`: about 3). You need lessons 12 and 15. Answer the question first, then run the cell.
#
# Sources: Goodfellow et al. 2014, equation 1 and algorithm 1. Wright 2015, "Coordinate descent algorithms", algorithm 1. The
# sizes of the nets and the learning rate 2e-4 for D are the tutorial's; the others are ours.

# %% id="setup"
from types import SimpleNamespace

import numpy as np

import minigan as mg
from minigan import nn
from minigan.data import Loader, load
from minigan.lesson import Lesson
from minigan.metrics.digitnet import digit_report, features

lesson = Lesson("16_repair_an_mlp_gan")
claim, figure = lesson.claim, lesson.figure
LR = {"D": 2e-4, "G": 1e-3}
LATENT, BATCH, SHORT, STEPS = 100, 64, *((5, 10) if lesson.fast else (300, 1500))

# %% [markdown] id="program"
# ## The program
#
# Its pictures are (N, 28, 28, 1), with values from 0 to 1, and G ends in a sigmoid: this fits together, and is right. `green`
# and `repair` are those of lesson 15.

# %% id="program-code"
digits = load("digits")
pictures_of = lambda batch: (batch.x.transpose(0, 2, 3, 1) + 1) / 2  # (N, 28, 28, 1), from 0 to 1
real = mg.tensor(pictures_of(digits[:400]))
rng = np.random.default_rng(0)
noise = lambda n=BATCH: mg.tensor(rng.standard_normal((n, LATENT), dtype=np.float32))
program, RED_GREEN = SimpleNamespace(), [False, True]


def green(check):
    """What the check says of the program; an error is a no."""
    try:
        return bool(check(program))
    except Exception:
        return False


def repair(check, **parts):
    """Put new parts into the program.   Returns what the check says before and after."""
    before = green(check)
    vars(program).update(parts)
    return [before, green(check)]


# %% [markdown] id="name"
# ## Fault 1: a name for two things
#
# The tutorial defines a function `generator`, and later writes `generator = generator(z)`. From there on the name means one
# batch of pictures. The function, with its weights, is out of reach.
#
# **The check:** G can draw twice, from two noises.
# **Predict:** which error does the second call give: about the shape, the name, or the call?


# %% id="name-code"
def mlp_G():
    """noise (N, 100) -> pictures (N, 28, 28, 1)."""
    layers = [nn.Linear(LATENT, 128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.LeakyReLU(0.2), nn.Linear(256, 784)]
    return nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(1, (28, 28, 1)))


mg.seed(0)
G = mlp_G()
draws_twice = lambda program: program.G(noise(2)).tolist() != program.G(noise(2)).tolist()
program.G = G(noise(2))  # the fault: from now on, the name holds pictures
try:
    program.G(noise(2))
except TypeError as error:
    answer = str(error)
claim("not callable" in answer, True, says=f"the second call: {answer}")
claim(repair(draws_twice, G=G), RED_GREEN, says="1. G can draw twice")

# %% [markdown] id="flatten"
# ## Fault 2: D looks at single pixels
#
# The tutorial's D is a stack of dense layers, called with pictures (N, 28, 28, 1). Nobody flattens them. A dense layer works
# on the *last* axis, which has length 1: a single pixel. So D gives a score for each pixel, from its grey value alone, and
# the loss takes the mean over all of them.
#
# What can such a D know of a picture? Only which grey values it has. Not where.
#
# **The check:** D gives one logit for each picture, and it notices if the pixels change places.
# **Predict:** the mean score of a digit, before and after its 784 pixels are shuffled?


# %% id="flatten-code"
def pixel_D():
    """The fault: pictures (N, 28, 28, 1) -> scores (N, 28, 28, 1), each from one pixel.   (Theirs has 256 and 128 units.)"""
    return nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))


def mlp_D():
    """pictures (N, 28, 28, 1) -> logits (N, 1)."""
    layers = [nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)]
    return nn.Sequential(nn.Flatten(), *layers)


order = np.random.default_rng(3).permutation(784)
shuffled = real.reshape(-1, 784)[:, order].reshape(real.shape)


def sees_shapes(program):
    logits = program.D(real)
    return logits.shape == (len(real), 1) and not np.allclose(logits, program.D(shuffled), atol=1e-3)


D_of_pixels = program.D = pixel_D()
claim(D_of_pixels(real[:5]).shape, (5, 28, 28, 1), says="its scores: one for each pixel")
means = [mg.mean(D_of_pixels(x), axis=(1, 2, 3)) for x in (real, shuffled)]
claim(means[0], means[1], atol=1e-5, says="mean scores of 400 digits, and of the same digits shuffled")
claim(repair(sees_shapes, D=mlp_D()), RED_GREEN, says="2. D notices if the pixels change places")

# %% [markdown] id="fed"
# ## Fault 3: D is shown noise
#
# In its loop the tutorial calls `discriminator(z, True)`: the *noise* goes into D, not the picture that G makes of it. (The
# second argument means "use the same weights again", not "this is real".) Why did nothing complain? With fault 2, D takes any
# array. Faults hide each other: now that D is repaired, this one stops the program.
#
# **The check:** what D is shown has the shape of a real picture, and depends on G.
# **Predict:** D wants 784 numbers. What does it say about a noise of 100?


# %% id="fed-code"
def shows_pictures(program):
    z = noise(2)
    seen = program.shown(z)
    return seen.shape == real[:2].shape and np.array_equal(seen, program.G(z))


program.shown = lambda z: z
pixels_take_noise = D_of_pixels(noise(2).reshape(2, LATENT, 1))
claim(pixels_take_noise.shape, (2, 100, 1), says="the pixel D accepts a noise, and scores each of its 100 numbers")
claim(green(lambda program: program.D(noise(2))), False, says="does the repaired D accept it?")
claim(repair(shows_pictures, shown=lambda z: program.G(z)), RED_GREEN, says="3. D is shown G's pictures")

# %% [markdown] id="log"
# ## Fault 4: the logarithm of 0
#
# D ends in a sigmoid, and the loss takes its logarithm. In float32, $\sigma(20)$ is 1, and $\log(1 - 1) = -\infty$ (lesson
# 14).
#
# **The check:** the loss of D is finite for logits of 200.
# **Predict:** from which logit on is $1 - \sigma(b)$ exactly 0 in float32: 17, 40 or 90?


# %% id="log-code"
def of_probabilities(a, b):
    with np.errstate(divide="ignore"):
        return -mg.mean(mg.log(mg.sigmoid(a))) - mg.mean(mg.log(1 - mg.sigmoid(b)))


of_logits = lambda a, b: mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b))
large = 200 * mg.ones(2)
finite = lambda program: np.isfinite(float(program.d_loss(-large, large)))
program.d_loss = of_probabilities
steps = mg.tensor(np.arange(1, 100, dtype=np.float32))
claim(1 + int(np.argmax(mg.sigmoid(steps).numpy() == 1)), 17, says="the first logit with 1 - sigma(b) = 0")
claim(repair(finite, d_loss=of_logits), RED_GREEN, says="4. a finite loss for logits of 200")

# %% [markdown] id="still"
# ## Fault 5: D never learns
#
# The loop computes gradients for `generator.trainable_variables` only. D keeps its random weights from the first step to the
# last.
#
# **The check:** after a round both nets have moved. D's step has lowered D's loss, and G's step has raised D's logits of G's
# pictures.
# **Predict:** against a D that stands still, does G's loss fall nicely?


# %% id="still-code"
def turns(program, nets="DG"):
    """The turns of a round, as functions: D's is turn["D"](x, z), G's is turn["G"](x, z); each returns its loss."""
    adams = {n: mg.optim.Adam(getattr(program, n).parameters(), lr=LR[n], betas=(0.5, 0.999)) for n in nets}

    def of_D(x, z):
        loss = program.d_loss(program.D(x), program.D(program.shown(z).detach()))
        adams["D"].step(mg.grad(loss, program.D.parameters()))
        return float(loss)

    def of_G(x, z):
        loss = mg.mean(mg.softplus(-program.D(program.shown(z))))
        adams["G"].step(mg.grad(loss, program.G.parameters()))
        return float(loss)

    return {name: turn for name, turn in (("D", of_D), ("G", of_G)) if name in nets}


def both_learn(program):
    x, z, paid = real[:BATCH], noise(), {}
    for name, turn in program.turns(program).items():
        paid[name] = turn(x, z), turn(x, z)  # the second one shows what the first has changed
    return set(paid) == {"D", "G"} and all(after < before for before, after in paid.values())


# %% id="still-check"
program.turns = lambda program: turns(program, nets="G")
claim(repair(both_learn, turns=turns), RED_GREEN, says="5. both nets learn, each in its own direction")

# %% [markdown] id="coordinate"
# ## Fault 6: a name that promises something else
#
# The tutorial calls its method "coordinate descent". Its loop updates *all* weights of G at once: that is gradient descent.
# In coordinate descent (lesson 12) a step changes one coordinate, or one block of them, and the others stay.
#
# This fault is no error of the program; it is an error of the text. It is worth a check, because names are claims too.
#
# **The check:** a step changes one of G's three layers, and the next step another one.
# **Predict:** by which factor does a step with one of three layers become cheaper: 3, or less?


# %% id="coordinate-code"
def changed(take_step):
    """Which of G's three layers does the step change?"""
    layers = [layer for layer in program.G.modules() if isinstance(layer, nn.Linear)]
    before = [layer.weight.tolist() for layer in layers]
    take_step()
    return [number for number, layer in enumerate(layers) if layer.weight.tolist() != before[number]]


def all_layers(step):
    program.turns(program)["G"](real[:BATCH], noise())


def one_layer(step):
    layer = [layer for layer in program.G.modules() if isinstance(layer, nn.Linear)][step % 3]
    loss = mg.mean(mg.softplus(-program.D(program.shown(noise()))))
    mg.optim.SGD(layer.parameters(), lr=1e-2).step(mg.grad(loss, layer.parameters()))


blocks_in_turn = lambda program: [changed(lambda step=step: program.g_step(step)) for step in range(3)] == [[0], [1], [2]]
program.g_step = all_layers
claim(changed(lambda: all_layers(0)), [0, 1, 2], says="layers that a step of the tutorial's method changes")
claim(repair(blocks_in_turn, g_step=one_layer), RED_GREEN, says="6. one layer after the other")


# %% id="coordinate-cost"
def rules_called(parameters):
    """How many gradient rules are called for G's loss and these parameters?"""
    loss, called = mg.mean(mg.softplus(-program.D(program.shown(noise())))), []
    with mg.watch(lambda op, phase, *rest: called.append(op) if phase == "backward" else None):
        mg.grad(loss, parameters)
    return len(called)


layers = [layer for layer in program.G.modules() if isinstance(layer, nn.Linear)]
counts = [rules_called(list(part.parameters())) for part in (program.G, *layers)]
claim(min(counts[1:]) > counts[0] / 2, True, says=f"gradient rules for all layers, and for each alone: {counts}")

# %% [markdown] id="coordinate-why"
# Far less than 3: to reach any layer of G, backward has to go through all of D, and for the first layer through the two
# others as well. Does it *help* a GAN to update layer by layer? Lesson 23 measures it. For the rest of this lesson, G's step
# changes all layers, and we call it what it is.
#
# ## What G learns from a broken D
#
# Now the experiment. Three programs, with the same start and the same pictures:
#
# * *repaired*: all of the above.
# * *pixels*: D looks at single pixels (fault 2).
# * *frozen*: D never learns (fault 5).
#
# **Predict:** what will G's pictures look like for the last two? And in which of the three is G's loss the lowest?


# %% id="train-code"
fixed = noise(400)


def train(steps, D, nets="DG"):
    """Train a new G against D.   Returns (G's pictures of the fixed noises, the last losses)."""
    global rng
    mg.seed(0)
    rng, loader = np.random.default_rng(1), Loader(digits, BATCH, 0)
    vars(program).update(G=mlp_G(), D=D)
    turn = turns(program, nets)
    for _ in range(steps):
        x, z = mg.tensor(pictures_of(next(loader))), noise()
        paid = {name: take(x, z) for name, take in turn.items()}
    with mg.no_grad():
        return program.G(fixed).numpy(), paid


def distance(pictures):
    """Between the mean features of these pictures and of real ones, as a digit classifier sees them (lesson 15)."""
    at_minus_1 = lambda x: np.asarray(x).transpose(0, 3, 1, 2) * 2 - 1
    return float(np.linalg.norm(features(at_minus_1(pictures)).mean(axis=0) - features(at_minus_1(real)).mean(axis=0)))


# %% id="train-run"
mg.seed(1)
repaired, paid_repaired = train(STEPS, mlp_D())
pixels, paid_pixels = train(SHORT, pixel_D())
frozen, paid_frozen = train(SHORT, mlp_D(), nets="G")
gaps = [distance(pictures) for pictures in (repaired, pixels, frozen)]
claim(gaps[0] < 2, True, full=True, says=f"distance to real digits, repaired: {gaps[0]:.1f}")
claim(min(gaps[1:]) > 3.5, True, full=True, says=f"pixels and frozen: {gaps[1]:.1f} and {gaps[2]:.1f}")
ranking = paid_frozen["G"] < paid_pixels["G"] < paid_repaired["G"]
claim(ranking, True, full=True, says="but G's loss is lowest for frozen, then pixels, then repaired")
print(f"  G's losses: {paid_frozen['G']:.2f}, {paid_pixels['G']:.2f}, {paid_repaired['G']:.2f}")

# %% id="train-draw"
with figure("learned", width=8, height=4.2) as fig:
    rows = {"real": real.numpy(), "repaired": repaired, "D sees single pixels": pixels, "D is frozen": frozen}
    for axes, (name, pictures) in zip(fig.subplots(4, 1), rows.items()):
        axes.imshow(mg.viz.image_grid(pictures[:32].transpose(0, 3, 1, 2) * 2 - 1, columns=16), cmap="gray", vmin=0, vmax=255)
        axes.set_title(name, fontsize=9, loc="left")
        axes.axis("off")

# %% [markdown] id="seen"
# ## G learns what D can see
#
# Look at `learned.png`. Against a D of single pixels, each picture has one grey, mostly black. Nobody told G that the pixels
# of a picture should differ from each other: over *all* pictures the greys are nearly those of the digits, and this is all
# that D sees. D's loss is $2 \ln 2$: it is content. Against a frozen D, G has found one pattern that this D happens to like,
# and draws nothing else.
#
# **Predict:** which share of the pixels is dark (below 1/4) in real digits, and in the pictures of "pixels"? And how much do
# the pictures of "frozen" differ from each other?

# %% id="seen-code"
dark = lambda pictures: (np.asarray(pictures) < 0.25).mean()
within = lambda pictures: np.asarray(pictures).reshape(400, -1).std(axis=1).mean()  # spread inside a picture
between = lambda pictures: np.asarray(pictures).reshape(400, -1).std(axis=0).mean()  # spread from picture to picture
claim(dark(real), 0.83, atol=0.01, says="dark pixels in real digits")
claim(dark(pixels), dark(real), atol=0.1, full=True, says="dark pixels of a G that played against single pixels")
claim(within(real), 0.3, atol=0.02, says="spread inside a real picture")
claim(within(pixels) < 0.05, True, full=True, says=f"inside one of its pictures: {within(pixels):.3f}")
claim(sum(paid_pixels.values()), 3 * np.log(2), atol=0.05, full=True, says="D pays 2 ln 2 and G ln 2: nobody complains")
claim(between(frozen) < 0.05, True, full=True, says=f"spread between pictures, frozen: {between(frozen):.3f}")
claim(between(real) > 0.15, True, says=f"between real digits: {between(real):.2f}")
found = digit_report(repaired.transpose(0, 3, 1, 2) * 2 - 1).found
claim(found >= 6, True, full=True, says=f"the repaired program draws {found} of the ten digits")

# %% [markdown] id="why"
# The ranking by loss is exactly the wrong one: G pays least where it learns least. A loss of G says how easily D is fooled,
# and nothing about pictures. So two rules follow. Check what D can see before you train. And never compare two programs by
# their losses: compare them by a judge that took no part in the game.
#
# (The DCGAN of lesson 15 reached a distance of about 0.7 in 600 steps, with 32 pictures in each. For an MLP, a picture is 784
# numbers in no order; a convolution knows which of them are neighbours.)
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `train-run`: `train(SHORT, nn.Sequential(nn.Flatten(), nn.Linear(784, 1)))` for `pixels`. This D sees all pixels, but
#    it is linear. What does G learn?
# 2. In `train-run`: `train(5 * SHORT, mlp_D(), nets="G")`. Do the pictures of "frozen" become better?
# 3. In `setup`: `"D": 2e-3`, ten times the rate. What will "pixels" look like?

# %% [markdown] id="exercise-1"
# ## Exercise 16.1
#
# How often is D right? Its logits on real pictures are `a`, on generated ones `b`. D is right about a real picture if its
# logit is above 0, and about a generated one if it is below 0. Return the share of right answers among all.


# %% id="exercise-1-code"
def accuracy(a, b):
    """The share of right answers of D, for its logits a on real and b on generated pictures (NumPy arrays)."""
    return None


lesson.exercise("16.1", accuracy)

# %% [markdown] id="exercise-2"
# ## Exercise 16.2
#
# For the check of fault 2 you need pictures whose pixels have changed places: in the *same* way in every picture.


# %% id="exercise-2-code"
def shuffle_pixels(x, rng):
    """Pictures x (N, 28, 28, 1) with their pixels in a random order, the same for all; x itself stays as it is."""
    return None


lesson.exercise("16.2", shuffle_pixels)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 16.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. One blot, the same in every picture, where digits have most of their ink. A linear D knows only the mean of each pixel,
#    and G does not even match that.
# 2. No. G's loss was at its lowest, 0.24, after 300 steps, and stays there: the sigmoid at its end is saturated.
# 3. White specks on black, at the same places in every picture: the right share of dark pixels again, in another way, and no
#    shapes. What D cannot see is left to chance.
#
# </details>
#
# Predictions: about the call; the same; that the shapes do not fit; 17; yes; far less than 3; see `learned.png`, the lowest
# loss is that of the frozen D; 0.83 and about the same, and they hardly differ.
#
# ## What you have now
#
# * Six more checks. The most useful one: shuffle the pixels, and see if D notices.
# * G learns what D can see, no more; and its loss does not tell.
#
# Lesson 17 counts what G leaves out although D could see it.

# %% id="end"
lesson.end()
