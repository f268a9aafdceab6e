"""Is a game's gradient field a gradient?  optim/dynamics.py asked of a Game: u'Jw - w'Ju by double backprop.

asymmetry   of the field of all players of a game, on one batch: 0 for a VAE, whose one loss has a Hessian; not for a GAN
measured    the same as a metric of a game: minigan evaluate RUN --metrics asymmetry

Where it is not 0, no function falls along the players' steps: conjugate directions, line searches and the rest of the theory
of minimisation have nothing to stand on (seed text 004 asks for the "conjugate gradient direction" of both).
"""

from minigan.data import Loader
from minigan.optim import dynamics

BATCH = 64  # samples that `measured` looks at


def asymmetry(game, batch, streams, rng, directions: int = 8) -> float:
    """sum |u'Jw - w'Ju| / sum (|u'Jw| + |w'Ju|) over random directions, J the Jacobian of all players' gradients together.

    batch: data.Batch; streams: the run's random generators, for one turn's draws; rng: numpy's Generator, for u and w.
    Every loss is computed with every net recorded, also those its player does not train: that is where the game differs
    from a minimisation.   The nets' dtype decides the rounding: about 1e-6 is 0 in float32.
    """
    class Joint(game.step):
        def trains(self, name):
            return True

    draws, losses = {}, []
    buffers = [(b, b.data.copy()) for net in game.nets.values() for _, b in net.named_buffers()]
    for player in game.players:
        step = Joint(game, player, batch, streams, 0.0, draws)
        losses.append(sum(game.parts(step).values()))
    found = dynamics.asymmetry(losses, [player.parameters for player in game.players], rng, directions)
    for buffer, before in buffers:  # running statistics have moved, though nobody trained
        buffer.data[...] = before
        buffer.touch()
    return found


def measured(game, dataset, generator) -> dict[str, float]:
    """{"asymmetry": its value on a batch of the data set}; a metric of a Game."""
    batch = next(Loader(dataset, BATCH, generator))
    return {"asymmetry": asymmetry(game, batch, lambda name: generator, generator)}
