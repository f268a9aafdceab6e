"""Is a game's gradient field a gradient?  optim/dynamics.py asked of a Game: u'Jw - w'Ju by double backprop.

asymmetry   of the field of all players of a game, on one batch: 0 for a VAE, whose one loss has a Hessian; not for a GAN
ASYMMETRY   the same as a metric of a system: minigan evaluate RUN --metrics asymmetry

Where it is not 0, no function falls along the players' steps: conjugate directions, line searches and the rest of the theory
of minimisation have nothing to stand on (seed text 004 asks for the "conjugate gradient direction" of both).
"""

from minigan.data import Loader
from minigan.errors import ConfigError
from minigan.metrics.metric import Metric, Needs, Number
from minigan.optim import dynamics
from minigan.train.game import Player

BATCH = 64  # samples that the metric looks at


def asymmetry(game, batch, streams, rng, directions: int = 8) -> float:
    """sum |u'Jw - w'Ju| / sum (|u'Jw| + |w'Ju|) over random directions, J the Jacobian of all players' gradients together.

    batch: data.Batch; streams: the run's random generators, for one turn's draws; rng: numpy's Generator, for u and w.
    Every loss is computed with every net recorded, also those its player does not train: that is where the game differs
    from a minimisation.   The nets' dtype decides the rounding: about 1e-6 is 0 in float32.
    """
    class Joint(game.step):
        def trains(self, name):
            return True

    players = [player for player in game.players if isinstance(player, Player)]  # the others have no gradient
    if not players:
        raise ConfigError("asymmetry: no player of this game uses gradients, so they have no field; measure something else")
    draws, losses = {}, []
    buffers = [(b, b.data.copy()) for net in game.nets.values() for _, b in net.named_buffers()]
    for player in players:
        step = Joint(game, player, batch, streams, 0.0, draws)
        losses.append(sum(game.parts(step).values()))
    found = dynamics.asymmetry(losses, [player.parameters for player in players], rng, directions)
    for buffer, before in buffers:  # running statistics have moved, though nobody trained
        buffer.data[...] = before
    return found


def _measured(game, dataset, generator):
    size = min(BATCH, len(dataset)) if hasattr(dataset, "__len__") else BATCH  # points come without end
    batch = next(Loader(dataset, size, generator))
    return {"asymmetry": asymmetry(game, batch, lambda name: generator, generator)}


ASYMMETRY = Metric(
    "asymmetry",
    [Number("asymmetry", "", "|u'Jw - w'Ju| over |u'Jw| + |w'Ju|, J the Jacobian of all players' gradients: 0 for one loss, 1 "
                             "for a pure rotation")],
    _measured, Needs("differentiable turns", "it is worked out for the game of a G and a D and for the VAE only"))
