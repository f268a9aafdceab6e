"""What the stand-in for CuPy says of single calls, against what CuPy 14.2's text says: a few hundred, by kind.

Read in the package's sources (_core/*.pyx, _manipulation, _math, _sorting, _statistics, _creation, linalg), never run on a
card.  Where CuPy is silent and wrong (an index out of bounds, a race), the stand-in refuses.
"""

import numpy as np
import pytest

REFUSED = (TypeError, ValueError, AttributeError, NotImplementedError, IndexError)


@pytest.fixture
def cp(card):
    import cupy

    return cupy


@pytest.fixture
def made(cp, card):
    """The arrays of the rows below, on the device, by name."""
    v = np.array([1.0, 2.0, 3.0], np.float32)
    arrays = {
        "x": np.arange(6.0, dtype=np.float32).reshape(2, 3),
        "v": v,
        "w": v + 1,
        "i": np.array([0, 1, 1]),
        "m": np.array([True, False, True]),
        "s": np.eye(3, dtype=np.float32) + 1,
        "j": np.array([[0, 1, 1]]),
        "b": np.ones((2, 3, 4), np.float32),
        "e": np.zeros(0, np.float32),
        "one": np.array([2]),
    }
    arrays = {name: cp.asarray(a) for name, a in arrays.items()}
    arrays["f"] = cp.asfortranarray(arrays["x"])
    card.counts.reset()
    return arrays


def calls(text):
    """The rows of a table: calls, with semicolons between them."""
    return [" ".join(call.split()) for call in text.split(";")]


def run(code, cp, made):
    return eval(code, {"cp": cp, "np": np, **made})


# ------------------------------------------------------------------------------------------------------- operands ---

# Calls that CuPy takes.  With a list, a tuple or a NumPy array in the place of one of their arrays it raises (a list has no
# .sum; Cython: "expected cupy.ndarray"; kernels: "Unsupported type"), or it uploads at every call: the stand-in refuses.
CALLS = calls("""
    all(x); allclose(x,x); amax(x); amin(x); any(x); append(x,x); argmax(x); argmin(x); argpartition(v,1); argsort(x);
    argwhere(x); around(x); array_equal(x,x); array_split(v,2); atleast_1d(x); atleast_2d(x); atleast_3d(x); average(v,None,w);
    bincount(i); bincount(i,v); broadcast_arrays(x,v); broadcast_to(v,(2,3)); clip(x,v,w); column_stack((v,w)); compress(m,v);
    concatenate((v,w)); copyto(x,v); count_nonzero(x); cross(v,w); cumprod(x); cumsum(x); delete(v,i); diag(v); diagonal(x);
    diff(v); diff(v,1,-1,v,w); digitize(v,w); dot(v,w); dstack((v,w)); einsum('ij,j->i',x,v); expand_dims(x,0); extract(m,v);
    flatnonzero(x); flip(x); fliplr(x); flipud(x); hstack((v,w)); inner(v,w); isclose(x,v); isin(v,w); kron(v,w); max(x);
    mean(x); median(x); min(x); moveaxis(x,0,1); nan_to_num(x); nanargmax(x); nanargmin(x); nanmax(x); nanmean(x);
    nanmedian(x); nanmin(x); nanstd(x); nansum(x); nanvar(x); nonzero(x); outer(v,w); pad(x,1); partition(v,1);
    percentile(x,50); prod(x); ptp(x); quantile(x,0.5); ravel(x); repeat(x,2); reshape(x,(3,2)); roll(x,1); rollaxis(x,1);
    rot90(x); round(x); searchsorted(v,w); searchsorted(v,w,'left',i); sort(x); split(v,3); squeeze(x); stack((v,w)); std(x);
    sum(x); swapaxes(x,0,1); take(v,i); take_along_axis(x,j,0); tensordot(v,w,1); tile(x,2); trace(x); transpose(x); tril(x);
    triu(x); union1d(v,w); unique(v); unravel_index(i,(2,3)); var(x); vdot(v,w); vsplit(x,2); vstack((v,w)); where(m,v,w);
    permute_dims(x); concat((v,w)); linalg.norm(x); linalg.inv(s); linalg.det(s); linalg.solve(s,v); linalg.cholesky(s);
    linalg.matrix_rank(s); exp(x); add(x,v); subtract(x,v); multiply(x,v); true_divide(x,v); power(x,v); maximum(x,v);
    minimum(x,v); equal(x,v); less(x,v); logical_and(x,v); logaddexp(x,v); arctan2(x,v); matmul(x,v); sqrt(x); tanh(x);
    isnan(x); floor(x); sign(x); abs(x); negative(x); add.reduce(x); add.accumulate(x); multiply.outer(v,w); add.at(v,i,w);
    ascontiguousarray(x); asfortranarray(x); copy(x); empty_like(x); zeros_like(x); ones_like(x); full_like(x,1); full(3,v);
    lib.stride_tricks.as_strided(x,(3,),(4,)); lib.stride_tricks.sliding_window_view(v,2)""")
ARRAYS = "xvwimsj"


def operands(call):
    """The places of the arrays in the text of a call."""
    return [
        k
        for k in range(call.index("("), len(call))
        if call[k] in ARRAYS and call[:k].count("'") % 2 == 0 and not call[k - 1].isalnum() and not call[k + 1].isalnum()
    ]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_device_arrays_is_taken(cp, made, call):
    run("cp." + call, cp, made)


@pytest.mark.parametrize("call, at", [(call, at) for call in CALLS for at in operands(call)])
def test_no_other_array_or_sequence_takes_a_place_of_one(cp, made, card, call, at):
    for wrap in ("{}.get().tolist()", "tuple({}.get().tolist())", "{}.get()"):
        code = f"cp.{call[:at]}{wrap.format(call[at])}{call[at + 1 :]}"
        with pytest.raises((TypeError, AttributeError, IndexError)):  # a tuple of indices is one place
            run(code, cp, made)


@pytest.mark.parametrize(
    "method",
    calls("""
    take([0]); compress([True,False]); clip([0,0,0],1); repeat(np.array([1,2])); searchsorted([1.0]); dot([1,2,3]);
    sum(out=np.zeros(())); argmax(out=np.zeros((),int)); max(axis=x); sum(axis=np.array([0])); reshape(v); transpose(v);
    swapaxes(x,0); fill([1]); fill(v); __setitem__(0,[1.0]); __setitem__(0,(1.0,)); __setitem__([0],1); __getitem__([0]);
    __getitem__(([0],)); __getitem__(np.array([0])); set([1.0]); get(out=[0.0]); astype([1]); __add__([1.0]); __radd__((1.0,));
    __lt__([1.0]); __iadd__([1.0]); __matmul__([1.0]); __and__([True]); __pow__([2.0])"""),
)
def test_nor_a_place_in_a_method(cp, made, method):
    with pytest.raises(REFUSED):
        result = run(f"v.{method}" if "searchsorted" in method or "dot" in method else f"x.{method}", cp, made)
        assert result is not NotImplemented, "what Python makes a TypeError of"
        raise AssertionError(f"taken: {result}")


@pytest.mark.parametrize(
    "call",
    calls("""
    where(m,1,0); where(m,v,0); where(m,0.5,v); clip(x,0,None); clip(x,None,1); append(v,1.0); diff(v,prepend=0.0);
    isclose(x,1.0); searchsorted(v,2.0); take(v,0); take(v,-1); nan_to_num(x,nan=1.0); percentile(x,[25,75]);
    quantile(x,(0.5,)); roll(x,(1,1),(0,1)); repeat(x,[1,2],0); full(3,2); full_like(x,2.0); copyto(x,1.0); kron(v,2.0);
    add(x,1); add(2.0,x); maximum(x,0); split(v,[1,2]); pad(x,((1,1),(0,0))); pad(x,(1,2)); expand_dims(x,[0]); sum(x,(0,1));
    transpose(x,(1,0)); moveaxis(b,(0,1),(1,0)); delete(v,0); delete(v,slice(0,1)); tensordot(b,b,((0,1),(0,1)));
    argmax(x,0,None,None,True); roll(x,one); repeat(v,i); repeat(v,one); array_split(v,[1]); unravel_index(i,(2,2));
    einsum('ij->ji',x); add(np.float32(1),x); squeeze(x[None],(0,)); asarray(np.float32(1))"""),
)
def test_numbers_and_shapes_are_taken_where_cupy_takes_them(cp, made, call):
    run("cp." + call, cp, made)


# ---------------------------------------------------------------------------------------------------------- waits ---

# (numbers read from the card, uploads): calls.  A read is a copy to the host and a wait for it.  Why CuPy reads:
# masks             int(mask_scanned[-1]), the number of True; whatever is assigned           (_core/_routines_indexing.pyx)
# nonzero, unique   the number of places; compress, extract, delete, argwhere and union1d alike
# bincount          is one negative? which is the largest?                                     (_statistics/histogram.py)
# nanmin, nanmax    is the result NaN? then it warns; the other nan-reductions do not look     (_statistics/order.py)
# average           are the weights 0 in all?       quantile by an array   are all in range?   (meanvar.py, order.py)
# repeat by array   the new length, the smallest count     argpartition    unravel_index looks for indices out of range
# array_equal with equal_nan   are the NaNs in the same places? then two masks                 (_logic/comparison.py)
# Uploads: asarray of what has axes (a number goes along with the kernel that fills in), more than eight arrays joined.
COSTS = {
    (1, 0): calls("""
        x[x > 1]; x[:, m]; b[:, m]; x[True]; x.__setitem__(x > 1, 0); x.__setitem__((slice(None), m), v[:2]);
        x.__setitem__(x > 1, v[:1]); v.__setitem__(m, 0.5); cp.add.at(v, m, 1.0); cp.maximum.at(v, m, v[:2] * 2);
        cp.nonzero(v); v.nonzero(); cp.flatnonzero(v); cp.argwhere(v); cp.where(v); cp.extract(m, v); cp.compress(m, v);
        v.compress(m); cp.delete(v, 0); cp.delete(v, i); cp.unique(v); cp.unique(v, return_inverse=True); cp.union1d(v, w);
        cp.nanmax(x); cp.nanmin(x, 0); cp.average(v, weights=w); cp.average(x, 1, v); cp.repeat(v, one); float(v[0]);
        int(v[0]); bool(v[0]); v.tolist(); v[0].item(); v.get(); str(v); cp.asnumpy(v); v.tobytes(); 1.0 in v[:1];
        max(v[0], v[1]); sorted([v[0], v[1]])"""),
    (0, 0): calls("""
        e[e > 0]; e.__setitem__(e > 0, 1); cp.add.at(v, i, 1.0); x[:, i]; x[:, i].sum(); v.__setitem__(i[1:2], 2.0);
        x[(i % 2, i)]; x.__setitem__(0, 1.0); x.fill(2); x.__setitem__(..., v); v.__setitem__(0, v[1]); cp.where(m, v, 0);
        cp.nansum(x); cp.nanmean(x); cp.nanvar(x); cp.nanstd(x); cp.nanargmax(x); cp.nanmedian(x); cp.median(x); cp.average(v);
        cp.repeat(v, 2); cp.percentile(x, 50); cp.partition(v, 1); cp.array_equal(v, w); cp.allclose(v, w); cp.isin(v, w);
        cp.searchsorted(v, w); cp.digitize(v, w); cp.sort(v); cp.argsort(v); cp.cumsum(v); cp.clip(v, 0, 1); cp.pad(x, 1);
        cp.roll(x, 1); cp.diff(v); cp.tile(x, 2); cp.tril(x); cp.diag(v); cp.trace(x); cp.isclose(v, 1.0); cp.nan_to_num(x);
        cp.append(v, 1.0); cp.count_nonzero(x); cp.argmax(x); cp.linalg.norm(x); cp.linalg.norm(x, axis=1);
        cp.linalg.norm(x, 1); cp.linalg.norm(v, 2); e.get(); len(v); [a for a in v]; v.shape; cp.asarray(1.0);
        cp.array(np.float32(2)); cp.array(v); cp.full(3, 2.0); cp.arange(3); cp.linspace(0, 1, 5); cp.eye(3);
        cp.concatenate([v] * 8)"""),
    (2, 0): calls("""
        cp.unique(v, True); cp.unique(v, return_counts=True); cp.bincount(i); cp.bincount(i, v); cp.bincount(i, minlength=9);
        cp.repeat(v, i); v.repeat(i); cp.quantile(x, v / 9); cp.unravel_index(i, (2, 3)); cp.argpartition(v, 1)"""),
    (2, 1): calls("""
        cp.repeat(v, [1, 2, 0])"""),
    (0, 1): calls("""
        cp.percentile(x, [25, 75]); cp.quantile(x, (0.5,)); cp.asarray([1.0]); cp.asarray(np.ones(3));
        cp.array([[1, 2], [3, 4]]); v.set(np.ones(3, np.float32)); cp.concatenate([v] * 9); cp.stack([v] * 9)"""),
    (3, 0): calls("""
        cp.array_equal(v, w, True)"""),
}


@pytest.mark.parametrize("code, reads, uploads", [(code, *cost) for cost, codes in COSTS.items() for code in codes])
def test_what_a_call_reads_and_uploads(cp, made, card, code, reads, uploads):
    run(code, cp, made)
    assert (card.counts.d2h, card.counts.sync, card.counts.h2d) == (reads, reads, uploads)


@pytest.mark.parametrize(
    "code",
    calls("""
    cp.linalg.norm(s, 2); cp.linalg.norm(s, -2); cp.linalg.norm(s, 'nuc'); cp.linalg.inv(s); cp.linalg.norm(b, 2, (0, 1))"""),
)
def test_a_solver_waits(cp, made, card, code):
    run(code, cp, made)
    assert card.counts.sync == 1


@pytest.mark.parametrize(
    "code",
    [code for cost in COSTS if any(cost) for code in COSTS[cost]]
    + ["cp.linalg.norm(s, 2)", "cp.linalg.inv(s)", "x @ s", "cp.inner(v, w)", "cp.vdot(v, w)"],
)
def test_none_of_it_can_be_recorded(cp, made, card, code):
    with card.capturable(), pytest.raises(NotImplementedError, match="CUDA graph"):
        run(code, cp, made)


@pytest.mark.parametrize("code", COSTS[0, 0] + ["cp.outer(v, w)", "cp.kron(v, w)"])
def test_all_else_can(cp, made, card, code):
    with card.capturable():
        run(code, cp, made)


# -------------------------------------------------------------------------------------------------------- overlap ---

# One memcpy between overlapping parts (an assignment in C order between equal strides: _scatter_op; copyto: _can_memcpy), and
# kernels that read what they write: ElementwiseKernel and reductions copy no argument first, a ufunc does.
RACES = calls("""
    v.__setitem__(slice(1, None), v[:-1]); s.__setitem__(slice(1, None), s[:-1]); s.__setitem__(slice(None, 2), s[1:]);
    v.__setitem__(slice(1, None), v[None, :-1]); v.__setitem__(i[:2], v[1:]); x.__setitem__((slice(None), i[:2]), x[:, 1:]);
    v.__setitem__(m, v[1:]); cp.add.at(v, i, v); cp.maximum.at(v, i, v[::-1]); cp.sum(x, axis=0, out=x[0]);
    x.sum(0, None, x[0]); x.max(axis=0, out=x[1]); cp.mean(x, 0, out=x[0]); cp.cumsum(v[:-1], out=v[1:]); cp.take(v, i, out=v);
    cp.concatenate((v[1:], v[:1]), out=v); cp.stack((x[1], x[0]), out=x); x.std(axis=0, out=x[0]);
    cp.broadcast_to(v, (2, 3)).__setitem__(0, 1); cp.broadcast_to(v, (2, 3)).__iadd__(1); cp.broadcast_to(v, (2, 3)).fill(1);
    cp.lib.stride_tricks.as_strided(v, (2, 2), (4, 4)).__iadd__(1); cp.lib.stride_tricks.as_strided(v, (3, 3), (0, 4)).fill(1);
    cp.exp(v, out=cp.lib.stride_tricks.as_strided(x, (3,), (0,)))""")
# operations: calls.  Another one where the ufunc that copies finds that its input and output overlap.
SAFE = {
    2: calls("""
        x.__setitem__((slice(None), slice(1, None)), x[:, :-1]); v.__setitem__(slice(None), v[::-1]); s.__setitem__(..., s.T);
        v[1:].__iadd__(v[:-1]); v.__setitem__(i[1:2], v[2:].copy()); x.__setitem__(slice(None), x[::-1])"""),
    0: calls("""
        v.__setitem__(..., v)"""),
    1: calls("""
        b.transpose(1, 2, 0).__iadd__(1); b[:, ::2].fill(0); b[::-1, :, 1::2].__imul__(3); x.T.__setitem__(0, 5);
        v.__setitem__(slice(0, 1), v[2:]); v.__iadd__(v); cp.exp(v, v); cp.exp(v, out=v); cp.cumsum(v, out=v);
        cp.clip(v, 0, 1, out=v); cp.copyto(v, v); cp.copyto(v, w); x.__setitem__(0, x[1]); v.sort(); x.sum(axis=0, out=v)"""),
    3: calls("""
        cp.add(v[1:], v[:-1], out=v[1:])"""),
}


@pytest.mark.parametrize("code", RACES)
def test_values_that_lie_where_they_are_stored_are_refused(cp, made, code):
    with pytest.raises(ValueError, match="lie where|lies where|one place|read-only"):
        run(code, cp, made)


@pytest.mark.parametrize("code, operations", [(code, n) for n, codes in SAFE.items() for code in codes])
def test_what_cupy_copies_first_is_taken_and_right(cp, made, card, code, operations):
    on_the_host = {name: a.get() for name, a in made.items()}
    card.counts.reset()
    run(code, cp, made)
    assert card.counts.op == operations
    run(code.replace("cp.", "np."), None, on_the_host)
    for name, a in made.items():
        np.testing.assert_allclose(a.get(), on_the_host[name], rtol=1e-6)


def test_a_diagonal_can_be_written_to(cp, made):
    made["s"].diagonal()[...] = 7
    assert np.array_equal(made["s"].get().diagonal(), [7, 7, 7])


# --------------------------------------------------------------------------------------------------------- dtypes ---

# _dtype.check_supported_dtype at every allocation.  (Records and bfloat16, which CuPy has, the stand-in refuses.)
NO_DTYPES = ["longdouble", "clongdouble", "O", "U3", "S2", "M8[s]", "m8[s]", ">f4", ">i8", "f4,i4"]
MAKERS = calls("""
    cp.zeros(3, {}); cp.ones(3, {}); cp.empty(3, {}); cp.full(3, 1, {}); cp.ndarray((3,), {}); cp.arange(3, dtype={});
    cp.asarray(v, {}); cp.array(v, {}); v.astype({}); cp.zeros_like(v, {}); cp.empty_like(v, dtype={}); cp.eye(3, dtype={});
    cp.sum(v, dtype={}); cp.mean(v, dtype={}); cp.add(v, v, dtype={}); cp.linspace(0, 1, 3, dtype={}); cp.identity(3, {})""")


@pytest.mark.parametrize("dtype", NO_DTYPES)
@pytest.mark.parametrize("code", MAKERS)
def test_dtypes_that_cupy_has_not(cp, made, code, dtype):
    with pytest.raises((ValueError, TypeError)):
        run(code.format(repr(np.dtype(dtype)) if dtype != "f4,i4" else "'f4,i4'").replace("dtype('", "np.dtype('"), cp, made)


@pytest.mark.parametrize("value", [np.longdouble(1), np.datetime64("2020"), np.timedelta64(1), np.str_("a"), None, object()])
def test_numbers_that_are_none_of_cupys(cp, made, value):
    for use in (lambda x: x + value, lambda x: cp.maximum(value, x), lambda x: cp.where(x > 0, x, value)):
        with pytest.raises((TypeError, ValueError)):
            use(made["x"])


@pytest.mark.parametrize(
    "host",
    [["a"], [None], [object()], np.array(["a"]), np.array([1], "M8[s]"), np.ones(2, np.longdouble)],
    ids=["str", "None", "object", "U1", "M8", "longdouble"],
)
def test_arrays_of_them_cannot_be_sent(cp, card, host):
    with pytest.raises(ValueError, match="Unsupported dtype"):
        cp.asarray(host)


def test_the_other_byte_order_is_turned_on_the_way(cp, card):
    assert cp.asarray(np.ones(2, ">f4")).dtype == np.dtype("f4") and cp.asarray(np.ones(2, ">f4")).get().tolist() == [1, 1]


@pytest.mark.parametrize(
    "code, dtype",
    [
        (code, dtype)
        for dtype, codes in {
            "f8": calls("""
        cp.arange(np.float32(3)); cp.arange(3.0); cp.mean(i); cp.bincount(i, v); i * 0.5; i.astype('i4') * 0.5;
        v * np.float64(2); cp.sqrt(i); cp.zeros(3); cp.median(i); cp.linspace(0, 1, 3); cp.average(i)"""),
            "i8": calls("""
        cp.arange(np.int32(3)); cp.argmax(x); cp.argsort(v); cp.count_nonzero(x); cp.sum(i.astype('i4')); cp.cumsum(m);
        cp.searchsorted(v, w); m + 1; cp.where(m, 1, 0); cp.full(3, 1); cp.clip(i, 0, 1)"""),
            "i4": calls("""
        cp.arange(3, dtype='i4'); cp.argmax(i, 0, np.int32); i.argmin(dtype=np.int32)"""),
            "f4": calls("""
        cp.var(v); v * 2; cp.where(m, v, 0.5); cp.full(3, v); x.T @ x"""),
            "f2": calls("""
        cp.mean(v.astype('f2'))"""),
            "?": calls("""
        m & m; v > 0"""),
        }.items()
        for code in codes
    ],
)
def test_dtypes_of_results(cp, made, code, dtype):
    assert run(code, cp, made).dtype == np.dtype(dtype)


# ------------------------------------------------------------------------------------------ copies and conversions ---

# _astype: the array itself if copy is not True, dtype and order are right;  views: no operation;  copies: at least one.
ITSELF = calls("""
    cp.asarray(x); cp.asarray(x, np.float32); cp.asarray(x, order='C'); cp.asarray(f, order='F'); cp.asarray(f, order='A');
    cp.asarray(x, copy=False); cp.asarray(x, copy=None); cp.array(x, copy=None); cp.array(x, copy=False);
    x.astype(np.float32, copy=False); x.astype('f4', 'C', copy=False); x.astype('f4', 'K', copy=False);
    cp.ascontiguousarray(x); x.real; x.conj(); cp.squeeze(x); x.squeeze(); cp.moveaxis(x, 0, 0); cp.rollaxis(x, 0);
    cp.atleast_1d(x); cp.atleast_2d(x); cp.diff(x, 0)""")
COPIES = calls("""
    cp.array(x); cp.asarray(x, copy=True); cp.asarray(x, order='F'); cp.asarray(f, order='C'); cp.array(x, 'f8');
    x.astype(np.float32); x.astype('f4', 'F', copy=False); x.astype('f8', copy=False); x.copy(); cp.copy(x); x.flatten();
    x.reshape(6, copy=True); x.T.reshape(6); cp.diag(s); cp.tile(x, 1); cp.roll(x, 0); cp.nan_to_num(x); x.T.ravel();
    cp.asfortranarray(x); cp.clip(x, 0, 9); cp.round(x); +x; cp.array(x, dtype='f4', ndmin=2, order='F');
    cp.broadcast_to(v, (2, 3)).copy(); x[:, i]; cp.take(x, i, 1)""")
VIEWS = calls("""
    x[0]; x.T; x.reshape(3, 2); x.ravel(); cp.ravel(x); x[None]; x.transpose(1, 0); cp.expand_dims(x, 0); x.view();
    x.reshape(6, copy=False); x.diagonal(); cp.flip(x); cp.rot90(x); cp.broadcast_to(v, (2, 3)).base is v and x[1:];
    cp.split(x, 2)[1]; x.swapaxes(0, 1); cp.array(x, copy=None, ndmin=3); x.mT; cp.squeeze(x[None]); x.view('i4')""")


@pytest.mark.parametrize("code", ITSELF)
def test_what_is_the_array_itself(cp, made, code):
    a = made["f"] if "(f" in code else made["x"]
    assert run(code, cp, made) is a


@pytest.mark.parametrize("code", COPIES)
def test_what_is_a_copy(cp, made, card, code):
    y = run(code, cp, made)
    assert y.base is None and card.counts.op >= 1 and all(not np.may_share_memory(y._a, a._a) for a in made.values())


@pytest.mark.parametrize("code", VIEWS)
def test_what_is_a_view(cp, made, card, code):
    y = run(code, cp, made)
    assert y.base is made["x"] and card.counts.op == 0


@pytest.mark.parametrize(
    "code",
    calls("""
    cp.asarray(x, 'f8', copy=False); cp.asarray(x, order='F', copy=False); cp.array(x, 'f2', copy=False);
    x.T.reshape(6, copy=False); x.reshape(6, copy='yes'); x.reshape(6, order='K'); x.astype('f8', casting='safe');
    x.astype('f8', casting='unsafe'); x.astype('f8', subok=True); x.astype('f8', order='Q'); x.copy('Z'); cp.copy(x, 'Z');
    cp.array(x, subok=True); cp.zeros_like(x, subok=True); x.get(order='K'); cp.asnumpy(x, order='K'); x.ravel('Z');
    x.flatten('Z'); cp.empty(3, order='Z'); cp.zeros(3, order='K'); x.get(out=np.zeros((2, 3))); x.get(out=np.zeros(6, 'f4'));
    x.view('f4', type=np.ndarray); cp.ravel(x, 'Z'); cp.reshape(x, 6, 'K'); x.item(); bool(x); x.item(0)"""),
)
def test_what_no_copy_and_no_conversion_can_be(cp, made, code):
    with pytest.raises(REFUSED):
        run(code, cp, made)


def test_get_into_an_array_of_the_host(cp, made, card):
    out = np.zeros((2, 3), np.float32, order="F")
    assert made["x"].get(out=out) is out and np.array_equal(out, made["x"]._a)
    card.counts.reset()
    made["x"].T.get()
    assert card.counts.op == 1 and made["x"].get(order="F").flags.f_contiguous  # put in order on the card, then sent


# -------------------------------------------------------------------------------------------------------- options ---


@pytest.mark.parametrize(
    "code",
    calls("""
    cp.sort(v,kind='quicksort'); v.sort(kind='mergesort'); cp.argsort(v,kind='heapsort'); v.argsort(kind='quicksort');
    v.sort(axis=None); cp.sort(v,axis=(0,)); cp.quantile(v,0.5,method='hazen'); cp.percentile(v,50,method='weibull');
    cp.quantile(v,0.5,method='median_unbiased'); cp.pad(v,1,'median');
    cp.pad(v,1,mode='nothing'); cp.pad(v,1,'edge',constant_values=1); cp.concatenate((v,i),casting='nonsense');
    cp.concatenate((v,w),out=x,dtype='f4'); cp.concatenate((v.sum(),v)); cp.searchsorted(v,w,'middle');
    cp.searchsorted(v,np.float32(1)); cp.squeeze(x,[0]); cp.squeeze(x,0); cp.where(m,v); cp.where(m,y=v);
    cp.take(v,i,out=cp.zeros(3)); cp.einsum('ij->i',x,casting='safe');
    cp.einsum('ij,j',x,v,optimize='fast'); cp.bincount(v); cp.bincount(x.astype(int)); cp.bincount(i,minlength=-1);
    cp.add(x,1,where=m); cp.add(x,1,order='F'); cp.add(x,1,subok=True); cp.exp(x,dtype='i4'); cp.sum(x,where=m);
    cp.sum(x,initial=0); cp.max(x,initial=0); cp.mean(x,where=m); cp.var(x,correction=1); cp.clip(x,min=0);
    cp.round(x,decimals=v); cp.sum(x,axis=5); cp.max(e); cp.argmax(e); cp.min(e); cp.reshape(x,shape=6);
    cp.take(v,0,mode='clip'); cp.unique(v,sorted=False); cp.nonzero(v.sum()); cp.diff(v,-1); cp.add(x,1,out=(v,v));
    cp.exp(x,out=v); cp.exp(x,None,x,x); cp.matmul(x,2.0); cp.matmul(x,s,axes=[(0,1)]);
    cp.linalg.norm(x,'fast'); cp.linalg.norm(b,2); cp.linalg.norm(x,axis=[0]); cp.linalg.inv(x); cp.linalg.inv(s.astype('f2'));
    cp.sort(v.sum()); s[:,::2].sort(); s.T.sort(); x.T.sort(axis=0); cp.multiply.at(v,i,2.0); cp.add.at(v.astype('i2'),i,1);
    cp.subtract.at(v,i,1.0); cp.maximum.at(v.astype('f2'),i,1); cp.bitwise_or.at(v,i,1); cp.maximum.reduce(x);
    cp.exp.reduce(x); cp.array_split(v,0); cp.rot90(v); cp.split(v,2); cp.vsplit(v,3); cp.digitize(v,x); cp.stack((v,x));
    cp.arange(v); cp.arange(np.arange(3)); cp.eye(v);
    cp.full(3,[1,2,3]); cp.zeros(v); cp.zeros(-1); cp.zeros((2,v[0])); cp.ones('3'); x.flags.writeable; x.data.obj;
    x.setflags(write=False); x.__index__(); x.ctypes; x.strides.__setitem__(0,1); v[1.5]; v[v]; v['a']; v[1:v[1]]; x[m]; x[5];
    x[0,0,0]; v[i+2]; v.take(i+2); range(v[0]); np.sum(v,where=m); np.block([v,w]);
    np.exp(v,out=np.zeros(3))"""),
)
def test_options_that_cupy_refuses(cp, made, code):
    with pytest.raises((*REFUSED, ZeroDivisionError, np.linalg.LinAlgError)):
        run(code, cp, made)


# --------------------------------------------------------------------------------------------------- memory order ---

# f lies in F order.  A kernel's result is allocated in C order, whatever its inputs are (_get_out_args: _init_fast with
# c_order=True); empty_like, astype and copy keep the order (_get_strides_for_order_K), and so does what is made from them.
IN_C_ORDER = calls("""
    f+1; f+f; -f; abs(f); f**2; f>0; f/2; f@s; cp.exp(f); cp.add(f,f); cp.maximum(f,0); cp.where(f>0,f,0); cp.clip(f,0,1);
    cp.round(f); f.round(); f.clip(0,1); b.T+1; b.transpose(1,2,0)*2; b.transpose(1,2,0).sum(0); b.T.sum(1); f.cumsum(0);
    cp.cumsum(f,1); f.copy(); f.flatten(); cp.sort(f); cp.concatenate((f,f)); cp.stack((f,f)); f[:,i]; cp.take(f,i,1);
    cp.repeat(f,2,0); cp.tile(f,2); cp.tril(f); cp.isclose(f,1.0); cp.sqrt(f); cp.logaddexp(f,0); cp.isnan(f);
    cp.ascontiguousarray(f); f.mean(0,keepdims=True); f.std(1); cp.diff(f); cp.linalg.norm(b.T,axis=0); cp.outer(v,w);
    cp.fmax(f,1); f.astype('f8','C'); cp.asarray(f,order='C'); cp.zeros_like(f,order='C'); cp.full_like(f,1,order='C');
    cp.einsum('ij->ij',f)*1; cp.array(f,order='C'); cp.floor(f); cp.zeros_like(f,shape=(2,3,1))""")
AS_IT_LAY = calls("""
    cp.copy(f); f.copy('K'); f.copy('F'); f.astype('f8'); cp.zeros_like(f); cp.ones_like(f); cp.empty_like(f);
    cp.full_like(f,1); cp.roll(f,1,0); cp.pad(f,1); cp.nan_to_num(f); cp.array(f); cp.asarray(f,'f8'); cp.asfortranarray(x);
    x.T; cp.asarray(x.get().T); cp.zeros((2,3),order='F'); cp.asarray(x,order='F'); x.astype('f8','F');
    cp.empty((2,3),'f4','F'); f.view(); cp.asarray(f.get(order='F')); f.astype('f8','A')""")


@pytest.mark.parametrize("code", IN_C_ORDER)
def test_results_in_c_order(cp, made, code):
    assert run(code, cp, made).flags.c_contiguous


@pytest.mark.parametrize("code", AS_IT_LAY)
def test_results_in_the_order_of_what_was_given(cp, made, code):
    y = run(code, cp, made)
    assert y.flags.f_contiguous and not y.flags.c_contiguous


def test_an_order_of_neither_kind_is_kept_by_copies_only(cp, made):
    t = made["b"].transpose(1, 2, 0)
    assert cp.copy(t).strides == t.astype("f4").strides == cp.zeros_like(t).strides == t.strides
    assert (t + 0).strides == t.copy().strides == (32, 8, 4)


# ------------------------------------------------------------------------------------------- floats become integers ---


# A kernel's static_cast saturates and makes 0 of NaN; NumPy on x86 gives the smallest integer.  C++ defines neither.
@pytest.mark.parametrize(
    "code",
    calls("""
    (v * np.nan).astype(int); (v / 0).astype('i4'); (v * 1e10).astype('i4'); (-v).astype('u1'); (v + 255).astype('u1');
    cp.asarray(v * np.nan, 'i8'); cp.array(v * np.nan, int); i.__setitem__(..., v * np.nan); i.__setitem__(i[:1], v[:1] / 0);
    i.__setitem__(m, v[:2] * np.nan); cp.copyto(i, v * np.nan, casting='unsafe'); cp.add(v, np.nan, out=i, casting='unsafe');
    i.__setitem__(0, v[0] * np.nan); (v * 1e30).astype('i8'); cp.empty(3).astype(int); i.__setitem__(slice(2), v[:2] / 0)"""),
)
def test_nan_and_numbers_out_of_range_become_no_integer(cp, made, code):
    with pytest.raises(ValueError, match="different integers"):
        run(code, cp, made)


@pytest.mark.parametrize(
    "code, values",
    [
        ("(v + 0.9).astype(int)", [1, 2, 3]),
        ("(-v - 0.5).astype('i1')", [-1, -2, -3]),
        ("(i - 1).astype('u1')", [255, 0, 0]),
        ("(v + 252.9).astype('u1')", [253, 254, 255]),
        ("(v * np.nan).astype(bool)", [True] * 3),
        ("e.astype(int)", []),
        ("(v - 1.5).astype('u1')", [0, 0, 1]),
        ("i.astype('u1')", [0, 1, 1]),
    ],
)
def test_all_other_conversions_are_those_of_numpy(cp, made, code, values):
    assert run(code, cp, made).tolist() == values


# ---------------------------------------------------------------------------------------------------- odds and ends ---


@pytest.mark.parametrize(
    "code",
    calls("""
    cp.concatenate(tup=(v, w)); cp.stack(tup=(v, w)); cp.delete(v, indices=0); cp.delete(arr=v, indices=i); cp.flip(a=x);
    cp.extract(m, a=v); cp.rot90(a=x); cp.take_along_axis(a=x, indices=j, axis=0); cp.union1d(arr1=v, arr2=w);
    cp.unravel_index(i, dims=(2, 3)); cp.reshape(x, newshape=6); x.clip(min=0); x.clip(max=1); x.clip(min=0, max=1);
    x.take(indices=i, axis=1); v.compress(condition=m); v.dot(b=w); x.repeat(repeats=2); v.searchsorted(v=w); x.sum(axis=0);
    x.argmax(0, None, np.int32); cp.argmax(a=x, axis=0, dtype=np.int32); cp.where(condition=m, x=v, y=w); cp.sum(a=x, axis=0)
    """),
)
def test_parameters_have_cupys_names(cp, made, code):
    assert isinstance(run(code, cp, made), (cp.ndarray, tuple))


def test_average_can_give_the_weights_too(cp, made):
    mean, weights = cp.average(made["v"], weights=made["w"], returned=True)
    assert float(mean) == pytest.approx(20 / 9) and float(weights) == 9


@pytest.mark.parametrize(
    "code",
    calls("""
    e.mean(); cp.mean(e); e.std(); cp.var(e); cp.nanmean(v * np.nan); cp.nanvar(v * np.nan); cp.nanmedian(v * np.nan)"""),
)
def test_nan_of_nothing_comes_without_a_warning(cp, made, code):
    assert np.isnan(run(code, cp, made).get())


def test_to_another_device_goes_what_lies_in_one_piece(cp, made, card, monkeypatch):
    monkeypatch.setattr(card.machine, "cards", 2)
    turned = made["b"].transpose(1, 2, 0)
    with cp.cuda.Device(1):
        assert cp.asarray(made["x"]).device.id == made["x"].copy().device.id == turned.copy().device.id == 1
        with pytest.raises(NotImplementedError, match="between devices"):
            cp.copy(turned)


@pytest.mark.parametrize(
    "code",
    calls("""
    np.concatenate([v, w.get()]); np.stack([v.get(), w]); np.where(m.get(), v, w); np.add(v, w.get()); np.add(v.get(), w);
    np.isclose(v, w.get()); np.maximum(v.get(), w); np.dot(v.get(), w); np.float32(v[0]); np.array([v, w]); np.asarray(v);
    memoryview(v); iter(v.sum()); len(v.sum()); {v: 1}; v[0] in {1.0}; np.linalg.norm(v.get() + v); np.add.reduce(v, where=m);
    np.linalg.svd(x.get(), v); np.copyto(v.get(), v); np.random.default_rng(0).permutation(v); np.interp(v, v, v.get())"""),
)
def test_numpys_functions_of_both_kinds(cp, made, code):
    with pytest.raises(REFUSED):
        run(code, cp, made)


@pytest.mark.parametrize(
    "code",
    calls("""
    np.concatenate([v, w]); np.sum(v); np.exp(v); np.add(v, w); np.add(v, 1, out=v); np.linalg.norm(v); np.mean(x, axis=0);
    np.where(m, v, w); np.clip(v, 0, 1); np.add.reduce(v); np.multiply.outer(v, w); np.zeros_like(v); np.expand_dims(v, 0)"""),
)
def test_numpys_functions_of_device_arrays_are_cupys(cp, made, card, code):
    assert type(run(code, cp, made)) is cp.ndarray and card.counts.d2h == card.counts.h2d == 0
