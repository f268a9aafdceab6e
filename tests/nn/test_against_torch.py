"""torch.nn's modules with the same weights: the same names, shapes, outputs and gradients, over grids of options."""

import inspect
from itertools import product

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.nn import init, utils

torch = pytest.importorskip("torch")

# Largest difference to torch, relative to the largest number of the compared array: outputs, gradients.
LIMITS = {np.float32: (1e-5, 1e-4), np.float64: (1e-10, 1e-10)}
WORST = {}  # (module, dtype, kind of array) -> the largest difference seen


@pytest.fixture(scope="module", autouse=True)
def measured():
    """With pytest -s -n0: print the three worst of each kind."""
    yield
    for kind, dtype in product(("output", "gradient", "buffer"), ("float32", "float64")):
        found = {name: v for (name, d, k), v in WORST.items() if (d, k) == (dtype, kind)}
        for name in sorted(found, key=found.get)[-3:]:
            print(f"{kind:9} {dtype} {name:20} {found[name]:.1e}")


def draw(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def flat(value):
    """The tensors of nested tuples, in order."""
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in flat(item)]
    return [value]


def near(name, dtype, limit, ours, theirs, what):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, (what, ours.shape, theirs.shape)
    if ours.size:
        difference = abs(ours.astype(np.float64) - theirs).max() / max(1.0, abs(theirs).max())
        key = (name, np.dtype(dtype).name, what.partition(" ")[0])
        WORST[key] = max(WORST.get(key, 0.0), float(difference))
        assert difference <= limit, (what, difference)


def compare(ours, theirs, *inputs, dtype=np.float32, calls=1, index_input=False):
    """The same weights, inputs and cotangents into both: outputs, all gradients and buffers must agree."""
    name = type(ours).__name__
    ours = ours.to(dtype)
    theirs = theirs.to(torch.float64 if dtype == np.float64 else torch.float32)
    state = {key: torch.from_numpy(value) for key, value in ours.state_dict().items()}
    theirs.load_state_dict(state)  # strict: the same names and shapes
    assert list(ours.state_dict()) == list(theirs.state_dict())
    limit_output, limit_gradient = LIMITS[dtype]
    for _ in range(calls):
        xs = [x if index_input else mg.tensor(x, dtype=dtype, requires_grad=True) for x in inputs]
        ts = [torch.from_numpy(x if index_input else x.astype(dtype)) for x in inputs]
        ts = ts if index_input else [t.requires_grad_() for t in ts]
        a = flat(ours(*group(ours, xs)))
        b = flat(theirs(*group(ours, ts)))
        assert len(a) == len(b)
        cotangents = [draw(*y.shape, seed=50 + i).astype(dtype) for i, y in enumerate(a)]
        for y, t in zip(a, b):
            near(name, dtype, limit_output, y.data, t, "output")
        if not any(y.requires_grad for y in a):
            continue
        wrt = [x for x in [*xs, *ours.parameters()] if isinstance(x, mg.Tensor)]
        found = mg.grad(a, wrt, [mg.tensor(g) for g in cotangents], allow_unused=True)
        expected = torch.autograd.grad(
            b,
            [t for t in [*ts, *theirs.parameters()] if t.requires_grad],
            [torch.from_numpy(g) for g in cotangents],
            allow_unused=True,
        )
        labels = [f"input {i}" for i in range(len(xs)) if not index_input] + [n for n, _ in ours.named_parameters()]
        for label, g, t in zip(labels, found, expected, strict=True):
            near(name, dtype, limit_gradient, g.data, t, f"gradient of {label}")
    for key, value in theirs.state_dict().items():
        near(name, dtype, limit_output, ours.state_dict()[key], value, f"buffer {key}")
    ours.load_state_dict(theirs.state_dict())  # and back
    assert all(np.array_equal(value, theirs.state_dict()[key].numpy()) for key, value in ours.state_dict().items())


def group(module, xs):
    """An LSTM takes its state as a pair."""
    return [xs[0], tuple(xs[1:])] if getattr(module, "states", 1) == 2 and len(xs) == 3 else xs


both = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def same(name, *args, **options):
    """The same module from both libraries."""
    return getattr(nn, name)(*args, **options), getattr(torch.nn, name)(*args, **options)


@both
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 4, 3)])
def test_linear(shape, bias, dtype):
    compare(*same("Linear", 3, 4, bias=bias), draw(*shape), dtype=dtype)


@both
@pytest.mark.parametrize("padding_idx", [None, 2, -1])
def test_embedding(padding_idx, dtype):
    compare(*same("Embedding", 7, 3, padding_idx=padding_idx), np.array([[0, 2, 6], [2, 2, 1]]), dtype=dtype, index_input=True)


CONVS = [
    {"stride": s, "padding": p, "dilation": d, "groups": g, "bias": b}
    for s, p, d, (g, b) in product([1, 2, (3, 1)], [0, 1, (2, 0)], [1, (2, 1)], [(1, True), (2, False)])
]


@both
@pytest.mark.parametrize("options", CONVS, ids=str)
def test_conv2d(options, dtype):
    compare(*same("Conv2d", 4, 6, (3, 2), **options), draw(2, 4, 8, 7), dtype=dtype)


@both
@pytest.mark.parametrize(
    "options",
    [
        {"padding": 1, "padding_mode": "reflect"},
        {"padding": (2, 1), "padding_mode": "replicate"},
        {"padding": "same", "dilation": 2},
        {"padding": "valid"},
        {"padding": "same", "padding_mode": "reflect"},
    ],
    ids=str,
)
@pytest.mark.parametrize("kernel", [3, (1, 3)])
def test_conv2d_padding(kernel, options, dtype):
    compare(*same("Conv2d", 2, 3, kernel, **options), draw(2, 2, 6, 7), dtype=dtype)


@both
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1},
        {"dilation": 2, "groups": 2, "bias": False},
        {"padding": "same"},
        {"padding": 2, "padding_mode": "replicate"},
    ],
    ids=str,
)
def test_conv1d(options, dtype):
    compare(*same("Conv1d", 4, 6, 3, **options), draw(2, 4, 9), dtype=dtype)


TRANSPOSED = [
    {"stride": s, "padding": p, "output_padding": e, "dilation": d, "groups": g, "bias": b}
    for s, p, e, d, (g, b) in product([1, 2, (3, 2)], [0, (1, 0)], [0, (1, 0)], [1, (2, 1)], [(1, True), (2, False)])
    if e == 0 or s != 1 or d != 1
]


@both
@pytest.mark.parametrize("options", TRANSPOSED, ids=str)
def test_conv_transpose2d(options, dtype):
    compare(*same("ConvTranspose2d", 4, 6, (3, 2), **options), draw(2, 4, 4, 3), dtype=dtype)


@both
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": 0.7, "eps": 1e-3}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}],
    ids=str,
)
@pytest.mark.parametrize("name, shape", [("BatchNorm1d", (5, 3)), ("BatchNorm1d", (4, 3, 6)), ("BatchNorm2d", (4, 3, 2, 5))])
def test_batch_norm(name, shape, options, mode, dtype):
    ours, theirs = same(name, 3, **options)
    compare(ours, theirs, 1 + draw(*shape), dtype=dtype, calls=2)
    if mode == "eval":
        compare(ours.eval(), theirs.eval(), 1 + draw(*shape, seed=2), dtype=dtype)


@both
@pytest.mark.parametrize(
    "name, args, shape",
    [
        ("LayerNorm", (5,), (2, 3, 5)),
        ("LayerNorm", ((3, 5), 1e-3), (2, 3, 5)),
        ("LayerNorm", (5, 1e-5, True, False), (4, 5)),
        ("GroupNorm", (3, 6), (2, 6, 4)),
        ("GroupNorm", (2, 6, 1e-3, False), (2, 6, 4, 3)),
        ("InstanceNorm2d", (3,), (2, 3, 4, 5)),
        ("InstanceNorm2d", (3, 1e-3, 0.1, True), (2, 3, 4, 5)),
        ("InstanceNorm1d", (3, 1e-3, 0.1, True), (2, 3, 5)),
        ("RMSNorm", (5,), (2, 3, 5)),
        ("RMSNorm", ((3, 5), 1e-3), (2, 3, 5)),
        ("RMSNorm", (5, None, False), (4, 5)),
    ],
    ids=str,
)
def test_other_norms(name, args, shape, dtype):
    compare(*same(name, *args), 1 + draw(*shape), dtype=dtype)


@both
def test_instance_norm_with_running_statistics(dtype):
    ours, theirs = same("InstanceNorm2d", 3, affine=True, track_running_stats=True)
    compare(ours, theirs, 1 + draw(2, 3, 4, 5), dtype=dtype, calls=2)
    compare(ours.eval(), theirs.eval(), draw(2, 3, 4, 5, seed=3), dtype=dtype)
    ours, theirs = same("InstanceNorm1d", 3, affine=True, track_running_stats=True)
    compare(ours, theirs, 1 + draw(2, 3, 5), dtype=dtype, calls=2)
    compare(ours.eval(), theirs.eval(), draw(2, 3, 5, seed=3), dtype=dtype)


@both
@pytest.mark.parametrize(
    "name, options",
    [
        ("ReLU", {}),
        ("LeakyReLU", {}),
        ("LeakyReLU", {"negative_slope": 0.2}),
        ("PReLU", {}),
        ("PReLU", {"num_parameters": 3}),
        ("ELU", {}),
        ("ELU", {"alpha": 0.5}),
        ("GELU", {}),
        ("GELU", {"approximate": "tanh"}),
        ("SiLU", {}),
        ("Tanh", {}),
        ("Sigmoid", {}),
        ("Softplus", {}),
        ("Softplus", {"beta": 3.0, "threshold": 10.0}),
        ("Softmax", {"dim": 1}),
        ("Softmax", {"dim": -1}),
        ("LogSoftmax", {"dim": 1}),
        ("LogSigmoid", {}),
        ("GLU", {}),
        ("GLU", {"dim": 0}),
        ("Hardtanh", {}),
        ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}),
        ("SELU", {}),
        ("Mish", {}),
        ("Identity", {}),
        ("Flatten", {}),
        ("Flatten", {"start_dim": 0, "end_dim": 1}),
        ("Unflatten", {"dim": 2, "unflattened_size": (2, -1)}),
    ],
    ids=str,
)
def test_activations_and_shapes(name, options, dtype):
    x = np.concatenate([3 * draw(2, 3, 20), np.tile([0.0, -0.0, 40.0, -40.0], (2, 3, 1))], axis=2)
    compare(*same(name, **options), x, dtype=dtype)


@both
@pytest.mark.parametrize(
    "name, args",
    [
        ("MaxPool2d", (2,)),
        ("MaxPool2d", (3, 2, 1)),
        ("MaxPool2d", (2, 1, 0, 2)),
        ("MaxPool2d", ((3, 2), None, 1, 1, False, True)),
        ("AvgPool2d", (2,)),
        ("AvgPool2d", (3, 2, 1)),
        ("AvgPool2d", (3, 2, 1, True, False)),
        ("AdaptiveAvgPool2d", (1,)),
        ("AdaptiveAvgPool2d", ((3, 2),)),
        ("AdaptiveMaxPool2d", ((3, 2),)),
        ("Upsample", (None, 2)),
        ("Upsample", ((5, 9),)),
        ("Upsample", (None, 2, "bilinear")),
        ("Upsample", ((5, 9), None, "bilinear", True)),
        ("PixelShuffle", (2,)),
        ("PixelUnshuffle", (2,)),
        ("ZeroPad2d", ((1, 2, 0, 3),)),
        ("ReflectionPad2d", ((1, 2, 0, 3),)),
        ("ReplicationPad2d", (2,)),
        ("CircularPad2d", ((1, 2, 0, 3),)),
        ("ConstantPad2d", ((1, 2, 0, 3), 2.5)),
        ("Upsample", ((5, 9), None, "bicubic")),
        ("Upsample", (None, 1.7, "bicubic", True)),
    ],
    ids=str,
)
def test_pixels(name, args, dtype):
    compare(*same(name, *args), draw(2, 4, 6, 8), dtype=dtype)


@both
@pytest.mark.parametrize(
    "name, args", [("MaxPool1d", (2,)), ("MaxPool1d", (3, 2, 1)), ("AvgPool1d", (3, 2, 1, False, False))], ids=str
)
def test_pooling_along_one_axis(name, args, dtype):
    compare(*same(name, *args), draw(2, 4, 9), dtype=dtype)


@both
@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"dilation": 2, "groups": 2, "bias": False}], ids=str
)
def test_conv_transpose1d(options, dtype):
    compare(*same("ConvTranspose1d", 4, 6, 3, **options), draw(2, 4, 5), dtype=dtype)


@both
@pytest.mark.parametrize("args", [(2,), (3, 2, 1), ((2, 3), (2, 1))], ids=str)
def test_maxima_go_back_to_their_places(args, dtype):
    x = draw(2, 3, 7, 8).astype(dtype)
    a, b = mg.tensor(x, requires_grad=True), torch.from_numpy(x.copy()).requires_grad_()
    y, places = nn.MaxPool2d(*args, return_indices=True)(a)
    z, there = torch.nn.MaxPool2d(*args, return_indices=True)(b)
    np.testing.assert_array_equal(places.numpy(), there.numpy())
    near("MaxPool2d", dtype, 0.0, y.data, z, "output")
    if args == (2,):  # windows that do not overlap: else torch takes any one of two maxima with one place
        up, high = nn.MaxUnpool2d(*args)(y * y, places), torch.nn.MaxUnpool2d(*args)(z * z, there)
        near("MaxUnpool2d", dtype, 0.0, up.data, high, "output")
        g = draw(*up.shape).astype(dtype)
        (up * mg.Tensor(g)).sum().backward()
        (high * torch.from_numpy(g)).sum().backward()
        near("MaxUnpool2d", dtype, LIMITS[dtype][1], a.grad.data, b.grad, "gradient")


MASKS = {
    "none": {},
    "causal": {"attn_mask": ~np.tri(4, 5, dtype=bool)},
    "numbers": {"attn_mask": draw(4, 5, seed=9)},
    "padding": {"key_padding_mask": np.array([[False] * 5, [False, False, True, True, False]])},
    "both": {
        "attn_mask": ~np.tri(4, 5, dtype=bool),
        "key_padding_mask": np.array([[False] * 5, [False, True, True, False, False]]),
    },
    "heads": {"attn_mask": draw(4, 4, 5, seed=8)},
    "weights of heads": {"average_attn_weights": False},
    "no weights": {"need_weights": False},
}


@both
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", [{}, {"bias": False, "batch_first": True}, {"kdim": 3, "vdim": 5}], ids=str)
@pytest.mark.filterwarnings("ignore:Support for mismatched")
def test_multihead_attention(options, mask, dtype):
    ours, theirs = same("MultiheadAttention", 6, 2, **options)
    ours, theirs = ours.to(dtype), theirs.to(torch.float64 if dtype == np.float64 else torch.float32)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({key: torch.from_numpy(value) for key, value in ours.state_dict().items()})
    shapes = [(4, 2, 6), (5, 2, ours.kdim), (5, 2, ours.vdim)]
    if ours.batch_first:
        shapes = [(n, length, size) for length, n, size in shapes]
    xs = [draw(*shape, seed=k).astype(dtype) for k, shape in enumerate(shapes)]
    of = {k: v.astype(dtype) if isinstance(v, np.ndarray) and v.dtype != bool else v for k, v in MASKS[mask].items()}
    a = [mg.tensor(x, requires_grad=True) for x in xs]
    b = [torch.from_numpy(x.copy()).requires_grad_() for x in xs]
    (y, w), (z, v) = (
        ours(*a, **of),
        theirs(*b, **{k: torch.from_numpy(m) if isinstance(m, np.ndarray) else m for k, m in of.items()}),
    )
    near("MultiheadAttention", dtype, LIMITS[dtype][0], y.data, z, "output")
    assert (w is None) == (v is None)
    if w is not None:
        near("MultiheadAttention", dtype, LIMITS[dtype][0], w.data, v, "output")
    g = draw(*y.shape, seed=7).astype(dtype)
    y.backward(mg.Tensor(g))
    z.backward(torch.from_numpy(g))
    pairs = [*zip(a, b), *((p, dict(theirs.named_parameters())[name]) for name, p in ours.named_parameters())]
    for p, q in pairs:
        near("MultiheadAttention", dtype, LIMITS[dtype][1], p.grad.data, q.grad, "gradient")


@both
@pytest.mark.parametrize("options", [{}, {"norm_first": True, "activation": "gelu", "batch_first": True}], ids=str)
def test_transformer_encoder_layer(options, dtype):
    compare(*same("TransformerEncoderLayer", 6, 2, 8, 0.0, **options), draw(4, 3, 6), dtype=dtype)


@both
@pytest.mark.parametrize(
    "name, options, shapes",
    [
        ("cosine_similarity", {"dim": -1}, [(4, 3), (3,)]),
        ("pairwise_distance", {"p": 3.0}, [(4, 3), (4, 3)]),
        ("cosine_embedding_loss", {"margin": -0.5}, [(4, 3), (4, 3), "sign"]),
        ("triplet_margin_loss", {"p": 1.5, "swap": True}, [(4, 3)] * 3),
        ("triplet_margin_loss", {"reduction": "none"}, [(4, 3)] * 3),
        ("normalize", {"p": 3.0, "dim": 0}, [(4, 3)]),
        ("gaussian_nll_loss", {"full": True}, [(4, 3), (4, 3), "positive"]),
        ("scaled_dot_product_attention", {}, [(2, 4, 3), (2, 5, 3), (2, 5, 2)]),
        ("scaled_dot_product_attention", {"is_causal": True, "scale": 0.3}, [(2, 4, 3), (2, 4, 3), (2, 4, 2)]),
        ("interpolate", {"size": (3, 5), "mode": "area"}, [(2, 3, 6, 7)]),
        ("interpolate", {"size": 5, "mode": "area"}, [(2, 3, 7)]),
    ],
    ids=str,
)
def test_functions_of_several_arrays(name, options, shapes, dtype):
    made = {"sign": np.array([1.0, -1.0, 1.0, -1.0]), "positive": np.full((4, 3), 0.7)}
    xs = [made.get(s) if isinstance(s, str) else draw(*s, seed=k) for k, s in enumerate(shapes)]
    a = [mg.tensor(x.astype(dtype), requires_grad=not isinstance(s, str)) for x, s in zip(xs, shapes)]
    b = [torch.from_numpy(x.astype(dtype)).requires_grad_(not isinstance(s, str)) for x, s in zip(xs, shapes)]
    y, z = getattr(nn.functional, name)(*a, **options), getattr(torch.nn.functional, name)(*b, **options)
    near(name, dtype, LIMITS[dtype][0], y.data, z, "output")
    y.sum().backward()
    z.sum().backward()
    for p, q in zip(a, b):
        if p.requires_grad:
            near(name, dtype, LIMITS[dtype][1], p.grad.data, q.grad, "gradient")


RECURRENT = [{}, {"num_layers": 2, "bidirectional": True}, {"bias": False, "batch_first": True}]


@both
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("options", RECURRENT, ids=str)
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_sequences(name, options, given, dtype):
    ours, theirs = same(name, 3, 4, **options)
    count = ours.num_layers * (2 if ours.bidirectional else 1)
    states = [draw(count, 2, 4, seed=i) for i in range(2, 2 + ours.states)] if given else []
    compare(ours, theirs, draw(2, 6, 3) if ours.batch_first else draw(6, 2, 3), *states, dtype=dtype)


@both
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["LSTMCell", "GRUCell", "RNNCell"])
def test_cells(name, bias, dtype):
    ours, theirs = same(name, 3, 4, bias=bias)
    compare(ours, theirs, draw(2, 3), *[draw(2, 4, seed=i) for i in range(2, 2 + ours.states)], dtype=dtype)
    compare(ours, theirs, draw(2, 3), dtype=dtype)


@both
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize(
    "name, args, shape",
    [("Linear", (3, 4), (5, 3)), ("Conv2d", (2, 3, 3), (2, 2, 5, 5)), ("ConvTranspose2d", (2, 3, 3), (2, 2, 4, 4))],
)
def test_spectral_norm(name, args, shape, mode, dtype):
    ours, theirs = same(name, *args)
    utils.spectral_norm(ours, n_power_iterations=2)
    torch.nn.utils.spectral_norm(theirs, n_power_iterations=2)
    compare(ours, theirs, draw(*shape), dtype=dtype, calls=3)
    if mode == "eval":
        compare(ours.eval(), theirs.eval(), draw(*shape, seed=4), dtype=dtype)


@both
def test_a_whole_generator_and_discriminator(dtype):
    def dcgan(lib):
        g = lib.Sequential(
            lib.Linear(8, 16 * 16),
            lib.Unflatten(1, (16, 4, 4)),
            lib.BatchNorm2d(16),
            lib.ReLU(inplace=True),
            lib.ConvTranspose2d(16, 8, 4, 2, 1, bias=False),
            lib.BatchNorm2d(8),
            lib.LeakyReLU(0.2),
            lib.ConvTranspose2d(8, 1, 4, 2, 1),
            lib.Tanh(),
        )
        d = lib.Sequential(
            lib.Conv2d(1, 8, 4, 2, 1),
            lib.LeakyReLU(0.2, inplace=True),
            lib.Dropout(0.0),
            lib.Conv2d(8, 16, 4, 2, 1),
            lib.InstanceNorm2d(16, affine=True),
            lib.LeakyReLU(0.2),
            lib.Flatten(),
            lib.Linear(256, 1),
        )
        return lib.Sequential(g, d)

    compare(dcgan(nn), dcgan(torch.nn), draw(6, 8), dtype=dtype, calls=2)


@both
@pytest.mark.parametrize(
    "name, options, target",
    [
        ("MSELoss", {}, "like"),
        ("MSELoss", {"reduction": "sum"}, "like"),
        ("L1Loss", {"reduction": "none"}, "like"),
        ("SmoothL1Loss", {"beta": 0.5}, "like"),
        ("HuberLoss", {"delta": 0.5}, "like"),
        ("BCEWithLogitsLoss", {}, "unit"),
        ("BCEWithLogitsLoss", {"pos_weight": [0.5, 2, 3]}, "unit"),
        ("CrossEntropyLoss", {}, "label"),
        ("CrossEntropyLoss", {"weight": [0.5, 2, 3], "label_smoothing": 0.1, "ignore_index": 1}, "label"),
        ("CrossEntropyLoss", {}, "distribution"),
        ("NLLLoss", {"weight": [0.5, 2, 3]}, "label"),
        ("KLDivLoss", {}, "distribution"),
        ("KLDivLoss", {"reduction": "batchmean"}, "distribution"),
        ("PoissonNLLLoss", {}, "like"),
        ("PoissonNLLLoss", {"full": True, "reduction": "sum"}, "count"),
        ("HingeEmbeddingLoss", {}, "sign"),
        ("HingeEmbeddingLoss", {"margin": 0.3, "reduction": "none"}, "sign"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # torch warns of KLDivLoss' mean
def test_losses(name, options, target, dtype):
    x = draw(5, 3).astype(dtype)
    t = {
        "like": draw(5, 3, seed=2),
        "unit": np.random.default_rng(3).random((5, 3)),
        "label": np.array([0, 2, 1, 1, 0]),
        "count": np.random.default_rng(3).poisson(2.0, (5, 3)),
        "sign": np.random.default_rng(3).choice([-1.0, 1.0], (5, 3)),
        "distribution": np.random.default_rng(3).dirichlet(np.ones(3), 5),
    }[target]
    t = t if target == "label" else t.astype(dtype)
    weights = {k: np.array(v, dtype) for k, v in options.items() if isinstance(v, list)}
    plain = {k: v for k, v in options.items() if not isinstance(v, list)}
    ours = getattr(nn, name)(**plain, **weights)
    theirs = getattr(torch.nn, name)(**plain, **{k: torch.from_numpy(v) for k, v in weights.items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    a, b = mg.tensor(x, requires_grad=True), torch.from_numpy(x.copy()).requires_grad_()
    y, z = ours(a, mg.tensor(t)), theirs(b, torch.from_numpy(t))
    near(name, dtype, LIMITS[dtype][0], y.data, z, "output")
    y.sum().backward()
    z.sum().backward()
    near(name, dtype, LIMITS[dtype][1], a.grad.data, b.grad, "gradient")


@pytest.mark.parametrize("limit", [0.1, 3.0, 1000.0])
@pytest.mark.parametrize("norm_type", [2.0, float("inf"), 1.0, 3.0, 0.5])
def test_clipping(norm_type, limit):
    grads = [draw(4, 3).astype(np.float32), draw(5, seed=2).astype(np.float32)]
    ours, theirs = [], []
    for g in grads:
        ours.append(nn.Parameter(np.zeros_like(g)))
        ours[-1].grad = mg.tensor(g)
        theirs.append(torch.nn.Parameter(torch.zeros(g.shape)))
        theirs[-1].grad = torch.from_numpy(g.copy())
    total = utils.clip_grad_norm_(ours, limit, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, limit, norm_type)
    assert total.item() == pytest.approx(expected.item(), rel=1e-6)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), rtol=1e-6)


MODULES = [name for name, value in vars(nn).items() if isinstance(value, type) and issubclass(value, nn.Module)]
DEPRECATED = {"size_average", "reduce"}
# What torch has and minigan has not, beyond device, dtype and what is deprecated.
LEFT_OUT = {
    "Embedding": {"max_norm", "norm_type", "scale_grad_by_freq", "sparse", "_weight", "_freeze"},
    "AvgPool2d": {"divisor_override"},
    "AdaptiveMaxPool2d": {"return_indices"},
    "Upsample": {"recompute_scale_factor"},
    "LSTM": {"proj_size"},
    "BatchNorm1d": {"bias"},
    "BatchNorm2d": {"bias"},
    "InstanceNorm2d": {"bias"},
    "InstanceNorm1d": {"bias"},
    "GroupNorm": {"bias"},
    "MultiheadAttention": {"add_bias_kv", "add_zero_attn"},
    "Hardtanh": {"min_value", "max_value"},
}


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in MODULES
        if n
        not in (
            "Module",
            "Sequential",
            "ModuleList",
            "ModuleDict",
            "Identity",
            "GRU",
            "LSTM",
            "RNN",
            "Unflatten",
            "MinibatchDiscrimination",
            "VirtualBatch",
            "VirtualBatchNorm",
        )
    ],
)  # the last three torch has not
def test_arguments_have_torchs_names_order_and_defaults(name):
    ours = dict(inspect.signature(getattr(nn, name)).parameters)
    theirs = {
        k: p
        for k, p in inspect.signature(getattr(torch.nn, name)).parameters.items()
        if k not in {"args", "kwargs"} | DEPRECATED | {"device", "dtype"} | LEFT_OUT.get(name, set())
    }
    assert list(ours) == list(theirs)
    for key, p in ours.items():
        # torch guesses the axis of a softmax, and warns; its default activation is the function
        if (name, key) not in (("Softmax", "dim"), ("LogSoftmax", "dim"), ("TransformerEncoderLayer", "activation")):
            assert p.default == theirs[key].default, key


@pytest.mark.parametrize(
    "name, args",
    [
        ("Linear", (50, 400)),
        ("Conv2d", (8, 64, 3)),
        ("ConvTranspose2d", (64, 8, 3)),
        ("Conv1d", (8, 200, 3)),
        ("Embedding", (100, 100)),
        ("LSTM", (30, 40)),
        ("GRUCell", (30, 40)),
    ],
)
def test_starting_distributions_are_torchs(name, args):
    torch.manual_seed(0)
    ours, theirs = same(name, *args)
    for (key, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        if a.size > 3000:
            assert a.data.std() == pytest.approx(b.detach().numpy().std(), rel=0.05), key
        if a.size > 3000 and name != "Embedding":
            assert abs(a.data).max() == pytest.approx(abs(b.detach().numpy()).max(), rel=0.02), key


@pytest.mark.parametrize(
    "name, options",
    [
        ("xavier_uniform_", {}),
        ("xavier_normal_", {"gain": 2.0}),
        ("kaiming_uniform_", {"a": 5**0.5}),
        ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}),
        ("orthogonal_", {"gain": 2.0}),
        ("trunc_normal_", {"std": 0.5, "a": -0.4, "b": 0.6}),
        ("uniform_", {"a": -1.0, "b": 3.0}),
        ("normal_", {"std": 3.0}),
    ],
)
def test_initialisers_have_torchs_spread(name, options):
    torch.manual_seed(0)
    ours = getattr(init, name)(mg.zeros((120, 40, 3)), **options).data
    theirs = getattr(torch.nn.init, name)(torch.zeros(120, 40, 3), **options).numpy()
    assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.03 * float(theirs.std()))


def test_gains_are_torchs():
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
