"""Expressions in PyTorch's language, one a line, which tests evaluate in both libraries.

a b     float32 of one shape                          c       float32 of a shape that broadcasts with it
i j     int64 of that shape, from -3 to 3; j not 0    m       booleans of that shape
d       float64 of that shape                         s r     float32 and float64 without axes
D E     two axes (also negative)                      n p     a whole number 1 .. 3, a float
A B     matrices r x k and k x q                      v w     vectors of k numbers
P Q     batches of such matrices                      S       a symmetric positive definite matrix
k       indices along axis D: int64 in [0, the size)  K       the same, of a's shape
"""

SMOOTH = """
    a + b; a - b; a * b; a / b; a + 1; 1 - a; 2.5 * a; a / 2; 1 / (a * a + 1); a + c; c * a; a - s; s / (a * a + 1); a + r
    d + a; a * d
    a + i; i * a; a * m; i + 1.5; i / j; i / 2; i * 2.0; 3 / j; m * 1.5; m + a; -a; +a; abs(a); a ** 2; a ** 3.0; 2 ** a
    (a * a + 1) ** b; (a * a + 1) ** -0.5
    t.add(a, b, alpha=2); t.sub(a, b, alpha=0.5); t.add(a, 2, alpha=3); t.mul(a, b); t.div(a, 2); a.add(b); a.sub(1)
    a.mul(2); a.div(4.0); a.pow(2); t.pow(a, 3); t.pow(2.0, a)
    t.rsub(a, 1); a.true_divide(2); a.multiply(b); a.subtract(b); a.divide(2.0); t.addcmul(a, b, c, value=0.5)
    t.addcdiv(a, b, b * b + 1, value=2); t.lerp(a, b, 0.3); t.lerp(a, b, t.sigmoid(c)); a.lerp(b, p)
    a.exp(); t.exp(a); (a * a + 1).log(); t.log1p(a * a); t.log2(a * a + 1); t.log10(a * a + 1); a.expm1()
    (a * a + 1).sqrt(); (a * a + 1).rsqrt(); a.sin(); a.cos(); t.tan(a / 9); a.tanh(); t.sigmoid(a); t.erf(a)
    t.asin(t.tanh(a) / 2); t.acos(t.tanh(a) / 2); t.atan(a); t.sinh(a / 3); t.cosh(a / 3); a.square()
    a.reciprocal() if (a != 0).all() else a; a.neg(); t.atan2(a, b * b + 1); t.hypot(a, b * b + 1); t.logaddexp(a, b)
    t.logit(t.sigmoid(a)); t.softmax(a, D); a.softmax(dim=D); a.log_softmax(D)
    t.exp(i); i.sqrt() if (i >= 0).all() else i; t.sin(m); i.sigmoid(); t.tanh(i)
    a.sum(); a.sum(D); a.sum(dim=D, keepdim=True); t.sum(a, (D,))
    a.sum((D, E)) if a.dim() > 1 and D % a.dim() != E % a.dim() else a; a.sum(dim=()); a.sum(dtype=t.float64); a.mean()
    a.mean(D); a.mean(-1, True); a.mean(dim=(D,), keepdim=True); t.mean(a, dim=D); a.prod(); a.prod(D)
    a.prod(D, keepdim=True)
    a.std(); a.std(D); a.std(unbiased=False); a.var(); a.var(D, unbiased=False); a.var(dim=D, keepdim=True); t.std(a, D)
    t.var(a, dim=(D,)); a.var(correction=0); a.std(D, False, True); a.std(False)
    t.var_mean(a, D); t.std_mean(a); t.var_mean(a, dim=D, unbiased=False, keepdim=True)
    a.norm(); a.norm(1); a.norm(p=2); a.norm(2, D); a.norm(2, dim=D, keepdim=True); t.norm(a, p=1, dim=D); t.norm(a)
    a.norm(p="fro"); a.norm(float("inf")); a.norm(3.0); t.linalg.norm(a); t.linalg.vector_norm(a)
    t.linalg.vector_norm(a, dim=D); t.linalg.norm(a, dim=D); t.dist(a, b); t.dist(a, b, 1)
    a.logsumexp(D); t.logsumexp(a, (D,)); t.logsumexp(a, D, keepdim=True); a.cumsum(D); t.cumsum(a, dim=D); a.cumprod(D)
    a.max(); a.min(); a.max(D)[0]; a.min(D).values; a.max(dim=D, keepdim=True)[0]; t.max(a, b); t.min(a, b); a.max(b)
    t.maximum(a, c); t.minimum(a, c); a.amax(); a.amax(D); a.amin((D,), keepdim=True); t.amax(a, dim=D); t.fmax(a, b)
    t.fmin(a, b); t.aminmax(a)
    a.clamp(-0.5, 0.5); a.clamp(min=0); a.clamp(max=0.25); t.clamp(a, 0.0, 1.0); a.clip(-1, 1); t.clamp(a, min=b)
    a.clamp_min(0.1); a.clamp_max(0.1); a.relu(); t.relu(a); t.where(m, a, b); t.where(m, a, 0.0); t.where(m, 1.0, a)
    a.where(m, b); a.masked_fill(m, -1); t.masked_fill(a, m, 0.5); a.masked_fill(m, float("-inf")).exp()
    a.masked_fill(m == 0, s); a.masked_select(m); t.masked_select(a, m)
    a.sort(D)[0]; a.sort()[0] if a.dim() else a; t.sort(a, D, descending=True)[0]; a.sort(dim=D, descending=True).values
    a.msort() if a.dim() else a; a.topk(1)[0] if a.dim() and a.shape[-1] else a; a.topk(1, D).values if a.size(D) else a
    a.topk(1, dim=D, largest=False)[0] if a.size(D) else a; a.kthvalue(1, D)[0] if a.size(D) else a; a.median(D)[0]
    a.median(); t.median(a, dim=D, keepdim=True).values; a.quantile(0.3); t.quantile(a, 0.5, dim=D); a.mode(D)[0]
    A @ B; t.mm(A, B); A.mm(B); t.matmul(A, B); A.matmul(v); A @ v; v @ w; t.dot(v, w); v.dot(w); A.mv(v); t.mv(A, v)
    t.bmm(P, Q); P.bmm(Q); P @ Q; P @ B; P.matmul(v); t.outer(v, w); t.ger(v, w); v.outer(w); t.inner(v, w)
    t.addmm(A @ B, A, B); t.addmm(s, A, B, beta=0.5, alpha=2.0); (A @ B).addmm(A, B); t.baddbmm(P @ Q, P, Q, beta=0.5)
    t.addmv(A @ v, A, v); t.addbmm(P[0] @ Q[0], P, Q); t.arcsin(t.tanh(v) / 2); t.arccos(t.tanh(v) / 2); t.arctan(v)
    t.addr(t.outer(v, w), v, w); t.linalg.multi_dot([A, B, B.t()]); v.vdot(w)
    t.einsum("ij,jk->ik", A, B); t.einsum("bij,bjk->bik", P, Q); t.einsum("i,j->ij", v, w)
    t.einsum("bij,bjk->bik", [P, Q]); t.einsum("ii->i", S); t.einsum("...ij,...jk->...ik", P, Q)
    t.tensordot(A, B, dims=1); t.tensordot(A, B, dims=([1], [0])); t.kron(A, B); t.cdist(A, B.t()); t.cdist(A, B.t(), p=1)
    t.trace(A); A.trace(); t.cross(a.reshape(-1)[:3], b.reshape(-1)[:3], dim=0) if a.numel() > 2 else a
    t.inverse(S); S.inverse(); t.det(S); t.logdet(S); t.slogdet(S)[1]; t.linalg.inv(S); t.linalg.det(S)
    t.linalg.cholesky(S); t.cholesky(S); t.linalg.solve(S, S @ S); t.linalg.slogdet(S).logabsdet; t.linalg.eigvalsh(S)
    t.linalg.svdvals(S); t.linalg.matrix_norm(A); t.linalg.norm(S, 2); t.linalg.norm(A, "fro")
    t.linalg.matrix_power(S, 3); t.matrix_power(S, 2); t.linalg.eigh(S)[0]; t.linalg.svd(S)[1]
    t.linalg.cross(A[:, :3], A[:, :3] * 2 + 1) if A.shape[1] > 2 else A; t.linalg.diagonal(S)
    a.tril() if a.dim() > 1 else a; t.triu(A); t.triu(A, diagonal=1); t.tril(A, -1); A.triu(1); t.diag(v); t.diag(A)
    A.diag(); t.diagonal(A); A.diagonal(); P.diagonal(0, 1, 2); P.diagonal(dim1=-2, dim2=-1); t.diag_embed(A); v.diag(1)
    t.block_diag(A, B)
"""

# Their results have no derivative.
CONSTANT = """
    a == b; a != 0; a < c; a <= 0.5; a > s; i >= j; i == 1; m == True; i == 1.5; t.eq(i, j); a.ne(b); a.lt(0); t.le(a, b)
    a.gt(b); t.ge(a, 0); t.not_equal(i, j); t.greater(a, b); t.less_equal(a, b)
    i + j; i - 1; 2 * i; i * m; m + 1; m * m; i ** 2; t.pow(i, 2); i % 2; i // 2; -i // 2; i % j; i // j; 5 % j
    i.remainder(2); t.remainder(i, j); t.fmod(i, j); t.fmod(a, 0.7); t.floor_divide(i, 2); a % 0.7; -a % 0.7; a // 0.3
    t.div(i, j, rounding_mode="floor"); t.div(i, j, rounding_mode="trunc"); t.div(a, 0.3, rounding_mode="trunc")
    a.div(0.3, rounding_mode="floor"); t.true_divide(i, 2)
    m & (a > 0); m | (a > 0); m ^ (a > 0); ~m; i & j; i | 1; i ^ 3; ~i; 1 & i; t.logical_and(m, a); t.logical_or(i, j)
    t.logical_not(a); m.logical_xor(i > 0); t.bitwise_and(i, 3); t.bitwise_or(m, m); t.bitwise_xor(i, j); t.bitwise_not(i)
    a.floor(); a.ceil(); a.round(); a.trunc(); a.sign(); i.sign(); t.floor(a); i.floor(); i.abs(); t.abs(i); a.frac()
    t.round(a, decimals=1); t.clamp(i, -1, 1); i.clamp(min=0); i.clamp(0.5); t.clamp(i, max=2); t.isclose(a, b)
    t.nan_to_num(a / 0); t.relu(i); i.square(); -i; t.neg(i)
    i.sum(); i.sum(D); m.sum(); m.sum(D); i.prod(); m.sum(dtype=t.float32); i.cumsum(D); m.cumsum(D); i.max(); i.max(D)
    i.min(D, keepdim=True); i.float().mean(); i.mean(); t.mean(i, dtype=t.float32); i.std(); m.any(); m.all(); m.any(D)
    m.all(D, keepdim=True); t.any(a > 0); t.all(i == i, D); i.any(); a.argmax(); a.argmax(D); a.argmin(D, keepdim=True)
    t.argmax(a, dim=D); i.argmin(); a.max(D)[1]; a.min(D).indices; a.count_nonzero(); t.count_nonzero(i, D); i.norm()
    m.mean()
    a.argsort(D); t.argsort(a, descending=True) if a.dim() else a; a.sort(D)[1]; a.topk(1, D)[1] if a.size(D) else a
    i.unique(); t.unique(i, return_counts=True); i.unique(return_inverse=True); t.unique_consecutive(i.reshape(-1))
    t.nonzero(m); m.nonzero(); m.nonzero(as_tuple=True); t.where(m); t.bincount(i.abs().reshape(-1))
    t.histc(a, bins=4, min=-1, max=1); t.searchsorted(t.tensor([-1.0, 0.0, 1.0]), a)
    t.bucketize(a, t.tensor([-1.0, 0.0, 1.0])); t.isin(i, t.tensor([1, 2])); a.isnan(); t.isinf(a / 0); t.isfinite(a)
    t.isnan(a / 0); (a / 0).isinf()
    t.equal(a, a.clone()); t.equal(a, b); a.equal(b); t.allclose(a, a + 1e-9); a.allclose(b); t.is_tensor(a)
    t.is_floating_point(i); a.is_floating_point(); t.numel(a); a.numel(); a.nelement(); a.dim(); a.ndim; a.ndimension()
    a.size(); a.shape; a.size(D); a.size(dim=D); len(a); a.tolist(); i.tolist(); m.tolist(); a.sum().item()
    i.sum().item(); m.any().item(); float(a.sum()); int(i.sum()); bool(m.all()); a.is_leaf; a.is_cuda; a.element_size()
    a.dtype; i.dtype; m.dtype; d.dtype; a.type(); i.type(); a.device; str(a.device); a.device.type
    a.device == t.device("cpu"); 0.5 in a; a.nbytes; a.itemsize
    a.long(); a.int(); a.double(); a.bool(); d.float(); i.float(); i.double(); m.long(); m.float(); a.half(); i.short()
    i.byte(); a.type(t.float64); a.type("torch.LongTensor"); a.type(t.DoubleTensor); i.type_as(a); a.to(t.int64)
    a.to("cpu"); a.to(t.device("cpu"), t.float64); a.to(d); a.to(dtype=t.float64); a.to("cpu", non_blocking=True); a.cpu()
    m.int(); m.char(); i.to(t.bool); a.to(device="cpu", dtype=t.int32); i.type(t.FloatTensor); a.type(t.Tensor)
    a.float() is a; a.to("cpu") is a
    t.promote_types(t.int32, t.float32); t.finfo(t.float32).eps; t.finfo(t.float64).max; t.iinfo(t.int64).max
    t.float32.is_floating_point; t.float32 == t.float; t.long is t.int64; t.get_default_dtype(); t.is_grad_enabled()
    a.requires_grad; t.broadcast_shapes((3, 1), (1, 4)); t.numel(t.ones(2, 3)); t.Size([2, 3]); t.Size([2, 3]).numel()
    t.Size([2, 3])[0]; t.Size((2, 3)) + (4,); t.Size([1, 2, 3])[1:]; repr(t.Size([2])); str(t.float32)
    repr(t.device("cuda:0")); t.device("cuda", 1).index; t.device("cpu") == t.device("cpu"); t.device("cuda:0").type
"""

# They move elements, so all dtypes have them, and derivatives pass.
SHAPE = """
    a.view(-1); a.view(a.shape); a.view(a.size(0), -1) if a.dim() and a.size(0) else a; a.view((1, -1))
    a.view(*a.shape, 1); a.view(7, 11); a.reshape(-1); a.reshape(a.size()); a.reshape((-1, 1)); t.reshape(a, (-1,))
    a.view_as(b); a.reshape_as(b); a.flatten(); t.flatten(a); t.flatten(a, 1); a.flatten(1); a.flatten(0, -1)
    a.flatten(start_dim=D); a.ravel(); t.ravel(a); a.unflatten(D, (1, -1)); A.unflatten(0, (-1, 1))
    a.unsqueeze(0); a.unsqueeze(-1); a.unsqueeze(D); t.unsqueeze(a, 1); a.unsqueeze(dim=0); a.squeeze(); a.squeeze(D)
    t.squeeze(a, 0); a.unsqueeze(1).squeeze(1); a.squeeze(dim=D); a.squeeze((D,)); a.unsqueeze(9); a[None]; a[..., None]
    a[:, None]; a.view(1, *a.shape).squeeze(0)
    a.transpose(D, E); t.transpose(a, D, E); a.transpose(dim0=D, dim1=E); a.swapaxes(D, E); a.swapdims(D, E); A.t()
    t.t(A); v.t(); a.t(); A.T; A.mT; P.mT; P.permute(2, 0, 1); P.permute((0, 2, 1)); t.permute(P, (1, 0, 2))
    a.permute(*range(a.dim())); P.permute(0, 1); P.permute(0, 0, 1); t.movedim(P, 0, 2); P.movedim(1, 0)
    t.moveaxis(P, 0, -1); P.transpose(1, 2); P.transpose(-1, -2).reshape(-1); P.adjoint()
    a.expand(*a.shape); a.expand(2, *a.shape); a.expand(2, *[-1] * a.dim()); a.unsqueeze(0).expand(3, *a.shape)
    c.expand_as(a + c); c.expand((a + c).shape); t.broadcast_to(c, (a + c).shape); c.broadcast_to((a + c).shape)
    a.expand(7); t.broadcast_tensors(a, c); a.repeat(2); a.repeat(2, *[1] * a.dim()); a.repeat((2,) * max(a.dim(), 1))
    v.repeat(2, 3); A.repeat(2); A.repeat(1, 2); a.tile(2); a.tile((2, 2)); t.tile(A, (2,)); a.repeat_interleave(2)
    t.repeat_interleave(a, 2, D); a.repeat_interleave(2, dim=D)
    t.cat([a, b], D); t.cat((a, b), dim=D); t.cat([a, b]); t.cat([a, b, a], -1); t.cat([a, i], D); t.cat((a, d), D)
    t.concat([a, b], D); t.concatenate([a, b], D); t.cat([A, B]); t.cat([], 0); t.cat([a]); t.stack([a, b])
    t.stack((a, b), 1); t.stack([a, b], dim=-1); t.stack([A, B]); t.hstack([a, b]); t.vstack((a, b)); t.dstack([a, b])
    t.column_stack([v, w]); t.row_stack([v, w]); t.hstack([v, w]); t.vstack([v, w])
    a.split(2); a.split(2, D); t.split(a, 1, dim=D); t.split(a, [1, a.size(D) - 1], D) if a.dim() and a.size(D) else a
    a.split(split_size=1, dim=D); a.split([1, 1], D); a.chunk(2); a.chunk(2, D); t.chunk(a, 3, dim=D); a.unbind()
    t.unbind(a, D); a.unbind(dim=D); t.tensor_split(a, 2, D); a.tensor_split(3); t.split(v, 2)
    a.flip(0); t.flip(a, (D,)); a.flip([D]); t.flip(a, dims=(D,)); a.flip(dims=[D]); A.fliplr(); t.flipud(A); a.roll(1)
    a.roll(1, D); t.roll(a, 2, dims=D); t.roll(a, shifts=(1,), dims=(D,)); t.rot90(A); t.rot90(A, 1, [0, 1])
    a.narrow(D, 0, 1); t.narrow(a, D, 0, 1); a.narrow(0, 1, 5); a.select(D, 0); a.select(D, -1); t.select(a, D, 0)
    a.select(dim=D, index=0); a.select(D, 9)
    a[0]; a[-1]; a[:1]; a[1:]; a[..., 0]; a[:, 0]; a[9]; a[::2]; A[0, 0]; A[:, -1]; A[1:, :1]; A[[0, 0]]
    A[t.tensor([0, 0])]; A[t.tensor([0, 0]), 0]; A[:, t.tensor([0])]; a[m]; a[a > 0]; A[A > 0]; a[~m]; P[..., 0, :]; P[0]
    P[0, 0]; P[:, 0]; a[True]; A[[True] * A.shape[0]]; A[(0, 0)]; v[t.tensor(0)]; v[v > 0]; v[s.long() * 0]
    a[0, 0, 0, 0, 0]; A[None, 0]; A[0, None]; P[0, ..., 0]; a["x"]; a[1.5]; v[::-1]; A[t.arange(1), t.arange(1)]
    A[t.tensor([[0], [0]])]; A[t.tensor([True] * A.shape[0])]; A[t.tensor([0]).int()]; A[t.tensor([9])]
    a.gather(D, K); t.gather(a, D, K); a.gather(dim=D, index=K); a.index_select(D, k); t.index_select(a, D, k)
    a.index_select(dim=D, index=k); t.take(a, t.tensor([0])); t.take_along_dim(a, K, D); a.scatter(D, K, 1.5)
    a.scatter_add(D, K, b); a.index_add(D, t.arange(a.size(D)), b) if a.dim() else a; a.index_fill(D, k, 0.5)
    a.index_copy(D, t.arange(a.size(D)), b) if a.dim() else a; t.scatter(a, D, K, 0.0); a.masked_scatter(m, b)
    a.index_put((m,), s)
    a.clone(); t.clone(a); a.contiguous(); a.contiguous() is a; a.detach() + a; a.cpu(); t.atleast_1d(a); t.atleast_2d(a)
    t.meshgrid(v, w, indexing="ij"); t.meshgrid(v, w, indexing="xy"); t.meshgrid([v, w], indexing="ij")
    t.cartesian_prod(v, w); t.combinations(v); a.diff(dim=D); t.diff(a, dim=D); t.nn.functional.pad(A, (1, 1))
"""

# They make tensors.
NEW = """
    t.tensor(1); t.tensor(1.5); t.tensor(True); t.tensor([1, 2]); t.tensor([1, 2.5]); t.tensor([[1, 2], [3, 4]])
    t.tensor([True, False]); t.tensor([]); t.tensor([[]]); t.tensor([1, 2], dtype=t.float32); t.tensor(np.float64(2))
    t.tensor(np.ones(2)); t.tensor(np.ones(2, np.float32)); t.tensor(np.array([1, 2])); t.tensor(np.int32(3))
    t.tensor([s, s]); t.tensor([t.tensor(1), t.tensor(2)]); t.tensor([[1], [2, 3]]); t.tensor("x"); t.tensor(range(3))
    t.tensor((1.0, 2.0)); t.tensor([1.0], requires_grad=True); t.tensor([1], requires_grad=True)
    t.tensor(2, dtype=t.uint8); t.tensor([0.5], dtype=t.long); t.tensor(None); t.tensor([np.ones(2), np.zeros(2)])
    t.as_tensor([1, 2]); t.as_tensor(a); t.as_tensor(np.ones(3)); t.as_tensor(a, dtype=t.float64)
    t.from_numpy(np.ones((2, 3))); t.from_numpy(np.arange(3)); t.from_numpy([1]); t.asarray([1.0]); t.Tensor([1, 2])
    t.Tensor(2, 3).shape; t.Tensor(np.ones(2)); t.Tensor([[1.5]]); t.Tensor(); t.FloatTensor([1, 2])
    t.FloatTensor(2, 3).shape; t.LongTensor([1, 2]); t.LongTensor(np.arange(2)); t.DoubleTensor([1]); t.IntTensor([1])
    t.BoolTensor([True]); t.ByteTensor([1]); t.FloatTensor(np.ones(2)); t.FloatTensor(t.Size([2])).shape
    t.LongTensor(2).shape; t.Tensor(t.Size([2, 1])).shape; t.FloatTensor((1.0, 2.0)); isinstance(a, t.Tensor)
    isinstance(a, t.FloatTensor); isinstance(i, t.LongTensor); isinstance(i, t.FloatTensor)
    t.zeros(2, 3); t.zeros((2, 3)); t.zeros([2]); t.zeros(()); t.zeros(2, 3, dtype=t.int64); t.zeros(size=(2,)); t.ones(2)
    t.ones(2, 3, dtype=t.float64); t.ones(a.shape); t.ones(a.size(), dtype=t.bool); t.zeros(2, device="cpu")
    t.zeros(2, requires_grad=True); t.zeros(-1); t.zeros(1.5); t.zeros(0); t.empty(2, 3).shape
    t.empty((2,), dtype=t.int64).dtype; t.full((2, 3), 7); t.full((2,), 1.5); t.full((2,), True); t.full((), 3.0)
    t.full((2,), 1, dtype=t.float32); t.full([2], fill_value=3); t.eye(3); t.eye(2, 3); t.eye(2, dtype=t.int64)
    t.zeros(np.int64(2)); t.ones(t.tensor(2), 3)
    t.arange(5); t.arange(1, 5); t.arange(0, 1, 0.25); t.arange(5.0); t.arange(5, 0, -1); t.arange(3, dtype=t.float32)
    t.arange(1, 2.5); t.arange(0, 10, 3); t.arange(start=1, end=3); t.arange(5, 1); t.arange(0); t.linspace(0, 1, 5)
    t.linspace(-1, 1, steps=3); t.linspace(0, 1, 1); t.linspace(start=0, end=4, steps=5); t.logspace(0, 2, 3)
    t.tril_indices(3, 3); t.triu_indices(3, 3, 1); t.empty_like(a).shape
    t.zeros_like(a); t.ones_like(i); t.zeros_like(a, dtype=t.float64); t.full_like(a, 2); t.full_like(i, 2)
    t.ones_like(a, requires_grad=True); t.rand_like(a).shape; t.randn_like(d).dtype; t.randint_like(a, 3).dtype
    t.randint_like(i, 0, 3).shape; a.new_zeros(2, 3); a.new_zeros((2,)); i.new_ones(2); a.new_tensor([1, 2])
    i.new_tensor([1.5]); a.new_full((2,), 3); a.new_empty(2).shape; a.new(2, 3).shape; a.new([1, 2])
    i.new_zeros(2, dtype=t.float32); a.new_ones(a.shape)
    t.rand(2, 3).shape; t.randn(2).dtype; t.rand((2, 3)).shape; t.randn(2, 3, dtype=t.float64).dtype
    t.rand(size=(2,)).shape; t.randint(5, (2, 3)).dtype; t.randint(1, 5, (2,)).shape
    t.randint(low=0, high=2, size=(3,)).shape; t.randint(0, 2, [3], dtype=t.float32).dtype; t.randperm(4).sort()[0]
    t.randperm(3).dtype; t.normal(0, 1, (2, 3)).shape; t.normal(a, 1.0).shape; t.normal(a, a.abs()).shape
    t.normal(0.0, t.ones(3)).shape; t.normal(mean=0.0, std=1.0, size=(2,)).dtype; t.bernoulli(t.sigmoid(a)).shape
    t.bernoulli(t.ones(3)); t.bernoulli(a.detach(), 1.0); t.multinomial(t.ones(3), 2).shape
    t.multinomial(t.tensor([0.0, 1.0]), 3, replacement=True); t.ones(2, 3).multinomial(1).shape; t.ones(3).bernoulli()
    t.poisson(t.zeros(3)); t.randn(()).shape; t.rand(1).item() < 1; t.randint(3, (1,)).item() < 3
    t.multinomial(t.tensor([0.0, 0.0]), 1); t.multinomial(t.ones(2), 3); t.randint(0, 0, (1,)); t.rand(3).dtype
    t.scalar_tensor(2.0); t.ones(3).to(t.int32).dtype; t.ones(2).numpy(); a.numpy(); a.detach().numpy(); np.asarray(a)
    np.array(i); np.mean(a.numpy()) if a.numel() else a; a.cpu().numpy(); a.__array__() is None
    t.vstack([t.zeros(1, 2), t.ones(1, 2)]); t.tensor([1.0]).item(); t.tensor([1, 2]).item(); bool(t.tensor([1, 2]))
    bool(t.tensor([])); float(t.tensor(2)); int(t.tensor(2.7)); [10, 20][t.tensor(1)]; list(t.tensor([1, 2]))
    list(t.zeros(())); len(t.zeros(())); list(range(t.tensor(3))); f"{t.tensor(1.5):.2f}"; f"{t.tensor(3)}"
    str(t.tensor([1, 2])); repr(t.tensor([True])); repr(t.tensor(1.5)); repr(t.tensor([1.0, 20.0]))
    repr(t.tensor([0.5, 2.0])); repr(t.tensor([[1], [2]])); repr(t.tensor([1e-8, 1.0])); repr(t.tensor([1e6, 2e6]));
    repr(t.tensor([0.0, -1.25])); repr(t.tensor([3e4, 0.5])); repr(t.tensor([])); repr(t.ones(2, 2, dtype=t.float64));
    "%.3f" % t.tensor(1.5)
    round(t.tensor(1.7).item()); t.tensor(3) == 3; t.tensor([1, 2]) == t.tensor([1, 3]); max(t.tensor([1, 3]))
    sum(t.tensor([1.0, 2.0])); sorted(t.tensor([3, 1]).tolist()); sum([a, b]); t.tensor(5) // 2; t.tensor(-5) // 2
    t.tensor(7.0) % 3; 7 // t.tensor(2); 2 ** t.tensor(3); t.tensor(2) ** -1; t.tensor(True) + t.tensor(True)
    t.tensor(True) - t.tensor(True); t.tensor([1]) + t.tensor([1, 2, 3]).double()
    t.tensor(1.0) + t.tensor(1, dtype=t.float64); t.ones(2, dtype=t.uint8) + t.ones(2, dtype=t.int8)
    t.ones(2, dtype=t.int32) + t.tensor(1); t.ones(2, dtype=t.int32) * 2.5; np.float64(2) * t.ones(2)
    np.float32(2) * t.ones(2); t.ones(2) * np.float64(2); t.ones(2) + "x"; t.ones(2) + None; t.ones(2) + [1, 2]
    t.ones(2) @ 3; t.ones(2) + t.ones(3); t.ones(2, 3) @ t.ones(2, 3); t.ones(2).double() @ t.ones(2)
    t.ones(2, 2).double() @ t.ones(2, 2); t.ones(2).view(3); t.ones(2)[5]; t.ones(2).sum(4); t.ones(2).transpose(0, 1)
    t.cat([t.ones(1, 2), t.ones(1, 3)]); t.stack([t.ones(1), t.ones(2)]); t.ones(2).expand(3); t.ones(2).squeeze(3)
    t.ones(2).foo; t.ones(2).log_(1, 2, 3)
"""

# In place: the expression is what to look at afterwards; x is a's clone, and y a view of its memory.
IN_PLACE = """
    x.add_(1); x.add_(b); x.add_(b, alpha=2); x.sub_(0.5); x.mul_(2); x.mul_(c) if (a * c).shape == a.shape else x
    x.div_(2); x.pow_(2); x.zero_(); x.fill_(3); x.fill_(s); x.clamp_(-0.5, 0.5); x.clamp_(min=0); x.clip_(max=1)
    x.clamp_min_(0.1); x.neg_(); x.abs_(); x.exp_(); x.sigmoid_(); x.tanh_(); x.relu_(); x.floor_(); x.round_()
    x.copy_(b); x.copy_(i); x.copy_(s); x.lerp_(b, 0.5); x.addcmul_(a, b, value=0.1); x.addcdiv_(a, b * b + 1, value=0.1)
    x.masked_fill_(m, 9); x.square_(); x.sqrt_() if (a >= 0).all() else x; x.reciprocal_() if (a != 0).all() else x
    x.sign_()
    x.__iadd__(1); x.__isub__(b); x.__imul__(2.0); x.__itruediv__(2); x.mul_(i); x.add_(d); xi.add_(1); xi.add_(1.5)
    xi.mul_(2); xi.div_(2); xi.zero_(); xi.fill_(2); xm.fill_(True); xm.logical_not_(); xi.clamp_(0, 1); xm.__iand__(m)
    xi.add_(i); xi.sub_(m); xi.add_(a); xi.remainder_(2); xi.floor_divide_(2); xi.pow_(2); xi.copy_(a * 2)
    xi.masked_fill_(m, 5)
    x.__setitem__(0, 5.0); x.__setitem__(..., 1); x.__setitem__(slice(None), 2); x.__setitem__(m, 0.0)
    x.__setitem__(m, 7); x.__setitem__((..., 0), 1.5); x.__setitem__((slice(None), 0), 1)
    x.__setitem__(0, b[0]) if a.dim() and len(a) else x; x.__setitem__(9, 1); x.__setitem__(x > 0, -1.0)
    x.__setitem__(k, 1.0); xi.__setitem__(0, 1.7); xm.__setitem__(0, True)
    x.__setitem__(0, i[0]) if a.dim() and len(a) else x; x.__setitem__(0, d[0]) if a.dim() and len(a) else x
    x.scatter_(D, K, 1.0); x.scatter_(D, K, b); x.scatter_add_(D, K, b); x.index_fill_(D, k, 0.5)
    x.index_add_(D, t.arange(a.size(D)), b) if a.dim() else x; x.index_copy_(D, t.arange(a.size(D)), b) if a.dim() else x
    x.masked_scatter_(m, b); x.scatter_(dim=D, index=K, value=2.0); x.scatter_(D, K, src=b); x.index_put_((m,), s)
    x.unsqueeze_(0); x.squeeze_(); x.transpose_(D, E); x.t_() if a.dim() < 3 else x; x.resize_(a.numel())
    x.tril_() if a.dim() > 1 else x; x.triu_() if a.dim() > 1 else x; x.cumsum_(D)
    x.fill_diagonal_(2) if a.dim() == 2 else x; x.T.add_(1) if a.dim() == 2 else x; x.requires_grad_().requires_grad
    x.detach_(); x.data.add_(1); x.view(-1).add_(1); x.view(-1).__setitem__(0, 9.0) if a.numel() else x
    x.transpose(D, E).mul_(2); x.narrow(D, 0, 1).fill_(4) if a.dim() and a.size(D) else x; x.detach().add_(1)
    x[0].zero_(); x.select(D, 0).zero_() if a.dim() and a.size(D) else x; x.unsqueeze(0).add_(1)
    x.permute(*range(a.dim())).add_(1); x.expand(2, *a.shape).add_(1); x.unbind()[0].add_(1) if a.dim() and len(a) else x
    x.chunk(2)[0].add_(1) if a.dim() and len(a) else x; x.split(1)[-1].fill_(1) if a.dim() and len(a) else x
    x.reshape(-1).add_(1); x.flatten().mul_(3); x.squeeze().add_(1); x.numpy().fill(3); x.contiguous().add_(1)
    x.diagonal().add_(1) if a.dim() == 2 else x; x[..., 0].add_(1); x[::2].mul_(0); x[m].add_(1)
    x[k].add_(1) if a.dim() else x; x.float().add_(1); x.to("cpu").add_(1); x.cpu().add_(1); t.as_tensor(x).add_(1)
    t.from_numpy(x.numpy()).add_(1); x.swapaxes(D, E).add_(1); x.movedim(0, -1).add_(1) if a.dim() else x
    x.view_as(b).add_(1); x.expand_as(a).add_(1); x.mT.add_(1) if a.dim() == 2 else x
    x.unflatten(D, (1, -1)).add_(1) if a.dim() else x
"""

# In place, too, with other numbers than PyTorch's.
RANDOM = """
    x.normal_().shape; x.uniform_().shape; x.normal_(0, 1).shape; x.normal_(mean=0.0, std=0.02).shape
    x.uniform_(-1, 1).dtype; x.bernoulli_(1.0); x.bernoulli_(0.0); x.random_(1); x.exponential_().shape; x.uniform_(2, 2)
    x.normal_(3.0, 0.0); xi.random_(0, 1); x.cauchy_().shape; x.log_normal_().shape; x.geometric_(0.5).shape
"""

# Where PyTorch raises an error for a tensor without axes: minigan gives what the words say, or another error.
KINDER = {
    "a.permute(*range(a.dim()))", "a.expand(*a.shape)", "x.permute(*range(a.dim())).add_(1)", "t.quantile(a, 0.5, dim=D)",
    "a.narrow(0, 1, 5)", 'a["x"]', "t.take_along_dim(a, K, D)", "a.index_put((m,), s)", "x.index_put_((m,), s)",
    "x.expand(2, *a.shape).add_(1)",
}  # fmt: skip


def listed(text: str) -> list:
    """The expressions of a table."""
    return [part.strip() for line in text.strip().splitlines() for part in line.split("; ")]
