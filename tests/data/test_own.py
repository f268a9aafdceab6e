"""A folder of pictures becomes a data set: every format, upright, of one size, with classes and a test split that stay."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from minigan import data
from minigan.data import own, pictures
from minigan.data.kinds import Class, Pair, Pictures
from minigan.errors import ConfigError, DataError


@pytest.fixture
def put(tmp_path):
    """put("cats/a.png", array or mode, ...) saves a picture in the folder, and returns the folder."""

    def save(name, pixels, **options):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels, np.uint8))
        image.save(path, **options)
        return tmp_path / "photos"

    return save


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


def both(root, **options):
    """All pictures of both splits, in the order train, test."""
    parts = [data.folder(root, split, **options) for split in ("train", "test")]
    return np.concatenate([part.images for part in parts])


def one(root, **options):
    """The only picture of a folder with one, (C, H, W)."""
    (image,) = data.folder(root, **options).images
    return image


# ------------------------------------------------------------------------------------------ from a file to pixels


@pytest.mark.parametrize(
    "name, options", [("a.png", {}), ("A.PNG", {}), ("a.bmp", {}), ("a.webp", {"lossless": True}), ("größe ♥.Png", {})]
)
def test_lossless_files_keep_every_bit(put, name, options):
    pixels = noise(0, 5, 7, 3)
    root = put(name, pixels, **options)
    np.testing.assert_array_equal(one(root), pixels.transpose(2, 0, 1))
    assert data.folder(root).kinds == {"x": Pictures(3, 5, 7)}


def test_a_jpeg_is_near_what_was_saved_and_a_large_one_is_decoded_at_a_fraction_of_its_size(put, monkeypatch):
    ramp = np.linspace(0, 255, 640)[None, :, None] * np.ones((640, 1, 3))
    root, sizes = put("a.jpg", ramp, quality=95), []
    real = Image.Image.resize
    watched = lambda self, *rest, **options: sizes.append(self.size) or real(self, *rest, **options)
    monkeypatch.setattr(Image.Image, "resize", watched)
    wanted = ramp.reshape(16, 40, 16, 40, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(one(root, size=16) - wanted).max() < 4
    assert max(sizes) == (80, 80)


def test_a_picture_is_turned_upright(put):
    arrow = np.zeros((20, 40), np.uint8)
    arrow[:10] = 255  # the upper half is white
    exif = Image.Exif()
    for name, orientation in (("a.png", 1), ("b.png", 6), ("c.jpg", 8), ("d.jpg", 3)):
        exif[0x0112] = orientation
        put(name, arrow, exif=exif)
    look = pictures.Look(colour="grey")
    load = lambda name, shape: pictures.pixels((put("a.png", arrow) / name).read_bytes(), shape, look)[0]
    assert load("b.png", (1, 40, 20))[:, 15].min() > 250 and load("b.png", (1, 40, 20))[:, 5].max() < 5  # turned to the right
    assert load("c.jpg", (1, 40, 20))[:, 5].min() > 250 and load("d.jpg", (1, 20, 40))[15].min() > 250
    assert pictures.header(put("a.png", arrow) / "b.png") == ((40, 20), False)
    assert pictures.header(put("a.png", arrow) / "c.jpg") == ((40, 20), False)


def test_grey_unless_one_of_them_has_colour(put):
    grey = noise(0, 6, 6)
    for k, mode in enumerate(("L", "LA", "1", "P")):
        put(f"{k}.png", Image.fromarray(grey).convert("L").convert(mode))
    wide = grey.astype(np.uint16) * 257
    root = put("wide.png", Image.fromarray(wide))
    assert data.folder(root).kinds["x"] == Pictures(1, 6, 6)
    assert any(np.array_equal(image[0], grey) for image in both(root))
    assert len(both(root)) == 5 and data.folder(root, colour="rgb").kinds["x"] == Pictures(3, 6, 6)
    put("z.png", noise(1, 6, 6, 3))
    assert data.folder(root).kinds["x"] == Pictures(3, 6, 6)
    assert data.folder(root, colour="grey").kinds["x"] == Pictures(1, 6, 6)


def test_sixteen_bits_are_scaled_and_not_cut_off(put):
    root = put("a.png", Image.fromarray(np.array([[0, 257, 128 * 257, 65535]], np.uint16)))
    assert one(root).tolist() == [[[0, 1, 128, 255]]]


def test_what_is_transparent_shows_the_background(put):
    red = np.zeros((2, 4, 4), np.uint8)
    red[:, :, 0], red[:, :2, 3], red[:, 2:3, 3] = 200, 255, 128  # two columns of red, one half there, one not
    root = put("a.png", red)
    assert one(root)[:, 0, :].tolist() == [[200, 200, 227, 255], [0, 0, 127, 255], [0, 0, 127, 255]]
    assert one(root, background="#0000ff")[:, 0, 3].tolist() == [0, 0, 255]
    assert one(root, background="black", colour="grey").shape == (1, 2, 4)


def test_crop_keeps_the_middle_and_pad_keeps_all(put):
    stripes = np.repeat(np.array([[10, 20, 30, 40]], np.uint8), 8, axis=1).repeat(16, axis=0)  # 16 high, 32 wide
    root = put("a.png", stripes)
    np.testing.assert_array_equal(one(root, size=16)[0], stripes[:, 8:24])
    padded = one(root, size=32, fit="pad", background="black")[0]
    np.testing.assert_array_equal(padded[8:24], stripes)
    assert not padded[:8].any() and not padded[24:].any()
    assert one(put("a.png", noise(0, 1, 500)), size=16, fit="pad").shape == (1, 16, 16)  # less than a pixel high


def test_of_an_animation_the_first_picture(put):
    frames = [Image.fromarray(np.full((4, 4, 3), value, np.uint8)) for value in (50, 200)]
    root = put("a.webp", frames[0], save_all=True, append_images=frames[1:], lossless=True)
    assert np.unique(one(root)).tolist() == [50]


# ------------------------------------------------------------------------------------------ which files


def test_hidden_files_and_other_files_are_left_out(put):
    root = put("a.png", noise(0, 4, 4))
    for name in (".b.png", ".thumbs/c.png"):
        put(name, noise(1, 4, 4))
    (root / "notes.txt").write_text("cats")
    assert len(data.folder(root)) == 1


def test_sub_folders_are_classes_and_numbers_come_in_their_order(put):
    for name in ("10", "9", "2/deep/er", "über"):
        for k in range(12):
            root = put(f"{name}/{k}.png", np.full((2, 2), len(name)))
    for split in ("train", "test"):
        dataset = data.folder(root, split)
        assert dataset.info["names"] == ("2", "9", "10", "über") and dataset.kinds["labels"] == Class(4)
        assert [len(("2/deep/er", "9", "10", "über")[label]) for label in dataset.labels] == dataset.images[:, 0, 0, 0].tolist()


def test_one_sub_folder_alone_is_no_class(put):
    root = put("img/a.png", noise(0, 2, 2))
    assert data.folder(root).labels is None and data.folder(root).classes is None


def test_pictures_beside_classes_are_refused(put):
    for name in ("cat/a.png", "dog/a.png", "loose.png"):
        root = put(name, noise(0, 2, 2))
    with pytest.raises(DataError, match=r"beside its sub-folders, such as loose.png; .* are classes \(cat, dog\): move"):
        data.folder(root)


def test_links_are_followed_but_never_in_a_circle(put, tmp_path):
    root = put("a.png", noise(0, 2, 2))
    outside = tmp_path / "outside"
    outside.mkdir()
    Image.fromarray(noise(1, 2, 2)).save(outside / "b.png")
    (root / "link").symlink_to(outside)
    (root / "again").symlink_to(root)
    (root / "c.png").symlink_to(outside / "b.png")
    assert len(both(root)) == 3


def test_the_split_follows_the_names_whatever_else_is_there(put):
    for k in range(60):
        root = put(f"{k}.png", np.full((2, 2), k))
    values = {split: set(data.folder(root, split).images[:, 0, 0, 0].tolist()) for split in ("train", "test")}
    assert values["train"] | values["test"] == set(range(60)) and not values["train"] & values["test"]
    assert 1 <= len(values["test"]) <= 14
    for k in range(60, 90):
        put(f"{k}.png", np.full((2, 2), k))
    later = set(data.folder(root, "test").images[:, 0, 0, 0].tolist())
    assert {value for value in later if value < 60} == values["test"]


@pytest.mark.parametrize("name", ["test", "val"])
def test_folders_of_splits(put, name):
    for split, count in (("train", 3), (name, 2)):
        for k in range(count):
            for label in ("cat", "dog"):
                root = put(f"{split}/{label}/{k}.png", np.full((2, 2), 100 * (split == "train") + k))
    train, test = data.folder(root), data.folder(root, "test")
    assert len(train) == 6 and len(test) == 4 and train.info["names"] == test.info["names"] == ("cat", "dog")
    assert train.images.min() >= 100 > test.images.max()


def test_two_pictures_are_one_and_one_and_one_has_no_test_split(put):
    root = put("a.png", noise(0, 2, 2))
    with pytest.raises(DataError, match="has 1 picture.*leaves none for the test split"):
        data.folder(root, "test")
    put("b.png", noise(1, 2, 2))
    assert len(data.folder(root)) == len(data.folder(root, "test")) == 1


# ------------------------------------------------------------------------------------------ what cannot be used


def png_that_claims(width, height):
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_broken_files_are_named_and_skipped_and_bombs_are_not_begun(put):
    for k in range(8):
        root = put(f"{k}.png", noise(k, 8, 8, 3))
    whole = (root / "0.png").read_bytes()
    for name, content in {
        "cut.png": whole[:-40],
        "empty.jpg": b"",
        "text.webp": b"hello",
        "bomb.png": png_that_claims(20000, 20000),
        "big.png": png_that_claims(10000, 9000),
    }.items():
        (root / name).write_bytes(content)
    (root / "nowhere.png").symlink_to(root / "gone.png")
    os.mkfifo(root / "pipe.png")
    for options in ({}, {"size": 4}, {"size": 4, "colour": "rgb"}):
        with pytest.warns(UserWarning, match=r"7 of 15 pictures are skipped: big.png claims 10000 x 9000 .*; .*\.\.\."):
            dataset = data.folder(root, **options)
        skipped = dict(dataset.info["skipped"])
        assert set(skipped) == {"cut.png", "empty.jpg", "text.webp", "bomb.png", "big.png", "nowhere.png", "pipe.png"}
        assert "damaged" in skipped["cut.png"] or "cannot be read" in skipped["cut.png"]
        assert skipped["text.webp"] == skipped["empty.jpg"] == "is no PNG, JPEG, WebP or BMP"
        assert skipped["bomb.png"].startswith("claims ") and skipped["pipe.png"] == "is not a file"
    report = data.verify("folder", root)
    assert [status.partition(":")[0] for _, status in report] == ["ok", "ok"] + ["skipped"] * 7


def test_none_left_is_refused(put):
    root = put("a.png", noise(0, 2, 2))
    (root / "a.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"none of the 1 pictures in .* can be used: a.png is no PNG, JPEG, WebP or BMP"):
        data.folder(root)
    (root / "a.png").rename(root / "a\nb.png")
    with pytest.raises(DataError, match=r"can be used: a\\nb.png is no PNG") as error:
        data.folder(root)
    assert "\n" not in str(error.value)


def test_all_of_it_together_is_bounded(put, monkeypatch):
    root = put("a.png", noise(0, 8, 8))
    monkeypatch.setattr(own, "MOST", 100)
    with pytest.raises(ConfigError, match=r"1 pictures 1x16x16 are 0.0 GiB, .*; use a smaller --set size=16"):
        data.folder(root, size=16)
    assert len(data.folder(root, size=8)) == 1


def test_folders_that_are_none(tmp_path):
    with pytest.raises(ConfigError, match="needs the folder that holds your pictures; .*--data-dir DIR"):
        data.load("folder")
    with pytest.raises(DataError, match="nowhere does not exist; give --data-dir"):
        data.folder(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(DataError, match=r"holds no pictures \(.png, .jpg, .jpeg, .webp, .bmp\) and no arrays"):
            data.folder(path)


def test_different_sizes_need_one(put):
    put("a.png", noise(0, 8, 8))
    root = put("b.png", noise(0, 9, 8))
    with pytest.raises(ConfigError, match=r"2 different sizes, .* 8x8 \(a.png\) and 8x9 \(b.png\);\nchoose .*--set size=32"):
        data.folder(root)


@pytest.mark.parametrize(
    "options, says",
    [
        ({"size": "0"}, "size must be a whole number of pixels from 1 to 1024, got 0"),
        ({"size": "32x32"}, "size must be a whole number of pixels"),
        ({"size": 2000}, "from 1 to 1024, got 2000"),
        ({"colour": "gray"}, "unknown colour 'gray'; did you mean 'grey'"),
        ({"fit": "stretch"}, "unknown fit 'stretch'; known: crop, pad"),
        ({"background": "chessboard"}, "background must be a colour such as white"),
        ({"colours": "rgb"}, "did you mean 'colour'"),
    ],
)
def test_options_that_cannot_be(put, options, says):
    root = put("a.png", noise(0, 2, 2))
    with pytest.raises(ConfigError, match=says):
        data.load("folder", data_dir=root, options=options)


def test_options_belong_to_folders_alone():
    with pytest.raises(ConfigError, match="digits has no options; leave size out"):
        data.load("digits", options={"size": 32})
    with pytest.raises(ConfigError, match="digits has no option 'size': it is one of --data folder"):
        data.take_options("digits", {"size": "32"}, ())
    given = {"size": "32", "lr": "1", "fit": "pad"}
    assert data.take_options("folder", given, ("lr",)) == ({"size": 32, "fit": "pad"}, {"lr": "1"})
    with pytest.raises(ConfigError, match=r"folder has no option 'siz'; did you mean 'size'\?"):
        data.take_options("folder", {"siz": "32"}, ("lr",))


# ------------------------------------------------------------------------------------------ decoded once


def test_pictures_are_decoded_once_and_again_when_a_file_changes(put, monkeypatch):
    for k in range(4):
        root = put(f"{k}.png", noise(k, 4, 4))
    decoded, real = [], own.pixels
    monkeypatch.setattr(own, "pixels", lambda *arguments: decoded.append(1) or real(*arguments))
    first = data.folder(root)
    assert np.array_equal(data.folder(root).images, first.images) and len(data.folder(root, "test")) and len(decoded) == 4
    put("0.png", noise(9, 4, 4))
    changed = data.folder(root)
    assert len(decoded) == 8 and changed.info["content"]["sha256"] != first.info["content"]["sha256"]
    put("0.png", noise(0, 4, 4))
    assert data.folder(root).info["content"] == first.info["content"]
    assert len(list((own.cache.folder() / "folder").iterdir())) == 1  # of one folder and look, the newest
    assert data.folder(root, size=2).images.shape[1:] == (1, 2, 2)


def test_a_damaged_cache_is_decoded_again_and_none_is_no_harm(put, monkeypatch, own_cache):
    root = put("a.png", noise(0, 16, 16))
    before = data.folder(root)
    (file,) = own_cache.rglob("*.npz")
    content = bytearray(file.read_bytes())
    content[len(content) // 4] ^= 255
    file.write_bytes(content)
    assert np.array_equal(data.folder(root).images, before.images)
    monkeypatch.setenv("MINIGAN_CACHE", str(root / "a.png"))
    assert data.folder(root).info["cache"].startswith("not written: ")


def test_a_copy_elsewhere_has_the_same_content_and_another_name_has_not(put, tmp_path):
    root = put("a.png", noise(0, 4, 4))
    before = data.folder(root).info["content"]
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a.png").write_bytes((root / "a.png").read_bytes())
    assert (
        data.folder(tmp_path / "copy").info["content"]
        == before
        == {"files": 1, "bytes": (root / "a.png").stat().st_size, "sha256": before["sha256"]}
    )
    (root / "a.png").rename(root / "b.png")
    assert data.folder(root).info["content"]["sha256"] != before["sha256"]


# ------------------------------------------------------------------------------------------ two sub-folders as domains


def test_two_sub_folders_are_the_domains_of_unaligned_pairs(put):
    for name, grey, count in (("cats", 10, 30), ("dogs", 200, 50), ("owls", 90, 30)):
        for i in range(count):
            root = put(f"{name}/{i}.png", np.full((6, 6), grey + i % 5))
    pairs = {split: data.folder(root, split, domains="dogs,cats") for split in ("train", "test")}
    assert pairs["train"].kinds == {"x": Pair(Pictures(1, 6, 6), Pictures(1, 6, 6))}
    for split, found in pairs.items():
        known = data.folder(root, split)
        cats, dogs = (known.images[known.labels == k] for k in (0, 1))
        np.testing.assert_array_equal(np.unique(found.images[:, :1], axis=0), np.unique(dogs, axis=0))  # each, and no other
        np.testing.assert_array_equal(np.unique(found.images[:, 1:], axis=0), np.unique(cats, axis=0))
        assert len(found) == max(len(cats), len(dogs))
        assert found.labels is None and found.info["names"] == ("dogs", "cats")
    again = data.load("folder", data_dir=root, options=pairs["train"].info["recipe"]["options"])
    np.testing.assert_array_equal(again.images, pairs["train"].images)


@pytest.mark.parametrize(
    "domains, text",
    [
        ("cats", "domains must be the names of two sub-folders, such as horses,zebras; got 'cats'"),
        ("cats,cats", "domains must be the names of two sub-folders"),
        ("cats,dog", r"has no class 'dog'; did you mean 'dogs'\?"),
        (7, "domains must be the names of two sub-folders"),
    ],
)
def test_domains_that_are_not_there_are_refused(put, domains, text):
    for name in ("cats", "dogs"):
        for i in range(30):
            root = put(f"{name}/{i}.png", np.zeros((4, 4)))
    with pytest.raises(ConfigError, match=text):
        data.folder(root, domains=domains)


def test_a_domain_needs_pictures_in_both_splits_and_a_folder_needs_classes(put):
    for name, count in (("cats", 30), ("dogs", 1)):
        for i in range(count):
            root = put(f"{name}/{i}.png", np.zeros((4, 4)))
    with pytest.raises(DataError, match="dogs has no picture for the (train|test) split; add more"):
        data.folder(root, domains="cats,dogs")
    with pytest.raises(ConfigError, match="has no class 'a'; its pictures need sub-folders"):
        data.folder(root / "cats", domains="a,b")
