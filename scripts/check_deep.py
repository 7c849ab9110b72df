#!/usr/bin/env python3
"""What takes longer than a test run may: the C tests under sanitizers and valgrind, fuzzers, and a soak.

    check_deep.py [STAGE ...]

Without names all stages run. Ends with `N passed, N failed`.
"""
import argparse, json, os, pathlib, shutil, sys, tempfile, time

from run_tests import OUT, ROOT, SWIFT, WARNINGS, Model, Suite, c as c_tests, compile_c, run

# Tests of what a sanitizer itself changes: a stack of 64 KiB, the number of threads, and signal handlers after loading.
NOT_SANITIZED = {"thread": {"test_stack", "test_load", "test_remote_streams"}, "address": {"test_stack"}}
FUZZ_SECONDS = int(os.environ.get("TANDEM_FUZZ_SECONDS", "60"))
OPTIONS = {
    "thread": {"TSAN_OPTIONS": f"suppressions={ROOT}/scripts/tsan.supp"},
    "address": {"ASAN_OPTIONS": "detect_leaks=1", "LSAN_OPTIONS": f"suppressions={ROOT}/scripts/lsan.supp:print_suppressions=0"},
}


def toolchain():
    """The toolchain's folder, for its clang and for what its thread sanitizer links."""
    _, info = run([SWIFT, "-print-target-info"])
    return pathlib.Path(json.loads(info)["paths"]["runtimeResourcePath"]).parents[1]


def built(suite, sanitizer):
    """The library built for a sanitizer, and what links a program with it; None when it does not build."""
    scratch = ROOT / f"build/sanitize-{sanitizer}"
    # Coverage is what leads the fuzzers; without one, the sanitizer's runtime takes its calls and does nothing.
    coverage = ["-Xswiftc", "-sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table"] if sanitizer == "address" else []
    build = [SWIFT, "build", "-c", "release", "--product", "tandem", "--scratch-path", scratch, f"--sanitize={sanitizer}", "-Xcc",
             f"-fsanitize={sanitizer}", *coverage]
    if not suite.command(f"build for {sanitizer}", build, timeout=1200):
        return None
    library = scratch / "release/libtandem.so.0"
    library.unlink(missing_ok=True)
    library.symlink_to("libtandem.so")
    swift_libraries = toolchain() / "lib/swift/linux"
    return library, ["-Iinclude", f"-L{library.parent}", "-ltandem", f"-Wl,-rpath,{library.parent}", "-pthread", "-ldl",
                     "-Wl,--no-as-needed", f"-L{swift_libraries}", "-ldispatch", "-lBlocksRuntime", f"-Wl,-rpath,{swift_libraries}"]


def sanitized(suite, sanitizer):
    """All C tests with a library and a host built for the sanitizer: any report is a failure."""
    made = built(suite, sanitizer)
    if made is None:
        return
    library, link = made
    with Model() as model:
        environment = {**model.environment(), **OPTIONS[sanitizer], "TANDEM_TEST_SLOW": "5",
                       "TANDEM_TEST_LIBRARY": str(library), "LD_LIBRARY_PATH": str(library.parent)}
        for source in sorted(pathlib.Path("Tests/c").glob("test_*.c")):
            if source.stem in NOT_SANITIZED[sanitizer]:
                continue
            program = OUT / f"{sanitizer}_{source.stem}"
            command = [toolchain() / "bin/clang", f"-fsanitize={sanitizer}", "-std=gnu11", "-O1", "-g", *WARNINGS, source, "-o",
                       program, *link]
            code, output = run(command)
            if suite.case(f"{source} compiles for {sanitizer}", code == 0, output):
                code, output = run([program], env=environment, timeout=600)
                counted = [line for line in output.splitlines() if line.startswith(("ok ", "FAILED "))]
                detail = "\n".join(line for line in output.splitlines() if not line.startswith("ok "))
                suite.case(f"{source.stem} under {sanitizer}", code == 0 and len(counted) > 0, f"exit {code}\n{detail}")


def thread(suite):
    sanitized(suite, "thread")


def address(suite):
    sanitized(suite, "address")


def fuzz(suite):
    """Each fuzzer for FUZZ_SECONDS, from the seeds and what earlier runs found; an input that fails stays in build/fuzz."""
    made = built(suite, "address")
    if made is None:
        return
    _, link = made
    place = ROOT / "build/fuzz"
    seeds = place / "seeds"
    shutil.rmtree(seeds, ignore_errors=True)
    if not suite.command("seeds of the fuzzers", [sys.executable, "Tests/fuzz/seeds.py", seeds]):
        return
    for source in sorted(pathlib.Path("Tests/fuzz").glob("fuzz_*.c")):
        name, program = source.stem.removeprefix("fuzz_"), OUT / source.stem
        compiler = [toolchain() / "bin/clang", "-fsanitize=fuzzer,address", "-std=gnu11", "-O1", "-g", *WARNINGS]
        if suite.command(f"{source} compiles", [*compiler, source, "-o", program, *link]):
            fuzz_one(suite, name, program, place)


def fuzz_one(suite, name, program, place):
    corpus, found = place / "corpus" / name, place / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    command = [ROOT / program, "-seed=1", f"-max_total_time={FUZZ_SECONDS}", "-timeout=30", "-rss_limit_mb=4096", "-max_len=20000",
               f"-artifact_prefix={found}/{name}-", "-print_final_stats=1", "-verbosity=1", corpus, place / "seeds" / name]
    with tempfile.TemporaryDirectory() as folder:
        code, output = run(command, cwd=folder, env={**os.environ, **OPTIONS["address"]}, timeout=FUZZ_SECONDS + 600)
    runs = [line.split()[-1] for line in output.splitlines() if line.startswith("stat::number_of_executed_units")]
    suite.case(f"fuzz_{name} for {FUZZ_SECONDS} s", code == 0 and runs and int(runs[0]) > 0, f"exit {code}\n{output}")
    print(f"fuzz_{name}: {runs[0] if runs else 0} inputs", flush=True)


def release(suite):
    return suite.command("release build", ["scripts/build"], timeout=1200)


def valgrind(suite):
    if release(suite):
        c_tests(suite, argparse.Namespace(valgrind=True))


def soak(suite):
    if not release(suite):
        return
    for name in ("soak", "soak_remote"):
        code, output = compile_c(f"Tests/c/{name}.c", OUT / name)
        if suite.case(f"Tests/c/{name}.c compiles", code == 0, output):
            suite.program(name, [OUT / name], env={**os.environ, "TANDEM_TEST_ROOT": str(ROOT)}, timeout=1800)


STAGES = {s.__name__: s for s in (thread, address, fuzz, valgrind, soak)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=", ".join(STAGES))
    options = parser.parse_args()
    os.chdir(ROOT)
    OUT.mkdir(parents=True, exist_ok=True)
    suite = Suite()
    for name in options.stages or STAGES:
        began, before = time.time(), (suite.passed, suite.failed)
        print(f"{name} ...", flush=True)
        STAGES[name](suite)
        print(f"{name}: {suite.passed - before[0]} passed, {suite.failed - before[1]} failed, {time.time() - began:.0f} s", flush=True)
    print(f"{suite.passed} passed, {suite.failed} failed")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
