"""Why a record is held: a code, the field and value that are the culprit, and what to do."""

from typing import Final

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One reason not to write a record.

    `company` and `value` name the culprit and, with `code`, the cause that several records may share.
    """

    code: str
    field: str
    value: str
    message: str
    remedy: str
    company: str = ""


#: Ends the field of a finding about IFS's own chart, which a look at IFS may explain away.
IN_IFS: Final = " in IFS"


def is_about_ifs(finding: Finding) -> bool:
    """Say whether IFS's own chart is the reason, and not Cin7's."""
    return finding.field.endswith(IN_IFS)


class Difference(Finding, frozen=True, kw_only=True):
    """A field on which the two sides differ, with its three values: in common before, in IFS, in Cin7."""

    before: str
    ifs: str
    cin7: str


#: Codes whose cause can be seen to be gone by looking again (chart, mapping tables, links); their records go on by
#: themselves. All others need a person's judgement.
SELF_CLEARING: Final = frozenset(
    {
        "company.unmapped",
        "account.missing",
        "account.inactive",
        "account.unmapped",
        "term.unmapped",
        "tax.unmapped",
        "site.unmapped",
        "product.missing",
        "period.locked",
        "dependency.missing",
    }
)

CODES: Final = SELF_CLEARING | {
    "supplier.possible-duplicate",
    "supplier.conflict",
    "supplier.unknown",
    "currency.mismatch",
    "total.mismatch",
    "purchase.locked",
    "journal.unbalanced",
    "target.refused",
    "source.invalid",
    "crashes-worker",
    "retries.exhausted",
    "bug",
}
