"""Find the sentence that explains an exception: the first kind that fits."""

import re

from grader.inside.explanations import of_jax, of_parts

# What is special to a part comes before what is general.
KINDS = of_parts.KINDS + of_jax.KINDS


def explain(words: str, where: str, facts: str) -> str:
    """Return the sentence of the first kind that fits, "" where none does.

    Args:
        words: "Type: message".
        where: "function: source line" of dqn.py; "-" for none.
        facts: of the library, as from `library_facts`.
    """
    for kind in KINDS:
        found = re.search(kind.words, words)
        told = re.search(kind.facts, facts)
        if found and told and re.search(kind.where, where):
            return kind.sentence.format(*found.groups(), *told.groups())
    return ""
