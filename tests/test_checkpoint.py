from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.training import checkpoint
from genlab.training.ema import tensors
from genlab.training.fit import advance
from genlab.training.state import State

Tiny = Callable[..., Experiment]


@pytest.fixture
def experiment(tiny: Tiny) -> Experiment:
    return tiny("gan")


def fresh(experiment: Experiment, dataset: Dataset) -> State:
    return build_state(experiment, build_model(experiment, dataset.shape))


@pytest.fixture
def state(experiment: Experiment, dataset: Dataset) -> State:
    """After three steps: weights, averages and moments all differ."""
    state, objective = fresh(experiment, dataset), build_objective(experiment.objective)
    for _ in range(3):
        advance(state, objective, make_batches(experiment, dataset, objective), 10, 0)
    return state


def contents(state: State) -> dict[str, Tensor]:
    flat = {f"model/{name}": tensor for name, tensor in tensors(state.model).items()}
    flat |= {f"averaged/{name}": tensor for name, tensor in tensors(state.averaged.model).items()}
    for part, optimizer in state.optimizers.items():
        flat |= {f"optimizer/{part}/{name}": tensor for name, tensor in optimizer.moments().items()}
    return {name: tensor.clone() for name, tensor in flat.items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def forge(path: Path, flat: dict[str, Tensor]) -> None:
    """Put `flat` in the place of a checkpoint, with a note that vouches for it."""
    save_file(flat, path)
    note = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**note, "sha256": checkpoint.digest(path)}))


def test_a_state_returns_as_it_went(
    experiment: Experiment, dataset: Dataset, state: State, tmp_path: Path
) -> None:
    path = checkpoint.save(state, tmp_path)
    assert path == tmp_path / "step-0000003.safetensors"
    other = fresh(experiment, dataset)
    assert not same(contents(other), contents(state))
    checkpoint.load(other, path)
    assert same(contents(other), contents(state))
    assert (other.step, other.seconds) == (3, state.seconds)


def test_the_file_holds_all_and_says_what_it_is(state: State, tmp_path: Path) -> None:
    path = checkpoint.save(state, tmp_path)
    assert same(load_file(path), contents(state))
    note = json.loads(path.with_suffix(".json").read_text())
    assert note == {"sha256": checkpoint.digest(path), "step": 3, "seconds": state.seconds}
    state.config = "0a1b"
    note = json.loads(checkpoint.save(state, tmp_path).with_suffix(".json").read_text())
    assert note["config"] == "0a1b"


def test_equal_states_are_equal_bytes_whatever_the_clock_says(state: State, tmp_path: Path) -> None:
    first = checkpoint.save(state, tmp_path / "a").read_bytes()
    state.seconds += 1
    assert all(checkpoint.save(state, tmp_path / f"b{i}").read_bytes() == first for i in range(8))


def test_the_newest_two_are_kept(state: State, tmp_path: Path) -> None:
    for step in (8, 9, 10, 11):
        state.step = step
        checkpoint.save(state, tmp_path)
    names = ["step-0000010", "step-0000011"]
    assert [path.stem for path in checkpoint.list_checkpoints(tmp_path)] == names
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"{name}.{end}" for name in names for end in ("json", "safetensors")
    )


def test_what_a_crash_left_of_an_old_one_goes_with_the_next(state: State, tmp_path: Path) -> None:
    for step in (8, 9):
        state.step = step
        checkpoint.save(state, tmp_path)
    (tmp_path / "step-0000008.json").unlink()
    checkpoint.prune(tmp_path)
    assert (tmp_path / "step-0000008.safetensors").exists(), "there are no two newer ones that are whole"
    for step in (10, 11):
        state.step = step
        checkpoint.save(state, tmp_path)
    assert sorted(path.stem for path in tmp_path.glob("*.safetensors")) == ["step-0000010", "step-0000011"]


def test_one_without_its_note_was_never_finished(state: State, tmp_path: Path) -> None:
    path = checkpoint.save(state, tmp_path)
    path.with_suffix(".json").unlink()
    assert checkpoint.list_checkpoints(tmp_path) == []


@pytest.mark.parametrize("weights", ["averaged", "model"])
def test_a_model_alone_can_be_read(
    experiment: Experiment, dataset: Dataset, state: State, tmp_path: Path, weights: str
) -> None:
    path, model = checkpoint.save(state, tmp_path), build_model(experiment, dataset.shape)
    checkpoint.load_model(model, path, weights)
    source = state.model if weights == "model" else state.averaged.model
    assert same(dict(tensors(model)), dict(tensors(source)))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


def without_note(path: Path) -> None:
    path.with_suffix(".json").unlink()


def with_half_a_note(path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps({"sha256": checkpoint.digest(path)}))


def with_another_note(path: Path) -> None:
    path.with_suffix(".json").write_text("[1]")


class Poison:
    def __reduce__(self) -> tuple[object, ...]:
        return pytest.fail, ("a pickle was executed",)


def poisoned(path: Path) -> None:
    path.write_bytes(pickle.dumps(Poison()))
    note = {"sha256": checkpoint.digest(path), "step": 3, "seconds": 0.0}
    path.with_suffix(".json").write_text(json.dumps(note))


def with_a_huge_header(path: Path) -> None:
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    note = {"sha256": checkpoint.digest(path), "step": 3, "seconds": 0.0}
    path.with_suffix(".json").write_text(json.dumps(note))


def lacking_a_weight(path: Path) -> None:
    flat = load_file(path)
    del flat[max(flat, key=lambda name: name.startswith("model/"))]
    forge(path, flat)


def lacking_an_average(path: Path) -> None:
    flat = load_file(path)
    del flat[max(flat, key=lambda name: name.startswith("averaged/"))]
    forge(path, flat)


def lacking_a_moment(path: Path) -> None:
    flat = load_file(path)
    del flat[max(flat, key=lambda name: name.startswith("optimizer/"))]
    forge(path, flat)


def lacking_every_moment(path: Path) -> None:
    forge(path, {name: t for name, t in load_file(path).items() if not name.startswith("optimizer/")})


def with_a_moment_of_another_shape(path: Path) -> None:
    flat = load_file(path)
    forge(path, {name: t[..., :1].clone() if name.endswith("exp_avg") else t for name, t in flat.items()})


def with_one_tensor_more(path: Path) -> None:
    forge(path, {**load_file(path), "model/stranger": torch.zeros(1)})


def with_a_strange_moment(path: Path) -> None:
    forge(path, {**load_file(path), "optimizer/generator/999/exp_avg": torch.zeros(1)})


def renamed(path: Path) -> None:
    forge(path, {f"module.{name}": tensor for name, tensor in load_file(path).items()})


DAMAGES = [
    truncated, flipped, emptied, removed, without_note, with_half_a_note, with_another_note, poisoned,
    with_a_huge_header, lacking_a_weight, lacking_an_average, lacking_a_moment, lacking_every_moment,
    with_a_moment_of_another_shape, with_one_tensor_more, with_a_strange_moment, renamed,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_refused_in_a_sentence_and_nothing_is_copied(
    experiment: Experiment, dataset: Dataset, state: State, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = checkpoint.save(state, tmp_path)
    damage(path)
    other = fresh(experiment, dataset)
    before = contents(other)
    with pytest.raises(UserError, match=r"step-0000003") as caught:
        checkpoint.load(other, path)
    assert "\n" not in str(caught.value)
    assert same(contents(other), before)
    assert other.step == 0


@pytest.mark.parametrize("assignment", ["network.decoder.width=3", "network.latent_dim=4",
                                        "network.discriminator.depth=2"])  # fmt: skip
def test_another_model_s_checkpoint_is_refused(
    tiny: Tiny, dataset: Dataset, state: State, tmp_path: Path, assignment: str
) -> None:
    path = checkpoint.save(state, tmp_path)
    other = fresh(tiny("gan", assignment), dataset)
    before = contents(other)
    with pytest.raises(UserError, match=r"made by another model or config|use the config"):
        checkpoint.load(other, path)
    with pytest.raises(UserError, match=r"made by another model or config|use the config"):
        checkpoint.load_model(other.model, path)
    assert same(contents(other), before)


def test_another_family_s_checkpoint_is_refused(
    tiny: Tiny, dataset: Dataset, state: State, tmp_path: Path
) -> None:
    path = checkpoint.save(state, tmp_path)
    with pytest.raises(UserError, match="made by another model"):
        checkpoint.load(fresh(tiny("vae"), dataset), path)


def test_a_checkpoint_of_another_config_is_refused(
    experiment: Experiment, dataset: Dataset, state: State, tmp_path: Path
) -> None:
    state.config = "of this one"
    path = checkpoint.save(state, tmp_path / "run" / "checkpoints")
    other = fresh(experiment, dataset)
    other.config = "of that one"
    before = contents(other)
    with pytest.raises(UserError, match=r"config\.json is not the config that step-0000003.* restore it"):
        checkpoint.load(other, path)
    assert same(contents(other), before)
    other.config = "of this one"
    checkpoint.load(other, path)
    assert other.step == 3
