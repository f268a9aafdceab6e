"""Scatter plots and curves: what they draw is read back from the pixels; nothing a log can hold makes them fail."""

import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from minigan.errors import CheckpointError, ShapeError
from minigan.viz import compare_png, curves, curves_png, scatter_png
from minigan.viz.curves import COLOURS, Panel, lines, panels, smooth
from minigan.viz.points import FAKE, REAL


def pixels(path):
    with Image.open(path) as file:
        return np.asarray(file.convert("RGB")).astype(int)


def rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def near(picture, colour, tolerance=40):
    """Where a picture has about this colour: (H, W) bool.  A marker lets a part of the white through."""
    return np.abs(picture - rgb(colour)).max(axis=2) <= tolerance


def cluster(at, n=300, spread=0.02):
    return np.random.default_rng(0).normal(at, spread, (n, 2))


# ---- scatter ---------------------------------------------------------------------------------------------------------


def test_points_are_drawn_where_they_lie_with_equal_axes(tmp_path):
    corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    scatter_png(tmp_path / "x.png", np.concatenate([cluster(at) for at in corners]), limits=(-2, 2))
    picture = near(pixels(tmp_path / "x.png"), FAKE)
    assert picture.shape == (600, 600)
    rows, columns = np.nonzero(picture[:540])  # below is the legend
    assert rows.size > 100
    # Two clusters in each direction, nothing between them, and as far apart across as down.
    across, down = columns > columns.mean(), rows > rows.mean()
    width, height = columns[across].mean() - columns[~across].mean(), rows[down].mean() - rows[~down].mean()
    assert width == pytest.approx(height, abs=3) and width > 200
    assert max(columns[across].std(), columns[~across].std(), rows[down].std()) < 10


def test_the_vertical_axis_points_up(tmp_path):
    scatter_png(tmp_path / "x.png", cluster((0, 1.5)), limits=(-2, 2))
    rows, _ = np.nonzero(near(pixels(tmp_path / "x.png"), FAKE)[:540])
    assert rows.mean() < 200


def test_real_points_lie_under_the_generated_ones_and_set_the_limits(tmp_path):
    real = np.concatenate([cluster((-1, 0)), cluster((1, 0))])
    scatter_png(tmp_path / "a.png", cluster((1, 0), spread=0.005), real)
    scatter_png(tmp_path / "b.png", cluster((1, 0), spread=0.005) * 50, real)  # a generator that has run away
    a, b = pixels(tmp_path / "a.png")[:540], pixels(tmp_path / "b.png")[:540]
    _, blue = np.nonzero(near(a, REAL))
    _, orange = np.nonzero(near(a, FAKE))
    assert blue.min() < 200 and orange.min() > 400
    assert near(a[:, :300], REAL).sum() == pytest.approx(near(b[:, :300], REAL).sum(), rel=0.01)  # the scale stayed


def test_points_that_cannot_be_drawn_are_counted_in_the_picture(tmp_path):
    fake, real = cluster((0, 0)), cluster((0, 0), spread=1)
    scatter_png(tmp_path / "all.png", fake, real)
    fake[:7, 0] = math.nan
    scatter_png(tmp_path / "nan.png", fake, real)
    fake[:7] = 1e9
    scatter_png(tmp_path / "far.png", fake, real)
    corner = [pixels(tmp_path / f"{name}.png")[450:510, 80:300] for name in ("all", "nan", "far")]
    frames = [near(c, FAKE, tolerance=60).sum() for c in corner]
    assert frames[0] < 20 < 100 < min(frames[1:])  # the note has an orange frame


@pytest.mark.parametrize(
    "fake, real",
    [
        (np.full((5, 2), np.nan), None),
        (np.zeros((0, 2)), np.zeros((0, 2))),
        (np.zeros((1, 2), np.float32), None),
        (np.array([[1e300, -1e300]]), np.array([[0, 1]])),
        (np.zeros((20_000, 2), np.float16), np.full((3, 2), np.inf)),
    ],
)
def test_no_points_make_it_fail(tmp_path, fake, real):
    scatter_png(tmp_path / "x.png", fake, real, title="$5 and $6_")
    assert pixels(tmp_path / "x.png").shape == (600, 600, 3)


def test_points_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ShapeError, match=r"fake has shape \(5, 3\), needs \(N, 2\)"):
        scatter_png(tmp_path / "x.png", np.zeros((5, 3)))
    with pytest.raises(ShapeError, match=r"real has shape \(2,\)"):
        scatter_png(tmp_path / "x.png", np.zeros((5, 2)), np.zeros(2))


# ---- curves ----------------------------------------------------------------------------------------------------------


def test_each_loss_has_its_line_at_its_height(tmp_path):
    curves_png(tmp_path / "x.png", [{"step": s, "D": 1.0, "G": 3.0, "seconds": 1e6} for s in range(0, 5000, 10)])
    picture = pixels(tmp_path / "x.png")[:, :800]  # right of it is the legend
    (d, _), (g, _) = (np.nonzero(near(picture, colour, 10)) for colour in COLOURS[:2])
    assert d.size > 1000 and g.size > 1000
    assert d.std() < 3 and g.std() < 3 and d.mean() - g.mean() > 300  # G is higher up; "seconds" did not set the scale


def test_a_part_has_the_colour_of_its_total(tmp_path):
    records = [{"step": s, "G": 0.0, "D.penalty": 2.0, "D": 1.0} for s in range(100)]
    curves_png(tmp_path / "x.png", records)
    picture = pixels(tmp_path / "x.png")[:, :800]
    assert not near(picture, COLOURS[2], 10).any()
    rows, counts = np.unique(np.nonzero(near(picture, COLOURS[1], 10))[0], return_counts=True)
    total, part = counts[rows > 200].max(), counts[rows < 100].max()
    assert 0.4 * total < part < 0.9 * total  # dashed
    legend = near(pixels(tmp_path / "x.png")[:, 830:], COLOURS[1], 10).sum(axis=1)
    assert legend[np.nonzero(legend)[0][0]] > legend[np.nonzero(legend)[0][-1]]  # whole above dashed


def test_one_spike_does_not_flatten_the_rest(tmp_path):
    records = [{"step": s, "D": math.sin(s / 50)} for s in range(1000)]
    curves_png(tmp_path / "a.png", records)
    records[500]["D"] = 1e6
    curves_png(tmp_path / "b.png", records)
    heights = [np.ptp(np.nonzero(near(pixels(tmp_path / f"{name}.png")[:, :800], COLOURS[0], 10))[0]) for name in "ab"]
    assert heights[0] > 300 and heights[1] == pytest.approx(heights[0], rel=0.05)


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_values_that_are_not_finite_leave_a_gap(tmp_path, missing):
    records = [{"step": s, "D": missing if 4000 <= s < 6000 else 1.0} for s in range(10_000)]
    curves_png(tmp_path / "x.png", records)
    columns = np.nonzero(near(pixels(tmp_path / "x.png")[100:], COLOURS[0], 60).any(axis=0))[0]  # above is the legend
    assert np.diff(columns).max() == pytest.approx(0.2 * np.ptp(columns), rel=0.05)


def test_a_loss_logged_at_some_steps_only_is_one_line(tmp_path):
    curves_png(tmp_path / "x.png", [{"step": s} | ({"r1": 1.0} if s % 16 == 0 else {"D": 0.0}) for s in range(4000)])
    columns = np.nonzero(near(pixels(tmp_path / "x.png")[:200, :800], COLOURS[0], 10).any(axis=0))[0]
    assert columns.size > 500 and np.diff(columns).max() == 1


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"note": "no step"}, {"step": None, "D": 1.0}, {"step": 3}],
        [{"step": 0, "D": None, "G": "text", "E": [1, 2], "ok": True}],
        [{"step": 1, "D": 0.5}],
        [{"step": 2, "D": 0.5}, {"step": 1, "D": None}, {"step": 1, "D": 7, "_private": 1.0, "$x_$": 2.0, "": 1.0}],
        [{"step": np.int64(s), "D": np.float32(s)} for s in range(3)],
        [{"step": s, "D": 1e300 * (-1) ** s} for s in range(200)],
        [{"step": s, **{f"loss{i}": i + s for i in range(12)}} for s in range(5)],
        [{"step": s * 10**9, "D": 1e-30 * s} for s in range(100)],
        [{"step": s, "D": None if s % 2 else 1.0} for s in range(5000)],
    ],
    ids=["none", "no-steps", "no-numbers", "one", "unsorted", "numpy", "huge", "many", "tiny", "every-other"],
)
def test_no_log_makes_it_fail(tmp_path, records):
    curves_png(tmp_path / "x.png", records, title="$5 and $6_")
    assert pixels(tmp_path / "x.png").shape == (540, 960, 3)


def test_gradients_rates_and_metrics_have_panels_of_their_own(tmp_path):
    records = [{"step": s, "D": 1.0, "D.penalty": 0.5, "D.gradient": 1e3, "D.lr": 1e-3, "G": 2.0} for s in range(100)]
    records[50]["metrics"] = {"modes": 8.0, "diversity": 0.9}
    assert [(panel.label, list(panel.series), panel.logarithmic) for panel in panels(records)] == [
        ("loss", ["D", "D.penalty", "G"], False),
        ("gradient norm", ["D"], True),
        ("learning rate", ["D"], True),
        ("modes", ["modes"], False),
        ("diversity", ["diversity"], False),
    ]
    curves_png(tmp_path / "x.png", records)
    heights = [pixels(tmp_path / "x.png").shape[0]]
    curves_png(tmp_path / "x.png", [{k: v for k, v in r.items() if k != "metrics"} for r in records])
    heights.append(pixels(tmp_path / "x.png").shape[0])
    assert heights[0] > heights[1] > 540


def test_what_an_undecided_d_pays_is_a_line_that_is_always_in_sight():
    records = [{"step": s, "D": 0.01, "G": 5.0, "D(x)": 0.9, "D(G(z))": 0.1} for s in range(100)]
    first, said = panels(records, undecided=2 * math.log(2))
    assert first.mark == ("undecided D: 2 ln 2 = 1.386", 2 * math.log(2)) and list(first.series) == ["D", "G"]
    assert said.mark == ("undecided D: 0.5", 0.5) and list(said.series) == ["D(x)", "D(G(z))"]
    far = Panel("loss", {"D": (np.arange(3.0), np.full(3, 0.01))}, mark=("undecided D: 2", 2.0))
    assert lines(far)[1] < 0.01 and lines(far)[2] > 2.0
    assert panels([{"step": 1, "D": 1.0, "score(x)": 4.0}])[1].label == "D's score"  # a score has no 0.5


def test_the_scale_of_the_losses_does_not_see_the_gradients(tmp_path):
    """Without the mixing of earlier versions: the losses fill their panel though the gradient is 1e6."""
    curves_png(tmp_path / "x.png", [{"step": s, "D": math.sin(s / 50), "D.gradient": 1e6} for s in range(1000)])
    picture = pixels(tmp_path / "x.png")[:480, :800]
    assert np.ptp(np.nonzero(near(picture, COLOURS[0], 10))[0]) > 250


def test_the_losses_are_in_nats_only_if_somebody_says_so(tmp_path):
    records = [{"step": s, "D": 1.0} for s in range(10)]
    drawn = []
    for unit in ("", "nats", "score"):
        curves_png(tmp_path / "x.png", records, unit=unit)
        drawn.append((tmp_path / "x.png").read_bytes())
    assert len(set(drawn)) == 3
    curves_png(tmp_path / "x.png", records)
    assert (tmp_path / "x.png").read_bytes() == drawn[0]


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, 1e300, 1e-300])
def test_no_gradient_norm_makes_it_fail(tmp_path, value):
    curves_png(tmp_path / "x.png", [{"step": s, "D": 1.0, "D.gradient": value} for s in range(200)])
    assert pixels(tmp_path / "x.png").shape[1] == 960


def test_compare_draws_each_group_in_its_colour(tmp_path):
    groups = {"a": [{"fid": [(10, 3.0)]}, {"fid": [(10, 4.0)]}], "b": [{"fid": [(10, 9.0)]}], "c": [{}]}
    compare_png(tmp_path / "x.png", groups, {"fid": "lower"})
    picture = pixels(tmp_path / "x.png")
    (rows_a, columns_a), (rows_b, columns_b) = (np.nonzero(near(picture, colour, 70)) for colour in COLOURS[:2])
    assert columns_a.max() < columns_b.min() and rows_a.max() < rows_b.min()  # smaller to the left, the first group on top
    assert not near(picture, COLOURS[2], 20).any()


@pytest.mark.parametrize("values, whole", [((7, 8.0), True), ((7, 7.5), False), ((None, math.nan), False)])
@pytest.mark.parametrize("steps", [(10,), (1, 2)])
def test_compare_counts_in_whole_numbers(tmp_path, monkeypatch, values, whole, steps):
    figures = []
    monkeypatch.setattr(curves, "_save", lambda figure, path: figures.append(figure))
    compare_png("x.png", {name: [{"modes": [(s, v) for s in steps]}] for name, v in zip("ab", values)}, {})
    (axes,) = figures[0].axes
    counted = axes.yaxis if len(steps) > 1 else axes.xaxis
    assert all(t.is_integer() for t in counted.get_ticklocs()) == whole
    assert len(steps) == 1 or all(t.is_integer() for t in axes.get_xticks())


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"a": []},
        {"a": [{}]},
        {"a": [{"m": [(1, None)]}]},
        {"$a$": [{"$m_": [(1, 2), (2, math.nan)]}]},
        {str(i): [{"m": [(1, i), (2, i)], "k": [(1, i)]}] for i in range(12)},
    ],
)
def test_no_runs_make_compare_fail(tmp_path, groups):
    compare_png(tmp_path / "x.png", groups, {}, title="$5")
    assert pixels(tmp_path / "x.png").shape[1] == 960


def test_the_keys_can_be_chosen(tmp_path):
    records = [{"step": s, "D": 1.0, "lr": 5.0} for s in range(100)]
    for name, keys in (("a", None), ("b", ["D"]), ("c", ["lr"]), ("d", ["absent"])):
        curves_png(tmp_path / f"{name}.png", records, keys=keys)
    a, b, c, d = ((tmp_path / f"{name}.png").read_bytes() for name in "abcd")
    assert a == b and len({a, c, d}) == 3


def test_smooth_is_the_median_of_a_window():
    values = np.random.default_rng(0).normal(size=1000)
    values[100:300] = np.nan
    values[600] = 1e9
    where, middle = smooth(values)
    assert len(where) == 400 and where[0] == 0 and where[-1] == 999
    for i, m in zip(where, middle):
        if 100 <= i < 300:
            assert math.isnan(m)
        else:
            window = sorted(v for v in values[max(0, i - 12) : i + 13] if v == v)
            assert window[(len(window) - 1) // 2] <= m <= window[len(window) // 2]
    where, middle = smooth(values[:79])
    assert np.array_equal(where, np.arange(79)) and np.array_equal(middle, values[:79])


# ---- both ------------------------------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in "ab":
        curves_png(tmp_path / f"c{name}.png", [{"step": s, "D": s} for s in range(9)])
        scatter_png(tmp_path / f"s{name}.png", cluster((0, 0)))
    for kind in "cs":
        assert (tmp_path / f"{kind}a.png").read_bytes() == (tmp_path / f"{kind}b.png").read_bytes()


def test_a_folder_that_is_missing_is_one_line(tmp_path):
    for draw in (lambda path: curves_png(path, []), lambda path: scatter_png(path, cluster((0, 0)))):
        with pytest.raises(CheckpointError, match="its folder does not exist; create it first"):
            draw(tmp_path / "no" / "x.png")


def test_importing_viz_loads_neither_matplotlib_nor_pillow_and_drawing_never_pyplot():
    program = """
import sys, tempfile, os
import numpy as np
import minigan.viz as viz
heavy = lambda: [name for name in ("matplotlib", "PIL", "matplotlib.pyplot") if name in sys.modules]
print(heavy())
grid = viz.image_grid(np.zeros((1, 1, 2, 2)))
with tempfile.TemporaryDirectory() as folder:
    viz.save_png(os.path.join(folder, "x.png"), grid)
    print(heavy())
    viz.curves_png(os.path.join(folder, "x.png"), [])
    viz.scatter_png(os.path.join(folder, "x.png"), np.zeros((3, 2)))
    print(heavy())
"""
    strict = ["-W", "error", "-W", "ignore:::pyparsing"]  # else pyparsing would examine the grammar of an old matplotlib
    done = subprocess.run([sys.executable, *strict, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "" and done.stdout.splitlines() == ["[]", "['PIL']", "['matplotlib', 'PIL']"]


def test_drawing_changes_no_global_setting(tmp_path):
    import matplotlib

    before = matplotlib.rcParams.copy()
    curves_png(tmp_path / "x.png", [{"step": 1, "D": 1.0}])
    scatter_png(tmp_path / "x.png", cluster((0, 0)))
    assert matplotlib.rcParams.copy() == before


def test_real_points_alone_are_drawn_in_their_own_colour(tmp_path):
    scatter_png(tmp_path / "real.png", None, np.random.default_rng(0).standard_normal((500, 2)))
    pixels = np.asarray(Image.open(tmp_path / "real.png").convert("RGB")).astype(int)
    orange = (pixels[..., 0] - pixels[..., 2] > 100).sum()
    blue = (pixels[..., 2] - pixels[..., 0] > 60).sum()
    assert orange == 0 and blue > 500
