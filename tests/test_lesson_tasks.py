"""Tasks, the code that they can reach, and the engines that do them."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genlab.errors import UserError
from genlab.experiment import schema
from genlab.lessons import reach
from genlab.lessons.engines import engine_called, usual_workers
from genlab.lessons.engines.news import Began, Done
from genlab.lessons.tasks import Shelf, Task, in_order
from genlab.lessons.work import WORK, work_called
from genlab.recipes import recipe
from genlab.runs.store import Run


def closed(seed: int, samples: int = 200, needs: tuple[Task, ...] = ()) -> Task:
    return Task(f"seed {seed}", "gradients.closed_form", {"seed": seed, "samples": samples}, needs)


def training(steps: int = 400, *settings: str) -> Task:
    config = recipe("vae", "training.threads=1", f"training.steps={steps}", "training.batch_size=16",
                    "data.limit=200", "training.checkpoint_every=40",
                    "training.sample_every=0", *settings)  # fmt: skip
    return Task("a training", "training.train", {"config": config.model_dump(mode="json")})


def test_a_key_tells_tasks_apart_by_what_decides_them() -> None:
    task = closed(0)
    assert task.key == closed(0).key == Task("other name", task.work, task.given, seconds=9).key
    assert len({task.key, closed(1).key, closed(0, 300).key, closed(0, needs=(closed(1),)).key}) == 4


def test_what_needs_others_comes_after_them() -> None:
    first, second = closed(1), closed(2)
    last = closed(3, needs=(first, second))
    assert in_order([last, second, first]) == [first, second, last]


@pytest.mark.parametrize("name", WORK)
def test_all_work_is_there(name: str) -> None:
    assert callable(work_called(name))


def test_reach_follows_imports_wherever_they_stand() -> None:
    reached = reach.reach("genlab.lessons.work.training")
    assert {"genlab.training.fit", "genlab.networks.decoder", "genlab.lessons.work.training"} <= set(reached)
    assert not [name for name in reached if name.startswith(("genlab.app", "genlab.cli"))]


def test_the_digest_sees_code_and_no_words(tmp_path: Path) -> None:
    def shape(text: str) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        return ast.dump(reach.stripped(path))

    plain = shape('"""A."""\ndef f(x):\n    """B."""\n    return x + 1\n')
    assert plain == shape('"""C."""\n# why\ndef f(x):\n    return x + 1\n')
    assert plain != shape("def f(x):\n    return x + 2\n")
    assert shape("if TYPE_CHECKING:\n    import a\n") == shape("if TYPE_CHECKING:\n    import b\n")


def test_what_is_missing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="start the lesson again"):
        Shelf(tmp_path).found(closed(0))


def test_an_unknown_engine_is_told_which_there_are() -> None:
    with pytest.raises(UserError, match="--engine local"):
        engine_called("slurm")
    assert usual_workers() >= 1


@pytest.mark.slow
def test_local_processes_do_all_in_order_and_once(tmp_path: Path) -> None:
    shelf, first = Shelf(tmp_path), closed(0)
    tasks = [first, closed(1), closed(2, needs=(first,))]
    news = list(engine_called("local")(tasks, shelf, 2))
    done = [each.task for each in news if isinstance(each, Done)]
    assert {task.key for task in done} == {task.key for task in tasks}
    assert [each.task.key for each in news if isinstance(each, Began)][-1] == tasks[2].key
    assert not shelf.missing(tasks)
    assert shelf.found(first)["points"] == work_called(first.work)(first.given, tmp_path, [], print)["points"]


@pytest.mark.slow
def test_a_failure_is_one_sentence_and_what_is_done_stays(tmp_path: Path) -> None:
    shelf, bad = Shelf(tmp_path), closed(1, samples=3)
    with pytest.raises(UserError, match="seed 1: 3 samples give no variance"):
        list(engine_called("local")([closed(0), bad], shelf, 1))
    assert shelf.missing([closed(0), bad]) == [bad]


LESSON = """
import sys
from pathlib import Path
from test_lesson_tasks import training
from genlab.lessons.engines.local import local
from genlab.lessons.tasks import Shelf
list(local([training()], Shelf(Path(sys.argv[1])), 1))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_a_stopped_training_goes_on_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    shelf, whole, task = Shelf(tmp_path / "cut"), Shelf(tmp_path / "whole"), training()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", LESSON, str(shelf.root)], env=environment, stderr=subprocess.DEVNULL
    )
    run = Run(shelf.folder(task) / "run")
    for _ in range(6000):
        if run.checkpoints.is_dir() and list(run.checkpoints.glob("step-*")):
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert not shelf.done(task)
    stopped = run.status()
    assert (stopped["state"], 0 < stopped["step"] < 400) == ("stopped", True)
    for each in (shelf, whole):
        list(engine_called("local")([task], each, 1))
    last = "run/checkpoints/step-0000400.safetensors"
    assert (shelf.folder(task) / last).read_bytes() == (whole.folder(task) / last).read_bytes()


def test_a_training_that_diverges_is_a_result(tmp_path: Path) -> None:
    task = training(50, "optimizer.learning_rate=50")
    found = work_called(task.work)(task.given, tmp_path, [], lambda share: None)
    assert found["diverged"]
    again = work_called(task.work)(task.given, tmp_path, [], lambda share: None)
    assert again == found, "and it is not trained once more"


@pytest.mark.slow
def test_ray_gives_the_same_to_the_bit(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    first = training(20)
    tasks = [first, Task("its terms", "codes.terms", {"count": 50}, (first,)), closed(0)]
    found = []
    for engine in ("local", "ray"):
        shelf = Shelf(tmp_path / engine)
        list(engine_called(engine)(tasks, shelf, 2))
        curve = [dict(point) for point in shelf.found(first)["curve"]]
        found.append((curve, shelf.found(tasks[1]), shelf.found(tasks[2])))
    assert found[0] == found[1]


def test_configs_of_tasks_are_whole() -> None:
    assert schema.parse(dict(training().given["config"])).training.threads == 1
