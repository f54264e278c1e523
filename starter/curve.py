"""Draw the curves of a training. Supplied.

`make train` draws the return, max Q and the loss. The grader draws only the return.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

GREY = "0.45"
COLORS = ("tab:green", "tab:orange")  # of the marks
DECADES = 3  # numbers that span more decades are drawn on a logarithmic axis


def save_curve(
    curve: Sequence[tuple[int, float]], task: Any, path: Any, blocks: Sequence = ()
) -> None:
    """Draw a training and write the picture as a PNG.

    Args:
        curve: pairs of environment step and mean return.
        task: a `Task` of `train.py`.
        path: the path of the PNG.
        blocks: a `Block` of `progress.py` for each block of updates; without blocks,
            only the return is drawn.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shape = {"figsize": (6, 3.5), "dpi": 120}
    if blocks:
        shape = {"figsize": (7, 7), "dpi": 100, "height_ratios": (3, 2, 2)}
    figure, panels = plt.subplots(
        len(shape.get("height_ratios", "1")),
        sharex=True,
        squeeze=False,
        layout="constrained",
        gridspec_kw={"height_ratios": shape.pop("height_ratios", None)},
        **shape,
    )
    draw_return(panels[0, 0], curve, task)
    if blocks:
        steps, epsilons, losses, max_qs = map(np.array, zip(*blocks, strict=True))
        draw_column(panels[1, 0], steps, max_qs, "mean of max$_a$ Q(s, a)", "C4")
        draw_column(panels[2, 0], steps, losses, "loss", "C3")
        for axes in panels[:, 0]:
            start = task.settings.epsilon_start
            draw_epsilon(axes, np.append(0, steps), np.append(start, epsilons))
    last = max([1, *(step for step, _ in curve), *(block[0] for block in blocks)])
    panels[-1, 0].set(xlabel="environment steps", xlim=(0, last))
    figure.savefig(path)
    plt.close(figure)


def draw_return(axes: Any, curve: Sequence[tuple[int, float]], task: Any) -> None:
    """Draw the mean returns as a curve, and the task's marks as dashed lines."""
    # The first and the last point lie on the border, which must not cut them.
    axes.plot(*zip(*curve, strict=True), marker="o", markersize=4, clip_on=False)
    for (name, mean_return), color in zip(task.marks.items(), COLORS, strict=True):
        axes.axhline(mean_return, color=color, linestyle="--", label=name)
    axes.set(
        ylabel=f"mean return of\n{task.settings.validation_episodes} greedy episodes",
        ylim=(task.lowest, task.highest),
    )
    # Above the axes, so that it covers no curve; the title stands above both.
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(task.marks)}
    axes.legend(**place, frameon=False, fontsize="small", borderaxespad=0.2)
    axes.set_title(task.title, loc="left", pad=24)


def draw_column(
    axes: Any, steps: np.ndarray, values: np.ndarray, name: str, color: str
) -> None:
    """Draw one number of each block; numbers that are not finite leave a gap."""
    finite = np.where(np.isfinite(values), values, np.nan)
    axes.plot(steps, finite, color, linewidth=1)
    axes.set_ylabel(name)
    known = finite[~np.isnan(finite)]
    if len(known) and 0 < 10**DECADES * known.min() < known.max():
        axes.set_yscale("log")


def draw_epsilon(axes: Any, steps: np.ndarray, epsilons: np.ndarray) -> None:
    """Draw ε as a light area behind the curve, with an axis on the right."""
    behind = axes.twinx()
    behind.fill_between(steps, epsilons, color="0.9", linewidth=0)
    behind.set(ylim=(0, 1), yticks=(0, 1))
    behind.set_ylabel("ε", color=GREY, rotation=0)
    behind.tick_params(axis="y", colors=GREY)
    axes.set_zorder(behind.get_zorder() + 1)
    axes.patch.set_visible(False)
