"""Reads documents of IFS as copies: all that are dated in a span, by company, or those with certain keys."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from shared.assembly import Assembly
from shared.flows import Flow
from shared.ifs import reading
from shared.ifs.odata import both
from shared.ifs.spans import Span, asked_for, names_company
from shared.ledger.views import foresight
from shared.origins import SOURCES
from shared.pulled import RawDocument
from shared.seeing import IfsLens
from workers.reconciling.copies import IfsCopy
from workers.reconciling.ifs_side import copy_of
from workers.reconciling.looking_at_cin7 import Progress

LANE: Final = "reconciliation"


class IfsLook:
    """One flow of one tenant, by the rules of the moment."""

    def __init__(self, parts: Assembly, flow: Flow, progress: Progress) -> None:
        self.parts = parts
        self.flow = flow
        self.progress = progress
        self.rules = parts.rules.get()
        self.stream = parts.settings.ifs.stream(flow.name)
        with parts.ledger.transaction() as cur:
            kept = foresight.mark(cur, flow.name).start_from
        self.lens: IfsLens = parts.ifs_lens(flow, self.stream.start_from or kept)

    def of_span(self, span: Span, companies: Sequence[str]) -> dict[str, IfsCopy]:
        """Return the documents of these companies that are dated within the span, whatever their state, by key.

        What names no company anywhere is among them: nobody else would miss it.

        Raises:
            ConnectorError: IFS cannot be read.
        """
        wanted = {*companies, ""}
        found: dict[str, IfsCopy] = {}
        # A set without the company is read once, and each document told by its site.
        for company in companies if names_company(self.parts.ifs, self.lens.bound, lane=LANE) else ("",):
            for document in self._documents(span, company):
                copy = self._copy(document)
                if span.has(copy.date) and copy.company in wanted:
                    found[document.key] = copy
                self.progress(f"{self.flow.name} of IFS", len(found), 0)
        return found

    def by_key(self, keys: Sequence[str]) -> dict[str, IfsCopy]:
        """Return those of these documents that IFS has."""
        if not keys:
            return {}
        documents = self.parts.read_by_key(self.flow, keys, LANE)
        return {key: self._copy(document) for key, document in documents.items()}

    def _documents(self, span: Span, company: str) -> Iterator[RawDocument]:
        asked = asked_for(self.parts.ifs, self.lens.bound, span, company=company, lane=LANE)
        stream = msgspec.structs.replace(self.stream, strategy="sweep", filter=both(self.stream.filter, asked))
        batches = reading.changed(
            self.parts.ifs,
            SOURCES[self.flow],
            stream,
            self.parts.settings.ifs,
            watermark=None,
            admit=lambda _: True,
            known=lambda _: set(),
            lane=LANE,
        )
        for batch in batches:
            yield from batch.documents

    def _copy(self, document: RawDocument) -> IfsCopy:
        return copy_of(document, self.flow, self.lens, self.rules)
