"""Tools from PyPI, in an environment that is made once."""
import os, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
PLACE = ROOT / "build/python-tools"


def python(*modules):
    """A Python that can import all of these; None where PyPI is out of reach."""
    found = PLACE / "bin/python"
    wanted = "import " + ", ".join(modules)
    if found.exists() and not quiet(found, "-c", wanted):
        return found
    packages = [module.replace("_", "-") for module in modules]
    if quiet(sys.executable, "-m", "venv", PLACE) or quiet(found, "-m", "pip", "install", "-q", *packages):
        return None
    return None if quiet(found, "-c", wanted) else found


def quiet(*command):
    return subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          cwd=tempfile.gettempdir(), timeout=300).returncode
