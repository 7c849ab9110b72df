#!/usr/bin/env python3
"""What tandem_describe says is what the contract says."""
import ctypes, json, pathlib, sys

import library
from library import Cases

CONTRACT = pathlib.Path(library.ROOT, "contract")
library.lib.tandem_describe.restype, library.lib.tandem_describe.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
case = Cases()


def described(what):
    return library.value(library.taken(library.lib.tandem_describe(what.encode())))


def load(name):
    return json.loads((CONTRACT / name).read_text())


def operations():
    for path in sorted((CONTRACT / "operations").glob("*.json")):
        file = json.loads(path.read_text())
        yield from ((f"{file['namespace']}.{name}", entry) for name, entry in file["operations"].items())
    yield from load("client.json")["operations"].items()


every = dict(operations())
names = [o if isinstance(o, str) else o["name"] for o in described("ops")]
case("every operation is listed once", sorted(names) == sorted(every), str(set(names) ^ every.keys()))
wrong = [name for name, entry in every.items() if described("op:" + name) != {"name": name, **entry}]
case("each is described as the contract has it", not wrong, str(wrong[:5]))
case("so are the errors", described("errors") == load("errors.json"))
case("the events", described("events") == load("events.json"))
case("and the types", described("types") == {**load("types.json"), **load("client.json")["types"]})
sys.exit(case.finish())
