"""What systems measure themselves: every number is described beside what measures it, and can be asked for by its name."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import minigan as mg
from minigan import data
from minigan.errors import ConfigError
from minigan.metrics import METRICS, Metric, Needs, Number
from minigan.metrics.metric import QUALIFIER
from minigan.runs import evaluation
from minigan.runs.hooks import Schedule
from minigan.runs.session import Session
from minigan.systems import registry
from minigan.systems.latent.vae import LIKELIHOOD
from minigan.train.asymmetry import ASYMMETRY


def small(name, dataset):
    mg.seed(0)
    system = registry.get(name)
    sizes = {"latent": 4, "width": 8, "channels": 2, "hidden": 4}
    settings = system.configure({key: value for key, value in sizes.items() if key in system.settings}, dataset)
    return system.build(settings, dataset)


@pytest.mark.parametrize("name", sorted(set(registry.systems()) - {"cyclegan", "seqgan"}))  # theirs: in their own tests
def test_every_number_that_a_system_measures_is_described(name):
    dataset = data.load(registry.get(name).default_data, "test")
    if hasattr(dataset, "images"):
        dataset = data.ImageDataset("digits", dataset.images[:100], dataset.labels[:100])
    game, own = small(name, dataset), registry.get(name).metrics
    assert own
    for metric in own:
        found = metric(game, dataset, np.random.default_rng(0))  # complains of a number that is not described
        assert set(found) == {number.name for number in metric.numbers} - ({"psnr"} if dataset.name == "ring8" else set())
        assert all(np.isfinite(value) for value in found.values())


def test_every_metric_of_a_system_says_what_the_others_lack():
    for metric, systems in evaluation.owners().items():
        assert metric.least == 0 and metric.needs.otherwise and systems, metric.name
        assert len(metric.numbers) == 1 or metric.summary, metric.name
        assert not {number.name for number in metric.numbers} & {n.name for m in METRICS.values() for n in m.numbers}


def test_what_a_g_and_a_d_play_has_an_asymmetry():
    """Every system whose game is that of train/adversarial.py, and the VAE, where it is 0."""
    adversarial = {name for name, system in registry.systems().items() if "penalty" in system.settings}
    assert len(adversarial) == 7 and set(evaluation.owners()[ASYMMETRY]) == {*adversarial, "vae"}


def names(found):
    return found[0].name, found[1].name


def test_a_number_is_found_by_its_name():
    digits = data.load("digits", "test")
    vae, gan = registry.get("vae"), registry.get("gan")
    assert names(evaluation.found("elbo", vae, digits)) == ("likelihood", "elbo")
    assert names(evaluation.found("iwae", vae, digits)) == ("likelihood", "iwae-100")
    assert names(evaluation.found("fid", vae, digits)) == ("fid-digits", "fid-digits")
    assert names(evaluation.found("label-accuracy", registry.get("cgan"), digits)) == ("label-accuracy", "label-accuracy")
    assert [m.name for m in evaluation.chosen(["elbo", "likelihood", "fid"], vae, digits)] == ["likelihood", "fid-digits"]
    with pytest.raises(ConfigError, match="likelihood gives several numbers; name one of them: elbo, iwae-100, reconstruction"):
        evaluation.found("likelihood", vae, digits)
    with pytest.raises(ConfigError, match="gan has no elbo: it draws samples and gives no probability to data"):
        evaluation.found("elbo", gan, digits)
    for number in ("asymmetry", "kl"):
        with pytest.raises(ConfigError, match="neither more nor less of it is better; choose another metric"):
            evaluation.found(number, vae, digits)  # as `minigan tune` asks


def test_the_numbers_of_systems_have_a_direction():
    digits = data.load("digits", "test")
    merit = lambda name, system: evaluation.found(name, registry.get(system), digits)[1].merit
    elbo, mse, within = merit("elbo", "vae"), merit("mse", "autoencoder"), merit("diversity-within", "cgan")
    assert elbo(-99.0) > elbo(-101.0) and mse(0.1) > mse(0.2) and within(0.9) > within(1.5)


@pytest.mark.parametrize(
    "name, system, text",
    [
        (
            "elbo",
            "gan",
            "gan has no elbo: .* a bound on the likelihood needs an encoder that says how likely each z is; see vae; "
            "gan itself measures asymmetry",
        ),
        ("likelihood", "autoencoder", "autoencoder has no likelihood: .*; see vae; autoencoder itself measures error"),
        ("iwae", "gan", "gan has no iwae: it draws samples"),
        ("importance-bound", "gan", "gan has no importance-bound: it draws samples"),  # words of what iwae-100 says
        ("mse", "gan", "gan has no mse: it compares a sample with its reconstruction from a code without noise"),
        ("asymmetry", "autoencoder", "autoencoder has no asymmetry: .*; see cgan, coordinate-gan, dcgan, gan, "),
        (
            "label-kept",
            "cgan",
            "cgan has no label-kept: it compares translations with the true ones, which only filled-outline has; see cyclegan",
        ),
        ("elob", "vae", r"there is no metric 'elob'; did you mean 'elbo'\?; `minigan list metrics` describes them"),
    ],
)
def test_what_another_system_measures_is_refused_with_the_reason(name, system, text):
    digits = data.load("digits", "test")
    with pytest.raises(ConfigError, match=text):
        evaluation.chosen([name], registry.get(system), digits)


@pytest.mark.parametrize("name", ["-1", "5", "100", "of", "a", "x", "-"])
def test_a_number_or_a_short_word_is_no_name_of_what_another_system_measures(name):
    digits = data.load("digits", "test")
    for system in ("autoencoder", "gan"):
        with pytest.raises(ConfigError, match=f"there is no metric '{name}'"):
            evaluation.chosen([name], registry.get(system), digits)


def test_metrics_may_be_one_text_and_default_is_all_that_fit():
    digits, vae = data.load("digits", "test"), registry.get("vae")
    every = evaluation.chosen(None, vae, digits)
    assert len(every) > 5 and evaluation.chosen("default", vae, digits) == every
    assert evaluation.chosen(" elbo, fid,elbo ", vae, digits) == evaluation.chosen(["elbo", "fid"], vae, digits)
    assert evaluation.chosen("diversity,default", vae, digits)[0].name == "diversity"


def test_two_systems_may_use_one_name_for_numbers_of_their_own(monkeypatch):
    digits = data.load("digits", "test")
    mine = Metric(
        "mine",
        [Number("elbo", "lower", "another thing"), Number("fid-digits", "higher", "x")],
        lambda game, dataset, generator: {"elbo": 1.0},
        Needs("nothing", "it cannot"),
    )
    monkeypatch.setattr(registry, "SYSTEMS", dict(registry.systems()))
    registry.system("other", data="digits", metrics=[mine])
    other, vae = registry.get("other"), registry.get("vae")
    assert other.metrics == [mine]
    assert names(evaluation.found("elbo", other, digits)) == ("mine", "elbo")
    assert names(evaluation.found("elbo", vae, digits)) == ("likelihood", "elbo")
    assert names(evaluation.found("fid", other, digits)) == ("mine", "fid-digits")
    assert names(evaluation.found("fid", vae, digits)) == ("fid-digits", "fid-digits")
    assert [evaluation.meaning("elbo", name).better for name in ("other", "vae", "nobody")] == ["lower", "higher", ""]


def waited_for(monitor, system, dataset, game):
    settings = SimpleNamespace(schedule="plateau", monitor=monitor, metrics="none")
    system = registry.get(system)
    found = evaluation.monitored(settings, system, game, dataset)
    return found and names(found), [metric.name for metric in evaluation.logged(settings, system, game, dataset)]


def test_a_plateau_waits_for_the_same_number_before_there_are_data():
    """A run makes its schedule when it is opened, with the description only; the metrics are measured on the data set."""
    names = {
        name
        for metric in (*METRICS.values(), *evaluation.owners())
        for name in (metric.name, *(number.name for number in metric.numbers))
    }
    names |= {re.sub(QUALIFIER + "$", "", name) for name in names}

    def outcome(name, system, seen):
        try:
            return evaluation.found(name, system, seen)
        except ConfigError as error:
            return str(error)

    known = 0
    for system, data_name in (
        ("gan", "digits"),
        ("gan", "ring8"),
        ("vae", "digits"),
        ("seqgan", "oracle"),
        ("cyclegan", "filled-outline"),
        ("cgan", "two-moons"),
    ):
        system, dataset = registry.get(system), data.load(data_name)
        for name in names:
            found = outcome(name, system, dataset)
            assert found == outcome(name, system, dataset.description), (name, data_name)
            known += isinstance(found, tuple)
    assert known > 100


@pytest.mark.parametrize("monitor, number", [("energy", "energy"), ("G", None), ("loss", "an error")])
def test_a_schedule_has_its_number_from_the_start(monitor, number):
    ring8, gan = data.load("ring8"), registry.get("gan")
    settings = gan.configure({"schedule": "plateau", "monitor": monitor, "width": 8}, ring8)
    if number == "an error":
        with pytest.raises(ConfigError, match="say who is ahead"):
            Schedule.of(settings, gan, gan.build(settings, ring8), ring8.description)
    else:
        schedule = Schedule.of(settings, gan, gan.build(settings, ring8), ring8.description)
        assert (schedule.number and schedule.number.name) == number and schedule.player == (monitor if number is None else None)


def test_a_plateau_waits_for_any_number_with_a_direction_which_is_then_logged():
    digits = data.load("digits", "test")
    vae, gan = small("vae", digits), small("gan", digits)
    assert waited_for("fid", "gan", digits, gan) == (("fid-digits", "fid-digits"), ["fid-digits"])
    assert waited_for("elbo", "vae", digits, vae) == (("likelihood", "elbo"), ["likelihood"])
    assert waited_for("G", "gan", digits, gan) == (None, [])
    for monitor, text in (
        ("fdi", "neither a player nor a metric; .*players are D, G; there is no metric 'fdi'; did you mean"),
        ("elbo", "gan has no elbo: it draws samples"),
        ("asymmetry", "neither more nor less of it is better"),
        ("modes", "metric modes does not fit digits"),
    ):
        with pytest.raises(ConfigError, match=text):
            waited_for(monitor, "gan", digits, gan)


def test_a_run_waits_for_a_number_of_its_own_system(tmp_path):
    changed = {
        "schedule": "plateau",
        "monitor": "elbo",
        "metrics_every": 2,
        "steps": 4,
        "width": 8,
        "batch_size": 8,
        "patience": 0,
        "factor": 0.5,
        "lr": 1.0,
    }
    session = Session.start("vae", "two-moons", overrides=changed, out=tmp_path / "run")
    assert session.schedule.number is LIKELIHOOD.numbers[0]
    session.schedule.step({}, {"elbo": -1.0}), session.schedule.step({}, {"elbo": -2.0})
    assert session.schedule.rates() == {"VAE.lr": 0.5}
