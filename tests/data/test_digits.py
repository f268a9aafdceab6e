"""The drawn digits are readable, whole, like MNIST in brightness and size, and the same bits every time."""

import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import minigan.data as data
from minigan.data import digits
from minigan.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def train():
    return digits.draw("train", 0, 2000)


@pytest.fixture(scope="module")
def test():
    return digits.draw("test", 0, 500)


def holes(image, ink=64):
    """How many dark regions are enclosed by pixels brighter than `ink`: a flood fill that knows nothing of fonts."""
    seen, count = np.pad(image, 1) > ink, -1  # -1: the outside is a region too
    for start in zip(*np.nonzero(~seen)):
        if seen[start]:
            continue
        count, stack, seen[start] = count + 1, [start], True
        while stack:
            i, j = stack.pop()
            for near in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if 0 <= near[0] < len(seen) and 0 <= near[1] < len(seen) and not seen[near]:
                    seen[near] = True
                    stack.append(near)
    return count


def test_the_hole_counter_counts():
    disc = np.hypot(*np.mgrid[-9:10, -9:10]) < 8
    ring = disc & (np.hypot(*np.mgrid[-9:10, -9:10]) > 5)
    two = ring | (np.abs(np.mgrid[-9:10, -9:10][0]) < 1) & disc
    assert [holes(255 * picture.astype(np.uint8)) for picture in (disc, ring, two)] == [0, 1, 2]


def test_what_load_returns():
    dataset = data.load("digits", size=50)
    assert dataset.images.shape == (50, 1, 28, 28) and dataset.images.dtype == np.uint8
    assert dataset.labels.dtype == np.int64 and dataset.labels.tolist() == list(range(10)) * 5
    assert (dataset.name, dataset.classes, dataset.sample_shape) == ("digits", 10, (1, 28, 28))
    batch = dataset[:]
    assert batch.x.dtype == np.float32 and batch.x.min() == -1 and batch.x.max() == 1  # white on black
    assert all(len(dataset.info[name]) == 50 for name in ("face", "rotation", "shear", "scale", "stroke"))


def test_the_default_sizes_are_20000_and_2000(monkeypatch):
    asked = []
    monkeypatch.setattr(
        digits,
        "draw",
        lambda split, seed, size: (
            asked.append((split, size))
            or {
                "images": np.zeros((10, 1, 28, 28), np.uint8),
                "labels": np.arange(10),
                "attributes": np.zeros((10, 5), np.float32),
            }
        ),
    )
    data.load("digits"), data.load("digits", "test")
    assert asked == [("train", 20_000), ("test", 2_000)]


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_holes_of_0_6_8_9_are_open_and_1_5_7_have_none(split, request):
    drawn = request.getfixturevalue(split)
    count = np.array([holes(image[0]) for image in drawn["images"][:500]])
    digit = drawn["labels"][:500]
    assert (count[np.isin(digit, (0, 6, 9))] >= 1).mean() >= 0.98
    assert (count[digit == 8] == 2).mean() >= 0.98
    assert (count[np.isin(digit, (1, 5, 7))] == 0).mean() >= 0.95  # a small 5 may touch itself


def test_no_digit_is_cut_by_the_border(train, test):
    images = np.concatenate([train["images"], test["images"]])[:, 0]
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    assert border.max() < 32  # blur may touch it, ink may not
    assert images.max(axis=(1, 2)).min() > 128  # and no picture is empty or faint


def test_digits_too_large_for_the_picture_shrink_until_they_fit(monkeypatch):
    monkeypatch.setattr(digits, "SCALE", (1.5, 2.0))
    drawn = digits.draw("train", 0, 300)
    images = drawn["images"][:, 0]
    assert max(images[:, 0].max(), images[:, -1].max(), images[:, :, 0].max(), images[:, :, -1].max()) < 32
    assert drawn["attributes"][:, 3].max() < 1.45  # and the scale is the one they ended with


def test_blur_is_a_convolution_with_weights_that_sum_to_one():
    rng = np.random.default_rng(0)
    images, weight = rng.integers(256, size=(3, 9, 8)).astype(np.uint8), np.array([0, 17, 64], np.int32)
    for image, w, got in zip(images, weight, digits._blur(images, weight)):
        kernel = np.array([w, 256 - 2 * w, w]) / 256
        rows = np.apply_along_axis(np.convolve, 0, image.astype(float), kernel, "same")
        want = np.apply_along_axis(np.convolve, 1, rows, kernel, "same")
        assert abs(got - want).max() <= 1  # each direction rounds once
    assert np.array_equal(digits._blur(images, 0 * weight), images)


def test_digits_are_centred_and_as_tall_as_those_of_mnist(train):
    ink = train["images"][:, 0] > 127
    for axis in (1, 2):
        line = ink.any(axis=axis)
        first, last = line.argmax(axis=1), 27 - line[:, ::-1].argmax(axis=1)
        assert abs((first + last).mean() / 2 - 13.5) < 0.15
        assert 0.5 < ((first + last) / 2).std() < 2  # jittered: up to 2 pixels, uniform has 1.15
    height = 28 - ink.any(axis=2).argmax(axis=1) - ink.any(axis=2)[:, ::-1].argmax(axis=1)
    assert 18 < height.mean() < 20.5  # MNIST: 19.6


def stroke_width(images):
    """2 area / perimeter, the perimeter being the total variation of the picture."""
    x = images.reshape(-1, 28, 28) / 255.0
    across, down = (np.abs(np.diff(x, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2))
    return np.median(2 * x.sum(axis=(1, 2)) / np.hypot(across, down))


def test_brightness_and_stroke_width_are_near_mnist(train, test):
    for drawn in (train, test):
        assert 29 < drawn["images"].mean() < 39  # MNIST: 33.3
        assert 2.4 < stroke_width(drawn["images"]) < 3.4  # MNIST: 2.7


def test_brightness_and_stroke_width_are_near_the_real_mnist(train, real_data):
    real = data.load("mnist", data_dir=real_data, size=5000).images
    assert 0.8 < train["images"].mean() / real.mean() < 1.2
    assert 0.8 < stroke_width(train["images"]) / stroke_width(real) < 1.2


def nearest_neighbour(known, labels, x):
    known, x = (a.reshape(len(a), -1).astype(np.float32) for a in (known, x))
    return labels[((known**2).sum(axis=1) - 2 * x @ known.T).argmin(axis=1)]


def test_digits_of_unseen_faces_are_recognised_by_those_of_seen_faces(train, test):
    guess = nearest_neighbour(train["images"], train["labels"], test["images"])
    correct = guess == test["labels"]
    assert correct.mean() > 0.93
    assert min(correct[test["labels"] == digit].mean() for digit in range(10)) > 0.75


def test_drawn_digits_recognise_real_handwriting_far_above_chance(train, real_data):
    real = data.load("mnist", "test", data_dir=real_data, size=1000)
    assert (nearest_neighbour(train["images"], train["labels"], real.images) == real.labels).mean() > 0.5


# SHA-256 of the first 20 pictures of seed 0, the same with every version of NumPy, on every machine.  A change of the pictures
# needs a new RECIPE, and the digit classifier and what is measured with digits anew.
FIRST = {"train": "136d9cb8a7a45aac", "test": "e84605835bbdaef7"}


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_first_pictures_are_what_they_were_when_this_was_written(split, request):
    assert hashlib.sha256(request.getfixturevalue(split)["images"][:20]).hexdigest()[:16] == FIRST[split]
    assert digits.RECIPE == 2


def polygons(*corners):
    """The polygons of a face whose every digit is drawn by them."""
    return lambda face, digit: [np.array(points, np.int64) for points in corners]


@pytest.fixture
def drawn_by(monkeypatch):
    """drawn_by(corners, ...) replaces the outlines of all digits; what is remembered of the fonts is forgotten around it."""

    def forget():
        digits._glyph.cache_clear(), digits._field.cache_clear()

    def replace(*corners):
        forget()
        monkeypatch.setattr(digits, "_polygons", polygons(*corners))

    yield replace
    monkeypatch.undo(), forget()


SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100)]
HOLE = [(25, 25), (25, 75), (75, 75), (75, 25)]  # it turns the other way


def test_the_field_of_a_square_with_a_hole_is_the_distance_from_its_sides(drawn_by):
    drawn_by(SQUARE, HOLE)
    field, (left, low) = digits._field("any", 0)
    y, x = np.mgrid[: field.shape[0], : field.shape[1]] / digits.DENSITY
    x, y, half = x + left, y + low, digits.HEIGHT / 2
    t = np.linspace(-1, 1, 2001)
    sides = np.concatenate([r * np.stack(p) for r in (half, half / 2) for p in ((t, 1 + 0 * t), (1 + 0 * t, t))], axis=1)
    # Both squares are symmetric: the nearest of these two sides to (|x|, |y|) is the nearest of all four.
    distance = np.sqrt(((abs(np.stack([x, y]))[..., None] - sides[:, None, None]) ** 2).sum(axis=0).min(axis=-1))
    largest = np.maximum(abs(x), abs(y))
    want = np.where((half / 2 < largest) & (largest < half), -distance, distance)
    assert abs(field - want).max() < 0.01


def test_a_pixel_is_as_grey_as_the_part_of_it_that_is_covered(drawn_by):
    drawn_by(SQUARE)
    scale, angle, shear, place = 0.9, 10.0, 0.1, (14.3, 13.6)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = np.array([[cos, shear * cos - sin, sin, shear * sin + cos]])
    picture = digits._paint("any", 0, turn, np.array([scale]), np.array([place]), np.zeros(1))[0] / 255
    fine = (np.arange(28 * 40) + 0.5) / 40  # 1,600 points in each pixel, undone by the inverse matrix
    x, y = fine[None, :] - place[0], fine[::-1, None] - place[1]
    a, b, c, d = turn[0]
    inside = np.maximum(abs(d * x - b * y), abs(a * y - c * x)) < scale * digits.HEIGHT / 2
    want = inside.reshape(28, 40, 28, 40).mean(axis=(1, 3))
    error = abs(picture - want)
    assert error.mean() < 0.003 and np.sort(error.ravel())[-5] < 0.06 and error.max() < 0.3  # most in the four corners


@pytest.mark.parametrize("stroke", [1.5, -0.2])
def test_a_stroke_grows_by_half_of_the_change_on_each_side(drawn_by, stroke):
    drawn_by(SQUARE)
    still = np.array([[1.0, 0.0, 0.0, 1.0]])
    picture = digits._paint("any", 0, still, np.ones(1), np.full((1, 2), 14.0), np.array([stroke]))[0] / 255.0
    assert picture[14].sum() == pytest.approx(digits.HEIGHT + stroke, abs=0.02)


def test_cosine_and_sine_are_right_within_the_largest_rotation():
    degrees = np.linspace(-digits.ROTATION, digits.ROTATION, 49)
    cos, sin = digits._cos_sin(degrees)
    assert abs(cos - np.cos(np.radians(degrees))).max() < 1e-10 and abs(sin - np.sin(np.radians(degrees))).max() < 1e-10


def test_every_outline_file_travels_with_its_licence():
    files = {path.stem for path in digits.OUTLINES.glob("*.json")}
    assert files == {path.stem.removeprefix("LICENSE-") for path in digits.OUTLINES.glob("LICENSE-*.txt")}
    faces = {face for file in files for face in digits._family(digits.OUTLINES / f"{file}.json")}
    assert faces == set(digits.FACES["train"] + digits.FACES["test"])


def test_the_same_split_seed_and_size_give_the_same_bits_in_another_process_without_fast_instructions():
    ours = {split: hashlib.sha256(digits.draw(split, 3, 300)["images"]).hexdigest() for split in ("train", "test")}
    program = (
        "import hashlib; from minigan.data import digits\n"
        "for split in ('train', 'test'):\n"
        "    print(hashlib.sha256(digits.draw(split, 3, 300)['images']).hexdigest())\n"
    )
    plain = {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX"}  # NumPy's loops for an old processor
    command = [sys.executable, "-W", "ignore", "-c", program]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | plain).stdout.split()
    assert theirs == list(ours.values()) and len(set(theirs)) == 2


def test_a_smaller_size_gives_the_first_of_a_larger(train):
    for name, array in digits.draw("train", 0, 137).items():
        assert np.array_equal(array, train[name][:137])


def test_another_seed_gives_other_pictures(train):
    other = digits.draw("train", 1, 500)["images"]
    assert (other != train["images"][:500]).any(axis=(1, 2, 3)).all()


def test_no_picture_is_drawn_twice(train):
    assert len(np.unique(train["images"].reshape(2000, -1), axis=0)) == 2000


def test_the_splits_share_no_face_and_each_face_is_used(train, test):
    assert set(digits.FACES["train"]).isdisjoint(digits.FACES["test"])
    assert (len(set(digits.FACES["train"])), len(set(digits.FACES["test"]))) == (18, 4)
    assert set(train["attributes"][:, 0]) == set(range(18)) and set(test["attributes"][:, 0]) == set(range(4))


def test_the_splits_share_no_random_number(train, test):
    assert not np.isin(test["attributes"][:, 1], train["attributes"][:, 1]).any()


def test_attributes_say_what_was_done():
    dataset = data.load("digits", size=4000)
    assert abs(dataset.info["rotation"]).max() <= 12 and abs(dataset.info["shear"]).max() <= 0.2
    assert dataset.info["scale"].max() <= 1.15
    ones = (dataset.labels == 1) & (dataset.info["face"] == digits.FACES["train"].index("DejaVuSans"))
    y, x = np.mgrid[28:0:-1, 0:28]  # y upwards
    w = dataset.images[ones, 0] / dataset.images[ones, 0].sum(axis=(1, 2), keepdims=True)
    mean = lambda values: (w * values).sum(axis=(1, 2))
    slant = (mean(x * y) - mean(x) * mean(y)) / (mean(y * y) - mean(y) ** 2)  # x per y: to the right is positive
    expected = dataset.info["shear"][ones] - np.tan(np.radians(dataset.info["rotation"][ones]))
    assert ones.sum() > 15 and np.corrcoef(slant, expected)[0, 1] > 0.95
    height = (dataset.images[ones, 0] > 127).any(axis=2).sum(axis=1)
    assert np.corrcoef(height, dataset.info["scale"][ones])[0, 1] > 0.9


def test_a_cached_set_is_read_back_instead_of_drawn(own_cache, monkeypatch):
    first = data.load("digits", size=30, seed=2)
    monkeypatch.setattr(digits, "draw", None)  # drawing now would fail
    second = data.load("digits", size=30, seed=2)
    assert np.array_equal(first.images, second.images) and np.array_equal(first.info["shear"], second.info["shear"])
    [file] = [path for path in own_cache.rglob("*") if path.is_file()]
    assert second.info["cache"] == str(file) and data.verify("digits") == [(str(file), "ok")]


def test_each_split_seed_and_size_has_its_own_cache_file():
    files = {digits.cache_file(*key) for key in (("train", 0, 9), ("test", 0, 9), ("train", 1, 9), ("train", 0, 8))}
    assert len(files) == 4


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "one byte of the pictures", "header", "other npz"])
def test_a_damaged_cache_file_is_noticed_and_drawn_anew(damage):
    want = data.load("digits", size=40)
    file = digits.cache_file("train", 0, 40)
    raw = bytearray(file.read_bytes())
    middle = raw.find(want.images.tobytes()[:784]) + 400
    assert middle > 400
    if damage == "other npz":
        arrays = digits.read(file)
        with open(file, "wb") as out:  # whole as a zip, and not what we drew
            np.savez(out, sha256=np.array("0" * 64), **arrays)
    else:
        raw[middle] ^= 1
        raw = {
            "cut": raw[:middle],
            "empty": b"",
            "text": b"<html>",
            "one byte of the pictures": raw,
            "header": raw.replace(b"'shape': (40", b"'shape': (99"),
        }[damage]
        file.write_bytes(raw)
    assert digits.read(file) is None
    assert data.verify("digits") == [(str(file), "damaged: `load` draws it again")]
    again = data.load("digits", size=40)
    assert np.array_equal(again.images, want.images)
    assert data.verify("digits") == [(str(file), "ok")]


def test_any_changed_byte_of_a_cache_file_is_either_noticed_or_harmless():
    want = data.load("digits", size=10)
    file = digits.cache_file("train", 0, 10)
    raw = file.read_bytes()
    headers = np.r_[0:400, len(raw) - 800 : len(raw), np.random.default_rng(0).integers(len(raw), size=200)]
    for position in headers:
        broken = bytearray(raw)
        broken[position] ^= 0xFF
        file.write_bytes(broken)
        arrays = digits.read(file)
        assert arrays is None or np.array_equal(arrays["images"], want.images)


def test_an_unwritable_cache_is_not_fatal_and_is_mentioned(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "file" / "below"))
    dataset = data.load("digits", size=10)
    assert len(dataset) == 10 and dataset.info["cache"].startswith("not written: ")


def test_no_home_folder_is_not_fatal_either(monkeypatch):
    monkeypatch.delenv("MINIGAN_CACHE")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert data.load("digits", size=10).info["cache"].startswith("not used: no home folder")
    assert data.verify("digits") == [("digits", "ok: nothing is cached; the digits are drawn at first use")]


def test_a_failed_write_leaves_no_file_behind(own_cache, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert "No space left" in data.load("digits", size=10).info["cache"]
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []


def test_two_processes_at_once_leave_one_whole_file(own_cache):
    program = "import minigan.data as d; print(int(d.load('digits', size=200).images.sum()))"
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    sums = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0] and sums[0] == sums[1]
    [file] = [path for path in own_cache.rglob("*") if path.is_file()]
    assert int(digits.read(file)["images"].sum()) == int(sums[0])


def test_importing_the_data_sets_loads_no_matplotlib_and_no_network_code():
    program = (
        "import sys, minigan.data\n"
        "heavy = [m for m in ('matplotlib', 'tqdm', 'urllib.request', 'http.client') if m in sys.modules]\n"
        "import minigan.data.digits as digits; digits.draw('test', 0, 1)\n"
        "print(heavy, 'tqdm' in sys.modules, 'matplotlib' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert run.stdout.split() == ["[]", "True", "False"]  # the check can tell the difference; no digit needs matplotlib


@pytest.mark.parametrize(
    "name, value, least",
    [("size", 0, 1), ("size", -5, 1), ("size", 2.5, 1), ("size", True, 1), ("seed", -1, 0), ("seed", "x", 0)],
)
def test_impossible_options_are_named(name, value, least):
    with pytest.raises(ConfigError, match=f"digits: {name} must be a whole number of at least {least}, got {value!r}"):
        data.load("digits", **{name: value})


@pytest.mark.parametrize("text", [None, "", "{}", '{"DejaVuSans": ['])
def test_a_damaged_installation_is_told(monkeypatch, tmp_path, text):
    for file in ("dejavu", "general", "computer-modern") if text is not None else ():
        (tmp_path / f"{file}.json").write_text(text)
    monkeypatch.setattr(digits, "OUTLINES", tmp_path)
    digits._glyph.cache_clear(), digits._field.cache_clear()
    with pytest.raises(DataError, match=r"digits: .*; install minigan again"):
        data.load("digits", size=10)
