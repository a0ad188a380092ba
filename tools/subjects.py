"""Check commit subjects: `python -m tools.subjects main..HEAD`.

A subject is imperative, begins with a capital letter, has at most 72 characters, and does not end with a period. The
ending of the first word tells whether it is an imperative, which is enough for "Fixed", "Fixes" and "Fixing".
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys

LONGEST = 72
NOT_VERBS = {"A", "All", "An", "Both", "Each", "Either", "Every", "How", "It", "No", "That", "The", "This", "What"}
PAST = re.compile(r"(?<!e)ed$")  # "Need" and "Speed up" are imperatives
PROGRESSIVE = re.compile(r"[^aeiouy]*[aeiouy].*ing$")  # "Bring" is an imperative
THIRD_PERSON = re.compile(r"[^sui]s$")  # "Pass" and "Focus" are imperatives
IMPERATIVES = {"Embed", "Shed", "Bias", "Alias", "Canvas"}


def faults(subject: str) -> list[str]:
    """Return the faults of a subject."""
    first = subject.partition(" ")[0]
    found = []
    if len(subject) > LONGEST:
        found.append(f"it has {len(subject)} characters, at most {LONGEST} are allowed")
    if not first[:1].isupper():
        found.append("it must begin with a capital letter")
    if subject.endswith("."):
        found.append("it must not end with a period")
    ending = any(pattern.search(first) for pattern in (PAST, THIRD_PERSON)) or PROGRESSIVE.match(first)
    if first in NOT_VERBS or (ending and first not in IMPERATIVES):
        found.append(f'it must begin with an imperative such as "Add" or "Fix", not {first!r}')
    return found


def main() -> None:
    """Check the commits of a range, and exit with 1 if a subject is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.subjects", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "range", nargs="?", default="main..HEAD", help="revisions, as git log takes them (default: %(default)s)"
    )
    revisions = parser.parse_args().range
    command = ["git", "log", "--no-merges", "--format=%h %s", revisions, "--"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"git cannot list {revisions}: {run.stderr.strip()}")
    commits = run.stdout.splitlines()
    wrong = False
    for commit in commits:
        for fault in faults(commit.partition(" ")[2]):
            wrong = True
            print(f"{commit}\n    {fault}", file=sys.stderr)
    print(f"{len(commits)} {'subject' if len(commits) == 1 else 'subjects'} checked in {revisions}")
    raise SystemExit(wrong)


if __name__ == "__main__":
    main()
