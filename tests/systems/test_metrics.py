"""What systems measure themselves: every number is in the table of numbers, and can be asked for by its name."""

import numpy as np
import pytest

import minigan as mg
from minigan import data
from minigan.errors import ConfigError
from minigan.metrics import OF_SYSTEMS, merit
from minigan.runs import evaluation
from minigan.systems import registry


def small(name, dataset):
    mg.seed(0)
    recipe, shape = registry.get(name), tuple(dataset.sample_shape)
    sizes = {"latent": 4, "width": 8, "channels": 2, "hidden": 4}
    settings = recipe.configure({key: value for key, value in sizes.items() if key in recipe.settings}, shape)
    return recipe.build(settings, shape)


@pytest.mark.parametrize("name", sorted(set(registry.recipes()) - {"cyclegan", "seqgan"}))  # theirs: in their own tests
def test_every_number_is_in_the_table_with_its_metric(name):
    dataset = data.load(registry.get(name).data, "test")
    if hasattr(dataset, "images"):
        dataset = data.ImageDataset("digits", dataset.images[:100], dataset.labels[:100])
    game = small(name, dataset)
    assert game.metrics
    for metric, function in game.metrics.items():
        for number, value in function(game, dataset, np.random.default_rng(0)).items():
            assert OF_SYSTEMS[number].metric == metric and np.isfinite(value)


def test_a_number_is_found_by_its_name():
    digits = data.load("digits", "test")
    vae, gan = small("vae", digits), small("gan", digits)
    assert evaluation.found("elbo", "vae", vae, digits) == ("likelihood", "elbo")
    assert evaluation.found("fid", "vae", vae, digits) == ("fid-digits", "fid-digits")
    assert evaluation.chosen(["elbo", "likelihood", "fid"], "vae", vae, digits) == (["fid-digits"], ["likelihood"])
    with pytest.raises(ConfigError, match="likelihood gives several numbers; name one of them: elbo, iwae-100, reconstruction"):
        evaluation.found("likelihood", "vae", vae, digits)
    with pytest.raises(ConfigError, match="gan has no elbo: it draws samples and gives no probability to data"):
        evaluation.found("elbo", "gan", gan, digits)
    for number in ("asymmetry", "kl"):
        with pytest.raises(ConfigError, match="neither more nor less of it is better; choose another metric"):
            merit(evaluation.found(number, "vae", vae, digits)[1], 0.0)  # as `minigan tune` asks
