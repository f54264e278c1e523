"""Find the sentence that explains an exception."""

import re

from grader.inside.explanations import of_jax, of_parts

# Kinds for one part come before general kinds.
KINDS = of_parts.KINDS + of_jax.KINDS


def explain(words: str, where: str, facts: str) -> str:
    """Return the sentence of the first `Kind` that fits an exception; "" if none fits.

    Args:
        words: the exception as "Type: message".
        where: the place in dqn.py as "function: source line"; "-" if no line of dqn.py
            was running.
        facts: the result of `library_facts` in `inside/errors.py`: the call of Equinox
            or optax in which the exception was raised; "" for other exceptions.
    """
    for kind in KINDS:
        in_words = re.search(kind.words, words)
        in_facts = re.search(kind.facts, facts)
        if in_words and in_facts and re.search(kind.where, where):
            return kind.sentence.format(*in_words.groups(), *in_facts.groups())
    return ""
