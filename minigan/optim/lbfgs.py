"""L-BFGS: a quasi-Newton method, which estimates the curvature from the last few steps.   Nocedal and Wright 2006, chapter
7.
"""

from typing import Any

import numpy as np

from minigan.backend import to_device, xp
from minigan.errors import CheckpointError, ConfigError
from minigan.grad_mode import enable_grad
from minigan.kernels import dispatch
from minigan.optim.conjugate import wolfe_search
from minigan.optim.optimizer import Optimizer


class LBFGS(Optimizer):
    """w <- w + a d   with   d = -H g,   where H estimates the inverse of the second derivatives from the last history_size
    steps.

    With s = w_new - w, y = g_new - g, rho = 1 / (y s), the two loops of algorithm 7.4 compute H g; it starts from (s y / y y)
    g. One call of step makes up to max_iter such iterations, so it needs the loss as a function:

        def closure():
            optimizer.zero_grad()
            loss = ...
            loss.backward()
            return loss
        optimizer.step(closure)

    a = lr (in the first iteration lr min(1, 1 / |g|_1)), or by line_search_fn="strong_wolfe" a length that fulfils the strong
    Wolfe conditions (wolfe_search).  It stops when max |g| <= tolerance_grad, or when the step or the loss changes by less than
    tolerance_change, or after max_eval closures (1.25 max_iter by default).  For one fixed function: with new batches the old
    curvature belongs to another function.   torch.optim.LBFGS; one group, of one dtype on one device.
    """

    needs_closure = True

    def __init__(
        self,
        params,
        lr=1.0,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        if line_search_fn not in (None, "strong_wolfe"):
            raise ConfigError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {line_search_fn!r}")
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        if len(self._flats) > 1 or len(self._flats[0]) > 1:
            raise ConfigError(
                "LBFGS: all parameters share one direction, so they must be in one group, of one dtype and on one device"
            )
        self._pairs: list = []  # (s, y) of the last steps, the newest last
        self._last: tuple | None = None  # the last gradient and step, whose pair is not made yet

    def step(self, closure: Any = None) -> Any:  # type: ignore[override]  # torch's L-BFGS has this argument only
        """Up to max_iter iterations; returns the loss before the first.   ConfigError without a closure."""
        if not callable(closure):
            raise ConfigError("LBFGS: step needs a function that computes the loss and its gradients: optimizer.step(closure)")
        options, flat = self.param_groups[0], self._flats[0][0]
        flat.adopt()
        evaluations = 0

        def evaluate():
            nonlocal evaluations
            evaluations += 1
            with enable_grad():
                loss: Any = closure()
            return loss, float(loss), self._gradient(flat)

        first, value, g = evaluate()
        for _ in range(options["max_iter"]):
            if not g.size or float(abs(g).max()) <= options["tolerance_grad"]:
                break
            fresh = self._last is None
            self._remember(g, options["history_size"])
            d = self._direction(g)
            slope = float(g.dot(d))
            if not slope <= -options["tolerance_change"]:
                break
            start, length = flat.vector.copy(), options["lr"] * (min(1.0, 1.0 / float(abs(g).sum())) if fresh else 1.0)
            before = value

            def move(length, start=start, d=d):
                flat.vector[...] = start + length * d
                for p in flat.parameters:
                    p.touch()

            def along(length, d=d, move=move):
                move(length)
                _, value, g = evaluate()
                return value, float(g.dot(d))

            if options["line_search_fn"]:
                length = wolfe_search(along, value, slope, length, 1e-4, 0.9, 10 * float(np.finfo(flat.vector.dtype).eps))
            move(length)
            self._last = g, length * d
            flat.steps = [t + 1 for t in flat.steps]
            if evaluations >= options["max_eval"] and not options["line_search_fn"]:
                break
            _, value, g = evaluate()
            small = options["tolerance_change"]
            if evaluations >= options["max_eval"] or float(abs(length * d).max()) <= small or abs(value - before) < small:
                break
        return first

    def _gradient(self, flat):
        m = xp(flat.vector)
        return dispatch.concatenate(
            [m.zeros(p.size, p.dtype) if p.grad is None else p.grad.data.reshape(-1) for p in flat.parameters]
        )

    def _remember(self, g, most):
        """Make the pair (s, y) of the last step, if the curvature y s along it is positive."""
        if self._last is not None:
            s, y = self._last[1], g - self._last[0]
            if float(y.dot(s)) > 1e-10:
                self._pairs = [*self._pairs, (s, y)][-most:]

    def _direction(self, g):
        """-H g by the two loops of algorithm 7.4."""
        d, factors = -g, []
        for s, y in reversed(self._pairs):
            factors.append(s.dot(d) / y.dot(s))
            d = d - factors[-1] * y
        if self._pairs:
            s, y = self._pairs[-1]
            d = d * (s.dot(y) / y.dot(y))
        for (s, y), factor in zip(self._pairs, reversed(factors)):
            d = d + s * (factor - y.dot(d) / y.dot(s))
        return d

    def state_dict(self) -> dict:
        """The options, and the vectors of the last steps."""
        vectors = [
            np.array(to_device(v, "cpu"))
            for pair in (*self._pairs, *([self._last] if self._last is not None else []))
            for v in pair
        ]
        return {**super().state_dict(), "history": {"vectors": vectors, "pairs": len(self._pairs)}}

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state.  CheckpointError if it was made for other parameters or by another optimizer."""
        saved = state.get("history")
        size = self._flats[0][0].vector.size
        if not isinstance(saved, dict) or any(np.shape(v) != (size,) for v in saved.get("vectors", [None])):
            raise CheckpointError("LBFGS: the saved state is of another rule, or of other parameters")
        super().load_state_dict(state)
        like = self._flats[0][0].vector
        vectors = [xp(like).asarray(v, like.dtype) for v in saved["vectors"]]
        pairs = list(zip(vectors[::2], vectors[1::2]))
        self._pairs = pairs[: saved["pairs"]]
        self._last = pairs[-1] if len(pairs) > saved["pairs"] else None
