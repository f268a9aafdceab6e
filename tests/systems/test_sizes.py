"""Every system that learns pictures learns them in many sizes, grey and coloured; sizes that cannot be halved are refused."""

import importlib.util
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from minigan import data, nn
from minigan.backend import to_device
from minigan.data.kinds import Description, Pair, Pictures
from minigan.errors import ConfigError
from minigan.gradcheck import gradcheck
from minigan.runs.session import Session
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.systems.parts import convolutions
from minigan.systems.registry import get, systems
from minigan.tensor import Tensor
from minigan.train.game import play
from minigan.train.settings import Setting

SIDES, CHANNELS = (16, 28, 32, 48, 64), (1, 3)
SHAPES = [(channels, side, side) for side in SIDES for channels in CHANNELS]
LEARNERS = [name for name, one in systems().items() if {Pictures, Pair} & set(one.kinds)]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """A folder of coloured shapes of 64x64 pixels, in four sub-folders, drawn by the script that docs/your-own-data.md uses."""
    script = Path(__file__).parents[2] / "benchmarks" / "shapes.py"
    spec = importlib.util.spec_from_file_location("shapes", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path_factory.mktemp("data") / "shapes"
    module.folder(path, size=64, count=96)
    return path


def about(name, shape):
    """The description of data that a system learns, with pictures of this shape."""
    kind = Pictures(*shape)
    if Pair in get(name).kinds:
        return Description("mine", {"x": Pair(kind, kind)})
    return Description("mine", {"x": kind, "labels": data.kinds.Class(4)})


def tiny(name):
    """The settings for tests, with nets of convolutions wherever there are some."""
    one = get(name)
    return one.smallest | ({"nets": "conv"} if "nets" in one.settings else {})


def batch(description, n=4, device="cpu"):
    """Noise of the described shape, with labels, on the device."""
    x = np.tanh(np.random.default_rng(0).standard_normal((n, *description.shape))).astype(np.float32)
    return data.Batch(to_device(x, device), to_device(np.arange(n) % 4, device) if description.classes else None)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_system_of_pictures_plays_and_draws_them_in_each_size(shape):
    for name in LEARNERS:
        described = about(name, shape)
        game = get(name).build(get(name).configure(tiny(name), described), described)
        losses = play(game, itertools.repeat(batch(described, device=game.device)), Streams(0))
        assert losses and all(np.isfinite(value) for value in losses.values()), name
        z = batch(described, 3).x if name == "cyclegan" else game.latent(3, np.random.default_rng(0))
        samples = game.sample(z, None if game.classes is None else np.arange(3))
        assert samples.shape == (3, *described.shape) and abs(samples).max() <= 1, name


@pytest.mark.parametrize("number, name", list(enumerate(LEARNERS)))
def test_a_run_on_a_folder_of_ones_own_lives_to_its_report_in_colour(number, name, shapes, tmp_path):
    """Each system has another size, so that all sizes have a whole run: it trains, draws, is resumed, and is evaluated."""
    side, out = SIDES[number % len(SIDES)], tmp_path / "run"
    options = {"size": side, "colour": "rgb"} | ({"domains": "disc,ring"} if name == "cyclegan" else {})
    settings = tiny(name) | options | {"steps": 2, "batch_size": 4, "log_every": 1}
    Session.start(name, "folder", shapes, overrides=settings, out=out).train(steps=1)
    resumed = Session.open(out)
    resumed.train()
    assert resumed.sample(4).shape == (4, 6 if name == "cyclegan" else 3, side, side)
    for file in ("samples/step_000002.png", "samples.gif", "report.html"):
        assert (out / file).stat().st_size > 0
    if name != "cyclegan":  # it translates pictures of the test split, and there are too few of them
        assert resumed.evaluate(["diversity"])["diversity"] > 0


@pytest.mark.parametrize("name", [name for name in LEARNERS if "channels" in get(name).settings])
@pytest.mark.parametrize("sides, near", [((30, 30), "28x28 or 32x32"), ((28, 30), "28x28 or 28x32"), ((7, 7), "8x8")])
def test_sizes_that_cannot_be_halved_are_refused_with_the_nearest(name, sides, near):
    described = about(name, (3, *sides))
    with pytest.raises(ConfigError, match=f"must be multiples of 4, and at least 8; mine holds .*; use pictures of {near}"):
        get(name).build(get(name).configure(tiny(name), described), described)
    play_small = about(name, (3, *map(int, near.split(" or ")[-1].split("x"))))
    assert get(name).build(get(name).configure(tiny(name), play_small), play_small)  # what the message advises works


def test_the_refusal_comes_before_anything_is_written_and_names_the_option_of_a_folder(shapes, tmp_path):
    with pytest.raises(
        ConfigError, match=r"3x30x30; use pictures of 28x28 or 32x32 \(from files: --set size=28 or size=32\), or the sys"
    ):
        Session.start("dcgan", "folder", shapes, overrides={"size": 30, "batch_size": 4}, out=tmp_path / "run")
    with pytest.raises(ConfigError, match=r"\(from files: --set size=28 or size=32\), or nets=mlp"):
        Session.start("vae", "folder", shapes, overrides={"size": 30, "nets": "conv", "batch_size": 4}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "sides, maps, small",
    [
        ((16, 16), [8, 16], (4, 4)),
        ((28, 28), [8, 16], (7, 7)),
        ((32, 32), [8, 16, 32], (4, 4)),
        ((48, 48), [8, 16, 32], (6, 6)),
        ((64, 64), [8, 16, 32, 64], (4, 4)),
        ((256, 256), [8, 16, 32, 64, 64, 64], (4, 4)),  # at most eight times the first
        ((32, 48), [8, 16, 32], (4, 6)),  # both sides are halved equally often
        ((28, 64), [8, 16], (7, 16)),
        ((8, 8), [8], (4, 4)),
        ((36, 36), [8, 16], (9, 9)),
    ],
)
def test_the_number_of_halvings_follows_from_the_size(sides, maps, small):
    assert convolutions.levels(8, *sides) == (maps, small)
    shape = (3, *sides)
    G, D = convolutions.generator(5, 2, shape), convolutions.discriminator(2, shape)
    pictures = G(Tensor(np.zeros((2, 5), np.float32)))
    assert pictures.shape == (2, *shape) and D(pictures).shape == (2, 1)
    convolutions_of = lambda net: [m for m in net if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convolutions_of(G)) == len(convolutions_of(D)) >= len(maps)


@pytest.mark.parametrize(
    "sides, small, kernels",
    [
        ((28, 28), (4, 4), [(4, 4), (4, 4), (3, 3)]),
        ((36, 36), (5, 5), [(4, 4), (4, 4), (3, 3)]),
        ((60, 60), (4, 4), [(4, 4), (4, 4), (3, 3), (4, 4)]),
        ((32, 32), (4, 4), [(4, 4)] * 3),
        ((28, 32), (4, 4), [(4, 4), (4, 4), (3, 4)]),
        ((48, 48), (6, 6), [(4, 4)] * 3),
    ],
)
def test_the_nets_of_a_gan_halve_odd_sides_too(sides, small, kernels):
    D, G = convolutions.discriminator(2, (1, *sides)), convolutions.generator(5, 2, (1, *sides))
    found = [m.kernel_size for m in D if isinstance(m, nn.Conv2d)]
    assert [tuple(np.broadcast_to(k, 2)) for k in found] == kernels
    assert D[:-2](Tensor(np.zeros((2, 1, *sides), np.float32))).shape[2:] == small
    assert G[3](G[:3](Tensor(np.zeros((2, 5), np.float32)))).shape[2:] == small
    assert G(Tensor(np.zeros((2, 5), np.float32))).shape == (2, 1, *sides)


@pytest.mark.parametrize("system", ["dcgan", "cgan", "lsgan", "wgan"])
def test_a_folder_that_does_not_say_it_has_the_nets_of_its_time(system, tmp_path):
    """Before the setting `smallest` existed, pictures of 28x28 were halved twice."""
    tiny = {"channels": 2, "batch_size": 4, "steps": 1, "sample_every": 1, "checkpoint_every": 1, "smallest": 7}
    tiny |= {"nets": "conv"} if system != "dcgan" else {}
    Session.start(system, "digits", overrides=tiny, out=tmp_path / "run").train()
    config = tmp_path / "run" / "config.toml"
    kept = [line for line in config.read_text().splitlines() if not line.startswith("smallest")]
    assert len(kept) == len(config.read_text().splitlines()) - 1
    config.write_text("\n".join(kept))
    assert Session.open(tmp_path / "run").settings.smallest == 7


def test_gradients_reach_the_ends_of_the_deepest_nets():
    shape = (3, 64, 64)
    G, D = (
        net.to(np.float64)
        for net in (convolutions.generator(3, 1, shape, "none"), convolutions.discriminator(1, shape, "none"))
    )
    z = np.random.default_rng(0).standard_normal((2, 3))
    assert gradcheck(lambda z: D(G(z)), z)


def test_the_nets_for_28x28_with_maps_of_7x7_are_those_that_they_were():
    """Layer by layer, and in the bits of their first weights: so folders of older runs can still be opened."""
    c, wide = 4, 8
    G = lambda: nn.Sequential(
        nn.Linear(6, wide * 49), nn.BatchNorm1d(wide * 49), nn.ReLU(), nn.Unflatten(1, (wide, 7, 7)),
        nn.ConvTranspose2d(wide, c, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(c), nn.ReLU(),
        nn.ConvTranspose2d(c, 1, 4, stride=2, padding=1), nn.Tanh(),
    )  # fmt: skip
    D = lambda: nn.Sequential(
        nn.Conv2d(1, c, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(c, wide, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(wide * 49, 1),
    )  # fmt: skip
    shape = (1, 28, 28)
    ours = (lambda: convolutions.generator(6, c, shape, smallest=7), lambda: convolutions.discriminator(c, shape, smallest=7))
    for old, new in zip((G, D), ours):
        states = []
        for make in (old, new):
            with using(Streams(0)):
                states.append(make().state_dict())
        assert list(states[0]) == list(states[1])
        for name, value in states[0].items():
            np.testing.assert_array_equal(value, states[1][name])


def test_large_pictures_have_fewer_channels_by_default_and_a_user_or_a_child_decides(monkeypatch):
    small, large = about("dcgan", (3, 32, 32)), about("dcgan", (3, 64, 64))
    usual = {"dcgan": 24, "cgan": 24, "lsgan": 24, "wgan-gp": 32, "vae": 32, "autoencoder": 32}
    for name, channels in usual.items():
        one = get(name)
        assert (one.configure({}, small).channels, one.configure({}, large).channels) == (channels, 16), name
        assert one.configure({"channels": 20}, large).channels == 20
    monkeypatch.setattr(registry, "SYSTEMS", dict(registry.SYSTEMS))  # which forgets the child afterwards
    registry.system("wide", parent="dcgan", settings=[Setting("channels", 40)])
    assert get("wide").configure({}, large).channels == 40


# ---- the page about one's own pictures -------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "your-own-data.md"


def test_the_page_gives_the_halvings_of_each_size():
    rows = re.findall(r"^\| (\d+) \| (\d) times, to (\d) \| ([\d, ]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert [int(row[0]) for row in rows] == list(SIDES)
    for side, count, small, maps in rows:
        described = about("dcgan", (3, int(side), int(side)))
        settings = get("dcgan").configure({}, described)
        found = convolutions.levels(settings.channels, int(side), int(side), settings.smallest, odd=True)
        assert found == ([int(n) for n in maps.split(", ")], (int(small),) * 2) and len(found[0]) == int(count)


def test_the_page_says_what_is_refused_its_python_runs_and_its_pictures_exist(shapes, tmp_path, monkeypatch):
    text = PAGE.read_text()
    with pytest.raises(ConfigError) as error:
        Session.start("dcgan", "folder", shapes, overrides={"size": 30, "batch_size": 4}, out=tmp_path / "run")
    assert f"minigan: {error.value}" in text.replace("\n", " ")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code.replace("steps=2", "steps=1, quiet=True"), str(PAGE), "exec"), {"__name__": "page"})
    assert all((PAGE.parent / name).is_file() for name in re.findall(r"\]\(([^)#]+)\)", text))
