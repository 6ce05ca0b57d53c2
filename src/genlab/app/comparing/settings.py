"""What was set differently, and whether the comparison is a fair one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import streamlit as st

from genlab.app.entries import Entry, read
from genlab.app.style import count, duration, plain
from genlab.errors import UserError
from genlab.runs.configs import MISSING, differing

ASIDE = (
    "data.shape",
    "data.digest",
    "training.threads",
    "training.device",
    "recipe",
)  # no settings of a model
FAIR, UNFAIR = ":material/check:", ":orange[:material/warning:]"
ALIKE = 1.1  # budgets that differ by less than a tenth count as one


def page(among: list[Entry]) -> None:
    configs = {entry.name: config for entry in among if (config := read_config(entry)) is not None}
    there = [entry for entry in among if entry.name in configs]
    if len(there) < 2:
        st.info("Choose two runs or more to see what was set differently.")
        return
    found = checks(there, [configs[entry.name] for entry in there])
    st.markdown("  \n".join(f"{FAIR if fair else UNFAIR} {sentence}" for fair, sentence in found))
    rows = {
        key: values for key, values in differing([configs[entry.name] for entry in there]).items()
        if key not in ASIDE
    }  # fmt: skip
    if not rows:
        st.caption("Nothing was set differently.")
        return
    st.table(
        {"setting": list(rows), **{heading(entry, there): [worded(k, v[i]) for k, v in rows.items()]
                                   for i, entry in enumerate(there)}},
        border="horizontal", hide_index=True, alt="settings that differ",
    )  # fmt: skip
    st.caption(
        f"Only what differs; {MISSING} is a setting that a family does not have. Where several settings "
        "differ, a difference in the numbers is owed to all of them together."
    )


def read_config(entry: Entry) -> dict[str, Any] | None:
    try:
        return entry.run.config()
    except UserError:
        return None


def heading(entry: Entry, among: list[Entry]) -> str:
    label = plain(entry.label)
    return (
        label if [each.label for each in among].count(entry.label) == 1 else f"{label} ({plain(entry.name)})"
    )


def worded(key: str, value: Any) -> str:
    if value is None:
        return "none"
    text = Path(value).name if key == "start" and value != MISSING else str(value)
    return plain(text)


def checks(among: list[Entry], configs: list[dict[str, Any]]) -> Iterator[tuple[bool, str]]:
    """(whether it is fair, a sentence) for the data, the budget and the seeds."""
    yield same_data(configs)
    yield same_budget(among)
    yield from head_starts(among)
    yield same_seed(configs)


def same_data(configs: list[dict[str, Any]]) -> tuple[bool, str]:
    digests = {str(config.get("data", {}).get("digest")) for config in configs}
    names = ", ".join(dict.fromkeys(plain(config.get("data", {}).get("name", "")) for config in configs))
    if len(digests) == 1:
        return True, f"**Same images** ({names})."
    return False, f"**Different images** ({names}): no number compares these runs, whatever it says."


def same_budget(among: list[Entry]) -> tuple[bool, str]:
    """Seconds and images that the runs have had."""
    seconds = [entry.progress.seconds if entry.progress else 0.0 for entry in among]
    images = [entry.progress.last.images if entry.progress and entry.progress.last else 0 for entry in among]
    time, seen = f"{span(seconds, duration)} of training", f"{span(images, count)} images seen"
    if max(seconds) <= ALIKE * min(seconds):
        return True, f"**Same time**: {time} ({seen})."
    longest = plain(among[seconds.index(max(seconds))].label)
    return False, f"**Different budgets**: {time}, {seen}. {longest} trained longest; its lead may be that."


def span(values: list[float] | list[int], text: Any) -> str:
    low, high = text(min(values)), text(max(values))
    return str(low) if low == high else f"{low} to {high}"


def head_starts(among: list[Entry]) -> Iterator[tuple[bool, str]]:
    """Runs whose decoder had been trained before."""
    for entry in among:
        if entry.source is None:
            continue
        source = read(entry.source) if (entry.source / "config.json").exists() else None
        seconds = source.progress.seconds if source and source.progress else None
        spent = f", {duration(seconds)} of training that its own budget does not count" if seconds else ""
        began = f"{plain(entry.label)} began from the decoder of {plain(entry.source.name)}"
        yield False, f"**A head start**: {began}{spent}."


def same_seed(configs: list[dict[str, Any]]) -> tuple[bool, str]:
    seeds = list(dict.fromkeys(str(config.get("training", {}).get("seed")) for config in configs))
    if len(seeds) > 1:
        return True, f"**Different seeds** ({', '.join(seeds)}): luck differs as well as the settings."
    once = "a verdict is about these trained models; another seed may turn it around."
    return True, f"**Same seed** ({seeds[0]}), one training each: {once}"
