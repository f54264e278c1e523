"""Read everything that a hand-in prints, and keep the beginning.

The report shows the beginning to the student; no check reads it. Only standard output
is read here, because standard error also has messages of libraries, which differ from
run to run.
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
COUNTED = 1 << 20  # bytes; a larger size is reported as this number
PIPE = 1 << 20  # largest number of bytes in a pipe by default
# The last word of an output that was cut. It is left out, because it may be the
# beginning of a memory address or a temporary folder, which differ from run to run.
CUT = re.compile(rb"\S{1,200}\Z")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
FOLDER = re.compile(r"/[^\s'\"]*?/dqn-grader-[^\s/'\"]*/home/")


@dataclass
class Output:
    """Text that a hand-in has printed.

    Attributes:
        text: the first bytes of the text, at most KEPT.
        size: number of all printed bytes; COUNTED if there are more than COUNTED.
    """

    text: bytes = b""
    size: int = 0

    def add(self, more: bytes, size: int) -> None:
        """Add further printed bytes; beyond KEPT bytes they are only counted.

        Args:
            more: the further bytes, or only their beginning.
            size: number of the further bytes. It is larger than `len(more)` if `more`
                is only their beginning.
        """
        self.text += more[: KEPT - len(self.text)]
        self.size = min(self.size + size, COUNTED)

    def as_dict(self, exercise: str) -> dict[str, Any]:
        """Return the output as an entry of report.json.

        Memory addresses are replaced and temporary folders are left out, because they
        differ from run to run.

        Args:
            exercise: name of the exercise, or "import".

        Returns:
            A dict with `exercise`, `text` (the beginning of the printed text) and
            `dropped` (the number of printed bytes that are not in `text`).
        """
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
    """A thread that reads what a process prints into a pipe, and keeps it.

    Because the thread empties the pipe, the process does not have to wait long.

    Args:
        stream: read end of the pipe. The thread closes it after the last byte.

    Raises:
        RuntimeError: the grader can start no more threads.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        os.set_blocking(stream.fileno(), False)
        self.lock = threading.Lock()
        self.wanted = False
        self.output = Output()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Read the pipe until its other end is closed, then close the read end."""
        ready = select.poll()
        ready.register(self.stream.fileno(), select.POLLIN)
        while True:
            ready.poll()
            if self.wanted:
                time.sleep(0.001)  # so that `take` can get the lock
            with self.lock:
                if self.read() == b"":
                    self.stream.close()
                    return

    def take(self) -> Output:
        """Return everything that was printed since the last call of this method."""
        self.wanted = True
        with self.lock:
            self.wanted = False
            # At most as many bytes as a pipe holds, because a process that never stops
            # printing would keep this loop running for ever.
            left = PIPE
            while left > 0 and (chunk := self.read()):
                left -= len(chunk)
            output, self.output = self.output, Output()
        return output

    def read(self) -> bytes | None:
        """Read bytes from the pipe, add them to the output and return them.

        The result is b"" if the other end of the pipe is closed, and None if the pipe
        is empty. The caller holds the lock.
        """
        if self.stream.closed:
            return b""
        try:
            chunk = os.read(self.stream.fileno(), 65536)
        except BlockingIOError:
            return None
        self.output.add(chunk, len(chunk))
        return chunk
