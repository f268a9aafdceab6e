"""Exercises of lesson 10: a draw that has a gradient, and the KL of a VAE."""

import numpy as np

import minigan as mg
from minigan.exercises import Exercise

_MEAN, _LOG_VAR, _E = [[1.0, -2.0]], [[0.0, 2 * np.log(3.0)]], [[0.5, -1.0]]  # standard deviations 1 and 3
_SQUARE = "log_var is the logarithm of the variance: the standard deviation is exp(log_var / 2)"


def _drawn(reparameterise):
    """z for the means 1 and -2, the standard deviations 1 and 3, the noise 0.5 and -1; then the slopes of their sum by mean and
    by log_var."""
    mean, log_var = (mg.tensor(values, dtype="float64", requires_grad=True) for values in (_MEAN, _LOG_VAR))
    z = reparameterise(mean, log_var, mg.tensor(_E, dtype="float64"))
    slopes = mg.grad(mg.sum(z), [mean, log_var])
    return [float(number) for part in (z, *slopes) for number in part.reshape(-1)]


def _divergence(kl_to_prior):
    """The KL of three pictures with means (1, 2), (0, 0), (0, 0) and variances (1, 1), (e, 1), (1, 1), then its slopes by the
    first mean and by the log-variance that is 1."""
    mean = mg.tensor([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]], dtype="float64", requires_grad=True)
    log_var = mg.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]], dtype="float64", requires_grad=True)
    value = kl_to_prior(mean, log_var)
    by_mean, by_log_var = mg.grad(value, [mean, log_var])
    return [float(value), float(by_mean[0, 0]), float(by_log_var[1, 0])]


_HALF_E = (np.e - 2) / 2  # the KL of N(0, e) to N(0, 1)
_NO_GRAPH = "compute with the Tensors: after numpy(), float() or detach() there is no graph, and the encoder cannot learn"

EXERCISES = [
    Exercise(
        name="10.1",
        title="A draw that has a gradient",
        text="Write z = m + sigma e: a draw from N(mean, exp(log_var)), made of noise e ~ N(0, 1) that is drawn already.  "
        "All three have the same shape.  The gradients must reach mean and log_var.",
        start='''def reparameterise(mean, log_var, e):
    """z = m + sigma e, differentiable by mean and log_var (Tensors)."""
    return None
''',
        through=_drawn,
        expected=[1.5, -5.0, 1.0, 1.0, 0.25, -1.5],
        atol=1e-9,
        usual=[
            ("leaves the graph", _NO_GRAPH),
            ("was not used to compute", "z must depend on both, mean and log_var: the spread is exp(log_var / 2), not 1"),
            ([1.5, -11.0], f"{_SQUARE}; here the noise is multiplied by the variance"),
            ([1.0, -2 - 2 * np.log(3)], f"{_SQUARE}; here the noise is multiplied by log_var itself"),
            ([1.5, -2 - np.sqrt(3)], "the square root is taken twice: sigma is exp(log_var / 2)"),
            ([1.0, -2 - np.log(3)], "the noise is multiplied by log_var / 2: the exponential is missing"),
            ([1.0, -2.0], "this is the mean: without the noise z is no draw"),
            ([0.5, -3.0], "the mean is missing: sigma e lies around 0"),
            ([2.0, 1.0], "the noise is missing: m + sigma is always the same number"),
            ([1.5, -7 / 3], "the sign of the exponent is wrong: a larger log_var must give a wider spread"),
        ],
        hints=[
            "The standard deviation is the square root of the variance, and log_var is the logarithm of the variance.",
            "A square root is half of a logarithm: sigma = exp(log_var / 2). Use mg.exp, so that the tape sees it.",
        ],
        answer="""def reparameterise(mean, log_var, e):
    return mean + mg.exp(0.5 * log_var) * e
""",
        wrong=[
            f"def reparameterise(mean, log_var, e):\n    return {wrong}\n"
            for wrong in (
                "mean + mg.exp(log_var) * e",
                "mean + log_var * e",
                "mean + mg.exp(0.25 * log_var) * e",
                "mean + 0.5 * log_var * e",
                "mean + e",
                "mean + 0 * log_var",
                "mg.exp(0.5 * log_var) * e + 0 * mean",
                "mean + mg.exp(0.5 * log_var)",
                "mean + mg.exp(-0.5 * log_var) * e",
                "mean.numpy() + np.exp(0.5 * log_var.numpy()) * e.numpy()",
            )
        ],
    ),
    Exercise(
        name="10.2",
        title="The KL of a VAE",
        text="Write KL( N(m, sigma^2) || N(0, I) ) in nats: the sum over the hidden numbers (axis 1), the mean over the "
        "pictures (axis 0).  mean and log_var are Tensors (pictures, hidden numbers).  The result is one number.",
        start='''def kl_to_prior(mean, log_var):
    """One number from mean and log_var, Tensors (pictures, hidden numbers)."""
    return None
''',
        through=_divergence,
        expected=[(2.5 + _HALF_E) / 3, 1 / 3, (np.e - 1) / 6],
        atol=1e-9,
        usual=[
            ("only a scalar has one gradient", "the result is one number: take the mean over the pictures"),
            ("'float' object is not iterable", _NO_GRAPH),
            (
                [(2.5 + _HALF_E) / 6],
                "this is a mean over the hidden numbers too; each of them costs its nats, so take their sum",
            ),
            ([2.5 + _HALF_E], "this is a sum over the pictures; take the mean over axis 0"),
            ([(5 + 2 * _HALF_E) / 3], "the half is missing: KL is 1/2 of the bracket"),
            ([-(2.5 + _HALF_E) / 3], "the sign is wrong: a KL is never negative"),
            ([(2.5 + (np.e - 1) / 2) / 3], "-log_var is missing: without it the cheapest guess would have no width at all"),
            ([(2.5 + (np.exp(0.5) - 2) / 2) / 3], "the formula holds the variance, exp(log_var), not the standard deviation"),
            ([(1.5 + _HALF_E) / 3], "the mean must be squared"),
            ([_HALF_E / 3], "the mean is missing: a guess far from 0 costs more"),
            ([2.5 / 3], "only the means cost something here; a guess that is too wide or too narrow costs too"),
        ],
        hints=[
            "In one dimension: KL( N(m, v) || N(n, w) ) = ( (v + (m - n)^2) / w - 1 - ln(v / w) ) / 2.  Put n = 0, w = 1.",
            "v is mg.exp(log_var), and ln v is log_var. First mg.sum(..., axis=1), then mg.mean.",
        ],
        answer="""def kl_to_prior(mean, log_var):
    return mg.mean(mg.sum(0.5 * (mg.square(mean) + mg.exp(log_var) - 1 - log_var), axis=1))
""",
        wrong=[
            f"def kl_to_prior(mean, log_var):\n    return {wrong}\n"
            for wrong in (
                "mg.mean(0.5 * (mean**2 + mg.exp(log_var) - 1 - log_var))",
                "mg.sum(0.5 * (mean**2 + mg.exp(log_var) - 1 - log_var))",
                "mg.sum(0.5 * (mean**2 + mg.exp(log_var) - 1 - log_var), axis=1)",
                "mg.mean(mg.sum(mean**2 + mg.exp(log_var) - 1 - log_var, axis=1))",
                "-mg.mean(mg.sum(0.5 * (mean**2 + mg.exp(log_var) - 1 - log_var), axis=1))",
                "mg.mean(mg.sum(0.5 * (mean**2 + mg.exp(0.5 * log_var) - 1 - log_var), axis=1))",
                "mg.mean(mg.sum(0.5 * (mean + mg.exp(log_var) - 1 - log_var), axis=1))",
                "mg.mean(mg.sum(0.5 * (0 * mean + mg.exp(log_var) - 1 - log_var), axis=1))",
                "mg.mean(mg.sum(0.5 * mean**2 + 0 * log_var, axis=1))",
                "mg.mean(mg.sum(0.5 * (mean**2 + mg.exp(log_var) - 1), axis=1))",
                "float(mg.mean(mg.sum(0.5 * (mean**2 + mg.exp(log_var) - 1 - log_var), axis=1)))",
            )
        ],
    ),
]
