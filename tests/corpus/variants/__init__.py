"""Right hand-ins in other styles than the solution.

`VARIANTS` are the solution with one part written in another style. Each module of this
package whose name begins with `e` has a list of such variants. `WHOLE` are hand-ins of
which all parts are new: each file in `whole/` is a `dqn.py`. To add a variant, add a
definition to a list or a file to `whole/`; nothing else has to be edited.
"""

from pathlib import Path

from tests.corpus.variants.definition import Variant, whole
from tests.support.edits import collected

VARIANTS: list[Variant] = collected(__name__, __path__, "VARIANTS")
WHOLE: list[Variant] = [
    whole(path) for path in sorted(Path(__file__).parent.glob("whole/*.py"))
]
