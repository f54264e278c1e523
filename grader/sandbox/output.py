"""Read everything that a hand-in prints, and keep the beginning.

It is shown as the student's own words and decides nothing. Only standard output is
kept: what libraries write to standard error differs from run to run.
"""

import os
import re
import select
import threading
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

from grader.escape import plain

KEPT = 2000  # bytes per exercise
COUNTED = 1 << 20  # bytes; of larger outputs nobody needs the exact size
PIPE = 1 << 20  # bytes that a pipe can hold at most by default
# Memory addresses and the folder of a process differ from run to run, and so do their
# beginnings: if the output is cut, its last word is left out, since it may be one.
CUT = re.compile(rb"\S{1,200}\Z")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
FOLDER = re.compile(r"/[^\s'\"]*?/dqn-grader-[^\s/'\"]*/home/")


@dataclass
class Output:
    """The beginning of what was printed, and the number of bytes in all."""

    text: bytes = b""
    size: int = 0

    def add(self, more: bytes, size: int) -> None:
        """Append the beginning of `size` bytes that were printed."""
        self.text += more[: KEPT - len(self.text)]
        self.size = min(self.size + size, COUNTED)

    def as_dict(self, exercise: str) -> dict[str, Any]:
        """Return the output as an entry of report.json."""
        cut = self.size > len(self.text)
        kept = CUT.sub(b"", self.text) if cut else self.text
        text = kept.decode("utf-8", "replace").expandtabs(4)
        text = FOLDER.sub("", ADDRESS.sub("0x…", text))
        text = re.sub("\r\n?", "\n", text)
        return {
            "exercise": exercise,
            "text": plain(text, len(text)),
            "dropped": self.size - len(kept),
        }


class Drain:
    """Reads a pipe in a thread of its own, so that printing never blocks for long.

    Args:
        stream: the end of the pipe; it is closed at the end of the output.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        os.set_blocking(stream.fileno(), False)
        self.lock = threading.Lock()
        self.wanted = False
        self.output = Output()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Read until the pipe is closed."""
        ready = select.poll()
        ready.register(self.stream.fileno(), select.POLLIN)
        while True:
            ready.poll()
            if self.wanted:
                time.sleep(0.001)  # a flood must not keep the lock from `take`
            with self.lock:
                if self.read() == b"":
                    self.stream.close()
                    return

    def take(self) -> Output:
        """Return what was printed since the last call, all of it until now."""
        self.wanted = True
        with self.lock:
            self.wanted = False
            # No more than a pipe holds: a process that prints all the time never ends.
            left = PIPE
            while left > 0 and (chunk := self.read()):
                left -= len(chunk)
            output, self.output = self.output, Output()
        return output

    def read(self) -> bytes | None:
        """Return the next bytes, b"" at the end, None if there are none yet."""
        if self.stream.closed:
            return b""
        try:
            chunk = os.read(self.stream.fileno(), 65536)
        except BlockingIOError:
            return None
        self.output.add(chunk, len(chunk))
        return chunk
