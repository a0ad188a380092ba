"""Compile the accelerator, `tinygraph/engine/_speed.c`, while the package is built, if that is possible.

hatchling runs this file for each wheel and each editable install. Without a C compiler, the result is a wheel of
Python code only, with the same behavior. `TINYGRAPH_PURE=1` asks for this wheel.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.errors import BaseError, CCompilerError

SOURCE = Path("tinygraph", "engine", "_speed.c")
# The bits of each result must be those of the Python code: a compiler may not fuse a product and a sum into one
# rounding. Visual C++ does not do that by default, and has no such option. -g0 keeps paths of this machine out.
OPTIONS = [] if sys.platform == "win32" else ["-O3", "-g0", "-ffp-contract=off"]


def obstacle() -> str:
    """Return why the accelerator is not compiled here, or an empty string."""
    setting = os.environ.get("TINYGRAPH_PURE", "")
    if setting not in ("", "0", "1"):
        raise ValueError(f"TINYGRAPH_PURE must be 0 or 1, not {setting!r}: with 1, the accelerator is not built")
    if setting == "1":
        return "TINYGRAPH_PURE=1 asks for that"
    if sys.implementation.name != "cpython" or sys.platform == "emscripten":
        return "it is made for CPython"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "it does not support free-threaded Python"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "")  # Windows has no such variable
    if compiler and not shutil.which(compiler[0]):
        return f"there is no C compiler {compiler[0]}"
    return ""


def compiled(root: Path, folder: Path) -> Path:
    """Compile the accelerator of the sources in `root`, and return the extension module that is now in `folder`."""
    # The name has no package, so that the module is placed in `folder` itself. A module does not know its full name.
    extension = Extension(SOURCE.stem, [os.fspath(root / SOURCE)], extra_compile_args=OPTIONS)
    command = Distribution({"name": SOURCE.stem, "ext_modules": [extension]}).get_command_obj("build_ext")
    command.build_lib, command.build_temp, command.force = os.fspath(folder), tempfile.mkdtemp(), True
    try:
        command.ensure_finalized()
        command.run()
    finally:
        shutil.rmtree(command.build_temp)
    return Path(command.get_ext_fullpath(SOURCE.stem))


class AcceleratorHook(BuildHookInterface[Any]):
    """Add the accelerator to a wheel, or place it beside its source for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling about the result.

        Args:
            version: "standard" for a wheel, or "editable".
            build_data: What hatchling builds; changed in place.
        """
        root, editable = Path(self.root), version == "editable"
        beside = root / SOURCE.parent / f"{SOURCE.stem}{sysconfig.get_config_var('EXT_SUFFIX')}"
        if editable:
            beside.unlink(missing_ok=True)  # of an earlier source, which must not run with the present Python code
        if not (root / SOURCE).exists():
            return
        self.folder = tempfile.mkdtemp()
        reason = obstacle()
        if not reason:
            try:
                module = compiled(root, Path(self.folder))
                if editable:
                    shutil.copy2(module, beside)
            except (BaseError, CCompilerError, OSError) as error:
                reason = re.sub(r"Command '\[.*?\]'", "the compiler", " ".join(str(error).split()))
        if reason:
            self.app.display_warning(f"tinygraph: built in pure Python, without the accelerator: {reason}")
            return
        self.app.display_info(f"tinygraph: built with the accelerator, {module.name}")
        if not editable:
            build_data.update(pure_python=False, infer_tag=True)
            build_data["force_include"][os.fspath(module)] = (SOURCE.parent / module.name).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact: str) -> None:  # noqa: ARG002
        """Remove the temporary folder.

        Args:
            version: "standard" for a wheel, or "editable".
            build_data: What hatchling has built.
            artifact: Path of the wheel.
        """
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)
