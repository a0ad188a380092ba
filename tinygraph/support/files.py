"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def check_writable(path: Path) -> None:
    """Raise OSError now if `write_whole` could not write here later; nothing is changed."""
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    handle, probe = _beside(path)
    os.close(handle)
    os.unlink(probe)


def write_whole(path: Path, text: str | bytes) -> None:
    """Write beside the file and then put it in place, so that an interrupt leaves the old one whole."""
    handle, beside = _beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)  # mkstemp allows the owner only; a file made by open() follows the mask
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _beside(path: Path) -> tuple[int, str]:
    try:
        return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None  # the name that was asked for
