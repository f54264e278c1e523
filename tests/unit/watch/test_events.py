"""Saves are seen, however the editor writes; keys need a terminal."""

import contextlib
import itertools
import os
import queue
import sys

import pytest

from grader.contract.outcomes import UsageError
from grader.watch.events import keys, saves

SECONDS = 60  # for a busy machine


@pytest.fixture
def hand_in(tmp_path):
    """Return a `dqn.py` in a folder of its own."""
    path = tmp_path / "dqn.py"
    path.write_text("x = 0\n")
    return path


@pytest.mark.parametrize("given", ["folder", "file"])
def test_each_way_to_save_is_seen(hand_in, given):
    """An editor may overwrite, rename a new file, or delete the file first."""
    seen: queue.SimpleQueue = queue.SimpleQueue()
    path = hand_in if given == "file" else hand_in.parent
    with saves(str(path), seen.put) as first:
        assert first.text == "x = 0\n"
        for number in itertools.count(1):  # until the folder is watched
            hand_in.write_text(f"x = {number}\n")
            with contextlib.suppress(queue.Empty):
                wait_for(seen, "x = ", seconds=1)
                break
        other = hand_in.parent / "new.tmp"
        other.write_text("renamed = 1\n")
        os.replace(other, hand_in)
        assert wait_for(seen, "renamed") == "renamed = 1\n"
        hand_in.unlink()
        assert wait_for(seen, None)
        hand_in.write_text("back = 1\n")
        assert wait_for(seen, "back") == "back = 1\n"


def wait_for(
    seen: queue.SimpleQueue, word: str | None, seconds: float = SECONDS
) -> str:
    """Return the text of the next hand-in with a word, or its problem for None.

    Args:
        seen: the hand-ins that were seen; one may have been read half written.
        word: the word.
        seconds: how long to wait for the next hand-in.

    Raises:
        queue.Empty: none came.
    """
    while True:
        submission = seen.get(timeout=seconds)
        if word is None and submission.problem:
            return submission.problem
        if word and word in submission.text and not submission.problem:
            return submission.text


def test_without_a_terminal_there_are_no_keys(monkeypatch):
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(UsageError, match="WATCH=1"), keys(print):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_keys_need_no_enter_and_the_terminal_is_restored(monkeypatch):
    import pty
    import termios

    main, side = pty.openpty()
    seen: queue.SimpleQueue = queue.SimpleQueue()
    with open(side, "rb", buffering=0, closefd=False) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys, "stdout", terminal)
        before = termios.tcgetattr(side)
        with keys(seen.put):
            os.write(main, b"n")
            assert seen.get(timeout=SECONDS) == "n"
        assert termios.tcgetattr(side) == before
    os.close(main)
    os.close(side)
