"""Metrics for one's own data: a net trained on the data's own classes, and features that the user brings."""

from dataclasses import replace

import numpy as np
import pytest

import minigan as mg
from minigan import data
from minigan.errors import ConfigError, DataError, MiniganError, ShapeError
from minigan.metrics import METRICS, class_net, class_report, classnet, evaluate, find, frechet_distance, judges
from minigan.metrics.judges import Brought, from_file


def stripes(n, seed=0, side=16, channels=3):
    """Coloured stripes: level, upright or sloping.   images uint8 (n, channels, side, side), labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    i, j = np.indices((side, side))
    where = np.stack([i, j, i + j])[labels] + rng.uniform(0, 9, (n, 1, 1))
    x = np.sin(where * rng.uniform(0.9, 1.3, (n, 1, 1)))[:, None] * rng.uniform(0.4, 1, (n, channels, 1, 1))
    return np.round((x + rng.normal(0, 0.1, x.shape)).clip(-1, 1) * 127.5 + 127.5).astype(np.uint8), labels


def floats(images):
    return images.astype(np.float32) / 127.5 - 1


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIGAN_CACHE", str(folder := tmp_path_factory.mktemp("cache")))
        yield folder


@pytest.fixture(scope="module")
def own(cache):
    x, labels = stripes(900)
    return data.ImageDataset("stripes", x, labels, info={"names": ("level", "upright", "sloping")})


@pytest.fixture
def small(monkeypatch):
    """The metrics, for fewer samples than they are good for."""
    for name, metric in METRICS.items():
        monkeypatch.setitem(METRICS, name, replace(metric, least=1))


def test_the_net_knows_pictures_that_it_has_not_seen(own):
    judge = class_net(own)
    assert judge.accuracy > 0.9
    x, labels = stripes(300, seed=1)
    p = judge.probabilities(floats(x))
    assert p.shape == (300, 3) and np.allclose(p.sum(axis=1), 1, atol=1e-5)
    assert abs(np.mean(p.argmax(axis=1) == labels) - judge.accuracy) < 0.08
    assert judge.features(floats(x)).shape == (300, 64)
    assert np.sqrt(np.mean(judge.features(own[:].x) ** 2)) == pytest.approx(1, abs=0.05)
    with pytest.raises(ShapeError, match=r"judges pictures \(3, 16, 16\), got \(3, 8, 8\)"):
        judge.features(floats(x)[:, :, :8, :8])
    with pytest.raises(DataError, match=r"must be in \[-1, 1\]"):
        judge.features(3 * floats(x))


def test_the_net_is_trained_once_for_the_same_pictures(own, cache, monkeypatch):
    first = class_net(own)
    files = list((cache / "classes").iterdir())
    assert len(files) == 1 and class_net(own) is first
    before = mg.streams.streams("init").bit_generator.state  # the streams that layers draw from are the caller's
    again = data.ImageDataset("another name", own.images, own.labels)
    monkeypatch.setattr(classnet, "_train", lambda *given: pytest.fail("it was trained again"))
    second = class_net(again)
    assert second.accuracy == first.accuracy and second.names == ("0", "1", "2")
    np.testing.assert_array_equal(second.features(own[:20].x), first.features(own[:20].x))
    assert mg.streams.streams("init").bit_generator.state == before


def test_other_pictures_other_labels_and_a_damaged_file_train_another(own, cache, monkeypatch):
    trained = []
    monkeypatch.setattr(classnet, "STEPS", 1)
    monkeypatch.setattr(classnet, "EPOCHS", 0)
    train = classnet._train
    monkeypatch.setattr(classnet, "_train", lambda *given: trained.append(1) or train(*given))
    flipped = own.images.copy()
    flipped[0, 0, 0, 0] ^= 1
    class_net(data.ImageDataset("stripes", flipped, own.labels))
    class_net(data.ImageDataset("stripes", own.images, own.labels[::-1].copy()))
    assert len(trained) == 2
    for file in (cache / "classes").iterdir():
        content = file.read_bytes()
        file.write_bytes(content[:100])
        class_net(data.ImageDataset("stripes", own.images, own.labels))
        file.write_bytes(content)
    assert len(trained) >= 3


def test_the_same_pictures_give_the_same_net_whatever_was_drawn_before(own, monkeypatch):
    monkeypatch.setattr(classnet, "STEPS", 3)
    monkeypatch.setattr(classnet, "EPOCHS", 0)
    one = classnet._train(own, (3, 16, 16), 3, "abc").features(own[:9].x)
    mg.seed(99)
    np.random.default_rng(0).random()
    np.testing.assert_array_equal(classnet._train(own, (3, 16, 16), 3, "abc").features(own[:9].x), one)


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 5, 5), (3, 8, 8), (1, 16, 16), (1, 28, 28), (3, 48, 48), (3, 64, 64), (1, 30, 22)]
)
def test_the_net_fits_pictures_of_any_size(shape):
    net = classnet.network(shape, 7)
    assert net(mg.zeros((2, *shape))).shape == (2, 7) and net[:-1](mg.zeros((2, *shape))).shape == (2, 64)


def test_the_report_says_which_classes_there_are(own):
    x, labels = stripes(600, seed=2)
    report = class_report(floats(x[labels != 1]), own)
    assert (
        report.found == 2 and report.shares[1] < 0.03 and report.confidence > 0.8 and report.accuracy == class_net(own).accuracy
    )
    assert str(report).startswith("2 of 3 classes, mean confidence ") and "upright" in str(report)
    assert report.agreement is None and class_report(floats(x), own, labels).agreement > 0.85
    assert class_report(floats(x), own, (labels + 1) % 3).agreement < 0.1
    with pytest.raises(ShapeError, match="at least one picture"):
        class_report(floats(x)[:0], own)
    with pytest.raises(DataError, match="600 images need as many labels"):
        class_report(floats(x), own, labels[:5])


def test_scores_tell_good_pictures_from_each_kind_of_bad_ones(own, small, rng):
    x, labels = stripes(600, seed=3)
    score = lambda samples, **given: evaluate("is-classes,fid-classes,kid-classes,pr-classes,classes", samples, own, **given)
    good = score(floats(x), labels=labels)
    assert good["is-classes"] > 2.4 and good["fid-classes"] < 1 and good["classes"] == 3 and good["classes-agreement"] > 0.85
    assert good["classes-accuracy"] == class_net(own).accuracy
    assert good.lines[0].startswith("classes: 3 of 3 classes, mean confidence")
    one = score(floats(np.concatenate([x[labels == 0]] * 3)))
    assert (
        one["is-classes"] < 1.3
        and one["classes"] == 1
        and one["classes-largest-share"] > 0.9
        and "classes-agreement" not in one
    )
    assert one["recall-classes"] < 0.6 and one["fid-classes"] > 5 * good["fid-classes"]
    noise = score(rng.uniform(-1, 1, (600, 3, 16, 16)))
    assert noise["precision-classes"] < 0.5 and noise["kid-classes"] > 10 * abs(good["kid-classes"])


def test_the_accuracy_stands_beside_each_number(own, small):
    x = floats(stripes(200, seed=4)[0])
    for name in ("is", "fid", "kid", "pr", "classes"):
        assert evaluate(name, x, own)["classes-accuracy"] == class_net(own).accuracy, name


def test_what_has_no_classes_or_too_few_pictures_is_refused(cache):
    x, labels = stripes(60)
    for dataset in (data.ImageDataset("plain", x), data.ImageDataset("one class", x, 0 * labels), data.load("ring8")):
        with pytest.raises(ConfigError, match="needs pictures with labels of two classes or more"):
            class_net(dataset)
    with pytest.raises(ConfigError, match="at least 50 pictures, and there are 49"):
        class_net(data.ImageDataset("few", x[:49], labels[:49]))
    with pytest.raises(ConfigError, match="classes does not fit ring8"):
        evaluate("classes", data.load("ring8").sample(600, 0).x, data.load("ring8"))
    few = data.ImageDataset("few", x[:49], labels[:49])
    with pytest.warns(UserWarning, match="a net for its classes needs at least 50 pictures"):
        assert "diversity" in evaluate("classes,diversity", floats(np.repeat(x, 10, axis=0)), few)


def test_without_a_cache_the_net_is_trained_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(classnet, "STEPS", 1)
    monkeypatch.setattr(classnet, "EPOCHS", 0)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "file"))
    x, labels = stripes(60, side=8, channels=1)
    assert 0 <= class_net(data.ImageDataset("mine", x, labels)).accuracy <= 1


# ---- features that the user brings -----------------------------------------------------------------------------------


def means(x):
    return x.reshape(len(x), -1)[:, :4]


def test_metrics_of_features_that_the_user_brings(own, small):
    x = floats(stripes(600, seed=5)[0])
    found = evaluate("fid-features,kid-features,pr-features", x, own, features=means)
    assert found["fid-features"] == pytest.approx(frechet_distance(means(x), means(own[:].x)))
    assert {"kid-features", "precision-features", "recall-features"} < set(found)
    points = data.load("swiss-roll")
    assert evaluate("fid-features", points.sample(300, 0).x, points, features=lambda x: x)["fid-features"] < 0.1
    for wrong in (lambda x: x, lambda x: means(x)[:5], "means"):
        with pytest.raises(ConfigError, match="features"):
            evaluate("fid-features,kid-features", x, own, features=wrong)
    calls = []
    evaluate("fid-features,kid-features", x, own, features=lambda x: calls.append(len(x)) or means(x))
    assert sum(calls) == 600 + 900  # each sample once
    with pytest.raises(ConfigError, match="features of your own are needed: --features FILE.py:FUNCTION, or features=function"):
        evaluate("fid-features", x, own)


def test_features_may_be_tensors_and_come_in_parts():
    sizes = []
    brought = Brought(lambda x: sizes.append(len(x)) or mg.tensor(means(x), requires_grad=True) * 1)
    assert brought(np.zeros((1200, 1, 4, 4))).shape == (1200, 4) and sizes == [500, 500, 200]
    torch = pytest.importorskip("torch")
    assert Brought(lambda x: torch.tensor(means(x), requires_grad=True))(np.zeros((3, 1, 4, 4))).shape == (3, 4)


@pytest.mark.parametrize(
    "function, text",
    [
        (
            lambda x: x,
            r"for samples \(20, 3, 16, 16\) gave \(20, 3, 16, 16\), and must give one row for each sample, \(20, d\)",
        ),
        (lambda x: means(x)[:3], r"gave \(3, 4\)"),
        (lambda x: means(x)[:, :0], r"gave \(20, 0\)"),
        (lambda x: means(x)[:, 0], r"gave \(20,\)"),
        (lambda x: means(x) / 0 * 0, "80 of 80 values are NaN or infinite"),
        (lambda x: means(x).astype(str), "needs real numbers, got <U"),
        (lambda x: None, r"gave \(\)"),
        (lambda x: 1 / 0, r"ZeroDivisionError: division by zero \(.*test_judges.py:\d+\)"),
        ("means", "'means' cannot be called; give a function"),
    ],
)
def test_features_that_do_not_fit_are_refused(function, text, small):
    x, _ = stripes(20)
    with np.errstate(all="ignore"), pytest.raises(MiniganError, match=text):
        Brought(function)(floats(x))


def test_features_in_a_file(tmp_path, monkeypatch):
    file = tmp_path / "mine.py"
    file.write_text("import numpy as np\n\ndef mean(x):\n    return x.mean(axis=(2, 3))\n\nnumber = 3\n")
    brought = from_file(f"{file}:mean")
    assert brought(np.zeros((5, 3, 4, 4))).shape == (5, 3) and brought.name == f"{file}:mean"
    for text, message in (
        (f"{file}", "name a file and a function in it, FILE.py:FUNCTION"),
        (f"{file}:maen", "has no function 'maen'; did you mean 'mean'?"),
        (f"{file}:number", "has no function 'number'"),
        (f"{tmp_path}:mean", "is no file"),
        ("nowhere.py:mean", "nowhere.py is no file"),
    ):
        with pytest.raises(ConfigError) as told:
            from_file(text)
        assert message in str(told.value)
    file.write_text("x = 1\ny = z\n")
    with pytest.raises(ConfigError, match="mine.py, line 2: NameError: name 'z' is not defined"):
        from_file(f"{file}:mean")
    file.write_text("def broken(:\n")
    with pytest.raises(ConfigError, match="SyntaxError"):
        from_file(f"{file}:broken")


def test_names_without_their_end_mean_what_fits(own):
    assert find("fid", own)[0].name == "fid-classes" and find("recall", own)[1].name == "recall-classes"
    assert (
        find("fid", data.load("ring8"))[0].name == "fid-features"
        and find("recall", data.load("ring8"))[1].name == "recall-points"
    )
    assert judges.OWN_JUDGE.name == "features"
