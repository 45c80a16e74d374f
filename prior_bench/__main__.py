"""``python -m prior_bench``: the command line."""

import sys

from prior_bench.cli import main

sys.exit(main())
