"""Charts as inline SVG, in the page's own colours. Each says in words what it shows."""

from collections.abc import Sequence

from grader.escape import html
from grader.oracle.cartpole import FULL, HALF

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 16, 52
LARGEST_RETURN = 500
BINS = 10  # of a histogram, and one more for full marks

Curve = Sequence[Sequence[float]]  # environment step and mean return


def histogram(shares: Sequence[float]) -> str:
    """How many hand-ins have which share of the points.

    Args:
        shares: of each hand-in, 0 to 1.
    """
    counts = [0] * (BINS + 1)
    for share in shares:
        counts[int(max(0.0, min(share, 1.0)) * BINS + 1e-9)] += 1
    labels = [str(100 * i // BINS) for i in range(BINS + 1)]
    most = max(*counts, 1)
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    parts = []
    for i, (count, label) in enumerate(zip(counts, labels, strict=True)):
        tall = (HEIGHT - TOP - BOTTOM - 14) * count / most
        x, y = LEFT + i * step, HEIGHT - BOTTOM - tall
        middle = x + step / 2
        if count:
            parts.append(
                f'<rect class="bar" x="{x + 3:.1f}" y="{y:.1f}" '
                f'width="{step - 6:.1f}" height="{tall:.1f}" rx="2"/>'
                f'<text x="{middle:.1f}" y="{y - 4:.1f}" class="mid">{count}</text>'
            )
        low = HEIGHT - BOTTOM + 20
        parts.append(f'<text x="{middle:.1f}" y="{low}" class="mid">{label}</text>')
    parts.append(axis(HEIGHT - BOTTOM))
    parts.append(caption("percent of the points, and up to the next"))
    told = ", ".join(
        f"from {label}: {n}" for label, n in zip(labels, counts, strict=True)
    )
    return svg(parts, f"Hand-ins by score in percent. {told}.")


def curves(runs: Sequence[Curve], words: str) -> str:
    """Learning curves, one upon the other.

    Args:
        runs: a curve each.
        words: that say what it shows.
    """
    last = max((point[0] for run in runs for point in run), default=1) or 1

    def place(step: float, mean: float) -> str:
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / last
        share = min(max(mean / LARGEST_RETURN, 0.0), 1.0)
        return f"{x:.1f},{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share:.1f}"

    parts = []
    for mean in (0, HALF, FULL):
        x, y = place(0, mean).split(",")
        parts.append(axis(float(y), "axis" if mean == 0 else "goal"))
        parts.append(
            f'<text x="{LEFT - 6}" y="{float(y) + 4}" class="end">{mean:.0f}</text>'
        )
    faint = max(0.25, 1 / max(len(runs), 1) ** 0.5)
    for run in runs:
        points = " ".join(place(step, mean) for step, mean in run)
        reached = max(mean for _, mean in run) >= FULL
        kind = "curve" if reached else "curve missed"
        parts.append(
            f'<polyline class="{kind}" points="{points}" stroke-opacity="{faint:.2f}"/>'
        )
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = place(last * share, 0).split(",")[0]
        anchor = "end" if share == 1 else "mid"
        steps = f"{last * share / 1000:.0f}k" if share else "0"
        parts.append(
            f'<text x="{x}" y="{HEIGHT - BOTTOM + 20}" class="{anchor}">{steps}</text>'
        )
    parts.append(caption("environment steps"))
    return svg(parts, words)


def axis(y: float, kind: str = "axis") -> str:
    """A line across."""
    return f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'


def caption(words: str) -> str:
    """What is told from left to right."""
    middle = (LEFT + WIDTH - RIGHT) / 2
    return f'<text x="{middle}" y="{HEIGHT - 6}" class="mid soft">{html(words)}</text>'


def svg(parts: Sequence[str], words: str) -> str:
    """The whole chart."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html(words)}">'
        f"{''.join(parts)}</svg>"
    )
