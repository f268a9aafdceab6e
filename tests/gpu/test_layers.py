"""Every layer and optimizer on the card: the numbers of NumPy, without a transfer or a wait; weights go both ways."""

import copy
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan import nn, optim
from minigan.backend import to_device
from minigan.errors import DeviceError
from minigan.tensor import Tensor, plain

_spec = importlib.util.spec_from_file_location("layers_table", Path(__file__).parents[1] / "nn" / "test_derivatives.py")
_table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_table)
MORE = {
    "BatchNorm1d averaging all batches": (lambda: nn.BatchNorm1d(3, momentum=None), _table.draw(6, 3)),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(2), _table.SMALL),
    "Upsample bilinear, corners": (lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), _table.SMALL),
    "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), _table.draw(2, 1, 4, 2)),
    "LSTM": (lambda: nn.LSTM(3, 2, 2, bidirectional=True), _table.draw(4, 2, 3)),
    "GRU": (lambda: nn.GRU(3, 2), _table.draw(4, 2, 3)),
    "spectral norm": (lambda: nn.utils.spectral_norm(nn.Linear(3, 2)), _table.draw(4, 3)),
    "MinibatchDiscrimination": (lambda: nn.MinibatchDiscrimination(3, 2, 2), _table.draw(4, 3)),
    "deep": (lambda: nn.Sequential(*(layer for _ in range(6) for layer in (nn.Linear(3, 3), nn.Tanh()))), _table.draw(4, 3)),
}
LAYERS = {name: row for name, row in {**_table.LAYERS, **MORE}.items() if not name.startswith("Dropout")}  # it has a test below


def derivatives(layer, x, cotangents):
    """[output, gradients of x and the parameters, gradients of those], as arrays."""
    mg.seed(3)
    inputs = [x, *layer.parameters()]
    y = layer(x)
    y = y[0] if isinstance(y, tuple) else y
    first = mg.grad(y, inputs, cotangents(y), create_graph=True, allow_unused=True)
    kept = [g for g in first if g is not None and g.requires_grad]
    second = mg.grad(kept, inputs, [cotangents(g) for g in kept], allow_unused=True) if kept else []
    return [None if t is None else plain(t) for t in (y, *first, *second)]


def ramp(like):
    """Numbers from 1/2 to 1, made where `like` is."""
    return mg.ones_like(like) * 0.5 + mg.reshape(Tensor(_range(like)), like.shape) * (0.5 / max(1, like.size))


def _range(like):
    from minigan.backend import xp

    return xp(like.data).arange(like.size, dtype=like.dtype)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_on_the_card_what_it_is_on_the_cpu(card, name):
    make, values = LAYERS[name]
    mg.seed(1)
    here = make().double()
    there = copy.deepcopy(here).to("cuda")
    x = mg.tensor(values, device="cuda", requires_grad=True)
    expected = [derivatives(here, mg.tensor(values, requires_grad=True), ramp) for _ in range(2)][1]
    derivatives(there, x, ramp)  # what an op needs besides is uploaded now, and kept
    card.counts.reset()
    found = derivatives(there, x, ramp)
    assert card.counts.d2h == card.counts.sync == card.counts.h2d == 0, card.counts
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(to_device(a, "cpu"), b, rtol=1e-8, atol=1e-10)
    for (name, a), b in zip(there.state_dict().items(), here.state_dict().values()):
        np.testing.assert_allclose(a, b, rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("layer, shape, same", [(nn.Dropout(0.3), (40, 50), ()), (nn.Dropout2d(0.3), (40, 50, 2, 3), (2, 3))])
def test_dropout_draws_its_own_mask_on_the_card(card, layer, shape, same):
    x = mg.ones(shape, device="cuda").requires_grad_()
    layer(x)  # makes the stream
    card.counts.reset()
    y = layer(x)
    (g,) = mg.grad(y.sum(), x)
    again = layer(x)
    assert card.counts.h2d == card.counts.d2h == card.counts.sync == 0, card.counts
    mask, gradient, other = (to_device(plain(t), "cpu") for t in (y, g, again))
    assert np.array_equal(mask, gradient) and not np.array_equal(mask, other)
    assert np.unique(mask).tolist() == [0, np.float32(1 / 0.7)]
    assert abs(np.mean(mask == 0) - 0.3) < 0.04  # of 2,000 draws the share has a standard error of 0.01
    assert all(np.array_equal(mask, np.broadcast_to(mask.take([0], axis), shape)) for axis in same)


def test_embedding_with_labels_on_the_card(card):
    layer, labels = nn.Embedding(4, 2, padding_idx=1).to("cuda"), mg.tensor(np.array([[0, 1], [2, 2]]), device="cuda")
    card.counts.reset()
    g = mg.grad(layer(labels).sum(), layer.weight)[0]
    assert card.counts.h2d == card.counts.d2h == card.counts.sync == 0
    assert g.tolist() == [[1, 1], [0, 0], [2, 2], [0, 0]]


def test_class_numbers_that_are_not_there(card):
    table, logits = mg.ones((3, 2), device="cuda"), mg.zeros((2, 3), device="cuda")
    from minigan.errors import OutOfBoundsError

    for bad in (3, -1):
        host = np.array([0, bad])
        with pytest.raises(OutOfBoundsError):  # on the CPU they are looked at
            mg.ops.embedding(host, table)
        with pytest.raises(OutOfBoundsError):
            mg.ops.cross_entropy(logits, host)
        there = to_device(host, "cuda")
        assert np.isnan(mg.ops.embedding(there, table).tolist()).tolist() == [[False, False], [True, True]]
        assert np.isnan(mg.ops.cross_entropy(logits, there).item())
        assert mg.ops.one_hot(there, 3).tolist() == [[1, 0, 0], [0, 0, 0]]
        with mg.debug(), pytest.raises(OutOfBoundsError):
            mg.ops.embedding(there, table)
        with mg.debug(), pytest.raises(OutOfBoundsError):
            table[to_device(np.array([-4 if bad < 0 else 3]), "cuda")]


@pytest.mark.parametrize(
    "name, options",
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
        ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5}),
    ],
)
def test_a_step_of_every_rule_stays_on_the_card(card, name, options):
    mg.seed(2)
    here = nn.Sequential(*(nn.Linear(3, 3) for _ in range(6)))  # more than eight parameters
    there = copy.deepcopy(here).to("cuda")
    x = _table.draw(4, 3).astype(np.float32)
    y = mg.tensor(x, device="cuda")
    one, other = (getattr(optim, name)(net.parameters(), **options) for net in (here, there))
    for step in range(3):
        one.step(mg.grad((here(mg.tensor(x)) ** 2).mean(), list(here.parameters())))
        card.counts.reset()
        other.step(mg.grad((there(y) ** 2).mean(), list(there.parameters())))
        assert card.counts.d2h == card.counts.sync == card.counts.h2d == 0, (step, card.counts)
    for a, b in zip(there.state_dict().values(), here.state_dict().values()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_weights_and_states_go_from_the_cpu_to_the_card_and_back(card, tmp_path):
    def trained(device):
        net = nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1)).to(device)
        adam = optim.Adam(net.parameters(), lr=0.1)
        step(net, adam, device)
        return net, adam

    def step(net, adam, device):  # no bias before the batch norm: its gradient would be rounding, which Adam makes large
        x = mg.tensor(_table.draw(6, 3).astype(np.float32), device=device)
        adam.step(mg.grad(((net(x) - x[:, :1]) ** 2).mean(), list(net.parameters())))

    for start, end in (("cpu", "cuda"), ("cuda", "cpu")):
        net, adam = trained(start)
        mg.save(tmp_path / "state.npz", {"net": net.state_dict(), "adam": adam.state_dict()})
        state = mg.load(tmp_path / "state.npz")
        other, again = trained(end)
        other.load_state_dict(state["net"])
        again.load_state_dict(state["adam"])
        assert all(p.device == ("cuda:0" if end == "cuda" else "cpu") for p in other.parameters())
        for model, optimizer, device in ((net, adam, start), (other, again, end)):
            step(model, optimizer, device)
        for a, b in zip(net.state_dict().values(), other.state_dict().values()):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_module_moves_whole_and_stays_what_it_is(card):
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    parameters, before = list(net.parameters()), net.state_dict()
    assert net.to("cuda") is net and all(a is b for a, b in zip(net.parameters(), parameters))
    assert {t.device for t in net._tensors().values()} == {"cuda:0"}
    assert all(np.array_equal(a, b) for a, b in zip(net.to("cpu").state_dict().values(), before.values()))


def test_a_gradient_passes_from_one_device_to_the_other(card):
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x.to("cuda") ** 2).to("cpu")
    (g,) = mg.grad(y.sum(), x)
    assert g.device == "cpu" and g.tolist() == [2, 4]


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: b * a,
        lambda a, b: a @ b,
        lambda a, b: mg.concatenate([a, b]),
        lambda a, b: a > b,
        lambda a, b: a + b.data,
        lambda a, b: mg.ops.mse_loss(a, b),
        lambda a, b: optim.SGD([nn.Parameter(a)]).step([b]),
    ],
)
def test_arrays_on_two_devices_are_named_with_what_to_do(card, mix):
    a, b = mg.ones(3), mg.ones(3, device="cuda")
    for one, other in ((a, b), (b, a)):
        with pytest.raises(DeviceError, match=r"\(3,\) on (cpu|cuda:0), \(3,\) on (cuda:0|cpu); move them to one with \.to"):
            mix(one, other)


def test_two_cards_are_two_devices(card, monkeypatch):
    monkeypatch.setattr(card.machine, "cards", 2)
    a = mg.ones(3, device="cuda")
    b = mg.ones(3, device="cuda:1")
    assert b.device == "cuda:1" and (b + 1).device == "cuda:1"
    with pytest.raises(DeviceError, match="on cuda:0, .* on cuda:1"):
        a + b
    assert a.to("cuda:1").device == "cuda:1"
