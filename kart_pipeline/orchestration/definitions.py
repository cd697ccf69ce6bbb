"""Everything that Dagster loads: `dagster dev` and `dg dev` find `defs` here."""

import warnings

import dagster as dg

from kart_pipeline.core.settings import Settings
from kart_pipeline.orchestration.assets.champion import champion
from kart_pipeline.orchestration.assets.corrections import corrections
from kart_pipeline.orchestration.assets.driver_model import driver_model
from kart_pipeline.orchestration.assets.frames import frames
from kart_pipeline.orchestration.assets.scorecard import scorecard
from kart_pipeline.orchestration.assets.session import session
from kart_pipeline.orchestration.assets.training_set import training_set
from kart_pipeline.orchestration.engine import executor
from kart_pipeline.orchestration.jobs import correct_driver, prepare_session, train_driver
from kart_pipeline.orchestration.repairing import repair_recording
from kart_pipeline.orchestration.resources import LogProgress, Mlflow, Progress
from kart_pipeline.orchestration.search import search_recipe
from kart_pipeline.orchestration.sensors import sessions_on_disk


def build_defs(settings: Settings | None = None, progress: Progress | None = None) -> dg.Definitions:
    """The definitions over some folders.

    Args:
        settings: by default those of the environment.
        progress: is told how far long steps are; by default the log of the run.
    """
    settings = settings or Settings.from_env()
    # Dagster warns of what it fills in itself whenever it copies a sensor.
    warnings.filterwarnings("ignore", "Parameter `owners` of initializer `SensorDefinition", dg.BetaWarning)
    return dg.Definitions(
        assets=[session, frames, training_set, driver_model, scorecard, champion, corrections],
        jobs=[prepare_session, train_driver, correct_driver, search_recipe, repair_recording],
        sensors=[sessions_on_disk],
        resources={"settings": settings, "mlflow": Mlflow(settings=settings), "progress": progress or LogProgress()},
        executor=executor(settings),
    )


defs = build_defs()
