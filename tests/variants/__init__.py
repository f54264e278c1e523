"""Correct but different: hand-ins that meet the contract in another style.

`VARIANTS` are parts written in another way, the rest being the solution's: every file
here named `e…` has a list of them. `WHOLE` are whole hand-ins, the files in `whole/`,
each of them a `dqn.py`. To add one, add a definition or a file; nothing else is to be
edited.
"""

import importlib
import pkgutil
from pathlib import Path

from variants.definition import Variant, whole

FILES = [
    module.name for module in pkgutil.iter_modules(__path__) if module.name[0] == "e"
]
VARIANTS: list[Variant] = [
    variant
    for name in sorted(FILES)
    for variant in importlib.import_module(f"variants.{name}").VARIANTS
]
WHOLE: list[Variant] = [
    whole(path) for path in sorted(Path(__file__).parent.glob("whole/*.py"))
]
