"""Did a change make it slower? Launches of two checkouts, until every case is decided or the time is used up."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from parabola.compare import findings, metrics
from parabola.compare.environments.making import common_setup, make
from parabola.compare.harness.other_work import other_work
from parabola.compare.outcome import Ended, Options, Outcome, Watch, told_before_launches
from parabola.compare.referee import Referee
from parabola.compare.schedule import SELF_TEST_LAUNCHES, choose, core_groups, throttled, unplaced
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Repository
from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.launch import CONTROL, Launch
from parabola.compare.sides.leftovers import others
from parabola.compare.sides.missing import missing
from parabola.compare.sides.start import Setup
from parabola.compare.verdicts import Judgement, Verdict
from parabola.machine import ending

POLL_SECONDS = 0.2
MOST_DEATHS = 10  # launches in which a side ended within a case, after which nobody thinks that the case is to blame


def compare(options: Options, folder: Path, progress: Watch = None, self_test: bool = False) -> Outcome:
    """Compare two commits of the repository that a folder lies in.

    Leaves no process and no checkout behind. What was measured comes back, also after a side that fails or Ctrl-C.

    Args:
        options: what to compare, and how.
        folder: a folder of a repository; pytest runs in the same folder of each checkout.
        progress: called several times a second with what is going on; None for nobody.
        self_test: whether every launch measures all cases and none is decided, up to SELF_TEST_LAUNCHES.

    Raises:
        ValueError: if the folder is in no repository, or if there is no such revision or harness, or too few cores.
    """
    repository = Repository.find(folder)
    with repository.checkouts(options.base, options.head) as (base, head, scratch):
        setup = common_setup(options, repository, (base, head), scratch)
        outcome = _Session(options, setup, self_test).run(progress)
        with ending.uninterrupted():
            try:
                told = [*missing(repository.top, (base, head)), *throttled(options.cores_per_launch), *unplaced()]
                return replace(outcome, missing=told)
            except (OSError, ValueError) as error:  # what was measured is kept whatever a suite does to its checkout
                return replace(outcome, missing=[f"what the checkouts lack is not known: {error}"])


class _Session:
    """The launches of a comparison: which are begun, which run, and what those that are over say."""

    def __init__(self, options: Options, setup: Setup, self_test: bool = False) -> None:
        self.options, self.setup, self.self_test = options, setup, self_test
        self.referee = Referee((), options.minimum_effect)
        self.control = Referee((CONTROL,), options.minimum_effect, decides=False)
        self.begun, self.running, self.over = list[Launch](), dict[Future[None], Launch](), list[Launch]()
        self.judged, self.skipped, self.disturbed, self.strayed = dict[str, Judgement](), list[str](), False, ""
        self.began = self.started = time.monotonic()

    def run(self, progress: Watch) -> Outcome:
        """Measure until every case is decided, the time is used up, a side fails, or Ctrl-C."""
        ended: Ended = "decided"
        why, usage, output = "", False, list[str]()
        groups = core_groups(self.options.cores_per_launch)
        with ThreadPoolExecutor(len(groups)) as pool:
            try:
                self.setup = make(self.setup, self.options, told_before_launches(progress))
                self.started = time.monotonic()  # the budget is for launches alone
                self._measure(pool, groups[: self.options.launches_at_once], progress)
            except SideFailed as failure:
                ended, why, usage, output = "failed", str(failure), failure.usage, [*failure.output]
            except KeyboardInterrupt:
                ended = "interrupted"
            finally:
                self._stop()
        ended, why = self._end() if ended == "decided" else (ended, why)
        first = next((launch for launch in self.over if launch.plan), None)
        with ending.uninterrupted():
            changed = other_work(first.files, self.setup.base, self.setup.head) if first else {}
        return Outcome(
            base=self.setup.base,
            head=self.setup.head,
            launches=self.over,
            referee=self.referee,
            control=self.control,
            only=first.only if first else BySide(base=[], head=[]),
            unmeasured=self.skipped,
            judged=self.judged,
            ended=ended,
            why=why,
            output=output,
            usage=usage,
            disturbed=self.disturbed,
            seconds=time.monotonic() - self.started,
            environments=self.setup.environments,
            seconds_before=self.started - self.began,
            strayed=self.strayed,
            other_work=changed,
        )

    def _end(self) -> tuple[Ended, str]:
        """Return how a comparison ended that no failure and nobody ended, and the reason if it lacks one."""
        if not any(launch.finished or launch.died for launch in self.over):
            ran = min(self.options.budget_seconds, time.monotonic() - self.started)  # ending its sides takes longer
            takes = findings.first_launch_takes(self.over, ran)
            return "budget", f"the budget ended within the first launch, which takes {takes}"
        if self.referee.log_ratios and not self._complete():
            return "budget", ""
        measured = any(self.referee.log_ratios.values()) or self.judged
        return ("decided", "") if measured else ("failed", "no case was measured on both sides")

    def _measure(self, pool: ThreadPoolExecutor, free: list[list[int]], progress: Watch) -> None:
        while self._seconds_left() > 0 and not self._complete():
            while free and (cases := self._next_cases(len(free) + len(self.running))) != []:
                launch = Launch(self.setup, len(self.begun), free.pop(0), cases and metrics.cases_of(cases))
                self.begun.append(launch)  # before its thread exists: Ctrl-C may come in between
                self.running[pool.submit(launch.run)] = launch
            if not self.running:
                return
            done, _ = wait(self.running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            ending.end_if_asked()
            for future in done:
                launch = self.running.pop(future)
                free.append(launch.cores)
                self._take(launch)
                future.result()
                if launch.died and sum(bool(one.died and not one.collects_part) for one in self.over) == MOST_DEATHS:
                    raise SideFailed(f"{launch.died}; {MOST_DEATHS} launches ended so", output=launch.died.output)
            if progress:
                ran = time.monotonic() - self.started
                progress(findings.progress(self.referee, self.over, self.running.values(), ran))

    @ending.uninterrupted()
    def _stop(self) -> None:
        """Stop the launches that run, and keep what they have measured."""
        for launch in self.begun:
            launch.ask_to_end()
        for launch in self.begun:
            launch.stop()
        wait(self.running)
        for launch in self.running.values():
            self._take(launch)

    def _take(self, launch: Launch) -> None:
        """Keep a launch that is over, and tell the referees what it measured."""
        self.over.append(launch)
        self.disturbed = self.disturbed or bool(others(besides=self.setup.scratch))
        if not self.referee.log_ratios:
            self.setup = replace(self.setup, slower=launch.slower) if launch.slower else self.setup
        if launch.collects_part:
            launch.measured, launch.failed, why = findings.doubted(launch, self.judged)
            if why:
                self.strayed, self.setup = self.strayed or why, replace(self.setup, collects_all=True)
        names, news = metrics.names(launch, self.options.metrics, [*self.referee.log_ratios]), [launch]
        if len(names) > len(self.referee.log_ratios):
            self.referee, news = Referee(names, self.options.minimum_effect, decides=not self.self_test), self.over
        metrics.tell(self.control, [launch], self.options)
        metrics.tell(self.referee, news, self.options)
        self.judged, self.skipped = findings.judged(self.over), findings.skipped(self.over)

    def _again(self) -> list[str]:
        """Return the cases whose test failed in head alone, and which the next launch is to confirm."""
        return [case for case, judgement in self.judged.items() if not judgement.final]

    def _undecided(self) -> list[str]:
        """Return the cases that the next launches are to run."""
        settled = {*self.judged, *self.skipped}
        return [*self._again(), *(case for case in self.referee.undecided if metrics.case_of(case) not in settled)]

    def _complete(self) -> bool:
        """Return whether enough is measured; a case that is the same waits until the control is known to be so, too."""
        if not self.referee.log_ratios or self._undecided():
            return self.self_test and len(self.over) >= SELF_TEST_LAUNCHES
        control = self.control.standing(CONTROL)
        return control != Verdict.INCONCLUSIVE or Verdict.SAME not in self.referee.decided.values()

    def _seconds_left(self) -> float:
        return self.options.budget_seconds - (time.monotonic() - self.started)

    def _next_cases(self, at_once: int) -> list[str] | None:
        """Choose what the next launch measures: None for all there is, an empty list for no launch."""
        if not self.referee.log_ratios:
            return None
        if self.self_test:
            died = {case for launch in self.over if launch.died for case in launch.failed}
            left = [case for case in self.referee.log_ratios if case not in died]
            return [] if len(self.begun) >= SELF_TEST_LAUNCHES else left if died else None
        costs = findings.costs(self.over, self.referee.log_ratios, self.setup.collects_all)
        if undecided := self._undecided():
            return choose(self.referee, undecided, costs, self._seconds_left(), at_once, self._again())
        return [CONTROL] if costs.overhead <= self._seconds_left() else []
