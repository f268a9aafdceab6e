"""The version, once: pyproject.toml, `minigan.__version__` and every run's env.json read it here."""

__version__ = "0.2.0"
