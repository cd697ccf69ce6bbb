"""Several processes that record episodes of a simulated game side by side.

down the pipe: a seed, the next seed …, None for "go home"; None in the middle of an episode ends it
up the pipe:   Progress, Progress …, Taken or Dropped; KartError where the process cannot go on
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import cast

from kart_pipeline.core.errors import KartError
from recorder.display import Display
from recorder.episode import Dropped, Plan, Progress, Taken
from recorder.seat import Seat
from recorder.stopping import StopRequest

_PATIENCE_S = 10.0  # for a process to close its session

Message = Progress | Taken | Dropped | KartError


def record_in_processes(
    plan: Plan,
    seeds: Sequence[int],
    processes: int,
    stop: StopRequest,
    display: Display,
    take: Callable[[Taken | Dropped], None],
) -> str | None:
    """Record one session a seed; each process has its own game.

    Args:
        plan: how.
        seeds: one session each.
        processes: how many.
        stop: ends the running episodes.
        display: shows progress.
        take: gets each outcome as it comes.

    Returns:
        What broke the series off, if anything did; the other processes finish their episode then.

    Raises:
        KartError: `take` did.
    """
    trouble: str | None = None
    crew = _Crew(plan, seeds)
    try:
        for _ in range(processes):
            crew.hire()
        while crew:
            if stop():
                crew.stop()
            for seed, message in crew.messages():
                match message:
                    case Progress():
                        display.progress(message)
                    case Taken() | Dropped():
                        display.ended(seed)
                        take(message)
                        trouble = trouble or (message.trouble if isinstance(message, Taken) else None)
                    case KartError():
                        trouble = trouble or str(message)
                if trouble:
                    crew.no_more()
    finally:
        crew.dismiss()
    return trouble


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    seed: int | None = None


class _Crew:
    """The processes, by the pipe to each; it is true as long as one of them is there."""

    def __init__(self, plan: Plan, seeds: Sequence[int]) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._plan = plan
        self._todo = list(seeds)[::-1]
        self._workers: dict[Connection, _Worker] = {}
        self._stopped = False

    def __len__(self) -> int:
        return len(self._workers)

    def hire(self) -> None:
        """Start a process and give it a seed."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(self._plan, theirs), daemon=True)
        with _deaf_to_ctrl_c():
            process.start()
        theirs.close()  # so that the end of the process reads as the end of the pipe
        self._workers[ours] = _Worker(process)
        self._next(ours)

    def _next(self, pipe: Connection) -> None:
        self._workers[pipe].seed = self._todo.pop() if self._todo else None
        _send(pipe, self._workers[pipe].seed)

    def messages(self) -> Iterator[tuple[int, Message]]:
        """What comes within the next moment, each with the seed that it is about."""
        for pipe in cast("list[Connection]", wait(list(self._workers), timeout=0.2)):
            worker = self._workers[pipe]
            seed = -1 if worker.seed is None else worker.seed
            try:
                message: Message = pipe.recv()
            except (EOFError, OSError):
                del self._workers[pipe]
                worker.process.join()
                if worker.process.exitcode:
                    yield (
                        seed,
                        KartError(
                            f"The process that recorded seed {seed} died (exit status {worker.process.exitcode}); "
                            "`python -m recorder repair --all` saves what it had recorded."
                        ),
                    )
                continue
            if isinstance(message, Taken | Dropped) and not self._stopped:
                self._next(pipe)
            yield seed, message

    def no_more(self) -> None:
        """The running episodes are the last."""
        self._todo.clear()

    def stop(self) -> None:
        """End the running episodes."""
        if not self._stopped:
            self._stopped = True
            for pipe in self._workers:
                _send(pipe, None)

    def dismiss(self) -> None:
        """Leave no process behind: those that still record close their session first."""
        workers = list(self._workers.values())
        for pipe in self._workers:
            pipe.close()
        for worker in workers:
            worker.process.join(_PATIENCE_S)
            worker.process.terminate()
            worker.process.join()


def _send(pipe: Connection, seed: int | None) -> None:
    try:
        pipe.send(seed)
    except OSError:
        return  # it died; the end of its pipe tells


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """A process started in here ignores Ctrl-C from its first moment: the terminal sends it to all of them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(plan: Plan, pipe: Connection) -> None:
    from kart_pipeline.games.registry import make_game

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows does not inherit it

    def told_to_stop() -> bool:
        try:
            return pipe.poll()
        except OSError:
            return True  # the parent is gone

    try:
        with ExitStack() as stack:
            game = stack.enter_context(make_game(plan.game, **plan.options))
            if not game.simulated:
                raise KartError(f"{game.name} runs in real time, once on a machine; record it with --workers 1.")
            seat = Seat(plan, game, stack)
            while (seed := pipe.recv()) is not None:
                pipe.send(seat.record(seed, pipe.send, told_to_stop))
    except KartError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError):
        return  # the parent is gone; the session is closed
