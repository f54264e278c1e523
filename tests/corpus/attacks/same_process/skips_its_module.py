"""Skips the whole module while it is imported.

Rows: 3
Grade: sync_target
Asserts: S R
Says: importing dqn.py: Skipped
"""

import pytest

pytest.skip("not today", allow_module_level=True)
