"""Recorded samples: reading them line by line, with labels kept where no score can see them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from uncertain_llm.core.confidence import Sample
from uncertain_llm.core.errors import ConfigurationError

__all__ = [
    "BadLine",
    "RecordedRow",
    "RowKey",
    "RowLabels",
    "input_files",
    "read_labels",
    "read_lines",
    "read_rows",
]

_SUFFIXES = (".jsonl", ".jsonl.gz")
_REQUIRED = ("dataset", "model", "id", "samples")


@dataclass(frozen=True)
class RowKey:
    """Names a row: one question to one model in one dataset."""

    dataset: str
    model: str
    id: str


@dataclass(frozen=True)
class RecordedRow:
    """One question with its recorded replies, without anything that tells which are right."""

    key: RowKey
    task: str | None
    domain: str | None
    question: str | None
    samples: tuple[Sample, ...]
    greedy: Sample | None


@dataclass(frozen=True)
class RowLabels:
    """Which replies of a row are right; only `fit` and `evaluate` read this."""

    key: RowKey
    task: str | None
    domain: str | None
    samples: tuple[bool | None, ...]
    greedy: bool | None

    def of(self, representative: int | None) -> bool | None:
        """Return whether the reply is right: by its index, -1 for greedy, None for no reply."""
        if representative is None:
            return None
        return self.greedy if representative < 0 else self.samples[representative]


@dataclass(frozen=True)
class BadLine:
    """A line that could not be read."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path.name} line {self.line}: {self.reason}"


def input_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the recordings behind files and folders, in a stable order.

    Raises:
        ConfigurationError: A path does not exist, or a folder holds no recordings.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.name.endswith(_SUFFIXES))
            if not inside:
                raise ConfigurationError(f"no .jsonl or .jsonl.gz file in folder {path}")
            found.extend(inside)
        elif path.is_file():
            found.append(path)
        else:
            raise ConfigurationError(f"no such file or folder: {path}")
    return tuple(found)


def read_lines(paths: Iterable[Path]) -> Iterator[Mapping[str, object] | BadLine]:
    """Yield each line as an object, or what is wrong with it; memory stays constant."""
    for path in paths:
        with _opened(path) as stream:
            number = 0
            try:
                for number, line in enumerate(stream, start=1):
                    if line.strip():
                        yield _object(path, number, line)
            except (OSError, EOFError) as error:
                yield BadLine(path, number + 1, f"cannot be read further ({type(error).__name__})")


def read_rows(paths: Iterable[Path]) -> Iterator[RecordedRow | BadLine]:
    """Yield recorded rows in file order; labels are not read."""
    for found in read_lines(paths):
        yield found if isinstance(found, BadLine) else _row(found)


def read_labels(paths: Iterable[Path]) -> Iterator[RowLabels]:
    """Yield the labels of all readable rows; bad lines are the business of `read_rows`."""
    for found in read_lines(paths):
        if not isinstance(found, BadLine):
            greedy = found.get("greedy")
            yield RowLabels(
                key=_key(found),
                task=_text(found.get("task")),
                domain=_text(found.get("domain")),
                samples=tuple(_correct(s) for s in _samples(found)),
                greedy=_correct(greedy) if isinstance(greedy, Mapping) else None,
            )


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    # Broken bytes become a replacement character: the line is then judged as it reads.
    opener = gzip.open if path.name.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", errors="replace") as stream:
        yield cast("TextIO", stream)


def _object(path: Path, number: int, line: str) -> Mapping[str, object] | BadLine:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadLine(path, number, f"not JSON ({error})")
    if not isinstance(found, dict):
        return BadLine(path, number, "expected an object")
    missing = [key for key in _REQUIRED if key not in found]
    if missing:
        return BadLine(path, number, f"required key missing: {', '.join(missing)}")
    samples = found["samples"]
    if not isinstance(samples, list) or not all(isinstance(s, dict) for s in samples):
        return BadLine(path, number, "'samples' must be a list of objects")
    if not isinstance(found.get("greedy"), dict | None):
        return BadLine(path, number, "'greedy' must be an object or null")
    return found


def _row(found: Mapping[str, object]) -> RecordedRow:
    greedy = found.get("greedy")
    return RecordedRow(
        key=_key(found),
        task=_text(found.get("task")),
        domain=_text(found.get("domain")),
        question=_text(found.get("question")),
        samples=tuple(_sample(s) for s in _samples(found)),
        greedy=_sample(greedy) if isinstance(greedy, Mapping) else None,
    )


def _key(found: Mapping[str, object]) -> RowKey:
    return RowKey(str(found["dataset"]), str(found["model"]), str(found["id"]))


def _samples(found: Mapping[str, object]) -> list[Mapping[str, object]]:
    return cast("list[Mapping[str, object]]", found["samples"])


def _sample(raw: Mapping[str, object]) -> Sample:
    stated = _probability(raw.get("confidence"))
    return Sample(
        text=_text(raw.get("text")),
        answer=_text(raw.get("answer")),
        stated_probability=stated,
        stated_missing=None if stated is not None else "not_stated",
    )


def _correct(raw: Mapping[str, object]) -> bool | None:
    correct = raw.get("correct")
    return bool(correct) if isinstance(correct, bool | int) else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, default=str)


def _probability(value: object) -> float | None:
    # NaN compares false: it is not a probability either.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return None
