"""Run a lesson cell by cell in a fresh process, and keep what each cell prints and draws.

lesson      the outputs of a lesson: {"ok", "seconds", "cells": {name: {"text", "figures": [{"name", "png"}]}}}
play        what a lesson gives that runs in this process
"""

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from minigan import lesson_files
from minigan.lesson import FOLDER


def lesson(path: Path, fast: bool = False) -> dict:
    """Run the lesson in a new process and an empty folder, and return its outputs."""
    words = [sys.executable, "-m", "minigan.site", str(path.resolve()), *(["--fast"] if fast else [])]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, env=lesson_files.environment(), check=False)
        result = Path(folder, "result.json")
        if not result.is_file():
            return {"ok": False, "seconds": 0.0, "cells": {}}
        return json.loads(result.read_text(encoding="utf-8")) | ({} if done.returncode == 0 else {"ok": False})


def play(path) -> dict:
    """The outputs of a lesson that runs in this process; after an error the other cells stay empty."""
    space, seen, outputs, ok = {"__name__": "__main__", "__file__": str(path)}, set(), {}, True
    start = time.perf_counter()
    lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
    for cell in lesson_files.cells(Path(path)):
        if cell.kind != "code":
            continue
        printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
        with contextlib.redirect_stdout(printed):
            ok = _run(cell, lines, path, space)
        printed.flush()
        text = printed.buffer.getvalue().decode()
        pictures = [file for file in sorted(Path(FOLDER).rglob("*.png"), key=os.path.getmtime) if file not in seen]
        seen.update(pictures)
        figures = [{"name": file.stem, "png": base64.b64encode(file.read_bytes()).decode()} for file in pictures]
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("  figure "))
        outputs[cell.name] = {"text": text, "figures": figures}
        if not ok:
            break
    return {"ok": ok, "seconds": round(time.perf_counter() - start, 1), "cells": outputs}


def _run(cell, lines, path, space):
    """Run one cell with the line numbers of its file, and return whether it ran to its end."""
    before = next(i for i, line in enumerate(lines) if line.startswith("# %%") and f'id="{cell.name}"' in line)
    try:
        exec(compile("\n" * (before + 1) + cell.text, str(path), "exec"), space)
    except SystemExit as end:  # lesson.end()
        return not end.code
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        traceback.print_exc()
        return False
    return True
