"""Drives many seeds, in several processes if asked, to fill a scorecard."""

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.loop import drive
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.tally import Drive
from kart_pipeline.driving.trace import Trace, Tracer
from kart_pipeline.games.base import Game

MakeGame = Callable[[], Game]
MakeDriver = Callable[[Game], Driver]
Report = Callable[[Drive], None]


def score(
    make_game: MakeGame,
    make_driver: MakeDriver,
    seeds: Iterable[int],
    *,
    workers: int = 1,
    max_steps: int | None = None,
    progress: Report | None = None,
    traced: Callable[[Trace], None] | None = None,
) -> Scorecard:
    """Drive every seed once.

    Args:
        make_game: opens the game; called once in each process.
        make_driver: makes the driver for that game, likewise.
        seeds: one drive each, in this order in the scorecard.
        workers: processes. Above 1 they are spawned: both factories must be picklable (functions of a module, or
            `functools.partial` of such), and a script that calls this needs its `if __name__ == "__main__"`.
        max_steps: of each drive.
        progress: is told each drive when it is done, in order of finishing.
        traced: gets each drive's trace, likewise; None keeps none.

    Raises:
        KartError: no seed, fewer than one worker, several workers for a real-time game, or whatever a drive raises so.
    """
    seeds = list(seeds)
    if not seeds:
        raise KartError("Scoring needs at least one seed.")
    if workers < 1:
        raise KartError(f"Scoring needs at least one worker, not {workers}.")
    if min(workers, len(seeds)) > 1:
        return _score_in_processes(make_game, make_driver, seeds, min(workers, len(seeds)), max_steps, progress, traced)
    drives = []
    with make_game() as game:
        driver = make_driver(game)
        for seed in seeds:
            done, trace = _drive(game, driver, seed, max_steps, trace=traced is not None)
            drives.append(done)
            if traced and trace:
                traced(trace)
            if progress:
                progress(done)
        return Scorecard(game.name, driver.name, tuple(drives))


def _drive(game: Game, driver: Driver, seed: int, max_steps: int | None, *, trace: bool) -> tuple[Drive, Trace | None]:
    if not trace:
        return drive(game, driver, seed=seed, max_steps=max_steps), None
    tracer = Tracer()
    done = drive(game, driver, seed=seed, max_steps=max_steps, observers=[tracer])
    return done, tracer.trace(seed, done.track)


def _score_in_processes(
    make_game: MakeGame,
    make_driver: MakeDriver,
    seeds: Sequence[int],
    workers: int,
    max_steps: int | None,
    progress: Report | None,
    traced: Callable[[Trace], None] | None,
) -> Scorecard:
    # Bare processes and pipes, because both pools of the standard library wait for running drives on Ctrl-C.
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes: list[SpawnProcess] = []
    drives: dict[int, Drive] = {}
    names = ("", "")
    todo = list(reversed(list(enumerate(seeds))))
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            given = theirs, make_game, make_driver, max_steps, traced is not None
            process = context.Process(target=_work, args=given, daemon=True)
            process.start()
            theirs.close()  # so that the worker's death reads as the end of the pipe
            processes.append(process)
            pipes.append(ours)
            ours.send(todo.pop())
        while len(drives) < len(seeds):
            # Windows hears Ctrl-C only between two waits.
            for pipe in cast("list[Connection]", wait(pipes, timeout=0.5)):
                names, index, drives[index], trace = _receive(pipe)
                if traced and trace:
                    traced(trace)
                if progress:
                    progress(drives[index])
                if todo:
                    pipe.send(todo.pop())
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.close()  # tells the worker to close its game and go
            process.join(timeout=5)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
    return Scorecard(*names, tuple(drives[index] for index in range(len(seeds))))


def _receive(pipe: Connection) -> tuple[tuple[str, str], int, Drive, Trace | None]:
    try:
        message = pipe.recv()
    except (EOFError, ConnectionResetError) as error:
        raise KartError(
            "A scoring process ended by itself, perhaps for want of memory; try fewer workers, or one to see why."
        ) from error
    if isinstance(message, _Failure):
        raise KartError(message.text) if message.mistake else RuntimeError(f"A scoring process failed:\n{message.text}")
    names, index, done, trace = message
    return names, index, done, trace


@dataclass(frozen=True)
class _Failure:
    """An exception on its way out of a worker, as text: not every exception survives pickling."""

    mistake: bool
    text: str


def _work(pipe: Connection, make_game: MakeGame, make_driver: MakeDriver, max_steps: int | None, trace: bool) -> None:
    """One worker: a game and a driver for as long as seeds come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    try:
        with make_game() as game:
            if not game.simulated:
                raise KartError(f"{game.name} runs in real time: score it with one worker.")
            driver = make_driver(game)
            for index, seed in _seeds(pipe):
                pipe.send(((game.name, driver.name), index, *_drive(game, driver, seed, max_steps, trace=trace)))
    except KartError as error:
        pipe.send(_Failure(True, str(error)))
    except Exception:  # noqa: BLE001 - the parent raises it
        pipe.send(_Failure(False, traceback.format_exc()))


def _seeds(pipe: Connection) -> Iterator[tuple[int, int]]:
    while True:
        try:
            yield pipe.recv()
        except EOFError:  # closed by the parent, or the parent is gone
            return
