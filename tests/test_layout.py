"""The house: imports go down, the public names are these, and importing is quick."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tinygraph
from tinygraph.engine import ops

PACKAGE = Path(tinygraph.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the bottom to the top; a folder or a file of the package is a layer, and imports only from those before it.
LAYERS = (
    "support", "kernels", "engine", "tensor", "functional", "explaining", "drawing", "stepping", "vectorizing",
    "saving", "checking", "testing", "datasets", "logistic", "misconceptions", "cli", "__init__", "__main__",
)  # fmt: skip


def _name(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def _is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _statements(tree):
    """Every node of a file, except those in a block for type checkers, which never run."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        children = node.orelse if _is_type_checking(node) else ast.iter_child_nodes(node)
        stack.extend(children)


def _imported(path):
    """The files of the package that a file imports, inside functions too."""
    known = {_name(module) for module in MODULES}
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.partition(".")[0] == "tinygraph":
                while name not in known and f"{name}.__init__" not in known:
                    name = name.rpartition(".")[0]
                yield name if name in known else f"{name}.__init__"


def _layer(name):
    return LAYERS.index(name.split(".")[1])


# Imports that still go up; this list only shrinks.
LEFT = {
    ("tinygraph.engine.op", "tinygraph.__init__"),
}
IMPORTS = {
    _name(path): {other for other in _imported(path) if (_name(path), other) not in LEFT} - {_name(path)}
    for path in MODULES
}


@pytest.mark.parametrize("name", IMPORTS)
def test_imports_go_down(name):
    higher = {other for other in IMPORTS[name] if _layer(other) > _layer(name)}
    assert not higher, f"{name} imports from a higher layer"


def test_no_two_files_import_each_other():
    left = {name: set(others) for name, others in IMPORTS.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"there is a cycle among {sorted(left)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_file_begins_with_a_sentence(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)


def test_the_public_names():
    rows = """add sub mul div neg pow abs sign exp expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh
              sigmoid log_sigmoid softplus relu heaviside maximum minimum logaddexp binary_cross_entropy
              binary_cross_entropy_with_logits squared_error dot total"""
    others = """FrozenBranchError StaleGraphError Step Stepper Tensor Value check_grad compile concatenate diagnose
              draw explain grad hessian jvp load name_from numeric_grad op power save scope source stack strict
              trace_lines tree value_and_grad vectorize"""
    later = {name for name, module in tinygraph._LATER.items() if module}
    assert {*tinygraph.__all__} | later == {*rows.split(), *others.split()}
    assert later - {*tinygraph.__all__} == {
        *["Tensor", "compile", "concatenate", "load", "save", "source", "stack", "vectorize"]
    }
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
