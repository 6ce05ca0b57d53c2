"""The decoder in the browser: equal to PyTorch's, whatever it is built of, and quick."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import deepcopy
from importlib import resources

import pytest
import torch

from genlab.networks.observation import Bernoulli, Gaussian
from genlab.networks.portable import portable
from genlab.recipes import RECIPES, recipe

from app_browser import chromium  # isort: skip
from playwright.sync_api import Page
from test_portable import settled

pytestmark = pytest.mark.browser
SCRIPT = resources.files("genlab.lessons.report") / "decoder.js"
DECODE = """([net, latents]) => {
  const decoder = GenlabDecoder.load(net);
  return latents.map((z) => Array.from(decoder.decode(z)));
}"""
KINDS = {
    f"{kind}-{norm}": {**settings, "norm": norm}
    for (kind, settings), norm in itertools.product(
        {
            "conv": {"shape": (1, 28, 28), "width": 6, "hidden": 12, "depth": 2},
            "no-dense": {"shape": (1, 28, 28), "width": 6, "depth": 0},
            "colour-64": {"shape": (3, 64, 64), "width": 4, "hidden": 8},
            "residual": {"shape": (3, 19, 26), "width": 4, "blocks": 1, "hidden": 8},
            "mlp": {"shape": (1, 9, 8), "kind": "mlp", "depth": 2, "hidden": 9},
        }.items(),
        ("batch", "group", "none"),
    )
}


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        opened = browser.new_page()
        opened.add_script_tag(content=SCRIPT.read_text("utf-8"))
        yield opened


@pytest.mark.parametrize("kind", KINDS)
def test_it_decodes_as_pytorch_does(page: Page, kind: str) -> None:
    settings = dict(KINDS[kind])
    decoder = settled(5, settings.pop("shape"), **settings)
    latents = 1.5 * torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    for observation in (Bernoulli(), Gaussian()):
        answer = torch.tensor(page.evaluate(DECODE, [portable(decoder, observation), latents.tolist()]))
        # in double precision: a group of nearly equal values loses digits in PyTorch's single one
        exact = deepcopy(decoder).double()(latents.double())
        expected = observation.image(exact).flatten(1).float()
        torch.testing.assert_close(answer, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", [name for name in ("vae", "gan") if name in RECIPES])
def test_the_default_decoders_take_their_few_milliseconds(page: Page, name: str) -> None:
    from genlab.experiment.build import build_model

    model = build_model(recipe(name), (1, 28, 28)).eval()
    milliseconds = page.evaluate(
        """(net) => {
          const decoder = GenlabDecoder.load(net), times = [];
          for (let i = 0; i < 80; i++) {
            const z = Float32Array.from({length: decoder.latentDim}, () => Math.random());
            const began = performance.now();
            decoder.decode(z);
            times.push(performance.now() - began);
          }
          return times.sort((a, b) => a - b)[40];
        }""",
        portable(model.decoder, model.observation),
    )
    print(f"{name}: {milliseconds:.2f} ms")
    assert milliseconds < 50  # twenty times what an idle machine takes: a busy one has its share
