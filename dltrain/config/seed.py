"""The random streams of a run: each use of its seed draws from a stream of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from omegaconf import DictConfig


@dataclass(frozen=True)
class Seed:
    """A run's seed.

    With rule 2 the seed of each use is salted by the use's name (NumPy's SeedSequence), so that no draw repeats that of
    another use, nor that of a file which somebody prepared with the same number, as with `train_test_split` and 42.

    Attributes:
        number: As `seed` has it, from 0 to 2**32 - 1.
        rule: As `random_streams` has it: 2, or 1 for runs of versions that took the number itself for every use.
    """

    number: int
    rule: int

    @classmethod
    def of(cls, config: DictConfig) -> Seed:
        """Reads the seed of a config; one that was recorded before rule 2 has no key `random_streams`."""
        return cls(config.seed, config.get("random_streams", 1))

    def stream(self, use: str) -> int:
        """Derives the seed of one use, from 0 to 2**32 - 1."""
        return self.number if self.rule == 1 else self._derive(int.from_bytes(hashlib.sha256(use.encode()).digest()))

    def fold(self, number: int) -> Seed:
        """Derives the seed of a fold of a cross-validation, counted from 1."""
        return Seed(self._derive(number) if self.rule == 1 else self.stream(f"fold {number}"), self.rule)

    def _derive(self, key: int) -> int:
        import numpy as np  # the command line composes without it

        return int(np.random.SeedSequence([self.number, key]).generate_state(1)[0])
