from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.functional.adversarial import LOSSES
from genlab.networks.model import GAN
from genlab.nn.norms import NORMS, BatchNorm
from genlab.objectives.adversarial import Adversarial, Penalties, judge
from genlab.randomness import generator
from genlab.training.fit import advance

Tiny = Callable[..., Experiment]


def build(experiment: Experiment, dataset: Dataset) -> GAN:
    model = build_model(experiment, dataset.shape)
    assert isinstance(model, GAN)
    return model


def watch(model: GAN) -> list[Tensor]:
    """Every batch of images that the discriminator is given, from now on."""
    seen: list[Tensor] = []
    model.discriminator.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().clone()))
    return seen


def step(experiment: Experiment, dataset: Dataset) -> tuple[Batch, list[Tensor]]:
    """One step of training: the batch it got and what its discriminator saw."""
    model, objective = build(experiment, dataset), build_objective(experiment.objective)
    state, batches = build_state(experiment, model), make_batches(experiment, dataset, objective)
    seen = watch(model)
    advance(state, objective, batches, 10, 0)
    return batches(0), seen


def test_one_batch_of_generated_images_serves_both_players(tiny: Tiny, dataset: Dataset) -> None:
    batch, seen = step(tiny("gan"), dataset)
    real, fake, fake_again = seen  # with batch statistics: one pass for each kind
    assert torch.equal(real, batch.images)
    assert torch.equal(fake, fake_again)
    assert not torch.equal(fake, real)


def test_every_step_of_the_discriminator_sees_other_images(tiny: Tiny, dataset: Dataset) -> None:
    none = "network.discriminator.norm=none"
    batch, seen = step(tiny("gan", "objective.discriminator_steps=3", none), dataset)
    *judged, deceiving = seen  # without batch statistics: real and generated images in one pass
    assert torch.equal(torch.cat([both[:4] for both in judged]), batch.images)
    fakes = [both[4:] for both in judged]
    assert not torch.equal(fakes[0], fakes[1])
    assert not torch.equal(fakes[1], fakes[2])
    assert torch.equal(fakes[2], deceiving), "the last one's are the generator's"


class Played:
    """`objective`, noting whose turn it was."""

    def __init__(self, objective: Adversarial) -> None:
        self.objective, self.batches_per_step = objective, objective.batches_per_step
        self.turns: list[str] = []

    def updates(self, model: Any, batch: Batch, rng: torch.Generator) -> Iterator[Any]:
        for update in self.objective.updates(model, batch, rng):
            self.turns.append(update.part)
            yield update


@pytest.mark.parametrize("turns", [1, 2, 5])
def test_the_discriminator_has_its_turns_before_the_generator(
    tiny: Tiny, dataset: Dataset, turns: int
) -> None:
    experiment = tiny("gan", f"objective.discriminator_steps={turns}")
    played = Played(Adversarial(discriminator_steps=turns))
    state = build_state(experiment, build(experiment, dataset))
    advance(state, played, make_batches(experiment, dataset, played), 10, 0)
    assert played.turns == ["discriminator"] * turns + ["generator"]


@pytest.mark.parametrize("norm", NORMS)
def test_judgement_of_real_images_does_not_depend_on_the_generated(
    tiny: Tiny, dataset: Dataset, norm: str
) -> None:
    critic = build(
        tiny("gan", f"network.discriminator.norm={norm}", "network.discriminator.depth=2"), dataset
    )
    real = torch.rand(4, 1, 8, 8, generator=generator(0, "real"))
    one, other = torch.zeros_like(real), torch.rand(4, 1, 8, 8, generator=generator(0, "fake"))
    first, second = (judge(critic.discriminator, real, fake)[0] for fake in (one, other))
    assert torch.allclose(first, second, atol=1e-6)
    assert torch.allclose(first, critic.discriminator(real), atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_penalties_are_added_and_logged(tiny: Tiny, dataset: Dataset, loss: str) -> None:
    experiment = tiny("gan", "network.discriminator.norm=none")
    model = build(experiment, dataset)
    batch = make_batches(experiment, dataset, Adversarial())(0)

    def first(penalties: Penalties) -> Any:
        return next(Adversarial(loss, penalties).updates(model, batch, generator(0, "noise")))

    plain = first(Penalties())
    assert "penalty" not in plain.logged()
    assert plain.loss.item() == pytest.approx(plain.logged()["discriminator_loss"].item())
    weighted = {name: first(Penalties(**{name: 2.0})) for name in ("r1", "r2", "wasserstein")}
    for update in weighted.values():
        assert update.logged()["discriminator_loss"].item() == pytest.approx(plain.loss.item(), rel=1e-5)
        assert update.logged()["penalty"].item() > 0
        total = plain.loss.item() + update.logged()["penalty"].item()
        assert update.loss.item() == pytest.approx(total, rel=1e-5)
    both = first(Penalties(r1=2.0, r2=2.0)).logged()["penalty"].item()
    each = sum(weighted[name].logged()["penalty"].item() for name in ("r1", "r2"))
    assert both == pytest.approx(each, rel=1e-5)


def test_accuracy_is_the_share_of_right_judgements(tiny: Tiny, dataset: Dataset) -> None:
    experiment = tiny("gan", "network.discriminator.norm=none")
    model = build(experiment, dataset)
    batch = make_batches(experiment, dataset, Adversarial())(0)
    with torch.no_grad():
        model.discriminator.head.get_parameter("weight").zero_()
        for bias, expected in ((3.0, 0.5), (-3.0, 0.5)):  # all called real, all called generated
            model.discriminator.head.get_parameter("bias").fill_(bias)
            update = next(Adversarial().updates(model, batch, generator(0, "noise")))
            assert update.logged()["accuracy"].item() == expected
            assert update.logged()["real_logit"].item() == update.logged()["fake_logit"].item() == bias


@pytest.mark.parametrize("loss", LOSSES)
def test_both_players_descend_the_loss_of_that_name(tiny: Tiny, dataset: Dataset, loss: str) -> None:
    """Real and generated images one to one; what the relativistic generator is compared with, too."""
    experiment = tiny("gan", "network.discriminator.norm=none", "network.decoder.norm=none")
    model = build(experiment, dataset)
    batch = make_batches(experiment, dataset, Adversarial())(0)
    fake = model.sample(len(batch), generator(0, "noise"))
    logits = model.discriminator(batch.images), model.discriminator(fake)
    expected = LOSSES[loss].discriminator(*logits).mean(), LOSSES[loss].generator(*logits).mean()
    updates = Adversarial(loss).updates(model, batch, generator(0, "noise"))
    assert [u.loss.item() for u in updates] == pytest.approx([e.item() for e in expected], rel=1e-5)


def test_images_made_for_the_discriminator_alone_leave_no_trace_in_the_generator(
    tiny: Tiny, dataset: Dataset
) -> None:
    experiment = tiny("gan", "network.decoder.norm=batch", "objective.discriminator_steps=3")
    model, objective = build(experiment, dataset), build_objective(experiment.objective)
    noted: list[bool] = []
    norm = next(module for module in model.generator.modules() if isinstance(module, BatchNorm))
    norm.register_forward_pre_hook(lambda module, _: noted.append(module.noting))
    advance(build_state(experiment, model), objective, make_batches(experiment, dataset, objective), 10, 0)
    assert noted == [False, False, True]
