"""A class at the app while it trains: so many browsers, as the server knows them, and one real one."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from genlab.cli.bring import free_port
from genlab.runs.store import Run

from app_browser import Visitor, chromium, server  # isort: skip

RUN = "001-vae-mnist"
PLACES = (f"train?run={RUN}", "", f"train?run={RUN}", "runs", "generate", "explore", "reconstruct", "data")
WATCHED = 30.0  # seconds over which the training's pace is taken
ARRIVING = 0.3  # seconds between two visitors
PATIENCE = 300.0
PROTOCOL = Subprotocol("streamlit")
EARLY = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN


@dataclass
class Visit:
    """One browser's: the seconds until its page was there, None while it is not; those of each run of a part
    of the page since then; and what it would complain of."""

    place: str
    arrived: float | None = None
    again: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Crowd(NamedTuple):
    """What came of all `visits`; seconds until one more page was there, in a real browser; what the server
    weighs, MiB; and the training's pace, as a share of what it was beforehand."""

    visits: list[Visit]
    complaints: list[str]
    one_more: float
    weight: float
    pace: float


def crowd(folder: Path, count: int) -> Crowd:
    run = Run(folder / "runs" / RUN)
    port = free_port(8800)
    training = subprocess.Popen(
        [sys.executable, "-m", "genlab", "train", "vae", "--steps", "10000000", "--out", str(run.path)],
        stdout=subprocess.DEVNULL,
    )
    visits = [Visit(PLACES[number % len(PLACES)]) for number in range(count)]
    try:
        until_it_trains(run)
        alone = pace(run)
        with server(folder, port) as process:
            together, one_more = asyncio.run(together_for(visits, run, port))
            weight = psutil.Process(process.pid).memory_info().rss / 2**20
            alive = process.poll() is None
    finally:
        training.terminate()
        training.wait(60)
    complaints = [f"{visit.place or 'start'}: {words}" for visit in visits for words in visit.complaints]
    complaints += [] if alive else ["the server has ended"]
    complaints += [] if run.status()["state"] == "stopped" else [f"the run is {run.status()['state']}"]
    return Crowd(visits, complaints, one_more, weight, together / alone)


async def together_for(visits: list[Visit], run: Run, port: int) -> tuple[float, float]:
    """The training's pace while all are there, and the seconds that one more takes."""
    await listening(port)
    tasks = []
    for each in visits:
        tasks.append(asyncio.create_task(visit(each, port)))
        await asyncio.sleep(ARRIVING)
    async with asyncio.timeout(PATIENCE):
        while any(each.arrived is None and not each.complaints for each in visits):
            await asyncio.sleep(0.1)
            for task in tasks:
                if task.done():
                    task.result()  # raises what ended it
    together = await asyncio.to_thread(pace, run)
    one_more = await asyncio.to_thread(browsed, port)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return together, one_more


async def visit(mine: Visit, port: int) -> None:
    """Open the page and stay on it, running again what it asks to be run again, as a browser does."""
    page, _, query = mine.place.partition("?")
    asked: list[float] = []  # when, of what was not answered yet; one run may answer several
    again: dict[str, asyncio.Task[None]] = {}

    async def ask(socket: ClientConnection, fragment: str) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string, state.fragment_id = page, query, fragment
        state.is_auto_rerun = bool(fragment)
        state.context_info.url = f"http://127.0.0.1:{port}/{mine.place}"
        asked.append(time.perf_counter())
        await socket.send(message.SerializeToString())

    async def every(socket: ClientConnection, fragment: str, interval: float) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                await ask(socket, fragment)

    address, site = f"ws://127.0.0.1:{port}/_stcore/stream", Origin(f"http://127.0.0.1:{port}")
    try:
        async with connect(address, origin=site, subprotocols=[PROTOCOL], max_size=None) as socket:
            await ask(socket, "")
            async for data in socket:
                message = ForwardMsg.FromString(data)
                kind = message.WhichOneof("type")
                if kind == "auto_rerun":
                    told = message.auto_rerun
                    if told.fragment_id not in again:
                        again[told.fragment_id] = asyncio.create_task(
                            every(socket, told.fragment_id, told.interval)
                        )
                elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                    mine.complaints.append(message.delta.new_element.exception.message[:200])
                elif kind == "script_finished" and asked and message.script_finished != EARLY:
                    taken = time.perf_counter() - asked[0]
                    asked.clear()
                    if mine.arrived is None:
                        mine.arrived = taken
                    else:
                        mine.again.append(taken)
    except (OSError, ConnectionClosed) as error:
        mine.complaints.append(f"{type(error).__name__}: {error}")
    finally:
        for task in again.values():
            task.cancel()


async def listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)


def browsed(port: int) -> float:
    """Seconds until a real browser shows a page."""
    with chromium() as browser, tempfile.TemporaryDirectory() as shots:
        visitor = Visitor(browser, port, "light", Path(shots))
        began = time.perf_counter()
        visitor.visit("runs")
        visitor.page.get_by_role("heading", name="Runs", exact=True).wait_for()
        taken = time.perf_counter() - began
        assert not visitor.complaints, visitor.complaints
        return taken


def until_it_trains(run: Run) -> None:
    deadline = time.monotonic() + 120
    while not (run.path / "config.json").exists() or run.status()["step"] < 100:
        assert time.monotonic() < deadline, "it does not train"
        time.sleep(0.2)


def pace(run: Run) -> float:
    """Its steps a second, from now on."""
    before, began = run.status()["step"], time.monotonic()
    time.sleep(WATCHED)
    return float(run.status()["step"] - before) / (time.monotonic() - began)


def table(folder: Path, count: int, seed: int) -> tuple[list[str], int]:
    """In Markdown; and how many complaints there were."""
    end = crowd(folder, count)
    for words in end.complaints:
        print(words, file=sys.stderr, flush=True)
    arrived = [visit.arrived for visit in end.visits if visit.arrived is not None]
    again = [seconds for visit in end.visits for seconds in visit.again] or [0.0]
    rows: dict[str, str] = {
        "visitors, and complaints of theirs": f"{len(end.visits)}, {len(end.complaints)}",
        "seconds until a visitor's page was whole: median, longest":
            f"{statistics.median(arrived):.1f}, {max(arrived):.1f}",
        "seconds until a part of it was drawn again: median, longest":
            f"{statistics.median(again):.2f}, {max(again):.2f}",
        "seconds until a real browser showed one more page": f"{end.one_more:.1f}",
        "the server's memory": f"{end.weight:.0f} MiB",
        "the training's pace": f"{100 * end.pace:.0f} % of its pace alone",
    }  # fmt: skip
    return [
        "| what | measured |",
        "|---|---|",
        *(f"| {what} | {said} |" for what, said in rows.items()),
    ], len(end.complaints)
