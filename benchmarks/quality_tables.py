"""The tables of `decision_quality.py`, as Markdown: what it prints is what the pages show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from calibration_quality import Offset
from ranking_quality import FIGURES, Draws, best_of, mean_of

OURS = "ours, family left out"
SHIPPED = "ours, as shipped"
WITH_ANSWERS = "ours, family left out, with the answers"
AGREEMENT = "agreement of equal strings"
MIXED = "0.5 agreement + 0.5 stated"
OWN = (OURS, SHIPPED, WITH_ANSWERS, AGREEMENT, MIXED)
CODES = {
    "uqlm exact_match": "u1",
    "uqlm semantic_negentropy (same string)": "u2",
    "uqlm semantic_sets (same string)": "u3",
    "lm-polygraph DegMat Jaccard": "p1",
    "lm-polygraph EigVal Jaccard": "p2",
    "lm-polygraph Eccentricity Jaccard": "p3",
    "lm-polygraph LexicalSimilarity rougeL": "p4",
    "trustworthy-llm indicator": "t1",
    "trustworthy-llm Jaccard": "t2",
    "mcp-confidence agreement": "m1",
}
FOLDED = ", our forms"  # ends the names of peers that were fed canonical forms
TITLES = ("accuracy", "AUROC", "AURC", "AUGRC", "sel. acc. 50 %", "sel. acc. 80 %")
# Set before anything was measured.
AIMS = {
    1: {"auroc": 0.65},
    2: {"auroc": 0.785, "augrc": 0.164, "selective_80": 0.622},
    5: {"auroc": 0.825, "augrc": 0.130, "selective_80": 0.702},
    10: {"auroc": 0.845, "augrc": 0.102, "selective_80": 0.760},
}
TOLERATED_LOSS = 0.01  # AUROC below the best peer on any one dataset


@dataclass(frozen=True)
class Found:
    """What was found on one dataset."""

    n_rows: int
    draws: Mapping[str, Draws]
    offsets: Mapping[str, Offset]


ByDataset = Mapping[str, Found]
ByCount = Mapping[int, ByDataset]
"""One view: the datasets at each number of samples."""


def means_of(found: ByDataset) -> dict[str, Draws]:
    """Return the mean over datasets of every system that scored all of them."""
    names = next(iter(found.values())).draws.keys()
    return {
        name: mean_of([f.draws[name] for f in found.values()])
        for name in names
        if all(name in f.draws for f in found.values())
    }


def peers_of(draws: Mapping[str, Draws], *, raw: bool = True) -> dict[str, Draws]:
    """Return the peers among systems: on replies as recorded, or in our forms."""
    return {
        name: d
        for name, d in draws.items()
        if name not in OWN and not name.startswith("our ") and name.endswith(FOLDED) != raw
    }


def means_table(view: ByCount) -> str:
    """Return a row per system and sample count: means over datasets with their intervals."""
    lines = [_head("samples", "system", *TITLES)]
    for n_samples, found in view.items():
        means = means_of(found)
        for name in OWN:
            if name in means:
                shown = [means[name].estimate(figure).text() for figure in FIGURES]
                lines.append(_row(n_samples, f"**{name}**" if name == OURS else name, *shown))
        lines += _rows_of_peers(n_samples, means)
    return "\n".join(lines)


def _rows_of_peers(n_samples: int, means: Mapping[str, Draws]) -> list[str]:
    """Return the best peer of each column, which may be another in each, and what we gain on it."""
    raw, folded = peers_of(means), peers_of(means, raw=False)
    if not raw or not folded:
        return []
    best = [best_of(raw, figure) for figure in FIGURES]
    names = [
        f"{_value(raw[name], figure)} ({CODES[name]})"
        for name, figure in zip(best, FIGURES, strict=True)
    ]
    gains = [_gain(means, name, figure) for name, figure in zip(best, FIGURES, strict=True)]
    fed = [_gain(means, best_of(folded, figure), figure) for figure in FIGURES]
    return [
        _row(n_samples, "best peer of each column", *names),
        _row(n_samples, "ours - best peer, paired", *gains),
        _row(n_samples, "the same, peers fed our forms", *fed),
    ]


def single_table(found: ByDataset) -> str:
    """Return a row per dataset at one sample, where no peer says anything."""
    titles = ("accuracy", "AUROC: ours", "stated alone", "AUGRC: ours", "sel. acc. 80 %: ours")
    lines = [_head("dataset", "rows", *titles)]
    for dataset, f in found.items():
        ours = f.draws[OURS]
        cells = (
            _value(ours, "accuracy"),
            ours.estimate("auroc").text(),
            _value(f.draws[MIXED], "auroc"),
            _value(ours, "augrc"),
            _value(ours, "selective_80"),
        )
        lines.append(_row(dataset, f.n_rows, *cells))
    return "\n".join(lines)


def dataset_table(found: ByDataset) -> str:
    """Return a row per dataset: what we choose and how we rank, beside the best peer there."""
    titles = ("AUROC: ours", "agreement + stated", "best peer", "ours - best peer", "AUGRC: ours")
    lines = [
        _head("dataset", "rows", "accuracy: ours / equal strings", *titles, "sel. acc. 80 %: ours")
    ]
    for dataset, f in found.items():
        ours, peers = f.draws[OURS], peers_of(f.draws)
        peer, gain = "-", "-"
        if peers:
            best = best_of(peers, "auroc")
            peer = f"{_value(peers[best], 'auroc')} ({CODES[best]})"
            gain = _gain(f.draws, best, "auroc")
        cells = (
            f"{_value(ours, 'accuracy')} / {_value(f.draws[AGREEMENT], 'accuracy')}",
            ours.estimate("auroc").text(),
            _value(f.draws[MIXED], "auroc"),
            peer,
            gain,
            _value(ours, "augrc"),
            _value(ours, "selective_80"),
        )
        lines.append(_row(dataset, f.n_rows, *cells))
    return "\n".join(lines)


def view_gap_table(view: ByCount) -> str:
    """Return what hiding upstream's answers costs us, on the same rows."""
    counts = [n for n in view if n > 1]
    titles = [f"{n}: {what}" for n in counts for what in ("accuracy", "AUROC")]
    lines = [_head("dataset", *titles)]
    draws = {
        n: {d: f.draws for d, f in view[n].items()} | {"mean": means_of(view[n])} for n in counts
    }
    for dataset in [*_datasets(view, counts), "mean"]:
        cells = []
        for n in counts:
            systems = draws[n].get(dataset)
            for figure in ("accuracy", "auroc"):
                cells.append("-" if systems is None else _gain(systems, WITH_ANSWERS, figure))
        lines.append(_row(dataset, *cells))
    return "\n".join(lines)


def calibration_table(view: ByCount) -> str:
    """Return how far probabilities are off before any label, of agreement and of the prior."""
    counts = [n for n in view if n > 1]
    titles = [f"{n}: {what}" for n in counts for what in ("agreement", "prior, family left out")]
    lines = [_head("dataset", *titles)]
    for dataset in _datasets(view, counts):
        cells = []
        for n in counts:
            offsets = view[n][dataset].offsets if dataset in view[n] else {}
            for name in (AGREEMENT, OURS):
                cells.append(offsets[name].text() if name in offsets else "-")
        lines.append(_row(dataset, *cells))
    mean = [_mean_offset(view[n], name) for n in counts for name in (AGREEMENT, OURS)]
    lines.append(_row("mean", *mean))
    return "\n".join(lines)


def calibration_summary(view: ByCount) -> str:
    """Return a row per sample count: mean ECE of agreement and of the prior, the worst dataset."""
    titles = ("Raw agreement", "Prior, family left out", "Worst dataset", "Prior, as shipped")
    lines = [_head("Samples", "Datasets", *titles, "AUROC, family left out", "AUROC, as shipped")]
    for n, found in view.items():
        claimed = [f.offsets for f in found.values() if OURS in f.offsets]
        means = means_of(found)
        agreement = [o[AGREEMENT].ece for o in claimed if AGREEMENT in o]
        cells = [
            _number(np.mean(agreement) if agreement else None),
            _number(np.mean([o[OURS].ece for o in claimed])),
            _number(max(o[OURS].ece for o in claimed)),
            _number(np.mean([o[SHIPPED].ece for o in claimed])),
            _value(means[OURS], "auroc"),
            _value(means[SHIPPED], "auroc"),
        ]
        lines.append(_row(n, f"{len(claimed)} of {len(found)}", *cells))
    return "\n".join(lines)


def aims_table(view: ByCount) -> str:
    """Return each aim beside what was reached with the family left out."""
    lines = [_head("samples", "figure", "aim", "family left out", "as shipped", "")]
    for n, found in view.items():
        means = means_of(found)
        for figure, aim in AIMS[n].items():
            ours = means[OURS].estimate(figure)
            reached = (
                round(ours.value, 3) <= aim if figure == "augrc" else round(ours.value, 3) >= aim
            )
            lines.append(
                _row(
                    n,
                    TITLES[FIGURES.index(figure)],
                    f"{'<=' if figure == 'augrc' else '>='} {aim:.3f}",
                    ours.text(),
                    _value(means[SHIPPED], figure),
                    "reached" if reached else "missed",
                )
            )
    return "\n".join(lines)


def losses_table(views: Mapping[str, ByCount]) -> str:
    """Return where we rank more than the tolerated AUROC below the best peer of a dataset."""
    lines = [_head("view", "samples", "dataset", "rows", "ours - best peer", "interval below 0")]
    for view, by_count in views.items():
        for n, found in by_count.items():
            for dataset, f in found.items():
                peers = peers_of(f.draws)
                if not peers:
                    continue
                gap = f.draws[OURS].minus(peers[best_of(peers, "auroc")]).estimate("auroc")
                if gap.value < -TOLERATED_LOSS:
                    below = "yes" if gap.high < 0 else "no"
                    lines.append(_row(view, n, dataset, f.n_rows, gap.text(signed=True), below))
    return "\n".join(lines) if len(lines) > 1 else "None."


def _datasets(view: ByCount, counts: Sequence[int]) -> list[str]:
    return sorted({dataset for n in counts for dataset in view[n]})


def _mean_offset(found: ByDataset, name: str) -> str:
    of_system = [f.offsets[name] for f in found.values() if name in f.offsets]
    if not of_system:
        return "-"
    mean = np.mean([offset.ece for offset in of_system])
    smooth = np.mean([offset.smooth for offset in of_system])
    return f"**{mean:.3f}** / {smooth:.3f}"


def _gain(draws: Mapping[str, Draws], other: str, figure: str) -> str:
    return draws[OURS].minus(draws[other]).estimate(figure).text(signed=True)


def _value(draws: Draws, figure: str) -> str:
    return f"{draws.on_rows[FIGURES.index(figure)]:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _head(*titles: str) -> str:
    return f"{_row(*titles)}\n|{'---|' * len(titles)}"
