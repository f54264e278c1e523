"""Wrong hand-ins, one misconception each, grouped by exercise.

Every file here but this one and `definition.py` has a list `MUTANTS`. To add a mutant,
add one definition to a list; there is nothing else to edit.
"""

from edits import collected

from mutants.definition import Mutant

MUTANTS: list[Mutant] = collected(__name__, __path__, "MUTANTS")
