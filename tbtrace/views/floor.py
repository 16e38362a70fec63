"""The scene that entities move in, drawn under them."""

from __future__ import annotations

from tbtrace.draw.figure import Plot
from tbtrace.episode import Scene


def draw_scene(plot: Plot, scene: Scene) -> None:
    """Draws the background and the outline of a scene, nothing where it has no extent.

    A dark background is mixed with white until it is 80 % light, so that the ways stand out.
    """
    if scene.extent is None:
        return
    if scene.background is not None:
        dark = 1 - float(scene.background.mean()) / 255
        plot.image(scene.background, scene.extent, fade=1 - min(0.85, 0.2 / max(dark, 0.2)))
    plot.outline(scene.extent)


def axis_names(scene: Scene) -> tuple[str, str, str]:
    """Returns what the axes are called: as the scene says, else x, y and z.

    Example:
        >>> axis_names(Scene(axes=("east", "north"))), axis_names(Scene(axes=("only one",)))
        (('east', 'north', 'z'), ('x', 'y', 'z'))
    """
    x, y = scene.axes[:2] if len(scene.axes) >= 2 else ("x", "y")
    return x, y, scene.axes[2] if len(scene.axes) > 2 else "z"
