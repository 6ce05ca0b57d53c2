"""A lesson's record as page, Markdown and notebook; read again, pooled, held against a second run."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from genlab.errors import UserError
from genlab.lessons import reports
from genlab.lessons.catalogue import lesson_called, names
from genlab.lessons.classroom import classroom, read_classroom
from genlab.lessons.lesson import SCALES, Setting
from genlab.lessons.record import Record, checked, of_json
from genlab.lessons.writing.export import export
from genlab.lessons.writing.html import rendered
from genlab.lessons.writing.source import code, fenced

pytestmark = pytest.mark.usefixtures("runs")

LESSON = lesson_called("q1")
FINDINGS = json.loads((Path(__file__).parent / "data" / "reparameterization.json").read_text("utf-8"))
MACHINE = {"system": "Test", "python": "3", "torch": "2"}


def record(seeds: tuple[int, int] = (0, 1), scale: Any = "quick", **said: Any) -> Record:
    findings = {**copy.deepcopy(FINDINGS), "seeds": list(seeds)}
    return Record(LESSON.name, Setting(scale, seeds[0]), findings, MACHINE, "2026-01-02T03:04", 61.0, **said)


NASTY = '</script><script>alert(1)</script> $x$ *y* "z" <b>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report")
    export(LESSON, record(predictions={"orders": 3.0}, reflections={"1": NASTY}), place)
    return place


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing_of_the_reader_s(folder: Path) -> None:
    text = (folder / "reparameterization.html").read_text("utf-8")
    tags = Tags(text).found
    assert [tag for tag, _ in tags].count("script") == 2, "the record, and the page's own"
    for tag, attributes in tags:
        assert tag not in ("link", "iframe")
        assert not str(attributes.get("src") or "data:").startswith("http")
    assert "alert(1)&lt;/script&gt;" in text
    assert {"math", "svg", "blockquote"} <= {tag for tag, _ in tags}
    assert "merror" not in text, "an equation that could not be set"


@pytest.mark.parametrize("ending", ["html", "ipynb"])
def test_what_was_exported_is_read_again(folder: Path, ending: str) -> None:
    read = reports.read_report(folder / f"reparameterization.{ending}")
    assert read == record(predictions={"orders": 3.0}, reflections={"1": NASTY})


def test_the_markdown_has_its_figures_beside_it(folder: Path) -> None:
    text = (folder / "reparameterization.md").read_text("utf-8")
    for figure in LESSON.evidence(FINDINGS).figures:
        assert f"](images/{figure.key}.svg)" in text
        assert (folder / "images" / f"{figure.key}.svg").read_text("utf-8").startswith("<svg")
    assert r"\<script\>" in text, "the reader's words stay words"


def test_the_notebook_is_one(folder: Path) -> None:
    notebook = json.loads((folder / "reparameterization.ipynb").read_text("utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        wanted = {"cell_type", "metadata", "source", "id"}
        wanted |= {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        assert wanted <= set(cell) <= wanted | {"attachments"}
    codes = [compile(cell["source"], "cell", "exec") for cell in cells if cell["cell_type"] == "code"]
    assert len(codes) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.html", "<p>hello</p>", "holds no record"),
        ("a.html", '<script id="lesson-record">{"lesson": 1}</script>', "not the record of a lesson"),
        ("a.ipynb", "{}", "not the record of a lesson"),
        ("a.json", "[" * 5000, "holds no record"),
        ("a.json", '{"setting": {"scale": "huge"}, "lesson": "x"}', "not the record of a lesson"),
    ],
)
def test_what_is_no_report_is_told_so(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=words):
        reports.read_report(tmp_path / name)


def test_a_missing_or_binary_file_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_bytes(b"\xff\xfe\x00")
    for name in ("none.html", "b.html", "."):
        with pytest.raises(UserError, match=r"name an exported \.html"):
            reports.read_report(tmp_path / name)


def test_another_version_is_told_so() -> None:
    with pytest.raises(UserError, match="of version 9"):
        of_json({**record().as_json(), "version": 9}, "a file")


def test_a_class_is_pooled_and_no_seed_counts_twice() -> None:
    handed_in = [("a", record((0, 1))), ("b", record((2, 3))), ("again", record((1, 2)))]
    found, left_out = reports.pool(LESSON, handed_in)
    assert left_out == ["again"]
    assert {each.verdict.seeds for each in found} == {4}
    alone = reports.pool(LESSON, handed_in[:1])[0]
    for one, many in zip(alone, found, strict=True):
        assert one.verdict.value == pytest.approx(many.verdict.value)
        assert reports.half(many.verdict) <= reports.half(one.verdict)


def test_only_reports_of_one_kind_are_pooled() -> None:
    with pytest.raises(UserError, match="of size full"):
        reports.pool(LESSON, [("a", record()), ("b", record((5, 6), scale="full"))])
    with pytest.raises(UserError, match="is a report of kl"):
        reports.pool(LESSON, [("a", replace(record(), lesson="kl"))])


def test_a_report_holds_where_its_numbers_come_again() -> None:
    assert not list(reports.differences(FINDINGS, copy.deepcopy(FINDINGS)))
    assert all(each.agrees for each in reports.held(LESSON, FINDINGS, FINDINGS))
    other = copy.deepcopy(FINDINGS)
    other["trained"]["reparameterized"]["elbos"] = [-300.0, -301.0]
    (place, *_), *rest = reports.differences(FINDINGS, other)
    assert (place, len(rest)) == ("trained.reparameterized.elbos[0]", 1)
    broken = [each.claim.key for each in reports.held(LESSON, FINDINGS, other) if not each.agrees]
    assert broken == ["training"]
    near = copy.deepcopy(FINDINGS)
    near["trained"]["reparameterized"]["elbos"][0] *= 1 + 1e-6
    assert all(each.agrees for each in reports.held(LESSON, FINDINGS, near))
    assert reports.largest(list(reports.differences(FINDINGS, near))) == pytest.approx(1e-6, rel=1e-3)


def test_predictions_are_checked() -> None:
    without, orders, _ = LESSON.predictions
    assert (checked(without, "2"), checked(without, "none"), checked(orders, "2.5")) == (
        "a part",
        "none",
        2.5,
    )
    for prediction, said in ((without, "perhaps"), (orders, "seven"), (orders, "70"), (orders, "nan")):
        with pytest.raises(UserError, match=prediction.key):
            checked(prediction, said)


def test_a_class_s_settings(tmp_path: Path) -> None:
    path = tmp_path / "class.toml"
    path.write_text('seed = 7\nsize = "quick"\nhide = ["seed"]\n')
    found = read_classroom(path)
    assert (found.setting, found.hide) == (Setting("quick", 7, "mnist"), ("seed",))
    for text, words in (
        ("seed = -1", "whole number"), ("seed = true", "whole number"), ('size = "big"', "size is one of"),
        ('hide = ["everything"]', "hide is a list of"), ("colour = 3", "unknown key 'colour'"),
        ("data = 3", "data is a data set"), ("seed =", "is no TOML"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            read_classroom(path)
    assert classroom({}, "nothing").setting == Setting()


def test_code_in_a_text_is_the_code() -> None:
    shown = code("genlab.functional.gaussian", "reparameterize")
    assert shown.startswith("```python\ndef reparameterize(")
    assert shown.endswith("noise\n```")
    with pytest.raises(AssertionError):
        code("genlab.functional.gaussian", "nothing")


def test_equations_are_set() -> None:
    html = rendered("a $x^2$ b\n\n$$\\nabla \\ln p(x)$$\n\n<b>no</b>\n")
    assert html.count("<math") == 2
    assert 'display="block"' in html
    assert "&lt;b&gt;" in html
    assert fenced("a $$x\ny$$ b") == "a $$\nx\ny\n$$ b"


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("scale", SCALES)
def test_every_lesson_s_tasks_are_known_beforehand(name: str, scale: Any) -> None:
    lesson = lesson_called(name)
    tasks = lesson.tasks(Setting(scale))
    assert tasks
    assert lesson.seeds.keys() == set(SCALES)
    assert len({task.key for task in tasks.values()}) == len(tasks), "no two keys ask for the same"
    for task in tasks.values():
        config = task.given.get("config")
        assert config is None or config["training"]["threads"] == 1
    seconds = sum(task.seconds for task in tasks.values())
    assert scale == "full" or seconds <= {"quick": 240, "default": 1200}[scale], (
        f"{seconds:.0f} s on one core"
    )


@pytest.mark.parametrize("name", names())
def test_every_lesson_s_text_is_set(name: str) -> None:
    lesson = lesson_called(name)
    html = rendered(lesson.text())
    assert "merror" not in html
    assert "$" not in html.split("<pre>")[0]
    assert len(lesson.claims) == len({claim.key for claim in lesson.claims}) >= 3
    assert lesson.predictions
    assert lesson.reflections
    assert lesson.sources


def genlab(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genlab.cli", *arguments], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["q99"], "no lesson is called 'q99'"),
        (["q1", "--quick", "--full"], "two sizes of one lesson"),
        (["q1", "--predict", "orders=99"], "a number from 0 to 6"),
        (["q1", "--predict", "nonsense"], "asks for without=…"),
        (["q1", "--reflect", "9=x"], "give the question's number"),
        (["q1", "--collect"], "name the reports"),
        (["q1", "report.html"], "--collect or --verify"),
        (["q1", "--engine", "slurm", "--quick"], "--engine local"),
        (["q1", "--class", "none.toml"], "does not exist"),
    ],
)
def test_a_wrong_command_is_one_sentence(arguments: list[str], words: str) -> None:
    done = genlab("lesson", *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert words in " ".join(done.stderr.split())


def test_the_list_names_them_all_and_imports_no_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "genlab.cli", "lesson"], capture_output=True, text=True
    )
    assert all(name in done.stdout for name in names())
    assert " torch" not in done.stderr


@pytest.mark.parametrize(("shift", "code"), [(False, 0), (True, 1)])
def test_a_report_is_run_again_and_nothing_of_it_taken_from_the_shelf(
    folder: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    shift: bool, code: int,
) -> None:  # fmt: skip
    from genlab.cli import lesson_reports, lesson_run
    from genlab.lessons.tasks import Shelf

    def run_again(lesson: Any, setting: Setting, workers: int | None, engine: str, shelf: Shelf) -> Record:
        tasks = LESSON.tasks(setting).values()
        assert all(not shelf.done(task) for task in tasks)
        assert shelf.root != Shelf().root
        shelf.begin(next(iter(tasks)))
        now = record()
        for name, rows in now.findings["trained"].items():
            if name != "reparameterized":  # as if the others had learned as well
                now.findings["trained"][name] = now.findings["trained"]["reparameterized"] if shift else rows
        return now

    monkeypatch.setattr(lesson_run, "run", run_again)
    with pytest.raises(SystemExit) as ended:
        lesson_reports.verify(LESSON, [folder / "reparameterization.html"], None, False)
    said = capsys.readouterr().out
    assert ("to the bit" in said) == (code == 0)
    assert "✓ reproduced" in said
    assert ("✗ not reproduced" in said) == (code == 1)
    assert ended.value.code == code
    assert not list((runs / "lessons" / "verifying").glob("*"))
