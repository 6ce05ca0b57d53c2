"""A person's choices: counted right, with Wilson's interval, and unblinded by the key alone."""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import genlab.cli.blind
from genlab.errors import UserError
from genlab.evaluation.blind import Choice, Pair, Source, plan, sentence, shares, tallies, wilson
from genlab.lessons.blind.page import render, scrambled, write_blind
from genlab.lessons.blind.trials import Blind, dealt, read_key, read_results

NAMES: dict[Source, str] = {"one": "001-vae", "other": "002-gan", "real": "real images"}


def made(trials: int = 12, seed: int = 0) -> Blind:
    """Images whose grey level says what they are: models 40 and 120, real 200, plus their number."""
    planned = plan(trials, seed)
    pairs, facing, _ = shares(trials)
    images: dict[Source, Any] = {
        "one": 40 + np.arange(pairs + facing), "other": 120 + np.arange(pairs + facing),
        "real": 200 + np.arange(2 * facing),
    }  # fmt: skip
    full = {k: np.tile(v[:, None, None, None], (1, 1, 8, 8)).astype(np.uint8) for k, v in images.items()}
    left, right = dealt(planned, full)
    key = {
        "format": "genlab-blind-key", "version": 1, "id": "0123456789", "seed": seed, "data": "mnist",
        "names": NAMES, "trials": [list(pair) for pair in planned],
    }  # fmt: skip
    return Blind(planned, left, right, key)


@pytest.mark.parametrize(("chosen", "count"), [(0, 7), (3, 10), (10, 10), (13, 20), (500, 1000)])
def test_wilsons_interval(chosen: int, count: int) -> None:
    expected = stats.binomtest(chosen, count).proportion_ci(0.95, method="wilson")
    assert wilson(chosen, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_choice_says_nothing() -> None:
    assert wilson(0, 0) == (0, 1)


def test_guessing_is_rarely_beyond_noise() -> None:
    counts = np.random.default_rng(0).binomial(20, 0.5, 4000)
    beyond = [not wilson(int(k), 20)[0] <= 0.5 <= wilson(int(k), 20)[1] for k in counts]
    assert np.mean(beyond) == pytest.approx(2 * stats.binom.cdf(5, 20, 0.5), abs=0.012)  # exactly 4.1 %


def test_a_plan_has_every_kind_on_either_side() -> None:
    planned = plan(40, 3)
    kinds = Counter(frozenset(pair) for pair in planned)
    assert kinds == {
        frozenset({"one", "other"}): 20, frozenset({"real", "one"}): 10, frozenset({"real", "other"}): 10
    }  # fmt: skip
    lefts = Counter(pair[0] for pair in planned)
    assert lefts == {"one": 15, "other": 15, "real": 10}
    assert planned == plan(40, 3) != plan(40, 4)
    assert sum(shares(11)) == 11


def test_every_image_is_shown_once_and_pairs_share_their_number() -> None:
    blind = made(40)
    grey = np.concatenate([blind.left[:, 0, 0, 0], blind.right[:, 0, 0, 0]])
    assert len(set(grey.tolist())) == 80
    for pair, left, right in zip(blind.trials, blind.left, blind.right, strict=True):
        for source, image in zip(pair, (left, right), strict=True):
            assert {"one": 40, "other": 120, "real": 200}[source] <= image[0, 0, 0] < 240
        if "real" not in pair:
            assert abs(int(left[0, 0, 0]) - int(right[0, 0, 0])) == 80  # the k-th sample of both


def choosing(trials: tuple[Pair, ...], favourite: Source) -> dict[int, Choice]:
    """Someone who takes `favourite` wherever it is, and can't tell where it is not."""
    choices: dict[int, Choice] = {}
    for number, (left, right) in enumerate(trials):
        choices[number] = "left" if left == favourite else "right" if right == favourite else "neither"
    return choices


def test_choices_are_counted_by_what_was_shown() -> None:
    trials = plan(40, 0)
    models, one, other = tallies(trials, choosing(trials, "one"))
    assert (models.chosen, models.against, models.undecided) == (20, 0, 0)
    assert (one.chosen, one.against) == (0, 10)  # `first` is real, and was never taken
    assert (other.decided, other.undecided) == (0, 10)
    assert sentence(models, NAMES) == (
        "001-vae looks more real than 002-gan: chosen 20 of 20 times, 100% [84%, 100%]; 0 × can't tell"
    )
    assert sentence(one, NAMES).startswith("001-vae looks more real than real images: chosen 10 of 10")
    assert sentence(other, NAMES) == "real images or 002-gan: no choice was made (10 × can't tell)"


def test_noise_is_called_noise() -> None:
    trials = plan(40, 0)
    by_kind = [i for i, pair in enumerate(trials) if "real" not in pair]
    choices: dict[int, Choice] = {i: ("left" if trials[i][0] == "one" else "right") for i in by_kind[:11]}
    choices |= {i: ("left" if trials[i][0] == "other" else "right") for i in by_kind[11:]}
    models = tallies(trials, choices)[0]
    assert not models.beyond_noise
    assert sentence(models, NAMES) == (
        "001-vae or 002-gan: within noise (001-vae chosen 11 of 20 times, 55% [34%, 74%]; 0 × can't tell)"
    )


def test_some_choices_count_without_the_rest() -> None:
    trials = plan(40, 0)
    some = {number: choice for number, choice in choosing(trials, "real").items() if number < 7}
    assert sum(t.decided + t.undecided for t in tallies(trials, some)) == 7


def test_the_page_does_not_say_what_is_what() -> None:
    blind = made()
    page = render(blind)
    assert not any(name in page for name in ("001-vae", "002-gan"))
    assert "http" not in page.replace("http-equiv", "")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert set(data) == {"id", "left", "right", "mask"}
    codes = scrambled(base64.b64decode(data["mask"]), blind.identity)
    sources = ("one", "other", "real")
    assert [(sources[code // 3], sources[code % 3]) for code in codes] == list(blind.trials)
    assert base64.b64decode(data["mask"]) != codes


def test_results_are_unblinded_by_their_own_key(tmp_path: Path, runs: Path) -> None:
    blind = made(40)
    write_blind(blind, tmp_path / "page" / "blind.html")
    wanted = choosing(blind.trials, "other")
    answers = [{"trial": t, "choice": c, "seconds": 1.5} for t, c in wanted.items()]
    results = tmp_path / "page" / "results.json"
    results.write_text(json.dumps({"format": "genlab-blind", "id": blind.identity, "answers": answers}))
    identity, choices = read_results(results)
    key = read_key(identity, results, None)
    trials = tuple((pair[0], pair[1]) for pair in key["trials"])
    assert tallies(trials, choices)[0].against == 20
    elsewhere = tmp_path / "results.json"
    results.rename(elsewhere)
    with pytest.raises(UserError, match=r"0123456789\.key\.json is not there .* --key"):
        read_key(identity, elsewhere, None)
    assert read_key(identity, elsewhere, tmp_path / "page" / "0123456789.key.json") == key
    with pytest.raises(UserError, match="the key of another page"):
        read_key("ffff", elsewhere, tmp_path / "page" / "0123456789.key.json")


@pytest.mark.parametrize(
    "content",
    ["[]", '{"format": "x"}', '{"format": "genlab-blind", "answers": [{"trial": 0, "choice": "both"}]}'],
)
def test_files_of_no_page_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(UserError, match="no result of a blind page"):
        read_results(tmp_path / "r.json")


def test_choosing_in_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genlab.cli.progress import console

    blind = made(12)
    pressed = iter(["x", "1", "2", "0", "q"])  # x means nothing, q stops
    monkeypatch.setattr("typer.getchar", lambda: next(pressed))
    screen = console()
    with screen.capture() as captured:
        genlab.cli.blind.choose_here(blind, tmp_path, screen)
    assert "3 of 12 choices by one person" in captured.get()
    assert read_results(tmp_path / "blind-0123456789.json")[1] == {0: "left", 1: "right", 2: "neither"}
    assert read_key("0123456789", tmp_path / "blind-0123456789.json", None)["names"] == NAMES


def test_the_command_reports(tmp_path: Path) -> None:
    import genlab.cli.compare  # noqa: F401  (adds its command)
    from genlab.cli.root import app

    blind = made(12)
    write_blind(blind, tmp_path / "page.html")
    answers = [{"trial": t, "choice": c} for t, c in choosing(blind.trials, "one").items()]
    results = tmp_path / "saved.json"
    results.write_text(json.dumps({"format": "genlab-blind", "id": blind.identity, "answers": answers}))
    said = CliRunner().invoke(app, ["compare", "--blind-results", str(results), "--json"])
    found = json.loads(said.stdout)
    assert [t["chosen"] for t in found["tallies"]] == [6, 0, 0]
    assert found["tallies"][0]["verdict"].startswith("001-vae looks more real than 002-gan")


@pytest.mark.browser
def test_choosing_on_the_page(tmp_path: Path) -> None:
    """A walk through the page by keys and clicks: back, stop, go on, a reload, and the file it saves."""
    sync = pytest.importorskip("playwright.sync_api")
    chromium = os.environ.get("GENLAB_CHROMIUM") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        pytest.skip("no Chromium here: install one, or name it in GENLAB_CHROMIUM")
    blind = made(12)
    path, _ = write_blind(blind, tmp_path / "blind.html")
    shots = Path(os.environ.get("GENLAB_SCREENSHOTS") or tmp_path)
    with sync.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(120_000)  # a busy machine needs them
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        page.screenshot(path=shots / "blind-ask.png")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Backspace")
        page.locator("#right").click()
        page.wait_for_timeout(1000)  # the browser writes its storage a moment after the page has asked for it
        page.reload()
        assert page.locator("#count").inner_text() == "3 of 12"  # a reload loses nothing
        page.locator("#stop").click()
        assert "2 of 12 choices" in page.locator("#said").inner_text()
        page.locator("#more").click()
        wanted = choosing(blind.trials, "one")
        for number in range(2, 12):
            page.keyboard.press(
                {"left": "ArrowLeft", "right": "ArrowRight", "neither": "ArrowDown"}[wanted[number]]
            )
        page.screenshot(path=shots / "blind-end.png")
        with page.expect_download() as download:
            page.locator("#save").click()
        results = tmp_path / "saved.json"
        download.value.save_as(results)
        shown = page.locator("#rows tr").first.inner_text()
        browser.close()
    assert said == []
    _, choices = read_results(results)
    assert choices == {**wanted, 0: "left", 1: "right"}
    models = tallies(blind.trials, choices)[0]
    assert f"one {models.chosen} of {models.decided}" in shown
    low, high = models.interval
    assert f"[{low:.0%}, {high:.0%}]".replace("%", "") in shown
