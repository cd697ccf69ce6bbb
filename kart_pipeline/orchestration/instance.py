"""Where Dagster keeps its memory: inside KART_HOME, however Dagster is started, without DAGSTER_HOME being set."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from kart_pipeline.core.settings import Settings

# Of runs in this process the terminal is the log: Dagster would redirect its output into files and read them back onto
# it with two more processes for each run, which no progress bar survives and which answer Ctrl-C with tracebacks.
SETTINGS: Mapping[str, Any] = {
    "telemetry": {"enabled": False},
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
}


class HomeInstance(dg.DagsterInstance):
    """The instance that `dagster.yaml` in the repository's root names.

    Without DAGSTER_HOME, `dagster dev` and `dg dev` make a temporary folder for everything that they store and delete
    it at the end, unless the settings in the working folder say otherwise. Dagster asks an instance class of one's own
    for its default storages: here they are in `KART_HOME/dagster`, as an absolute path that all of Dagster's processes
    are handed. Whoever sets DAGSTER_HOME gets what that folder says instead.
    """

    @classmethod
    def config_schema(cls) -> Mapping[str, Any]:
        """Nothing to set in `dagster.yaml`."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, Any]:  # noqa: ARG003 - the temporary folder
        """Dagster's own default storages, in KART_HOME."""
        home = Settings.from_env().dagster_home
        home.mkdir(parents=True, exist_ok=True)
        logging.getLogger("dagster").info("Partitions, runs and events are kept in %s.", home)
        return InstanceRef.config_defaults(str(home))


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance that `dagster dev` shows, for use in this process."""
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(settings.dagster_home), overrides=SETTINGS))
