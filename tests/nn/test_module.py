"""Module: what is found inside, switched, moved, saved, loaded, copied and printed."""

import copy

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import CheckpointError, ConfigError, DeviceError, DTypeError, GraphError


class Net(nn.Module):
    """One of everything: a parameter of its own, a child, a shared child, a list, a buffer, an empty place."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(np.ones(3, np.float32))
        self.first = nn.Linear(3, 3)
        self.layers = nn.ModuleList([nn.Linear(3, 3, bias=False), nn.BatchNorm1d(3)])
        self.again = self.first
        self.register_buffer("seen", mg.zeros((2,)))
        self.register_buffer("empty", None)
        self.note = "not a parameter"

    def forward(self, x):
        x = self.first(x * self.scale)
        for layer in self.layers:
            x = layer(x)
        return self.again(x)


NAMES = [
    "scale",
    "seen",
    "first.weight",
    "first.bias",
    "layers.0.weight",
    "layers.1.weight",
    "layers.1.bias",
    "layers.1.running_mean",
    "layers.1.running_var",
    "layers.1.num_batches_tracked",
    "again.weight",
    "again.bias",
]


def test_state_dict_has_torchs_names_in_torchs_order_and_shared_tensors_under_each_name():
    assert list(Net().state_dict()) == NAMES


def test_parameters_are_counted_once_even_if_shared():
    names = [name for name, _ in Net().named_parameters()]
    assert names == ["scale", "first.weight", "first.bias", "layers.0.weight", "layers.1.weight", "layers.1.bias"]
    assert sum(p.size for p in Net().parameters()) == 3 + 9 + 3 + 9 + 3 + 3


def test_buffers_modules_and_children_by_name():
    net = Net()
    assert [name for name, _ in net.named_buffers()] == [
        "seen",
        "layers.1.running_mean",
        "layers.1.running_var",
        "layers.1.num_batches_tracked",
    ]
    assert [name for name, _ in net.named_modules()] == ["", "first", "layers", "layers.0", "layers.1"]
    assert [name for name, _ in net.named_children()] == ["first", "layers", "again"]


def test_a_shared_parameter_gets_the_gradient_of_all_its_uses():
    shared = nn.Linear(1, 1, bias=False)
    shared.weight.copy_([[3.0]])
    net = nn.Sequential(shared, shared)  # y = w^2 x
    net(mg.tensor([[5.0]])).sum().backward()
    assert shared.weight.grad.item() == 2 * 3 * 5


def test_train_and_eval_reach_every_module():
    net = Net()
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    net.layers[1].eval()
    assert net.training and not net.layers[1].training


def test_freezing_stops_gradients_and_thawing_brings_them_back():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    net[0].requires_grad_(False)
    net(mg.ones((4, 2))).sum().backward()
    assert net[0].weight.grad is None and net[1].weight.grad is not None
    net.zero_grad()
    net[0].requires_grad_()
    net(mg.ones((4, 2))).sum().backward()
    assert net[0].weight.grad is not None


def test_zero_grad_forgets():
    net = nn.Linear(2, 1)
    net(mg.ones((1, 2))).sum().backward()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_apply_visits_children_before_parents():
    order = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh(), nn.ReLU()))
    assert net.apply(lambda m: order.append(type(m).__name__)) is net
    assert order == ["Linear", "Tanh", "ReLU", "Sequential", "Sequential"]


# ------------------------------------------------------------------------------------------------ saving, loading ---


def test_state_dict_is_a_copy():
    net = nn.Linear(2, 2)
    state = net.state_dict()
    state["weight"][...] = 7
    assert not (net.weight.data == 7).any()


def test_round_trip_gives_the_same_outputs_and_keeps_the_same_memory():
    a, b = Net(), Net()
    x = mg.tensor(np.random.default_rng(0).normal(size=(5, 3)), dtype="float32")
    a(x)  # moves the running statistics
    memory = [p.data for p in b.parameters()]
    assert b.load_state_dict(a.state_dict()) == ([], [])
    assert all(p.data is before for p, before in zip(b.parameters(), memory))
    assert np.array_equal(a.eval()(x).data, b.eval()(x).data)
    assert b.layers[1].num_batches_tracked.item() == 1


def test_loading_takes_tensors_lists_and_other_float_dtypes():
    net = nn.Linear(2, 1)
    net.load_state_dict({"weight": mg.tensor([[1.0, 2.0]]), "bias": np.array([3.0])})
    assert net.weight.dtype == np.float32 and net.weight.tolist() == [[1, 2]] and net.bias.tolist() == [3]


@pytest.mark.parametrize(
    "change, text",
    [
        (lambda s: s.pop("bias"), "missing: bias"),
        (lambda s: s.update(wieght=s.pop("weight")), "did you mean 'weight'"),
        (lambda s: s.update(extra=np.zeros(1)), "unknown: extra"),
        (lambda s: s.update(bias=np.zeros(3)), r"bias is \(1,\), but the state has \(3,\)"),
    ],
)
def test_a_state_that_does_not_fit_says_why_and_changes_nothing(change, text):
    net = nn.Linear(2, 1)
    before, state = net.state_dict(), {name: value + 1 for name, value in net.state_dict().items()}
    change(state)
    with pytest.raises(CheckpointError, match=text):
        net.load_state_dict(state)
    assert all(np.array_equal(before[name], value) for name, value in net.state_dict().items())


def test_not_strict_loads_what_fits_by_name_and_reports_the_rest():
    net = nn.Linear(2, 1)
    missing, unknown = net.load_state_dict({"weight": np.full((1, 2), 5.0), "other": np.zeros(1)}, strict=False)
    assert (missing, unknown) == (["bias"], ["other"]) and (net.weight.data == 5).all()
    with pytest.raises(CheckpointError, match="weight is"):
        net.load_state_dict({"weight": np.zeros((2, 2))}, strict=False)


# -------------------------------------------------------------------------------------------------- moving, copying ---


def test_to_a_dtype_converts_floats_only_and_keeps_the_objects_trainable():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    objects = list(net.parameters())
    assert net.double() is net
    assert all(a is b for a, b in zip(objects, net.parameters()))
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float64)}
    assert net[1].running_mean.dtype == np.float64 and net[1].num_batches_tracked.dtype == np.int64
    net(mg.ones((4, 2), dtype="float64")).sum().backward()
    assert net[0].weight.grad.dtype == np.float64
    net.to("float32")  # the gradient goes along, and the next one can be added to it
    net(mg.ones((4, 2))).sum().backward()
    assert net[0].weight.grad.dtype == np.float32
    assert net.to(np.float64).float()[0].weight.dtype == np.float32


def test_to_keeps_a_frozen_parameter_frozen():
    net = nn.Linear(2, 2).requires_grad_(False).double()
    assert not net.weight.requires_grad


def test_to_a_device_and_the_errors():
    net = nn.Linear(2, 2)
    data = net.weight.data
    assert net.to("cpu").weight.data is data
    assert net.to("cpu", np.float64).weight.dtype == np.float64
    with pytest.raises(DeviceError, match="gpu"):
        net.to("gpu")
    with pytest.raises(DTypeError, match="int32"):
        net.to(np.int32)


def test_deepcopy_is_independent_and_keeps_sharing_and_freezing():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    net[1].bias.requires_grad_(False)
    twin = copy.deepcopy(net)
    assert twin[0].weight is twin[1].weight is not net[0].weight
    assert twin[0].weight.requires_grad and not twin[1].bias.requires_grad
    twin(mg.ones((1, 2))).sum().backward()
    assert net[0].weight.grad is None and twin[0].weight.grad is not None
    twin[0].weight.copy_(np.zeros((2, 2)))
    assert net[0].weight.data.any()


def test_parameter_shares_memory_with_an_array_and_takes_numbers():
    array = np.zeros(2, np.float32)
    assert nn.Parameter(array).data is array
    assert nn.Parameter([1.0, 2.0]).dtype == np.float32 and nn.Parameter(mg.ones((2,))).requires_grad
    with pytest.raises(DTypeError, match="float"):
        nn.Parameter(np.zeros(2, np.int64))


# --------------------------------------------------------------------------------------------------------- hooks ---


def test_hooks_see_and_may_replace_inputs_and_outputs_until_removed():
    layer = nn.Identity()
    seen = []
    before = layer.register_forward_pre_hook(lambda module, inputs: inputs[0] + 1)
    after = layer.register_forward_hook(lambda module, inputs, output: output * 10)
    watch = layer.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0].item(), output.item())))
    assert layer(mg.tensor(2.0)).item() == 30 and seen == [(3, 30)]
    before.remove()
    after.remove()
    after.remove()
    assert layer(mg.tensor(2.0)).item() == 2 and seen[1:] == [(2, 2)]
    watch.remove()
    layer(mg.tensor(2.0))
    assert len(seen) == 2


# ------------------------------------------------------------------------------------------------------ containers ---


def test_sequential_composes_indexes_slices_and_takes_names():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    x = mg.ones((1, 2))
    by_hand = np.tanh(np.ones((1, 2)) @ net[0].weight.data.T + net[0].bias.data) @ net[2].weight.data.T + net[2].bias.data
    assert np.allclose(net(x).data, by_hand, rtol=1e-6)
    assert len(net) == 3 and isinstance(net[-1], nn.Linear) and len(net[:2]) == 2 and len(list(net)) == 3
    assert net[:2][0] is net[0]
    named = nn.Sequential({"hidden": nn.Linear(2, 3), "act": nn.Tanh()})
    assert list(named.state_dict()) == ["hidden.weight", "hidden.bias"] and named(x).shape == (1, 3)


def test_module_dict_by_name():
    nets = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.Tanh()})
    nets["c"] = nn.Linear(1, 2)
    assert list(nets) == ["a", "b", "c"] and "b" in nets and "d" not in nets and len(nets) == 3
    assert nets["c"].out_features == 2 and len(list(nets.parameters())) == 4
    assert list(nets.keys()) == list(dict(nets.items())) and len(nets.values()) == 3
    with pytest.raises(KeyError, match="method"):
        nets["train"] = nn.Tanh()


def test_a_module_without_forward_says_so():
    with pytest.raises(TypeError, match="ModuleList has no forward"):
        nn.ModuleList()(1)


# -------------------------------------------------------------------------------------------------------- showing ---


@pytest.mark.parametrize(
    "module, text",
    [
        (nn.Linear(2, 8), "Linear(in_features=2, out_features=8, bias=True)  # 24 parameters"),
        (
            nn.Conv2d(3, 8, 4, 2, 1, bias=False),
            "Conv2d(3, 8, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)  # 384 parameters",
        ),
        (
            nn.ConvTranspose2d(8, 4, 3, 2, 1, 1, groups=2),
            "ConvTranspose2d(8, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1), groups=2)"
            "  # 148 parameters",
        ),
        (nn.BatchNorm2d(8), "BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)  # 16 parameters"),
        (nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)"),
        (nn.LSTM(3, 4, num_layers=2, batch_first=True), "LSTM(3, 4, num_layers=2, batch_first=True)  # 304 parameters"),
        (
            nn.CrossEntropyLoss(label_smoothing=0.1),
            "CrossEntropyLoss(ignore_index=-100, label_smoothing=0.1, reduction='mean')",
        ),
        (
            nn.Sequential(nn.Linear(2, 1), nn.Sequential(nn.Tanh())),
            "Sequential(\n  (0): Linear(in_features=2, out_features=1, bias=True)  # 3 parameters\n"
            "  (1): Sequential(\n    (0): Tanh()\n  )\n)  # 3 parameters",
        ),
    ],
)
def test_repr_shows_options_and_counts_parameters(module, text):
    assert repr(module) == text


def test_every_layer_prints_its_first_argument():
    for layer in (
        nn.Embedding(7, 2),
        nn.Dropout(0.7),
        nn.Flatten(7),
        nn.Unflatten(7, (1, 1)),
        nn.MaxPool2d(7),
        nn.AvgPool2d(7),
        nn.AdaptiveAvgPool2d(7),
        nn.Upsample(7),
        nn.PixelShuffle(7),
        nn.ZeroPad2d(7),
        nn.LayerNorm(7),
        nn.GroupNorm(7, 7),
        nn.InstanceNorm2d(7),
        nn.GRUCell(7, 2),
        nn.PReLU(7),
        nn.ELU(0.7),
        nn.Softmax(7),
        nn.Softplus(0.7),
        nn.Conv1d(7, 1, 1),
        nn.PixelUnshuffle(7),
    ):
        assert "7" in repr(layer).partition("#")[0], repr(layer)


# ------------------------------------------------------------------------------- what may take an attribute's place ---


@pytest.mark.parametrize(
    "value, what",
    [(mg.ones((1, 2)), "Tensor"), (np.ones((1, 2)), "ndarray"), (3.0, "float"), (mg.tanh, "tanh"), (nn.Tanh(), "Tanh")],
)
def test_nothing_but_a_parameter_or_none_takes_a_parameters_place(value, what):
    net = nn.Linear(2, 1)
    weight = net.weight
    with pytest.raises(DTypeError, match=rf"cannot assign {what} over the Parameter 'weight' of Linear.*lost.*no_grad"):
        net.weight = value
    with pytest.raises(TypeError):
        net.weight = net.weight * 0.5
    assert net.weight is weight and len(list(net.parameters())) == 2
    net.weight = replaced = nn.Parameter(np.ones((1, 2)))
    assert next(net.parameters()) is replaced
    net.bias = None
    assert [name for name, _ in net.named_parameters()] == ["weight"]


def test_what_takes_the_place_of_a_module_or_a_buffer():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2))
    for value in (mg.tanh, mg.ones(2), 1):
        with pytest.raises(DTypeError, match="over the Module '1' of Sequential, which would be lost: assign a Module or None"):
            setattr(net, "1", value)
    setattr(net, "1", nn.Tanh())
    assert isinstance(net[1], nn.Tanh)
    for value in (np.ones(2), 0.5, nn.Tanh()):
        with pytest.raises(DTypeError, match="over the buffer 'running_mean' of BatchNorm1d.*assign a Tensor or None"):
            net[2].running_mean = value
    net[2].running_mean = mg.full((2,), 3.0)
    assert net.state_dict()["2.running_mean"].tolist() == [3, 3]
    net[2].running_mean = nn.Parameter(np.ones(2, np.float32))  # a buffer that is to be trained from now on
    assert "2.running_mean" in dict(net.named_parameters()) and "2.running_mean" not in dict(net.named_buffers())
    assert list(net.state_dict()).count("2.running_mean") == 1
    del net[2].running_var
    assert [name for name, _ in net.named_buffers()] == ["2.num_batches_tracked"]


def test_a_buffers_name_must_be_free():
    net = nn.Linear(2, 1)
    for name in ("weight", "forward"):
        with pytest.raises(ConfigError, match=f"register_buffer: Linear already has an attribute '{name}'"):
            net.register_buffer(name, mg.ones(1))
    net.register_buffer("mean", None)
    net.register_buffer("mean", mg.ones(1))
    assert len(list(net.parameters())) == 2 and [name for name, _ in net.named_buffers()] == ["mean"]


def test_a_hook_registered_twice_goes_once_for_each_handle():
    net, calls = nn.Linear(1, 1), []
    note, other = lambda *args: calls.append("note"), lambda *args: calls.append("other")
    first, _, second = (net.register_forward_hook(hook) for hook in (note, other, note))
    net(mg.ones((1, 1)))
    assert calls == ["note", "other", "note"]
    second.remove()
    second.remove()
    calls.clear()
    net(mg.ones((1, 1)))
    assert calls == ["note", "other"]
    first.remove()
    before = [net.register_forward_pre_hook(note) for _ in range(2)]
    before[0].remove()
    before[0].remove()
    calls.clear()
    net(mg.ones((1, 1)))
    assert calls == ["note", "other"]


def test_a_parameter_made_from_a_tensor_shares_its_memory_and_notices_its_changes():
    x, v = mg.ones(3), mg.ones(3, requires_grad=True)
    w = nn.Parameter(x)
    loss = (w * v).sum()
    x[0] = 5.0
    assert w.tolist() == [5, 1, 1]
    with pytest.raises(GraphError, match="updated in place"):
        loss.backward()
    constant = (x * v).sum()
    with mg.no_grad():
        w[1] = 7.0
    with pytest.raises(GraphError, match="updated in place"):
        constant.backward()


# --------------------------------------------------------------------------------------- what a state may hold ---


@pytest.mark.parametrize(
    "value, why",
    [
        (np.ones(2, complex), "bias holds real numbers, but the state has complex128"),
        (np.array(["a", "b"]), "bias holds real numbers, but the state has <U1"),
        (np.array(["2026-01-01"] * 2, "datetime64[D]"), r"bias holds real numbers, but the state has datetime64\[D\]"),
        (np.ones(2, "timedelta64[s]"), r"bias holds real numbers, but the state has timedelta64\[s\]"),
        (np.array([None, 1]), "bias holds real numbers, but the state has object"),
        (np.ones(2, [("a", "f4")]), "bias holds real numbers"),
        ([[1.0], [1.0, 2.0]], "bias "),
        (np.array([1.0, 1e300]), r"bias is float32, which can't hold the state's 1e\+300"),
        (np.ones((2, 1)), r"bias is \(2,\), but the state has \(2, 1\)"),
        (1.0, r"bias is \(2,\), but the state has \(\)"),
    ],
)
def test_a_parameter_is_loaded_from_real_numbers_only(value, why):
    net = nn.Linear(2, 2)
    before = net.state_dict()
    with pytest.raises(CheckpointError, match=f"Linear: the state does not fit; {why}"):
        net.load_state_dict({"weight": np.zeros((2, 2)), "bias": value})
    np.testing.assert_array_equal(net.weight.data, before["weight"])


@pytest.mark.parametrize("value", [3.7, np.nan, np.inf, 2.0**70, "3", 1j, np.uint64(2**63)])
def test_a_counter_is_loaded_from_whole_numbers_only(value):
    net = nn.BatchNorm1d(2)
    with pytest.raises(CheckpointError, match="num_batches_tracked (is int64, which can't hold|holds real numbers)"):
        net.load_state_dict({**net.state_dict(), "num_batches_tracked": value})
    assert net.num_batches_tracked.item() == 0


def test_what_can_be_converted_exactly_or_rounded_is_loaded():
    net = nn.BatchNorm1d(2)
    state = {
        "weight": [1, 2],
        "bias": np.array([0.1, np.inf]),
        "running_mean": np.array([0.5, np.nan], np.float16),
        "running_var": np.array([True, False]),
        "num_batches_tracked": np.float64(3.0),
    }
    net.load_state_dict(state)
    assert net.weight.tolist() == [1, 2] and net.running_var.tolist() == [1, 0] and net.num_batches_tracked.item() == 3
    assert net.bias.tolist() == [np.float32(0.1), np.inf] and net.running_mean.tolist()[0] == 0.5
    assert {name: t.dtype for name, t in net.named_buffers()} == {
        "running_mean": np.float32,
        "running_var": np.float32,
        "num_batches_tracked": np.int64,
    }


def test_a_state_of_torch_parameters_is_loaded():
    torch = pytest.importorskip("torch")
    theirs, ours = torch.nn.Linear(2, 3), nn.Linear(2, 3)
    ours.load_state_dict(dict(theirs.named_parameters()))
    np.testing.assert_array_equal(ours.weight.data, theirs.weight.detach().numpy())


@pytest.mark.parametrize(
    "state, why",
    [
        ([1, 2], "a state is a dict of arrays by name, got list"),
        (None, "got NoneType"),
        ({0: 1.0}, "unknown: 0"),
        ({}, "missing: weight, bias"),
    ],
)
def test_what_is_no_state_is_refused(state, why):
    with pytest.raises(CheckpointError, match=why):
        nn.Linear(1, 1).load_state_dict(state)


def test_an_empty_state_fits_a_module_that_has_nothing():
    assert nn.Tanh().load_state_dict({}) == ([], [])
    assert nn.Linear(1, 1).load_state_dict({}, strict=False) == (["weight", "bias"], [])
