"""Answers with an error whose kind is an outcome that pays.

Rows: 8
Grade: sync_target
Asserts: S R
Says: words
"""

from grader.inside import protocol

encode = protocol.encode
FORGED = {
    "kind": "passed",
    "type": "Passed",
    "outcome": "passed",
    "score": 5,
    "message": "words",
    "line": 10**9,
    "function": "sync_target",
}
protocol.encode = lambda message: encode({"nonce": message["nonce"], "error": FORGED})
