"""The sensor that keeps Dagster's partitions what the disk says, and asks for what has to be prepared or repaired."""

import dagster as dg

from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.orchestration.jobs import prepare_session
from kart_pipeline.orchestration.partitions import GAMES, SESSIONS
from kart_pipeline.orchestration.reconcile import MOST_READ, MOST_REQUESTS, Changes, Memory, reconcile
from kart_pipeline.orchestration.repairing import repair_recording, repair_requests

CONTRACT_TAG, GAME_TAG = "kart/contract", "kart/game"


@dg.sensor(
    jobs=[prepare_session, repair_recording],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def sessions_on_disk(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SensorResult:
    """Add a partition for each finished session and each game, remove those that are gone, and have frames built.

    A session that is being recorded is not seen before it is finished; one whose recorder was killed is repaired. One
    that was replaced, or whose game's contract was changed in `contracts.toml`, is prepared again.
    """
    return look(context, settings)


def look(
    context: dg.SensorEvaluationContext,
    settings: Settings,
    *,
    most_read: int = MOST_READ,
    most_requests: int = MOST_REQUESTS,
) -> dg.SensorResult:
    """What a tick of `sessions_on_disk` does.

    Args:
        context: of the tick.
        settings: the folders.
        most_read: as in `reconcile`.
        most_requests: the same; without bounds one look finds everything.
    """
    memory = Memory(settings.dagster_home / "sensor")
    changes = reconcile(
        Store(settings.store_url),
        Contracts.load(settings.home),
        memory.load(context.cursor),
        most_read=most_read,
        most_requests=most_requests,
    )
    requests = _partitions(context.instance, changes)
    repairs = repair_requests(settings)
    for repair in repairs:
        context.log.info("A recording broke off; it is repaired (%s).", repair.run_key)
    nothing = not (requests or changes.requests or repairs)
    return dg.SensorResult(
        skip_reason=dg.SkipReason(f"Nothing new among {len(changes.known)} sessions.") if nothing else None,
        run_requests=[
            *repairs,
            *(
                dg.RunRequest(
                    run_key=request.key,
                    job_name=prepare_session.name,
                    partition_key=request.session,
                    tags={CONTRACT_TAG: request.contract or "none", GAME_TAG: request.game or "unknown"},
                )
                for request in changes.requests
            ),
        ],
        dynamic_partitions_requests=requests,
        cursor=memory.save(changes.known),
    )


def _partitions(
    instance: dg.DagsterInstance, changes: Changes
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    """What makes the partitions agree with `changes`."""
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    for definition, wanted in ((SESSIONS, set(changes.known)), (GAMES, changes.games)):
        have = set(instance.get_dynamic_partitions(str(definition.name)))
        if missing := sorted(wanted - have):
            requests.append(definition.build_add_request(missing))
        # While sessions wait to be looked at, their partitions and games may be among those not known yet.
        if not changes.waiting and (gone := sorted(have - wanted)):
            requests.append(definition.build_delete_request(gone))
    return requests
