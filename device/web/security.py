"""Who may ask, and what a browser may do with the answers.

Against whom: other machines on the network (token), other web sites in the visitor's browser (origin, host name,
and the headers that forbid embedding), and anything that got into a page (content security policy).
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer_edge.device.web.serving import Serving, is_loopback

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from another host, nothing written into the page, no framing (W3C, Content Security Policy Level 3)."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

OPEN = "/static/"
"""What is served without a token: the files that everybody can read in the package."""

DAYS = 30
"""For which a browser keeps the token."""

FORM_BYTES, FORM_TIMEOUT_S = 1024, 10.0
"""Of the form with the token."""

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Turns away who may not ask, and adds `HEADERS` to every answer; an ASGI application around another."""

    def __init__(self, app: ASGIApp, serving: Serving, refusal: str) -> None:
        """Wrap an application.

        Args:
            app: what answers those who may ask.
            serving: the token, and the address.
            refusal: the page for a visitor without a token, HTML.
        """
        self._app = app
        self._token = serving.token
        self._refusal = refusal
        self._cookie = f"fer_edge_{serving.listen.port}"
        self._secure = "; Secure" if serving.certificate else ""
        # Without a token, a web site could name this machine under its own name (DNS rebinding) and then read.
        self._names = LOCAL_NAMES | {serving.listen.host} if is_loopback(serving.listen.host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if self._token is not None and _is_form(scope):
            refused: Response | None = await self._answer_form(scope, receive)
        else:
            refused = self._check(scope)
        if refused is None:
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before accepting: status 403
        else:
            await refused(scope, receive, send_guarded)

    def _check(self, scope: Scope) -> Response | None:
        """Return what to answer instead; None if the request may pass."""
        headers, path = Headers(scope=scope), scope["path"]
        if self._token is None and self._names is not None and _host_name(headers.get("host", "")) not in self._names:
            return _refuse(403, "this address is answered under the names localhost and 127.0.0.1 only")
        if not _is_same_origin(scope, headers):
            return _refuse(403, "pages of other addresses may not ask here")
        if self._token is None or path.startswith(OPEN):
            return None
        if self._is_token(_cookie(headers, self._cookie)) or self._is_token(_bearer(headers)):
            return None
        if path.startswith("/api/"):
            return _refuse(401, "expected the token, as 'Authorization: Bearer TOKEN'", {"WWW-Authenticate": "Bearer"})
        return HTMLResponse(self._refusal, 401)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self._token or "").encode())

    async def _answer_form(self, scope: Scope, receive: Receive) -> Response:
        """Keep a token that was typed into `refusal` in a cookie; an address would bring it into logs and histories."""
        try:
            async with asyncio.timeout(FORM_TIMEOUT_S):
                fields = dict(parse_qsl((await _body(receive)).decode("latin-1")))
        except TimeoutError:
            return _refuse(408, "the form did not come in time")
        if not self._is_token(fields.get("token", "")):
            return HTMLResponse(self._refusal, 401)
        # A path of two slashes would be another host's address.
        response = RedirectResponse("/" + scope["path"].lstrip("/\\"), 303)
        cookie = f"{self._cookie}={self._token}; Path=/; Max-Age={DAYS * 86400}; HttpOnly; SameSite=Strict"
        response.headers["Set-Cookie"] = cookie + self._secure
        return response


def _is_form(scope: Scope) -> bool:
    """Say whether a request is the form of the refusal; of whatever origin, for who sends it knows the token or not."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].startswith("/api/"):
        return False
    return Headers(scope=scope).get("content-type", "").partition(";")[0] == "application/x-www-form-urlencoded"


async def _body(receive: Receive) -> bytes:
    """Return the body of a request, or what came until it was longer than `FORM_BYTES`."""
    body, more = b"", True
    while more and len(body) <= FORM_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body[:FORM_BYTES]


def _refuse(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps({"error": message}), status, headers, "application/json")


def _is_same_origin(scope: Scope, headers: Headers) -> bool:
    """Say whether a request comes from a page of ours, from a typed address, or from no browser at all."""
    origin = headers.get("origin")
    if origin is not None and (scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")):
        try:
            return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
        except ValueError:
            return False
    foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return not (foreign and scope["path"].startswith("/api/"))


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _cookie(headers: Headers, name: str) -> str:
    # Not http.cookies, which drops all at one malformed pair: browsers send those of other ports of this host as well.
    return cookie_parser(headers.get("cookie", "")).get(name, "")


def _bearer(headers: Headers) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""
