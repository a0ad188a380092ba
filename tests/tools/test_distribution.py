"""The check of a build finds wheels with wrong contents or tags, and wheels that are missing."""

import zipfile

import pytest

from tools.distribution import PURE, faults_of_wheel, missing_wheels

PACKAGE = {"tinygraph/__init__.py", "tinygraph/py.typed", "tinygraph/engine/_speed.c"}
LINUX, WINDOWS = "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64", "cp311-cp311-win_amd64"
BINARY = {
    LINUX: "tinygraph/engine/_speed.cpython-311-x86_64-linux-gnu.so",
    WINDOWS: "tinygraph/engine/_speed.cp311-win_amd64.pyd",
    "cp311-cp311-macosx_11_0_arm64": "tinygraph/engine/_speed.cpython-311-darwin.so",
}


def wheel(folder, tag, *more, about=None, without=()):
    path = folder / f"tinygraph_autodiff-0.1.0-{tag}.whl"
    python, abi, systems = tag.split("-")
    lines = [f"Root-Is-Purelib: {str(tag == PURE).lower()}", *[f"Tag: {python}-{abi}-{x}" for x in systems.split(".")]]
    with zipfile.ZipFile(path, "w") as file:
        for name in (*sorted(PACKAGE - {*without}), *more):
            file.writestr(name, "" if name == "tinygraph/py.typed" else "x")
        file.writestr("tinygraph_autodiff-0.1.0.dist-info/WHEEL", "\n".join(about or lines) + "\n")
    return path


@pytest.mark.parametrize("tag", BINARY)
def test_a_compiled_wheel_contains_the_accelerator(tag, tmp_path):
    assert faults_of_wheel(wheel(tmp_path, tag, BINARY[tag]), PACKAGE) == []
    assert "must contain the accelerator once, not 0 times" in "".join(faults_of_wheel(wheel(tmp_path, tag), PACKAGE))
    other = BINARY[tag].replace("311", "312")
    assert faults_of_wheel(wheel(tmp_path, tag, other), PACKAGE)[0].endswith(f"{other}, which is for another Python")
    assert "not 2 times" in "".join(faults_of_wheel(wheel(tmp_path, tag, BINARY[tag], other), PACKAGE))


def test_a_pure_wheel_contains_python_and_data_only(tmp_path):
    assert faults_of_wheel(wheel(tmp_path, PURE), PACKAGE) == []
    (fault,) = faults_of_wheel(wheel(tmp_path, PURE, BINARY[LINUX]), PACKAGE)
    assert fault.endswith(f"contains {BINARY[LINUX]}, although its tag is {PURE}")


def test_the_file_about_the_wheel_agrees_with_its_name(tmp_path):
    path = wheel(tmp_path, PURE, about=["Root-Is-Purelib: false", "Tag: cp311-cp311-linux_x86_64"])
    purelib, tags = faults_of_wheel(path, PACKAGE)
    assert purelib.endswith("must contain Root-Is-Purelib: true")
    assert "are not those of its name" in tags


def test_a_wheel_contains_each_file_of_the_package_and_no_other(tmp_path):
    path = wheel(tmp_path, PURE, "tinygraph/notes.txt", without=["tinygraph/__init__.py"])
    missing, unknown = faults_of_wheel(path, PACKAGE)
    assert missing.endswith("does not contain tinygraph/__init__.py")
    assert unknown.endswith("contains tinygraph/notes.txt, which is not part of the package")


def test_a_release_has_a_wheel_for_each_python_and_system():
    systems = ["manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64"]
    tags = [PURE, *[f"cp3{minor}-cp3{minor}-{system}" for minor in range(11, 15) for system in systems]]
    assert missing_wheels(tags) == []
    for i, tag in enumerate(tags):
        (fault,) = missing_wheels(tags[:i] + tags[i + 1 :])
        assert tag.startswith(fault.removeprefix("there is no wheel "))
