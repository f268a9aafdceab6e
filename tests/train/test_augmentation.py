"""Augmentation: each change against its formula, its gradients of two orders, and what D and G see of it."""

import numpy as np
import pytest

import minigan as mg
from minigan.data import Batch
from minigan.gradcheck import gradcheck
from minigan.runs.session import Session
from minigan.streams import Streams
from minigan.train import augmentation
from minigan.train.adversarial import AdversarialStep
from minigan.train.augmentation import AUGMENTS, DRAWS, PIECES, augment, augmented


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_translation_moves_each_picture_by_its_own_whole_pixels_and_its_edge_fills_the_rest(rng):
    x = rng.standard_normal((40, 2, 16, 24)).astype(np.float32)
    u = rng.random((40, 2), dtype=np.float32)
    moved = augmentation.translation(mg.tensor(x), u).numpy()
    seen = set()
    for picture, (down, across), got in zip(x, u, moved):
        dy, dx = int(np.floor(down * 5)) - 2, int(np.floor(across * 7)) - 3  # 1/8 of 16 and of 24
        rows, columns = np.clip(np.arange(16) + dy, 0, 15), np.clip(np.arange(24) + dx, 0, 23)
        assert np.array_equal(got, picture[:, rows][:, :, columns])
        seen.add((dy, dx))
    assert {dy for dy, _ in seen} == {-2, -1, 0, 1, 2} and {dx for _, dx in seen} == {-3, -2, -1, 0, 1, 2, 3}


def test_cutout_covers_a_square_half_as_wide_as_the_picture_with_grey():
    x = np.ones((3, 1, 28, 28), np.float32)
    u = np.array([[0.5, 0.5], [0.0, 0.5], [0.0, 0.0]], np.float32)  # in the middle, at the upper edge, in a corner
    seen = augmentation.cutout(mg.tensor(x), u).numpy()
    want = x.copy()
    want[0, :, 7:21, 7:21] = want[1, :, :7, 7:21] = want[2, :, :7, :7] = 0
    assert np.array_equal(seen, want)


def test_colour_changes_brightness_then_saturation_then_contrast(rng):
    x, u = rng.standard_normal((5, 3, 4, 4)), rng.random((5, 3))
    seen = augmentation.colour(mg.tensor(x, dtype=np.float64), u).numpy()
    for picture, (brightness, saturation, contrast), got in zip(x, u, seen):
        bright = picture + brightness - 0.5
        grey = bright.mean(axis=0)
        saturated = grey + 2 * saturation * (bright - grey)
        np.testing.assert_allclose(got, saturated.mean() + (contrast + 0.5) * (saturated - saturated.mean()), rtol=1e-12)


def test_grey_pictures_keep_their_saturation(rng):
    x, u = rng.standard_normal((2, 1, 4, 4)), np.array([[0.5, 0.0, 0.5], [0.5, 0.9, 0.5]])
    np.testing.assert_allclose(augmentation.colour(mg.tensor(x, dtype=np.float64), u).numpy(), x, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", [name for name in AUGMENTS if name != "none"])
def test_gradients_flow_through_every_augmentation(name, order, rng):
    u = rng.random((2, DRAWS))
    # Squared: a change is linear in the pictures, so that alone it has no second derivative.
    gradcheck(
        lambda x: augment(x, u, AUGMENTS[name]) ** 2,
        mg.tensor(rng.standard_normal((2, 2, 8, 8)), dtype=np.float64),
        order=order,
    )


class Nets:
    """What a step asks of its game."""

    device, nets = "cpu", {}


def step_of(names, x, seed=0):
    step = augmented(AdversarialStep, names)(Nets(), None, Batch(x, None), Streams(seed))
    step.fake = mg.tensor(x)  # in the place of G(z)
    return step


def test_real_and_generated_pictures_have_their_own_draws_and_a_repeated_turn_the_same(rng):
    x = rng.standard_normal((4, 1, 16, 16)).astype(np.float32)
    step = step_of(AUGMENTS["all"], x)
    assert not np.array_equal(step.real_seen.numpy(), step.fake_seen.numpy())
    assert np.array_equal(step.again().real_seen.numpy(), step.real_seen.numpy())
    assert not np.array_equal(step_of(AUGMENTS["all"], x, seed=1).real_seen.numpy(), step.real_seen.numpy())


def test_points_stay_as_they_are_and_nothing_is_drawn(rng):
    x = rng.standard_normal((4, 2)).astype(np.float32)
    step = step_of(AUGMENTS["all"], x)
    assert np.array_equal(step.real_seen.numpy(), x) and not step._draws


def test_the_pieces_use_different_random_numbers():
    used = [column for _, columns in PIECES.values() for column in range(DRAWS)[columns]]
    assert sorted(used) == list(range(DRAWS))


def test_a_run_that_augments_resumes_to_the_same_bits(tmp_path):
    start = lambda name: Session.start(
        "dcgan",
        "digits",
        out=tmp_path / name,
        overrides={"augment": "all", "channels": 2, "batch_size": 4, "steps": 4, "checkpoint_every": 2, "sample_every": 4},
    )
    whole, cut = start("whole"), start("cut")
    whole.train(), cut.train(steps=2)
    again = Session.open(tmp_path / "cut")
    again.train()
    for name, array in whole.game.nets["G"].state_dict().items():
        assert np.array_equal(again.game.nets["G"].state_dict()[name], array)
