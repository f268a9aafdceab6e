"""Optimizers by the names that settings use: minigan train gan --set optimizer=rmsprop --set optimizer_g=coordinate-cyclic

adam, rmsprop, sgd               update all parameters in each step
coordinate-<rule>                updates one layer in each step, by Adam; rule: cyclic, random, steepest (optim/coordinate.py)
<rule>, <rule>-search            conjugate gradients with the fixed step lr, or with a line search; rule: fletcher-reeves,
                                 polak-ribiere, hestenes-stiefel, dai-yuan (optim/conjugate.py)
"""

from collections.abc import Callable
from functools import partial

from minigan.errors import choose
from minigan.nn import Parameter
from minigan.optim import SGD, Adam, ConjugateGradient, CoordinateDescent, RMSprop
from minigan.optim.conjugate import BETAS
from minigan.optim.coordinate import RULES


def layers(nets) -> list[list]:
    """The parameters of the nets, one list per layer: a weight and its bias belong together."""
    own = ([p for p in vars(module).values() if isinstance(p, Parameter)] for net in nets for module in net.modules())
    return [parameters for parameters in own if parameters]


OPTIMIZERS: dict[str, Callable] = {
    "adam": lambda nets, lr, betas: partial(Adam, lr=lr, betas=betas),
    "rmsprop": lambda nets, lr, betas: partial(RMSprop, lr=lr),
    "sgd": lambda nets, lr, betas: partial(SGD, lr=lr),
    **{
        f"coordinate-{rule}": lambda nets, lr, betas, rule=rule: partial(
            CoordinateDescent, lr=lr, rule=rule, base=Adam, betas=betas, blocks=layers(nets)
        )
        for rule in RULES
    },
    **{
        rule + search: lambda nets, lr, betas, rule=rule, search=search: partial(
            ConjugateGradient, lr=lr, rule=rule, line_search="strong-wolfe" if search else None
        )
        for rule in BETAS
        for search in ("", "-search")
    },
}


def adaptive(name: str) -> bool:
    """Does the optimizer of that name read Adam's betas?"""
    return name == "adam" or name.startswith("coordinate")


def optimizer(name: str, nets, lr: float, betas=(0.9, 0.999)) -> Callable:
    """A function from a Player's parameters to the optimizer of that name.   nets: those that the player trains; betas: Adam's.

    ConfigError for an unknown name."""
    return choose("optimizer", name, OPTIMIZERS)(nets, lr, betas)
