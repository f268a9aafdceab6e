"""Is a game's gradient field the gradient of one function?  If so, its Jacobian is symmetric; for a game it usually is not.

field        v = each player's gradient of its own loss by its own parameters, one player after the other
asymmetry    one number: 0 if the Jacobian J of v is symmetric, 1 if it is antisymmetric (a pure rotation)
jacobian     J itself, for a small game: its eigenvalues say whether the players move in circles

Conjugate gradients, line searches and the other methods of minimisation assume that J is a Hessian.  For example, directions
d and e are conjugate if d' J e = 0 and e' J d = 0; these are one condition only if J is symmetric.
Mescheder et al. 2017, section 3.
"""

import numpy as np

from minigan.autograd import grad
from minigan.backend import to_device, xp
from minigan.errors import ConfigError


def field(losses, parameters) -> list:
    """v = (d loss_1 / d parameters_1, d loss_2 / d parameters_2, ...): a Tensor per parameter, differentiable once more.

    losses: a scalar Tensor per player, computed from the present parameters, in one graph.   parameters: a list per player.
    An entry is None if the player's loss does not use the parameter.
    """
    losses, parameters = list(losses), [list(own) for own in parameters]
    if len(losses) != len(parameters):
        raise ConfigError(f"dynamics: {len(losses)} losses but parameters of {len(parameters)} players; give one list for each")
    return [g for loss, own in zip(losses, parameters) for g in grad(loss, own, create_graph=True, allow_unused=True)]


def _transposed(v, parameters, u):
    """J' u, as a list like u: the vector-Jacobian product of the field v, which is one more gradient."""
    used = [(g, piece) for g, piece in zip(v, u) if g is not None and g.node is not None]  # a constant gradient has J = 0
    found = [None] * len(u)
    if used:
        found = grad([g for g, _ in used], parameters, [piece for _, piece in used], retain_graph=True, allow_unused=True)
    return [xp(p.data).zeros_like(p.data) if f is None else f.data for p, f in zip(parameters, found)]


def _dot(a, b):
    return sum(float((x * y).sum(dtype=np.float64)) for x, y in zip(a, b))


def asymmetry(losses, parameters, rng, directions=8) -> float:
    """sum |u' J w - w' J u| / sum (|u' J w| + |w' J u|)   over pairs of random directions u, w: from 0 to 1.

    It is 0 (up to rounding, so use float64) if J, the Jacobian of the field, is symmetric: then the field is the gradient of
    one function.   It is 1 if J is antisymmetric, as in min max x' A y.   J = 0 gives 0.
    rng: numpy's Generator.   directions: the number of pairs; u and w are standard normal, over all parameters of all players.
    The derivatives are exact: u' J is a gradient of the field, and so a second derivative of the losses.
    """
    v, everybody = field(losses, parameters), [p for own in parameters for p in own]
    draw = lambda: [to_device(np.asarray(rng.standard_normal(p.shape), p.dtype), p.device) for p in everybody]
    difference = total = 0.0
    for _ in range(directions):
        u, w = draw(), draw()
        one, other = _dot(_transposed(v, everybody, u), w), _dot(_transposed(v, everybody, w), u)
        difference += abs(one - other)
        total += abs(one) + abs(other)
    return difference / total if total else 0.0


def jacobian(losses, parameters) -> np.ndarray:
    """J (n, n): row i has the derivatives of the field's component i by all n parameters.

    It takes n backward passes, so use it for games of a few parameters.   The players step along -v.  So small steps converge
    to a fixed point if all eigenvalues of J there have a positive real part, and circle around it if they are imaginary.
    """
    v, everybody = field(losses, parameters), [p for own in parameters for p in own]
    rows = []
    for k, p in enumerate(everybody):
        for i in range(p.size):
            unit = [xp(q.data).zeros(q.shape, q.dtype) for q in everybody]
            unit[k].reshape(-1)[i] = 1
            row = _transposed(v, everybody, unit)
            rows.append(np.concatenate([to_device(x, "cpu").reshape(-1) for x in row]))
    return np.array(rows)
