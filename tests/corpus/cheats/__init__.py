"""Hand-ins that try to get the points of learning without learning.

Each module of this package whose name begins with `e` has a list `CHEATS`. To add a
cheat, add one definition to a list; nothing else has to be edited.
"""

from tests.corpus.cheats.definition import Cheat
from tests.support.edits import collected

CHEATS: list[Cheat] = collected(__name__, __path__, "CHEATS")
