"""The picture of `make train`, and how files are kept."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from grader.report import picture

CURVE = [(0, 9.0), (1024, 120.0), (2048, 490.0)]


@pytest.fixture
def figure(curve, tmp_path):
    """Return a function that draws a training and returns matplotlib's figure."""

    def draw(*args):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plt, "close", lambda figure: None)
            curve.save_curve(*args[:2], tmp_path / "curve.png", *args[2:])
        drawn = plt.gcf()
        plt.close(drawn)
        return drawn

    return draw


def some_blocks(progress, losses: list[float]) -> list:
    """Return a block of each loss, with max Q from 1 to 40."""
    max_qs = np.linspace(1, 40, len(losses))
    columns = zip(losses, max_qs, strict=True)
    return [
        progress.Block(64 * n, 1 - 0.01 * n, loss, max_q)
        for n, (loss, max_q) in enumerate(columns, 1)
    ]


def test_three_panels_share_the_steps(figure, task_named, progress, tmp_path):
    """Return, max Q and loss stand below each other, over steps from 0, with ε behind.

    Random and best returns are dashed lines.
    """
    blocks = some_blocks(progress, [math.nan, 0.5, 2.0, 1.0])
    drawn = figure(CURVE, task_named("cartpole", 1), blocks)
    top, middle, bottom, *behind = drawn.axes
    assert top.get_xlim() == middle.get_xlim() == bottom.get_xlim() == (0, 2048)
    line, *dashed = top.lines
    assert line.get_xydata().tolist() == [[0, 9], [1024, 120], [2048, 490]]
    assert {each.get_ydata()[0] for each in dashed} == {500.0, 22.0}
    assert {each.get_linestyle() for each in dashed} == {"--"}
    assert middle.lines[0].get_xydata().tolist()[0] == [64, 1]
    assert bottom.lines[0].get_ydata()[1:].tolist() == [0.5, 2, 1]
    assert bottom.get_yscale() == "linear"
    for axes in behind:
        assert axes.get_ylim() == (0, 1)
        (area,) = axes.collections
        assert area.get_paths()[0].vertices[:, 1].max() == 1.0  # ε at step 0
    assert len(behind) == 3
    with Image.open(tmp_path / "curve.png") as image:
        assert image.size == (700, 700)


def test_a_loss_over_many_decades_is_logarithmic(figure, task_named, progress):
    """A loss that explodes is drawn on a logarithmic axis, up to where it is finite."""
    blocks = some_blocks(progress, [0.1, 1.0, 1e6, math.inf])
    drawn = figure(CURVE[:1], task_named("maze", 1), blocks)
    _, middle, bottom, *_ = drawn.axes
    assert bottom.get_yscale() == "log"
    assert middle.get_yscale() == "linear"
    assert bottom.get_xlim() == (0, 256)


def test_the_graders_picture_has_the_return_alone(figure, task_named):
    """Without blocks there is one panel, which starts at step 0, too."""
    drawn = figure(CURVE[1:], task_named("turned", 1))
    (axes,) = drawn.axes
    assert axes.get_xlim() == (0, 2048)


@pytest.mark.parametrize("name", ["cartpole", "turned", "maze", "graded"])
def test_the_title_overlaps_no_legend(figure, task_named, name):
    """Title and legend stand apart in all pictures, and inside of them."""
    task = task_named("turned" if name == "graded" else name, 1)
    if name == "graded":
        task = task._replace(marks=picture.about_cartpole({})["marks"])
    drawn = figure([(0, task.lowest), (1024, task.highest)], task)
    (axes,) = drawn.axes
    (left,) = (t for t in axes.findobj(Text) if t.get_text() == task.title)
    title, legend = left.get_window_extent(), axes.get_legend().get_window_extent()
    assert not title.overlaps(legend)
    for box in (title, legend):
        assert drawn.bbox.x0 <= box.x0 < box.x1 <= drawn.bbox.x1
        assert box.y1 <= drawn.bbox.y1


def test_a_file_is_whole_or_as_before(train, tmp_path):
    """If writing is interrupted, the old file stays, and nothing of the new one."""
    path = tmp_path / "theta_Q.npz"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), train.whole(path) as part:  # noqa: PT012
        part.write_text("ne")
        assert path.read_text() == "old"
        raise KeyboardInterrupt
    assert [each.name for each in tmp_path.iterdir()] == ["theta_Q.npz"]
    assert path.read_text() == "old"
    with train.whole(path) as part:
        assert part.suffix == ".npz"
        part.write_text("new")
    assert [each.name for each in tmp_path.iterdir()] == ["theta_Q.npz"]
    assert path.read_text() == "new"
