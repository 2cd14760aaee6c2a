"""`python -m dltrain` is the same as `dltrain`."""

import sys

from dltrain.cli.main import main

sys.exit(main())
