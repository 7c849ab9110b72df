#!/usr/bin/env python3
"""Runs the stages of the test suite, prints what fails with its output, and ends with `N passed, N failed`.

    run_tests.py [--valgrind] [STAGE ...]

Without names all stages run. Test programs print `ok NAME` or `FAILED NAME ...` for each case; a program that ends
badly without a failed case counts as one failure.
"""
import argparse, json, os, pathlib, re, shutil, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ".build"))
SWIFT = os.environ.get("SWIFT", "swift")
LIBRARY = BUILD / "release" / "libtandem.so"
OUT = pathlib.Path("build/tests")
LINK = ["-Iinclude", "-Lbuild/lib", "-Wl,--as-needed", "-ltandem", f"-Wl,-rpath,{ROOT}/build/lib", "-pthread", "-ldl"]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
SIZE_LIMIT = 10 << 20
CHECK_IMPORTS = ["--explicit-target-dependency-import-check", "error"]


class Suite:
    """Counts cases and remembers failures."""

    def __init__(self):
        self.passed = self.failed = 0

    def case(self, name, good, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}")
            for line in detail.rstrip().splitlines()[-60:]:
                print(f"    {line}")
            sys.stdout.flush()
        return good

    def command(self, name, command, **options):
        """One case: the command succeeds."""
        code, output = run(command, **options)
        return self.case(name, code == 0, output)

    def program(self, name, command, **options):
        """Counts the cases that a test program prints."""
        code, output = run(command, **options)
        good = re.findall(r"^ok .+", output, re.M)
        bad = re.findall(r"^FAILED .+", output, re.M)
        self.passed += len(good)
        for line in bad:
            self.case(f"{name}: {line.removeprefix('FAILED ')[:800]}", False)
        if code and not bad or not good and not bad:
            self.case(f"{name}: ended with {code} after {len(good)} cases", False, output)
        elif bad:
            rest = [line for line in output.splitlines() if not line.startswith(("ok ", "FAILED "))]
            print("\n".join("    " + line for line in rest[-30:]))


def run(command, timeout=600, **options):
    """(exit code, output) of a command; a timeout is the exit code `timeout`."""
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=timeout, **options)
    except subprocess.TimeoutExpired as e:
        return "timeout", (e.stdout or b"").decode("utf-8", "replace")
    return p.returncode, p.stdout.decode("utf-8", "replace")


class Served:
    """A server of Tests/tools, on a port of its own choice."""

    def __init__(self, script, *options):
        self.command = [sys.executable, f"Tests/tools/{script}", "--port", "0", *options]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, text=True, stdout=subprocess.PIPE)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Model(Served):
    """The scripted model server."""

    def __init__(self):
        super().__init__("model_server.py")

    def environment(self):
        return {**os.environ, "TANDEM_TEST_MODEL_URL": self.url, "TANDEM_TEST_LIBRARY": str(ROOT / "build/lib/libtandem.so.0"),
                "LD_LIBRARY_PATH": str(ROOT / "build/lib"), "LOCPATH": str(ROOT / "build/locale"),
                "TANDEM_TEST_ROOT": str(ROOT)}


def lint(suite, _):
    suite.command("swift format", [SWIFT, "format", "lint", "-s", "-p", "-r", "Package.swift", "Sources", "Tests"])


def build(suite, _):
    if not suite.command("release build", [SWIFT, "build", "-c", "release", "--scratch-path", BUILD, *CHECK_IMPORTS],
                         timeout=1200):
        return
    suite.command("stage", ["scripts/stage"])


def generated(suite, _):
    suite.command("tandem-generate --check", [BUILD / "release" / "tandem-generate", "--check"])
    sys.path.insert(0, str(ROOT / "Tests/tools"))
    import drift
    for name, good, detail in drift.cases(BUILD / "release" / "tandem-generate"):
        suite.case(name, good, detail)
    suite.program("check_contract", [sys.executable, "Tests/generate/check_contract.py", BUILD / "release" / "tandem-generate"])
    suite.program("check_docs", [sys.executable, "Tests/generate/check_docs.py"])


def swift(suite, _):
    if not suite.command("debug build", [SWIFT, "build", "--build-tests", "--scratch-path", BUILD, *CHECK_IMPORTS],
                         timeout=1200):
        return
    code, output = run([SWIFT, "test", "--skip-build", "--scratch-path", BUILD, "--disable-xctest"])
    # Lines of tests that run at once may stand in one; the last line counts them all.
    total = re.search(r"Test run with (\d+) tests? .*(?:passed|failed) after", output)
    bad = sorted(set(re.findall(r"✘ Test (?!run with)(.+?) failed after", output)))
    for name in bad:
        issues = [line for line in output.splitlines() if f"Test {name.split(' with ')[0]} recorded an issue" in line]
        suite.case(f"swift: {name}", False, "\n".join(issues))
    if total:
        suite.passed += int(total[1]) - len(bad)
    if code and not bad or not total:
        suite.case(f"swift tests ended with {code}", False, output)


def declared():
    """The functions that the headers declare, as the preprocessor sees them."""
    _, text = run(["gcc", "-E", "-P", "-Iinclude", "include/tandem.h"])
    return set(re.findall(r"\b(tandem_[a-z0-9_]+)\s*\(", text))


def library(suite, _):
    _, symbols = run(["nm", "-D", "--defined-only", LIBRARY])
    # lower-case types are local: gold lists them too, but nothing can link them
    lines = [line.split() for line in symbols.splitlines()]
    exported = {line[2].split("@")[0] for line in lines if len(line) == 3 and line[1].isupper() and line[1] != "A"}
    listed = set(pathlib.Path("libtandem.symbols").read_text().split()) if pathlib.Path("libtandem.symbols").exists() else set()
    headers = declared()
    for name, want, got in [("headers are exported", headers, exported), ("exports are in libtandem.symbols", exported, listed)]:
        suite.case(name, want == got, f"missing: {sorted(want - got)[:20]}\nextra: {sorted(got - want)[:20]}")
    suite.case("640 functions are exported", len(exported) == 640, str(len(exported)))
    _, dynamic = run(["readelf", "-d", LIBRARY])
    needed = re.findall(r"NEEDED.*\[(.+)\]", dynamic)
    suite.case("no Swift library is needed", not [n for n in needed if re.match(r"libswift|lib_?Foundation", n)], str(needed))
    suite.case("the soname is libtandem.so.0", "soname: [libtandem.so.0]" in dynamic, dynamic)
    suite.case("dlclose keeps it mapped", "NODELETE" in dynamic, dynamic)
    stripped = OUT / "stripped.so"
    run(["strip", "--strip-unneeded", "-o", stripped, LIBRARY])
    suite.case("stripped it is at most 10 MB", stripped.stat().st_size <= SIZE_LIMIT, str(stripped.stat().st_size))


def headers(suite, _):
    clang = shutil.which("clang") or "/opt/swift/usr/bin/clang"
    dialects = [("gcc", "c", ["c99", "c11", "c2x"]), ("g++", "c++", ["c++11", "c++17", "c++20"]),
                (clang, "c", ["c99", "c11"]), (clang, "c++", ["c++11", "c++17"])]
    for compiler, language, standards in dialects:
        for standard in standards:
            suite.command(f"headers as {standard} by {os.path.basename(compiler)}",
                          [compiler, "-x", language, f"-std={standard}", "-pedantic", *WARNINGS, "-fsyntax-only", "-Iinclude",
                           "Tests/c/headers.inc"])
    noexcept = [clang, "-x", "c++", "-std=c++17", "-fsyntax-only", "-Iinclude", "-DTHROWING_CALLBACK", "Tests/c/headers.inc"]
    suite.case("C++17 refuses a callback that may throw", run(noexcept)[0] != 0)


def compile_c(source, output):
    return run(["gcc", "-std=gnu11", "-O1", "-g", *WARNINGS, source, "-o", output, *LINK])


def under_valgrind():
    """What changes under valgrind: patience, and a library without the debug information that it cannot read."""
    place = ROOT / "build/valgrind"
    place.mkdir(parents=True, exist_ok=True)
    run(["strip", "--strip-debug", "-o", place / "libtandem.so.0", LIBRARY])
    return {"TANDEM_TEST_SLOW": "20", "LD_LIBRARY_PATH": str(place), "TANDEM_TEST_LIBRARY": str(place / "libtandem.so.0")}


def c(suite, options):
    programs = []
    for source in sorted(pathlib.Path("Tests/c").glob("test_*.c")):
        code, output = compile_c(source, OUT / source.stem)
        if suite.case(f"{source} compiles", code == 0, output):
            programs.append(source.stem)
    # undefined values are not asked about: Swift's enums with several payloads are compared with their spare bits
    valgrind = ["valgrind", "-q", "--undef-value-errors=no", "--leak-check=full", "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite",
                "--suppressions=scripts/valgrind.supp", "--error-exitcode=99", "--fair-sched=yes"]
    prefix = valgrind if options.valgrind else []
    if options.valgrind:
        programs = [p for p in programs if "valgrind: no" not in (ROOT / f"Tests/c/{p}.c").read_text()]
    with Model() as model:
        environment = model.environment()
        if options.valgrind:
            environment.update(under_valgrind())
        for name in programs:
            suite.program(name, [*prefix, OUT / name], env=environment, timeout=900 if prefix else 180)


def python(suite, _):
    with Model() as model:
        for script in sorted(pathlib.Path("Tests/python").glob("test_*.py")):
            suite.program(script.stem, [sys.executable, script], env=model.environment(), timeout=900)


def conformance(suite, _):
    """The engine's vectors and the event streams through both candidates, each vector a case."""
    if not suite.command("candidates", ["scripts/candidates"]):
        return
    fixtures = pathlib.Path("Tests/Fixtures/conformance")
    for candidate in ("candidate-c", "candidate-python"):
        for kind, fixture in (("--vectors", "engine_vectors-visible.json"), ("--sse", "sse_vectors-visible.json")):
            report = OUT / f"{candidate}{kind}.json"
            report.unlink(missing_ok=True)
            _, output = run([sys.executable, "Tests/conformance/run_parity.py", kind, fixtures / fixture, "--cmd",
                             f"{ROOT}/Tests/conformance/{candidate}", "--report", report])
            vectors = json.loads((fixtures / fixture).read_text())
            wanted = len(vectors if isinstance(vectors, list) else vectors["vectors"])
            results = json.loads(report.read_text())["results"] if report.exists() else []
            suite.case(f"{candidate} {kind}: all are run", len(results) == wanted, output[-4000:])
            for r in results:
                name = r.get("name") or f"{r['op']} ({r['variant']})"
                suite.case(f"{candidate} {name}", r["ok"] or r.get("tolerated"), str(r.get("mismatch") or r.get("mismatches")))
    suite.program("check_rows", [sys.executable, "Tests/conformance/check_rows.py"])


def fenced(language):
    return re.findall(rf"^```{language}\n(.*?)^```", pathlib.Path("README.md").read_text(), re.M | re.S)


def examples(suite, _):
    with Model() as model, Served("standin_engine.py", "--token", "tk_examples") as engine:
        environment = model.environment()
        for source in sorted(pathlib.Path("examples/c").glob("*.c")):
            target = OUT / f"example_{source.stem}"
            code, output = compile_c(source, target)
            if suite.case(f"{source} compiles", code == 0, output):
                code, output = run([target, "embedded:", "."], env=environment, timeout=60)
                suite.case(f"{source} runs on echo", code == 0 and len(output) > 10, f"exit {code}\n{output}")
        for name in ("quickstart", "poll_loop"):
            code, output = run([OUT / f"example_{name}", engine.url, ".", "tk_examples"], env=environment, timeout=60)
            suite.case(f"examples/c/{name}.c runs on a running engine", code == 0 and len(output) > 10, f"exit {code}\n{output}")
            code, output = run([OUT / f"example_{name}", engine.url], env=environment, timeout=60)
            suite.case(f"examples/c/{name}.c says what is wrong without a token", code == 1 and "unauthorized" in output, output)
        script = [sys.executable, "examples/python/quickstart.py", engine.url, "tk_examples"]
        code, output = run(script, env={**environment, "PYTHONPATH": "bindings/python"}, timeout=60)
        suite.case("quickstart.py runs on a running engine", code == 0 and len(output) > 10, f"exit {code}\n{output}")
        lines = len(pathlib.Path("examples/c/quickstart.c").read_text().splitlines())
        suite.case("quickstart.c has less than 80 lines", lines < 80, str(lines))
        for i, text in enumerate(t for t in fenced("c") if "int main" in t):
            source = OUT / f"readme_{i}.c"
            source.write_text(text)
            code, output = compile_c(source, OUT / f"readme_{i}")
            if suite.case("README's C program compiles", code == 0, output):
                code, output = run([OUT / f"readme_{i}"], env=environment, timeout=60)
                suite.case("README's C program runs", code == 0 and output.strip() != "", f"exit {code}\n{output}")


def install(suite, _):
    with tempfile.TemporaryDirectory() as folder:
        place = {**os.environ, "DESTDIR": folder, "PREFIX": "/usr"}
        if not suite.command("install into DESTDIR", ["scripts/install"], env=place):
            return
        lib = pathlib.Path(folder, "usr/lib")
        wanted = ["libtandem.so", "libtandem.so.0", "libtandem.so.0.1.0", "pkgconfig/tandem.pc", "cmake/Tandem/TandemConfig.cmake",
                  "cmake/Tandem/TandemConfigVersion.cmake", "../include/tandem.h", "../include/tandem_ops.h"]
        suite.case("all files are installed", all((lib / w).exists() for w in wanted), str([w for w in wanted if not (lib / w).exists()]))
        environment = {**os.environ, "LD_LIBRARY_PATH": str(lib), "PKG_CONFIG_SYSROOT_DIR": folder,
                       "PKG_CONFIG_LIBDIR": str(lib / "pkgconfig")}
        code, flags = run(["pkg-config", "--cflags", "--libs", "tandem"], env=environment)
        suite.case("pkg-config knows tandem", code == 0, flags)
        program = pathlib.Path(folder, "consumer")
        code, output = run(["gcc", "Tests/tools/consumer/main.c", "-o", program, *flags.split()])
        suite.case("a program builds by pkg-config", code == 0, output)
        suite.command("and runs", [program], env=environment, timeout=60)
        there = pathlib.Path(folder, "cmake")
        configure = ["cmake", "-S", "Tests/tools/consumer", "-B", there, f"-DCMAKE_PREFIX_PATH={folder}/usr"]
        if suite.command("find_package(Tandem)", configure) and suite.command("a program builds by CMake", ["cmake", "--build", there]):
            suite.command("and runs", [there / "consumer"], env=environment, timeout=60)


STAGES = {s.__name__: s for s in (lint, build, generated, library, headers, c, python, conformance, examples, install, swift)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--valgrind", action="store_true", help="run the C tests under valgrind")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=", ".join(STAGES))
    options = parser.parse_args()
    os.chdir(ROOT)
    OUT.mkdir(parents=True, exist_ok=True)
    suite = Suite()
    for name in options.stages or STAGES:
        began, before = time.time(), (suite.passed, suite.failed)
        print(f"{name} ...", flush=True)
        try:
            STAGES[name](suite, options)
        except Exception as e:
            suite.case(f"stage {name}", False, repr(e))
        print(f"{name}: {suite.passed - before[0]} passed, {suite.failed - before[1]} failed, {time.time() - began:.0f} s", flush=True)
    print(f"{suite.passed} passed, {suite.failed} failed")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
