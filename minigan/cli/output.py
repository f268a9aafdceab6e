"""output_file: check the name of a file to be written, before any work is done."""

from pathlib import Path

from minigan.errors import ConfigError


def output_file(path, suffix):
    """The path, of a file that can be written there as far as one sees; ConfigError if its ending or its folder is wrong."""
    path = Path(path)
    if path.suffix != suffix:
        raise ConfigError(f"{path}: name the file *{suffix}")
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; give the name of a file *{suffix}")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: its folder does not exist; make it first")
    return path
