"""Run each command of the README and the pages in a fresh environment, with only the extras that its text names.

The commands are the lines of shell fences, and the commands in backquotes. A page is run from top to bottom. It starts
in a new clone, on a machine without Graphviz, without a C compiler, and without the packages of the developer. The text
chooses the packages:

- A fence that installs something installs it for the rest of its page.
- `pip install '.[extra]'` in a sentence counts for the rest of its section, or of its page if no section has begun.
- A page that installs nothing starts from the commands in `INSTALL`, which are those of docs/install.md.

Pages that name the same packages share one clone. Building the clones takes minutes and needs a package index, so these
tests run only if you ask for them: `TINYGRAPH_FRESH=1 python -m pytest -n 2 --dist worksteal THIS_FILE`.
"""

import contextlib
import dataclasses
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
INSTALL = ["python3 -m venv .venv", "source .venv/bin/activate", "pip install '.[cli]'"]
NEWER_PIP = "python -m pip install -q --upgrade pip"

CI = "`.ci/run` runs it"
GIGABYTES = "the group has 6 GB on Linux, because PyTorch installs libraries for GPUs"
MINUTES = "it takes minutes, or hours"
INSTEAD = {  # a command, or a part of it: what runs instead (None for nothing), and why
    "-m pytest -q -n auto": ("-m pytest -q -n auto --collect-only", CI),
    "python -m pytest -n 2 tests/documentation/test_fresh_environments.py": (None, "this is the test itself"),
    "-m pytest -n auto": ("-m pytest -n auto --collect-only", CI),
    "pip install --group lint": (None, CI),
    "pip install -e '.[test,cli,plot]' --group docs": (None, "CONTRIBUTING.md installs it as a part of `dev`"),
    "pip install -e '.[test,cli,plot,dask]' --group oracles": (None, CI),
    "pip install torch==2.13.0": (None, CI),
    "pip install -U pip": (None, "the test does it before each `--group`"),
    "pip install --group release": (None, CI),
    "python -m tools.distribution dist --release": (None, "the release workflow runs it"),
    "python -m tools.distribution": (None, CI),
    "pip install -e . --group bench": ("pip install -e .", GIGABYTES),
    "python -m tools.benchmarks --peer micrograd": ("python -m tools.benchmarks --help", MINUTES),
    "python -m tools.benchmarks --peer arrays": ("python -m tools.benchmarks --help", MINUTES),
    "python -m tools.benchmarks --peer recorded": ("python -m tools.benchmarks --help", MINUTES),
    "python -m tools.benchmarks.operations --json operations.json": (
        "python -m tools.benchmarks.operations --help",
        MINUTES,
    ),
    "python -m tools.benchmarks --growth operations.json --json tools/benchmarks/figures.json": (
        "python -m tools.benchmarks --help",
        MINUTES,
    ),
    "python -m tools.benchmarks": ("python -m tools.benchmarks --help", MINUTES),
    "python -m tools.benchmarks.operations": ("python -m tools.benchmarks.operations --help", MINUTES),
    "python -m tools.playground": ("python -m tools.playground --help", "a test builds it where npm is installed"),
    "tinygraph playground -o playground.html": ("tinygraph playground --help", "it needs the page of the line above"),
    "python -m tools.benchmarks.growth": ("python -m tools.benchmarks.growth --help", MINUTES),
    "python -m tools.benchmarks.cluster": ("python -m tools.benchmarks.cluster --help", MINUTES),
    "python -m tools.mutation engine.op engine.ops": ("python -c 'import tools.mutation'", MINUTES),
    "--count 100000": ("--count 200", MINUTES),
    "python -m tools.numpy_coverage": (None, "a test repeats it where CI installs the group oracles"),
    "python -m tools.gradient_checkers --write": (None, "it takes minutes, and needs the group oracles"),
    "python -m tools.accuracy_table": ("python -c 'import tools.accuracy_table'", MINUTES),
}
SERVERS = {  # a command that runs until it is stopped: the address at which it answers
    ".venv/bin/mkdocs serve": "http://127.0.0.1:8000/",
    "jupyter lab examples/notebooks": "http://127.0.0.1:8888/",
}
IN_A_SENTENCE = re.compile(
    r"(?:\w+=\S+ )*(?:\.venv/bin/\w|(?:source|python3?|pip|git|jupyter|mkdocs|pytest|ruff|mypy) [\w.-]"
    r"|tinygraph (?:demo|doctor)$|tinygraph \w+ \S)"
)
ANSWERS = {"tinygraph step": "q\n", "pip uninstall": "y\n"}  # what you type while a command runs
THEIRS = ("PYTHON", "PYTEST", "TINYGRAPH", "COV", "VIRTUAL_ENV", "BASH_ENV")  # variables of the developer's environment
NOT_FRESH = re.compile(r"(?:python|pip|pipx|uv|tinygraph|pytest|ruff|mypy|mkdocs|jupyter)[\w.-]*")
COMPILER = re.compile(r"(?:[\w.+-]+-)?(?:cc|c\+\+|gcc|g\+\+|c\d\d|clang|clang\+\+|tcc)(?:-[\d.]+)?")
GRAPHVIZ = {"dot", "neato", "twopi", "circo", "fdp", "sfdp", "patchwork", "osage"}
A_PIECE = re.compile(
    r"^(?P<level>#+) .*?$|^ *```(?P<language>\w*)\n(?P<block>.*?)^ *```$|(?<!`)`(?P<code>[^`]+)`(?!`)", re.M | re.S
)


@dataclasses.dataclass
class Session:
    """The commands of a page, or of a section, that share an environment."""

    page: str
    commands: list[str] = dataclasses.field(default_factory=list)
    packages: set[str] = dataclasses.field(default_factory=set)


def installed(command):
    """Return the packages, extras and groups that a command installs, without pip itself."""
    found = re.search(r"pip install ([^&|#\n]*)", command)
    if not found:
        return set()
    extras = re.search(r"'\.\[(.*?)\]'", found[1])
    groups = re.findall(r"--group (\S+)", found[1])
    others = re.sub(r"'.*?'|--group \S+|-\S+(?: pip\b)?", "", found[1]).split()
    return {*(extras[1].split(",") if extras else ()), *(f"group {group}" for group in groups), *others} - {"."}


def sessions_of(page, text):
    """Return the sessions of a page, in the order in which they begin."""
    whole = section = Session(page)
    found, level = [whole], 0
    for piece in A_PIECE.finditer(text):
        if piece["level"]:
            section, level = whole, len(piece["level"])
        elif piece["block"] is not None:
            if piece["language"] in ("sh", "bash", "console"):
                for line in piece["block"].strip().splitlines():
                    command = line.strip().removeprefix("$ ")
                    section.commands.append(command)
                    section.packages |= installed(command)
        elif IN_A_SENTENCE.match(code := " ".join(piece["code"].split())):
            if re.search(r"pip install .*(?:'\.\[|--group| \.$)", code):
                newer = [NEWER_PIP] if "--group" in code else []  # as the text asks for
                section = Session(page, [*INSTALL[:2], *newer], installed(code))
                found.append(section)
                whole = section if level < 2 else whole
            section.commands.append(code)
    for session in found:
        if session.commands and "-m venv" not in session.commands[0]:
            session.commands[:0] = INSTALL
            session.packages |= installed(INSTALL[-1])
    return [session for session in found if session.commands]


def instead_of(command):
    """Return what is run for a command: the command, a shorter one, or None."""
    for part, (other, _) in INSTEAD.items():
        if command.endswith(part):
            return other and command.removesuffix(part) + other
    return command


def environments():
    """Return the sessions by the packages that they install.

    Environments with many commands come first, because they take longest. In each, pages with their own setup come
    first.
    """
    found = {}
    for path in PAGES:
        for session in sessions_of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")):
            if any(instead_of(command) for command in session.commands if command not in (*INSTALL, NEWER_PIP)):
                found.setdefault(", ".join(sorted(session.packages)), []).append(session)
    longest_first = sorted(found, key=lambda packages: -sum(len(session.commands) for session in found[packages]))
    return {
        packages: sorted(found[packages], key=lambda session: session.commands[0] == INSTALL[0])
        for packages in longest_first
    }


ENVIRONMENTS = environments()


def test_every_exception_is_a_command_of_a_page():
    commands = {command for group in ENVIRONMENTS.values() for session in group for command in session.commands}
    text = "\n".join(path.read_text("utf-8") for path in PAGES)
    assert {part for part in INSTEAD if part not in text} == set()
    assert {name for name in SERVERS if name not in commands} == set()


def test_a_command_is_found_with_the_packages_that_its_text_names():
    text = """# Page

```sh
python3 -m venv .venv && .venv/bin/pip install -q '.[cli]'
tinygraph doctor
```

## Plot

`tinygraph step` is a name. The plot needs `pip install '.[cli,plot]'`:

```sh
python examples/two_moons.py
```

## Test

`.venv/bin/python -m tools.soak` needs nothing.
"""
    whole, plot = sessions_of("page.md", text)
    assert whole.packages == {"cli"}
    assert whole.commands[1:] == ["tinygraph doctor", ".venv/bin/python -m tools.soak"]
    assert plot.packages == {"cli", "plot"}
    assert plot.commands[2:] == ["pip install '.[cli,plot]'", "python examples/two_moons.py"]


# --- in fresh environments

ask = pytest.mark.skipif(not os.environ.get("TINYGRAPH_FRESH"), reason="it takes minutes: set TINYGRAPH_FRESH=1")


@pytest.fixture(scope="session")
def index(tmp_path_factory):
    """Check that pip reaches a package index."""
    folder = os.fspath(tmp_path_factory.mktemp("download"))
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir", "-d", folder, "hatchling"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        pytest.skip(f"pip reaches no package index: {run.stderr.strip().splitlines()[-1]}")


@pytest.fixture(scope="session")
def origin(tmp_path_factory):
    """A repository of the files that git tracks, as they are in this checkout."""
    folder = tmp_path_factory.mktemp("origin") / "tinygraph"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
            (folder / name).chmod((ROOT / name).stat().st_mode)
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for step in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", "Add the project"]):
        subprocess.run(["git", *step], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    """The variables of a machine with Python and the usual programs, without Graphviz, compilers and our packages."""
    folder = tmp_path_factory.mktemp("machine")
    programs = folder / "bin"
    programs.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        if Path(place).is_dir() and Path(place) != Path(sys.prefix) / "bin":
            for path in Path(place).iterdir():
                if path.name not in GRAPHVIZ and not any(x.fullmatch(path.name) for x in (NOT_FRESH, COMPILER)):
                    with contextlib.suppress(FileExistsError):
                        (programs / path.name).symlink_to(path)
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    (programs / "python3").write_text(f'#!/bin/sh\nexec {python} "$@"\n', "utf-8")
    (programs / "python3").chmod(0o755)
    compilers = {"cc", *shlex.split(sysconfig.get_config_var("CC") or "")[:1]}  # those that the build would run
    assert not any(shutil.which(name, path=str(programs)) for name in compilers)
    settings = {"ServerApp": {"open_browser": False, "allow_root": os.geteuid() == 0}}
    (folder / "jupyter_server_config.json").write_text(json.dumps(settings), "utf-8")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(THEIRS) and name != "CC"}
    return {**ours, "PATH": str(programs), "JUPYTER_CONFIG_DIR": str(folder), "PIP_NO_COMPILE": "1"}


def run(command, folder, variables):
    """Run a command, and return what is wrong with it, or an empty string."""
    answer = next((text for name, text in ANSWERS.items() if name in command), "")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, env=variables, input=answer, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    wrong = done.returncode or "Traceback" in done.stderr
    return f"exit code {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}" if wrong else ""


def serve(command, address, folder, variables):
    """Start a server, wait until it answers, and stop it. Return what is wrong with it, or an empty string."""
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
        return f"another program answers at {address}"
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        end = time.monotonic() + 300
        while time.monotonic() < end and server.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=30) as page:
                return "" if page.status == 200 else f"status {page.status}"
            time.sleep(0.5)
        return f"no answer at {address}\n{log.read_text('utf-8', 'replace')[-1500:]}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


@ask
@pytest.mark.parametrize("packages", ENVIRONMENTS)
def test_commands_work_in_a_fresh_environment(packages, index, origin, machine, tmp_path):
    folder = tmp_path / "tinygraph"
    subprocess.run(["git", "clone", "-q", os.fspath(origin), os.fspath(folder)], check=True)
    rows = (ROOT / "tinygraph" / "datasets" / "breast_cancer.csv").read_text("utf-8").splitlines()
    (folder / "table.csv").write_text("\n".join([re.sub("[^,]+$", "column", rows[0]), *rows[1:]]), "utf-8")
    done, ready, failed = [], set(), []
    for session in ENVIRONMENTS[packages]:
        active = False
        for written in session.commands:
            command = instead_of(written)
            if command == "source .venv/bin/activate":
                active = True
            names = installed(written)
            again = names and names <= ready and re.match(r"(?:\.venv/bin/)?pip install", written)
            if (
                command is None
                or again
                or any(other == command or other.startswith(f"{command} && ") for other in done)
            ):
                continue
            began = time.monotonic()
            line = f"source .venv/bin/activate\n{command}" if active else command
            address = SERVERS.get(command)
            wrong = serve(line, address, folder, machine) if address else run(line, folder, machine)
            print(f"{time.monotonic() - began:6.1f} s  {session.page}: {command}")
            done.append(command)
            ready |= names
            if wrong:
                failed.append(f"{session.page}: {command}\n{wrong}")
    assert not failed, "\n\n".join(failed)
