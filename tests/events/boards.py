"""A TensorBoard server for the tests of a file, in both of its loading modes."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
from tensorboard_server import Board, serve

in_both_modes = functools.partial(
    pytest.fixture, scope="module", params=[False, True], ids=["slow", "fast"]
)
"""Makes a fixture of which `request.param` says whether it is the fast mode."""


@in_both_modes()
def empty_board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    """Serves an empty folder, for tests that write to it."""
    with serve(tmp_path_factory.mktemp("logdir"), fast=request.param) as board:
        yield board
