"""The address: it holds what is set by the names of the options, and leads there again."""

from __future__ import annotations

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

ONE = """
import streamlit as st
from genlab.app.address import arrive, arrive_several, leave
SHOWN = {"a": "the first, 7 steps", "b": "the second, 8 steps"}
arrive("one", SHOWN, "a")
leave("one", st.selectbox("One", list(SHOWN), key="one", format_func=SHOWN.get), "a")
arrive_several("many", SHOWN)
leave("many", st.multiselect("Many", list(SHOWN), key="many", format_func=SHOWN.get))
"""


def opened(**address: str | list[str]) -> AppTest:
    page = AppTest.from_string(ONE)
    for key, value in address.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def test_nothing_asked_is_the_default_and_stays_out_of_the_address() -> None:
    page = opened()
    assert page.selectbox(key="one").value == "a"
    assert not page.query_params


def test_a_link_sets_the_widgets_by_the_names_of_their_options() -> None:
    page = opened(one="b", many=["b", "a"])
    assert page.selectbox(key="one").value == "b"
    assert page.multiselect(key="many").value == ["b", "a"]


def test_what_is_no_option_is_left_out() -> None:
    page = opened(one="gone", many=["gone", "b"])
    assert page.selectbox(key="one").value == "a"
    assert page.multiselect(key="many").value == ["b"]
    assert page.query_params["many"] == "b"
    assert "one" not in page.query_params


def test_a_change_is_in_the_address_and_no_earlier_one_comes_back() -> None:
    page = opened(one="b", many=["b"])
    page.selectbox(key="one").set_value("a").run()
    page.multiselect(key="many").set_value(["a", "b"]).run()
    assert page.selectbox(key="one").value == "a"
    assert "one" not in page.query_params
    assert page.query_params["many"] == ["a", "b"]
    page.multiselect(key="many").set_value([]).run()
    assert page.multiselect(key="many").value == []
    assert "many" not in page.query_params


def test_another_link_on_the_same_page_counts() -> None:
    page = opened(one="b")
    page.query_params["many"] = ["a"]
    page.run()
    assert page.multiselect(key="many").value == ["a"]
    assert page.selectbox(key="one").value == "b"


def test_one_who_goes_back_is_not_held_fast() -> None:
    page = opened()
    page.selectbox(key="one").set_value("b").run()
    assert page.query_params["one"] == "b"
    del page.query_params["one"]  # the browser's Back
    page.run()
    assert "one" not in page.query_params
    page.selectbox(key="one").set_value("a").run()
    page.selectbox(key="one").set_value("b").run()
    assert page.query_params["one"] == "b"
