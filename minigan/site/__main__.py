"""Run one lesson for its page, here: `python -m minigan.site LESSON.py` writes result.json into the current folder."""

import json
import sys
from pathlib import Path

from minigan.site.play import play

if __name__ == "__main__":
    result = play(sys.argv[1])
    Path("result.json").write_text(json.dumps(result), encoding="utf-8")
    sys.exit(not result["ok"])
