"""How PyTorch, NumPy and minigan call the same things: the table behind docs/names.md, and behind errors for PyTorch's names.

DIFFERENT   one name, two meanings            RENAMED   one meaning, two names            ARGUMENTS   of a function
instead     the advice for a name that minigan does not have, or None

Each line is PyTorch | NumPy | minigan | what to know.  A test runs all three and compares what they give, with a 2 x 3 matrix
x, y of its shape, a vector v, a square matrix A, a boolean mask m, and indices k.
"""

# ruff: noqa: E501  # a table has one line for each row

from functools import cache

from minigan.errors import ArgumentError

DIFFERENT = """
x.transpose(0, 1) | np.swapaxes(x, 0, 1) | mg.swapaxes(x, 0, 1) | PyTorch exchanges two axes. Elsewhere the numbers are the order of all axes, so that transpose(0, 1) of a matrix changes nothing.
torch.split(v, 2) | np.split(v, [2, 4]) | mg.split(v, [2, 4]) | PyTorch's number is the size of a piece, elsewhere it is how many pieces there are.
v.repeat(2) | np.tile(v, 2) | mg.tile(v, 2) | PyTorch repeats the whole: 1 2 1 2. Elsewhere each element is repeated, 1 1 2 2, which is PyTorch's repeat_interleave.
x.std() | x.std(ddof=1) | x.std(ddof=1) | PyTorch divides by n - 1, elsewhere by n.
x.var(1) | x.var(1, ddof=1) | x.var(1, ddof=1) | As std.
x.max(1) | (x.max(1), x.argmax(1)) | (x.max(1), x.argmax(1)) | Along an axis PyTorch gives (values, indices); amax gives the values.
x.min(1) | (x.min(1), x.argmin(1)) | (x.min(1), x.argmin(1)) | As max.
x.norm(1) | np.abs(x).sum() | mg.abs(x).sum() | PyTorch's first argument is the order p, minigan's is the axis.
x.norm(2, 1) | np.linalg.norm(x, axis=1) | mg.norm(x, 1) | PyTorch's are the order and the axis.
x.median() | np.sort(x, None)[(x.size - 1) // 2] | mg.sort(mg.ravel(x))[(x.size - 1) // 2] | Of an even number PyTorch takes the lower of the middle two, elsewhere it is their mean.
v.sort() | (np.sort(v), np.argsort(v)) | (mg.sort(v), mg.argsort(v)) | PyTorch gives (values, indices). In NumPy v.sort() sorts in place.
x.size(0) | x.shape[0] | x.shape[0] | In PyTorch x.size() is the shape; elsewhere x.size is the number of elements, PyTorch's x.numel().
x.data | x | x.detach() | In PyTorch it is a tensor without a graph, in minigan the NumPy array.
x.squeeze(0) | x | x | PyTorch leaves an axis whose size is not 1; elsewhere that is an error.
torch.meshgrid(v, v, indexing="ij") | np.meshgrid(v, v, indexing="ij") | mg.meshgrid(v, v, indexing="ij") | Without indexing PyTorch means "ij", elsewhere it is "xy".
torch.equal(x, y) | np.array_equal(x, y) | bool((x == y).all()) | PyTorch gives one answer; np.equal compares elements.
x.flatten(1) | x.reshape(len(x), -1) | x.reshape(len(x), -1) | PyTorch's argument is the first axis that is flattened.
v.scatter_add(0, k, v[:2]) | — | mg.scatter_add(v, k, v[:2]) | In PyTorch each element has an index of its own; in minigan an index names a slice, as in PyTorch's index_add.
torch.var(x, 0, unbiased=False) | np.var(x, 0) | mg.var(x, 0) | unbiased=False divides by n.
"""

RENAMED = """
torch.cat([x, y], 1) | np.concatenate([x, y], 1) | mg.concatenate([x, y], 1) |
x.view(3, 2) | x.reshape(3, 2) | x.reshape(3, 2) |
x.unsqueeze(1) | np.expand_dims(x, 1) | mg.expand_dims(x, 1) | Or x[:, None].
x.expand(4, 2, 3) | np.broadcast_to(x, (4, 2, 3)) | mg.broadcast_to(x, (4, 2, 3)) |
x.permute(1, 0) | x.transpose(1, 0) | x.transpose(1, 0) |
x.t() | x.T | x.T |
x.numel() | x.size | x.size |
x.dim() | x.ndim | x.ndim |
x.sum(dim=1, keepdim=True) | x.sum(axis=1, keepdims=True) | x.sum(axis=1, keepdims=True) | The same for mean, std, max, argmax and others.
x.clamp(0, 1) | x.clip(0, 1) | x.clip(0, 1) |
x.clamp_min(0.5) | np.maximum(x, 0.5) | mg.maximum(x, 0.5) |
x.clamp_max(0.5) | np.minimum(x, 0.5) | mg.minimum(x, 0.5) |
x.clone() | x.copy() | mg.tensor(x) | mg.tensor makes a constant; x * 1 keeps the derivative.
x.contiguous() | x | x | minigan orders memory itself.
x.float() | x.astype("float32") | x.astype("float32") |
x.double() | x.astype("float64") | x.astype("float64") |
x.long() | x.astype("int64") | x.astype("int64") |
x.int() | x.astype("int32") | x.astype("int32") |
x.bool() | x.astype(bool) | x.astype(bool) |
x.type(torch.float64) | x.astype("float64") | x.astype("float64") |
x.type_as(y) | x.astype(y.dtype) | x.astype(y.dtype) |
x.to("cpu") | x | x.to("cpu") | minigan's `to` takes devices; astype takes dtypes.
x.cpu() | x | x.to("cpu") |
x.cuda() | — | x.to("cuda") | NumPy has no GPU.
x.element_size() | x.itemsize | x.dtype.itemsize |
x.add(y, alpha=2) | x + 2 * y | x + 2 * y |
x.sub(y) | x - y | x - y |
x.mul(y) | x * y | x * y |
x.div(y) | x / y | x / y |
x.pow(2) | x ** 2 | x ** 2 |
x.neg() | -x | -x |
x.add_(1) | x += 1 | x += 1 | In place, without a graph; a leaf that requires a gradient needs no_grad.
x.sub_(1) | x -= 1 | x -= 1 |
x.mul_(2) | x *= 2 | x *= 2 |
x.div_(2) | x /= 2 | x /= 2 |
x.fill_(3) | x[...] = 3 | x[...] = 3 |
x.zero_() | x[...] = 0 | x[...] = 0 |
x.clamp_(0, 1) | x[...] = x.clip(0, 1) | x[...] = x.clip(0, 1) |
x.masked_fill_(m, 0) | x[m] = 0 | x[m] = 0 |
x.masked_fill(m, 0) | np.where(m, 0, x) | mg.where(m, 0, x) |
x.masked_select(m) | x[m] | x[m] |
x.index_select(0, k) | np.take(x, k, 0) | mg.take(x, k, 0) | Or x[k].
x.gather(1, k[:, None]) | np.take_along_axis(x, k[:, None], 1) | mg.take_along_axis(x, k[:, None], 1) |
x.index_add(0, k, y) | — | mg.scatter_add(x, k, y) |
x.narrow(1, 0, 2) | x[:, 0:2] | x[:, 0:2] |
x.select(1, 0) | x[:, 0] | x[:, 0] |
x.unbind(0) | list(x) | [row for row in x] |
x.chunk(2, 0) | np.split(x, 2, 0) | mg.split(x, 2, 0) |
v.repeat_interleave(2) | np.repeat(v, 2) | mg.repeat(v, 2) |
x.amax(1) | x.max(1) | x.max(1) |
x.amin(1) | x.min(1) | x.min(1) |
A.mm(A) | A @ A | A @ A |
torch.bmm(A[None], A[None]) | A[None] @ A[None] | A[None] @ A[None] |
A.mv(v[:3]) | A @ v[:3] | A @ v[:3] |
torch.addmm(A, A, A) | A + A @ A | A + A @ A |
torch.ger(v, v) | np.outer(v, v) | mg.outer(v, v) |
torch.asin(v / 9) | np.arcsin(v / 9) | mg.arcsin(v / 9) | The same for acos, atan, atan2.
torch.acos(v / 9) | np.arccos(v / 9) | mg.arccos(v / 9) |
torch.atan(v) | np.arctan(v) | mg.arctan(v) |
torch.atan2(v, v + 1) | np.arctan2(v, v + 1) | mg.arctan2(v, v + 1) |
torch.rsqrt(x * x + 1) | 1 / np.sqrt(x * x + 1) | 1 / mg.sqrt(x * x + 1) |
torch.inverse(A) | np.linalg.inv(A) | mg.inv(A) |
torch.sigmoid(x) | 1 / (1 + np.exp(-x)) | mg.sigmoid(x) |
torch.movedim(x, 0, 1) | np.moveaxis(x, 0, 1) | mg.moveaxis(x, 0, 1) |
torch.full((2, 3), 7.0) | np.full((2, 3), 7.0) | mg.full((2, 3), 7.0) |
torch.zeros(2, 3) | np.zeros((2, 3)) | mg.zeros((2, 3)) | The shape is one tuple. The same for ones.
torch.as_tensor([1.0, 2.0]) | np.asarray([1.0, 2.0]) | mg.tensor([1.0, 2.0]) |
torch.from_numpy(np.ones(2)) | np.ones(2) | mg.from_dlpack(np.ones(2)) | Both share the array's memory; mg.tensor copies.
torch.randn(2, 3) | np.random.default_rng().standard_normal((2, 3)) | mg.tensor(np.random.default_rng().standard_normal((2, 3), np.float32)) | minigan draws with NumPy's generators.
torch.rand(2, 3) | np.random.default_rng().random((2, 3)) | mg.tensor(np.random.default_rng().random((2, 3), np.float32)) |
torch.randint(5, (2,)) | np.random.default_rng().integers(5, size=2) | mg.tensor(np.random.default_rng().integers(5, size=2)) |
torch.randperm(4) | np.random.default_rng().permutation(4) | mg.tensor(np.random.default_rng().permutation(4)) |
torch.randn_like(x) | np.random.default_rng().standard_normal(x.shape) | mg.tensor(np.random.default_rng().standard_normal(x.shape, np.float32)) |
torch.manual_seed(0) | np.random.seed(0) | mg.seed(0) | The same seed gives other numbers in each.
torch.is_tensor(x) | isinstance(x, np.ndarray) | isinstance(x, mg.Tensor) |
"""

ARGUMENTS = {
    "dim": "axis", "dims": "axis", "keepdim": "keepdims", "unbiased": "ddof=0 or 1", "correction": "ddof", "p": "ord",
    "tensors": "arrays", "split_size_or_sections": "sections", "equation": "subscripts", "steps": "num", "end": "stop",
    "repeats": "reps", "diagonal": "k", "boundaries": "a",
}  # fmt: skip


def rows(table: str) -> list:
    """The lines of a table, each as [PyTorch, NumPy, minigan, remark]."""
    return [[cell.strip() for cell in line.split(" | ")] for line in table.replace("|\n", "| \n").strip("\n").splitlines()]


def name_in(expression: str) -> str:
    """The name that PyTorch's expression is about: "view" of x.view(3, 2)."""
    return expression.partition("(")[0].partition(" ")[0].rpartition(".")[2]


@cache
def _advice() -> dict:
    """PyTorch's name -> the line about it.   It is made at the first use."""
    return {
        name_in(theirs): f"PyTorch's {theirs} is {ours} here; docs/names.md has them all"
        for theirs, _, ours, _ in rows(DIFFERENT) + rows(RENAMED)
    }


def instead(name: str) -> str | None:
    """The line about PyTorch's `name`, which minigan does not have; None if the tables don't have it either."""
    return _advice().get(name)


def refuse_argument(op: str, error: TypeError) -> None:
    """Raise ArgumentError if `error` says that the op has no argument of a name that PyTorch has.   Others stay Python's."""
    name = str(error).rpartition("unexpected keyword argument ")[2].strip("'")
    if name in ARGUMENTS:
        raise ArgumentError(f"{op}: there is no argument {name!r}; it is called {ARGUMENTS[name]} here, as in NumPy") from None
