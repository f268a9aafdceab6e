"""torch.utils.tensorboard: a SummaryWriter that keeps the numbers as lines of JSON, log_dir/scalars.jsonl; it draws nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from minigan.torch.missing import missing_from, said_once


class SummaryWriter:
    """add_scalar writes a line {"tag", "value", "step"}; pictures, histograms and graphs are left out, and it says so once."""

    def __init__(self, log_dir: Any = None, *args: Any, **options: Any):
        self.log_dir = str(log_dir or Path("runs") / time.strftime("%Y-%m-%d_%H-%M-%S"))
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        self._file = open(Path(self.log_dir) / "scalars.jsonl", "a", encoding="utf-8")  # noqa: SIM115  # until close()

    def add_scalar(self, tag: str, scalar_value: Any, global_step: Any = None, *args: Any, **options: Any) -> None:
        """Write a number."""
        self._file.write(json.dumps({"tag": tag, "value": float(scalar_value), "step": global_step}) + "\n")

    def add_scalars(self, main_tag: str, tag_scalar_dict: dict, global_step: Any = None, *args: Any) -> None:
        """Write several numbers."""
        for tag, value in tag_scalar_dict.items():
            self.add_scalar(f"{main_tag}/{tag}", value, global_step)

    def _leave_out(self, *args: Any, **options: Any) -> None:
        said_once("SummaryWriter: it writes numbers only, as lines of JSON; pictures, histograms and graphs are left out")

    add_image = add_images = add_histogram = add_graph = add_text = add_figure = add_hparams = add_embedding = _leave_out

    def flush(self) -> None:
        """Write what is still in memory."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


__getattr__ = missing_from(__name__)
