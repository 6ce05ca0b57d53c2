"""What differs where an app is shared with others: who comes in, and which images may be named."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

import psutil

from genlab.data.catalogue import CATALOGUE
from genlab.errors import UserError
from genlab.runs.store import runs_root

SHARED = "GENLAB_SHARED"
MEANS = (
    "Whoever has this link can train, look at, change and delete runs on this machine, until Ctrl-C here. "
    "Images come from the named sets and from uploads; no other file of this machine can be read. The link "
    "is not encrypted on its way: share it in a network that you trust."
)


def shared() -> bool:
    return bool(os.environ.get(SHARED))


def check(data: str) -> None:
    """Raises UserError where a visitor of a shared app names images that lie elsewhere on the machine."""
    if not shared() or data in CATALOGUE:
        return
    uploads = runs_root().resolve() / ".uploads"
    if uploads not in Path(data).expanduser().resolve().parents:
        raise UserError(
            "this app is shared, and reads no folder of the machine that it runs on: choose a named set, or "
            "upload your images on the page Data"
        )


def addresses() -> list[str]:
    """Those of this machine in its networks, IPv4."""
    found = [
        each.address
        for of_one in psutil.net_if_addrs().values()
        for each in of_one
        if each.family == socket.AF_INET and not each.address.startswith("127.")
    ]
    return sorted(set(found))


def serve(page: Path, port: int, config: dict[str, Any]) -> None:
    """Serve the app at `page` to all networks of this machine, behind a new token, until it is ended."""
    import streamlit as st
    from starlette.middleware import Middleware

    from genlab.app.gate import TOKEN, Gate

    token = secrets.token_urlsafe(16)
    os.environ[SHARED] = "1"
    hosts = [*addresses(), socket.gethostname(), "localhost", "127.0.0.1"]
    for host in addresses() or ["127.0.0.1"]:
        print(f"the app is at http://{host}:{port}/?{TOKEN}={token}", flush=True)
    print(MEANS, flush=True)
    sys.argv = [str(page)]  # from which Streamlit learns where pages lie
    app = st.App(page, middleware=[Middleware(Gate, token=token)])
    app.run(config={**config, "server.address": "0.0.0.0", "server.allowedHosts": hosts})  # noqa: S104 (asked for)


if __name__ == "__main__":
    place, number, options = sys.argv[1:]
    serve(Path(place), int(number), json.loads(options))
