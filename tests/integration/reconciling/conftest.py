"""A ledger on an empty database, and a month that was brought over."""

from tests.integration.ledger import fixtures

emptied_url = fixtures.emptied_url
database_url = fixtures.database_url
ledger = fixtures.ledger
client = fixtures.client
