"""The built library through ctypes, and cases as the test runner counts them: `ok NAME` and `FAILED NAME`."""
import ctypes, json, os, time

PATH = os.environ.get("TANDEM_TEST_LIBRARY", "build/lib/libtandem.so.0")
ROOT = os.environ.get("TANDEM_TEST_ROOT", os.getcwd())
MODEL_URL = os.environ.get("TANDEM_TEST_MODEL_URL")

lib = ctypes.CDLL(PATH)
POINTER, TEXT, ID, INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_int32
for name, result, arguments in [
    ("tandem_open", POINTER, [TEXT, ctypes.POINTER(POINTER)]), ("tandem_close", INT, [POINTER, INT]),
    ("tandem_call", POINTER, [POINTER, TEXT, TEXT]), ("tandem_submit", ID, [POINTER, TEXT, TEXT, ctypes.POINTER(POINTER)]),
    ("tandem_next", POINTER, [POINTER, INT, INT]), ("tandem_cancel", INT, [POINTER, ID]), ("tandem_free", None, [POINTER]),
    ("tandem_stats", POINTER, [POINTER]), ("tandem_set_log", INT, [POINTER, POINTER, POINTER, INT]),
]:
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


def taken(pointer):
    """A string of the library as a value; the string is freed."""
    if not pointer:
        return None
    try:
        return json.loads(ctypes.string_at(pointer))
    finally:
        lib.tandem_free(pointer)


class Failure(Exception):
    """An error of the library: its name, status and the whole object."""

    def __init__(self, error):
        super().__init__(f"{error['name']}: {error['message']}")
        self.error, self.name, self.status = error, error["name"], error.get("status")


def value(result):
    """What a result holds, or its error raised."""
    if "error" in result:
        raise Failure(result["error"])
    return result["ok"]


def packed(arguments):
    return arguments if arguments is None or isinstance(arguments, bytes) else json.dumps(arguments).encode()


class Client:
    """An open client; closed at the end of a `with`."""

    def __init__(self, **configuration):
        error = POINTER()
        self.results = {}
        self.handle = lib.tandem_open(json.dumps({"discover": False, **configuration}).encode(), ctypes.byref(error))
        if not self.handle:
            value(taken(error.value))

    def call(self, operation, arguments=None):
        return value(taken(lib.tandem_call(self.handle, operation.encode(), packed(arguments))))

    def submit(self, operation, arguments=None):
        error = POINTER()
        op = lib.tandem_submit(self.handle, operation.encode(), packed(arguments), ctypes.byref(error))
        if not op:
            value(taken(error.value))
        return op

    def next(self, timeout_ms=0):
        return value(taken(lib.tandem_next(self.handle, 0, timeout_ms)))

    def stats(self):
        return value(taken(lib.tandem_stats(self.handle)))

    def done(self, op, timeout_s=20):
        """The result of a submitted operation; other events are passed over."""
        end = time.time() + timeout_s
        while time.time() < end:
            for event in self.next(100):
                if event["type"] == "done":
                    self.results[event["op"]] = event["result"]
            if op in self.results:
                return self.results[op]
        return None

    def cancel(self, op):
        return lib.tandem_cancel(self.handle, op)

    def close(self):
        return lib.tandem_close(self.handle, -1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def scripted(**configuration):
    """A client whose runs go to the scripted model server."""
    return Client(default_provider="llama_cpp", providers={"llama_cpp": {"url": MODEL_URL, "default_model": "scripted"}}, **configuration)


class Cases:
    passed = failed = 0

    def __call__(self, name, good, detail=""):
        if good:
            self.passed += 1
            print(f"ok {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED {name}: {detail}"[:2000].replace("\n", " "), flush=True)
        return good

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
