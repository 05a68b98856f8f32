"""`python -m collector` is `farside`."""

import sys

from collector.cli import main

sys.exit(main())
