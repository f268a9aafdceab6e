"""Pictures of a training run: NumPy arrays and log records in, PNG and GIF files out.

images      image_grid, save_png, save_gif      batches of images
points      scatter_png                         2-D samples beside the real ones
curves      curves_png                          losses over steps
Matplotlib and Pillow load inside the functions that draw, so `import minigan.viz` costs nothing.  Figures are made with
matplotlib's object interface, never pyplot: no window, no global state, safe beside a notebook's own plots.
Every file takes its place whole (serialize.replacing): a viewer never meets half a picture.
"""

from minigan.viz.curves import curves_png
from minigan.viz.images import image_grid, save_gif, save_png
from minigan.viz.points import scatter_png

__all__ = ["curves_png", "image_grid", "save_gif", "save_png", "scatter_png"]
