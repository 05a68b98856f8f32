"""`python -m collector.demo`: the same as `farside demo`."""

import sys

from collector.demo.run import main

sys.exit(main(sys.argv[1:]))
