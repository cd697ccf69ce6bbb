"""What a model's folder may hold: whatever could carry code is refused before anything of it is loaded."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.networks import LAYERS

_PICKLES = {".pkl", ".pickle", ".cloudpickle", ".joblib", ".dill", ".pt", ".pth"}

# What a .keras file may name besides layers; a name outside is a way to call what is not a layer (CVE-2025-1550,
# CVE-2025-9906), and Lambda and TFSMLayer have been ways around the safe mode (CVE-2026-1462, CVE-2026-12481).
_KERAS_PARTS = {"Functional", "DTypePolicy", "GlorotUniform", "Orthogonal", "Zeros", "Ones", "__keras_tensor__"}
_KERAS_MODULES = {"keras", "keras.layers", "keras.initializers", "keras.src.models.functional"}


def check_files(folder: Path) -> None:
    """Raise KartError where a file of the folder is a pickle, code or an exported graph."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.suffix.lower() in _PICKLES:
            raise KartError(
                f"The model {folder} has a pickled part ({name.as_posix()}), which could run any code; it is refused."
            )
        if name.parts[0].lower() == "code" or path.suffix.lower() in {".py", ".pyc", ".so", ".pyd", ".dll"}:
            raise KartError(f"The model {folder} brings code of its own ({name.as_posix()}); it is refused.")
        if path.name == "saved_model.pb":
            raise KartError(
                f"The model {folder} holds an exported graph ({name.as_posix()}), which Keras cannot check; it is "
                "refused."
            )


def check_mlmodel(folder: Path) -> None:
    """Raise KartError where `MLmodel` is missing, unreadable, or would have anything but Keras load anything else."""
    import yaml  # comes with MLflow

    try:
        said = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavours = dict(said["flavors"])
        keras, loader = dict(flavours.pop("keras")), dict(flavours.pop("python_function"))
    except FileNotFoundError:
        raise KartError(f"{folder} has no MLmodel, so it is no MLflow model.") from None
    except KeyError as error:
        raise KartError(f"The model {folder} has no flavour {error}; log it with kart-pipeline.") from None
    except (OSError, TypeError, ValueError, yaml.YAMLError) as error:
        raise KartError(f"{folder / 'MLmodel'} cannot be read: {error}") from error
    if keras.get("save_exported_model") is not False:
        raise KartError(f"The model {folder} is kept as an exported graph, which Keras cannot check; it is refused.")
    if loader.get("loader_module") != "mlflow.keras" or flavours:
        raise KartError(f"The model {folder} is to be loaded by code of its own, not by mlflow.keras; it is refused.")
    if loader.get("code") or keras.get("data") != "data":
        raise KartError(f"The model {folder} names code of its own or files elsewhere in its MLmodel; it is refused.")


def check_keras_parts(network: Path) -> None:
    """Raise KartError where a .keras file cannot be read, or names more than the plain layers that `networks` has."""
    try:
        with zipfile.ZipFile(network) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise KartError(f"{network} is no Keras model: {error}") from error
    for part in _parts(config):
        name, module = part["class_name"], part.get("module")
        known = str(name) in LAYERS | _KERAS_PARTS and (module is None or str(module) in _KERAS_MODULES)
        if not known or part.get("registered_name") not in (None, name):
            raise KartError(
                f"{network} holds {name!r} of {module!r}, which is not plain Keras as kart-pipeline's networks are; "
                "it is refused."
            )


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """All objects in a Keras configuration, at any depth: whatever names a class."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from _parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value)
