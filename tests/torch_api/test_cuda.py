"""minigan.torch on a GPU: the stand-in's card runs the functions that a script uses there."""

import numpy as np
import pytest

import minigan.torch as torch


@pytest.mark.usefixtures("card")
def test_tensors_move_and_stay_there():
    x = torch.tensor([[1.0, -2.0], [3.0, 0.5]]).cuda()
    assert torch.cuda.is_available() and x.is_cuda and x.device.type == "cuda" and x.type() == "torch.cuda.FloatTensor"
    values, indices = x.max(1)
    results = [
        x + 1, x.t() @ x, values, indices, x.sort(1)[0], x.clamp(min=0), torch.cat([x, x]), x.std(), x.norm(1), x.view(-1),
        torch.zeros_like(x), torch.ones(2, device="cuda"), x.scatter(1, indices[:, None], 9.0), x.masked_fill(x > 0, 0.0),
        x.unique(), (x > 0).nonzero(), torch.cuda.FloatTensor([1.0]),
    ]  # fmt: skip
    assert all(y.is_cuda for y in results)
    assert values.cpu().tolist() == [1.0, 3.0] and indices.cpu().tolist() == [0, 0]
    assert results[12].cpu().tolist() == [[9.0, -2.0], [9.0, 0.5]]


@pytest.mark.usefixtures("card")
def test_changes_in_place_stay_there():
    x = torch.zeros(2, 2, device="cuda")
    x.add_(1).mul_(3)
    x[0, 0] = 7
    x[1].fill_(2)
    assert x.cpu().tolist() == [[7.0, 3.0], [2.0, 2.0]]
    assert x.normal_().is_cuda and np.isfinite(x.cpu().numpy()).all()
    with pytest.raises(TypeError, match=r"use \.cpu\(\)\.numpy\(\)"):
        x.numpy()


@pytest.mark.usefixtures("card")
def test_gradients_arrive_there():
    w = torch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    (w * w).sum().backward()
    assert w.grad.is_cuda and w.grad.cpu().tolist() == [2.0, 4.0]
