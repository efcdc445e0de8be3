"""First contact: tries the real systems and everything that the configuration names, and writes nothing in either."""
