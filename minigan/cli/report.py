"""The verb report: the page about a run, written again from the files of its folder."""

from minigan.cli.output import path_argument, show


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    verb = verbs.add_parser(
        "report",
        help="write a run's report again",
        allow_abbrev=False,
        description="Write report.html, curves.png and samples.gif of a run again, from what is in its folder now.  A run does "
        "this itself at every checkpoint; this command works at any time, also while the run goes on.",
    )
    verb.add_argument("path", type=path_argument, metavar="RUN", help="the run folder, or one of its checkpoints")
    verb.add_argument("--open", action="store_true", help="show the page in a browser")
    verb.set_defaults(run=_report)


def _report(options):
    from minigan.runs import report, start
    from minigan.runs.folder import Run

    run = Run.open(options.path)
    setup = start.read(run)
    report.rewrite(run, setup.system, report.game_of(setup))
    print(run.report_path)
    if options.open:
        show(run.report_path)
