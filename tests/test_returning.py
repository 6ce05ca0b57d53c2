"""Ways back from an image, for runs with and without an encoder."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.returning import come_back, encoder_of
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import Trained, open_run

Tiny = Callable[..., Experiment]
Make = Callable[..., Trained]

pytestmark = pytest.mark.usefixtures("runs")


@pytest.fixture
def make(tiny: Tiny, dataset: Dataset) -> Make:
    """make(family, *assignments, start=…): a trained run, opened."""

    def trained(family: str, *assignments: str, start: Trained | None = None) -> Trained:
        experiment = tiny(family, *assignments)
        if start is not None:
            experiment = experiment.model_copy(update={"start": str(start.run.path.resolve())})
        run = begin(experiment, dataset=dataset)
        list(work(run, dataset=dataset))
        return open_run(run)

    return trained


@pytest.fixture
def images(dataset: Dataset) -> Tensor:
    return to_float(torch.from_numpy(dataset.test.pixels[:5]))


def error(images: Tensor, again: Tensor) -> float:
    return float((images - again).square().mean())


def test_a_vae_comes_back_by_its_own_encoder(make: Make, images: Tensor) -> None:
    vae = make("vae")
    again, how = come_back(vae, images)
    assert torch.equal(again, vae.reconstruct(images))
    assert how == "by the run's own encoder"


def test_a_gan_borrows_the_encoder_of_the_vae_it_came_from_and_says_so(make: Make, images: Tensor) -> None:
    vae = make("vae")
    gan = make("gan", start=vae)
    heir = make("gan", start=gan)
    for each in (gan, heir):
        found = encoder_of(each)
        assert found is not None
        assert found.run.path.resolve() == vae.run.path.resolve()
        again, how = come_back(each, images)
        assert torch.equal(again, each.decode(vae.encode(images)))
        assert how == f"encoded by {vae.run.name}, decoded by {each.run.name}"


def test_a_gan_without_one_says_what_can_be_done(make: Make, images: Tensor) -> None:
    gan, vae = make("gan"), make("vae")
    with pytest.raises(UserError, match=r"no encoder: search for latents with --invert, or .* --with RUN"):
        come_back(gan, images)
    again, how = come_back(gan, images, encoder=vae)
    assert torch.equal(again, gan.decode(vae.encode(images)))
    assert vae.run.name in how
    shutil.rmtree(vae.run.path)
    assert encoder_of(gan) is None


def test_the_vae_it_came_from_may_be_gone(make: Make, images: Tensor) -> None:
    vae = make("vae")
    gan = make("gan", start=vae)
    shutil.rmtree(vae.run.path)
    with pytest.raises(UserError, match="has no encoder"):
        come_back(gan, images)


def test_an_encoder_of_other_latents_is_refused(make: Make, images: Tensor) -> None:
    gan, vae, other = make("gan"), make("vae", "network.latent_dim=5"), make("gan")
    with pytest.raises(UserError, match=r"to 5 latents and .* decodes 3"):
        come_back(gan, images, encoder=vae)
    with pytest.raises(UserError, match="is a GAN and has no encoder"):
        come_back(gan, images, encoder=other)


def test_a_search_comes_at_least_as_near_as_the_encoder_and_says_how(make: Make, images: Tensor) -> None:
    vae = make("vae")
    gan, alone = make("gan", start=vae), make("gan")
    borrowed, _ = come_back(gan, images)
    found, how = come_back(gan, images, search=True)
    assert error(images, found) < error(images, borrowed)
    assert f"the code of {vae.run.name}'s encoder" in how
    _, how = come_back(alone, images, search=True)
    assert "Adam" in how
    assert "encoder" not in how
    assert error(images, come_back(vae, images, search=True).images) < error(images, vae.reconstruct(images))


def test_runs_that_start_from_each_other_in_a_circle_end(make: Make) -> None:
    gan = make("gan")
    gan.experiment = gan.experiment.model_copy(update={"start": str(gan.run.path)})
    assert encoder_of(gan) is None
