"""`genlab app` as a process: where it listens, whom it answers, and what ends with it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from genlab.cli.bring import free_port, look_in, streamlit_flags
from genlab.errors import UserError
from genlab.runs.store import create_run, list_runs

pytest.importorskip("streamlit")


@contextmanager
def server(folder: Path, *, port: int) -> Iterator[subprocess.Popen[str]]:
    """The app in an empty home, on `port` or after it, with its output to be read."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "genlab.cli", "app", "--no-browser", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, text=True, encoding="utf-8", stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answer(port: int, host: str = "127.0.0.1", path: str = "/") -> int:
    """The status that the server answers to a request that calls it `host`, once it is up."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": f"{host}:{port}"})
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def stream(port: int, host: str, origin: str = "") -> int:
    """The status that a page gets which asks for the app's WebSocket: 101, or a refusal."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {
        "Host": host, "Origin": origin or f"http://{host}", "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def unused() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_that_is_taken_leads_to_the_next() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 50


def test_the_folder_of_the_runs_can_be_named(runs: Path, tmp_path: Path) -> None:
    """`runs` also gives the variable of the environment back."""
    with pytest.raises(UserError, match=r"there is no folder .*elsewhere; name with --runs"):
        look_in(tmp_path / "elsewhere")
    assert Path(os.environ["GENLAB_RUNS"]) == runs
    demo = tmp_path / "a demo"
    create_run("vae", {}, demo / "1-vae")
    look_in(demo)
    assert [run.name for run in list_runs()] == ["1-vae"]
    assert list_runs()[0].path.is_absolute(), "who is started elsewhere looks there, too"


def test_streamlit_knows_every_flag_that_it_is_given() -> None:
    from streamlit import config

    for flag in streamlit_flags(8501, browser=True):
        name = flag.removeprefix("--").partition("=")[0]
        assert name in config.get_config_options(), name


@pytest.mark.slow
def test_it_listens_on_this_machine_only_and_asks_nothing(tmp_path: Path) -> None:
    port = unused()
    with server(tmp_path, port=port) as process:
        assert answer(port) == 200
        assert answer(port, "localhost") == 200
        assert answer(port, path="/_stcore/health") == 200
        assert stream(port, f"127.0.0.1:{port}") == 101
        assert stream(port, f"rebound.example:{port}") == 403
        assert stream(port, f"127.0.0.1:{port}", origin="http://elsewhere.example") == 403
        listening = [c for c in psutil.Process(process.pid).net_connections("inet") if c.status == "LISTEN"]
        assert {(c.laddr.ip, c.laddr.port) for c in listening} == {("127.0.0.1", port)}
        assert not list((tmp_path / "home").rglob("credentials.toml"))
        process.terminate()
        assert process.wait(15) in (0, -signal.SIGTERM)
        assert process.stdout is not None
        said = process.stdout.read()
        assert f"http://127.0.0.1:{port}" in said
        assert "mail" not in said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_the_server_ends_no_training(
    tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """A worker is started as the page starts it, from a process that then gets the signal with its group."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport time; time.sleep(60)\n")
    script.chmod(0o755)
    body = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        f"sys.executable = {str(script)!r}\nfrom genlab.app import launches\n"
        "print(launches.begin('vae', 'mnist', 5, []).pid, flush=True)\ntime.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", body], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    try:
        os.killpg(parent.pid, number)
        parent.wait(15)
        assert worker.is_running()
        assert worker.status() != psutil.STATUS_ZOMBIE
    finally:
        worker.kill()
        parent.kill()
        parent.wait()
        parent.stdout.close()
