"""The asset `session`: a recorded drive that has been looked through."""

import dagster as dg

from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.health import check_session
from kart_pipeline.datasets.health_pictures import check_pictures
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.orchestration import checks, pictures, tables
from kart_pipeline.orchestration.partitions import SESSIONS


@dg.asset(
    partitions_def=SESSIONS,
    kinds={"parquet"},
    check_specs=checks.specs("session", checks.OF_SESSION),
)
def session(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """A recorded drive: frames, what was done, what would have been right, and what the game told.

    It is written by `python -m recorder`, never by Dagster. To materialise it is to look it through: is the file what
    was recorded (digest), and is it fit to learn from? Each check names the cause. A broken contract stops the
    session here; a judgement only warns.
    """
    with checks.sentences():
        opened = Store(settings.store_url).open(context.partition_key)
        manifest = opened.manifest
        edits = opened.edits
        verdicts = check_session(opened)
        readable = all(verdict.passed for verdict in verdicts if verdict.name == "contents")
        samples = None
        if readable:
            samples = pictures.sources(opened)
            contract = Contracts.load(settings.home).contract(manifest)
            verdicts += check_pictures(opened, contract)
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                "pictures as recorded": samples,
                "game": manifest.game,
                "track": manifest.track or None,
                "driver": manifest.driver.get("kind"),
                "dagster/row_count": manifest.steps,
                "labelled steps": manifest.labelled,
                "interventions": manifest.interventions,
                "left out by hand (steps)": ", ".join(f"{first} to {last}" for first, last in edits.left_out) or None,
                "duration (s)": round(manifest.duration_s, 2),
                "rate (Hz)": manifest.rate_hz,
                "picture size": f"{manifest.width}x{manifest.height}",
                "ended": manifest.ended,
                "score": manifest.score,
                "recorded": manifest.started_at,
                "manifest": dg.MetadataValue.json(manifest.to_dict()),
            }
        ),
        data_version=dg.DataVersion("-".join(filter(None, [manifest.digest, edits.mark]))),
        check_results=checks.results(context, verdicts, checks.OF_SESSION),
    )
