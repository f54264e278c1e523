"""Raises from places that it has made up: another file, name, line.

Rows: 37, 63
Grade: sync_target
Asserts: S R
Says: sync_target
"""

CODE = (
    "def f():\n" + "\n" * 5000 + "    raise NotImplementedError('Exercise 6: td_loss')"
)
SPACE = {}
exec(compile(CODE, "/harness/dqn.py", "exec"), SPACE)
FORGED = SPACE["f"].__code__.replace(
    co_name="td_loss\n::error::\x1b[2J", co_filename="\x1b]0;x\x07dqn.py"
)


def sync_target(*_):
    SPACE["f"].__code__ = FORGED
    SPACE["f"]()
