"""Where the command starts: how it ends when it is stopped, or cannot say what it found."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = ["main"]

_INTERRUPTED, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM


def main() -> None:
    """Run the command."""
    # The default ends the process at once: half-written files would stay behind.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        # numpy and pydantic are behind it: most of what an impatient Ctrl-C can hit.
        from uncertain_llm.cli.app import app

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A model may answer in any script; a terminal that cannot show it gets a "?".
                stream.reconfigure(errors="replace")
        app()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except OSError as error:
        if error.filename is not None:
            raise  # not of a stream: no command leaves a file's error to this place
        _fail_on_output(error)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(_TERMINATED)


def _fail_on_output(error: OSError) -> NoReturn:
    # What is still in the buffer would fail once more, unasked, when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(f"Error: the output cannot be written: {error.strerror or error}")
