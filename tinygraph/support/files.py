"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def check_writable(path: Path) -> None:
    """Check that a file can be written, but do not change it.

    Args:
        path: File that will be written.

    Raises:
        OSError: If the path is a folder, or if its folder is not writable. `write_whole` would raise the same error.
    """
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    if _is_special(path):
        return
    handle, probe = _beside(path)
    os.close(handle)
    os.unlink(probe)


def write_whole(path: Path, text: str | bytes) -> None:
    """Replace the content of a file. An interrupted write leaves the old file unchanged.

    The content goes into a temporary file in the same folder, which then replaces the file. The new file has the
    permissions of the old one. A symbolic link is kept, and its target is replaced. A device or a pipe is written
    directly.

    Args:
        path: File to write.
        text: New content.

    Raises:
        OSError: If the file cannot be written. In this case, the old file stays unchanged.
    """
    content = text.encode() if isinstance(text, str) else text
    if _is_special(path):
        path.write_bytes(content)
        return
    handle, beside = _beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, _target(path))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, which must not be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _target(path: Path) -> str:
    """Return the file that a symbolic link points to, or the path itself."""
    return os.path.realpath(path) if path.is_symlink() else str(path)


def _beside(path: Path) -> tuple[int, str]:
    """Create a temporary file in the folder of the given file.

    The temporary file has the permissions of the given file, or default permissions if that file does not exist.
    """
    target = _target(path)
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name[:50]}.{os.urandom(8).hex()}")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # the system applies the umask
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None  # name the requested file
    with contextlib.suppress(OSError):
        os.chmod(beside, stat.S_IMODE(os.stat(target).st_mode))
    return handle, beside
