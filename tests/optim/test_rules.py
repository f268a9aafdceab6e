"""The update rules against closed forms, a naive reference on single numbers, and torch where it is installed."""

import copy
import itertools

import numpy as np
import pytest

import minigan as mg
from minigan import optim
from minigan.errors import CheckpointError, ConfigError, DTypeError, GraphError, ShapeError
from minigan.nn import Parameter


def naive(rule, o, w, gradients):
    """The rule on one Python number at a time, from the papers' lines; returns the trajectory."""
    m = v = v_max = a = b = 0.0
    path = []
    for t, g in enumerate(gradients, 1):
        g = -g if o.get("maximize") else g
        g += o.get("weight_decay", 0.0) * w
        if rule == "SGD":
            if o.get("momentum"):
                b = g if t == 1 else o["momentum"] * b + (1 - o.get("dampening", 0.0)) * g
                g = g + o["momentum"] * b if o.get("nesterov") else b
            w -= o["lr"] * g
        elif rule == "Adam":
            b1, b2 = o["betas"]
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            v_max = max(v_max, v)
            used = v_max if o.get("amsgrad") else v
            w -= o["lr"] * (m / (1 - b1**t)) / ((used / (1 - b2**t)) ** 0.5 + 1e-8)
        else:
            v = o["alpha"] * v + (1 - o["alpha"]) * g * g
            a = o["alpha"] * a + (1 - o["alpha"]) * g
            step = g / ((v - a * a if o.get("centered") else v) ** 0.5 + 1e-8)
            if o.get("momentum"):
                b = o["momentum"] * b + step
                step = b
            w -= o["lr"] * step
        path.append(w)
    return np.array(path)


def grid(**options):
    return [dict(zip(options, values)) for values in itertools.product(*options.values())]


CASES = (
    [
        ("SGD", o)
        for o in grid(
            lr=[0.1],
            momentum=[0.0, 0.9],
            dampening=[0.0, 0.2],
            weight_decay=[0.0, 0.1],
            nesterov=[False, True],
            maximize=[False, True],
        )
        if not o["nesterov"] or (o["momentum"] and not o["dampening"])
    ]
    + [
        ("Adam", o)
        for o in grid(
            lr=[0.1], betas=[(0.5, 0.9), (0.9, 0.999)], weight_decay=[0.0, 0.1], amsgrad=[False, True], maximize=[False, True]
        )
    ]
    + [
        ("RMSprop", o)
        for o in grid(
            lr=[0.01], alpha=[0.9], momentum=[0.0, 0.9], weight_decay=[0.0, 0.1], centered=[False, True], maximize=[False, True]
        )
    ]
)
ids = lambda value: value if isinstance(value, str) else ",".join(f"{k}={v}" for k, v in value.items())


@pytest.mark.parametrize("rule, options", CASES, ids=ids)
def test_20_steps_follow_the_naive_rule(rule, options):
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(3), rng.standard_normal((20, 3))
    p = Parameter(start.copy())
    optimizer, path = getattr(optim, rule)([p], **options), []
    for g in gradients:
        optimizer.step([g])
        path.append(p.data.copy())
    for k in range(3):
        np.testing.assert_allclose(np.array(path)[:, k], naive(rule, options, start[k], gradients[:, k]), rtol=1e-10)


@pytest.mark.parametrize("rule, options", CASES, ids=ids)
def test_20_steps_follow_torch_also_when_a_gradient_is_missing(rule, options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    starts = [rng.standard_normal((3, 4)), rng.standard_normal(5)]
    ours, theirs = [Parameter(w.copy()) for w in starts], [torch.nn.Parameter(torch.tensor(w)) for w in starts]
    mine, other = getattr(optim, rule)(ours, **options), getattr(torch.optim, rule)(theirs, **options)
    for step in range(20):
        for i, (p, q) in enumerate(zip(ours, theirs)):
            g = None if (step, i) == (3, 0) else rng.standard_normal(p.shape)
            p.grad, q.grad = (None, None) if g is None else (mg.tensor(g), torch.tensor(g))
        mine.step()
        other.step()
        for p, q in zip(ours, theirs):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_first_adam_step_has_length_lr_whatever_the_gradient():
    p = Parameter(np.zeros(3))
    optim.Adam([p], lr=0.01).step([np.array([1e-3, -5.0, 1e6])])
    np.testing.assert_allclose(p.data, [-0.01, 0.01, -0.01], rtol=1e-4)


OPTIMIZERS = [("SGD", dict(lr=1e-2, momentum=0.9)), ("Adam", dict(lr=0.1)), ("RMSprop", dict(lr=1e-2))]


@pytest.mark.parametrize("name, options", OPTIMIZERS)
def test_reaches_the_minimum_of_a_parabola(name, options):
    p = Parameter(np.array([3.0, -2.0]))
    optimizer = getattr(optim, name)([p], **options)
    for _ in range(600):
        loss = ((p - np.array([1.0, 1.0])) ** 2 * np.array([1.0, 5.0])).sum()
        optimizer.step(mg.grad(loss, [p]))
    np.testing.assert_allclose(p.data, [1, 1], atol=0.02)


@pytest.mark.parametrize("name, options", OPTIMIZERS)
def test_a_saved_state_continues_to_the_same_bits(name, options):
    def gradients():
        rng = np.random.default_rng(2)
        return [[rng.standard_normal((2, 3)).astype("f4"), rng.standard_normal(4).astype("f4")] for _ in range(8)]

    def fresh():
        ps = [Parameter(np.ones((2, 3), np.float32)), Parameter(np.ones(4, np.float32))]
        return ps, getattr(optim, name)(ps, **options)

    straight, optimizer = fresh()
    for g in gradients():
        optimizer.step(g)
    before, optimizer = fresh()
    for g in gradients()[:4]:
        optimizer.step(g)
    after, again = fresh()
    for p, q in zip(after, before):
        p.copy_(q.detach())
    again.load_state_dict(optimizer.state_dict())
    for g in gradients()[4:]:
        again.step(g)
    for p, q in zip(straight, after):
        np.testing.assert_array_equal(p.data, q.data)
    with pytest.raises(CheckpointError, match="is for 2 parameters in 1 groups, this optimizer has 1 in 1"):
        getattr(optim, name)([Parameter(np.ones(2))], **options).load_state_dict(optimizer.state_dict())


def test_parameters_are_views_of_one_vector_and_stay_so():
    a, b = Parameter(np.ones((2, 2))), Parameter(np.zeros(3))
    optimizer = optim.SGD([a, b], lr=1.0)
    assert a.data.base is b.data.base
    a.data = np.full((2, 2), 5.0)  # as module.to(...) or a second optimizer would do
    optimizer.step([np.ones((2, 2)), np.ones(3)])
    assert a.data.tolist() == [[4, 4], [4, 4]] and b.data.tolist() == [-1, -1, -1]
    assert a.data.base is b.data.base


def test_two_optimizers_may_share_a_parameter():
    shared, own = Parameter(np.zeros(2)), Parameter(np.zeros(2))
    first, second = optim.SGD([shared, own], lr=1.0), optim.SGD([shared], lr=10.0)
    for _ in range(3):
        first.step([np.ones(2), np.ones(2)])
        second.step([np.ones(2)])
    assert shared.data.tolist() == [-33, -33] and own.data.tolist() == [-3, -3]


def test_groups_have_options_of_their_own():
    a, b = Parameter(np.zeros(1)), Parameter(np.zeros(1, np.float32))
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "lr": 5.0}], lr=1.0)
    optimizer.step([np.ones(1), np.ones(1, np.float32)])
    optimizer.param_groups[0]["lr"] = 3.0
    optimizer.step([np.ones(1), np.ones(1, np.float32)])
    assert a.data.tolist() == [-4] and b.data.tolist() == [-10]


def test_a_step_leaves_the_given_gradients_alone():
    p, g = Parameter(np.ones(3)), np.ones(3)
    optim.Adam([p], weight_decay=0.1).step([g])
    assert g.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: optim.Adam([]), "no parameters"),
        (lambda: optim.Adam([Parameter(np.ones(2))], lr=-1), "lr must be a number >= 0, got -1"),
        (lambda: optim.Adam([Parameter(np.ones(2))], lr=float("nan")), "lr must be a number >= 0"),
        (lambda: optim.Adam([Parameter(np.ones(2))], betas=(0.9, 1.0)), r"betas must be two numbers in \[0, 1\)"),
        (lambda: optim.SGD([p := Parameter(np.ones(2)), p]), "given twice"),
    ],
)
def test_bad_options_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_bad_gradients_are_refused():
    p = Parameter(np.ones(3))
    with pytest.raises(ShapeError, match=r"a gradient is \(2,\), its parameter \(3,\)"):
        optim.SGD([p]).step([np.ones(2)])
    with pytest.raises(ShapeError, match="1 parameters but 2 gradients"):
        optim.SGD([p]).step([np.ones(3), np.ones(3)])
    with pytest.raises(GraphError, match="leaf"):
        optim.SGD([p * 2.0])


def test_a_deep_copy_trains_on_its_own():
    model = mg.nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    twin, twins = copy.deepcopy((model, optimizer))
    before = model.weight.data.copy()
    twins.step([np.ones((1, 2), np.float32), np.ones(1, np.float32)])
    np.testing.assert_array_equal(model.weight.data, before)
    np.testing.assert_allclose(twin.weight.data, before - 1, rtol=1e-6)


def test_loading_a_state_forgets_what_came_after_it_and_keeps_its_precision():
    layer = mg.nn.Linear(2, 1)
    optimizer = optim.Adam(layer.parameters())
    fresh = optimizer.state_dict()
    optimizer.step([np.ones((1, 2), np.float32), np.ones(1, np.float32)])
    optimizer.load_state_dict(fresh)
    assert all(set(entry) == {"step"} and entry["step"] == 0 for entry in optimizer.state_dict()["state"].values())
    layer.double()
    third = [np.full((1, 2), 1 / 3), np.ones(1)]
    other = optim.Adam(mg.nn.Linear(2, 1).double().parameters())
    other.step(third)
    optimizer.load_state_dict(other.state_dict())
    np.testing.assert_array_equal(optimizer.state_dict()["state"]["0"]["exp_avg"], other.state_dict()["state"]["0"]["exp_avg"])


def test_a_part_moved_to_another_dtype_is_noticed():
    net = mg.nn.Sequential(mg.nn.Linear(2, 2), mg.nn.Linear(2, 1))
    optimizer = optim.SGD(net.parameters())
    net[1].double()
    with pytest.raises(ConfigError, match="make the optimizer after"):
        optimizer.step([np.ones(p.shape, p.dtype) for p in net.parameters()])


def test_groups_may_differ_in_what_they_keep_and_unknown_options_are_refused():
    a, b = Parameter(np.ones(1)), Parameter(np.ones(1))
    optimizer = optim.Adam([{"params": [a], "amsgrad": True}, {"params": b}])
    optimizer.step([np.ones(1), np.ones(1)])
    assert "max_exp_avg_sq" in optimizer.state_dict()["state"]["0"]
    with pytest.raises(ConfigError, match="'learning_rate'"):
        optim.Adam([{"params": [a], "learning_rate": 3}])
    with pytest.raises(CheckpointError, match="another rule"):
        optim.Adam([a]).load_state_dict(optim.RMSprop([b]).state_dict())


def test_centered_rmsprop_survives_a_constant_gradient():
    p = Parameter(np.zeros(2, np.float32))
    optimizer = optim.RMSprop([p], lr=0.01, centered=True)
    for _ in range(2000):
        optimizer.step([np.array([0.1, 1234.567], np.float32)])
    assert np.isfinite(p.data).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda p: optim.SGD(p, lr=0.1, nesterov=True), "nesterov is a form of momentum without dampening.*momentum=0.0"),
        (lambda p: optim.SGD(p, momentum=0.9, dampening=0.1, nesterov=True), "nesterov.*dampening=0.1"),
        (lambda p: optim.SGD([{"params": p, "nesterov": True}], momentum=0.0), "nesterov"),
        (lambda p: optim.SGD(p, momentum=0.9, nesterov="yes"), "nesterov must be True or False, got 'yes'"),
        (lambda p: optim.SGD(p, maximize=2), "maximize must be True or False"),
        (lambda p: optim.SGD(p, momentum=True), "momentum must be a number >= 0, got True"),
        (lambda p: optim.SGD(p, dampening="0"), "dampening must be a number"),
        (lambda p: optim.SGD(p, lr=float("inf")), "lr must be a number >= 0, got inf"),
        (lambda p: optim.SGD(p, lr="0.1"), "lr must be a number.*, got '0.1'"),
        (lambda p: optim.Adam(p, eps=0), "eps=0 is 0 for these parameters.*0 / 0"),
        (lambda p: optim.Adam(p, eps=1e-60), "eps=1e-60 is 0 for these parameters"),
        (lambda p: optim.RMSprop(p, eps=0.0), "eps=0.0 is 0"),
        (lambda p: optim.Adam(p, eps=-1e-8), "eps must be a number >= 0"),
        (lambda p: optim.Adam(p, betas=0.9), "betas must be two numbers.*, got 0.9"),
        (lambda p: optim.Adam(p, betas=("a", 0.9)), "betas must be .*number"),
        (lambda p: optim.RMSprop(p, alpha=1.5), "alpha must be at most 1, got 1.5"),
    ],
)
def test_half_taken_options_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make([Parameter(np.ones(2, np.float32))])


def test_parameters_that_share_memory_are_refused_and_neighbours_are_not():
    x = mg.zeros((4, 2))
    with pytest.raises(ConfigError, match=r"two parameters, \(4, 2\) and \(2,\), share memory"):
        optim.SGD([Parameter(x), Parameter(np.ones(3, np.float32)), Parameter(x[1])])
    with pytest.raises(ConfigError, match="share memory"):
        optim.SGD([Parameter(x[::-1]), Parameter(x.T)])
    columns = [Parameter(x[:, 0]), Parameter(x[:, 1])]  # between each other's elements, but apart
    optim.SGD(columns, lr=1.0).step([np.ones(4, np.float32)] * 2)
    assert all((p.data == -1).all() for p in columns)
    optim.Adam(columns)  # neighbours in another optimizer's vector


def test_a_parameter_of_another_shape_is_noticed():
    p = Parameter(np.ones(3))
    optimizer = optim.SGD([p])
    p.data = np.ones(1)
    with pytest.raises(ConfigError, match=r"a parameter was \(3,\) when its optimizer was made, and is \(1,\) now"):
        optimizer.step([np.ones(1)])


def test_float16_is_loaded_and_converted_but_not_trained():
    layer = mg.nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[0.5, 0.25]], np.float16), "bias": np.zeros(1, np.float16)})
    assert layer.weight.dtype == np.float32 and layer.weight.tolist() == [[0.5, 0.25]]
    half = layer.to("float16").state_dict()
    assert half["weight"].dtype == np.float16 and mg.tensor(half["weight"]).astype("float32").tolist() == [[0.5, 0.25]]
    with pytest.raises(DTypeError, match="SGD: float16 has too few digits for small steps; train in float32"):
        optim.SGD(layer.parameters())
    optim.SGD(layer.float().parameters())


def test_gradients_may_be_lists_and_must_be_real_numbers():
    p = Parameter(np.zeros(2))
    optim.SGD([p], lr=1.0).step([[1.0, 2.0]])
    assert p.tolist() == [-1, -2]
    with pytest.raises(DTypeError, match="real numbers"):
        optim.SGD([p]).step([np.ones(2, complex)])
    scalar = Parameter(2.0)
    optimizer = optim.Adam([scalar], lr=1.0)
    optimizer.step([np.float32(3.0)])
    assert scalar.shape == () and scalar.item() == pytest.approx(1.0)
    again = optim.Adam([Parameter(2.0)], lr=1.0)
    again.load_state_dict(optimizer.state_dict())
    assert again.state_dict()["state"]["0"]["exp_avg"].shape == ()


def spoiled(change):
    state = copy.deepcopy(optim.Adam([Parameter(np.ones(2, np.float32))]).state_dict())
    state["state"]["0"]["exp_avg"] = np.ones(2, np.float32)
    change(state)
    return state


@pytest.mark.parametrize(
    "state, message",
    [
        ({}, "has 'state' and 'param_groups'"),
        (None, "has 'state' and 'param_groups'"),
        ({"state": {}}, "has 'state' and"),
        ({"state": {}, "param_groups": []}, "for 0 parameters in 0 groups"),
        (spoiled(lambda s: s["state"].update({"0": {}})), "has no 'step' of parameter 0"),
        (spoiled(lambda s: s.update(state={"7": {"step": 1}})), "has no '0' of parameter 0"),
        (spoiled(lambda s: s["state"]["0"].update(step=3.7)), r"parameter 0 is int64, which can't hold the state's 3.7"),
        (spoiled(lambda s: s["state"]["0"].update(step="x")), "parameter 0 holds real numbers"),
        (spoiled(lambda s: s["state"]["0"].update(exp_avg=np.ones(2, complex))), "real numbers, but the state has complex128"),
        (spoiled(lambda s: s["state"]["0"].update(exp_avg=np.ones(3))), r"is \(2,\), but the state has \(3,\)"),
        (spoiled(lambda s: s["state"]["0"].update(exp_avg=np.array([1.0, 1e300]))), "float32, which can't hold the state's 1e"),
        (spoiled(lambda s: s["state"]["0"].update(exp_avg=np.array(["a", "b"]))), "the state has <U1"),
        (spoiled(lambda s: s["param_groups"][0].update(eps=0.0)), "does not fit: Adam: eps=0.0 is 0"),
        (spoiled(lambda s: s["param_groups"][0].update(lr="fast")), "does not fit"),
        (spoiled(lambda s: s["param_groups"][0].pop("eps")), "of another rule"),
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(state, message):
    optimizer = optim.Adam([Parameter(np.ones(2, np.float32))], lr=0.5)
    optimizer.step([np.ones(2, np.float32)])
    before = optimizer.state_dict()
    with pytest.raises(CheckpointError, match=message):
        optimizer.load_state_dict(state)
    np.testing.assert_equal(optimizer.state_dict(), before)


@pytest.mark.parametrize("make", [optim.CoordinateDescent, optim.ConjugateGradient])
@pytest.mark.parametrize("state", [{}, {"search": {}, "descent": {}}, {"descent": {"rule": "cyclic"}}])
def test_other_optimizers_refuse_a_state_that_is_not_whole(make, state):
    with pytest.raises(CheckpointError):
        make([Parameter(np.ones(2))]).load_state_dict(state)
