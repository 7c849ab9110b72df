"""From Python's arguments to the library's JSON, and from a result to what a method returns."""
from __future__ import annotations

import json
import os
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Mapping

from ._errors import failure

# Options of a call: `timeout_ms=5` is the library's "$timeout_ms". Any other name is an argument, in any spelling that
# the contract accepts.
OPTIONS = frozenset(
    "act_as body coalesce_ms fold headers on_conflict reconnect reply_limit_bytes retries strict tag take timeout_ms"
    " vocabulary".split()
)

# An argument that is sent as null, where None means that it is not sent.
NULL: Any = object()


def packed(
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    payload: Any = None,
    fields: Mapping[str, Any] | None = None,
    keep_none: bool = False,
    body: str = "",
) -> bytes:
    """The JSON of a call. A parameter that is None is not sent; None inside a payload or another value is null.

    body: "empty" sends it as {} when it has no member; "open" sends keywords that are no arguments in it.
    """
    if not options and not fields and payload is None and not body:
        return _plainly(arguments, keep_none)
    given = {name: value for name, value in arguments.items() if keep_none or value is not None}
    others = {name: value for name, value in options.items() if not _is_option(name)}
    named = {name: value for name, value in {**(fields or {}), **others}.items() if value is not None}
    if body == "open":
        given["$body"] = {**named, **others}
    elif payload is not None:
        given = _with_payload(given, named, payload)
    else:
        given = {**named, **given}
        if body == "empty" and not named and "body" not in options:
            given["$body"] = {}
    for name, value in options.items():
        if name == "timeout" and value is not None:
            given["$timeout_ms"] = milliseconds(value)
        elif name.startswith("$"):
            given[name] = value
        elif name in OPTIONS and value is not None:
            given["$" + name] = value
    return encoded(given)


def _plainly(arguments: Mapping[str, Any], keep_none: bool) -> bytes:
    """The JSON of nothing but arguments: mostly of a few texts, for which an encoder is the longer way."""
    members = []
    for name, value in arguments.items():
        if type(value) is str and type(name) is str:
            members.append(f"{_quoted(name)}:{_quoted(value)}")
        elif keep_none or value is not None:
            return encoded({name: value for name, value in arguments.items() if keep_none or value is not None})
    return f"{{{','.join(members)}}}".encode()


def _is_option(name: str) -> bool:
    return name in OPTIONS or name == "timeout" or name.startswith("$")


def _with_payload(given: dict[str, Any], named: dict[str, Any], payload: Any) -> dict[str, Any]:
    members = payload if isinstance(payload, Mapping) else _dumped(payload)
    if not isinstance(members, Mapping):
        return {**named, **given, "$body": payload}
    body = {**members, **named}
    # A key that is also the name of a path or query argument would be taken for that.
    if not body or any(name in given or name.startswith("$") for name in body):
        return {**given, "$body": body}
    return {**body, **given}


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def encoded(value: Any) -> bytes:
    try:
        return _encoder.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise failure("invalid_argument", -2, f"not JSON: {error}") from None


def _plain(value: Any) -> Any:
    """What JSON makes of values that are no JSON."""
    if value is NULL:
        return None
    if hasattr(value, "model_dump"):
        return _dumped(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (set, frozenset, range)):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _dumped(value: Any) -> Any:
    """A model of another library as what was set in it."""
    return value.model_dump(mode="json", exclude_none=True) if hasattr(value, "model_dump") else value


# Made once: json.dumps makes an encoder for each call that has options.
_encoder = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",", ":"))


def picked(value: Any, pick: str | None) -> Any:
    """What a method returns of a result: all of it (""), one member, or nothing (None)."""
    if pick is None:
        return None
    return value[pick] if pick and isinstance(value, dict) and pick in value else value


def configuration(base_url: str | None, token: str | None, timeout: float | None, options: Mapping[str, Any]) -> bytes:
    """The configuration of tandem_open."""
    settings = {name: value for name, value in options.items() if value is not None}
    if base_url is not None:
        settings["url"] = base_url
    if token is not None:
        settings["token"] = token
    if timeout is not None:
        settings["timeout_ms"] = milliseconds(timeout)
    return encoded(settings)
