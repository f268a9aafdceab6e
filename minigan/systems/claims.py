"""What is claimed of a system, said beside it: figures, with controls, that every seed has to reach.

Arm     one of the runs of a claim      Check   what an arm's number has to be      Claim   arms that differ in one thing
Elsewhere: who trains and measures them (benchmarks/systems.py), what came out (docs/results.md).
"""

import operator
from dataclasses import dataclass, field

from minigan.train.settings import word

RELATIONS = {"at least": operator.ge, "at most": operator.le, "below": operator.lt}


@dataclass(frozen=True)
class Arm:
    """One of the runs of a claim.   like: the arm whose seconds this one gets."""

    system: str
    data: str
    settings: dict = field(default_factory=dict)
    like: str = ""

    def command(self) -> str:
        """How to make such a run, as Markdown."""
        command = " ".join([f"minigan train {self.system} --data {self.data}",
                            *(f"--set {name}={word(value)}" for name, value in self.settings.items())])
        return f"`{command} --seconds S`, S as {self.like} took" if self.like else f"`{command}`"


@dataclass(frozen=True)
class Check:
    """What is claimed of every seed of an arm: that a number is "at least", "at most" or "below" a bound.

    bound: a number, or words: that of another arm, for the same seed (of="its start"), or another number of the same run.
    """

    arm: str
    number: str
    relation: str
    bound: float | str = ""
    of: str = ""

    def __str__(self) -> str:
        bound = f"that of {self.of}" if self.of else self.bound if isinstance(self.bound, str) else f"{self.bound:g}"
        return f"{self.arm}: {self.number} {self.relation} {bound}"

    def verdict(self, results) -> str:
        """A line: how many seeds fulfil it, and the figures of those that do not.   results: {arm: {seed: {number: value}}}"""
        misses, seeds = [], [s for s in results.get(self.arm, {}) if not self.of or s in results.get(self.of, {})]
        for seed in seeds:
            row = results[self.arm][seed]
            other = results[self.of][seed][self.number] if self.of else row.get(self.bound, self.bound)
            if not RELATIONS[self.relation](row[self.number], other):
                misses.append(f"{row[self.number]:.4g} against {other:.4g}" if isinstance(self.bound, str)
                              else f"{row[self.number]:.4g}")
        if not seeds:
            return f"- {self}: not measured"
        if misses:
            return f"- {self}: **not met** by {len(misses)} of {len(seeds)} seeds ({', '.join(misses)})"
        return f"- {self}: met by {len(seeds)} of {len(seeds)} seeds"


@dataclass(frozen=True)
class Claim:
    """Arms that differ in one thing, and checks of what they reach.

    name: in docs/results.md.   says: the claim.   numbers: those shown.   arms: by name.   checks: none where the claim is a
    comparison, whatever comes out.   seeds: how many have to fulfil it."""

    name: str
    says: str
    numbers: list[str]
    arms: dict[str, Arm]
    checks: list[Check] = field(default_factory=list)
    seeds: int = 5
