import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kart_pipeline.core.contract import Contract, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.networks import NETWORKS, build_network
from kart_pipeline.learning.package import (
    ABOUT,
    CONTRACT,
    GOLDEN,
    NETWORK,
    TOLERANCE,
    Golden,
    load_network,
    make_golden,
    read_package,
    save_model,
    verify_golden,
)

Tamper = Callable[[Path], object]


def save(folder: Path, network: Any, contract: Contract, golden: Golden) -> Path:
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    signature = ModelSignature(Schema([TensorSpec(np.dtype("uint8"), (-1, *contract.input_shape))]))
    save_model(network, str(folder), Model(), contract, golden, "drawn", signature, ["keras"])
    return folder


@pytest.fixture
def folder(tmp_path: Path, network: Any, contract: Contract, golden: Golden) -> Path:
    return save(tmp_path / "model", network, contract, golden)


def test_what_is_read_is_what_was_saved(folder: Path, contract: Contract, golden: Golden) -> None:
    package = read_package(folder)
    assert package.contract == contract
    assert package.contract.hash == contract.hash
    assert package.game == "drawn"
    for name in ("raw", "inputs", "outputs"):
        assert np.array_equal(getattr(package.golden, name), getattr(golden, name))


def test_a_model_from_before_models_named_their_game_can_be_read(folder: Path) -> None:
    (folder / ABOUT).unlink()
    assert read_package(folder).game == ""


def test_the_loaded_network_answers_as_the_saved_one(
    folder: Path, contract: Contract, network: Any, golden: Golden
) -> None:
    package = read_package(folder)
    predict = predictor(load_network(package), contract)
    assert np.array_equal(predict(golden.inputs[2]), predictor(network, contract)(golden.inputs[2]))
    assert verify_golden(package, predict) == 0


@pytest.mark.parametrize(("colour", "stack"), [("yuv", 3), ("grey", 2), ("rgb", 1)])
def test_golden_frames_hold_for_any_contract(tmp_path: Path, contract: Contract, colour: str, stack: int) -> None:
    contract = replace(
        contract,
        colour=colour,  # type: ignore[arg-type]
        stack=stack,
        stride=2,
        crop=Region(0, 0.2, 1, 1),
        masks=(Region(0, 0, 9, 60, "pixel"),),
    )
    network = build_network("pilotnet", contract)
    raw = list(np.random.default_rng(0).integers(0, 256, (6, 90, 110, 3), np.uint8))
    folder = save(tmp_path / "model", network, contract, make_golden(contract, raw, predictor(network, contract)))
    package = read_package(folder)
    assert package.golden.inputs.shape == (6, *contract.input_shape)
    assert verify_golden(package, predictor(load_network(package), contract)) == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_let_pass_and_answers_as_before_it_was_saved(
    tmp_path: Path, contract: Contract, name: str
) -> None:
    tile = Inset(Region(0, 0.8, 0.5, 1), width=24, height=8)
    contract = replace(contract, stack=2, inset=tile)
    network = build_network(name, contract, dropout=0.1, bins=7)
    rng = np.random.default_rng(0)
    raw = [rng.integers(0, 256, (80, 90, 3), np.uint8) for _ in range(3)]
    golden = make_golden(contract, raw, predictor(network, contract))
    package = read_package(save(tmp_path / "model", network, contract, golden))
    assert verify_golden(package, predictor(load_network(package), contract)) == 0


def test_golden_frames_of_a_network_that_gives_nonsense_are_refused(contract: Contract) -> None:
    frame = np.zeros((62, 66, 3), np.uint8)
    with pytest.raises(KartError, match="not finite"):
        make_golden(contract, [frame], lambda _: np.full(len(contract.spec), np.nan, np.float32))
    with pytest.raises(KartError, match="at least one frame"):
        make_golden(contract, [], lambda _: np.zeros(len(contract.spec), np.float32))


def test_a_difference_that_another_cpu_makes_is_tolerated_and_a_larger_one_is_not(folder: Path) -> None:
    package = read_package(folder)
    answers = {one.tobytes(): output for one, output in zip(package.golden.inputs, package.golden.outputs, strict=True)}
    assert verify_golden(package, lambda one: answers[one.tobytes()] + TOLERANCE / 2) == pytest.approx(
        TOLERANCE / 2, rel=0.01
    )
    with pytest.raises(KartError, match="gives another output"):
        verify_golden(package, lambda one: answers[one.tobytes()] + TOLERANCE * 2)
    with pytest.raises(KartError, match="gives another output"):
        verify_golden(package, lambda one: answers[one.tobytes()] * np.float32(np.nan))


def change_golden(array: str, change: Callable[[Any], Any]) -> Tamper:
    def tamper(folder: Path) -> None:
        with np.load(folder / GOLDEN) as arrays:
            changed = dict(arrays)
        changed[array] = change(changed[array])
        np.savez_compressed(folder / GOLDEN, **changed)

    return tamper


@pytest.mark.parametrize(
    ("array", "change", "sentence"),
    [
        ("inputs", lambda x: x ^ 1, r"Golden frame 0 .* prepared differently here .*\(12276 of 12276 values\)"),
        ("raw", lambda x: x[..., ::-1], "prepared differently"),
        ("outputs", lambda x: x + np.array([0, 0.1, 0, 0, 0]), r"gives another output .*: throttle "),
    ],
)
def test_golden_frames_that_do_not_reproduce_are_told_apart(
    folder: Path, array: str, change: Callable[[Any], Any], sentence: str
) -> None:
    change_golden(array, change)(folder)
    package = read_package(folder)
    with pytest.raises(KartError, match=sentence):
        verify_golden(package, predictor(load_network(package), package.contract))


def write(name: str | Path, content: bytes = b"x") -> Tamper:
    def tamper(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return tamper


def remove(name: str | Path) -> Tamper:
    return lambda folder: (folder / name).unlink()


def in_mlmodel(old: str, new: str) -> Tamper:
    def tamper(folder: Path) -> None:
        text = (folder / "MLmodel").read_text()
        assert old in text
        (folder / "MLmodel").write_text(text.replace(old, new))

    return tamper


def in_network(change: Callable[[dict[str, Any]], object]) -> Tamper:
    """Change config.json within the .keras file."""

    def tamper(folder: Path) -> None:
        with zipfile.ZipFile(folder / NETWORK) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(parts["config.json"])
        change(config)
        parts["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(folder / NETWORK, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    return tamper


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        pytest.param(remove(CONTRACT), "has no contract", id="no contract"),
        pytest.param(write(CONTRACT, b"{"), "contract of the model .* cannot be read", id="half a contract"),
        pytest.param(
            write(CONTRACT, b"[1]"), "contract of the model .* cannot be read", id="a contract of another kind"
        ),
        pytest.param(write(ABOUT, b'{"game": 3}'), "does not say which game", id="a game without a name"),
        pytest.param(remove(GOLDEN), "has no golden frames", id="no golden frames"),
        pytest.param(write(GOLDEN), "golden frames of the model .* cannot be read", id="junk for golden frames"),
        pytest.param(
            change_golden("raw", lambda x: x.astype(object)), "golden frames .* cannot be read", id="a pickle in an npz"
        ),
        pytest.param(
            change_golden("inputs", lambda x: x[:, 1:]), "do not fit its contract", id="golden of another size"
        ),
        pytest.param(change_golden("raw", lambda x: x[:0]), "do not fit its contract", id="golden without frames"),
        pytest.param(write("python_model.pkl"), r"pickled part \(python_model.pkl\)", id="a pickle"),
        pytest.param(write("data/global_custom_objects.cloudpickle"), "pickled part", id="MLflow's cloudpickle"),
        pytest.param(write("code/anything.txt"), "code of its own", id="a code folder"),
        pytest.param(write("data/layers.py"), "code of its own", id="a module elsewhere"),
        pytest.param(write("data/model/saved_model.pb"), "exported graph", id="a saved model"),
        pytest.param(
            in_mlmodel("save_exported_model: false", "save_exported_model: true"), "exported graph", id="exported"
        ),
        pytest.param(
            in_mlmodel("loader_module: mlflow.keras", "loader_module: os"), "loaded by code of its own", id="a loader"
        ),
        pytest.param(
            in_mlmodel("  keras:\n", "  sklearn: {}\n  keras:\n"), "loaded by code of its own", id="one more flavour"
        ),
        pytest.param(in_mlmodel("  keras:\n", "  tensorflow:\n"), "no flavour 'keras'", id="another flavour"),
        pytest.param(in_mlmodel("data: data", "data: ../elsewhere"), "elsewhere in its MLmodel", id="files elsewhere"),
        pytest.param(write("MLmodel", b"flavors: [1"), "MLmodel cannot be read", id="half an MLmodel"),
        pytest.param(remove("MLmodel"), "has no MLmodel", id="no MLmodel"),
        pytest.param(remove(NETWORK), r"has no data/model\.keras", id="no network"),
        pytest.param(write(NETWORK), "is no Keras model", id="junk for a network"),
        pytest.param(
            in_network(lambda config: config["config"]["layers"][1].update(class_name="Lambda")),
            "holds 'Lambda' .* not plain Keras",
            id="a Lambda layer",
        ),
        pytest.param(
            in_network(lambda config: config["config"]["layers"][1].update(module="os")),
            "of 'os', which is not plain Keras",
            id="a layer of another module",
        ),
        pytest.param(
            in_network(lambda config: config["config"]["layers"][1].update(registered_name="evil>Layer")),
            "not plain Keras",
            id="a registered class",
        ),
        pytest.param(
            in_network(
                lambda config: config["config"]["layers"][2]["config"].update(
                    activation={
                        "module": "keras.config",
                        "class_name": "function",
                        "config": "enable_unsafe_deserialization",
                    }
                )
            ),
            "holds 'function' of 'keras.config'",
            id="a function that opens the safe mode",
        ),
    ],
)
def test_a_folder_that_cannot_be_trusted_is_refused_with_its_own_sentence(
    folder: Path, tamper: Tamper, sentence: str
) -> None:
    tamper(folder)
    with pytest.raises(KartError, match=sentence):
        read_package(folder)


def test_a_layer_that_hides_within_the_network_of_each_frame_is_refused(tmp_path: Path, contract: Contract) -> None:
    contract = replace(contract, stack=2)
    network = build_network("recurrent", contract)
    golden = make_golden(contract, [np.zeros((62, 66, 3), np.uint8)], predictor(network, contract))
    folder = save(tmp_path / "model", network, contract, golden)

    def hide(config: dict[str, Any]) -> None:
        each = next(layer for layer in config["config"]["layers"] if layer["class_name"] == "TimeDistributed")
        each["config"]["layer"]["config"]["layers"][1]["class_name"] = "Lambda"

    in_network(hide)(folder)
    with pytest.raises(KartError, match=r"holds 'Lambda' .* not plain Keras"):
        read_package(folder)


def test_weights_that_keras_cannot_read_are_a_sentence(folder: Path) -> None:
    with zipfile.ZipFile(folder / NETWORK) as archive:
        config = archive.read("config.json")
        metadata = archive.read("metadata.json")
    with zipfile.ZipFile(folder / NETWORK, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", metadata)
        archive.writestr("model.weights.h5", b"nothing")
    with pytest.raises(KartError, match="Keras refuses"):
        load_network(read_package(folder))


def test_a_network_for_other_channels_than_the_contracts_is_refused(folder: Path, contract: Contract) -> None:
    other = replace(contract, spec=replace(contract.spec, buttons=("A", "L", "Z"), mirrored_buttons=()))
    build_network("pilotnet", other).save(folder / NETWORK)
    with pytest.raises(KartError, match=r"maps .* to A, L, Z, steer, throttle, its contract .* A, L, R"):
        load_network(read_package(folder))
