"""A linear Gaussian model, whose likelihood is known in closed form, measured like any other.

x ~ N(b, WWᵀ + σ²I) with orthogonal columns, so that the posterior is a diagonal Gaussian and an encoder can
be given it exactly, or made wrong by a known amount (Tipping & Bishop, 1999).
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from genlab.evaluation import importance
from genlab.evaluation.importance import terms, tile
from genlab.evaluation.likelihood import (
    KEYS,
    Likelihood,
    aggregate_by_density,
    log_fitted,
    look,
    measure_likelihood,
)
from genlab.functional.gaussian import LOG_2PI
from genlab.metrics.intervals import Estimate
from genlab.metrics.latent import log_aggregate, marginal_kl
from genlab.metrics.unavailable import Unavailable
from genlab.networks.decoder import Decoder
from genlab.networks.discriminator import Discriminator
from genlab.networks.encoder import Encoder
from genlab.networks.model import GAN, VAE
from genlab.networks.observation import Bernoulli, Gaussian
from genlab.networks.prior import GaussianMixture, StandardNormal
from genlab.networks.two_layers import Conditional, TwoLayerEncoder, TwoLayerPrior
from genlab.nn.trunk import Trunk
from genlab.randomness import generator

SHAPE = (1, 8, 8)
D = math.prod(SHAPE)
SCALES = torch.tensor([2.0, 1.0, 0.5, 0.0])  # of the columns of W; the last latent does nothing
Z = len(SCALES)
SIGMA = 0.3
POSTERIOR = SIGMA**2 / (SCALES.square() + SIGMA**2)  # its variances


def linear_vae(*, wrong: float = 0.0) -> VAE:
    """The model with its exact posterior for an encoder, whose log-variances are then `wrong` by so much."""
    rng = generator(0, "test/linear")
    frame = torch.linalg.qr(torch.randn(D, Z, generator=rng, dtype=torch.float64)).Q.float()
    weights, bias = frame * SCALES, 0.1 * torch.randn(D, generator=rng)
    encoder = Encoder(Trunk(SHAPE, kind="mlp", depth=0), Z)
    decoder = Decoder(Z, SHAPE, kind="mlp", depth=0)
    to_mean = weights.T / (SCALES.square() + SIGMA**2).unsqueeze(1)
    with torch.no_grad():
        linear = decoder.layers[0]
        assert isinstance(linear, nn.Linear)
        linear.weight.copy_(weights)
        linear.bias.copy_(bias)
        encoder.head.weight.copy_(torch.cat([to_mean, torch.zeros(Z, D)]))
        encoder.head.bias.copy_(torch.cat([-to_mean @ bias, POSTERIOR.log() + wrong]))
    return VAE(encoder, decoder, StandardNormal(Z), Gaussian(SIGMA, linear=True)).eval()


def drawn(vae: VAE, count: int) -> Tensor:
    rng = generator(1, "test/linear")
    with torch.no_grad():
        clean = vae.sample(count, rng)
    return clean + SIGMA * torch.randn(clean.shape, generator=rng)


def exact_nll(vae: VAE, images: Tensor) -> Tensor:
    """−ln N(x; b, WWᵀ + σ²I): (N,), nats."""
    linear = vae.decoder.layers[0]
    assert isinstance(linear, nn.Linear)
    weights = linear.weight.detach().double()
    covariance = weights @ weights.T + SIGMA**2 * torch.eye(D, dtype=torch.float64)
    centre = linear.bias.detach().double()
    normal = torch.distributions.MultivariateNormal(centre, covariance)
    log_density: Tensor = normal.log_prob(images.flatten(1).double())
    return -log_density


def exact_terms(vae: VAE, images: Tensor, wrong: float) -> tuple[Tensor, Tensor]:
    """E_q[−ln p(x|z)] and KL(q ‖ p), the expectations written down: each (N,), nats."""
    with torch.no_grad():
        q = vae.encode(images)
        residual = (images - vae.decode(q.mean)).flatten(1).double()
    variances = POSTERIOR.double() * math.exp(wrong)
    spread = (variances * SCALES.double().square()).sum()
    distortion = 0.5 * (D * (LOG_2PI + 2 * math.log(SIGMA)) + (residual.square().sum(1) + spread) / SIGMA**2)
    per = 0.5 * (q.mean.double().square() + variances - 1 - variances.log())
    return distortion, per.sum(dim=1)


def estimates(found: Likelihood, *keys: str) -> Iterator[Estimate]:
    for key in keys:
        value = found.values[key]
        assert isinstance(value, Estimate), (key, value)
        yield value


@pytest.mark.parametrize("draws", [1, 7, 700])
def test_with_the_exact_posterior_every_bound_is_the_likelihood(draws: int) -> None:
    """Every weight is p(x), whatever z is: no variance, no gap."""
    vae = linear_vae()
    images = drawn(vae, 60)
    assert torch.allclose(-terms(vae, images, draws, 0).bound, exact_nll(vae, images), atol=2e-3)


def test_the_bound_falls_with_k_to_the_likelihood_from_above() -> None:
    vae = linear_vae(wrong=1.0)
    images = drawn(vae, 400)
    truth = exact_nll(vae, images).mean().item()
    gaps = [-terms(vae, images, k, 0).bound.mean().item() - truth for k in (1, 4, 32, 1000)]
    distortion, rate = exact_terms(vae, images, 1.0)
    assert gaps[0] == pytest.approx((distortion + rate).mean().item() - truth, abs=0.5), "the ELBO's gap"
    assert gaps[0] > gaps[1] + 0.5 > gaps[2] + 0.5
    assert gaps[2] > gaps[3] + 0.01
    assert abs(gaps[3]) < 0.01, "0.0009 above in expectation; the draws of 400 images give ± 0.004"


@pytest.mark.parametrize("wrong", [0.0, 0.7])
def test_the_elbo_and_its_terms_are_those_of_the_closed_form(wrong: float) -> None:
    vae = linear_vae(wrong=wrong)
    images = drawn(vae, 3000)
    found = measure_likelihood(vae, images, seed=3)
    distortion, rate = (values.mean().item() for values in exact_terms(vae, images, wrong))
    elbo, d, r, nll = estimates(found, "elbo", "distortion", "rate", "nll")
    assert r.value == pytest.approx(rate, rel=1e-5), "in closed form"
    assert d.value == pytest.approx(distortion, abs=0.1), "from one draw for each image"
    assert elbo.value == pytest.approx(-(distortion + rate), abs=0.1)
    assert nll.value == pytest.approx(exact_nll(vae, images).mean().item(), abs=0.25)
    assert nll.value < -elbo.value or wrong == 0
    per = found.details["kl_per_dimension"]
    assert sum(per) == pytest.approx(rate, rel=1e-5)
    assert per[3] == pytest.approx(0.5 * (math.exp(wrong) - 1 - wrong), abs=1e-5), (
        "a latent without an effect"
    )


def test_the_few_images_of_the_standard_bound_are_carried_over_to_all() -> None:
    """L_64 of 200 images out of 2 000 is nearly as sure as that of all, and says so."""
    vae = linear_vae(wrong=0.5)
    images = drawn(vae, 2000)
    truth = exact_nll(vae, images)
    found = measure_likelihood(vae, images)
    (nll,) = estimates(found, "nll")
    assert (found.details["k"], found.details["k_images"], found.details["images"]) == (64, 1000, 2000)
    alone = 2 * 1.96 * truth.std().item() / math.sqrt(1000)
    assert nll.value == pytest.approx(truth.mean().item(), abs=0.15)
    assert nll.high - nll.low < 0.85 * alone


def test_full_is_all_images_and_k_is_as_asked() -> None:
    vae = linear_vae(wrong=0.5)
    images = drawn(vae, 1100)
    said: list[tuple[int, int]] = []
    found = measure_likelihood(
        vae, images, full=True, k=20, progress=lambda done, total: said.append((done, total))
    )
    assert (found.details["k"], found.details["k_images"]) == (20, 1100)
    assert said[-1] == (22_000, 22_000)
    assert [done for done, _ in said] == sorted({done for done, _ in said})


def test_another_prior_of_the_same_density_gives_the_same_numbers() -> None:
    """N(0, I) as a mixture of one: the KL from draws instead of in closed form, else no difference."""
    vae = linear_vae(wrong=0.5)
    images = drawn(vae, 3000)
    one = measure_likelihood(vae, images)
    vae.prior = GaussianMixture(torch.ones(1), torch.zeros(1, Z), torch.eye(Z)[None])
    other = measure_likelihood(vae, images)
    assert other.values["distortion"] == one.values["distortion"]
    for mine, its in zip(estimates(one, "rate", "nll"), estimates(other, "rate", "nll"), strict=True):
        assert its.value == pytest.approx(mine.value, abs=0.1)
    assert "unavailable" in other.details["kl_per_dimension"]


def test_the_rate_is_what_is_shared_and_how_far_the_codes_lie() -> None:
    """The exact posteriors of images from the model itself mix to the prior, and share all of the rate."""
    vae = linear_vae()
    images = drawn(vae, 4000)
    found = measure_likelihood(vae, images, k=1)
    shared, apart, units = estimates(found, "mutual_information", "marginal_kl", "active_units")
    rate = -0.5 * POSTERIOR.log().sum().item()
    assert shared.value == pytest.approx(rate, abs=0.2)
    assert apart.value == pytest.approx(0, abs=0.2)
    assert units.value == 3


def test_equal_seeds_give_equal_numbers() -> None:
    vae = linear_vae(wrong=0.5)
    images = drawn(vae, 120)
    assert measure_likelihood(vae, images, seed=5) == measure_likelihood(vae, images, seed=5)
    assert measure_likelihood(vae, images, seed=5) != measure_likelihood(vae, images, seed=6)


def test_with_common_draws_an_image_s_terms_are_its_own() -> None:
    vae = linear_vae(wrong=0.5)
    images = drawn(vae, 120)
    together = terms(vae, images, 30, 0, common=True)
    order = torch.randperm(120, generator=generator(0, "test"))
    shuffled = terms(vae, images[order], 30, 0, common=True)
    alone = terms(vae, images[7:8], 30, 0, common=True)
    for whole, turned, single in zip(together, shuffled, alone, strict=True):
        assert torch.allclose(whole[order], turned, atol=1e-3)
        assert torch.allclose(whole[7:8], single, atol=1e-3)
    assert not torch.allclose(terms(vae, images[7:8], 30, 0).bound, alone.bound, atol=1e-3)


def test_a_gan_has_none_of_it_and_says_why() -> None:
    gan = GAN(Decoder(Z, SHAPE), Discriminator(Trunk(SHAPE)), StandardNormal(Z), Bernoulli()).eval()
    found = measure_likelihood(gan, torch.zeros(4, *SHAPE))
    assert set(found.values) == set(KEYS)
    assert found.measure is None
    for value in found.values.values():
        assert isinstance(value, Unavailable)
        assert "it can draw images, not say how probable one is" in value.reason


def bernoulli_vae() -> VAE:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = Encoder(Trunk(SHAPE, kind="mlp", depth=0), Z)
        return VAE(encoder, Decoder(Z, SHAPE, kind="mlp", depth=0), StandardNormal(Z), Bernoulli()).eval()


def test_the_measure_says_what_was_measured() -> None:
    vae = bernoulli_vae()
    grey = torch.rand(80, *SHAPE, generator=generator(0, "test/grey")) * 2 - 1
    as_grey, as_ink = (measure_likelihood(vae, grey, binarise=kind) for kind in ("none", "dynamic"))
    assert as_grey.measure == "cross-entropy of grey levels in [0, 1] (Bernoulli; not a density)"
    assert as_ink.measure == as_ink.details["measure"] == "probability of binarised pixels (Bernoulli)"
    ink = measure_likelihood(linear_vae(), grey, binarise="dynamic")
    assert ink.measure == "density on [-1, 1] (Gaussian), of binarised pixels"


def test_binarised_pixels_have_a_probability_that_sums_to_one() -> None:
    """Exact for a decoder that ignores z: −ln p(x) is the sum over pixels, and every black-and-white image of
    two free pixels together has probability 1."""
    vae = bernoulli_vae()
    linear = vae.decoder.layers[0]
    assert isinstance(linear, nn.Linear)
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.fill_(-200)  # black, surely
        linear.bias[:2] = torch.tensor([0.3, -1.2])
        assert isinstance(vae.encoder, Encoder)
        vae.encoder.head.weight.zero_()
        vae.encoder.head.bias.zero_()  # q = p
    four = torch.full((4, D), -1.0)
    four[:, :2] = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    bound = terms(vae, four.view(4, *SHAPE), 3, 0).bound
    assert bound.exp().sum().item() == pytest.approx(1, abs=1e-6)


def test_a_posterior_over_two_layers_is_measured_by_its_draws() -> None:
    vae = bernoulli_vae()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        up, down = (Conditional(a, b, hidden=8, depth=1, activation="tanh") for a, b in ((Z, 2), (2, Z)))
    assert isinstance(vae.encoder, Encoder)
    vae.encoder, vae.prior = TwoLayerEncoder(vae.encoder, up), TwoLayerPrior((Z, 2), down)
    grey = torch.rand(200, *SHAPE, generator=generator(0, "test/grey")) * 2 - 1
    found = measure_likelihood(vae.eval(), grey)
    elbo, nll, rate, distortion = estimates(found, "elbo", "nll", "rate", "distortion")
    assert elbo.value == pytest.approx(-(rate.value + distortion.value))
    assert nll.value < -elbo.value
    assert "no product" in found.details["kl_per_dimension"]["unavailable"]
    shared, apart, units = estimates(found, "mutual_information", "marginal_kl", "active_units")
    assert 0 < shared.value <= math.log(200)
    assert apart.value < rate.value
    assert shared.value < rate.value
    assert units.value <= Z + 2


def test_densities_pair_by_pair_say_what_the_closed_form_says() -> None:
    vae = linear_vae(wrong=0.5)
    images = drawn(vae, 120)
    seen = look(vae, images, 0)
    assert seen.log_vars is not None
    closed = log_aggregate(seen.draws, seen.means, seen.log_vars)
    assert torch.allclose(aggregate_by_density(vae, images, seen.draws), closed, atol=1e-3)


def test_codes_far_from_the_prior_are_found_there_whatever_the_number_of_images() -> None:
    """Two heaps of narrow posteriors: KL from N(0, I) known, and far above what ln N images could tell."""
    rng = generator(0, "test/heaps")
    heaps = torch.where(torch.rand(2000, 1, generator=rng) < 0.5, -3.0, 3.0)
    draws = heaps + 0.5 * torch.randn(2000, 4, generator=rng)
    log_prior = -0.5 * (LOG_2PI + draws.double().square()).sum(dim=1)
    exact = 4 * 0.5 * (0.25 + 9 - 1 - math.log(0.25)) - math.log(2)
    found = marginal_kl(log_fitted(draws), log_prior)
    assert found.value == pytest.approx(exact, abs=0.25)


def test_few_images_say_how_many_it_takes() -> None:
    vae = linear_vae()
    found = measure_likelihood(vae, drawn(vae, 12)).values
    for key, words in (("active_units", "40 images"), ("marginal_kl", "20 images for every dimension")):
        value = found[key]
        assert isinstance(value, Unavailable)
        assert words in value.reason


def test_points_have_no_structural_similarity() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = Encoder(Trunk((1, 1, 2), kind="mlp", depth=0), 2)
        decoder = Decoder(2, (1, 1, 2), kind="mlp", depth=0)
    vae = VAE(encoder, decoder, StandardNormal(2), Gaussian(linear=True)).eval()
    found = measure_likelihood(vae, torch.zeros(50, 1, 1, 2))
    assert isinstance(found.values["ssim"], Unavailable)
    assert isinstance(found.values["mse"], Estimate)


class Largest(TorchFunctionMode):
    """Notes the most elements that any tensor made inside has."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            self.elements = max(self.elements, made.numel())
        return made


@pytest.mark.parametrize(("count", "draws"), [(130, 9), (3, 2000), (1, 3000)])
def test_no_tensor_outgrows_a_tile(monkeypatch: pytest.MonkeyPatch, count: int, draws: int) -> None:
    """Memory is that of a tile, not of images × draws."""
    monkeypatch.setattr(importance, "TILE", 40)
    vae = linear_vae(wrong=0.5)
    images = drawn(vae, count)
    with Largest() as largest:
        found = terms(vae, images, draws, 0).bound
    assert largest.elements <= max(40 * D, images.numel())
    assert len(found) == count


@pytest.mark.parametrize("count", [1, 49, 10_000])
@pytest.mark.parametrize("draws", [1, 64, 5000])
@pytest.mark.parametrize("pixels", [784, 3 * 64 * 64, 3 * 1024 * 1024])
def test_a_tile_fits_its_bound_and_holds_something(count: int, draws: int, pixels: int) -> None:
    images, at_once = tile(count, draws, pixels)
    assert 1 <= images <= count
    assert 1 <= at_once <= draws
    assert images * at_once * pixels <= max(pixels, importance.TILE_PIXELS)
    assert images * at_once <= importance.TILE


def test_the_tiles_do_not_change_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other draws, the same bound: at K = 2 000 it has no noise to speak of."""
    vae = linear_vae(wrong=0.3)
    images = drawn(vae, 30)
    whole = terms(vae, images, 2000, 0)
    monkeypatch.setattr(importance, "TILE", 37)
    other = terms(vae, images, 2000, 0)
    assert torch.allclose(whole.bound, other.bound, atol=0.1)
    assert torch.allclose(whole.distortion, other.distortion, atol=0.4)


@pytest.mark.slow
def test_five_thousand_draws_need_the_memory_of_a_few() -> None:
    """On images of 28×28 by a decoder of the usual size, in a process of its own; decoded at once, these
    20 × 5 000 images alone would take 314 MB, and 10 000 × 5 000 of them 157 GB."""
    code = """
import torch
from genlab.evaluation.cost import peak_memory
from genlab.evaluation.importance import terms
from genlab.experiment.build import build_model
from genlab.recipes import recipe
torch.set_num_threads(1)
settings = ["network.decoder.kind=mlp", "network.decoder.depth=1", "network.decoder.hidden=200"]
model = build_model(recipe("vae", *settings), (1, 28, 28)).eval()
terms(model, torch.zeros(20, 1, 28, 28), 20, 0)
before = peak_memory()
bound = terms(model, torch.zeros(20, 1, 28, 28), 5000, 0).bound
assert bound.shape == (20,)
print(peak_memory() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50e6
