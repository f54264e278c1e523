"""Wrong hand-ins, one misconception each, grouped by exercise.

Each module of this package whose name begins with `e` has a list `MUTANTS`. To add a
mutant, add one definition to a list; nothing else has to be edited.
"""

from tests.corpus.mutants.definition import Mutant
from tests.support.edits import collected

MUTANTS: list[Mutant] = collected(__name__, __path__, "MUTANTS")
