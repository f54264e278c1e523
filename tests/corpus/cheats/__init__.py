"""Hand-ins that try to get CartPole's points without learning, grouped by what lies.

Every file here whose name begins with `e` has a list `CHEATS`. To add a cheat, add one
definition to a list; there is nothing else to edit.
"""

from tests.corpus.cheats.definition import Cheat
from tests.support.edits import collected

CHEATS: list[Cheat] = collected(__name__, __path__, "CHEATS")
