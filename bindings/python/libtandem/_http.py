"""What programs written for httpx find in an exception: `.response`, `.request`, and httpx's own classes above it."""
from __future__ import annotations

import json
import sys
from http import HTTPStatus
from typing import Any, Dict, Mapping, NamedTuple, Tuple, Type

# httpx's class for an error that is no reply of the engine.
TRANSPORT = {
    "timeout": "ReadTimeout",
    "engine_unavailable": "ConnectError",
    "engine_starting": "ConnectError",
    "tls": "ConnectError",
    "protocol": "RemoteProtocolError",
}


class Request(NamedTuple):
    """The request that failed; a `{name}` in its path stands for an argument."""

    method: str
    url: str


class Response:
    """The engine's reply, as far as the error tells it."""

    def __init__(self, status_code: int, body: Any, request: Request) -> None:
        self.status_code = status_code
        self.request = request
        self.headers: Dict[str, str] = {}
        self._body = body

    @property
    def text(self) -> str:
        return self._body if isinstance(self._body, str) else json.dumps(self._body, ensure_ascii=False)

    @property
    def content(self) -> bytes:
        return self.text.encode()

    @property
    def reason_phrase(self) -> str:
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def is_error(self) -> bool:
        return self.status_code >= 400

    def json(self) -> Any:
        return json.loads(self.text)


_kinds: Dict[Tuple[Type[BaseException], str], Type[BaseException]] = {}


def dressed(kind: Type[BaseException], name: str, status: int | None) -> Type[BaseException]:
    """The class that is raised: `kind`, and httpx's as well in a program that uses httpx."""
    httpx = sys.modules.get("httpx")
    above = "HTTPStatusError" if status is not None and status >= 400 else TRANSPORT.get(name)
    if httpx is None or above is None or not isinstance(base := getattr(httpx, above, None), type):
        return kind
    if (kind, above) not in _kinds:
        members = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        _kinds[kind, above] = type(kind.__name__, (kind, base), members)
    return _kinds[kind, above]


def request_of(operation: Mapping[str, Any] | None) -> Request:
    """The request of an operation, as tandem_describe gives it."""
    method, _, path = str((operation or {}).get("request") or "").partition(" ")
    return Request(method or "GET", path)
