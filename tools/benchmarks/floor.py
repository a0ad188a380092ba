"""The C floor as an engine: `floor.c`, which is compiled when the benchmarks need it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sysconfig
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from tools.benchmarks.workloads import Engine

SOURCE = Path(__file__).with_name("floor.c")


def compiler() -> str | None:
    """Return the C compiler, or None if none is installed."""
    configured = (sysconfig.get_config_var("CC") or "").split()[:1]
    return next(filter(None, map(shutil.which, [*configured, "cc", "gcc", "clang"])), None)


@lru_cache(maxsize=1)
def compiled() -> Any:
    """Return the compiled module.

    Raises:
        RuntimeError: If no C compiler is installed, or if the compiler fails.
    """
    command = compiler()
    if command is None:
        raise RuntimeError("the C floor needs a C compiler: install one, or leave out --peer floor")
    with tempfile.TemporaryDirectory() as folder:  # the file can be removed as soon as it is loaded
        path = Path(folder, "floor" + sysconfig.get_config_var("EXT_SUFFIX"))
        flags = ["-O2", "-ffp-contract=off", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}"]
        built = subprocess.run([command, *flags, str(SOURCE), "-o", str(path)], capture_output=True, text=True)
        if built.returncode:
            raise RuntimeError(f"{command} cannot compile {SOURCE.name}: {built.stderr.strip()}")
        spec = importlib.util.spec_from_file_location("floor", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def engine() -> Engine:
    """Return the functions of the floor."""
    floor = compiled()
    return Engine(floor.Value, floor.sigmoid, floor.binary_cross_entropy, lambda x: x.relu())
