from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.package import NETWORK, DriverPackage, Golden
from kart_pipeline.learning.runtimes.kept import digest, folder_of, recommended, save_bench

EMPTY: Any = Golden(*(np.zeros(0, dtype) for dtype in (np.uint8, np.uint8, np.float32)))


def package(folder: Path, contract: Contract, content: bytes = b"network") -> DriverPackage:
    (folder / NETWORK).parent.mkdir(parents=True)
    (folder / NETWORK).write_bytes(content)
    return DriverPackage(folder, contract, EMPTY, folder / NETWORK)


def test_a_network_is_known_by_its_content_wherever_it_lies(tmp_path: Path, contract: Contract) -> None:
    here, there = package(tmp_path / "a", contract), package(tmp_path / "b", contract)
    assert digest(here) == digest(there) != digest(package(tmp_path / "c", contract, b"another"))
    assert folder_of(tmp_path, here) == tmp_path / "runtimes" / digest(here)


def test_without_a_bench_nothing_is_recommended_and_after_one_its_best_is(tmp_path: Path) -> None:
    assert recommended(tmp_path) is None
    path = save_bench(tmp_path, {"recommended": "tflite"})
    assert recommended(tmp_path) == "tflite"
    path.write_text("{")
    with pytest.raises(KartError, match=r"bench-.* cannot be read .*player bench` again"):
        recommended(tmp_path)


def test_a_bench_of_another_machine_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_bench(tmp_path, {"recommended": "tflite"})
    monkeypatch.setattr("platform.node", lambda: "another")
    assert recommended(tmp_path) is None
