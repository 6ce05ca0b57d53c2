"""The statistics of a comparison, held against SciPy, against what is true by construction, and by hand."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from comparisons import NO_LIKELIHOOD, bounds, everything, protocol, record
from scipy import stats

from genlab.errors import UserError
from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, compare
from genlab.evaluation.pairwise import all_pairs, holm
from genlab.evaluation.records import entries, letter, some
from genlab.metrics.unavailable import Unavailable

Record = dict[str, Any]


def compared(*records: Record, key: str = "fid") -> Comparison:
    return compare(records, *bounds(), keys=[key])


def repeated(config: str, values: list[float], key: str = "fid") -> list[Record]:
    return [record(f"{config}-{seed}", seed, config, **{key: v}) for seed, v in enumerate(values)]


def row_text(*records: Record, key: str = "fid") -> str:
    return compared(*records, key=key).rows[0].text


# Means and differences over seeds -----------------------------------------------------------------


def test_a_group_is_its_mean_with_students_interval() -> None:
    values = [6.1, 7.3, 6.4, 8.0]
    cell = compared(*repeated("a", values)).rows[0].cells[0]
    assert isinstance(cell, Cell)
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (cell.low, cell.high) == pytest.approx(expected, rel=1e-12)
    assert cell.seeds == 4
    assert cell.sampling == pytest.approx(0.1 / 2)  # four errors of 0.1, averaged


def test_differences_over_seeds_are_welchs() -> None:
    groups = [[6.1, 7.3, 6.4, 8.0], [9.0, 9.1, 9.3], [7.0, 12.0]]
    found = compared(*(r for i, g in enumerate(groups) for r in repeated("abc"[i], g))).pairs
    for at, (i, j) in enumerate(zip(found.first, found.second, strict=True)):
        expected = stats.ttest_ind(groups[i], groups[j], equal_var=False)
        assert found.p[0, at] == pytest.approx(expected.pvalue, rel=1e-10)
        assert found.freedom[0, at] == pytest.approx(expected.df, rel=1e-10)


def test_an_effect_has_welchs_interval_where_there_is_one_pair() -> None:
    a, b = [1.0, 1.2, 0.9, 1.1], [2.0, 2.5, 2.2]
    (effect,) = compared(*repeated("a", a), *repeated("b", b)).rows[0].effects
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval()
    assert effect.entry == 1
    assert (effect.low, effect.high) == pytest.approx((expected.low, expected.high), rel=1e-10)


def test_single_runs_differ_by_their_sampling_errors() -> None:
    found = compared(record("a", fid=(6.0, 0.3)), record("b", config="c1", fid=(7.0, 0.4))).pairs
    assert found.error[0, 0] == pytest.approx(0.5)
    assert found.p[0, 0] == pytest.approx(2 * stats.t.sf(2, found.freedom[0, 0]))
    assert found.freedom[0, 0] == pytest.approx(0.25**2 / (0.09**2 / 19 + 0.16**2 / 19))


def test_holm_by_hand() -> None:
    p = np.array([[0.01, 0.04, 0.03, np.nan], [0.5, 0.6, np.nan, np.nan]])
    expected = [[0.03, 0.06, 0.06, np.nan], [1.0, 1.0, np.nan, np.nan]]
    np.testing.assert_allclose(holm(p), expected)


def test_groups_without_spread_are_told_apart_by_permutation() -> None:
    few = [*repeated("a", [10.0] * 2, "classes"), *repeated("b", [9.0] * 2, "classes")]
    assert compared(*few, key="classes").pairs.p[0, 0] == pytest.approx(1 / 3)  # 2 of the 6 ways to deal them
    many = [*repeated("a", [10.0] * 5, "classes"), *repeated("b", [9.0] * 5, "classes")]
    found = compared(*many, key="classes")
    exact = stats.permutation_test(([10] * 5, [9] * 5), lambda x, y: np.mean(x) - np.mean(y))
    assert found.pairs.p[0, 0] == pytest.approx(exact.pvalue)
    assert found.rows[0].text == "best: A"
    assert found.rows[0].effects[0].low is None  # no spread, no interval


def test_what_is_exact_needs_no_test() -> None:
    same = record("a", classes=(10, 0)), record("b", config="c1", classes=(10, 0))
    assert row_text(*same, key="classes") == "equal"
    assert row_text(same[0], record("c", config="c2", classes=(9, 0)), key="classes") == "best: A"


# What holds on average ----------------------------------------------------------------------------


def simulated(rows: int, entries_: int, seeds: int, rng: np.random.Generator) -> tuple[Any, ...]:
    draws = rng.normal(size=(rows, entries_, seeds)) * (1 + np.arange(entries_))[:, None]  # unequal spread
    error = draws.std(axis=2, ddof=1) / seeds**0.5
    return draws.mean(axis=2), error, np.full((rows, entries_), seeds - 1.0), np.full(entries_, seeds)


@pytest.mark.parametrize(("count", "seeds"), [(2, 3), (5, 4), (12, 2), (30, 5)])
def test_where_nothing_differs_a_difference_is_rarely_found(count: int, seeds: int) -> None:
    found = all_pairs(*simulated(1000, count, seeds, np.random.default_rng(count)))
    assert found.differs.any(axis=1).mean() <= 0.065  # at most 5 %, and three standard errors of 1 000


@pytest.mark.parametrize("count", [2, 6, 30])
def test_the_same_for_single_runs_with_estimated_errors(count: int) -> None:
    rng = np.random.default_rng(count)
    error = np.sqrt(rng.chisquare(19, (1000, count)) / 19)
    freedom, seeds = np.full((1000, count), 19.0), np.ones(count, int)
    found = all_pairs(rng.normal(size=(1000, count)), error, freedom, seeds)
    assert found.differs.any(axis=1).mean() <= 0.07


def test_family_wise_error_of_whole_comparisons() -> None:
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(200):
        records = [r for c in "abcd" for r in repeated(c, rng.normal(10, 1, 3).tolist())]
        wrong += compared(*records).rows[0].text != "no difference beyond noise"
    assert wrong / 200 <= 0.07


def test_intervals_over_seeds_cover() -> None:
    rng, inside = np.random.default_rng(0), 0
    for values in rng.normal(3.0, 2.0, (1000, 4)):
        cell = compared(*repeated("a", values.tolist())).rows[0].cells[0]
        assert isinstance(cell, Cell)
        inside += cell.low <= 3.0 <= cell.high
    assert inside / 1000 == pytest.approx(0.95, abs=0.021)  # three standard errors


def test_a_real_difference_is_found() -> None:
    rng = np.random.default_rng(1)
    texts = []
    for _ in range(50):
        a, b = rng.normal(10, 1, 5).tolist(), rng.normal(14, 1, 5).tolist()
        texts.append(row_text(*repeated("a", a), *repeated("b", b)))
    assert texts.count("best: A") >= 48


# Verdicts -----------------------------------------------------------------------------------------


def test_the_best_and_what_is_within_noise_of_it() -> None:
    far, near, best = record("a", fid=9.0), record("b", config="1", fid=6.9), record("c", config="2", fid=6.8)
    row = compared(far, near, best).rows[0]
    assert row.text == "best: C; within noise: B"
    assert row.top == {1, 2}
    assert [e.entry for e in row.effects] == [1, 0]
    assert row.effects[1].difference == pytest.approx(2.2)


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("fid", (5.0, 9.0), "best: A"),
        ("precision", (0.5, 0.9), "best: B"),
        ("sharpness", (0.5, 1.4), "best: B"),  # 0.4 above is nearer to 1 than 0.5 below
        ("c_t", (-3.0, 2.0), "best: B"),
        ("evenness", (0.5, 0.9), "differ"),
        ("fid", (5.0, 5.001), "no difference beyond noise"),
    ],
)
def test_directions(key: str, values: tuple[float, float], text: str) -> None:
    given: list[dict[str, Any]] = [{key: (value, 0.01)} for value in values]
    a, b = (record(str(i), config=str(i), **each) for i, each in enumerate(given))
    assert row_text(a, b, key=key) == text


def test_the_distance_to_a_target_is_each_runs_own() -> None:
    apart = repeated("a", [0.8, 1.2, 0.81, 1.19], "sharpness")  # 1 on average, and never near it
    close = repeated("b", [0.95, 0.94, 0.96, 0.95], "sharpness")
    found = compared(*apart, *close, key="sharpness").rows[0]
    assert found.text == "best: B"
    cell = found.cells[0]
    assert isinstance(cell, Cell)
    assert cell.value == pytest.approx(1.0)  # what is shown is the value, not the distance


def test_a_noisy_best_is_no_best() -> None:
    noisy = record("a", config="a", fid=(5.0, 9.0))
    others = [record("b", config="b", fid=(6.0, 0.1)), record("c", config="c", fid=(8.0, 0.1))]
    row = compared(noisy, *others).rows[0]
    assert row.text == "no best beyond noise (B better than C)"
    assert row.top == frozenset()


def test_many_are_named_in_few_words() -> None:
    many = [record(f"{i}", config=f"{i}", fid=(7 + 0.001 * i, 0.5)) for i in range(16)]
    row = compared(*many, record("bad", config="bad", fid=90.0)).rows[0]
    assert row.text == "best: A; within noise: B, C, D and 12 others"
    assert some(["A", "B"]) == "A and B"
    assert some(["A", "B", "C", "D"]) == "A, B, C and 1 other"
    assert [letter(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_one_training_is_never_tested_against_several() -> None:
    group, single = repeated("a", [5.0, 5.1, 5.2]), record("x", config="x", fid=(90.0, 0.1))
    found = compared(*group, single)
    assert found.rows[0].text == "not decided: B was trained once, A with several seeds"
    assert not found.pairs.tested.any()
    found = compared(*group, *repeated("b", [9.0, 9.1, 9.2]), single, record("y", config="y", fid=80.0))
    assert found.rows[0].text == "over seeds: best: A | trained once: best: D"
    assert "never one with the other" in found.notes[0]
    found = compared(*group, single, record("y", config="y", fid=80.0))
    assert found.rows[0].text == "trained once: best: C"


def test_notes_say_what_a_verdict_is_about() -> None:
    assert (
        "not decided for the recipes" in compared(record("a", fid=1), record("b", config="1", fid=2)).notes[0]
    )
    both = [*repeated("a", [1, 2]), *repeated("b", [3, 4])]
    assert "about the recipes" in compared(*both).notes[0]
    assert "Two seeds are few" in compared(*both).notes[1]
    both[0]["step"] = 900
    assert "at different steps" in compared(*both).notes[2]


def test_values_that_drawing_cannot_tell_from_the_bounds_are_marked() -> None:
    floor_like, noise_like, between = (
        record(str(v), config=str(v), fid=(v, 0.2)) for v in (3.0, 900.1, 40.0)
    )
    marks = [c.mark for c in compared(floor_like, noise_like, between).rows[0].cells if isinstance(c, Cell)]
    assert marks == ["at the floor", "at the ceiling", ""]
    wide = repeated("a", [3.0, 40.0])  # an interval over seeds that holds the floor does not put it there
    cell = compared(*wide).rows[0].cells[0]
    assert isinstance(cell, Cell)
    assert cell.low < 2.9 < cell.high
    assert cell.mark == ""


# Groups -------------------------------------------------------------------------------------------


def test_repetitions_share_config_and_prior() -> None:
    fitted = {**record("001", 0), "prior": "Gaussian mixture fitted to the codes"}
    found = entries([record("001", 0), fitted, record("002", 1), record("003", 0, "other")])
    assert [[r["run"] for r in e.records] for e in found] == [["001", "002"], ["001"], ["003"]]
    assert [e.name for e in found] == ["001 × 2 seeds", "001", "003"]
    assert found[1].prior == "Gaussian mixture"


def test_the_same_training_is_no_repetition() -> None:
    with pytest.raises(UserError, match=r"^001 and 001 are the same training .* name it once"):
        entries([record("001"), record("001")])
    earlier = {**record("001"), "step": 500}
    assert len(entries([record("001"), earlier, record("002", 1)])) == 2
    best = {**record("001"), "checkpoint": "best"}
    assert [e.name for e in entries([record("001"), best, record("002", 1)])] == [
        "001 × 2 seeds", "001@best",
    ]  # fmt: skip


def test_a_run_without_a_value_is_not_left_out_of_its_mean() -> None:
    runs = repeated("a", [1.0, 2.0, 3.0])
    runs[1]["values"]["fid"] = {"unavailable": "it diverged"}
    assert compared(*runs).rows[0].cells == (Unavailable("1 of 3 runs: it diverged"),)
    for run in runs:
        run["values"]["fid"] = {"unavailable": "no such thing"}
    assert compared(*runs).rows[0].cells == (Unavailable("no such thing"),)


# Refusals -----------------------------------------------------------------------------------------


def test_other_protocols_are_refused_by_name() -> None:
    other = record("002", config="1", fid=1)
    other["protocol"] = protocol(count=2000, networks={"own": "genlab-mnist-42c84762", "texture": "new"})
    with pytest.raises(UserError) as refusal:
        compared(record("001", fid=1), other, record("003", config="2", fid=1))
    assert str(refusal.value).startswith(
        "these can't stand in one table: N, the number of samples, is 10,000 for 001 and 003 and 2,000 for "
        "002; the texture network is random-conv-1a2b3c4d for 001 and 003 and new for 002. Compare runs on "
    )


@pytest.mark.parametrize(
    "change", [{"data": "other-1"}, {"references": 500}, {"anything_new": 3}, {"full": True}]
)
def test_whatever_differs_is_refused(change: dict[str, Any]) -> None:
    other = {**record("002", config="1", fid=1), "protocol": protocol(**change)}
    with pytest.raises(UserError, match=r"002\. Compare runs"):
        compared(record("001", fid=1), other)


def test_versions_and_old_records_are_refused() -> None:
    with pytest.raises(UserError, match="the version of the record is 2 for 001 and 3 for 002"):
        compared(record("001", fid=1), {**record("002", config="1", fid=1), "version": 3})
    with pytest.raises(UserError, match="the record of 002 is of an older genlab"):
        compared(record("001", fid=1), {"run": "002", "samples": {}})
    with pytest.raises(UserError, match=r"no instrument 'fidd'; did you mean 'fid'\?"):
        compared(record("001", fid=1), key="fidd")


def test_bounds_at_another_n_are_no_bounds() -> None:
    floor, ceiling = ({**end, "protocol": protocol(count=5000, likelihood=None)} for end in bounds())
    row = compare([record("a", fid=3.0)], floor, ceiling, ["fid"]).rows[0]
    assert "compare with -n 5000" in str(row.floor)
    assert isinstance(row.cells[0], Cell)
    assert row.cells[0].mark == ""
    with pytest.raises(UserError, match="the data is mnist-0123456789abcdef for a and x for floor"):
        compare([record("a", fid=3.0)], {**floor, "protocol": protocol(data="x")}, ceiling)


def test_sampling_seeds_may_differ_and_are_noted() -> None:
    other = {**record("002", config="1", fid=1), "protocol": protocol(seed=7)}
    assert "Samples were drawn with different seeds (0 and 7)." in compared(record("001", fid=1), other).notes


def test_nats_on_another_measure_stand_apart() -> None:
    def run(name: str, likelihood: str) -> Record:
        found = record(name, config=name, elbo=-100.0, rate=20.0)
        return {**found, "protocol": protocol(likelihood=likelihood)}

    elbo, rate = compare(
        [run("a", "grey"), run("b", "density"), run("c", "grey")], *bounds(), ["elbo", "rate"]
    ).rows
    assert [isinstance(cell, Cell) for cell in elbo.cells] == [True, False, True]
    assert "measured as density; others are on another measure" in str(elbo.cells[1])
    assert all(isinstance(cell, Cell) for cell in rate.cells)
    tie = compare([run("a", "grey"), run("b", "density")], *bounds(), ["elbo"]).rows[0]
    assert not any(isinstance(cell, Cell) for cell in tie.cells)
    assert tie.text == ""


def test_what_was_not_measured_says_so() -> None:
    found = compared(record("a", fid=1), record("b", config="1", fid=NO_LIKELIHOOD), key="fid").rows[0]
    assert found.cells[1] == Unavailable(NO_LIKELIHOOD["unavailable"])
    assert found.text == ""
    missing = compared(record("a", fid=1), key="inversion_mse").rows[0].cells[0]
    assert missing == Unavailable("not in a standard evaluation; ask for --full")
    broken = record("a", fid=1)
    broken["values"]["fid"]["error"] = None
    assert compared(broken).rows[0].cells[0] == Unavailable("not a number in the record")


# Size ---------------------------------------------------------------------------------------------


def test_two_hundred_runs_in_a_second() -> None:
    records = [everything(f"{i:03d}", shift=i, config=f"c{i}", gan=i % 3 == 0) for i in range(200)]
    seconds = []
    for _ in range(3):
        began = time.process_time()
        found = compare(records, *bounds())
        seconds.append(time.process_time() - began)
    assert min(seconds) < 1
    assert found.pairs.p.shape[1] == 19_900
    assert all(row.text for row in found.shown())


def test_it_needs_no_torch() -> None:
    code = "import genlab.evaluation.compare, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
