"""The GAN that settings describe: an objective, a penalty, stabilisers, two optimizers, around any G and D.

SETTINGS    what every adversarial system can be told by --set, with defaults: minigan train gan --set objective=hinge
gan         the Game of a G and a D with these settings         norm_layer, prepare   what settings say about the nets
Elsewhere: the pieces themselves (objectives.py, penalties.py, stabilisers.py, nn/adversarial.py), the nets (systems/).
"""

import copy
import warnings
from typing import Any

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
from minigan.train import dynamics, stabilisers
from minigan.train.game import Game, Player, Term, adversarial
from minigan.train.objectives import OBJECTIVES
from minigan.train.optimizers import optimizer
from minigan.train.penalties import PENALTIES

SETTINGS = {
    "objective": "non-saturating",  # objectives.py
    "d_steps": 1,                   # turns of D per turn of G
    "optimizer_d": "adam", "optimizer_g": "adam",  # optimizers.py
    "lr_d": 2e-4, "lr_g": 2e-4, "beta1": 0.5, "beta2": 0.999,
    "penalty": "none",              # penalties.py
    "penalty_weight": 0.0,          # 0: as in the penalty's paper
    "clip": 0.0,                    # D's weights are kept in +-clip;  0: they are not
    "spectral_norm": False,         # of D's layers
    "norm_g": "none", "norm_d": "none",
    "smoothing": 0.0,               # a real sample is labelled 1 - smoothing
    "instance_noise": 0.0,          # standard deviation at the start; it fades to 0
    "minibatch": False,             # minibatch discrimination in D
    "feature_matching": 0.0,        # weight of the term in G's loss
    "adversarial_g": 1.0,           # weight of the objective in G's loss;  0: feature matching alone
    "history": 0.0,                 # weight of historical averaging, in both losses
    "ema": 0.0,                     # samples come from G's moving average with this decay;  0: from G itself
}
REFERENCE = 64  # samples of the reference batch of virtual batch norm


def norm_layer(name: str, channels: int, pixels: bool) -> list:
    """The layers, one or none, that normalise (N, channels) or, if pixels, (N, channels, H, W).

    none, batch, instance, virtual; layer: over all channels and pixels of a sample, by GroupNorm with one group.
    """
    kinds = {"none": lambda: [], "layer": lambda: [GroupNorm(1, channels)],
             "batch": lambda: [BatchNorm2d(channels) if pixels else BatchNorm1d(channels)],
             "instance": lambda: [InstanceNorm2d(channels, affine=True)] if pixels else [],
             "virtual": lambda: [VirtualBatchNorm(channels, REFERENCE)]}
    return choose("norm", name, kinds)()


def prepare(G, D, settings, latent) -> tuple[Any, Any]:
    """The nets as the settings want them: (G, D).   D, a Sequential that ends in a Linear, with minibatch discrimination
    before that and spectral norm; G with its reference batch, if it has a virtual batch norm."""
    if settings.minibatch:
        last = D[-1]
        few = settings.batch_size > 128  # time grows with its square: 256 samples, 32 kernels: 54 ms forward and back
        extra = MinibatchDiscrimination(last.in_features, *((8, 4) if few else (32, 8)))
        D = Sequential(*D[:-1], extra, Linear(last.in_features + extra.kernels, last.out_features))
    if settings.spectral_norm:
        for module in list(D.modules()):
            if isinstance(module, (Linear, Conv2d)):
                spectral_norm(module)
    if any(isinstance(module, VirtualBatchNorm) for module in D.modules()):
        raise ConfigError("norm_d=virtual: D would need a reference batch of real samples, which this system does not keep; "
                          "use norm_d=layer, whose samples do not depend on each other either")
    if any(isinstance(module, VirtualBatchNorm) for module in G.modules()):
        from minigan.backend import streams

        G = VirtualBatch(G, latent(REFERENCE, streams("init")))
    return G, D


def gan(G, D, settings, latent, **options) -> Game:
    """The game of G and D.   options: those of Game (step, classes).   ConfigError for settings that contradict each
    other; a UserWarning for those that rarely work."""
    objective = choose("objective", settings.objective, OBJECTIVES)
    if not (settings.adversarial_g or settings.feature_matching or settings.history):
        raise ConfigError("adversarial_g=0: G has nothing to minimise; set feature_matching=1 too")
    terms = adversarial(objective, settings.adversarial_g)
    _check(D, objective, settings)
    if settings.penalty != "none":
        penalty = PENALTIES[settings.penalty]
        terms.append(Term("penalty", "D", penalty.loss, settings.penalty_weight or penalty.weight))
    if settings.smoothing:
        terms.append(stabilisers.smoothing(settings.smoothing))
    if settings.feature_matching:
        terms.append(stabilisers.feature_matching(D, settings.feature_matching))
    if settings.instance_noise:
        options["view"] = stabilisers.instance_noise(settings.instance_noise)
    after: dict[str, list] = {"D": [stabilisers.WeightClip([D], settings.clip)] if settings.clip else [], "G": []}
    nets = {"G": G, "D": D}
    if settings.history:
        for name, net in (("D", D), ("G", G)):
            average = stabilisers.HistoricalAverage([net])
            after[name].append(average)
            terms.append(average.term(name, settings.history))
    if settings.ema:
        nets["G_average"] = copy.deepcopy(G)
        after["G"].append(stabilisers.MovingAverage(G, nets["G_average"], settings.ema))
    betas = (settings.beta1, settings.beta2)
    players = [Player("D", [D], optimizer(settings.optimizer_d, [D], settings.lr_d, betas), settings.d_steps, after["D"]),
               Player("G", [G], optimizer(settings.optimizer_g, [G], settings.lr_g, betas), 1, after["G"])]
    options.setdefault("sample", nets.get("G_average", G))
    options["metrics"] = {"asymmetry": dynamics.measured} | options.get("metrics", {})
    return Game(nets, players, terms, latent, unit=objective.unit, **options)


def _check(D, objective, settings):
    choose("penalty", settings.penalty, {"none": None, **PENALTIES})
    mixing = [type(m).__name__ for m in D.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d, MinibatchDiscrimination))]
    if settings.penalty != "none" and mixing:
        raise ConfigError(f"penalty={settings.penalty}: D contains {mixing[0]}, so its slope at one sample depends on the "
                          "other samples and the penalty means nothing (Gulrajani et al. 2017, section 4); set "
                          "norm_d=layer, and minibatch=false")
    if settings.smoothing and not objective.target:
        labelled = ", ".join(name for name, o in OBJECTIVES.items() if o.target)
        raise ConfigError(f"smoothing={settings.smoothing}: the objective {settings.objective} has no label to smooth; use one "
                          f"of {labelled}, or smoothing=0")
    if not 0 <= settings.smoothing < 1 or not 0 <= settings.ema < 1:
        raise ConfigError(f"smoothing and ema are from 0 to less than 1, got {settings.smoothing} and {settings.ema}")
    if objective is OBJECTIVES["wasserstein"] and not (settings.clip or settings.penalty != "none" or settings.spectral_norm):
        warnings.warn("objective=wasserstein: nothing bounds D's slope, so its loss falls without end; set clip=0.01, "
                      "penalty=wgan-gp or spectral_norm=true", stacklevel=3)
    if settings.clip and settings.spectral_norm:
        warnings.warn(f"clip={settings.clip}: changes nothing beside spectral_norm=true, which divides each weight by its "
                      "largest singular value; set one of them", stacklevel=3)
    if objective is not OBJECTIVES["wasserstein"] and settings.clip:
        warnings.warn(f"clip={settings.clip}: made for objective=wasserstein; D's logits stay near 0 and {settings.objective} "
                      "learns slowly", stacklevel=3)
