"""Compute where a chart has its lines, bars and words; a template draws the chart.

Lengths are in units of the SVG picture, which is scaled to the width of the page. (0,
0) is the top left corner.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grader.contract.learning import FULL, HALF
from grader.report.learning import LARGEST_RETURN
from grader.report.model import plain_number

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 44, 96, 34, 56  # margins
BASE = HEIGHT - BOTTOM  # y of the horizontal axis
BINS = 10  # of a histogram; one more bin holds full marks
GAP = 20  # between the last two bins of a histogram
TICKS = 5  # numbers on the horizontal axis, at most, besides 0

Curve = Sequence[Sequence[float]]  # pairs of environment step and mean return


class Line(NamedTuple):
    """A horizontal line across the chart, at the vertical position `y`.

    `kind` is a CSS class of `page.css`.
    """

    kind: str
    y: float


class Bar(NamedTuple):
    """A bar of the histogram; (x, y) is its top left corner."""

    x: float
    y: float
    width: float
    height: float


class Polyline(NamedTuple):
    """A learning curve.

    `kind` holds CSS classes of `page.css`, separated by blanks. `points` has the
    corners of the curve as SVG writes them: "x,y x,y ...". `opacity` is a number from 0
    to 1.
    """

    kind: str
    points: str
    opacity: float


class Text(NamedTuple):
    """A word or number at (x, y) in the chart.

    `kind` holds CSS classes of `page.css`, separated by blanks.
    """

    x: float
    y: float
    kind: str
    words: str


@dataclass
class Chart:
    """A chart, as lists of the shapes that a template draws.

    Attributes:
        words: a description for people who cannot see the chart.
        bars: the bars to draw.
        lines: the lines to draw.
        curves: the learning curves to draw.
        texts: the words and numbers to draw.
    """

    words: str
    bars: list[Bar] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    curves: list[Polyline] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    width, height = WIDTH, HEIGHT
    left, right = LEFT, WIDTH - RIGHT

    def add_captions(self, across: str, up: str) -> None:
        """Add the names of the horizontal and of the vertical axis."""
        middle = (self.left + self.right) / 2
        self.texts.append(Text(middle, HEIGHT - 6, "mid soft", across))
        self.texts.append(Text(0, 14, "soft", up))


def histogram(scores: Sequence[float], most: float) -> Chart:
    """Return a histogram of the scores.

    `BINS` bins of equal width count the hand-ins by score. One more bin counts the
    hand-ins with full points.

    Args:
        scores: the points of each hand-in.
        most: the largest possible points.
    """
    counts = [0] * (BINS + 1)
    for score in scores:
        counts[int(max(0.0, min(score / most, 1.0)) * BINS + 1e-9)] += 1
    labels = [str(plain_number(most * i / BINS)) for i in range(BINS + 1)]
    told = ", ".join(
        f"from {label}: {n}" for label, n in zip(labels, counts, strict=True)
    )
    chart = Chart(f"Hand-ins by score. {told}.", lines=[Line("axis", BASE)])
    step = (WIDTH - LEFT - RIGHT - GAP) / len(counts)
    tallest = BASE - TOP - 14
    for i, count in enumerate(counts):
        height = tallest * count / max(*counts, 1)
        x, y = LEFT + i * step + (GAP if i == BINS else 0), BASE - height
        middle = round(x + step / 2, 1)
        if count:
            bar = Bar(*(round(length, 1) for length in (x + 1, y, step - 2, height)))
            chart.bars.append(bar)
            chart.texts.append(Text(middle, round(y - 4, 1), "mid", str(count)))
        if i % 2 == 0:
            edge = round(LEFT + i * step, 1)
            chart.texts.append(Text(edge, BASE + 20, "mid", labels[i]))
    chart.texts.append(Text(middle, BASE + 20, "mid", "full"))
    chart.add_captions(f"score, of {plain_number(most)} points", "hand-ins")
    return chart


def learning_curves(runs: Sequence[Curve], words: str) -> Chart:
    """Return a chart with all learning curves in one picture.

    A curve gets the additional CSS class "missed" if its mean return never reaches
    `FULL`, the mean return for full points.

    Args:
        runs: the learning curves; none of them is empty.
        words: a description for people who cannot see the chart.
    """
    last = max((point[0] for run in runs for point in run), default=1) or 1

    def place(step: float, mean: float) -> tuple[float, float]:
        share = min(max(mean / LARGEST_RETURN, 0.0), 1.0)
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / last
        return round(x, 1), round(BASE - (BASE - TOP) * share, 1)

    chart = Chart(words)
    chart.lines.append(Line("axis", BASE))
    for mean in (0, HALF, FULL, LARGEST_RETURN):
        _, y = place(0, mean)
        chart.texts.append(Text(LEFT - 6, y + 4, "end", f"{mean:.0f}"))
    for mean, paid in ((HALF, "half"), (FULL, "all points")):
        right, y = place(last, mean)
        chart.lines.append(Line("goal", y))
        chart.texts.append(Text(right + 6, y + 4, "soft", paid))
    faint = round(max(0.25, 1 / max(len(runs), 1) ** 0.5), 2)
    for run in runs:
        places = (place(step, mean) for step, mean in run)
        points = " ".join(f"{x},{y}" for x, y in places)
        reached = max(mean for _, mean in run) >= FULL
        kind = "curve" if reached else "curve missed"
        chart.curves.append(Polyline(kind, points, faint))
    for step in ticks(last):
        x, _ = place(step, 0)
        chart.texts.append(Text(x, BASE + 20, "mid", f"{step / 1000:g}"))
    chart.add_captions("environment steps, in thousands", "mean return")
    return chart


def ticks(last: float) -> list[float]:
    """Return the round numbers from 0 to `last` that an axis shows."""
    size = 10 ** math.floor(math.log10(last))
    step = next(f * size for f in (0.2, 0.5, 1, 2) if last <= TICKS * f * size)
    return [i * step for i in range(int(last / step + 1e-9) + 1)]
