"""``python -m prior_bench``: the command line."""

import os
import sys
from pathlib import Path

# ``python -m`` searches modules in the working folder first. A file there must not hide a library; with the
# ``prior-bench`` script it does not, either. (A checkout that is not installed is itself in the working
# folder.)
here = os.getcwd()
if sys.path[:1] in ([""], [here]) and Path(__file__).resolve().parent.parent != Path(here).resolve():
    del sys.path[0]

from prior_bench.cli import main  # noqa: E402

sys.exit(main())
