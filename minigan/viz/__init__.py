"""Pictures of a training run: from NumPy arrays and log records to PNG and GIF files.

samples     draw                                samples of any kind; it chooses the right function below
images      image_grid, save_png, save_gif      batches of images
points      scatter_png                         2-D samples beside the real ones
tokens      token_grid, text_grid               sequences of tokens as numbers in coloured cells, or as text
graph       graph                               the graph behind a Tensor, as a drawing or a text
trace       trace                               a page that steps through a backward pass, op by op
curves      curves_png, compare_png             losses, gradients and metrics over steps; runs side by side
Matplotlib and Pillow are imported inside the functions that draw, so `import minigan.viz` is fast.  Figures use matplotlib's
object interface, never pyplot: it opens no window and has no global state, so it does not disturb a notebook's own plots.
Every file is written completely before it replaces the old one (serialize.replacing), so a viewer never sees half a picture.
"""

from minigan.viz.curves import compare_png, curves_png
from minigan.viz.graph import graph
from minigan.viz.images import image_grid, save_gif, save_png
from minigan.viz.points import scatter_png
from minigan.viz.samples import draw, most, shown
from minigan.viz.tokens import text_grid, token_grid
from minigan.viz.trace import trace

__all__ = [
    "compare_png",
    "curves_png",
    "draw",
    "graph",
    "image_grid",
    "most",
    "save_gif",
    "save_png",
    "scatter_png",
    "shown",
    "text_grid",
    "token_grid",
    "trace",
]


def __dir__():
    return __all__
