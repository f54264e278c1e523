"""Text that strangers wrote, made harmless before anyone reads it."""

from typing import Any


def plain(text: Any, limit: int) -> str:
    """Text without control characters and lone surrogates, bounded in length."""
    kept = text if isinstance(text, str) else repr(text)
    kept = kept[:limit].encode("utf-8", "replace").decode()
    # Logs of CI take ##[...] for an order, wherever it stands in a line.
    kept = kept.replace("##[", "## [")
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in kept)
