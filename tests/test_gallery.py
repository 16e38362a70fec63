"""The gallery: a picture of every view, without Ray."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

from tbtrace import views

GALLERY = Path(__file__).parents[1] / "examples" / "gallery.py"


def test_every_view_draws_a_picture(tmp_path: Path) -> None:
    check = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__'); sys.exit('ray' in sys.modules)"  # noqa: E501
    done = subprocess.run(
        [sys.executable, "-c", check, str(GALLERY), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    text = GALLERY.read_text()
    for name in set(views.__all__) - {"Context", "Picture", "View"}:
        assert f"views.{name}(" in text, f"{name} is not in the gallery"
    drawn = [Path(line) for line in done.stdout.splitlines()]
    assert len(drawn) >= 11
    for path in drawn:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert picture.width >= 350
            assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 8, path
            assert getattr(picture, "n_frames", 1) == (1 if path.stem != "animation" else 100)
