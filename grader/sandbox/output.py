"""What a hand-in prints: read however much it is, and its beginning kept.

It is shown back as the student's own words and decides nothing. Only standard output
is: what libraries write to standard error differs from run to run.
"""

import os
import re
import select
import threading
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

from grader.escape import plain

KEPT = 2000  # bytes, of an exercise
COUNTED = 1 << 20  # bytes; of more nobody needs to know how much it was
PIPE = 1 << 20  # bytes that a pipe can hold at most, where nobody made it larger
# Places in memory, and the folder of a process, are others each time. So are their
# beginnings: the last word is left out where the rest of it may be missing.
CUT = re.compile(rb"\S{1,200}\Z")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
FOLDER = re.compile(r"/[^\s'\"]*?/dqn-grader-[^\s/'\"]*/home/")


@dataclass
class Output:
    """The beginning of what was printed, and how many bytes it was in all."""

    text: bytes = b""
    size: int = 0

    def add(self, more: bytes, size: int) -> None:
        """Go on with bytes that were the beginning of so many."""
        self.text += more[: KEPT - len(self.text)]
        self.size = min(self.size + size, COUNTED)

    def as_dict(self, exercise: str) -> dict[str, Any]:
        """As it stands in report.json."""
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
    """Reads a pipe in a thread of its own, so that who prints never waits for long.

    Args:
        stream: the end of the pipe; closed at the end of what is printed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        os.set_blocking(stream.fileno(), False)
        self.lock = threading.Lock()
        self.wanted = False
        self.output = Output()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Read until the end."""
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
        """What was printed since the last time: all that was before this call."""
        self.wanted = True
        with self.lock:
            self.wanted = False
            # No more than a pipe holds: what is printed all the while never ends.
            left = PIPE
            while left > 0 and (chunk := self.read()):
                left -= len(chunk)
            output, self.output = self.output, Output()
        return output

    def read(self) -> bytes | None:
        """The next bytes, b"" at the end, None where there are none yet."""
        if self.stream.closed:
            return b""
        try:
            chunk = os.read(self.stream.fileno(), 65536)
        except BlockingIOError:
            return None
        self.output.add(chunk, len(chunk))
        return chunk
