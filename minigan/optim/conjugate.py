"""Nonlinear conjugate gradients: the new direction is the negative gradient plus beta times the last direction.

BETAS               four formulas for beta                           ConjugateGradient   the optimizer
wolfe_search        finds a step length along a line from values and slopes
"""

import math
from typing import Any

import numpy as np

from minigan.backend import xp
from minigan.errors import CheckpointError, ConfigError, ShapeError, suggestion
from minigan.kernels import dispatch
from minigan.optim.optimizer import Optimizer
from minigan.tensor import Tensor


def _ratio(a, b):
    """a / b; 0 if that is not a finite number, which makes the direction -g."""
    value = float(a) / float(b) if b else 0.0
    return value if math.isfinite(value) else 0.0


# beta from the gradient g, the last gradient h and the last direction d.  On a quadratic with exact steps all four are equal.
# Nocedal and Wright 2006, equations 5.41a, 5.44 with 5.45, 5.46, 5.49.
BETAS = {
    "fletcher-reeves": lambda g, h, d: _ratio(g.dot(g), h.dot(h)),
    "polak-ribiere": lambda g, h, d: max(0.0, _ratio(g.dot(g - h), h.dot(h))),  # "PR+": never negative
    "hestenes-stiefel": lambda g, h, d: _ratio(g.dot(g - h), d.dot(g - h)),
    "dai-yuan": lambda g, h, d: _ratio(g.dot(g), d.dot(g - h)),
}


class ConjugateGradient(Optimizer):
    """w <- w + a d   with   d = -g + beta d_last   and   a = lr, or a from a line search.

    rule: the formula for beta, a name in BETAS ("polak-ribiere" is PR+).   All parameters form one vector with one direction d,
    so there is one group, of one dtype on one device.  d restarts as -g if it leads uphill, and every `restart` steps.
    line_search: None means a fixed step lr.  "strong-wolfe" uses wolfe_search with c1 and c2: the first search starts with the
    length lr, later ones with the last length found.  With a smaller c2 the search is more exact.
    evaluations: how many gradients were used so far, including those of the searches.

    Nocedal and Wright 2006, algorithm 5.4.  The theory is for one fixed function: if each step has a new batch, or a new D,
    the old direction belongs to another function.  With a fixed step beta can become large, because the denominators of the
    last two rules rely on a line search; "polak-ribiere" is the least sensitive to that.
    """

    def __init__(self, params, lr=1e-3, rule="polak-ribiere", line_search=None, restart=None, c1=1e-4, c2=0.1):
        if rule not in BETAS:
            raise ConfigError(f"ConjugateGradient: unknown rule {rule!r}{suggestion(str(rule), BETAS)}")
        if line_search not in (None, "strong-wolfe"):
            raise ConfigError(f"ConjugateGradient: line_search must be None or 'strong-wolfe', got {line_search!r}")
        if not 0 < c1 < c2 < 1:
            raise ConfigError(f"ConjugateGradient: needs 0 < c1 < c2 < 1 (Wolfe's conditions), got c1={c1}, c2={c2}")
        if restart is not None and not (isinstance(restart, int) and restart > 0):
            raise ConfigError(f"ConjugateGradient: restart must be None or a whole number above 0, got {restart!r}")
        super().__init__(params, lr=lr, rule=rule, line_search=line_search, restart=restart, c1=c1, c2=c2)
        if len(self._flats) > 1 or len(self._flats[0]) > 1:
            raise ConfigError(
                "ConjugateGradient: all parameters share one direction, so they must be in one group, of one "
                "dtype and on one device"
            )
        self.evaluations = 0
        self._since = 0  # steps since d was -g; 0: the next direction is -g
        self._length = 0.0  # the last step length

    @property
    def needs_closure(self) -> bool:  # type: ignore[override]  # it is a constant of other optimizers
        """True if step needs the loss as a function."""
        return self.param_groups[0]["line_search"] is not None

    def step(self, grads=None, closure: Any = None, loss: Any = None) -> None:
        """One update.  grads: one per parameter, by default each p.grad; a parameter whose gradient is None stays.

        closure() -> (loss, gradients) for the same batch and noise at the parameters' present values.  A line search moves the
        parameters and calls it several times.  If it returns NaN or infinity, the search takes a shorter step.
        loss: the loss that belongs to grads; it saves the search one evaluation.   ConfigError if a closure is missing.
        """
        options, flat = self.param_groups[0], self._flats[0][0]
        if self.needs_closure and closure is None:
            raise ConfigError(
                "ConjugateGradient: line_search='strong-wolfe' evaluates the loss at other parameters; pass "
                "step(grads, closure), where closure() returns (loss, gradients), or use line_search=None"
            )
        flat.adopt()
        if self.needs_closure and (grads is None or loss is None):
            loss, grads = closure()
        grads = [p.grad for p in flat.parameters] if grads is None else list(grads)
        self.evaluations += 1
        g = self._vector(flat, grads)
        d, slope = self._direction(flat, g, grads, options)
        length = options["lr"]
        if self.needs_closure:
            length = self._search(flat, d, float(loss), slope, closure, options)
        else:
            flat.vector += length * d
        for i, p in enumerate(flat.parameters):
            flat.steps[i] += grads[i] is not None
            p.touch()
        flat.named("gradient")[...], flat.named("direction")[...] = g, d
        self._length = length
        self._since = self._since + 1 if length else 0

    def _vector(self, flat, grads):
        """The gradients as one vector, with zeros for each that is None."""
        m = xp(flat.vector)
        if len(grads) != len(flat.parameters):
            raise ShapeError(f"ConjugateGradient.step: {len(flat.parameters)} parameters but {len(grads)} gradients")
        pieces = []
        for p, g in zip(flat.parameters, grads):
            g = g.data if isinstance(g, Tensor) else m.zeros(p.shape, p.dtype) if g is None else g
            if g.shape != p.shape:
                raise ShapeError(f"ConjugateGradient.step: a gradient is {g.shape}, its parameter {p.shape}")
            pieces.append(g.reshape(-1))
        return dispatch.concatenate(pieces)

    def _direction(self, flat, g, grads, options):
        """The direction d and the slope g d along it, which is negative, or 0 if g is 0."""
        d = -g
        if self._since and self._since != options["restart"]:
            last = flat.named("direction")
            d += BETAS[options["rule"]](g, flat.named("gradient"), last) * last
            for piece, gradient in zip(flat.slices, grads):
                if gradient is None:
                    d[piece] = 0
            slope = float(g.dot(d))
            if slope < 0:
                return d, slope
        self._since = 0
        return -g, -float(g.dot(g))

    def _search(self, flat, d, loss, slope, closure, options):
        """Move the parameters along d.   Returns the step length; 0 if the search finds no lower loss."""
        start = flat.vector.copy()

        def move(length):
            flat.vector[...] = start + length * d
            for p in flat.parameters:
                p.touch()

        def along(length):
            move(length)
            self.evaluations += 1
            value, grads = closure()
            return float(value), float(self._vector(flat, grads).dot(d))

        if slope == 0:
            return 0.0
        rounding = 10 * float(np.finfo(flat.vector.dtype).eps)
        length = wolfe_search(along, loss, slope, self._length or options["lr"], options["c1"], options["c2"], rounding)
        move(length)
        return length

    def state_dict(self) -> dict:
        """The options, last gradient and direction, step length, steps since the last restart and count of evaluations."""
        return {
            **super().state_dict(),
            "search": {"length": self._length, "since": self._since, "evaluations": self.evaluations},
        }

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state.  CheckpointError if it was made for other parameters or by another optimizer."""
        if not {"length", "since", "evaluations"} <= set(state.get("search", ())):
            raise CheckpointError("ConjugateGradient: the saved state is of another rule")
        super().load_state_dict(state)
        saved = state["search"]
        self._length, self._since, self.evaluations = saved["length"], saved["since"], saved["evaluations"]


def wolfe_search(phi, value, slope, length, c1=1e-4, c2=0.1, rounding=1e-15, most=25) -> float:
    """A step length a > 0 that fulfils the strong Wolfe conditions on the function phi of one number:

    phi(a) <= phi(0) + c1 a phi'(0)        low enough
    |phi'(a)| <= c2 |phi'(0)|              flat enough

    phi(a) -> (value, slope);   value, slope: those at 0, slope < 0;   length: the first to try;   most: the largest number of
    calls of phi.   rounding: differences of values below rounding * |value| count as 0.   If `most` calls find no such a, the
    result is the best length found that is low enough, or 0.

    Nocedal and Wright 2006, algorithms 3.5 and 3.6 in one loop: `low` is the lowest point so far; `high` bounds the interval
    on the side to which phi falls from there (None: not found yet).  The next length is where a straight line through the two
    slopes is 0.  For a quadratic that is exact.  We use slopes, because near a minimum values differ only by rounding.  If a
    length does not halve the interval, the next one is its middle, so that the interval shrinks for every phi.
    """
    slack = rounding * abs(value)
    last = low = (0.0, value, slope)
    high, width = None, math.inf
    for _ in range(most):
        here = (length, *phi(length))
        if not (here[1] <= value + c1 * length * slope + slack and here[1] <= low[1] + slack):  # "not" also catches NaN
            high = here
        elif abs(here[2]) <= -c2 * slope:
            return length
        else:
            rising = here[2] * (1.0 if high is None else high[0] - low[0]) >= 0
            last, low, high = low, here, low if rising else high
        if high is None:
            further = _zero_of_slope(last, low)
            length = min(further, 10 * low[0]) if further > low[0] else 10 * low[0]
        else:
            (left, right), zero = sorted((low[0], high[0])), _zero_of_slope(low, high)
            length = zero if left < zero < right and right - left <= width / 2 else (left + right) / 2
            width = right - left
    return low[0]


def _zero_of_slope(p, q):
    """Where the straight line through the slopes of two points (length, value, slope) is 0; NaN if it is 0 nowhere."""
    rise = q[2] - p[2]
    return p[0] - p[2] * (q[0] - p[0]) / rise if rise and math.isfinite(rise) else math.nan
