"""What does a run look like from its first step to its last?  This draws docs/dcgan-digits.png from the pictures of a run.

    minigan train dcgan --out runs/first && python benchmarks/readme_picture.py runs/first

Each row holds the first 16 samples of one of the run's pictures; all rows show the same latent points.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from minigan.viz import letters
from minigan.viz.images import save_png

STEPS = (0, 200, 600, 1600, 3900)
ROWS, SIDE = 2, 58  # the first two rows of the picture of 8x8 samples; a sample is enlarged twice, and has a border


def main(run, out=Path(__file__).parents[1] / "docs" / "dcgan-digits.png"):
    """Put the rows below each other, with their steps in front."""
    width = max(letters.width(f" step {step} ", 14) for step in STEPS)
    lines = []
    for step in STEPS:
        with Image.open(Path(run) / "samples" / f"step_{step:06d}.png") as picture:
            samples = np.asarray(picture.convert("L"))
        row = np.concatenate([samples[k * SIDE : (k + 1) * SIDE, : 8 * SIDE] for k in range(ROWS)], axis=1)
        head = np.full((SIDE, width), 255, np.uint8)
        letters.write(head[:, :, None], f" step {step}", SIDE / 2, 0, ink=0, size=14, centred=False)
        lines.append(np.concatenate([head, row], axis=1))
    save_png(out, np.concatenate(lines))


if __name__ == "__main__":
    main(sys.argv[1])
