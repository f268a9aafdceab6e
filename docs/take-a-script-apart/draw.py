"""Draw losses.png: the losses of shapes_gan.py in PyTorch and here.   python draw.py pytorch.json minigan.json

The files are what `python shapes_gan.py --losses pytorch.json` and `python -m minigan.torch shapes_gan.py --losses minigan.json` wrote.
"""

import json
import sys
from pathlib import Path

import numpy as np

from minigan.viz import figures

theirs, ours = (np.array(json.loads(Path(path).read_text())) for path in sys.argv[1:3])
figure = figures.new(8, 3.2)
curves, distance = figure.subplots(1, 2)
for k, (name, colour) in enumerate((("D", "tab:blue"), ("G", "tab:orange"))):
    curves.plot(theirs[:, k], color=colour, linewidth=4, alpha=0.3, label=f"{name}, PyTorch")
    curves.plot(ours[:, k], color=colour, linewidth=1, label=f"{name}, minigan")
curves.set(xlabel="step", ylabel="loss", title="the same script, twice")
curves.legend()
distance.semilogy(np.maximum(abs(theirs - ours).max(1), 1e-8), color="black")
distance.set(xlabel="step", title="distance of the two losses")
(Path(__file__).parent / "losses.png").write_bytes(figures.png(figure))
