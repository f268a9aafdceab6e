"""Which modes of a known mixture of Gaussians do the samples reach?

mode_report     captured modes, high-quality share, reverse KL, fair modes                 MODES       the same as a metric
Elsewhere: a measure for densities without centres, `energy_distance` in distances.py.
"""

from dataclasses import dataclass

import numpy as np

from minigan.errors import ShapeError
from minigan.metrics.checks import pair
from minigan.metrics.distances import nearest
from minigan.metrics.metric import Metric, Needs, Number


@dataclass(frozen=True)
class ModeReport:
    """captured: number of modes with at least one high-quality sample;   modes: the number of all modes (K)
    high_quality: share of the samples within 3 std of their nearest centre (98.9 % for a perfect generator in the plane)
    reverse_kl: KL(samples || uniform) = sum of q_k ln(q_k K) over the modes, in nats; q_k is the share of all samples whose
                nearest centre is k.  It is 0 if all q_k are equal, and ln K if all samples are in one mode
    fair: number of modes with at least 1/4 of the fair number N / K of high-quality samples
    shares (K,): high-quality samples of each mode, as a share of all samples
    """

    captured: int
    modes: int
    high_quality: float
    reverse_kl: float
    fair: int
    shares: np.ndarray

    def __str__(self):
        return (
            f"{self.captured} of {self.modes} modes, {self.fair} of them fairly; {self.high_quality:.1%} high quality, "
            f"reverse KL {self.reverse_kl:.2f} nats"
        )


def mode_report(samples, centres, std: float) -> ModeReport:
    """Count the modes.   samples (N, d), centres (K, d), std: the standard deviation of every mode.

    "Captured" depends on N, since one sample is enough.  Published counts use 2,500 samples (VEEGAN: Srivastava et al. 2017,
    section 4.1; PacGAN: Lin et al. 2018, section 4.1).   ShapeError for no samples, or centres of another dimension.
    """
    samples, centres = pair(samples, centres, "mode_report")
    if not 0 < std < np.inf:
        raise ShapeError(f"mode_report: std must be positive, got {std}")
    distance, mode = (array[:, 0] for array in nearest(samples, centres))
    N, K = len(samples), len(centres)
    good = np.bincount(mode[distance <= 3 * std], minlength=K)
    q = np.bincount(mode, minlength=K) / N
    reached = q[q > 0]
    return ModeReport(
        captured=int((good > 0).sum()),
        modes=K,
        high_quality=float(good.sum() / N),
        reverse_kl=max(0.0, float((reached * np.log(reached * K)).sum())),
        fair=int((good >= N / K / 4).sum()),
        shares=good / N,
    )


def _modes(seen):
    # The count grows with the number of samples, so we always use the papers' number.
    report = mode_report(seen.samples[:2500], seen.dataset.centres, seen.dataset.std)
    return {
        "modes": report.captured,
        "high-quality": report.high_quality,
        "reverse-kl": report.reverse_kl,
        "fair-modes": report.fair,
    }


MIXTURE = Needs(
    "a mixture",
    "it counts the modes of a mixture with known centres, such as ring8 or grid25",
    lambda data: getattr(data, "centres", None) is not None,
)
MODES = Metric(
    "modes",
    [
        Number("modes", "higher", "number of modes with one of 2,500 samples within 3 std"),
        Number("high-quality", "higher", "share of the samples within 3 std of a mode"),
        Number("reverse-kl", "lower", "KL(modes of samples || uniform)", "nats"),
        Number("fair-modes", "higher", "number of modes with at least 1/4 of their fair share of such samples"),
    ],
    _modes,
    MIXTURE,
    least=2500,
    summary="which modes of the mixture the first 2,500 samples reach",
)
