"""An app that is shared: nobody comes in without the token, and no file of the machine is read."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit")

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from genlab.app import sharing
from genlab.app.forms.asked import known
from genlab.app.gate import COOKIE, Gate
from genlab.errors import UserError

from app_pages import open_page, shown  # isort: skip
from test_app_server import answer, stream, unused

TOKEN = "the-right-one"


async def inside(request: Any) -> PlainTextResponse:
    return PlainTextResponse("inside")


APP = Starlette(
    routes=[Route("/{place:path}", inside, methods=["GET", "PUT"])],
    middleware=[Middleware(Gate, token=TOKEN)],
)


def ask(
    path: str, cookie: str = "", *, method: str = "GET", kind: str = "http"
) -> tuple[int, dict[str, str]]:
    """The status and the headers that the gate answers, or the code by which it closes a web socket."""
    place, _, query = path.partition("?")
    headers = [(b"host", b"lab.example"), *([(b"cookie", cookie.encode())] if cookie else [])]
    scope = {
        "type": kind, "method": method, "path": place, "raw_path": place.encode(), "headers": headers,
        "query_string": query.encode(), "scheme": "http", "server": ("lab.example", 80), "root_path": "",
        "http_version": "1.1", "subprotocols": [],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"} if kind == "http" else {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(APP(scope, receive, send))
    first = sent[0]
    told = {name.decode().lower(): value.decode() for name, value in first.get("headers", ())}
    return first.get("status", first.get("code", 0)), told


@pytest.mark.parametrize(
    "path", ["/", "/train", "/_stcore/health", "/media/a.png", "/?token=", "/?token=wrong"]
)
@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=wrong", f"other={TOKEN}", f"{COOKIE}="])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_nobody_comes_in_without_the_token(path: str, cookie: str, method: str) -> None:
    assert ask(path, cookie, method=method)[0] == 403


def test_a_web_socket_is_closed_before_it_is_open() -> None:
    assert ask("/_stcore/stream", kind="websocket")[0] == 1008
    assert ask(f"/_stcore/stream?token={TOKEN}", kind="websocket")[0] == 1008, "a cookie it must be"


def test_the_link_brings_a_cookie_and_leads_on_without_the_token() -> None:
    status, headers = ask(f"/explore?run=a+b&token={TOKEN}&z=1%2C2")
    assert status == 303
    assert headers["location"] == "/explore?run=a+b&z=1%2C2"
    cookie = headers["set-cookie"]
    assert f"{COOKIE}={TOKEN}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    status, headers = ask("/explore?run=a+b", f"{COOKIE}={TOKEN}")
    assert status == 200
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["//elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
def test_it_leads_to_no_other_server(path: str) -> None:
    _, headers = ask(f"{path}?token={TOKEN}")
    assert re.match(r"/(?![/\\])", headers["location"]), headers["location"]


@pytest.mark.slow
def test_the_shared_app_as_a_process(tmp_path: Path) -> None:
    port = unused()
    with shared_server(tmp_path, port) as (said, link):
        assert "can train, look at, change and delete" in said
        assert answer(port) == 403
        assert answer(port, path="/_stcore/health") == 403
        assert stream(port, f"127.0.0.1:{port}") == 403
        path = "/" + link.partition("//")[2].partition("/")[2]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path)
        reply = connection.getresponse()
        reply.read()
        assert reply.status == 303
        cookie = str(reply.getheader("Set-Cookie")).partition(";")[0]
        connection.request("GET", str(reply.getheader("Location")), headers={"Cookie": cookie})
        reply = connection.getresponse()
        assert reply.status == 200
        assert b"<title>" in reply.read()
        connection.close()
        token = cookie.partition("=")[2]
        assert len(token) > 20
        assert stream_with(port, cookie) == 101


def stream_with(port: int, cookie: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    host = f"127.0.0.1:{port}"
    connection.request(
        "GET", "/_stcore/stream",
        headers={
            "Host": host, "Origin": f"http://{host}", "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Cookie": cookie,
        },
    )  # fmt: skip
    status = connection.getresponse().status
    connection.close()
    return status


class shared_server:  # noqa: N801 (a context, as the others)
    """`genlab app --share`, with what it says up to the end of its first words, and its link."""

    def __init__(self, folder: Path, port: int) -> None:
        environment = {**os.environ, "HOME": str(folder), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "genlab.cli", "app", "--share", "--no-browser", "--port", str(port)],
            cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> tuple[str, str]:
        assert self.process.stdout is not None
        said = ""
        while "network that you trust" not in said:
            line = self.process.stdout.readline()
            assert line, said
            said += line
        link = re.search(r"http://\S+token=\S+", said)
        assert link is not None
        return said, link[0]

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sharing.SHARED, "1")


@pytest.mark.parametrize("data", ["/etc", "~/pictures", "../elsewhere", ".", "mnist/../../etc"])
def test_no_folder_of_the_machine_is_read(shared: None, runs: Path, data: str) -> None:
    with pytest.raises(UserError, match="reads no folder of the machine"):
        sharing.check(data)
    page = open_page("data", data=data)
    assert not page.exception
    assert "reads no folder of the machine" in shown(page, "warning")


def test_named_sets_and_uploads_are(shared: None, runs: Path) -> None:
    sharing.check("mnist")
    sharing.check(str(runs.resolve() / ".uploads" / "cats-1a2b3c4d"))
    with pytest.raises(UserError):
        sharing.check(str(runs / ".uploads" / ".." / "001-vae-mnist"))


def test_at_home_all_of_it_is(runs: Path) -> None:
    sharing.check("/etc")


def test_no_setting_of_a_form_names_a_file() -> None:
    paths = [path for path, setting in known().items() if path.endswith(("name", "start", "path", "folder"))]
    assert [path for path in paths if path not in ("objective.name",)] == []
