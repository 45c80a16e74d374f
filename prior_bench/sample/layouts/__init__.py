"""Writers of the sample data sets, one module per public layout.

Each module has three functions, so that several processes can share the images of one data set:

- ``cohort(size, benchmark)`` returns all patients in order.
- ``write(root, size, benchmark, chosen)`` writes the images of a slice of the patients and yields records of
  them, in order.
- ``finish(root, size, benchmark, records)`` writes the tables and lists from the records of all images.
"""

from typing import Any

Record = dict[str, Any]
"""The information on one image that the tables need, in plain types that can be sent as JSON."""
EVERYONE = slice(None)
"""All patients of a cohort."""
