"""A run in one zip file that can be taken elsewhere: what it was, what it learned, how to load it.

The same run gives the same bytes: members stand in the order of their names and bear no date. Nothing that a
link points to gets in, and no file is held in memory.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from genlab.runs.store import Run

CHUNK = 1 << 20  # bytes that are held at a time
DENSE = (".png", ".safetensors")  # what deflating makes hardly smaller
TOP = (
    "config.json", "events.jsonl", "changes.jsonl", "note.json", "report.json", "prior.safetensors",
    "prior-best.safetensors",
)  # fmt: skip
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows

README = """{name}: a {family} trained with genlab on {data}, {steps} steps{best}.

In this folder
  config.json      everything that decided the training
  events.jsonl     what happened, one line of JSON each: losses, validations, warnings
  checkpoints/     weights and the optimizer's state as safetensors: numbers, no code
  samples/         the sheets drawn while it trained
  report.json      what `genlab evaluate` measured, where it was asked

Generate images, with genlab installed, from the folder that holds this one:

  genlab generate {folder} -n 64

or in Python:

{snippet}

Put this folder into a folder called `runs`, and genlab's app and `genlab runs` list it.
"""


def snippet(place: str) -> str:
    """Python that loads the run at `place` and draws from it."""
    return (
        "import genlab\n\n"
        f"model = genlab.open_run(genlab.find_run({place!r}))\n"
        "images, latents = model.sample(64, seed=0)  # (64, C, H, W) in [-1, 1], and their z\n"
        'genlab.save_images(images, "samples.png")\n'
    )


def command(place: str) -> str:
    """The line for a terminal that does the same."""
    return f"genlab generate {quoted(place)} -n 64 --seed 0 --out samples.png"


def quoted(word: str) -> str:
    """`word` as one word of a command, for this system's own terminal."""
    return subprocess.list2cmdline([word]) if sys.platform == "win32" else shlex.quote(word)


def safe(name: str) -> str:
    """`name` as every system takes it for a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "run"


def pack(run: Run, target: Path) -> None:
    """Write the run as a zip file: config, events, notes, newest and best checkpoint, samples, report, and
    a README. A run that trains meanwhile is packed as it stands."""
    folder = safe(run.name)
    with ZipFile(target, "w") as archive:
        with archive.open(member(f"{folder}/README.txt"), "w") as inside:
            inside.write(readme(run).encode())
        for path in files(run):
            copy(path, member(f"{folder}/{path.relative_to(run.path).as_posix()}"), archive)


def files(run: Run) -> Iterator[Path]:
    """What is packed, each file once, in the order in which it is read: a checkpoint before the note beside
    it, which describes it even where a worker replaces both in between."""
    yield from (run.path / name for name in TOP if ours(run.path / name))
    for path in checkpoints(run):
        yield path
        yield path.with_suffix(".json")
    yield from sorted(path for path in run.samples.glob("*.png") if ours(path))


def ours(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def checkpoints(run: Run) -> list[Path]:
    """The best one, where one is kept, and the newest whole one."""
    whole = [
        path for path in sorted(run.checkpoints.glob("*.safetensors")) if ours(path.with_suffix(".json"))
    ]
    best = [path for path in whole if path.stem == "best"]
    steps = [path for path in whole if path.stem.startswith("step-")]
    return [path for path in [*best, *steps[-1:]] if ours(path)]


def member(name: str) -> ZipInfo:
    info = ZipInfo(name, LONG_AGO)
    info.compress_type = ZIP_STORED if name.endswith(DENSE) else ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def copy(path: Path, info: ZipInfo, archive: ZipFile) -> None:
    """The file as long as it is now: a log that grows meanwhile ends there."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return  # a worker has dropped it in the meantime
    with source:
        left = info.file_size = path.stat().st_size
        with archive.open(info, "w") as inside:
            while left and (chunk := source.read(min(CHUNK, left))):
                inside.write(chunk)
                left -= len(chunk)


def readme(run: Run) -> str:
    config = run.config()
    found = checkpoints(run)
    steps = [int(path.stem.removeprefix("step-")) for path in found if path.stem.startswith("step-")]
    best = any(path.stem == "best" for path in found)
    folder = safe(run.name)
    code = "\n".join(f"  {line}".rstrip() for line in snippet(folder).splitlines())
    families = {"vae": "VAE", "gan": "GAN", "vaegan": "VAE-GAN"}
    family = str(config.get("family", ""))
    data = config.get("data")
    return README.format(
        name=run.name, folder=folder, family=families.get(family, family),
        data=data.get("name", "") if isinstance(data, dict) else "", steps=steps[-1] if steps else 0,
        best=f"; the best checkpoint by validation is `{folder}@best`" if best else "", snippet=code,
    )  # fmt: skip
