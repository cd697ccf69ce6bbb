"""Let a model drive: `python -m player --model-uri models:/car_racing@champion --game car_racing --video drive.mp4`."""

import sys

from player.cli import main

if __name__ == "__main__":  # not in the processes that --workers spawns, which import this module again
    sys.exit(main())
