"""A system's file states what the system reaches: claims with controls, which every seed must fulfil.

Arm     one kind of run in a claim      Check   a bound on a number of an arm       Claim   arms that differ in one thing
Elsewhere: the program that trains and measures them (benchmarks/systems.py), the results (docs/results.md).
"""

import operator
from dataclasses import dataclass, field

from minigan.train.settings import word

RELATIONS = {"at least": operator.ge, "at most": operator.le, "below": operator.lt}


@dataclass(frozen=True)
class Arm:
    """One kind of run in a claim.   like: the name of another arm; this one trains for as many seconds as that one took."""

    system: str
    data: str
    settings: dict = field(default_factory=dict)
    like: str = ""

    def command(self) -> str:
        """The command that makes such a run, as Markdown."""
        command = " ".join(
            [
                f"minigan train {self.system} --data {self.data}",
                *(f"--set {name}={word(value)}" for name, value in self.settings.items()),
            ]
        )
        return f"`{command} --seconds S`, S as {self.like} took" if self.like else f"`{command}`"


@dataclass(frozen=True)
class Check:
    """A claim about every seed of an arm: a number is "at least", "at most" or "below" a bound.

    bound: a value, or the name of another number of the same run.   of: the name of another arm; then the bound is that arm's
    number for the same seed.
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
        """A line that says how many seeds fulfil the check, with the values of the seeds that do not.

        results: {arm: {seed: {number: value}}}"""
        misses, seeds = [], [s for s in results.get(self.arm, {}) if not self.of or s in results.get(self.of, {})]
        for seed in seeds:
            row = results[self.arm][seed]
            other = results[self.of][seed][self.number] if self.of else row.get(self.bound, self.bound)
            if not RELATIONS[self.relation](row[self.number], other):
                misses.append(
                    f"{row[self.number]:.4g} against {other:.4g}" if isinstance(self.bound, str) else f"{row[self.number]:.4g}"
                )
        if not seeds:
            return f"- {self}: not measured"
        if misses:
            return f"- {self}: **not met** by {len(misses)} of {len(seeds)} seeds ({', '.join(misses)})"
        return f"- {self}: met by {len(seeds)} of {len(seeds)} seeds"


@dataclass(frozen=True)
class Claim:
    """Arms that differ in one thing, and checks of their numbers.

    name: its heading in docs/results.md.   says: the claim in words.   numbers: the columns of its table.   arms: by name.
    checks: empty if the claim only compares the arms.   seeds: how many seeds are meant."""

    name: str
    says: str
    numbers: list[str]
    arms: dict[str, Arm]
    checks: list[Check] = field(default_factory=list)
    seeds: int = 5
