"""What each model turned out to take: learnt from replies, kept in a small file, overridable.

Lists of what providers support are wrong in both directions, so nothing is believed that was not
seen: what came back is compared with what was asked for. The environment variable
`UNCERTAIN_LLM_CAPABILITIES` names a JSON file that keeps it between runs; without it, each model
object remembers it for itself. Edit the file to overrule it: an entry with
`"fixed": true` is never changed.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from uncertain_llm.core.base import Value

__all__ = ["ENVIRONMENT", "Capabilities", "ModelCapabilities", "known_capabilities"]

ENVIRONMENT = "UNCERTAIN_LLM_CAPABILITIES"

# Providers whose servers are known to give n different replies to one request with n. Others
# refuse it, or give one (measured and collected November 2026).
_MAY_TAKE_N = frozenset({"openai", "azure", "hosted_vllm", "deepseek"})

_log = logging.getLogger("uncertain_llm")


class ModelCapabilities(Value):
    """What one model takes; None where nothing is known."""

    native_n: bool | None = None
    """One request with n gives n replies."""
    temperature: bool | None = None
    """A temperature of one's own is accepted."""
    seed: bool | None = None
    logprobs: bool | None = None
    """Log-probabilities are accepted, and come back."""
    fixed: bool = False
    """Set by hand: never changed by what is seen."""

    def may_take_n(self, provider: str) -> bool:
        """Tell whether to ask for several replies in one request."""
        return provider in _MAY_TAKE_N if self.native_n is None else self.native_n


_NOTHING_KNOWN = ModelCapabilities()


class Capabilities:
    """What is known of each model. Safe to share between threads.

    A file that cannot be read is reported once and left alone; one that cannot be written costs
    nothing but the memory.

    Args:
        path: The JSON file; None keeps it in memory.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._path = None if path is None else Path(path)
        self._lock = threading.Lock()
        self._models: dict[str, ModelCapabilities] = {}
        found = self._read()
        if found is None:
            self._path = None
        else:
            self._models = found

    def of(self, model: str) -> ModelCapabilities:
        """Return what is known of a model, by the name the caller knows it by."""
        return self._models.get(model, _NOTHING_KNOWN)

    def learn(self, model: str, **seen: bool) -> None:
        """Remember what was seen of a model, for example `native_n=False`."""
        with self._lock:
            before = self.of(model)
            after = before.model_copy(update=dict(seen))
            if before.fixed or after == before:
                return
            # Another process may have learnt something meanwhile.
            self._models = {**self._models, **(self._read() or {}), model: after}
            self._write()

    def _read(self) -> dict[str, ModelCapabilities] | None:
        """Return what the file holds; None when it cannot be read."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            return _FILE.validate_json(self._path.read_bytes())
        except (OSError, ValidationError) as error:
            _log.warning(
                "the capabilities file %s cannot be read (%s); it is not used",
                self._path,
                type(error).__name__,
            )
            return None

    def _write(self) -> None:
        if self._path is None:
            return
        data = {
            name: known.model_dump(mode="json", exclude_defaults=True)
            for name, known in sorted(self._models.items())
        }
        # Written beside it and moved into place: a reader never sees half a file.
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            beside.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            _log.warning("the capabilities file cannot be written (%s)", error.strerror)


_FILE = TypeAdapter(dict[str, ModelCapabilities])


def known_capabilities() -> Capabilities:
    """Return what the file says that the environment names, one object for all; else nothing yet.

    Without a file nothing is shared: one name may stand for different servers.
    """
    path = os.environ.get(ENVIRONMENT)
    return _of_file(path) if path else Capabilities()


@cache
def _of_file(path: str) -> Capabilities:
    return Capabilities(path)
