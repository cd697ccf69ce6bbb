"""`python -m kart_pipeline.learning.worker TRAINING_SET`: gives its share of a training; see `workers`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.training_set import load_training_set
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.workers import share_of_environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Train along.

    Returns:
        The exit status: 0; 2 after a mistake that a person can mend, or where another worker has gone.
    """
    parser = argparse.ArgumentParser(prog="python -m kart_pipeline.learning.worker", description=__doc__)
    parser.add_argument("training_set", type=Path, help="training_set.parquet, with its frames beside it as usual")
    parser.add_argument(
        "--hyper", default="{}", metavar="JSON", help="the hyper-parameters of worker 0, as Dagster shows them"
    )
    given = parser.parse_args(arguments)
    try:
        share = share_of_environment()
        if share.count < 2 or share.index == 0:
            raise KartError(
                "TF_CONFIG must name at least two workers and say which of the later ones this is; worker 0 is the "
                "training itself, as Dagster runs it."
            )
        hyper = _hyper(given.hyper)
        from kart_pipeline.learning.training import train

        result = train(load_training_set(given.training_set), hyper)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Worker {share.index} has done its share: {len(result.history)} epochs, {result.ended}.\n")
    return 0


def _hyper(text: str) -> HyperParameters:
    try:
        return HyperParameters(**json.loads(text))
    except (TypeError, ValueError) as error:
        raise KartError(f"--hyper is JSON of hyper-parameters by name, not {text!r} ({error}).") from error


if __name__ == "__main__":
    sys.exit(main())
