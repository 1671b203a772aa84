"""What a certificate says, or the reason why there is none. Cheap to import: no arrays."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from uncertain_llm.core.base import Unit, Value

__all__ = [
    "BandName",
    "Certificate",
    "CertifiedBand",
    "NotCertifiedReason",
    "Promise",
    "PromiseKind",
    "ThresholdsFrom",
]

BandName = Literal["answer", "shown", "hedge", "verified"]
PromiseKind = Literal["certified", "average"]
ThresholdsFrom = Literal["unlabelled", "split", "labels"]

_BAND_WORDS: dict[BandName, str] = {
    "answer": "answered",
    "shown": "answered or hedged",
    "hedge": "hedged",
    "verified": "verified",
}


class Promise(Value):
    """A risk that is to be kept for one band of answers."""

    band: BandName
    """"answer": what is shown as it is. "shown": that and the hedged answers together.
    "hedge": the hedged answers by themselves, from their threshold up to that of "answer".
    "verified": what was looked at again and supported."""
    alpha: Annotated[float, Field(gt=0, lt=1)]
    """Tolerated share of wrong answers in the band."""


def _is_none(value: object) -> bool:
    """Leave a field out of the file: a file written before there was such a field stays whole."""
    return value is None


class CertifiedBand(Value):
    """The lowest score from which one promise is kept."""

    band: BandName
    group: str | None
    alpha: float
    delta: float | None
    """This band's part of the certificate's delta; None for "average"."""
    threshold: float
    """A band holds answers with a score of at least this."""
    below: Annotated[float | None, Field(exclude_if=_is_none)] = None
    """"hedge": the band ends below this score, that of "answer"; None where it has no upper end."""
    n_labels: int
    n_accepted: int
    n_wrong: float
    """Wrong answers among the accepted; the sum of losses where labels are graded."""
    risk_bound: Unit | None
    """Upper bound of the risk at this threshold, at level 1 - delta."""
    coverage: Unit
    """Share of the reference traffic at or above the threshold."""


class Certificate(Value):
    """What is promised of answers to come, as long as nothing about the pipeline changes."""

    kind: PromiseKind
    """"certified": the risk is at most alpha with probability 1 - delta over the labels.
    "average": it is about alpha on average over draws of the labels; on half of them it is above.
    """
    delta: float | None
    group_by: str | None
    thresholds_from: ThresholdsFrom
    """Where the candidate thresholds came from; "labels" only for "average"."""
    bands: Annotated[tuple[CertifiedBand, ...], Field(min_length=1)]

    def band(self, name: BandName, group: str | None = None) -> CertifiedBand | None:
        """Return one band of one group, or None when it is not certified."""
        return next((b for b in self.bands if b.band == name and b.group == group), None)


class NotCertifiedReason(Value):
    """Why there is no threshold, and what would change that."""

    band: BandName
    group: str | None = None
    alpha: float
    delta: float | None
    n_labels: int
    smallest_alpha: float | None = None
    """The least risk these labels would have passed; to certify it, ask for it on fresh labels."""
    labels_needed: int | None = None
    """Labels with which this alpha would pass with a chance of about 80 %."""
    why: Literal["too_few_labels", "risk_too_high", "labels_picked", "graded_labels"]

    def sentence(self) -> str:
        """Return the reason in words, with what would help."""
        whom = f" of what is {_BAND_WORDS[self.band]}"
        if self.group is not None:
            whom += f" in '{self.group}'"
        if self.why == "labels_picked":
            return (
                "the labels were not drawn by chance: label decisions that the audit draw asked "
                "for (audit.rate in the policy), or say that your labels are a random sample"
            )
        if self.why == "graded_labels":
            return (
                f"a promise{whom} alone needs labels that say right or wrong, and some of these "
                "lie between"
            )
        level = "" if self.delta is None else f" with confidence {1 - self.delta:.1%}"
        lines = [
            f"no threshold keeps the risk{whom} at {self.alpha:.1%} or below{level} on "
            f"{self.n_labels} labels"
        ]
        if self.smallest_alpha is not None:
            lines.append(f"the smallest risk that would have passed is {self.smallest_alpha:.1%}")
        if self.labels_needed is not None and self.labels_needed <= self.n_labels:
            lines.append("as many labels of a fresh draw may do: these fell just short")
        elif self.labels_needed is not None:
            lines.append(f"about {self.labels_needed:,} labels would do")
        else:
            lines.append(
                "more labels would not do: nowhere is the risk seen below that; a better score is "
                "needed (more samples, another signal), or a larger alpha"
            )
        return "; ".join(lines)
