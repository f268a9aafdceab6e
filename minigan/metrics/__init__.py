"""Judges of samples: functions on arrays that say how good generated samples are.

table.py        every metric by name, with what it needs; evaluate, default_metrics
modes.py        modes of a mixture captured                     distances.py    energy distance, diversity
inception.py    Inception Score                                 frechet.py      Frechet distance
kernel.py       kernel distance (KID)                           neighbours.py   precision, recall, memorisation, duplicates
two_sample.py   classifier two-sample test                      likelihood.py   ELBO, importance-weighted bound
image.py        PSNR, SSIM                                      digitnet.py     the project's own small digit classifier
                                                                (train_digitnet.py is the script that made it)
All but digitnet.py and table.py take any arrays (N, d): bring the features of your own network.
"""

from minigan.metrics.digitnet import agreement, classify, digit_report, features
from minigan.metrics.distances import diversity, energy_distance
from minigan.metrics.frechet import frechet_distance, gaussian_distance
from minigan.metrics.image import psnr, ssim
from minigan.metrics.inception import inception_score
from minigan.metrics.kernel import kernel_distance, polynomial_mmd
from minigan.metrics.likelihood import bits_per_dimension, elbo, gaussian_kl, iwae_bound
from minigan.metrics.modes import ModeReport, mode_report
from minigan.metrics.neighbours import density_coverage, duplicates, memorisation, precision_recall, support_size
from minigan.metrics.table import METRICS, OF_SYSTEMS, default_metrics, evaluate, find, merit, resolve, samples_needed
from minigan.metrics.two_sample import TwoSample, two_sample_test

__all__ = [
    "METRICS", "ModeReport", "TwoSample", "agreement", "bits_per_dimension", "classify", "default_metrics", "density_coverage",
    "digit_report", "diversity", "duplicates", "elbo", "energy_distance", "evaluate", "features", "find", "frechet_distance",
    "gaussian_distance", "gaussian_kl", "inception_score", "iwae_bound", "kernel_distance", "memorisation", "merit",
    "mode_report", "polynomial_mmd", "precision_recall", "psnr", "resolve", "samples_needed", "ssim", "support_size",
    "two_sample_test"]


def __dir__():
    return __all__
