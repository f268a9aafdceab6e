"""Coordinate descent on the parameters of a network, one block of them per step.

The idea is to change one block, keep the others, and go on to the next block.  The method is exact if the minimum over one
block is a formula (convex.py).  For a network there is no formula, so a block takes one step of a base rule, SGD or Adam.
"""

import numpy as np

from minigan import streams
from minigan.errors import CheckpointError, ConfigError, suggestion
from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import SGD
from minigan.tensor import Tensor

RULES = ("cyclic", "random", "steepest")


class CoordinateDescent(Optimizer):
    """w_B <- the base rule's step on w_B, for one block B of the parameters; the others keep their values and states.

    rule: which block is next.  "cyclic": one after the other;  "random": each with equal probability;  "steepest": the block
    with the longest gradient, argmax ||g_B||_2 (Gauss-Southwell; Nutini et al. 2015, section 3).
    blocks: lists of parameters that contain each parameter once; by default every parameter is a block.
    base, options: the rule for one block, and its options: CoordinateDescent(params, lr=2e-4, base=Adam, betas=(0.5, 0.999)).
    seed: for the random rule; by default drawn from the stream "blocks".

    Before each step `wanted()` returns the parameters whose gradients are needed.  step(grads) takes a gradient per parameter,
    as every optimizer, but ignores those outside the block, which may be None.  ConfigError for blocks that do not fit the
    parameters.
    """

    def __init__(self, params, lr=1e-3, blocks=None, rule="cyclic", base: type[Optimizer] = SGD, seed=None, **options):
        self.base = base(params, lr=lr, **options)
        self.param_groups = self.base.param_groups
        if rule not in RULES:
            raise ConfigError(f"CoordinateDescent: unknown rule {rule!r}{suggestion(str(rule), RULES)}")
        self.rule = rule
        self.blocks = self._indices(blocks)
        self.updates = [0] * len(self.blocks)
        self._coordinates = 0
        self._generator = np.random.default_rng(streams.streams("blocks").integers(2**63) if seed is None else seed)
        self._next = len(self.blocks) - 1
        self._advance()

    def _indices(self, blocks):
        """The blocks as lists of indices into `parameters`, because indices stay right after a copy, and in a checkpoint."""
        if blocks is None:
            return [[i] for i in range(len(self.parameters))]
        place = {id(p): i for i, p in enumerate(self.parameters)}
        blocks = [[block] if isinstance(block, Tensor) else list(block) for block in blocks]
        strangers = [p for block in blocks for p in block if id(p) not in place]
        if strangers:
            raise ConfigError(
                f"CoordinateDescent: a block holds a {getattr(strangers[0], 'shape', strangers[0])!r} that is "
                f"not among the parameters"
            )
        indices = [[place[id(p)] for p in block] for block in blocks]
        if not all(indices) or sorted(i for block in indices for i in block) != list(range(len(place))):
            raise ConfigError(
                f"CoordinateDescent: {len(indices)} blocks with {sum(map(len, indices))} parameters in all; "
                f"each of the {len(place)} must be in exactly one, and none empty"
            )
        return indices

    def _advance(self):
        if self.rule == "cyclic":
            self._next = (self._next + 1) % len(self.blocks)
        elif self.rule == "random":
            self._next = int(self._generator.integers(len(self.blocks)))

    def wanted(self) -> list:
        """The parameters whose gradients the next step uses: its block; for "steepest" all, since it compares the blocks."""
        parameters = self.parameters
        return parameters if self.rule == "steepest" else [parameters[i] for i in self.blocks[self._next]]

    @property
    def evaluations(self) -> float:
        """How many whole gradients were computed: a step counts the share of all coordinates that are in wanted().

        So "steepest" counts 1 per step, as SGD does.  This favours the other rules, because the gradient of a first layer needs
        the backward pass through all later layers, and takes more time than its share.
        """
        return self._coordinates / sum(p.size for p in self.parameters)

    def step(self, grads=None) -> None:
        """One update of one block.  grads: as for every Optimizer; those outside wanted() are ignored."""
        parameters = self.parameters
        grads = [p.grad for p in parameters] if grads is None else list(grads)
        if self.rule == "steepest" and len(grads) == len(parameters):
            self._next = int(np.argmax([self._length(grads, block) for block in self.blocks]))
        block = set(self.blocks[self._next])
        self.base.step([g if i in block else None for i, g in enumerate(grads)])
        self._coordinates += sum(p.size for p in self.wanted())
        self.updates[self._next] += 1
        self._advance()

    @staticmethod
    def _length(grads, block):
        """||g_B||^2."""
        arrays = [grads[i].data if isinstance(grads[i], Tensor) else grads[i] for i in block if grads[i] is not None]
        return sum(float((g * g).sum()) for g in arrays)

    def state_dict(self) -> dict:
        """The base rule's state, and which block comes next."""
        return {
            **self.base.state_dict(),
            "descent": {
                "rule": self.rule,
                "blocks": self.blocks,
                "next": self._next,
                "updates": list(self.updates),
                "coordinates": self._coordinates,
                "generator": self._generator.bit_generator.state,
            },
        }

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state.  CheckpointError if it was made for other parameters, blocks or another rule."""
        saved = state.get("descent", {}) if isinstance(state, dict) else {}
        if saved.get("rule") != self.rule or saved.get("blocks") != self.blocks:
            raise CheckpointError(
                f"CoordinateDescent: the saved state is of the rule {saved.get('rule')!r} on "
                f"{len(saved.get('blocks', []))} blocks, this one is {self.rule!r} on {len(self.blocks)}; "
                f"make it with the same rule and blocks"
            )
        if not {"next", "updates", "coordinates", "generator"} <= set(saved) or saved["next"] not in range(len(self.blocks)):
            raise CheckpointError("CoordinateDescent: the saved state is not whole; use another one")
        self.base.load_state_dict(state)
        self._next, self.updates, self._coordinates = saved["next"], list(saved["updates"]), saved["coordinates"]
        self._generator.bit_generator.state = saved["generator"]

    def __repr__(self):
        return f"CoordinateDescent({self.base!r}, {len(self.blocks)} blocks, rule={self.rule!r})"
