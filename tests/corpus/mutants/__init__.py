"""Wrong hand-ins, one misconception each, grouped by exercise.

Every file here but this one and `definition.py` has a list `MUTANTS`. To add a mutant,
add one definition to a list; there is nothing else to edit.
"""

from tests.corpus.mutants.definition import Mutant
from tests.support.edits import collected

MUTANTS: list[Mutant] = collected(__name__, __path__, "MUTANTS")
