"""Inception Score, computed from the class probabilities of any classifier.

inception_score     exp(mean KL(p(y|x) || p(y)))         INCEPTION   the metrics is-digits, is-classes
"""

from typing import Any

import numpy as np

from minigan.data.base import whole
from minigan.errors import ShapeError
from minigan.metrics.checks import matrix
from minigan.metrics.judges import JUDGES
from minigan.metrics.metric import Judge, Metric, Number


def inception_score(probabilities, splits: int = 1, rng: int | np.random.Generator = 0) -> tuple[float, float]:
    """(mean, std) over the splits of exp( mean over x of KL(p(y|x) || p(y)) ),   p(y) = mean of p(y|x) over the split.

    probabilities (N, K), rows sum to 1.   The score is from 1 (all pictures have the same probabilities) to K (each picture is
    certain, and all K classes are equally frequent).   Rows are shuffled before they are split; if they were sorted by class,
    every split would look collapsed.   rng: a Generator or a seed.   Compare only scores of the same classifier and the same
    number of splits.   ShapeError for rows that are no probabilities, or fewer rows than splits.   Salimans et al. 2016,
    section 4.
    """
    p = matrix(probabilities, "inception_score")
    if p.min() < 0 or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise ShapeError(
            f"inception_score: each row must be probabilities that sum to 1, got sums from "
            f"{p.sum(axis=1).min():.3g} to {p.sum(axis=1).max():.3g}; pass logits through softmax first"
        )
    whole("splits", splits, "inception_score")
    if splits > len(p):
        raise ShapeError(f"inception_score: {len(p)} samples cannot be split into {splits}; splits is from 1 to that number")
    p = np.random.default_rng(rng).permutation(p)
    scores = [np.exp(_divergence(part, part.mean(axis=0)).mean()) for part in np.array_split(p, splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _divergence(p, q):
    """KL(p || q) of each row in nats: the sum over the classes, with 0 ln 0 = 0."""
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return (p * np.log(ratio)).sum(axis=1)


def inception(judge: Judge) -> Metric:
    """The metric is-NAME of a judge that knows classes."""
    name = f"is-{judge.name}"
    probabilities: Any = judge.probabilities  # it knows classes
    says = f"Inception Score by {judge.who}, from 1 to the number of classes, one split"
    measure = lambda seen: {name: inception_score(probabilities(seen)(seen.samples), rng=seen.rng)[0]}
    return judge.metric(name, [Number(name, "higher", says)], measure, least=1000)


INCEPTION = [inception(judge) for judge in JUDGES if judge.probabilities]
