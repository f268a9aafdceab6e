"""Whatever a metric is given, it returns a number that means something, or one clear error: never a traceback or nonsense."""

import math
from dataclasses import replace

import numpy as np
import pytest

import minigan as mg
from minigan import data, metrics
from minigan.errors import ConfigError, DataError, DTypeError, MiniganError, NotFiniteError, ShapeError
from minigan.metrics import METRICS, Metric, Number, evaluate
from minigan.metrics.metric import SAMPLES, Evidence, Results

RNG = np.random.default_rng(5)
DIGIT, POINT = (1, 28, 28), (2,)


def kinds(shape):
    """Good samples of a shape, and one array of each kind of bad ones."""
    good = np.tanh(RNG.standard_normal((40, *shape)))
    bad = good.copy()
    bad[3].flat[1] = np.nan
    infinite = good.copy()
    infinite[3].flat[1] = -np.inf
    return {
        "good": good,
        "nan": bad,
        "all nan": np.full_like(good, np.nan),
        "infinite": infinite,
        "out of range": 3 * good,
        "huge": 1e200 * good,
        "empty": good[:0],
        "one": good[:1],
        "two equal": np.repeat(good[:1], 2, axis=0),
        "all equal": np.repeat(good[:1], 40, axis=0),
        "all equal in float32": np.repeat(good[:1], 40, axis=0).astype(np.float32),
        "0..255": ((good + 1) * 127.5).astype(np.uint8),
        "0..255 as floats": (good + 1) * 127.5,
        "half": good.astype(np.float16),
        "big-endian": good.astype(">f4"),
        "bool": good > 0,
        "complex": good + 0j,
        "text": good.astype(str),
        "objects": good.astype(object),
        "ragged": [[1.0, 2.0], [3.0]],
        "none": None,
        "a number": 0.5,
        "one axis": good.ravel(),
        "another shape": good[..., :1],
        "no columns": good[..., :0],
        "a tensor": mg.tensor(good, requires_grad=True),
        "a list": good.tolist(),
    }


ROWS, PICTURES = kinds(POINT), kinds(DIGIT)
p = np.full((40, 4), 0.25)
OF_TWO = {  # functions of samples and real ones, with the range of what they return
    "energy_distance": (metrics.energy_distance, -9, math.inf),
    "diversity": (metrics.diversity, 0, math.inf),
    "frechet_distance": (metrics.frechet_distance, 0, math.inf),
    "polynomial_mmd": (metrics.polynomial_mmd, -math.inf, math.inf),
    "kernel_distance": (lambda a, b: metrics.kernel_distance(a, b, 2, 9), -math.inf, math.inf),
    "precision_recall": (metrics.precision_recall, 0, 1),
    "density_coverage": (metrics.density_coverage, 0, 40),
    "memorisation": (metrics.memorisation, 0, 1),
    "duplicates": (metrics.duplicates, 0, 1),
    "two_sample_test": (lambda a, b: metrics.two_sample_test(a, b).accuracy, 0, 1),
    "mode_report": (lambda a, b: metrics.mode_report(a, b, 0.1).reverse_kl, 0, 9),
    "gaussian_kl": (metrics.gaussian_kl, 0, math.inf),
}
OF_ONE = {
    "inception_score": (metrics.inception_score, 0, 9),
    "support_size": (lambda a: metrics.support_size(a, 0.1), 1, math.inf),
    "elbo": (metrics.elbo, -9, 1e4),
    "iwae_bound": (metrics.iwae_bound, -9, 1e4),
}
OF_PICTURES = {
    "digit_report": (lambda a: metrics.digit_report(a).confidence, 0.1, 1),
    "classify": (metrics.classify, 0, 1),
    "features": (metrics.features, 0, 99),
    "agreement": (lambda a: metrics.agreement(a, np.zeros(40, int)), 0, 1),
    "psnr": (lambda a: metrics.psnr(a, a), 0, math.inf),
    "ssim": (lambda a: metrics.ssim(a, a), -1, 1),
}


def a_value_or_a_refusal(function, low, high, *arguments):
    """Call it; return its values as an array, or None if it refused with one line."""
    try:
        values = np.asarray(function(*arguments), float)
    except MiniganError as error:
        assert str(error) and "\n" not in str(error) and len(str(error)) < 400, error
        return None
    assert not np.isnan(values).any() and (values >= low - 1e-9).all() and (values <= high + 1e-9).all(), values
    return values


REFUSED = ("nan", "all nan", "infinite", "complex", "text", "objects", "ragged", "none", "a number", "no columns", "empty")


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", OF_TWO)
def test_functions_of_two_samples(name, kind):
    function, low, high = OF_TWO[name]
    for arguments in ((ROWS[kind], ROWS["good"]), (ROWS["good"], ROWS[kind]), (ROWS[kind], ROWS[kind])):
        found = a_value_or_a_refusal(function, low, high, *arguments)
        assert found is None or kind not in REFUSED
        if kind in ("good", "half", "big-endian", "a list", "a tensor"):
            assert found is not None


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", OF_ONE)
def test_functions_of_one_sample(name, kind):
    found = a_value_or_a_refusal(*OF_ONE[name], ROWS[kind])
    assert found is None or kind not in REFUSED


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("name", OF_PICTURES)
def test_functions_of_pictures(name, kind):
    found = a_value_or_a_refusal(*OF_PICTURES[name], PICTURES[kind])
    never = {*REFUSED, "out of range", "huge", "0..255", "0..255 as floats", "bool", "one axis"} - {"empty"}
    assert found is None or kind not in never
    if kind == "good":
        assert found is not None


REAL = {"x": data.arrays((PICTURES["0..255"]).astype(np.uint8)), "points": data.load("swiss-roll"), "ring8": data.load("ring8")}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_of_samples(name, kind):
    metric = replace(METRICS[name], least=1)
    for dataset in (*REAL.values(), PICTURES["good"]):
        samples = ROWS[kind] if isinstance(dataset, data.PointDataset) else PICTURES[kind]
        found = a_value_or_a_refusal(
            lambda x, real: list(evaluate([metric], x, real).values()), -99, math.inf, samples, dataset
        )
        assert found is None or (np.isfinite(found).all() and found.size)
        if kind in (*REFUSED, "huge", "bool", "one axis", "another shape"):
            assert found is None
        if not isinstance(dataset, data.PointDataset) and kind in ("out of range", "0..255", "0..255 as floats"):
            assert found is None


def test_what_is_wrong_is_said():
    with pytest.raises(DTypeError, match=r"pictures are floats in \[-1, 1\], got uint8; use x / 127.5 - 1 if they go from 0"):
        metrics.digit_report(PICTURES["0..255"])
    with pytest.raises(DataError, match=r"the pictures have values from -3 to 3, and must be in \[-1, 1\]; clip them"):
        metrics.digit_report(3 * np.sign(PICTURES["good"]))
    with pytest.raises(NotFiniteError, match="classify: 1 of 31,360 values are NaN or infinite"):
        metrics.digit_report(PICTURES["nan"])
    with pytest.raises(ShapeError, match="digit_report: needs at least one picture, got none"):
        metrics.digit_report(PICTURES["empty"])
    with pytest.raises(ShapeError, match="two_sample_test: needs at least 4 samples on both sides, got 1 real ones and 40"):
        metrics.two_sample_test(ROWS["one"], ROWS["good"])
    with pytest.raises(
        ShapeError, match="duplicates: needs at least 2 samples on both sides, got 1 real ones and 40 generated"
    ):
        metrics.duplicates(ROWS["good"], ROWS["one"])
    with pytest.raises(DTypeError, match="energy_distance: needs real numbers, got complex128"):
        metrics.energy_distance(ROWS["complex"], ROWS["good"])
    with pytest.raises(DataError, match=r"energy_distance: has values up to .*e\+200, whose powers overflow"):
        metrics.energy_distance(1e200 * np.sign(ROWS["good"]), ROWS["good"])


def test_wrong_options_are_refused():
    x = ROWS["good"]
    for call in (
        lambda: metrics.precision_recall(x, x, k=0),
        lambda: metrics.precision_recall(x, x, k=1.5),
        lambda: metrics.density_coverage(x, x, k=-1),
        lambda: metrics.kernel_distance(x, x, subsets=0),
        lambda: metrics.kernel_distance(x, x, subset_size=1),
        lambda: metrics.memorisation(x, x, quantile=2),
        lambda: metrics.duplicates(x, x, quantile=float("nan")),
        lambda: metrics.mode_report(x, x, float("nan")),
        lambda: metrics.support_size(x, float("inf")),
        lambda: metrics.inception_score(p, splits=0),
        lambda: metrics.inception_score(p, splits=True),
        lambda: metrics.gaussian_distance([0, 0], np.eye(3), [0, 0], np.eye(2)),
        lambda: metrics.gaussian_distance([0, np.nan], np.eye(2), [0, 0], np.eye(2)),
        lambda: metrics.bits_per_dimension(1.0, 0),
        lambda: metrics.psnr(PICTURES["good"], PICTURES["good"], 1, 1),
    ):
        with pytest.raises(MiniganError):
            call()


def test_equal_rows_have_the_distance_0_exactly():
    """Rounding would give them one of 1e-8 or so, and a share of equal samples that depends on it."""
    x = np.repeat(RNG.standard_normal((1, 784)) * 100, 50, axis=0)
    assert metrics.distances.mean_distance(x) == 0 and metrics.precision_recall(x, x) == (1, 1)
    assert metrics.duplicates(x, x) == 1 and metrics.memorisation(x, x) == 1 and metrics.support_size(x, 1e-300) == 1


# ---- one of many -----------------------------------------------------------------------------------------------------


def own(name, measure, least=1):
    return Metric(name, [Number(name, "higher", "a number of one's own")], measure, SAMPLES, least=least)


def test_one_metric_that_cannot_be_measured_does_not_block_the_others():
    samples = REAL["ring8"].sample(600, 0).x
    broken = own("broken", lambda seen: 1 / 0)
    with pytest.warns(UserWarning) as told:
        found = evaluate(["energy", "fid", "modes", broken, own("nan", lambda seen: {"nan": math.nan})], samples, REAL["ring8"])
    assert list(found) == ["energy"] and list(found.failed) == ["fid-features", "modes", "broken", "nan"]
    assert found.reasons()["broken"] == "ZeroDivisionError: division by zero" and found.reasons()["nan"] == "nan is nan"
    texts = [str(one.message) for one in told]
    assert texts[0].startswith("fid-features could not be measured: fid-features needs at least 2,000 samples, got 600")
    assert texts[1] == "modes could not be measured: modes needs at least 2,500 samples, got 600"
    with pytest.raises(ZeroDivisionError):  # alone, it is raised as it is, to be found
        evaluate([broken], samples, REAL["ring8"])
    with pytest.raises(
        ConfigError, match="fid-features, modes could not be measured; fid-features: fid-features needs at least"
    ):
        evaluate(["fid", "modes"], samples, REAL["ring8"])
    with pytest.raises(ConfigError, match="there is no metric 'enrgy'; did you mean 'energy'"):  # before anything is measured
        evaluate([broken, "enrgy"], samples, REAL["ring8"])


def test_names_may_be_one_text():
    samples = REAL["ring8"].sample(600, 0).x
    assert list(evaluate("energy, pr,", samples, REAL["ring8"])) == ["energy", "precision-points", "recall-points"]
    for text in ("", ",", " , "):
        with pytest.raises(ConfigError, match="names no metric"):
            evaluate(text, samples, REAL["ring8"])


def test_labels_must_fit_the_samples():
    for labels in ([0, 1], np.zeros(40), ["a"] * 40):
        with pytest.raises(MiniganError):
            Evidence(PICTURES["good"], PICTURES["good"], labels=labels)


def test_results_are_a_dict_of_numbers():
    results = Results()
    results.add("one", lambda: {"a": 1.0, "b": math.inf})
    assert results == {"a": 1.0} and results.reasons() == {"one": "b is inf"}


def test_memorisation_reads_the_training_set_in_parts(monkeypatch):
    """As float32 a folder of 4 GiB would take 16 GiB."""
    x = RNG.integers(0, 256, (3000, 1, 28, 28), dtype=np.uint8)
    dataset, sizes = data.ImageDataset("mine", x), []
    monkeypatch.setattr(metrics.neighbours, "BLOCK", 100 * 784)
    seen = dataset[:200].x
    whole = metrics.memorisation(seen, dataset[:].x)
    monkeypatch.setattr(
        data.ImageDataset, "__getitem__", lambda self, rows, read=data.ImageDataset.__getitem__: note(read(self, rows), sizes)
    )
    assert (
        evaluate([replace(METRICS["memorisation"], least=1)], seen, dataset) == {"memorisation": whole} == {"memorisation": 1.0}
    )
    assert max(sizes) == 1000  # those whose distance to the others is usual


def note(batch, sizes):
    sizes.append(len(batch.x))
    return batch
