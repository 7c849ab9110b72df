"""Records that know which members they have: the classes of types.py, and how results become them."""
from __future__ import annotations

import copy
import json
from typing import Any, ClassVar, Dict, Iterator, Mapping, Set, Tuple, Type, TypeVar

from ._errors import failure
from ._records import CallableList, Record, plain

_M = TypeVar("_M", bound="Model")


class Model(Record):
    """A record of a known kind. A member that it may have and has not is its default, mostly None.

    As a dictionary it is what the engine said, whole; model_dump gives the known members under their documented names.
    """

    __slots__ = ()
    #: Each member's other spellings.
    _fields: ClassVar[Mapping[str, Tuple[str, ...]]] = {}
    #: Members that are models themselves, with their type in the contract's notation.
    _models: ClassVar[Mapping[str, str]] = {}
    _constants: ClassVar[Mapping[str, Any]] = {}
    _defaults: ClassVar[Mapping[str, Any]] = {}
    _required: ClassVar[Tuple[str, ...]] = ()
    #: What becomes of other members in model_dump: "ignore", "allow", or "forbid" which also refuses them when one is made.
    _extra: ClassVar[str] = "ignore"
    #: Members that are models by every spelling, with their type.
    _inner: ClassVar[Tuple[Tuple[str, str], ...]] = ()
    model_fields: ClassVar[Mapping[str, Tuple[str, ...]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.model_fields = cls._fields
        cls._inner = tuple((key, kind) for name, kind in cls._models.items() for key in (name, *cls._fields[name]))

    def __init__(self, members: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        super().__init__()
        given = {**(members or {}), **named}
        for name, spellings in self._fields.items():
            found = next((key for key in (name, *spellings) if key in given), None)
            if found is not None:
                self[name] = given.pop(found)
        for name, value in self._constants.items():
            if name in self._defaults:
                self.setdefault(name, value)
        wrong = [f"{name} is missing" for name in self._required if name not in self]
        if self._extra == "forbid":
            wrong += [f"{name} is unknown" for name in given]
        if wrong:
            raise failure("invalid_argument", -2, f"{type(self).__name__}: {', '.join(wrong)}")
        self.update(given)
        for name, kind in self._models.items():
            if name in self:
                self[name] = typed(_recorded(self[name]), kind)

    def __getattr__(self, name: str) -> Any:
        spellings = self._fields.get(name)
        if spellings is None:
            return super().__getattr__(name)
        for key in (name, *spellings):
            if key in self:
                return self[key]
        return self._absent(name)

    def _absent(self, name: str) -> Any:
        for frame in _frames(self) if "type" in self._fields else ():
            for key in (name, *self._fields[name]):
                if key in frame:
                    return frame[key]
        value = copy.deepcopy(self._defaults.get(name))
        kind = self._models.get(name)
        return value if kind is None or value is None else typed(_recorded(value), kind)

    def __setattr__(self, name: str, value: Any) -> None:
        keys = (name, *self._fields.get(name, ()))
        self[next((key for key in keys if key in self), name)] = value

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    def __copy__(self: _M) -> _M:
        twin = type(self).__new__(type(self))
        twin.update(self)
        return twin

    @property
    def items(self) -> Any:
        if "items" in self._fields and self.get("items") is None:
            return CallableList([], lambda: dict.items(self))
        return super().items

    def model_dump(
        self,
        *,
        include: Any = None,
        exclude: Any = None,
        exclude_none: bool = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        **_: Any,
    ) -> Dict[str, Any]:
        """The known members, plain, under their documented names, with defaults for those that are not there."""
        found = dict(self._known(exclude_unset))
        if self._extra == "allow":
            spelled = {key for name, spellings in self._fields.items() for key in (name, *spellings)}
            found.update((key, plain(value)) for key, value in dict.items(self) if key not in spelled)
        return {
            name: value
            for name, value in found.items()
            if (include is None or name in include)
            and (exclude is None or name not in exclude)
            and not (exclude_none and value is None)
            and not (exclude_defaults and value == self._defaults.get(name))
        }

    def _known(self, only_set: bool) -> Iterator[Tuple[str, Any]]:
        for name, spellings in self._fields.items():
            if not only_set or any(key in self for key in (name, *spellings)):
                # Not as an attribute: `items` is a property.
                yield name, _dumped(Model.__getattr__(self, name))

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        return json.dumps(self.model_dump(**options), indent=indent, ensure_ascii=False)

    def model_copy(self: _M, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> _M:
        twin = copy.deepcopy(self) if deep else copy.copy(self)
        for name, value in (update or {}).items():
            setattr(twin, name, value)
        return twin

    @property
    def model_fields_set(self) -> Set[str]:
        """The names of the documented members that are there."""
        return {name for name, spellings in self._fields.items() if any(key in self for key in (name, *spellings))}

    @classmethod
    def model_construct(cls: Type[_M], _fields_set: Any = None, **members: Any) -> _M:
        """One that is not checked."""
        made = cls.__new__(cls)
        made.update(members)
        return made

    @classmethod
    def model_validate(cls: Type[_M], value: Mapping[str, Any], **_: Any) -> _M:
        return value if isinstance(value, cls) else cls(value)

    @classmethod
    def model_validate_json(cls: Type[_M], text: str | bytes, **_: Any) -> _M:
        return cls(json.loads(text))


def _dumped(value: Any) -> Any:
    if isinstance(value, Model):
        return value.model_dump()
    if isinstance(value, dict):
        return {key: _dumped(member) for key, member in dict.items(value)}
    return [_dumped(member) for member in value] if isinstance(value, list) else value


def _recorded(value: Any) -> Any:
    """Plain dictionaries as records."""
    if isinstance(value, Record):
        return value
    if isinstance(value, Mapping):
        return Record((key, _recorded(member)) for key, member in value.items())
    return [_recorded(member) for member in value] if isinstance(value, (list, tuple)) else value


def typed(value: Any, kind: str) -> Any:
    """A result whose records are of their classes from now on: they are not copied."""
    if isinstance(value, list):
        if kind.startswith("array<"):
            for member in value:
                typed(member, kind[6:-1])
    elif isinstance(value, Record):
        if kind.startswith("map<"):
            for member in dict.values(value):
                typed(member, kind[4:-1])
        elif (model := _model(kind, value)) is not None:
            _become(value, model)
    return value


def _become(record: Record, model: Type[Model]) -> None:
    if type(record) is Record:
        object.__setattr__(record, "__class__", model)
    for key, kind in model._inner:
        if key in record:
            typed(record[key], kind)


#: What types of the contract stand for: one class, the classes of a union, or none of ours.
_classes: Dict[str, Type[Model] | Tuple[Type[Model], ...] | None] = {}


def _model(kind: str, record: Record) -> Type[Model] | None:
    if kind not in _classes:
        _classes[kind] = _found(kind)
    found = _classes[kind]
    if not isinstance(found, tuple):
        return found
    for model in found:
        if all(record.get(name) == value for name, value in model._constants.items()):
            return model
    return None


def _found(kind: str) -> Type[Model] | Tuple[Type[Model], ...] | None:
    from . import types

    if kind in types.UNIONS:
        return types.UNIONS[kind]
    found: Type[Model] | None = getattr(types, kind, None) if kind[:1].isupper() else None
    return found


def _frames(record: Record) -> Iterator[Record]:
    """What the engine sent, of an event in its words: the event itself, then what stands around it."""
    if isinstance(frame := record.get("frame"), Record):
        if isinstance(inner := frame.get("event"), Record):
            yield inner
        yield frame


_events: Dict[str, Type[Model]] = {}


def as_event(record: Record) -> Any:
    """A record of a stream as the class of its type."""
    if not _events:
        from . import types

        # In one step: another thread sees none of them, or all.
        _events.update({str(model._constants.get("type", "")): model for model in types.UNIONS["EngineEvent"]})
    object.__setattr__(record, "__class__", _events.get(record["type"], _events[""]))
    if "properties" not in record:
        found = (frame.get(name) for frame in _frames(record) for name in ("properties", "payload"))
        record["properties"] = next((value for value in found if isinstance(value, Record)), Record())
    return record
