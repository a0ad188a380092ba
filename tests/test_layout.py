"""The house: imports go down, the public names are these, and importing is quick."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tinygraph
from tinygraph import ops

HOUSE = Path(tinygraph.__file__).parent
FLOORS = {
    "ieee": 0,
    "arrays": 0,
    "row": 0,
    "ops": 0,
    "notes": 0,
    "choices": 0,
    "quoting": 0,
    "writing": 0,
    "graph": 1,
    "backpropagation": 1,
    "backpropagation_of_arrays": 1,
    "arithmetic": 1,
    "watching": 1,
    "wiring": 1,
    "broadcasting": 1,
    "value": 2,
    "tensor": 2,
    "differentiating": 3,
    "checking": 3,
    "folding": 3,
    "flattening": 3,
    "rolling": 3,
    "vectorizing": 3,
    "programs": 3,
    "compiling": 3,
    "expressions": 3,
    "drawing": 3,
    "stepping": 3,
    "explaining": 3,
    "loading": 3,
    "verifying": 3,
    "saving": 3,
    "diagnosing": 3,
    "playing": 3,
    "debugging": 5,
    "strategies": 4,
    "testing": 4,
    "logistic": 4,
    "chunks": 4,
    "readings": 4,
    "misconceptions": 4,
    "datasets": 4,
    "reporting": 5,
    "training": 5,
    "demo": 5,
    "doctor": 5,
    "cli": 5,
    "__main__": 5,
    "__init__": 6,
}
MODULES = sorted(HOUSE.rglob("*.py"))


def _room(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return parts[0]


def _imports(tree: ast.AST, *, outermost: bool) -> set[str]:
    """The rooms a file imports; `outermost` leaves out imports for type checkers and inside functions."""
    skipped = {
        inner
        for node in ast.walk(tree)
        if outermost and isinstance(node, (ast.If, ast.FunctionDef))
        for inner in ast.walk(node)
        if inner is not node
    }
    rooms = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "tinygraph":
                rooms |= {alias.name for alias in node.names}
            elif node.module.startswith("tinygraph."):
                rooms.add(node.module.split(".")[1])
    return rooms & FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_go_down(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    room = _room(path)
    for other in _imports(tree, outermost=True) - {room}:
        assert FLOORS[other] <= FLOORS[room], f"{room} is on floor {FLOORS[room]}, {other} above it"


def test_no_two_rooms_import_each_other():
    arrows = {}
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        arrows.setdefault(_room(path), set()).update(_imports(tree, outermost=True))
    while arrows:
        leaves = [room for room, others in arrows.items() if not (others & arrows.keys()) - {room}]
        assert leaves, f"a cycle among {sorted(arrows)}"
        for room in leaves:
            del arrows[room]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_files_and_functions_say_what_they_are(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a file begins with a sentence"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 580


def test_the_public_names():
    rows = """add sub mul div neg pow abs sign exp expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh
              sigmoid log_sigmoid softplus relu heaviside maximum minimum logaddexp binary_cross_entropy
              binary_cross_entropy_with_logits squared_error dot total"""
    others = """FrozenBranchError StaleGraphError Step Stepper Tensor Value check_grad compile concatenate diagnose
              draw explain grad hessian jvp load name_from numeric_grad op power save scope source stack strict
              trace_lines tree value_and_grad vectorize"""
    assert sorted(tinygraph.__all__) == sorted([*rows.split(), *others.split()])
    assert all(ops.TABLE[name] is getattr(tinygraph, name) for name in rows.split())
    assert set(tinygraph.__all__) <= set(dir(tinygraph))


def test_every_name_of_the_package_is_documented():
    for name in tinygraph.__all__:
        assert getattr(tinygraph, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Valeu'"):
        tinygraph.Valeu  # noqa: B018


def test_a_value_needs_no_numpy():
    program = "import tinygraph, sys; tinygraph.Value(1.0); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert not modules & {"numpy", "graphviz", "hypothesis", "rich", "typing", "dataclasses", "inspect", "json"}


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert version("tinygraph-autodiff") == tinygraph.__version__
