"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PAGES = (".html", ".htm")  # suffixes of an HTML page


def check_writable(path: Path) -> None:
    """Check that a file can be written, but do not change it, and do not create its folder.

    Args:
        path: File that will be written.

    Raises:
        OSError: If the path is a folder, or if its folder is not writable or cannot be created. `write_whole` would
            raise the same error.
    """
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    if _is_special(path):
        return
    target = Path(_target(path))
    near = next((folder for folder in target.parents if folder.exists()), target.parent)
    with _naming(path), _beside(path if near == target.parent else near / path.name):
        pass


def write_whole(path: Path, text: str | bytes) -> None:
    """Replace the content of a file. An interrupted write leaves the old file unchanged.

    Missing folders are created. Every function and command that saves something uses this function, so they all do so.
    The content goes into a temporary file in the same folder, which then replaces the file. The new file has the
    permissions of the old one. A symbolic link is kept, and its target is replaced. A device or a pipe is written
    directly.

    Args:
        path: File to write.
        text: New content.

    Raises:
        OSError: If the file cannot be written, or its folder cannot be created. In this case, the old file stays
            unchanged.
    """
    content = text.encode() if isinstance(text, str) else text
    if _is_special(path):
        with _naming(path):
            path.write_bytes(content)
        return
    with _naming(path):
        os.makedirs(os.path.dirname(_target(path)) or ".", exist_ok=True)
    with _beside(path) as file:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, _target(path))


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, which must not be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _target(path: Path) -> str:
    """Return the file that a symbolic link points to, or the path itself."""
    return os.path.realpath(path) if path.is_symlink() else str(path)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[BinaryIO]:
    """Create a temporary file in the folder of the given file. At the end, remove it unless it has been renamed.

    The temporary file has the permissions of the given file, or default permissions if that file does not exist.
    """
    target = _target(path)
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name[:50]}.{os.urandom(8).hex()}")
    try:  # before the file exists, because Ctrl-C can interrupt right after its creation
        with _naming(path), open(beside, "xb") as file:
            with contextlib.suppress(OSError):
                os.chmod(beside, stat.S_IMODE(os.stat(target).st_mode))
            yield file
    finally:
        with contextlib.suppress(OSError):
            os.unlink(beside)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the requested file in an OSError, instead of the temporary file or no file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
