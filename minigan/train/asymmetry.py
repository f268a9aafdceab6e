"""Is a game's gradient field the gradient of one function?  This file applies optim/dynamics.py to a Game.

asymmetry   a number for all players of a game together, on one batch: 0 for a VAE, which has one loss; above 0 for a GAN
ASYMMETRY   the same as a metric of a system: minigan evaluate RUN --metrics asymmetry

If it is not 0, the players' steps minimise no common function.  Then the theory of minimisation does not apply: neither
conjugate directions nor line searches are justified.  (An article on conjugate gradients in GANs uses them for both players.)
"""

from minigan.data import Loader
from minigan.errors import ConfigError
from minigan.metrics.metric import Metric, Needs, Number
from minigan.optim import dynamics
from minigan.train.game import Player

BATCH = 64  # samples that the metric uses


def asymmetry(game, batch, streams, rng, directions: int = 8) -> float:
    """sum |u'Jw - w'Ju| / sum (|u'Jw| + |w'Ju|) over pairs of random directions u, w.   J is the Jacobian of all players'
    gradients together.

    batch: data.Batch; streams: the run's random generators, for one turn's draws; rng: numpy's Generator, for u and w.
    Every loss is computed with all nets recorded, also those that its player does not train: how a player's gradient depends
    on the other nets is what makes J asymmetric.   Rounding depends on the nets' dtype: in float32, about 1e-6 means 0.
    """

    class Joint(game.step):
        def trains(self, name):
            return True

    players = [player for player in game.players if isinstance(player, Player)]  # other players use no gradients
    if not players:
        raise ConfigError(
            "asymmetry: no player of this game uses gradients, so there is no gradient field; choose another metric"
        )
    draws, losses = {}, []
    buffers = [(b, b.data.copy()) for net in game.nets.values() for _, b in net.named_buffers()]
    for player in players:
        step = Joint(game, player, batch, streams, 0.0, draws)
        losses.append(sum(game.parts(step).values()))
    found = dynamics.asymmetry(losses, [player.parameters for player in players], rng, directions)
    for buffer, before in buffers:  # the forward passes have moved running statistics; measuring must not change the game
        buffer.data[...] = before
        buffer.touch()
    return found


def _measured(game, dataset, generator):
    size = min(BATCH, len(dataset)) if hasattr(dataset, "__len__") else BATCH  # points come without end
    batch = next(Loader(dataset, size, generator))
    return {"asymmetry": asymmetry(game, batch, lambda name: generator, generator)}


ASYMMETRY = Metric(
    "asymmetry",
    [
        Number(
            "asymmetry",
            "",
            "|u'Jw - w'Ju| over |u'Jw| + |w'Ju|; J is the Jacobian of all players' gradients: 0 for one loss, "
            "1 for a pure rotation",
        )
    ],
    _measured,
    Needs("differentiable turns", "it is defined for GANs of one G and one D, and for the VAE only"),
)
