"""Each kind of samples has its picture: what belongs together stands together, and what it is stands beside it."""

import numpy as np
import pytest
from PIL import Image

from minigan.data.kinds import Caption, Class, Mask, Pair, Pictures, Points, Tokens
from minigan.errors import ConfigError, ShapeError
from minigan.viz import draw, image_grid, letters, most, save_png, scatter_png, shown, text_grid, token_grid
from minigan.viz.images import BORDER
from minigan.viz.samples import HEAD, _layout, labelled_grid

SIDE, GAP = 12, 2
CELL = 2 * SIDE + GAP


def pixels(path):
    with Image.open(path) as opened:
        return np.asarray(opened)


def flat(values, side=SIDE):
    """Pictures of one grey each: value k / 10 for k in values."""
    return np.broadcast_to(np.array(values, np.float32)[:, None, None, None] / 10, (len(values), 1, side, side)).copy()


def drawn(value):
    return round((value / 10 + 1) * 127.5)


def test_pictures_without_labels_are_the_plain_grid(tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (7, 1, SIDE, SIDE)).astype(np.float32)
    draw(tmp_path / "x.png", Pictures(1, SIDE, SIDE), x, title="unseen")
    assert np.array_equal(pixels(tmp_path / "x.png"), image_grid(x, scale=2)[:, :, 0])


def test_large_pictures_are_not_enlarged(tmp_path):
    for side, scale in ((48, 2), (64, 1)):
        x = np.random.default_rng(0).uniform(-1, 1, (5, 3, side, side)).astype(np.float32)
        draw(tmp_path / "x.png", Pictures(3, side, side), x)
        assert np.array_equal(pixels(tmp_path / "x.png"), image_grid(x, scale=scale))


def test_points_without_labels_are_the_plain_scatter(tmp_path):
    rng = np.random.default_rng(0)
    fake, real = rng.normal(size=(50, 2)), rng.normal(size=(60, 2))
    draw(tmp_path / "x.png", Points(2), fake, real=real, title="t")
    scatter_png(tmp_path / "y.png", fake, real, "t")
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()


def test_labelled_pictures_stand_in_rows_by_class_with_their_number_at_the_left():
    labels = np.arange(9) % 3  # 0 1 2 0 1 2 0 1 2
    grid = labelled_grid(flat(labels + 3), labels)[:, :, 0]
    margin = letters.width("0", HEAD) + 8
    assert grid.shape == (3 * CELL + GAP, margin + 3 * CELL + GAP)
    for k in range(3):
        row = grid[GAP + k * CELL :][: 2 * SIDE]
        for i in range(3):
            assert (row[:, margin + GAP + i * CELL :][:, : 2 * SIDE] == drawn(k + 3)).all()
        head = np.full((2 * SIDE, margin, 1), BORDER, np.uint8)
        letters.write(head, str(k), SIDE, margin / 2 + GAP / 2, size=HEAD)
        assert np.array_equal(row[:, :margin], head[:, :, 0]) and head.max() > 240


@pytest.mark.parametrize(
    "classes, largest, layout",
    [
        (10, 7, (7, 1)),  # what a run draws: 64 of ten classes
        (9, 1, (1, 3)),  # one of each
        (1, 64, (8, 1)),  # all of one class
        (10, 2, (2, 2)),
        (10, 1000, (100, 1)),
    ],
)
def test_a_class_has_whole_rows_and_the_picture_is_as_square_as_it_can_be(classes, largest, layout):
    assert _layout(classes, largest) == layout


@pytest.mark.parametrize(
    "labels", [np.arange(9), np.arange(64) % 10, np.full(5, 3), np.array([1, 1, 1, 7, 7, 2]), np.arange(11)]
)
def test_every_labelled_picture_is_drawn_once_and_the_rest_is_ground(labels):
    greys = np.arange(len(labels))  # darker than the ground and the letters, and all different
    grid = labelled_grid(flat(10 * (greys / 127.5 - 1)), labels)
    assert [(grid == grey).sum() for grey in greys] == [(2 * SIDE) ** 2] * len(labels)
    assert (grid < BORDER).sum() == len(labels) * (2 * SIDE) ** 2


def test_labelled_pictures_of_a_generator_that_diverged_keep_their_size():
    x = flat(np.arange(9) - 5)
    whole = labelled_grid(x, np.arange(9))
    x[4] = np.nan
    broken = labelled_grid(x, np.arange(9))
    assert broken.shape == (*whole.shape[:2], 3) and (broken == (255, 0, 255)).all(axis=2).sum() == (2 * SIDE) ** 2


def test_small_pictures_are_enlarged_until_the_numbers_fit():
    grid = labelled_grid(flat([1, 2], side=4), np.array([3, 8]))
    assert grid.shape[0] >= letters.height(HEAD)


def test_a_pair_is_shown_side_by_side_under_heads(tmp_path):
    kind = Pair(Pictures(1, SIDE, SIDE), Pictures(1, SIDE, SIDE))
    draw(tmp_path / "x.png", kind, np.concatenate([flat([1, 2]), flat([5, 6])], axis=1))
    picture, top = pixels(tmp_path / "x.png"), letters.height() + 2
    assert picture.shape == (top + CELL + GAP, 2 * (4 * SIDE + GAP) + GAP)
    body = picture[top + GAP :][: 2 * SIDE]
    for i, (a, b) in enumerate([(1, 5), (2, 6)]):
        left = GAP + i * (4 * SIDE + GAP)
        assert (body[:, left:][:, : 2 * SIDE] == drawn(a)).all()
        assert (body[:, left + 2 * SIDE :][:, : 2 * SIDE] == drawn(b)).all()
        for part, word in enumerate("AB"):
            head = np.full((top, 2 * SIDE, 1), BORDER, np.uint8)
            letters.write(head, word, top / 2 + 1, SIDE)
            assert np.array_equal(picture[:top, left + part * 2 * SIDE :][:, : 2 * SIDE], head[:, :, 0]) and head.max() > 200


def test_a_grey_picture_can_be_paired_with_one_in_colours(tmp_path):
    kind = Pair(Pictures(1, SIDE, SIDE), Pictures(3, SIDE, SIDE), aligned=True)
    draw(tmp_path / "x.png", kind, flat([1]).repeat(4, axis=1), labels=np.array([4]))
    assert pixels(tmp_path / "x.png").shape[2:] == (3,)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_channels_that_are_no_colours_stand_side_by_side_in_grey(tmp_path, channels):
    x = np.random.default_rng(0).uniform(-1, 1, (3, channels, SIDE, SIDE)).astype(np.float32)
    labels, masks = np.array([0, 1, 0]), np.random.default_rng(1).integers(0, 2, (3, 1, SIDE, SIDE))
    beside = np.concatenate([x[:, [c]] for c in range(channels)], axis=3)
    for given in ({}, {"labels": labels}):
        draw(tmp_path / "x.png", Pictures(channels, SIDE, SIDE), x, **given)
        assert np.array_equal(pixels(tmp_path / "x.png"), labelled_grid(beside, **given)[:, :, 0])
    draw(tmp_path / "x.png", Pictures(channels, SIDE, SIDE), x, masks=masks)
    assert np.array_equal(pixels(tmp_path / "x.png"), labelled_grid(beside, masks=np.concatenate([masks] * channels, axis=3)))
    draw(tmp_path / "x.png", Pictures(channels, SIDE, SIDE // 2), x, heads=("a", "b"))  # two pictures, then their next channel
    assert np.array_equal(pixels(tmp_path / "x.png"), labelled_grid(beside, heads=("a", "b") * channels)[:, :, 0])


@pytest.mark.parametrize("a, b", [(2, 1), (1, 2), (2, 2), (3, 2), (4, 3)])
def test_a_pair_whose_channels_are_no_colours_has_a_head_over_each_channel(tmp_path, a, b):
    x = np.random.default_rng(0).uniform(-1, 1, (3, a + b, SIDE, SIDE)).astype(np.float32)
    draw(tmp_path / "x.png", Pair(Pictures(a, SIDE, SIDE), Pictures(b, SIDE, SIDE)), x)
    beside = np.concatenate([x[:, [c]] for c in range(a + b)], axis=3)
    assert np.array_equal(pixels(tmp_path / "x.png"), labelled_grid(beside, heads="A" * a + "B" * b)[:, :, 0])


def test_a_system_that_shows_parts_with_heads_may_show_grey_ones_whatever_it_learns(tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (3, 1, SIDE, 2 * SIDE)).astype(np.float32)
    for kind in (Pair(Pictures(1, SIDE, SIDE), Pictures(1, SIDE, SIDE)), Pictures(2, SIDE, SIDE)):
        draw(tmp_path / "x.png", kind, x, heads=("a", "b"))
        assert np.array_equal(pixels(tmp_path / "x.png"), labelled_grid(x, heads=("a", "b"))[:, :, 0])


def test_samples_of_another_shape_than_their_kind_are_refused_as_before(tmp_path):
    for kind, shape, text in [
        (Pictures(2, SIDE, SIDE), (3, 1, SIDE, SIDE), r"must be \(N, 2, H, W\), got \(3, 1, 12, 12\)"),
        (Pictures(2, SIDE, SIDE), (3, SIDE), "2 channels must be"),
        (Pictures(1, SIDE, SIDE), (3, 2, SIDE, SIDE), "needs .N, 1 or 3, H, W"),
        (Points(3), (5, 2), r"points 3 need \(N, 3\)"),
        (Points(2), (5, 3), r"points 2 need \(N, 2\)"),
    ]:
        with pytest.raises(ShapeError, match=text):
            draw(tmp_path / "x.png", kind, np.zeros(shape, np.float32))


def test_of_points_in_space_the_first_two_coordinates_are_drawn(tmp_path):
    rng = np.random.default_rng(0)
    fake, real, labels = rng.normal(size=(50, 3)), rng.normal(size=(60, 3)), rng.integers(0, 3, 50)
    draw(tmp_path / "x.png", Points(3), fake, labels, real, "t")
    scatter_png(tmp_path / "y.png", fake[:, :2], real[:, :2], "t", labels=labels)
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()


@pytest.mark.parametrize("real", [None, np.linspace(-3, 5, 20)[:, None]])
def test_points_on_a_line_are_spread_out_in_their_order(tmp_path, real):
    fake = np.array([0.0, 4.0, np.nan, 2.0])[:, None]
    low, high = (0, 4) if real is None else (-3, 5)
    spread = lambda x: np.concatenate([x, np.linspace(low, high, len(x))[:, None]], axis=1)
    draw(tmp_path / "x.png", Points(1), fake, real=real)
    scatter_png(tmp_path / "y.png", spread(fake), real if real is None else spread(real), names=("$x_1$", None))
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()
    draw(tmp_path / "x.png", Points(1), np.full((3, 1), np.nan))  # a generator that has diverged


def test_heads_stand_over_what_a_system_shows_side_by_side():
    x = np.concatenate([flat([1] * 4), flat([5] * 4), flat([8] * 4)], axis=3)
    heads = ("source", "made", "back")
    grid = labelled_grid(x, heads=heads)
    scale = -(-(letters.width("source") + 4) // SIDE)  # wide enough for the longest
    assert scale > 2
    top = grid.shape[0] - image_grid(x, scale=scale).shape[0]
    assert np.array_equal(grid[top:], image_grid(x, scale=scale))
    for column in range(2):
        for part, word in enumerate(heads):
            head = np.full((top, SIDE * scale, 1), BORDER, np.uint8)
            letters.write(head, word, top / 2 + 1, SIDE * scale / 2)
            left = GAP + column * (3 * SIDE * scale + GAP) + part * SIDE * scale
            assert np.array_equal(grid[:top, left : left + SIDE * scale], head) and (head > 200).any()
    with pytest.raises(ShapeError, match="cannot be 5 pictures side by side; give one head for each"):
        labelled_grid(x, heads=tuple("abcde"))


def test_a_mask_is_an_outline_over_its_picture():
    x, mask = flat([-10]), np.zeros((1, 1, SIDE, SIDE), np.float32)
    mask[:, :, 3:7, 2:10] = 1
    grid = labelled_grid(x, masks=mask)
    orange = (grid == image_grid(np.array([1.0, -0.25, -1.0]).reshape(1, 3, 1, 1), padding=0)).all(axis=2)
    rows, columns = np.nonzero(orange)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (GAP + 6, GAP + 13, GAP + 4, GAP + 19)
    assert orange.sum() == 2 * 16 + 2 * 8 - 4 and (grid[GAP + 7 : GAP + 13, GAP + 5 : GAP + 19] == 0).all()
    with pytest.raises(ShapeError, match="masks has shape"):
        labelled_grid(x, masks=mask[:, :, 1:])


def test_masks_alone_are_black_and_white(tmp_path):
    draw(tmp_path / "x.png", Mask(SIDE, SIDE), np.stack([np.zeros((1, SIDE, SIDE)), np.ones((1, SIDE, SIDE))]))
    save_png(tmp_path / "y.png", image_grid(flat([-10, 10]), scale=2))
    assert np.array_equal(pixels(tmp_path / "x.png"), pixels(tmp_path / "y.png"))


def near(picture, at, limits=(-3, 3)):
    """The colours, as a set, of the pixels that are no white and no grey within a mode at this place of a scatter plot."""
    from matplotlib.colors import rgb_to_hsv

    hsv = rgb_to_hsv(picture[..., :3] / 255.0)
    box = np.nonzero((picture[..., :3] < 50).all(axis=2).sum(axis=1) > 200)[0]  # the frame's lower and upper line
    columns = np.nonzero((picture[..., :3] < 50).all(axis=2).sum(axis=0) > 200)[0]
    scale = (columns.max() - columns.min()) / (limits[1] - limits[0])
    x, y = columns.min() + (at[0] - limits[0]) * scale, box.max() - (at[1] - limits[0]) * scale
    part = hsv[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5]
    return part[part[..., 1] > 0.5][:, 0]


def test_labelled_points_have_a_colour_for_each_class(tmp_path):
    rng, centres = np.random.default_rng(0), np.array([[-2, -2], [2, -2], [2, 2], [-2, 2]])
    labels = np.arange(200) % 4
    points = centres[labels] + 0.03 * rng.normal(size=(200, 2))
    for name, arguments in {"fake": (points, points), "real": (None, points)}.items():
        scatter_png(tmp_path / f"{name}.png", *arguments, limits=(-3, 3), labels=labels)
        picture = pixels(tmp_path / f"{name}.png")
        hues = [near(picture, at) for at in centres]
        assert all(len(hue) > 20 and np.ptp(hue) < 0.05 for hue in hues)
        middle = np.sort([np.median(hue) for hue in hues])
        assert np.diff(middle).min() > 0.1  # four hues, far apart
    swapped = labels[::-1]
    scatter_png(tmp_path / "swapped.png", points, points, limits=(-3, 3), labels=swapped)
    assert not np.array_equal(pixels(tmp_path / "swapped.png"), pixels(tmp_path / "fake.png"))


def test_points_that_are_no_numbers_lose_their_label_too(tmp_path):
    points, labels = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    points[labels == 1] = np.nan
    draw(tmp_path / "x.png", Points(2), points, labels=labels, real=np.zeros((1, 2)))
    assert pixels(tmp_path / "x.png").shape[:2] == (600, 600)
    with pytest.raises(ShapeError, match=r"labels has shape \(3,\), needs one for each of the 20"):
        draw(tmp_path / "x.png", Points(2), points, labels=labels[:3])


def test_tokens_are_text_where_they_have_words_and_numbers_where_not(tmp_path):
    tokens, words = np.array([[0, 1, 2], [2, 2, 0]]), ("the", "cat", "sleeps")
    for kind in (Tokens(3, 3), Caption(3, 3)):
        draw(tmp_path / "n.png", kind, tokens)
        draw(tmp_path / "w.png", kind, None, real=tokens, words=words)
        assert np.array_equal(pixels(tmp_path / "n.png"), token_grid(tokens, vocabulary=3))
        assert np.array_equal(pixels(tmp_path / "w.png"), text_grid(tokens, words)[:, :, 0])


def test_how_many_are_shown_and_fit():
    assert (shown(Pictures(1, 4, 4)), shown(Tokens(3, 3)), shown(Points(2))) == (64, 64, 2000)
    assert (most(Pictures(1, 4, 4)), most(Tokens(3, 3)), most(Points(2))) == (10_000, 10_000, None)


def test_of_classes_there_is_no_picture(tmp_path):
    with pytest.raises(ConfigError, match="draw: cannot draw samples that are class 10"):
        draw(tmp_path / "x.png", Class(10), np.arange(10))


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"labels has shape \(3,\), needs one for each of the 4 images"):
        labelled_grid(flat([1] * 4), np.arange(3))
