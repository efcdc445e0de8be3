"""Reference data: chart of accounts, payment terms, tax rules, locations, attribute sets, products, /me."""

from collections.abc import Iterable

from sandbox.cin7.calls import Call, listing
from sandbox.cin7.company import name_key
from sandbox.cin7.errors import Refused
from sandbox.cin7.wire import Json, instant


def me(call: Call) -> Json:
    return call.company.me


def accounts(call: Call) -> Json:
    """List the chart. A code that matches nothing is an error here, not an empty list."""
    rows: Iterable[Json] = call.company.books["chart"].values()
    if code := call.text("code"):
        rows = [row for row in rows if row["Code"] == code]
        if not rows:
            raise Refused(["Account with specified ID not found"])
    rows = _matching(call, rows, "Type", "Status")
    if call.company.switches["system_account_style"] == "old":
        rows = [_old_style(row) for row in rows]
    return listing(call, "AccountsList", rows)


def _old_style(row: Json) -> Json:
    return {**{key: row[key] for key in row if key != "SystemAccountCode"}, "SystemAccount": row["SystemAccountCode"]}


def payment_terms(call: Call) -> Json:
    rows = call.company.books["terms"].values()
    return listing(call, "PaymentTermList", _matching(call, rows, "ID", "Duration", "Method", "IsActive", "IsDefault"))


def tax_rules(call: Call) -> Json:
    rows = call.company.books["taxes"].values()
    fields = ("ID", "IsActive", "IsTaxForSale", "IsTaxForPurchase", "Account")
    return listing(call, "TaxRuleList", _matching(call, rows, *fields))


def locations(call: Call) -> Json:
    """List the warehouses, and each bin again as a row with a `ParentID`."""
    rows: list[Json] = []
    for place in call.company.books["locations"].values():
        rows.append(place)
        inherited = {**place, "IsDefault": False, "Bins": [], "ParentID": place["ID"]}
        rows.extend({**inherited, "ID": item["ID"], "Name": item["Name"]} for item in place["Bins"])
    if deprecated := call.text("deprecated"):
        rows = [row for row in rows if str(row["IsDeprecated"]).lower() == deprecated.lower()]
    return listing(call, "LocationList", _matching(call, rows, "ID"))


def attribute_sets(call: Call) -> Json:
    return listing(call, "AttributeSetList", _matching(call, call.company.books["attribute_sets"].values(), "ID"))


def products(call: Call) -> Json:
    rows: Iterable[Json] = call.company.books["products"].values()
    if not call.flag("includedeprecated"):
        rows = (row for row in rows if str(row["Status"]).lower() != "deprecated")
    if call.text("modifiedsince"):
        is_new = call.since("modifiedsince")
        rows = (row for row in rows if (changed := instant(row["LastModifiedOn"])) and is_new(changed))
    anywhere = call.company.switches["product_match"] == "contains"
    for parameter, field in (("name", "Name"), ("sku", "SKU")):
        if wanted := name_key(call.text(parameter)):
            rows = [row for row in rows if _fits(name_key(str(row[field])), wanted, anywhere=anywhere)]
    if wanted := call.text("id").lower():
        rows = [row for row in rows if str(row["ID"]).lower() == wanted]
    return listing(call, "Products", rows)


def _fits(text: str, wanted: str, *, anywhere: bool) -> bool:
    return wanted in text if anywhere else text.startswith(wanted)


def _matching(call: Call, rows: Iterable[Json], *fields: str) -> list[Json]:
    """Return the rows whose name starts as asked and whose fields equal what is asked, ignoring case."""
    if prefix := name_key(call.text("name")):
        rows = [row for row in rows if name_key(str(row["Name"])).startswith(prefix)]
    for field in fields:
        if wanted := call.text(field.lower()).lower():
            rows = [row for row in rows if str(row[field]).lower() == wanted]
    return list(rows)
