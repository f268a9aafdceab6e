"""Judges of samples: functions of arrays that measure how good generated samples are, and the metrics built on them.

metric.py       what a metric is, how a name finds it; evaluate
modes.py        captured modes of a mixture                     distances.py    energy distance, diversity
inception.py    Inception Score                                 frechet.py      Frechet distance
kernel.py       kernel distance (KID)                           neighbours.py   precision, recall, memorisation, duplicates
two_sample.py   classifier two-sample test                      likelihood.py   ELBO, importance-weighted bound
image.py        PSNR, SSIM                                      digitnet.py     the project's own small digit classifier
classnet.py     a net trained on the data's own classes         judges.py       what gives features and probabilities
checks.py       what all of them accept
The functions take any arrays (N, d), such as features from your own network.   Each file ends with its metrics: they have the
names that the command line knows, and say what data they need.   The end of a name says who judges: the project's own digit
classifier (-digits), a small net that is trained on the data's own classes (-classes), or features that you bring (-features).
Compare such numbers with each other, not with published values.   Elsewhere: metrics of one system only (in its file).
"""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
from minigan import moved
from minigan.metrics.classnet import CLASSES, ClassNet, ClassReport, class_net, class_report
from minigan.metrics.digitnet import DIGIT_REPORT, agreement, classify, digit_report, features
from minigan.metrics.distances import DIVERSITY, ENERGY, diversity, energy_distance
from minigan.metrics.frechet import FRECHET, frechet_distance, gaussian_distance
from minigan.metrics.image import psnr, ssim
from minigan.metrics.inception import INCEPTION, inception_score
from minigan.metrics.judges import JUDGES
from minigan.metrics.kernel import KERNEL, kernel_distance, polynomial_mmd
from minigan.metrics.likelihood import bits_per_dimension, elbo, gaussian_kl, iwae_bound
from minigan.metrics.metric import METRICS, Metric, Needs, Number, Results, enter, evaluate, find
from minigan.metrics.modes import MODES, ModeReport, mode_report
from minigan.metrics.neighbours import (
    DUPLICATES,
    INSIDE,
    MEMORISATION,
    PR_POINTS,
    density_coverage,
    duplicates,
    memorisation,
    precision_recall,
    support_size,
)
from minigan.metrics.two_sample import TWO_SAMPLE, TwoSample, two_sample_test

__all__ = [
    "METRICS", "ClassNet", "ClassReport", "Metric", "ModeReport", "Needs", "Number", "Results", "TwoSample", "agreement",
    "bits_per_dimension", "class_net", "class_report", "classify", "default_metrics", "density_coverage", "digit_report",
    "diversity", "duplicates", "elbo", "energy_distance", "enter", "evaluate", "features", "find", "frechet_distance",
    "gaussian_distance", "gaussian_kl", "inception_score", "iwae_bound", "kernel_distance", "memorisation", "mode_report",
    "polynomial_mmd", "precision_recall", "psnr", "ssim", "support_size", "two_sample_test"]

FAMILIES = {
    judge.name: [metric for every in (INCEPTION, FRECHET, KERNEL, INSIDE) for metric in every if metric.needs is judge.needs]
    for judge in JUDGES
}
# Features that the user brings come last: a name without its end means them only where nothing else fits.
enter(MODES, *FAMILIES["digits"], DIGIT_REPORT, *FAMILIES["classes"], CLASSES, ENERGY, PR_POINTS, TWO_SAMPLE, DIVERSITY,
      DUPLICATES, MEMORISATION, *FAMILIES["features"])
moved.guard(__name__)


def default_metrics(data) -> list[Metric]:
    """The metrics that fit a data set best: modes for mixtures, energy and pr-points for other points, those with -digits for
    digits, those with -classes for other pictures with labels, metrics on raw pixels for all other pictures (and memorisation,
    except for pairs), and none for sequences of tokens."""
    pixels = [TWO_SAMPLE, DIVERSITY, DUPLICATES] + [MEMORISATION] * (data.kinds["x"].word == "pictures")
    for metrics in ([MODES], [ENERGY, PR_POINTS], [*FAMILIES["digits"], DIGIT_REPORT],
                    [*FAMILIES["classes"], CLASSES, *pixels], pixels):
        if all(metric.needs.fits(data) for metric in metrics):
            return metrics
    return []


def __dir__():
    return __all__
