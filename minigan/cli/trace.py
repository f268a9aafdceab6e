"""The verb trace: a page that steps through a backward pass, op by op."""

import runpy
import sys
from pathlib import Path

from minigan import lesson_files
from minigan.cli.output import output_file, path_argument, show
from minigan.errors import ConfigError

SAMPLES = 4  # in the batch of a run, so that the arrays can be read


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    from minigan.cli.train import whole

    verb = verbs.add_parser(
        "trace",
        help="step through a backward pass on a page",
        allow_abbrev=False,
        description="Write a page that steps through one backward pass, forwards and backwards: of the first gradient that a "
        "lesson or a script asks for, or of the first turn of a run's next step, with a batch of 4.  The script ends there.",
    )
    verb.add_argument("what", metavar="LESSON|RUN|SCRIPT", help="the number of a lesson, a run folder, or a Python file")
    verb.add_argument("--number", type=whole(1), default=1, metavar="N", help="trace the N-th gradient (default 1)")
    verb.add_argument(
        "-o", "--out", type=path_argument, default=Path("trace.html"), metavar="FILE.html", help="default: trace.html"
    )
    verb.add_argument("--open", action="store_true", help="show the page in a browser")
    verb.set_defaults(run=_trace)


def _trace(options):
    from minigan.viz.trace import Traced, watching

    page = output_file(options.out, ".html")
    title, names, run = _found(options.what)
    with watching(page, options.number, names, title) as asked:
        try:
            run()
        except Traced:
            print(page)
            if options.open:
                show(page)
            return
        except SystemExit:
            pass
    raise ConfigError(f"{options.what}: it asked for {asked()} gradients; give --number from 1 to that")


def _found(what):
    """(title, names, a function that asks for gradients) of a lesson, a script or a run."""
    if what.isascii() and what.isdigit():
        lessons = lesson_files.find()
        if int(what) not in lessons:
            raise ConfigError(f"there is no lesson {what}; the lessons are {', '.join(map(str, lessons))}")
        path = lessons[int(what)]
        return lesson_files.title(path), None, lambda: _script(path, ["--fast"])
    path = path_argument(what)
    if path.suffix != ".py":
        return _of_run(path)
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    return path.name, None, lambda: _script(path, [])


def _script(path, words):
    """Run a script as Python would."""
    before = sys.argv, sys.path[:]
    sys.argv, sys.path[0:0] = [str(path), *words], [str(path.resolve().parent)]
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = before


def _of_run(path):
    """(title, names, a function that plays one iteration) of a run at its checkpoint."""
    from minigan import data
    from minigan.runs.session import Session
    from minigan.train.game import play

    session = Session.open(path)
    session.attach()
    batches = data.Loader(session.dataset, SAMPLES, session.streams("data"))
    title = f"{session.system.name} on {session.data_name}, after step {session.step}"
    return title, session.game.nets, lambda: play(session.game.at(session.step), batches, session.streams)
