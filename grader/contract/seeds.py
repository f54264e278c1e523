"""The seed of a run, and independent seeds that are derived from it."""

import hashlib
import secrets


def draw() -> str:
    """Return a new random seed: 32 hex digits that nobody can guess."""
    return secrets.token_hex(16)


def derive(seed: str, purpose: str) -> int:
    """Compute the seed for one purpose: a whole number in [0, 2^63).

    Nobody can compute one purpose's seed from another purpose's seed.

    Args:
        seed: the run's seed.
        purpose: name of the purpose, different for each use.
    """
    digest = hashlib.blake2b(f"{purpose}\0{seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
