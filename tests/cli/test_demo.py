"""The output and the files of `tinygraph demo`."""

import json
import shlex
from pathlib import Path

from tests.cli.commands import run


def test_the_demo(tmp_path):
    out = run("demo", cwd=tmp_path)
    assert out.returncode == 0, out.stderr
    lines = [line.strip() for line in out.stdout.splitlines()]
    for line in (
        "u = b × c = 3 × 2 = 6",
        "v = a + u = 5 + 6 = 11",
        "J = 3 × v = 3 × 11 = 33",
        "dJ/dv += dJ/dJ · ∂J/∂v = 1 × 3 = 3",
        "dJ/da += dJ/dv · ∂v/∂a = 3 × 1 = 3",
        "dJ/db += dJ/du · ∂u/∂b = 3 × 2 = 6",
        "dJ/dc += dJ/du · ∂u/∂c = 3 × 3 = 9",
        "b: 3 → 3.001, J: 33 → 33.006, so dJ/db = 6.000 (backward: 6)",
    ):
        assert line in lines
    path = tmp_path / "tinygraph-demo" / "breast_cancer_model.json"
    assert f"wrote the parameters to {path}" in out.stdout
    model = json.loads(path.read_text())
    assert model["accuracy"]["test"] >= 0.95
    assert f"accuracy {model['accuracy']['train']:.1%} on the training rows" in out.stdout
    assert model["costs"] == sorted(model["costs"], reverse=True)
    assert len(model["coef"]) == len(model["features"]) == 30
    assert out.stdout.count("they agree: cost and gradient differ by at most") == 3
    assert "\n    Z = w.T @ X + b\n    A = sigmoid(Z)\n" in out.stdout  # the vectorized program
    assert out.stdout.count("as two loops") == 4
    drawn = {
        path.stem for path in (tmp_path / "tinygraph-demo").glob("*.[sd][vo][gt]")
    }  # .svg, or .dot without Graphviz
    assert drawn == {"J", "one_example_scalar", "one_example_tensor"}
    vectorizing = out.stdout.index("  vectorizing and compiling 430,021 scalar nodes ...\n")
    assert out.stdout.index("  recording the two loops ...\n") < vectorizing < out.stdout.index("    Z = w.T @ X + b\n")
    *_, last = out.stdout.partition("\nWhat to open next\n")
    files = [line.strip().partition(": ")[0] for line in last.splitlines() if str(tmp_path) in line]
    assert files
    assert all(Path(name).is_file() for name in files)
    for command in [line.strip().rpartition(": ")[0] for line in last.splitlines() if "  tinygraph " in line]:
        _, *arguments = shlex.split(command)
        assert run(*arguments, input="q\n").returncode == 0, command
