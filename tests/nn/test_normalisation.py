"""Normalisation layers against means and variances taken by hand, in training and in evaluation."""

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import ShapeError


def draw(*shape, seed=1):
    return 3 + 2 * np.random.default_rng(seed).normal(size=shape)


def standardised(x, eps=1e-5):
    """The numbers of one group, by hand."""
    m = sum(x.ravel()) / x.size
    v = sum((value - m) ** 2 for value in x.ravel()) / x.size
    return (x - m) / np.sqrt(v + eps)


def randomised(layer):
    """The layer in float64 with weights that are not ones and zeros."""
    rng = np.random.default_rng(5)
    for p in layer.double().parameters():
        p.copy_(rng.normal(size=p.shape))
    return layer


def affine(layer, y, axis=1):
    shape = [-1 if i == axis else 1 for i in range(y.ndim)]
    return y * layer.weight.data.reshape(shape) + layer.bias.data.reshape(shape)


@pytest.mark.parametrize("make, shape", [(nn.BatchNorm1d, (6, 3)), (nn.BatchNorm1d, (4, 3, 5)), (nn.BatchNorm2d, (4, 3, 2, 5))])
def test_batch_norm_standardises_each_channel_over_the_batch(make, shape):
    layer, x = randomised(make(3)), draw(*shape)
    expected = np.stack([standardised(x[:, c]) for c in range(3)], axis=1)
    np.testing.assert_allclose(layer(mg.tensor(x)).data, affine(layer, expected), rtol=1e-9, atol=1e-12)


def test_running_statistics_move_by_momentum_towards_the_batch_with_its_unbiased_variance():
    layer, x = nn.BatchNorm2d(3, momentum=0.3).double(), draw(4, 3, 2, 5)
    layer(mg.tensor(x))
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3), ddof=1)
    np.testing.assert_allclose(layer.running_mean.data, 0.3 * mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, 0.7 + 0.3 * var, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 1


def test_evaluation_uses_the_running_statistics_and_leaves_them():
    layer, x = randomised(nn.BatchNorm1d(3)).eval(), draw(5, 3)
    layer.running_mean.copy_([1.0, 2.0, 3.0])
    layer.running_var.copy_([4.0, 1.0, 0.25])
    expected = (x - [1, 2, 3]) / np.sqrt(np.array([4, 1, 0.25]) + 1e-5) * layer.weight.data + layer.bias.data
    np.testing.assert_allclose(layer(mg.tensor(x)).data, expected, rtol=1e-12)
    np.testing.assert_allclose(layer(mg.tensor(x[:1])).data, expected[:1], rtol=1e-12)  # a batch of one is fine here
    assert layer.running_mean.tolist() == [1, 2, 3] and layer.num_batches_tracked.item() == 0


def test_momentum_none_averages_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None).double()
    batches = [draw(6, 2, seed=s) for s in range(3)]
    for x in batches:
        layer(mg.tensor(x))
    np.testing.assert_allclose(layer.running_mean.data, np.mean([x.mean(axis=0) for x in batches], axis=0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, np.mean([x.var(axis=0, ddof=1) for x in batches], axis=0), rtol=1e-12)


def test_without_running_statistics_evaluation_uses_the_batch():
    layer, x = nn.BatchNorm1d(2, affine=False, track_running_stats=False).double().eval(), draw(6, 2)
    assert list(layer.state_dict()) == []
    expected = np.stack([standardised(x[:, c]) for c in range(2)], axis=1)
    np.testing.assert_allclose(layer(mg.tensor(x)).data, expected, rtol=1e-9)


def test_instance_norm_standardises_each_image_and_channel():
    layer, x = randomised(nn.InstanceNorm2d(3, affine=True)), draw(2, 3, 4, 5)
    expected = np.stack([np.stack([standardised(x[n, c]) for c in range(3)]) for n in range(2)])
    np.testing.assert_allclose(layer(mg.tensor(x)).data, affine(layer, expected), rtol=1e-9, atol=1e-12)
    plain = nn.InstanceNorm2d(3).eval()
    assert not list(plain.parameters())
    np.testing.assert_allclose(plain(mg.tensor(x)).data, expected, rtol=1e-9, atol=1e-12)


def test_instance_norm_can_track_the_mean_of_its_images_statistics():
    layer, x = nn.InstanceNorm2d(3, track_running_stats=True).double(), draw(2, 3, 4, 5)
    layer(mg.tensor(x))
    np.testing.assert_allclose(layer.running_mean.data, 0.1 * x.mean(axis=(0, 2, 3)), rtol=1e-12)
    var = np.mean([x[n].var(axis=(1, 2), ddof=1) for n in range(2)], axis=0)
    np.testing.assert_allclose(layer.running_var.data, 0.9 + 0.1 * var, rtol=1e-12)
    m, v = layer.running_mean.data[:, None, None], layer.running_var.data[:, None, None]
    np.testing.assert_allclose(layer.eval()(mg.tensor(x)).data, (x - m) / np.sqrt(v + 1e-5), rtol=1e-12)


@pytest.mark.parametrize("shape, lead", [(5, (2, 3)), ((3, 5), (2,)), ((2, 3, 5), ())])
def test_layer_norm_standardises_the_last_axes(shape, lead):
    layer, x = randomised(nn.LayerNorm(shape)), draw(2, 3, 5)
    expected = np.zeros_like(x)
    for place in np.ndindex(*lead):
        expected[place] = standardised(x[place])
    np.testing.assert_allclose(layer(mg.tensor(x)).data, expected * layer.weight.data + layer.bias.data, rtol=1e-9, atol=1e-12)


def test_layer_norm_options_leave_parameters_out():
    assert list(nn.LayerNorm(4, elementwise_affine=False).state_dict()) == []
    assert list(nn.LayerNorm(4, bias=False).state_dict()) == ["weight"]


@pytest.mark.parametrize("shape", [(2, 6), (2, 6, 3), (2, 6, 3, 2)])
def test_group_norm_standardises_groups_of_channels(shape):
    layer, x = randomised(nn.GroupNorm(3, 6)), draw(*shape)
    expected = np.stack([np.concatenate([standardised(x[n, 2 * g : 2 * g + 2]) for g in range(3)]) for n in range(2)])
    np.testing.assert_allclose(layer(mg.tensor(x)).data, affine(layer, expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "use, text",
    [
        (lambda: nn.BatchNorm2d(3)(mg.ones((4, 3))), r"must be \(N, C, H, W\)"),
        (lambda: nn.BatchNorm1d(3)(mg.ones((4, 3, 2, 2))), r"\(N, C\) or \(N, C, L\)"),
        (lambda: nn.BatchNorm2d(3)(mg.ones((4, 5, 2, 2))), "5 channels, but num_features is 3"),
        (lambda: nn.InstanceNorm2d(3)(mg.ones((4, 5, 2, 2))), "5 channels"),
        (lambda: nn.BatchNorm1d(3)(mg.ones((1, 3))), "more than one value"),
        (lambda: nn.InstanceNorm2d(3)(mg.ones((4, 3, 1, 1))), "more than one value"),
        (lambda: nn.GroupNorm(4, 6), "num_groups=4"),
        (lambda: nn.GroupNorm(2, 6)(mg.ones((2, 4))), r"\(N, 6, ...\)"),
        (lambda: nn.LayerNorm(4)(mg.ones((2, 3))), "normalized_shape"),
    ],
)
def test_shapes_that_do_not_fit(use, text):
    with pytest.raises(ShapeError, match=text):
        use()
