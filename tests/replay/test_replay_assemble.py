"""Fragments in any order become the episodes that they are of."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterable

import pytest

from tbtrace.episode import Episode
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.info import Contract
from tbtrace.recording import AgentsRecording, Recording
from tbtrace.replay import assemble
from tbtrace.replay.assemble import Assembly
from tbtrace.replay.fragments import Fragment, Moment


def _moment(step: int) -> Moment:
    info = {"tbtrace": {"running": {"v": float(step)}, "final": {"last": step}}}
    return Moment(info, reward=1.0 if step else None)


def _fragment(uid: str, start: int, stop: int, done: bool = False) -> Fragment:
    return Fragment(uid, start, [_moment(step) for step in range(start, stop + 1)], done)


def _assembly(problems: Problems | None = None) -> Assembly:
    problems = Problems() if problems is None else problems
    kinds = {False: Recording, True: AgentsRecording}
    return Assembly(lambda has_agents: kinds[has_agents](Contract(), problems), problems)


def _episodes(assembly: Assembly, fragments: Iterable[Fragment]) -> list[Episode]:
    return [episode for one in fragments for episode in assembly.add(one)]


PARTS = [_fragment("a", 0, 3), _fragment("a", 3, 5), _fragment("a", 5, 9, done=True)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_gives_the_same_episode(order: tuple[int, ...]) -> None:
    assembly = _assembly()
    (episode,) = _episodes(assembly, [PARTS[i] for i in order])
    assert episode.running["v"].values.tolist() == [float(step) for step in range(10)]
    assert episode.running["v"].steps.tolist() == list(range(10))
    assert (episode.length, episode.episode_return, episode.final) == (9, 9.0, {"last": 9.0})
    assembly.close()
    assert not assembly.incomplete


def test_what_comes_twice_is_read_once() -> None:
    assembly = _assembly()
    parts = [PARTS[0], PARTS[0], _fragment("a", 1, 5), PARTS[2], *PARTS]
    (episode,) = _episodes(assembly, parts)
    assert episode.running["v"].values.tolist() == [float(step) for step in range(10)]
    assert assembly.repeated == 4


def test_fragments_without_steps_go_on_where_the_last_one_stopped() -> None:
    parts = [Fragment("a", None, part.moments, part.done) for part in PARTS]
    (episode,) = _episodes(_assembly(), parts)
    assert episode.length == 9


def test_the_info_between_two_fragments_may_come_with_either() -> None:
    first, second, last = PARTS
    cut = [*first.moments[:-1], Moment(None, reward=1.0)]
    parts = [Fragment("a", 0, cut, False), second, last]
    (episode,) = _episodes(_assembly(), parts)
    assert episode.running["v"].values.tolist() == [float(step) for step in range(10)]


def test_incomplete_episodes_are_counted_and_named() -> None:
    problems = Problems()
    assembly = _assembly(problems)
    parts = [
        _fragment("no start", 4, 9, done=True),
        _fragment("no end", 0, 4),
        _fragment("no middle", 0, 2),
        _fragment("no middle", 5, 9, done=True),
    ]
    with pytest.warns(TbtraceWarning, match="lacks the") as warned:
        assert _episodes(assembly, parts) == []
        assembly.close()
    assert assembly.incomplete == {"start": 1, "end": 1, "middle": 1}
    assert problems.take() == {"episodes": 3}
    assert len(warned) == 3


def test_open_and_waiting_episodes_are_bounded() -> None:
    assembly = _assembly()
    size, number = 100, 8_000
    tracemalloc.start()
    try:
        with pytest.warns(TbtraceWarning, match="lacks the"):
            for i in range(number):
                _episodes(assembly, [_fragment(f"no end {i}", 0, 3)])
                waiting = [Moment({}, observation=bytes(size)) for _ in range(20)]
                _episodes(assembly, [Fragment(f"no start {i}", 7, waiting, False)])
            _, peak = tracemalloc.get_traced_memory()
            assembly.close()
    finally:
        tracemalloc.stop()
    assert assembly.incomplete == {"end": number, "start": number}
    # All of them would be 16 MB of observations, and some 20 kB for each tape.
    assert peak < 40_000_000


def test_the_episode_that_waited_longest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "MOST_OPEN", 2)
    assembly = _assembly()
    with pytest.warns(TbtraceWarning, match="'b' first"):
        _episodes(assembly, [_fragment("a", 0, 1), _fragment("b", 0, 1), _fragment("a", 1, 2)])
        _episodes(assembly, [_fragment("c", 0, 1)])
    (episode,) = _episodes(assembly, [_fragment("b", 1, 2, True), _fragment("a", 2, 3, True)])
    assert episode.uid == "a"
    assert assembly.incomplete == {"end": 1}


def test_of_fragments_that_wait_at_the_same_step_the_longest_counts() -> None:
    assembly = _assembly()
    waiting = [_fragment("a", 3, 5), _fragment("a", 3, 9, done=True), _fragment("a", 3, 4)]
    (episode,) = _episodes(assembly, [*waiting, _fragment("a", 0, 3)])
    assert episode.length == 9
    assert (assembly.repeated, assembly._waiting) == (2, 0)


def test_an_episode_that_waits_for_too_much_costs_itself_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assemble, "MOST_WAITING", 20)
    assembly = _assembly()
    begun = [_fragment(uid, 0, 2) for uid in "abc"]
    with pytest.warns(TbtraceWarning, match="lacks the start of some episodes .'waits'"):
        _episodes(assembly, [*begun, _fragment("waits", 5, 40)])
    ended = _episodes(assembly, [_fragment(uid, 2, 4, done=True) for uid in "abc"])
    assert [episode.uid for episode in ended] == ["a", "b", "c"]
    assert assembly.incomplete == {"start": 1}


def _agents(start: int, stop: int, who: dict[int, list[int]], done: bool = False) -> Fragment:
    who = {step: who.get(step, []) for step in range(start, stop + 1)}
    moments = [
        Moment(
            None if step == stop else {k: {"tbtrace": {"final": {"w": step}}} for k in who[step]},
            reward=dict.fromkeys(who.get(step, []), 1.0),
        )
        for step in range(start, stop + 1)
    ]
    return Fragment("m", start, moments, done, has_agents=True)


def test_rows_that_rllib_repeats_are_no_loss_and_late_ones_are_counted() -> None:
    problems = Problems()
    assembly = _assembly(problems)
    assert not _episodes(assembly, [_agents(0, 3, {0: [0, 1], 1: [0, 1], 2: [0]})])
    assert not _episodes(assembly, [_agents(0, 4, {1: [1], 3: [0]})])
    assert problems.take() == {}
    with pytest.warns(TbtraceWarning, match="act seldom"):
        assert not _episodes(assembly, [_agents(2, 5, {2: [1], 4: [0]})])
    assert problems.take() == {"records": 1}
    (episode,) = _episodes(assembly, [_agents(5, 6, {5: [0]}, done=True)])
    assert episode.agents == {"0": {"w": 5.0}, "1": {"w": 1.0}}


@pytest.mark.parametrize("done", [False, True])
def test_an_episode_that_gets_more_agents_late_is_left_out(done: bool) -> None:
    problems = Problems()
    assembly = _assembly(problems)
    _episodes(assembly, [Fragment("m", 0, [_moment(0), _moment(1)], False)])
    with pytest.warns(TbtraceWarning, match="then had more"):
        assert _episodes(assembly, [_agents(1, 2, {1: [0, 1]}, done)]) == []
    assembly.close()
    assert problems.take() == {"episodes": 1}
