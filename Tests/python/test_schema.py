#!/usr/bin/env python3
"""Signatures of Python functions as JSON schemas, and a model's arguments as Python values."""
import collections.abc, dataclasses, enum, functools, os, pathlib, sys
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, Sequence, TypedDict, TypeVar, Union

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
from libtandem._schema import converted, schema_of, signature_of
from library import Cases

case = Cases()


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.0
    colour: Colour = Colour.RED
    hidden: int = dataclasses.field(init=False, default=0)


@dataclasses.dataclass
class Tree:
    name: str
    children: "list[Tree]" = dataclasses.field(default_factory=list)


class Options(TypedDict, total=False):
    size: int
    where: Point


class Named(TypedDict):
    name: str


class Both(Named, total=False):
    note: str


class Pair(NamedTuple):
    left: int
    right: str = ""


class Model:
    """What looks like a model of pydantic."""

    def __init__(self, data):
        self.data = data

    @classmethod
    def model_json_schema(cls):
        return {"type": "object", "title": "Model"}

    @classmethod
    def model_validate(cls, data):
        return cls(data)


UserID = NewType("UserID", int)
T = TypeVar("T", bound=str)
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "number"},
         "colour": {"type": "string", "enum": ["red", "blue"]}}, "required": ["x"]}

for hint, want in [
    (str, {"type": "string"}), (int, {"type": "integer"}), (float, {"type": "number"}), (bool, {"type": "boolean"}),
    (None, {"type": "null"}), (type(None), {"type": "null"}), (Any, {}), (object, {}), (bytes, {}), ("anything", {}),
    (list, {"type": "array"}), (list[int], {"type": "array", "items": {"type": "integer"}}),
    (Sequence[str], {"type": "array", "items": {"type": "string"}}), (list[Any], {"type": "array"}),
    (collections.abc.Iterable[bool], {"type": "array", "items": {"type": "boolean"}}),
    (set[str], {"type": "array", "uniqueItems": True, "items": {"type": "string"}}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}), (tuple, {"type": "array"}),
    (tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}),
    (dict, {"type": "object"}), (dict[str, Any], {"type": "object"}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (Optional[int], {"type": ["integer", "null"]}), (int | None, {"type": ["integer", "null"]}),
    (Union[int, str], {"type": ["integer", "string"]}), (Union[int, Any], {}),
    (list[int] | None, {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}), (Literal[1, "a"], {"enum": [1, "a"]}),
    (Literal[1, None], {"enum": [1, None]}), (Colour, {"type": "string", "enum": ["red", "blue"]}),
    (Level, {"type": "integer", "enum": [1, 2]}), (Annotated[int, "how many"], {"type": "integer", "description": "how many"}),
    (Annotated[int, 5], {"type": "integer"}), (UserID, {"type": "integer"}), (T, {"type": "string"}), (Point, POINT),
    (Options, {"type": "object", "properties": {"size": {"type": "integer"}, "where": POINT}}),
    (Both, {"type": "object", "properties": {"name": {"type": "string"}, "note": {"type": "string"}}, "required": ["name"]}),
    (Pair, {"type": "object", "properties": {"left": {"type": "integer"}, "right": {"type": "string"}}, "required": ["left"]}),
    (Tree, {"type": "object", "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {}}}, "required": ["name"]}),
    (Model, {"type": "object", "title": "Model"}),
]:
    got = schema_of(hint)
    case(f"the schema of {hint}", got == want, got)

for value, hint, want in [
    (1, float, 1.0), (1, int, 1), ("red", Colour, Colour.RED), (2, Level, Level.HIGH), ([1, 2], set[int], {1, 2}),
    ([1, "a"], tuple[float, str], (1.0, "a")), ({"x": 1}, Point, Point(1)), ({"x": 1, "colour": "blue"}, Point, Point(1, 0.0, Colour.BLUE)),
    ([{"x": 1}], list[Point], [Point(1)]), ({"a": {"x": 1}}, dict[str, Point], {"a": Point(1)}), (None, Optional[Point], None),
    ({"x": 1}, Optional[Point], Point(1)), ("red", Union[int, Colour], Colour.RED), (3, Union[str, int], 3),
    ({"where": {"x": 1}}, Options, {"where": Point(1)}), ({"left": 1}, Pair, Pair(1)), ("x", Any, "x"), ("x", int, "x"),
    ([1], Sequence[float], [1.0]), ({"name": "a", "children": [{"name": "b"}]}, Tree, Tree("a", [Tree("b")])),
    (True, float, True), (["a"], Union[Colour, list[str]], ["a"]),
]:
    got = converted(value, hint)
    case(f"{value!r} as {hint}", got == want and type(got) is type(want), repr(got))
case("an object of a class with a schema of its own", isinstance(converted({"a": 1}, Model), Model))
try:
    converted("green", Colour)
    case("a value that cannot be is an error", False)
except ValueError as error:
    case("a value that cannot be is an error", "green" in str(error))


class Handle:
    pass


def documented(a: str, b: "int" = 3, *, c: Optional[Colour] = Colour.RED, call: Handle, **more):
    """Does a thing.

    In two paragraphs.

    Args:
        a: the first,
            on two lines
        b (int): the second

    Returns:
        nothing
    """


signature = signature_of(documented, Handle)
case("the docstring without its parameters", signature.description == "Does a thing.\n\nIn two paragraphs.", signature.description)
properties = signature.parameters["properties"]
case("parameters are described by it", properties["a"] == {"type": "string", "description": "the first, on two lines"}, properties["a"])
case("defaults are told", properties["b"] == {"type": "integer", "description": "the second", "default": 3}, properties["b"])
case("a default that is an enum's", properties["c"]["default"] == "red", properties["c"])
case("the call itself is no parameter", "call" not in properties and signature.call == "call")
case("what has no default is required", signature.parameters["required"] == ["a"])
case("other names are welcome where the function takes them", "additionalProperties" not in signature.parameters)
bound = signature.bound({"a": "x", "c": "blue", "other": 1}, call=5)
case("arguments as the function takes them", bound == {"a": "x", "c": Colour.BLUE, "other": 1, "call": 5}, bound)


def sphinx(x: int, y):
    """Adds.

    :param x: the one
    :param int y: the other
    :returns: the sum
    """


signature = signature_of(sphinx)
case("another style of docstrings", signature.description == "Adds." and signature.parameters["properties"] == {
    "x": {"type": "integer", "description": "the one"}, "y": {"description": "the other"}}, signature)
case("no other names are welcome", signature.parameters["additionalProperties"] is False)
case("a function without parameters", signature_of(lambda: 1).parameters == {"type": "object", "properties": {}, "additionalProperties": False})
case("a default that is no JSON is left out", signature_of(lambda a=object(): 1).parameters["properties"] == {"a": {}})
for function in (lambda *all: 1, eval("lambda a, /: 1")):
    try:
        signature_of(function)
        case("a function that cannot be called by names is an error", False)
    except TypeError as error:
        case("a function that cannot be called by names is an error", "by name" in str(error))


class Callable_:
    def __call__(self, a: int) -> int:
        return a


case("an object that can be called", signature_of(Callable_()).parameters["properties"] == {"a": {"type": "integer"}}, signature_of(Callable_()))
case("a function with arguments set", signature_of(functools.partial(documented, a="x"), Handle).parameters["properties"]["b"]["type"] == "integer")
sys.exit(case.finish())
