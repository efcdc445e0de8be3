"""A stand-in for Cin7 Core's API v2, built from its documentation alone: as strict and as odd as the service."""

from sandbox.cin7.program import Cin7Sandbox

__all__ = ["Cin7Sandbox"]
