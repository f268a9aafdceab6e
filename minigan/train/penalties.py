"""Penalties pull the slope |dD/dx| of D to 1 or to 0 at chosen points.  Each is a scalar loss of an AdversarialStep.

gradient  WGAN-GP: slope 1 between real and generated samples      r1, r2  slope 0 at real samples, at generated samples
dragan    slope 1 around the real samples                          PENALTIES  these by name, with their papers' weights

The slope is the norm of each sample's own gradient, over all axes but the first; it is never one norm for the whole batch.
The gradient of a penalty is a second derivative of D, which `grad(create_graph=True)` makes possible.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minigan.autograd import grad
from minigan.ops import mean, sqrt, square
from minigan.ops import sum as total


def slopes_squared(step, points):
    """|dD/dx|^2 at each of the points (N, ...): (N,).  It is recorded, so that it can be differentiated again."""
    points = points.detach()
    points.requires_grad = True
    (g,) = grad(total(step.score(points)), [points], create_graph=True)
    return total(square(g), axis=tuple(range(1, g.ndim)))


def _off_one(squared):
    """E (|slope| - 1)^2.  Where D is flat, the derivative of the square root is infinite; adding 1e-12 keeps it finite."""
    return mean(square(sqrt(squared + 1e-12) - 1))


def _per_sample(n, x):
    return (n, *[1] * (x.ndim - 1))


def gradient(step):
    """E (|dD/dx^| - 1)^2,   x^ = u x + (1 - u) G(z),  u uniform in [0, 1), one per sample.   Gulrajani et al. 2017, eq. 3."""
    x, fake = step.real_seen.detach(), step.fake_seen.detach()
    u = step.draw("penalty", lambda generator: generator.random(_per_sample(len(x), x), dtype=np.float32))
    return _off_one(slopes_squared(step, u * x + (1 - u) * fake))


def r1(step):
    """E |dD/dx|^2 / 2 at real samples.   Mescheder et al. 2018, equation 9 (with their 1/2; the weight is their gamma)."""
    return 0.5 * mean(slopes_squared(step, step.real_seen))


def r2(step):
    """E |dD/dx|^2 / 2 at generated samples.   Mescheder et al. 2018, equation 10."""
    return 0.5 * mean(slopes_squared(step, step.fake_seen))


def dragan(step):
    """E (|dD/dx| - 1)^2 at x + s u / 2.   s: standard deviation of the whole batch;  u: uniform in [0, 1), one per number of x.

    Kodali et al. 2017, algorithm 1.  The uniform noise of this size is that of published implementations; some of them also
    choose a random point between x and the noisy x."""
    x = step.real_seen.detach()
    u = step.draw("penalty", lambda generator: generator.random(x.shape, dtype=np.float32))
    return _off_one(slopes_squared(step, x + 0.5 * x.std() * u))


class Penalty(NamedTuple):
    """loss: a function of an AdversarialStep.   weight: the weight in its paper."""

    loss: Callable
    weight: float


PENALTIES = {
    "wgan-gp": Penalty(gradient, 10.0),
    "r1": Penalty(r1, 10.0),
    "r2": Penalty(r2, 10.0),
    "dragan": Penalty(dragan, 10.0),
}
