"""`python -m kart_pipeline.orchestration.worker`: executes steps of runs that Dagster starts on another machine.

    dagster dev ──▶ run ──▶ Redis at KART_BROKER ──▶ worker, worker … ──▶ PostgreSQL, KART_HOME, KART_STORE

It needs the same KART_* environment as the machine on which `dagster dev` runs, and reaches the same databases and
folders. It executes one step after the other in one process, so that TensorFlow is imported once.
"""

import argparse
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.orchestration.engine import QUEUE, celery_config, missing

if TYPE_CHECKING:
    from celery import Celery

_HANDED_OUT = "unacked_index"  # kombu's name for the sorted set of tags by the time at which they were handed out


def main(arguments: Sequence[str] | None = None) -> int:
    """Work until Ctrl-C or SIGTERM, after which the step under way is finished; a second Ctrl-C ends that too.

    Returns:
        The exit status: 0; 2 after a mistake that a person can mend.
    """
    parser = argparse.ArgumentParser(prog="python -m kart_pipeline.orchestration.worker", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--name", default=socket.gethostname(), help="of this worker, in Dagster's log (default: host)")
    given = parser.parse_args(arguments)
    try:
        app = build_app(Settings.from_env())
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    options = ["--pool", "solo", "--queues", QUEUE, "--loglevel", "warning", "--hostname", f"kart@{given.name}"]
    app.worker_main(["worker", *options])
    return 0


def build_app(settings: Settings) -> "Celery":
    """Celery's application, with the one task that executes a step.

    Raises:
        KartError: no broker is named, or Celery is not installed.
    """
    if not settings.broker:
        raise KartError("KART_BROKER names no Redis to take steps from; set it as redis://host:6379/0.")
    try:
        from dagster_celery.make_app import make_app
        from dagster_celery.tasks import create_task
    except ModuleNotFoundError as error:
        raise missing("celery", error) from error
    app: Celery = make_app({"broker": settings.broker, "backend": settings.broker})
    app.conf.update(celery_config(settings))
    create_task(app)
    Alive(settings).attach()
    return app


class Alive:
    """Says at Redis that this worker still works on its step, so that nobody takes that over however long it takes.

    Redis knows a step that was handed out by a tag, and since when; what is moved is that moment. Celery has nothing
    of the kind: without it, the time after which a step is taken over must be longer than the longest of them.

    Args:
        settings: name the broker and the seconds after which a step is taken over.
    """

    def __init__(self, settings: Settings) -> None:
        from redis import Redis

        self._redis = Redis.from_url(settings.broker, socket_timeout=settings.takeover_s)
        self._every_s = settings.takeover_s / 4
        self._done = threading.Event()

    def attach(self) -> None:
        """Do so from the beginning of each step to its end, in this process."""
        from celery import signals

        signals.task_prerun.connect(self._begin, weak=False)
        signals.task_postrun.connect(self._end, weak=False)

    def say(self, tag: str) -> None:
        """Move the moment at which the step was handed out to now; one that was taken over already stays so."""
        self._redis.zadd(_HANDED_OUT, {tag: time.time()}, xx=True)

    def _begin(self, task: Any, **_: Any) -> None:
        self._done = threading.Event()
        tag = task.request.properties["delivery_tag"]
        threading.Thread(target=self._go_on, args=(tag, self._done), daemon=True).start()

    def _end(self, **_: Any) -> None:
        self._done.set()

    def _go_on(self, tag: str, done: threading.Event) -> None:
        from redis import RedisError

        while not done.wait(self._every_s):
            try:
                self.say(tag)
            except RedisError as error:  # it may be back the next time; Celery says more of it
                sys.stderr.write(f"Redis does not answer ({error}).\n")


if __name__ == "__main__":
    sys.exit(main())
