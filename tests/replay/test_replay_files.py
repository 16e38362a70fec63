"""Damaged, hostile, large and repeated files."""

from __future__ import annotations

import base64
import gzip
import json
import math
import pickle
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import msgpack
import numpy as np
import pyarrow as pa
import pytest
from archive_shapes import walkers
from pyarrow import parquet
from pyarrow.fs import LocalFileSystem
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tbtrace.archive.store import Store
from tbtrace.errors import TbtraceError, TbtraceWarning
from tbtrace.options import Reporting
from tbtrace.replay import reader
from tbtrace.replay.files import recorded
from tbtrace.replay.pickles import UntrustedError
from tbtrace.replay.run import PREFIX, Replayed, replay

pytestmark = pytest.mark.filterwarnings("ignore:RLlib's old API stack does not store")
QUIET = Reporting(views=[], archive=None)


def _replay(path: Path, **options: Any) -> Replayed:
    return replay(path, path.parent / "run", reporting=QUIET, **options)


def _batch(uid: int, steps: int = 4, done: bool = True, **columns: Any) -> dict[str, Any]:
    """One episode as the old API stack writes it."""
    return {
        "type": "SampleBatch",
        "eps_id": [uid] * steps,
        "t": list(range(steps)),
        "agent_index": [0] * steps,
        "rewards": [1.0] * steps,
        "terminateds": [False] * (steps - 1) + [done],
        "infos": [{"tbtrace": {"running": {"v": float(step)}}} for step in range(steps)],
        "obs": [[float(step), 0.5] for step in range(steps)],
        "new_obs": [[step + 1.0, 0.5] for step in range(steps)],
        **columns,
    }


def _state(uid: str, start: int, stop: int, done: bool = True) -> dict[str, Any]:
    """One episode as the new API stack writes it."""
    steps = range(start, stop + 1)

    def buffer(data: list[Any]) -> dict[str, Any]:
        return {"data": data, "lookback": 0, "finalized": False, "space": None}

    return {
        "id_": uid,
        "t_started": start,
        "t": stop,
        "infos": buffer([{"tbtrace": {"running": {"v": float(step)}}} for step in steps]),
        "observations": buffer([[float(step), 0.5] for step in steps]),
        "actions": buffer([0] * (stop - start)),
        "rewards": buffer([1.0] * (stop - start)),
        "is_terminated": done,
        "is_truncated": False,
    }


def _write_states(path: Path, states: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table({"item": [msgpack.packb(state) for state in states]}), path)
    return path


def _write_lines(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


class _Bomb:
    """Its pickle makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _explode, (str(self._path),)


def _explode(path: str) -> list[Any]:
    Path(path).touch()
    return [{"tbtrace": {"running": {"v": 1.0}}}] * 4


def _packed(value: Any) -> str:
    return base64.b64encode(lz4.frame.compress(pickle.dumps(value))).decode("ascii")


def _hostile_infos(folder: Path, bomb: _Bomb) -> Path:
    return _write_lines(folder / "a.json", [_batch(1, infos=_packed(bomb))])


def _hostile_observations(folder: Path, bomb: _Bomb) -> Path:
    return _write_lines(folder / "a.json", [_batch(1, obs=_packed(bomb))])


def _hostile_episode(folder: Path, bomb: _Bomb) -> Path:
    state = _state("a", 0, 3)
    said = {b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": pickle.dumps(bomb)}
    state["infos"]["data"] = said
    return _write_states(folder / "a.parquet", [state])


def _hostile_batches(folder: Path, bomb: _Bomb) -> Path:
    name = b"ray.data.arrow_pickled_object"
    field = pa.field("policy_batches", pa.large_binary(), metadata={"ARROW:extension:name": name})
    table = pa.table([[pickle.dumps(bomb)]], schema=pa.schema([field]))
    parquet.write_table(table, folder / "a.parquet")
    return folder / "a.parquet"


def _hostile_rows(folder: Path, bomb: _Bomb) -> Path:
    columns = {"eps_id": ["a"], "rewards": [1.0], "terminateds": [True], "new_obs": [_packed(bomb)]}
    parquet.write_table(pa.table({**columns, "obs": columns["new_obs"]}), folder / "a.parquet")
    return folder / "a.parquet"


@pytest.mark.parametrize(
    "hostile",
    [_hostile_infos, _hostile_observations, _hostile_episode, _hostile_batches, _hostile_rows],
)
@pytest.mark.parametrize("with_ray", [False, True])
@pytest.mark.filterwarnings("ignore::tbtrace.errors.TbtraceWarning")
def test_pickles_are_opened_for_those_who_trust_alone(
    hostile: Callable[[Path, _Bomb], Path], with_ray: bool, tmp_path: Path
) -> None:
    if with_ray:
        import ray.data  # teaches Arrow to open what Ray has pickled

        assert ray.data
    trap = tmp_path / "sprung"
    path = hostile(tmp_path, _Bomb(trap))
    with pytest.raises(UntrustedError, match="runs whatever code") as refused:
        _replay(path, traces=["robot=obs[0:2]"])
    assert "--trust" in str(refused.value)
    assert not trap.exists()
    _replay(path, traces=["robot=obs[0:2]"], trust=True)
    assert trap.exists()


def test_compressed_observations_that_nobody_wants_are_left_alone(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    path = _hostile_observations(tmp_path, _Bomb(trap))
    assert _replay(path, trust=True).names == ["v"]
    assert _replay(path, extract=lambda moment, info: None).names == ["v"]
    assert not trap.exists()


def test_a_broken_pickle_is_damage(tmp_path: Path) -> None:
    path = _write_lines(tmp_path / "a.json", [_batch(1, infos="no base64!"), _batch(2)])
    with pytest.warns(TbtraceWarning, match="cannot be read") as warned:
        done = _replay(path, trust=True)
    assert done.episodes == 1
    assert done.dropped == {"records": 1}
    assert "a.json" in str(warned[0].message)


def test_torn_lines_cost_themselves_alone(tmp_path: Path) -> None:
    whole = json.dumps(_batch(1))
    deep = "[" * 100_000
    lines = [whole, whole[:50], "", deep, "[1]", '{"type": "x"}', json.dumps(_batch(2)), whole[:-9]]
    (tmp_path / "a.json").write_text("\n".join(lines))
    with pytest.warns(TbtraceWarning, match="cannot be read"):
        done = _replay(tmp_path / "a.json")
    assert (done.episodes, done.dropped) == (2, {"records": 5})


@pytest.mark.parametrize(
    ("part", "value"),
    [("t", [0, 1, 2, math.inf]), ("rewards", [math.nan, [], 10**400, {}]), ("eps_id", 5)],
)
def test_odd_columns_are_damage(part: str, value: Any, tmp_path: Path) -> None:
    path = _write_lines(tmp_path / "a.json", [_batch(1, **{part: value}), _batch(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TbtraceWarning)
        done = _replay(path)
    assert done.episodes + done.dropped.get("records", 0) == 2
    assert (done.episodes == 2) == (part == "rewards")


@pytest.mark.parametrize(
    "claim",
    [{"t": math.inf}, {"t": -1}, {"t": 0}, {"t_started": -4}, {"t": 10**12}],
    ids=str,
)
def test_an_episode_with_odd_steps_is_damage(claim: dict[str, Any], tmp_path: Path) -> None:
    # An empty dict stands for a composite space, and has an element for every step.
    empty: dict[str, Any] = {"data": {}, "lookback": 0}
    odd = _state("odd", 0, 3) | dict.fromkeys(("infos", "observations", "actions"), empty) | claim
    path = _write_states(tmp_path / "a.parquet", [odd, _state("b", 0, 3)])
    with pytest.warns(TbtraceWarning, match="cannot be read"):
        done = _replay(path)
    assert (done.episodes, done.dropped) == (1, {"records": 1})


def test_infos_that_nest_without_end_are_damage(tmp_path: Path) -> None:
    nested: list[Any] = []
    for _ in range(500):
        nested = [nested]
    odd = _state("odd", 0, 3)
    odd["infos"]["data"][1] = {"x": nested}
    path = _write_states(tmp_path / "a.parquet", [odd, _state("b", 0, 3)])
    with warnings.catch_warnings():  # how deep is too deep differs from one Python to the next
        warnings.simplefilter("ignore", TbtraceWarning)
        assert _replay(path).episodes >= 1


def test_rows_without_rewards_are_damage(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"eps_id": ["a"], "terminateds": [True]}), tmp_path / "a.parquet")
    with pytest.warns(TbtraceWarning, match="without rewards"):
        assert _replay(tmp_path / "a.parquet").dropped == {"records": 1}


def test_agents_that_are_silent_for_ever_take_no_memory(tmp_path: Path) -> None:
    policies = {"p": _batch(1, 2, agent_index=[0, 1], t=[0, 10**12])}
    path = _write_lines(tmp_path / "a.json", [{"policy_batches": policies}])
    with pytest.warns(TbtraceWarning, match="lacks the middle"):
        assert _replay(path).incomplete == {"middle": 1}


def test_a_line_without_end_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [json.dumps(_batch(uid)).encode() for uid in (1, 2)]
    monkeypatch.setattr(reader, "LONGEST_LINE", len(whole[0]) + 1)
    lines = [whole[0], b"[" + b"9" * 5_000_000, b" " * 2_000, whole[1]]
    with gzip.open(tmp_path / "a.json.gz", "wb") as file:
        file.write(b"\n".join(lines))
    with pytest.warns(TbtraceWarning, match="a line is longer than"):
        done = _replay(tmp_path / "a.json.gz")
    assert (done.episodes, done.dropped) == (2, {"records": 2})


def test_what_a_damaged_file_says_steers_no_terminal(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"\x1b[2J": [1]}), tmp_path / "a.parquet")
    with pytest.warns(TbtraceWarning, match="no recording of RLlib") as warned:
        _replay(tmp_path / "a.parquet")
    assert "\x1b" not in str(warned[0].message)


def test_torn_files_cost_their_rest_alone(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    folder.mkdir()
    random = np.random.default_rng(7)
    lines = [_batch(uid, rewards=random.normal(size=4).tolist()) for uid in range(400)]
    text = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    packed = gzip.compress(text)
    (folder / "a.json.gz").write_bytes(packed[: len(packed) // 2])
    table = _write_states(folder / "b.parquet", [_state("b", 0, 3)])
    table.write_bytes(table.read_bytes()[:-20])
    (folder / "c.parquet").write_bytes(b"")
    (folder / "d.json").write_bytes(random.bytes(1000))
    (folder / "e.parquet").write_text("no table")
    parquet.write_table(pa.table({"x": [1]}), folder / "f.parquet")
    parquet.write_table(pa.table({"item": [b"\xc1", b"", None]}), folder / "g.parquet")
    _write_states(folder / "h.parquet", [_state("h", 0, 3), {"id_": 1}, 5, None])
    with pytest.warns(TbtraceWarning, match="cannot be read"):
        done = _replay(folder)
    assert 100 < done.episodes < 300
    assert done.dropped["records"] >= 11


@pytest.mark.parametrize("every", ["2", "3"])
def test_the_last_iteration_says_what_is_incomplete(every: str, tmp_path: Path) -> None:
    lines = [_batch(uid) for uid in range(4)] + [_batch(9, done=False)]
    with pytest.warns(TbtraceWarning, match="lacks the end"):
        done = _replay(_write_lines(tmp_path / "a.json", lines), every=every)
    assert (done.iterations, done.incomplete) == (2, {"end": 1})
    board = EventAccumulator(str(tmp_path / "run")).Reload()
    (event,) = board.Scalars(f"{PREFIX}tbtrace/incomplete/end")
    assert (event.step, event.value) == (16, 1.0)
    dropped = board.Scalars(f"{PREFIX}tbtrace/dropped/episodes")
    assert [(event.step, event.value) for event in dropped][-1] == (16, 1.0)


def test_gzip_and_plain_lines_say_the_same(tmp_path: Path) -> None:
    text = "".join(f"{json.dumps(_batch(uid))}\n" for uid in range(7)).encode()
    (tmp_path / "a.json").write_bytes(text)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(text))
    with pytest.warns(TbtraceWarning, match="last step"):
        plain, packed = _replay(tmp_path / "a.json"), _replay(tmp_path / "b.json.gz")
    assert plain == packed
    assert (plain.episodes, plain.steps) == (7, 28)


def test_a_folder_without_a_recording(tmp_path: Path) -> None:
    with pytest.raises(TbtraceError, match="there is no recording"):
        recorded(tmp_path)
    with pytest.raises(TbtraceError, match="does not exist"):
        recorded(tmp_path / "nowhere")


def test_a_run_may_lie_in_the_folder_of_its_recording(tmp_path: Path) -> None:
    (tmp_path / "output-1.json").write_text(json.dumps(_batch(1)))
    for folder in (tmp_path, tmp_path / "run"):
        one = walkers()
        for kind in ("parquet", "json"):
            Store(LocalFileSystem(), str(folder), kind).write(1, [one])
        Store(LocalFileSystem(), str(folder)).keep_context(b"{}")
        for name in ("result.json", "params.json"):
            (folder / name).write_text("{}")
    done = _replay(tmp_path)
    assert (done.files, done.episodes, done.dropped) == (1, 1, {})


def test_what_an_env_runner_writes_again_is_read_once(tmp_path: Path) -> None:
    states = [_state(f"e{i}", 0, 3) for i in range(12)]
    folder = tmp_path / "out"
    for number in (1, 2, 10):
        for index in range(number):
            name = f"run-000001-{number:05d}/w{number}_{index:06d}-0.parquet"
            _write_states(folder / name, [states[index]])
    # Another training wrote to the same place, in cut buffers: nothing is there twice.
    for number in (1, 2):
        name = f"run-000001-{number:05d}/x_000000-0.parquet"
        _write_states(folder / name, [states[9 + number]])
    files = recorded(folder)
    assert len(files) == 12
    assert files[0].parent.name == "run-000001-00010"
    done = _replay(folder)
    assert (done.files, done.episodes, done.repeated) == (12, 12, 0)


def test_writes_are_told_apart_by_little_memory(tmp_path: Path) -> None:
    # With output_max_rows_per_file an env runner begins every write anew.
    for number in range(40):
        state = {**_state(f"e{number}", 0, 3), "payload": "x" * 2_000_000}
        _write_states(tmp_path / f"run-000001-{number:05d}/w_000000-0.parquet", [state])
    tracemalloc.start()
    try:
        assert len(recorded(tmp_path)) == 40
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000  # of 80 MB; whatever else runs in this process counts, too


def test_rotated_files_of_one_worker_go_on_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for number in range(12):
        (folder / f"output-2026-11-22_worker-1_{number}.json").write_text("")
    assert [file.name.rpartition("_")[2] for file in recorded(folder)] == [
        f"{number}.json" for number in range(12)
    ]


def test_progress_ends_at_all_bytes(tmp_path: Path) -> None:
    _write_lines(tmp_path / "a.json", [_batch(uid) for uid in range(9)])
    _write_states(tmp_path / "b.parquet", [_state(str(i), 0, 3) for i in range(9)])
    seen: list[tuple[float, float]] = []
    _replay(tmp_path, advance=lambda read, total: seen.append((read, total)))
    size = sum(path.stat().st_size for path in tmp_path.glob("[ab].*"))
    assert {total for _, total in seen} == {size}
    assert seen == sorted(seen)
    assert seen[-1][0] == pytest.approx(size)


_PEAK = """
import re, sys, warnings
from tbtrace.errors import TbtraceWarning
from tbtrace.options import Reporting
from tbtrace.replay.run import replay
warnings.simplefilter("ignore", TbtraceWarning)
done = replay(sys.argv[1], sys.argv[2], reporting=Reporting(views=[], archive=None))
# Not getrusage(): that is at least what this process was when pytest forked it.
print(done.episodes, re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's own counter")
@pytest.mark.parametrize("kind", [pytest.param("json", marks=pytest.mark.slow), "parquet"])
def test_memory_does_not_grow_with_the_recording(kind: str, tmp_path: Path) -> None:
    peaks = []
    for episodes in (100, 1_000):
        path = tmp_path / f"{episodes}.{kind}"
        media = {"payload": "x" * 40_000}
        if kind == "json":
            with path.open("w") as file:
                for uid in range(episodes):
                    file.write(json.dumps({**_batch(uid), **media}) + "\n")
        else:
            # One row group of 40 MB, which Arrow would read in one piece if it were let; in pages
            # of 1 MB, as it writes them for rows of this size when they come in small batches.
            items = [msgpack.packb({**_state(str(i), 0, 3), **media}) for i in range(episodes)]
            table = pa.table({"item": items})
            parquet.write_table(
                table, path, compression="none", use_dictionary=False, write_batch_size=16
            )
        command = [sys.executable, "-c", _PEAK, str(path), str(tmp_path / "run")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        counted, peak = map(int, done.stdout.split())
        assert counted == episodes
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 15_000, peaks  # kB; the larger file has 40,000 kB
