"""Draw one maze of rooms as an SVG picture, for the handout."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SEED = 5  # of the maze that is drawn
WIDTH, HEIGHT = 720, 300
MARGIN, TOP = 46, 44  # from the edges to the middle of the outermost rooms
SIZE = 26  # of a room
BAR = 4.5  # the width of a bar in a room
HEAD = 7  # the length of an arrow's head
Point = tuple[float, float]
NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'  # a file needs it, an HTML page not

STYLE = """
.maze text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1d2430 }
@media screen and (prefers-color-scheme: dark) { .maze text { fill: #e3e7ed } }
.maze .room { fill: #ffffff; stroke: #1d2430; stroke-width: 1.2 }
.maze .exit { fill: #2e8b57 }
.maze .look { fill: #c46a1b }
.maze path { stroke-width: 2; fill: none }
.maze .short { stroke: #2e8b57 } .maze polygon.short { fill: #2e8b57 }
.maze .other { stroke: #8a94a3; stroke-width: 1 } .maze polygon.other { fill: #8a94a3 }
"""


def picture() -> str:
    """Return the picture of a maze, as the text of an SVG file.

    The rooms stand in columns by their steps to the exit. Green doors lie on a shortest
    way; the other doors are grey. Bars in a room show the four numbers of its look.
    """
    tasks = supplied("tasks")
    maze = tasks.draw_maze(np.random.default_rng(SEED))
    steps = tasks.steps_to_exit(maze.nexts).astype(int)
    places = places_of(maze.nexts, steps)
    doors = [
        (room, after) for room in range(1, tasks.ROOMS) for after in maze.nexts[room]
    ]
    doors.sort(key=lambda door: steps[door[1]] < steps[door[0]])  # green on top
    lines = [arrow(*door, steps, places) for door in doors]
    rooms = [
        square(places[room], look, is_exit=room == tasks.EXIT)
        for room, look in enumerate(maze.looks)
    ]
    return "\n".join(
        [
            f'<svg {NAMESPACE} class="maze" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'role="img" aria-label="A maze of 24 rooms, by their steps to the exit">',
            f"<style>{STYLE}</style>",
            *lines,
            *rooms,
            *columns(steps.max()),
            "</svg>\n",
        ]
    )


def supplied(name: str) -> ModuleType:
    """Import a file of the starter, without its folder on the path."""
    path = ROOT / "starter" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def column_at(step: int, longest: int) -> float:
    """Return the x of the rooms that are `step` steps from the exit."""
    return WIDTH - MARGIN - step * (WIDTH - 2 * MARGIN) / longest


def places_of(nexts: np.ndarray, steps: np.ndarray) -> dict[int, Point]:
    """Return the middle (x, y) of each room.

    In a column, the rooms stand in the order of the rooms to which they lead, so that
    few green arrows cross.

    Args:
        nexts: the room behind each door of each room [24,2].
        steps: the steps from each room to the exit [24].
    """
    places: dict[int, Point] = {}
    for step in range(steps.max() + 1):
        rooms = [int(room) for room in np.flatnonzero(steps == step)]
        if step:
            rooms.sort(
                key=lambda room: np.mean(
                    [places[a][1] for a in nexts[room] if steps[a] < steps[room]]
                )
            )
        gap = (HEIGHT - 2 * TOP) / len(rooms)
        for row, room in enumerate(rooms):
            places[room] = (
                column_at(step, steps.max()),
                TOP - 12 + gap * (row + 0.5),
            )
    return places


def arrow(
    room: int,
    after: int,
    steps: np.ndarray,
    places: dict[int, Point],
) -> str:
    """Return the arrow of a door, from one room to another."""
    (x, y), (to_x, to_y) = places[room], places[after]
    half = SIZE / 2
    if steps[after] < steps[room]:
        return line("short", (x + half, y), [], (to_x - half, to_y))
    if room == after:
        over = [(x - 24, y - 36), (x + 24, y - 36)]
        return line("other", (x - 6, y - half), over, (x + 6, y - half))
    # A bow that leaves on the left and comes in from above or below.
    side = -1 if to_y < y else 1
    bow = [(x - 42, (y + to_y) / 2)]
    return line("other", (x - half, y), bow, (to_x, to_y - side * half))


def line(kind: str, start: Point, bow: list[Point], tip: Point) -> str:
    """Return a line with an arrow's head at its tip.

    Args:
        kind: "short" or "other".
        start: where the line begins.
        bow: no point for a straight line; one or two control points of a Bézier curve.
        tip: where the head ends.
    """
    back, corners = head((bow or [start])[-1], tip)
    path = f"M {numbers([start])} {'LQC'[len(bow)]} {numbers([*bow, back])}"
    return (
        f'<path class="{kind}" d="{path}"/>'
        f'<polygon class="{kind}" points="{numbers(corners)}"/>'
    )


def head(before: Point, tip: Point) -> tuple[Point, list[Point]]:
    """Return the back and the corners of an arrow's head; the line ends at the back.

    Args:
        before: the point from which the line comes to the tip.
        tip: where the head ends.
    """
    length = float(np.hypot(tip[0] - before[0], tip[1] - before[1]))
    u, v = (tip[0] - before[0]) / length, (tip[1] - before[1]) / length
    back = (tip[0] - HEAD * u, tip[1] - HEAD * v)
    left = (back[0] - HEAD / 2 * v, back[1] + HEAD / 2 * u)
    right = (back[0] + HEAD / 2 * v, back[1] - HEAD / 2 * u)
    return back, [tip, left, right]


def numbers(points: list[Point]) -> str:
    """Return the coordinates of points as text."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def square(place: Point, look: np.ndarray, is_exit: bool) -> str:
    """Return a room: a square with a bar for each number of its look."""
    x, y = place
    corner = f'x="{x - SIZE / 2:.1f}" y="{y - SIZE / 2:.1f}"'
    kind = "room exit" if is_exit else "room"
    room = f'<rect class="{kind}" {corner} width="{SIZE}" height="{SIZE}" rx="3"/>'
    if is_exit:
        return room
    bars = []
    for index, number in enumerate(look):
        height = min(abs(float(number)) / 2.5, 1) * (SIZE / 2 - 2)
        left = x + (index - 2) * (BAR + 1) + 0.5
        upper = y - height if number > 0 else y
        bars.append(
            f'<rect class="look" x="{left:.1f}" y="{upper:.1f}" width="{BAR}" '
            f'height="{height:.1f}"/>'
        )
    return "".join([room, *bars])


def columns(longest: int) -> list[str]:
    """Return the words below the columns."""
    words = ["exit", *(f"{n} step{'s' * (n > 1)}" for n in range(1, longest + 1))]
    return [
        f'<text x="{column_at(step, longest):.0f}" y="{HEIGHT - 10}" '
        f'text-anchor="middle">{word}</text>'
        for step, word in enumerate(words)
    ]


if __name__ == "__main__":
    print(picture())
