"""The build compiles the accelerator if it can, and builds a package in pure Python if it cannot."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHY = "it is not installed: pip install --group oracles"
builders = pytest.importorskip("hatchling.builders.wheel", reason=WHY)
for name in ("setuptools", "editables"):
    pytest.importorskip(name, reason=WHY)
BINARY = f"tinygraph/engine/_speed{sysconfig.get_config_var('EXT_SUFFIX')}"
WORKS = """#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_speed", NULL, -1, NULL};
PyMODINIT_FUNC PyInit__speed(void) { return PyModule_Create(&module); }
"""
compiler = pytest.mark.skipif(
    not shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0])
    or not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="no C compiler, or no headers of Python: apt-get install gcc python3-dev",
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with the real build files, a package of three files, and one C function."""
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "tinygraph" / "engine").mkdir(parents=True)
    (tmp_path / "tinygraph" / "support").mkdir()
    for name in ("support/version.py", "__init__.py", "engine/__init__.py"):
        (tmp_path / "tinygraph" / name).write_text('__version__ = "0.1.0"\n')
    (tmp_path / "tinygraph" / "datasets").mkdir()
    (tmp_path / "tinygraph" / "datasets" / "LICENSE.md").write_text("text\n")
    (tmp_path / "tinygraph" / "engine" / "_speed.c").write_text(WORKS)
    monkeypatch.delenv("TINYGRAPH_PURE", raising=False)
    monkeypatch.delenv("CC", raising=False)
    return tmp_path


def build(project, version="standard"):
    """Return the tag of the wheel, and the names in it."""
    (path,) = builders.WheelBuilder(str(project)).build(directory=str(project / "dist"), versions=[version])
    with zipfile.ZipFile(path) as wheel:
        return Path(path).stem.split("-", 2)[2], set(wheel.namelist())


def beside(project):
    return {
        path.relative_to(project).as_posix() for path in project.rglob("_speed.*") if path.suffix in (".so", ".pyd")
    }


@compiler
def test_a_wheel_contains_the_accelerator(project, tmp_path_factory):
    tag, names = build(project)
    assert tag.startswith(f"cp{sys.version_info.major}{sys.version_info.minor}-cp3")
    assert BINARY in names
    assert beside(project) == set()  # the sources stay as they were
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(next((project / "dist").iterdir())) as wheel:
        path = wheel.extract(BINARY, folder)
    # In another process, because Python would put it among the loaded modules, in place of the real one.
    program = f"""
from importlib.util import spec_from_file_location
spec = spec_from_file_location("tinygraph.engine._speed", {path!r})
print(spec.loader.create_module(spec).__name__)
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout == "tinygraph.engine._speed\n"


@compiler
def test_an_editable_install_has_the_accelerator_beside_its_source(project):
    tag, names = build(project, "editable")
    assert beside(project) == {BINARY}
    assert BINARY not in names
    assert tag == "py3-none-any"


@pytest.mark.parametrize("obstacle", ["variable", "no compiler", "broken source", "no source"])
@pytest.mark.parametrize("version", ["standard", "editable"])
def test_what_cannot_be_compiled_is_built_in_pure_python(obstacle, version, project, monkeypatch, capfd):
    old = project / BINARY
    old.write_text("an accelerator of an earlier source")
    if obstacle == "variable":
        monkeypatch.setenv("TINYGRAPH_PURE", "1")
    elif obstacle == "no compiler":
        monkeypatch.setenv("CC", "no-such-compiler")
    elif obstacle == "broken source":
        (project / "tinygraph" / "engine" / "_speed.c").write_text("#error this cannot be compiled\n")
    else:
        (project / "tinygraph" / "engine" / "_speed.c").unlink()
    tag, names = build(project, version)
    assert tag == "py3-none-any"
    assert not {name for name in names if name.endswith((".so", ".pyd"))}
    assert old.exists() == (version == "standard")  # an editable install would load it
    said = [line for line in "".join(capfd.readouterr()).splitlines() if line.startswith("tinygraph:")]
    assert len(said) == (obstacle != "no source")
    assert all("built in pure Python, without the accelerator: " in line for line in said)


def test_the_variable_is_0_or_1(project, monkeypatch):
    monkeypatch.setenv("TINYGRAPH_PURE", "yes")
    with pytest.raises(ValueError, match="TINYGRAPH_PURE must be 0 or 1, not 'yes'"):
        build(project)
