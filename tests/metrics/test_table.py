"""The table of metrics: what fits what, what is refused, and that the digit scores tell good pictures from bad ones."""

import numpy as np
import pytest

from minigan import data, metrics
from minigan.errors import ConfigError, NotFiniteError, ShapeError
from minigan.metrics import METRICS, OF_SYSTEMS, default_metrics, evaluate, find, merit, resolve, samples_needed

PICTURES = (1, 28, 28)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", size=4000)


@pytest.fixture(scope="module")
def fresh():
    """Digits of the same fonts, drawn anew."""
    return data.load("digits", size=2000, seed=1)


def test_every_default_metric_gives_its_numbers_on_its_data(digits, fresh):
    for dataset, samples in ((digits, fresh[:].x), *((d, d.sample(2500, 1).x) for d in map(data.load, ("ring8", "two-moons")))):
        names = default_metrics(samples.shape[1:], dataset)
        results = evaluate(names, samples, dataset)
        assert list(results) == [number for name in names for number in METRICS[name].numbers]
        assert all(isinstance(value, float) and np.isfinite(value) for value in results.values())


def test_what_fits_by_default(digits):
    shop = data.ImageDataset("fashion-mnist", np.zeros((5, 1, 28, 28), np.uint8))
    assert default_metrics((2,), data.load("ring8")) == ["modes"]
    assert default_metrics((2,), data.load("swiss-roll")) == ["energy", "pr-points"]
    assert default_metrics(PICTURES, digits) == ["is-digits", "fid-digits", "kid-digits", "pr-digits", "digits"]
    assert default_metrics(PICTURES, shop) == ["c2st", "diversity", "duplicates"]
    assert samples_needed(["modes", "c2st"]) == 2500 and samples_needed(["fid"], PICTURES) == 2000 and samples_needed([]) == 0


def test_digit_scores_tell_good_pictures_from_each_kind_of_bad_ones(digits, fresh, rng):
    x, labels = fresh[:]
    score = lambda samples: evaluate(["is", "fid", "kid", "pr", "digits"], samples, digits)
    good = score(x)
    assert good["is-digits"] > 9.7 and good["fid-digits"] < 0.2 and abs(good["kid-digits"]) < 0.02 and good["digits"] == 10
    noisy = score(np.clip(x + 0.5 * rng.standard_normal(x.shape), -1, 1))
    assert noisy["fid-digits"] > 10 * good["fid-digits"] and noisy["kid-digits"] > 0.2
    five = score(np.concatenate([x[labels < 5]] * 2))
    assert five["is-digits"] < 5.1 and five["digits"] == 5
    assert five["recall-digits"] < 0.75 * good["recall-digits"] and five["precision-digits"] > 0.9
    noise = score(rng.uniform(-1, 1, x.shape))
    assert noise["precision-digits"] < 0.1 and noise["digits-confidence"] < 0.8 and noise["is-digits"] < 3


def test_samples_on_raw_values_copier_collapse_and_honest(digits, fresh):
    names = ["memorisation", "diversity", "duplicates", "c2st"]
    honest, copier, collapsed = (evaluate(names, x, digits) for x in (
        fresh[:1000].x, digits[500:1500].x, np.repeat(fresh[:1].x, 1000, axis=0)))
    assert honest["memorisation"] < 0.15 and copier["memorisation"] == 1
    assert honest["diversity"] == pytest.approx(1, abs=0.05) and collapsed["diversity"] == 0
    assert honest["duplicates"] < 0.15 and collapsed["duplicates"] == 1
    assert abs(honest["c2st"] - 0.5) < 0.06 and collapsed["c2st"] > 0.95 and collapsed["c2st-p"] < 1e-6


def test_two_evaluations_with_one_seed_are_equal_and_compare_with_the_same_real_pictures(fresh, monkeypatch):
    big, names = data.load("digits", size=4000), ["is", "kid", "c2st"]
    monkeypatch.setattr(metrics.table, "REAL", 1500)
    a, b = (evaluate(names, fresh[:1200].x, big, rng=np.random.default_rng(3)) for _ in range(2))
    assert a == b
    first, second = (metrics.table.Evidence(fresh[:5].x, big, seed).real for seed in (0, 1))
    assert len(first) == 1500 and np.array_equal(first, second)
    # The labels of font digits go round 0..9: every digit must be among those taken.
    assert metrics.digit_report(first).found == 10


def test_real_samples_may_be_an_array(rng):
    real, fake = rng.standard_normal((2, 600, 3))
    assert abs(evaluate(["energy"], fake, real)["energy"]) < 0.05
    assert evaluate(["pr"], fake, real)["recall-points"] > 0.6
    assert evaluate(["memorisation"], real[:100], real)["memorisation"] == 1


def test_modes_are_counted_among_2500_samples_however_many_there_are():
    grid = data.load("grid25")
    rare = np.concatenate([grid.sample(2500, 0).x, grid.sample(2500, 1).x])
    rare[:2500] = grid.centres[0]
    assert evaluate(["modes"], rare, grid)["modes"] == 1


def test_names_and_aliases():
    assert [resolve(name, PICTURES) for name in ("is", "fid", "kid", "pr", "modes", "fid-digits")] == [
        "is-digits", "fid-digits", "kid-digits", "pr-digits", "modes", "fid-digits"]
    assert resolve("pr", (2,)) == "pr-points"
    assert find("pr", PICTURES) == ("pr-digits", "precision-digits")
    assert find("recall-digits") == ("pr-digits", "recall-digits") and find("reverse-kl") == ("modes", "reverse-kl")
    with pytest.raises(ConfigError, match="there is no metric 'fid-digit'; did you mean 'fid-digits'?"):
        resolve("fid-digit")
    with pytest.raises(ConfigError, match="there is no metric 'recal-digits'; did you mean 'recall-digits'?"):
        find("recal-digits")
    with pytest.raises(ConfigError, match="there is no metric 'xyz'; known: modes, "):
        evaluate(["xyz"], np.zeros((3, 2)), data.load("ring8"))


def test_merit_makes_more_better():
    assert merit("modes", 8) > merit("modes", 7)
    assert merit("fid-digits", 2.0) > merit("fid-digits", 3.0) > merit("fid-digits", float("nan"))
    assert merit("diversity", 1.1) > merit("diversity", 0.5) and merit("diversity", 0.9) > merit("diversity", 1.5)


def test_every_row_of_the_table_is_complete():
    numbers = [number for row in METRICS.values() for number in row.numbers]
    assert len(set(numbers)) == len(numbers)
    for name, row in METRICS.items():
        assert set(row.numbers.values()) <= {"higher", "lower", "near 1"} and row.needs in metrics.table.NEEDS, name
        assert row.least >= 100 and len(row.summary) > 30, name


@pytest.mark.parametrize("name, dataset, samples, text", [
    ("modes", "digits", np.zeros((3000, *PICTURES)), "modes does not fit digits, samples of shape .*ring8 or grid25"),
    ("modes", "swiss-roll", np.zeros((3000, 2)), "modes does not fit swiss-roll"),
    ("fid", "ring8", np.zeros((3000, 2)), "fid-digits does not fit ring8, .*; for other pictures pass features of your own"),
    ("memorisation", "ring8", np.zeros((3000, 2)), "memorisation does not fit ring8, .*: it looks for copies of training"),
    ("energy", "digits", np.zeros((3000, *PICTURES)), "energy does not fit digits, .*: it compares points"),
    ("fid-digits", "digits", np.zeros((1999, *PICTURES)), "fid-digits needs at least 2,000 samples, got 1,999"),
    ("modes", "ring8", np.zeros((2000, 2)), "modes needs at least 2,500 samples, got 2,000"),
    ("modes", "ring8", np.zeros((3000, 3)), r"the samples have shape \(3,\), the real ones \(2,\)"),
])
def test_refusals(digits, name, dataset, samples, text):
    with pytest.raises(ConfigError, match=text):
        evaluate([name], samples, digits if dataset == "digits" else data.load(dataset))


def test_digit_scores_of_clothes_are_refused():
    shop = data.ImageDataset("fashion-mnist", np.zeros((5, 1, 28, 28), np.uint8))
    with pytest.raises(ConfigError, match="is-digits does not fit fashion-mnist.* the digits of digits and mnist only"):
        evaluate(["is"], np.zeros((2000, *PICTURES)), shop)


def test_distances_between_tokens_are_refused():
    class Tokens:
        name, sample_shape, vocabulary = "oracle", (10,), 30

    assert default_metrics((10,), Tokens()) == []
    for name in ("energy", "c2st", "memorisation"):
        with pytest.raises(ConfigError, match=f"{name} does not fit oracle"):
            evaluate([name], np.zeros((600, 10), int), Tokens())


def test_diverged_samples_are_refused_before_anything_else():
    with pytest.raises(NotFiniteError, match="the generator has diverged"):
        evaluate(["modes"], np.full((3000, 2), np.nan), data.load("ring8"))


def test_features_are_what_the_last_layer_turns_into_probabilities(fresh):
    from minigan.metrics.digitnet import SCALE, trained

    x = fresh[:50].x
    weight, bias = (p.detach().numpy() for p in list(trained().parameters())[-2:])
    logits = metrics.features(x) * SCALE @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(p / p.sum(axis=1, keepdims=True), metrics.classify(x), atol=1e-5)
    assert metrics.features(x).shape == (50, 64) and metrics.features(x[:0]).shape == (0, 64)
    np.testing.assert_allclose(np.sqrt(np.mean(metrics.features(fresh[:].x) ** 2)), 1, atol=0.05)
    with pytest.raises(ShapeError, match=r"features: images must be \(N, 1, 28, 28\), got \(50, 28, 28\)"):
        metrics.features(x[:, 0])


def test_agreement_is_the_share_of_the_digit_asked_for(fresh, rng):
    x, labels = fresh[:]
    assert metrics.agreement(x, labels) > 0.99
    assert metrics.agreement(x, (labels + 1) % 10) < 0.01
    assert metrics.agreement(x, rng.permutation(labels)) == pytest.approx(0.1, abs=0.03)
    with pytest.raises(ShapeError, match="2000 images need as many labels"):
        metrics.agreement(x, labels[:5])


def test_the_numbers_of_systems_have_a_direction_or_none():
    assert merit("elbo", -99.0) > merit("elbo", -101.0) and merit("mse", 0.1) > merit("mse", 0.2)
    assert merit("diversity-within", 0.9) > merit("diversity-within", 1.5)
    with pytest.raises(ConfigError, match="kl: neither more nor less of it is better; choose another metric"):
        merit("kl", 1.0)
    known = {name for row in METRICS.values() for name in row.numbers}
    assert not known & set(OF_SYSTEMS)  # a number means one thing
