"""Every layer's gradients, in its input and all its parameters, against finite differences: first and second order."""

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import GradientMismatch
from minigan.gradcheck import gradcheck
from minigan.nn import utils


def draw(*shape, seed=1):
    """Normal numbers, none so near to 0 that a step of a finite difference would cross a kink there."""
    x = np.random.default_rng(seed).normal(size=shape)
    return x + 0.05 * np.sign(x)


def check(layer, *inputs, order, call=None):
    """gradcheck of the layer as a function of its inputs and its parameters; call(layer, *inputs): how to use it."""
    layer = layer.double()
    names = [name for name, _ in layer.named_parameters()]
    values = [draw(*p.shape, seed=10 + i) for i, (_, p) in enumerate(layer.named_parameters())]

    def function(*args):
        for name, value in zip(names, args[len(inputs) :]):
            *path, last = name.split(".")
            module = layer
            for part in path:
                module = getattr(module, part)
            module.__dict__[last] = value  # an assignment would refuse a Tensor in the place of a Parameter
        mg.seed(0)  # the same dropout mask at every call
        x = args[: len(inputs)]
        return layer(*x) if call is None else call(layer, *x)

    return gradcheck(function, *inputs, *values, order=order, name=type(layer).__name__)


PIXELS = draw(2, 4, 5, 4)
SMALL = draw(2, 4, 2, 3)
LAYERS = {  # how to make it (each check gets a new one) and what goes in
    "Linear": (lambda: nn.Linear(3, 2), draw(4, 3)),
    "Linear without bias, three axes": (lambda: nn.Linear(3, 2, bias=False), draw(2, 2, 3)),
    "Conv1d": (lambda: nn.Conv1d(2, 3, 3, stride=2, padding=1, dilation=2), draw(2, 2, 7)),
    "Conv2d": (lambda: nn.Conv2d(4, 2, 3), PIXELS),
    "Conv2d strided": (lambda: nn.Conv2d(4, 2, (3, 2), stride=2, padding=(1, 0), dilation=(1, 2)), PIXELS),
    "Conv2d grouped": (lambda: nn.Conv2d(4, 4, 3, padding=1, groups=2, bias=False), PIXELS),
    "Conv2d reflecting": (lambda: nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), SMALL),
    "Conv2d replicating": (lambda: nn.Conv2d(4, 2, 3, padding="same", padding_mode="replicate"), SMALL),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1), SMALL),
    "ConvTranspose2d grouped": (lambda: nn.ConvTranspose2d(4, 2, (2, 3), groups=2, dilation=2, bias=False), SMALL),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), draw(6, 3)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), SMALL),
    "BatchNorm2d in evaluation": (lambda: nn.BatchNorm2d(4).eval(), SMALL),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(4, affine=True), SMALL),
    "LayerNorm": (lambda: nn.LayerNorm((2, 3)), draw(3, 2, 3)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), SMALL),
    "ReLU": (lambda: nn.ReLU(), draw(3, 4)),
    "LeakyReLU": (lambda: nn.LeakyReLU(0.2), draw(3, 4)),
    "PReLU": (lambda: nn.PReLU(4), draw(3, 4)),
    "ELU": (lambda: nn.ELU(0.7), draw(3, 4)),
    "GELU": (lambda: nn.GELU(), draw(3, 4)),
    "GELU tanh": (lambda: nn.GELU("tanh"), draw(3, 4)),
    "SiLU": (lambda: nn.SiLU(), draw(3, 4)),
    "Tanh": (lambda: nn.Tanh(), draw(3, 4)),
    "Sigmoid": (lambda: nn.Sigmoid(), draw(3, 4)),
    "Softplus": (lambda: nn.Softplus(2.0), draw(3, 4)),
    "Softmax": (lambda: nn.Softmax(1), draw(3, 4)),
    "LogSoftmax": (lambda: nn.LogSoftmax(0), draw(3, 4)),
    "Flatten": (lambda: nn.Flatten(), SMALL),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 2)), SMALL),
    "ReflectionPad2d": (lambda: nn.ReflectionPad2d(1), SMALL),
    "ReplicationPad2d": (lambda: nn.ReplicationPad2d((1, 0, 2, 1)), SMALL),
    "ZeroPad2d": (lambda: nn.ZeroPad2d((1, 0, 2, 1)), SMALL),
    "Dropout": (lambda: nn.Dropout(0.4), draw(3, 4)),
    "Dropout2d": (lambda: nn.Dropout2d(0.4), SMALL),
    "MaxPool2d": (lambda: nn.MaxPool2d(2, 1, 1), SMALL),
    "AvgPool2d": (lambda: nn.AvgPool2d((2, 3), 1, (1, 0)), SMALL),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 2)), SMALL),
    "Upsample nearest": (lambda: nn.Upsample(scale_factor=2), SMALL),
    "Upsample bilinear": (lambda: nn.Upsample(size=(3, 5), mode="bilinear"), SMALL),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), SMALL),
    "LSTMCell": (lambda: nn.LSTMCell(3, 2), draw(2, 3)),
    "GRUCell": (lambda: nn.GRUCell(3, 2), draw(2, 3)),
    "MLP": (lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1)), draw(5, 3)),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, order):
    make, x = LAYERS[name]
    layer = make()
    report = check(layer, x, order=order)
    assert report.worst < 1e-6 and report.order == order
    assert len(report.shapes) == 1 + len(list(make().parameters()))  # the parameters were checked too


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU])
def test_sequence_with_its_initial_state(make, order):
    layer = make(3, 2, num_layers=2, bidirectional=True)
    states = [draw(4, 2, 2, seed=20 + i) for i in range(layer.states)]

    def call(net, x, *state):
        y, end = net(x, state if net.states > 1 else state[0])
        return [y, *end] if net.states > 1 else [y, end]

    assert check(layer, draw(3, 2, 3), *states, order=order, call=call).worst < 1e-6


@pytest.mark.parametrize("order", [1, 2])
def test_embedding_in_its_table(order):
    check(nn.Embedding(4, 2), order=order, call=lambda net: net(np.array([[0, 2], [2, 1]])))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "make, shape", [(lambda: nn.Linear(3, 2), (4, 3)), (lambda: nn.ConvTranspose2d(2, 3, 2), (1, 2, 3, 3))]
)
def test_spectral_norm_with_u_and_v_at_rest(make, shape, order):
    layer = utils.spectral_norm(make())
    layer.eval()  # in training u and v move at every call, and the rule takes them as constants
    check(layer, draw(*shape), order=order)


def test_the_check_notices_a_layer_whose_gradient_misses_a_part():
    class Forgetful(nn.Linear):
        def forward(self, x):
            return super().forward(x) + 0.01 * super().forward(x.detach())

    with pytest.raises(GradientMismatch, match="input 0"):
        check(Forgetful(3, 2), draw(4, 3), order=1)
