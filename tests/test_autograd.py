"""The engine: what it records, the walk back, who owns which array, and what it refuses."""

import gc
import itertools
import weakref

import numpy as np
import pytest

import minigan as mg
from minigan.errors import DeviceError, DTypeError, GraphError, NotFiniteError, ShapeError

rng = np.random.default_rng(0)


def leaf(*shape):
    return mg.tensor(np.random.default_rng(sum(shape)).standard_normal(shape), requires_grad=True)


# ------------------------------------------------------------------------------------------------------ the walk ---


def test_a_value_used_twice_gets_both_gradients():
    a = mg.tensor(1.0, requires_grad=True)
    b = a + a
    c = b + b * b  # c = 2a + 4a^2
    assert mg.grad(c, a)[0].item() == 2 + 8 * 1.0


def test_any_order_of_a_polynomial():
    x = mg.tensor(np.float64(1.5), requires_grad=True)
    y, derivatives = x**5, []
    for _ in range(6):
        (y,) = mg.grad(y, x, create_graph=True)
        derivatives.append(y.item())
        if y.node is None:
            break
    t = 1.5
    np.testing.assert_allclose(derivatives[:5], [5 * t**4, 20 * t**3, 60 * t**2, 120 * t, 120], rtol=1e-14)


def test_one_hessian_by_three_routes():
    A = rng.standard_normal((4, 4))
    f = lambda x: (mg.sin(x) * (mg.tensor(A) @ mg.exp(x))).sum()
    point = rng.standard_normal(4)
    x = mg.tensor(point, requires_grad=True)
    (g,) = mg.grad(f(x), x, create_graph=True)
    by_grad = np.stack([mg.grad(g[i], x, retain_graph=True)[0].numpy() for i in range(4)])
    first = lambda p: mg.grad(f(t := mg.tensor(p, requires_grad=True)), t)[0].numpy()
    h = 1e-5
    by_differences = np.stack([(first(point + h * e) - first(point - h * e)) / (2 * h) for e in np.eye(4)])
    s, c, e = np.sin(point), np.cos(point), np.exp(point)
    by_hand = np.diag(-s * (A @ e)) + c[:, None] * A * e + (c[:, None] * A * e).T + np.diag((s @ A) * e)
    np.testing.assert_allclose(by_grad, by_hand, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(by_differences, by_hand, rtol=1e-6, atol=1e-7)


def test_hessian_vector_product_by_two_backward_passes():
    H = np.array([[2.0, 1.0], [1.0, 6.0]])
    x = mg.tensor(np.array([0.3, -0.7]), requires_grad=True)
    v = np.array([1.0, -2.0])
    (g,) = mg.grad(0.5 * (x @ (mg.tensor(H) @ x)), x, create_graph=True)
    np.testing.assert_allclose(mg.grad(g, x, v)[0].numpy(), H @ v)


def test_a_chain_of_100_000_ops_needs_no_recursion():
    x = mg.tensor(2.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    assert mg.grad(y, x)[0].item() == 1.0
    del y  # freeing the chain must not recurse either


def test_each_rule_runs_once_per_walk_however_often_its_output_is_used():
    calls = []
    probe = mg.primitive(lambda x: x * 1, lambda g, y, x: calls.append(1) or g, name="probe")
    x = mg.tensor(1.0, requires_grad=True)
    y = probe(x)
    for _ in range(20):
        y = y + y  # 2^20 paths
    assert mg.grad(y, x)[0].item() == 2.0**20
    assert len(calls) == 1


def test_only_the_wanted_gradients_are_computed():
    asked = []
    rules = [lambda g, y, a, b, i=i: asked.append(i) or g for i in range(2)]
    op = mg.primitive(lambda a, b: a + b, *rules, name="op")
    a, b = leaf(2), leaf(2)
    mg.grad(op(a, b).sum(), a)
    assert asked == [0]


def test_branches_that_lead_nowhere_are_not_walked():
    a, b = leaf(2), leaf(2)
    asked = []
    costly = mg.primitive(lambda x: x * 1, lambda g, y, x: asked.append(1) or g, name="costly")
    mg.grad((a * costly(b)).sum(), a)
    assert asked == []


def test_grad_of_an_inner_tensor_and_of_its_ancestor_together():
    x = mg.tensor(3.0, requires_grad=True)
    y = x * x
    z = y * y
    dy, dx = mg.grad(z, (y, x))
    assert (dy.item(), dx.item()) == (18.0, 108.0)


def test_several_outputs_are_summed_with_their_cotangents():
    x = leaf(3)
    (g,) = mg.grad([x * 2.0, x.sum()], x, [np.ones(3), np.array(5.0)])
    np.testing.assert_allclose(g.numpy(), [7, 7, 7])


def test_backward_adds_into_grad_and_grad_never_touches_it():
    x = leaf(3)
    mg.grad((x * x).sum(), x)
    assert x.grad is None
    (x * x).sum().backward()
    (x * x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 4 * x.detach().numpy())


def test_a_rule_that_says_zero_gives_zeros_and_an_unused_input_an_error():
    x = leaf(3)
    np.testing.assert_array_equal(mg.grad(mg.floor(x).sum(), x)[0].numpy(), np.zeros(3))
    with pytest.raises(GraphError, match=r"input 0 \(3,\) was not used"):
        mg.grad((leaf(2) * 1.0).sum(), x)
    assert mg.grad((leaf(2) * 1.0).sum(), x, allow_unused=True) == (None,)


# ------------------------------------------------------------------------------------------------- who owns what ---


def test_gradients_are_nobody_elses_memory():
    a, b, cotangent = leaf(3), leaf(3), np.ones(3)
    ga, gb = mg.grad(a + b, (a, b), cotangent)
    (gv,) = mg.grad(a.reshape(3, 1)[::-1], a, np.ones((3, 1)))
    for one, other in itertools.combinations([ga.data, gb.data, gv.data, cotangent, a.data, b.data], 2):
        assert not np.shares_memory(one, other)


def test_sums_in_place_never_reach_the_cotangent_or_a_sibling():
    x, cotangent = leaf(3), np.ones(3)
    y = x + x + x + x.reshape(3) + x[::1]
    (g,) = mg.grad(y, x, cotangent)
    np.testing.assert_array_equal(g.numpy(), [5, 5, 5])
    np.testing.assert_array_equal(cotangent, np.ones(3))


def test_memory_goes_back_without_the_garbage_collector():
    gc.disable()
    try:
        x = leaf(3)
        y = mg.exp(x * 2.0)
        node = weakref.ref(y)
        array = weakref.ref(y.node.output)
        loss = (y * y).sum()
        mg.grad(loss, x, create_graph=True)
        del y, loss
        assert node() is None and array() is None
    finally:
        gc.enable()


def test_backward_frees_what_the_graph_saved():
    x = leaf(3)
    y = mg.exp(x)
    saved = weakref.ref(y.node.output)
    loss = y.sum()
    del y
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_500_penalty_steps_with_the_collector_off_leave_no_nodes():
    from minigan.autograd import Node

    def nodes():
        return sum(type(o) is Node for o in gc.get_objects())

    D = mg.nn.Sequential(mg.nn.Linear(2, 8), mg.nn.LeakyReLU(0.2), mg.nn.Linear(8, 1))
    gc.collect()
    gc.disable()
    try:
        counts, slopes = [], []
        for i in range(500):
            x = mg.tensor(rng.standard_normal((4, 2)).astype("f4"), requires_grad=True)
            (slope,) = mg.grad(D(x).sum(), x, create_graph=True)
            mg.grad(((mg.norm(slope, 1) - 1.0) ** 2).mean(), list(D.parameters()), allow_unused=True)
            slopes.append(weakref.ref(slope.data))
            if i in (10, 499):
                counts.append(nodes())
        del slope
    finally:
        gc.enable()
    assert counts[1] <= counts[0]  # other tests' nodes may go meanwhile; ours must not pile up
    assert not any(s() is not None for s in slopes)


def test_inputs_and_saved_values_survive_two_walks():
    x = leaf(4, 4)
    y = mg.softmax(x @ x, 1) * mg.exp(x)
    seed = rng.standard_normal((4, 4))
    first = mg.grad(y, x, seed, retain_graph=True)[0].numpy().copy()
    np.testing.assert_array_equal(mg.grad(y, x, seed)[0].numpy(), first)


# --------------------------------------------------------------------------------------------- what it refuses ---


def test_backward_twice_says_how_to_avoid_it():
    x = leaf(3)
    y = mg.exp(x).sum()
    y.backward()
    with pytest.raises(GraphError, match="freed by an earlier backward.*retain_graph=True"):
        y.backward()
    z = mg.exp(x).sum()
    z.backward(retain_graph=True)
    z.backward()


def test_an_optimizer_step_between_forward_and_backward_is_noticed():
    w = mg.nn.Parameter(rng.standard_normal((3, 3)).astype("f4"))
    loss = (mg.ones((2, 3)) @ w.T).sum() + (w * w).sum()
    mg.optim.SGD([w], lr=0.1).step([mg.ones((3, 3))])
    with pytest.raises(GraphError, match=r"input \d \(3, 3\), saved for backward, was updated.*before the update"):
        loss.backward()


def test_an_in_place_change_is_noticed_through_views_and_detached_twins():
    x = mg.tensor(rng.standard_normal((3, 4)))
    w = leaf(4)
    y = x.T.reshape(4, 3)  # a view of x, here constant, saved by the product
    loss = (w.reshape(4, 1) * y).sum()
    x.detach()[0, 0] = 100.0
    with pytest.raises(GraphError, match="multiply: input 1, saved for backward, was updated"):
        loss.backward()


def test_changing_what_was_not_saved_is_allowed():
    x, w = mg.tensor(np.ones(3)), leaf(3)
    loss = (x + w).sum()  # a sum saves nothing
    x[...] = 7.0
    loss.backward()
    np.testing.assert_array_equal(w.grad.numpy(), np.ones(3))


def test_second_derivatives_notice_an_update_as_well():
    w = leaf(3)
    (g,) = mg.grad((w**3).sum(), w, create_graph=True)
    with mg.no_grad():
        w[...] = 0.0
    with pytest.raises(GraphError, match="updated in place"):
        mg.grad(g.sum(), w)


def test_setitem_inside_a_graph_is_refused_with_the_alternative():
    y = leaf(3) * 2.0
    with pytest.raises(GraphError, match="mg.where"):
        y[0] = 1.0
    with pytest.raises(GraphError, match="no_grad"):
        leaf(3)[0] = 1.0


def test_a_non_scalar_needs_a_gradient_of_its_shape_and_dtype():
    x = leaf(3)
    with pytest.raises(GraphError, match=r"only a scalar.*\(3,\)"):
        (x * 1.0).backward()
    with pytest.raises(ShapeError, match=r"gradient is \(2,\), but the tensor is \(3,\)"):
        (x * 1.0).backward(np.ones(2))
    with pytest.raises(DTypeError, match="gradient is float32, but the tensor is float64"):
        (x * 1.0).backward(np.ones(3, np.float32))
    with pytest.raises(GraphError, match="has no graph"):
        mg.tensor(1.0).backward()


def test_size_one_is_not_a_scalar():
    with pytest.raises(GraphError, match=r"only a scalar"):
        (leaf(1) * 1.0).backward()


def test_a_wrong_rule_cannot_be_silently_broadcast():
    bad = mg.primitive(lambda x: x * 2, lambda g, y, x: g.sum(), name="bad")
    with pytest.raises(GraphError, match=r"bad: the rule of input 0 returned float64 \(\), but the input is float64 \(3,\)"):
        bad(leaf(3)).sum().backward()
    widens = mg.primitive(lambda x: x * 2, lambda g, y, x: (2 * g).astype("f8"), name="widens")
    with pytest.raises(GraphError, match="widens.*returned float64 .*float32"):
        widens(mg.ones(3, requires_grad=True)).sum().backward()


def test_requires_grad_needs_a_float():
    with pytest.raises(DTypeError, match="requires_grad needs a float dtype, got int64"):
        mg.tensor([1, 2], requires_grad=True)
    with pytest.raises(GraphError, match="only a leaf"):
        (leaf(3) * 1.0).requires_grad = False


def test_dtypes_do_not_mix_silently():
    with pytest.raises(DTypeError, match=r"add: dtypes do not mix: float32 \(2,\) and float64 \(2,\)"):
        mg.ones(2) + np.ones(2)
    assert (mg.ones(2) * (mg.ones(2) > 0)).dtype == np.float32
    assert (mg.ones(2) * np.sqrt(2)).dtype == np.float32  # NumPy's float64 number counts as a Python number
    assert (np.float64(3) * mg.ones(2)).dtype == np.float32


def test_broadcast_errors_say_what_was_probably_meant():
    with pytest.raises(ShapeError, match=r"add: \(8, 3\) and \(8,\) do not broadcast; did you mean b\[:, None\]\?"):
        leaf(8, 3) + leaf(8)


def test_arrays_on_two_devices_are_refused(monkeypatch):
    class Elsewhere:  # stands for an array of another module
        shape, dtype, ndim, device = (3,), np.dtype("f8"), 1, type("Device", (), {"id": 0})

    monkeypatch.setitem(mg.backend.MODULES, Elsewhere, "cupy")
    with pytest.raises(DeviceError, match=r"multiply: arrays on different devices: \(3,\) on cpu, \(3,\) on cuda:0"):
        mg.multiply(leaf(3), Elsewhere())


# --------------------------------------------------------------------------------- no_grad, watching, checkpoint ---


def test_no_grad_as_block_and_as_decorator_records_nothing_and_nests():
    x = leaf(3)

    @mg.no_grad()
    def twice(depth):
        return twice(depth - 1) if depth else x * 2.0

    assert not twice(3).requires_grad
    with mg.no_grad():
        with mg.enable_grad():
            assert (x * 2.0).requires_grad
        assert not (x * 2.0).requires_grad
    assert (x * 2.0).requires_grad


def test_a_graph_can_be_walked_inside_no_grad():
    x = leaf(3)
    y = (x**3).sum()
    with mg.no_grad():
        (g,) = mg.grad(y, x, create_graph=True)
    np.testing.assert_allclose(mg.grad(g.sum(), x)[0].numpy(), 6 * x.detach().numpy())


def test_frozen_parameters_cost_nothing():
    D = mg.nn.Sequential(mg.nn.Linear(3, 4), mg.nn.Tanh(), mg.nn.Linear(4, 1)).double()
    x, products = leaf(2, 3), []
    with mg.watch(lambda op, phase, *rest: products.append(op) if phase == "backward" else None):
        mg.grad(D(x).sum(), x)
    assert products.count("linear") == 2  # one for each layer's input, none for its weight


def test_watchers_see_every_op_with_its_line():
    seen = []
    x = leaf(3)
    with mg.watch(lambda op, phase, inputs, output, seconds, site: seen.append((op, phase, site))):
        mg.exp(x).sum().backward()
    here = seen[0][2]
    assert here.startswith("test_autograd.py:")
    assert [(op, phase) for op, phase, _ in seen] == [
        ("exp", "forward"),
        ("sum", "forward"),
        ("sum", "backward"),
        ("exp", "backward"),
    ]


def test_debug_names_the_op_and_the_line_of_the_first_nan_forward():
    x = mg.tensor([4.0, -1.0], requires_grad=True)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(
            NotFiniteError, match=r"sqrt: first NaN in its output \(2,\) \(called at test_autograd.py:\d+\); its inputs were"
        ),
    ):
        with mg.debug():
            (mg.sqrt(x) * 2.0).sum()


def test_debug_names_the_op_of_the_first_inf_backward():
    x = mg.tensor([4.0, 0.0], requires_grad=True)
    with (
        np.errstate(divide="ignore"),
        pytest.raises(NotFiniteError, match=r"sqrt: first Inf in its gradient \(2,\) \(called at test_autograd.py"),
    ):
        with mg.debug():
            mg.sqrt(x).sum().backward()


def test_profile_counts_calls_bytes_and_both_phases():
    x = mg.tensor(np.ones((10, 10), np.float32), requires_grad=True)
    with mg.profile() as p:
        for _ in range(3):
            (x @ x).sum().backward()
    row = p.by_op["matmul", "forward"]
    assert row.calls == 3 and row.bytes == 3 * 3 * 400 and row.seconds > 0
    assert p.by_op["matmul", "backward"].calls == 6
    assert "matmul" in str(p) and "GB/s" in str(p)


def test_checkpoint_gives_the_same_gradients_at_both_orders_and_replays_noise():
    mg.seed(0)
    net = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.Tanh(), mg.nn.Dropout(0.4), mg.nn.Linear(8, 3)).double()
    x, w = leaf(5, 4), leaf(3)
    leaves = [*net.parameters(), w, x]

    def gradients(wrap):
        mg.seed(7)
        outer = w * 2.0  # a tensor of the outer graph that the function closes over
        first = mg.grad(wrap(lambda t: mg.tanh(net(t)) * outer)(x * 1.5).sum(), leaves, create_graph=True)
        second = mg.grad(sum((g * g).sum() for g in first), leaves, allow_unused=True)
        mg.seed(7)
        outer = w * 2.0
        plain = mg.grad(wrap(lambda t: mg.tanh(net(t)) * outer)(x * 1.5).sum(), leaves)
        return [g.detach().numpy() for g in (*first, *plain)] + [None if g is None else g.numpy() for g in second]

    for a, b in zip(gradients(lambda f: f), gradients(mg.checkpoint)):
        np.testing.assert_array_equal(a, b) if a is None else np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_checkpoint_keeps_only_its_inputs_and_notices_updates():
    x, w = leaf(5, 4), mg.nn.Parameter(rng.standard_normal((4, 4)))
    inside = []

    def f(t):
        inside.append(weakref.ref((hidden := mg.exp(t @ w)).data))
        return hidden * hidden

    y = mg.checkpoint(f)(x)
    assert inside[0]() is None
    mg.optim.SGD([w], lr=0.1).step([np.ones((4, 4))])
    with pytest.raises(GraphError, match="checkpoint: input 1 \\(4, 4\\), saved for backward, was updated"):
        y.sum().backward()


def test_fused_ops_differentiate_their_composition_at_second_order():
    cube = mg.fused(lambda x: (x**3, x), lambda g, needed, kept, x: [g * 3 * kept * kept], lambda x: x * x * x)
    x = leaf(3)
    (g,) = mg.grad(cube(x).sum(), x, create_graph=True)
    np.testing.assert_allclose(mg.grad(g.sum(), x)[0].numpy(), 6 * x.detach().numpy())
    assert isinstance(cube(np.ones(2)), np.ndarray)


def test_called_with_arrays_ops_return_arrays_and_accept_inputs_by_name():
    assert type(mg.exp(np.zeros(2))) is np.ndarray
    a = leaf(2, 3)
    np.testing.assert_allclose(mg.matmul(b=np.ones((3, 1)), a=a).detach().numpy(), a.detach().numpy().sum(1, keepdims=True))


def test_checkpoint_takes_modules_and_constant_tensors():
    conv = mg.nn.Conv2d(1, 2, 3).double()
    x = mg.tensor(rng.standard_normal((1, 1, 5, 5)))
    by_checkpoint = mg.grad(mg.checkpoint(conv)(x).sum(), conv.weight)[0]
    np.testing.assert_allclose(by_checkpoint.numpy(), mg.grad(conv(x).sum(), conv.weight)[0].numpy())
    w = leaf(2)
    (g,) = mg.grad(mg.checkpoint(lambda a, b: (a * b.exp()).sum())(w, mg.tensor(np.ones(2))), w)
    np.testing.assert_allclose(g.numpy(), np.exp(np.ones(2)))


def test_a_derivative_that_would_be_lost_is_refused():
    x, y = leaf(2), mg.tensor(np.zeros((2, 2)))
    with pytest.raises(GraphError, match="would lose the derivative of the value.*detach"):
        y[0] = x * 2.0
    with pytest.raises(GraphError, match="copy_ would lose the derivative"):
        y[0].detach().copy_(x)
    with pytest.raises(GraphError, match="copy_ would change a tensor that a graph depends on"):
        (x * 1.0).copy_(np.ones(2))
    with pytest.raises(GraphError, match=r"elu: a Tensor \(2,\) that requires a gradient is given where elu has no"):
        mg.elu(leaf(2), x)


def test_a_fused_backward_may_return_one_array_for_two_inputs():
    def twice(g, needed, kept, a, b):
        h = g * 1
        return h, h

    add = mg.fused(lambda a, b: (a + b, None), twice, lambda a, b: a + b)
    x, w = leaf(2), leaf(2)
    u = x * 10.0
    gx, gw = mg.grad((u + add(u, w)).sum(), (x, w))
    assert gx.tolist() == [20, 20] and gw.tolist() == [1, 1]


def test_debug_sees_the_gradients_of_fused_ops():
    op = mg.fused(lambda x: (x * 1, None), lambda g, needed, kept, x: [g / 0], lambda x: x * 1)
    x = leaf(2)
    with np.errstate(divide="ignore"), pytest.raises(NotFiniteError, match="first Inf in its gradient"), mg.debug():
        op(x).sum().backward()


def test_to_the_same_device_is_the_same_tensor():
    x, w = mg.tensor(np.ones(2)), leaf(2)
    z, loss = x.to("cpu"), (w * x).sum()
    z[...] = 9.0
    with pytest.raises(GraphError, match="updated in place"):
        mg.grad(loss, w)


# ---------------------------------------------------------------------------------- leaves that change meanwhile ---


def test_a_leaf_frozen_and_unfrozen_between_forward_and_grad_is_still_the_leaf():
    D = mg.nn.Linear(3, 1, bias=False).double()
    x = rng.standard_normal((4, 3))
    loss = D(mg.tensor(x)).sum()
    D.requires_grad_(False)
    with pytest.raises(GraphError, match="input 0 does not require a gradient"):
        mg.grad(loss, D.parameters(), retain_graph=True)
    D.requires_grad_(True)
    np.testing.assert_allclose(mg.grad(loss, D.parameters(), retain_graph=True)[0].numpy(), x.sum(0, keepdims=True))
    loss.backward()
    np.testing.assert_allclose(D.weight.grad.numpy(), x.sum(0, keepdims=True))


def test_backward_leaves_a_frozen_leaf_alone_as_pytorch_does():
    x, w = leaf(2), leaf(2)
    loss = (x * w).sum()
    x.requires_grad = False
    loss.backward()
    assert x.grad is None and w.grad is not None


def test_a_conversion_between_forward_and_grad_does_not_lose_the_leaf():
    net = mg.nn.Linear(3, 1, bias=False)
    x = mg.tensor(np.array([[1.0, 2.0, 3.0]], np.float32))
    early = (net(x) ** 2).sum()
    w = net.weight.detach().numpy().copy()
    net.double()
    late = (net.weight * 5.0).sum()
    (g,) = mg.grad(early, net.weight, retain_graph=True)
    want = 2 * (x.numpy() @ w.T) * x.numpy()
    assert g.dtype == np.float64
    np.testing.assert_allclose(g.numpy(), want, rtol=1e-6)
    (both,) = mg.grad([early, late], net.weight, retain_graph=True)  # a node of each dtype
    np.testing.assert_allclose(both.numpy(), want + 5, rtol=1e-6)
    (g,) = mg.grad(early, net.weight, create_graph=True)
    assert g.dtype == np.float64 and g.requires_grad
    early.backward(retain_graph=True)
    net.float()
    early.backward()
    assert net.weight.grad.dtype == np.float32
    np.testing.assert_allclose(net.weight.grad.numpy(), 2 * want, rtol=1e-6)


def test_no_grad_on_a_generator_holds_inside_it_and_not_for_who_uses_it():
    x, seen = leaf(2), []

    @mg.no_grad()
    def halves(n):
        """Its own text."""
        for _ in range(n):
            try:
                sent = yield x * 0.5
                seen.append((sent, (x * 1.0).requires_grad))
            except KeyError:
                seen.append(("thrown", (x * 1.0).requires_grad))
            finally:
                seen.append((x * 1.0).requires_grad)
        return "end"

    for y in halves(2):
        assert not y.requires_grad and (x * 1.0).requires_grad
    assert seen == [(None, False), False] * 2 and halves.__doc__ == "Its own text."
    seen.clear()
    generator = halves(3)
    assert not next(generator).requires_grad
    assert not generator.send("sent").requires_grad
    assert not generator.throw(KeyError()).requires_grad
    generator.close()
    assert seen == [("sent", False), False, ("thrown", False), False, False]

    def delegate():
        return (yield from halves(1))

    generator = delegate()
    next(generator)
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == "end" and (x * 1.0).requires_grad


def test_no_grad_on_a_coroutine():
    import asyncio

    x = leaf(2)

    @mg.no_grad()
    async def forward():
        await asyncio.sleep(0)
        return x * 1.0

    async def both():
        return await asyncio.gather(forward(), asyncio.sleep(0, x * 1.0))

    inside, outside = asyncio.run(both())
    assert not inside.requires_grad and outside.requires_grad


def test_one_no_grad_object_may_be_used_again_and_inside_itself():
    x, quiet, loud = leaf(2), mg.no_grad(), mg.enable_grad()
    for _ in range(2):
        with quiet:
            with quiet:
                assert not (x * 1.0).requires_grad
                with loud, quiet, loud:
                    assert (x * 1.0).requires_grad
            assert not (x * 1.0).requires_grad
        assert (x * 1.0).requires_grad


def test_a_no_grad_block_left_in_another_thread_changes_nothing_there():
    import threading

    x, block, found = leaf(2), mg.no_grad(), []

    def elsewhere():
        with mg.no_grad():
            block.__exit__(None, None, None)
            found.append((x * 1.0).requires_grad)
        block.__exit__(None, None, None)
        found.append((x * 1.0).requires_grad)

    block.__enter__()
    try:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert found == [False, True]
        assert not (x * 1.0).requires_grad
    finally:
        block.__exit__(None, None, None)
    assert (x * 1.0).requires_grad


def test_blocks_left_in_another_order_than_entered():
    x, a, b = leaf(2), mg.no_grad(), mg.enable_grad()
    a.__enter__()
    b.__enter__()
    a.__exit__(None, None, None)
    assert (x * 1.0).requires_grad
    with mg.no_grad():
        b.__exit__(None, None, None)
        assert not (x * 1.0).requires_grad
    assert (x * 1.0).requires_grad


def test_backward_from_several_threads_loses_no_gradient():
    import sys
    import threading

    w, threads, times = mg.zeros(3, requires_grad=True), 8, 300
    errors = []

    def work():
        try:
            for _ in range(times):
                (w * 1.0).sum().backward()
        except Exception as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors
    assert w.grad.tolist() == [threads * times] * 3


def test_a_graph_that_another_walk_frees_meanwhile_is_refused():
    x = leaf(2)
    shared = mg.exp(x)
    other = (shared * 2.0).sum()

    def rule(g, y, x):
        other.backward()  # as another thread might, between two steps of this walk
        return g

    late = mg.primitive(lambda x: x * 1, rule, name="late")
    with pytest.raises(GraphError, match="exp: this graph was freed"):
        late(shared).sum().backward()


# ------------------------------------------------------------------------------------------- views and copies ---


def test_a_result_shares_its_cell_with_an_input_just_when_it_shares_memory():
    from minigan.optable import TABLE

    checked = 0
    for row in TABLE.values():
        for call, *shapes in row.cases:
            inputs = [mg.tensor(row.numbers(np.random.default_rng(0), shape)) for shape in shapes]
            results = call(*inputs)
            for y in results if isinstance(results, list) else [results]:
                for x in inputs:
                    shares = x.size > 0 and mg.backend.xp(x.data).shares_memory(x.data, y.data)
                    assert shares == (x.changed is y.changed) or not y.size, row.name
                    checked += shares
    assert checked > 30


@pytest.mark.parametrize(
    "pick",
    [
        lambda x: x[[0, 1]],
        lambda x: x[np.array([True, False, True])],
        lambda x: mg.take(x, [0, 1], 0),
        lambda x: x.T.reshape(-1),
        lambda x: x.T.ravel(),
        lambda x: mg.embedding(np.array([1]), x),
        lambda x: x[mg.tensor([2])],
    ],
)
def test_a_change_of_a_copy_leaves_the_graph_of_the_original_alone(pick):
    x, w = mg.tensor(np.arange(6.0).reshape(3, 2)), leaf(3, 2)
    loss = (w * x).sum()
    copied = pick(x)
    copied[...] = 9.0
    np.testing.assert_array_equal(mg.grad(loss, w)[0].numpy(), np.arange(6.0).reshape(3, 2))
    loss = (leaf(*copied.shape) * copied).sum()
    x[...] = 7.0
    loss.backward()


@pytest.mark.parametrize(
    "view",
    [
        lambda x: mg.checkpoint(lambda t: t.T)(x),
        lambda x: mg.nn.Parameter(x).detach(),
        lambda x: x[0:1],
        lambda x: x.T,
        lambda x: x.reshape(2, 3),
        lambda x: x[..., None],
        lambda x: mg.flip(x),
        lambda x: mg.expand_dims(x, 0),
        lambda x: x[1],
        lambda x: mg.split(x, 3)[0],
        lambda x: x.reshape(3, 2),
    ],
)
def test_a_change_of_a_view_is_noticed(view):
    x, w = mg.tensor(np.arange(6.0).reshape(3, 2)), leaf(3, 2)
    loss = (w * x).sum()
    view(x)[...] = 9.0
    with pytest.raises(GraphError, match="updated in place"):
        mg.grad(loss, w)
