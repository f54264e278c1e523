"""Start a helper process, send it requests and end it, from the grader's process.

A helper that has not answered at the deadline is killed. Its answers are untrusted
data. No answer can end the grader, or make a fault of the hand-in look like a fault of
the grader.
"""

import contextlib
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
from grader.sandbox.bubblewrap import first_inside
from grader.sandbox.launch import Launch
from grader.sandbox.output import Drain, Output

UNASKED = "answered a question that was not asked"
STDERR_BYTES = 16 * 1024  # of standard error that are kept
# Requests and answers go through a socket where possible, because the grader can shut a
# socket down by itself. A pipe stays open as long as any process holds its other end:
# in the process tier, a process that has left its session could hold it for ever.
SOCKETS = sys.platform != "win32"

# A function that answers a question which the helper asks while it works on a request.
Question = Callable[[dict[str, Any]], dict[str, Any]]


class Failure(Exception):
    """Raised if the helper gives no answer; the helper has then been ended."""


class DeadlinePassed(Failure):
    """Raised if the helper was killed because it gave no answer in time."""


class Died(Failure):
    """Raised if the helper ended, or was killed because it broke the protocol.

    The message is the end of a sentence about the helper, such as "exited with code 1".
    """


class Child:
    """A helper process, which starts when the object is made.

    Args:
        launch: arguments for starting the process, from `launch.prepare`.
        prints: whether to keep what the process prints. On Windows nothing is kept,
            because there standard output carries the answers.
        start_seconds: longest time until the first message, in seconds.

    Raises:
        OSError: the process cannot be started.
        RuntimeError: the grader can start no more threads. The process has been ended.
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
        """Return the helper's first message, after waiting for it if necessary.

        The helper sends this message before it reads anything of the hand-in.

        Args:
            seconds: time in seconds after which the process is killed;
                `self.start_seconds` is taken instead if it is less.

        Raises:
            Failure: no message came. The process has been ended.
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
        """Send a request, wait for the reply and return it.

        Args:
            request: the name of an operation as `do`, and the operation's arguments.
            seconds: time in seconds after which the process is killed.
            on_question: function that takes a question of the helper and returns the
                answer, both as dicts; None if the helper may ask no question.
            look: function that checks the answer's shapes before the numbers are read;
                its exception ends the process and is raised. None for no such check.

        Returns:
            A dict with the key "answer" or the key "error".

        Raises:
            Failure: no reply came. The process has been ended.
        """
        self.ready()
        # A random nonce, because a reply that was written before the request cannot
        # contain it.
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
        """Check that the helper has sent nothing before the request.

        Raises:
            Died: the helper has sent something. The process has been ended.
        """
        if not self.socket:
            return  # a pipe cannot be checked; then only the nonce protects
        try:
            unasked = self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:  # nothing was sent, or the process has ended
            return
        if unasked:
            self.stop()
            raise Died(UNASKED)

    def take_printed(self) -> Output:
        """Return what the helper has printed since the last call of this method.

        The output is empty if printed text is not kept.
        """
        return self.drained.take() if self.drained else Output()

    def kill(self) -> None:
        """Kill the process and its process group; harmless if they have ended."""
        # The first process in a bubblewrap sandbox is killed directly, because a
        # hand-in can make it survive the end of bubblewrap. With this process, the
        # kernel kills all others in the sandbox.
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
        """Kill the process, close its pipes and remove its files.

        A second call does no harm.
        """
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
            # This is a fault of the hand-in, because a request can contain parts of an
            # earlier answer (parameters, batches) that are too large to be sent.
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
            self.stop()  # because the rest of the message has not been read
            raise
        if message is None:
            raise self._failure()
        return message

    def _failure(self) -> Failure:
        """End the process, and return the exception that says why no answer came.

        This method is called when the pipe or socket is closed at the helper's end.
        """
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
            # This text is trusted, because the hand-in has not run yet.
            words += f" ({last[:200]})"
        return Died(words)

    def _drain(self) -> None:
        """Read the process's standard error to its end; keep the last STDERR_BYTES."""
        stream = cast(BinaryIO, self.process.stderr)
        while chunk := os.read(stream.fileno(), 65536):
            self.errors = (self.errors + chunk)[-STDERR_BYTES:]
        stream.close()


def start(launch: Launch, end: int, *, prints: bool) -> subprocess.Popen[bytes]:
    """Start a helper process.

    This function closes the descriptors in `launch.pass_fds` in the grader.

    Args:
        launch: arguments for starting the process.
        end: file descriptor or `subprocess.PIPE` for requests and answers. It becomes
            standard input and, unless `prints`, standard output.
        prints: whether standard output becomes a pipe for printed text.

    Raises:
        OSError: the process cannot be started. Its files have been removed.
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
    """Check that a message is a reply to a request, and remove the message's nonce.

    A reply has the key "nonce" and one of the keys "answer", "error" and "question".

    Args:
        message: the message from the helper.
        nonce: the random bytes of the request, which a reply has to repeat.
        may_question: whether the reply may be a question.

    Raises:
        Died: the message is no reply to the request.
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


class _Deadline:
    """A context manager that kills a helper if the `with` block takes too long.

    Args:
        child: the helper.
        seconds: longest time for the block.
    """

    def __init__(self, child: Child, seconds: float) -> None:
        self.child = child
        self.ended = threading.Lock()  # taken by the first of block and deadline
        self.timer = threading.Timer(max(seconds, 0.0), self.expire)
        self.timer.daemon = True

    def __enter__(self) -> None:
        try:
            self.timer.start()
        except RuntimeError as error:  # without the thread nothing would kill the child
            self.child.stop()
            raise Died(f"cannot be watched: {error}") from None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.timer.cancel()
        if not self.ended.acquire(blocking=False) and kind is None:
            self.child.stop()  # it was killed after the answer
            raise DeadlinePassed()

    def expire(self) -> None:
        # Not after the block, because the next request must find a living helper.
        if self.ended.acquire(blocking=False):
            self.child.overdue = True
            self.child.kill()


def describe_exit(code: int | None) -> str:
    """Return in words how a process ended, for example "exited with code 1".

    Args:
        code: exit code, from `Popen.poll`. If signal n ended the process, the code is
            -n, or 128 + n from bubblewrap. None means that the process has not ended.
    """
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
