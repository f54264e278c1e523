"""The class `Kind`: a frequent kind of exception."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A frequent kind of exception, and the sentence that explains it.

    An empty pattern fits everything. The groups of the patterns `words` and `facts`
    fill the places {0}, {1}, … of the sentence, in this order.

    Attributes:
        words: pattern for "Type: message".
        sentence: text for the student, in the course's terms. It must be true for every
            exception that the patterns fit.
        where: pattern for "function: source line" in dqn.py, or for "-" if no line of
            dqn.py was running.
        facts: pattern for the result of `library_facts` in `errors.py`.
    """

    words: str
    sentence: str
    where: str = ""
    facts: str = ""
