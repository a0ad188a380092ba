"""The process of the command `tinygraph`: its standard streams, Ctrl-C, and output that is lost."""

from __future__ import annotations

import os
import signal
import sys

from tinygraph.support.terminal import fail


def run() -> int:
    """Run the command line of this process. Ctrl-C and lost output end in an exit code, without a traceback.

    Returns:
        The exit code of `main`, 2 if the output cannot be written, 130 for Ctrl-C, or 141 if the reader of a pipe
        stopped.
    """
    try:
        _connect_streams()
        code = _exit_code()
    except KeyboardInterrupt:  # Ctrl-C outside `main`, for example during its import
        code = fail("stopped", 130)
    _ignore_interrupts()
    return _flushed(code)


def _exit_code() -> int:
    from tinygraph.cli.main import main  # takes much longer than the rest of the start, so Ctrl-C often comes here

    try:
        return main()
    except SystemExit as left:  # from argparse
        return left.code if isinstance(left.code, int) else 0


def _connect_streams() -> None:
    """Connect each closed standard stream to the null device.

    Otherwise, a file that the command opens could take the place of the stream and receive its text.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is that of the stream
            setattr(sys, name, os.fdopen(null, mode, encoding="utf-8"))
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")  # a command with damaged characters is unknown, not an error of Python


def _ignore_interrupts() -> None:
    """Ignore Ctrl-C from now on, because only the exit code is left to return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _flushed(code: int) -> int:
    """Write all output. If that fails, discard the rest, and return the exit code for lost output."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # Python would report the error again at exit
            if isinstance(error, BrokenPipeError):
                code = code or 141
            elif stream is sys.stdout:
                code = code or fail(f"standard output: {error.strerror}")
    return code
