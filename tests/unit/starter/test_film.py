"""The frames of `make watch` show state, action and return, in the same colours."""

import numpy as np
import pytest
from PIL import Image

BLACK, BLUE = (0, 0, 0), (31, 119, 180)


def picture(seed: int) -> np.ndarray:
    """Return a white picture with a coloured middle, as gymnasium draws one."""
    drawn = np.full((400, 600, 3), 255, np.uint8)
    drawn[100:300, 200:400] = np.random.default_rng(seed).integers(256, size=3)
    return drawn


def frame(watch, state, action=0, steps=12, seed=0) -> np.ndarray:
    """Return a frame of the film as colours [H,W,3]."""
    drawn = watch.frame(picture(seed), np.array(state), action, steps, float(steps))
    return np.asarray(drawn.convert("RGB")).astype(int)


def count(pixels: np.ndarray, color: tuple[int, int, int]) -> int:
    """Return how many pixels have a colour."""
    return int((pixels == color).all(axis=-1).sum())


def bar(watch, state, row: int) -> tuple[int, int]:
    """Return how many pixels of a bar lie left and right of its middle."""
    line = frame(watch, state)[400 + 22 + 22 * row - 5]
    middle = watch.BAR_MIDDLE
    return count(line[:middle], BLUE), count(line[middle + 1 :], BLUE)


@pytest.mark.parametrize("row", range(4))
def test_a_bar_follows_its_number(watch, row):
    """A bar is as long as its number, to the left if negative, and ends at the border.

    The full length is twice the usual size of the number.
    """
    usual = [1.2, 1.0, 0.1, 1.0][row]
    lengths = []
    for share in (0, 0.5, 1, -1, 9):
        state = [0.0] * 4
        state[row] = share * 2 * usual
        lengths.append(bar(watch, state, row))
    none, half, full, left, beyond = lengths
    assert none == (0, 0)
    assert half[0] == left[1] == 0
    assert half[1] == pytest.approx(full[1] / 2, abs=1)
    assert full[1] == pytest.approx(left[0], abs=1)
    assert beyond == full
    assert full[1] == pytest.approx(watch.BAR_RIGHT - watch.BAR_MIDDLE, abs=1)


def test_the_action_is_the_dark_arrow(watch):
    """The left arrow is dark for action 0, the right one for action 1; then none is."""
    counts = []
    for action in (0, 1, None):
        arrows = frame(watch, [0.0] * 4, action)[432:464]
        left, right = arrows[:, 450:500], arrows[:, 501:550]
        counts.append((count(left, BLACK) > 200, count(right, BLACK) > 200))
    assert counts == [(True, False), (False, True), (False, False)]


def test_step_and_return_are_written(watch):
    """The words below the arrows change with step and return, and nothing else does."""
    one, other = (frame(watch, [0.0] * 4, steps=steps) for steps in (12, 345))
    rows, columns = np.nonzero((one != other).any(axis=-1))
    assert 478 < rows.min() < rows.max() < 500
    assert columns.min() > 400


def test_all_frames_have_the_same_background(watch, tmp_path):
    """In the GIF, what gymnasium leaves white is white in all frames."""
    frames = [
        watch.frame(picture(seed), np.full(4, seed / 9), seed % 2, seed, seed)
        for seed in range(9)
    ]
    watch.save_gif(frames, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 9
        for index in range(9):
            gif.seek(index)
            pixels = np.asarray(gif.convert("RGB"))
            assert pixels.shape == (512, 600, 3)
            assert (pixels[:100] == 255).all()
            assert (pixels[505:] == 255).all()


def test_the_colours_of_gymnasium_are_kept(watch):
    """The colours of cart, pole and axle are in the film as gymnasium draws them."""
    drawn = np.full((400, 600, 3), 255, np.uint8)
    colors = [(0, 0, 0), (202, 152, 101), (129, 132, 203)]
    for number, color in enumerate(colors):
        drawn[10 * number : 10 * number + 10] = color
    image = watch.frame(drawn, np.zeros(4), 0, 0, 0.0).convert("RGB")
    assert [image.getpixel((5, 10 * n + 5)) for n in range(3)] == colors
