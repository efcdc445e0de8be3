"""The whole connector on this machine, against stand-ins of both systems and a made-up world."""
