"""Event streams of every form that the standard allows, and what a reader of them has to find: an implementation of its own.

https://html.spec.whatwg.org/multipage/server-sent-events.html, and lines of JSON. The same seed gives the same stream.
"""
import json, random, re

TEXTS = ["a", " ", "é", "∀", "😀", "\\n", '\\"', ":", "data: x", "\u2028", "\u0085", "\ufeff", "\\u0000"]
INVALID = [b"\xff", b"\xc3", b"\xf0\x9f", b"\xed\xa0\x80", b"\xe2\x82", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x80"]
NO_EVENTS = ["not json", "[1,2]", '"s"', "12", '{"a":', '{"a":1} {"b":2}', "null", '{"a":NaN}', "{'a':1}", "", "  ", '{"type":"cut...<truncated>']
ODD_LINES = [":", ": x", ': data: {"no":1}', ":\0", "event: ready", "event", "event:  sp", "event: a\0b", "event: heartbeat", "event: Ready",
             "id", "id: 1", "id: a\0b", "id: 99999999999999999999", "retry", "retry: 10", "retry: -5", "retry: 1_0",
             "retry: 99999999999999999999999999", "retry: ٣", "unknown: x", 'Data: {"no":1}', ' data: {"no":1}', "data : x", "\ufeffdata: x",
             "datas: y", "\0", "data", "data:"]


def found_in(text):
    """The object that a text is; None where it is none."""
    def refused(word):
        raise ValueError(word)
    try:
        value = json.loads(text, parse_constant=refused)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def frames(stream):
    """The objects that a reader of a whole event stream finds."""
    text = stream.decode("utf-8", "replace")
    lines = re.split("\r\n|\n|\r", text[1:] if text.startswith("\ufeff") else text)[:-1]
    found, data, name = [], [], ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if line == "":
            if name not in ("ready", "heartbeat", "keepalive") and (frame := found_in("\n".join(data))) is not None:
                found.append(frame)
            data, name = [], ""
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value
    return found


def objects(stream):
    """The objects that a reader of lines finds: the last need not have an end."""
    lines = (line.decode("utf-8", "replace") for line in stream.split(b"\n"))
    return [found for line in lines if (found := found_in(line.strip(" \t\r"))) is not None]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, probability):
        return self.random.random() < probability

    def payload(self, number):
        if self.chance(0.15):
            return self.random.choice(NO_EVENTS)
        text = "".join(self.random.choice(TEXTS) for _ in range(self.random.randint(0, 12)))
        if self.chance(0.02):
            text += "x" * self.random.choice([4_096, 16_384, 70_000])
        break_ = "\n" if self.chance(0.2) else ""
        return f'{{{break_}"type":"t.{number}",{break_}"properties":{{"t":"{text}","n":[1,2.5,null,9007199254740993]}}{break_}}}'

    def with_invalid(self, data):
        if not self.chance(0.06):
            return data
        at = self.random.randint(0, len(data))
        return data[:at] + self.random.choice(INVALID) + data[at:]

    def cut(self, data):
        return data[: self.random.randint(0, len(data))] if self.chance(0.1) else data

    def events(self):
        ends = self.random.choice([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"]])
        made = "\ufeff".encode() * (self.chance(0.1) + self.chance(0.05))
        for number in range(self.random.randint(0, 8)):
            lines = [("data:" if self.chance(0.3) else "data: ") + part for part in self.payload(number).split("\n")]
            for _ in range(self.random.choice([0, 0, 0, 1, 2])):
                lines.insert(self.random.randint(0, len(lines)), self.random.choice(ODD_LINES))
            lines += [""] * self.random.choice([0, 1, 1, 1, 1, 1, 1, 1, 3])
            made += self.with_invalid("".join(line + self.random.choice(ends) for line in lines).encode())
        return self.cut(made)

    def lines(self):
        made = b""
        for number in range(self.random.randint(0, 8)):
            blank, end = self.random.choice(["", "", " ", "\t"]), self.random.choice(["\n", "\n", "\r\n", "\n\n", " \n", "\n \n"])
            made += self.with_invalid((blank + self.payload(number).replace("\n", " ")).encode()) + end.encode()
        return self.cut(made)

    def pieces(self, data):
        """The same bytes cut into pieces: at each byte, inside characters and line ends, or anywhere."""
        cuts = self.random.choice([
            [], range(1, min(len(data), 800)), [m.end() for m in re.finditer(b"\r", data)],
            [at for at, byte in enumerate(data) if 0x80 <= byte < 0xC0][:300],
            sorted(self.random.randint(0, len(data)) for _ in range(20)),
        ])
        edges = [0, *cuts, len(data)]
        return [data[a:b] for a, b in zip(edges, edges[1:]) if a < b]
