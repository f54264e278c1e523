"""The output of a helper is kept up to a limit, and shown without random details."""

import os
import sys
import threading

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from grader.sandbox.output import COUNTED, KEPT, Drain, Output

quick = settings(database=None, deadline=None)  # machines can be busy

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there printed text goes to standard error"
)


@pytest.fixture
def pipe():
    """Yield the writing end of a pipe, and a `Drain` that reads from this pipe."""
    theirs, ours = os.pipe()
    yield ours, Drain(os.fdopen(theirs, "rb"))
    os.close(ours)


def test_output_since_the_last_call(pipe):
    """`take` returns the output that was written since the last call of `take`.

    The result has the first `KEPT` bytes and the number of all bytes. It does not
    matter in how many pieces the bytes were written.
    """
    ours, drain = pipe
    for i in range(300):
        data = b"%d " % i * (i % 7)
        for start in range(0, len(data), 5):
            os.write(ours, data[start : start + 5])
        output = drain.take()
        assert (output.text, output.size) == (data[:KEPT], len(data))


def test_endless_output(pipe):
    """`take` returns even if output never ends; bytes are counted up to `COUNTED`."""
    ours, drain = pipe
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            os.write(ours, b"x" * 65536)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    sizes = []
    try:
        while len(sizes) < 20 or max(sizes) < COUNTED:
            output = drain.take()
            assert len(output.text) <= KEPT
            sizes.append(output.size)
            os.sched_yield()
    finally:
        over.set()
    thread.join()
    assert max(sizes) == COUNTED


def test_end():
    """After the pipe is closed, `take` returns the last bytes once, then nothing."""
    theirs, ours = os.pipe()
    drain = Drain(os.fdopen(theirs, "rb"))
    os.write(ours, b"last words")
    os.close(ours)
    assert drain.take().text == b"last words"
    assert drain.take().size == 0


words = st.one_of(
    st.binary(max_size=50),
    st.sampled_from(
        [b"\x1b[2J", b"::error::", b"\r\n", b"\t", "ü🙂".encode(), b"\xff", b"##[e]"]
    ),
)


@quick
@given(st.lists(words, max_size=60), st.integers(0, 3000))
@example([b"x " * 1500], 0)
def test_shown(parts, more):
    """Shown output is printable and has no CI command; dropped bytes are counted."""
    data = b"".join(parts)
    output = Output()
    for part in parts:
        output.add(part, len(part))
    output.add(b"y" * min(more, 10), more)
    shown = output.as_dict("td_loss")
    assert shown["text"].replace("\n", "").isprintable()
    assert "##[" not in shown["text"]
    assert (shown["dropped"] > 0) == (len(data) + more > KEPT or more > 10)


@pytest.mark.parametrize("cut", range(24))
def test_what_differs_each_time_is_left_out(cut):
    """Shown output has no memory address and no path of a helper's folder.

    This holds even if the kept output ends inside of one.
    """
    texts = []
    for address, folder in (("7f3a51b0c9d0", "ab1_"), ("7e00ffc2e1a0", "x_9z")):
        end = f" <object at 0x{address}> /tmp/a/dqn-grader-{folder}/home/dqn.py"
        data = ("x " * ((KEPT - cut * 3) // 2) + end).encode()
        output = Output()
        output.add(data, len(data))
        texts.append(output.as_dict("td_loss"))
    assert texts[0] == texts[1]
