from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tbtrace.draw.canvas import FIRST, WHITE, Canvas

BLUE, RED = (0, 0, 255), (255, 0, 0)
BOX = (2, 1, 6, 3)


def codes(*values: int) -> np.ndarray:
    """Two rows: `values`, and nothing."""
    return np.array([values, (0, 0, 0, 0)], np.uint8)


def test_a_new_canvas_is_white_or_what_lies_below() -> None:
    assert (Canvas((5, 3)).rgb() == 255).all()
    below = np.zeros((3, 5), np.uint8)
    canvas = Canvas((5, 3), below)
    canvas.pixels[:] = WHITE
    assert (below == 0).all()


def test_layers_and_their_shares_become_colours() -> None:
    canvas = Canvas((8, 4))
    canvas.lay(BOX, codes(FIRST, FIRST + 1, FIRST + 4 + 2, 0), [BLUE, RED])
    rgb = canvas.rgb()
    assert rgb[1, 2:6].tolist() == [[0, 0, 255], [191, 191, 255], [255, 128, 128], [255] * 3]
    assert (rgb[2:] == 255).all()
    assert (rgb[0] == 255).all()


def test_the_same_colour_twice_and_colours_in_another_order() -> None:
    canvas = Canvas((8, 4))
    canvas.inks([RED])
    canvas.lay(BOX, codes(FIRST, FIRST + 4, FIRST + 8, 0), [BLUE, RED, BLUE])
    assert canvas.rgb()[1, 2:5].tolist() == [list(BLUE), list(RED), list(BLUE)]


def test_a_second_sheet_mixes_with_the_first() -> None:
    canvas = Canvas((8, 4))
    canvas.lay(BOX, codes(FIRST, FIRST, 0, 0), [BLUE])
    canvas.lay(BOX, codes(FIRST + 2, FIRST, FIRST + 2, 0), [RED])
    rgb = canvas.rgb()[1, 2:6].astype(int)
    assert np.abs(rgb - [(128, 0, 128), (255, 0, 0), (255, 128, 128), (255,) * 3]).max() <= 2


def test_alpha_mixes_with_what_is_beneath() -> None:
    canvas = Canvas((8, 4))
    canvas.lay(BOX, codes(FIRST, FIRST, 0, 0), [(0, 0, 0)], 0.25)
    assert canvas.rgb()[1, 2].tolist() == pytest.approx([191] * 3, abs=2)


def test_a_full_palette_takes_the_nearest_colour() -> None:
    canvas = Canvas((2, 2))
    reds = [(k, 0, 0) for k in range(200)]
    known = np.array([*reds, *((0, k, 200) for k in range(24))])  # 33 greys are there before
    canvas.inks(reds)
    found = canvas.inks([(0, k, 200) for k in range(200)])
    canvas.pixels[:] = found[[0, 23, 30, 199]].reshape(2, 2)
    rgb = canvas.rgb().reshape(-1, 3).astype(int)
    assert rgb[:2].tolist() == [[0, 0, 200], [0, 23, 200]]
    assert rgb[2].tolist() == [0, 23, 200]
    least = ((known - (0, 199, 200)) ** 2).sum(1).min()
    assert ((rgb[3] - (0, 199, 200)) ** 2).sum() <= least


def test_the_file_is_the_picture() -> None:
    canvas = Canvas((8, 4))
    canvas.lay(BOX, codes(FIRST, FIRST + 1, 0, 0), [BLUE])
    image = Image.open(BytesIO(canvas.png()))
    assert (np.array(image) == canvas.pixels).all()
    assert (np.array(image.convert("RGB")) == canvas.rgb()).all()


@pytest.mark.parametrize(("left", "top"), [(-2, -1), (6, 3), (-20, 0), (0, 40)])
def test_text_that_sticks_out_is_cut(left: int, top: int) -> None:
    canvas = Canvas((8, 4))
    canvas.write(left, top, np.full((3, 5), WHITE, np.uint8))
    dark = np.argwhere(canvas.rgb()[..., 0] == 0)
    assert len(dark) == max(0, min(left + 5, 8) - max(left, 0)) * max(
        0, min(top + 3, 4) - max(top, 0)
    )


def test_images_are_pasted_where_they_are_opaque() -> None:
    canvas = Canvas((8, 4))
    image = np.array([(0, 1, 0, 1), (1, 1, 1, 1)], np.uint8)
    canvas.paste(BOX, image, [BLUE, RED], image == 1)
    rgb = canvas.rgb()
    assert rgb[1, 2:6].tolist() == [[255] * 3, list(RED), [255] * 3, list(RED)]
    assert (rgb[2, 2:6] == RED).all()
