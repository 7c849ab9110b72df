#!/usr/bin/env python3
"""What the official client offers is all here: names, parameters in their order, defaults, types, or listed in docs/python.md.

contract/python.json holds the official client's surface as facts. Where that client is installed they are compared with it.
"""
import importlib, importlib.util, inspect, json, os, pathlib, re, subprocess, sys, typing

if not sys.flags.dev_mode:
    os.execv(sys.executable, [sys.executable, "-X", "dev", "-W", "error", *sys.argv])
ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
import libtandem
from libtandem import SyncTandemClient, TandemClient, types
from library import Cases

case = Cases()
OFFICIAL = json.loads((ROOT / "contract/python.json").read_text())
TEXT = (ROOT / "docs/python.md").read_text()
# The table of what differs: its first column names it.
LISTED = set(re.findall(r"^\| `([^`]+)`", TEXT[TEXT.index("## Differences"):], re.M))
CLIENTS = {"SyncTandemClient": SyncTandemClient(discover=False), "TandemClient": TandemClient(discover=False)}


def method(client, name):
    namespace, _, called = name.partition(".")
    owner = client if namespace == "engine" else getattr(client, namespace, None)
    return getattr(owner, called, None)


def compared(where, function, official, listed):
    """What a program that calls the official function would notice."""
    ours = list(inspect.signature(function).parameters.values())
    places = [p for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    names = {p.name: p for p in ours}
    for index, row in enumerate(official):
        label = f"{where}({row['name']})"
        if label in listed:
            continue
        if row.get("rest"):
            if not any(p.kind is p.VAR_KEYWORD for p in ours):
                yield f"{label} takes no other keywords"
            continue
        mine = names.get(row["name"])
        if mine is None:
            yield f"{label} is not there"
        elif not row.get("keyword") and (len(places) <= index or places[index].name != row["name"]):
            yield f"{label} is not number {index}"
        elif row.get("keyword") and mine.kind is not mine.KEYWORD_ONLY:
            yield f"{label} can be given by position"
        elif "default" in row and mine.default != row["default"]:
            yield f"{label} is {mine.default!r} and not {row['default']!r} by default"
    required = [p.name for p in ours if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    wanted = {row["name"] for row in official if "default" not in row}
    yield from (f"{where}({name}) is required" for name in required if name not in wanted)


def methods():
    for kind, client in CLIENTS.items():
        wrong = []
        for name, row in OFFICIAL["methods"].items():
            function = method(client, name)
            if function is None:
                wrong.append(f"{name} is not there")
                continue
            wrong += compared(name, function, row["parameters"], LISTED)
            is_stream = row["returns"] == "stream"
            if inspect.iscoroutinefunction(function) != (kind == "TandemClient" and not is_stream):
                wrong.append(f"{name} is to be awaited, or not")
        case(f"{kind} has the {len(OFFICIAL['methods'])} methods of the official client", not wrong and len(OFFICIAL["methods"]) > 300,
             "; ".join(wrong[:10]))
    for name, rows in OFFICIAL["constructors"].items():
        wrong = list(compared(name, getattr(libtandem, name), rows, LISTED))
        case(f"{name} is made in the same way", not wrong, str(wrong))
    case("a client is left in the same way", all(hasattr(TandemClient, n) for n in ("aclose", "__aenter__", "__aexit__"))
         and hasattr(SyncTandemClient, "close"))


def names():
    missing = [n for n in OFFICIAL["exports"] if not hasattr(libtandem, n) and n not in LISTED]
    case("what programs import from the package is there", not missing and len(OFFICIAL["exports"]) > 200, str(missing))
    modules = {**OFFICIAL["modules"], "types": [*OFFICIAL["models"], *OFFICIAL["literals"], *OFFICIAL["unions"]]}
    for module, wanted in modules.items():
        ours = importlib.import_module(f"libtandem.{module}")
        missing = [n for n in wanted if not n.startswith("_") and not hasattr(ours, n) and n not in LISTED]
        case(f"and from {module}", not missing, str(missing))
    program = "from libtandem import *; assert SessionRecord and SyncTandemClient and NotFound and describe and Event and __version__; assert 'sys' not in globals() and 'types' not in globals()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")})
    case("and all of it by a star", done.returncode == 0, done.stderr)
    program = ("import libtandem; libtandem.install_as_tandem_client(); import tandem_client; from tandem_client.types import SessionRecord; "
               "from tandem_client.exceptions import TandemError; from tandem_client import client, stream; "
               "assert tandem_client is libtandem and SessionRecord is libtandem.SessionRecord and TandemError is libtandem.TandemError")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")})
    case("this package can be imported as tandem_client", done.returncode == 0, done.stderr)
    case("another name is an error", not hasattr(libtandem, "NoSuchName"))
    for name, bases in OFFICIAL["errors"].items():
        kinds = [k.__name__ for k in getattr(libtandem.exceptions, name).__mro__]
        case(f"{name} is caught by {bases}", set(bases) <= {*kinds, "Exception"})


def classes():
    wrong = []
    for name, row in OFFICIAL["models"].items():
        kind = getattr(types, name)
        empty = kind.__new__(kind)
        if list(kind.model_fields) != [field["name"] for field in row["fields"]]:
            wrong.append(f"{name}: {list(kind.model_fields)}")
        for field in row["fields"]:
            for spelling in [field["name"], *field.get("accepts", [])]:
                filled = kind.__new__(kind)
                dict.__setitem__(filled, spelling, ["x"])
                if list(getattr(filled, field["name"])) != ["x"]:
                    wrong.append(f"{name}.{field['name']} is not read from {spelling}")
            if "required" not in field and plain(getattr(empty, field["name"])) != field.get("default"):
                wrong.append(f"{name}.{field['name']} is {getattr(empty, field['name'])} by default")
    case(f"the {len(OFFICIAL['models'])} classes have the official members", not wrong, "; ".join(wrong[:10]))
    wrong = [n for n, values in OFFICIAL["literals"].items() if list(typing.get_args(getattr(types, n))) != values]
    case("literal types have the same values", not wrong, str(wrong))
    wrong = [n for n, members in OFFICIAL["unions"].items() if [k.__name__ for k in typing.get_args(getattr(types, n))] != members]
    case("unions have the same members", not wrong, str(wrong))


def plain(value):
    return value.model_dump() if isinstance(value, types.Model) else list(value) if isinstance(value, list) else value


def terminal():
    ends = ["run.complete", "run.completed", "run.failed", "run.cancelled", "run.canceled", "session.run.finished",
            "session.run.completed", "session.run.failed", "session.run.cancelled", "session.run.canceled"]
    others = ["run.started", "session.response", "session.error", "session.run.conflict", ""]
    case("is_run_terminal_event knows a run's last events", all(map(libtandem.is_run_terminal_event, ends))
         and not any(map(libtandem.is_run_terminal_event, others)))
    event = libtandem.RunCompletedEvent(type="run.completed", properties={})
    case("also of an event", libtandem.is_run_terminal_event(event) and not libtandem.is_run_terminal_event(None))


def facts():
    if importlib.util.find_spec("tandem_client") is None:
        print("skipped: tandem-client is not installed")
        return
    sys.path.insert(0, str(ROOT / "Tests/tools"))
    import official_surface
    found = json.loads(json.dumps(official_surface.surface()))
    if found["version"] != OFFICIAL["version"]:
        print(f"skipped: tandem-client is {found['version']}")
        return
    wrong = [key for key in found if found[key] != OFFICIAL[key]]
    case("contract/python.json says what the installed client has", not wrong, str(wrong))


for test in (methods, names, classes, terminal, facts):
    try:
        test()
    except Exception as error:
        import traceback
        case(test.__name__, False, "".join(traceback.format_exception(error)[-4:]))
CLIENTS["SyncTandemClient"].close()
del CLIENTS
sys.exit(case.finish())
