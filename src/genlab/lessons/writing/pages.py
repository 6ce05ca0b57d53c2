"""The documentation's pages on the lessons, written from the runs that come with genlab: docs/lessons/.

An index with every sentence of the course, and a page for each lesson: its verdicts, what was measured, its
text.
"""

from __future__ import annotations

from collections.abc import Mapping

from genlab.lessons.catalogue import lesson_called
from genlab.lessons.course import Row, table
from genlab.lessons.lesson import Lesson
from genlab.lessons.lesson import Table as Rows
from genlab.lessons.record import Record, verdicts
from genlab.lessons.writing import markdown
from genlab.lessons.writing.document import MARKS, RULE, Document, Section, command, document

INDEX = "README.md"


def pages(records: Mapping[str, Record]) -> dict[str, str]:
    """Markdown by file name, for the records by their lessons' names. Pictures lie in images/NAME/."""
    lessons = {name: lesson_called(name) for name in records}
    return {
        INDEX: index(lessons, records),
        **{f"{name}.md": page(lessons[name], record) for name, record in records.items()},
    }


def index(lessons: Mapping[str, Lesson], records: Mapping[str, Record]) -> str:
    parts = [
        "# The lessons\n",
        "What the course says, sentence by sentence in our words, what in it can be tested, and what came of "
        f"it in one run of each of {len(lessons)} lessons, which comes with genlab; of the others it says "
        "that none does yet. `python scripts/ship-lessons` made the runs and these pages; `genlab lesson "
        "NAME` has them anew, from other seeds if you like.\n",
        RULE + "\n",
    ]
    rows, head = list(table(dict(records))), ("the course", "what can be tested", "verdict")
    for part in dict.fromkeys(row.sentence.part for row in rows):
        parts.append(f"## {part}\n")
        parts.append(markdown.table(Rows("", "", head, told([r for r in rows if r.sentence.part == part]))))
    parts.append("## Each lesson\n")
    parts += [f"- [{lesson.title}]({name}.md) {lesson.question}" for name, lesson in lessons.items()]
    return "\n".join(parts) + "\n"


def told(rows: list[Row]) -> tuple[tuple[str, ...], ...]:
    """Each sentence once, beside the first of its claims."""
    found, last = [], None
    for row in rows:
        verdict = row.verdict
        said = f"{MARKS[verdict.state]} {verdict.text(row.claim)}" if verdict else "not run yet"
        sentence = "" if row.sentence is last else row.sentence.says
        claim = row.claim.sentence
        found.append((sentence, f"[{claim}]({row.lesson.name}.md)" if verdict else claim, said))
        last = row.sentence
    return tuple(found)


def page(lesson: Lesson, record: Record) -> str:
    whole = document(lesson, record)
    text, measured = section(whole, "question"), section(whole, "evidence")
    images = f"images/{lesson.name}/"
    parts = [
        f"# {lesson.title}\n",
        f"*{lesson.question}*\n",
        " · ".join(f"{name}: {value}" for name, value in whole.facts) + "\n",
        f"    {command(lesson.name, record.setting)}\n",
        "## What became of the claims\n",
        markdown.table(judged(lesson, record)),
        "## What was measured\n",
        *(markdown.block(each, images) for each in measured.blocks),
        "## What the lesson says beforehand\n",
        *(markdown.block(each, images) for each in text.blocks),
        "## Sources\n",
        *(f"- {source}" for source in lesson.sources),
        "\n[All lessons](README.md)\n",
    ]
    return "\n".join(parts)


def section(whole: Document, key: str) -> Section:
    return next(each for each in whole.sections if each.key == key)


def judged(lesson: Lesson, record: Record) -> Rows:
    rows = tuple(
        (claim.sentence, f"{MARKS[verdict.state]} {verdict.text(claim)}", claim.rule)
        for claim, verdict in verdicts(lesson, record.findings)
    )
    return Rows("claims", "", ("claim", "verdict", "borne out by"), rows)
