"""The same as Markdown: equations in dollars, figures as SVG files beside it."""

from __future__ import annotations

from pathlib import Path

from genlab.lessons.figures import svg
from genlab.lessons.lesson import Figure, Lesson, Picture, Table
from genlab.lessons.record import Record
from genlab.lessons.writing.document import MARKS, Block, Judged, Prose, Words, document


def markdown(lesson: Lesson, record: Record, images: str = "") -> str:
    """`images` is the pictures' folder as the Markdown names it, ending in a slash where there is one."""
    told = document(lesson, record)
    facts = " · ".join(f"{name}: {value}" for name, value in told.facts)
    parts = [f"# {told.title}\n", f"*{told.question}*\n", f"{facts}\n"]
    for section in told.sections:
        parts.append(f"## {section.title}\n")
        parts += [block(each, images) for each in section.blocks]
    return "\n".join(parts)


def block(told: Block, images: str) -> str:
    match told:
        case Prose(text):
            return text.strip() + "\n"
        case Words(text):
            return "\n".join(f"> {escaped(line)}" for line in text.splitlines() or [""]) + "\n"
        case Figure(key=key, title=title, sentence=sentence):
            return f"**{title}**\n\n![{title}]({images}{key}.svg)\n\n{sentence}\n"
        case Picture(title=title, sentence=sentence, path=path):
            return f"**{title}**\n\n![{title}]({images}{path})\n\n{sentence}\n"
        case Table():
            return table(told)
        case Judged(claim, verdict):
            said = verdict.text(claim).removeprefix(verdict.state)
            return (
                f"**{claim.sentence}**  \n{MARKS[verdict.state]} **{verdict.state}**{said}  \n"
                f"*Borne out by {claim.rule}.*\n"
            )


def table(told: Table) -> str:
    rows = [told.head, *told.rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|---" * len(told.head) + "|")
    title = f"**{told.title}**\n\n" if told.title else ""
    return title + "\n".join(lines) + "\n" + (f"\n{told.note}\n" if told.note else "")


def escaped(text: str) -> str:
    """Plain text that Markdown leaves as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|<>$&" else c for c in text)


def write_figures(lesson: Lesson, record: Record, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for figure in lesson.evidence(record.findings).figures:
        (folder / f"{figure.key}.svg").write_text(svg(figure.spec), "utf-8")
