"""minigan.torch's optimizers and schedules: written-out steps, and PyTorch's after several steps."""

import numpy as np
import pytest

import minigan.torch as torch
from minigan.torch import nn

RULES = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.05, "betas": (0.5, 0.999), "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05, "fused": False}),
    ("RMSprop", {"lr": 0.01, "foreach": False}),
    ("Adagrad", {"lr": 0.1}),
    ("Adadelta", {"lr": 1.0}),
    ("LBFGS", {"lr": 0.5}),
]


def trained(t, name, options, steps=5):
    values = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    w = t.nn.Parameter(t.tensor(values))
    optimizer = getattr(t.optim, name)([w], **options)

    def closure():
        optimizer.zero_grad()
        loss = ((w - 1) ** 2 * t.tensor([1.0, 3.0])).sum() + w.sum() ** 2
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return w.detach().numpy(), optimizer


@pytest.mark.parametrize("name, options", RULES)
def test_five_steps_are_pytorchs(name, options):
    theirs = pytest.importorskip("torch")
    np.testing.assert_allclose(trained(torch, name, options)[0], trained(theirs, name, options)[0], rtol=1e-4, atol=1e-5)


def test_a_written_out_step_and_the_closures_value():
    w = nn.Parameter(torch.tensor([4.0]))
    optimizer = torch.optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 16.0 and w.tolist() == [2.0]


def test_groups_have_options_of_their_own_and_can_be_added():
    a, b = nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([{"params": a, "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [b]})
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    a.grad, b.grad = torch.tensor([1.0]), torch.tensor([1.0])
    optimizer.step()
    assert a.item() == 0.5 and b.item() == pytest.approx(0.9)
    optimizer.param_groups[1]["lr"] = 0.4
    optimizer.step()
    assert b.item() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="in two groups"):
        optimizer.add_param_group({"params": [a]})


def test_zero_grad_to_none_or_to_zeros():
    w = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([w], lr=0.1)
    w.sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert w.grad is None


@pytest.mark.parametrize("name, options", RULES)
def test_a_saved_state_goes_on_in_the_same_way(name, options, tmp_path):
    once, _ = trained(torch, name, options, 1)
    _, optimizer = trained(torch, name, options, 3)
    torch.save(optimizer.state_dict(), tmp_path / "o.pth")
    saved = torch.load(tmp_path / "o.pth")
    w = nn.Parameter(optimizer.param_groups[0]["params"][0].detach().clone())
    other = getattr(torch.optim, name)([w], **options)
    other.load_state_dict(saved)
    for one in (optimizer, other):
        p = one.param_groups[0]["params"][0]

        def closure(one=one, p=p):
            one.zero_grad()
            loss = (p**4).sum()
            loss.backward()
            return loss

        one.step(closure)
    assert w.tolist() == optimizer.param_groups[0]["params"][0].tolist() and w.tolist() != once.tolist()


def test_adams_state_has_pytorchs_names():
    _, optimizer = trained(torch, "Adam", {})
    state = optimizer.state_dict()
    assert set(state["state"][0]) == {"step", "exp_avg", "exp_avg_sq"} and state["param_groups"][0]["params"] == [0]


def test_a_rule_of_ones_own():
    class Sign(torch.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p]["count"] = self.state[p].get("count", 0) + 1
                    p.add_(p.grad.sign(), alpha=-group["lr"])

    w = nn.Parameter(torch.tensor([1.0]))
    optimizer = Sign([w])
    (w * 7).sum().backward()
    optimizer.step()
    assert w.item() == pytest.approx(0.9) and optimizer.state_dict()["state"][0]["count"] == 1


def test_a_parameter_that_comes_twice_is_updated_once(capsys):
    w = nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([w, w], lr=1.0)
    w.sum().backward()
    optimizer.step()
    assert w.item() == 0.0 and "given twice" in capsys.readouterr().err


SCHEDULES = {
    "StepLR": {"step_size": 2, "gamma": 0.5},
    "MultiStepLR": {"milestones": [1, 3]},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 4},
    "LinearLR": {},
    "LambdaLR": {"lr_lambda": lambda t: 1 / (1 + t)},
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_gives_pytorchs_rates(name):
    theirs = pytest.importorskip("torch")
    rates = []
    for t in (torch, theirs):
        optimizer = t.optim.SGD([t.nn.Parameter(t.ones(1))], lr=0.1)
        schedule = getattr(t.optim.lr_scheduler, name)(optimizer, **SCHEDULES[name])
        rates.append([])
        for _ in range(6):
            rates[-1].append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
    assert rates[0] == pytest.approx(rates[1])


def test_a_schedule_reaches_the_step():
    w = nn.Parameter(torch.tensor([0.0]))
    optimizer = torch.optim.SGD([w], lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5, last_epoch=-1)
    for expected in (-1.0, -1.5, -1.75):
        w.grad = torch.tensor([1.0])
        optimizer.step()
        schedule.step()
        assert w.item() == expected


def test_a_schedule_of_ones_own():
    class Half(torch.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    schedule = Half(optimizer)
    schedule.step()
    assert schedule.get_last_lr() == [0.5]
