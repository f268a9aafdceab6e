"""Optimizers with PyTorch's groups, closures and states; minigan's rules do the arithmetic on one flat vector.

Optimizer                                             the base, also for rules that a script writes itself
SGD   Adam   AdamW   RMSprop   Adagrad   Adadelta   LBFGS      minigan's

One difference: minigan moves the parameters into a vector when the optimizer is made.  A view or a `.data` that was taken
before that keeps the values of that moment; take it afterwards.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

import minigan as mg
from minigan.torch import core as torch
from minigan.torch.missing import said_once
from minigan.torch.nn.module import clear_gradients
from minigan.torch.tensor import Tensor

# PyTorch's switches between implementations of the same rule; minigan has one.
IMPLEMENTATIONS = ("foreach", "fused", "capturable", "differentiable")


class Optimizer:
    """Base of the optimizers.   A rule of your own: call this __init__ with its default options, and write step.

    param_groups: dicts with "params" and options; changing group["lr"] takes effect at the next step.   state: a dict for
    each parameter, for what a rule of your own keeps.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]):
        self.defaults, self.state = defaults, defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        params = [params] if isinstance(params, Tensor) else list(params)
        if not params:
            raise ValueError(f"{type(self).__name__}: got no parameters; pass module.parameters() of a module that has some")
        for group in params if isinstance(params[0], dict) else [{"params": params}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add {"params": ..., option: ...}; options that are not given are the default ones."""
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else [p[1] if isinstance(p, tuple) else p for p in params]
        once = list({id(p): p for p in params}.values())
        if len(once) < len(params):
            said_once(
                f"{type(self).__name__}: a parameter is given twice in one group; a step updates it once (PyTorch: twice)"
            )
        params = once
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError(f"{type(self).__name__}: a parameter is in two groups; it would be updated twice")
        self.param_groups.append({**self.defaults, **param_group, "params": params})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set every .grad to None, or to zeros."""
        for group in self.param_groups:
            clear_gradients(group["params"], set_to_none)

    def step(self, closure: Callable | None = None) -> Any:
        """One update.  closure: a function that computes the loss and its gradients; its value is returned."""
        raise NotImplementedError(f"{type(self).__name__} has no step(); an optimizer must define one")

    def _groups_with_numbers(self):
        """The groups, with the number of each parameter in its place."""
        numbers = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        return [{**group, "params": [numbers[id(p)] for p in group["params"]]} for group in self.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """{"state": {number of a parameter: its state}, "param_groups": ...}, where parameters are numbers."""
        parameters = [p for group in self.param_groups for p in group["params"]]
        state = {i: dict(self.state[p]) for i, p in enumerate(parameters) if p in self.state}
        return {"state": state, "param_groups": self._groups_with_numbers()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go back to a saved state.   ValueError if it has other groups."""
        self._load_groups(state_dict)
        parameters = [p for group in self.param_groups for p in group["params"]]
        self.state = defaultdict(dict, {parameters[int(i)]: dict(kept) for i, kept in state_dict["state"].items()})

    def _load_groups(self, state_dict):
        saved = state_dict["param_groups"]
        if [len(group["params"]) for group in saved] != [len(group["params"]) for group in self.param_groups]:
            raise ValueError(f"{type(self).__name__}: the saved state has other groups of parameters than this optimizer")
        for group, options in zip(self.param_groups, saved):
            group.update({name: value for name, value in options.items() if name != "params"})

    def __repr__(self):
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {i}", *(f"    {name}: {group[name]}" for name in sorted(group) if name != "params")]
        return "\n".join(lines) + "\n)"


class _Ruled(Optimizer):
    """An optimizer whose arithmetic is a rule of minigan.   kind: that rule's class."""

    kind: type[mg.optim.Optimizer]

    def __init__(self, params: Any, *args: Any, **options: Any):
        for name in IMPLEMENTATIONS:
            options.pop(name, None)
        given = inspect.signature(self.kind.__init__).bind(None, None, *args, **options)
        given.apply_defaults()
        self._names = [name for name in given.arguments if name not in ("self", "params")]
        self._rule: Any = None
        super().__init__(params, {name: given.arguments[name] for name in self._names})
        # Every group brings all its options, so it does not matter what else the rule is given.
        groups = [{name: group[name] for name in self._names} for group in self.param_groups]
        self._rule = self.kind(
            [{"params": [p.engine for p in group["params"]], **own} for group, own in zip(self.param_groups, groups)]
            if self.kind is not mg.optim.LBFGS
            else [p.engine for p in self.param_groups[0]["params"]],
            **groups[0],
        )
        for group, own in zip(self.param_groups, self._rule.param_groups):  # a rule may find a default itself
            group.update({name: own[name] for name in self._names})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """See Optimizer."""
        super().add_param_group(param_group)
        if self._rule is not None:
            group = self.param_groups[-1]
            own = {name: group[name] for name in self._names}
            self._rule.add_param_group({"params": [p.engine for p in group["params"]], **own})

    def _tell_rule(self):
        for group, own in zip(self.param_groups, self._rule.param_groups):
            for name in self._names:
                own[name] = group[name]

    def step(self, closure: Callable | None = None) -> Any:
        """See Optimizer."""
        self._tell_rule()
        if self._rule.needs_closure:
            return self._rule.step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._rule.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """See Optimizer; parameters that had no update yet have no state."""
        saved = self._rule.state_dict()
        state = {
            int(i): {name: torch.as_tensor(np.asarray(value)) for name, value in kept.items()}
            for i, kept in saved["state"].items()
            if kept["step"]
        }
        more = {name: value for name, value in saved.items() if name not in ("state", "param_groups")}
        return {"state": state, "param_groups": self._groups_with_numbers(), **more}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See Optimizer."""
        self._load_groups(state_dict)
        self._tell_rule()
        kept = {int(i): values for i, values in state_dict["state"].items()}
        plain = lambda value: value.numpy() if isinstance(value, Tensor) else value
        count = sum(len(group["params"]) for group in self.param_groups)
        state = {str(i): {name: plain(value) for name, value in kept.get(i, {"step": 0}).items()} for i in range(count)}
        groups = [{name: group[name] for name in self._names} for group in self.param_groups]
        more = {name: value for name, value in state_dict.items() if name not in ("state", "param_groups")}
        self._rule.load_state_dict({"state": state, "param_groups": groups, **more})


def _ruled(name):
    """The optimizer of this name, with the arguments of minigan's."""
    kind = getattr(mg.optim, name)
    return type(name, (_Ruled,), {"kind": kind, "__doc__": kind.__doc__.partition("\n\n    >>>")[0], "__module__": __name__})


SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, LBFGS = map(
    _ruled, ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "LBFGS")
)
# Scripts look into the signature for `fused` before they ask for it.
for _optimizer in (SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, LBFGS):
    _own = [p for name, p in inspect.signature(_optimizer.kind.__init__).parameters.items() if name != "self"]
    _switches = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in IMPLEMENTATIONS]
    _optimizer.__signature__ = inspect.Signature([*_own, *_switches])
