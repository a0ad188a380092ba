"""Check the results of a build: `python -m tools.distribution dist` after `python -m build`.

A wheel must contain every file of the package, data too, and nothing else, except the accelerator: a wheel for one
Python and one system contains it, and the wheel in pure Python does not. The sdist must contain the files that tests
and documentation need. The version must be that of the package, and that of the tag if one is given. `--release`
also checks that no wheel is missing.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PURE = "py3-none-any"
SYSTEMS = ("manylinux", "musllinux", "macosx", "win")
ACCELERATOR = re.compile(r"tinygraph/engine/_speed\..*(?:so|pyd)")


def faults(folder: Path, tag: str = "", *, release: bool = False) -> list[str]:
    """Return the faults of the wheels and the sdist in a folder."""
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if not wheels or len(sdists) != 1:
        return [f"{folder} contains {len(wheels)} wheels and {len(sdists)} sdists: build a wheel and one sdist"]
    found = re.search(r'__version__ = "(.+)"', (ROOT / "tinygraph" / "support" / "version.py").read_text("utf-8"))
    version = found[1] if found else "?"
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    package = {name for name in tracked if name.startswith("tinygraph/")}
    said = [fault for path in wheels for fault in faults_of_wheel(path, package)]
    with tarfile.open(sdists[0]) as sdist:
        sources = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {name for name in tracked if not name.startswith((".ci/", ".github/", ".gitignore"))}
    said += [f"the sdist does not contain {name}" for name in sorted(wanted - sources)]
    said += [
        f"{path.name} is not of version {version}" for path in (*wheels, *sdists) if f"-{version}" not in path.name
    ]
    if tag and tag.removeprefix("v") != version:
        said.append(f"the tag is {tag}, but the version of the package is {version}")
    return said + (missing_wheels(map(tag_of, wheels)) if release else [])


def tag_of(path: Path) -> str:
    """Return the part of a wheel's name that specifies Python, ABI and system."""
    return "-".join(path.stem.split("-")[-3:])


def faults_of_wheel(path: Path, package: set[str]) -> list[str]:
    """Return the faults of a wheel that should contain the given files of the package."""
    with zipfile.ZipFile(path) as wheel:
        carried = {name for name in wheel.namelist() if ".dist-info/" not in name}
        empty = {entry.filename for entry in wheel.infolist() if not entry.file_size} - {"tinygraph/py.typed"}
        about = next(wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".dist-info/WHEEL"))
    said = [f"{path.name} does not contain {name}" for name in sorted(package - carried)]
    said += [f"{name} is empty in {path.name}" for name in sorted(empty)]
    compiled = sorted(filter(ACCELERATOR.fullmatch, carried))
    others = carried - package - set(compiled)
    said += [f"{path.name} contains {name}, which is not part of the package" for name in sorted(others)]
    tag = tag_of(path)
    python, abi, system = tag.split("-")
    if tag == PURE:
        said += [f"{path.name} contains {name}, although its tag is {PURE}" for name in compiled]
    elif len(compiled) != 1:
        said.append(f"{path.name} must contain the accelerator once, not {len(compiled)} times")
    elif not re.search(rf"\.cp(?:ython-)?{abi.removeprefix('cp')}-", compiled[0]):
        said.append(f"{path.name} contains {compiled[0]}, which is for another Python")
    if (purelib := f"Root-Is-Purelib: {str(tag == PURE).lower()}") not in about:
        said.append(f"the file WHEEL of {path.name} must contain {purelib}")
    lines = {f"{python}-{abi}-{one}" for one in system.split(".")}  # one name can contain several systems
    if lines != set(re.findall(r"^Tag: (\S+)", about, re.M)):
        said.append(f"the tags in the file WHEEL of {path.name} are not those of its name")
    return said


def missing_wheels(tags: Iterable[str]) -> list[str]:
    """Return the wheels of a release that are not among the given tags."""
    known = set(tags)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pythons = [found[1] for text in project["classifiers"] if (found := re.search(r":: 3\.(\d+)$", text))]
    wanted = [(f"cp3{minor}-cp3{minor}", system) for minor, system in product(pythons, SYSTEMS)]
    said = [] if PURE in known else [f"there is no wheel {PURE}"]
    return said + [
        f"there is no wheel {python}-{system}"
        for python, system in wanted
        if not any(tag.startswith(f"{python}-{system}") for tag in known)
    ]


def main() -> None:
    """Check the folder, and print the faults, or the wheels."""
    parser = argparse.ArgumentParser(prog="python -m tools.distribution", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the build put them")
    parser.add_argument("--tag", default="", help="the tag of the release")
    parser.add_argument("--release", action="store_true", help="check that a wheel for each Python and system exists")
    options = parser.parse_args()
    wrong = faults(options.folder, options.tag, release=options.release)
    for fault in wrong:
        print(fault, file=sys.stderr)
    if not wrong:
        print("complete:", *sorted(map(tag_of, options.folder.glob("*.whl"))))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
