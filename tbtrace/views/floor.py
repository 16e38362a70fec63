"""The scene that entities move in: axes, and what is drawn under them."""

from __future__ import annotations

from collections.abc import Sequence

from tbtrace.draw.bar import Bar
from tbtrace.draw.figure import Plot
from tbtrace.draw.scale import Limits
from tbtrace.episode import Scene


def seen_from_above(
    scene: Scene,
    limits: Limits,
    size: tuple[int, int],
    heads: tuple[str, str],
    *,
    legend: Sequence[tuple[str, str]] = (),
    bar: Bar | None = None,
) -> Plot:
    """Returns a plot of x and y in which the scene is drawn already, but for its places.

    Those are written over what moves: call `plot.places(scene.places)` when that is drawn.

    Args:
        scene: Gives names and unit of the axes; where it has an extent, the axes end with `limits`.
        limits: What is to be seen.
        size: `(width, height)` in pixels.
        heads: Title and caption.
        legend: As `Plot`.
        bar: As `Plot`.
    """
    plot = Plot(
        limits,
        size,
        title=heads[0],
        caption=heads[1],
        names=axis_names(scene)[:2],
        units=scene.units,
        legend=legend,
        grow=scene.extent is None,
        bar=bar,
    )
    draw_scene(plot, scene)
    return plot


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
