"""Recordings that broke off: which there are, and the job that finishes one."""

import time

import dagster as dg

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.recording import STREAM
from kart_pipeline.core.settings import Settings
from recorder.mending import broken_off, mend, saved
from recorder.stores import Stores

QUIET_S = 60.0  # for which nothing was written: not every network drive lets us see the lock of another machine
_TOLD = 0.1  # of the frames of a video, between two lines in the log


class Recording(dg.Config):
    """Which one.

    Attributes:
        session: its id.
    """

    session: str


@dg.op
def finish_recording(context: dg.OpExecutionContext, config: Recording, settings: dg.ResourceParam[Settings]) -> None:
    """Make a session of what was recorded up to the last whole batch; see `core.session_writer.repair`."""
    told = 0.0

    def tell(share: float) -> None:
        nonlocal told
        if share - told >= _TOLD:
            told = share
            context.log.info("%d %% of the frames have been checked.", 100 * share)

    try:
        manifest = mend(Stores.open(settings=settings), config.session, tell)
    except KartError as error:
        remedy = f"To be rid of it: `python -m recorder remove {config.session}`."
        raise dg.Failure(f"{config.session} cannot be saved: {error} {remedy}", allow_retries=False) from error
    context.log.info(saved(manifest))


@dg.job(
    description="Finish a recording whose recorder was killed, so that it becomes a session; the sensor asks for it. "
    "Nothing is done to one that a recorder still writes."
)
def repair_recording() -> None:
    """One op: a run of its own, because a long video takes minutes, and a sensor has seconds."""
    finish_recording()


def repair_requests(settings: Settings) -> list[dg.RunRequest]:
    """A run for each recording that broke off. Its key makes Dagster start it once, also where it fails."""
    stores = Stores.open(settings=settings)
    requests = []
    for session in broken_off(stores):
        try:
            file = (stores.folder(session) / STREAM).stat()
        except FileNotFoundError:
            continue  # repaired or removed just now
        if time.time() - file.st_mtime < QUIET_S:
            continue
        requests.append(
            dg.RunRequest(
                run_key=f"repair:{session}:{file.st_size}",
                job_name=repair_recording.name,
                run_config=dg.RunConfig({finish_recording.name: Recording(session=session)}),
            )
        )
    return requests
