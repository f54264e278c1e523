"""The class `Kind`: a frequent kind of exception."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A frequent kind of exception, and the sentence that explains it.

    A `Kind` fits an exception if `words`, `where` and `facts` all match. These patterns
    are regular expressions; the empty one matches every text. The groups of `words`,
    followed by the groups of `facts`, replace {0}, {1}, … in the sentence.

    Attributes:
        words: pattern for the exception as "Type: message".
        sentence: text for the student, in the course's terms. It must be true for every
            exception that the patterns match.
        where: pattern for the place in dqn.py, a text "function: source line". The text
            is "-" if no line of dqn.py was running.
        facts: pattern for the result of `library_facts` in `inside/errors.py`.
    """

    words: str
    sentence: str
    where: str = ""
    facts: str = ""
