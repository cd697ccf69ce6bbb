"""From a model's URI to its files on this machine, or to a sentence that says what there is instead."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_FORMS = "runs:/<run id>/model, models:/<name>@<alias>, models:/<name>/<version> or models:/m-<id>"


@dataclass(frozen=True, slots=True)
class Located:
    """A model's files.

    Attributes:
        folder: with `MLmodel` in it; to be read, not changed, for it may be MLflow's own copy.
        name: for people and scorecards.
        uri: as asked for.
        model_id: MLflow's id of the logged model, empty where the folder was named directly.
    """

    folder: Path
    name: str
    uri: str
    model_id: str = ""


def locate(uri: str, settings: Settings, *, trust_remote: bool = False) -> Located:
    """Find the files of a model; nothing of it is loaded.

    Args:
        uri: `runs:/<run id>/model`, `models:/<name>@<alias>`, `models:/<name>/<version>`, `models:/m-<id>`, or a folder
            that holds a model.
        settings: name the tracking store.
        trust_remote: also ask, and download from, other machines.

    Raises:
        KartError: no such model (the sentence lists some that exist), no tracking store, or a remote one.
    """
    if urlsplit(uri).scheme not in ("runs", "models"):
        folder = Path(uri)
        if folder.is_dir():
            return Located(folder.absolute(), folder.name, uri)
        what = f"{uri!r} is neither a model's folder nor one of {_FORMS}"
        try:
            with _client(settings, trust_remote) as client:
                said = str(_unknown(client, what))
        except KartError:  # there is no store to ask either; the form of the URI is what is wrong
            said = f"{what}."
        raise KartError(said)
    with _client(settings, trust_remote) as client:
        return _located(client, uri, settings, trust_remote)


def locate_aliases(uri: str, prefix: str, settings: Settings, *, trust_remote: bool = False) -> dict[str, Located]:
    """Find the files of all versions of a registered model that have an alias which begins with `prefix`, by alias.

    Args:
        uri: `models:/<name>`.
        prefix: of the aliases, such as `course-`.
        settings: name the tracking store.
        trust_remote: as for `locate`.

    Raises:
        KartError: as for `locate`, or there is no such alias.
    """
    name = uri.removeprefix("models:").strip("/")
    with _client(settings, trust_remote) as client:
        try:
            aliases = sorted(alias for alias in client.get_registered_model(name).aliases if alias.startswith(prefix))
        except Exception as error:
            raise _unknown(client, f"There is no model {name}", error) from error
        if not aliases:
            raise _unknown(client, f"No version of {name} has an alias {prefix}…, as {prefix}luigi-raceway")
        return {alias: _located(client, f"models:/{name}@{alias}", settings, trust_remote) for alias in aliases}


@contextmanager
def _client(settings: Settings, trust_remote: bool) -> Iterator[Any]:
    """MLflow's client of a store that may be asked; its errors become sentences."""
    with _quiet():
        try:
            from mlflow import MlflowClient
        except ModuleNotFoundError as error:
            raise KartError(f"Finding a model needs MLflow ({error}): pip install 'kart-pipeline[player]'.") from error
    _check_tracking(settings.tracking_uri, trust_remote)
    with _quiet(), _sentences(settings.tracking_uri):
        yield MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)


def _located(client: Any, uri: str, settings: Settings, trust_remote: bool) -> Located:
    find = _of_run if uri.startswith("runs:") else _of_registry
    location, name, model_id = find(client, uri)
    if not (trust_remote or _is_local(location, settings.tracking_uri)):
        raise KartError(
            f"The files of {uri} are at {location}, on another machine; pass --trust-remote if you trust it."
        )
    return Located(_download(location, uri, settings), name, uri, model_id)


def _check_tracking(tracking_uri: str, trust_remote: bool) -> None:
    """Refuse a remote store, and a sqlite file that is not there, which MLflow would otherwise create."""
    parts = urlsplit(tracking_uri)
    if parts.scheme.startswith("sqlite"):
        from sqlalchemy.engine import make_url

        database = make_url(tracking_uri).database
        if not database or not Path(database).is_file():
            raise KartError(
                f"There is no tracking database at {database}; train a model first, or point KART_HOME or "
                "MLFLOW_TRACKING_URI at the place where you did."
            )
    elif not trust_remote and parts.hostname not in _LOOPBACK:
        raise KartError(
            f"The tracking store {_shown(tracking_uri)} is neither a sqlite file nor a server on this machine; "
            "pass --trust-remote if you trust who runs it."
        )


def _shown(tracking_uri: str) -> str:
    """The URI without a password."""
    password = urlsplit(tracking_uri).password
    return tracking_uri.replace(f":{password}@", ":***@") if password else tracking_uri


def _is_local(location: str, tracking_uri: str) -> bool:
    parts = urlsplit(location)
    if parts.scheme == "mlflow-artifacts":  # served by the tracking server
        parts = parts if parts.hostname else urlsplit(tracking_uri)
        return parts.hostname in _LOOPBACK
    # A scheme of one letter is a drive of Windows.
    return parts.scheme in ("", "file") or len(parts.scheme) == 1


def _of_run(client: Any, uri: str) -> tuple[str, str, str]:
    run_id, _, name = uri.removeprefix("runs:").strip("/").partition("/")
    if not run_id or not name:
        raise _unknown(client, f"{uri!r} names no model; write runs:/<run id>/model")
    try:
        experiment = client.get_run(run_id).info.experiment_id
    except Exception as error:
        raise _unknown(client, f"There is no run {run_id}", error) from error
    for model in _logged_models(client, [experiment], f"name = '{name}'" if name.isidentifier() else None):
        if model.source_run_id == run_id and model.name == name:
            return model.artifact_location, f"run {run_id[:8]}", model.model_id
    raise _unknown(client, f"Run {run_id} holds no model {name!r}")


def _of_registry(client: Any, uri: str) -> tuple[str, str, str]:
    path = uri.removeprefix("models:").strip("/")
    try:
        if "/" not in path and "@" not in path:
            model = client.get_logged_model(path)
            return model.artifact_location, f"model {path[2:10]}", path
        if "@" in path:
            name, _, alias = path.partition("@")
            version = client.get_model_version_by_alias(name, alias).version
        else:
            name, _, version = path.partition("/")
        entry = client.get_model_version(name, str(version))
        location = client.get_model_version_download_uri(name, str(version))
    except Exception as error:
        raise _unknown(client, f"There is no model {uri}", error) from error
    source = entry.source or ""
    return location, f"{name} v{version}", source.removeprefix("models:/") if source.startswith("models:/m-") else ""


def _logged_models(client: Any, experiments: list[str], condition: str | None) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_logged_models(experiment_ids=experiments, filter_string=condition, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _unknown(client: Any, what: str, error: Exception | None = None) -> Exception:
    """The sentence for something that MLflow does not know; any other error of its is handed back as it is."""
    from mlflow.exceptions import MlflowException

    if error is not None and not (
        isinstance(error, MlflowException)
        and error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
    ):
        return error
    known = []
    for model in client.search_registered_models(max_results=20):
        aliases = [f"models:/{model.name}@{alias}" for alias in model.aliases]
        versions = sorted(client.search_model_versions(f"name = '{model.name}'"), key=lambda entry: -int(entry.version))
        known += aliases + [f"models:/{model.name}/{entry.version}" for entry in versions[:3]]
    if not known:
        experiments = [entry.experiment_id for entry in client.search_experiments()]
        known = [f"models:/{model.model_id}" for model in islice(_logged_models(client, experiments, None), 5)]
    there_are = f"these exist: {', '.join(known)}" if known else "the tracking store holds no model at all; train one"
    return KartError(f"{what}; {there_are}.")


def _download(location: str, uri: str, settings: Settings) -> Path:
    """Fetch the files; local ones stay where they are."""
    import mlflow

    try:
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=location, tracking_uri=settings.tracking_uri))
    except OSError as error:
        raise KartError(f"The files of {uri} cannot be read at {location}: {error}.") from error
    if not folder.is_dir():
        raise KartError(f"The files of {uri} are no longer at {location}; was {settings.home} moved?")
    return folder


@contextmanager
def _sentences(tracking_uri: str) -> Iterator[None]:
    """Errors of MLflow and of its database, as a sentence."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        raise KartError(
            f"MLflow's store {_shown(tracking_uri)} cannot be used: {str(error).splitlines()[0]}"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No telemetry, and neither MLflow's progress lines nor its libraries' warnings between ours."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logger = logging.getLogger("mlflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
