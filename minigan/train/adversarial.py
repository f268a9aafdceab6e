"""The adversarial game: it builds a GAN from any G and D, as the settings describe it.

AdversarialStep       the quantities of one turn of a GAN: z, fake, real_logits, fake_logits
adversarial_terms     the terms of D and G for an objective
SETTINGS              the settings of every adversarial system, with defaults: minigan train gan --set objective=hinge
gan                   the Game of a G and a D with these settings: an objective, a penalty, stabilisers, two optimizers
norm_layer, prepare   the changes to the nets that the settings ask for
Elsewhere: the pieces themselves (objectives.py, penalties.py, stabilisers.py, augmentation.py, nn/adversarial.py), the nets
(systems/).
"""

import copy
import warnings
from functools import cached_property

from minigan.errors import ConfigError, choose
from minigan.nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    GroupNorm,
    InstanceNorm2d,
    Linear,
    MinibatchDiscrimination,
    Sequential,
    VirtualBatch,
    VirtualBatchNorm,
)
from minigan.nn.utils import spectral_norm
from minigan.ops import sigmoid
from minigan.tensor import Tensor
from minigan.train import stabilisers
from minigan.train.augmentation import AUGMENTS, augmented
from minigan.train.game import Game, Normal, Player, Step, Term
from minigan.train.objectives import OBJECTIVES, Objective
from minigan.train.optimizers import OPTIMIZERS, adaptive, optimizer
from minigan.train.penalties import PENALTIES
from minigan.train.settings import Setting

REFERENCE = 64  # samples of the reference batch of virtual batch norm
NORMS = {  # the layers (one or none) after a layer with `channels` outputs;   pixels: has each channel pixels, (N, C, H, W)?
    "none": lambda channels, pixels: [],
    "batch": lambda channels, pixels: [BatchNorm2d(channels) if pixels else BatchNorm1d(channels)],
    "layer": lambda channels, pixels: [GroupNorm(1, channels)],  # one group: all channels and pixels of a sample
    "instance": lambda channels, pixels: [InstanceNorm2d(channels, affine=True)] if pixels else [],
    "virtual": lambda channels, pixels: [VirtualBatchNorm(channels, REFERENCE)],
}


def _penalised(name):
    return name != "none"


SETTINGS = (
    Setting("objective", "non-saturating", "the losses of the players; see `minigan list objectives`", choices=OBJECTIVES),
    Setting("d_steps", 1, "turns of D for each turn of G"),
    Setting("optimizer_d", "adam", "the optimizer of D", choices=OPTIMIZERS),
    Setting("optimizer_g", "adam", "the optimizer of G", choices=OPTIMIZERS),
    Setting("lr_d", 2e-4, "learning rate of D"),
    Setting("lr_g", 2e-4, "learning rate of G"),
    Setting("beta1", 0.5, "Adam's decay of the mean gradient", below=1, depends=("optimizer", adaptive)),
    Setting("beta2", 0.999, "Adam's decay of the mean squared gradient", below=1, depends=("optimizer", adaptive)),
    Setting("penalty", "none", "penalty on D's slope; see `minigan list objectives`", choices=("none", *PENALTIES)),
    Setting(
        "penalty_weight",
        0.0,
        "weight of the penalty in D's loss; 0: the weight in the penalty's paper",
        depends=("penalty", _penalised),
    ),
    Setting("clip", 0.0, "D's weights are clipped to [-clip, clip]; 0: no clipping"),
    Setting("spectral_norm", False, "divide D's weights by their largest singular value"),
    Setting("norm_g", "none", "normalisation in G", choices=NORMS),
    Setting("norm_d", "none", "normalisation in D; virtual is for G only", choices=NORMS),
    Setting("smoothing", 0.0, "the label of a real sample is 1 - smoothing", below=1),
    Setting("instance_noise", 0.0, "standard deviation of the noise on everything that D sees; it fades to 0 over the run"),
    Setting(
        "augment",
        "none",
        "changes of all pictures that D sees; samples that are no pictures stay as they are",
        choices=AUGMENTS,
    ),
    Setting("minibatch", False, "minibatch discrimination: D also sees how alike the samples of a batch are"),
    Setting(
        "feature_matching",
        0.0,
        "weight in G's loss of the squared distance between D's mean features of real and of generated samples",
    ),
    Setting("adversarial_g", 1.0, "weight of the objective in G's loss; 0: feature matching alone"),
    Setting("history", 0.0, "weight of the squared distance of all weights to their own mean over the run"),
    Setting("ema", 0.0, "decay of a moving average of G's weights, which draws the samples; 0: G itself draws them", below=1),
)


class AdversarialStep(Step):
    """The quantities of one turn of a GAN.   x (N, ...): real samples;  z (N, dim);  fake = G(z);  real_seen, fake_seen: x and
    fake as D sees them;  real_logits = D(real_seen), fake_logits = D(fake_seen).

    A subclass may override three methods: `generate` and `score` call G and D (a conditional game passes them the labels
    too), and `view` changes samples before D sees them.
    """

    def generate(self, z) -> Tensor:
        """G(z)."""
        return self.game.nets["G"](z)

    def score(self, samples, D=None) -> Tensor:
        """D(samples), logits.   D: another net in the place of the game's D, such as its first layers."""
        return (self.game.nets["D"] if D is None else D)(samples)

    def view(self, samples, name) -> Tensor:
        """The samples as D sees them: here, unchanged.   name: "x" or "fake", so that each can have its own random draw."""
        return samples

    @cached_property
    def z(self):
        """Draws from the latent distribution, one for each sample of x."""
        return self.draw("latent", lambda generator: self.game.latent(len(self.batch.x), generator))

    @cached_property
    def fake(self):
        """G(z).  In D's turn it is a constant, because that turn does not train G."""
        with self.recording("G"):
            return self.generate(self.z)

    @cached_property
    def real_seen(self):
        """x as D sees it."""
        return self.view(self.x, "x")

    @cached_property
    def fake_seen(self):
        """fake as D sees it."""
        return self.view(self.fake, "fake")

    @cached_property
    def real_logits(self):
        """D(x)."""
        return self.score(self.real_seen)

    @cached_property
    def fake_logits(self):
        """D(fake)."""
        return self.score(self.fake_seen)


def adversarial_terms(objective: str | Objective, g_weight: float = 1.0) -> list[Term]:
    """The terms of D and G for an objective: an Objective, or its name in OBJECTIVES.   g_weight: the weight of G's term; 0
    leaves it out.

    The game's step must be an AdversarialStep.   ConfigError for an unknown name."""
    paid = choose("objective", objective, OBJECTIVES) if isinstance(objective, str) else objective

    def d_loss(step):
        return paid.d(step.real_logits, step.fake_logits)

    def g_loss(step):  # most objectives need no logits of real samples here, and computing them takes time
        return paid.g(step.real_logits if paid.paired else None, step.fake_logits)

    def opinion(step):
        return paid.opinion(step.real_logits.data, step.fake_logits.data)

    terms = [
        Term("adversarial", "D", d_loss, says=paid.says_d, watch=opinion),
        Term("adversarial", "G", g_loss, g_weight, says=paid.says_g),
    ]
    return terms if g_weight else terms[:1]


def norm_layer(name: str, channels: int, pixels: bool) -> list:
    """The layers (one or none) that normalise (N, channels), or (N, channels, H, W) if pixels.   name: one of NORMS."""
    return choose("norm", name, NORMS)(channels, pixels)


def prepare(G, D, settings, latent) -> dict:
    """The nets by name, changed as the settings ask.   D is a Sequential that ends in a Linear; it gets minibatch
    discrimination before that layer, and spectral norm.   G gets its reference batch, if it has a virtual batch norm."""
    if settings.minibatch:
        last = D[-1]
        few = settings.batch_size > 128  # the time grows with batch_size^2: 54 ms for 256 samples with 32 kernels
        extra = MinibatchDiscrimination(last.in_features, *((8, 4) if few else (32, 8)))
        D = Sequential(*D[:-1], extra, Linear(last.in_features + extra.kernels, last.out_features))
    if settings.spectral_norm:
        for module in list(D.modules()):
            if isinstance(module, (Linear, Conv2d)):
                spectral_norm(module)
    if any(isinstance(module, VirtualBatchNorm) for module in D.modules()):
        raise ConfigError(
            "norm_d=virtual: D would need a reference batch of real samples, which this system does not keep; "
            "use norm_d=layer, which also treats each sample on its own"
        )
    if any(isinstance(module, VirtualBatchNorm) for module in G.modules()):
        from minigan.streams import streams

        G = VirtualBatch(G, latent(REFERENCE, streams("init")))
    return {"G": G, "D": D}


def gan(nets, settings, latent=None, step=AdversarialStep, **options) -> Game:
    """The game of nets["G"] and nets["D"].   latent: the distribution of z, by default Normal(settings.latent);
    step: the class of its turns, an AdversarialStep; options: passed to Game, such as classes.   ConfigError for settings
    that contradict each other; a UserWarning for settings that rarely work."""
    G, D, objective = nets["G"], nets["D"], OBJECTIVES[settings.objective]
    if not (settings.adversarial_g or settings.feature_matching or settings.history):
        raise ConfigError("adversarial_g=0: G has nothing to minimise; set feature_matching=1 too")
    terms = adversarial_terms(objective, settings.adversarial_g)
    _check(D, objective, settings)
    if settings.penalty != "none":
        penalty = PENALTIES[settings.penalty]
        terms.append(Term("penalty", "D", penalty.loss, settings.penalty_weight or penalty.weight))
    if settings.smoothing:
        terms.append(stabilisers.smoothing(settings.smoothing))
    if settings.feature_matching:
        terms.append(stabilisers.feature_matching(D, settings.feature_matching))
    if settings.instance_noise:
        step = stabilisers.instance_noise(step, settings.instance_noise)
    if settings.augment != "none":
        step = augmented(step, AUGMENTS[settings.augment])
    after: dict[str, list] = {"D": [stabilisers.WeightClip([D], settings.clip)] if settings.clip else [], "G": []}
    nets = {"G": G, "D": D}
    latent = latent or Normal(settings.latent)
    if settings.history:
        for name, net in (("D", D), ("G", G)):
            average = stabilisers.HistoricalAverage([net])
            after[name].append(average)
            terms.append(average.term(name, settings.history))
    if settings.ema:
        nets["G_average"] = copy.deepcopy(G)
        after["G"].append(stabilisers.MovingAverage(G, nets["G_average"], settings.ema))
    betas = (settings.beta1, settings.beta2)
    players = [
        Player("D", [D], optimizer(settings.optimizer_d, [D], settings.lr_d, betas), settings.d_steps, after["D"]),
        Player("G", [G], optimizer(settings.optimizer_g, [G], settings.lr_g, betas), 1, after["G"]),
    ]
    options.setdefault("sample", nets.get("G_average", G))
    if "classes" not in options and not any(isinstance(module, MinibatchDiscrimination) for module in D.modules()):
        options.setdefault("judge", ("D(x)", lambda x: sigmoid(D(x))) if objective.probability else ("score(x)", D))
    return Game(nets, players, terms, latent, step=step, unit=objective.unit, undecided=objective.undecided, **options)


def _check(D, objective, settings):
    mixing = [type(m).__name__ for m in D.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d, MinibatchDiscrimination))]
    if settings.penalty != "none" and mixing:
        raise ConfigError(
            f"penalty={settings.penalty}: D contains {mixing[0]}, so its slope at one sample depends on the "
            "other samples and the penalty means nothing (Gulrajani et al. 2017, section 4); set "
            "norm_d=layer, and minibatch=false"
        )
    if settings.smoothing and not objective.target:
        labelled = ", ".join(name for name, o in OBJECTIVES.items() if o.target)
        raise ConfigError(
            f"smoothing={settings.smoothing}: the objective {settings.objective} has no label to smooth; use one "
            f"of {labelled}, or smoothing=0"
        )
    if objective is OBJECTIVES["wasserstein"] and not (settings.clip or settings.penalty != "none" or settings.spectral_norm):
        warnings.warn(
            "objective=wasserstein: nothing bounds D's slope, so its loss falls without end; set clip=0.01, "
            "penalty=wgan-gp or spectral_norm=true",
            stacklevel=3,
        )
    if settings.clip and settings.spectral_norm:
        warnings.warn(
            f"clip={settings.clip}: changes nothing beside spectral_norm=true, which divides each weight by its "
            "largest singular value; set only one of the two",
            stacklevel=3,
        )
    if objective is not OBJECTIVES["wasserstein"] and settings.clip:
        warnings.warn(
            f"clip={settings.clip}: clipping is made for objective=wasserstein; with {settings.objective} D's logits "
            "stay near 0, so the game learns slowly; set clip=0",
            stacklevel=3,
        )
