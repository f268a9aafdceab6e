"""Exercises of lesson 11: the weight of a KL, and active units."""

import numpy as np

from minigan.exercises import Exercise


def weights(kl_weight):
    """The weights for 784 pixels and 20 hidden numbers: mean over pixels and sum over hidden numbers, sum and mean, both means,
    both sums."""
    kinds = (("mean", "sum"), ("sum", "mean"), ("mean", "mean"), ("sum", "sum"))
    return [float(kl_weight(784, 20, *kind)) for kind in kinds]


def counts(active_units):
    """Active units of three tables of means: each has columns that vary, that are constant but not 0, and that hardly vary."""
    rng = np.random.default_rng(0)
    spread = rng.standard_normal((400, 6)) * [1.0, 0.0, 0.08, 0.5, 0.0, 0.2] + [0.0, 3.0, 0.0, -1.0, 2.0, 0.0]
    return [float(active_units(table)) for table in (spread, spread[:, 1:3], spread[:, :4])]


EXERCISES = [
    Exercise(
        name="11.1",
        title="The weight of a KL",
        text="A VAE's loss adds squared errors and the KL.  Each is a sum or a mean: over the pixels, and over the hidden "
        "numbers.  Divide the loss by the scale of its first term: which weight has the KL then, if it is 1 for two sums?",
        start='''\
def kl_weight(pixels, hidden, over_pixels, over_hidden):
    """The weight of the KL.   pixels, hidden: how many;   over_pixels, over_hidden: "sum" or "mean"."""
    return None
''',
        through=weights,
        expected=[784.0, 0.05, 39.2, 1.0],
        atol=1e-9,
        hints=[
            "a mean is a sum divided by a number: write each case with sums, then multiply until the first term has no factor",
            "a mean over pixels makes the first term 784 times smaller, so beside it the KL is 784 times larger",
        ],
        answer="""\
def kl_weight(pixels, hidden, over_pixels, over_hidden):
    weight = pixels if over_pixels == "mean" else 1
    return weight / hidden if over_hidden == "mean" else weight
""",
        usual=[
            ([784.0, 20.0], "a mean over the hidden numbers makes the KL smaller, so its weight is divided by their number"),
            ([1 / 784, 20.0], "this is the weight of the squared errors; the KL's is its inverse"),
            ([1 / 784], "a mean over the pixels makes the squared errors smaller, so beside them the KL weighs more, not less"),
            ([20.0, 1 / 784], "pixels and hidden numbers are in each other's place"),
            ([784.0, 0.05, 784.0], "two means: divide by the number of hidden numbers as well"),
            ([784.0, 0.05, 1.0], "two means do not cancel: there are more pixels than hidden numbers"),
            ([784.0, 1.0], "the kind of mean over the hidden numbers counts too"),
            ([39.2], 'only a "mean" divides by a number; a "sum" has the factor 1'),
            ([392.0], "392 is the variance that the loss claims for a pixel; the KL's weight is twice that"),
        ],
        wrong=[
            "def kl_weight(pixels, hidden, over_pixels, over_hidden):\n"
            f"    p, h = over_pixels == 'mean', over_hidden == 'mean'\n    return {wrong}\n"
            for wrong in (
                "(pixels if p else 1) * (hidden if h else 1)",
                "(1 / pixels if p else 1) * (hidden if h else 1)",
                "(1 / pixels if p else 1) / (hidden if h else 1)",
                "(hidden if p else 1) / (pixels if h else 1)",
                "pixels if p else 1 / hidden if h else 1",
                "1 if p == h else pixels if p else 1 / hidden",
                "pixels if p else 1",
                "pixels / hidden",
                "pixels / 2 if p else 1",
            )
        ],
    ),
    Exercise(
        name="11.2",
        title="Active units",
        text="Count the hidden numbers whose mean varies over the pictures with a variance above 0.01 (Burda et al. 2016, "
        "section 5.2).  mean is a NumPy array (pictures, hidden numbers).",
        start='''\
def active_units(mean):
    """The number of active units.   mean: an array (pictures, hidden numbers), the means of q(z|x)."""
    return None
''',
        through=counts,
        expected=[3.0, 0.0, 2.0],
        hints=[
            "which axis are the pictures?  The variance runs over them, and one number per column remains",
            "mean.var(axis=0) > 0.01 is an array of booleans; count those that are true",
        ],
        answer="""\
def active_units(mean):
    return (mean.var(axis=0) > 0.01).sum()
""",
        usual=[
            ("only 0-dimensional arrays", "the result is one number: count the columns that are above the limit"),
            ([400.0], "the variance must run over the pictures (axis 0); here it runs over the hidden numbers of each picture"),
            ([4.0, 1.0, 3.0], "the limit is for the variance; a standard deviation of 0.1 has the variance 0.01"),
            ([5.0, 1.0], "a constant mean says nothing about a picture, however large it is: subtract it before you square"),
            ([6.0, 2.0], "the size of a mean does not count, only how it varies from picture to picture"),
            ([0.5], "this is a share; count the units"),
            ([1.0], "one variance over the whole table cannot tell which hidden numbers vary: use axis=0"),
            ([3.0, 2.0, 2.0], "these are the units that are not active; count the others"),
        ],
        wrong=[
            f"def active_units(mean):\n    return {wrong}\n"
            for wrong in (
                "mean.var(axis=0) > 0.01",
                "(mean.var(axis=1) > 0.01).sum()",
                "(mean.std(axis=0) > 0.01).sum()",
                "((mean**2).mean(axis=0) > 0.01).sum()",
                "(np.abs(mean).mean(axis=0) > 0.01).sum()",
                "(mean.var(axis=0) > 0.01).mean()",
                "(mean.var() > 0.01).sum()",
                "(mean.var(axis=0) <= 0.01).sum()",
            )
        ],
    ),
]
