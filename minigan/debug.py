"""Find the op that makes the first NaN or infinity.

debug       inside the block (or the decorated function), the first op, forward or backward, whose output is not finite
            raises NotFiniteError with the op's name, the user's line that called it, and whether its inputs were finite
"""

from minigan.backend import is_array, xp
from minigan.errors import NotFiniteError
from minigan.watch import watch


def _kind(array):
    """'NaN', 'Inf' or None: the worst of an array's elements."""
    if not is_array(array) or array.dtype.kind != "f":
        return None
    m = xp(array)
    return "NaN" if bool(m.isnan(array).any()) else "Inf" if bool(m.isinf(array).any()) else None


def _check(op, phase, inputs, output, seconds, site):
    """A watcher: see watch.watch."""
    kind = _kind(output)
    if kind is None:
        return
    where = f" (called at {site})" if site else ""
    what = "its gradient" if phase == "backward" else "its output"
    already = [f"input {i} {a.shape}" for i, a in enumerate(inputs) if _kind(a)]
    came = f"{' and '.join(already)} had one already" if already else "its inputs were finite"
    raise NotFiniteError(f"{op}: first {kind} in {what} {output.shape}{where}; {came}")


def debug():
    """`with mg.debug():` stop at the first NaN or Inf, with a NotFiniteError that names the op and the line that called it.

    It checks every op, so the block runs slower; the results are the same.
    """
    return watch(_check)
