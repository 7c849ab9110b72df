"""The shared library: where it lies, its functions, and strings that come from it."""
from __future__ import annotations

import ctypes
import os
import pathlib
from typing import Any, Iterator

VERSION = "0.1.0"
FILE = "libtandem.so.0"

OK, PENDING, ALREADY, LIMIT = 0, 1, 2, -12

_POINTER, _TEXT, _ID, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_int32
_ERROR = ctypes.POINTER(ctypes.c_void_p)
# Texts that must be freed are void pointers: ctypes would copy a char pointer and lose its address.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "tandem_version": (ctypes.c_uint32, []),
    "tandem_build_info": (_TEXT, []),
    "tandem_status_name": (_TEXT, [_INT]),
    "tandem_status": (_INT, [_TEXT]),
    "tandem_describe": (_POINTER, [_TEXT]),
    "tandem_free": (None, [_POINTER]),
    "tandem_set_log": (_INT, [_POINTER, _POINTER, _POINTER, _INT]),
    "tandem_open": (_POINTER, [_TEXT, _ERROR]),
    "tandem_close": (_INT, [_POINTER, _INT]),
    "tandem_stats": (_POINTER, [_POINTER]),
    "tandem_call": (_POINTER, [_POINTER, _TEXT, _TEXT]),
    "tandem_submit": (_ID, [_POINTER, _TEXT, _TEXT, _ERROR]),
    "tandem_stream": (_ID, [_POINTER, _TEXT, _TEXT, _POINTER, _POINTER, _POINTER, _ERROR]),
    "tandem_wait": (_POINTER, [_POINTER, _ID, _INT]),
    "tandem_cancel": (_INT, [_POINTER, _ID]),
    "tandem_pause": (_INT, [_POINTER, _ID, _INT]),
    "tandem_pump": (_INT, [_POINTER, _INT, _INT]),
    "tandem_next": (_POINTER, [_POINTER, _INT, _INT]),
    "tandem_set_handler": (_INT, [_POINTER, _POINTER, _POINTER, _POINTER]),
    "tandem_wakeup_fd": (_INT, [_POINTER]),
    "tandem_set_wakeup": (_INT, [_POINTER, _POINTER, _POINTER, _POINTER]),
    "tandem_wake": (_INT, [_POINTER]),
    "tandem_provide": (_ID, [_POINTER, _TEXT, _POINTER, _POINTER, _POINTER, _ERROR]),
    "tandem_withdraw": (_INT, [_POINTER, _ID]),
    "tandem_reply": (_INT, [_POINTER, _ID, _TEXT]),
    "tandem_reply_chunk": (_INT, [_POINTER, _ID, _TEXT]),
    "tandem_reply_wanted": (_INT, [_POINTER, _ID]),
    "tandem_get": (_POINTER, [_TEXT, _TEXT]),
    "tandem_quote": (_POINTER, [_TEXT]),
}


def candidates() -> Iterator[str]:
    """Where the library may lie: LIBTANDEM_PATH alone, or this package, a source tree around it, the system."""
    if given := os.environ.get("LIBTANDEM_PATH"):
        yield os.path.join(given, FILE) if os.path.isdir(given) else given
        return
    package = pathlib.Path(__file__).resolve().parent
    places = [package, *(parent / "build" / "lib" for parent in package.parents[1:4])]
    yield from (str(place / FILE) for place in places if (place / FILE).exists())
    yield FILE


def _load() -> ctypes.CDLL:
    tried = []
    for path in candidates():
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            tried.append(f"{path}: {error}")
            continue
        _declare(library, path)
        return library
    raise ImportError("libtandem.so.0 cannot be loaded; set LIBTANDEM_PATH. Tried " + "; ".join(tried))


def _declare(library: ctypes.CDLL, path: str) -> None:
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{path} has no {name}: it is no libtandem {VERSION}") from None
        function.restype, function.argtypes = result, arguments
    # Functions are only ever added, so a later library of the same series serves an older package.
    version = library.tandem_version()
    major, minor, patch = map(int, VERSION.split("."))
    if version >> 16 != major or version >> 8 & 255 < minor or version & 0xFFFF < minor << 8 | patch:
        found = f"{version >> 16}.{version >> 8 & 255}.{version & 255}"
        raise ImportError(f"{path} is libtandem {found}; this package needs {VERSION}")


lib = _load()


def taken(pointer: int | None) -> bytes:
    """A text that the library gave away; it is freed."""
    if not pointer:
        return b"null"
    try:
        return ctypes.string_at(pointer)
    finally:
        lib.tandem_free(pointer)
