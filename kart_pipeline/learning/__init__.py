"""TensorFlow: networks, augmentation, the input pipeline, training, evaluation, and what MLflow keeps of them."""

import os

# Read by the libraries when they are imported, which is later than this: every import of them is inside a function.
os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a keras.json in the home folder prefers
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
