"""A real Ctrl-C: a signal that raises KeyboardInterrupt in the main thread after some time."""

import signal
from collections.abc import Callable
from types import FrameType


def interrupted(run: Callable[[], object], delay: float, again: float = 0.0) -> bool:
    """Run a function, and interrupt it with a signal. Return whether the interrupt reached the caller.

    No interrupt can escape: on a busy machine, the signal can also come right before the function starts, or right
    after it has ended. One that escaped would end the whole test run.

    Args:
        run: Function to run.
        delay: Seconds until the signal.
        again: Seconds until another signal, for an interrupt that a callback swallows. 0 means no other signal.

    Returns:
        True if the function was interrupted.
    """
    armed = True

    def strike(_: int, frame: FrameType | None) -> None:
        if armed and frame is not None and frame.f_code.co_name == "gc_callback":
            signal.setitimer(signal.ITIMER_REAL, 0.001, again)  # Hypothesis's callback of the collector swallows errors
        elif armed:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, strike)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, delay, again)
            run()
        finally:
            armed = False
    except KeyboardInterrupt:
        return True
    finally:
        armed = False  # again, because the signal can strike right before the assignment above
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)
    return False
