"""Metrics by name: what fits what, what is refused, and that the digit scores tell good pictures from bad ones."""

import numpy as np
import pytest

from minigan import data, metrics
from minigan.data.kinds import Pair, Pictures
from minigan.errors import ConfigError, NotFiniteError, ShapeError
from minigan.metrics import METRICS, Metric, Number, default_metrics, enter, evaluate, find
from minigan.metrics.judges import JUDGES
from minigan.metrics.metric import DIRECTIONS, SAMPLES, Evidence, Needs

PICTURES = (1, 28, 28)
TOKENS = data.TokenDataset("oracle", np.zeros((5, 10), int), 30)
PAIRS = data.ImageDataset("two kinds", np.zeros((5, 2, 28, 28), np.uint8), kind=Pair(Pictures(1, 28, 28), Pictures(1, 28, 28)))


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", size=4000)


@pytest.fixture(scope="module")
def fresh():
    """Digits of the same fonts, drawn anew."""
    return data.load("digits", size=2000, seed=1)


def test_every_default_metric_gives_its_numbers_on_its_data(digits, fresh):
    for dataset, samples in ((digits, fresh[:].x), *((d, d.sample(2500, 1).x) for d in map(data.load, ("ring8", "two-moons")))):
        chosen = default_metrics(dataset)
        results = evaluate(chosen, samples, dataset)
        assert list(results) == [number.name for metric in chosen for number in metric.numbers]
        assert all(isinstance(value, float) and np.isfinite(value) for value in results.values())


def test_what_fits_by_default(digits):
    shop = data.ImageDataset("fashion-mnist", np.zeros((5, 1, 28, 28), np.uint8))
    names = lambda dataset: [metric.name for metric in default_metrics(dataset)]
    assert names(data.load("ring8")) == ["modes"]
    assert names(data.load("swiss-roll")) == ["energy", "pr-points"]
    assert names(digits) == ["is-digits", "fid-digits", "kid-digits", "pr-digits", "digits"]
    assert names(PAIRS) == ["c2st", "diversity", "duplicates"]
    assert names(shop) == [*names(PAIRS), "memorisation"]
    labelled = data.ImageDataset("fashion-mnist", np.zeros((5, 1, 28, 28), np.uint8), np.arange(5))
    assert names(labelled) == ["is-classes", "fid-classes", "kid-classes", "pr-classes", "classes", *names(shop)]
    assert names(TOKENS) == []


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
    honest, copier, collapsed = (
        evaluate(names, x, digits) for x in (fresh[:1000].x, digits[500:1500].x, np.repeat(fresh[:1].x, 1000, axis=0))
    )
    assert honest["memorisation"] < 0.15 and copier["memorisation"] == 1
    assert honest["diversity"] == pytest.approx(1, abs=0.05) and collapsed["diversity"] == 0
    assert honest["duplicates"] < 0.15 and collapsed["duplicates"] == 1
    assert abs(honest["c2st"] - 0.5) < 0.06 and collapsed["c2st"] > 0.95 and collapsed["c2st-p"] < 1e-6


def test_two_evaluations_with_one_seed_are_equal_and_compare_with_the_same_real_pictures(fresh, monkeypatch):
    big, names = data.load("digits", size=4000), ["is", "kid", "c2st"]
    monkeypatch.setattr(metrics.metric, "REAL", 1500)
    a, b = (evaluate(names, fresh[:1200].x, big, rng=np.random.default_rng(3)) for _ in range(2))
    assert a == b
    first, second = (Evidence(fresh[:5].x, big, seed).real for seed in (0, 1))
    assert len(first) == 1500 and np.array_equal(first, second)
    # The labels of font digits go round 0..9: every digit must be among those taken.
    assert metrics.digit_report(first).found == 10


def test_real_samples_may_be_an_array(rng):
    real, fake = rng.standard_normal((2, 600, 3))
    assert abs(evaluate(["energy"], fake, real)["energy"]) < 0.05
    assert evaluate(["pr"], fake, real)["recall-points"] > 0.6
    assert evaluate(["memorisation"], real[:100], real)["memorisation"] == 1
    pictures = rng.uniform(-1, 1, (600, *PICTURES))
    assert evaluate(["digits"], pictures, pictures)["digits"] >= 1 and evaluate(["c2st"], pictures, pictures)["c2st"] <= 1
    with pytest.raises(ConfigError, match=r"is \(M, d\) or \(M, C, H, W\), got \(600, 3, 1\); reshape it"):
        evaluate(["energy"], fake, real[:, :, None])


def test_modes_are_counted_among_2500_samples_however_many_there_are():
    grid = data.load("grid25")
    rare = np.concatenate([grid.sample(2500, 0).x, grid.sample(2500, 1).x])
    rare[:2500] = grid.centres[0]
    assert evaluate(["modes"], rare, grid)["modes"] == 1


def names(name, dataset, own=()):
    """What `find` gives, as names."""
    metric, number = find(name, dataset, own)
    return metric.name, number and number.name


def test_names_and_aliases(digits):
    ring8 = data.load("ring8")
    assert [names(name, digits) for name in ("is", "fid", "kid", "pr", "modes", "fid-digits")] == [
        ("is-digits", "is-digits"),
        ("fid-digits", "fid-digits"),
        ("kid-digits", "kid-digits"),
        ("pr-digits", "precision-digits"),
        ("modes", "modes"),
        ("fid-digits", "fid-digits"),
    ]
    assert names("pr", ring8) == ("pr-points", "precision-points") and names("recall", ring8) == ("pr-points", "recall-points")
    assert names("recall-digits", ring8) == ("pr-digits", "recall-digits")
    assert names("reverse-kl", digits) == ("modes", "reverse-kl")
    assert names("pr", digits.description) == ("pr-digits", "precision-digits")  # before there are data
    with pytest.raises(ConfigError, match=r"there is no metric 'fid-digit'; did you mean 'fid-digits'\?"):
        find("fid-digit", digits)
    with pytest.raises(ConfigError, match=r"there is no metric 'recal-digits'; did you mean 'recall-digits'\?"):
        find("recal-digits", digits)
    with pytest.raises(ConfigError, match=r"there is no metric 'fdi'; did you mean 'fid'\?"):
        find("fdi", digits)
    with pytest.raises(ConfigError, match="there is no metric 'xyz'; known: modes, "):
        evaluate(["xyz"], np.zeros((3, 2)), data.load("ring8"))


def test_merit_makes_more_better():
    modes, fid, diversity = (find(name, TOKENS)[1].merit for name in ("modes", "fid", "diversity"))
    assert modes(8) > modes(7)
    assert fid(2.0) > fid(3.0) > fid(float("nan"))
    assert diversity(1.1) > diversity(0.5) and diversity(0.9) > diversity(1.5)
    with pytest.raises(ConfigError, match="kl: neither more nor less of it is better; choose another metric"):
        Number("kl", "", "a divergence").merit(1.0)


def test_every_metric_of_samples_is_complete():
    beside = {number for judge in JUDGES for number in judge.beside}
    own = {name: [number for number in metric.numbers if number not in beside] for name, metric in METRICS.items()}
    numbers = [number.name for every in own.values() for number in every]
    assert len(set(numbers)) == len(numbers)
    for name, metric in METRICS.items():
        assert metric.name == name and metric.least >= 100 and metric.needs.what and metric.needs.otherwise, name
        assert all(number.better in DIRECTIONS and len(number.says) > 20 for number in metric.numbers), name
        assert all(number.better for number in own[name]), name
        assert len(own[name]) == 1 or len(metric.summary) > 30, name
        assert find(name, TOKENS)[1] is not None, name  # `minigan tune --metric NAME` sorts by one of its numbers


# ---- a metric of one's own -------------------------------------------------------------------------------------------

BRIGHTNESS = Metric(
    "brightness",
    [
        Number("ink", "near 1", "mean brightness over that of the real ones", "real ones"),
        Number("paper", "", "share of black values"),
    ],
    lambda seen: {"ink": (seen.samples.mean() + 1) / (seen.real.mean() + 1), "paper": (seen.samples < -0.99).mean()},
    SAMPLES,
    least=10,
)


@pytest.fixture
def entered(monkeypatch):
    monkeypatch.setattr(metrics.metric, "METRICS", dict(METRICS))
    return metrics.metric.METRICS


def test_a_metric_brought_from_outside_is_one_like_the_others(digits, fresh, entered):
    enter(BRIGHTNESS)
    assert names("brightness", digits) == ("brightness", None) and names("ink", digits) == ("brightness", "ink")
    found = evaluate(["digits", "ink"], fresh[:500].x, digits)
    assert list(found)[-2:] == ["ink", "paper"] and found["ink"] == pytest.approx(1, abs=0.05) and 0.5 < found["paper"] < 1
    assert evaluate([BRIGHTNESS], fresh[:500].x, digits) == {name: found[name] for name in ("ink", "paper")}
    with pytest.raises(ConfigError, match=r"there is no metric 'brightnes'; did you mean 'brightness'\?"):
        find("brightnes", digits)
    with pytest.raises(ConfigError, match="metric brightness does not fit oracle: tokens are names"):
        evaluate(["ink"], np.zeros((20, 10), int), TOKENS)
    with pytest.raises(ConfigError, match="brightness needs at least 10 samples, got 9"):
        evaluate(["ink"], fresh[:9].x, digits)
    enter(BRIGHTNESS)  # as a cell of a notebook that is run again
    assert list(entered) == [*METRICS, "brightness"]


def test_numbers_that_two_metrics_share_and_wrong_metrics_are_refused(entered, fresh, digits):
    say = lambda *numbers, **options: Metric("mine", numbers, lambda seen: {"other": 1.0}, SAMPLES, least=1, **options)
    with pytest.raises(ConfigError, match="metric mine: modes has a number high-quality already; name it differently"):
        enter(say(Number("high-quality", "higher", "x")))
    with pytest.raises(ConfigError, match="metric mine: least=0 is for a metric of a system; set the number"):
        enter(Metric("mine", [Number("one", "higher", "x")], None, SAMPLES))
    assert "mine" not in entered
    with pytest.raises(ConfigError, match="metric mine: measured other, which its `numbers` do not have"):
        evaluate([say(Number("one", "higher", "x"))], fresh[:5].x, digits)
    with pytest.raises(ConfigError, match="metric mine: needs numbers with different names"):
        say(Number("one", "higher", "x"), Number("one", "lower", "x"))
    with pytest.raises(ConfigError, match="main='two'"):
        say(Number("one", "higher", "x"), main="two")
    with pytest.raises(ConfigError, match="number one: better is one of 'higher', 'lower', 'near 1', ''.* got 'more' and 'x'"):
        Number("one", "more", "x")


def test_a_systems_own_metric_is_found_before_others_and_only_where_it_fits(digits):
    """Two systems may call a number alike, or like one that all have."""
    picky = Needs("points", "it is for points", lambda data: data.kinds["x"].word == "points")
    one = Metric("one", [Number("modes", "lower", "x")], None, picky)
    two = Metric("two", [Number("modes", "higher", "x"), Number("loss-100", "lower", "x")], None, SAMPLES)
    ring8 = data.load("ring8")
    assert names("modes", ring8, [one]) == ("one", "modes") and names("modes", ring8, [two]) == ("two", "modes")
    assert names("modes", ring8) == ("modes", "modes") and names("modes", digits, [one, two]) == ("two", "modes")
    assert names("loss", digits, [two]) == ("two", "loss-100") and names("two", digits, [two]) == ("two", None)
    assert find("modes", ring8, [one])[1].merit(2.0) == -2.0 and find("modes", ring8, [two])[1].merit(2.0) == 2.0


@pytest.mark.parametrize(
    "name, dataset, samples, text",
    [
        ("modes", "digits", np.zeros((3000, *PICTURES)), "modes does not fit digits: .*ring8 or grid25"),
        ("modes", "swiss-roll", np.zeros((3000, 2)), "modes does not fit swiss-roll"),
        (
            "fid",
            "ring8",
            np.zeros((3000, 2)),
            "features of your own are needed: --features FILE.py:FUNCTION, or features=function in Python",
        ),
        ("memorisation", "ring8", np.zeros((3000, 2)), "memorisation does not fit ring8: it looks for copies of training"),
        ("energy", "digits", np.zeros((3000, *PICTURES)), "energy does not fit digits: it compares points"),
        ("fid-digits", "digits", np.zeros((1999, *PICTURES)), "fid-digits needs at least 2,000 samples, got 1,999"),
        ("modes", "ring8", np.zeros((2000, 2)), "modes needs at least 2,500 samples, got 2,000"),
        ("modes", "ring8", np.zeros((3000, 3)), r"the samples have shape \(3,\), the real ones \(2,\)"),
    ],
)
def test_refusals(digits, name, dataset, samples, text):
    with pytest.raises(ConfigError, match=text):
        evaluate([name], samples, digits if dataset == "digits" else data.load(dataset))


def test_digit_scores_of_clothes_are_refused():
    shop = data.ImageDataset("fashion-mnist", np.zeros((5, 1, 28, 28), np.uint8))
    with pytest.raises(ConfigError, match="is-digits does not fit fashion-mnist.* the digits of digits and mnist only"):
        evaluate(["is-digits"], np.zeros((2000, *PICTURES)), shop)


def test_distances_between_tokens_are_refused():
    for name in ("energy", "c2st", "memorisation"):
        with pytest.raises(ConfigError, match=f"{name} does not fit oracle"):
            evaluate([name], np.zeros((600, 10), int), TOKENS)


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
