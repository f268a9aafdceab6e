"""A run: a system trained on data, from the first step to the last, in one folder.

train           a new run, from Python          open        an existing one
session.py      the run in progress             hooks.py    what happens every so many steps
folder.py       its files                       feed.py     batches sent to a GPU ahead of time
evaluation.py   how good its samples are        capture.py  an iteration as a CUDA graph
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


def train(system: str, data=None, *, steps: int | None = None, seconds: float | None = None, seed: int = 0,
          device: str = "cpu", data_dir=None, out=None, nets: "dict[str, Module] | None" = None, quiet: bool = False,
          **settings) -> "Session":
    """Train a system as `minigan train` does, and return the run: a Session with `sample`, `evaluate`, `curves`, `game`.

    system: a name, or a file that enters one (my_system.py); data: the name of a data set, or a data set,
    such as mg.data.folder("photos", size=32) or mg.data.arrays(x); by default the system's own;
    steps, seconds: how long; out: the run folder, by default a new one below runs/; settings: any setting by its name, such as
    lr=1e-4.   nets: some of your own in the place of the system's, by the names that its game has: {"G": my_G}.   They are
    trained in place.   quiet: no progress bar.   In a notebook the pictures of samples appear while it trains.

    ConfigError, DataError or DeviceError before anything is written; NotFiniteError when the run diverges."""
    from minigan.runs import notebook
    from minigan.runs.session import Session

    overrides = settings | ({} if steps is None else {"steps": steps})
    session = Session.start(system, data, data_dir, seed, device, overrides, out, nets)
    notebook.follow(session)
    with notebook.progress(session, quiet) as report:
        session.train(seconds=seconds, report=report)
    return session


def open(path, device: str | None = None, nets: "dict[str, Module] | None" = None, data=None,
         accept_changed_data: bool = False) -> "Session":
    """An existing run, as it was at its newest checkpoint, or at the checkpoint file given; `run.train(steps=...)` goes on.

    device: instead of the one it was started on; nets, data: as for `train`, for a run that was started with nets or a data
    set of your own.   accept_changed_data: go on although the data are not those that the run was started with.
    CheckpointError for what is no run of this minigan."""
    from minigan.runs.session import Session

    session = Session.open(path, device, nets, data)
    session.accept_changed_data = accept_changed_data
    return session
