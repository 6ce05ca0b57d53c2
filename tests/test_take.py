"""`genlab encode`, `genlab score` and `genlab reconstruct` as they are typed."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.cli import main
from genlab.cli.take import images_for
from genlab.errors import UserError
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import open_run
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]
Said = tuple[int, str, str]  # exit code, standard output, standard error
Genlab = Callable[..., Said]


@pytest.fixture
def genlab(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], runs: Path, tmp_path: Path
) -> Genlab:
    """genlab("encode", …): the command, its exit code and what it said."""
    monkeypatch.setenv("GENLAB_PLAIN", "1")
    monkeypatch.setattr("genlab.experiment.measured.cache_folder", lambda: tmp_path / "cache")

    def typed(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["genlab", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """400 images, of which the seed holds out 40 for testing: as few as anything is measured against."""
    path = tmp_path / "noise.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (400, 8, 8), dtype=np.uint8))
    return path


def finished(experiment: Experiment) -> Run:
    run = begin(experiment)
    list(work(run))
    return run


@pytest.fixture
def vae(runs: Path, tiny: Tiny, data: Path) -> Run:
    return finished(tiny("vae", f"data.name={data}", "training.steps=2"))


@pytest.fixture
def gan(runs: Path, tiny: Tiny, data: Path) -> Run:
    return finished(tiny("gan", f"data.name={data}", "training.steps=2"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two sub-folders of pictures of other sizes, and a text that says it is one."""
    for index, place in enumerate(("cat/a.png", "cat/b.png", "dog/c.png")):
        path = tmp_path / "photos" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        levels = np.random.default_rng(index).integers(0, 256, (20 + index, 30, 3), dtype=np.uint8)
        Image.fromarray(levels).save(path)
    (tmp_path / "photos" / "cat" / "text.png").write_text("no picture")
    return tmp_path / "photos"


def rows(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def test_encode_takes_the_test_images_where_nothing_is_named(genlab: Genlab, vae: Run) -> None:
    code, out, err = genlab("encode", vae.name)
    assert (code, err) == (0, "")
    path = vae.path / "generated" / "codes.npz"
    assert str(path) in out
    with np.load(path, allow_pickle=False) as held:
        assert held["mean"].shape == held["log_var"].shape == (40, 3)
        assert held["names"].tolist() == [f"test:{index}" for index in range(40)]
        assert "labels" not in held


def test_encode_reads_folders_resizes_and_names_what_it_left_out(
    genlab: Genlab, vae: Run, photos: Path, tmp_path: Path
) -> None:
    out_path = tmp_path / "away" / "codes.npz"
    code, _, err = genlab("encode", vae.name, photos, tmp_path / "gone.png", "--out", out_path)
    assert code == 0
    assert f"left out {photos / 'cat' / 'text.png'}: not a picture" in err
    assert "gone.png: there is no such file" in err
    assert "3 images read, 2 left out" in err
    with np.load(out_path, allow_pickle=False) as held:
        assert held["mean"].shape == (3, 3)
        assert held["labels"].tolist() == ["cat", "cat", "dog"]


def test_encode_says_the_same_as_json(genlab: Genlab, vae: Run, photos: Path) -> None:
    code, out, _ = genlab("encode", vae.name, photos, "--json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["run"], facts["step"], facts["images"]) == (vae.name, 2, 3)
    assert len(facts["skipped"]) == 1
    assert facts["arrays"]["mean"] == [3, 3]


@pytest.mark.parametrize("command", ["encode", "score"])
def test_mistakes_are_one_sentence_and_exit_code_2(
    genlab: Genlab, vae: Run, gan: Run, tiny: Tiny, data: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    new = begin(tiny("vae", f"data.name={data}"))
    for words, sentence in [
        ((vae.name, tmp_path / "empty"), "a folder without pictures"),
        ((vae.name, tmp_path / "text.png", tmp_path / "gone"), "None of these can be read as images"),
        ((new.name,), "has no trained model yet"),
        (("nobody",), "no run is called 'nobody'"),
        ((vae.name, "--out", tmp_path / "out.txt"), "give a name that ends in"),
    ]:
        code, out, err = genlab(command, *words)
        assert (code, out) == (2, ""), words
        assert sentence in err.replace("\n", " ")
        assert "Traceback" not in err
    assert not (tmp_path / "out.txt").exists()


def test_a_gan_can_not_encode(genlab: Genlab, gan: Run) -> None:
    code, _, err = genlab("encode", gan.name)
    assert code == 2
    assert "is a GAN and has no encoder" in err


def test_score_writes_a_line_per_image(genlab: Genlab, vae: Run, photos: Path) -> None:
    code, out, err = genlab("score", vae.name, photos, "--k", 8)
    assert code == 0
    assert "3 images read, 1 left out" in err
    assert "empty: logit (a VAE has no discriminator)" in out
    table = rows(vae.path / "generated" / "scores.csv")
    assert [row["label"] for row in table] == ["cat", "cat", "dog"]
    for row in table:
        assert float(row["elbo"]) == pytest.approx(-(float(row["distortion"]) + float(row["rate"])), rel=1e-4)
        assert 0 <= float(row["novelty_likelihood"]) <= 1
        assert 0 <= float(row["novelty_features"]) <= 1
        assert row["logit"] == ""


def test_score_of_a_gan_says_why_columns_are_empty(genlab: Genlab, gan: Run, photos: Path) -> None:
    code, out, _ = genlab("score", gan.name, photos, "--json")
    assert code == 0
    facts = json.loads(out)
    assert "defines no likelihood" in facts["columns"]["elbo"]["unavailable"]
    assert "unavailable" not in facts["columns"]["logit"]
    table = rows(Path(facts["path"]))
    assert {row["nll"] for row in table} == {""}
    assert all(float(row["logit"]) for row in table)


def test_reconstruct_of_a_gan_offers_two_ways_and_labels_them(
    genlab: Genlab, gan: Run, vae: Run, tmp_path: Path
) -> None:
    code, _, err = genlab("reconstruct", gan.name)
    assert code == 2
    assert "--invert" in err
    assert "--with RUN" in err.replace("\n", " ")
    code, out, _ = genlab("reconstruct", gan.name, "--with", vae.name, "-n", 4)
    assert code == 0
    assert f"encoded by {vae.name}, decoded by {gan.name}" in out
    code, out, _ = genlab("reconstruct", gan.name, "--invert", "-n", 2, "--json", "--out", tmp_path / "a.png")
    facts = json.loads(out)
    assert code == 0
    assert "Adam" in facts["how"]
    assert (tmp_path / "a.png").exists()


def test_reconstruct_of_an_heir_takes_its_vae_s_encoder_unasked(genlab: Genlab, vae: Run, tiny: Tiny) -> None:
    experiment = tiny("gan", "training.steps=2").model_copy(update={"start": str(vae.path.resolve())})
    heir = finished(experiment)
    code, out, _ = genlab("reconstruct", heir.name, "-n", 3)
    assert code == 0
    assert f"encoded by {vae.name}, decoded by {heir.name}" in out


def test_the_best_checkpoint_and_a_fitted_prior_are_scored_by_name(
    genlab: Genlab, vae: Run, photos: Path
) -> None:
    code, _, err = genlab("score", f"{vae.name}:fitted", photos)
    assert code == 2
    assert "no fitted prior" in err
    assert genlab("fit-prior", vae.name, "--components", 2)[0] == 0
    own, fitted = vae.path / "own.csv", vae.path / "fitted.csv"
    assert genlab("score", vae.name, photos, "--out", own)[0] == 0
    assert genlab("score", f"{vae.name}:fitted", photos, "--out", fitted)[0] == 0
    for ours, theirs in zip(rows(own), rows(fitted), strict=True):
        assert ours["distortion"] == theirs["distortion"]
        assert ours["rate"] != theirs["rate"]


def test_a_run_on_points_takes_no_pictures(vae: Run, photos: Path) -> None:
    trained = open_run(vae)
    points = trained.experiment.data.model_copy(update={"shape": (2, 1, 1)})
    trained.experiment = trained.experiment.model_copy(update={"data": points})
    with pytest.raises(UserError, match="was trained on points, not on pictures"):
        images_for(trained, [photos])
