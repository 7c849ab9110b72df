"""The comparison of recorded scenarios: placeholders, shapes, and the digest of a stream.

A recorded value stands for its shape: every recorded key must be there with the same JSON type; strings and numbers must
be equal unless they are volatile (ids, times, paths, digests, tokens, sizes, versions). Keys that the recording lacks
are allowed. Text in requests may use ${variable}.
"""
import json, re

VAR = re.compile(r"\$\{([a-z_][a-z0-9_]*)\}", re.I)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
VOLATILE_KEY = re.compile(
    r"(^|_)(id|ids|ms|at|time|ts|seq|digest|hash|token|path|root|dir|pid|version|created|updated|expires\w*|"
    r"duration|elapsed|size|bytes|chars|tokens|score|port|url|sha|rev|revision)$|(ID|Id|Ms|At|Digest|Hash|Path|Root|Seq|Url|Bytes|Chars|Tokens|Count)$")
VOLATILE_TEXT = re.compile(r"^(tk_|tt_|q-|call-|part-|todo-|mem|aw_|run-|workspace-|tool-dispatch-)|^[0-9a-f]{12,}$|^\d{4}-\d\d-\d\dT|^/")

def fill(value, variables):
    if isinstance(value, str):
        whole = VAR.fullmatch(value)
        if whole and whole[1] in variables:
            return variables[whole[1]]
        return VAR.sub(lambda m: str(variables.get(m[1], m[0])), value)
    if isinstance(value, list):
        return [fill(v, variables) for v in value]
    if isinstance(value, dict):
        return {fill(k, variables): fill(v, variables) for k, v in value.items()}
    return value

def fill_keys(value, variables):
    """As fill, for the keys of objects only (recorded replies keep ${...} as values that may be anything)."""
    if isinstance(value, list):
        return [fill_keys(v, variables) for v in value]
    return {fill(k, variables): fill_keys(v, variables) for k, v in value.items()} if isinstance(value, dict) else value

def dig(value, path):
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value

def kind_of(v):
    return ("null" if v is None else "bool" if isinstance(v, bool) else "number" if isinstance(v, (int, float))
            else "string" if isinstance(v, str) else "array" if isinstance(v, list) else "object")

def plain(text):
    """The text without the numbers and digests that differ from run to run."""
    return re.sub(r"[0-9a-f]{8,}|\d{4,}|(?<=:)\d+", "#", text) if isinstance(text, str) else text

def digest(events):
    """The main events of a session's stream in order, one line each: texts, tool states, run ends, questions, errors."""
    lines = []
    for e in events:
        kind, p = (e.get("type"), e.get("properties") or {}) if isinstance(e, dict) else (None, {})
        if isinstance(e, dict) and "unparsable" in e:
            lines.append("cut")
        elif kind == "message.part.updated":
            part = p["part"]
            if part["type"] == "text":
                lines.append(("delta " if "delta" in p else "final ") + part["text"][:80])
            else:
                lines.append(f"tool {part['tool']} {part.get('state')}")
        elif kind == "session.run.finished":
            lines.append(f"finished {p.get('status')}")
        elif kind == "session.error":
            lines.append(f"error {(p.get('error') or {}).get('code')}")
        elif kind in ("session.run.started", "permission.asked", "permission.replied", "permission.wait.timeout", "question.asked",
                      "question.replied", "todo.updated", "session.attached", "session.delete.deferred", "mutation.checkpoint.recorded"):
            lines.append(kind)
    return lines

def differ(want, got, where="$", key=""):
    """Yields a line for each way in which `got` does not have the shape of `want`."""
    if kind_of(want) != kind_of(got):
        yield f"{where}: {kind_of(want)} became {kind_of(got)} ({json.dumps(got)[:80]})"
    elif isinstance(want, dict):
        for k, v in want.items():
            if k not in got:
                yield f"{where}.{k}: missing"
            else:
                yield from differ(v, got[k], f"{where}.{k}", k)
    elif isinstance(want, list):
        if len(want) != len(got) and len(want) < 20:
            yield f"{where}: {len(want)} items became {len(got)}"
        for i, (a, b) in enumerate(zip(want, got)):
            yield from differ(a, b, f"{where}[{i}]", key)
    elif want != got and not (VOLATILE_KEY.search(key) or isinstance(want, int) and want > 10 ** 12 or isinstance(want, str) and (
            want.startswith("<text:") or "${" in want or VOLATILE_TEXT.search(want) or UUID.search(want) or len(want) > 200 or plain(want) == plain(got))):
        yield f"{where}: {json.dumps(want)[:60]} became {json.dumps(got)[:60]}"
