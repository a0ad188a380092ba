"""Assemble the playground page from the package, its web files, and the npm packages.

The result in `build/playground` is `playground.html`, one file that opens from disk, and the folder `site`, which the
documentation contains. Both have the same parts: the page, a worker, and `runtime.js`, which contains all binary files
as compressed text. A script can be loaded from disk, where a page cannot fetch other files.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
WEB = HERE / "web"
TARGET = ROOT / "build" / "playground"
LARGEST = 10_000_000  # maximum size of the offline page, in bytes
# Modules of the standard library that a program may import, besides those that tinygraph uses.
MODULES = (
    "bisect", "calendar", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "heapq", "itertools", "json", "math", "numbers", "operator", "pprint", "random", "re", "statistics",
    "string", "textwrap", "time", "timeit", "typing",
)  # fmt: skip


class BuildError(RuntimeError):
    """The page cannot be built. The message tells what to do."""


def fingerprint() -> str:
    """Return a digest of all files that the page is made from."""
    digest = hashlib.sha256()
    paths = [*(ROOT / "tinygraph").rglob("*"), *HERE.rglob("*"), ROOT / "pyproject.toml"]
    for path in sorted(paths):
        generated = "__pycache__" in path.parts or path.suffix == ".pyc" or path.name == "playground.html"
        if path.is_file() and not generated:
            digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_current(target: Path = TARGET) -> bool:
    """Return whether the result belongs to the present files."""
    mark = target / "fingerprint.txt"
    return mark.is_file() and mark.read_text("utf-8").strip() == fingerprint()


def build(target: Path = TARGET) -> Path:
    """Build the page and the folder for the site.

    Args:
        target: Folder for the result. Its npm packages are kept for the next build.

    Returns:
        The folder.

    Raises:
        BuildError: If a program is missing or fails, or if the page is too large.
    """
    for program, package in (("npm", "npm"), ("node", "nodejs")):
        if not shutil.which(program):
            raise BuildError(f"the program {program} is not installed: apt-get install {package}, or see nodejs.org")
    before = fingerprint()
    target.mkdir(parents=True, exist_ok=True)
    modules = npm_packages(target)
    shutil.rmtree(target / "wheels", ignore_errors=True)
    wheels = made_wheels(target / "wheels")
    runtime = runtime_script(modules, wheels, cut_library(modules, wheels))
    _write(target, runtime)
    size = (target / "playground.html").stat().st_size
    if size > LARGEST:
        raise BuildError(f"playground.html has {size:,} bytes, more than the limit of {LARGEST:,}")
    (target / "fingerprint.txt").write_text(f"{before}\n", encoding="utf-8")
    return target


def npm_packages(target: Path) -> Path:
    """Install the npm packages of `package-lock.json`, and return their folder. npm checks their hashes."""
    folder = target / "npm"
    lock = (HERE / "package-lock.json").read_bytes()
    mark = folder / "installed.json"
    if not mark.is_file() or mark.read_bytes() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, folder / name)
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
        mark.write_bytes(lock)
    return folder / "node_modules"


def made_wheels(folder: Path) -> list[Path]:
    """Build the wheel of this package without compiled code, and download that of graphviz with its hash checked."""
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    _run([*pip, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], env={**os.environ, "TINYGRAPH_PURE": "1"})
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "-d", str(folder)]
    _run([*pip, "download", *options, "-r", str(HERE / "requirements.txt")])
    wheels = sorted(folder.glob("*.whl"))
    for wheel in wheels:
        if not wheel.name.endswith("-none-any.whl"):
            raise BuildError(f"{wheel.name} contains compiled code, which does not run in a browser")
    return wheels


def cut_library(modules: Path, wheels: list[Path]) -> bytes:
    """Return Python's standard library as an archive with only the modules that tinygraph or a program can import."""
    done = _run(["node", str(HERE / "trace.mjs"), str(modules), json.dumps(MODULES), *map(str, wheels)])
    kept = set(json.loads(done.splitlines()[-1]))
    made = io.BytesIO()
    with (
        zipfile.ZipFile(modules / "pyodide" / "python_stdlib.zip") as whole,
        zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as part,  # the page compresses it as a whole
    ):
        for entry in sorted(whole.infolist(), key=lambda entry: entry.filename):
            if entry.filename in kept:
                part.writestr(zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0)), whole.read(entry))
    return made.getvalue()


def runtime_script(modules: Path, wheels: list[Path], library: bytes) -> str:
    """Return the script with the worker and all binary files, compressed and written as text."""
    pyodide = modules / "pyodide"
    lock = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    lock["packages"] = {}  # the page loads no package of the distribution
    files = {
        "pyodide.asm.wasm": (pyodide / "pyodide.asm.wasm").read_bytes(),
        "pyodide.asm.mjs": (pyodide / "pyodide.asm.mjs").read_bytes(),
        "pyodide.mjs": _without_map((pyodide / "pyodide.mjs").read_bytes()),
        "python_stdlib.zip": library,
        "pyodide-lock.json": json.dumps(lock).encode(),
        "viz.js": (modules / "@viz-js" / "viz" / "dist" / "viz.js").read_bytes(),
        **{f"wheels/{wheel.name}": _stored(wheel) for wheel in wheels},
    }
    packs = {
        name: base64.b64encode(gzip.compress(content, 9, mtime=0)).decode() for name, content in sorted(files.items())
    }
    made = {"worker": (WEB / "worker.js").read_text("utf-8"), "packs": packs}
    return f"globalThis.tinygraphRuntime = {_in_script(json.dumps(made))};\n"


def _stored(wheel: Path) -> bytes:
    """Return a wheel without its own compression and without a page that was installed into the package."""
    made = io.BytesIO()
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as part:
        for entry in sorted(whole.infolist(), key=lambda entry: entry.filename):
            if not entry.filename.endswith("/playground.html"):
                part.writestr(zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0)), whole.read(entry))
    return made.getvalue()


def _without_map(script: bytes) -> bytes:
    """Return a script without the comment that makes a browser ask for its source map."""
    return re.sub(rb"//# sourceMappingURL=.*", b"", script)


def _in_script(text: str) -> str:
    """Return JSON in a form that an HTML script element can contain."""
    return text.replace("<", "\\u003c")


def _write(target: Path, runtime: str) -> None:
    """Write the offline page and the folder for the site."""
    scripts = [(WEB / name).read_text("utf-8") for name in ("engine.js", "editor.js", "playground.js")]
    page = (WEB / "playground.html").read_text("utf-8")
    page = page.replace("{{style}}", (WEB / "playground.css").read_text("utf-8"))
    page = page.replace("{{script}}", "\n".join(scripts))
    site = target / "site"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir()
    (site / "runtime.js").write_text(runtime, encoding="utf-8")
    (site / "index.html").write_text(page.replace("{{runtime}}", '<script src="runtime.js"></script>'), "utf-8")
    (site / "run.js").write_text(f"{scripts[0]}\n{(WEB / 'run.js').read_text('utf-8')}", encoding="utf-8")
    shutil.copyfile(WEB / "run.css", site / "run.css")
    first, rest = page.split("{{runtime}}")
    (target / "playground.html").write_text(f"{first}<script>{runtime}</script>{rest}", encoding="utf-8")
    for folder in (site / "licenses", target / "licenses"):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE / "licenses", folder)
        shutil.copyfile(ROOT / "LICENSE", folder / "tinygraph.txt")


def doctests(target: Path = TARGET) -> dict[str, list[int]]:
    """Run the doctests of the package in Pyodide under Node.js.

    Args:
        target: Folder of a build.

    Returns:
        The number of examples, and of those that failed, by the name of each docstring that needs no NumPy.
    """
    wheels = map(str, sorted((target / "wheels").glob("*.whl")))
    program = str(HERE / "doctests.py")
    done = _run(["node", str(HERE / "doctests.mjs"), str(target / "npm" / "node_modules"), program, *wheels])
    found: dict[str, list[int]] = json.loads(done.splitlines()[-1])
    return found


def _run(command: list[str], **options: object) -> str:
    """Run a program, and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).strip().splitlines() if 0 < len(line) < 400]
        said = "\n".join(lines[-12:])  # without the source line that Node.js prints, which is a whole program
        raise BuildError(f"`{' '.join(command[:4])} …` failed:\n{said}")
    return str(done.stdout)
