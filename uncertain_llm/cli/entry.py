"""Where the command starts: how it ends when it is stopped, or cannot say what it found."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = ["main"]

_BY_SIGNAL = 128  # a shell's convention: 128 and the number of the signal


def main() -> None:
    """Run the command."""
    stopped_by: list[int] = []

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        stopped_by.append(number)
        # The first unwinds, so that no half-written file stays; a second one is obeyed at once.
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    try:
        _run()
    except BaseException:
        # Whatever came out: pydantic's core, for one, makes an error of its own of an interrupt.
        if stopped_by:
            sys.exit(_BY_SIGNAL + stopped_by[0])
        raise


def _run() -> None:
    try:
        # numpy and pydantic are behind it: most of what an impatient Ctrl-C can hit.
        from uncertain_llm.cli.app import app

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A model may answer in any script; a terminal that cannot show it gets a "?".
                stream.reconfigure(errors="replace")
        app()
    except OSError as error:
        if error.filename is not None:
            raise  # not of a stream: no command leaves a file's error to this place
        _fail_on_output(error)


def _fail_on_output(error: OSError) -> NoReturn:
    # What is still in the buffer would fail once more, unasked, when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(f"Error: the output cannot be written: {error.strerror or error}")
