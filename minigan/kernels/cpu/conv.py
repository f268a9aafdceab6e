"""The three convolution kernels: forward, adjoint in x, weight gradient.  Each is one matrix product.

Arrays are logically x (N, C, H, W), w (O, C/groups, kh, kw), u (N, O, oh, ow).  In memory activations are kept in the
order (H, W, N, C), "HWNC", and shown as (N, C, H, W) by transposing the view: then every pixel is a contiguous (N, C)
matrix, and gathering the pixels under the kernel copies runs of N*C or C floats instead of single ones (a third of
the time of NCHW, measured at 64 channels).  Input in any other order is converted once on the way in.

stride, padding, dilation are (vertical, horizontal) pairs.
"""

from minigan.backend import xp

# Below this many channels a run of C floats is too short to copy quickly, and columns are laid out as whole planes.
FEW_CHANNELS = 8


def conv2d(x, w, out, stride, padding, dilation, groups):
    """y[n,o,p,q] = the sum over c,r,s of x[n,c, p*stride + r*dilation - padding, ...] w[o,c,r,s], y of size out (oh, ow)."""
    kernel = w.shape[2:]
    rows = _padded(x, padding)
    parts = []
    for x_group, w_group in _groups(rows, w, groups):
        columns = _columns(x_group, kernel, out, stride, dilation)
        parts.append((columns @ _kernel_matrix(w_group)).reshape(*out, x.shape[0], w_group.shape[0]))
    y = parts[0] if groups == 1 else xp(x).concatenate(parts, axis=-1)
    return y.transpose(2, 3, 0, 1)


def conv2d_adjoint(u, w, size, stride, padding, dilation, groups):
    """x[n,c,i,j] = the sum over o,p,q,r,s of u[n,o,p,q] w[o,c,r,s] where i = p*stride + r*dilation - padding, j alike.

    <conv2d(x, w), u> = <x, conv2d_adjoint(u, w, size)> for every x of that size (H, W).
    """
    m, n = xp(u), u.shape[0]
    rows = _hwnc(u)
    out = rows.shape[:2]
    padded = [s + 2 * p for s, p in zip(size, padding)]
    parts = []
    per_group = rows.shape[3] // groups
    for k in range(groups):
        w_group = w[k * per_group : (k + 1) * per_group]
        u_matrix = rows[..., k * per_group : (k + 1) * per_group].reshape(-1, per_group)
        x_group = m.zeros((*padded, n, w.shape[1]), u.dtype)
        matrix = _kernel_matrix(w_group)
        if w.shape[1] < FEW_CHANNELS:  # planes: (taps and channels) x pixels
            planes = (matrix @ u_matrix.T).reshape(*w.shape[2:], w.shape[1], *out, n)
            taps = planes.transpose(0, 1, 3, 4, 5, 2)
        else:
            taps = (u_matrix @ matrix.T).reshape(*out, n, *w.shape[2:], w.shape[1]).transpose(3, 4, 0, 1, 2, 5)
        for r in range(w.shape[2]):
            for s in range(w.shape[3]):
                x_group[_under_tap((r, s), out, stride, dilation)] += taps[r, s]
        parts.append(x_group)
    x = parts[0] if groups == 1 else m.concatenate(parts, axis=-1)
    return x[padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]].transpose(2, 3, 0, 1)


def conv2d_weight(x, u, kernel, stride, padding, dilation, groups):
    """w[o,c,r,s] = the sum over n,p,q of x[n,c, p*stride + r*dilation - padding, ...] u[n,o,p,q]."""
    m = xp(x)
    rows, u_rows = _padded(x, padding), _hwnc(u)
    per_group, channels = u_rows.shape[3] // groups, x.shape[1] // groups
    parts = []
    for k in range(groups):
        x_group = rows[..., k * channels : (k + 1) * channels]
        u_matrix = u_rows[..., k * per_group : (k + 1) * per_group].reshape(-1, per_group)
        columns = _columns(x_group, kernel, u_rows.shape[:2], stride, dilation)
        parts.append((columns.T @ u_matrix).reshape(*kernel, channels, per_group))
    w = parts[0] if groups == 1 else m.concatenate(parts, axis=-1)
    return m.ascontiguousarray(w.transpose(3, 2, 0, 1))


def _hwnc(x):
    return x.transpose(2, 3, 0, 1)


def _padded(x, padding):
    """x as (H + 2 ph, W + 2 pw, N, C) in C order, zeros around it."""
    m, (ph, pw), rows = xp(x), padding, _hwnc(x)
    if not (ph or pw):
        return m.ascontiguousarray(rows)
    h, w, n, c = rows.shape
    out = m.zeros((h + 2 * ph, w + 2 * pw, n, c), x.dtype)
    out[ph : ph + h, pw : pw + w] = rows
    return out


def _groups(rows, w, groups):
    """(channels of x, rows of w) of each group."""
    channels, per_group = w.shape[1], w.shape[0] // groups
    for k in range(groups):
        yield rows[..., k * channels : (k + 1) * channels], w[k * per_group : (k + 1) * per_group]


def _kernel_matrix(w):
    """(kh kw C, O): one row for each element under the kernel, in the order of the columns."""
    return w.transpose(2, 3, 1, 0).reshape(-1, w.shape[0])


def _columns(rows, kernel, out, stride, dilation):
    """What lies under the kernel at each output pixel: (oh ow N, kh kw C).  "im2col"."""
    n, c = rows.shape[2:]
    s0, s1, s2, s3 = rows.strides
    view = xp(rows).lib.stride_tricks.as_strided
    if c < FEW_CHANNELS:
        taps = view(rows, (*kernel, c, *out, n),
                    (s0 * dilation[0], s1 * dilation[1], s3, s0 * stride[0], s1 * stride[1], s2))
        return taps.reshape(kernel[0] * kernel[1] * c, out[0] * out[1] * n).T
    taps = view(rows, (*out, n, *kernel, c),
                (s0 * stride[0], s1 * stride[1], s2, s0 * dilation[0], s1 * dilation[1], s3))
    return taps.reshape(out[0] * out[1] * n, kernel[0] * kernel[1] * c)


def _under_tap(tap, out, stride, dilation):
    """The pixels of the padded x that one tap of the kernel touches: two slices."""
    return tuple(slice(t * d, t * d + (o - 1) * s + 1, s) if o else slice(0, 0)
                 for t, o, s, d in zip(tap, out, stride, dilation))
