"""Draw DQN's loop as an SVG picture, for the handout: the parts and what flows."""

from typing import NamedTuple

from maze import NAMESPACE, Point, head, numbers

WIDTH, HEIGHT = 418, 472
LINE = 18  # from one line of text to the next

STYLE = """
.loop { --ink: #1d2430; --act: #c46a1b; --learn: #0b57a4; --paper: #fff }
@media screen and (prefers-color-scheme: dark) {
  .loop { --ink: #e3e7ed; --act: #f0a35e; --learn: #8ab8f5; --paper: #14181f }
}
.loop text { font: 12.5px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink) }
.loop .part { font: bold 12.5px ui-monospace, Menlo, "DejaVu Sans Mono", monospace }
.loop .title { font-weight: bold }
.loop .title.act { fill: var(--act) } .loop .title.learn { fill: var(--learn) }
.loop rect { fill: var(--paper); stroke: var(--ink); stroke-width: 1.2 }
.loop .beside { stroke-dasharray: 5 4 }
.loop polyline { fill: none; stroke-width: 2 }
.loop polyline.act { stroke: var(--act) } .loop polyline.learn { stroke: var(--learn) }
.loop polygon.act { fill: var(--act) } .loop polygon.learn { fill: var(--learn) }
"""


class Box(NamedTuple):
    """A box of the picture.

    Attributes:
        left: the x of its left edge.
        top: the y of its upper edge.
        width: its width.
        lines: the lines of text in it; a line that begins with a digit is the number
            and the name of a part.
        kind: "beside" for a dashed edge, or "".
    """

    left: float
    top: float
    width: float
    lines: list[str]
    kind: str = ""


class Arrow(NamedTuple):
    """An arrow of the picture, with a label.

    Attributes:
        kind: the half of the loop to which it belongs, "act" or "learn".
        points: the corners of its line; the last one is the tip.
        label: the data that flow along it.
        place: the middle of the label's base line.
    """

    kind: str
    points: list[Point]
    label: str
    place: Point


BOXES = [
    Box(28, 36, 136, ["the environment", "of gymnasium"]),
    Box(28, 150, 136, ["4 epsilon_greedy", "the best, or any"]),
    Box(28, 264, 136, ["3 q_network", "Q(s, ·; θ_Q)"]),
    Box(256, 36, 132, ["5 ReplayBuffer", "add, sample"]),
    Box(
        190,
        141,
        200,
        ["6 td_loss", "mean of (Q(s, a; θ_Q) − y)²", "y = r + ¬d γ max Q(s′, ·; θ_T)"],
    ),
    Box(256, 264, 132, ["7 td_update", "optimizer’s step"]),
    Box(256, 370, 132, ["8 sync_target", "copy each period"]),
    Box(
        10,
        358,
        198,
        [
            "1 update_Q_TD0",
            "the label y from a table Q",
            "2 discounted_returns",
            "2 mc_loss",
            "the return G in place of y",
        ],
        "beside",
    ),
]

ARROWS = [
    Arrow("act", [(28, 62), (12, 62), (12, 290), (28, 290)], "s", (22, 238)),
    Arrow("act", [(96, 264), (96, 202)], "Q(s, ·; θ_Q)", (138, 238)),
    Arrow("act", [(96, 150), (96, 88)], "a", (106, 124)),
    Arrow("act", [(164, 62), (256, 62)], "s, a, r, d, s′", (208, 54)),
    Arrow("learn", [(322, 88), (322, 141)], "batch", (344, 119)),
    Arrow("learn", [(322, 211), (322, 264)], "∇L", (335, 242)),
    Arrow("learn", [(256, 290), (164, 290)], "θ_Q", (208, 282)),
    Arrow("learn", [(322, 316), (322, 370)], "θ_Q", (338, 347)),
    Arrow("learn", [(388, 396), (406, 396), (406, 176), (390, 176)], "θ_T", (391, 242)),
]
TITLES = {
    "act": ("act", (96, 20)),
    "learn": ("learn", (322, 20)),
    "": ("beside the loop", (109, 350)),
}


def picture() -> str:
    """Return the picture of the loop, as the text of an SVG file."""
    return "\n".join(
        [
            f'<svg {NAMESPACE} class="loop" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'role="img" aria-label="The loop of DQN with its parts">',
            f"<style>{STYLE}</style>",
            *map(arrow, ARROWS),
            *map(box, BOXES),
            *(
                text(word, place, f"title {kind}")
                for kind, (word, place) in TITLES.items()
            ),
            "</svg>\n",
        ]
    )


def box(one: Box) -> str:
    """Return a box and the lines in it."""
    height = LINE * len(one.lines) + 16
    edge = f'x="{one.left}" y="{one.top}" width="{one.width}" height="{height}" rx="6"'
    middle = one.left + one.width / 2
    lines = [
        text(
            line,
            (middle, one.top + LINE * row + 4),
            "part" if line[0].isdigit() else "",
        )
        for row, line in enumerate(one.lines, 1)
    ]
    return f'<rect class="{one.kind}" {edge}/>' + "".join(lines)


def arrow(one: Arrow) -> str:
    """Return an arrow and its label."""
    back, corners = head(*one.points[-2:])
    return (
        f'<polyline class="{one.kind}" points="{numbers([*one.points[:-1], back])}"/>'
        f'<polygon class="{one.kind}" points="{numbers(corners)}"/>'
        + text(one.label, one.place, "")
    )


def text(words: str, place: Point, kind: str) -> str:
    """Return a line of text whose base line has its middle at a point."""
    x, y = place
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{y:g}" text-anchor="middle">{words}</text>'


if __name__ == "__main__":
    print(picture())
