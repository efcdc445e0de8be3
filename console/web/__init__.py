"""What other programs ask the connector over HTTP: whether it is alive and ready, and its figures."""
