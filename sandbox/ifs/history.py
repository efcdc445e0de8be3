"""What IFS's history log remembers of one edit. Source: docs/apis/ifs.md#history-log."""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.ifs.shapes import EntityType, column
from sandbox.ifs.tables import Row, Table


class History:
    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._log = tables["HistoryLogOverviewSet"]

    def entries(
        self, kind: EntityType, old: Row | None, new: Row | None, stamp: str, user: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the log's rows for one edit, as (table, row): the entry, then one row a changed column."""
        row = new or old
        if row is None:
            return
        log_id = next(reversed(self._log.rows), (0,))[0] + 1
        action = "Insert" if old is None else "Delete" if new is None else "Update"
        yield (
            "HistoryLogOverviewSet",
            {
                "LogId": log_id,
                "LuName": kind.logged_as,
                "TimeStamp": stamp,
                "Username": user,
                "HistoryType": action,
                "Keys": kind.keyref(row.values),
            },
        )
        for name, place in kind.position.items():
            before = None if old is None else old.values[place]
            after = None if new is None else new.values[place]
            if before != after:
                yield (
                    "HistoryLogAttributeSet",
                    {
                        "LogId": log_id,
                        "ColumnName": column(name),
                        "ColumnNamePrompt": name,
                        "OldValue": None if before is None else str(before),
                        "NewValue": None if after is None else str(after),
                    },
                )
