"""The portable decoder, run by the JavaScript that ships with the report, against PyTorch."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from genlab.errors import UserError
from genlab.networks.decoder import Decoder
from genlab.networks.observation import (
    Bernoulli,
    ContinuousBernoulli,
    DiscretisedLogistic,
    Gaussian,
    Observation,
)
from genlab.networks.portable import portable
from genlab.nn.norms import BatchNorm
from genlab.randomness import generator

NODE = shutil.which("node")
SCRIPT = resources.files("genlab.lessons.report") / "decoder.js"
needs_node = pytest.mark.skipif(NODE is None, reason="node runs the JavaScript")


def settled(*args: Any, **kwargs: Any) -> Decoder:
    """A decoder in evaluation mode whose every weight and statistic is away from its start."""
    rng = generator(0, "test")
    decoder = Decoder(*args, **kwargs).eval().requires_grad_(False)
    for parameter in decoder.parameters():
        parameter.add_(torch.randn(parameter.shape, generator=rng), alpha=0.15)
    for layer in decoder.modules():
        if isinstance(layer, BatchNorm):
            layer.running_mean += torch.randn(layer.running_mean.shape, generator=rng)
            layer.running_var *= 0.5 + torch.rand(layer.running_var.shape, generator=rng)
    return decoder


def in_javascript(
    decoders: list[dict[str, Any]], latents: list[torch.Tensor], folder: Path
) -> list[torch.Tensor]:
    """What `decoder.js` makes of each decoder's latents: (B, C·H·W) each."""
    assert NODE is not None
    asked = folder / "asked.json"
    asked.write_text(
        json.dumps([{"decoder": d, "z": z.tolist()} for d, z in zip(decoders, latents, strict=True)])
    )
    program = f"""
      require({json.dumps(str(SCRIPT))});
      const asked = JSON.parse(require("fs").readFileSync({json.dumps(str(asked))}));
      const answer = asked.map(({{decoder, z}}) => {{
        const net = GenlabDecoder.load(decoder);
        return z.map((row) => Array.from(net.decode(row)));
      }});
      console.log(JSON.stringify(answer));
    """
    done = subprocess.run([NODE, "-e", program], capture_output=True, text=True, check=True)
    return [torch.tensor(images) for images in json.loads(done.stdout)]


@needs_node
def test_javascript_equals_pytorch(tmp_path: Path) -> None:
    cases: list[tuple[Decoder, Observation]] = []
    norms = ("batch", "group", "none")
    observations: list[Observation] = [Bernoulli(), ContinuousBernoulli(), Gaussian()]
    for norm, observation in itertools.product(norms, observations):
        cases.append((settled(5, (1, 28, 28), width=4, hidden=10, norm=norm), observation))
        cases.append((settled(3, (3, 11, 18), width=3, blocks=1, depth=2, hidden=7, norm=norm), observation))
        cases.append((settled(4, (1, 9, 8), kind="mlp", depth=2, hidden=6, norm=norm), observation))
    cases.append((settled(4, (1, 8, 8), kind="mlp", depth=0), Gaussian(linear=True)))
    cases.append((settled(4, (1, 9, 8), kind="mlp", depth=2, hidden=6, activation="tanh"), Bernoulli()))
    cases.append((settled(4, (1, 9, 8), blocks=1, width=3, activation="leaky-relu"), DiscretisedLogistic()))
    latents = [torch.randn(3, decoder.latent_dim, generator=generator(1, "z")) for decoder, _ in cases]
    answers = in_javascript([portable(*case) for case in cases], latents, tmp_path)
    for (decoder, observation), z, images in zip(cases, latents, answers, strict=True):
        expected = observation.image(decoder(z)).flatten(start_dim=1)
        assert 0.02 < expected.std() < 0.98  # neither grey nor saturated
        torch.testing.assert_close(images, expected, atol=1e-4, rtol=0)


@needs_node
def test_half_precision_moves_no_pixel_visibly(tmp_path: Path) -> None:
    decoder, z = settled(32, (1, 28, 28)), torch.randn(4, 32, generator=generator(2, "z"))
    small, exact = portable(decoder, Bernoulli(), half=True), portable(decoder, Bernoulli())
    assert len(json.dumps(small)) < 0.51 * len(json.dumps(exact))
    (images,) = in_javascript([small], [z], tmp_path)
    torch.testing.assert_close(images, Bernoulli().image(decoder(z)).flatten(1), atol=0.02, rtol=0)


def test_batch_normalisation_is_folded_wherever_a_layer_stands_before_it() -> None:
    plain = portable(Decoder(4, (1, 28, 28)).eval(), Bernoulli())
    assert [layer["kind"] for layer in plain["layers"]] == [
        "linear", "relu", "linear", "reshape", "relu", "conv3x3", "pixel-shuffle", "relu", "conv3x3",
        "pixel-shuffle", "crop", "map",
    ]  # fmt: skip
    blocks = portable(Decoder(4, (1, 28, 28), blocks=1).eval(), Bernoulli())
    residual = next(layer for layer in blocks["layers"] if layer["kind"] == "residual")
    assert [layer["kind"] for layer in residual["layers"]] == ["affine", "relu", "conv3x3", "relu", "conv3x3"]


def test_portable_leaves_the_decoder_as_it_was() -> None:
    decoder = settled(4, (1, 28, 28))
    before = {key: value.clone() for key, value in decoder.state_dict().items()}
    portable(decoder, Bernoulli())
    assert all(torch.equal(before[key], value) for key, value in decoder.state_dict().items())


def test_what_cannot_be_carried_is_named() -> None:
    decoder = Decoder(4, (1, 28, 28))
    decoder.layers.append(nn.Softsign())
    with pytest.raises(UserError, match="Softsign"):
        portable(decoder, Bernoulli())


def test_a_weight_too_large_for_half_is_refused() -> None:
    decoder = Decoder(4, (1, 8, 8), kind="mlp", depth=0)
    nn.init.constant_(decoder.layers[0].weight, 1e5)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="float16"):
        portable(decoder, Bernoulli(), half=True)
