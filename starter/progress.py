"""Print the progress of a training while `make train` runs. Supplied.

Each validation is a line of a table. On a terminal, a line below the table says how far
the training is; it is rewritten after each block of updates. In a log, only the table
is printed.
"""

import math
import shutil
import sys
import textwrap
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TextIO

COLUMNS = "{:>6}{:>8}{:>6}{:>9}{:>9}"
BARS = range(10, 31)  # the least and the largest width of the bars of a table
# What takes the place of characters that a terminal cannot show.
ASCII = {"█": "#", "ε": "eps", "θ": "theta", "γ": "gamma", "·": "-", "→": "->"}
ASCII |= {"∞": "inf", "≥": ">=", "−": "-", "–": "-", "…": "...", "¬": "not ", "′": "'"}


class Block(NamedTuple):
    """The numbers that are recorded after a block of updates.

    Attributes:
        env_step: the environment steps so far.
        epsilon: the current ε.
        loss: the mean loss of the block; nan without updates.
        max_q: the mean of max_a Q(s, a) over recent states; nan without updates.
    """

    env_step: int
    epsilon: float
    loss: float
    max_q: float


class Display:
    """The display of one training, used in a `with` block.

    Args:
        task: a `Task` of `train.py`.
        curve: the list to which the training adds its validations, as pairs of
            environment step and mean return.
        blocks: the list to which `update` adds a block.
        stream: the stream to print on.
        clock: a function that returns the time in seconds.
    """

    def __init__(
        self,
        task: Any,
        curve: list[tuple[int, float]],
        blocks: list[Block],
        stream: TextIO = sys.stdout,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.task, self.curve, self.blocks = task, curve, blocks
        self.stream, self.live = stream, stream.isatty()
        self.width = width_of(stream)
        self.pace = Pace(task.settings, clock)
        self.printed = 0  # how many validations have a line
        self.words = ""  # the text of the line below the table

    def __enter__(self) -> "Display":
        for line in header(self.task, self.width):
            self.print(line)
        self.rewrite("compiling …")
        return self

    def __exit__(self, *_: object) -> None:
        self.print_validations()
        self.rewrite("")

    def update(self, block: Block) -> None:
        """Show the training after one more block."""
        self.blocks.append(block)
        self.print_validations()
        left = self.pace.seconds_left(block.env_step)
        self.rewrite(status(block, self.task.settings.env_steps, left, self.width))

    def print_validations(self) -> None:
        """Print a line for each validation that has none yet."""
        while self.printed < len(self.curve):
            env_step, mean_return = self.curve[self.printed]
            steps = [block.env_step for block in self.blocks]
            block = self.blocks[steps.index(env_step)] if env_step in steps else None
            self.print(row(env_step, mean_return, block, self.task, self.width))
            self.printed += 1

    def print(self, line: str) -> None:
        """Print a line of the table, above the line that is rewritten."""
        words = self.words
        self.rewrite("")
        print(shown(line, self.stream), file=self.stream, flush=True)
        self.rewrite(words)

    def rewrite(self, words: str) -> None:
        """Replace the line below the table by a new one, on a terminal only."""
        self.words = words
        if self.live:
            text = shown(words, self.stream)[: self.width]
            print(f"\r{text:<{self.width}}\r{text}", end="", file=self.stream)
            self.stream.flush()


class Pace:
    """The slowest pace of a training, which bounds the time that is left.

    Args:
        settings: the settings of the training.
        clock: a function that returns the time in seconds.
    """

    def __init__(self, settings: Any, clock: Callable[[], float]) -> None:
        # The blocks from one validation to the next, so that their time includes that
        # of one validation.
        blocks = settings.validate_steps // settings.block_steps
        self.times: deque[tuple[int, float]] = deque(maxlen=blocks + 1)
        self.env_steps, self.clock, self.slowest = settings.env_steps, clock, 0.0

    def seconds_left(self, env_step: int) -> float:
        """Return the seconds that the rest of the budget takes at the slowest pace.

        Args:
            env_step: the environment steps so far. Call this once after each block.

        Returns:
            The seconds; nan before the first validation.
        """
        self.times.append((env_step, self.clock()))
        if len(self.times) < (self.times.maxlen or 0):
            return math.nan
        (first, then), (last, now) = self.times[0], self.times[-1]
        self.slowest = max(self.slowest, (now - then) / (last - first))
        return (self.env_steps - env_step) * self.slowest


def width_of(stream: TextIO) -> int:
    """Return how many columns a line may fill; on a terminal, one stays free."""
    return shutil.get_terminal_size().columns - stream.isatty()


def shown(text: str, stream: TextIO) -> str:
    """Return a text with substitutes for characters that a stream cannot show."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(str.maketrans(ASCII))
    return text.encode(encoding, "replace").decode(encoding)


def header(task: Any, width: int) -> list[str]:
    """Return the lines above the table: the goal, the budget, the columns' names."""
    settings = task.settings
    marks = ", ".join(
        f"{name} {as_return(mean, task)}" for name, mean in task.marks.items()
    )
    goal = as_return(settings.solved_at, task)
    words = (
        f"{task.title}. Goal: a mean return of {goal} or more in "
        f"{settings.validation_episodes} greedy episodes ({marks}). Budget: "
        f"{settings.env_steps} steps."
    )
    names = COLUMNS.format("step", "return", "ε", "loss", "max Q")
    return [*textwrap.wrap(words, width, break_on_hyphens=False), "", names]


def row(
    env_step: int, mean_return: float, block: Block | None, task: Any, width: int
) -> str:
    """Return a validation as a line of the table, with a bar if there is room.

    Args:
        env_step: the environment steps so far.
        mean_return: the mean return of the validation.
        block: the block before the validation; None before the first block.
        task: the task.
        width: the largest number of columns in the line.
    """
    numbers = ["", "", ""]
    if block:
        numbers = [f"{block.epsilon:.2f}", number(block.loss), number(block.max_q)]
    line = COLUMNS.format(env_step, as_return(mean_return, task), *numbers)
    room = min(width - len(line) - 2, BARS[-1])
    if room < BARS[0]:
        return line
    best = max(task.marks.values())
    share = (mean_return - task.lowest) / (best - task.lowest)
    return f"{line}  {'█' * round(room * min(max(share, 0), 1))}".rstrip()


def status(block: Block, env_steps: int, seconds_left: float, width: int) -> str:
    """Return the line that says how far the training is.

    Args:
        block: the last block.
        env_steps: the environment steps after which training ends.
        seconds_left: the result of `Pace.seconds_left`.
        width: the largest number of columns; numbers that do not fit are left out.
    """
    first = f"step {block.env_step}/{env_steps}"
    last = (
        [] if math.isnan(seconds_left) else [f"at most {duration(seconds_left)} left"]
    )
    line = " · ".join([first, *last])
    middle: list[str] = []
    for words in (
        f"ε {block.epsilon:.2f}",
        f"loss {number(block.loss)}",
        f"max Q {number(block.max_q)}",
    ):
        middle.append(words)
        longer = " · ".join([first, *middle, *last])
        if len(longer) > width:
            break
        line = longer
    return line


def as_return(mean_return: float, task: Any) -> str:
    """Return a mean return as text, with one decimal.

    It has two decimals if the returns of the task span at most 100, as in the maze.
    """
    return f"{mean_return:.{1 if task.highest - task.lowest > 100 else 2}f}"


def number(value: float) -> str:
    """Return a number as text with three significant digits; "–" for nan."""
    return "–" if math.isnan(value) else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Return a duration as text, rounded up: "38 s", "3 min"."""
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 100 else f"{math.ceil(seconds / 60)} min"


def say(words: str, bullet: str = "") -> None:
    """Print a text, wrapped to the width of the terminal.

    Args:
        words: the text.
        bullet: printed before each paragraph; its other lines are indented as much.
    """
    for part in words.split("\n"):
        lines = textwrap.wrap(
            part,
            width_of(sys.stdout),
            initial_indent=bullet,
            subsequent_indent=" " * len(bullet),
            break_on_hyphens=False,
        )
        for line in lines or [""]:
            print(shown(line, sys.stdout))
