"""Arguments for any operation, made from the contract alone: every required one, with a value of its type.

    arguments.py ROOT      prints a line for each operation: its name, "stream" or "call", its arguments as JSON
"""
import json, pathlib, sys

# Arguments of which the engine wants one or another, so that the contract requires none; a run that the stand-in knows.
MORE = {"memory.put": {"text": "text"}, "memory.promote": {"memory_id": "some-id"}, "sessions.prompt_async_parts": {"parts": "text"},
        "engine.run_stream": {"run_id": "session-some-id"}}


class Arguments:
    def __init__(self, root):
        self.operations, self.types = {}, json.loads(pathlib.Path(root, "contract/types.json").read_text())
        for path in sorted(pathlib.Path(root, "contract/operations").glob("*.json")):
            file = json.loads(path.read_text())
            for name, operation in file["operations"].items():
                self.operations[f"{file['namespace']}.{name}"] = operation

    def is_stream(self, name):
        return bool(self.operations[name].get("stream")) and name != "sessions.prompt_sync"

    def of(self, name):
        operation = self.operations[name]
        arguments = {a["name"]: self.value(a) for a in operation.get("arguments", [])
                     if a.get("required") and "const" not in a and a.get("form") in (None, self.form(operation))}
        return {**self.path(operation), **arguments, **MORE.get(name, {})}

    @staticmethod
    def form(operation):
        forms = [a["form"] for a in operation.get("arguments", []) if "form" in a]
        return forms[0] if forms else None

    @staticmethod
    def path(operation):
        parts = operation["request"].split("{")[1:]
        return {part.split("}")[0].removesuffix("..."): "some-id" for part in parts}

    def value(self, argument, depth=0):
        if argument.get("enum"):
            return argument["enum"][0]
        return self.of_type(argument["type"], depth)

    def of_type(self, kind, depth):
        plain = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "object": {}, "any": {}, "null": None}
        if kind in plain:
            return plain[kind]
        if kind.startswith("array<"):
            return [self.of_type(kind[6:-1], depth + 1)] if depth < 4 else []
        if kind.startswith("map<"):
            return {}
        return self.of_named(self.types.get(kind, {}), depth + 1)

    def of_named(self, spec, depth):
        fields = list(spec.get("fields", []))
        made = {}
        if "variants" in spec:
            name, variant = next(iter(spec["variants"].items())) if isinstance(spec["variants"], dict) else (
                spec["variants"][0].get("name"), spec["variants"][0])
            inner = {f.get("wire", f["name"]): self.value(f, depth) for f in variant.get("fields", []) if f.get("required")}
            if spec.get("keyed"):
                return {name: inner}
            made = {**({spec["tag"]: name} if spec.get("tag") else {}), **inner}
        for include in spec.get("includes", []):
            fields += self.types.get(include, {}).get("fields", [])
        return {**made, **{f.get("wire", f["name"]): f.get("const", self.value(f, depth)) for f in fields if f.get("required")}}


if __name__ == "__main__":
    arguments = Arguments(sys.argv[1])
    for name in sorted(arguments.operations):
        print(name, "stream" if arguments.is_stream(name) else "call", json.dumps(arguments.of(name)), sep="\t")
