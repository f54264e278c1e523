"""Hold the marks of outcomes, such as ✓, and substitutes for symbols an encoding lacks.

Importing this module registers the error handler `ERRORS`. A stream with this handler
writes "theta" for θ and "+" for ✓ if its encoding lacks these symbols, as the encodings
of some Windows consoles do.
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
    """Return the substitutes for symbols that cannot be encoded.

    This is an error handler for `codecs`. A letter with an accent loses the accent. A
    symbol without a substitute becomes a question mark.

    Args:
        error: the error, which has the text and the positions of the symbols.

    Returns:
        The substitutes, and the position in the text where encoding goes on.

    Raises:
        UnicodeError: the error is not about encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    symbols = error.object[error.start : error.end]
    return "".join(SUBSTITUTES.get(s) or without_accent(s) for s in symbols), error.end


def without_accent(letter: str) -> str:
    """Return a letter without its accent, for example "e" for "é".

    The result is "?" if no ASCII letter remains.
    """
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return bare or "?"


codecs.register_error(ERRORS, substitute)
