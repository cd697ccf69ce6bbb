"""Everything that Dagster loads: `dagster dev` and `dg dev` find `defs` here."""

import dagster as dg

from kart_pipeline.core.settings import Settings
from kart_pipeline.orchestration.assets.champion import champion
from kart_pipeline.orchestration.assets.driver_model import driver_model
from kart_pipeline.orchestration.assets.frames import frames
from kart_pipeline.orchestration.assets.scorecard import scorecard
from kart_pipeline.orchestration.assets.session import session
from kart_pipeline.orchestration.assets.training_set import training_set
from kart_pipeline.orchestration.jobs import prepare_session, train_driver
from kart_pipeline.orchestration.resources import Home, LogProgress, Mlflow, Progress
from kart_pipeline.orchestration.sensors import sessions_on_disk

# Steps run in processes of their own, made by spawn because TensorFlow does not survive a fork.
EXECUTOR = dg.multiprocess_executor.configured({"max_concurrent": 2})


def build_defs(settings: Settings | None = None, progress: Progress | None = None) -> dg.Definitions:
    """The definitions over some folders.

    Args:
        settings: by default those of the environment.
        progress: is told how far long steps are; by default the log of the run.
    """
    home = Home.of(settings or Settings.from_env())
    return dg.Definitions(
        assets=[session, frames, training_set, driver_model, scorecard, champion],
        jobs=[prepare_session, train_driver],
        sensors=[sessions_on_disk],
        resources={"home": home, "mlflow": Mlflow(home=home), "progress": progress or LogProgress()},
        executor=EXECUTOR,
    )


defs = build_defs()
