"""The misbehaving server of `benchmarks/fault_server.py`, on a loop of its own."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

SERVER = Path(__file__).resolve().parents[2] / "benchmarks" / "fault_server.py"


def load_server_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fault_server", SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Served:
    """A running server: where it is, and what it counted."""

    def __init__(self, base: str, counted: object) -> None:
        self.base = base
        self.counted = counted

    def n_requests(self, model: str) -> int:
        return self.counted.requests[model]
