"""Some four hundred odd calls, made from the signatures: every public function and layer with each kind of wrong argument.

None ends in a raw error of Python's or NumPy's: what is refused is refused by one of minigan's classes, in a line or two that
name the function.  What is accepted is accepted; the values are tested elsewhere.
"""

import inspect
import warnings

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import MiniganError
from minigan.nn import functional as F

I, A = np.array([0, 2, 1]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
IMAGE, LINE = np.ones((2, 4, 6, 6), np.float32), np.ones((2, 4, 6), np.float32)
P = np.full((2, 3), 0.5, np.float32)
SQUARE = np.array([[3.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 5.0]], np.float32)

# A call that works: the arguments by name, where they are not those of USUAL.
USUAL = {"x": A, "input": A, "a": A, "b": A, "target": P, "condition": A > 2, "arrays": [A, A], "axis": 1, "shape": (3, 2)}
CALLS = {
    "moveaxis": {"source": 0, "destination": 1},
    "swapaxes": {"axis1": 0, "axis2": 1},
    "expand_dims": {"axis": 0},
    "squeeze": {"x": A[None], "axis": 0},
    "broadcast_to": {"shape": (2, 2, 3)},
    "sum_to": {"shape": (1, 3)},
    "split": {"sections": 3},
    "pad": {"pad_width": 1},
    "roll": {"shift": 1},
    "repeat": {"repeats": 2},
    "tile": {"reps": 2},
    "astype": {"dtype": "float64"},
    "getitem": {"index": 0},
    "scatter_into": {"shape": (5, 3), "index": [0, 3]},
    "take": {"indices": [0, 1]},
    "take_along_axis": {"indices": np.array([[0], [1]])},
    "scatter_add": {"indices": [0, 1], "values": A, "axis": 0},
    "one_hot": {"labels": I, "num_classes": 3},
    "embedding": {"indices": [0, 1], "weight": A, "padding_idx": 1},
    "matmul": {"b": A.T},
    "dot": {"b": A.T},
    "outer": {"a": A[0], "b": A[0]},
    "tensordot": {"b": A.T, "axes": 1},
    "linear": {"weight": A, "bias": A[:, 0]},
    "einsum": ("ij,kj->ik", A, A),
    "transpose": {"axes": (1, 0)},
    "conv1d": {"x": LINE, "weight": np.ones((4, 2, 3), np.float32), "bias": np.ones(4, np.float32), "groups": 2},
    "conv2d": {"x": IMAGE, "weight": np.ones((4, 2, 3, 3), np.float32), "bias": np.ones(4, np.float32), "groups": 2},
    "conv_transpose2d": {"x": IMAGE, "weight": np.ones((4, 2, 3, 3), np.float32), "bias": np.ones(4, np.float32), "groups": 2},
    "batch_norm": {"weight": A[0], "bias": A[0], "running_mean": mg.zeros(3), "running_var": mg.ones(3)},
    "layer_norm": {"normalized_shape": 3, "weight": A[0], "bias": A[0]},
    "group_norm": {"num_groups": 3, "weight": A[0], "bias": A[0]},
    "instance_norm": {"x": LINE, "weight": LINE[0, :, 0], "bias": LINE[0, :, 0]},
    "fold": {"x": np.ones((1, 4, 25)), "output_size": 6},
    "adaptive_avg_pool2d": {"output_size": 2},
    "adaptive_max_pool2d": {"output_size": 2},
    "interpolate": {"size": 3},
    "pixel_shuffle": {"upscale_factor": 2},
    "pixel_unshuffle": {"downscale_factor": 2},
    "cross_entropy": {"target": [0, 1], "weight": A[0]},
    "nll_loss": {"target": [0, 1], "weight": A[0]},
    "binary_cross_entropy": {"input": P, "weight": P},
    "binary_cross_entropy_with_logits": {"weight": P, "pos_weight": P},
    "arcsin": {"x": P},
    "arccos": {"x": P},
    "gaussian_nll_loss": {"var": P},
    "clip": {"min": 0.0, "max": 2.0},
    "solve": {"a": SQUARE, "b": A.T},
    "inv": {"a": SQUARE},
    "det": {"a": SQUARE},
    "slogdet": {"a": SQUARE},
    "cholesky": {"a": SQUARE},
    "eigh": {"a": SQUARE},
    "svd": {"full_matrices": False},
    "topk": {"k": 2},
    "quantile": {"q": 0.5},
    "searchsorted": {"a": A[0], "v": A},
    "lerp": {"weight": 0.5},
    "meshgrid": (A[0], A[1]),
    "scaled_dot_product_attention": {"query": A, "key": A, "value": A},
    "rms_norm": {"normalized_shape": 3, "weight": A[0]},
    "conv_transpose1d": {"x": LINE, "weight": np.ones((4, 2, 3), np.float32), "bias": np.ones(4, np.float32), "groups": 2},
    "max_unpool2d": {"indices": np.zeros((2, 4, 6, 6), np.int64)},
    "cosine_similarity": {"x1": A, "x2": A},
    "pairwise_distance": {"x1": A, "x2": A},
    "cosine_embedding_loss": {"input1": A, "input2": A, "target": [1, -1]},
    "triplet_margin_loss": {"anchor": A, "positive": A, "negative": A},
    "F.pad": {"pad": (1, 1)},
    "F.softmax": {"dim": 1},
    "F.glu": {"dim": 0},
    "F.log_softmax": {"dim": 1},
    "F.instance_norm": {"input": LINE},
}
POOLED = ("pool2d", "interpolate", "pixel", "unfold", "dropout2d")

LAYERS = {
    "Linear": (3, 2),
    "Embedding": (5, 3),
    "Conv1d": (4, 2, 3),
    "Conv2d": (4, 2, 3),
    "ConvTranspose2d": (4, 2, 3),
    "ConvTranspose1d": (4, 2, 3),
    "MultiheadAttention": (3, 1),
    "TransformerEncoderLayer": (3, 1, 4),
    "ConstantPad2d": (1, 2.0),
    "CircularPad2d": (1,),
    "MaxUnpool2d": (2,),
    "MaxPool1d": (2,),
    "AvgPool1d": (2,),
    "InstanceNorm1d": (4,),
    "RMSNorm": (3,),
    "RNN": (3, 2),
    "RNNCell": (3, 2),
    "PReLU": (1,),
    "Softmax": (1,),
    "LogSoftmax": (1,),
    "Unflatten": (1, (3, 1)),
    "ZeroPad2d": (1,),
    "ReflectionPad2d": (1,),
    "ReplicationPad2d": (1,),
    "MaxPool2d": (2,),
    "AvgPool2d": (2,),
    "AdaptiveAvgPool2d": (2,),
    "AdaptiveMaxPool2d": (2,),
    "Upsample": (4,),
    "PixelShuffle": (2,),
    "PixelUnshuffle": (2,),
    "BatchNorm1d": (3,),
    "BatchNorm2d": (4,),
    "InstanceNorm2d": (4,),
    "LayerNorm": (3,),
    "GroupNorm": (3, 3),
    "LSTM": (3, 2),
    "GRU": (3, 2),
    "LSTMCell": (3, 2),
    "GRUCell": (3, 2),
    "MinibatchDiscrimination": (3,),
}
INPUTS = {"Embedding": I, "Conv1d": LINE, "ConvTranspose1d": LINE, "InstanceNorm1d": LINE, "MaxPool1d": LINE, "AvgPool1d": LINE}
MORE = {  # what a layer is called with beside its first argument
    "KLDivLoss": (np.zeros_like(A),),
    "CosineEmbeddingLoss": (A, [1, -1]),
    "TripletMarginLoss": (A, A),
    "GaussianNLLLoss": (P, P),
    "MaxUnpool2d": (np.zeros((2, 4, 6, 6), np.int64),),
    "MultiheadAttention": (A, A),
}
NOT_CALLED = {"Sequential", "ModuleList", "ModuleDict", "Module", "VirtualBatch", "VirtualBatchNorm", "Identity"}

ODD = {
    "None": None,
    "text": "abc",
    "an object": object(),
    "a fraction": 1.5,
    "below 0": -7,
    "nothing": [],
    "uneven lists": [[1, 2], [3]],
    "words": np.array(["a", "b"]),
    "complex": np.array([1j]),
    "a dict": {"a": 1},
    "a list": [1.0, 2.0],
    "NaN": float("nan"),
    "too many": (1, 1, 1, 1, 1, 1, 1),
    "a cube": np.ones((2, 2, 2), np.float32),
    "NumPy's int": np.int64(1),
    "halves": A.astype("float16"),
}


def functions():
    for name in mg.ops.__all__:
        yield name, getattr(mg, name)
    for (
        name
    ) in "softplus logsigmoid glu hardtanh selu mish softmax log_softmax instance_norm normalize pad dropout dropout2d".split():
        yield f"F.{name}", getattr(F, name)
    for name in ("zeros", "ones", "full", "eye"):
        yield name, getattr(mg, name)


def good(name, f):
    """Arguments of a call that works."""
    own = CALLS.get(name, {})
    if isinstance(own, tuple):
        return own, {}
    arguments = {}
    for p in inspect.signature(f).parameters.values():
        if p.name in own:
            arguments[p.name] = own[p.name]
        elif p.default is p.empty or p.name == "axis":
            arguments[p.name] = {"kernel_size": 2, "fill_value": 1.0, "n": 3}.get(p.name, USUAL.get(p.name))
            if p.name in ("x", "input") and any(word in name for word in POOLED):
                arguments[p.name] = IMAGE
            if p.name in ("x", "input") and "pool1d" in name:
                arguments[p.name] = LINE
    return (), arguments


def odd_calls():
    """(name, what is odd, a call) for every function, layer and optimizer, each argument in turn, each odd value."""
    for name, f in functions():
        args, params = good(name, f)
        names = list(range(len(args))) or list(inspect.signature(f).parameters)
        for place in names:
            for what, value in ODD.items():
                if args:
                    call = lambda f=f, a=(*args[:place], value, *args[place + 1 :]): f(*a)
                else:
                    call = lambda f=f, p={**params, place: value}: f(**p)
                yield f"{name}({place})", what, call
    for name in dir(nn):
        layer = getattr(nn, name)
        if not (isinstance(layer, type) and issubclass(layer, nn.Module)) or name in NOT_CALLED:
            continue
        names = list(inspect.signature(layer).parameters)
        known = dict(zip(names, LAYERS.get(name, ())))
        for place in names:
            for what, value in ODD.items():
                yield f"nn.{name}({place})", what, lambda layer=layer, p={**known, place: value}, n=name: _used(layer, p, n)
        for what, value in ODD.items():
            yield f"nn.{name}()(x)", what, lambda layer=layer, p=known, v=value, n=name: _called(layer(**p), v, n)
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "LBFGS", "CoordinateDescent", "ConjugateGradient"):
        made = getattr(mg.optim, name)
        for place in inspect.signature(made).parameters.keys() - {"options"}:
            for what, value in ODD.items():
                known = {"params": [mg.tensor([1.0], requires_grad=True)], "lr": 0.1, place: value}
                yield f"optim.{name}({place})", what, lambda made=made, p=known: made(**p)


def _used(layer, params, name):
    """The layer made, and called with an input that suits it."""
    return _called(layer(**params), INPUTS.get(name, IMAGE if "2d" in name or "Up" in name or "Pixel" in name else A), name)


def _called(made, x, name):
    return made(x, *MORE.get(name, (P,) if name.endswith("Loss") else ()))


def outcome(call):
    """'fine', 'refused', or the raw error and its line."""
    mg.seed(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            call()
            return "fine"
        except MiniganError as error:
            text = str(error)
            return "refused" if text and len(text) < 500 else f"says {text!r}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", [name for name, _ in functions()])
def test_the_call_that_the_odd_ones_are_made_from_works(name):
    f = dict(functions())[name]
    args, params = good(name, f)
    f(*args, **params)


def test_no_odd_call_ends_in_a_raw_error():
    outcomes = [(f"{where}: {what}", outcome(call)) for where, what, call in odd_calls()]
    raw = [f"{where}: {result}" for where, result in outcomes if result not in ("fine", "refused")]
    assert not raw, "\n".join(raw)
    refused = sum(result == "refused" for _, result in outcomes)
    assert len(outcomes) > 400 and refused > 400  # the calls are made, and most are odd
