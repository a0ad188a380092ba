"""The structure of the package: layers of imports, public names, sizes of files, and fast imports."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinygraph
from tinygraph.engine import more_ops
from tinygraph.engine.more_ops.table import TABLE

PACKAGE = Path(tinygraph.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# Layers from bottom to top. Each folder or file of the package is a layer, and imports only from layers before it.
LAYERS = (
    "support", "kernels", "engine", "tensor", "functional", "explaining", "practicing", "drawing", "stepping",
    "worksheets", "vectorizing", "saving", "checking", "testing", "hypothesis_plugin", "datasets", "nn", "logistic",
    "bridges", "misconceptions", "cli", "playground", "__init__", "__main__",
)  # fmt: skip


def _name(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def _is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _statements(tree):
    """Yield every node of a syntax tree, except in blocks for type checkers, which never run."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        children = node.orelse if _is_type_checking(node) else ast.iter_child_nodes(node)
        stack.extend(children)


def _imported(path):
    """Yield the files of the package that a file imports, inside functions too."""
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


IMPORTS = {_name(path): set(_imported(path)) - {_name(path)} for path in MODULES}


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


# Files of more than 310 lines without docstrings, each with its reason. No function has more than 40 lines of code.
LONG_FILES = {
    "tinygraph.tensor.tensor": "one class, whose methods that record nodes are written out: a call would cost too much",
}


def _docstring_lines(node):
    """Return the line numbers of the docstring of a function, a class or a module."""
    if ast.get_docstring(node) is None:
        return range(0)
    return range(node.body[0].lineno, node.body[0].end_lineno + 1)


def _code_lines(function, lines):
    """Return the lines of a function without its docstring, comments and blank lines."""
    docstring = _docstring_lines(function)
    return [
        i
        for i in range(function.lineno, function.end_lineno + 1)
        if i not in docstring and lines[i - 1].strip() and not lines[i - 1].strip().startswith("#")
    ]


def test_no_function_is_long_and_few_files_are():
    functions, files = set(), set()
    for path in MODULES:
        lines = path.read_text(encoding="utf-8").splitlines()
        nodes = list(ast.walk(ast.parse("\n".join(lines))))
        documented = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))]
        if len(lines) - sum(len(_docstring_lines(node)) for node in documented) > 310:
            files.add(_name(path))
        for node in nodes:
            if isinstance(node, ast.FunctionDef) and len(_code_lines(node, lines)) > 40:
                functions.add(f"{_name(path)}.{node.name}")
    assert not functions
    assert files == LONG_FILES.keys()
    assert len(files) <= 3


def test_the_five_files_of_the_library_stay_short():
    files = [PACKAGE / "engine" / f"{name}.py" for name in ("ops", "op", "graph", "autodiff", "value")]
    assert sum(len(path.read_text("utf-8").splitlines()) for path in files) < 1250


def test_a_folder_has_at_most_14_files():
    folders = [PACKAGE, *[path for path in PACKAGE.rglob("*") if path.is_dir() and path.name != "__pycache__"]]
    # Recording, replay, copies, logits and the two backward passes are separate subjects that all need the node. The
    # accelerator repeats parts of them in C. So the engine has six files more. Every split into two folders would put
    # half of one of these subjects in each.
    most = {folder: 20 if folder.name == "engine" else 14 for folder in folders}
    compiled = (".so", ".pyd")
    for folder in folders:
        assert sum(path.is_file() and path.suffix not in compiled for path in folder.iterdir()) <= most[folder]


def _folder(path):
    return path.relative_to(PACKAGE).parts[0]


def test_a_private_name_is_used_in_its_own_folder_only():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    defined, used = {}, {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names = [node.name]
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names = [node.id]
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names = [node.attr]
            elif isinstance(node, ast.Attribute):
                used.setdefault(path, set()).add(node.attr)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygraph"):
                used.setdefault(path, set()).update(alias.name for alias in node.names)
            defined.setdefault(_folder(path), set()).update(names)
    # Names of the standard library, of NumPy and of PyTorch.
    others = {
        "_replace",
        "_fields",
        "_NoValue",
        "_getframe",
        "_asdict",
        "_SubParsersAction",
        "_is_owned",
        "_at_fork_reinit",
        "_schema",
        "_version",
    }
    foreign = {
        f"{_name(path)}: {name}"
        for path, names in used.items()
        for name in names
        if name.startswith("_") and not name.endswith("__") and name not in defined[_folder(path)] | others
    }
    assert not foreign


def test_no_two_classes_have_one_name():
    classes = [
        node.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert {name for name in classes if classes.count(name) > 1} == set()


def test_any_is_a_last_resort():
    """Other types are more useful than `Any`, so lower this bound (per 1,000 lines) if you can, and never raise it."""
    text = "\n".join([path.read_text(encoding="utf-8") for path in MODULES])
    assert len(re.findall(r"\bAny\b", text)) <= 21 * len(text.splitlines()) / 1000


def test_importing_everything_by_a_star_loads_no_numpy():
    program = "from tinygraph import *; import sys; Value(1.0), Stepper; print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_file_begins_with_a_sentence(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)


def test_the_public_names():
    rows = """add sub mul div neg pow abs sign exp expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh
              sigmoid log_sigmoid softplus relu heaviside maximum minimum logaddexp binary_cross_entropy
              binary_cross_entropy_with_logits squared_error dot total logit"""
    others = """FrozenBranchError StaleGraphError Step Stepper Tensor Value check_grad compare compile concatenate
              cross_entropy diagnose draw explain from_jax from_torch grad
              hessian jvp load log_softmax logsumexp name_from numeric_grad
              op power save scope set_at softmax source stack strict to_jax to_torch trace_lines tree value_and_grad
              vectorize worksheet"""
    later = {name for name, module in tinygraph._LATER.items() if module and name != "__version__"}
    assert {*tinygraph.__all__} | later == {
        *rows.split(),
        *others.split(),
        *more_ops.FILES,
    }
    assert later - {*tinygraph.__all__} == {
        *["Tensor", "compile", "concatenate", "cross_entropy", "load", "log_softmax", "logsumexp", "save", "set_at"],
        *["from_jax", "from_torch", "softmax", "source", "stack", "to_jax", "to_torch", "vectorize"],
    }
    assert all(TABLE[name] is getattr(tinygraph, name) for name in rows.split())
    assert set(tinygraph.__all__) <= set(dir(tinygraph))


def test_the_names_that_are_loaded_later_are_those_of_the_files():
    found = {}
    for path in (PACKAGE / "engine/more_ops").glob("*.py"):
        module = importlib.import_module(f"tinygraph.engine.more_ops.{path.stem}")
        if path.stem not in ("__init__", "custom", "methods", "table", "ufuncs"):
            found |= dict.fromkeys(getattr(module, "__all__", ["where"]), path.stem)
    assert found == more_ops.FILES


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
