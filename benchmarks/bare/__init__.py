"""The baseline: the same hops in dramatiq as it comes, without a ledger, a call budget or claims."""
