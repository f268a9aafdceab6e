"""The Jacobian of a gradient field: a Hessian for one loss, a rotation for a bilinear game, neither for a GAN."""

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError
from minigan.nn import Linear, Parameter, Sequential, Tanh
from minigan.ops import concatenate, exp, mean, softplus
from minigan.optim.dynamics import asymmetry, field, jacobian


def test_a_bilinear_game_is_a_pure_rotation(rng):
    A = rng.standard_normal((3, 4))
    x, y = Parameter(rng.standard_normal(3)), Parameter(rng.standard_normal(4))
    value = (x * (A @ y)).sum()
    assert asymmetry([value, -value], [[x], [y]], rng) == 1.0
    J = jacobian([value, -value], [[x], [y]])  # of (A y, -A' x)
    np.testing.assert_array_equal(J, np.block([[np.zeros((3, 3)), A], [-A.T, np.zeros((4, 4))]]))
    np.testing.assert_allclose(np.linalg.eigvals(J).real, 0, atol=1e-12)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(J).imag)[-3:], np.sort(np.linalg.svd(A)[1]))


def test_one_loss_split_between_two_players_is_symmetric(rng):
    A = rng.standard_normal((3, 3))
    x, y = Parameter(rng.standard_normal(3)), Parameter(rng.standard_normal(3))
    value = (x * (A @ y)).sum() + (x**4).sum()
    assert asymmetry([value, value], [[x], [y]], rng) < 1e-14


def test_the_field_of_a_vae_is_symmetric(rng):
    encoder, decoder = Linear(6, 4).double(), Sequential(Linear(2, 8), Tanh(), Linear(8, 6)).double()
    x, noise = mg.tensor(rng.standard_normal((16, 6))), mg.tensor(rng.standard_normal((16, 2)))
    code = encoder(x)
    mu, log_var = code[:, :2], code[:, 2:]
    error = ((decoder(mu + exp(log_var / 2) * noise) - x) ** 2).sum(axis=1)
    loss = mean(error / 2 + 0.5 * (mu**2 + exp(log_var) - 1 - log_var).sum(axis=1))
    everybody = [*encoder.parameters(), *decoder.parameters()]
    assert asymmetry([loss], [everybody], rng) < 1e-12


@pytest.fixture
def gan(rng):
    """D's loss, G's loss of the minimax game, G's non-saturating loss, and the parameters of D and G."""
    G, D = (Sequential(Linear(2, 6), Tanh(), Linear(6, n)).double() for n in (2, 1))
    x, z = mg.tensor(rng.standard_normal((32, 2))), mg.tensor(rng.standard_normal((32, 2)))
    a, b = D(x), D(G(z))
    d = mean(softplus(-a)) + mean(softplus(b))
    return d, -mean(softplus(b)), mean(softplus(-b)), [list(D.parameters()), list(G.parameters())]


def test_the_field_of_a_gan_is_not_symmetric_though_each_player_alone_is(gan, rng):
    d, minimax, non_saturating, parameters = gan
    assert 0.1 < asymmetry([d, minimax], parameters, rng) < 1
    assert 0.1 < asymmetry([d, non_saturating], parameters, rng) < 1
    assert asymmetry([d], parameters[:1], rng) < 1e-12
    assert asymmetry([non_saturating], parameters[1:], rng) < 1e-12


def test_in_a_zero_sum_game_the_players_blocks_of_the_jacobian_are_opposite(gan, rng):
    d, minimax, non_saturating, parameters = gan
    n = sum(p.size for p in parameters[0])
    J = jacobian([d, minimax], parameters)
    np.testing.assert_allclose(J[:n, n:], -J[n:, :n].T, atol=1e-15)
    K = jacobian([d, non_saturating], parameters)
    assert np.abs(K[:n, n:] + K[n:, :n].T).max() > 1e-3
    u, w = rng.standard_normal((2, 4000, len(J)))
    one, other = ((u @ J) * w).sum(axis=1), ((w @ J) * u).sum(axis=1)
    expected = np.abs(one - other).sum() / (np.abs(one) + np.abs(other)).sum()
    assert asymmetry([d, minimax], parameters, rng, directions=300) == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("theta, psi", [(0.0, 0.0), (0.3, 0.0)])
def test_the_dirac_gan_circles_around_its_equilibrium(theta, psi):
    """Mescheder et al. 2018, section 2: at (0, 0) the eigenvalues are +- i f'(0), and f'(0) = 1/2 for the minimax game."""
    theta, psi = Parameter(np.array(theta)), Parameter(np.array(psi))  # G(z) = theta, D(x) = psi x, data: a point at 0
    fake, real = psi * theta, psi * 0.0
    d = softplus(-real) + softplus(fake)
    J = jacobian([-d, d], [[theta], [psi]])
    if theta.data == 0:
        np.testing.assert_allclose(J, [[0, -0.5], [0.5, 0]])
        np.testing.assert_allclose(sorted(np.linalg.eigvals(J), key=np.imag), [-0.5j, 0.5j])
    else:  # the field is (-psi s(psi theta), theta s(psi theta)), s the sigmoid: s(0) = 1/2, s'(0) = 1/4
        np.testing.assert_allclose(J, [[0, -0.5], [0.5, 0.3**2 / 4]])


def test_the_jacobian_of_the_field_agrees_with_finite_differences(rng):
    p, q = Parameter(rng.standard_normal(3)), Parameter(rng.standard_normal(2))

    def losses():
        return [(exp(p) * concatenate([q, q[:1]])).sum(), (p[:2] ** 2 * q**3).sum() + q[0] * q[1]]

    J, h = jacobian(losses(), [[p], [q]]), 1e-6
    for k in range(5):
        w, i = (p, k) if k < 3 else (q, k - 3)
        sides = []
        for move in (h, -h):
            w.data[i] += move
            sides.append(np.concatenate([g.detach().numpy() for g in field(losses(), [[p], [q]])]))
            w.data[i] -= move
        np.testing.assert_allclose(J[:, k], (sides[0] - sides[1]) / (2 * h), atol=1e-8)


def test_a_game_without_curvature_has_no_asymmetry(rng):
    x, y = Parameter(np.ones(2)), Parameter(np.ones(3))
    assert asymmetry([x.sum(), 2.0 * y.sum()], [[x], [y]], rng) == 0.0
    assert asymmetry([x.sum(), (y**2).sum()], [[x], [y]], rng) == 0.0


def test_scalars_and_transposed_weights_are_parameters_too(rng):
    x, y = Parameter(np.array(2.0)), Parameter(np.arange(6.0).reshape(2, 3).T)
    value = x * (y * np.arange(6.0).reshape(3, 2)).sum()
    J = jacobian([value, -value], [[x], [y]])
    np.testing.assert_array_equal(J[0, 1:], np.arange(6))
    np.testing.assert_array_equal(J[1:, 0], -np.arange(6))
    assert asymmetry([value, -value], [[x], [y]], rng) == 1.0


def test_every_player_needs_a_loss_and_parameters():
    x = Parameter(np.ones(2))
    with pytest.raises(ConfigError, match="2 losses but parameters of 1 players"):
        asymmetry([x.sum(), x.sum()], [[x]], np.random.default_rng(0))
