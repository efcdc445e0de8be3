"""What a comparison of a month looks like: a table, a JSON document, a sheet, a page to print."""
