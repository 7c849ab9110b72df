"""Cases for `tandem-generate --check`: in a copy of the project each hand-made change must be noticed."""
import pathlib, re, shutil, subprocess, tempfile

CHANGES = {
    "a changed generated header is noticed": ("include/tandem_ops.h", r"tandem_sessions_create", "tandem_sessions_made"),
    "a changed symbol list is noticed": ("libtandem.symbols", r"tandem_open", "tandem_opened"),
    "a changed operation summary is noticed": ("contract/operations/sessions.json", r"Creates a session\.", "Makes a session."),
    "a changed argument name is noticed": ("contract/operations/sessions.json", r'"name": "title"', '"name": "titel"'),
    "a type that nobody defines is noticed": ("contract/operations/sessions.json", r'"type": "ModelSpec"', '"type": "ModelSpek"'),
}


def cases(tool):
    """Yields (name, noticed, output) for each change."""
    tool = pathlib.Path(tool).resolve()
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, "project")
        shutil.copytree(".", copy, ignore=shutil.ignore_patterns(".build", "build", ".git"))
        if check(tool, copy).returncode:
            yield "an unchanged copy passes", False, output(check(tool, copy))
            return
        yield "an unchanged copy passes", True, ""
        for name, (path, pattern, text) in CHANGES.items():
            target = copy / path
            if not target.exists():
                yield name, False, f"{path} is not there"
                continue
            before = target.read_text()
            target.write_text(re.sub(pattern, text, before, count=1))
            yield name, target.read_text() != before and check(tool, copy).returncode != 0, "the check passed"
            target.write_text(before)


def check(tool, folder):
    return subprocess.run([tool, "--check"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def output(process):
    return process.stdout.decode("utf-8", "replace")
