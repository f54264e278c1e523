"""Correct but different: hand-ins that meet the contract in another style.

`VARIANTS` are parts written in another way, the rest being the solution's: every file
here named `e…` has a list of them. `WHOLE` are whole hand-ins, the files in `whole/`,
each of them a `dqn.py`. To add one, add a definition or a file; nothing else is to be
edited.
"""

from pathlib import Path

from tests.corpus.variants.definition import Variant, whole
from tests.support.edits import collected

VARIANTS: list[Variant] = collected(__name__, __path__, "VARIANTS")
WHOLE: list[Variant] = [
    whole(path) for path in sorted(Path(__file__).parent.glob("whole/*.py"))
]
