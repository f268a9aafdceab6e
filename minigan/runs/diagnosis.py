"""What the curves of a run say, in plain words, and what to try.

diagnose    log records and settings -> findings, none for a run without a complaint        Finding     what, and advice
Each rule below is one way for a run to fail.  A rule must stay silent in a healthy run: losses of a GAN are noisy and need
not fall, so a rule looks at medians over a quarter of the run and asks for much, and what an objective's losses do not
tell (Wasserstein's have no level that means anything) it does not ask.  Tested on recorded failures and healthy runs.
"""

import math
from dataclasses import dataclass

import numpy as np

from minigan.runs.hooks import COLLAPSED

# D's loss when it says nothing: to every sample 0, for least squares 1/2.
UNDECIDED = {"minimax": 2 * math.log(2), "non-saturating": 2 * math.log(2), "relativistic": 2 * math.log(2),
             "least-squares": 0.25, "hinge": 2.0}
RUN_AWAY = 100  # a loss of G: D's logits are then 100 and more, where sigmoid and hinge are sure at 10
NO_GRADIENT = 1e-5  # of 10,000 parameters or more: 1e-7 each, near the 1e-8 that Adam and RMSprop divide by at least
ENOUGH = 20  # records; fewer say nothing about a course


@dataclass(frozen=True)
class Finding:
    """name: of the rule;   what: was seen, with the numbers;   advice: what to try."""

    name: str
    what: str
    advice: str


class Curves:
    """The log as arrays, and the settings.   d: D's loss on real and fake, without penalties, where its level means
    something."""

    def __init__(self, records, settings):
        self.records, self.settings = records, settings
        rows = [r for r in records if isinstance(r.get("step"), int | float)]
        self.losses = [r for r in rows if any(isinstance(v, int | float) for k, v in r.items() if k != "step")]
        self.objective = settings.get("objective")
        self.undecided = UNDECIDED.get(self.objective)
        names = {key for r in self.losses for key in r}
        self.players = sorted(name for name in names if f"{name}.gradient" in names)
        total = "D" if not any(n.startswith("D.") and n not in ("D.gradient", "D.lr") for n in names) else None
        self.d = self["D.adversarial" if "D.adversarial" in names else total] if self.undecided else np.empty(0)

    def __getitem__(self, name) -> np.ndarray:
        """The values of a number of the log, those that are not finite left out."""
        values = [r[name] for r in self.losses if isinstance(r.get(name), int | float) and math.isfinite(r[name])]
        return np.array(values, np.float64)

    def metric(self, name) -> np.ndarray:
        """The values of a metric."""
        values = [r["metrics"][name] for r in self.records if isinstance(r.get("metrics"), dict) and name in r["metrics"]]
        return np.array([v for v in values if isinstance(v, int | float)], np.float64)


def first(values) -> float:
    """Median of the first quarter."""
    return float(np.median(values[: max(1, len(values) // 4)]))


def last(values) -> float:
    """Median of the last quarter."""
    return float(np.median(values[-max(1, len(values) // 4):]))


def medians(values, parts=20) -> np.ndarray:
    """Medians of `parts` stretches: the course without the noise."""
    return np.array([np.median(part) for part in np.array_split(values, min(parts, len(values)))])


def diagnose(records: list[dict], settings: dict) -> list[Finding]:
    """The findings, the gravest first; an empty list says that no rule has a complaint, not that the samples are good.

    records: as Run.read_log gives them.   settings: by name; what is missing is not judged.
    """
    curves = Curves(records, settings)
    findings = [rule(curves) for rule in RULES]
    found = [finding for finding in findings if finding]
    if any(f.name == "not finite" for f in found):
        return [f for f in found if f.name in ("not finite", "unbounded")]
    return found


# ---- the rules ---------------------------------------------------------------------------------------------------------


def _rates(curves, factor):
    """--set for all learning rates times a factor."""
    rates = [(key, value) for key, value in curves.settings.items() if key in ("lr", "lr_d", "lr_g")]
    if len({value for _, value in rates}) == 1:
        rates = [("lr", rates[0][1])]
    return " ".join(f"--set {key}={value * factor:.2g}" for key, value in rates)


def _one_rate(curves, name, factor):
    value = curves.settings.get(name)
    return f"--set {name}={value * factor:.2g}" if value else f"another {name}"


def _n(value):
    """A number as one reads it."""
    return f"{value:.2f}" if 0.01 <= abs(value) < 1000 else f"{value:.1e}"


def not_finite(curves):
    """The run has stopped at a NaN or an infinity."""
    stopped = [r for r in curves.records if "not finite" in r]
    if stopped:
        where = stopped[-1]
        return Finding("not finite", f"The run diverged: at step {where['step']} {where['not finite']}",
                       f"try a smaller learning rate, such as {_rates(curves, 0.1)}".rstrip())


def unbounded(curves):
    """Wasserstein without a bound on D's slope: the scores have no scale."""
    if curves.objective != "wasserstein" or len(curves["D"]) < ENOUGH:
        return None
    bound = [key for key in ("clip", "spectral_norm") if curves.settings.get(key)]
    if bound or curves.settings.get("penalty", "none") != "none":
        return None
    course = medians(np.abs(curves["G"]))
    if course[-1] > RUN_AWAY:
        return Finding("unbounded", f"D's scores have no end: G's loss has reached {_n(curves['G'][-1])}, since nothing bounds "
                       "D's slope", "set a bound: --set penalty=wgan-gp, --set clip=0.01 or --set spectral_norm=true")


def runaway(curves):
    """Losses far beyond what any undecided or fooled player pays: the steps are too long."""
    if len(curves.d) < ENOUGH:
        return None
    d, g = last(curves.d), last(np.abs(curves["G"]))
    if max(d, np.median(curves.d)) > 5 * curves.undecided or g > RUN_AWAY:
        return Finding("runaway", f"The losses have run away: D's is {_n(d)} and G's {_n(g)}, where a D that says nothing pays "
                       f"{_n(curves.undecided)}", f"the steps are too long; try {_rates(curves, 0.1)}".rstrip())


def collapse(curves):
    """The samples look alike."""
    values = curves.metric("diversity")
    if len(values) >= 4 and last(values) < COLLAPSED:
        tried = curves.settings
        advice = [text for text, used in (
            ("--set penalty=r1", tried.get("penalty", "none") != "none"), ("--set minibatch=true", tried.get("minibatch")),
            (_one_rate(curves, "lr_g", 0.25), False)) if not used]
        return Finding("collapse", f"G draws nearly the same sample for every z: two of its samples differ {last(values):.2f} "
                       "times as much as two real ones", f"try {' or '.join(advice)}, or the system wgan-gp")


def scattered(curves):
    """The samples fly apart: nothing brings G back."""
    values = curves.metric("diversity")
    if len(values) >= 4 and last(values) > 5 and not runaway(curves):
        return Finding("scattered", f"G's samples are scattered: two of them are {_n(last(values))} times as far apart as two "
                       "real ones, and D does not bring them back", f"try {_one_rate(curves, 'lr_g', 0.1)}, or give D more: "
                       f"--set lr_d={curves.settings.get('lr_g') or 1e-3:.2g}")


def d_wins(curves):
    """D tells real from fake almost without error."""
    if len(curves.d) < ENOUGH or last(curves.d) > 0.05 * curves.undecided or runaway(curves):
        return None
    gradient, advice = curves["G.gradient"], []
    vanished = len(gradient) >= ENOUGH and last(gradient) < 0.01 * medians(gradient).max()
    then = f"G's gradient has vanished ({_n(last(gradient))})" if vanished else f"G's is {_n(last(curves['G']))}"
    if curves.objective == "minimax":
        advice.append("--set objective=non-saturating, whose gradient does not vanish when D is sure")
    if (curves.settings.get("lr_d") or 0) > (curves.settings.get("lr_g") or 0):
        advice.append(f"--set lr_d={curves.settings['lr_g']:.2g}, G's own rate")
    else:
        advice.append(_one_rate(curves, "lr_d", 0.25))
    if curves.settings.get("d_steps", 1) > 1:
        advice.append("--set d_steps=1")
    if curves.settings.get("penalty", "none") == "none":
        advice.append("--set penalty=r1 (with norm_d=none or layer)")
    if not curves.settings.get("instance_noise"):
        advice.append("--set instance_noise=0.2")
    return Finding("D wins", f"D wins: its loss is {_n(last(curves.d))} and {then}", f"try {' or '.join(advice[:3])}")


def _never_told(curves):
    """Was D's loss always about that of a D that says nothing, or above?"""
    return medians(curves.d).min() > 0.97 * curves.undecided


def g_wins(curves):
    """D is wrong more often than right, or has never told real from fake at all."""
    if len(curves.d) < ENOUGH or runaway(curves) or oscillation(curves):
        return None
    if last(curves.d) > 1.1 * curves.undecided:
        what = f"G wins: D's loss is {_n(last(curves.d))}, more than the {_n(curves.undecided)} of a D that says nothing"
    elif _never_told(curves):
        what = (f"D never told real from fake: its loss was never below {_n(medians(curves.d).min())}, and "
                f"{_n(curves.undecided)} is what a D pays that says nothing; such a D has nothing to teach G")
    else:
        return None
    rates = curves.settings.get("lr_d"), curves.settings.get("lr_g")
    if all(rates) and rates[0] < rates[1]:
        advice = f"--set lr_d={rates[1]:.2g}, G's own rate"
    else:
        advice = _one_rate(curves, "lr_d", 4)
    return Finding("G wins", what, f"give D more: {advice} or --set d_steps={2 * curves.settings.get('d_steps', 1)}")


def vanished(curves):
    """G's gradient is gone although D has not won."""
    gradient = curves["G.gradient"]
    if len(gradient) < ENOUGH or d_wins(curves):
        return None
    now, most = last(gradient), medians(gradient).max()
    if now < max(1e-3 * most, NO_GRADIENT):
        clip = curves.settings.get("clip")
        other = f"a wider clip, --set clip={10 * clip:.2g}" if clip else _one_rate(curves, "lr_d", 0.25)
        return Finding("vanished", f"G learns nothing: its gradient is {_n(now)} (at most it was {_n(most)}), so D's scores "
                       "hardly depend on the samples", f"try {other}")


def oscillation(curves):
    """The players take turns at winning: D is fooled, again and again."""
    if len(curves.d) < 2 * ENOUGH or runaway(curves):
        return None
    if _never_told(curves):  # such a D takes no turn at winning
        return None
    times, fooled = 0, False
    for level in medians(curves.d[len(curves.d) // 2:]) / curves.undecided:
        if level > 1.25 and not fooled:
            times, fooled = times + 1, True
        elif level < 1.1:
            fooled = False
    if times >= 3:
        return Finding("oscillation", f"D and G take turns at winning: in the second half D's loss rose {times} times far "
                       f"above the {_n(curves.undecided)} of a D that says nothing, and fell again",
                       f"try {_rates(curves, 0.1)} or --set penalty=r1"
                       + (" or --set beta1=0.5" if curves.settings.get("beta1", 0) > 0.5 else ""))


def rising(curves):
    """A player without an opponent whose loss rises again: it should fall."""
    if len(curves.players) != 1 or len(curves[curves.players[0]]) < 2 * ENOUGH:
        return None
    course = medians(curves[curves.players[0]])
    gained, lost = first(course) - course.min(), course[-1] - course.min()  # not from its first value, which may be anything
    if lost > max(0.5 * gained, 0.05 * abs(course.min())):
        return Finding("rising", f"The loss rises: it was {_n(course.min())} and is {_n(course[-1])} at the end",
                       f"try a smaller learning rate, such as {_rates(curves, 0.25)}".rstrip())


RULES = (not_finite, unbounded, runaway, d_wins, g_wins, vanished, oscillation, rising, collapse, scattered)
