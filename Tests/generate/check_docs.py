#!/usr/bin/env python3
"""Do the pages of docs/, the header and the contract say the same, and does every link lead somewhere?"""
import itertools
import json
import pathlib
import re
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "contract/README.md", "bindings/python/README.md"]


def load(path):
    return json.loads((PROJECT / "contract" / path).read_text())


def operations():
    """(full name, entry) of every operation."""
    for path in sorted((PROJECT / "contract/operations").glob("*.json")):
        file = json.loads(path.read_text())
        for name, entry in file["operations"].items():
            yield f"{file['namespace']}.{name}", entry
    yield from load("client.json")["operations"].items()


def arguments(entry):
    """What a caller may give: those of the path, then the others, but no constants."""
    path = re.findall(r"{(\w+)(?:\.\.\.)?}", entry["request"] or "")
    others = [a["name"] for a in entry.get("arguments", []) if a.get("in") != "path" and "const" not in a and a.get("adapt") != "from_path"]
    return path + others


def anchors(text):
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)", text, re.M)}


def dead_links(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        other = (path.parent / file).resolve() if file else path
        if not other.exists() or (anchor and anchor not in anchors(other.read_text())):
            yield target


def sections(text):
    """The parts of a page by the names in their headings."""
    return {name: body for name, body in re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.M | re.S)}


def escaped(text):
    """As a cell of a table has it; in code only | is escaped."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(p if i % 2 else re.sub(r"([\[\]*])", r"\\\1", p).replace("<", "&lt;") for i, p in enumerate(parts))


def plain(cell):
    """A cell without its links."""
    return re.sub(r"(?<!\\)\[((?:[^\]\\]|\\.)*)\]\([^)]*\)", r"\1", cell)


def missing_of(name, entry, page, header):
    """What the page of an operation, or its comment in the header, does not say."""
    namespace, short = name.split(".")
    function = f"tandem_{namespace}_{short}"
    section = sections(page).get(name, "")
    rows = re.findall(r"^\| `([^`]+)` \| ", section, re.M)
    if rows != arguments(entry):
        yield f"arguments {rows}"
    inside = "embedded: " + ("yes" if entry.get("embedded") else "no")
    words = [escaped(entry["summary"]), function + "(client, args_json)", inside, *entry.get("errors", [])]
    words += [escaped(entry["details"])] if "details" in entry else []
    words += ["HTTP    " + entry["request"]] if entry["request"] and "." not in entry.get("recipe", "") else []
    yield from (w for w in words if w not in section)
    if not re.search(rf"\bclient\.(?:{namespace}\.)?{short}_?\(", section):
        yield "the method in Python"
    comment = re.search(rf"/\*\*((?:(?!\*/).)*)\*/\nTANDEM_API char \*TANDEM_CALL {function}\(", header, re.S)
    said = re.sub(r"\s+\*?\s*", " ", comment[1]) if comment else ""
    listed = re.search(r"Arguments: (.*?)\.(?: |$)", said)
    names = [re.match(r"(\S+?)\*? ", item)[1] for item in listed[1].split(", ")] if listed else []
    if names != arguments(entry):
        yield f"arguments in the header {names}"


def faults_of_openapi(document):
    """What a reader of docs/openapi.json would stumble over."""
    schemas, ids = document["components"]["schemas"], []
    for name in set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))) - schemas.keys():
        yield f"no schema {name}"
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            ids.append(entry["operationId"])
            names = [p["name"] for p in entry.get("parameters", []) if p["in"] == "path"]
            if sorted(names) != sorted(re.findall(r"{(\w+)}", path)):
                yield f"{method} {path}: {names}"
    yield from (f"{i} twice" for i in set(ids) if ids.count(i) > 1)
    plain = {n for n, e in operations() if e["request"] and "recipe" not in e}
    yield from (f"no operation {n}" for n in sorted(plain - set(ids)))


def main():
    results = []

    def case(name, bad):
        bad = list(bad)
        results.append(not bad)
        print(f"{'FAILED' if bad else 'ok'} {name}" + "".join(f"\n    {b}" for b in bad[:20]), flush=True)

    pages = [*sorted((PROJECT / "docs").rglob("*.md")), *(PROJECT / p for p in PAGES)]
    case("every link in the documentation leads to a file and a heading",
         (f"{p.relative_to(PROJECT)}: {t}" for p in pages for t in dead_links(p)))
    index, header = (PROJECT / "docs/operations.md").read_text(), (PROJECT / "include/tandem_ops.h").read_text()
    every = list(operations())
    texts = {p.stem: p.read_text() for p in (PROJECT / "docs/operations").glob("*.md")}
    case("every namespace has a page", {n.split(".")[0] for n, _ in every} ^ texts.keys())
    case("every operation is in the index",
         (n for n, _ in every if f"({'operations/' + n.split('.')[0]}.md#{n.replace('.', '')})" not in index))
    case("page and header have what the contract says of an operation, its arguments in the same order",
         (f"{n}: {m}" for n, e in every for m in missing_of(n, e, texts.get(n.split(".")[0], ""), header)))
    cells = re.findall(r"^\| (.*) \|$", (PROJECT / "docs/compatibility.md").read_text(), re.M)
    rows = [plain(c).rpartition(" | ")[0] for c in cells if not c.startswith(("operation |", "--- |"))]
    wanted = [" | ".join(escaped(r[k]) for k in ("operation", "documented", "engine", "ours")) for r in load("compatibility.json")]
    case("docs/compatibility.md has each row of the contract once, in its order",
         (f"{a}\n    {b}" for a, b in itertools.zip_longest(rows, wanted) if a != b))
    case("docs/types.md has every type",
         {*load("types.json"), *load("client.json")["types"]} ^ sections((PROJECT / "docs/types.md").read_text()).keys())
    case("docs/openapi.json has every plain operation, its path's parameters, and the schemas it names",
         faults_of_openapi(json.loads((PROJECT / "docs/openapi.json").read_text())))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
