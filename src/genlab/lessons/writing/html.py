"""One HTML file that needs nothing but a browser, and has the record in it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.lessons.figures import inline
from genlab.lessons.lesson import Figure, Lesson, Picture, Table
from genlab.lessons.record import Record
from genlab.lessons.writing.document import MARKS, Block, Document, Judged, Prose, Words, document

RECORD = "lesson-record"  # the id of the element that holds it


def page(lesson: Lesson, record: Record, folder: Path) -> str:
    """`folder` holds the lesson's pictures. Raises UserError where a renderer is not installed."""
    told = document(lesson, record)
    parts = {
        "title": escape(told.title),
        "css": asset("lesson.css"),
        "nav": "".join(f'<a href="#{s.key}">{escape(s.title)}</a>' for s in told.sections),
        "header": header(told),
        "body": "".join(
            f'<section id="{each.key}"><h2>{escape(each.title)}</h2>'
            f"{''.join(block(one, folder) for one in each.blocks)}</section>"
            for each in told.sections
        ),
        "record": embedded(record.as_json()),
        "js": asset("lesson.js"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], asset("lesson.html"))


def header(told: Document) -> str:
    facts = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in told.facts)
    return (
        f'<header><h1>{escape(told.title)}</h1><p class="lead">{escape(told.question)}</p>'
        f'<dl class="facts">{facts}</dl></header>'
    )


def block(told: Block, folder: Path) -> str:
    match told:
        case Prose(markdown):
            return rendered(markdown)
        case Words(text):
            return f'<blockquote class="words">{escape(text)}</blockquote>'
        case Figure(title=title, sentence=sentence, spec=spec):
            return (
                f"<figure><h3>{escape(title)}</h3>{inline(spec)}"
                f"<figcaption>{escape(sentence)}</figcaption></figure>"
            )
        case Picture(title=title, sentence=sentence, path=path):
            uri = b64encode((folder / path).read_bytes()).decode()
            return (
                f'<figure><h3>{escape(title)}</h3><img class="pixels" alt="{escape(title)}" '
                f'src="data:image/png;base64,{uri}"><figcaption>{escape(sentence)}</figcaption></figure>'
            )
        case Table():
            return table(told)
        case Judged():
            return judged(told)


def table(told: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in told.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in told.rows)
    title = f"<h3>{escape(told.title)}</h3>" if told.title else ""
    note = f'<p class="note">{escape(told.note)}</p>' if told.note else ""
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'{title}<div class="wide">{body}</div>{note}'


def judged(told: Judged) -> str:
    state = told.verdict.state
    return (
        f'<article class="claim {state.replace(" ", "-")}">'
        f'<p class="sentence">{escape(told.claim.sentence)}</p>'
        f'<p class="verdict"><strong>{MARKS[state]} {state}</strong>'
        f"{escape(told.verdict.text(told.claim).removeprefix(state))}</p>"
        f'<p class="note">Borne out by {escape(told.claim.rule)}.</p></article>'
    )


@cache
def parser() -> Any:
    try:
        from latex2mathml.converter import convert
        from markdown_it import MarkdownIt
        from mdit_py_plugins.dollarmath import dollarmath_plugin
    except ImportError as error:
        raise UserError(
            f"a lesson's page needs {error.name}: install the lab with ./lab build, or genlab[lessons]"
        ) from error

    def math(content: str, options: dict[str, Any]) -> str:
        content = content.replace(r"\ln ", r"\ln\, ")  # which the converter sets without a space
        return str(convert(content, display="block" if options.get("display_mode") else "inline"))

    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    return made.use(dollarmath_plugin, renderer=math, double_inline=True)


def rendered(markdown: str) -> str:
    """HTML of the lesson's own Markdown, equations as MathML."""
    return str(parser().render(markdown.strip() + "\n"))


def embedded(value: Any) -> str:
    """JSON that no HTML parser can take for markup."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def asset(name: str) -> str:
    return (resources.files("genlab.lessons.writing") / name).read_text("utf-8")
