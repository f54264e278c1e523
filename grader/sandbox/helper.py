"""The trusted end of a helper process: start it, ask it with a deadline, stop it.

Deadlines hold by killing from outside, whatever the process does. What it says is data
for the caller to judge; nothing in it can end the grader or change its mind about who
is to blame.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from grader.contract.limits import LIMITS
from grader.inside import protocol
from grader.sandbox.launch import Launch
from grader.sandbox.output import Drain, Output

UNASKED = "answered a question that was not asked"
STDERR_BYTES = 16 * 1024
# A socket, where a process can have one for its pipes, is shut down from one end: on
# the weakest tier a process that has left its session can hold the other for ever.
SOCKETS = sys.platform != "win32"

Question = Callable[[dict[str, Any]], dict[str, Any]]
# Looks at an answer before its arrays are read, see `protocol.receive`; what it raises
# is raised to who asked, and ends the process.
Look = Callable[[dict[str, Any]], None]


class Failure(Exception):
    """The helper gave no answer."""


class DeadlinePassed(Failure):
    """It was killed because its time was up."""


class Died(Failure):
    """It ended by itself, or broke the protocol and was killed; see the message."""


class Child:
    """One helper process.

    Args:
        launch: how to start it, from `sandbox.prepare`.
        prints: whether what it prints is kept, where its pipes can be told apart from
            those of its answers.
    """

    def __init__(self, launch: Launch, *, prints: bool = False) -> None:
        self.launch = launch
        self.socket: socket.socket | None = None
        with contextlib.ExitStack() as ends:
            end = subprocess.PIPE
            if SOCKETS:
                self.socket, theirs = socket.socketpair()
                end = ends.enter_context(theirs).fileno()
            try:
                self.process = subprocess.Popen(
                    launch.command,
                    stdin=end,
                    stdout=subprocess.PIPE if prints else end,
                    stderr=subprocess.PIPE,
                    cwd=launch.folder,
                    env=launch.environment,
                    close_fds=True,
                    pass_fds=launch.pass_fds,
                    start_new_session=True,
                )
            except OSError:
                if launch.info_fd is not None:
                    os.close(launch.info_fd)
                launch.clean_up()
                raise
            finally:
                for fd in launch.pass_fds:
                    os.close(fd)
        self.first_inside = first_inside(launch.info_fd)
        if self.socket:
            self.requests = cast(BinaryIO, self.socket.makefile("wb"))
            answers = cast(BinaryIO, self.socket.makefile("rb", buffering=0))
        else:
            self.requests = cast(BinaryIO, self.process.stdin)
            answers = cast(BinaryIO, self.process.stdout)
        self.answers = protocol.Capped(answers)
        self.drained: Drain | None = None
        self.closing = threading.Lock()
        self.errors = b""
        self.overdue = False
        self.hello: dict[str, Any] | None = None
        self.drain = threading.Thread(target=self._drain, daemon=True)
        try:
            if self.socket and self.process.stdout:
                self.drained = Drain(cast(BinaryIO, self.process.stdout))
            self.drain.start()
        except RuntimeError:  # the system starts no more threads
            self.stop()
            raise

    def ready(self, seconds: float = LIMITS.start_seconds) -> dict[str, Any]:
        """Wait for the first word, sent before anything of the hand-in is there.

        Args:
            seconds: after which the process is killed.

        Raises:
            Failure: it never came up.
        """
        if self.hello is None:
            with _Deadline(self, seconds):
                self.hello = self._receive()
        return self.hello

    def ask(
        self,
        request: dict[str, Any],
        seconds: float,
        on_question: Question | None = None,
        look: Look | None = None,
    ) -> dict[str, Any]:
        """Send a request, wait for its answer: a dict with "answer" or "error".

        Args:
            request: `do` and its arguments.
            seconds: after which the process is killed.
            on_question: answers what the helper asks in the midst of its work.
            look: at the answer; see above.

        Raises:
            Failure: no answer, and the process is dead.
        """
        self.ready()
        # The nonce is fresh: an answer written before its question is found out.
        nonce = secrets.token_bytes(16)

        def is_asked_for(message: dict[str, Any]) -> None:
            told = message.pop("nonce", None)
            if not isinstance(told, bytes) or told != nonce:
                raise Died(UNASKED)
            ((kind, content),) = message.items() if len(message) == 1 else [("", None)]
            if kind == "question" and isinstance(content, dict) and on_question:
                return
            if kind == "question":
                raise Died("asked a question of its own")
            if kind not in ("answer", "error") or not isinstance(content, dict):
                raise Died("sent neither an answer nor an error")
            if look and kind == "answer":
                look(content)

        with _Deadline(self, seconds):
            self._require_silence()
            self._send({**request, "nonce": nonce})
            while "question" in (message := self._receive(is_asked_for)):
                assert on_question is not None
                self._send(on_question(message["question"]))
        return message

    def _require_silence(self) -> None:
        """See that nothing has come that answers no question.

        Raises:
            Died: something has, and the process is dead.
        """
        if not self.socket:
            return  # then it is the nonce alone that tells
        try:
            unasked = self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:  # nothing is there, or nobody: that is seen when asking
            return
        if unasked:
            self.stop()
            raise Died(UNASKED)

    def take_printed(self) -> Output:
        """What it has printed since the last time, if that is kept."""
        return self.drained.take() if self.drained else Output()

    def kill(self) -> None:
        """Kill the process and its group; harmless when it is gone."""
        # The death of a sandbox's first process is the death of all in it. Bubblewrap
        # would see to that, but a hand-in can talk its first process out of it.
        with self.closing:
            if self.first_inside is not None:
                with contextlib.suppress(OSError):
                    signal.pidfd_send_signal(self.first_inside, signal.SIGKILL)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):
            self.process.kill()  # Windows has no groups
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Kill the process and tidy up after it; harmless when that was done."""
        self.kill()
        self.process.wait()
        for stream in (self.requests, self.answers.stream, self.socket):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        with self.closing:
            if self.first_inside is not None:
                os.close(self.first_inside)
                self.first_inside = None
        self.launch.clean_up()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            protocol.send(self.requests, message)
        except protocol.ProtocolError as error:
            # Part of a question can be an earlier answer: parameters, batches.
            self.stop()
            raise Died(f"cannot be asked that: {error}") from None
        except (OSError, ValueError):
            raise self._failure() from None

    def _receive(self, look: Look | None = None) -> dict[str, Any]:
        try:
            message = protocol.receive(self.answers, look)
        except protocol.ProtocolError as error:
            self.stop()
            if self.overdue:
                raise DeadlinePassed() from None
            raise Died(f"broke the protocol ({error})") from None
        except (OSError, ValueError):
            raise self._failure() from None
        except BaseException:
            self.stop()  # half of what it said is unread
            raise
        if message is None:
            raise self._failure()
        return message

    def _failure(self) -> Failure:
        """Why there is no answer, now that the pipe is closed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        code = self.process.poll()
        self.stop()
        self.drain.join(timeout=2)
        if self.overdue:
            return DeadlinePassed()
        words = describe_exit(code)
        last = self.errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        if self.hello is None and last:
            words += f" ({last[:200]})"  # nothing of the hand-in has run: ours
        return Died(words)

    def _drain(self) -> None:
        """Keep the end of what the process writes to its standard error."""
        stream = cast(BinaryIO, self.process.stderr)
        while chunk := os.read(stream.fileno(), 65536):
            self.errors = (self.errors + chunk)[-STDERR_BYTES:]
        stream.close()


def first_inside(info_fd: int | None) -> int | None:
    """A handle on the first process of a bubblewrap sandbox, before it runs anything.

    Bubblewrap writes {"child-pid": ...} to the descriptor, or closes it when it fails.
    """
    if info_fd is None:
        return None
    with os.fdopen(info_fd, "rb") as info:
        told = info.read(4096)
    try:
        return os.pidfd_open(json.loads(told)["child-pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Deadline:
    """Kills the child from a thread of its own when the time is up."""

    def __init__(self, child: Child, seconds: float) -> None:
        self.child = child
        self.timer = threading.Timer(max(seconds, 0.0), self.expire)
        self.timer.daemon = True

    def __enter__(self) -> None:
        try:
            self.timer.start()
        except RuntimeError as error:  # nobody would end it
            self.child.stop()
            raise Died(f"cannot be watched: {error}") from None

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()

    def expire(self) -> None:
        self.child.overdue = True
        self.child.kill()


def describe_exit(code: int | None) -> str:
    """How a process ended, in words: bubblewrap reports a signal as 128 + number."""
    if code is None:
        return "closed its pipe"
    number = -code if code < 0 else code - 128 if code > 128 else 0
    words = {
        6: "aborted (often: out of memory)",
        7: "crashed (bus error)",
        9: "was killed by the system (often: out of memory)",
        11: "crashed (segmentation fault)",
    }
    return words.get(number, f"exited with code {code}")
