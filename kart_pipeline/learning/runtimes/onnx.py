"""ONNX Runtime: converted by `tf2onnx`, run on the CPU."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from kart_pipeline.learning.inference import Predict, Vector, answer_graph
from kart_pipeline.learning.package import DriverPackage, load_network
from kart_pipeline.learning.runtimes.runtime import TENSORFLOW, THREADS, ConvertingRuntime


class Onnx(ConvertingRuntime):
    """One thread; more would spin while they wait, at the game's expense."""

    name = "onnx"
    title = "ONNX Runtime"
    extra = "runtimes"
    needs: ClassVar[Mapping[str, str]] = {
        "onnxruntime": "onnxruntime",
        "tf2onnx": "tf2onnx",
        "onnx": "onnx",
        **TENSORFLOW,
    }
    suffix = ".onnx"

    def _convert(self, package: DriverPackage) -> bytes:
        import tf2onnx

        graph = answer_graph(load_network(package), package.contract)
        converted, _ = tf2onnx.convert.from_function(graph, input_signature=graph.input_signature)
        content: bytes = converted.SerializeToString()
        return content

    def _start(self, package: DriverPackage, path: Path) -> Predict:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = THREADS
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        (put,) = session.get_inputs()

        def predict(frame: npt.NDArray[np.uint8]) -> Vector:
            vector: Vector = session.run(None, {put.name: frame[None]})[0]
            return vector

        predict(np.zeros(package.contract.input_shape, np.uint8))
        return predict
