"""The check that the rules are right: it compares derivatives by rule with derivatives by finite differences, to any order.

gradcheck   check a function at a point; GradientMismatch with the place and both numbers        Report   what it found

How it works.  J is the matrix of derivatives of f at x.  For a random vector v the rules give J^T v.  (v is never all ones:
a rule that forgets v would pass.)  For a random direction u, moving x along u gives J u.  Both give the number <v, J u> =
<J^T v, u>, so one number compares all of J, with few calls of f.  No component of u is near 0, so each one is tested.

The slope along u is the central difference for two steps, h and h/2, extrapolated (Richardson): its error falls as h^4.
If the two disagree, then either h is too large or f has a kink or a jump nearby.  Then h is made smaller until f looks smooth
on that scale.  If it never does, x is on a kink, where there is nothing to compare.

Only one input moves at a time, and errors are relative to *its* gradient, so a small wrong gradient cannot hide behind a large
right one.  Order n + 1 is order 1 of the function (x, v) -> J^T v.  The table of all ops to check is in optable.py.
"""

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from minigan.autograd import grad
from minigan.backend import device_of, is_array, to_device, xp
from minigan.errors import ConfigError, DTypeError, GradientMismatch
from minigan.tensor import Tensor, plain

STEP = 2.0**-10  # the first h, as a fraction of the input's size; then h^4 is as small as rounding divided by h
SHRINK, TRIES = 16.0, 4  # near a kink h becomes STEP / 16, ... down to STEP / 16^3
ROUNDING = 20.0  # a difference may be wrong by so many times the measured noise of f
FULL = 2000  # to find the worst element, we look at no more elements than this


class Report(NamedTuple):
    """What gradcheck found.   str(report) is one line.

    name: of the function.  order: the highest that was checked.  shapes: of the differentiated inputs.  errors: for
    each order the worst relative error, |by rules - by differences| / size of that input's gradient.  skipped: how many
    comparisons were left out because they were on a kink.
    """

    name: str
    order: int
    shapes: tuple
    errors: tuple
    skipped: int = 0

    @property
    def worst(self) -> float:
        """The worst relative error of all orders."""
        return max(self.errors, default=0.0)

    def __str__(self):
        skipped = f", {self.skipped} comparison(s) on a kink skipped" if self.skipped else ""
        shapes = ", ".join(map(str, self.shapes))
        return f"{self.name}: order {self.order}, worst relative error {self.worst:.1e}, inputs {shapes}{skipped}"


def gradcheck(f, *inputs, order=1, wrt=None, rtol=1e-6, atol=0.0, kinks="raise", seed=0, name=None) -> Report:
    """Compare the derivatives of f at the inputs with finite differences; GradientMismatch if they disagree.

    f: takes Tensors and returns one, or a sequence of them; it must return the same values at every call.
    inputs: arrays or Tensors of floats are copied, made float64 and differentiated; f gets everything else as it is.
    wrt: the index, or indices, of the inputs to differentiate; the other floats are then constants.
    order: 2 also checks the derivative of the gradient, and so on.
    rtol: the allowed error, relative to the gradient of the input.  In addition, errors are allowed that rounding explains; for
    this gradcheck measures the noise of f.  atol: an absolute error, allowed for functions that are noisier than that.
    kinks: "raise" GradientMismatch where f is not smooth, or "skip" the comparison and count it in the report.
    seed: of the random directions.  name: for the report; by default the function's.

    It also checks that f and its rules change no input and no cotangent in place; that gradients have their inputs' shape and
    dtype, and share no memory with inputs, cotangents or each other; and that the results stay the same in a second walk over
    the same graph, with create_graph=True, and for inputs in another memory order.

    >>> report = mg.gradcheck(mg.tanh, np.array([0.5, 1.0]), order=2)  # raises if a rule is wrong
    """
    if kinks not in ("raise", "skip"):
        raise ConfigError(f"gradcheck: kinks is 'raise' or 'skip', not {kinks!r}")
    values = [_float64(x) for x in inputs]
    floats = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.dtype == np.float64]
    chosen = floats if wrt is None else [wrt] if isinstance(wrt, int) else list(wrt)
    if not chosen or not set(chosen) <= set(floats):
        raise DTypeError(f"gradcheck: no float input to differentiate: wrt={wrt}, float inputs are {floats}")

    def function(*xs):
        arguments = list(values)
        for i, x in zip(chosen, xs):
            arguments[i] = x
        y = f(*arguments)
        return list(y) if isinstance(y, (tuple, list)) else [y]

    arrays = [values[i].data for i in chosen]
    check = _Check(name or getattr(f, "__name__", type(f).__name__), rtol, atol, kinks, seed)
    labels, errors = [f"input {i}" for i in chosen], []
    for n in range(1, order + 1):
        cotangents = check.level(function, arrays, labels, n)
        errors.append(check.worst)
        function, arrays = _gradient_of(function, len(arrays)), arrays + cotangents
        labels = labels + [f"cotangent of order {n}"] * len(cotangents)
    return Report(check.name, order, tuple(values[i].shape for i in chosen), tuple(errors), check.skipped)


def _float64(x):
    """A float array or Tensor, copied to a constant Tensor of float64; anything else as it is."""
    array = plain(x) if isinstance(x, Tensor) or is_array(x) else np.asarray(x) if isinstance(x, np.floating) else None
    return x if array is None or array.dtype.kind != "f" else Tensor(array.astype(np.float64))


def _gradients(outputs, inputs, cotangents, create_graph=False, retain_graph=None):
    """J^T v: one Tensor per input; zeros if no output depends on the input in the graph."""
    linked = [(y, v) for y, v in zip(outputs, cotangents) if y.requires_grad]
    found = [None] * len(inputs)
    if linked:
        ys, vs = zip(*linked)
        found = grad(ys, inputs, vs, create_graph, retain_graph, allow_unused=True)
    return [Tensor(xp(x.data).zeros_like(x.data)) if g is None else g for g, x in zip(found, inputs)]


def _gradient_of(function, count):
    """The function (x, v) -> J(x)^T v, of `count` x and one v for each output; the next order differentiates it."""

    def gradients(*xs):
        wanted = any(x.requires_grad for x in xs)
        inputs = [x if x.requires_grad else Tensor(x.data).requires_grad_() for x in xs[:count]]
        return _gradients(function(*inputs), inputs, xs[count:], create_graph=wanted)

    return gradients


def _other_order(x):
    """The same values in the reversed memory order (the first axis is the fastest), which must not change any result."""
    m = xp(x)
    return m.flip(m.flip(x).copy(order="F")) if x.ndim else x


class _Check:
    """One call of gradcheck: its tolerances, and the worst error at the present order."""

    def __init__(self, name, rtol, atol, kinks, seed):
        self.name, self.rtol, self.atol, self.kinks, self.seed = name, rtol, atol, kinks, seed
        self.rng = np.random.default_rng(seed)
        self.worst, self.skipped = 0.0, 0

    def random(self, like):
        """Numbers in 1/2 .. 1 with random signs: none is near 0, which would hide an error, and they are not all equal."""
        values = self.rng.uniform(0.5, 1.0, like.shape) * self.rng.choice([-1.0, 1.0], like.shape)
        return to_device(np.asarray(values), device_of(like))

    def fail(self, text):
        raise GradientMismatch(f"{self.name}, {self.where}: {text} (seed {self.seed})")

    def level(self, function, arrays, labels, order):
        """Check the derivative of function at the arrays; return the cotangents that were used, one per output."""
        self.where, self.worst = f"order {order}", 0.0
        inputs = [Tensor(a.copy()).requires_grad_() for a in arrays]
        outputs = function(*inputs)
        for y in outputs:
            if not isinstance(y, Tensor) or y.dtype != np.float64:
                got = getattr(y, "dtype", type(y))
                raise DTypeError(f"gradcheck: {self.name} must return float64 Tensors, got {got}")
        cotangents = [self.random(y.data) for y in outputs]
        gradients = self.conduct(function, arrays, labels, inputs, outputs, cotangents)
        for i, g in enumerate(gradients):
            self.where = f"order {order}, {labels[i]} {arrays[i].shape}"
            self.compare(function, arrays, i, g, cotangents)
        return cotangents

    # ------------------------------------------------------------------------------------------------ conduct ---

    def conduct(self, function, arrays, labels, inputs, outputs, cotangents):
        """The gradients at the arrays, after checks of everything but their values: in-place changes, aliases, second walks."""
        given = [Tensor(v.copy()) for v in cotangents]
        y_before = [y.data.copy() for y in outputs]
        for k, y in enumerate(y_before):
            self.finite(y, f"output {k}")
        gradients = [g.data for g in _gradients(outputs, inputs, given, retain_graph=True)]
        kept = [g.copy() for g in gradients]
        for g, x, label in zip(gradients, arrays, labels):
            if g.shape != x.shape or g.dtype != x.dtype:
                self.fail(f"the gradient of {label} is {g.dtype} {g.shape}, but the input is {x.dtype} {x.shape}")
            self.finite(g, f"the gradient of {label}")
        self.no_aliases(
            gradients,
            labels,
            [(x.data, what) for x, what in zip(inputs, labels)]
            + [(v.data, f"the cotangent of output {k}") for k, v in enumerate(given)]
            + [(y.data, f"output {k}") for k, y in enumerate(outputs)],
        )
        again = _gradients(outputs, inputs, given)
        for x, a, label in zip(inputs, arrays, labels):
            self.unchanged(x.data, a, f"{label} was changed in place")
        for k, (v, a) in enumerate(zip(given, cotangents)):
            self.unchanged(v.data, a, f"the cotangent of output {k} was changed in place: a rule may not write into g")
        for k, (y, a) in enumerate(zip(outputs, y_before)):
            self.unchanged(y.data, a, f"output {k} was changed in place by the backward pass")
        for g, h, a, label in zip(gradients, again, kept, labels):
            self.unchanged(
                h.data,
                a,
                f"a second backward over the same graph gives another gradient of {label}: "
                f"a rule writes into an array that was saved",
            )
            self.unchanged(g, a, f"the gradient of {label} was changed by a second backward: the array is not its own")

        leaves = [Tensor(a.copy()).requires_grad_() for a in arrays]
        outputs = function(*leaves)
        for k, (y, a) in enumerate(zip(outputs, y_before)):
            self.unchanged(y.data, a, f"output {k} differs between two calls with the same inputs; seed its noise")
        recorded = _gradients(outputs, leaves, [Tensor(v) for v in cotangents], create_graph=True)
        leaves = [Tensor(_other_order(a)).requires_grad_() for a in arrays]
        outputs = function(*leaves)
        strided = _gradients(outputs, leaves, [Tensor(_other_order(v)) for v in cotangents])
        terms = sum(float(abs(v * y).sum()) + 1e-2 * float(abs(v).sum()) for v, y in zip(cotangents, y_before))
        for k, (y, a) in enumerate(zip(outputs, y_before)):
            self.close(y.data, a, terms, f"output {k} depends on the inputs' memory order")
        for g, h, s, x, label in zip(gradients, recorded, strided, arrays, labels):
            self.close(h.data, g, terms / _size(x), f"create_graph=True gives another gradient of {label}")
            self.close(s.data, g, terms / _size(x), f"the gradient of {label} depends on the inputs' memory order")
        return gradients

    def no_aliases(self, gradients, labels, others):
        for i, g in enumerate(gradients):
            for other, what in others + [(h, f"the gradient of {labels[k]}") for k, h in enumerate(gradients[:i])]:
                if xp(g).shares_memory(g, other):
                    self.fail(
                        f"the gradient of {labels[i]} shares memory with {what}; a rule returns g, a view of g, or a new array"
                    )

    def finite(self, array, what):
        bad = np.flatnonzero(~np.isfinite(to_device(array, "cpu")))
        if bad.size:
            index = _index(int(bad[0]), array.shape)
            self.fail(
                f"{what} is {array.reshape(-1)[int(bad[0])]}{f' at {index}' if index else ''}; "
                f"there is nothing to compare it with, choose another point"
            )

    def unchanged(self, array, before, text):
        if not xp(array).array_equal(array, before):
            self.fail(text)

    def close(self, a, b, terms, text):
        """a and b agree to rtol of the larger's size, apart from rounding errors of terms of the given size."""
        if a.size and not float(abs(a - b).max()) <= self.rtol * float(abs(b).max()) + 1e-12 * terms + self.atol:
            self.fail(f"{text}: {_number(a, b)} instead of {_number(b, a)}")

    # ------------------------------------------------------------------------------------------------- values ---

    def compare(self, function, arrays, i, g, cotangents):
        """Compare g, the gradient of input i by rule, with differences along one random direction."""
        if not g.size:
            return
        u = self.random(arrays[i])
        u = u / math.sqrt(float((u * u).sum()))
        line = _Line(function, arrays, i, u, cotangents)
        by_rule, terms = float((g * u).sum()), float(abs(g * u).sum())
        h, errors = STEP * _size(arrays[i]), []
        for _ in range(TRIES):
            slope, doubt = line.slope(h)
            size, error = max(terms, abs(slope)), abs(slope - by_rule)
            if not error <= 0.01 * self.rtol * size:  # only now it is worth measuring how much of it is rounding
                size += ROUNDING * line.noise(h) / h / self.rtol + self.atol / self.rtol
            if error <= self.rtol * size:
                self.worst = max(self.worst, error / size if size else 0.0)
                return
            if doubt < error:  # the two steps agree with each other, but not with the rule
                self.fail(self.explain(function, arrays, i, g, cotangents, h))
            h /= SHRINK
            errors.append(error)
        if all(later <= error / 8 for error, later in pairwise(errors)):
            return  # not a kink: differences of x^5 at 0, for example, go to 0 with h, but their relative error stays large
        if self.kinks == "raise":
            self.fail(
                f"a kink: the function is not smooth here.  Slopes for steps {h * SHRINK:.1e} and "
                f"{h * SHRINK / 2:.1e} disagree by {doubt:.1e}, so there is no derivative to compare with "
                f"{by_rule:.6g}; move the point, or pass kinks='skip'"
            )
        self.skipped += 1

    def explain(self, function, arrays, i, g, cotangents, h):
        """The text that says where the rule is most wrong: element of the input, element of the output, both numbers."""
        flat = g.reshape(-1)
        worst: Any = ()
        for j in range(min(flat.size, FULL)):
            line = _Line(function, arrays, i, _one_at(j, arrays[i]), cotangents)
            slope, doubt = line.slope(h)
            if not worst or abs(slope - float(flat[j])) > abs(worst[0] - worst[1]):
                worst = (float(flat[j]), slope, doubt, j, line)
        by_rule, slope, doubt, j, line = worst
        steps = f"steps {h:.1e} and {h / 2:.1e} agree to {doubt:.0e}"
        if abs(slope - by_rule) <= self.rtol * abs(slope):  # only the sum shows an error, and no single element
            return f"the rule disagrees with finite differences along a random direction ({steps})"
        index = _index(j, arrays[i].shape)
        place = f"at {index} " if index else ""
        text = f"{place}the rule gives {by_rule:.7g}, finite differences {slope:.7g} ({steps})"
        columns = [(c, k) for k, y in enumerate(line.column(h)) for c in enumerate(y.reshape(-1).tolist())]
        if len(columns) > 100:
            return text
        found: Any = ()
        for (place, number), k in columns:  # the same for one output element at a time, which is an entry of J
            ones = [_one_at(place, v) if k == n else xp(v).zeros_like(v) for n, v in enumerate(cotangents)]
            leaves = [Tensor(a.copy()).requires_grad_() for a in arrays]
            entry = float(_gradients(function(*leaves), leaves, [Tensor(v) for v in ones])[i].data.reshape(-1)[j])
            if not found or abs(entry - number) > abs(found[0] - found[1]):
                found = entry, number, place, k
        entry, number, place, k = found
        if abs(entry - number) <= self.rtol * abs(number):
            return f"{text}; right for one output element at a time, so the rule is not linear in g"
        output = f"output{f' {k}' if len(cotangents) > 1 else ''}{_index(place, cotangents[k].shape)}"
        return f"{text}; of it, the derivative of {output} is {entry:.7g} by rule, {number:.7g} by differences"


class _Line:
    """The function of t <v, f(x + t u) - f(x)>, where u moves only input i, and v are the cotangents."""

    def __init__(self, function, arrays, i, u, cotangents):
        self.function, self.arrays, self.i, self.u, self.cotangents = function, arrays, i, u, cotangents
        self.start = self.outputs(0.0)

    def outputs(self, t):
        moved = xp(self.u).asarray(self.arrays[self.i] + t * self.u)
        # Overflow and NaN near the point need no warning: they make the two steps disagree, and so h becomes smaller.
        with np.errstate(all="ignore"):
            return [
                y.data for y in self.function(*[Tensor(moved if k == self.i else a.copy()) for k, a in enumerate(self.arrays)])
            ]

    def __call__(self, t):
        # Take the difference first, then the sum: in the other order the rounding of large outputs would hide small slopes.
        with np.errstate(invalid="ignore"):
            return sum(float((v * (y - y0)).sum()) for v, y, y0 in zip(self.cotangents, self.outputs(t), self.start))

    def slope(self, h):
        """The derivative at 0, extrapolated from steps h and h/2, and the doubt: how far from smooth the line looks.

        For a smooth line both terms of the doubt go to 0 with h.  A kink or jump at a distance d < h makes the first term large
        (the two central differences disagree); one at d = 0 the second (the slopes to the left and to the right disagree).
        """
        far, far_back, near, near_back = self(h), self(-h), self(h / 2), self(-h / 2)
        wide, narrow = (far - far_back) / (2 * h), (near - near_back) / h
        gap = 2 * (near + near_back) / (h / 2) - (far + far_back) / h
        doubt = max(abs(wide - narrow), abs(gap))
        return (4 * narrow - wide) / 3, doubt if math.isfinite(doubt) else math.inf

    def noise(self, h):
        """The size of f's rounding errors: fourth differences over tiny steps, in which only noise is left of f.

        Hamming's difference table; More and Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011).  We take the
        median, so that a jump (it is in four of the twelve differences) does not count as noise.  The result is at least half
        of the last digit of the output, here or a step away (where a product of zeros is no longer 0).
        """
        differences = np.diff([self(k * h * 1e-3) for k in range(-8, 8)], 4)
        with np.errstate(all="ignore"):
            sizes = [
                math.sqrt(sum(float(((v * y) ** 2).sum()) for v, y in zip(self.cotangents, ys)))
                for ys in (self.start, self.outputs(h))
            ]
        last_digit = max(size for size in sizes if math.isfinite(size)) * 2.0**-53
        return max(float(np.median(np.abs(differences))) / math.sqrt(70), last_digit)  # 70 = 1 + 16 + 36 + 16 + 1

    def column(self, h):
        """The derivatives of every output element along u: arrays of the outputs' shapes."""
        ys = [self.outputs(t) for t in (h, -h, h / 2, -h / 2)]
        return [(4 * (c - d) / h - (a - b) / (2 * h)) / 3 for a, b, c, d in zip(*ys)]


def _size(x):
    """The root mean square of x, or 1 if that is 0: the unit of steps."""
    mean = float((x * x).mean()) if x.size else 0.0
    return math.sqrt(mean) or 1.0


def _one_at(j, like):
    one = np.zeros(like.size)
    one[j] = 1.0
    return to_device(one.reshape(like.shape), device_of(like))


def _index(j, shape):
    return f"[{', '.join(str(int(k)) for k in np.unravel_index(j, shape))}]" if shape else ""


def _number(a, b):
    """The element of a where it is farthest from b, as text."""
    a, b = to_device(a, "cpu"), to_device(b, "cpu")
    j = int(np.argmax(np.abs(a - b)))
    return f"{a.reshape(-1)[j]:.7g} at {_index(j, a.shape) or '[]'}"
