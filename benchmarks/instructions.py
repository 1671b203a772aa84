"""What the library costs in machine instructions, which a neighbour's load does not change.

    python benchmarks/instructions.py

The same calls as in `overhead.py`, counted by valgrind's callgrind after a warm-up: litellm alone,
and with one sample measured, without and with a log. It takes two or three minutes, needs no
network and no key, and on any load gives the same within a few tenths of a per cent.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from overhead import MESSAGES, check, fake_server, policy
from rich.console import Console
from rich.table import Table

from uncertain_llm.dropin import DropIn
from uncertain_llm.providers.litellm_model import load_litellm

RAW = "litellm.completion"
WORDS = {"the same words": "fast", "new words each time": "varied"}
"""What the server's models reply: only the first lets memories of what was read before serve."""
NOTHING = "nothing"
MEASURED = ("one sample, no log", "one sample, log")
WARM_UP = 30  # caches of compiled patterns, connections and tables are full by then


def main() -> int:
    """Count, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20, help="calls of each variant")
    parser.add_argument("--counted", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.counted:
        run_counted(*given.counted, given.calls)
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind is missing: install it (apt-get install valgrind); nothing was counted")
        return 2
    table = Table("replies", "one call", "million instructions", "of litellm's")
    for words, model in WORDS.items():
        with fake_server() as base, tempfile.TemporaryDirectory() as folder:
            found = counts(base, model, given.calls, Path(folder))
        for name, count in found.items():
            table.add_row(words, name, f"{count / 1e6:.2f}", f"{count / found[RAW]:.3f}")
    Console(width=100).print(table)
    return 0


def counts(base: str, model: str, calls: int, folder: Path) -> dict[str, float]:
    """Return the instructions of one call of each variant."""
    command = [
        *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"),
        f"--callgrind-out-file={folder}/counted",
        *(sys.executable, str(Path(__file__).resolve())),
        *("--counted", base, model, "--calls", str(calls)),
    ]
    # Sets iterate in an order of their own in each process, and some instructions hang on it.
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    totals = totals_in(folder)
    # Switching the count on and off is counted too: taken off by doing it around nothing.
    switching = totals.pop(NOTHING)
    return {name: (totals[name] - switching) / calls for name in (RAW, *MEASURED)}


def totals_in(folder: Path) -> dict[str, int]:
    """Return what callgrind wrote down, by the name it was told to write it under."""
    found: dict[str, int] = {}
    for file in folder.glob("counted.*"):
        text = file.read_text(errors="replace")
        name = re.search(r"^desc: Trigger: dump (.*)$", text, re.MULTILINE)
        total = re.search(r"^totals: (\d+)", text, re.MULTILINE)
        if name and total:
            found[name[1]] = int(total[1])
    return found


def run_counted(base: str, model: str, calls: int) -> None:
    """Make the calls of each variant, and let callgrind count those after the warm-up."""
    litellm = load_litellm()
    given = {"model": f"openai/{model}", "messages": MESSAGES, "api_base": base, "api_key": "none"}
    with tempfile.TemporaryDirectory() as folder:
        quiet = DropIn(policy=policy(1), log=None)
        logging = DropIn(policy=policy(1), log=f"sqlite:///{folder}/log.db")
        variants: dict[str, Callable[[], object]] = {
            NOTHING: lambda: None,
            RAW: lambda: litellm.completion(**given),
            MEASURED[0]: lambda: quiet.completion(**given),
            MEASURED[1]: lambda: logging.completion(**given),
        }
        check(variants, measured=MEASURED)
        for name, make in variants.items():
            for _ in range(WARM_UP):
                make()
            gc.collect()
            control("--instr=on")
            for _ in range(calls):
                make()
            control(f"--dump={name}")
            control("--instr=off")
        logging.close()
        quiet.close()


def control(order: str) -> None:
    """Tell callgrind, which runs this very process, to count, to write down, or to stop."""
    command = ["callgrind_control", order, str(os.getpid())]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
