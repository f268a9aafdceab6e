"""Grids, PNGs and GIFs, checked pixel by pixel against Pillow's own reading of the files."""

import errno
import os

import numpy as np
import pytest
from PIL import Image

from minigan.errors import CheckpointError, DTypeError, ShapeError
from minigan.viz import image_grid, save_gif, save_png

BORDER = 96
MAGENTA = [255, 0, 255]


def test_a_grid_has_every_image_in_its_place():
    images = np.linspace(-1, 1, 5 * 3 * 2 * 4, dtype=np.float32).reshape(5, 3, 2, 4)
    grid = image_grid(images, columns=3, padding=2, scale=2)
    assert grid.dtype == np.uint8 and grid.shape == (2 * (4 + 2) + 2, 3 * (8 + 2) + 2, 3)
    seen = np.zeros(grid.shape[:2], bool)
    for n in range(5):  # one pixel at a time, by the definition
        for i in range(4):
            for j in range(8):
                row, column = 2 + n // 3 * 6 + i, 2 + n % 3 * 10 + j
                assert grid[row, column].tolist() == np.rint((images[n, :, i // 2, j // 2] + 1) * 127.5).tolist()
                seen[row, column] = True
    assert (grid[~seen] == BORDER).all() and (~seen).sum() == grid.shape[0] * grid.shape[1] - 5 * 32


@pytest.mark.parametrize("n, rows, columns", [(1, 1, 1), (2, 1, 2), (5, 2, 3), (9, 3, 3), (10, 3, 4), (64, 8, 8)])
def test_a_grid_is_as_square_as_can_be(n, rows, columns):
    assert image_grid(np.zeros((n, 1, 4, 4)), padding=1).shape == (rows * 5 + 1, columns * 5 + 1, 1)


def test_more_columns_than_images_leave_no_empty_cells():
    assert image_grid(np.zeros((2, 1, 4, 4)), columns=10, padding=0).shape == (4, 8, 1)


def test_values_beyond_the_range_are_clipped_not_wrapped():
    images = np.array([-5, -1, 0, 1, 1.01, 300], np.float32).reshape(1, 1, 1, 6)
    assert image_grid(images, padding=0).ravel().tolist() == [0, 0, 128, 255, 255, 255]


def test_nan_and_infinity_are_painted_magenta():
    grey = np.zeros((2, 1, 2, 2), np.float32)
    grey[0, 0, 0, 1], grey[1, 0, 1, 0] = np.nan, np.inf
    rgb = np.zeros((2, 3, 2, 2), np.float32)
    rgb[0, 2, 0, 1], rgb[1, 0, 1, 0] = np.nan, -np.inf  # one channel is enough
    for images in (grey, rgb):
        grid = image_grid(images, padding=0)
        assert grid.shape == (2, 4, 3)
        bad = (grid == MAGENTA).all(axis=2)
        assert np.argwhere(bad).tolist() == [[0, 1], [1, 2]]
        assert (grid[~bad] == 128).all()


def test_the_images_themselves_are_not_touched():
    images = np.full((1, 1, 2, 2), np.nan, np.float32)
    image_grid(images)
    assert np.isnan(images).all()


@pytest.mark.parametrize(
    "images, error, message",
    [
        (np.zeros((4, 8, 8, 3)), ShapeError, r"\(4, 8, 8, 3\).*pass images.transpose\(0, 3, 1, 2\)"),
        (np.zeros((8, 8)), ShapeError, r"\(8, 8\), needs \(N, 1 or 3, H, W\)"),
        (np.zeros((0, 1, 8, 8)), ShapeError, "none of them 0"),
        (np.zeros((1, 1, 8, 8), np.uint8), DTypeError, r"uint8, needs floats in \[-1, 1\]; from 0..255: x / 127.5 - 1"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(images, error, message):
    with pytest.raises(error, match=message):
        image_grid(images)


def test_impossible_layouts_are_refused():
    for options in ({"columns": 0}, {"padding": -1}, {"scale": 0}):
        with pytest.raises(ShapeError, match="needs >= 1, >= 0, >= 1"):
            image_grid(np.zeros((1, 1, 2, 2)), **options)


@pytest.mark.parametrize("shape, mode", [((5, 7), "L"), ((5, 7, 1), "L"), ((5, 7, 3), "RGB")])
def test_a_png_holds_the_picture_exactly(tmp_path, shape, mode):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    save_png(tmp_path / "x.png", picture)
    with Image.open(tmp_path / "x.png") as file:
        assert file.format == "PNG" and file.mode == mode
        assert np.array_equal(np.asarray(file), picture.reshape(np.asarray(file).shape))
    assert os.listdir(tmp_path) == ["x.png"]


def test_what_is_no_picture_is_refused(tmp_path):
    with pytest.raises(DTypeError, match="must be uint8, got float64; image_grid makes one"):
        save_png(tmp_path / "x.png", np.zeros((4, 4)))
    for shape in ((4,), (4, 4, 4), (0, 4)):
        with pytest.raises(ShapeError, match="a picture has shape"):
            save_png(tmp_path / "x.png", np.zeros(shape, np.uint8))
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_the_earlier_picture(tmp_path, monkeypatch):
    save_png(tmp_path / "x.png", np.zeros((4, 4), np.uint8))
    before = (tmp_path / "x.png").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (save_png, lambda path, picture: save_gif(path, [picture])):
        with pytest.raises(CheckpointError, match=r"x\.png: cannot be written: the disk is full"):
            write(tmp_path / "x.png", np.ones((4, 4), np.uint8))
    assert (tmp_path / "x.png").read_bytes() == before and os.listdir(tmp_path) == ["x.png"]


def frames_of(path):
    with Image.open(path) as file:
        assert file.info["loop"] == 0
        frames = []
        for i in range(file.n_frames):
            file.seek(i)
            frames.append((np.asarray(file.convert("RGB")), file.info["duration"]))
    return frames


def test_a_grey_gif_is_exact_and_holds_its_last_frame(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 256, (16, 20, 1)).astype(np.uint8) for _ in range(3)]
    save_png(tmp_path / "1.png", arrays[1])
    save_gif(tmp_path / "x.gif", [arrays[0], tmp_path / "1.png", arrays[2]], seconds_per_frame=0.1, hold=1.5)
    frames = frames_of(tmp_path / "x.gif")
    assert [duration for _, duration in frames] == [100, 100, 1500]
    for (frame, _), array in zip(frames, arrays):
        assert np.array_equal(frame, np.broadcast_to(array, (16, 20, 3)))


def test_a_grey_run_that_meets_nan_shows_it_in_the_gif(tmp_path):
    good = np.zeros((4, 1, 8, 8), np.float32)
    bad = good.copy()
    bad[3] = np.nan
    save_gif(tmp_path / "x.gif", [image_grid(good), image_grid(bad)])
    (first, _), (second, _) = frames_of(tmp_path / "x.gif")
    assert np.array_equal(first, np.broadcast_to(image_grid(good), first.shape))
    assert np.array_equal(second, image_grid(bad)) and (second == MAGENTA).all(axis=2).sum() == 64


def test_few_colours_stay_exact_in_a_gif_of_many_frames(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (200, 3)).astype(np.uint8)
    colours[0] = 255  # a white page stays white
    arrays = [colours[np.random.default_rng(i).integers(0, 200, (30, 30))] for i in range(5)]
    save_gif(tmp_path / "x.gif", arrays)
    for (frame, _), array in zip(frames_of(tmp_path / "x.gif"), arrays, strict=True):
        assert np.array_equal(frame, array)


def test_smaller_frames_are_enlarged_to_the_largest(tmp_path):
    small, large = np.array([[0, 255]], np.uint8), np.full((4, 8), 100, np.uint8)
    save_gif(tmp_path / "x.gif", [small, large])
    (first, _), (second, _) = frames_of(tmp_path / "x.gif")
    assert first.shape == second.shape == (4, 8, 3)
    assert (first[:, :4] == 0).all() and (first[:, 4:] == 255).all()


def test_a_gif_of_nothing_or_of_a_broken_picture_says_so(tmp_path):
    with pytest.raises(ShapeError, match="no frames; train until"):
        save_gif(tmp_path / "x.gif", [])
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n half of")
    for name in ("broken.png", "missing.png"):
        with pytest.raises(CheckpointError, match=rf"{name}: not a readable picture .*; delete it or draw it again"):
            save_gif(tmp_path / "x.gif", [tmp_path / name])
    save_png(tmp_path / "cut.png", np.random.default_rng(0).integers(0, 256, (50, 50)).astype(np.uint8))
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"cut\.png: not a readable picture"):
        save_gif(tmp_path / "x.gif", [tmp_path / "cut.png"])
    assert not (tmp_path / "x.gif").exists()
