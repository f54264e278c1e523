"""A kind of exception: by what it is known, and the sentence that explains it."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A frequent kind of exception, and the sentence that explains it.

    An empty pattern fits everything. The groups of `words` and `facts` fill the
    places {0}, {1}, … of the sentence.

    Attributes:
        words: a pattern in "Type: message".
        sentence: for the student, in the course's terms; true wherever the patterns
            fit.
        where: a pattern in "function: source line", both of dqn.py; "-" where no line
            of dqn.py was running.
        facts: a pattern in what `library_facts` returns.
    """

    words: str
    sentence: str
    where: str = ""
    facts: str = ""
