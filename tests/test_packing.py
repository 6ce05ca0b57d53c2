"""A discriminator of packs: which images it judges together, and what losses and penalties make of that."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model
from genlab.experiment.schema import Experiment
from genlab.functional.adversarial import LOSSES
from genlab.networks.discriminator import Discriminator
from genlab.networks.model import GAN
from genlab.nn.trunk import Trunk
from genlab.objectives.adversarial import Adversarial, Penalties
from genlab.randomness import generator

Tiny = Callable[..., Experiment]


def images(count: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randn(count, *shape, generator=generator(seed, "test/packing"))


def critic_of(pack: int, channels: int = 2, **settings: object) -> Discriminator:
    """A discriminator of images (channels, 3, 3), all dense; without `depth` it is linear."""
    torch.manual_seed(0)
    trunk = Trunk((pack * channels, 3, 3), kind="mlp", norm="none", **settings)  # type: ignore[arg-type]
    return Discriminator(trunk, pack=pack)


def test_a_pack_is_the_channels_of_one_image() -> None:
    given = images(6, 2, 3, 3)
    packed = critic_of(3).packed(given)
    assert packed.shape == (2, 6, 3, 3)
    assert torch.equal(packed[1], torch.cat([given[3], given[4], given[5]]))


def test_a_pack_of_one_is_the_image_itself() -> None:
    given = images(4, 2, 3, 3)
    assert critic_of(1).packed(given) is given


@pytest.mark.parametrize("pack", [1, 2, 3])
def test_a_logit_depends_on_its_own_pack_alone(pack: int) -> None:
    critic, given = critic_of(pack, hidden=7, depth=2), images(6, 2, 3, 3).requires_grad_()
    logits = critic(given)
    assert logits.shape == (6 // pack,)
    for index, logit in enumerate(logits):
        (slope,) = torch.autograd.grad(logit, given, retain_graph=True)
        touched = slope.flatten(start_dim=1).abs().sum(dim=1) > 0
        assert touched.nonzero().flatten().tolist() == list(range(index * pack, (index + 1) * pack))


@pytest.mark.parametrize("pack", [1, 2, 3])
def test_r1_and_r2_of_a_linear_discriminator_are_known(pack: int) -> None:
    """D(pack) = w·pack + b: ½γ‖w‖² at each pack, whatever is in it."""
    critic = critic_of(pack)
    weight = critic.head.get_parameter("weight")
    assert weight.shape == (1, pack * 2 * 9)
    penalty = Penalties(r1=3.0, r2=0.5)(
        critic, images(6, 2, 3, 3), images(6, 2, 3, 3, seed=1), generator(0, "_")
    )
    expected = 0.5 * 3.5 * weight.square().sum()
    assert torch.allclose(penalty, expected.expand(6 // pack))


def test_a_penalty_of_packs_is_that_of_a_discriminator_of_wide_images() -> None:
    """The same network, fed the packs as if they were its images."""
    packs, wide = critic_of(3, hidden=7, depth=2), critic_of(1, channels=6, hidden=7, depth=2)
    real, fake = images(6, 2, 3, 3), images(6, 2, 3, 3, seed=1)
    both = Penalties(r1=1.0, r2=2.0)
    found = both(packs, real, fake, generator(0, "_"))
    assert torch.allclose(found, both(wide, packs.packed(real), packs.packed(fake), generator(0, "_")))
    assert found.std() > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_packs_meet_packs_one_to_one(tiny: Tiny, dataset: Dataset, loss: str) -> None:
    """Both players descend the loss of the packs' logits, real against generated."""
    none = ("network.discriminator.norm=none", "network.decoder.norm=none")
    model = build_model(tiny("gan", "network.discriminator.pack=2", *none), dataset.shape)
    assert isinstance(model, GAN)
    real = images(4, *dataset.shape)
    fake = model.sample(4, generator(0, "noise"))
    logits = model.discriminator(real), model.discriminator(fake)
    expected = LOSSES[loss].discriminator(*logits).mean(), LOSSES[loss].generator(*logits).mean()
    updates = Adversarial(loss).updates(model, Batch(real, None, 0), generator(0, "noise"))
    assert [u.loss.item() for u in updates] == pytest.approx([e.item() for e in expected], rel=1e-5)


def test_repetition_shows_in_packs_only() -> None:
    """Real pairs are independent signs; the generator's are one sign twice. Each image alone is as likely in
    both, so that its best loss is 2 ln 2; of the pairs the best is 2 ln 2 − 2 JS, and it is reached."""
    real = torch.tensor([-1.0, -1, -1, 1, 1, -1, 1, 1]).view(8, 1, 1, 1)
    fake = torch.tensor([1.0, 1, -1, -1, 1, 1, -1, -1]).view(8, 1, 1, 1)
    divergence = 0.5 * (0.5 * math.log(4 / 3) + math.log(4 / 3))  # of 1/4 each from 1/2, 0, 0, 1/2
    for pack, best in [(1, 2 * math.log(2)), (2, 2 * math.log(2) - 2 * divergence)]:
        torch.manual_seed(0)
        trunk = Trunk((pack, 1, 1), kind="mlp", hidden=8, depth=2, norm="none")
        critic = Discriminator(trunk, pack=pack)
        adam = torch.optim.Adam(critic.parameters(), lr=0.02)
        for _ in range(200):
            loss = LOSSES["non-saturating"].discriminator(critic(real), critic(fake)).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        assert loss.item() == pytest.approx(best, abs=2e-3)
