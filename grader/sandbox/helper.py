"""Control a helper process from the trusted side: start it, ask it, stop it.

At a deadline the process is killed from outside, whatever it does. Its answers are data
that the caller has to judge: none can end the grader, or make a fault of the hand-in
look like one of the grader.
"""

import contextlib
import json
import math
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from grader.contract.case import Look
from grader.contract.limits import LIMITS
from grader.inside import protocol
from grader.sandbox.launch import Launch
from grader.sandbox.output import Drain, Output

UNASKED = "answered a question that was not asked"
STDERR_BYTES = 16 * 1024
# A socket can be shut down from one end; a pipe cannot: on the weakest tier, a process
# that has left its session could hold its other end for ever.
SOCKETS = sys.platform != "win32"

Question = Callable[[dict[str, Any]], dict[str, Any]]


class Failure(Exception):
    """The helper gave no answer."""


class DeadlinePassed(Failure):
    """The helper was killed because its time was up."""


class Died(Failure):
    """The helper ended, or broke the protocol and was killed; see the message."""


class Child:
    """One helper process.

    Args:
        launch: how to start it, from `launch.prepare`.
        prints: whether its output is kept; that needs sockets for the answers.
        start_seconds: until its first message has to be there.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        prints: bool = False,
        start_seconds: float = LIMITS.start_seconds,
    ) -> None:
        self.launch, self.start_seconds = launch, start_seconds
        self.socket: socket.socket | None = None
        if SOCKETS:
            self.socket, theirs = socket.socketpair()
            with theirs:
                self.process = start(launch, theirs.fileno(), prints=prints)
        else:
            self.process = start(launch, subprocess.PIPE, prints=prints)
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

    def ready(self, seconds: float = math.inf) -> dict[str, Any]:
        """Wait for the first message, which it sends before it reads the hand-in.

        Args:
            seconds: until the process is killed, if sooner than `start_seconds`.

        Raises:
            Failure: it did not start.
        """
        if self.hello is None:
            with _Deadline(self, min(seconds, self.start_seconds)):
                self.hello = self._receive()
        return self.hello

    def ask(
        self,
        request: dict[str, Any],
        seconds: float,
        on_question: Question | None = None,
        look: Look | None = None,
    ) -> dict[str, Any]:
        """Send a request and wait for the answer: a dict with "answer" or "error".

        Args:
            request: `do` and its arguments.
            seconds: until the process is killed.
            on_question: answers questions that the helper asks during its work.
            look: checks the answer, see `Look`.

        Raises:
            Failure: there is no answer, and the process is dead.
        """
        self.ready()
        # The nonce is fresh, so that an answer written before its question is noticed.
        nonce = secrets.token_bytes(16)

        def check(message: dict[str, Any]) -> None:
            require_reply(message, nonce, may_question=on_question is not None)
            if look and "answer" in message:
                look(message["answer"])

        with _Deadline(self, seconds):
            self._require_silence()
            self._send({**request, "nonce": nonce})
            while "question" in (message := self._receive(check)):
                assert on_question is not None
                self._send(on_question(message["question"]))
        return message

    def _require_silence(self) -> None:
        """Check that nothing was sent before the request.

        Raises:
            Died: something was; the process is dead.
        """
        if not self.socket:
            return  # then only the nonce tells
        try:
            unasked = self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:  # nothing was sent, or the process is dead: asking will show
            return
        if unasked:
            self.stop()
            raise Died(UNASKED)

    def take_printed(self) -> Output:
        """Return what it has printed since the last call, if output is kept."""
        return self.drained.take() if self.drained else Output()

    def kill(self) -> None:
        """Kill the process and its group; harmless if it is gone."""
        # All processes of a sandbox die with its first one. Bubblewrap would kill that,
        # but a hand-in can keep the first process from dying with bubblewrap.
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
        """Kill the process and tidy up after it; harmless if that was done before."""
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
            # A request can hold parts of an earlier answer: parameters, batches.
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
            self.stop()  # the rest of its message is unread
            raise
        if message is None:
            raise self._failure()
        return message

    def _failure(self) -> Failure:
        """Return why there is no answer, now that the pipe is closed."""
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
            words += f" ({last[:200]})"  # the hand-in has not run: the text is ours
        return Died(words)

    def _drain(self) -> None:
        """Keep the end of the process's standard error."""
        stream = cast(BinaryIO, self.process.stderr)
        while chunk := os.read(stream.fileno(), 65536):
            self.errors = (self.errors + chunk)[-STDERR_BYTES:]
        stream.close()


def start(launch: Launch, end: int, *, prints: bool) -> subprocess.Popen[bytes]:
    """Start a helper process.

    Args:
        launch: how to start it.
        end: its standard input, and its standard output unless it prints: a file
            descriptor or `subprocess.PIPE`.
        prints: whether its standard output is a pipe of its own.

    Raises:
        OSError: it cannot be started; everything is tidied up.
    """
    try:
        return subprocess.Popen(
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


def require_reply(message: dict[str, Any], nonce: bytes, *, may_question: bool) -> None:
    """Check that a message is a reply to a request, and take the nonce out of it.

    Args:
        message: with "nonce" and one of "answer", "error" and "question".
        nonce: of the request.
        may_question: whether a question is allowed.

    Raises:
        Died: it is no reply.
    """
    told = message.pop("nonce", None)
    if not isinstance(told, bytes) or told != nonce:
        raise Died(UNASKED)
    ((kind, content),) = message.items() if len(message) == 1 else [("", None)]
    if kind == "question" and isinstance(content, dict) and may_question:
        return
    if kind == "question":
        raise Died("asked a question of its own")
    if kind not in ("answer", "error") or not isinstance(content, dict):
        raise Died("sent neither an answer nor an error")


def first_inside(info_fd: int | None) -> int | None:
    """Return a handle on the first process of a bubblewrap sandbox, before it runs.

    Bubblewrap writes {"child-pid": ...} to the descriptor, or closes it if it fails.
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
    """Kills the child from a thread of its own when its time is up."""

    def __init__(self, child: Child, seconds: float) -> None:
        self.child = child
        self.timer = threading.Timer(max(seconds, 0.0), self.expire)
        self.timer.daemon = True

    def __enter__(self) -> None:
        try:
            self.timer.start()
        except RuntimeError as error:  # no thread, so nothing would end the child
            self.child.stop()
            raise Died(f"cannot be watched: {error}") from None

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()

    def expire(self) -> None:
        self.child.overdue = True
        self.child.kill()


def describe_exit(code: int | None) -> str:
    """Say how a process ended; bubblewrap reports a signal as 128 + its number."""
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
