"""The replayer: one process that sends held entries on when their causes are gone."""

import os
import sys

from shared.process import run
from workers.composition import releaser_of

if __name__ == "__main__":
    sys.exit(run("replayer", lambda parts, stopping: releaser_of(parts).run(stopping), os.environ))
