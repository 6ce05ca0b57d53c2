"""bf16 and compiled code: near to what is computed without them, and refused where they would only cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment import acceleration, schema
from genlab.experiment.acceleration import accelerate, check_means, no_compiler
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.measured import repetition
from genlab.experiment.runner import begin, make_batches, work
from genlab.experiment.schema import Experiment, override
from genlab.nn.precision import full, reduce
from genlab.objectives.adversarial import Penalties
from genlab.training import checkpoint
from genlab.training.ema import tensors
from genlab.training.fit import advance

Tiny = Callable[..., Experiment]
SAMPLE = ["recipe-vae", "recipe-gan", "recipe-vaegan", "r1-r2", "iwae-dreg", "vae-flow", "spectral"]


def compiling(test: Callable[..., None]) -> Callable[..., None]:
    """A slow test that needs a compiler; torch warns of itself where it is loaded."""
    for mark in (
        pytest.mark.slow,
        pytest.mark.skipif(bool(no_compiler("cpu")), reason=no_compiler("cpu")),
        pytest.mark.filterwarnings("ignore"),
    ):
        test = mark(test)
    return test


sample = pytest.mark.parametrize("experiment", SAMPLE, indirect=True)


def logged(experiment: Experiment, dataset: Dataset, steps: int = 3) -> list[dict[str, float]]:
    """What each of the first steps logs, computed as `experiment` says."""
    state = build_state(experiment, build_model(experiment, dataset.shape))
    accelerate(state, experiment.training)
    objective = build_objective(experiment.objective)
    batches = make_batches(experiment, dataset, objective)
    found = []
    for _ in range(steps):
        values = advance(state, objective, batches, 10, 0)
        assert all(value.dtype != torch.bfloat16 for value in values.values())
        found.append({name: float(value) for name, value in values.items()})
    assert all(tensor.dtype == torch.float32 for tensor in tensors(state.model).values())
    for optimizer in state.optimizers.values():
        assert all(moment.dtype == torch.float32 for moment in optimizer.moments().values())
    return found


@sample
def test_bf16_is_near_fp32_and_keeps_nothing_in_bf16(experiment: Experiment, dataset: Dataset) -> None:
    exact = logged(experiment, dataset, 1)[0]
    rough = logged(override(experiment, ["training.precision=bf16"]), dataset, 1)[0]
    counted = ("active_units", "accuracy", "diversity")
    pairs = {name: (rough[name], exact[name]) for name in exact if name not in counted}
    assert all(a == pytest.approx(b, rel=0.03, abs=0.02) for a, b in pairs.values()), pairs
    assert any(a != b for a, b in pairs.values()), "it was computed otherwise"


def test_networks_give_float32_and_only_inside_is_bf16(tiny: Tiny, dataset: Dataset) -> None:
    model: Any = build_model(tiny("vaegan"), dataset.shape)
    reduce(model)
    inside: list[Tensor] = []
    for part in (model.encoder.trunk, model.decoder, model.discriminator.trunk):
        part.layers[-1].register_forward_hook(lambda layer, given, made: inside.append(made))
    z, images = torch.randn(4, 3), torch.rand(4, 1, 8, 8) * 2 - 1
    outside = [model.raw(z), model.encode(images).mean, model.discriminator(images)]
    assert {made.dtype for made in inside} == {torch.bfloat16}
    assert {made.dtype for made in outside} == {torch.float32}


def test_penalties_are_those_of_fp32(tiny: Tiny, dataset: Dataset) -> None:
    critic: Any = build_model(tiny("gan", "network.discriminator.norm=none"), dataset.shape).discriminator
    real, fake = torch.rand(4, 1, 8, 8), torch.rand(4, 1, 8, 8)
    penalties = Penalties(r1=1.0, r2=1.0)
    expected = penalties(critic, real, fake, torch.Generator())
    reduce(critic)
    with full(critic):
        found = penalties(critic, real, fake, torch.Generator())
    assert torch.equal(found, expected)
    assert critic.trunk.bf16


@pytest.mark.parametrize(
    ("assignment", "lack", "sentence"),
    [
        ("training.precision=bf16", "no_bf16", "no bf16 here: too slow; set training.precision=fp32"),
        ("training.compile=true", "no_compiler", "nothing can be compiled here: too slow, or leave out"),
    ],
)
def test_what_the_machine_lacks_is_refused_before_a_folder_is_made(
    tiny: Tiny, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    assignment: str, lack: str, sentence: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(acceleration, lack, lambda device: "too slow")
    with pytest.raises(UserError, match=sentence):
        begin(tiny("vae", assignment), out=tmp_path / "run", dataset=dataset)
    assert not (tmp_path / "run").exists()
    begin(tiny("vae"), out=tmp_path / "run", dataset=dataset)


def test_a_processor_without_bf16_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("avx512_bf16", "amx_tile"):
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda: False)
    with pytest.raises(UserError, match="neither AVX512-BF16 nor AMX"):
        check_means(schema.Training(precision="bf16"))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    check_means(schema.Training(precision="bf16"))
    with pytest.raises(UserError, match="not tried on mps"):
        check_means(schema.Training(precision="bf16", device="mps"))


def test_a_machine_without_a_compiler_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match=r"no-such-compiler is not there: install it.*leave out --compile"):
        check_means(schema.Training(compile=True))


def test_what_processes_share_is_not_compiled() -> None:
    with pytest.raises(UserError, match="leave out --compile, or --devices"):
        check_means(schema.Training(compile=True), processes=2)
    check_means(schema.Training(), processes=2)


def test_configs_from_before_there_was_a_choice_mean_what_they_meant(tiny: Tiny) -> None:
    experiment = tiny("gan")
    config = experiment.model_dump(mode="json")
    del config["training"]["compile"], config["training"]["precision"]
    old = schema.parse(config)
    assert (old, old.training.precision, old.training.compile) == (experiment, "fp32", False)


def test_repetitions_may_be_compiled_and_not_rounded(tiny: Tiny) -> None:
    plain, compiled, rough = (
        tiny("gan", *a) for a in ((), ("training.compile=true",), ("training.precision=bf16",))
    )
    assert repetition(plain) == repetition(compiled) != repetition(rough)


@compiling
@pytest.mark.parametrize("experiment", ["recipe-vae", "r1-r2"], indirect=True)
def test_compiled_losses_are_the_eager_ones(experiment: Experiment, dataset: Dataset) -> None:
    """And so are the steps down them: Adam's first makes much of a rounding where a gradient is almost 0."""
    eager = logged(experiment, dataset)
    compiled = logged(override(experiment, ["training.compile=true"]), dataset)
    assert compiled[0] == pytest.approx(eager[0], rel=1e-5, abs=1e-5)
    assert compiled[-1] == pytest.approx(eager[-1], rel=0.01, abs=0.01)


@compiling
def test_a_compiled_run_resumes_bit_for_bit(tiny: Tiny, dataset: Dataset, tmp_path: Path) -> None:
    """And its config says that it was compiled."""
    experiment = tiny("vae", "training.compile=true", "training.checkpoint_every=3", "training.steps=6")
    last = []
    for folder, stop in (("whole", False), ("broken", True)):
        run = begin(experiment, out=tmp_path / folder, dataset=dataset)
        for event in work(run, dataset=dataset):
            if stop and getattr(event, "step", 0) == 2:
                run.request_stop()
        list(work(run, dataset=dataset))
        assert run.config()["training"]["compile"] is True
        last.append(checkpoint.list_checkpoints(run.checkpoints)[-1])
    assert [path.name for path in last] == ["step-0000006.safetensors"] * 2
    assert last[0].read_bytes() == last[1].read_bytes()
