"""Exercise 9 with variants of parts that need γ to be a plain Python number."""

from tests.corpus.variants import e6_td_loss, e7_td_update
from tests.corpus.variants.definition import Variant

PARTS = [*e6_td_loss.VARIANTS, *e7_td_update.VARIANTS]
VARIANTS = [
    Variant(f"learning: {part.name}", ("learning",), part.source)
    for part in PARTS
    if "gamma" in part.name
]
