"""Try the installed minigan as its user would:  python smoke.py newest|lowest   in an empty folder.   CI runs it, not pytest.

It runs each command below and stops at the first that fails.   lowest: the versions must be the lowest that pyproject.toml
allows, which `python smoke.py --floors` prints for `pip install -c`.
"""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

COMMANDS = """
minigan --version
minigan doctor
minigan list
minigan show wgan-gp
minigan gradcheck exp
minigan data preview digits -o digits.png
minigan train gan --data ring8 --steps 30 --out points
minigan evaluate points --metrics modes
minigan train dcgan --steps 3 --out pictures
minigan resume pictures --steps 5
minigan sample pictures -n 16 -o grid.png --npz samples.npz
minigan evaluate pictures
minigan lesson 1 --fast
"""
FILES = """
digits.png points/report.html points/samples.gif points/curves.png pictures/checkpoints/step_000005.npz grid.png samples.npz
"""


def floors() -> list[str]:
    """["numpy==2.0.0", ...]: the lowest versions that pyproject.toml allows."""
    with open(Path(__file__).parents[1] / "pyproject.toml", "rb") as file:
        return [line.replace(">=", "==") for line in tomllib.load(file)["project"]["dependencies"]]


OF_THEIR_TIME = ["pyparsing<3.2"]  # from 3.3 on it warns of matplotlib 3.8's calls, and the tests turn warnings into errors


def main(which: str) -> None:
    """Check the versions, then run the commands in this folder."""
    import numpy

    import minigan
    from minigan.doctor import blas

    assert Path(minigan.__file__).parents[1] not in (Path.cwd(), Path(__file__).resolve().parents[1]), "not the installed one"
    found = [f"{line.partition('==')[0]}=={version(line.partition('==')[0])}" for line in floors()]
    print(which, *found, f"Python {sys.version.split()[0]}")
    assert which != "lowest" or found == floors(), f"these are not the lowest: {floors()}"
    if "openblas" in numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]:
        assert blas()["library"] == "openblas", "threadpoolctl does not see NumPy's OpenBLAS, so its threads cannot be limited"
    for line in COMMANDS.strip().splitlines():
        print(f"$ {line}", flush=True)
        command = [str(Path(sys.executable).with_name("minigan")), *line.split()[1:]]
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        if done.returncode:
            sys.exit(f"{done.stdout}{done.stderr}{line}: exit code {done.returncode}")
    for name in FILES.split():
        assert Path(name).stat().st_size > 100, name
    assert json.loads(Path("points/env.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    if sys.argv[1:] == ["--floors"]:
        print(*floors(), *OF_THEIR_TIME, sep="\n")
    else:
        main(sys.argv[1])
