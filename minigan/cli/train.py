"""minigan train, resume, sample."""

import sys
from pathlib import Path

import numpy as np

from minigan.errors import ConfigError


def whole(least):
    """An argparse type: a whole number >= least."""

    def parse(text):
        try:
            value = int(text)
        except ValueError:
            raise ValueError(text) from None
        if not least <= value < 10**9:
            raise ConfigError(f"{text!r} is not a whole number from {least} to 999999999")
        return value

    parse.__name__ = "whole number"
    return parse


def seconds(text):
    """An argparse type: a time > 0 in seconds."""
    value = float(text)
    if not 0 < value < 1e7:
        raise ConfigError(f"--seconds must be a number above 0 and below 1e7, got {text}")
    return value


def add(verbs) -> None:
    """Enter the verbs of this file."""
    verb = verbs.add_parser("train", help="train a system", description="Train a system into a new run folder.",
                            allow_abbrev=False)
    verb.add_argument("system", help="its name; `minigan list systems` has them all")
    verb.add_argument("--data", metavar="NAME", help="data set (default: the system's own; `minigan list datasets`)")
    verb.add_argument("--data-dir", metavar="DIR", help="folder with the data set's files")
    verb.add_argument("--steps", type=whole(1), metavar="N", help="iterations (default: the system's own)")
    verb.add_argument("--seconds", type=seconds, metavar="S", help="stop after this time, if the steps are not done by then")
    verb.add_argument("--batch-size", type=whole(1), metavar="N", help="samples per step")
    verb.add_argument("--seed", type=whole(0), default=0, metavar="N", help="of all random numbers (default 0)")
    verb.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:1 or auto (default cpu)")
    verb.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings",
                      help="change a setting; may be given again; `minigan list systems` shows them")
    verb.add_argument("--out", metavar="DIR", help="run folder (default runs/<date>-<system>-s<seed>)")
    verb.set_defaults(run=_train)

    verb = verbs.add_parser("resume", help="continue a run", description="Continue a run from its newest checkpoint.",
                            allow_abbrev=False)
    verb.add_argument("path", metavar="RUN", help="the run folder, or one of its checkpoints")
    verb.add_argument("--steps", type=whole(1), metavar="N", help="iterations in all (default: as the run was started)")
    verb.add_argument("--seconds", type=seconds, metavar="S", help="stop after this time")
    verb.set_defaults(run=_resume)

    verb = verbs.add_parser("sample", help="draw samples from a run", description="Draw samples from a trained run.",
                            allow_abbrev=False)
    verb.add_argument("path", metavar="RUN", help="the run folder, or one of its checkpoints")
    verb.add_argument("-n", type=whole(1), default=64, metavar="N", help="how many (default 64)")
    verb.add_argument("--seed", type=whole(0), metavar="N", help="other samples than the run's own pictures show")
    verb.add_argument("-o", "--out", metavar="FILE", help="picture, a .png (default: grid.png, unless --npz is given)")
    verb.add_argument("--npz", metavar="FILE", help="also the numbers: images (N, C, H, W) in [-1, 1], or points (N, 2)")
    verb.set_defaults(run=_sample)


def _train(options):
    from minigan.train.session import Session

    overrides = {}
    for text in options.settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set takes KEY=VALUE, got {text!r}")
        overrides[key.strip()] = value.strip()
    for key, value in (("steps", options.steps), ("batch_size", options.batch_size)):
        if value is not None:
            overrides[key] = value
    session = Session.start(options.system, options.data, options.data_dir, options.seed, options.device, overrides,
                            options.out)
    size = sum(p.size for net in session.game.nets.values() for p in net.parameters())
    print(f"{options.system} on {session.data_name}, {size:,} parameters, into {session.run.folder}")
    return _go_on(session, session.settings.steps, options.seconds)


def _resume(options):
    from minigan.train.session import Session

    session = Session.open(options.path)
    steps = options.steps or session.settings.steps
    if steps <= session.step and options.seconds is None:
        raise ConfigError(f"{session.run.folder} has already {session.step} of {steps} steps; "
                          f"go further with `minigan resume {options.path} --steps {2 * session.step}`")
    print(f"{session.run.system} on {session.data_name}, from step {session.step}, in {session.run.folder}")
    return _go_on(session, steps, options.seconds)


def _go_on(session, steps, seconds):
    """Train with a progress bar; say at the end where things are."""
    done = session.train(steps, seconds, _progress(session, steps))
    folder = session.run.folder
    if not done:
        print(f"stopped at step {session.step}; continue with `minigan resume {folder}`")
        return 130
    print(f"step {session.step}: see {folder / 'samples.gif'}, {folder / 'curves.png'} and {folder / 'samples'}\n"
          f"more samples: minigan sample {folder} -n 64 -o grid.png")
    return 0


def _progress(session, steps):
    """A report(step, losses): a bar on a terminal, a line every tenth of the way elsewhere."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    bar = tqdm(total=steps, initial=session.step, unit="step", disable=not terminal, dynamic_ncols=True)
    clock = tqdm(total=steps, initial=session.step, disable=None, file=_Nowhere()) if not terminal else bar

    def report(step, losses):
        text = "  ".join(f"{name} {value:.3f}" for name, value in losses.items() if "." not in name)
        clock.update()
        if terminal:
            bar.set_postfix_str(text, refresh=False)
            if step == steps:
                bar.close()
        elif step % max(1, steps // 10) == 0 or step == steps:
            rate = clock.format_dict
            speed = (rate["n"] - rate["initial"]) / max(rate["elapsed"], 1e-9)
            print(f"step {step}/{steps}  {text}  {speed:.1f} steps/s  {(steps - step) / max(speed, 1e-9):.0f} s left",
                  file=sys.stderr)

    return report


class _Nowhere:
    """A file that forgets; tqdm only keeps time for us then."""

    def write(self, text):
        """Forget it."""

    def flush(self):
        """Nothing to do."""

    def isatty(self):
        """Not a terminal."""
        return True


def _sample(options):
    from minigan import viz
    from minigan.serialize import replacing
    from minigan.train.session import Session

    session = Session.open(options.path)
    samples = session.sample(options.n, options.seed)
    picture = options.out or (None if options.npz else "grid.png")
    pictures = len(session.sample_shape) == 3
    for path, ending in ((picture, ".png"), (options.npz, ".npz")):
        if path and Path(path).suffix != ending:
            raise ConfigError(f"{path}: name the file *{ending}")
        if path and not Path(path).absolute().parent.is_dir():
            raise ConfigError(f"{path}: its folder does not exist; make it first")
    if picture and pictures:
        viz.save_png(picture, viz.image_grid(samples, scale=2))
    elif picture:
        viz.scatter_png(picture, samples, title=f"{session.run.system}, step {session.step}")
    if options.npz:
        with replacing(options.npz) as file:
            np.savez(file, **{"images" if pictures else "points": samples.astype(np.float32)})
    print(f"{options.n} samples of step {session.step}: {', '.join(str(p) for p in (picture, options.npz) if p)}")
