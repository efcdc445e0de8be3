"""The receiver of Cin7's webhooks: a process of its own, so that what faces the world holds nothing but hints."""
