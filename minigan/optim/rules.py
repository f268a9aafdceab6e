"""The update rules as their papers print them.  w is one vector of all weights, and g is its gradient.

SGD (momentum, Nesterov)     Adam (AMSGrad)     AdamW     RMSprop (centered, momentum)     Adagrad     Adadelta

Names, options, defaults and results are torch.optim's.  `options` is the group's dict; t counts steps from 1.
"""

import numpy as np

from minigan.backend import xp
from minigan.kernels import dispatch
from minigan.kernels.threads import share
from minigan.optim.optimizer import Optimizer

WORTH_A_THREAD = 2**16  # weights: a second thread does not pay for fewer


class SGD(Optimizer):
    """w <- w - lr b   with   b <- momentum b + (1 - dampening) g   (b <- g at the first step; no momentum: b = g).

    nesterov: the step is g + momentum b instead (Sutskever et al. 2013).  weight_decay: g <- g + weight_decay w.
    maximize: go up instead of down.

    >>> x = nn.Parameter([4.0])
    >>> sgd = mg.optim.SGD([x], lr=0.25)
    >>> sgd.step(mg.grad((x**2).sum(), [x]))
    >>> x.tolist()  # 4 - 0.25 * 8
    [2.0]
    """

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, *, maximize=False):
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def state_names(self, options):
        """The running sum of gradients b, if there is momentum."""
        return ("momentum_buffer",) if options["momentum"] else ()

    def update(self, w, g, state, t, options):
        """See the class."""
        g = _decayed(w, g, options)
        momentum = options["momentum"]
        if momentum:
            b = state["momentum_buffer"]
            b *= momentum
            b += g if t == 1 else (1 - options["dampening"]) * g
            g = g + momentum * b if options["nesterov"] else b
        w -= options["lr"] * g


class Adam(Optimizer):
    """Kingma and Ba 2015, algorithm 1:

    m <- b1 m + (1 - b1) g        v <- b2 v + (1 - b2) g^2
    w <- w - lr m^ / (sqrt(v^) + eps)     with   m^ = m / (1 - b1^t),   v^ = v / (1 - b2^t).

    amsgrad: the largest v so far is used instead of v (Reddi et al. 2018).  weight_decay: g <- g + weight_decay w.

    >>> x = nn.Parameter([4.0])
    >>> adam = mg.optim.Adam([x], lr=0.1)
    >>> adam.step(mg.grad((x**2).sum(), [x]))
    >>> round(x.item(), 4)  # the first step has the length lr, whatever the gradient
    3.9
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, *, maximize=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize)
        self._clocks = {}  # id of a group -> its t and lr on the GPU; empty until count_on_card is called

    def state_names(self, options):
        """m, v, and for AMSGrad the largest v."""
        return ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if options["amsgrad"] else []))

    def step(self, grads=None) -> None:
        """See Optimizer."""
        for group in self.param_groups if self._clocks else ():
            self._clocks[id(group)].set(lr=group["lr"])
            self._clocks[id(group)].tick()
        super().step(grads)

    def count_on_card(self) -> None:
        """See Optimizer: t and lr are read from the GPU from now on."""
        self._clocks = {
            id(group): dispatch.adam_clock(flats[0].vector, max(flats[0].steps), group["lr"], group["betas"], group["eps"])
            for group, flats in zip(self.param_groups, self._flats)
        }

    def repeated(self, times: int) -> None:
        """See Optimizer."""
        super().repeated(times)
        for group in self.param_groups:
            self._clocks[id(group)].set(lr=group["lr"])

    def load_state_dict(self, state: dict) -> None:
        """See Optimizer."""
        super().load_state_dict(state)
        self._clocks = {}

    def update(self, w, g, state, t, options):
        """See the class.  On the CPU each thread updates a part of the weights."""
        self._on_any_device(w, g, state, t, options, self._clocks.get(id(options)))

    def _on_any_device(self, w, g, state, t, options, clock):
        if not isinstance(w, np.ndarray):
            return dispatch.adam(w, g, state, t, options, clock)
        share(
            lambda a, b: self._update(w[a:b], g[a:b], {name: v[a:b] for name, v in state.items()}, t, options),
            w.size,
            WORTH_A_THREAD,
        )

    def _update(self, w, g, state, t, options):
        """Everything is in place, because memory limits the speed of an Adam step, not arithmetic."""
        b1, b2 = options["betas"]
        g = _decayed(w, g, options)
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m *= b1
        m += (1 - b1) * g
        v *= b2
        g *= g
        g *= 1 - b2
        v += g
        if options["amsgrad"]:
            v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        correction = (1 - b2**t) ** 0.5  # sqrt(v^) + eps = (sqrt(v) + eps correction) / correction saves one pass over v
        step = np.sqrt(v, out=g)
        step += options["eps"] * correction
        np.divide(m, step, out=step)
        step *= options["lr"] * correction / (1 - b1**t)
        w -= step


class AdamW(Adam):
    """Adam with decoupled weight decay: w <- (1 - lr weight_decay) w, and then Adam's step without weight_decay.

    Loshchilov and Hutter 2019, algorithm 2.   weight_decay is 0.01 by default, as in torch.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *, maximize=False):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

    def update(self, w, g, state, t, options):
        """See the class."""
        w *= 1 - options["lr"] * options["weight_decay"]
        self._on_any_device(w, g, state, t, {**options, "weight_decay": 0.0}, self._clocks.get(id(options)))


class Adagrad(Optimizer):
    """w <- w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)   with   s <- s + g^2, from initial_accumulator_value on.

    Duchi, Hazan and Singer 2011.
    """

    def __init__(
        self, params, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, *, maximize=False
    ):
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            maximize=maximize,
        )

    def state_names(self, options):
        """s, under torch's name for it."""
        return ("sum",)

    def update(self, w, g, state, t, options):
        """See the class."""
        g, s = _decayed(w, g, options), state["sum"]
        if t == 1:
            s += options["initial_accumulator_value"]
        s += g * g
        w -= options["lr"] / (1 + (t - 1) * options["lr_decay"]) * g / (xp(w).sqrt(s) + options["eps"])


class Adadelta(Optimizer):
    """w <- w - lr d   with   v <- rho v + (1 - rho) g^2,   d = g sqrt(u + eps) / sqrt(v + eps),   u <- rho u + (1 - rho) d^2.

    Zeiler 2012 (arXiv:1212.5701), algorithm 1; its steps have the size of the last steps, so it needs no learning rate.
    """

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, *, maximize=False):
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def state_names(self, options):
        """v and u, under torch's names."""
        return ("square_avg", "acc_delta")

    def update(self, w, g, state, t, options):
        """See the class."""
        g, v, u, rho, m = _decayed(w, g, options), state["square_avg"], state["acc_delta"], options["rho"], xp(w)
        v *= rho
        v += (1 - rho) * (g * g)
        d = g * (m.sqrt(u + options["eps"]) / m.sqrt(v + options["eps"]))
        u *= rho
        u += (1 - rho) * (d * d)
        w -= options["lr"] * d


class RMSprop(Optimizer):
    """w <- w - lr g / (sqrt(v) + eps)   with   v <- alpha v + (1 - alpha) g^2.   Hinton 2012, lecture 6e.

    centered: uses the variance of g, v - a^2 with a <- alpha a + (1 - alpha) g, instead of v (Graves 2013).  momentum: with the
    quotient q = g / (sqrt(v) + eps), b <- momentum b + q and w <- w - lr b.  weight_decay: g <- g + weight_decay w.

    >>> x = nn.Parameter([4.0])
    >>> rms = mg.optim.RMSprop([x], lr=0.01)
    >>> rms.step(mg.grad((x**2).sum(), [x]))
    >>> round(x.item(), 4)
    3.9
    """

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False, *, maximize=False
    ):
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def state_names(self, options):
        """v; also a if centered, and b if there is momentum."""
        return (
            "square_avg",
            *(["grad_avg"] if options["centered"] else []),
            *(["momentum_buffer"] if options["momentum"] else []),
        )

    def update(self, w, g, state, t, options):
        """See the class."""
        alpha, v = options["alpha"], state["square_avg"]
        g = _decayed(w, g, options)
        v *= alpha
        v += (1 - alpha) * (g * g)
        variance = v
        if options["centered"]:
            a = state["grad_avg"]
            a *= alpha
            a += (1 - alpha) * g
            variance = xp(w).maximum(v - a * a, 0)  # if g hardly changes, rounding can make it negative
        step = g / (xp(w).sqrt(variance) + options["eps"])
        if options["momentum"]:
            b = state["momentum_buffer"]
            b *= options["momentum"]
            b += step
            step = b
        w -= options["lr"] * step


def _decayed(w, g, options):
    """The gradient plus that of the L2 penalty weight_decay/2 |w|^2."""
    if options["weight_decay"]:
        g += options["weight_decay"] * w
    return g
