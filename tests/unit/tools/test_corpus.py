"""The corpus has many mutants, variants and cheats, and all of them are different."""

import re
from collections import Counter

from grader.contract.exercises import UNITS
from tests.corpus.cheats import CHEATS
from tests.corpus.mutants import MUTANTS
from tests.corpus.narrow import NARROW
from tests.corpus.variants import VARIANTS, WHOLE
from tests.support.handins import checks_of
from tests.support.proof import MATRIX
from tests.tools.prove import CANNOT_LEARN, TRUSTED, one_of_each_part

STALE = "stale: run `make prove` and read what it changed"


def test_mutants_of_every_kind() -> None:
    """Each exercise has ten mutants or more, and all ids and texts are different.

    Each mutant has a severity and a hint of 21 to 240 characters.
    """
    assert len(MUTANTS) >= 150
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)
    assert len({mutant.source for mutant in MUTANTS}) == len(MUTANTS)
    for exercise in UNITS:
        assert sum(mutant.exercise == exercise for mutant in MUTANTS) >= 10
        assert exercise in {mutant.exercise for mutant in one_of_each_part()}
    for mutant in MUTANTS:
        assert mutant.severity in "FDSX"
        assert 20 < len(mutant.hint) <= 240, mutant.id


def test_variants_of_every_kind() -> None:
    """Each exercise has five variants or more, and all names are different."""
    names = [variant.name for variant in [*VARIANTS, *WHOLE]]
    assert len(set(names)) == len(names)
    assert len(VARIANTS) >= 60
    assert len(WHOLE) >= 10
    of_exercise = Counter(name for variant in VARIANTS for name in variant.exercises)
    assert set(of_exercise) == {*UNITS, "learning"}
    assert min(of_exercise.values()) >= 5


def test_cheats_of_every_kind() -> None:
    """There are at least 80 different cheats.

    At least 60 of them reach a mean return of 450 in a training loop that believes all
    answers.
    """
    assert len(CHEATS) >= 80
    assert len({cheat.id for cheat in CHEATS}) == len(CHEATS)
    assert len({cheat.source for cheat in CHEATS}) == len(CHEATS)
    assert sum((cheat.undefended or 0) >= 450 for cheat in CHEATS) >= 60


def test_narrow_mistakes_are_met_by_a_check() -> None:
    """Each narrow mistake names an existing check, which must find it.

    A narrow mistake is one that only few cases show. There are at least 13 of them, and
    their ids differ.
    """
    assert len({one.id for one in NARROW}) == len(NARROW) >= 13
    for one in NARROW:
        assert one.check in checks_of(one.exercise)


def test_what_prove_picks_is_there() -> None:
    """All mutants and cheats that the code of `make prove` names are in the corpus."""
    assert {*CANNOT_LEARN} <= {mutant.id for mutant in MUTANTS}
    assert {*TRUSTED} <= {cheat.id for cheat in CHEATS}


def test_matrix_has_all_mutants() -> None:
    """The stored table MATRIX.md has a row for each mutant, and no other rows."""
    text = MATRIX.read_text(encoding="utf-8").partition("## The checks")[0]
    stored = re.findall(r"^\| ([a-z][\w\[\]:,-]*) \| [FDSX] \|", text, re.M | re.I)
    assert sorted(stored) == sorted(mutant.id for mutant in MUTANTS), STALE


def test_matrix_has_all_right_solutions() -> None:
    """The stored table MATRIX.md has a row for each variant, and no other rows."""
    text = MATRIX.read_text(encoding="utf-8").partition("## The right solutions")[2]
    stored = re.findall(r"^\| (.+?) \| .*\|$", text, re.M)[1:]
    assert stored == [v.name for v in (*VARIANTS, *WHOLE)], STALE
