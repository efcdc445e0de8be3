"""The writer: one process, several threads, every writing queue."""

import sys
from typing import Final

from workers.composition import writing_stages
from workers.process import serve
from workers.writing.actors import declare
from workers.writing.seats import THREADS

#: As few as threads, so that no writer hoards what another could write.
PREFETCH: Final = 8

if __name__ == "__main__":
    sys.exit(
        serve(
            "writer",
            lambda broker, parts, stopping: declare(broker, writing_stages(parts, stopping)),
            threads=THREADS,
            prefetch=PREFETCH,
        )
    )
