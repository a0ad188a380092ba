"""Check the results of a build: `python -m tools.distribution dist` after `python -m build`.

The wheel must contain every file of the package, data too, and nothing else. The sdist must contain the files that
tests and documentation need. The version must be that of the package, and that of the tag if one is given.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def faults(folder: Path, tag: str = "") -> list[str]:
    """Return the faults of the wheel and the sdist in a folder."""
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        return [f"{folder} contains {len(wheels)} wheels and {len(sdists)} sdists, but must contain one of each"]
    found = re.search(r'__version__ = "(.+)"', (ROOT / "tinygraph" / "support" / "version.py").read_text("utf-8"))
    version = found[1] if found else "?"
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    package = {name for name in tracked if name.startswith("tinygraph/")}
    with zipfile.ZipFile(wheels[0]) as wheel:
        carried = {name for name in wheel.namelist() if ".dist-info/" not in name}
        empty = {entry.filename for entry in wheel.infolist() if not entry.file_size} - {"tinygraph/py.typed"}
    with tarfile.open(sdists[0]) as sdist:
        sources = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {name for name in tracked if not name.startswith((".ci/", ".github/", ".gitignore"))}
    said = [f"the wheel does not contain {name}" for name in sorted(package - carried)]
    said += [f"the wheel contains {name}, which is not part of the package" for name in sorted(carried - package)]
    said += [f"{name} is empty in the wheel" for name in sorted(empty)]
    said += [f"the sdist does not contain {name}" for name in sorted(wanted - sources)]
    said += [
        f"{path.name} is not of version {version}" for path in (wheels[0], sdists[0]) if f"-{version}" not in path.name
    ]
    if tag and tag.removeprefix("v") != version:
        said.append(f"the tag is {tag}, but the version of the package is {version}")
    return said


def main() -> None:
    """Check the folder, and print the faults."""
    parser = argparse.ArgumentParser(prog="python -m tools.distribution", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the build put them")
    parser.add_argument("--tag", default="", help="the tag of the release")
    options = parser.parse_args()
    wrong = faults(options.folder, options.tag)
    for fault in wrong:
        print(fault, file=sys.stderr)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
