"""Whatever meets the contract gets full marks, whatever its style."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.corpus.variants import VARIANTS, WHOLE, Variant
from tests.support.handins import PARTS, HandIn, in_words, lost, submit_collected

EVERY = 5  # `make prove` grades all of them; here it is one of so many, in turn


@pytest.fixture(scope="module")
def graded(request: pytest.FixtureRequest) -> Iterator[dict[HandIn, Future]]:
    """What comes of every variant that is to be tested, in the background."""
    futures = submit_collected(request.session, request.module)
    yield futures
    for future in futures.values():
        future.cancel()


def parameters(variants: list[Variant]) -> list:
    return [pytest.param(variant.hand_in, id=variant.name) for variant in variants]


@pytest.mark.parametrize("hand_in", parameters([*VARIANTS, *WHOLE][::EVERY]))
def test_variant_gets_full_marks(hand_in: HandIn, graded: dict) -> None:
    """A correct part in another style loses nothing, recorded or live."""
    by_mode = graded[hand_in].result()
    assert set(by_mode["recorded"]) == set(hand_in.exercises)
    for mode, results in by_mode.items():
        for name, result in results.items():
            assert not lost(result), f"{mode}, {name}: {in_words(lost(result))}"


# A right hand-in may take γ for the float that it is, or have it traced; and a network
# need not be finite everywhere.
OFTEN = [
    *(v for v in VARIANTS if "gamma" in v.name or "its rates" in v.name),
    *(v for v in VARIANTS if "every layer behind" in v.name or "its length" in v.name),
]


@pytest.mark.parametrize("hand_in", parameters(OFTEN))
def test_plain_values_and_partial_networks(hand_in: HandIn, graded: dict) -> None:
    """What depends on γ as a float, or has a point without a value, loses nothing."""
    for mode, results in graded[hand_in].result().items():
        assert set(results) <= set(hand_in.exercises)
        for name, result in results.items():
            assert not lost(result), f"{mode}, {name}: {in_words(lost(result))}"


def test_variants_of_every_kind() -> None:
    """Every exercise has variants of its own, each with its own name."""
    names = [variant.name for variant in [*VARIANTS, *WHOLE]]
    assert len(set(names)) == len(names)
    assert len(VARIANTS) >= 60
    assert len(WHOLE) >= 10
    of_exercise = Counter(name for variant in VARIANTS for name in variant.exercises)
    assert set(of_exercise) == {*PARTS, "learning"}
    assert min(of_exercise.values()) >= 5


@pytest.mark.parametrize(
    "hand_in",
    [pytest.param(variant.learning, id=variant.name) for variant in WHOLE[::EVERY]],
)
def test_variant_learns(hand_in: HandIn, graded: dict) -> None:
    """A hand-in in another style learns, too."""
    result = graded[hand_in].result()["recorded"]["learning"]
    assert not lost(result), in_words(lost(result))
