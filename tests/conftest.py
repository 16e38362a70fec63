"""Fixtures that every test may use."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from plant_run import call, home, plant_run, spawn

from tbtrace import errors

__all__ = ["call", "home", "plant_run", "spawn"]  # fixtures of the command line's tests


@pytest.fixture(autouse=True)
def _fresh_warnings() -> None:
    """Once-only warnings are once per test here."""
    errors.forget_warnings()


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One Ray for the whole suite; its workers find the modules beside the tests."""
    import ray

    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    ray.init(num_cpus=4, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    yield
    ray.shutdown()
