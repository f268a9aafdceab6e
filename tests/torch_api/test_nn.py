"""minigan.torch's layers and functions of networks: written-out values, and PyTorch's layers with the same weights."""

import numpy as np
import pytest

import minigan as mg
import minigan.torch as torch
from minigan.errors import ConfigError
from minigan.torch import nn
from minigan.torch.nn import functional as F
from minigan.torch.tensor import lift

IMAGE, ROWS, STEPS = (2, 4, 8, 8), (3, 6), (5, 2, 3)
# (layer, arguments, shape of the input): every layer with PyTorch's arguments, in PyTorch's order.
LAYERS = [
    ("Linear", (6, 5), {}, ROWS),
    ("Conv1d", (3, 4, 3), {"padding": 1}, (2, 3, 9)),
    ("Conv2d", (4, 6, 3, 2, 1), {"bias": False}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": 1, "padding_mode": "circular"}, IMAGE),
    ("ConvTranspose1d", (3, 4, 4, 2, 1), {}, (2, 3, 9)),
    ("ConvTranspose2d", (4, 3, 4, 2, 1), {}, IMAGE),
    ("BatchNorm1d", (6, 0.8), {}, ROWS),
    ("BatchNorm2d", (4,), {}, IMAGE),
    ("InstanceNorm2d", (4,), {}, IMAGE),
    ("InstanceNorm2d", (9,), {}, IMAGE),  # without weights nobody counts the channels
    ("InstanceNorm1d", (3,), {"affine": True}, (2, 3, 9)),
    ("LayerNorm", (6,), {}, ROWS),
    ("GroupNorm", (2, 4), {}, IMAGE),
    ("RMSNorm", (6,), {}, ROWS),
    ("MaxPool2d", (2,), {}, IMAGE),
    ("AvgPool2d", (2, 2), {}, IMAGE),
    ("AdaptiveAvgPool2d", (2,), {}, IMAGE),
    ("Upsample", (), {"scale_factor": 2}, IMAGE),
    ("PixelShuffle", (2,), {}, IMAGE),
    ("ReflectionPad2d", (1,), {}, IMAGE),
    ("ZeroPad2d", ((1, 0, 1, 0),), {}, IMAGE),
    ("Flatten", (), {}, IMAGE),
    ("Unflatten", (1, (2, 3)), {}, ROWS),
    ("Identity", (), {}, ROWS),
    ("ReLU", (True,), {}, ROWS),
    ("LeakyReLU", (0.2,), {"inplace": True}, ROWS),
    ("PReLU", (), {}, ROWS),
    ("ELU", (), {}, ROWS),
    ("SELU", (), {}, ROWS),
    ("GELU", (), {}, ROWS),
    ("SiLU", (), {}, ROWS),
    ("Mish", (), {}, ROWS),
    ("Softplus", (), {}, ROWS),
    ("Hardtanh", (), {}, ROWS),
    ("Tanh", (), {}, ROWS),
    ("Sigmoid", (), {}, ROWS),
    ("Softmax", (1,), {}, ROWS),
    ("Softmax", (), {}, ROWS),
    ("LogSoftmax", (), {"dim": -1}, ROWS),
    ("GLU", (), {}, ROWS),
    ("RNN", (3, 4), {"nonlinearity": "relu"}, STEPS),
    ("GRU", (3, 4, 2), {"bidirectional": True}, STEPS),
    ("LSTM", (3, 4), {"batch_first": True}, STEPS),
    ("TransformerEncoderLayer", (6, 2, 8, 0.0), {"batch_first": True}, (2, 3, 6)),
]


def of_both(name, args, options):
    """The layer and PyTorch's, with the same weights."""
    theirs = getattr(pytest.importorskip("torch").nn, name)(*args, **options)
    ours = getattr(nn, name)(*args, **options)
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def first(y):
    return y[0] if isinstance(y, tuple) else y


@pytest.mark.filterwarnings("ignore:input's size", "ignore:Implicit dimension choice")
@pytest.mark.parametrize("name, args, options, shape", LAYERS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_layer_and_its_gradients_are_pytorchs(name, args, options, shape):
    theirs_torch = pytest.importorskip("torch")
    ours, theirs = of_both(name, args, options)
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    found = []
    for t, layer in ((torch, ours), (theirs_torch, theirs)):
        x = t.tensor(values, requires_grad=True)
        y = first(layer(x * 1))  # in-place layers may not change a leaf
        (y * y).sum().backward()
        found.append([y.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())])
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)
    assert [tuple(p.shape) for p in ours.parameters()] == [tuple(p.shape) for p in theirs.parameters()]
    assert list(ours.state_dict()) == list(theirs.state_dict())


LOSSES = [
    ("MSELoss", {}, "floats"),
    ("L1Loss", {"size_average": False}, "floats"),
    ("SmoothL1Loss", {}, "floats"),
    ("BCELoss", {}, "shares"),
    ("BCEWithLogitsLoss", {"reduce": False}, "shares"),
    ("CrossEntropyLoss", {"ignore_index": 1}, "classes"),
    ("NLLLoss", {"reduction": "sum"}, "classes"),
    ("KLDivLoss", {"reduction": "batchmean"}, "shares"),
]


@pytest.mark.filterwarnings("ignore:size_average", "ignore:reduction")
@pytest.mark.parametrize("name, options, kind", LOSSES)
def test_a_loss_is_pytorchs(name, options, kind):
    theirs = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
    target = {
        "floats": rng.standard_normal((4, 3)),
        "shares": rng.uniform(0.1, 0.9, (4, 3)),
        "classes": np.array([0, 1, 2, 2]),
    }[kind]
    target = target if kind == "classes" else target.astype(np.float32)
    a = getattr(nn, name)(**options)(torch.tensor(x), torch.tensor(target))
    b = getattr(theirs.nn, name)(**options)(theirs.tensor(x), theirs.tensor(target))
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


def test_a_written_out_layer():
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -1.0]]))
        layer.bias.fill_(0.5)
    layer(torch.tensor([[1.0, 3.0]])).backward()
    assert layer(torch.tensor([[1.0, 3.0]])).item() == -0.5 and layer.weight.grad.tolist() == [[1.0, 3.0]]


def test_inplace_changes_the_tensor_that_was_given():
    x = torch.tensor([-1.0, 2.0])
    y = nn.ReLU(inplace=True)(x)
    assert x.tolist() == [0.0, 2.0] and y is x
    assert F.relu(torch.tensor([-1.0])).item() == 0.0
    w = torch.tensor([-1.0, 2.0], requires_grad=True)
    h = w * 3
    (nn.LeakyReLU(0.5, inplace=True)(h) + h).sum().backward()  # both terms see the new values
    assert w.grad.tolist() == [3.0, 6.0]


def test_second_derivatives_go_through_the_layers():
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    x = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    ((g.norm(2, dim=1) - 1) ** 2).mean().backward()
    assert net[0].weight.grad.abs().sum() > 0

    values = x.detach().numpy()

    def penalty(weight):
        """A slope penalty by the weight of one layer, as a function of minigan's tensors."""
        inner = torch.tensor(values, requires_grad=True)
        (slope,) = torch.autograd.grad(torch.tanh(F.linear(inner, lift(weight))).sum(), inner, create_graph=True)
        return ((slope.norm(2, dim=1) - 1) ** 2).mean().engine

    mg.gradcheck(penalty, net[0].weight.detach().numpy(), order=2)


def test_spectral_and_weight_norm():
    layer = nn.utils.spectral_norm(nn.Linear(8, 4), n_power_iterations=30)
    layer(torch.randn(2, 8))
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, abs=1e-4)
    assert {"weight_orig", "weight_u", "weight_v", "bias"} == set(layer.state_dict())
    layer.eval()
    u = layer.weight_u.tolist()
    before = layer(torch.ones(1, 8)).tolist()
    assert layer.weight_u.tolist() == u
    nn.utils.remove_spectral_norm(layer)
    np.testing.assert_allclose(layer(torch.ones(1, 8)).tolist(), before, rtol=1e-6)
    assert "weight" in dict(layer.named_parameters())

    plain = nn.Conv2d(2, 3, 3)
    x = torch.randn(1, 2, 5, 5)
    expected = plain(x).tolist()
    normed = nn.utils.weight_norm(plain)
    np.testing.assert_allclose(normed(x).tolist(), expected, rtol=1e-5, atol=1e-6)
    assert {"weight_g", "weight_v", "bias"} == set(normed.state_dict()) and normed.weight_g.shape == (3, 1, 1, 1)
    with pytest.raises(ConfigError, match="has it already"):
        nn.utils.weight_norm(normed)


def test_spectral_norm_is_pytorchs():
    theirs = pytest.importorskip("torch")
    a, b = (
        nn.utils.spectral_norm(nn.ConvTranspose2d(4, 3, 3)),
        theirs.nn.utils.spectral_norm(theirs.nn.ConvTranspose2d(4, 3, 3)),
    )
    a.load_state_dict({k: v.numpy() for k, v in b.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((1, 4, 5, 5)).astype(np.float32)
    for _ in range(2):
        ya, yb = a(torch.tensor(x)), b(theirs.tensor(x))
        np.testing.assert_allclose(ya.detach().numpy(), yb.detach().numpy(), rtol=1e-4, atol=1e-5)
    ya.sum().backward()
    yb.sum().backward()
    np.testing.assert_allclose(a.weight_orig.grad.numpy(), b.weight_orig.grad.numpy(), rtol=1e-3, atol=1e-4)


def test_clipping_and_vectors():
    net = nn.Linear(2, 1)
    net.weight.grad, net.bias.grad = torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])
    assert nn.utils.clip_grad_norm_(net.parameters(), 1.0).item() == pytest.approx(5.0)
    assert net.weight.grad[0, 0].item() == pytest.approx(0.6, abs=1e-5)
    nn.utils.clip_grad_value_(net.parameters(), 0.1)
    assert net.bias.grad.item() == pytest.approx(0.1)
    vector = nn.utils.parameters_to_vector(net.parameters())
    nn.utils.vector_to_parameters(vector * 0, net.parameters())
    assert vector.shape == (3,) and net.weight.tolist() == [[0.0, 0.0]]


def test_initialisers_reach_the_weights_by_every_way():
    layer = nn.Linear(200, 200)
    assert nn.init.normal_(layer.weight.data, 0.0, 0.02) is not None
    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    nn.init.constant_(layer.bias, 0.3)
    nn.init.eye_(layer.weight)
    nn.init.normal(layer.bias.data, 1.0, 0.0)  # the old name
    assert layer(torch.zeros(1, 200)).sum().item() == pytest.approx(200.0)
    assert nn.init.calculate_gain("relu") == pytest.approx(2**0.5)


def test_embeddings_softmaxes_and_one_hots():
    table = nn.Embedding.from_pretrained(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert table(torch.tensor([1])).tolist() == [[3.0, 4.0]] and not table.weight.requires_grad
    assert F.one_hot(torch.tensor([0, 2])).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert F.softmax(torch.zeros(2, 4)).tolist() == [[0.25] * 4] * 2
    hard = F.gumbel_softmax(torch.zeros(3, 4, requires_grad=True), hard=True)
    assert hard.sum(1).tolist() == [1.0, 1.0, 1.0] and hard.requires_grad
    with pytest.raises(ConfigError, match="Embedding: minigan has no max_norm"):
        nn.Embedding(3, 2, max_norm=1.0)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_a_transformer_is_pytorchs():
    theirs = pytest.importorskip("torch")
    options = {
        "d_model": 8,
        "nhead": 2,
        "num_encoder_layers": 1,
        "num_decoder_layers": 2,
        "dim_feedforward": 16,
        "dropout": 0.0,
    }
    a, b = nn.Transformer(**options), theirs.nn.Transformer(**options)
    a.load_state_dict({key: value.numpy() for key, value in b.state_dict().items()})
    rng = np.random.default_rng(0)
    src, tgt = (rng.standard_normal((n, 3, 8)).astype(np.float32) for n in (5, 4))
    found = [
        net(t.tensor(src), t.tensor(tgt), tgt_mask=t.nn.Transformer.generate_square_subsequent_mask(4)).detach().numpy()
        for t, net in ((torch, a), (theirs, b))
    ]
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


def test_sequences_of_different_lengths():
    padded = nn.utils.rnn.pad_sequence([torch.ones(2), torch.ones(1)], batch_first=True)
    assert padded.tolist() == [[1.0, 1.0], [1.0, 0.0]]
    with pytest.raises(ConfigError, match="no packed sequences"):
        nn.utils.rnn.pack_padded_sequence(padded, [2, 1])
