"""Run by a Python that has LeRobot: reads a dataset with LeRobot's own reader and writes what it got as .npz."""

import sys

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

source, target = sys.argv[1:]
whole = LeRobotDataset("kart/session", root=source)
windowed = LeRobotDataset("kart/session", root=source, delta_timestamps={"action": [0.0, 1 / whole.fps]})
rows = [whole[i] for i in range(len(whole))]
np.savez(
    target,
    pictures=np.stack([np.round(row["observation.images.screen"].numpy().transpose(1, 2, 0) * 255) for row in rows]),
    actions=np.stack([row["action"].numpy() for row in rows]),
    episodes=np.array([int(row["episode_index"]) for row in rows]),
    windows=np.stack([windowed[i]["action"].numpy() for i in range(len(rows))]),
    tasks=np.array([row["task"] for row in rows]),
)
