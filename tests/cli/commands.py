"""Run the command in a separate process, with the lecture's graph as arguments."""

import subprocess
import sys

LECTURE = ["draw", "u = b*c; v = a + u; J = 3*v", "a=5", "b=3", "c=2"]


def run(*args, **options):
    return subprocess.run([sys.executable, "-m", "tinygraph", *args], capture_output=True, text=True, **options)
