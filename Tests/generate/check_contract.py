#!/usr/bin/env python3
"""Does `tandem-generate --check` notice what is changed by hand?

    check_contract.py PATH-OF-TANDEM-GENERATE
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["contract", "include", "docs", "Sources", "bindings"]
PYTHON = "contract/python.json"
SESSIONS = "contract/operations/sessions.json"


def edit(path, old, new):
    """A change of one text in one file; the text has to be there."""
    def change(root):
        text = (root / path).read_text()
        assert old in text, f"{path} has no {old!r}"
        (root / path).write_text(text.replace(old, new, 1))
    return change


def append(path, text):
    def change(root):
        with open(root / path, "a") as file:
            file.write(text)
    return change


def remove(path):
    return lambda root: (root / path).unlink()


def create(path, text):
    return lambda root: (root / path).write_text(text)


GENERATED = [
    "include/tandem_ops.h", "Sources/CTandemTable/Generated/operations.c", "Sources/CTandemTable/Generated/errors.c",
    "Sources/CTandemTable/Generated/descriptions.c", "Sources/TandemABI/tandem.map", "libtandem.symbols",
    "Sources/TandemOperations/Generated/sessions.swift", "Sources/TandemContract/Generated/FailureName.swift",
    "Sources/TandemContract/Generated/EngineEventName.swift",
    "Sources/TandemEngine/Generated/OperationNumber+Generated.swift", "docs/operations.md",
    "bindings/python/libtandem/_operations/sessions.py", "bindings/python/libtandem/types.py",
    "docs/operations/sessions.md", "docs/compatibility.md", "docs/types.md", "docs/errors.md", "docs/events.md", "docs/openapi.json",
]
TITLE = '{"name": "title", "type": "string"'
CREATE = '"summary": "Creates a session.",\n'

# name, change, what the output must say: the file, and something of the reason
CASES = [
    *((f"{path} changed by hand", append(path, "x\n"), [path, "differs"]) for path in GENERATED),
    ("a generated file is missing", remove(GENERATED[0]), [GENERATED[0], "not there"]),
    ("a generated file too many", create("Sources/TandemOperations/Generated/old.swift", ""),
     ["Sources/TandemOperations/Generated/old.swift", "does not follow"]),
    ("a generated module too many", create("bindings/python/libtandem/_operations/old.py", ""),
     ["bindings/python/libtandem/_operations/old.py", "does not follow"]),
    ("a method of no operation", edit(PYTHON, '"sessions.create": {"par', '"sessions.creat": {"par'), [PYTHON, "sessions.creat"]),
    ("a result that is no model", edit(PYTHON, '"returns": "SessionRecord"', '"returns": "SessionRecor"'), [PYTHON, "SessionRecor"]),
    ("an old name of no model", edit(PYTHON, ': "IncidentMonitorStatusRow"', ': "IncidentMonitorStatus"'), [PYTHON, "IncidentMonitorStatus"]),
    ("pages by an argument that is none", edit(PYTHON, '"argument": "page"', '"argument": "pages"'), [PYTHON, "pages is no argument"]),
    ("a page too many", create("docs/operations/old.md", ""), ["docs/operations/old.md", "does not follow"]),
    ("a row of the compatibility table changed", edit("contract/compatibility.json", "adapt agent_role", "adapt agent_part"),
     ["docs/compatibility.md", "differs"]),
    ("a summary changed by hand", edit(SESSIONS, "Creates a session.", "Makes a session."),
     ["include/tandem_ops.h", "docs/operations/sessions.md", "differs"]),
    ("an operation removed from embedded", edit(SESSIONS, '      "embedded": true,\n', ""),
     [GENERATED[1], "differs"]),
    ("an argument on two lines", edit(SESSIONS, TITLE, TITLE.replace(", ", ",\n  ")), [SESSIONS, "laid out"]),
    ("keys in another order", edit(SESSIONS, TITLE, '{"type": "string", "name": "title"'), [SESSIONS, "laid out"]),
    ("an escape that is not needed", edit(SESSIONS, "Creates a session.", "Creates a\\u0020session."),
     [SESSIONS, "laid out"]),
    ("no line end at the end", edit("contract/types.json", "\n}\n", "\n}"), ["contract/types.json", "laid out"]),
    ("no JSON", edit(SESSIONS, '"operations": {', '"operations": '), [SESSIONS, "byte"]),
    ("an unknown key of an operation", edit(SESSIONS, CREATE, CREATE + '      "colour": "red",\n'),
     [SESSIONS, "sessions.create: unknown key colour"]),
    ("an unknown key of an argument", edit(SESSIONS, TITLE, TITLE + ', "colour": "red"'),
     [SESSIONS, "sessions.create.title: unknown key colour"]),
    ("no summary", edit(SESSIONS, "      " + CREATE, ""), [SESSIONS, "sessions.create: no summary"]),
    ("a key of the wrong kind", edit(SESSIONS, '"documented": true', '"documented": "yes"'),
     [SESSIONS, "sessions.create: documented is of the wrong kind"]),
    ("a type nobody defines", edit(SESSIONS, TITLE, TITLE.replace("string", "array<Heading>")),
     [SESSIONS, "sessions.create.title: no type Heading"]),
    ("a field's type nobody defines", edit("contract/types.json", '"type": "BudgetLimit"', '"type": "BudgetLimi"'),
     ["contract/types.json", "no type BudgetLimi"]),
    ("an alias that two arguments claim", edit(SESSIONS, TITLE, TITLE + ', "accepts": ["topP"]'),
     [SESSIONS, "sessions.create: topP belongs to title and top_p"]),
    ("an argument twice", edit(SESSIONS, '{"name": "directory", "type": "string"', TITLE),
     [SESSIONS, "sessions.create: title belongs to title and title"]),
    ("an argument with the name of the path's", edit(SESSIONS, '{"name": "archived", "type": "boolean"},',
     '{"name": "session_id", "type": "string"},'), [SESSIONS, "session_id belongs to"]),
    ("a path argument without a path", edit(SESSIONS, TITLE, TITLE + ', "in": "path"'),
     [SESSIONS, "sessions.create.title: the path has no {title}"]),
    ("an unknown place", edit(SESSIONS, TITLE, TITLE + ', "in": "cookie"'), [SESSIONS, "cookie"]),
    ("an adapt without words", edit("contract/adapts.json", '"model_text"', '"model_texts"'),
     [SESSIONS, "no adapt model_text"]),
    ("a recipe without words", edit("contract/recipes.json", '"prompt_sync"', '"prompt_sinc"'),
     [SESSIONS, "no recipe prompt_sync"]),
    ("two operations on one route", edit(SESSIONS, '      "recipe": "fixed_arguments",\n', ""),
     [SESSIONS, "sessions.update: same route as sessions.archive"]),
    ("a request without a method", edit(SESSIONS, '"POST /session"', '"/session"'), [SESSIONS, "no method and path"]),
    ("an operation twice", edit(SESSIONS, '    "get": {', '    "list": {'), [SESSIONS, "list stands there twice"]),
    ("an error without a name", edit(SESSIONS, '["PERSISTENCE_FAILED"]', '[""]'), [SESSIONS, "error without a name"]),
    ("an error with another constant", edit("contract/errors.json", '"value": -2', '"value": -3'),
     ["contract/errors.json", "TANDEM_E_ARGS"]),
    ("a row of an unknown operation", edit("contract/compatibility.json", '"agent_teams.spawn"', '"agent_teams.spwan"'),
     ["contract/compatibility.json", "agent_teams.spwan"]),
    ("an event made of an unknown one", edit("contract/events.json", '"from": ["session.run.started"]',
     '"from": ["session.run.begun"]'), ["contract/events.json", "session.run.begun"]),
    ("a namespace under another name", edit(SESSIONS, '"namespace": "sessions"', '"namespace": "session"'),
     [SESSIONS, "not the file's name"]),
]


def copy(to):
    for folder in FOLDERS:
        shutil.copytree(PROJECT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "libtandem.symbols", to)


def run(tool, root, *arguments):
    done = subprocess.run([tool, *arguments, "--root", root], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def untouched(tool, root):
    code, output = run(tool, root, "--check")
    return code == 0 and output == "", output


def formatted(tool, root):
    """A file laid out by another program comes back as it was."""
    path = root / SESSIONS
    before = path.read_bytes()
    path.write_text(json.dumps(json.loads(before)))
    run(tool, root, "--format")
    same = path.read_bytes() == before
    path.write_bytes(before)
    return same, "the file is not as it was"


def format_keeps(tool, root):
    before = {path: path.read_bytes() for path in (root / "contract").rglob("*.json")}
    run(tool, root, "--format")
    return all(path.read_bytes() == text for path, text in before.items()), "a formatted file was changed"


def repaired(tool, root):
    """Writing makes good what was changed."""
    append(GENERATED[0], "x")(root)
    run(tool, root)
    return untouched(tool, root)


def exports(tool, root):
    code, output = run(tool, root, "--list-exports")
    declared = []
    for header in ["tandem.h", "tandem_ops.h"]:
        text = (root / "include" / header).read_text()
        declared += re.findall(r"^TANDEM_API .*?(tandem_\w+)\(", text, re.MULTILINE)
    return output.split() == sorted(declared), "the exports are not those of the headers"


def main():
    tool = str(pathlib.Path(sys.argv[1]).resolve())
    results = []

    def record(name, good, output):
        results.append(good)
        print(f"{'ok' if good else 'FAILED'} {name}", flush=True)
        if not good:
            print("   ", output.strip().replace("\n", "\n    "))

    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        copy(root)
        for check in (untouched, formatted, format_keeps, repaired, exports):
            record(check.__name__.replace("_", " "), *check(tool, root))
        for name, change, words in CASES:
            # Only what a case can touch is put back: the sources beside it are many.
            saved = {path: (root / path).read_bytes() for path in touched(root)}
            change(root)
            code, output = run(tool, root, "--check")
            record(name, code == 1 and all(word in output for word in words), output or "nothing was noticed")
            for path in touched(root) - saved.keys():
                (root / path).unlink()
            for path, text in saved.items():
                (root / path).write_bytes(text)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


def touched(root):
    paths = {*root.glob("Sources/*/Generated/*"), *root.glob("docs/operations/*")} | {path for path in root.glob("contract/**/*.json")}
    return {str(path.relative_to(root)) for path in paths} | {path for path in GENERATED if (root / path).exists()}


if __name__ == "__main__":
    sys.exit(main())
