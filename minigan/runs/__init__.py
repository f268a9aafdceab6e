"""A run: a system trained on data, from the first step to the last, in one folder.

train           a new run, from Python          open        an existing one
start.py        what is refused at once         session.py  the run in progress
loop.py         from its step to the last one   hooks.py    what happens every n steps
folder.py       its folder, with the text of    feed.py     batches sent to a GPU ahead of time
                each file in config.py, log.py, environment.py
evaluation.py   how good its samples are        capture.py  an iteration without its Python
report.py       the page about it               diagnosis.py    what its curves say
notebook.py     its pictures in a notebook

    run = mg.runs.train("dcgan", steps=300, nets={"G": my_G})
    run.sample(64), run.evaluate(["fid"]), run.curves()["G"]
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigan.nn import Module
    from minigan.runs.session import Session

__all__ = ["open", "train"]


def __dir__():
    return __all__


def train(
    system: str,
    data=None,
    *,
    steps: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    device: str = "cpu",
    data_dir=None,
    out=None,
    nets: "dict[str, Module] | None" = None,
    quiet: bool = False,
    **settings,
) -> "Session":
    """Train a system as `minigan train` does, and return the run: a Session with `sample`, `evaluate`, `curves`, `game`.

    system: a name, or a Python file that registers a system (my_system.py).   data: the name of a data set, or a data set
    such as mg.data.folder("photos", size=32) or mg.data.arrays(x); the default is the system's own.   steps, seconds: training
    stops when either limit is reached; only the iterations count as seconds, not pictures or metrics.   out: the run folder;
    the default is a new one in runs/.   settings: any setting of the system by its name, such as lr=1e-4.   nets: your own
    networks, {"G": my_G}; each replaces the system's network of that name and is trained in place.   quiet: show no progress
    bar.   In a notebook, pictures of samples appear during training.

        run = mg.runs.train("gan", "ring8", steps=300)
        run.sample(64).shape == (64, 2)

    Raises ConfigError, DataError or DeviceError before it writes anything, and NotFiniteError when the run diverges."""
    from minigan.runs import notebook
    from minigan.runs.loop import check_limits
    from minigan.runs.session import Session

    check_limits(seconds=seconds)
    overrides = settings | ({} if steps is None else {"steps": steps})
    session = Session.start(system, data, data_dir, seed, device, overrides, out, nets)
    notebook.follow(session)
    with notebook.progress(session, quiet) as report:
        session.train(seconds=seconds, report=report)
    return session


def open(
    path,
    device: str | None = None,
    nets: "dict[str, Module] | None" = None,
    data=None,
    accept_changed_data: bool = False,
    data_dir=None,
    **settings,
) -> "Session":
    """Open an existing run at its newest checkpoint, or at the checkpoint file that `path` names.  `run.train(steps=...)`
    continues it.

    device: the device to use now; the default is the one that the run was started on.   nets, data: as for `train`; needed
    when the run was started with your own networks or data set.   accept_changed_data: continue even if the data have changed
    since the run was started.   data_dir: where the data are now.   settings: what is different from now on, such as lr=1e-4:
    learning rates, steps and what happens every so many steps; `train` writes them into config.toml.
    Raises CheckpointError when `path` holds no run of this minigan, and ConfigError when such a data set is missing, or for a
    setting that cannot change during a run."""
    from minigan.runs.session import Session

    session = Session.open(path, device, nets, data, settings, data_dir)
    session.accept_changed_data = accept_changed_data
    return session
