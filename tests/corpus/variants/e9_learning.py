"""Exercise 9 by parts that take γ as what it is, a plain Python value."""

from tests.corpus.variants import e6_td_loss, e7_td_update
from tests.corpus.variants.definition import Variant

PARTS = [*e6_td_loss.VARIANTS, *e7_td_update.VARIANTS]
VARIANTS = [
    Variant(f"learning: {part.name}", ("learning",), part.source)
    for part in PARTS
    if "gamma" in part.name
]
