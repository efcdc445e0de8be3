"""The mapper: one process, several threads, every mapping queue."""

import sys
from typing import Final

from workers.composition import mapping_stages
from workers.mapping.actors import declare
from workers.process import serve

#: Mapping is pure Python; more threads would only wait for each other.
THREADS: Final = 4
PREFETCH: Final = 16

if __name__ == "__main__":
    sys.exit(
        serve(
            "mapper",
            lambda broker, parts, _: declare(broker, mapping_stages(parts)),
            threads=THREADS,
            prefetch=PREFETCH,
        )
    )
