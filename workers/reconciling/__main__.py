"""The reconciler: one process that proves this month and the one before every night."""

import os
import sys

from shared.process import run
from workers.reconciling.nightly import Nightly

if __name__ == "__main__":
    sys.exit(run("reconciler", lambda parts, stopping: Nightly(parts).run(stopping), os.environ))
