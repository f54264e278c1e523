"""Wrong hand-ins, one misconception each, grouped by exercise.

Every file here but this one and `definition.py` has a list `MUTANTS`. To add a mutant,
add one definition to a list; there is nothing else to edit.
"""

import importlib
import pkgutil

from mutants.definition import Mutant

FILES = [
    module.name for module in pkgutil.iter_modules(__path__) if module.name[0] == "e"
]
MUTANTS: list[Mutant] = [
    mutant
    for name in sorted(FILES)
    for mutant in importlib.import_module(f"mutants.{name}").MUTANTS
]
