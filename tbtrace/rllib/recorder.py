"""EpisodeRecorder: the RLlib callback that records episodes and reports exact statistics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ray.rllib.callbacks.callbacks import RLlibCallback

from tbtrace.errors import ContractError
from tbtrace.info import Contract
from tbtrace.rllib import old_stack
from tbtrace.rllib.deck import Deck
from tbtrace.rllib.ledger import Ledger, drain, whole
from tbtrace.rllib.parcel import PARCEL, RECORDS
from tbtrace.select import Best, Last, Selector, Worst, name_of

if TYPE_CHECKING:
    from tbtrace.options import Reporting
    from tbtrace.rllib.results import ResultReporter

Hook = TypeVar("Hook", bound=Callable[..., None])


def _guarded(hook: Hook) -> Hook:
    """Keeps a hook's exceptions in: on a remote env runner one would silently stop all sampling."""

    @functools.wraps(hook)
    def guarded(self: EpisodeRecorder, *args: Any, **kwargs: Any) -> None:
        try:
            hook(self, *args, **kwargs)
        except Exception as error:
            if self._strict:
                raise
            self._deck.problems.add_error("records", f"EpisodeRecorder.{hook.__name__}", error)

    return guarded  # type: ignore[return-value]


def _both(ours: Callable[..., None], own: Callable[..., None]) -> Callable[..., None]:
    """Returns a hook that calls ours, then the class's own, which a subclass may have."""

    def hook(**kwargs: Any) -> None:
        ours(**kwargs)
        own(**kwargs)

    return hook


class EpisodeRecorder(RLlibCallback):
    """Records what an environment's infos say and reports it, per iteration, in the result.

    Use it as `config.callbacks(tbtrace.EpisodeRecorder)`; options go through
    `functools.partial(tbtrace.EpisodeRecorder, info_keys=...)`, RLlib's own way.

    In every result: `env_runners/custom_metrics/<name>_avg_{mean,min,max}`,
    `<name>_sum_{mean,min,max}` (running), `<name>_{mean,min,max}` (final), the same below
    `evaluation/env_runners` when evaluation is configured, NaN where no episode ended, and
    `tbtrace/{dropped/*,aborted,uncounted}`, counters over the run.

    Args:
        names: Metrics to report (as NaN) before any episode mentions them, for schedulers and for
            the columns of `progress.csv`: a list of final names, or a dict
            `{"running": [...], "final": [...]}`.
        keep: Selectors of the episodes that travel to the driver with their traces, applied to
            what ended in each iteration.
        consume: Info keys that are taken out of the info before RLlib sees it; of `"tbtrace"`,
            `"data"`, `"media"`.
        info_keys: `{"running": [...], "final": [...]}`, entries of the info itself to record.
        extract: `callable(env, info) -> dict` in the shape of `info["tbtrace"]`, for environments
            that cannot be edited.
        per_agent: Of a multi-agent environment, how many agents have metrics
            `agents/<agent>/<name>` of their own besides those of all agents together: the first
            ones that are heard of in the run. 0 is none.
        reporting: Options of reporting, for `algo.train()` without Tune: the algorithm then writes
            the run that `TraceLoggerCallback` writes under Tune, with the same tags, into
            `reporting.logdir`, by default the algorithm's own `logdir`. An algorithm that goes on
            from a checkpoint with the same `logdir` goes on in the same curves. `algo.stop()`, or
            the end of the program, waits for what is not written and drawn. Under Tune it does
            nothing, also in a function or a Trainable of the user's.
        strict: Raise instead of counting and warning (for tests).

    Raises:
        ContractError: An option breaks its rule.
    """

    def __init__(
        self,
        *,
        names: Mapping[str, Iterable[str]] | Iterable[str] = (),
        keep: Sequence[Selector] = (Best(), Worst(), Last()),
        consume: Sequence[str] = ("tbtrace",),
        info_keys: Mapping[str, Sequence[str]] | None = None,
        extract: Callable[[Any, Any], Mapping[str, Any]] | None = None,
        per_agent: int = 16,
        reporting: Reporting | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(per_agent, int) or per_agent < 0:
            raise ContractError(f"per_agent={per_agent!r}: give a whole number, 0 or more")
        contract = Contract(
            consume=tuple(consume) if not isinstance(consume, str) else (consume,),
            info_keys=info_keys,
            extract=extract,
        )
        for selector in keep:
            name_of(selector)  # raises where it is none
        self._strict = strict
        # RLlib makes one instance in each env runner and one in the algorithm; each uses its half.
        self._deck = Deck(contract, keep, strict, per_agent)
        self._worker: old_stack.Worker | None = None
        self._ledger = Ledger(names, keep, self._deck.problems, per_agent)
        self._reporting = reporting
        self._results: ResultReporter | None = None

    # In an env runner.

    @_guarded
    def on_environment_created(self, *, env_runner: Any, env: Any, **kwargs: Any) -> None:
        """Puts a tap on each sub-environment, or reads the infos as they arrive."""
        self._deck.evaluates = bool(env_runner.config.in_evaluation)
        self._deck.install(env)
        if self._deck.reads_arriving_infos and "on_episode_step" not in vars(self):
            # Set only where they are needed: RLlib calls them at every step of every environment.
            for hook, note in (
                ("on_episode_created", self._note_created),
                ("on_episode_start", functools.partial(self._note_info, first=True)),
                ("on_episode_step", functools.partial(self._note_info, first=False)),
            ):
                setattr(self, hook, _both(note, getattr(self, hook)))

    @_guarded
    def on_sub_environment_created(self, *, worker: Any, **kwargs: Any) -> None:
        """Puts taps on all sub-environments when the first one is made, on the old API stack."""
        if self._worker is None:
            self._worker = old_stack.Worker(worker, self._deck, self._strict)

    @_guarded
    def _note_created(self, *, env_index: int, **kwargs: Any) -> None:
        self._deck.create(env_index)

    @_guarded
    def _note_info(self, *, first: bool, episode: Any, env_index: int, **kwargs: Any) -> None:
        self._deck.follow(env_index, episode, first)

    @_guarded
    def on_episode_end(self, *, episode: Any, env_index: int, **kwargs: Any) -> None:
        """Takes the finished episode: this hook is the authority on which episodes count."""
        (self._deck if self._worker is None else self._worker).end(env_index, episode)

    @_guarded
    def on_sample_end(self, *, metrics_logger: Any = None, **kwargs: Any) -> None:
        """Hands what ended to the metrics logger, which RLlib fetches after every sample."""
        if self._worker is not None:  # on the old API stack it goes with RLlib's own metrics
            return
        record = self._deck.record()
        if record is not None:
            metrics_logger.log_value(RECORDS, record, reduce="item_series")

    # In the algorithm.

    @_guarded
    def on_evaluate_end(
        self, *, metrics_logger: Any, evaluation_metrics: dict[str, Any], **kwargs: Any
    ) -> None:
        """Reports the evaluation's statistics and keeps its episodes for the iteration's result."""
        runners = evaluation_metrics.setdefault("env_runners", {})
        records = [*drain(runners, RECORDS), *old_stack.take_records(runners)]
        # Else the next iteration's result holds these records again, and checkpoints hold them.
        metrics_logger.delete("evaluation", "env_runners", RECORDS, key_error=False)
        runners.setdefault("custom_metrics", {}).update(self._ledger.evaluated(records))

    @_guarded
    def on_train_result(
        self, *, algorithm: Any, metrics_logger: Any, result: dict[str, Any], **kwargs: Any
    ) -> None:
        """Reports the iteration's statistics and puts the parcel into the result."""
        runners = result.setdefault("env_runners", {})
        records = [*drain(runners, RECORDS), *old_stack.take_records(runners)]
        metrics_logger.delete("env_runners", RECORDS, key_error=False)
        if not records and not algorithm.config.enable_env_runner_and_connector_v2:
            records = old_stack.ask_workers(algorithm)
        trained, evaluated, parcel = self._ledger.trained(
            records,
            iteration=whole(result.get("training_iteration")),
            env_steps=whole(result.get("num_env_steps_sampled_lifetime")),
        )
        runners.setdefault("custom_metrics", {}).update(trained)
        evaluation = result.get("evaluation")
        if isinstance(evaluation, dict) or algorithm.config.evaluation_interval:
            eval_runners = result.setdefault("evaluation", {}).setdefault("env_runners", {})
            drain(eval_runners, RECORDS)
            eval_runners.setdefault("custom_metrics", {}).update(evaluated)
        result["tbtrace"] = self._ledger.counters()
        if self._results is None and self._reporting is not None:
            from tbtrace.rllib import alone  # env runners need no reporter

            if not alone.is_tuned(algorithm):
                self._results = alone.reporter_of(algorithm, self._reporting)
        if self._results is None:
            result[PARCEL] = parcel
        else:
            self._results.report(result, parcel)
