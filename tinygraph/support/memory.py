"""The memory that this process can still use."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_memory() -> int | None:
    """Return the number of bytes that this process can still allocate, as far as the system reports it.

    The result is the smallest of the memory that the machine has available, the remaining memory of a container, and
    the remaining address space under `ulimit -v`.

    Returns:
        The number of bytes, or None if the system reports none of these numbers.
    """
    found = [memory for memory in (_machine(), _container(), _address_space()) if memory is not None]
    return max(0, min(found)) if found else None


def _machine() -> int | None:
    """Return the memory that is available without swapping, or the installed memory if only that is known."""
    available = _fields(Path("/proc/meminfo")).get("MemAvailable:")
    if available is not None:
        return 1024 * available
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _container() -> int | None:
    """Return the remaining memory of the control group, which is how a container limits memory."""
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    if limit is None or used is None:
        return None
    return limit - used + _fields(_CGROUP / "memory.stat").get("inactive_file", 0)  # the system frees these pages


def _address_space() -> int | None:
    """Return the remaining address space if it is limited."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    return limit - 1024 * _fields(Path("/proc/self/status")).get("VmSize:", 0)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max" means that there is no limit
        return None


def _fields(path: Path) -> dict[str, int]:
    """Return the numbers in a file in which each line is a name and a number."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdigit()}
