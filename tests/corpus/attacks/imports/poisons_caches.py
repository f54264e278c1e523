"""Fills the caches of JAX, pytest and hypothesis with rubbish.

Rows: 14
Grade: sync_target
Asserts: S R O
Says: tried
"""

import os
from pathlib import Path


def sync_target(*_):
    jax.config.update("jax_compilation_cache_dir", str(Path.cwd() / "cache"))
    for folder in (".hypothesis", ".pytest_cache", ".cache/uv", "cache", "__pycache__"):
        for place in (Path.cwd(), Path.home()):
            os.makedirs(place / folder, exist_ok=True)
            (place / folder / "rubbish").write_bytes(b"\0" * 1000)
    raise RuntimeError("tried")
