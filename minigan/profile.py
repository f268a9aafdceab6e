"""Where does the time go?  Per op: calls, seconds and bytes, forward and backward.

profile     `with mg.profile() as p: ...; print(p)`: a table, the slowest op first; p.rows has the numbers
"""

import contextlib

from minigan.backend import is_array
from minigan.watch import watch


class Row:
    """What one op did in one phase ("forward" or "backward").   seconds: the total;  bytes: the size of inputs and outputs."""

    def __init__(self, op, phase):
        self.op, self.phase, self.calls, self.seconds, self.bytes = op, phase, 0, 0.0, 0


class Profile:
    """The rows of a profile, by (op, phase); printed as a table with times in ms and sizes in MB."""

    def __init__(self):
        self.by_op = {}

    @property
    def rows(self) -> list[Row]:
        """The rows, the one with the most seconds first."""
        return sorted(self.by_op.values(), key=lambda row: -row.seconds)

    def __call__(self, op, phase, inputs, output, seconds, site):
        """Count one call; a watcher, see watch.watch."""
        row = self.by_op.setdefault((op, phase), Row(op, phase))
        row.calls += 1 if seconds else 0
        row.seconds += seconds
        row.bytes += sum(a.nbytes for a in (*inputs, output) if is_array(a))

    def __str__(self):
        total = sum(row.seconds for row in self.rows) or 1.0
        lines = [f"{'op':<28}{'phase':<10}{'calls':>7}{'ms':>10}{'share':>7}{'MB':>9}{'GB/s':>7}"]
        for row in self.rows:
            rate = row.bytes / row.seconds / 1e9 if row.seconds else 0.0
            lines.append(
                f"{row.op:<28}{row.phase:<10}{row.calls:>7}{1e3 * row.seconds:>10.3f}"
                f"{row.seconds / total:>7.1%}{row.bytes / 1e6:>9.2f}{rate:>7.1f}"
            )
        calls, megabytes = sum(row.calls for row in self.rows), sum(row.bytes for row in self.rows) / 1e6
        lines.append(f"{'all':<38}{calls:>7}{1e3 * sum(row.seconds for row in self.rows):>10.3f}{'':>7}{megabytes:>9.2f}")
        return "\n".join(lines)


@contextlib.contextmanager
def profile():
    """Measure every op and gradient rule inside the block.

    On a GPU the times are those of the launch, not of the work.  If an op calls others (a rule with create_graph), their time
    counts twice: for that op, and for them.
    """
    with watch(Profile()) as result:
        yield result
