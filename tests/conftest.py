"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tbtrace import errors


@pytest.fixture(autouse=True)
def _fresh_warnings() -> Iterator[None]:
    """Once-only warnings are once per test here."""
    errors.forget_warnings()
    yield
