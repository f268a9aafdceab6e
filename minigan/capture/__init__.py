"""mg.capture: record a step of a training loop once, then replay it without its Python.

capture        the public function                       captured.py   when it records, proves and replays
traced.py      notes every NumPy call of a step          plan.py       the calls as a flat list, in shared buffers
compare.py     which call makes a replay differ          state.py      what a step changes, and the way back
launched.py    the same on a GPU, with a CUDA graph      graph.py      work on a GPU, recorded and launched
structure.py   nested tuples, lists and dicts
"""

from collections.abc import Callable
from typing import Any

from minigan.errors import ConfigError


def capture(step: Callable) -> Any:
    """The step of a training loop, without its Python: recorded at the first call, replayed at the later ones.

    step: a function whose arguments and results are Tensors, arrays, numbers, and tuples, lists and dicts of them.  What this
    returns is called in the same way, and gives the same bits: it plays the same NumPy calls on the same memory, as a flat
    list.  For a small net most of a step's time is Python, so a step takes about half as long (docs/capture.md).
    `print(step)` shows the list.

    - A step may draw from minigan's streams and call optimizers, whose learning rates may change between two calls.
    - Arguments of other shapes, and other numbers among them, are recorded apart.
    - The results are constants.  A .grad that the step leaves is overwritten by the next call.
    - On a GPU, if an argument is there, it is a CUDA graph: three calls are played by Python, the next one records and proves.
      The optimizers are Adam, SGD or RMSprop, and draws come from the GPU, streams.on("cuda").
    - The step's own Python (counters, print, schedules) runs only at the calls 1, 2, 4, 8, ...: the first records, and the
      others prove, in that they play the step both ways from the same state.

    CaptureError, with the name of the op and the line, if the step reads values (`if`, float(), item()) or keeps Tensors in
    Python variables, or if any bit differs in a proof, as it does if a number in Python changes.  ConfigError if step is no
    function.

    >>> net = nn.Linear(3, 1)
    >>> adam = mg.optim.Adam(net.parameters())
    >>> @mg.capture
    ... def step(x, y):
    ...     loss = mg.square(net(x) - y).mean()
    ...     adam.step(mg.grad(loss, list(net.parameters())))
    ...     return loss
    >>> losses = [float(step(mg.ones((8, 3)), mg.zeros((8, 1)))) for _ in range(50)]
    >>> losses[-1] < losses[0]
    True
    """
    from minigan.capture.captured import Captured  # a program that captures nothing need not load it

    if not callable(step):
        raise ConfigError(f"capture: needs a function, the step of a training loop, got {type(step).__name__}")
    return Captured(step)
