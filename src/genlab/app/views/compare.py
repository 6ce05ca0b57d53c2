"""Compare: any runs, one yardstick."""

from __future__ import annotations

import streamlit as st

from genlab.app.address import arrive, leave
from genlab.app.comparing import chosen, curves, grids, measuring, settings, table
from genlab.app.comparing.chosen import Model
from genlab.app.navigate import go
from genlab.app.saving import offer
from genlab.app.style import plain
from genlab.errors import UserError
from genlab.evaluation.compare import Comparison
from genlab.lessons.comparison.figures import missing, provenance

PARTS = {"table": "Table", "curves": "Curves", "samples": "Samples", "settings": "Settings"}


def page() -> None:
    st.markdown("### Compare")
    models = chosen.choose()
    if not models:
        nothing()
        return
    arrive("side", PARTS, "table")
    part = st.segmented_control(
        "Show", list(PARTS), required=True, format_func=PARTS.__getitem__, key="side",
        label_visibility="collapsed", persist_state="session", width="stretch",
    )  # fmt: skip
    leave("side", part, "table")
    match part:
        case "curves":
            curves.page(chosen.runs(models))
        case "samples":
            grids.page(models)
        case "settings":
            settings.page(chosen.runs(models))
        case _:
            measured(models)


def nothing() -> None:
    if chosen.offered():
        st.info("Choose two runs or more above.")
    else:
        st.info("Train before you compare: there is no trained model here yet.")
        if st.button("Train one", type="primary", key="see-training"):
            go("train")


def measured(models: list[Model]) -> None:
    """The table, what it lacks, and the files to take away."""
    missing_ones = measuring.unmeasured(models)
    measuring.panel(missing_ones)
    ready = [each for each in models if each not in missing_ones]
    if not ready:
        return
    everything = st.session_state.get("all-columns", False)
    try:
        found = table.compared(ready, everything)
    except UserError as error:
        st.warning(plain(error), icon=":material/warning:")
        return
    st.html(table.markup(found, {each.reference: each.label for each in ready}))
    notes(found)
    st.toggle("Every instrument", key="all-columns", help="Also those that see nothing of their own.")
    take_away(found)
    with st.expander("What each number means"):
        st.markdown(table.explanations(found))


def notes(found: Comparison) -> None:
    st.caption(table.KEY)
    absent = [
        f"– {plain(labels)}{f' ({plain(letters)})' if letters else ''}: {plain(reason)}."
        for reason, labels, letters in missing(found)
    ]
    facts = " · ".join(f"{plain(name)}: {plain(said)}" for name, said in provenance(found))
    st.caption("  \n".join([*absent, *map(plain, found.notes), facts]))


def take_away(found: Comparison) -> None:
    """The same in the forms that `genlab compare` writes."""
    from genlab.lessons.comparison.latex import as_latex
    from genlab.lessons.comparison.markdown import as_markdown
    from genlab.lessons.comparison.plain import as_csv

    forms = (
        ("Markdown", lambda: as_markdown(found).encode(), "comparison.md", "text/markdown"),
        ("CSV", lambda: as_csv(found).encode(), "comparison.csv", "text/csv"),
        ("LaTeX", lambda: as_latex(found).encode(), "comparison.tex", "text/x-tex"),
        ("a page", lambda: as_page(found), "comparison.html", "text/html"),
    )
    for column, (what, make, name, mime) in zip(st.columns(len(forms)), forms, strict=True):
        with column:
            offer(what, make, name, mime, key=f"as-{name}")


def as_page(found: Comparison) -> bytes:
    """One HTML file with the table, samples, curves and settings, which needs nothing but a browser."""
    from genlab.lessons.comparison.gather import gather
    from genlab.lessons.comparison.page import render

    return render(found, gather(found, seed=0)).encode()
