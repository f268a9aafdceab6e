"""minigan.torch.nn.Module and containers: what PyTorch's do."""

import copy

import pytest

import minigan.torch as torch
from minigan.torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("passing", torch.zeros(1), persistent=False)

    def forward(self, x):
        return self.norm(self.first(x)) * self.scale


def test_names_come_in_pytorchs_order():
    assert [name for name, _ in Net().named_parameters()] == ["scale", "first.weight", "first.bias", "norm.weight", "norm.bias"]
    assert list(Net().state_dict()) == [
        "scale",
        "count",
        "first.weight",
        "first.bias",
        "norm.weight",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
    ]


def test_the_state_shares_memory_and_loads():
    net, other = Net(), Net()
    assert tuple(other.load_state_dict(net.state_dict())) == ([], [])
    net.state_dict()["first.bias"].fill_(7)
    assert net.first.bias.tolist() == [7.0] * 4 and other.first.bias.tolist() != [7.0] * 4


def test_a_state_that_does_not_fit_changes_nothing():
    net = Net()
    before = net.first.weight.tolist()
    state = net.state_dict()
    state["first.weight"] = torch.zeros(2, 2)
    with pytest.raises(RuntimeError, match=r"first.weight is \(2, 2\) in the state and \(4, 3\) in the module"):
        net.load_state_dict(state)
    del state["first.weight"]
    with pytest.raises(RuntimeError, match=r"missing: first.weight"):
        net.load_state_dict(state)
    assert net.load_state_dict({**state, "more": torch.ones(1)}, strict=False) == (["first.weight"], ["more"])
    assert net.first.weight.tolist() == before


def test_tied_weights_are_one_parameter():
    encoder, decoder = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
    decoder.weight = encoder.weight
    both = nn.ModuleList([encoder, decoder])
    assert len(list(both.parameters())) == 1 and list(both.state_dict()) == ["0.weight", "1.weight"]
    optimizer = torch.optim.SGD(both.parameters(), lr=1.0)
    decoder(encoder(torch.tensor([1]))).sum().backward()
    optimizer.step()
    x = torch.ones(1, 3)
    assert decoder(x).tolist() == (x @ encoder.weight.t()).tolist()


def test_a_parameter_may_be_replaced_and_deleted():
    layer = nn.Linear(2, 2)
    layer.weight = nn.Parameter(torch.eye(2) * 3)
    layer.bias = None
    assert layer(torch.ones(1, 2)).tolist() == [[3.0, 3.0]]
    del layer.bias
    assert not hasattr(layer, "bias")
    with pytest.raises(TypeError, match="cannot assign 'Tensor' as 'weight'"):
        layer.weight = torch.ones(2, 2)


def test_options_can_be_read_and_changed():
    conv, drop = nn.Conv2d(1, 2, 3, padding=1), nn.Dropout(0.5)
    assert conv.kernel_size == (3, 3) and conv.in_channels == 1
    drop.p = 1.0
    assert drop(torch.ones(3)).tolist() == [0.0] * 3 and drop.eval()(torch.ones(3)).tolist() == [1.0] * 3


def test_hooks_see_and_change():
    layer, seen = nn.ReLU(), []
    before = layer.register_forward_pre_hook(lambda module, inputs: seen.append("before"))
    after = layer.register_forward_hook(lambda module, inputs, output: output * 2)
    assert layer(torch.ones(1)).item() == 2.0 and seen == ["before"]
    before.remove()
    after.remove()
    assert layer(torch.ones(1)).item() == 1.0


def test_apply_reaches_every_layer_by_its_class_name():
    found = []
    Net().apply(lambda module: found.append(module.__class__.__name__))
    assert found == ["Linear", "BatchNorm1d", "Net"]


def test_a_deep_copy_is_apart():
    net = Net()
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.first.weight.zero_()
    x = torch.randn(8, 3)
    assert net(x).tolist() != twin(x).tolist() and len(list(twin.parameters())) == 5


def test_lists_dicts_and_rows():
    blocks = nn.ModuleList([nn.Linear(1, 1)])
    blocks.extend([nn.ReLU(), nn.Tanh()])
    blocks[1] = nn.Sigmoid()
    assert [type(m).__name__ for m in blocks] == ["Linear", "Sigmoid", "Tanh"] and type(blocks[-1]) is nn.Tanh
    assert len(blocks[1:]) == 2 and len(list(blocks.parameters())) == 2
    row = nn.Sequential(nn.Linear(1, 1))
    row.append(nn.ReLU())
    row.add_module("last", nn.Tanh())
    assert list(dict(row.named_children())) == ["0", "1", "last"] and len(row[:2]) == 2
    table = nn.ModuleDict({"a": nn.ReLU()})
    table["b"] = nn.Tanh()
    assert "b" in table and list(table) == ["a", "b"]
    values = nn.ParameterList([torch.ones(1), nn.Parameter(torch.zeros(2))])
    assert [p.numel() for p in values.parameters()] == [1, 2]


def test_it_prints_as_pytorch():
    assert repr(nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh()))) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n  (1): Sequential(\n    (0): Tanh()\n  )\n)"
    )


def test_moves_keep_the_parameters():
    net = Net()
    before = list(net.parameters())
    assert all(a is b for a, b in zip(before, net.to("cpu", torch.float64).parameters()))
    assert net.scale.dtype is torch.float64 and net.norm.num_batches_tracked.dtype is torch.int64
    net(torch.ones(4, 3, dtype=torch.float64)).sum().backward()
    assert net.first.weight.grad.dtype is torch.float64


def test_mistakes_are_told():
    class Forgot(nn.Module):
        def __init__(self):
            self.layer = nn.ReLU()

    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        Forgot()
    with pytest.raises(AttributeError, match="'ReLU' object has no attribute 'wrong'"):
        nn.ReLU().wrong  # noqa: B018
    with pytest.raises(KeyError, match="already has an attribute 'forward'"):
        Net().register_buffer("forward", torch.ones(1))


def test_a_layer_may_be_subclassed():
    class Masked(nn.Linear):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.register_buffer("mask", torch.tensor([[1.0, 0.0]]))
            self.after = nn.Sequential(nn.ReLU())

        def forward(self, x):
            self.weight.data *= self.mask
            return self.after(super().forward(x))

    layer = Masked(2, 1, bias=False)
    layer.weight.data.fill_(3)
    assert layer(torch.tensor([[1.0, 5.0]])).item() == 3.0 and layer.weight.tolist() == [[3.0, 0.0]]
    assert set(layer.state_dict()) == {"weight", "mask"} and layer.out_features == 1


def test_device_and_dtype_may_come_by_place():
    assert nn.Linear(2, 1, True, "cpu", torch.float64).weight.dtype is torch.float64
