"""``python -m rmq``, the same as ``rmq``."""

import sys

from rmq.cli import main

sys.exit(main())
