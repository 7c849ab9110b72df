"""From a function's signature to the JSON schema that models are shown, and from their arguments back to Python values."""
from __future__ import annotations

import collections.abc
import dataclasses
import enum
import functools
import inspect
import re
import types
import typing
from typing import Annotated, Any, Callable, Literal, Mapping, Union, get_args, get_origin

try:
    from typing import NotRequired, Required
except ImportError:  # Python 3.10
    NotRequired = Required = object()  # type: ignore[assignment]

_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_ARRAYS = (list, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Set,
           collections.abc.Collection, collections.abc.MutableSequence)
_OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


@dataclasses.dataclass
class Signature:
    """What a model is told of a function, and how it is called."""

    description: str
    parameters: dict[str, Any]
    hints: dict[str, Any]
    #: The parameter that gets the call itself instead of an argument.
    call: str | None = None

    def bound(self, arguments: Mapping[str, Any], call: Any = None) -> dict[str, Any]:
        """The keywords to call the function with."""
        given = {name: converted(value, self.hints.get(name, Any)) for name, value in dict.items(dict(arguments))}
        if self.call is not None:
            given[self.call] = call
        return given


def signature_of(function: Callable[..., Any], call_type: type | None = None) -> Signature:
    """Reads a function's annotations, defaults and docstring. A parameter of type `call_type` gets the call itself."""
    hints = _hints(_annotated(function))
    description, texts = _documentation(function)
    properties: dict[str, Any] = {}
    required: list[str] = []
    is_open, call = False, None
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise TypeError(f"a tool takes its arguments by name; {name} of {_name(function)} cannot be given so")
        hint = hints.get(name, Any)
        if call_type is not None and hint is call_type:
            call = name
            continue
        schema = schema_of(hint)
        if name in texts and "description" not in schema:
            schema = {**schema, "description": texts[name]}
        if parameter.default is parameter.empty:
            required.append(name)
        elif _is_json(parameter.default):
            schema = {**schema, "default": _json(parameter.default)}
        properties[name] = schema
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    if not is_open:
        parameters["additionalProperties"] = False
    return Signature(description, parameters, hints, call)


def _annotated(function: Callable[..., Any]) -> Any:
    """Where a function's annotations stand."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__


def schema_of(hint: Any) -> dict[str, Any]:
    """The JSON schema of an annotation; {} (anything) for one that says nothing about JSON."""
    return _schema(hint, ())


def _schema(hint: Any, outer: tuple[Any, ...]) -> dict[str, Any]:
    if hint in outer:  # a type that contains itself
        return {}
    if isinstance(hint, typing.TypeVar):
        return _schema(hint.__bound__, outer) if hint.__bound__ is not None else {}
    if hasattr(hint, "__supertype__"):  # NewType
        return _schema(hint.__supertype__, outer)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        schema = _schema(args[0], outer)
        text = next((extra for extra in args[1:] if isinstance(extra, str)), None)
        return schema if text is None else {**schema, "description": text}
    if origin in (NotRequired, Required):
        return _schema(args[0], outer)
    if origin is Literal:
        return _enumeration([_json(value) for value in args])
    if origin is Union or origin is getattr(types, "UnionType", Union):
        return _union([_schema(arg, outer) for arg in args])
    base = origin or hint
    if hint is None:
        return {"type": "null"}
    if isinstance(base, type) and base in _PLAIN:
        return {"type": _PLAIN[base]}
    if isinstance(base, type) and issubclass(base, enum.Enum):
        return _enumeration([member.value for member in base])
    if base is tuple:
        return _tuple(args, outer)
    if base in _ARRAYS:
        schema = {"type": "array"}
        if base in (set, frozenset, collections.abc.Set):
            schema["uniqueItems"] = True
        if args and args[0] is not Any:
            schema["items"] = _schema(args[0], outer)
        return schema
    if base in _OBJECTS:
        values = _schema(args[1], outer) if len(args) == 2 else {}
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    return _record(hint, outer) if isinstance(hint, type) else {}


def _tuple(args: tuple[Any, ...], outer: tuple[Any, ...]) -> dict[str, Any]:
    if len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": _schema(args[0], outer)}
    if not args:
        return {"type": "array"}
    items = [_schema(arg, outer) for arg in args]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _record(hint: type, outer: tuple[Any, ...]) -> dict[str, Any]:
    """An object whose members the type names."""
    if hasattr(hint, "model_json_schema"):  # a model of pydantic
        schema: dict[str, Any] = hint.model_json_schema()
        return schema
    if dataclasses.is_dataclass(hint):
        fields = [field for field in dataclasses.fields(hint) if field.init]
        names = [field.name for field in fields]
        required = [
            field.name
            for field in fields
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
    elif typing.is_typeddict(hint):
        names = list(hint.__annotations__)
        required = [name for name in names if name in getattr(hint, "__required_keys__", names)]
    elif issubclass(hint, tuple) and hasattr(hint, "_fields"):  # a named tuple
        names = list(hint._fields)
        required = [name for name in names if name not in getattr(hint, "_field_defaults", {})]
    else:
        return {}
    hints = _hints(hint)
    inner = {name: _schema(hints.get(name, Any), (*outer, hint)) for name in names}
    result: dict[str, Any] = {"type": "object", "properties": inner}
    if required:
        result["required"] = required
    return result


def _enumeration(values: list[Any]) -> dict[str, Any]:
    kinds = {_PLAIN.get(type(value)) for value in values}
    schema: dict[str, Any] = {"enum": values}
    return {"type": kinds.pop(), **schema} if len(kinds) == 1 and None not in kinds else schema


def _union(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    if {} in schemas:
        return {}
    if all(set(schema) == {"type"} and isinstance(schema["type"], str) for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def converted(value: Any, hint: Any) -> Any:
    """A value of JSON as the annotation wants it; as it is where that cannot be."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Annotated, NotRequired, Required):
        return converted(value, args[0])
    if origin is Union or origin is getattr(types, "UnionType", Union):
        return _first_fit(value, args)
    base = origin or hint
    if base is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(base, type) and issubclass(base, enum.Enum):
        return base(value)
    if isinstance(value, list) and base in (tuple, set, frozenset, *_ARRAYS):
        return _converted_items(value, base, args)
    if isinstance(value, dict):
        return _converted_members(value, hint, base, args)
    return value


def _first_fit(value: Any, hints: tuple[Any, ...]) -> Any:
    """Of several types the first that the value is of, or that can be made of it."""
    for hint in hints:
        base = get_origin(hint) or hint
        if hint is Any or (isinstance(base, type) and base in _PLAIN and type(value) is base):
            return value
    for hint in hints:
        try:
            made = converted(value, hint)
        except (TypeError, ValueError, KeyError):
            continue
        if made is not value:
            return made
    return value


def _converted_items(value: list[Any], base: Any, args: tuple[Any, ...]) -> Any:
    if base is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        items = [converted(item, args[place] if place < len(args) else Any) for place, item in enumerate(value)]
    else:
        items = [converted(item, args[0]) for item in value] if args else value
    made: Callable[[list[Any]], Any] = {tuple: tuple, set: set, frozenset: frozenset, collections.abc.Set: set}.get(base, list)
    return made(items)


def _converted_members(value: dict[str, Any], hint: Any, base: Any, args: tuple[Any, ...]) -> Any:
    if base in _OBJECTS:
        return {key: converted(member, args[1]) for key, member in dict.items(value)} if len(args) == 2 else value
    if not isinstance(hint, type):
        return value
    if hasattr(hint, "model_validate"):
        return hint.model_validate(value)
    if not (dataclasses.is_dataclass(hint) or typing.is_typeddict(hint) or hasattr(hint, "_fields")):
        return value
    hints = _hints(hint)
    members = {key: converted(member, hints.get(key, Any)) for key, member in dict.items(value)}
    return members if typing.is_typeddict(hint) else hint(**members)


def _hints(thing: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception:  # names that only a type checker knows
        found = getattr(thing, "__annotations__", {})
        return {name: hint for name, hint in found.items() if not isinstance(hint, str)}


def _json(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _is_json(value: Any) -> bool:
    value = _json(value)
    if isinstance(value, (list, tuple)):
        return all(_is_json(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return value is None or isinstance(value, (str, int, bool)) or isinstance(value, float) and value == value and abs(value) != float("inf")


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns?|Yields?|Raises|Examples?|Notes?)\s*:?\s*$")
_FIELD = re.compile(r"^:(?:param|parameter|arg)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$")
_ENTRY = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.+)$")


def _documentation(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The docstring without its list of parameters, and what it says of each of them."""
    lines = (inspect.getdoc(function) or "").splitlines()
    kept: list[str] = []
    texts: dict[str, str] = {}
    section, indent, last = "", 0, ""
    for line in lines:
        stripped = line.strip()
        if match := _SECTION.match(stripped):
            section, last = match[1], ""
            indent = len(line) - len(line.lstrip())
        elif section and stripped and len(line) - len(line.lstrip()) <= indent:
            section = ""
        if match := _FIELD.match(stripped):
            texts[match[1]] = match[2]
        elif stripped.startswith(":") and re.match(r":\w+[^:]*:", stripped):
            continue
        elif section in ("Args", "Arguments", "Parameters"):
            if match := _ENTRY.match(stripped):
                last = match[1]
                texts[last] = match[2]
            elif last and stripped:
                texts[last] += " " + stripped
        elif not section:
            kept.append(line)
    return "\n".join(kept).strip(), texts
