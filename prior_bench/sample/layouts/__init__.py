"""Writers of the sample data sets, one module per public layout.

Each module has three functions, so that several processes can share the images of one data set:

- ``cohort(size, benchmark)``: all its patients, in order;
- ``write(root, size, benchmark, chosen)``: writes the images of a slice of the patients, and yields a record
  of each, of plain types, in order;
- ``finish(root, size, benchmark, records)``: writes the tables and lists from the records of all images.
"""

from typing import Any

Record = dict[str, Any]
"""What the tables need to know of one image: plain types that go through JSON unchanged."""
EVERYONE = slice(None)
"""All patients of a cohort."""
