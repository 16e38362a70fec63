"""Fixtures that every test may use."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from plant_run import call, home, plant_run, spawn

from tbtrace import errors
from tbtrace.options import Reporting

__all__ = ["call", "home", "plant_run", "spawn"]  # fixtures of the command line's tests

# Tests that a shell runs in the background ignore Ctrl-C, and so would all that they start, also
# what they tell to end that way.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The end of a run waits for its pictures, by default 30 s at the most; a machine that is busy may
# take longer to start the process that draws.
_options = dict(zip(Reporting.__slots__, Reporting.__init__.__defaults__, strict=True))
Reporting.__init__.__defaults__ = tuple({**_options, "drain_seconds": 300.0}.values())

# The same examples in every run, at whatever speed: what they find is not for another change to be
# refused by. TBTRACE_TEST_SEED (see chance.py) makes them others each time.
settings.register_profile(
    "tbtrace",
    derandomize="TBTRACE_TEST_SEED" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("tbtrace")


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
