"""Calls of every operation and the request that each has to become, from what the engine reads (Tests/Fixtures/standin).

Nothing of contract/ is looked at here: names are those of the wire, and the few rules are those that every client of the engine
keeps. So what the contract gets wrong shows up as another request.
"""
import json, pathlib, re
from urllib.parse import quote

# One text with everything that means something in a path or a query.
RESERVED = "a/b?c#d%e%2Ff+g&h=i j..k;l,m:@!$'()*[]{}|^`\"\\\t\n~é∀😀"
VALUES = [None, "", [], {}, False, 0, -1, 1e300, 12345678901234567890, [1, "a", None], {"n": {"m": [{}]}}, "x\u2028y"]
OWNER = "x-tandem-request-source"


class Routes:
    def __init__(self, fixture):
        file = json.loads(pathlib.Path(fixture).read_text())
        self.types = file["types"]
        self.operations = {entry["id"]: entry for entry in file["operations"]}

    def value(self, field, depth=0):
        if field.get("enum"):
            return field["enum"][0]
        plain = {"string": "text", "integer": 7, "number": 1.5, "boolean": True}
        kind = field["type"]
        if kind in plain:
            return plain[kind]
        fields = self.types.get(field.get("struct"), {}).get("fields") or []
        made = {f.get("wire", f.get("name")): self.value(f, depth + 1) for f in fields if f.get("required")} if depth < 3 else {}
        return [made or "text"] if kind.startswith("array") else made or {"any": [1, None, "x"]}

    @staticmethod
    def path_names(entry):
        return [re.sub(r"^\*|\.\.\.$", "", name) for name in re.findall(r"\{([^}]+)\}", entry["path"])]

    def fields(self, entry):
        """Query and body, without what is always the same; a name of the path is that."""
        path = self.path_names(entry)
        for place, fields in (("query", entry.get("query", [])), ("body", entry["body"]["fields"])):
            yield from ((place, f) for f in fields if "const" not in f and f["wire"] not in path and f["wire"] != "body")

    def calls(self, name):
        """(what it is about, arguments)"""
        entry = self.operations[name]
        path = {p: "some id" for p in self.path_names(entry)}
        fields = list(self.fields(entry))
        needed = {**path, **{f["wire"]: self.value(f) for _, f in fields if f.get("required")}}
        yield "required", needed
        yield "all", {**path, **{f["wire"]: self.value(f) for _, f in fields}}
        for p in path:
            yield f"{p} with reserved characters", {**needed, p: RESERVED}
        for index, (place, field) in enumerate(fields):
            yield f"{field['wire']} alone", {**needed, field["wire"]: self.value(field)}
            odd = RESERVED if place == "query" else VALUES[index % len(VALUES)]
            yield f"{field['wire']} as {odd!r}", {**needed, field["wire"]: odd}
            if place == "query":
                yield f"{field['wire']} as null", {**needed, field["wire"]: None}
        if entry["body"]["kind"] != "none":
            for whole in ({}, {"x": {"y": [None]}}, [1], "text", False):
                given = {f["wire"]: needed[f["wire"]] for place, f in fields if place == "query" and f["wire"] in needed}
                yield f"$body {whole!r}", {**path, **given, "$body": whole}

    def request(self, name, arguments):
        """Method, path, query pairs, body and headers that the call has to become."""
        entry, left = self.operations[name], dict(arguments)
        wild = {p["name"] for p in entry.get("path_params", []) if p.get("wildcard")}
        path = entry["path"]
        for p in self.path_names(entry):
            path = re.sub(r"\{\*?" + p + r"(\.\.\.)?\}", quote(left.pop(p), safe="/" if p in wild else ""), path)
        query = [[f["wire"], f["const"]] for f in entry.get("query", []) if "const" in f]
        for field in entry.get("query", []):
            given = left.pop(field["wire"], None)
            if given is not None:
                query.append([field["wire"], given if isinstance(given, str) else json.dumps(given)])
        body = left.pop("$body") if "$body" in left else {**left, **{f["wire"]: f["const"] for f in entry["body"]["fields"] if "const" in f}}
        wrap = entry["body"].get("wrap")
        if wrap and not (isinstance(body, dict) and wrap in body):
            body = {wrap: body}
        if body == {} and not entry["body"].get("required") and "$body" not in arguments:
            body = None
        return entry["method"], path, query, body, {} if entry["method"] == "GET" else {OWNER: "control_panel"}

    def by_first_names(self, name, body):
        """A body with the first of the names that the engine reads a member under."""
        if not isinstance(body, dict):
            return body
        first = {alias: f["wire"] for f in self.operations[name]["body"]["fields"] for alias in f.get("aliases", [])}
        return {first.get(key, key): value for key, value in body.items()}
