"""One seed for a run, as many independent ones as it needs."""

import hashlib
import secrets


def draw() -> str:
    """Draw a secret seed."""
    return secrets.token_hex(16)


def derive(seed: str, purpose: str) -> int:
    """Derive a 63-bit seed for one purpose, which says nothing about another's."""
    digest = hashlib.blake2b(f"{purpose}\0{seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
