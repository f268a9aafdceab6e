"""What the curves of a run say, in plain words, and what to try.

diagnose    log records and settings -> a list of findings, empty when no rule finds a fault
Finding     what was seen, and advice

Each rule below detects one way in which a run can fail, and must stay silent in a healthy run.  A GAN's losses are noisy and
need not fall, so the rules compare medians over a quarter of the run and have wide thresholds.  Rules about the level of D's
loss apply only to objectives where that level has a meaning; for Wasserstein's it has none.  The tests use recorded logs of
failed and of healthy runs.
"""

import math
from dataclasses import dataclass

import numpy as np

from minigan.runs.hooks import COLLAPSED

# The loss of an undecided D: its output is 0 for every sample (1/2 for least squares).
UNDECIDED = {
    "minimax": 2 * math.log(2),
    "non-saturating": 2 * math.log(2),
    "relativistic": 2 * math.log(2),
    "least-squares": 0.25,
    "hinge": 2.0,
}
RUN_AWAY = 100  # G's loss; D's logits are then 100 or more, although sigmoid and hinge are saturated at 10
NO_GRADIENT = 1e-5  # norm over 10,000 parameters: 1e-7 for each, which is close to Adam's and RMSprop's eps of 1e-8
ENOUGH = 20  # records; with fewer, no trend can be seen


@dataclass(frozen=True)
class Finding:
    """name: the rule that found it.   what: what was seen, with numbers.   advice: what to try."""

    name: str
    what: str
    advice: str


class Curves:
    """The log as arrays, and the settings.

    d: D's loss on real and fake samples without penalties; empty for an objective whose loss level has no meaning."""

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
        """The finite values that were logged under this name, in order."""
        values = [r[name] for r in self.losses if isinstance(r.get(name), int | float) and math.isfinite(r[name])]
        return np.array(values, np.float64)

    def metric(self, name) -> np.ndarray:
        """The values of a metric that was measured during training, in order."""
        values = [r["metrics"][name] for r in self.records if isinstance(r.get("metrics"), dict) and name in r["metrics"]]
        return np.array([v for v in values if isinstance(v, int | float)], np.float64)


def first(values) -> float:
    """Median of the first quarter."""
    return float(np.median(values[: max(1, len(values) // 4)]))


def last(values) -> float:
    """Median of the last quarter."""
    return float(np.median(values[-max(1, len(values) // 4) :]))


def medians(values, parts=20) -> np.ndarray:
    """The medians of `parts` equal parts of the curve: its trend without the noise."""
    return np.array([np.median(part) for part in np.array_split(values, min(parts, len(values)))])


def diagnose(records: list[dict], settings: dict) -> list[Finding]:
    """Return the findings, the most serious first.  An empty list does not mean that the samples are good, only that no rule
    found a fault.

    records: the list that Run.read_log returns.   settings: {name: value}; rules skip settings that are missing.
    """
    curves = Curves(records, settings)
    findings = [rule(curves) for rule in RULES]
    found = [finding for finding in findings if finding]
    if any(f.name == "not finite" for f in found):
        return [f for f in found if f.name in ("not finite", "unbounded")]
    return found


# ---- the rules ---------------------------------------------------------------------------------------------------------


def _rates(curves, factor):
    """The --set options that multiply all learning rates by `factor`."""
    rates = [(key, value) for key, value in curves.settings.items() if key in ("lr", "lr_d", "lr_g")]
    if len({value for _, value in rates}) == 1:
        rates = [("lr", rates[0][1])]
    return " ".join(f"--set {key}={value * factor:.2g}" for key, value in rates)


def _one_rate(curves, name, factor):
    value = curves.settings.get(name)
    return f"--set {name}={value * factor:.2g}" if value else f"another {name}"


def _n(value):
    """A number in a readable format."""
    return f"{value:.2f}" if 0.01 <= abs(value) < 1000 else f"{value:.1e}"


def not_finite(curves):
    """The run has stopped at a NaN or an infinity."""
    stopped = [r for r in curves.records if "not finite" in r]
    if stopped:
        where = stopped[-1]
        return Finding(
            "not finite",
            f"The run diverged: at step {where['step']} {where['not finite']}",
            f"try a smaller learning rate, such as {_rates(curves, 0.1)}".rstrip(),
        )


def unbounded(curves):
    """Under the Wasserstein objective nothing bounds D's slope, so the scores have no scale."""
    if curves.objective != "wasserstein" or len(curves["D"]) < ENOUGH:
        return None
    bound = [key for key in ("clip", "spectral_norm") if curves.settings.get(key)]
    if bound or curves.settings.get("penalty", "none") != "none":
        return None
    course = medians(np.abs(curves["G"]))
    if course[-1] > RUN_AWAY:
        return Finding(
            "unbounded",
            f"D's scores grow without limit: G's loss has reached {_n(curves['G'][-1])}, because nothing bounds D's slope",
            "set a bound: --set penalty=wgan-gp, --set clip=0.01 or --set spectral_norm=true",
        )


def runaway(curves):
    """The losses are far above those of an undecided or fooled player: the steps are too long."""
    if len(curves.d) < ENOUGH:
        return None
    d, g = last(curves.d), last(np.abs(curves["G"]))
    if max(d, np.median(curves.d)) > 5 * curves.undecided or g > RUN_AWAY:
        return Finding(
            "runaway",
            f"The losses are far too large: D's is {_n(d)} and G's is {_n(g)}, but an undecided D pays "
            f"only {_n(curves.undecided)}",
            f"the steps are too long; try {_rates(curves, 0.1)}".rstrip(),
        )


def collapse(curves):
    """All samples look nearly the same."""
    values = curves.metric("diversity")
    if len(values) >= 4 and last(values) < COLLAPSED:
        tried = curves.settings
        advice = [
            text
            for text, used in (
                ("--set penalty=r1", tried.get("penalty", "none") != "none"),
                ("--set minibatch=true", tried.get("minibatch")),
                (_one_rate(curves, "lr_g", 0.25), False),
            )
            if not used
        ]
        return Finding(
            "collapse",
            f"G draws nearly the same sample for every z: two of its samples differ only "
            f"{last(values):.2f} times as much as two real ones",
            f"try {' or '.join(advice)}, or the system wgan-gp",
        )


def scattered(curves):
    """The samples are much farther apart than real ones, and D does not correct this."""
    values = curves.metric("diversity")
    if len(values) >= 4 and last(values) > 5 and not runaway(curves):
        return Finding(
            "scattered",
            f"G's samples are scattered: two of them are {_n(last(values))} times as far apart as two "
            "real ones, and D does not correct this",
            f"try {_one_rate(curves, 'lr_g', 0.1)}, or make D stronger: --set lr_d={curves.settings.get('lr_g') or 1e-3:.2g}",
        )


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
    """Was D's loss never clearly below that of an undecided D?"""
    return medians(curves.d).min() > 0.97 * curves.undecided


def g_wins(curves):
    """D is wrong more often than right, or it has never told real from fake."""
    if len(curves.d) < ENOUGH or runaway(curves) or oscillation(curves):
        return None
    if last(curves.d) > 1.1 * curves.undecided:
        what = f"G wins: D's loss is {_n(last(curves.d))}, more than the {_n(curves.undecided)} of an undecided D"
    elif _never_told(curves):
        what = (
            f"D never told real from fake: its loss was never below {_n(medians(curves.d).min())}, and an undecided D pays "
            f"{_n(curves.undecided)}; G cannot learn from such a D"
        )
    else:
        return None
    rates = curves.settings.get("lr_d"), curves.settings.get("lr_g")
    if all(rates) and rates[0] < rates[1]:
        advice = f"--set lr_d={rates[1]:.2g}, G's own rate"
    else:
        advice = _one_rate(curves, "lr_d", 4)
    return Finding("G wins", what, f"make D stronger: {advice} or --set d_steps={2 * curves.settings.get('d_steps', 1)}")


def vanished(curves):
    """G's gradient is nearly 0, although D has not won."""
    gradient = curves["G.gradient"]
    if len(gradient) < ENOUGH or d_wins(curves):
        return None
    now, most = last(gradient), medians(gradient).max()
    if now < max(1e-3 * most, NO_GRADIENT):
        clip = curves.settings.get("clip")
        other = f"a wider clip, --set clip={10 * clip:.2g}" if clip else _one_rate(curves, "lr_d", 0.25)
        return Finding(
            "vanished",
            f"G learns nothing: its gradient is {_n(now)} (the largest was {_n(most)}), so D's scores "
            "hardly depend on the samples",
            f"try {other}",
        )


def oscillation(curves):
    """The players take turns at winning: D is fooled, recovers, and is fooled again."""
    if len(curves.d) < 2 * ENOUGH or runaway(curves):
        return None
    if _never_told(curves):  # such a D never wins, so nobody takes turns
        return None
    times, fooled = 0, False
    for level in medians(curves.d[len(curves.d) // 2 :]) / curves.undecided:
        if level > 1.25 and not fooled:
            times, fooled = times + 1, True
        elif level < 1.1:
            fooled = False
    if times >= 3:
        return Finding(
            "oscillation",
            f"D and G take turns at winning: in the second half D's loss rose {times} times far "
            f"above the {_n(curves.undecided)} of an undecided D and fell again",
            f"try {_rates(curves, 0.1)} or --set penalty=r1"
            + (" or --set beta1=0.5" if curves.settings.get("beta1", 0) > 0.5 else ""),
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
            f"try a smaller learning rate, such as {_rates(curves, 0.25)}".rstrip(),
        )


RULES = (not_finite, unbounded, runaway, d_wins, g_wins, vanished, oscillation, rising, collapse, scattered)
