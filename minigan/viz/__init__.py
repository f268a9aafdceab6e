"""Pictures of a training run: NumPy arrays and log records in, PNG and GIF files out.

samples     draw                                samples of any kind: who has a kind asks here
images      image_grid, save_png, save_gif      batches of images
points      scatter_png                         2-D samples beside the real ones
tokens      token_grid, text_grid               sequences of tokens as numbers in coloured cells, or as text
curves      curves_png, compare_png             losses, gradients and metrics over steps; runs side by side
Matplotlib and Pillow load inside the functions that draw, so `import minigan.viz` costs nothing.  Figures are made with
matplotlib's object interface, never pyplot: no window, no global state, safe beside a notebook's own plots.
Every file takes its place whole (serialize.replacing): a viewer never meets half a picture.
"""

from minigan.viz.curves import compare_png, curves_png
from minigan.viz.images import image_grid, save_gif, save_png
from minigan.viz.points import scatter_png
from minigan.viz.samples import draw, most, shown
from minigan.viz.tokens import text_grid, token_grid

__all__ = ["compare_png", "curves_png", "draw", "image_grid", "most", "save_gif", "save_png", "scatter_png", "shown",
           "text_grid", "token_grid"]


def __dir__():
    return __all__
