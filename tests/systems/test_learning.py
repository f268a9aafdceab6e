"""Systems learn: measured by a classifier that knows nothing of any discriminator, against a control that did not train.

Small nets and few steps; the full-size figures stand in ARCHITECTURE.md.
"""

import numpy as np
import pytest

from minigan import data
from minigan.errors import DataError
from minigan.metrics import classify, digit_report
from minigan.runs.session import Session

STEPS, CHANNELS, SAMPLES = 300, 16, 1000


def session(name, folder, **settings):
    overrides = {"steps": STEPS, "sample_every": STEPS, "checkpoint_every": STEPS, **settings}
    return Session.start("dcgan", name, seed=1, overrides={"channels": CHANNELS, **overrides}, out=folder)


def passes(report):
    return report.found == 10 and report.shares.max() <= 0.3 and report.confidence > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_a_dcgan_learns_to_draw_all_ten_digits_and_an_untrained_one_does_not(name, tmp_path):
    try:
        run = session(name, tmp_path / "run")
    except DataError as error:
        pytest.skip(f"needs the MNIST files: {error}")
    before = digit_report(run.sample(SAMPLES))
    run.train()
    after = digit_report(run.sample(SAMPLES))
    assert passes(after), str(after)
    assert not passes(before), str(before)


@pytest.mark.slow
@pytest.mark.parametrize(
    "system, steps, own",
    [("gan", 300, {}), ("lsgan", 300, {}), ("coordinate-gan", 500, {}), ("wgan", 150, {}), ("wgan-gp", 200, {"d_steps": 5})],
)  # its own single step is for long runs
def test_every_gan_learns_points_of_the_plane_and_without_a_learning_d_none_does(system, steps, own, tmp_path):
    def distances(**settings):
        overrides = {"width": 64, "steps": steps, "sample_every": steps, "checkpoint_every": steps} | own | settings
        run = Session.start(system, "ring8", overrides=overrides, out=tmp_path / f"run-{len(settings)}")
        before = run.evaluate(["energy"], 1000)["energy"]
        run.train()
        return before, run.evaluate(["energy"], 1000)["energy"]

    untrained, learned = distances()
    _, misled = distances(lr_d=0.0)
    assert learned < 0.4 and untrained > 1 and misled > 0.5, (untrained, learned, misled)


@pytest.mark.parametrize("name, least", [("digits", 0.99), ("mnist", 0.98)])
def test_the_judge_knows_digits_it_has_not_seen(name, least):
    try:
        unseen = data.load(name, split="test", size=2000)
    except DataError as error:
        pytest.skip(f"needs the MNIST files: {error}")
    p = classify(unseen[:].x)
    assert np.mean(p.argmax(axis=1) == unseen.labels) >= least
    assert passes(digit_report(unseen[:].x))


def test_the_judge_is_not_fooled_by_noise_or_by_one_digit_for_all():
    noise = np.tanh(np.random.default_rng(0).standard_normal((1000, 1, 28, 28))).astype(np.float32)
    assert not passes(digit_report(noise))
    sevens = data.load("digits", split="test")
    sevens = sevens[np.flatnonzero(sevens.labels == 7)].x
    report = digit_report(sevens)
    assert report.shares[7] > 0.95 and not passes(report)
