"""How far a long piece of work has come, kept in a JSON file, so that an interruption costs only the stage it hit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kart_pipeline.core.errors import KartError

T = TypeVar("T")


def load(path: Path, make: Callable[[Any], T], missing: T) -> T:
    """What `make` reads out of the file's content; `missing` where there is no file yet.

    Raises:
        KartError: the file is not what was written there; `make` says so by a KeyError, TypeError or ValueError.
    """
    try:
        return make(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return missing
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise KartError(f"{path} is damaged ({error!r}); delete it to begin anew.") from error
