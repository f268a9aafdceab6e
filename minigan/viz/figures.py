"""Figures of matplotlib.  They need no window, and no plotting backend that somebody has named.

new      an empty Figure          png      a Figure as the bytes of a PNG
ready    import matplotlib; call this before any other import of it
"""

import contextlib
import io
import os
import sys
from typing import Any


def ready():
    """Import matplotlib and return it.

    It raises ValueError when $MPLBACKEND names a backend that it does not know, and minigan needs none."""
    if "matplotlib" not in sys.modules:
        named = os.environ.pop("MPLBACKEND", None)
        try:
            import matplotlib
        finally:
            if named is not None:
                os.environ["MPLBACKEND"] = named
        if named:
            with contextlib.suppress(ValueError):
                matplotlib.rcParams["backend"] = named  # for the plots of the user's own program
    return sys.modules["matplotlib"]


def new(width: float, height: float, dpi: int = 120, layout: Any = "constrained"):
    """An empty white Figure.   width, height: in inches.   layout: matplotlib's; None: the axes stay where they are put."""
    ready()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=dpi, layout=layout, facecolor="white")


def png(figure) -> memoryview:
    """A Figure as a PNG.  The same figure always gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data, metadata={"Software": None})
    return data.getbuffer()
