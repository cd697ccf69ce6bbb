"""LiteRT, which was TensorFlow Lite: converted by TensorFlow, run by `ai-edge-litert`.

TensorFlow's own interpreter, `tf.lite.Interpreter`, warns that it is going to be removed and names this package.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from kart_pipeline.learning.inference import Predict, Vector, answer_graph
from kart_pipeline.learning.package import DriverPackage, load_network
from kart_pipeline.learning.runtimes.runtime import TENSORFLOW, THREADS, ConvertingRuntime


class LiteRT(ConvertingRuntime):
    """One thread, whose kernels are XNNPACK's."""

    name = "tflite"
    title = "LiteRT"
    extra = "runtimes"
    needs: ClassVar[Mapping[str, str]] = {"ai_edge_litert": "ai-edge-litert", **TENSORFLOW}
    suffix = ".tflite"

    def _convert(self, package: DriverPackage) -> bytes:
        import tensorflow as tf
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        network = load_network(package)  # held until the end: the graph holds its variables weakly
        graph = answer_graph(network, package.contract).get_concrete_function()
        # With its variables left in, the converter writes a network without weights, which answers NaN.
        frozen = convert_variables_to_constants_v2(graph)
        content: bytes = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module()).convert()
        return content

    def _start(self, package: DriverPackage, path: Path) -> Predict:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=str(path), num_threads=THREADS)
        interpreter.allocate_tensors()
        (put,), (get,) = interpreter.get_input_details(), interpreter.get_output_details()

        def predict(frame: npt.NDArray[np.uint8]) -> Vector:
            interpreter.set_tensor(put["index"], frame[None])
            interpreter.invoke()
            vector: Vector = interpreter.get_tensor(get["index"])
            return vector

        predict(np.zeros(package.contract.input_shape, np.uint8))
        return predict
