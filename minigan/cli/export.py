"""The verb export: one network of a run as a file that other programs read."""

from minigan.cli.output import output_file, path_argument
from minigan.errors import ConfigError, suggestion
from minigan.paths import command

SUFFIXES = (".safetensors", ".npz")


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    verb = verbs.add_parser(
        "export",
        help="write a run's network for other programs",
        allow_abbrev=False,
        description="Write the weights of one network of a run, by the names of its state_dict, which are PyTorch's: as "
        ".safetensors, which PyTorch's tools read, or as .npz, which NumPy reads.  minigan.load reads both.",
    )
    verb.add_argument("path", type=path_argument, metavar="RUN", help="the run folder, or one of its checkpoints")
    verb.add_argument(
        "-o", "--out", type=path_argument, metavar="FILE", required=True, help="the file, a .safetensors or a .npz"
    )
    verb.add_argument(
        "--net",
        metavar="NAME",
        help="which network (default: the one that draws the samples: G, or its average if the run has one)",
    )
    verb.set_defaults(run=_export)


def _export(options):
    import numpy as np

    from minigan import serialize
    from minigan.runs.session import Session

    path = output_file(options.out, *SUFFIXES)
    session = Session.open(options.path, "cpu")
    if session.step == 0:
        raise ConfigError(
            f"{session.run.folder}: has no checkpoint with a trained network; train it with `{command('resume', options.path)}`"
        )
    nets = session.game.nets
    name = options.net or next((name for name in ("G_average", "G") if name in nets), "")
    if not options.net and not name:
        raise ConfigError(f"{session.run.system} has the networks {', '.join(nets)}: say which one to export, with --net")
    if name not in nets:
        raise ConfigError(f"{session.run.system} has no network {name!r}{suggestion(name, nets)}")
    state = nets[name].state_dict()
    if path.suffix == ".npz":
        with serialize.replacing(path) as file:
            np.savez(file, **state)
    else:
        serialize.save(path, state, net=name, system=session.run.system, step=session.step)
    what = f"the average of G's weights (ema={session.settings.ema:g})" if name == "G_average" else name
    size = sum(array.size for array in state.values())
    print(f"{what} of step {session.step}: {len(state)} arrays, {size:,} numbers, in {path}")
