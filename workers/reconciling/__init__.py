"""Proves a month: what IFS, the ledger and Cin7 hold of each document, side by side, and why they differ."""
