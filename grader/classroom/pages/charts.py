"""Compute where a chart has its lines, bars and words; a template draws the chart.

Lengths are in units of the SVG picture, which is scaled to the width of the page. (0,
0) is the top left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grader.contract.learning import FULL, HALF
from grader.report.learning import LARGEST_RETURN

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 16, 52  # margins
BASE = HEIGHT - BOTTOM  # y of the horizontal axis
BINS = 10  # of a histogram; one more bin holds full marks

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

    def add_caption(self, words: str) -> None:
        """Add the name of the horizontal axis, as a text below this axis."""
        middle = (self.left + self.right) / 2
        self.texts.append(Text(middle, HEIGHT - 6, "mid soft", words))


def histogram(shares: Sequence[float]) -> Chart:
    """Return a histogram of the scores.

    `BINS` bins of equal width count the hand-ins by score. One more bin counts the
    hand-ins with full points.

    Args:
        shares: for each hand-in, its points divided by the largest possible points, a
            number from 0 to 1.
    """
    counts = [0] * (BINS + 1)
    for share in shares:
        counts[int(max(0.0, min(share, 1.0)) * BINS + 1e-9)] += 1
    labels = [str(100 * i // BINS) for i in range(BINS + 1)]
    told = ", ".join(
        f"from {label}: {n}" for label, n in zip(labels, counts, strict=True)
    )
    chart = Chart(f"Hand-ins by score in percent. {told}.", lines=[Line("axis", BASE)])
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    tallest = BASE - TOP - 14
    for i, (count, label) in enumerate(zip(counts, labels, strict=True)):
        height = tallest * count / max(*counts, 1)
        x, y = LEFT + i * step, BASE - height
        middle = round(x + step / 2, 1)
        if count:
            bar = Bar(*(round(length, 1) for length in (x + 3, y, step - 6, height)))
            chart.bars.append(bar)
            chart.texts.append(Text(middle, round(y - 4, 1), "mid", str(count)))
        chart.texts.append(Text(middle, BASE + 20, "mid", label))
    chart.add_caption("percent of the points, and up to the next")
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
    for mean in (0, HALF, FULL):
        _, y = place(0, mean)
        chart.lines.append(Line("goal" if mean else "axis", y))
        chart.texts.append(Text(LEFT - 6, y + 4, "end", f"{mean:.0f}"))
    faint = round(max(0.25, 1 / max(len(runs), 1) ** 0.5), 2)
    for run in runs:
        places = (place(step, mean) for step, mean in run)
        points = " ".join(f"{x},{y}" for x, y in places)
        reached = max(mean for _, mean in run) >= FULL
        kind = "curve" if reached else "curve missed"
        chart.curves.append(Polyline(kind, points, faint))
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, _ = place(last * share, 0)
        steps = f"{last * share / 1000:.0f}k" if share else "0"
        chart.texts.append(Text(x, BASE + 20, "end" if share == 1 else "mid", steps))
    chart.add_caption("environment steps")
    return chart
