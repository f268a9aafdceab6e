"""report.html stands alone, says what was run so that it can be run again, and tells the diagnosis in words."""

import re
import shlex

import numpy as np
import pytest
from described import described
from PIL import Image

from minigan import viz
from minigan.cli import build_parser
from minigan.cli.train import overrides
from minigan.errors import CheckpointError
from minigan.runs import report, start
from minigan.runs.folder import Run
from minigan.systems import registry


def made(folder, system="gan", changed=None, seed=0, data="ring8", shape=(2,)):
    settings = vars(registry.get(system).configure(changed, described(shape, data)))
    return Run.create(
        system, seed, {"data": data, "data_dir": "", "sample_shape": list(shape), "device": "cpu", **settings}, out=folder
    )


def page(run):
    return report.page(run, registry.get(run.system))


@pytest.fixture
def run(tmp_path):
    run = made(tmp_path / "run")
    for step in range(10, 610, 10):
        run.log({"step": step, "D": 0.001, "G": 9.0, "D.gradient": 1.0, "G.gradient": 2.0})
    for step in range(0, 900, 100):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(run.sample_path(step))
    return run


def test_it_needs_nothing_else(run):
    report.write(run, registry.get(run.system))
    text = run.report_path.read_text()
    sources = re.findall(r'(?:src|href|action)="([^"]*)"', text)
    assert len(sources) == 7 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"<script|<link|<iframe|https?:|url\(|@import", text)
    assert text.startswith("<!DOCTYPE html>") and text.count("<h2>") == text.count("</h2>") == 6
    for tag in ("table", "tr", "th", "td", "div", "p", "figure", "code", "small", "svg", "span", "main", "body", "html"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag


def test_it_fits_a_phone_a_dark_room_and_paper(run):
    text = page(run)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    for media in ("(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)", "print", "(max-width: 40rem)"):
        assert f"@media {media}" in text or f"and {media}" in text
    assert "break-inside: avoid" in text and text.count("var(--c") > text.count("--c0:")  # no colour is fixed in a curve


def test_every_picture_and_curve_says_in_words_what_is_seen(run):
    viz.save_gif(run.gif_path, run.samples())
    text = page(run)
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', text)
    seen = "2,000 generated points and as many real ones"
    assert alts[0] == f"{seen}, after step 600"
    assert f"animation: {seen}, from step 0 to step 600" in alts and len(set(alts)) == len(alts) == 8
    labels = re.findall(r'aria-label="([^"]*)"', text)
    assert labels[0].startswith("loss from step 10 to step 600: D goes from 0.001 to 0.001; G goes from 9 to 9.")
    assert all(head in text for head in ('<th scope="col">setting</th>', '<th scope="row">lr_d</th>'))


@pytest.mark.parametrize(
    "system, data, shape, alt",
    [
        ("dcgan", "digits", (1, 28, 28), "8 by 8 generated pictures"),
        ("cgan", "digits", (1, 28, 28), "64 generated pictures in rows by their class, 0 to 9"),
        ("gan", "ring8", (2,), "2,000 generated points and as many real ones, on the colours of what D says: blue for real"),
        ("wgan", "ring8", (2,), "2,000 generated points and as many real ones, on the colours of D&#x27;s score: blue is high"),
        ("vae", "ring8", (2,), "2,000 generated points and as many real ones, after"),
        ("cyclegan", "filled-outline", (2, 28, 28), "each of 3 pictures side by side: filled, outline, back"),
        ("seqgan", "oracle", (20,), "64 generated sequences of 20 tokens"),
    ],
)
def test_what_is_seen_depends_on_the_system(tmp_path, system, data, shape, alt):
    run = made(tmp_path / "run", system, data=data, shape=shape)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(run.sample_path(100))
    run.log({"step": 100})
    setup = start.read(run)
    assert f'alt="{alt}' in report.page(run, setup.system, report.game_of(setup)).replace("64 samples, ", "")


@pytest.mark.parametrize("high, wide, scrolls", [(466, 1378, True), (802, 802, False), (300, 600, False)])
def test_only_wide_pictures_scroll_on_a_phone(tmp_path, high, wide, scrolls):
    run = made(tmp_path / "run")
    Image.fromarray(np.zeros((high, wide), np.uint8)).save(run.sample_path(0))
    text = page(run)
    assert f'width="{wide}" height="{high}" style="min-width:{wide // 2 if scrolls else 0}px"' in text
    assert ('class="pictures large wide"' in text) == scrolls


def test_a_run_with_steps_left_says_how_to_continue(tmp_path):
    run = made(tmp_path / "a run", changed={"steps": 30})
    run.checkpoint_path(20).touch()
    assert f"10 steps are left; continue it with <code>minigan resume &#x27;{run.folder}&#x27;</code>" in page(run)
    run.checkpoint_path(30).touch()
    assert "steps are left" not in page(run)


def test_the_steps_are_those_of_the_pictures(tmp_path):
    """Losses are logged every ten steps; the last step is that of the checkpoint and of the last picture."""
    run = made(tmp_path / "run", changed={"steps": 1779})
    run.log({"step": 1770, "D": 1.0})
    run.checkpoint_path(1779).touch()
    for step in (1700, 1779, 1800):  # the last one is from a future that was given up
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(run.sample_path(step))
    text = page(run)
    assert "<strong>1,779 of 1,779 steps</strong>" in text and "after step 1,779" in text
    assert "1,770 of" not in text and "1,800" not in text
    run.log({"step": 1791, "not finite": "player D: log: first NaN"})
    assert "<strong>1,790 of 1,779 steps</strong>" in page(run) and "newest checkpoint is that of step 1,779" in page(run)


def test_the_losses_have_their_formulas_and_the_line_of_an_undecided_d(tmp_path):
    run = made(tmp_path / "run", changed={"penalty": "r1", "ema": 0.9})
    for step in (1, 2):
        run.log({"step": step, "D": 1.0, "G": 1.0, "D(x)": 0.5, "D(G(z))": 0.5})
    setup = start.read(run)
    text = report.page(run, setup.system, report.game_of(setup))
    assert "−E log σ(<var>a</var>) − E log(1 − σ(<var>b</var>))" in text  # of D
    assert (
        ">E |<var>dD</var>" not in text
        and "E |dD/dx|<sup>2</sup> / 2 at real samples" in text
        and '<td class="number">10</td>' in text
    )
    assert "pays <strong>2 ln 2 = 1.386</strong>" in text and "undecided D: 2 ln 2 = 1.386</span>" in text
    assert "pays" not in page(run)  # without a game nothing is claimed


@pytest.mark.parametrize(
    "text, shown",
    [
        ("-E log s(a)", "−E log σ(<var>a</var>)"),
        ("E (a - 1)^2 / 2", "E (<var>a</var> − 1)<sup>2</sup> / 2"),
        ("KL(q(z|x) || N(0, I))", "KL(<var>q</var>(<var>z</var>|<var>x</var>) ‖ <var>N</var>(0, <var>I</var>))"),
        ("a < b & non-zero", "<var>a</var> &lt; <var>b</var> &amp; non-zero"),
    ],
)
def test_formulas_are_set_as_formulas(text, shown):
    assert report.formula(text) == shown


def test_what_was_changed_is_marked_with_the_default(tmp_path):
    text = page(made(tmp_path / "run", changed={"lr_d": 3e-5}))
    assert '<tr class="changed"><th scope="row">lr_d</th><td>3e-05 <small>not 0.001</small></td>' in text
    assert text.count('class="changed"') == 1 and "1 differs from the defaults of gan on these data" in text
    assert "All are the defaults" in page(made(tmp_path / "other"))
    assert "<td>0.01, algorithm 1</td>" in page(made(tmp_path / "wgan", "wgan")) or "the paper" in page(
        made(tmp_path / "w", "wgan")
    )


def test_files_that_cannot_be_made_do_not_keep_the_others_back(run):
    run.curves_path.mkdir()
    with pytest.raises(CheckpointError, match=r"curves\.png"):
        report.rewrite(run, registry.get("gan"))
    assert run.report_path.exists() and run.gif_path.exists()


def test_the_gif_has_few_frames_and_says_their_steps(tmp_path):
    run = made(tmp_path / "run", data="digits", shape=(1, 28, 28))
    for step in range(0, 15_000, 100):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(run.sample_path(step))
    run.log({"step": 14_900, "D": 1.0})
    report.rewrite(run, registry.get("gan"))
    with Image.open(run.gif_path) as gif:
        assert report.FRAMES / 2 <= gif.n_frames <= report.FRAMES + 1 and gif.height > 8 + 10


def test_it_tells_the_diagnosis_and_what_to_try(run):
    text = page(run)
    assert "D wins: its loss is 1.0e-03 and G&#x27;s is 9.00" in text and "<p>Try --set lr_d=0.00025" in text
    assert "Nothing in the curves points to a failure" not in text


def test_a_healthy_run_is_told_so_and_a_short_one_that_nothing_can_be_said(tmp_path):
    healthy, short = made(tmp_path / "healthy"), made(tmp_path / "short")
    for step in range(100):
        healthy.log({"step": step, "D": 1.2, "G": 0.9, "D.gradient": 1.0, "G.gradient": 2.0})
    short.log({"step": 1, "D": 0.0, "G": 0.9})
    assert "Nothing in the curves points to a failure" in page(healthy)
    assert "The log has too few steps to say anything" in page(short)


def test_metrics_come_with_what_they_mean(run):
    run.note_evaluation(300, 2500, {"modes": 7.0, "reverse-kl": 0.25})
    run.note_evaluation(600, 2500, {"modes": 8.0, "own": None})
    text = page(run)
    assert "Step 600, 2,500 samples" in text and ">8<" in text and "higher is better" in text
    assert "number of modes with one of 2,500 samples within 3 std" in text
    assert ">7<" in text  # an earlier step


def test_metrics_that_were_logged_stand_in_for_an_evaluation(run):
    run.log({"step": 600, "metrics": {"diversity": 0.9}})
    assert "They are not measured yet" in page(run)  # every run logs its diversity
    for step in (300, 600):
        run.log({"step": step, "metrics": {"modes": step / 100, "diversity": 0.9}})
    text = page(run)
    assert "Step 600, as logged during training" in text and ">6<" in text and "not measured yet" not in text
    run.note_evaluation(600, 2500, {"modes": 8.0})
    assert "Step 600, 2,500 samples" in page(run)


@pytest.mark.parametrize(
    "system, changed, seed, data, shape",
    [
        ("gan", None, 0, "digits", (1, 28, 28)),
        ("gan", {"lr": 3e-5, "spectral_norm": True, "steps": 77, "batch_size": 5}, 12, "ring8", (2,)),
        ("wgan-gp", {"schedule": "plateau", "monitor": "modes", "penalty_weight": 1 / 3}, 1, "ring8", (2,)),
        ("wgan-gp", {"nets": "conv"}, 0, "digits", (1, 28, 28)),
    ],
)
def test_the_command_repeats_the_run(tmp_path, system, changed, seed, data, shape):
    run = made(tmp_path / "run", system, changed, seed, data, shape)
    words = shlex.split(report.command(run, registry.get(system)))
    assert words[0] == "minigan"
    options = build_parser().parse_args(words[1:])
    again = registry.get(options.system)
    assert (options.system, options.seed, options.data or again.default_data) == (system, seed, data)
    repeated = vars(again.configure(overrides(options), described(shape, data)))
    assert repeated == {key: run.config[key] for key in repeated}


def test_names_are_text_and_no_markup(tmp_path):
    run = made(tmp_path / "run")
    run.config["data"] = "<b>&amp;\"'"
    text = page(run)
    assert "<b>" not in text and "&lt;b&gt;&amp;amp;&quot;&#x27;" in text


def test_a_folder_with_nothing_in_it_yet_has_a_report(tmp_path):
    run = made(tmp_path / "run")
    (run.folder / "env.json").unlink()
    text = page(run)
    assert "There are no samples yet" in text and "They are not measured yet" in text and "env.json cannot be read" in text
