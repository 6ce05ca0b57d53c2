from __future__ import annotations

import json
import subprocess
import sys

import pytest

from genlab.evaluation import cost
from genlab.evaluation.cost import measure_cost, parameters
from genlab.networks.decoder import Decoder
from genlab.networks.encoder import Encoder
from genlab.networks.model import VAE
from genlab.networks.observation import Bernoulli, Gaussian
from genlab.networks.prior import StandardNormal
from genlab.nn.trunk import Trunk

SHAPE = (1, 8, 8)


def vae() -> VAE:
    encoder = Encoder(Trunk(SHAPE, kind="mlp", depth=0), 3)
    return VAE(encoder, Decoder(3, SHAPE, kind="mlp", depth=0), StandardNormal(3), Bernoulli()).eval()


def test_every_part_s_parameters_are_counted_and_nothing_else() -> None:
    assert parameters(vae()) == {"encoder": 64 * 6 + 6, "decoder": 3 * 64 + 64}
    model = vae()
    model.observation = Gaussian(learned=True)
    assert parameters(model)["observation"] == 1


def test_a_model_s_cost_is_plain_numbers_that_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.05)
    found = measure_cost(vae(), training_seconds=2.5, images_seen=1280)
    assert json.loads(json.dumps(found)) == found
    assert (found["training_seconds"], found["images_seen"]) == (2.5, 1280)
    assert found["parameters_mb"] == 4 * (390 + 256) / 1e6
    assert found["latency_ms"] > 0
    assert found["images_per_second"] > 1000 / found["latency_ms"], "one by one is never faster"


def test_the_peak_is_what_the_process_once_held() -> None:
    """In a process of its own, so that nothing larger was held before."""
    code = (
        "from genlab.evaluation.cost import peak_memory\n"
        "before, held = peak_memory(), bytearray(b'x') * 400_000_000\n"
        "during = peak_memory()\n"
        "del held\n"
        "print(before, during, peak_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, during, after = map(int, done.stdout.split())
    assert 50e6 < before < during - 300e6
    assert after == pytest.approx(during, rel=0.01)
