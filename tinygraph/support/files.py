"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def check_writable(path: Path) -> None:
    """Check that a file can be written, without changing it.

    Args:
        path: File that will be written.

    Raises:
        OSError: If the path is a folder, or if its folder is not writable. `write_whole` would raise the same error.
    """
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    handle, probe = _beside(path)
    os.close(handle)
    os.unlink(probe)


def write_whole(path: Path, text: str | bytes) -> None:
    """Replace a file. An interrupted write leaves the old file unchanged.

    The content is written to a temporary file in the same folder, which then replaces the old file.

    Args:
        path: File to write.
        text: New content.

    Raises:
        OSError: If the file cannot be written. The old file then stays unchanged.
    """
    handle, beside = _beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)  # mkstemp gives access only to the owner, but open() follows the umask
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
        raise type(error)(error.errno, error.strerror, str(path)) from None  # name the requested file
