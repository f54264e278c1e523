"""Asks the grader questions, as the loop of learning does.

Rows: 25, 28
Grade: sync_target
Asserts: S R
Says: asked a question of its own
"""

from grader.inside import protocol

encode = protocol.encode
protocol.encode = lambda m: encode({"nonce": m["nonce"], "question": {"do": "seed"}})
