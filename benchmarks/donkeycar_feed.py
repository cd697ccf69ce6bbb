"""What donkeycar's own loader does with a folder of pictures; run by `benchmarks.feed` with donkeycar's Python.

Prints a line of JSON: frames per second in the first epoch, in a later one, whose pictures it keeps in memory, and in
a first one with its own augmentation by brightness and blur.
"""

import json
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

BATCH = 64


def main() -> None:
    """Write a tub as donkeycar does, and read it as its training does."""
    import donkeycar as dk
    import numpy as np
    from donkeycar.config import Config
    from donkeycar.parts.keras import KerasLinear
    from donkeycar.parts.tub_v2 import Tub
    from donkeycar.pipeline.training import BatchSequence
    from donkeycar.pipeline.types import TubDataset
    from PIL import Image

    pictures = sorted(Path(sys.argv[1]).glob("*.jpg"))
    config = Config()
    config.from_pyfile(str(Path(dk.__file__).parent / "templates" / "cfg_complete.py"))
    config.IMAGE_W, config.IMAGE_H, config.BATCH_SIZE = 200, 66, BATCH
    speeds = {}
    with tempfile.TemporaryDirectory() as folder:
        tub = Tub(
            folder,
            inputs=["cam/image_array", "user/angle", "user/throttle", "user/mode"],
            types=["image_array", "float", "float", "str"],
        )
        for number, path in enumerate(pictures):
            record = {"cam/image_array": np.asarray(Image.open(path)), "user/mode": "user"}
            tub.write_record({**record, "user/angle": (number % 20) / 10 - 1, "user/throttle": 0.5})
        tub.close()
        for names, augmentations in ((("first", "cached"), []), (("augmented",), ["BRIGHTNESS", "BLUR"])):
            config.AUGMENTATIONS = augmentations
            dataset = TubDataset(config=config, tub_paths=[folder])
            records = dataset.get_records()
            sequence = BatchSequence(KerasLinear(input_shape=(66, 200, 3)), config, records, is_train=True)
            batches = iter(sequence.create_tf_data().prefetch(-1))
            for name in names:
                count = len(records) // BATCH
                began = time.perf_counter()
                for _ in islice(batches, count):
                    pass
                speeds[name] = count * BATCH / (time.perf_counter() - began)
    print(json.dumps(speeds))  # noqa: T201 - read by the benchmark


if __name__ == "__main__":
    main()
