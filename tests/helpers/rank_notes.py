"""A hook that notes in the folder of a pre-training which processes train, and which GPUs they see."""

import os
from pathlib import Path

from mmengine.hooks import Hook


class RankNotes(Hook):
    """Writes a file per process: its name is the rank, its content ``CUDA_VISIBLE_DEVICES``."""

    version = 1

    def before_train(self, runner):
        note = Path(runner.work_dir) / f"rank_{runner.rank}_of_{runner.world_size}.txt"
        note.write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
