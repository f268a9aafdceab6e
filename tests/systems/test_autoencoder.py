"""The autoencoder against principal components, the best linear code there is, and its samples against its own codes."""

import numpy as np
import pytest
from described import described

from minigan import data, nn
from minigan.data import Batch, ImageDataset
from minigan.errors import ConfigError
from minigan.gradcheck import gradcheck
from minigan.runs.session import Session
from minigan.streams import Streams
from minigan.systems import registry
from minigan.systems.latent.autoencoder import AutoencoderStep, CodeGaussian, bce, error, mse, reconstruct
from minigan.tensor import Tensor

SYSTEM = registry.get("autoencoder")


def build(shape=(1, 28, 28), **settings):
    return SYSTEM.build(SYSTEM.configure(settings, described(shape)), described(shape))


def step_of(game, x, seed=0):
    return game.step(game, game.players[0], Batch(x, None), Streams(seed))


def logits(game, x):
    """What the decoder's net gives before the squeeze, as float64."""
    return game.nets["decoder"].net(game.nets["encoder"](Tensor(x))).detach().numpy().astype(np.float64)


def test_the_losses_by_hand_are_summed_over_pixels_and_averaged_over_pictures(rng):
    game = build((1, 3, 3), latent=2, width=4)
    x = rng.uniform(-1, 1, (5, 1, 3, 3)).astype(np.float32)
    a = logits(game, x)
    assert float(mse(step_of(game, x))) == pytest.approx(((np.tanh(a / 2) - x) ** 2).sum() / 5, rel=1e-5)
    s, t = 1 / (1 + np.exp(-a)), (x + 1) / 2
    assert float(bce(step_of(game, x))) == pytest.approx(-(t * np.log(s) + (1 - t) * np.log(1 - s)).sum() / 5, rel=1e-5)


@pytest.mark.parametrize("loss", [mse, bce])
@pytest.mark.parametrize("order", [1, 2])
def test_the_losses_pass_gradcheck(loss, order, rng):
    game = build((2, 2, 1), latent=3, width=2)
    game.nets["decoder"].net = nn.Sequential()  # the code itself
    x = rng.uniform(-1, 1, (2, 3))

    def f(code):
        step = AutoencoderStep(game, None, Batch(x, None), Streams(0))
        step.code = code
        return loss(step)

    gradcheck(f, rng.standard_normal((2, 3)), order=order)


def test_noise_reaches_the_encoder_and_not_the_target(rng):
    x = rng.uniform(-1, 1, (2000, 1, 2, 2)).astype(np.float32)
    game = build((1, 2, 2), noise=0.5)
    step = step_of(game, x)
    difference = (step.seen - step.x).numpy()
    assert np.array_equal(step.x.numpy(), x) and difference.std() == pytest.approx(0.5, rel=0.03)
    drawn = np.tanh(logits(game, step.seen.data) / 2)
    assert float(mse(step)) == pytest.approx(((drawn - x) ** 2).sum() / 2000, rel=1e-5)
    assert np.array_equal(step.again().seen.numpy(), step.seen.numpy())
    assert np.array_equal(step_of(build((1, 2, 2)), x).seen.numpy(), x)


def test_the_gaussian_of_the_codes_is_followed_in_training_only_and_draws_have_its_mean_and_covariance(rng):
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.9], [0.9, 0.5]])
    codes = CodeGaussian(2)
    for _ in range(200):
        batch = Tensor(rng.multivariate_normal(mean, covariance, 500).astype(np.float32))
        assert codes(batch) is batch
    np.testing.assert_allclose(codes.mean.numpy(), mean, atol=0.1)
    np.testing.assert_allclose(codes.covariance.numpy(), covariance, atol=0.15)
    drawn = codes.place(Tensor(rng.standard_normal((50_000, 2), dtype=np.float32))).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean.numpy(), atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), codes.covariance.numpy(), atol=0.05)
    before = codes.mean.numpy().copy()
    codes.eval()(Tensor(np.full((10, 2), 99, np.float32)))
    assert np.array_equal(codes.mean.numpy(), before)


def test_codes_that_use_no_room_can_still_be_drawn():
    codes = CodeGaussian(3)
    for _ in range(200):
        codes(Tensor(np.full((4, 3), 2, np.float32)))
    np.testing.assert_allclose(codes.place(Tensor(np.ones((2, 3), np.float32))).numpy(), 2, atol=1e-2)


def test_the_error_is_that_of_the_pictures_and_looking_changes_nothing(rng):
    images = rng.integers(0, 256, (7, 1, 4, 4)).astype(np.uint8)
    game = build((1, 4, 4), latent=2, width=4)
    before = game.state_dict()
    x = images / 127.5 - 1
    difference = (np.tanh(logits(game, x.astype(np.float32)) / 2) - x) ** 2
    game = build((1, 4, 4), latent=2, width=4)  # calling the encoder has moved the Gaussian of the first
    game.load_state_dict(before)
    found = error(game, ImageDataset("random", images), np.random.default_rng(0))
    assert list(found) == ["mse", "psnr"]
    assert found["mse"] == pytest.approx(difference.mean(), rel=1e-5)
    assert found["psnr"] == pytest.approx(np.mean(10 * np.log10(4 / difference.mean(axis=(1, 2, 3)))), rel=1e-5)
    after = game.state_dict()
    assert all(np.array_equal(after["nets"]["encoder"][k], v) for k, v in before["nets"]["encoder"].items())


def trained(folder, **settings):
    """A session on font digits, its mse on 500 unseen ones, and these as rows, beside 4,000 training pictures as rows."""
    session = Session.start(
        "autoencoder",
        "digits",
        seed=0,
        out=folder,
        overrides={"latent": 8, "sample_every": 1000, "checkpoint_every": 1000, **settings},
    )
    session.train()
    unseen = data.load("digits", split="test", size=500)
    assert reconstruct(session.game, unseen[:3].x).shape == (3, 1, 28, 28)
    found = error(session.game, unseen, np.random.default_rng(0))
    return session, found["mse"], unseen[:].x.reshape(500, -1), session.dataset[:4000].x.reshape(4000, -1)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_digits_are_drawn_again_better_than_from_as_many_principal_components(loss, tmp_path):
    """Control: the best linear code of the same length, fitted to training pictures."""
    session, found, y, x = trained(tmp_path / "run", loss=loss, width=200, steps=600)
    mean = x.mean(axis=0)
    components = np.linalg.eigh((x - mean).T @ (x - mean))[1][:, -8:]
    linear = mean + (y - mean) @ components @ components.T
    assert found < 0.9 * ((linear - y) ** 2).mean()
    samples = session.sample(64)
    assert samples.shape == (64, 1, 28, 28) and abs(samples).max() <= 1 and samples.std(axis=0).max() > 0.3


@pytest.mark.slow
def test_convolutions_learn_too(tmp_path):
    """Control: the mean training picture."""
    _, found, y, x = trained(tmp_path / "run", nets="conv", channels=8, steps=300, batch_size=32, lr=3e-3)
    assert found < 0.8 * ((x.mean(axis=0) - y) ** 2).mean()


def test_a_run_that_was_stopped_goes_on_to_the_same_bits_and_the_same_samples(tmp_path):
    settings = {"steps": 6, "batch_size": 16, "checkpoint_every": 2, "sample_every": 2, "width": 20, "latent": 3, "noise": 0.3}
    runs = [Session.start("autoencoder", "digits", seed=4, overrides=settings, out=tmp_path / f"{i}") for i in range(2)]
    runs[0].train()
    runs[1].train(4)
    resumed = Session.open(tmp_path / "1")
    assert resumed.step == 4
    resumed.train(6)
    for a, b in zip(runs[0].game.nets.values(), resumed.game.nets.values()):
        assert all(np.array_equal(p, b.state_dict()[name]) for name, p in a.state_dict().items())
    assert np.array_equal(resumed.sample(3), runs[0].sample(3))


def test_points_get_a_code_of_one_number(tmp_path):
    session = Session.start("autoencoder", "two-moons", overrides={"steps": 20, "sample_every": 20}, out=tmp_path / "run")
    session.train()
    assert session.sample(5).shape == (5, 2)
    assert list(error(session.game, session.dataset, np.random.default_rng(0))) == ["mse"]


@pytest.mark.parametrize(
    "settings, shape, text",
    [
        ({"loss": "bce"}, (2,), r"loss=bce: cross-entropy needs numbers in \[0, 1\], and points have others; use loss=mse"),
        ({"loss": "mae"}, (1, 28, 28), r"unknown loss 'mae'; did you mean 'mse'\?"),
        ({"nets": "conv"}, (2,), "convolutions draw pictures, but ring8 holds points 2; use nets=mlp"),
        ({"beta": 1}, (1, 28, 28), r"autoencoder has no setting 'beta'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, shape, text):
    with pytest.raises(ConfigError, match=text):
        build(shape, **settings)
