"""What Python users see of a run: a progress bar, and in a notebook also its pictures.

inside      is this a notebook?             follow      show the newest picture of samples during training
progress    a progress bar on stderr        page        a run as HTML, for a notebook's output cell
losses_text the losses as text for a progress bar, here and in `minigan train`
"""

import contextlib
import html
import sys

from minigan.runs.hooks import Every
from minigan.runs.report import data_uri

# Without the percentage and the time gone, so that a terminal of 80 columns has room for the losses, D(x) and D(G(z)).
BAR = "{n_fmt}/{total_fmt} |{bar}| <{remaining}, {rate_fmt}{postfix}"


def inside() -> bool:
    """Does this code run in a notebook's kernel?   IPython in a terminal does not count."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def follow(session) -> None:
    """In a notebook, show each new picture of samples in place of the last one.   Elsewhere, do nothing."""
    if not inside():
        return
    from IPython.display import Image, display

    session.attach()
    shown = []

    def show(session):
        picture = Image(filename=str(session.run.sample_path(session.step)))
        if shown:
            shown[0].update(picture)
        else:
            shown.append(display(picture, display_id=True))

    session.hooks.append(Every(session.settings.sample_every, show))


@contextlib.contextmanager
def progress(session, quiet=False):
    """A context that gives Session.train its `report` function, which moves a progress bar; None if quiet."""
    if quiet:
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=session.settings.steps, initial=session.step, unit="step", bar_format=BAR) as bar:

        def report(step, losses):
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                bar.set_postfix_str(losses_text(losses), refresh=False)
                bar.update()

        yield report


def losses_text(losses) -> str:
    """The players' losses for a progress bar, without their terms and gradients, and then what D says of real and of
    generated samples: "D 0.693  G 0.701  D(x) 0.51  D(G(z)) 0.48"."""
    names = sorted((name for name in losses if "." not in name), key=lambda name: "(" in name)
    return "  ".join(
        f"{name} {losses[name]:.{2 if '(' in name else 3}f}" if abs(losses[name]) < 1e5 else f"{name} {losses[name]:.3g}"
        for name in names
    )


def page(session) -> str:
    """A run as HTML: its folder, its newest picture of samples, its curves and its latest metrics."""
    run = session.run
    title = f"{run.system} on {session.data_name}, seed {run.seed}, step {session.step:,}"
    parts = [f"<p><b>{html.escape(title)}</b><br><code>{html.escape(str(run.folder))}</code></p>"]
    pictures = [
        (path, what)
        for path, what in ((next(reversed(run.samples()), None), "samples"), (run.curves_path, "curves"))
        if path is not None and path.exists()
    ]
    for path, what in pictures:
        parts.append(f'<p><img alt="{what} of this run" src="{data_uri(path)}"></p>')
    found = run.measurements()
    if found:
        cells = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{value:.4g}</td></tr>"
            for name, value in found[-1]["metrics"].items()
            if value is not None
        )
        parts.append(f"<table>{cells}</table>")
    return "\n".join(parts)
