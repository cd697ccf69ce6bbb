"""A driver as files: the network, its contract, and golden frames that show whether both work on another machine.

The files are an MLflow model of the `keras` flavour with a folder of ours in it:

    MLmodel, requirements.txt …   MLflow's
    data/model.keras              the network
    driver/contract.json          what it reads and gives
    driver/golden.npz             raw frames, the inputs that they become, the outputs that those give
    driver/about.json             the game that it drives; models from before there was this file do not say

A model is a file from somewhere, and loading one can run code. So nothing here asks MLflow to load it: the folder is
looked through first (`package_safety`), and Keras loads the one file that is left in its safe mode.
"""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.prepare import FrameStack
from kart_pipeline.learning.inference import Predict, check_network
from kart_pipeline.learning.package_safety import check_files, check_keras_parts, check_mlmodel

if TYPE_CHECKING:
    import keras
    from mlflow.models import Model, ModelSignature

NETWORK = Path("data", "model.keras")
CONTRACT = Path("driver", "contract.json")
GOLDEN = Path("driver", "golden.npz")
ABOUT = Path("driver", "about.json")

# Other CPUs, and other releases of TensorFlow, add float32 products in another order, which moves an output by some
# 1e-6. A mistake in scale, colour or channel order moves it by a tenth and more. A thousandth of the stick's half range
# lies between, and is less than a stick of 8 bits can say.
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A short drive and what must become of it.

    Attributes:
        raw: uint8 `(n, H, W, 3)`, consecutive frames as they were recorded, from a reset on.
        inputs: uint8 `(n, *contract.input_shape)`, to be met bit for bit: Pillow resamples in whole numbers.
        outputs: float32 `(n, len(spec))`, as `inference.predictor` gives them, to be met within `TOLERANCE`.
    """

    raw: npt.NDArray[np.uint8]
    inputs: npt.NDArray[np.uint8]
    outputs: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class DriverPackage:
    """A driver's files, looked through.

    Attributes:
        folder: with all of them.
        contract: what the network reads and gives.
        golden: frames that show whether both work here.
        network: the .keras file, not loaded yet.
        game: that it learned to drive; "" where the model does not say.
    """

    folder: Path
    contract: Contract
    golden: Golden
    network: Path
    game: str = ""


def make_golden(contract: Contract, raw: Sequence[RGB], predict: Predict) -> Golden:
    """What `raw` frames become with this contract and network.

    Args:
        contract: of the network.
        raw: consecutive source frames, uint8 `(H, W, 3)`; more than `(stack - 1) * stride` of them fill a stack.
        predict: from `inference.predictor`.

    Raises:
        KartError: there is no frame, or an output is not finite.
    """
    if not raw:
        raise KartError("Golden frames need at least one frame of a session.")
    inputs, outputs = _drive(contract, raw, predict)
    if not np.isfinite(outputs).all():
        raise KartError("The network gives outputs that are not finite; it is not worth keeping.")
    return Golden(np.stack(raw), inputs, outputs)


def save_model(
    model: "keras.Model",
    path: str,
    mlflow_model: "Model",
    contract: Contract,
    golden: Golden,
    game: str,
    signature: "ModelSignature",
    pip_requirements: list[str],
) -> None:
    """Write a driver's folder; with this function the module is a flavour that `mlflow.models.Model.log` takes.

    All files are there before MLflow uploads or registers anything, so no registered model is ever without them.

    Args:
        model: not compiled, so that no optimizer state goes along.
        path: of the folder, which must not exist.
        mlflow_model: what becomes `MLmodel`.
        contract: of the network.
        golden: made with both.
        game: that it drives.
        signature: of the network's input and heads.
        pip_requirements: named explicitly, because MLflow takes 30 s to infer them.
    """
    import mlflow.keras

    mlflow.keras.save_model(
        model, path, mlflow_model=mlflow_model, signature=signature, pip_requirements=pip_requirements
    )
    folder = Path(path)
    write_json(folder / CONTRACT, contract.to_dict())
    write_json(folder / ABOUT, {"game": game})
    np.savez_compressed(folder / GOLDEN, raw=golden.raw, inputs=golden.inputs, outputs=golden.outputs)


def read_package(folder: Path) -> DriverPackage:
    """Look through a driver's folder without loading or running anything of it.

    Raises:
        KartError: it is no driver (each missing part has its sentence), or it holds what could run code: pickles, code,
            an exported graph, a loader of its own, or a network of other parts than plain Keras layers.
    """
    check_files(folder)
    check_mlmodel(folder)
    contract = _read_contract(folder)
    golden = _read_golden(folder, contract)
    network = folder / NETWORK
    if not network.is_file():
        raise KartError(f"The model {folder} has no {NETWORK.as_posix()}; log it again.")
    check_keras_parts(network)
    return DriverPackage(folder, contract, golden, network, _read_game(folder))


def load_network(package: DriverPackage) -> "keras.Model":
    """The network of a package that `read_package` let pass.

    Raises:
        KartError: Keras refuses the file, or it does not fit the contract.
    """
    import keras

    try:
        model = keras.saving.load_model(package.network, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise KartError(f"Keras refuses {package.network}: {str(error).splitlines()[0]}") from error
    check_network(model, package.contract)
    return model


def verify_golden(package: DriverPackage, predict: Predict) -> float:
    """Let the golden frames go the player's whole way on this machine.

    Returns:
        The largest difference of an output from the recorded one.

    Raises:
        KartError: an input differs in a single bit, or an output by more than `TOLERANCE`.
    """
    golden, names = package.golden, package.contract.spec.names
    inputs, outputs = _drive(package.contract, list(golden.raw), predict)
    for number, (here, there) in enumerate(zip(inputs, golden.inputs, strict=True)):
        if different := int((here != there).sum()):
            raise KartError(
                f"Golden frame {number} of {package.folder} is prepared differently here than where the model was made "
                f"({different} of {there.size} values); use the releases of kart-pipeline and Pillow it was made with."
            )
    difference = np.abs(outputs - golden.outputs)
    if not (difference <= TOLERANCE).all():
        place, channel = np.unravel_index(int(np.argmax(np.nan_to_num(difference, nan=np.inf))), difference.shape)
        raise KartError(
            f"Golden frame {place} of {package.folder} gives another output here than where the model was made: "
            f"{names[channel]} {outputs[place, channel]:.4f}, not {golden.outputs[place, channel]:.4f}; the model is "
            "damaged, or made with an incompatible release of TensorFlow."
        )
    return float(difference.max())


def _drive(
    contract: Contract, raw: Sequence[RGB], predict: Predict
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Inputs and outputs of frames that come one after the other, as in the player."""
    frames = FrameStack(contract)
    inputs = np.stack([frames.push(rgb) for rgb in raw])
    return inputs, np.stack([predict(one) for one in inputs])


def _read_contract(folder: Path) -> Contract:
    path = folder / CONTRACT
    try:
        return Contract.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise KartError(
            f"The model {folder} has no contract ({CONTRACT.as_posix()}), so nobody knows what it reads; "
            "log it with kart-pipeline."
        ) from None
    except (KartError, OSError, ValueError, TypeError) as error:
        raise KartError(f"The contract of the model {folder} cannot be read: {error}") from error


def _read_game(folder: Path) -> str:
    path = folder / ABOUT
    try:
        return checked_id(json.loads(path.read_text(encoding="utf-8"))["game"], "game name")
    except FileNotFoundError:
        return ""
    except (KartError, OSError, ValueError, TypeError, KeyError) as error:
        raise KartError(f"{path} does not say which game the model drives: {error}") from error


def _read_golden(folder: Path, contract: Contract) -> Golden:
    path = folder / GOLDEN
    try:
        with np.load(path, allow_pickle=False) as arrays:
            golden = Golden(arrays["raw"], arrays["inputs"], arrays["outputs"])
    except FileNotFoundError:
        raise KartError(
            f"The model {folder} has no golden frames ({GOLDEN.as_posix()}), so nobody can tell whether it works here; "
            "log it with kart-pipeline."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise KartError(f"The golden frames of the model {folder} cannot be read: {error}") from error
    count = len(golden.raw)
    fits = (
        count > 0
        and golden.raw.dtype == golden.inputs.dtype == np.uint8
        and golden.raw.shape[1:] == (*golden.raw.shape[1:3], 3)
        and golden.inputs.shape == (count, *contract.input_shape)
        and golden.outputs.shape == (count, len(contract.spec))
    )
    if not fits:
        raise KartError(
            f"The golden frames of the model {folder} do not fit its contract: inputs {golden.inputs.shape[1:]} and "
            f"outputs {golden.outputs.shape[1:]}, not {contract.input_shape} and ({len(contract.spec)},)."
        )
    return golden
