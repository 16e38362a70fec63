"""Random numbers of scripted environments: others in each of them, the same in every run."""

from __future__ import annotations

import multiprocessing
import os
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_made: Counter[str] = Counter()


def generator(config: Mapping[str, Any]) -> np.random.Generator:
    """Returns an environment's generator, seeded by who asks for it.

    That is the test (its option `seed`, or the name of its folder `log`), the split, RLlib's number
    of the env runner, the process below it and how many environments this process has made for the
    test before. Set TBTRACE_TEST_SEED to a number to look for tests that pass by luck.
    """
    log = config["log"]
    _made[log] += 1
    who = (
        config.get("seed", Path(log).name),
        config.get("split"),
        getattr(config, "worker_index", None),
        multiprocessing.current_process().name,
        _made[log],
        os.environ.get("TBTRACE_TEST_SEED"),
    )
    return np.random.default_rng(zlib.crc32(repr(who).encode()))
