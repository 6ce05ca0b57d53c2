"""The door of an app that is shared: nobody comes in without its token.

A link brings the token once; from then on a cookie holds it, which no script can read. The door stands before
all that the server does: pages, the web socket, uploads, downloads.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.websockets import WebSocketClose

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # noqa: S105 (its name in the address)
COOKIE = "genlab-token"
HOURS = 12  # that a browser keeps it
CLOSED = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>genlab</title>"
    "<style>body{font:18px/1.6 system-ui;max-width:32em;margin:15vh auto;padding:0 1em}</style>"
    "<h1>This lab is shared by a link</h1><p>Open it with the whole address that you were given, "
    "which ends in <code>?token=…</code>. Whoever started the app sees it in the window that it was started "
    "from. After a new start there is a new one.</p>"
)


class Gate:
    """ASGI middleware that lets through what knows `token`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app, self.token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        if scope["type"] == "http" and self.opens(asked.query_params.get(TOKEN)):
            await self.admitted(asked)(scope, receive, send)
        elif self.opens(asked.cookies.get(COOKIE)):
            await self.app(scope, receive, unreferred(send))
        elif scope["type"] == "http":
            await HTMLResponse(CLOSED, 403)(scope, receive, send)
        else:
            await WebSocketClose(1008, "no token")(scope, receive, send)

    def opens(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())

    def admitted(self, asked: HTTPConnection) -> Response:
        """To the same page without the token in its address, which would be in the history and in every
        link that is copied from it."""
        url = asked.url.remove_query_params(TOKEN)
        place = url.path + (f"?{url.query}" if url.query else "")
        place = "/" + place.lstrip("/\\")  # "//host" would be another server
        response = RedirectResponse(place, 303)
        response.set_cookie(COOKIE, self.token, max_age=3600 * HOURS, httponly=True, samesite="lax")
        return response


def unreferred(send: Send) -> Send:
    """Pages tell no other server where they are."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("Referrer-Policy", "no-referrer")
        await send(message)

    return sent
