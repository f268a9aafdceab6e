"""Names that have moved: if a program uses an old name, the error says where it is now; the old name does not work.

MOVED       old dotted name -> new dotted name, of a module, of something in one, or of an attribute
guard       a module that has lost a name, or a package that has lost a module, calls guard(__name__), and so raises the error
attributes  the decorator for a class that has lost an attribute
refuse      raises the error, for a module that has its own __getattr__
A module that no longer exists cannot raise an error: `Finder` does it, which Python asks after all other finders.
"""

import sys
from functools import partial

from minigan.errors import MovedImport, MovedName

# A table: one entry, one line, so the formatter leaves it alone.
# fmt: off
MOVED: dict[str, str] = {
    # the array, the random streams, the GPU
    "minigan.autograd.no_grad": "minigan.grad_mode.no_grad",
    "minigan.backend.Streams": "minigan.streams.Streams",
    "minigan.backend.cuda": "minigan.cuda",
    "minigan.backend.joined": "minigan.kernels.dispatch.concatenate",
    "minigan.backend.keep_memory": "minigan.kernels.cpu.memory.keep_memory",
    "minigan.backend.seed": "minigan.streams.seed",
    "minigan.backend.streams": "minigan.streams.streams",
    "minigan.kernels.activation": "minigan.kernels.dispatch",
    "minigan.kernels.by_array": "minigan.kernels.dispatch.by_array",
    "minigan.kernels.conv": "minigan.kernels.dispatch",
    "minigan.kernels.linalg": "minigan.kernels.dispatch",
    "minigan.kernels.loss": "minigan.kernels.dispatch",
    "minigan.kernels.norm": "minigan.kernels.dispatch",
    "minigan.kernels.norm.backward": "minigan.kernels.dispatch.batch_norm_backward",
    "minigan.kernels.norm.follow": "minigan.kernels.dispatch.batch_norm_follow",
    "minigan.kernels.norm.forward": "minigan.kernels.dispatch.batch_norm_forward",
    "minigan.kernels.norm.moments": "minigan.kernels.dispatch.batch_norm_moments",
    # layers and metrics
    "minigan.nn.layers": "minigan.nn",
    "minigan.nn.norm": "minigan.nn.normalisation",
    "minigan.metrics.OF_SYSTEMS": "minigan.systems.registry.System.metrics",
    "minigan.metrics.merit": "minigan.metrics.Number.merit",
    "minigan.metrics.resolve": "minigan.metrics.find",
    "minigan.metrics.samples_needed": "minigan.runs.evaluation.needed",
    "minigan.metrics.table": "minigan.metrics",
    "minigan.metrics.table.Evidence": "minigan.metrics.metric.Evidence",
    # the game and the run
    "minigan.train.capture": "minigan.runs.capture",
    "minigan.train.diagnosis": "minigan.runs.diagnosis",
    "minigan.train.dynamics": "minigan.train.asymmetry",
    "minigan.train.evaluation": "minigan.runs.evaluation",
    "minigan.train.feed": "minigan.runs.feed",
    "minigan.train.gan": "minigan.train.adversarial",
    "minigan.train.hooks": "minigan.runs.hooks",
    "minigan.train.report": "minigan.runs.report",
    "minigan.train.run": "minigan.runs.folder",
    "minigan.train.session": "minigan.runs.session",
    "minigan.train.game.adversarial": "minigan.train.adversarial.adversarial_terms",
    "minigan.train.game.Step.a": "minigan.train.adversarial.AdversarialStep.real_logits",
    "minigan.train.game.Step.b": "minigan.train.adversarial.AdversarialStep.fake_logits",
    "minigan.train.game.Step.seen_fake": "minigan.train.adversarial.AdversarialStep.fake_seen",
    "minigan.train.game.Step.seen_x": "minigan.train.adversarial.AdversarialStep.real_seen",
    # the systems
    "minigan.systems.autoencoder": "minigan.systems.latent.autoencoder",
    "minigan.systems.cgan": "minigan.systems.conditional.cgan",
    "minigan.systems.coordinate_gan": "minigan.systems.adversarial.coordinate_gan",
    "minigan.systems.cyclegan": "minigan.systems.translation.cyclegan",
    "minigan.systems.dcgan": "minigan.systems.adversarial.dcgan",
    "minigan.systems.dcgan.discriminator": "minigan.systems.parts.convolutions.discriminator",
    "minigan.systems.dcgan.generator": "minigan.systems.parts.convolutions.generator",
    "minigan.systems.dcgan.nets": "minigan.systems.parts.convolutions.nets",
    "minigan.systems.dcgan.start": "minigan.systems.parts.convolutions.start",
    "minigan.systems.gan": "minigan.systems.adversarial.gan",
    "minigan.systems.gan.mlp": "minigan.systems.parts.perceptrons.mlp",
    "minigan.systems.gan.nets": "minigan.systems.parts.perceptrons.nets",
    "minigan.systems.gan.start": "minigan.systems.parts.perceptrons.start",
    "minigan.systems.lsgan": "minigan.systems.adversarial.lsgan",
    "minigan.systems.nets": "minigan.systems.parts.choice",
    "minigan.systems.seqgan": "minigan.systems.text.seqgan",
    "minigan.systems.vae": "minigan.systems.latent.vae",
    "minigan.systems.vae.conv": "minigan.systems.parts.coders.conv",
    "minigan.systems.vae.mlp": "minigan.systems.parts.coders.mlp",
    "minigan.systems.wgan": "minigan.systems.adversarial.wgan",
    "minigan.systems.wgan_gp": "minigan.systems.adversarial.wgan_gp",
    "minigan.systems.registry.COMMON": "minigan.train.settings.RUN",
    "minigan.systems.registry.RECIPES": "minigan.systems.registry.SYSTEMS",
    "minigan.systems.registry.Recipe": "minigan.systems.registry.System",
    "minigan.systems.registry.idle": "minigan.systems.registry.System.idle",
    "minigan.systems.registry.recipe": "minigan.systems.registry.system",
    "minigan.systems.registry.recipes": "minigan.systems.registry.systems",
    "minigan.systems.registry.typed": "minigan.train.settings.Setting.read",
    # the command line
    "minigan.cli.output_file": "minigan.cli.output.output_file",
}
# fmt: on


def told(old: str) -> str:
    """The text of the error: where a name of the table is now, and which names of a module moved to another place."""
    apart = [f"its {name.removeprefix(f'{old}.')} is {new}" for name, new in MOVED.items() if name.startswith(f"{old}.")]
    return f"{old} has moved: it is {MOVED[old]} now{', but ' if apart else ''}{', '.join(apart)}"


def refuse(module: str, name: str):
    """Raise the error for a name that a module does not have: MovedName if the module had it before, else AttributeError."""
    old = f"{module}.{name}"
    if old in MOVED:
        raise MovedName(told(old))
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def guard(module: str) -> None:
    """Let this module, which is being imported, raise MovedName for the names that it had before."""
    names = vars(sys.modules[module])
    # A `def __getattr__` in the module would make a type checker believe that the module has every name.
    names["__getattr__"] = partial(refuse, module)
    # `from module import name` hides an AttributeError.  If the module has a path, as packages have, Python then looks for a
    # module of that name, and so asks the Finder.
    names.setdefault("__path__", [])


class Gone:
    """A class has this in the place of an attribute that has moved."""

    def __init__(self, old: str):
        self.old = old

    def __get__(self, thing, owner):
        raise MovedName(told(self.old))


def attributes(cls):
    """Let this class raise MovedName for the attributes that it had before."""
    parent = f"{cls.__module__}.{cls.__qualname__}."
    for old in MOVED:
        if old.startswith(parent):
            setattr(cls, old.removeprefix(parent), Gone(old))
    return cls


class Finder:
    """The last entry of sys.meta_path: it raises MovedImport for a name in MOVED, and finds nothing for any other name."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """See importlib.abc.MetaPathFinder."""
        if name in MOVED:
            raise MovedImport(told(name), name=name)


sys.meta_path.append(Finder)
