"""One comparison in every form: what is read back is what was measured, and text from outside stays text."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from comparisons import bounds, everything, record
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from genlab.cli.columns import Figure, Line, laid_out
from genlab.cli.tables import print_comparison
from genlab.evaluation.compare import Comparison, compare
from genlab.evaluation.instruments import INSTRUMENTS
from genlab.lessons.comparison.figures import in_order, signed
from genlab.lessons.comparison.keys import default_keys
from genlab.lessons.comparison.latex import as_latex, escaped
from genlab.lessons.comparison.plain import COLUMNS, as_csv, as_json

Record = dict[str, Any]


def some(count: int, name: str = "{:03d}-run") -> Comparison:
    """Every third a GAN; the second and third differ in their seed alone where there are more than two."""
    records = [everything(name.format(i), i, f"c{i}", gan=i % 3 == 0) for i in range(count)]
    if count > 2:
        records[2] |= {"config": "c1", "training_seed": 1}
    return compare(records, *bounds())


def printed(comparison: Comparison, width: int) -> str:
    screen = Console(width=width, color_system=None, highlight=False)
    with screen.capture() as captured:
        print_comparison(comparison, screen)
    return captured.get()


# JSON and CSV ----------------------------------------------------------------------------------------------


def test_json_comes_back_as_the_same_comparison() -> None:
    before = some(5)
    read = json.loads(json.dumps(as_json(before), allow_nan=False))
    after = compare(read["records"], read["floor"], read["ceiling"])
    assert as_json(after) == read
    assert [row["verdict"] for row in read["rows"]] == [row.text for row in before.rows]
    assert read["entries"][1]["runs"] == ["001-run", "002-run"]


def test_json_has_every_pair() -> None:
    read = as_json(some(5))
    pairs = read["pairs"]
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3),
    ]  # fmt: skip
    fid = pairs["fid"]
    assert fid["p"][0] is None  # one training against two
    assert fid["difference"][1] == pytest.approx(-0.06)  # of runs 0 and 3
    assert 0 <= fid["p"][1] <= fid["adjusted_p"][1] <= 1


def test_csv_is_tidy() -> None:
    comparison = some(4)
    rows = list(csv.DictReader(StringIO(as_csv(comparison))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(INSTRUMENTS) * (3 + 2)  # of four runs two are one entry; floor, ceiling
    fid = [row for row in rows if row["instrument"] == "fid"]
    assert [row["entry"] for row in fid] == ["A", "B", "C", "floor", "ceiling"]
    assert float(fid[0]["value"]) == 0.5
    assert (fid[1]["n_seeds"], fid[1]["training_seeds"], fid[1]["run"]) == ("2", "0 1", "001-run 002-run")
    assert (fid[0]["network"], fid[0]["n"], fid[0]["sampling_seed"]) == (
        "genlab-mnist-42c84762",
        "10000",
        "0",
    )
    elbo = next(row for row in rows if row["instrument"] == "elbo" and row["entry"] == "A")
    assert elbo["value"] == ""
    assert "no likelihood" in elbo["unavailable"]


# LaTeX -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_latex_is_well_formed(count: int) -> None:
    text = as_latex(some(count, name="{:03d}_50%&{{#$^~\\x}}"))
    bare = re.sub(r"\\[{}\\]", "", text)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    begun = re.findall(r"\\begin\{(\w+)\}", text)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", text)) == ["table", "tabular"]
    columns = re.search(r"\\begin\{tabular\}\{(l[lr]+)\}", text)
    assert columns
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert lines
    for line in lines:
        assert len(re.findall(r"(?<!\\)&", line)) == len(columns[1]) - 1
        assert len(re.findall(r"(?<!\\)\$", line)) % 2 == 0
    outside = re.sub(r"\\[_%&#$]", "", text.split("\n", 1)[1])
    assert not re.search(r"(?<!\\)[#_]", outside)
    assert not re.search("[↓↑→∞×−±]", text)


def test_latex_says_what_was_measured() -> None:
    text = as_latex(some(2))
    assert r"$0.5 \pm 0.02$" in as_latex(compare([record("a", fid=(0.5, 0.01))], *bounds(), ["fid"]))
    assert "N: 10,000 samples each" in text
    assert "genlab-mnist-42c84762" in text
    assert "sampling seed: 0" in text
    assert "A: 000-run (GAN, z from N(0, I), step 1,000, seed 0)" in text
    best = compare([record("a", fid=9.0), record("b", config="b", fid=5.0)], *bounds(), ["fid"])
    assert as_latex(best).count(r"\mathbf{5.0}") == 1
    assert r"\mathbf{9.0}" not in as_latex(best)


def test_latex_escapes() -> None:
    assert escaped(r"50% & \x_{1} → ∞") == (r"50\% \& \textbackslash{}x\_\{1\} $\rightarrow$ $\infty$")


# Terminal --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 4, 7, 30])
def test_a_terminal_of_80_columns_is_enough(count: int) -> None:
    text = printed(some(count), 80)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "FID ↓" in text
    assert "floor" in text
    assert "N: 10,000 samples each" in text
    assert "no likelihood" in text


def test_values_verdicts_and_marks() -> None:
    one, two = record("a", fid=(3.0, 0.2), recall=0.5), record("b", config="b", fid=(9.0, 0.2), recall=0.5)
    text = printed(compare([one, two], *bounds(), ["fid", "recall"]), 80)
    assert re.search(r"FID ↓ +3\.0° ±0\.4 +9\.0 +±0\.4 +2\.9 +900\.0 +best: A", text)
    assert re.search(r"recall ↑ +0\.500.* equal", text)
    assert "° at the floor: drawing samples can't tell it from training images" in text
    assert "another training seed may turn around" in text


def test_the_form_follows_the_width() -> None:
    line = Line("FID ↓", [Figure("24.5", "0.4"), Figure("13.5", "0.3")], "best: B")
    wide, narrow, thin = (
        [text.plain.rstrip() for text in laid_out("AB", {"fidelity": [line]}, width)[2:]]
        for width in (80, 32, 26)
    )
    assert wide == ["FID ↓  24.5 ±0.4  13.5 ±0.3  best: B"]
    assert narrow == ["FID ↓  24.5 ±0.4  13.5 ±0.3", "    best: B"]
    assert thin == ["FID ↓           24.5 13.5", "  best: B       ±0.4 ±0.3"]


def test_many_are_sorted_by_the_first_instrument() -> None:
    values = [5.0, 1.0, None, 3.0, 2.0, 9.0, 4.0]
    records = [
        record(str(i), config=str(i), fid={"unavailable": "x"} if v is None else v)
        for i, v in enumerate(values)
    ]
    comparison = compare(records, *bounds(), ["fid"])
    assert in_order(comparison) == [1, 4, 3, 6, 0, 5, 2]
    lines = printed(comparison, 80).splitlines()
    assert [line[0] for line in lines[1:8]] == ["B", "E", "D", "G", "A", "F", "C"]
    assert "FID ↓: best: B" in "\n".join(lines)


def test_no_difference_is_minus_zero() -> None:
    assert [signed(v, 1) for v in (0.26, -0.04, 0.0, -1.0)] == ["+0.3", "0.0", "0.0", "−1.0"]


# The command -----------------------------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Instead of measuring: records by name, and what was asked for."""
    asked: list[Any] = []

    def records(names: list[str], **options: Any) -> tuple[list[Record], Record, Record]:
        asked.append((names, options))
        return [everything(name, i, f"c{i}") for i, name in enumerate(names)], *bounds()

    monkeypatch.setattr("genlab.experiment.measured.records", records)
    return asked


def run(*arguments: str) -> Any:
    import genlab.cli.compare
    import genlab.cli.measure  # noqa: F401  (they add their commands)
    from genlab.cli.root import app

    return CliRunner().invoke(app, list(arguments))


def test_the_command_in_every_format(measured: list[Any], tmp_path: Path) -> None:
    table = run("compare", "001", "002:fitted", "003@best", "-n", "500", "--columns", "fid,recall")
    assert table.exit_code == 0, table.output
    assert "recall" in table.stdout
    assert "precision" not in table.stdout
    names, options = measured[0]
    assert names == ["001", "002:fitted", "003@best"]
    assert (options["count"], options["seed"], options["full"]) == (500, 0, False)
    found = json.loads(run("compare", "001", "002", "--json").stdout)
    assert found["records"][1]["reference"] == "002"
    assert run("compare", "001", "002", "--format", "csv").stdout.startswith("entry,run,")
    out = tmp_path / "table.tex"
    assert run("compare", "001", "002", "--format", "latex", "--out", str(out)).exit_code == 0
    assert r"\toprule" in out.read_text("utf-8")
    run("compare", "001", "002", "--out", str(out))
    assert "no difference beyond noise" in out.read_text("utf-8")


def test_a_wrong_word_is_one_sentence(measured: list[Any]) -> None:
    assert "needs two runs" in str(run("compare", "001").exception)
    assert "--format is one of" in str(run("compare", "001", "002", "--format", "pdf").exception)
    assert "did you mean 'recall'" in str(run("compare", "001", "002", "--columns", "recal").exception)
    assert "sets two runs" in str(run("compare", "--blind", "1", "2", "3").exception)
    assert measured == []


def test_evaluate_shows_one_run_in_groups(measured: list[Any]) -> None:
    said = run("evaluate", "001", "--explain")
    assert said.exit_code == 0, said.output
    assert re.search(
        r"fidelity +value +floor +ceiling\nFID ↓ +0\.5 ±0\.02 +2\.9 +900\.0\n +sees: How far", said.stdout
    )
    assert "Missing kinds" in said.stdout
    assert "verdict" not in said.stdout
    assert measured[0][1]["fresh"] is True
    run("evaluate", "001", "--prior", "fitted")
    assert measured[1][0] == ["001:fitted"]
    assert run("compare", "001", "002", "--columns", "all").stdout.count("evenness") == 1
    assert json.loads(run("evaluate", "001", "--json").stdout)["floor"]["run"] == "floor: training images"


def test_calibration_decides_the_default_instruments() -> None:
    there = [everything("a"), everything("b", gan=True)]
    standard = default_keys(there, everything=False)
    assert standard[:2] == ["fid", "fid/texture"]  # meaning and strokes: neither sees all
    assert {"elbo", "rate", "mse"} <= set(standard)
    assert not {"kid", "c2st", "evenness"} & set(standard)
    assert default_keys(there, everything=True) == list(INSTRUMENTS)
