"""The benchmarks of mode coverage, from the command to the table, with as little training as possible."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from genlab.data.mixtures import MIXTURES
from genlab.recipes import recipe

ROOT = Path(__file__).resolve().parent.parent
Command = Callable[..., str]


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module(name)


def command(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [str(module.__file__), *map(str, arguments)])
        module.main()
        return capsys.readouterr().out

    return run


@pytest.fixture
def mixtures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark with every method cut to three steps."""
    module = load("mixtures", monkeypatch)
    cut = {
        key: method._replace(settings=(*method.settings, "training.steps=3"))
        for key, method in module.METHODS.items()
    }
    monkeypatch.setattr(module, "METHODS", cut)
    return module


def test_mixtures_are_trained_once_and_tabled(
    mixtures: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = command(mixtures, monkeypatch, capsys)
    kept, drawn = tmp_path / "new" / "arms.json", tmp_path / "figure.svg"
    arguments = ("--data", "grid", "--seeds", 2, "--json", kept, "--figure", drawn)
    first = run(*arguments)
    for text in ("17.3, 94.8, .70", "23.8, 91.3, .13", "exact samples", "98.9", "0.005", "CPU minutes"):
        assert text in first
    arms = json.loads(kept.read_text())
    assert [(arm["method"], arm["seed"]) for arm in arms] == [
        (method, seed) for seed in (0, 1) for method in mixtures.METHODS
    ]
    assert all(0 <= arm["modes"] <= 25 and 0 <= arm["high_quality"] <= 100 for arm in arms)

    monkeypatch.setattr(mixtures, "samples", lambda *_: pytest.fail("a finished arm was trained again"))
    again = run(*arguments)
    assert again == first[first.index("data ") :], "the same table, and no line of a training"

    root = ElementTree.fromstring(drawn.read_text())
    words = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {method.label for method in mixtures.METHODS.values()} <= words
    assert {"training points", "x₁", "mode without a sample"} <= words


def test_the_methods_are_what_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("mixtures", monkeypatch)
    for method in module.METHODS.values():
        for settings in (method.settings, method.as_published):
            recipe("gan", *settings)
    published = recipe("gan", *module.METHODS["pacgan2"].as_published)
    network, training = published.network, published.training
    assert (network.decoder.hidden, network.decoder.depth, network.decoder.norm) == (400, 4, "batch")
    assert (network.discriminator.hidden, network.discriminator.depth) == (200, 3)
    assert (network.discriminator.maxout, network.discriminator.pack) == (5, 2)
    assert training.batch_size // network.discriminator.pack == 100
    assert training.steps * 100 == 400 * 100_000, "400 epochs of packs"
    assert all(set(method.published) <= set(MIXTURES) for method in module.METHODS.values())


def test_stacked_mnist_from_the_command_to_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    module = load("stacked_mnist", monkeypatch)
    run, kept = command(module, monkeypatch, capsys), tmp_path / "rows.json"
    small = ("network.decoder.width=2", "network.discriminator.width=2", "training.batch_size=4",
             "network.decoder.hidden=8", "training.threads=1")  # fmt: skip
    arguments = ("--steps", 3, "--samples", 300, "--folder", tmp_path, "--json", kept, "--set", *small)
    printed = run(*arguments)
    for text in ("PacDCGAN-2", ".06", "ours, 300 samples", "floor: real images"):
        assert text in printed
    floor, labels, ours = json.loads(kept.read_text())
    assert abs(floor["modes"] - labels["modes"]) < 10
    assert floor["kl"] == pytest.approx(labels["kl"], abs=0.05)
    assert 1 <= ours["modes"] <= 300
    assert ours["samples"] == 300
    assert run(*arguments) == printed, "the run is there already"
