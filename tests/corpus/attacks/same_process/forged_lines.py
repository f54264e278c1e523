"""Has its errors stand in lines that it has not written, in the grader's words.

Rows: 8, 37
Grade: sync_target
Asserts: S R L
Says: RuntimeError: words
"""

from grader.inside import protocol

encode = protocol.encode
COUNT = []


def forged(message):
    COUNT.append(1)
    error = {
        "kind": "raised",
        "type": "RuntimeError",
        "message": "words",
        "line": [10**9, 7, -1, True][len(COUNT) % 4],
        "function": "compare",
        "text": "".join(("BRE", "ACH of session.py")),
    }
    return encode({"nonce": message["nonce"], "error": error})


protocol.encode = forged
