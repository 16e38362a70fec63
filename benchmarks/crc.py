"""How long the CRC-32C of an event takes: crc32c, google-crc32c and tensorboardX's pure Python.

Every record of an event file carries the CRC of its data. tbtrace uses `crc32c`. google-crc32c is
no dependency of tbtrace, only a candidate: `pip install google-crc32c` to have it measured too.

The candidates take turns within every round; printed are the medians over the rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import crc32c
from tensorboardX.crc32c import _crc32c as pure_python

try:
    import google_crc32c
except ImportError:
    google_crc32c = None

ROUNDS = 15
# (bytes, calls a round, calls a round of pure Python): a scalar, a histogram, two pictures.
SIZES = ((50, 2000, 200), (1_600, 2000, 20), (30_000, 500, 1), (1_000_000, 20, 1))


def seconds_a_call(crc: Callable[[bytes], int], data: bytes, calls: int) -> float:
    crc(data)  # So that nobody pays for what ran before.
    start = time.perf_counter()
    for _ in range(calls):
        crc(data)
    return (time.perf_counter() - start) / calls


def main() -> None:
    candidates: dict[str, Callable[[bytes], int]] = {"crc32c": crc32c.crc32c}
    if google_crc32c is None:
        print("google-crc32c is not installed: left out")
    else:
        candidates["google-crc32c"] = google_crc32c.value
    candidates["pure Python"] = pure_python
    print(f"medians of {ROUNDS} rounds, microseconds a call")
    print(f"{'bytes':>10}" + "".join(f"{name:>15}" for name in candidates))
    for size, calls, slow_calls in SIZES:
        data = bytes(range(256)) * (size // 256 + 1)
        data = data[:size]
        assert len({crc(data) for crc in candidates.values()}) == 1, "the candidates disagree"
        times: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(ROUNDS):
            for name, crc in candidates.items():
                count = slow_calls if crc is pure_python else calls
                times[name].append(seconds_a_call(crc, data, count))
        row = "".join(f"{statistics.median(times[name]) * 1e6:15.2f}" for name in candidates)
        print(f"{size:>10}{row}")


if __name__ == "__main__":
    main()
