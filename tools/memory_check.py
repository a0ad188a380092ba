"""Run the engine's tests on an accelerator that reports wrong uses of memory: `python -m tools.memory_check`.

The command copies the checkout to a temporary folder and compiles the accelerator there, with cc. `--with` selects what
looks for mistakes:

- `asan`: AddressSanitizer and UndefinedBehaviorSanitizer, compiled into the accelerator.
- `valgrind`: valgrind's memcheck, which is slow.
- `debug`: Python's allocators with `PYTHONMALLOC=debug`, and Python's development mode.
- `counts`: `tools.reference_counts` in a debug build of Python, for example `--python python3.11-dbg`. It uses the
  packages of this environment, and needs none that are compiled.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path("tinygraph", "engine", "_speed.c")
TESTS = [
    f"tests/engine/test_{name}.py"
    for name in (
        *("acceleration", "autodiff", "backward", "recording", "value", "graph", "copies", "contexts", "threads"),
        *("equality", "replay"),
    )
]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-s"]  # -s: reports are not captured


def copied(folder: Path) -> None:
    """Copy the files of the checkout, also the ones that git does not track yet, but not the ones that it ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def compiled(folder: Path, python: str, options: list[str]) -> None:
    """Compile the accelerator of a copy for an interpreter, without optimizations that hide mistakes."""
    code = "import sysconfig; print(sysconfig.get_path('include'), sysconfig.get_config_var('EXT_SUFFIX'))"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    include, suffix = found.stdout.split()
    command = ["cc", "-shared", "-fPIC", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", *options]
    target = folder / SOURCE.with_name(SOURCE.stem + suffix)
    subprocess.run([*command, f"-I{include}", str(folder / SOURCE), "-o", str(target)], check=True)


def sanitizer_libraries() -> str:
    """Return the libraries that must be loaded before Python: also the one of C++, for exceptions in NumPy."""
    names = ("libasan.so", "libubsan.so", "libstdc++.so")
    return " ".join(
        subprocess.run(["cc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in names
    )


def check(how: str, python: str, arguments: list[str]) -> int:
    """Run the tests, or `tools.reference_counts`, in a copy. Return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        compiled(folder, python, SANITIZERS if how == "asan" else [])
        variables = {**os.environ, "PYTHONPATH": name, "TINYGRAPH_PURE": "0"}
        command = [python, *PYTEST, *(arguments or TESTS)]
        if how == "asan":
            variables |= {"LD_PRELOAD": sanitizer_libraries(), "PYTHONMALLOC": "malloc"}
            variables |= {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
        elif how == "valgrind":
            variables["PYTHONMALLOC"] = "malloc"
            command = ["valgrind", "--error-exitcode=99", "--quiet", *command]
        elif how == "debug":
            variables["PYTHONMALLOC"] = "debug"
            command[1:1] = ["-X", "dev"]
        else:
            packages = [path for path in sys.path if path.endswith("site-packages")]
            variables["PYTHONPATH"] = os.pathsep.join([name, *packages])
            command = [python, "-m", "tools.reference_counts", *arguments]
        loaded = "import tinygraph, sys; print('tinygraph.engine._speed' in sys.modules)"
        found = subprocess.run([python, "-c", loaded], cwd=name, env=variables, capture_output=True, text=True)
        if found.stdout.strip() != "True":
            print(f"the accelerator does not run in the copy: {found.stderr}", file=sys.stderr)
            return 1
        return subprocess.run(command, cwd=name, env=variables).returncode


def main() -> None:
    """Run the tests, and exit with their exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.memory_check", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--with", dest="how", choices=("asan", "valgrind", "debug", "counts"), default="asan")
    parser.add_argument("--python", default=sys.executable, help="interpreter (default: this one)")
    parser.add_argument("arguments", nargs="*", help="tests, or arguments of tools.reference_counts, after --")
    options = parser.parse_args()
    raise SystemExit(check(options.how, options.python, options.arguments))


if __name__ == "__main__":
    main()
