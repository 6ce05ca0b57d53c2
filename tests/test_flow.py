from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.functional.gaussian import DiagonalGaussian, standard_log_density
from genlab.networks.flow import Flow, fit_flow
from genlab.networks.prior import GaussianMixture, StandardNormal
from genlab.randomness import generator


def normals(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def settled(latent_dim: int, layers: int = 5) -> Flow:
    """A flow whose every weight is away from its start, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        flow = Flow(latent_dim, layers, hidden=6).double()
    for index, parameter in enumerate(flow.parameters()):
        parameter.data.add_(normals(*parameter.shape, seed=index).double(), alpha=0.3)
    return flow.requires_grad_(False)


@pytest.mark.parametrize("latent_dim", [2, 3, 8, 9])
def test_there_and_back_is_where_one_was(latent_dim: int) -> None:
    flow, z = settled(latent_dim), normals(4, 7, latent_dim).double()
    noise, _ = flow.noise(z)
    assert not torch.allclose(noise, z, atol=0.1)
    assert torch.allclose(flow.latents(noise), z)
    assert torch.allclose(flow.noise(flow.latents(z))[0], z)


@pytest.mark.parametrize("latent_dim", [2, 3, 8])
def test_the_determinant_is_the_jacobian_s(latent_dim: int) -> None:
    flow, z = settled(latent_dim), normals(5, latent_dim).double()
    for point in z:
        jacobian = torch.autograd.functional.jacobian(lambda x: flow.noise(x)[0], point)
        assert torch.allclose(flow.noise(point)[1], torch.linalg.slogdet(jacobian).logabsdet)


def test_every_dimension_is_moved_and_heard() -> None:
    """A flow of four layers couples each dimension with each: its Jacobian has no zero."""
    flow = settled(8, layers=4)
    jacobian = torch.autograd.functional.jacobian(lambda x: flow.noise(x)[0], normals(8).double())
    assert (jacobian.abs() > 1e-9).all()


def test_it_begins_as_the_standard_normal() -> None:
    flow, z = Flow(5), normals(3, 4, 5)
    assert torch.allclose(flow.log_density(z), standard_log_density(z))
    ours, theirs = flow.sample(50, generator(0, "z")), StandardNormal(5).sample(50, generator(0, "z"))
    assert torch.equal(ours.sort(dim=1).values, theirs.sort(dim=1).values), "in another order of dimensions"


def test_the_density_integrates_to_one() -> None:
    flow, side = settled(2), torch.linspace(-20, 20, 601, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    total = flow.log_density(grid).exp().sum() * (side[1] - side[0]) ** 2
    assert total.item() == pytest.approx(1, abs=1e-3)


def test_kl_is_the_difference_of_densities_at_the_draw() -> None:
    """And on average, for a flow that is N(0, I), the closed form."""
    q = DiagonalGaussian(normals(2, 3), 0.3 * normals(2, 3, seed=1))
    z = q.sample(normals(10_000, 2, 3, seed=2))
    assert torch.allclose(Flow(3).kl(q, z).mean(dim=0), StandardNormal(3).kl(q, z), atol=0.08)


def test_a_fitted_flow_finds_what_a_gaussian_can_not() -> None:
    means = torch.tensor([[-3.0, 0.0], [3.0, 0.0]])
    mixture = GaussianMixture(torch.tensor([0.5, 0.5]), means, 0.5 * torch.eye(2).repeat(2, 1, 1))
    codes, points = (mixture.sample(n, generator(0, use)) for n, use in ((2000, "codes"), (2000, "points")))
    flow = fit_flow(codes, seed=0, steps=300, hidden=16)
    gaussian = torch.distributions.MultivariateNormal(codes.mean(dim=0), torch.cov(codes.T))
    best, ours = mixture.log_density(points).mean(), flow.log_density(points).mean()
    assert gaussian.log_prob(points).mean() + 0.25 < ours < best + 0.02
    again = fit_flow(codes, seed=0, steps=2, hidden=16)
    assert torch.equal(
        again.log_density(points), fit_flow(codes, seed=0, steps=2, hidden=16).log_density(points)
    )


def test_what_can_not_be_coupled_is_refused() -> None:
    with pytest.raises(UserError, match="not 5 of 1; fit a mixture instead"):
        fit_flow(torch.zeros(5, 1), seed=0)
