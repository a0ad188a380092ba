"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def check_writable(path: Path) -> None:
    """Raise the OSError now that `write_whole` would raise later; nothing is changed.

    Args:
        path: The file that will be written.

    Raises:
        OSError: If it is a folder, or if its folder cannot be written.
    """
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    handle, probe = _beside(path)
    os.close(handle)
    os.unlink(probe)


def write_whole(path: Path, text: str | bytes) -> None:
    """Write a temporary file next to the file and then replace it, so that an interrupt leaves the old one whole.

    Args:
        path: The file.
        text: Its new content.

    Raises:
        OSError: If it cannot be written; the old file is unchanged.
    """
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
        raise type(error)(error.errno, error.strerror, str(path)) from None  # name the file that was asked for
