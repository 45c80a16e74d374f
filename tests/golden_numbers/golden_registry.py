"""All golden cases by the kind of their numbers: a file in ``pinned/`` for each kind."""

import golden_data
import golden_dense
import golden_encoders
import golden_images
import golden_methods
import golden_metrics
import golden_pretraining
import golden_statistics
import golden_tasks
from golden_case import Case

KINDS: dict[str, list[Case]] = {
    "images": golden_images.CASES,
    "fractions": golden_data.FRACTION_CASES,
    "prompts": golden_data.PROMPT_CASES,
    "readers": golden_data.READER_CASES,
    "sample": golden_data.SAMPLE_CASES,
    "metrics": golden_metrics.CASES,
    "statistics": golden_statistics.CASES,
    "encoders": golden_encoders.CASES,
    "methods": golden_methods.CASES,
    "dense": golden_dense.CASES,
    "tasks": golden_tasks.CASES,
    "pretraining": golden_pretraining.CASES,
}

UNPINNED = {
    "metric images_per_second": "a time",
    "metric peak_memory_mb": "of a GPU",
    "generator rehearsal": "no result is made of it but times; tests/rehearsal compares its counts",
}
"""Parts with a version that no case can guard, and why."""
