"""VAE → GAN: the diagram from the models, the receipt, warm beside cold, and what the discriminator says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genlab.app import entries, models
from genlab.app.forms import beginning
from genlab.app.handing_over import diagram, scores
from genlab.app.held_out import held_out
from genlab.app.launches import Launch
from genlab.experiment.build import build_model
from genlab.experiment.schema import Experiment
from genlab.networks.model import GAN
from genlab.runs.store import Run

from app_pages import open_page, shown, texts, where  # isort: skip

Tiny = Callable[..., Experiment]


@pytest.mark.parametrize("family", ["vae", "gan", "vaegan"])
def test_the_stages_of_a_network_have_all_of_its_parameters(tiny: Tiny, family: str) -> None:
    model = build_model(tiny(family, "network.decoder.blocks=1"), (1, 8, 8))
    blocks = diagram.blocks(model, (1, 8, 8))
    assert ("discriminator" in blocks) == (family != "vae")
    assert ("encoder" in blocks) == (family != "gan")
    for block in blocks.values():
        assert sum(stage.parameters for stage in block.stages) == block.parameters
    assert blocks["decoder"].stages[-1].shape == (1, 8, 8)
    assert blocks["decoder"].parameters == sum(p.numel() for p in model.decoder.parameters())


def test_drawing_a_network_leaves_it_as_it_was(tiny: Tiny) -> None:
    import torch

    model = build_model(tiny("gan"), (1, 8, 8)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    diagram.blocks(model, (1, 8, 8))
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_the_networks_of_a_vae_and_the_gan_it_would_become(small_vae: Run) -> None:
    page = open_page("vae-to-gan", run=small_vae.name)
    drawn = shown(page, "html")
    for name in ("VAE: Decoder with", "Encoder with", "GAN: Decoder with", "Discriminator with"):
        assert name in drawn
    rows = page.table[0].value
    assert set(rows["Network"]) == {"Encoder", "Decoder", "Discriminator"}
    assert not page.error


def test_a_gan_shows_its_receipt(small_gan: Run) -> None:
    page = open_page("vae-to-gan", run=small_gan.name)
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["max │G(z) − Dec(z)│"] == "0"
    assert figures["after saving and reading"] == "0"
    assert int(figures["tensors copied"]) > 0


def test_warm_and_cold_have_the_same_networks_and_wait_for_their_turn(
    small_vae: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, list[str], list[str]]] = []

    def launch(
        family: str, data: str, seconds: float, assignments: list[str], options: list[str], **_: object
    ) -> Launch:
        started.append((family, assignments, options))
        return Launch(str(small_vae.path), family, 1, 0.0, 0.0, seconds)

    monkeypatch.setattr(beginning, "launch", launch)
    page = open_page("vae-to-gan", run=small_vae.name, part="train")
    page.checkbox(key="gan-cold").set_value(True)
    next(each for each in page.button if each.label.startswith("Make the GAN")).click().run()
    (warm_family, _, warm), (cold_family, cold, options) = started
    assert (warm_family, cold_family) == ("gan", "gan")
    assert warm == ["--from", str(small_vae.path)]
    assert options == []
    config = small_vae.config()
    assert f"network.latent_dim={config['network']['latent_dim']}" in cold
    assert f"network.decoder.width={config['network']['decoder']['width']}" in cold
    assert where(page) == "vae-to-gan"


def test_the_discriminator_scores_what_there_is(small_vae: Run, small_gan: Run) -> None:
    gan, vae = entries.read(small_gan.path), entries.read(small_vae.path)
    found = {each.kind: each.logits for each in scores.judgements(gan, vae)}
    assert list(found) == ["Real", "Generated", "Reconstructed", "VAE’s samples"]
    import torch

    from genlab.data.batches import to_float

    model = models.opened(gan).model
    assert isinstance(model, GAN)
    reals = to_float(torch.from_numpy(held_out(gan).pixels[: scores.COUNT]))
    with torch.inference_mode():
        expected = model.discriminator(reals).double().numpy()
    assert np.allclose(found["Real"], expected)
    page = open_page("vae-to-gan", run=small_gan.name, part="scores")
    assert not page.error
    assert "no measure of quality" in texts(page)


def test_a_vae_without_a_gan_has_no_discriminator_to_ask(small_vae: Run) -> None:
    page = open_page("vae-to-gan", run=small_vae.name, part="scores")
    assert "has no discriminator" in page.info[0].value


def test_a_page_that_lost_its_vae_says_so(small_gan: Run, small_vae: Run, tmp_path: Path) -> None:
    small_vae.path.rename(tmp_path / "elsewhere")
    page = open_page("vae-to-gan", run=small_gan.name)
    assert "its VAE is gone" in page.info[0].value
