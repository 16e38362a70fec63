"""Heat: in which cells of a grid entities spent how much time."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.batches import batches
from tbtrace.draw.scale import FLATTEST, Limits, Scale
from tbtrace.episode import Trace

_MOST = 512
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Equal cells, counted from the lowest x and y.

    Attributes:
        x: The left edge of the first column.
        y: The lower edge of the first row.
        wide: Of a cell, in units of x.
        high: Of a cell, in units of y.
        columns: How many there are.
        rows: Likewise.
    """

    x: float
    y: float
    wide: float
    high: float
    columns: int
    rows: int

    @classmethod
    def over(cls, limits: Limits, cells: int) -> Grid:
        """Returns a grid over `limits` with about `cells` squares along the longer side.

        Limits flatter than 8:1 get cells as flat as they are.

        Example:
            >>> Grid.over((0.0, 100.0, 60.0, 0.0), 50)
            Grid(x=0.0, y=0.0, wide=2.0, high=2.0, columns=50, rows=30)
        """
        x0, x1, y0, y1 = limits
        across, up = abs(x1 - x0), abs(y1 - y0)
        if max(across, up) > FLATTEST * min(across, up):
            wide, high = across / cells, up / cells
        else:
            wide = high = max(across, up) / cells
        columns, rows = math.ceil(across / wide - 1e-9), math.ceil(up / high - 1e-9)
        return cls(min(x0, x1), min(y0, y1), wide, high, columns, rows)

    def covering(self, limits: Limits) -> Grid:
        """Returns a grid over this one and `limits` whose cells are cells of this one, or several.

        Example:
            >>> Grid(0.0, 0.0, 1.0, 1.0, 10, 10).covering((-0.5, 8.0, 0.0, 12.0))
            Grid(x=-1.0, y=0.0, wide=1.0, high=1.0, columns=11, rows=12)
        """
        x0, x1, y0, y1 = limits
        x, wide, columns = _line(self.x, self.wide, self.columns, min(x0, x1), max(x0, x1))
        y, high, rows = _line(self.y, self.high, self.rows, min(y0, y1), max(y0, y1))
        return Grid(x, y, wide, high, columns, rows)

    def time(self, traces: Iterable[Trace]) -> NDArray[np.float64]:
        """Returns how many steps entities spent in each cell: float64 `(rows, columns)`.

        From one point to the next an entity moves evenly; at the last it stays for one step. Gaps
        are time spent nowhere, and what is outside of the grid does not count.
        """
        total = np.zeros((self.rows, self.columns))
        here = [trace for trace in traces if len(trace.steps)]
        for some in batches(here, _BATCH, lambda trace: len(trace.steps)):
            points = np.concatenate([trace.points[:, :2] for trace in some])
            steps = np.concatenate([stays(trace) for trace in some])
            ahead = np.zeros_like(points)
            with np.errstate(over="ignore", invalid="ignore"):
                np.subtract(points[1:], points[:-1], out=ahead[:-1])
            ahead[np.cumsum([len(trace.steps) for trace in some]) - 1] = 0.0
            ahead[~np.isfinite(ahead).all(axis=1)] = 0.0
            # So many times a move is looked at: about twice in each cell that it crosses.
            cells = np.abs(ahead / (self.wide, self.high)).max(axis=1)
            looks = np.clip(np.ceil(2 * cells), 1, 2 * _MOST).astype(np.intp)
            row = np.repeat(np.arange(len(points)), looks)
            nth = np.arange(len(row)) - np.repeat(np.cumsum(looks) - looks, looks)
            share = 1.0 / looks[row]
            at = points[row] + ahead[row] * ((nth + 0.5) * share)[:, None]
            total += self.spread(at, steps[row] * share)
        return total

    def spread(
        self, points: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Returns the sum of weights in each cell: float64 `(rows, columns)`.

        Args:
            points: float `(n, 2)`; those outside of the grid, or not finite, do not count.
            weights: float `(n,)`.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            across = (points[:, 0] - self.x) / self.wide
            up = (points[:, 1] - self.y) / self.high
        # The hair more keeps points on the far edge in the last cell, whatever rounding does.
        inside = (across > -1e-6) & (across < self.columns + 1e-6)
        inside &= (up > -1e-6) & (up < self.rows + 1e-6)
        column = np.clip(across[inside].astype(np.intp), 0, self.columns - 1)
        row = np.clip(up[inside].astype(np.intp), 0, self.rows - 1)
        cells: NDArray[np.float64] = np.bincount(
            row * self.columns + column, weights[inside], self.rows * self.columns
        ).astype(np.float64, copy=False)
        return cells.reshape(self.rows, self.columns)

    def onto(self, scale: Scale, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns each pixel's code: uint8 `(height, width)` of `scale.box`, 0 off the grid.

        Args:
            scale: Where coordinates lie on the picture.
            codes: uint8 `(rows, columns)`.
        """
        (x0, x1, y0, y1), (left, top, right, bottom) = scale.limits, scale.box
        x = x0 + (np.arange(right - left) + 0.5) / (right - left) * (x1 - x0)
        y = y1 + (np.arange(bottom - top) + 0.5) / (bottom - top) * (y0 - y1)
        column = np.clip((x - self.x) // self.wide, -1, self.columns).astype(np.intp)
        row = np.clip((y - self.y) // self.high, -1, self.rows).astype(np.intp)
        framed = np.pad(codes, 1)
        return framed[np.ix_(row + 1, column + 1)]


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """Which share of its time a group spent in each cell.

    Attributes:
        grid: The cells.
        shares: float32 `(rows, columns)`; their sum is 1.
    """

    grid: Grid
    shares: NDArray[np.float32]

    def told(self) -> list[Any]:
        """Returns the heat for a JSON text: six numbers of the grid, and the shares in base64."""
        shares = np.ascontiguousarray(self.shares, "<f4").tobytes()
        return [*astuple(self.grid), base64.b64encode(shares).decode()]

    @classmethod
    def from_told(cls, told: Sequence[Any]) -> Heat:
        """Returns the heat that `told` told.

        Raises:
            ValueError: It is none.
        """
        *edges, text = told
        x, y, wide, high, columns, rows = edges
        shares = np.frombuffer(base64.b64decode(text, validate=True), "<f4")
        numbers = np.array([x, y, wide, high], float)
        fits = np.isfinite(numbers).all() and wide > 0 and high > 0 and np.isfinite(shares).all()
        if not fits or (shares < 0).any() or not 0 < rows <= _MOST or not 0 < columns <= _MOST:
            raise ValueError("its grid or its shares are none")
        return cls(Grid(*edges), shares.reshape(rows, columns).astype(np.float32))

    def on(self, grid: Grid) -> NDArray[np.float64]:
        """Returns the shares on a grid that `self.grid.covering` returned."""
        old = self.grid
        x = old.x + (np.arange(old.columns) + 0.5) * old.wide
        y = old.y + (np.arange(old.rows) + 0.5) * old.high
        centres = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).reshape(-1, 2)
        return grid.spread(centres, self.shares.ravel().astype(np.float64))


def stays(trace: Trace) -> NDArray[np.float64]:
    """Returns for how many steps the entity stayed at each point, or away in a gap: float64 `(n,)`.

    Example:
        >>> points = np.array([(0.0, 0.0), (1.0, 0.0), (np.nan, np.nan), (5.0, 5.0)])
        >>> stays(Trace(np.array([0, 1, 4, 9], np.int32), points)).tolist()
        [1.0, 3.0, 5.0, 1.0]
    """
    steps = np.ones(len(trace.steps))
    np.subtract(trace.steps[1:], trace.steps[:-1], out=steps[:-1])
    return steps


def heat_of(traces: Sequence[Trace], limits: Limits, cells: int) -> Heat | None:
    """Returns the heat of traces over `limits`; None where they spent no time there."""
    grid = Grid.over(limits, cells)
    steps = grid.time(traces)
    total = steps.sum()
    return Heat(grid, (steps / total).astype(np.float32)) if total > 0 else None


def _line(
    start: float, size: float, count: int, low: float, high: float
) -> tuple[float, float, int]:
    """Returns start, size and number of cells along one axis that reaches from low to high."""
    before = max(0, math.ceil((start - low) / size - 1e-9))
    after = max(0, math.ceil((high - start) / size - 1e-9) - count)
    merged = 2 ** max(0, math.ceil(math.log2((before + count + after) / _MOST)))
    ahead = math.ceil(before / merged)
    total = ahead + math.ceil((count + after) / merged)
    return start - ahead * merged * size, size * merged, total
