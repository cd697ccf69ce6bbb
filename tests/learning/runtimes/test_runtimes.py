"""Every runtime gives the answers of every network, or says why it cannot."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from kart_pipeline.core.contract import Contract, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.inference import Predict, predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import NETWORK, TOLERANCE, DriverPackage, make_golden, verify_golden
from kart_pipeline.learning.runtimes import RUNTIMES, runtime_named
from kart_pipeline.learning.runtimes.runtime import ConvertingRuntime, Runtime

TILE = Inset(Region(0, 0.8, 0.5, 1), width=24, height=8)


@pytest.fixture(scope="session")
def make_package(tmp_path_factory: pytest.TempPathFactory, contract: Contract) -> Any:
    """A network with the weights that it begins with, as the files that a runtime reads."""

    def make(network: str = "pilotnet", bins: int | None = 7, **changes: Any) -> DriverPackage:
        import keras

        keras.utils.set_random_seed(1)
        made = replace(contract, **changes)
        model = build_network(network, made, bins=bins)
        rng = np.random.default_rng(0)
        golden = make_golden(made, list(rng.integers(0, 256, (3, 62, 66, 3), np.uint8)), predictor(model, made))
        folder = tmp_path_factory.mktemp("package")
        (folder / NETWORK).parent.mkdir()
        model.save(folder / NETWORK)
        return DriverPackage(folder, made, golden, folder / NETWORK, "drawn")

    return make


@pytest.fixture(scope="session")
def packages(make_package: Any) -> dict[str, DriverPackage]:
    return {
        "pilotnet": make_package("pilotnet", None),
        "pilotnet, bins": make_package("pilotnet"),
        "recurrent, bins, inset": make_package("recurrent", stack=2, inset=TILE, width=48, height=40),
    }


@pytest.mark.parametrize("network", ["pilotnet", "pilotnet, bins", "recurrent, bins, inset"])
@pytest.mark.parametrize("name", RUNTIMES)
def test_every_runtime_reproduces_the_golden_frames(
    packages: dict[str, DriverPackage], tmp_path: Path, name: str, network: str
) -> None:
    package = packages[network]
    predict = RUNTIMES[name].open(package, tmp_path / "not yet there")
    assert verify_golden(package, predict) < TOLERANCE / 10
    answer = predict(package.golden.inputs[0])
    assert answer.dtype == np.float32
    kept = answer.copy()
    predict(package.golden.inputs[1])
    assert np.array_equal(answer, kept), "an answer must not change when the next frame is asked for"


@pytest.mark.parametrize("name", [name for name, runtime in RUNTIMES.items() if isinstance(runtime, ConvertingRuntime)])
def test_a_conversion_is_kept_and_not_made_again(
    packages: dict[str, DriverPackage], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, package = RUNTIMES[name], packages["pilotnet"]
    assert isinstance(runtime, ConvertingRuntime)
    monkeypatch.setattr(type(runtime), "_convert", lambda *_: b"a network")
    assert runtime.convert(package, tmp_path) is True
    assert runtime.convert(package, tmp_path) is False
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"a network"]
    with pytest.raises(KartError, match=f"The runtime {name} cannot run this network here"):
        runtime.open(package, tmp_path)


@pytest.mark.parametrize("name", [name for name, runtime in RUNTIMES.items() if isinstance(runtime, ConvertingRuntime)])
def test_a_kept_conversion_that_is_damaged_is_made_anew(
    packages: dict[str, DriverPackage], tmp_path: Path, name: str
) -> None:
    runtime, package = RUNTIMES[name], packages["pilotnet"]
    assert isinstance(runtime, ConvertingRuntime)
    runtime.convert(package, tmp_path)
    runtime.file(tmp_path).write_bytes(runtime.file(tmp_path).read_bytes()[:300])
    assert verify_golden(package, runtime.open(package, tmp_path)) < TOLERANCE / 10
    assert len(runtime.file(tmp_path).read_bytes()) > 300


def test_a_conversion_that_cannot_be_kept_is_a_sentence(packages: dict[str, DriverPackage], tmp_path: Path) -> None:
    (tmp_path / "runtimes").write_text("a file where a folder should be")
    with pytest.raises(KartError, match=r"cannot be kept in .* make room there"):
        RUNTIMES["tflite"].open(packages["pilotnet"], tmp_path / "runtimes" / "0123")


class Broken(Runtime):
    name = "broken"
    title = "Broken"
    extra = "runtimes"
    needs: ClassVar[Mapping[str, str]] = {}

    def _open(self, package: DriverPackage, folder: Path) -> Predict:  # noqa: ARG002 - as every runtime has it
        raise ValueError("\n  op 'X' is not supported\n  at line 3")


class Away(Broken):
    needs: ClassVar[Mapping[str, str]] = {"no_such_module": "no-such-package", "json": "json"}


def test_what_a_runtime_cannot_run_is_refused_with_the_reason_in_one_line(
    packages: dict[str, DriverPackage], tmp_path: Path
) -> None:
    with pytest.raises(KartError, match=r"broken cannot run this network here \(op 'X' is not supported\)"):
        Broken().open(packages["pilotnet"], tmp_path)


def test_a_runtime_that_is_not_installed_names_the_command_that_brings_it(
    packages: dict[str, DriverPackage], tmp_path: Path
) -> None:
    with pytest.raises(KartError, match=r"needs no-such-package, .*: pip install 'kart-pipeline\[runtimes\]'"):
        Away().open(packages["pilotnet"], tmp_path)


def test_an_unknown_runtime_is_answered_with_those_that_exist() -> None:
    with pytest.raises(KartError, match="choose one of keras, xla, tflite, onnx"):
        runtime_named("torch")
