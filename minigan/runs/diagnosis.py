"""What the curves of a run say, in plain words, and what to try.

diagnose    log records and settings -> a list of findings, empty when no rule finds a fault
of          the findings of a run
Finding     what was seen, advice, and the evidence

Each rule below detects one way in which a run can fail, and must stay silent in a healthy run.  A GAN's losses are noisy and
need not fall, so the rules compare medians over a quarter of the run and have wide thresholds.  Rules about the level of D's
loss apply only to games where that level has a meaning (Game.undecided); for Wasserstein's it has none.  The tests use recorded
logs of failed and of healthy runs.

A rule proposes trials, which are changes of settings.  `Curves.advice` leaves out those that the run's system does not accept,
and those that change nothing.  So whatever a finding advises can be passed to `minigan train`.
"""

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minigan.data.kinds import Description
from minigan.runs.config import DATA, fields
from minigan.runs.hooks import COLLAPSED
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.train.objectives import OBJECTIVES
from minigan.train.settings import meant, word

RUN_AWAY = 100  # G's loss; D's logits are then 100 or more, although sigmoid and hinge are saturated at 10
NO_GRADIENT = 1e-5  # norm over 10,000 parameters: 1e-7 for each, which is close to Adam's and RMSprop's eps of 1e-8
ENOUGH = 20  # records; with fewer, no trend can be seen
HOPS = 0.35  # median change of ln diversity between measurements.  Measured: healthy 0.01 to 0.28, hopping 0.46 and more
NO_CODE = 0.3  # nats.  Measured: the KL of healthy VAEs is 0.7 (ring8) to 26 (digits); with beta=20 it is 0.13 or less


@dataclass(frozen=True)
class Finding:
    """name: the rule that found it.   what: what was seen, with numbers.   advice: what to try.   evidence: the curves that
    show it, with their values and steps."""

    name: str
    what: str
    advice: str
    evidence: str


@dataclass(frozen=True)
class Trial:
    """changes: {setting: value} to try.   instead: other changes with the same aim, for a system that does not accept these.
    why: a remark."""

    changes: dict
    instead: tuple[dict, ...] = ()
    why: str = ""


# Where D mixes the samples of a batch, a penalty is refused until this is changed too.
SLOPE = Trial({"penalty": "r1"}, tuple({"penalty": "r1"} | more for more in ({"norm_d": "layer"}, {"minibatch": False})))


class Curves:
    """The log as arrays, the settings in force, and the system that accepts or refuses other ones.

    undecided: D's loss when it cannot tell real from fake; None if that level has no meaning or is not known.
    d: D's loss on real and fake samples without penalties; empty without `undecided`."""

    def __init__(self, records, settings, system=None, data=None):
        self.records, self.settings, self.system, self.data = records, settings, system, data
        self._accepted: dict[tuple, bool] = {}
        rows = [r for r in records if isinstance(r.get("step"), int | float)]
        self.losses = [r for r in rows if any(isinstance(v, int | float) for k, v in r.items() if k != "step")]
        self.measured = [{"step": r["step"], **r["metrics"]} for r in rows if isinstance(r.get("metrics"), dict)]
        self.objective = settings.get("objective")
        names = {key for r in self.losses for key in r}
        self.players = sorted(name for name in names if f"{name}.gradient" in names)
        parts = any(n.startswith("D.") and n not in ("D.gradient", "D.lr") for n in names)
        self.d_name = "D.adversarial" if "D.adversarial" in names else "" if parts else "D"
        self.d = self[self.d_name] if self.undecided else np.empty(0)

    def points(self, name) -> tuple[np.ndarray, np.ndarray]:
        """The steps at which a finite value was logged under this name, and the values.   name: that of a loss or a metric."""
        rows = self.losses if any(name in r for r in self.losses) else self.measured
        found = [(r["step"], r[name]) for r in rows if isinstance(r.get(name), int | float) and math.isfinite(r[name])]
        steps, values = np.array(found, np.float64).reshape(-1, 2).T
        return steps, values

    def __getitem__(self, name) -> np.ndarray:
        """The finite values that were logged under this name, in order."""
        return self.points(name)[1]

    # ---- what the system is, and accepts -----------------------------------------------------------------------------

    @cached_property
    def undecided(self) -> float | None:
        """D's loss when it cannot tell real from fake."""
        if self.system is None:
            return OBJECTIVES[self.objective].undecided if self.objective in OBJECTIVES else None
        return getattr(self._now[0], "undecided", None)

    @cached_property
    def _now(self):
        return self._build({})

    def _build(self, changes) -> tuple[Any, set[str]]:
        """The game with these changes, and the warnings about it.   None for the game if the system does not accept them."""
        known = self.system.settings
        own = {name: value for name, value in self.settings.items() if name in known}
        try:
            with warnings.catch_warnings(record=True) as told, using(Streams(0)):
                warnings.simplefilter("always")
                values = self.system.configure(own | changes, self.data)
                idle = self.system.idle(values, changes)
                return (None if idle else self.system.build(values, self.data)), {str(w.message) for w in told}
        except Exception:  # a system of the user's own may raise anything; then these changes are no advice
            return None, set()

    def accepts(self, changes) -> bool:
        """Does the system accept these changes, without a new warning, and does each of them change something?"""
        if any(name not in self.settings or self.settings[name] == value for name, value in changes.items()):
            return False
        if self.system is None:
            return True
        key = tuple(changes.items())
        if key not in self._accepted:  # several rules look at the same trial
            game, told = self._build(changes)
            self._accepted[key] = game is not None and told <= self._now[1]
        return self._accepted[key]

    def advice(self, trials, lead="try", most=3) -> str:
        """The trials as text, without those that the system does not accept."""
        texts = []
        for trial in trials:
            changes = next((one for one in (trial.changes, *trial.instead) if one and self.accepts(one)), None)
            if changes and len(texts) < most:
                texts.append(self._text(changes) + (f" ({trial.why})" if trial.why else ""))
        if not texts:
            return "change the nets, the losses or the data: no setting is known to help here"
        return f"{lead} {' or '.join([', '.join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)}"

    def _text(self, changes):
        names = meant(self.system.settings if self.system else self.settings)
        short = {
            stem: changes[full[0]]
            for stem, full in names.items()
            if len(full) == 2 and all(name in changes for name in full) and changes[full[0]] == changes[full[1]]
        }
        long = {name: value for name, value in changes.items() if not any(name in names[stem] for stem in short)}
        spelled = lambda value: f"{value:g}" if isinstance(value, float) else word(value)
        return " ".join(f"--set {name}={spelled(value)}" for name, value in (short | long).items())

    # ---- learning rates ----------------------------------------------------------------------------------------------

    @property
    def rates(self) -> dict[str, float]:
        """{setting: learning rate}: every setting that is called lr, or lr_ and something."""
        return {
            name: value
            for name, value in self.settings.items()
            if (name == "lr" or name.startswith("lr_")) and isinstance(value, int | float) and not isinstance(value, bool)
        }

    def all_rates(self, factor) -> Trial:
        """All learning rates times a factor."""
        return Trial({name: times(value, factor) for name, value in self.rates.items() if value})

    def rate(self, name, factor) -> Trial:
        """One learning rate times a factor, or that of all players if no player has its own."""
        name = name if name in self.rates else "lr"
        return Trial({name: times(self.rates[name], factor)} if self.rates.get(name) else {})

    def rate_of(self, name, other, why) -> Trial:
        """The other player's learning rate."""
        return Trial({name: self.rates[other]} if name in self.rates and self.rates.get(other) else {}, why=why)

    # ---- evidence ----------------------------------------------------------------------------------------------------

    def evidence(self, *names) -> str:
        """The medians of these curves over the first and the last quarter, with the steps: "D: 1.30 in steps 10 to 100, 0.02 in
        steps 310 to 400 (medians)".   Curves that were not logged are left out."""
        texts = []
        for name in names:
            steps, values = self.points(name)
            part = max(1, len(values) // 4)
            if len(values) > 1:
                texts.append(
                    f"{name}: {_n(first(values))} in {_steps(steps[:part])}, {_n(last(values))} in {_steps(steps[-part:])}"
                )
            elif len(values):
                texts.append(f"{name}: {_n(values[0])} in {_steps(steps)}")
        return f"{'; '.join(texts)} (medians)" if texts else "the log has no curve of it"


def times(value, factor) -> float:
    """A setting times a factor, with two digits."""
    return float(f"{value * factor:.2g}")


def first(values) -> float:
    """Median of the first quarter."""
    return float(np.median(values[: max(1, len(values) // 4)]))


def last(values) -> float:
    """Median of the last quarter."""
    return float(np.median(values[-max(1, len(values) // 4) :]))


def medians(values, parts=20) -> np.ndarray:
    """The medians of `parts` equal parts of the curve: its trend without the noise."""
    return np.array([np.median(part) for part in np.array_split(values, min(parts, len(values)))])


def diagnose(records: list[dict], settings: dict, system=None, data=None) -> list[Finding]:
    """Return the findings, the most serious first.  An empty list does not mean that the samples are good, only that no rule
    found a fault.

    records: the list that Run.read_log returns.   settings: {name: value}; rules skip settings that are missing.
    system, data: the run's System, and its data set or Description.  Without them, advice is about any of the settings.
    """
    curves = Curves(records, settings, system, getattr(data, "description", data))
    found = [finding for finding in (rule(curves) for rule in RULES) if finding]
    for cause, effects in CAUSES.items():
        if any(finding.name == cause for finding in found):
            return [finding for finding in found if finding.name in (cause, *effects)]
    return found


def of(run, system) -> list[Finding]:
    """The findings of a Run (folder.py), as `diagnose` returns them.   system: its System (systems/registry.py)."""
    settings = {name: value for name, value in run.config.items() if name not in DATA}
    return diagnose(run.read_log(), settings, system, Description(run.config["data"], fields(run.config)))


# ---- the rules ---------------------------------------------------------------------------------------------------------


def _n(value):
    """A number in a readable format."""
    return f"{value:.2f}" if 0.01 <= abs(value) < 1000 else "0" if value == 0 else f"{value:.1e}"


def _steps(steps):
    return f"step {steps[0]:,.0f}" if len(steps) == 1 else f"steps {steps[0]:,.0f} to {steps[-1]:,.0f}"


def not_finite(curves):
    """The run has stopped at a NaN or an infinity."""
    stopped = [r for r in curves.records if "not finite" in r]
    if stopped:
        where = stopped[-1]
        return Finding(
            "not finite",
            f"The run diverged: at step {where.get('step')} {where['not finite']}",
            curves.advice([curves.all_rates(0.1)], "try a smaller learning rate, such as"),
            curves.evidence(*curves.players, *(f"{player}.gradient" for player in curves.players)),
        )


def no_rate(curves):
    """A learning rate is 0, although the system's own is not."""
    own = vars(curves.system.configure(data=curves.data)) if curves.system else {}
    zero = [name for name, value in curves.rates.items() if value == 0 and own.get(name) != 0]
    if not zero:
        return None
    who = [f"{name[3:].upper() if len(name) == 4 else name[3:]}'s rate" if name != "lr" else "the rate" for name in zero]
    what = f"{' and '.join(who)} {'is' if len(zero) == 1 else 'are'} 0 ({', '.join(f'{name}=0' for name in zero)})"
    others = [value for value in curves.rates.values() if value] + [1e-3]
    back = {name: own[name] for name in zero if name in own}
    instead = tuple(dict.fromkeys(zero, value) for value in others)
    return Finding(
        "no rate",
        f"{what[0].upper()}{what[1:]}, so {'it learns' if len(zero) == 1 else 'they learn'} nothing",
        curves.advice([Trial(back or instead[0], instead)]),
        curves.evidence(*curves.players),
    )


def unbounded(curves):
    """Under the Wasserstein objective nothing bounds D's slope, so the scores have no scale."""
    if curves.objective != "wasserstein" or len(curves["D"]) < ENOUGH or len(curves["G"]) < ENOUGH:
        return None
    bound = [key for key in ("clip", "spectral_norm") if curves.settings.get(key)]
    if bound or curves.settings.get("penalty", "none") != "none":
        return None
    course = medians(np.abs(curves["G"]))
    if course[-1] > RUN_AWAY:
        bounds = ({"penalty": "wgan-gp"}, {"clip": 0.01}, {"spectral_norm": True})
        return Finding(
            "unbounded",
            f"D's scores grow without limit: G's loss has reached {_n(curves['G'][-1])}, because nothing bounds D's slope",
            curves.advice([Trial(bound) for bound in bounds], "set a bound:"),
            curves.evidence("D", "G"),
        )


def runaway(curves):
    """The losses are far above those of an undecided or fooled player: the steps are too long."""
    if len(curves.d) < ENOUGH or not len(curves["G"]):
        return None
    d, g = last(curves.d), last(np.abs(curves["G"]))
    if max(d, np.median(curves.d)) > 5 * curves.undecided or g > RUN_AWAY:
        return Finding(
            "runaway",
            f"The losses are far too large: D's is {_n(d)} and G's is {_n(g)}, but an undecided D pays "
            f"only {_n(curves.undecided)}",
            curves.advice([curves.all_rates(0.1)], "the steps are too long; try"),
            curves.evidence(curves.d_name, "G"),
        )


def no_code(curves):
    """A VAE's code says nothing about the sample: the KL has fallen to 0 (posterior collapse)."""
    beta = curves.settings.get("beta")
    if len(curves.players) != 1 or not beta:
        return None
    name = f"{curves.players[0]}.kl"
    if len(curves[name]) < ENOUGH or last(curves[name]) / beta > NO_CODE:
        return None
    if beta <= 1 and last(curves[name]) > 2 * first(curves[name]):  # it is small, but the code is only learned late
        return None
    smaller = Trial({"beta": 1.0 if beta > 1 else times(beta, 0.1)}, ({"beta": times(beta, 0.1)},))
    return Finding(
        "posterior collapse",
        f"The code says nothing about the sample: its KL is {_n(last(curves[name]) / beta)} nats, so the decoder ignores it "
        f"(posterior collapse; beta={beta:g} weighs the KL)",
        curves.advice([smaller], "give the KL less weight:"),
        curves.evidence(name, f"{curves.players[0]}.reconstruction", "diversity"),
    )


def collapse(curves):
    """All samples look nearly the same."""
    values = curves["diversity"]
    if len(values) >= 4 and last(values) < COLLAPSED and not no_code(curves):
        trials = [Trial({"minibatch": True}), curves.rate("lr_g", 0.25)]
        if curves.settings.get("penalty", "none") == "none":
            trials.insert(0, SLOPE)
        if len(curves.players) == 1 and (curves.settings.get("beta") or 0) > 1:
            trials.insert(0, Trial({"beta": 1.0}))
        return Finding(
            "collapse",
            f"G draws nearly the same sample for every z: two of its samples differ only "
            f"{last(values):.2f} times as much as two real ones",
            curves.advice(trials) + _other_system(curves),
            curves.evidence("diversity", *curves.players),
        )


def _other_system(curves):
    """ ", or the system wgan-gp", if that is another system and learns these data."""
    if curves.system is None or curves.data is None or len(curves.players) < 2:
        return ""
    better, one = registry.get("wgan-gp"), curves.system
    while one is not None:
        if one.name == better.name:
            return ""
        one = one.ancestor
    return f", or the system {better.name}" if isinstance(curves.data.x, better.kinds) else ""


def scattered(curves):
    """The samples are much farther apart than real ones, and D does not correct this."""
    values = curves["diversity"]
    if len(values) >= 4 and last(values) > 5 and not runaway(curves):
        d, g = curves.rates.get("lr_d", 0), curves.rates.get("lr_g", 0)
        stronger = [curves.rate_of("lr_d", "lr_g", "a stronger D: G's own rate")] if d < g else []
        return Finding(
            "scattered",
            f"G's samples are scattered: two of them are {_n(last(values))} times as far apart as two "
            "real ones, and D does not correct this",
            curves.advice([curves.rate("lr_g", 0.1), *stronger]),
            curves.evidence("diversity", curves.d_name or "D"),
        )


def hopping(curves):
    """G jumps from some modes to others: the diversity of its samples goes up and down by large factors."""
    steps, values = curves.points("diversity")
    if len(values) < 8 or len(curves.players) < 2 or runaway(curves) or scattered(curves) or collapse(curves):
        return None
    later = values[len(values) // 4 :]
    changes = np.diff(np.log(np.maximum(later, 1e-3)))
    if np.median(np.abs(changes)) < HOPS or min((changes > 0).sum(), (changes < 0).sum()) < 2:
        return None
    d, g = curves.rates.get("lr_d", 0), curves.rates.get("lr_g", 0)
    trials = [curves.rate_of("lr_g", "lr_d", "D's own rate")] if g > d else []
    trials += [SLOPE] if curves.settings.get("penalty", "none") == "none" else []
    trials += [curves.all_rates(0.25)] if g == d else [curves.rate("lr_g", 0.25)]
    listed = ", ".join(f"{value:.2f}" for value in values[-6:])
    return Finding(
        "mode hopping",
        f"G hops between modes: the diversity of its samples jumps between {later.min():.2f} and {later.max():.2f}, so it "
        "draws some of the modes at one time and others at another",
        curves.advice([*trials, Trial({"minibatch": True})]),
        f"diversity in the last 6 measurements, up to step {steps[-1]:,.0f}: {listed}",
    )


def d_wins(curves):
    """D tells real from fake almost without error."""
    if len(curves.d) < ENOUGH or last(curves.d) > 0.05 * curves.undecided or runaway(curves):
        return None
    gradient, trials = curves["G.gradient"], []
    vanished = len(gradient) >= ENOUGH and last(gradient) < 0.01 * medians(gradient).max()
    then = f"G's gradient has vanished ({_n(last(gradient))})" if vanished else f"G's is {_n(last(curves['G']))}"
    if curves.objective == "minimax":
        trials.append(Trial({"objective": "non-saturating"}, why="its gradient does not vanish when D is sure"))
    if curves.rates.get("lr_d", 0) > curves.rates.get("lr_g", 0):
        trials.append(curves.rate_of("lr_d", "lr_g", "G's own rate"))
    trials += [curves.rate("lr_d", 0.25)] if not trials or not trials[-1].changes.get("lr_d") else []
    if (curves.settings.get("d_steps") or 1) > 1:
        trials.append(Trial({"d_steps": 1}))
    if curves.settings.get("penalty", "none") == "none":
        trials.append(SLOPE)
    if not curves.settings.get("instance_noise"):
        trials.append(Trial({"instance_noise": 0.2}))
    return Finding(
        "D wins",
        f"D wins: its loss is {_n(last(curves.d))} and {then}",
        curves.advice(trials),
        curves.evidence(curves.d_name, "G", "G.gradient"),
    )


def _never_told(curves):
    """Was D's loss never clearly below that of an undecided D?"""
    return medians(curves.d).min() > 0.97 * curves.undecided


def _alike(curves):
    """Are the samples as different from each other as real ones?   Then D cannot tell, because G was quick to learn."""
    values = curves["diversity"]
    return len(values) >= 4 and 0.8 < last(values) < 1.25


def g_wins(curves):
    """D is wrong more often than right, or it has never told real from fake."""
    if len(curves.d) < ENOUGH or runaway(curves) or oscillation(curves):
        return None
    if last(curves.d) > 1.1 * curves.undecided:
        what = f"G wins: D's loss is {_n(last(curves.d))}, more than the {_n(curves.undecided)} of an undecided D"
    elif _never_told(curves) and not _alike(curves):
        what = (
            f"D never told real from fake: its loss was never below {_n(medians(curves.d).min())}, and an undecided D pays "
            f"{_n(curves.undecided)}; G cannot learn from such a D"
        )
    else:
        return None
    slower = curves.rates.get("lr_d", 0) < curves.rates.get("lr_g", 0)
    faster = curves.rate_of("lr_d", "lr_g", "G's own rate") if slower else curves.rate("lr_d", 4)
    more = Trial({"d_steps": 2 * (curves.settings.get("d_steps") or 1)})
    return Finding("G wins", what, curves.advice([faster, more], "make D stronger:"), curves.evidence(curves.d_name, "G"))


def vanished(curves):
    """G's gradient is nearly 0, although D has not won."""
    gradient = curves["G.gradient"]
    if len(gradient) < ENOUGH or d_wins(curves):
        return None
    now, most = last(gradient), medians(gradient).max()
    if now < max(1e-3 * most, NO_GRADIENT):
        clip = curves.settings.get("clip")
        other = Trial({"clip": times(clip, 10)}, why="a wider clip") if clip else curves.rate("lr_d", 0.25)
        return Finding(
            "vanished",
            f"G learns nothing: its gradient is {_n(now)} (the largest was {_n(most)}), so D's scores "
            "hardly depend on the samples",
            curves.advice([other, Trial({"objective": "non-saturating"}) if curves.objective == "minimax" else Trial({})]),
            curves.evidence("G.gradient", "D"),
        )


def oscillation(curves):
    """The players take turns at winning: D is fooled, recovers, and is fooled again."""
    if len(curves.d) < 2 * ENOUGH or runaway(curves):
        return None
    if _never_told(curves):  # such a D never wins, so nobody takes turns
        return None
    times, fooled = 0, False
    levels = medians(curves.d[len(curves.d) // 2 :])
    for level in levels / curves.undecided:
        if level > 1.25 and not fooled:
            times, fooled = times + 1, True
        elif level < 1.1:
            fooled = False
    if times >= 3:
        trials = [curves.all_rates(0.1), Trial({"beta1": 0.5} if (curves.settings.get("beta1") or 0) > 0.5 else {})]
        if curves.settings.get("penalty", "none") == "none":
            trials.insert(1, SLOPE)
        return Finding(
            "oscillation",
            f"D and G take turns at winning: in the second half D's loss rose {times} times far "
            f"above the {_n(curves.undecided)} of an undecided D and fell again",
            curves.advice(trials),
            f"{curves.d_name} in {len(levels)} parts of the second half (medians): {', '.join(map(_n, levels))}",
        )


def rising(curves):
    """The loss of a player without an opponent should fall, but it rises again."""
    if len(curves.players) != 1 or len(curves[curves.players[0]]) < 2 * ENOUGH:
        return None
    course = medians(curves[curves.players[0]])
    gained, lost = first(course) - course.min(), course[-1] - course.min()  # a median: the very first loss may be an outlier
    if lost > max(0.5 * gained, 0.05 * abs(course.min())):
        return Finding(
            "rising",
            f"The loss rises: it was {_n(course.min())} and is {_n(course[-1])} at the end",
            curves.advice([curves.all_rates(0.25)], "try a smaller learning rate, such as"),
            curves.evidence(curves.players[0]),
        )


RULES = (
    not_finite,
    no_rate,
    unbounded,
    runaway,
    d_wins,
    g_wins,
    vanished,
    oscillation,
    hopping,
    rising,
    no_code,
    collapse,
    scattered,
)
# A cause, and the findings that are still worth telling beside it.  What else a rule finds then is an effect of the cause.
CAUSES = {"no rate": ("not finite",), "not finite": ("unbounded",)}
