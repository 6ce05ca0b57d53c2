"""The benchmarks against the clock: the search, the curves, quality by budget, as small as they go."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import curves
import layers
import numpy as np
import pytest
import quality
import search
import threads
import torch
from side_by_side.curves_figure import apart, figure
from side_by_side.looks import Looks
from side_by_side.meter import Done
from torch.utils.flop_counter import FlopCounterMode
from under_the_clock.studies import STUDIES, Study, Trial
from under_the_clock.variants import VARIANTS, standing

from genlab.data import load
from genlab.experiment.build import build_model
from genlab.experiment.schema import override
from genlab.networks.model import GAN
from genlab.recipes import recipe

ASKED = argparse.Namespace(data="mnist", seeds=1)


@pytest.mark.parametrize("name", STUDIES)
def test_every_trial_is_a_config_and_has_a_name_of_its_own(name: str) -> None:
    study = STUDIES[name]
    assert len({trial.name for trial in study.trials}) == len(study.trials)
    for trial in study.trials:
        override(recipe("gan" if study.arm.startswith("gan") else "vae"), list(study.settings(trial)))


def test_what_two_studies_both_try_is_trained_once() -> None:
    def default(name: str) -> str:
        study = STUDIES[name]
        plain = recipe("gan")
        (trial,) = (t for t in study.trials if override(plain, list(t.settings)) == plain)
        return search.identity(study, trial, ASKED, search.SEED)

    assert default("gan-rate") == default("gan-decoder") == default("gan-critic")


def test_what_a_study_sets_for_all_its_trials_is_what_each_could_set_itself() -> None:
    whole = Study("?", "gan", 60, (Trial("one", ("training.ema=0.5",)),), base=("optimizer.beta1=0.5",))
    alone = Study("?", "gan", 60, (Trial("one", ("optimizer.beta1=0.5", "training.ema=0.5")),))
    first, second = (search.identity(study, study.trials[0], ASKED, 7) for study in (whole, alone))
    assert first == second
    bare = Study("?", "gan", 60, whole.trials)
    assert search.identity(bare, bare.trials[0], ASKED, 7) != first


def test_a_study_over_seeds_is_the_mean_of_them() -> None:
    study = STUDIES["gan-dense-seeds"]
    asked = search.seeds(study, ASKED)
    rows = [
        {
            "identity": search.identity(study, study.trials[0], ASKED, seed), "arm": "gan",
            "model": "GAN from random weights", "steps": 100, "fid": {"x": float(seed)},
        }
        for seed in asked
    ]  # fmt: skip
    assert list(asked) == [search.SEED, search.SEED + 1, search.SEED + 2]
    assert f"| {study.trials[0].name} | 100 | {search.SEED + 1:.1f} |" in search.table(
        "gan-dense-seeds", ASKED, rows
    )


def test_fewer_images_and_another_network_are_another_training() -> None:
    whole, few = (STUDIES[name] for name in ("gan-augment", "gan-few"))
    assert whole.trials == few.trials
    trials = [*((whole, trial) for trial in STUDIES["gan-edges"].trials), (few, few.trials[0])]
    identities = {search.identity(study, trial, ASKED, search.SEED) for study, trial in trials}
    assert len(identities) == len(trials)


def test_a_study_of_few_images_trains_on_so_many_and_is_scored_as_any() -> None:
    dataset = load("mnist", validation=0.5)
    assert search.to_train_on(dataset, 0, 0) is dataset
    few = search.to_train_on(dataset, 100, 0)
    assert (len(few.train), few.validation, few.test) == (100, dataset.validation, dataset.test)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64)])
def test_a_variant_makes_networks_of_the_same_kind_while_it_stands(shape: tuple[int, int, int]) -> None:
    sizes = {}
    for name in (*VARIANTS, ""):
        with standing(name):
            gan = build_model(recipe("gan"), shape)
        assert isinstance(gan, GAN)
        sizes[name] = sum(parameter.numel() for parameter in gan.parameters())
        drawn = gan.decode(gan.latents(2, torch.Generator()))
        assert drawn.shape == (2, *shape)
        assert gan.discriminator(drawn).shape == (2,)
        if name:
            assert sizes[name] != sizes[""]


def test_the_search_prints_what_came_of_each_trial() -> None:
    study = STUDIES["gan-rate"]
    rows = [
        {
            "identity": search.identity(study, trial, ASKED, search.SEED), "arm": "gan",
            "model": "GAN from random weights", "steps": 100 + i, "fid": {"x": 10.0 + i},
        }
        for i, trial in enumerate(study.trials[:2])
    ]  # fmt: skip
    rows.append(
        {
            "identity": search.identity(study, study.trials[2], ASKED, search.SEED), "arm": "gan",
            "model": search.DIVERGED, "steps": 7, "fid": {},
        }
    )  # fmt: skip
    text = search.table("gan-rate", ASKED, rows)
    assert f"| {study.trials[1].name} | 101 | 11.0 |" in text
    assert f"| {study.trials[2].name} | 7 | diverged |" in text
    assert study.trials[3].name not in text


def look(arm: str, seconds: float, distance: float, seed: int = 0) -> dict[str, Any]:
    return {
        "arm": arm, "family": curves.ARMS[arm].family, "seconds": seconds, "seed": seed, "steps": 1,
        "fid": {"x": distance},
    }  # fmt: skip


def test_sooner_is_by_the_first_look_that_was_as_good_of_the_same_family_and_seed() -> None:
    rows = [
        look("ours-gan", 1, 500), look("ours-gan", 2, 200), look("ours-gan", 3, 250),
        look("ours-vae", 0.1, 1), look("ours-gan", 0.2, 1, seed=1),
        look("dcgan.py", 30, 450), look("dcgan.py", 60, 200), look("dcgan.py", 90, 199),
    ]  # fmt: skip
    found = {row["seconds"]: row["times"] for row in curves.sooner(rows, "x")}
    assert found == {30: 15, 60: 30, 90: None}
    printed = curves.table(rows, "x")
    assert "never" in printed
    assert "at least" not in printed
    assert "at least 15× sooner" in curves.table(rows[:-1], "x")


def test_looks_leave_pictures_and_let_no_drawing_onto_the_clock(tmp_path: Path) -> None:
    drawn = []

    def draw(count: int) -> torch.Tensor:
        drawn.append(count)
        return torch.zeros(3, 1, 4, 4)

    looks = Looks([1e-9, 2e-9, 1e-3], tmp_path, draw)
    with contextlib.suppress(Done):
        while True:
            looks.step(1)
    assert len(drawn) == 2, "two looks that are due at once are one"
    first, last = (json.loads((tmp_path / f"{n:03d}.json").read_text("utf-8")) for n in (0, 2))
    assert 0 < first["seconds"] < last["seconds"]
    assert first["steps"] == 1 < last["steps"]
    assert np.load(tmp_path / "002.npy", allow_pickle=False).dtype == np.uint8


def test_words_at_the_ends_of_lines_do_not_meet() -> None:
    ends = [(10.0, "a", "", ""), (12.0, "b", "", ""), (90.0, "c", "", "")]
    assert [end[0] for end in apart(ends)] == [10.0, 26.0, 90.0]


def test_the_curves_are_drawn_with_their_labels() -> None:
    rows = [look("ours-gan", s, 500 / s) for s in (1, 5, 60)] + [look("dcgan.py", 600, 246)]
    labels = {name: (arm.label, arm.family) for name, arm in curves.ARMS.items()}
    svg = figure(rows, labels, ("x", 0.3))
    assert "PyTorch-GAN dcgan.py: 246" in svg
    assert "real images: 0.3" in svg
    assert "nan" not in svg


def test_the_products_of_a_step_are_those_that_torch_counts() -> None:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 5)
    )
    images = torch.zeros(2, 1, 8, 8)
    seen = layers.Products()
    with FlopCounterMode(display=False) as counter:
        network(images).sum().backward()
    with seen:
        network(images).sum().backward()
    found = {key: layers.alone(key[0], laid) for key, laid in seen.arguments.items()}
    assert sum(calls * found[key][1] for key, calls in seen.calls.items()) == counter.get_total_flops()
    assert all(seconds > 0 for seconds, _ in found.values())


def test_what_the_products_leave_of_a_step_is_everything_else() -> None:
    rows = [
        {"operation": "mm", "shapes": ["2 × 3"], "calls": 1, "seconds": s, "flops": 10**7}
        for s in (2e-3, 1e-3)
    ]
    found = {"network": "recipe-vae", "batch": 2, "step": 6e-3, "peak": 10.0, "products": rows}
    printed = layers.table(found, 1)
    assert "6.00 ms a step, 3 GFLOP/s, 33% of the peak of 10" in printed
    assert "50.0%  everything else" in printed
    assert "16.7%  the other 1 products" in printed


def test_threads_are_compared_by_medians() -> None:
    rows = [
        {"round": i, "busy": 1, "network": "recipe-gan", "setting": "bound", "rate": rate}
        for i, rate in enumerate((100.0, 900.0, 200.0))
    ]
    head, line = threads.table(rows).splitlines()[1:]
    assert "gan, 1 busy" in head
    assert line.split() == ["bound", "200"]


@pytest.mark.slow
@pytest.mark.parametrize("script", [quality, search, curves])
def test_a_small_race_is_run_and_not_run_again(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = Study("?", "gan", 1.0, (Trial("one"),))
    monkeypatch.setitem(STUDIES, "tiny", tiny)
    options = {
        quality: ["--arms", "gan", "--budgets", "1", "--seeds", "1"],
        search: ["--studies", "tiny"],
        curves: ["--arms", "ours-gan", "--until", "0.5", "--figure", str(tmp_path / "curves.svg")],
    }[script]
    monkeypatch.setattr("sys.argv", ["bench", *options, "--json", str(tmp_path / "rows.json")])
    main: Callable[[], None] = script.main
    main()
    first = (tmp_path / "rows.json").read_text("utf-8")
    assert json.loads(first)
    said = capsys.readouterr().out
    assert "genlab-mnist" in said
    main()
    assert (tmp_path / "rows.json").read_text("utf-8") == first
