"""minigan.torch's Tensor: PyTorch's names and meanings, against written-out values, and PyTorch where it is installed."""

import copy
import io

import numpy as np
import pytest

import minigan as mg
import minigan.torch as torch
from minigan.errors import GraphError


def test_the_names_that_mean_something_else_in_numpy():
    w = torch.arange(6).reshape(2, 3)
    assert w.transpose(0, 1).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert [piece.tolist() for piece in torch.arange(5).split(2)] == [[0, 1], [2, 3], [4]]
    assert torch.tensor([1, 2]).repeat(2).tolist() == [1, 2, 1, 2]
    assert torch.tensor([1.0, 3.0]).std().item() == pytest.approx(2**0.5)
    assert torch.tensor([1.0, 3.0]).var(unbiased=False).item() == 1.0
    values, indices = torch.tensor([[1.0, 5.0], [7.0, 2.0]]).max(1)
    assert values.tolist() == [5.0, 7.0] and indices.tolist() == [1, 0]
    assert torch.tensor([[3.0, -4.0]]).norm(1).item() == 7.0


def test_numbers_of_several_kinds_become_what_pytorch_makes_of_them():
    ints, floats = torch.tensor([1, 2]), torch.tensor([0.5, 1.5])
    assert (ints + floats).dtype is torch.float32
    assert (ints / 2).tolist() == [0.5, 1.0] and (ints / 2).dtype is torch.float32
    assert (ints * 1.5).dtype is torch.float32 and (ints * 2).dtype is torch.int64
    assert (ints > 1).dtype is torch.bool and (torch.tensor([True]) + 1).dtype is torch.int64
    assert (floats.double() + floats).dtype is torch.float64
    assert (floats + torch.tensor(1.0, dtype=torch.float64)).dtype is torch.float32  # a tensor without axes does not widen
    assert (1 - floats).tolist() == [0.5, -0.5] and (2 / ints).tolist() == [2.0, 1.0]


def test_sizes_are_sizes():
    x = torch.zeros(2, 3)
    assert x.size() == (2, 3) and x.size(0) == 2 and x.shape[-1] == 3
    assert repr(x.shape) == "torch.Size([2, 3])" and x.shape.numel() == 6
    assert x.view(x.size(0), -1).shape == (2, 3) and x.unsqueeze(1).shape == (2, 1, 3) and x.dim() == 2


def test_types_by_the_names_of_the_old_constructors():
    assert torch.FloatTensor(2, 3).shape == (2, 3) and torch.FloatTensor([1, 2]).dtype is torch.float32
    assert torch.LongTensor([1]).type() == "torch.LongTensor"
    assert isinstance(torch.ones(1), torch.FloatTensor) and not isinstance(torch.ones(1), torch.LongTensor)
    assert torch.ones(2).type(torch.LongTensor).dtype is torch.int64
    assert torch.Tensor([1, 2]).dtype is torch.float32


def test_in_place_writes_into_memory_that_views_share():
    x = torch.zeros(2, 2)
    row = x[0]
    row.fill_(3)
    x.add_(1)
    assert x.tolist() == [[4.0, 4.0], [1.0, 1.0]] and row.tolist() == [4.0, 4.0]


def test_in_place_inside_a_graph_keeps_the_derivative():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = w * 3
    y += w
    y[0] = w[1] * 10  # the first element now is 10 w[1]
    y.sum().backward()
    assert w.grad.tolist() == [0.0, 14.0]


def test_in_place_on_a_leaf_is_refused_while_ops_record():
    w = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="no_grad"):
        w.add_(1)
    with torch.no_grad():
        w.add_(1)
    w.data.clamp_(-0.5, 0.5)
    assert w.tolist() == [0.5, 0.5] and w.requires_grad


def test_a_part_of_a_graph_is_not_changed_behind_its_back():
    y = torch.ones(3, requires_grad=True) * 2
    with pytest.raises(GraphError, match=r"x\[\.\.\.\] = value"):
        y[0].add_(1)


def test_grad_of_grad():
    x = torch.tensor([2.0], requires_grad=True)
    (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    g.sum().backward()
    assert g.item() == 12.0 and x.grad.item() == 12.0


def test_recording_can_be_switched():
    w = torch.ones(1, requires_grad=True)
    with torch.no_grad():
        assert not (w * 2).requires_grad
        with torch.enable_grad():
            assert (w * 2).requires_grad
    with torch.set_grad_enabled(False):
        assert not (w * 2).requires_grad
    assert (w * 2).requires_grad and torch.is_grad_enabled()


def test_gather_scatter_and_topk():
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert x.gather(1, torch.tensor([[2], [0]])).tolist() == [[3.0], [4.0]]
    assert torch.zeros(2, 3).scatter_(1, torch.tensor([[1], [2]]), 1.0).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert torch.zeros(2, 2).scatter_add(0, torch.tensor([[1, 1]]), torch.ones(1, 2)).tolist() == [[0, 0], [1, 1]]
    values, indices = x.topk(2)
    assert values.tolist() == [[3.0, 2.0], [6.0, 5.0]] and indices.tolist() == [[2, 1], [2, 1]]


def test_a_copy_of_a_parameter_is_a_parameter():
    p = torch.nn.Parameter(torch.ones(2))
    twin = copy.deepcopy(p)
    twin.data.fill_(5)
    assert isinstance(twin, torch.nn.Parameter) and p.tolist() == [1.0, 1.0] and twin.requires_grad


def test_numpy_shares_memory():
    array = np.zeros(2, np.float32)
    x = torch.from_numpy(array)
    x.add_(1)
    assert array.tolist() == [1.0, 1.0] and x.numpy() is not None
    with pytest.raises(GraphError, match="detach"):
        torch.ones(1, requires_grad=True).mul(2).numpy()


def test_random_numbers_come_from_the_seed_and_from_generators():
    torch.manual_seed(1)
    a = torch.randn(3)
    torch.manual_seed(1)
    assert a.tolist() == torch.randn(3).tolist()
    g = torch.Generator().manual_seed(2)
    b = torch.rand(3, generator=g)
    assert b.tolist() == torch.rand(3, generator=torch.Generator().manual_seed(2)).tolist()
    drawn = torch.multinomial(torch.tensor([0.0, 1.0, 3.0]), 4000, replacement=True)
    assert 0 not in drawn and drawn.float().mean().item() == pytest.approx(1.75, abs=0.05)
    assert sorted(torch.randperm(5).tolist()) == [0, 1, 2, 3, 4]
    assert sorted(torch.multinomial(torch.ones(4), 4).tolist()) == [0, 1, 2, 3]


def test_a_missing_name_is_one_line():
    with pytest.raises(AttributeError, match=r"torch\.nn\.Conv3d is not in minigan\.torch: minigan has Conv1d and Conv2d"):
        torch.nn.Conv3d  # noqa: B018
    with pytest.raises(AttributeError, match=r"did you mean 'randn'"):
        torch.rndn  # noqa: B018
    with pytest.raises(ImportError, match=r"torch\.nn\.Conv3d is not in minigan\.torch"):
        from minigan.torch.nn import Conv3d  # noqa: F401


def test_saved_values_come_back(tmp_path):
    state = {"net": torch.nn.Linear(2, 1).state_dict(), "step": 3, 5: [torch.arange(2), (1.5, "text")]}
    torch.save(state, tmp_path / "x.pth")
    back = torch.load(tmp_path / "x.pth", map_location="cpu")
    assert back["net"]["weight"].tolist() == state["net"]["weight"].tolist() and back["step"] == 3
    assert back[5][0].dtype is torch.int64 and back[5][1] == (1.5, "text")


def test_a_pickle_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "theirs.pth"
    path.write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(mg.errors.CheckpointError, match="runs code when it is read.*safetensors"):
        torch.load(path)


# Each is f(torch, x) for both libraries, with x a tensor of floats 3 x 4.
SAME = {
    "view": lambda t, x: x.view(4, -1),
    "permute": lambda t, x: x.view(3, 2, 2).permute(2, 0, 1),
    "expand": lambda t, x: x.unsqueeze(1).expand(-1, 2, 4),
    "repeat": lambda t, x: x.repeat(2, 1, 2),
    "repeat_interleave": lambda t, x: x.repeat_interleave(2, 1),
    "chunk": lambda t, x: t.cat(x.chunk(3, 1), 0),
    "split sizes": lambda t, x: x.split([1, 3], 1)[1],
    "cat": lambda t, x: t.cat([x, x * 2], 1),
    "stack": lambda t, x: t.stack([x, -x], 1),
    "std": lambda t, x: x.std(1),
    "var keepdim": lambda t, x: x.var(0, keepdim=True),
    "norm": lambda t, x: x.norm(2, 1),
    "norm of all": lambda t, x: x.norm(),
    "norm p": lambda t, x: x.norm(p=1),
    "max": lambda t, x: x.max(1)[0] + x.max(),
    "min keepdim": lambda t, x: x.min(1, keepdim=True)[0],
    "sort": lambda t, x: x.sort(1, descending=True)[0],
    "median": lambda t, x: x.median(),
    "cumsum": lambda t, x: x.cumsum(1),
    "clamp": lambda t, x: x.clamp(-0.5, 0.5),
    "where": lambda t, x: t.where(x > 0, x, x * 0.1),
    "masked_fill": lambda t, x: x.masked_fill(x > 0, 9.0),
    "tril": lambda t, x: t.tril(x) + t.triu(x, 1),
    "einsum": lambda t, x: t.einsum("ij,kj->ik", x, x),
    "mm": lambda t, x: t.mm(x, x.t()),
    "bmm": lambda t, x: t.bmm(x.view(3, 2, 2), x.view(3, 2, 2)),
    "logsumexp": lambda t, x: t.logsumexp(x, 1),
    "softmax": lambda t, x: x.softmax(1),
    "flip": lambda t, x: x.flip(0),
    "roll": lambda t, x: t.roll(x, 1, 1),
    "narrow": lambda t, x: x.narrow(1, 1, 2),
    "index_select": lambda t, x: x.index_select(1, t.tensor([3, 0])),
    "gather": lambda t, x: x.gather(1, t.tensor([[0, 1], [2, 3], [1, 1]])),
    "scatter": lambda t, x: x.scatter(1, t.tensor([[0], [2], [3]]), 7.0),
    "index": lambda t, x: x[t.arange(3), t.tensor([1, 2, 0])],
    "mask": lambda t, x: x[x > 0],
    "flatten": lambda t, x: x.view(3, 2, 2).flatten(1),
    "squeeze": lambda t, x: x.unsqueeze(0).squeeze(0).squeeze(0),
    "mean of axes": lambda t, x: x.view(3, 2, 2).mean((1, 2)),
    "pow": lambda t, x: (x.abs() + 1).pow(1.5),
    "remainder": lambda t, x: x % 0.3,
    "floor division": lambda t, x: x // 0.3,
    "sum dtype": lambda t, x: (x > 0).sum(),
    "argmax": lambda t, x: x.argmax(1),
    "eye": lambda t, x: x @ t.eye(4),
    "lerp": lambda t, x: t.lerp(x, x * 2, 0.3),
    "addmm": lambda t, x: t.addmm(x[:, :3], x, x.t()),
    "diagonal": lambda t, x: t.diagonal(x[:3, :3]),
    "unbind": lambda t, x: x.unbind(1)[2],
    "meshgrid": lambda t, x: t.meshgrid(x[0], x[:, 0], indexing="ij")[1],
    "nonzero": lambda t, x: (x > 0).nonzero(),
    "all": lambda t, x: (x > -9).all(1),
    "div floor": lambda t, x: t.div(x, 0.3, rounding_mode="floor"),
}


NO_GRADIENT = ("sum dtype", "argmax", "nonzero", "all", "floor division", "div floor")


@pytest.mark.parametrize("name", SAME)
def test_a_method_gives_what_pytorch_gives(name):
    theirs = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    found, expected = SAME[name](torch, torch.tensor(values)), SAME[name](theirs, theirs.tensor(values))
    assert tuple(found.shape) == tuple(expected.shape) and str(found.dtype) == str(expected.dtype)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in SAME if n not in NO_GRADIENT])
def test_its_gradient_is_what_pytorch_gives(name):
    theirs = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    gradients = []
    for t in (torch, theirs):
        x = t.tensor(values, requires_grad=True)
        y = SAME[name](t, x)
        (y * y).sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-5)


# --------------------------------------------------------------------------------------- views, changes, checks ---


def test_a_view_inside_a_graph_refuses_what_its_base_would_not_see():
    w = torch.ones(2, 2, requires_grad=True)
    y = w * 2
    for view in (y.view(-1), y[0], y.t(), y.unsqueeze(0), y.narrow(0, 0, 1), y.split(1)[0]):
        with pytest.raises(RuntimeError, match="a view of another tensor inside a graph"):
            view.add_(1)
    flat = (w * 2).view(-1)  # nobody holds its base, so nobody can miss the change
    flat += 1
    flat.sum().backward()
    assert flat.tolist() == [3.0] * 4 and w.grad.tolist() == [[2.0, 2.0]] * 2


def test_a_leaf_that_is_changed_between_forward_and_backward_is_noticed():
    w = torch.ones(2, requires_grad=True)
    loss = (w * w).sum()
    with torch.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="updated in place"):
        loss.backward()


def test_a_change_through_detach_is_noticed_and_through_data_is_not():
    for change, noticed in ((lambda w: w.detach().add_(1), True), (lambda w: w.data.add_(1), False)):
        w = torch.ones(2, requires_grad=True)
        loss = (w * w).sum()
        change(w)
        assert w.tolist() == [2.0, 2.0]
        if noticed:
            with pytest.raises(RuntimeError, match="updated in place"):
                loss.backward()
        else:
            loss.backward()
            assert w.grad.tolist() == [4.0, 4.0]  # with the new value, as in PyTorch


def test_an_in_place_change_does_not_round_silently():
    i = torch.tensor([1, 2])
    for change in (lambda: i.add_(0.5), lambda: i.div_(2), lambda: i.__iadd__(torch.ones(2))):
        with pytest.raises(RuntimeError, match=r"can hold torch\.int64 only"):
            change()
    assert i.copy_(torch.tensor([1.9, 2.9])).tolist() == [1, 2]  # copy_ converts, as PyTorch's does


def test_one_element_is_a_view_of_the_memory():
    x = torch.zeros(2, 2)
    x[0, 1].fill_(5)
    x[1][0].add_(2)
    x.diagonal().add_(1)
    assert x.tolist() == [[1.0, 5.0], [2.0, 1.0]]


def test_errors_are_of_pytorchs_kinds():
    x = torch.zeros(2, 3)
    with pytest.raises(RuntimeError):
        x + torch.zeros(4)
    with pytest.raises(RuntimeError):
        x @ x
    with pytest.raises(IndexError):
        x.sum(5)
    with pytest.raises(IndexError):
        x[9]
    with pytest.raises(RuntimeError):
        torch.cat([x, torch.zeros(2, 4)])
    with pytest.raises(TypeError):
        torch.zeros(1.5)
    with pytest.raises(TypeError):
        x + "text"
    with pytest.raises(RuntimeError):
        x.view(7)


def test_a_missing_method_is_one_line():
    with pytest.raises(AttributeError, match=r"^torch\.Tensor\.stride is not in minigan\.torch: minigan orders memory itself$"):
        torch.ones(2).stride()
    with pytest.raises(AttributeError, match=r"torch\.Tensor\.unsqueez is not in minigan\.torch; did you mean 'unsqueeze'"):
        torch.ones(2).unsqueez(0)
    with pytest.raises(AttributeError, match=r"torch\.fft is not in minigan\.torch: minigan has no Fourier transforms"):
        torch.fft.fft(torch.ones(2))
    assert not hasattr(torch.ones(2), "bogus")


def test_an_open_file_holds_a_state(tmp_path):
    buffer = io.BytesIO()
    net = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    net(torch.ones(3, 2)).sum().backward()
    optimizer.step()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "note": "x", "none": None}, buffer)
    buffer.seek(0)
    state = torch.load(buffer)
    twin = torch.nn.Linear(2, 1)
    again = torch.optim.Adam(twin.parameters(), lr=0.5)
    twin.load_state_dict(state["net"])
    again.load_state_dict(state["optimizer"])
    assert state["epoch"] == 3 and state["note"] == "x" and state["none"] is None
    for each, chosen in ((net, optimizer), (twin, again)):
        chosen.zero_grad()
        each(torch.ones(3, 2)).sum().backward()
        chosen.step()
    assert net.weight.tolist() == twin.weight.tolist()
