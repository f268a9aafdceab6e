"""Optimizer: it keeps a group's parameters in one flat vector, so that an update rule works on that vector only.

When an optimizer is made, its parameters become views of one buffer.  The lines of a rule such as Adam then run once for all
parameters, not once for each; on a GPU Adam is one kernel.
"""

import copy
import math
from itertools import pairwise
from typing import Any

import numpy as np

from minigan.backend import beside, converted, device_of, extent, is_array, mixed_devices, new_array, to_device, xp
from minigan.errors import CheckpointError, ConfigError, DeviceError, DTypeError, GraphError, ShapeError
from minigan.kernels import dispatch, threads
from minigan.tensor import Tensor
from minigan.watch import again


class Flat:
    """Parameters of one dtype on one device, as views of one vector; also the rule's state, vectors of the same length."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.steps = [0] * len(parameters)  # the number of updates of each
        self.state: dict = {}  # name -> a vector as long as the buffer
        ends = np.cumsum([0] + [p.size for p in parameters]).tolist()
        self.slices = [slice(a, b) for a, b in pairwise(ends)]
        self._allocate()

    def _allocate(self):
        like = self.parameters[0].data
        self.vector = xp(like).empty(self.slices[-1].stop, like.dtype)
        self.views = [self.vector[s].reshape(p.shape) for s, p in zip(self.slices, self.parameters)]
        self.state = {name: to_device(v, device_of(like)).astype(like.dtype) for name, v in self.state.items()}

    def adopt(self):
        """Make every parameter a view of the vector again, if it was moved, or became a view of another optimizer's."""
        first = self.parameters[0].data
        if any(p.dtype != first.dtype or p.device != device_of(first) for p in self.parameters):
            raise ConfigError(
                "an optimizer's parameters were given different dtypes or devices after it was made; make the "
                "optimizer after module.to(...)"
            )
        if first.dtype != self.vector.dtype or device_of(first) != device_of(self.vector):
            self._allocate()
        for p, view in zip(self.parameters, self.views):
            if p.data is not view:
                if p.shape != view.shape:
                    raise ConfigError(
                        f"a parameter was {view.shape} when its optimizer was made, and is {p.shape} now; make "
                        f"the optimizer after the change"
                    )
                view[...] = p.data
                p.data = view

    def __deepcopy__(self, memo):
        """Copy the parameters, as views of a vector of their own, and the state."""
        twin = Flat(copy.deepcopy(self.parameters, memo))
        twin.steps, twin.state = list(self.steps), copy.deepcopy(self.state, memo)
        twin.adopt()
        return twin

    def named(self, name):
        """The rule's vector of that name; it starts at zero."""
        if name not in self.state:
            self.state[name] = xp(self.vector).zeros_like(self.vector)
        return self.state[name]


class Optimizer:
    """Base of the update rules.  A rule writes `state_names` and `update`; see SGD.

    params: Parameters, or a list of {"params": ..., option: ...} groups with options of their own (torch.optim).  They move
    into the vector: anything that shared a parameter's memory before (a view, a detach()) keeps the values of that moment.
    param_groups: those groups; changing group["lr"] takes effect at the next step.
    needs_closure: step also takes a function closure() -> (loss, gradients), to try other weights during the step.
    """

    needs_closure = False

    def state_names(self, options) -> tuple:
        """The vectors that the rule keeps, by name, for a group with these options."""
        return ()

    def __init__(self, params: Any, **options: Any):
        params = [params] if isinstance(params, Tensor) else list(params)
        groups: list[dict[str, Any]] = params if params and isinstance(params[0], dict) else [{"params": params}]
        for group in groups:
            unknown = [key for key in group if key not in ("params", *options)]
            if "params" not in group or unknown:
                raise ConfigError(
                    f"{type(self).__name__}: a group needs 'params', and may have the options "
                    f"{', '.join(options)}; got {', '.join(map(repr, group))}"
                )
        threads.new_loop()
        self.param_groups = [
            {**options, **group, "params": [p] if isinstance(p := group["params"], Tensor) else list(p)} for group in groups
        ]
        seen = set()
        for group in self.param_groups:
            self._check(group, seen)
        self._check_memory()
        self._flats = [self._flatten(group["params"]) for group in self.param_groups]

    def _check(self, group, seen):
        name = type(self).__name__
        if not group["params"]:
            raise ConfigError(f"{name}: got no parameters; pass module.parameters() of a module that has some")
        for p in group["params"]:
            if not isinstance(p, Tensor) or not p.is_leaf or p.dtype.kind != "f":
                raise GraphError(f"{name}: an optimizer changes leaf Tensors of a float dtype, got {type(p).__name__}")
            if p.dtype.itemsize < 4:
                raise DTypeError(f"{name}: {p.dtype} has too few digits for small steps; train in float32, module.float()")
            if id(p) in seen:
                raise ConfigError(f"{name}: a parameter of shape {p.shape} is given twice; it would be updated twice")
            seen.add(id(p))
        self._check_options(group)

    def _check_options(self, group):
        name = type(self).__name__
        number = lambda x: isinstance(x, (int, float, np.number)) and not isinstance(x, bool) and math.isfinite(x)
        for option in ("lr", "eps", "weight_decay", "momentum", "alpha"):
            if option in group and not (number(group[option]) and group[option] >= 0):
                raise ConfigError(f"{name}: {option} must be a number >= 0, got {group[option]!r}")
        for option in ("nesterov", "amsgrad", "centered", "maximize"):
            if option in group and not isinstance(group[option], (bool, np.bool_)):
                raise ConfigError(f"{name}: {option} must be True or False, got {group[option]!r}")
        if "eps" in group and not all(p.dtype.type(group["eps"]) > 0 for p in group["params"]):
            raise ConfigError(
                f"{name}: eps={group['eps']} is 0 for these parameters, and makes 0 / 0 where a gradient is 0; "
                f"the usual one is 1e-8"
            )
        if "betas" in group and not (
            isinstance(group["betas"], (tuple, list))
            and len(group["betas"]) == 2
            and all(number(b) and 0 <= b < 1 for b in group["betas"])
        ):
            raise ConfigError(f"{name}: betas must be two numbers in [0, 1), got {group['betas']!r}")
        if group.get("alpha", 0) > 1:
            raise ConfigError(f"{name}: alpha must be at most 1, got {group['alpha']!r}; else the mean of squares is negative")
        if not number(group.get("dampening", 0)):
            raise ConfigError(f"{name}: dampening must be a number, got {group['dampening']!r}")
        if group.get("nesterov") and (not group["momentum"] or group["dampening"]):
            raise ConfigError(
                f"{name}: nesterov is a form of momentum without dampening; give momentum=0.9, say, and "
                f"dampening=0 (got momentum={group['momentum']}, dampening={group['dampening']})"
            )

    def _check_memory(self):
        """ConfigError for parameters that share memory, because in the optimizer's vector each would get its own memory."""
        parts = sorted(((p.device, *extent(p.data), p) for p in self.parameters if p.size), key=lambda part: part[:3])
        for (place, _, end, p), (where, start, _, q) in pairwise(parts):
            if place == where and start < end and xp(p.data).shares_memory(p.data, q.data):
                raise ConfigError(
                    f"{type(self).__name__}: two parameters, {p.shape} and {q.shape}, share memory, which an "
                    f"optimizer would separate; use one Parameter in both places, or make one from the other"
                )

    def add_param_group(self, group: dict) -> None:
        """Add a group {"params": ..., option: ...}; options that are not given are those of the first group."""
        first = {name: value for name, value in self.param_groups[0].items() if name not in ("params", "initial_lr")}
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        self.param_groups.append({**first, **group, "params": params})
        try:
            self._check(self.param_groups[-1], {id(p) for group in self.param_groups[:-1] for p in group["params"]})
            self._check_memory()
        except Exception:
            self.param_groups.pop()
            raise
        self._flats.append(self._flatten(params))

    @staticmethod
    def _flatten(parameters):
        """One Flat for each dtype and device; usually there is only one."""
        kinds: dict = {}
        for p in parameters:
            kinds.setdefault((p.dtype, p.device), []).append(p)
        flats = [Flat(group) for group in kinds.values()]
        for flat in flats:
            flat.adopt()
        return flats

    @property
    def parameters(self) -> list:
        """All parameters, in the order given."""
        return [p for group in self.param_groups for p in group["params"]]

    def wanted(self) -> list:
        """The parameters whose gradients the next step will use: all, unless the rule updates only some in each step."""
        return self.parameters

    def zero_grad(self) -> None:
        """Set every .grad, where backward() sums gradients, to None."""
        for p in self.parameters:
            p.grad = None

    def step(self, grads=None) -> None:
        """One update.  grads: a gradient per parameter, in the order of the parameters, as from `grad`; by default each p.grad.

        A parameter whose gradient is None keeps its value and its state.
        """
        if threads.watching:
            threads.settle()
        if callable(grads):
            raise ConfigError(
                f"{type(self).__name__}.step takes gradients, not a closure: call zero_grad(), and backward() of the loss, "
                f"before step(); only LBFGS calls a closure"
            )
        parameters = self.parameters
        grads = [p.grad for p in parameters] if grads is None else list(grads)
        grads = [g.data if isinstance(g, Tensor) else g for g in grads]
        if len(grads) != len(parameters):
            raise ShapeError(f"{type(self).__name__}.step: {len(parameters)} parameters but {len(grads)} gradients")
        grads = [
            g if g is None else new_array(g) if is_array(g) else beside(new_array(g, p.dtype), p.data)
            for p, g in zip(parameters, grads)
        ]
        for p, g in zip(parameters, grads):
            if g is not None and g.shape != p.shape:
                raise ShapeError(f"{type(self).__name__}.step: a gradient is {g.shape}, its parameter {p.shape}")
        by_parameter = {id(p): g for p, g in zip(parameters, grads)}
        for group, flats in zip(self.param_groups, self._flats):
            for flat in flats:
                self._step(group, flat, [by_parameter[id(p)] for p in flat.parameters])

    @again(changes=lambda self, group, flat, grads: flat.parameters)
    def _step(self, group, flat, grads):
        flat.adopt()
        if len(set(flat.steps)) == 1 and all(g is not None for g in grads):  # the usual case: one call for all parameters
            pieces = [(slice(None), dispatch.concatenate([g.reshape(-1) for g in grads]))]
        else:
            pieces = [(s, g.reshape(-1).copy()) for s, g in zip(flat.slices, grads) if g is not None]
        for _, g in pieces:
            if type(g) is not type(flat.vector):
                raise DeviceError(mixed_devices(f"{type(self).__name__}.step", [flat.vector, g]))
        updated = [i for i, g in enumerate(grads) if g is not None]
        for i in updated:
            flat.steps[i] += 1
            flat.parameters[i].touch()
        for (piece, g), i in zip(pieces, updated):
            if group.get("maximize"):
                g *= -1
            state = {name: flat.named(name)[piece] for name in self.state_names(group)}
            self.update(flat.vector[piece], g, state, flat.steps[i], group)

    def count_on_card(self) -> None:
        """Prepare for recording a step: from now on the GPU updates the values that change from step to step."""

    def repeated(self, times: int) -> None:
        """Count steps that the GPU made by itself, when it launched a recorded step (runs/capture.py) this many times."""
        for flat in (flat for flats in self._flats for flat in flats):
            flat.steps = [t + times for t in flat.steps]
            for p in flat.parameters:
                p.touch()

    def update(self, w, g, state, t, options) -> None:
        """Change the weights w in place, using their gradient g, which may be overwritten.

        state: name -> a vector of w's length, which starts at zero and is kept between steps;  t: the number of this step,
        from 1.
        """
        raise TypeError(f"{type(self).__name__} has no update(); an optimizer must define one")

    def state_dict(self) -> dict:
        """The options of every group, and the step count and state vectors of every parameter, as arrays on the CPU."""
        state, index = {}, {id(p): i for i, p in enumerate(self.parameters)}
        for flat in (flat for flats in self._flats for flat in flats):
            for k, p in enumerate(flat.parameters):
                state[str(index[id(p)])] = {
                    "step": flat.steps[k],
                    **{name: np.array(to_device(v[flat.slices[k]], "cpu")).reshape(p.shape) for name, v in flat.state.items()},
                }
        groups = [{k: v for k, v in group.items() if k != "params"} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state.  CheckpointError, with nothing changed, if it was made for other parameters or another
        rule, or holds what no optimizer saved."""
        groups, states = self._read(state)
        for group, saved in zip(self.param_groups, groups):
            group.update(saved)
        index = {id(p): i for i, p in enumerate(self.parameters)}
        for flat in (flat for flats in self._flats for flat in flats):
            flat.adopt()
            flat.state = {}
            for k, p in enumerate(flat.parameters):
                flat.steps[k], vectors = states[index[id(p)]]
                for name, value in vectors.items():
                    flat.named(name)[flat.slices[k]] = xp(flat.vector).asarray(value.reshape(-1))

    def _read(self, state):
        """(options of every group, (step, {name: array}) of every parameter) of a saved state, all checked."""
        name, parameters = type(self).__name__, self.parameters
        try:
            groups, states = list(state["param_groups"]), dict(state["state"])
        except (KeyError, TypeError, ValueError):
            raise CheckpointError(f"{name}: a saved state has 'state' and 'param_groups', this one has not") from None
        if len(groups) != len(self.param_groups) or len(states) != len(parameters):
            raise CheckpointError(
                f"{name}: the saved state is for {len(states)} parameters in {len(groups)} groups, this "
                f"optimizer has {len(parameters)} in {len(self.param_groups)}"
            )
        options = []
        for group, saved in zip(self.param_groups, groups):
            # initial_lr is a schedule's, which may be made before or after
            if set(saved) - {"initial_lr"} != set(group) - {"params", "initial_lr"}:
                raise CheckpointError(
                    f"{name}: the saved state has the options {', '.join(sorted(saved))}; it is of another rule"
                )
            options.append({k: tuple(v) if isinstance(v, list) else v for k, v in saved.items()})
            try:  # two schedules together can make a rate negative, in torch too
                self._check_options({**group, **options[-1], "lr": abs(saved["lr"])})
            except (ConfigError, TypeError) as error:
                raise CheckpointError(f"the saved state does not fit: {error}") from None
        found = []
        for i, p in enumerate(parameters):
            try:
                saved = dict(states[str(i)])
                step = converted(saved.pop("step"), (), np.dtype(np.int64))
                found.append((int(step), {key: converted(value, p.shape, p.dtype) for key, value in saved.items()}))
            except KeyError as error:
                raise CheckpointError(f"{name}: the saved state has no {error} of parameter {i}") from None
            except (ValueError, TypeError) as error:
                raise CheckpointError(f"{name}: what was saved for parameter {i} {error}") from None
        return options, found

    def __repr__(self):
        options = {k: v for k, v in self.param_groups[0].items() if k != "params"}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in options.items())})"
