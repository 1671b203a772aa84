"""The tables of `decision_quality.py`, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from calibration_quality import Offset
from ranking_quality import FIGURES, Draws, best_of

OURS = "uncertain_llm, family left out"
SHIPPED = "uncertain_llm, as shipped"
WITH_ANSWERS = "uncertain_llm, family left out, with upstream's answers"
AGREEMENT = "agreement"
MIXED = "0.5 agreement + 0.5 verbalized"
BASELINES = (AGREEMENT, MIXED)
OWN = (OURS, SHIPPED, WITH_ANSWERS, *BASELINES)


def peers_of(draws: Mapping[str, Draws], *, raw: bool = True) -> dict[str, Draws]:
    """Return the peers among systems: on replies as recorded, or in our forms."""
    return {
        name: d
        for name, d in draws.items()
        if name not in OWN and not name.startswith("our ") and name.endswith(", our forms") != raw
    }


def value(draws: Draws, figure: str) -> str:
    """Return a figure on the rows themselves."""
    return f"{draws.on_rows[FIGURES.index(figure)]:.3f}"


def print_datasets(found: Mapping[str, Mapping[str, Draws]], rows: Mapping[str, int]) -> None:
    """Print a row per dataset: what we choose and how we rank, beside the best peer there."""
    print(
        "| dataset | rows | accuracy ours / exact vote | AUROC ours | as shipped | mixed baseline "
        "| best peer on it | ours - best peer | AURC | AUGRC | sel. acc. 50 % | 80 % |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for dataset, draws in found.items():
        ours = draws[OURS]
        peers = peers_of(draws)
        peer, against = "-", "-"
        if peers:
            best = best_of(peers, "auroc")
            peer = f"{value(peers[best], 'auroc')} {best}"
            against = ours.minus(peers[best]).estimate("auroc").text(signed=True)
        rest = " | ".join(value(ours, f) for f in ("aurc", "augrc", "selective_50", "selective_80"))
        print(
            f"| {dataset} | {rows[dataset]} | {value(ours, 'accuracy')} / "
            f"{value(draws[AGREEMENT], 'accuracy')} | {ours.estimate('auroc').text()} "
            f"| {value(draws[SHIPPED], 'auroc')} | {value(draws[MIXED], 'auroc')} "
            f"| {peer} | {against} | {rest} |"
        )


def print_means(means: Mapping[str, Draws]) -> None:
    """Print a row per system: means over datasets with 95 % intervals."""
    print("| mean over datasets | accuracy | AUROC | AURC | AUGRC | sel. acc. 50 % | 80 % |")
    print("|---|---|---|---|---|---|---|")
    order = sorted(means, key=lambda name: (OWN.index(name) if name in OWN else len(OWN), name))
    for name in order:
        shown = " | ".join(means[name].estimate(figure).text() for figure in FIGURES)
        print(f"| {name} | {shown} |")
    for raw in (True, False):
        peers = peers_of(means, raw=raw)
        for figure in FIGURES if peers else ():
            best = best_of(peers, figure)
            gap = means[OURS].minus(means[best]).estimate(figure)
            print(f"\nours - best peer by mean {figure} ({best}): {gap.text(signed=True)}")


def print_view_gap(found: Mapping[str, Mapping[str, Draws]]) -> None:
    """Print what hiding upstream's answers costs us, on the same rows."""
    print("| dataset | accuracy with answers / text only | difference | AUROC | difference |")
    print("|---|---|---|---|---|")
    for dataset, draws in found.items():
        blind, seeing = draws[OURS], draws[WITH_ANSWERS]
        cells = []
        for figure in ("accuracy", "auroc"):
            cells.append(f"{value(seeing, figure)} / {value(blind, figure)}")
            cells.append(blind.minus(seeing).estimate(figure).text(signed=True))
        print(f"| {dataset} | {' | '.join(cells)} |")


def print_calibration(found: Mapping[str, Mapping[str, Offset]]) -> None:
    """Print how far probabilities are off, before any label: agreement's and the prior's."""
    names = [n for n in (AGREEMENT, MIXED, OURS, SHIPPED) if any(n in o for o in found.values())]
    print(f"| dataset | accuracy | {' | '.join(f'ECE {name}' for name in names)} | noise floor |")
    print("|---" * (len(names) + 3) + "|")
    for dataset, offsets in found.items():
        cells = [offsets[name].text() if name in offsets else "-" for name in names]
        # Floor and accuracy are of the rows that ours gives a probability for, where there are any.
        first = offsets.get(OURS, next(iter(offsets.values()), None))
        ends = ("-", "-") if first is None else (f"{first.accuracy:.3f}", f"{first.floor:.3f}")
        print(f"| {dataset} | {ends[0]} | {' | '.join(cells)} | {ends[1]} |")
    cells = [_mean_offset(found, name) for name in names]
    print(f"| mean | | {' | '.join(cells)} | |")


def _mean_offset(found: Mapping[str, Mapping[str, Offset]], name: str) -> str:
    of_system = [offsets[name] for offsets in found.values() if name in offsets]
    mean = np.mean([o.ece for o in of_system])
    smooth = np.mean([o.smooth for o in of_system])
    worst = max(o.ece for o in of_system)
    return f"{mean:.3f}, smooth {smooth:.3f}, worst {worst:.3f}"
