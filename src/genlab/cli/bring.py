"""What brings the lab to a person: the demo, the app, the doctor, the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from genlab import beforehand
from genlab.cli.root import JSON, app, print_json
from genlab.errors import UserError


@app.command(epilog="Examples: [bold]genlab demo[/]   [bold]genlab demo --quick[/]")
def demo(
    quick: Annotated[bool, typer.Option("--quick", help="In under 90 seconds, with rougher images.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="All randomness is a function of it.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the runs and the report; by default under runs/.")
    ] = None,
) -> None:
    """Train a VAE, turn its decoder into a GAN, generate, compare, and write a report. About four minutes."""
    from genlab.cli.demo import run_demo

    run_demo(quick=quick, seed=seed, out=out)


@app.command("app", epilog="Examples: [bold]genlab app --port 8600[/]   [bold]genlab app --share[/]")
def open_app(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    share: Annotated[
        bool, typer.Option("--share", help="Let others in the network in, by a link with a token.")
    ] = False,
    runs: Annotated[
        Path | None, typer.Option(help="Show the runs in this folder, such as a demo's, instead of runs/.")
    ] = None,
) -> None:
    """Open the app in a browser. It listens on this machine only, unless --share says otherwise."""
    import importlib.util
    import runpy

    if runs is not None:
        look_in(runs)
    if importlib.util.find_spec("streamlit") is None:
        raise UserError(
            "the app needs Streamlit, which is not installed: run build.sh or build.bat, or install genlab[app]"
        )
    free = free_port(port)
    if free != port:
        typer.echo(f"port {port} is taken by another program, perhaps by this app in another window")
    page = Path(__file__).parent.parent / "app" / "main.py"
    beforehand.unbind()
    if share:
        sys.argv = ["sharing", str(page), str(free), json.dumps(streamlit_options(free, browser=False))]
        runpy.run_module("genlab.app.sharing", run_name="__main__", alter_sys=True)
        return
    typer.echo(f"the app is at http://127.0.0.1:{free}  (Ctrl-C here ends it; trainings go on)")
    # In this very process, so that what ends it ends the server, and nothing is left behind.
    sys.argv = ["streamlit", "run", str(page), *streamlit_flags(free, browser)]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def look_in(runs: Path) -> None:
    """Make `runs` the folder of the runs for this process and for those that it starts."""
    if not runs.is_dir():
        raise UserError(f"there is no folder {runs}; name with --runs one that holds runs")
    os.environ["GENLAB_RUNS"] = str(runs.resolve())


def streamlit_options(port: int, browser: bool) -> dict[str, str | int | bool]:
    """Streamlit's own defaults listen to the whole network, ask for an e-mail address, and report home."""
    return {
        "server.address": "127.0.0.1", "server.port": port, "server.headless": not browser,
        "server.showEmailPrompt": False, "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False, "client.showErrorDetails": "none", "client.toolbarMode": "viewer",
        "logger.hideWelcomeMessage": True, "logger.level": "warning", "theme.light.primaryColor": "#0072B2",
        "theme.dark.primaryColor": "#2A88C8",
    }  # fmt: skip


def streamlit_flags(port: int, browser: bool) -> list[str]:
    """The same as `streamlit run` takes it."""
    flags = [
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in streamlit_options(port, browser).items()
    ]
    return flags + [f"--server.allowedHosts={host}" for host in ("localhost", "127.0.0.1")]


def free_port(port: int, tries: int = 50) -> int:
    """`port`, or the first one after it on which nothing listens. Raises UserError where all are taken."""
    import socket

    for candidate in range(port, min(port + tries, 65536)):
        with socket.socket() as probe:
            if os.name == "posix":  # a port that was just left counts as free; elsewhere this would steal it
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
        return candidate
    raise UserError(f"the ports from {port} on are all taken; name another one with --port")


@app.command(epilog="Examples: [bold]genlab test[/]   [bold]genlab test --all[/]")
def test(
    everything: Annotated[bool, typer.Option("--all", help="The slow and the browser tests too.")] = False,
) -> None:
    """Run the checks that every change must pass. Needs the project's folder, not only the package."""
    script = Path(__file__).resolve().parents[3] / "scripts" / "check.py"
    if not script.exists():
        raise UserError(
            "genlab test needs the project's folder with its tests; clone the project and run ./lab test"
        )
    beforehand.unbind()
    raise typer.Exit(subprocess.call([sys.executable, str(script), *(["--all"] if everything else [])]))


@app.command(epilog="Example: [bold]genlab doctor --json[/]")
def doctor(json: JSON = False) -> None:
    """Say what this machine has, what would be slow, and what is missing."""
    findings = examine()
    if json:
        print_json([{"what": what, "found": found, "advice": advice} for what, found, advice in findings])
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "what", "found", "advice")
    for what, found, advice in findings:
        table.add_row("[yellow]![/]" if advice else "[green]✓[/]", what, Text(found), Text(advice))
    Console().print(table)


def examine() -> list[tuple[str, str, str]]:
    """(what, what was found, what to do; empty where all is well)."""
    import importlib.util
    import platform
    import shutil
    import time

    import psutil

    began = time.perf_counter()
    import torch

    from genlab.experiment.acceleration import means

    imported = time.perf_counter() - began
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    memory, free = psutil.virtual_memory().available / 2**30, shutil.disk_usage(".").free / 2**30
    busy = psutil.cpu_percent(interval=0.5)
    findings = [
        ("Python", f"{platform.python_version()} on {platform.platform(terse=True)}", ""),
        ("torch", f"{torch.__version__}, imported in {imported:.1f} s", ""),
        ("cores", str(cores), "one core alone trains at about half speed" if cores < 2 else ""),
        (
            "memory",
            f"{memory:.1f} GiB free",
            "close other programs: training wants 1.5 GiB" if memory < 1.5 else "",
        ),
        ("disk", f"{free:.1f} GiB free", "free some space: a run takes up to 50 MB" if free < 1 else ""),
        (
            "load",
            f"{busy:.0f} % of the processor is busy",
            "other programs slow training down" if busy > 50 else "",
        ),
        ("GPU", gpu(), ""),
        ("speed", f"{gemm():.0f} GFLOP/s in fp32 on {torch.get_num_threads()} threads", ""),
        *((name, state, "") for name, state in [*beforehand.settings(), *means()]),
    ]
    for extra, module, gives in (("app", "streamlit", "the app"), ("onnx", "onnxscript", "ONNX export")):
        present = importlib.util.find_spec(module) is not None
        findings.append(
            (gives, "installed" if present else "missing", "" if present else f"install genlab[{extra}]")
        )
    return findings


def gpu() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} (use --device cuda)"
    if torch.backends.mps.is_available():
        return "Apple MPS (use --device mps: fp32, not compiled, and not tried by us)"
    return "none; everything here runs without"


def gemm(size: int = 1024) -> float:
    """The fp32 matrix-product speed of this machine in GFLOP/s, best of five."""
    import time

    import torch

    a = torch.ones(size, size)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e9
