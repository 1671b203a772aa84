"""Recorded samples: reading them line by line, with labels kept where no score can see them."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, TypeGuard, cast

from uncertain_llm.core.base import unchecked
from uncertain_llm.core.chat import Elicitation
from uncertain_llm.core.confidence import ProbeReply, Sample
from uncertain_llm.core.errors import ConfigurationError

__all__ = [
    "BadLine",
    "RecordedRow",
    "RowKey",
    "RowLabels",
    "input_files",
    "numbered_lines",
    "read_labels",
    "read_lines",
    "read_rows",
    "read_sample",
    "recorded_row",
    "shortened",
]

_SUFFIXES = (".jsonl", ".jsonl.gz")
_REQUIRED = ("dataset", "model", "id", "samples")
_PROBE_FORMS: Mapping[object, Literal[Elicitation.PERMUTED_OPTIONS, Elicitation.PARAPHRASE]] = {
    "permuted_options": Elicitation.PERMUTED_OPTIONS,
    "paraphrase": Elicitation.PARAPHRASE,
}
_unchecked_sample = unchecked(Sample)  # `_fields` lets nothing through that a sample would refuse
_Fields = tuple[str | None, str | None, float | None, str | None, str | None, bool, bool]
"""What a recording holds of a reply: the fields of `Sample` in the order of `_made_of`."""
_LINES_A_REPORT = 64  # how often progress is told: asking for the place costs as much as a line


@dataclass(frozen=True)
class RowKey:
    """Names a row: one question to one model in one dataset."""

    dataset: str
    model: str
    id: str

    def __str__(self) -> str:
        return f"the row {self.id!r} of {self.dataset}, {self.model}"


@dataclass(frozen=True)
class RecordedRow:
    """One question with its recorded replies, without anything that tells which are right."""

    key: RowKey
    task: str | None
    domain: str | None
    question: str | None
    samples: tuple[Sample, ...]
    greedy: Sample | None
    probe: ProbeReply | None = None
    """The question in another form, where one was recorded."""


@dataclass(frozen=True)
class RowLabels:
    """Which replies of a row are right; only `fit` and `evaluate` read this."""

    key: RowKey
    task: str | None
    domain: str | None
    samples: tuple[bool | None, ...]
    greedy: bool | None
    slices: Mapping[str, str] = field(default_factory=dict)
    """Of the row's other labels those that were asked for, for example its difficulty."""
    place: tuple[Path, int] = field(default=(Path("IN"), 0), compare=False)
    """The file and the line that it comes from, for messages."""

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


def input_files(paths: Sequence[Path], *, read_once: bool = False) -> tuple[Path, ...]:
    """Return the recordings behind files and folders, in a stable order.

    Args:
        paths: Files and folders.
        read_once: Whether each is read from beginning to end once: then a pipe will do.

    Raises:
        ConfigurationError: A path does not exist, a folder holds no recordings, or a pipe would
            be read more than once.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.name.endswith(_SUFFIXES))
            if not inside:
                raise ConfigurationError(f"no .jsonl or .jsonl.gz file in folder {path}")
            found.extend(inside)
        elif path.is_file() or (read_once and path.exists()):
            found.append(path)
        elif path.exists():
            raise ConfigurationError(
                f"{path} is a pipe or a device, and it is read more than once; give a file"
            )
        else:
            raise ConfigurationError(f"no such file or folder: {path}")
    return tuple(found)


def read_lines(
    paths: Iterable[Path],
    *,
    check: Callable[[Mapping[str, object]], str | None] | None = None,
    on_read: Callable[[int], None] | None = None,
) -> Iterator[Mapping[str, object] | BadLine]:
    """Yield each line as an object, or what is wrong with it; memory stays constant.

    Args:
        paths: Files to read, one after the other.
        check: Returns what is wrong with an object, None for nothing; None checks that it is a
            recorded row.
        on_read: Called now and then with the bytes that were read since the last call, as they
            lie in the file: compressed ones count as they are stored.
    """
    for _, found in numbered_lines(paths, check=check, on_read=on_read):
        yield found


def numbered_lines(
    paths: Iterable[Path],
    *,
    check: Callable[[Mapping[str, object]], str | None] | None = None,
    on_read: Callable[[int], None] | None = None,
) -> Iterator[tuple[tuple[Path, int], Mapping[str, object] | BadLine]]:
    """Yield what `read_lines` does, each with the file and the line that it stands in."""
    wrong_with = _wrong_with_recording if check is None else check
    for path in paths:
        number = 0
        try:
            with path.open("rb") as raw, _lines_of(path, raw) as stream:
                told = 0
                tell = on_read if raw.seekable() else None  # a pipe does not know its place
                for number, line in enumerate(stream, start=1):
                    if line.strip():
                        yield (path, number), _object(path, number, line, wrong_with)
                    if tell is not None and number % _LINES_A_REPORT == 0:
                        place = raw.tell()
                        tell(place - told)
                        told = place
                if tell is not None:
                    tell(raw.tell() - told)
        except (OSError, EOFError, zlib.error) as error:
            broken = BadLine(path, number + 1, f"cannot be read further ({type(error).__name__})")
            yield (path, number + 1), broken


def read_rows(
    paths: Iterable[Path], *, on_read: Callable[[int], None] | None = None
) -> Iterator[RecordedRow | BadLine]:
    """Yield recorded rows in file order; labels are not read. `on_read` as in `read_lines`."""
    for found in read_lines(paths, on_read=on_read):
        yield found if isinstance(found, BadLine) else recorded_row(found)


def read_labels(
    paths: Iterable[Path],
    *,
    slices: Collection[str] = (),
    on_bad_line: Callable[[BadLine], object] | None = None,
    on_bad_label: Callable[[BadLine], object] | None = None,
) -> Iterator[RowLabels]:
    """Yield the labels of all readable rows.

    Args:
        paths: Recorded samples.
        slices: Names in the row's `labels` that are kept beside its task and domain.
        on_bad_line: Is told of each line that cannot be read; left out, they are the business of
            `read_rows`.
        on_bad_label: Is told of each row with a `correct` that is none: its replies with such a
            one count as not labelled.
    """
    for place, found in numbered_lines(paths):
        if isinstance(found, BadLine):
            if on_bad_line is not None:
                on_bad_line(found)
            continue
        greedy = found.get("greedy")
        replies = [*_samples(found), *([greedy] if isinstance(greedy, Mapping) else [])]
        right = [_correct(reply) for reply in replies]
        if (
            on_bad_label is not None
            and None in right
            and any(
                known is None and reply.get("correct") is not None
                for known, reply in zip(right, replies, strict=True)
            )
        ):
            on_bad_label(BadLine(*place, _wrong_with_labels(replies)))
        n_samples = len(_samples(found))
        yield RowLabels(
            key=_key(found),
            task=_text(found.get("task")),
            domain=_text(found.get("domain")),
            samples=tuple(right[:n_samples]),
            greedy=right[n_samples] if len(right) > n_samples else None,
            slices=_slices(found.get("labels"), slices) if slices else {},
            place=place,
        )


def shortened(value: object) -> str:
    """Return a value as a message shows it: on one line, at most 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


@contextmanager
def _lines_of(path: Path, raw: BinaryIO) -> Iterator[TextIO]:
    is_packed = path.name.endswith(".gz")
    content = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_packed else raw
    # Broken bytes become a replacement character: the line is then judged as it reads. A mark of
    # the byte order in front, as some editors write it, is no part of the first line.
    with io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace") as stream:
        yield stream


def _object(
    path: Path,
    number: int,
    line: str,
    wrong_with: Callable[[Mapping[str, object]], str | None],
) -> Mapping[str, object] | BadLine:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        return BadLine(path, number, f"not JSON ({error.msg}, column {error.colno})")
    except (ValueError, RecursionError) as error:
        return BadLine(path, number, f"not JSON ({error})")
    if not isinstance(found, dict):
        return BadLine(path, number, "expected an object")
    wrong = wrong_with(found)
    return found if wrong is None else BadLine(path, number, wrong)


def _wrong_with_recording(found: Mapping[str, object]) -> str | None:
    missing = [key for key in _REQUIRED if key not in found]
    if missing:
        return f"required key missing: {', '.join(missing)}"
    samples = found["samples"]
    if not isinstance(samples, list) or not all(isinstance(s, dict) for s in samples):
        return "'samples' must be a list of objects"
    greedy = found.get("greedy")
    if greedy is not None and not isinstance(greedy, dict):
        return "'greedy' must be an object or null"
    return None


def recorded_row(found: Mapping[str, object]) -> RecordedRow:
    """Return the row that a line of a recording holds, labels left out; it has the required keys.

    Equal samples are one object, so that whatever reads them reads them once.
    """
    greedy = found.get("greedy")
    return RecordedRow(
        key=_key(found),
        task=_text(found.get("task")),
        domain=_text(found.get("domain")),
        question=_text(found.get("question")),
        samples=_equal_as_one(_samples(found), found["model"]),
        greedy=read_sample(greedy) if isinstance(greedy, Mapping) else None,
        probe=_probe(found.get("probe")),
    )


def _probe(raw: object) -> ProbeReply | None:
    """Return a recorded probe; a letter of permuted options counts only as it was read then."""
    if not isinstance(raw, Mapping) or raw.get("form") not in _PROBE_FORMS:
        return None
    form = _PROBE_FORMS[raw["form"]]
    if raw.get("error") is not None:
        return ProbeReply(form=form, missing="call_failed")
    sample = read_sample(raw)
    if form is Elicitation.PERMUTED_OPTIONS and sample.answer is None:
        return ProbeReply(form=form, missing="unreadable_reply")
    return ProbeReply(form=form, sample=sample)


def _key(found: Mapping[str, object]) -> RowKey:
    return RowKey(str(found["dataset"]), str(found["model"]), str(found["id"]))


def _samples(found: Mapping[str, object]) -> list[Mapping[str, object]]:
    return cast("list[Mapping[str, object]]", found["samples"])


def _equal_as_one(raw: Sequence[Mapping[str, object]], model: object) -> tuple[Sample, ...]:
    found: dict[_Fields, Sample] = {}
    samples: list[Sample] = []
    for one in raw:
        fields = _fields(one, model)
        if fields not in found:
            found[fields] = _made_of(fields)
        samples.append(found[fields])
    return tuple(samples)


def read_sample(raw: Mapping[str, object]) -> Sample:
    """Return a recorded reply; a confidence that is no number in [0, 1] is unknown."""
    return _made_of(_fields(raw, raw.get("model")))


def _fields(raw: Mapping[str, object], model: object) -> _Fields:
    given = raw.get
    text, answer, confidence = given("text"), given("answer"), given("confidence")
    stated = None if confidence is None else _probability(confidence)
    missing = None
    if stated is None:
        missing = "out_of_range" if _is_number(confidence) else "not_stated"
    # Most are strings or absent, and this is done for every sample.
    return (
        text if text is None or isinstance(text, str) else _text(text),
        answer if answer is None or isinstance(answer, str) else _text(answer),
        stated,
        missing,
        _text(given("response_id")),
        given("from_cache") is True,
        given("model") not in (None, model),
    )


def _made_of(fields: _Fields) -> Sample:
    text, answer, stated, missing, response_id, from_cache, other_model = fields
    return _unchecked_sample(
        text=text,
        answer=answer,
        stated_probability=stated,
        stated_missing=missing,
        response_id=response_id,
        from_cache=from_cache,
        other_model=other_model,
    )


def _correct(raw: Mapping[str, object]) -> bool | None:
    correct = raw.get("correct")
    if correct is None or correct is True or correct is False:
        return correct
    # Tables write 1.0 for true where another row has no label.
    if isinstance(correct, int | float) and correct in (0, 1):
        return bool(correct)
    return None


def _wrong_with_labels(replies: Iterable[Mapping[str, object]]) -> str:
    labels = (reply.get("correct") for reply in replies)
    wrong = next(label for label in labels if label is not None and label not in (0, 1))
    return f"'correct' must be true, false or null, got {shortened(wrong)}"


def _slices(labels: object, wanted: Collection[str]) -> dict[str, str]:
    """Return the labels of a row that are wanted, as text; those that are null it does not have."""
    if not isinstance(labels, Mapping):
        return {}
    texts = {name: _text(labels.get(name)) for name in wanted}
    return {name: text for name, text in texts.items() if text is not None}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, default=str)


def _probability(value: object) -> float | None:
    # NaN compares false: it is not a probability either.
    return float(value) if _is_number(value) and 0 <= value <= 1 else None


def _is_number(value: object) -> TypeGuard[float]:
    # NumPy's numbers are real numbers, but neither int nor float.
    return isinstance(value, Real) and not isinstance(value, bool)
