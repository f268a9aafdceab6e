"""A captured step gives the bits of the step itself: results, weights, optimizers, streams and gradients over many calls."""

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.nn import functional as F
from minigan.streams import Streams, streams, using

STEPS = 20


def noise(*shape):
    return mg.Tensor(streams("latent").standard_normal(shape, np.float32))


def mlp(*sizes, activation=nn.ReLU):
    layers = [layer for n, m in zip(sizes, sizes[1:]) for layer in (nn.Linear(n, m), activation())]
    return nn.Sequential(*layers[:-1])


def batches(*shape, dtype=np.float32, n=STEPS, seed=0):
    generator = np.random.default_rng(seed)
    return [mg.tensor(generator.standard_normal(shape).astype(dtype)) for _ in range(n)]


def arrays(x):
    if isinstance(x, (tuple, list)):
        return [a for item in x for a in arrays(item)]
    if isinstance(x, dict):
        return [a for item in x.values() for a in arrays(item)]
    return [np.array(x.data if isinstance(x, mg.Tensor) else x)]


def played(build, inputs, captured, between=lambda i, optimizers: None):
    """Everything that can be seen of a loop: the results, and at the end the nets, optimizers, gradients and streams."""
    with using(Streams(0)) as own:
        nets, optimizers, step = build()
        step = mg.capture(step) if captured else step
        results = []
        for i, x in enumerate(inputs):
            results.append(arrays(step(*x) if isinstance(x, tuple) else step(x)))
            between(i, optimizers)
        grads = [None if p.grad is None else np.array(p.grad.data) for net in nets for p in net.parameters()]
        states = [net.state_dict() for net in nets], [optimizer.state_dict() for optimizer in optimizers]
        return results, grads, states, own.state_dict(), step


def bits(x):
    if isinstance(x, dict):
        return {key: bits(value) for key, value in x.items()}
    if isinstance(x, (tuple, list)):
        return [bits(value) for value in x]
    return (x.dtype, x.shape, x.tobytes()) if isinstance(x, np.ndarray) else x


def same_bits(build, inputs, **options):
    """Play a loop eagerly and captured; they must agree in every bit.   Returns the captured step."""
    *eager, _ = played(build, inputs, False, **options)
    *replayed, step = played(build, inputs, True, **options)
    for name, a, b in zip(("results", "gradients", "states", "streams"), eager, replayed):
        assert bits(a) == bits(b), name
    return step


def gan(optimizer=mg.optim.Adam, activation=nn.ReLU, **options):
    def build():
        G, D = mlp(2, 16, 16, 2, activation=activation), mlp(2, 16, 16, 1, activation=activation)
        d, g = optimizer(D.parameters(), **options), optimizer(G.parameters(), **options)

        def step(x):
            with mg.no_grad():
                fake = G(noise(len(x), 2))
            d_loss = mg.softplus(-D(x)).mean() + mg.softplus(D(fake)).mean()
            d.step(mg.grad(d_loss, list(D.parameters())))
            g_loss = mg.softplus(-D(G(noise(len(x), 2)))).mean()
            g.step(mg.grad(g_loss, list(G.parameters())))
            return {"D": d_loss, "G": g_loss}

        return [G, D], [d, g], step

    return build


@pytest.mark.parametrize(
    "optimizer, options",
    [
        (mg.optim.Adam, {"lr": 1e-2}),
        (mg.optim.Adam, {"lr": 1e-2, "amsgrad": True, "weight_decay": 1e-2, "maximize": True}),
        (mg.optim.AdamW, {"lr": 1e-2}),
        (mg.optim.SGD, {"lr": 1e-2}),
        (mg.optim.SGD, {"lr": 1e-2, "momentum": 0.9, "nesterov": True}),
        (mg.optim.RMSprop, {"lr": 1e-3, "centered": True, "momentum": 0.5}),
        (mg.optim.Adagrad, {"lr": 1e-2}),
        (mg.optim.Adadelta, {}),
    ],
    ids=lambda x: x.__name__ if isinstance(x, type) else ",".join(x),
)
def test_a_gan_with_each_optimizer(optimizer, options):
    same_bits(gan(optimizer, **options), batches(32, 2))


@pytest.mark.parametrize("activation", [nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus])
def test_a_gan_with_each_activation(activation):
    same_bits(gan(lr=1e-2, activation=activation), batches(32, 2))


def test_python_does_not_run_at_a_replay_and_runs_again_to_prove():
    calls = []

    def step(x):
        calls.append(len(calls))
        return x * 2

    step = mg.capture(step)
    played = []
    for i in range(20):
        step(mg.tensor([float(i)]))
        played.append(len(calls))
    assert [i + 1 for i, (a, b) in enumerate(zip([0, *played], played)) if b > a] == [1, 2, 4, 8, 16]


def test_backward_and_grad_fields():
    def build():
        net = mlp(3, 8, 1)
        sgd = mg.optim.SGD(net.parameters(), lr=0.1)

        def step(x):
            sgd.zero_grad()
            loss = mg.square(net(x)).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            nn.utils.clip_grad_value_(net.parameters(), 0.05)
            sgd.step()
            return loss

        return [net], [sgd], step

    same_bits(build, batches(16, 3))


def test_gradients_that_are_set_to_none_between_calls_come_back():
    net = mlp(3, 8, 1)

    @mg.capture
    def step(x):
        mg.square(net(x)).mean().backward()

    for x in batches(4, 3):
        step(x)
        got = [p.grad.numpy().copy() for p in net.parameters()]
        expected = mg.grad(mg.square(net(x)).mean(), list(net.parameters()))
        assert all(np.array_equal(a, b.numpy()) for a, b in zip(got, expected))
        for p in net.parameters():
            p.grad = None


def test_a_wgan_gp_critic_with_its_double_backward():
    def build():
        G, D = mlp(4, 16, 2), mlp(2, 16, 16, 1, activation=nn.LeakyReLU)
        adam = mg.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))

        def step(x):
            with mg.no_grad():
                fake = G(noise(len(x), 4))
            eps = mg.Tensor(streams("eps").random((len(x), 1), np.float32))
            between = (eps * x + (1 - eps) * fake).detach().requires_grad_()
            (slope,) = mg.grad(D(between).sum(), between, create_graph=True)
            excess = mg.norm(slope, axis=1) - 1
            loss = D(fake).mean() - D(x).mean() + 10 * mg.square(excess).mean()
            adam.step(mg.grad(loss, list(D.parameters()), allow_unused=True))
            return loss

        return [G, D], [adam], step

    same_bits(build, batches(32, 2))


def test_a_vae_with_its_draws():
    def build():
        encoder, mean, log_var, decoder = mlp(12, 16), nn.Linear(16, 3), nn.Linear(16, 3), mlp(3, 16, 12)
        nets = [encoder, mean, log_var, decoder]
        parameters = [p for net in nets for p in net.parameters()]
        adam = mg.optim.Adam(parameters, lr=1e-2)

        def step(x):
            h = mg.relu(encoder(x))
            m, v = mean(h), log_var(h)
            y = decoder(m + (0.5 * v).exp() * noise(*m.shape))
            loss = F.binary_cross_entropy_with_logits(y, mg.sigmoid(x), reduction="sum")
            loss = (loss - 0.5 * (1 + v - m * m - v.exp()).sum()) / len(x)
            adam.step(mg.grad(loss, parameters))
            return loss, y

        return nets, [adam], step

    same_bits(build, batches(16, 12))


def test_dropout_batch_norm_and_a_classifier():
    def build():
        net = nn.Sequential(
            nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.LayerNorm(16), nn.Linear(16, 4)
        )
        adam = mg.optim.Adam(net.parameters(), lr=1e-2)

        def step(x, labels):
            loss = F.cross_entropy(net(x), labels)
            adam.step(mg.grad(loss, list(net.parameters())))
            return loss

        return [net], [adam], step

    generator = np.random.default_rng(0)
    same_bits(build, [(x, generator.integers(0, 4, len(x))) for x in batches(16, 5)])


def test_batch_norm_with_the_mean_of_all_batches_counts_in_python_and_is_refused():
    norm = nn.BatchNorm1d(3, momentum=None)
    step = mg.capture(lambda x: norm(x))
    with pytest.raises(mg.errors.CaptureError, match="batch_norm|follow|values"):
        for x in batches(8, 3):
            step(x)


@pytest.mark.parametrize("n", [4, 40])
def test_convolutions(n):
    def build():
        D = nn.Sequential(
            nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 1),
        )  # fmt: skip
        G = nn.Sequential(
            nn.Linear(4, 32), nn.Unflatten(1, (8, 2, 2)), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(4, 1, 3, padding=1), nn.Tanh(),
        )  # fmt: skip
        d, g = mg.optim.Adam(D.parameters(), lr=1e-3), mg.optim.Adam(G.parameters(), lr=1e-3)

        def step(x):
            fake = G(noise(len(x), 4))
            d_loss = mg.softplus(-D(x)).mean() + mg.softplus(D(fake.detach())).mean()
            d.step(mg.grad(d_loss, list(D.parameters())))
            g_loss = mg.softplus(-D(fake)).mean()
            g.step(mg.grad(g_loss, list(G.parameters())))
            return d_loss, g_loss, fake

        return [G, D], [d, g], step

    same_bits(build, batches(n, 1, 8, 8, n=10))


def test_spectral_norm():
    def build():
        D = nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 16)), nn.ReLU(), nn.utils.spectral_norm(nn.Linear(16, 1)))
        adam = mg.optim.Adam(D.parameters(), lr=1e-2)

        def step(x):
            loss = mg.softplus(D(x)).mean() + mg.softplus(-D(-x)).mean()
            adam.step(mg.grad(loss, list(D.parameters())))
            return loss

        return [D], [adam], step

    same_bits(build, batches(16, 2))


@pytest.mark.parametrize("layer", ["GRU", "LSTM", "MultiheadAttention"])
def test_recurrent_and_attention_nets(layer):
    def build():
        net = nn.MultiheadAttention(8, 2) if layer == "MultiheadAttention" else getattr(nn, layer)(8, 8)
        adam = mg.optim.Adam(net.parameters(), lr=1e-2)

        def step(x):
            y = net(x, x, x)[0] if layer == "MultiheadAttention" else net(x)[0]
            loss = mg.square(y - x).mean()
            adam.step(mg.grad(loss, list(net.parameters())))
            return loss

        return [net], [adam], step

    same_bits(build, batches(5, 4, 8))


def test_a_schedule_changes_the_learning_rate_between_calls():
    schedules = {}

    def between(i, optimizers):
        for optimizer in optimizers:
            schedules.setdefault(id(optimizer), mg.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)).step()

    same_bits(gan(mg.optim.Adam, lr=1e-2), batches(8, 2), between=between)
    same_bits(gan(mg.optim.SGD, lr=1e-2, momentum=0.9), batches(8, 2), between=between)


def test_a_schedule_inside_the_step_is_python_that_does_not_run():
    net = mlp(2, 1)
    sgd = mg.optim.SGD(net.parameters(), lr=0.1)
    schedule = mg.optim.lr_scheduler.ExponentialLR(sgd, 0.9)

    @mg.capture
    def step(x):
        sgd.step(mg.grad(net(x).sum(), list(net.parameters())))
        schedule.step()

    with pytest.raises(mg.errors.CaptureError, match="the state of SGD.*as a schedule does"):
        for x in batches(4, 2):
            step(x)


def test_weights_may_be_clipped_and_averaged_in_place():
    def build():
        net, average = mlp(2, 4, 1), mlp(2, 4, 1)
        sgd = mg.optim.SGD(net.parameters(), lr=0.5)

        def step(x):
            loss = net(x).mean()
            sgd.step(mg.grad(loss, list(net.parameters())))
            for p, q in zip(net.parameters(), average.parameters()):
                p.data.clip(-0.1, 0.1, out=p.data)
                with mg.no_grad():
                    q.copy_(0.9 * q + 0.1 * p)
                    q *= 0.99
                q.data += 0.01 * p.data
            return loss

        return [net, average], [sgd], step

    same_bits(build, batches(8, 2))


def test_graphs_notice_what_a_replay_changes():
    net = mlp(2, 4, 1)
    sgd = mg.optim.SGD(net.parameters(), lr=0.1)
    step = mg.capture(lambda x: sgd.step(mg.grad(net(x).sum(), list(net.parameters()))))
    for x in batches(4, 2, n=3):
        loss = net(x).sum()
        step(x)
    with pytest.raises(mg.errors.GraphError, match="updated in place after use"):
        mg.grad(loss, list(net.parameters()))


def test_other_shapes_are_recorded_apart_and_remembered():
    inputs = batches(8, 2) + batches(5, 2, n=3) + batches(8, 2)
    step = same_bits(gan(lr=1e-2), inputs)
    assert len(step.recordings) == 2


def test_numbers_and_structures_as_arguments():
    def step(batch, scale, kind="a", **more):
        y = batch["x"] * scale + more["shift"]
        return [y, None, {"kind": kind, "sum": y.sum()}]

    captured = mg.capture(step)
    for x in batches(3, 2, n=12):
        for scale in (1.0, 2.5):
            arguments = ({"x": x}, scale), {"kind": "b", "shift": x.numpy()}
            assert bits(arrays_or_more(captured(*arguments[0], **arguments[1]))) == bits(
                arrays_or_more(step(*arguments[0], **arguments[1]))
            )


def arrays_or_more(x):
    if isinstance(x, mg.Tensor):
        return x.numpy()
    if isinstance(x, dict):
        return {key: arrays_or_more(value) for key, value in x.items()}
    return [arrays_or_more(item) for item in x] if isinstance(x, list) else x


def test_results_are_copies_that_later_calls_do_not_change():
    step = mg.capture(lambda x: x * 2)
    results = [step(mg.tensor([float(i)])) for i in range(6)]
    assert [y.tolist() for y in results] == [[2.0 * i] for i in range(6)]


def test_weights_that_are_loaded_moved_or_frozen_are_seen():
    net = mlp(2, 4, 1)
    step = mg.capture(lambda x: net(x).sum())
    x = batches(3, 2, n=1)[0]
    for _ in range(3):
        step(x)
    net.load_state_dict({name: value + 1 for name, value in net.state_dict().items()})
    assert step(x).item() == net(x).sum().item()
    for p in net.parameters():
        p.data = p.data * 0.5  # another array
    assert step(x).item() == net(x).sum().item()
    sgd = mg.optim.SGD(net.parameters(), lr=0.1)  # moves the weights into its vector
    assert step(x).item() == net(x).sum().item()
    del sgd


def test_the_mode_of_a_net_is_seen():
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    step = mg.capture(lambda x: net(x).detach())
    x = mg.ones((64, 4))
    for _ in range(3):
        assert (step(x).numpy() == 0).mean() > 0.2
    net.eval()
    for _ in range(3):
        assert not (step(x).numpy() == 0).any()
    net.train()
    assert (step(x).numpy() == 0).mean() > 0.2


def test_seed_restarts_the_draws_of_a_captured_step():
    step = mg.capture(lambda: noise(3))
    drawn = []
    for _ in range(2):
        mg.seed(5)
        drawn.append([step().tolist() for _ in range(7)])
    mg.seed(5)
    assert drawn[0] == drawn[1] == [noise(3).tolist() for _ in range(7)]


def test_streams_in_use_are_seen():
    step = mg.capture(lambda: noise(3))
    for seed in (1, 2, 1):
        with using(Streams(seed)):
            got = [step().tolist() for _ in range(4)]
        with using(Streams(seed)):
            assert got == [noise(3).tolist() for _ in range(4)]


def test_no_grad_around_a_call_is_seen():
    w = nn.Parameter([2.0])
    step = mg.capture(lambda x: mg.tensor(float((w * x).node is None)) + 0 * x)
    x = mg.tensor([1.0])
    assert [step(x).item() for _ in range(3)] == [0.0] * 3
    with mg.no_grad():
        assert [step(x).item() for _ in range(3)] == [1.0] * 3


def test_buffers_are_shared_by_values_whose_lives_do_not_meet():
    net = nn.Sequential(*[layer for _ in range(8) for layer in (nn.Linear(16, 16), nn.Tanh())])

    def step(x):
        with mg.no_grad():
            return net(x).sum()

    step = mg.capture(step)
    step(mg.ones((64, 16)))
    (recording,) = step.recordings.values()
    big = [size for size in recording.plan.sizes if size == 64 * 16 * 4]
    assert len(big) <= 4  # the input, and two or three in turns; there are 16 activations


def test_print_lists_the_calls():
    step = same_bits(gan(lr=1e-2), batches(8, 2))
    text = str(step)
    for part in ("matmul", "Adam.step", "standard_normal", "float32 (8, 16)", "buffers", "linear", "b0"):
        assert part in text
    assert str(mg.capture(lambda x: x)).startswith("a captured step that was not called yet")


def test_tensors_have_their_arrays_again_after_an_error_inside_the_step():
    net = mlp(2, 4, 1)
    sgd = mg.optim.SGD(net.parameters(), lr=0.1)
    before = bits(net.state_dict())

    @mg.capture
    def step(x):
        noise(3)
        sgd.step(mg.grad(net(x).sum(), list(net.parameters())))
        raise KeyError("mine")

    mg.seed(3)
    with pytest.raises(KeyError, match="mine"):
        step(mg.ones((3, 2)))
    assert all(type(p.data) is np.ndarray for p in net.parameters())
    assert bits(net.state_dict()) == before
    drawn = noise(3).tolist()
    mg.seed(3)
    assert noise(3).tolist() == drawn


def test_a_method_can_be_captured():
    class Trainer:
        def __init__(self, factor):
            self.factor = factor

        @mg.capture
        def step(self, x):
            """Multiply."""
            return x * self.factor

    two, three = Trainer(2.0), Trainer(3.0)
    for i in range(6):
        assert [t.step(mg.tensor([float(i)])).item() for t in (two, three)] == [2.0 * i, 3.0 * i]
    assert Trainer.step.__doc__ == "Multiply." and Trainer.step.__name__ == "step"


def test_tools_that_watch_see_the_ops_of_a_captured_step():
    step = mg.capture(lambda x: mg.exp(x).sum())
    for _ in range(3):
        step(mg.ones(3))
    seen = []
    with mg.watch(lambda op, *_: seen.append(op)):
        assert step(mg.ones(3)).item() == np.exp(np.float32(1)) * 3
    assert seen == ["exp", "sum"]
    with pytest.raises(mg.errors.NotFiniteError, match="exp"), np.errstate(all="ignore"), mg.debug():
        step(mg.full((3,), 1000.0))


def test_a_captured_step_inside_another_is_part_of_it():
    inner = mg.capture(lambda x: x * 2)
    outer = mg.capture(lambda x: inner(x) + 1)
    for i in range(6):
        assert outer(mg.tensor([float(i)])).item() == 2 * i + 1


def test_data_that_a_step_gives_to_a_tensor_are_copied_to_where_it_was():
    def build():
        state, fixed = nn.Parameter(np.zeros(3, np.float32)), mg.tensor([1.0, 1.0])

        def step(x):
            state.data = (state + x).data * 0.5
            fixed.data = np.full(2, 7.0, np.float32)
            return state.sum() + fixed.sum()

        module = nn.Module()
        module.state = state
        return [module], [], lambda x: step(x).detach()

    same_bits(build, batches(3))


def test_with_threads_of_ours():
    mg.set_num_threads(2)
    try:
        test_convolutions(40)
    finally:
        mg.set_num_threads(1)


def test_a_net_is_a_step_too():
    net = mlp(2, 4, 1)
    step = mg.capture(net)
    for x in batches(3, 2, n=6):
        assert step(x).numpy().tobytes() == net(x).detach().numpy().tobytes()
    assert not hasattr(step, "training")
