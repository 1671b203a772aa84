"""What one request runs through: the policy and the parts that measure, estimate and act."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from uncertain_llm.core.ports import Estimator, Hedger, Signal, Verifier
from uncertain_llm.policy import Policy
from uncertain_llm.signals.verbalized import ELICITATION_VERSION

__all__ = ["Pipeline"]


@dataclass(frozen=True)
class Pipeline:
    """The frozen parts of a client; shared by all of its requests."""

    policy: Policy
    signals: tuple[Signal, ...]
    estimator: Estimator
    hedger: Hedger
    verifier: Verifier | None = None
    library_version: str = ""

    @property
    def n_samples(self) -> int:
        """Replies to ask for: what the policy allows, but no more than some signal can use."""
        wanted = max((signal.needs.samples for signal in self.signals), default=1)
        return min(self.policy.sampling.samples, wanted)

    def fingerprint(self, model: str) -> str:
        """Return a hash of everything that shapes a score: a change of any part changes it.

        The policy's wording and cuts are not part of it: they act on a score, they do not make it.
        """
        return hashlib.sha256(f"{model}\n{self._parts}".encode()).hexdigest()[:16]

    @cached_property
    def _parts(self) -> str:
        return json.dumps(
            {
                "sampling": self.policy.sampling.model_dump(mode="json"),
                "elicitation": ELICITATION_VERSION,
                "signals": [
                    (type(s).__qualname__, s.name, s.needs.model_dump(mode="json"))
                    for s in self.signals
                ],
                "estimator": self.estimator.name,
                "stopping": "fixed",
            },
            sort_keys=True,
        )
