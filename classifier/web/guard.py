"""What a request must be before anything reads it: small enough, from this site, with the token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_JSON = 32 << 20
MOST_FILE = 512 << 20
"""Bytes of a body."""

_FILES = ("/api/v1/files", "/api/v1/label")
_OPEN_WITHOUT_TOKEN = ("/", "/healthz")
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
}
DOCS_POLICY = SECURITY_HEADERS["content-security-policy"].replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)


class Guard:
    """Middleware in front of every request.

    Parameters
    ----------
    app : ASGI application
    hosts : set of str
        Names that the Host header may hold, so that a foreign name that was made to point at this
        machine (DNS rebinding) reaches nothing.
    token : str or None
        Asked for as ``Authorization: Bearer`` before the API answers, if given.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], token: str | None) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; hand on the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(scope, send)
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, send)
            return
        limit = MOST_FILE if scope["path"].startswith(_FILES) else MOST_JSON
        if int(headers.get("content-length") or 0) > limit:
            await too_large(limit)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)

    def _refused(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname if host.isprintable() else None
        if name is None or name.lower() not in self._hosts:
            return error(421, "this server answers to its own address alone")
        if not (headers.get("content-length") or "0").isdigit():
            return error(400, "the header Content-Length is not a number")
        if scope["method"] in _CHANGING and not _same_site(headers, host):
            return error(403, "requests from other sites are refused")
        if self._token and not self._may_pass(scope["path"], headers):
            return error(401, "give the token as 'Authorization: Bearer TOKEN'")
        return None

    def _may_pass(self, path: str, headers: Headers) -> bool:
        if path in _OPEN_WITHOUT_TOKEN or path.startswith("/static/"):
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), (self._token or "").encode())
        return right and scheme.lower() == "bearer"


class BodyTooLarge(Exception):
    """A body without a length that went over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


def error(status: int, message: str) -> JSONResponse:
    """An error as every endpoint gives it."""
    return JSONResponse({"error": message}, status_code=status)


def too_large(limit: int) -> JSONResponse:
    """The answer to a body over the limit."""
    return error(413, f"the body is larger than {limit >> 20} MB: send less at a time")


def _same_site(headers: Headers, host: str) -> bool:
    """Whether a browser sent this from our own page, or something that is no browser did."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == host


def _counted(receive: Receive, limit: int) -> Receive:
    """Stop a body that lied about its length."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge(limit)
        return message

    return counted


def _with_headers(scope: Scope, send: Send) -> Callable[[MutableMapping[str, Any]], Awaitable[None]]:
    """Send with the security headers."""
    own = SECURITY_HEADERS | (
        {"content-security-policy": DOCS_POLICY} if scope["path"].startswith("/docs") else {}
    )
    lines = [(name.encode(), value.encode()) for name, value in own.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *lines]
        await send(message)

    return sending
