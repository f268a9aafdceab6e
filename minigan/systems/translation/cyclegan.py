"""CycleGAN: it learns to translate between two kinds of pictures, from examples without pairs.

There are two generators, AB and BA, and a discriminator for each domain.  Their losses:

    D    sum over the domains of  (D(x) - 1)^2 / 2 + D(fake)^2 / 2             (least squares; objectives.py has others)
    G    sum of  (D(fake) - 1)^2 / 2,   + cycle (|BA(AB(a)) - a| + |AB(BA(b)) - b|),   + identity (|AB(b) - b| + |BA(a) - a|)

From the paper: these losses, old fakes for D, a D that judges patches, and learning rates that fall (theirs fall in the second
half of training, ours from the start).  Their G has no 1/2 before its square (their section 4), so a weight in our G's loss
stands for twice as much in theirs: their weight of the cycle, 10, is 5 here, and our cycle=1 is their 2.
Ours: small nets; to train in minutes, higher rates and a smaller weight of the cycle.
The identity loss is off, because copying its input costs a generator neither cycle nor identity loss: with such a loss it would
not learn to translate.
A sample holds a picture of domain A, then an unrelated picture of domain B, along the channel axis.
Your own pictures: a folder with two sub-folders, --data folder --data-dir DIR --set domains=horses,zebras.
By default the domains are filled and outlined digits.
G halves a picture once, or twice from 64x64 on, as theirs does; D halves it once more.
"""

from functools import cached_property, lru_cache, partial

import numpy as np

from minigan import data
from minigan.backend import to_device, xp
from minigan.data.kinds import Pair
from minigan.errors import ConfigError
from minigan.kernels import dispatch
from minigan.metrics import agreement
from minigan.metrics.distances import nearest
from minigan.metrics.metric import Metric, Needs, Number
from minigan.nn import Conv2d, ConvTranspose2d, LeakyReLU, Module, ReLU, Sequential, Tanh
from minigan.ops import abs as absolute
from minigan.ops import concatenate, mean, tile
from minigan.optim import Adam
from minigan.systems.claims import Arm, Check, Claim
from minigan.systems.parts import convolutions
from minigan.systems.registry import Paper, system
from minigan.tensor import Tensor
from minigan.train.adversarial import NORMS, norm_layer
from minigan.train.game import Game, Player, Step, Term
from minigan.train.objectives import OBJECTIVES
from minigan.train.settings import Setting


class Residual(Module):
    """y = x + layers(x)."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = Sequential(*layers)

    def forward(self, x):
        """x + layers(x)."""
        return x + self.layers(x)


def generator(channels, blocks, norm, count=1, inputs=1, outputs=1):
    """A net: pictures (N, inputs, H, W) in [-1, 1] -> pictures of the other kind (N, outputs, H, W).

    It halves a picture `count` times, and doubles it again."""

    def conv(layer, *sizes, **options):
        return [layer(*sizes, padding=1, **options), *norm_layer(norm, sizes[1], True)]

    maps = [channels * 2**i for i in range(count)]
    wide = maps[-1]
    residuals = [Residual(*conv(Conv2d, wide, wide, 3), ReLU(), *conv(Conv2d, wide, wide, 3)) for _ in range(blocks)]
    layers = []
    for before, after in zip([inputs, *maps], maps):
        layers += [*conv(Conv2d, before, after, 4, stride=2), ReLU()]
    layers += residuals
    for before, after in zip(maps[::-1], maps[-2::-1]):
        layers += [*conv(ConvTranspose2d, before, after, 4, stride=2), ReLU()]
    return Sequential(*layers, ConvTranspose2d(channels, outputs, 4, stride=2, padding=1), Tanh())


def discriminator(channels, norm, count=2, inputs=1):
    """A net: pictures (N, inputs, H, W) -> logits (N, 1, H / 2^count, W / 2^count), each for a patch: of 18x18 pixels for
    count=2, of 38x38 for count=3."""
    maps = [channels * 2**i for i in range(count)]
    layers = [Conv2d(inputs, channels, 4, stride=2, padding=1), LeakyReLU(0.2)]
    for before, after in zip(maps, maps[1:]):
        layers += [Conv2d(before, after, 4, stride=2, padding=1), *norm_layer(norm, after, True), LeakyReLU(0.2)]
    return Sequential(*layers, Conv2d(maps[-1], 1, 3, padding=1))


class Buffer:
    """Keeps `size` fakes of earlier turns.  For each new fake, D sees the new fake or, with probability 1/2, an old one; in the
    second case the new fake takes the old one's place.

    So D does not forget what G did before (Shrivastava et al. 2017, section 2.3).  `mix` does not change the buffer, so that
    the same turn can be computed again; the call after the player's update changes it.
    """

    def __init__(self, size: int):
        self.size, self.pictures, self._next = size, [], []

    def mix(self, step, name, fake) -> Tensor:
        """The pictures that D sees instead of fake (N, C, H, W).   name: the name of the step's random draw."""
        slots = step.draw(f"buffer {name}", lambda generator: generator.integers(2 * self.size, size=len(fake))).data
        new, m = fake.data, xp(fake.data)
        room = max(0, self.size - len(self.pictures))  # until the buffer is full, D sees the new fakes, and all are kept
        former = [to_device(self.pictures, fake.device)] if len(self.pictures) else []
        pictures, shown = m.concatenate([*former, new[:room]]), [new[:room]]
        for i in range(room, len(new)):  # one by one, because a fake may swap with one that this loop has just stored
            one, slot = new[i : i + 1], slots[i : i + 1]
            place, swap = slot % self.size, (slot < self.size)[:, None, None, None]
            old = pictures[place]
            pictures[place] = m.where(swap, one, old)
            shown.append(m.where(swap, old, one))
        self._next = pictures
        return Tensor(dispatch.concatenate(shown))

    def __call__(self):
        self.pictures = self._next

    def state_dict(self):
        """The pictures, in a list."""
        return {"pictures": [to_device(picture, "cpu") for picture in self.pictures]}

    def load_state_dict(self, state):
        """Go back to a saved state."""
        self.pictures = np.array(state["pictures"])


class Translation(Step):
    """A turn with pictures of two domains.  Every quantity is a dict with the keys A and B.

    real: the batch;  fake["B"] = AB(real["A"]);  back["A"] = BA(fake["B"]);  same["B"] = AB(real["B"]);  and all of this with
    A and B exchanged.   a: the number of channels of a picture of A.
    """

    a = 1

    @cached_property
    def real(self):
        """The pictures of the batch, by domain."""
        return {"A": self.x[:, : self.a], "B": self.x[:, self.a :]}

    @cached_property
    def fake(self):
        """The translations."""
        return self._to(A=self.real["B"], B=self.real["A"])

    @cached_property
    def back(self):
        """The translations, translated back."""
        return self._to(A=self.fake["B"], B=self.fake["A"])

    @cached_property
    def same(self):
        """The generators' results for pictures that are already in the domain they translate to."""
        return self._to(**self.real)

    def _to(self, A, B):
        with self.recording("AB"):
            return {"A": self.game.nets["BA"](A), "B": self.game.nets["AB"](B)}


def distance(pictures, others):
    """The mean absolute difference per pixel, summed over both domains."""
    return sum(mean(absolute(pictures[k] - others[k])) for k in "AB")


@lru_cache(maxsize=1)
def unseen(name):
    """The test split of a data set."""
    return data.load(name, "test")


class Unseen:
    """The latent distribution: rows of the data set's test split, (n, *shape of a pair) in [-1, 1].  A sample is the
    translation of one.

    unseen: a function that returns the test split.   By default it loads it by its name; a run puts its own in this place.
    The n rows are all different if n <= len(self)."""

    def __init__(self, name: str):
        self.unseen = partial(unseen, name)

    def __call__(self, n, generator) -> np.ndarray:
        """n draws."""
        return self.unseen()[generator.choice(len(self), n, replace=n > len(self))].x

    def __len__(self):
        return len(self.unseen())


@lru_cache(maxsize=1)
def outlines():
    """The blurred outlines of the training split as rows (N, 784), and their labels."""
    known = data.load("filled-outline")
    return blurred(known[:].x[:, 1:]), known.info["outline_labels"]


def blurred(pictures):
    """Pictures (N, 1, 28, 28), blurred with the weights 1/4, 1/2, 1/4 along both axes, as rows (N, 784)."""
    for axis in (2, 3):
        pictures = pictures / 2 + (np.roll(pictures, 1, axis) + np.roll(pictures, -1, axis)) / 4
    return pictures.reshape(len(pictures), -1)


def read_outlines(pictures) -> np.ndarray:
    """The digit of each outline (N, 1, 28, 28): the label of the nearest true outline of the training split, both blurred.

    This is right for 98 % of the true outlines in the fonts of the test split; the project's digit classifier is right for
    63 %."""
    known, labels = outlines()
    return labels[nearest(blurred(pictures), known)[1][:, 0]]


def pairs(game, dataset, generator):
    """Compare translations of the test split with the true ones, which training does not see.   Distances are mean absolute
    differences per pixel, in units of the pixel's range.

    label-kept        share of the generated outlines that are read as the right digit; of true outlines: label-kept-truth
    label-kept-back   share of the generated filled digits that the digit classifier reads as the right digit
    pair-l1           distance from the generated to the true outline; identity-l1: from the untranslated picture to it;
                      blank-l1: from a black picture to it
    cycle-l1          distance from a picture to its translation there and back
    correlation       mean correlation of the pixels of the generated and the true outline; below 0 the colours are inverted
    """
    if "outlines" not in dataset.info:
        raise ConfigError(f"pairs: {dataset.name} ({dataset.split}) has no true translations; use filled-outline's test split")
    scaled = lambda pictures: pictures.astype(np.float32) / 127.5 - 1
    x, truth = dataset[:].x, scaled(dataset.info["outlines"])
    fillings = game.sample(x)[:, :1]
    filled, made, back = np.split(game.sample(x, show=True), 3, axis=3)
    apart = lambda a, b: float(np.abs(a - b).mean() / 2)
    flat = [pictures.reshape(len(pictures), -1) for pictures in (made, truth)]
    centred = [rows - rows.mean(axis=1, keepdims=True) for rows in flat]
    norms = [np.linalg.norm(rows, axis=1) + 1e-12 for rows in centred]
    return {
        "label-kept": float(np.mean(read_outlines(made) == dataset.labels)),
        "label-kept-truth": float(np.mean(read_outlines(truth) == dataset.labels)),
        "label-kept-back": agreement(fillings, dataset.info["outline_labels"]),
        "pair-l1": apart(made, truth),
        "identity-l1": apart(filled, truth),
        "blank-l1": apart(-np.ones_like(truth), truth),
        "cycle-l1": apart(back, filled),
        "correlation": float(np.mean((centred[0] * centred[1]).sum(axis=1) / (norms[0] * norms[1]))),
    }


PAIRS = Metric(
    "pairs",
    [
        Number("label-kept", "higher", "share of the outlines made from filled digits that are read as the right digit"),
        Number("label-kept-truth", "", "label-kept of the true outlines: the best that this judge can give"),
        Number("label-kept-back", "higher", "share of the filled digits made from outlines that are read as the right digit"),
        Number("pair-l1", "lower", "mean distance of a pixel from the hidden true translation; a pixel's range counts as 1"),
        Number("identity-l1", "", "pair-l1 of the untranslated picture"),
        Number("blank-l1", "", "pair-l1 of a black picture"),
        Number("cycle-l1", "lower", "mean distance of a pixel from itself after translation there and back"),
        Number("correlation", "higher", "correlation of pixels with the true translation's; below 0 the colours are inverted"),
    ],
    pairs,
    Needs(
        "true translations",
        "it compares translations with the true ones, which only filled-outline has",
        lambda data: data.name == "filled-outline",
    ),
    summary="translations compared with the true ones, which training does not see",
)


@system(
    "cyclegan",
    data="filled-outline",
    learns=[Pair],
    paper=Paper("Zhu et al. 2017", arxiv="1703.10593", where="equation 3 and section 4"),
    settings=[
        Setting(
            "objective",
            "least-squares",
            "the losses of the players; see `minigan list objectives`",
            choices=OBJECTIVES,
            paper="least-squares",
            where="section 4",
        ),
        Setting(
            "cycle",
            1.0,
            "weight of a picture's distance from its translation there and back",
            paper=5.0,
            where="section 4: 10, beside a square without our 1/2",
        ),
        Setting(
            "identity",
            0.0,
            "weight of a picture's distance from its translation into its own domain",
            paper=0.0,
            where="section 5.2",
        ),
        Setting("buffer", 50, "how many old fakes are kept for D", paper=50, where="section 4"),
        Setting("lr_d", 5e-4, "learning rate of both discriminators", paper=2e-4, where="section 4"),
        Setting("lr_g", 2e-3, "learning rate of both generators", paper=2e-4, where="section 4"),
        Setting("beta1", 0.5, "Adam's decay of the mean gradient", below=1, paper=0.5, where="the authors' code"),
        Setting("norm_g", "instance", "normalisation in the generators", choices=NORMS, paper="instance", where="section 4"),
        Setting(
            "norm_d", "instance", "normalisation in the discriminators", choices=NORMS, paper="instance", where="section 7.2"
        ),
        convolutions.CHANNELS,
        Setting("blocks", 1, "residual blocks of a generator", paper=6, where="section 4"),
        Setting("steps", 2500),
        Setting("batch_size", 4, paper=1, where="section 4"),
        Setting("schedule", "linear"),
    ],
    metrics=[PAIRS],
    tiny={"channels": 4, "batch_size": 2},
    claims=[
        Claim(
            "cyclegan",
            "CycleGAN from filled to outline digits keeps the label in at least 90 % and comes closer to the "
            "hidden true pair than the identity",
            [
                "label-kept",
                "label-kept-back",
                "label-kept-truth",
                "pair-l1",
                "identity-l1",
                "blank-l1",
                "cycle-l1",
                "correlation",
            ],
            {"cyclegan": Arm("cyclegan", "filled-outline")},
            [
                Check("cyclegan", "label-kept", "at least", 0.9),
                Check("cyclegan", "label-kept-back", "at least", 0.9),
                Check("cyclegan", "pair-l1", "below", "identity-l1"),
                Check("cyclegan", "seconds", "at most", 300),
            ],
        )
    ],
)
def build(settings, data):
    """The game of two generators and two discriminators."""
    convolutions.check(data, settings)
    a, b = data.x.a.channels, data.x.b.channels
    if max(a, b) % min(a, b):
        raise ConfigError(f"cyclegan translates grey or coloured pictures; {data.name} holds {data.x}")
    count = min(2, max(1, len(convolutions.levels(1, *data.shape[1:])[0]) - 2))  # 1 below 64x64, then 2
    objective = OBJECTIVES[settings.objective]
    if objective is OBJECTIVES["wasserstein"]:
        raise ConfigError(
            "objective=wasserstein: nothing bounds the slope of cyclegan's discriminators, so their loss would "
            "fall without end; use least-squares, hinge or non-saturating"
        )
    inside = settings.channels, settings.blocks, settings.norm_g, count
    nets = {"AB": generator(*inside, a, b), "BA": generator(*inside, b, a)}
    nets |= {name: discriminator(settings.channels, settings.norm_d, count + 1, n) for name, n in (("DA", a), ("DB", b))}
    buffers = {k: Buffer(settings.buffer) for k in "AB"}

    def score(k, pictures):
        return nets["D" + k](pictures)

    def scores(step):  # by domain: D's outputs for real pictures and for fakes from the buffer, computed once
        if not hasattr(step, "scores"):
            fakes = {k: buffers[k].mix(step, k, step.fake[k]) for k in "AB"}
            step.scores = [(score(k, step.real[k]), score(k, fakes[k])) for k in "AB"]
        return step.scores

    def d_loss(step):
        return sum(objective.d(*pair) for pair in scores(step))

    def opinion(step):
        return objective.opinion(*(concatenate([scored.data for scored in part]) for part in zip(*scores(step))))

    def g_loss(step):
        return sum(objective.g(score(k, step.real[k]) if objective.paired else None, score(k, step.fake[k])) for k in "AB")

    def sample(x):  # in the order of the data's channels: domain A (filled) is BA of outlines, domain B is AB of filled digits
        return concatenate([nets["BA"](x[:, a:]), nets["AB"](x[:, :a])], axis=1)

    def show(x):  # side by side: a filled digit, its translation, and the translation back
        made = nets["AB"](x[:, :a])
        row = [x[:, :a], made, nets["BA"](made)]
        return concatenate([tile(part, (1, max(a, b) // part.shape[1], 1, 1)) for part in row], axis=3)

    terms = [
        Term("adversarial", "D", d_loss, says=f"{objective.says_d}; the sum over both domains", watch=opinion),
        Term("adversarial", "G", g_loss, says=f"{objective.says_g}; the sum over both domains"),
        Term(
            "cycle", "G", lambda step: distance(step.back, step.real), settings.cycle, "E |BA(AB(x)) - x| + E |AB(BA(y)) - y|"
        ),
    ]
    if settings.identity:
        same = "E |BA(x) - x| + E |AB(y) - y|"
        terms.append(Term("identity", "G", lambda step: distance(step.same, step.real), settings.identity, same))
    betas = (settings.beta1, 0.999)
    players = [
        Player("D", [nets["DA"], nets["DB"]], partial(Adam, lr=settings.lr_d, betas=betas), after=buffers.values()),
        Player("G", [nets["AB"], nets["BA"]], partial(Adam, lr=settings.lr_g, betas=betas)),
    ]
    return Game(
        nets,
        players,
        terms,
        Unseen(data.name),
        sample=sample,
        show=show,
        step=type("PairStep", (Translation,), {"a": a}),
        unit=objective.unit,
        undecided=objective.undecided and 2 * objective.undecided,  # D's loss is the sum of two
        heads=("filled", "outline", "back") if data.name == "filled-outline" else ("A", "B", "back"),
    )
