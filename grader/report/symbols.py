"""The marks of outcomes, and substitutes for symbols that an encoding lacks.

Importing this module registers the error handler `ERRORS`. A stream with this handler
writes "theta" for θ and "+" for ✓ if its encoding lacks these symbols. The encodings of
some Windows consoles do.
"""

import codecs
import unicodedata

from grader.contract.outcomes import Outcome

ERRORS = "symbols"  # the handler's name, for `open(errors=...)` and `str.encode`

# For each outcome, the mark and rich's style.
MARKS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.ERROR: ("!", "red"),
    Outcome.TIMEOUT: ("⧖", "red"),
    Outcome.KILLED: ("☠", "red"),
    Outcome.SKIPPED: ("–", "dim"),
    Outcome.GRADER_ERROR: ("?", "magenta"),
}
MEANINGS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "wrong",
    Outcome.ERROR: "exception",
    Outcome.TIMEOUT: "out of time",
    Outcome.KILLED: "process died",
    Outcome.SKIPPED: "not judged",
    Outcome.GRADER_ERROR: "fault of the grader",
}

SUBSTITUTES = {
    **{"✓": "+", "✗": "x", "⧖": "T", "☠": "K", "–": "-", "│": "|", "…": "..."},
    **{"→": "->", "←": "<-", "·": ".", "“": '"', "”": '"', "’": "'", "�": "."},
    **{"θ": "theta", "γ": "gamma", "ε": "epsilon", "α": "alpha", "η": "eta"},
    **{"λ": "lambda", "χ": "chi", "β": "beta", "δ": "delta", "π": "pi", "σ": "sigma"},
    **{"Σ": "sum", "∂": "d", "∇": "grad ", "√": "sqrt", "ℝ": "R", "∞": "infinity"},
    **{"¬": "not ", "−": "-", "±": "+-", "×": "x", "′": "'", "∈": "in"},
    **{"²": "^2", "³": "^3", "⁴": "^4", "½": "1/2", "¼": "1/4", "¾": "3/4"},
    **{"≥": ">=", "≤": "<=", "≠": "!=", "≈": "~"},
    **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),  # a learning curve's bars
}


def fit(text: str, encoding: str) -> str:
    """Return a text with a substitute for each symbol that the encoding does not have.

    A substitute can be longer than its symbol. So a text is first fitted and then laid
    out in columns.
    """
    return text.encode(encoding, ERRORS).decode(encoding)


def substitute(error: UnicodeError) -> tuple[str, int]:
    """Return what to write for symbols that cannot be encoded, and where to go on.

    This is an error handler for `codecs`. An accented letter loses its accent. What has
    no substitute becomes a question mark.

    Raises:
        UnicodeError: the error is not about encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    symbols = error.object[error.start : error.end]
    return "".join(SUBSTITUTES.get(s) or without_accent(s) for s in symbols), error.end


def without_accent(letter: str) -> str:
    """Return a letter without its accent, such as "e" for "é"; "?" if not ASCII."""
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return bare or "?"


codecs.register_error(ERRORS, substitute)
