"""`python -m dltrain` is the same as `dltrain`."""

import sys

from dltrain.cli import main

sys.exit(main())
