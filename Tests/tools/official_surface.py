#!/usr/bin/env python3
"""What the official Python client offers, found by introspection: its names, parameters and models, as contract/python.json has them.

    official_surface.py [FILE]

In an environment where tandem-client is installed. Only facts come out: names, kinds, defaults, types in the contract's notation.
FILE is written anew; what is the project's own in it (`pages`) stays. Then: tandem-generate --format, tandem-generate.
"""
import inspect, json, sys, types as kinds, typing, unittest.mock
from importlib import metadata

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", typing.Any: "any", dict: "object"}

# Empty, it is no tools, for which a program of ours has no other word (contract/compatibility.json).
MEANT = {"tool_allowlist"}


def literal(kind):
    return typing.get_origin(kind) is typing.Literal


class Surface:
    def __init__(self, client, types):
        from pydantic import BaseModel
        self.client, self.types, self.base = client, types, BaseModel
        self.literals = {n: list(typing.get_args(v)) for n, v in vars(types).items() if literal(v)}
        self.models = {n: v for n, v in vars(types).items()
                       if inspect.isclass(v) and issubclass(v, BaseModel) and v.__module__.startswith("tandem_client")}
        self.unions = {n: self.members(v) for n, v in vars(types).items()
                       if typing.get_origin(v) in (typing.Union, typing.Annotated) and self.members(v)}

    def members(self, kind):
        """The models of a union; nothing if it holds anything else."""
        if typing.get_origin(kind) is typing.Annotated:
            kind = typing.get_args(kind)[0]
        parts = typing.get_args(kind)
        names = [p.__name__ for p in parts if p in self.models.values()]
        return names if len(names) == len(parts) > 1 else []

    def type(self, kind):
        """(the type in the contract's notation, whether it may be None)"""
        if isinstance(kind, typing.ForwardRef):
            kind = self.resolved(kind.__forward_arg__)
            return self.type(self.resolved(kind) if isinstance(kind, str) else kind)
        if typing.get_origin(kind) is typing.Annotated:
            kind = typing.get_args(kind)[0]
        if kind in PLAIN:
            return PLAIN[kind], kind is typing.Any
        if literal(kind):
            return "string", False
        if kind in self.models.values():
            return kind.__name__, False
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if origin is list:
            return f"array<{self.type(parts[0])[0]}>", False
        if origin is dict:
            inner = self.type(parts[1])[0]
            return "object" if inner == "any" else f"map<{inner}>", False
        if origin in (typing.Union, kinds.UnionType):
            names = self.members(kind)
            union = next((n for n, members in self.unions.items() if members == names), None)
            if union:
                return union, False
            inner = [p for p in parts if p is not type(None)]
            found = [self.type(p)[0] for p in inner]
            # A model, or the same as a plain dictionary.
            named = [f for f in found if f != "object"] or found
            return named[0] if len(set(named)) == 1 else "any", len(inner) < len(parts)
        return "any", True

    def parameters(self, function):
        rows = []
        for p in list(inspect.signature(function).parameters.values())[1:]:
            row = {"name": p.name, "type": self.annotation(p.annotation)}
            if p.kind is p.KEYWORD_ONLY:
                row["keyword"] = True
            if p.kind is p.VAR_KEYWORD:
                row["rest"] = True
            if p.default is not p.empty:
                row["default"] = p.default
            rows.append(row)
        return rows

    def resolved(self, text):
        if not isinstance(text, str):
            return text
        return eval(text, {**vars(typing), **vars(self.types), **vars(self.client)})

    def annotation(self, text):
        return self.type(self.resolved(text))[0]

    def returns(self, function):
        kind = self.resolved(inspect.signature(function).return_annotation)
        if kind is None:
            return "null"
        if "AsyncGenerator" in str(typing.get_origin(kind) or kind):
            return "stream"
        if getattr(kind, "__name__", "") == "PromptAsyncResult":
            return "PromptAsyncResult"
        return self.type(kind)[0]

    def method(self, function):
        return {"parameters": self.parameters(function), "returns": self.returns(function)}

    def methods(self):
        client = self.client.TandemClient("http://127.0.0.1:1", "token")
        found = {}
        for name, function in inspect.getmembers(type(client), inspect.isfunction):
            if not name.startswith("_") and name != "aclose":
                found["engine." + name] = self.method(function)
        for namespace, value in vars(client).items():
            if namespace.startswith("_"):
                continue
            for name, function in inspect.getmembers(type(value), inspect.isfunction):
                if not name.startswith("_"):
                    found[f"{namespace}.{name}"] = self.method(function)
        methods = {name: {**found[name], **self.omitted(name, found[name])} for name in sorted(found)}
        for name, method in methods.items():
            for parameter in self.drops_empty(name, method):
                parameter["drops_empty"] = True
        return methods

    def field(self, name, info):
        kind, may_be_none = self.type(info.annotation)
        row = {"name": name, "type": kind}
        if literal(info.annotation):
            values = list(typing.get_args(info.annotation))
            row.update({"const": values[0]} if len(values) == 1 else {})
        if info.is_required():
            row["required"] = True
        elif info.default_factory is not None:
            value = info.default_factory()
            row["default"] = value.model_dump() if isinstance(value, self.base) else value
        elif info.default is not None:
            row["default"] = info.default
        choices = info.validation_alias
        if choices is not None:
            accepts = [c for c in getattr(choices, "choices", [choices]) if c != name]
            row["accepts"] = accepts
        return row

    def model(self, kind):
        fields = [self.field(n, i) for n, i in kind.model_fields.items()]
        row = {"fields": fields}
        if kind.model_config.get("extra") in ("allow", "forbid"):
            row["extra"] = kind.model_config["extra"]
        base = [c.__name__ for c in kind.__mro__[1:] if c in self.models.values()]
        if base:
            row["base"] = base[0]
        return row

    def value(self, name, kind, required_only=False):
        """An argument of that type that can be found again in a request."""
        if kind in ("integer", "number", "boolean"):
            return {"integer": 7, "number": 0.5, "boolean": True}[kind]
        if kind in ("any", "object"):
            return {name: name}
        if kind.startswith("array<"):
            return [self.value(name, kind[6:-1])]
        kind = self.unions.get(kind, [kind])[0]
        model = self.models.get(kind)
        if model is None:
            return f"given {name}"
        fields = [self.field(n, i) for n, i in model.model_fields.items() if i.is_required()]
        return {f["name"]: f.get("const", self.value(f["name"], f["type"])) for f in fields}

    def request(self, name, given):
        """The JSON body that a method sends; None if it sends none."""
        sent = self.sent(name, given)
        return json.loads(sent[1]) if sent and sent[1] else None

    def sent(self, name, given):
        """(query, body) of the first request that a method sends; None if it sends none."""
        import asyncio, httpx
        found = []

        async def answer(transport, request):
            found.append((request.url.query, request.content))
            return httpx.Response(200, json={})

        async def call():
            client = self.client.TandemClient("http://127.0.0.1:1", "token")
            namespace, _, called = name.partition(".")
            function = getattr(client if namespace == "engine" else getattr(client, namespace), called)
            try:
                result = function(**given)
                await (anext(result) if hasattr(result, "__anext__") else result)
            except Exception:  # the reply is none that it expects, or it wants more; what it sent counts
                pass

        # Streams make a client of their own.
        with unittest.mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", answer):
            asyncio.run(call())
        return found[0] if found else None

    def empty(self, kind):
        return {"string": "", "any": None}.get(kind, [] if kind.startswith("array<") else {})

    def drops_empty(self, name, method):
        """The parameters for which empty values are sent like none."""
        rows = [p for p in method["parameters"] if not p.get("rest")]
        given = {p["name"]: self.value(p["name"], p["type"]) for p in rows if "default" not in p}
        usual = self.sent(name, given)
        optional = [p for p in rows if p.get("default", 0) is None and p["name"] not in MEANT and method.get("sends", {}).get(p["name"]) is None
                    and p["type"] not in ("any", "integer", "number", "boolean")]
        return [] if usual is None else [p for p in optional if self.sent(name, {**given, p["name"]: self.empty(p["type"])}) == usual]

    def omitted(self, name, method):
        """What is sent for parameters that are not given, beyond their defaults."""
        if method["returns"] == "stream":
            return {}
        rows = [p for p in method["parameters"] if not p.get("rest")]
        values = {p["name"]: self.value(p["name"], p["type"]) for p in rows}
        optional = {p["name"] for p in rows if "default" in p and p["default"] is None}
        required = {n: v for n, v in values.items() if n not in {p["name"] for p in rows if "default" in p}}
        body = self.request(name, required)
        if body is not None:
            sends = {key: body[key] for key in body if key in optional}
            return {"empty_body": True} if body == {} else {"sends": sends} if sends else {}
        # It wants some of what is optional by its signature: all plain values but one.
        models = {p["name"] for p in rows if p["type"] in self.models}
        sends = {}
        for left in sorted(optional - models):
            body = self.request(name, {n: v for n, v in values.items() if n != left and n not in models})
            sends.update({left: body[left]} if body and left in body else {})
        return {"sends": sends} if sends else {}

    def constructor(self, name):
        return self.parameters(getattr(self.client, name).__init__)


def surface():
    import tandem_client
    from tandem_client import client, exceptions, stream, types
    found = Surface(client, types)
    models = {n: found.model(v) for n, v in sorted(found.models.items())}
    models["PromptAsyncResult"] = {"fields": [{"name": "run_id", "type": "string", "required": True}]}
    errors = {n: [c.__name__ for c in v.__mro__[1:-2]] for n, v in vars(exceptions).items() if inspect.isclass(v)}
    return {
        "version": metadata.version("tandem-client"),
        "constructors": {n: found.constructor(n) for n in ("SyncTandemClient", "TandemClient")},
        "exports": sorted(tandem_client.__all__),
        "errors": {n: bases for n, bases in errors.items() if bases},
        "modules": {m.__name__.partition(".")[2]: sorted(n for n, v in vars(m).items() if getattr(v, "__module__", "") == m.__name__)
                    for m in (client, exceptions, stream)},
        "methods": found.methods(),
        "literals": dict(sorted(found.literals.items())),
        "unions": dict(sorted(found.unions.items())),
        "models": dict(sorted(models.items())),
    }


def main():
    found, file = surface(), sys.argv[1] if len(sys.argv) > 1 else None
    own = {}
    if file:
        own = {key: value for key, value in json.load(open(file)).items() if key not in found}
    text = json.dumps({**own, **found}, ensure_ascii=False) + "\n"
    open(file, "w").write(text) if file else sys.stdout.write(text)


if __name__ == "__main__":
    main()
