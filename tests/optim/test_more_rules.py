"""AdamW, Adagrad, Adadelta, L-BFGS and two schedules: against closed forms, and against torch where it is installed."""

import numpy as np
import pytest

import minigan as mg
from minigan import optim
from minigan.errors import CheckpointError, ConfigError
from minigan.nn import Parameter
from minigan.optim import lr_scheduler

RULES = [
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "weight_decay": 0.1, "maximize": True}),
]


@pytest.mark.parametrize("name, options", RULES, ids=str)
def test_20_steps_are_torchs_and_survive_a_checkpoint(name, options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal((3, 2)), rng.standard_normal((20, 3, 2))
    ours, theirs = Parameter(start.copy()), torch.nn.Parameter(torch.from_numpy(start.copy()))
    a, b = getattr(optim, name)([ours], **options), getattr(torch.optim, name)([theirs], **options)
    for k, g in enumerate(gradients):
        if k == 10:
            state = a.state_dict()
            a = getattr(optim, name)([ours], **options)
            a.load_state_dict(state)
        theirs.grad = torch.from_numpy(g.copy())
        a.step([g])
        b.step()
        np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-10, atol=1e-13)


def test_adamw_shrinks_the_weights_and_not_the_gradient():
    w = Parameter(np.array([2.0]))
    optim.AdamW([w], lr=0.1, weight_decay=0.5).step([np.array([0.0])])
    assert w.tolist() == [2.0 * 0.95]  # Adam's step of a gradient 0 is 0


def rosenbrock(w):
    return ((1 - w[:-1]) ** 2).sum() + 100 * ((w[1:] - w[:-1] ** 2) ** 2).sum()


def minimise(w, optimizer, steps, function=rosenbrock):
    def closure():
        optimizer.zero_grad()
        loss = function(w)
        loss.backward()
        return loss

    return [float(optimizer.step(closure).detach()) for _ in range(steps)]


def test_lbfgs_finds_the_end_of_the_banana_valley():
    w = Parameter(np.array([-1.2, 1.0, -0.5, 0.8]))
    losses = minimise(w, optim.LBFGS([w], line_search_fn="strong_wolfe"), 10)
    assert losses[-1] < 1e-8  # it stops when the loss changes by less than 1e-9
    np.testing.assert_allclose(w.data, 1, atol=1e-3)


def test_lbfgs_is_exact_on_a_quadratic_of_few_numbers():
    a = np.diag([1.0, 10.0, 100.0])
    w = Parameter(np.ones(3))
    minimise(w, optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=30), 1, lambda w: 0.5 * (w @ mg.tensor(a) @ w))
    np.testing.assert_allclose(w.data, 0, atol=1e-5)


@pytest.mark.parametrize("options", [{"lr": 0.1}, {"lr": 0.05, "max_iter": 5, "history_size": 2}], ids=str)
def test_lbfgs_with_a_fixed_length_is_torchs(options):
    torch = pytest.importorskip("torch")
    start = np.array([-1.2, 1.0, 0.3])
    ours, theirs = Parameter(start.copy()), torch.nn.Parameter(torch.from_numpy(start.copy()))
    a, b = optim.LBFGS([ours], **options), torch.optim.LBFGS([theirs], **options)
    for _ in range(4):
        minimise(ours, a, 1)
        minimise(theirs, b, 1)
        np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-7)


def test_lbfgs_goes_on_from_a_checkpoint_and_refuses_what_is_not_its():
    w = Parameter(np.array([-1.2, 1.0]))
    first = optim.LBFGS([w], lr=0.1, max_iter=3)
    minimise(w, first, 2)
    twin = Parameter(w.data.copy())
    second = optim.LBFGS([twin], lr=0.1, max_iter=3)
    second.load_state_dict(first.state_dict())
    minimise(w, first, 2)
    minimise(twin, second, 2)
    np.testing.assert_array_equal(w.data, twin.data)
    with pytest.raises(CheckpointError, match="another rule"):
        second.load_state_dict(optim.SGD([twin]).state_dict())
    with pytest.raises(ConfigError, match=r"optimizer\.step\(closure\)"):
        second.step()
    with pytest.raises(ConfigError, match="line_search_fn"):
        optim.LBFGS([w], line_search_fn="golden")


@pytest.mark.parametrize(
    "name, args", [("MultiStepLR", ([2, 5, 5], 0.5)), ("LambdaLR", (lambda t: 0.9**t,)), ("LambdaLR", (lambda t: 1 / (1 + t),))]
)
def test_schedules_are_torchs(name, args):
    torch = pytest.importorskip("torch")
    ours = optim.SGD([Parameter(np.ones(2))], lr=0.3)
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.3)
    a, b = getattr(lr_scheduler, name)(ours, *args), getattr(torch.optim.lr_scheduler, name)(theirs, *args)
    for _ in range(8):
        assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-12)
        theirs.step()
        a.step()
        b.step()
    again = getattr(lr_scheduler, name)(optim.SGD([Parameter(np.ones(2))], lr=0.3), *args)
    again.load_state_dict(a.state_dict())
    assert again.last_epoch == 8 and again.get_last_lr() == a.get_last_lr()


def test_a_lambda_that_is_none():
    with pytest.raises(ConfigError, match="function of t"):
        lr_scheduler.LambdaLR(optim.SGD([Parameter(np.ones(2))]), 0.5)
