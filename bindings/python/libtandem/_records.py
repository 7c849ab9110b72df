"""Results and events: dictionaries whose members are attributes too."""
from __future__ import annotations

import json
import re
from typing import Any, Callable, Iterator


class Record(dict[str, Any]):
    """A JSON object. `record.run_id` is `record["run_id"]`; where the engine writes `runId` or `runID`, both spellings reach it.

    A member that is not there raises AttributeError, or KeyError by item. Equality, len, iteration and json.dumps are
    those of a dictionary. Results of a known kind are Models, which know what else may be there.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if not name.startswith("__"):
            for other in _spellings(name):
                if other in self:
                    return self[other]
        raise AttributeError(f"this record has no {name!r}; it has: {', '.join(self) or 'nothing'}")

    def __missing__(self, name: Any) -> Any:
        for other in _spellings(name) if isinstance(name, str) else ():
            if other in self:
                return self[other]
        raise KeyError(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(key for key in self if key.isidentifier())]

    def __copy__(self) -> Record:
        return Record(self)

    # Lists of the API are often called items: such a member is a list that can still be called as the method.
    @property
    def items(self) -> Any:
        return self._member_or("items", super().items)

    @property
    def keys(self) -> Any:
        return self._member_or("keys", super().keys)

    @property
    def values(self) -> Any:
        return self._member_or("values", super().values)

    def _member_or(self, name: str, method: Callable[[], Any]) -> Any:
        member = self.get(name)
        return CallableList(member, method) if isinstance(member, list) else method

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """Plain dictionaries and lists, all the way down."""
        return {key: plain(value) for key, value in dict.items(self)}

    def model_dump_json(self, *, indent: int | None = None, **_: Any) -> str:
        return json.dumps(self.model_dump(), indent=indent, ensure_ascii=False)


class CallableList(list[Any]):
    """A member's list under the name of a dictionary's method."""

    __slots__ = ("_method",)

    def __init__(self, members: list[Any], method: Callable[[], Any]) -> None:
        super().__init__(members)
        self._method = method

    def __call__(self) -> Any:
        return self._method()

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def plain(value: Any) -> Any:
    """A value without records in it."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in dict.items(value)}
    return [plain(member) for member in value] if isinstance(value, list) else value


def _spellings(name: str) -> Iterator[str]:
    """The other ways to write a name: run_id, runId, runID."""
    if "_" in name:
        head, *words = name.split("_")
        camel = head + "".join(word[:1].upper() + word[1:] for word in words)
        yield camel
        if camel != (upper := re.sub(r"(Id|Url|Ms)(?=[A-Z]|$)", lambda match: match[0].upper(), camel)):
            yield upper
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if snake != name:
        yield snake
        yield from _spellings(snake)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


_decoder = json.JSONDecoder(object_hook=Record, strict=False)
_patient = json.JSONDecoder(object_hook=Record, strict=False, parse_int=_number)
_scan: Callable[[str, int], tuple[Any, int]] = getattr(_decoder, "scan_once")


def decoded(text: bytes) -> Any:
    """A JSON text of the library, its objects as records."""
    try:
        # The library writes no white space around a text, which decode() would look for.
        return _scan(text.decode(), 0)[0]
    except (ValueError, StopIteration):
        # Python refuses whole numbers of more than 4300 digits, or of what sys.set_int_max_str_digits says.
        return _patient.decode(text.decode())
