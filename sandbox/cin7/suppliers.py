"""GET, POST and PUT /supplier: one record per call, answered in the list envelope."""

import re

from sandbox.cin7.calls import Call, page_of
from sandbox.cin7.checking import Checker, check_payable, check_tax_rule, check_term, checker
from sandbox.cin7.company import Company, Supplier, name_key
from sandbox.cin7.errors import Problem, Refused, not_in_book
from sandbox.cin7.events import supplier_saved
from sandbox.cin7.seeding import ADDRESS_FIELDS, CONTACT_FIELDS, SUPPLIER_FIELDS, child_from
from sandbox.cin7.wire import ZERO_GUID, Json, guid, stamp

REQUIRED = ("Name", "Currency", "PaymentTerm", "AccountPayable", "TaxRule")
LENGTHS = {
    "Name": 256,
    "Currency": 3,
    "PaymentTerm": 256,
    "AccountPayable": 50,
    "TaxRule": 50,
    "Status": 50,
    "Comments": 256,
    "TaxNumber": 50,
    "AttributeSet": 50,
    **{f"AdditionalAttribute{place}": 256 for place in range(1, 11)},
}
ADDRESS_LENGTHS = {"Line1": 256, "Line2": 256, "City": 256, "State": 256, "Postcode": 20, "Country": 256, "Type": 20}
CONTACT_LENGTHS = {
    "Name": 256,
    "Phone": 50,
    "MobilePhone": 50,
    "Fax": 50,
    "Email": 256,
    "Website": 256,
    "Comment": 256,
}
ADDRESS_TYPES = {"billing": "Billing", "business": "Business", "shipping": "Shipping"}
STATUSES = {"active": "Active", "deprecated": "Deprecated"}

_CURRENCY = re.compile("[A-Z]{3}").fullmatch

#: ISO 3166 codes are this short, and Cin7 wants the country's name.
COUNTRY_CODE_LENGTH = 2


def suppliers(call: Call) -> Json:
    """List suppliers with addresses and contacts; there is no slimmer list and no detail endpoint."""
    known = call.company.suppliers
    if wanted := call.text("id"):
        one = known.by_id.get(guid(wanted) or "")
        found = [one] if one else []
    elif prefix := call.text("name"):
        found = list(known.starting_with(prefix))
    else:
        found = list(known.by_id.values())
    if not call.flag("includedeprecated"):
        found = [supplier for supplier in found if supplier.active]
    if call.text("modifiedsince"):
        is_new = call.since("modifiedsince")
        found = [supplier for supplier in found if is_new(supplier.modified)]
    return page_of(call, "SupplierList", found, lambda supplier: shown(supplier, written=False))


def shown(supplier: Supplier, *, written: bool) -> Json:
    """Return a supplier as answered: an empty text reads null, but is echoed as it is to a POST or PUT."""
    fields = supplier.fields if written else {key: _nulled(value) for key, value in supplier.fields.items()}
    return {
        **fields,
        "LastModifiedOn": stamp(supplier.modified),
        "Addresses": [{key: _nulled(value) for key, value in row.items()} for row in supplier.addresses],
        "Contacts": [{key: _nulled(value) for key, value in row.items()} for row in supplier.contacts],
    }


def _nulled(value: object) -> object:
    return None if value == "" else value


def create(call: Call) -> Json:
    body = call.body()
    supplier = save(call.company, None, body)
    call.company.counters["suppliers_created"] += 1
    return {"Total": 1, "Page": 1, "SupplierList": [shown(supplier, written=True)]}


def update(call: Call) -> Json:
    body = call.body()
    supplier = call.company.suppliers.by_id.get(guid(body.get("ID")) or "")
    if not body.get("ID"):
        raise Refused(["Required attribute ID is not provided."])
    if supplier is None:
        raise Refused(["Supplier with specified id does not exist"])
    save(call.company, supplier, body)
    call.company.counters["suppliers_updated"] += 1
    return {"Total": 1, "Page": 1, "SupplierList": [shown(supplier, written=True)]}


def save(company: Company, supplier: Supplier | None, body: Json) -> Supplier:
    """Create a supplier, or merge `body` into one: scalars left out stay; entries by ID, else added.

    Raises:
        Refused: with every problem found; nothing has been changed.
    """
    problems: list[Problem] = []
    check = checker(company, problems)
    fields = _scalars(company, check, body, supplier)
    old_addresses, old_contacts = (supplier.addresses, supplier.contacts) if supplier else ([], [])
    supplier_id = supplier.id if supplier else company.new_id()
    children = _Children(company, check, supplier_id)
    addresses = children.merged("Addresses", body, old_addresses, ADDRESS_FIELDS)
    contacts = children.merged("Contacts", body, old_contacts, CONTACT_FIELDS)
    if problems:
        raise Refused(problems)
    if supplier is None:
        made = Supplier({**SUPPLIER_FIELDS, **fields, "ID": supplier_id}, addresses, contacts, company.clock.now())
        company.suppliers.put(made)
        supplier_saved(company, made, created=True)
        return made
    name = str(fields.pop("Name", supplier.name))
    supplier.fields.update(fields)
    supplier.addresses, supplier.contacts, supplier.modified = addresses, contacts, company.clock.now()
    company.suppliers.rename(supplier, name)
    supplier_saved(company, supplier, created=False)
    return supplier


def _scalars(company: Company, check: Checker, body: Json, supplier: Supplier | None) -> Json:
    """Return the checked scalars that `body` sets."""
    complete = supplier is None or company.switches["supplier_put_needs_all"]
    fields: Json = {}
    for name, longest in LENGTHS.items():
        if body.get(name) is not None or (complete and name in REQUIRED):
            fields[name] = check.text(body, name, longest, required=name in REQUIRED)
    if body.get("Discount") is not None:
        fields["Discount"] = check.percent(body, "Discount")
    if "Status" in fields:
        status = STATUSES.get(fields["Status"].lower())
        if status is None:
            check.say(f"Status '{fields['Status']}' is invalid")
        fields["Status"] = status
    _check_references(company, check.problems, fields, supplier)
    known_set = fields.get("AttributeSet", supplier.fields["AttributeSet"] if supplier else "")
    if company.switches["attributes_need_set"] and not known_set:
        for name in [name for name in fields if name.startswith("AdditionalAttribute")]:
            del fields[name]
    return fields


def _check_references(company: Company, problems: list[Problem], fields: Json, supplier: Supplier | None) -> None:
    if name := fields.get("Name"):
        namesake = company.suppliers.named(name)
        if namesake is not None and namesake is not supplier:
            problems.append(Problem(f"Supplier '{name}' already exists. Supplier name must be unique."))
    if currency := fields.get("Currency"):
        known = company.currencies
        if (known and currency not in known) or not _CURRENCY(currency):
            problems.append(not_in_book("Currency", currency, "Currencies"))
    if term := fields.get("PaymentTerm"):
        check_term(company, problems, term)
    if rule := fields.get("TaxRule"):
        check_tax_rule(company, problems, rule)
    if code := fields.get("AccountPayable"):
        check_payable(company, problems, code)
    if (attribute_set := fields.get("AttributeSet")) and company.find("attribute_sets", attribute_set) is None:
        problems.append(not_in_book("Attribute set", attribute_set, "Additional Attribute Sets"))


class _Children:
    """Merges the addresses or contacts of one body into those a supplier has."""

    def __init__(self, company: Company, check: Checker, supplier_id: str) -> None:
        self._company = company
        self._check = check
        self._supplier_id = supplier_id

    def merged(self, key: str, body: Json, old: list[Json], fields: Json) -> list[Json]:
        sent = body.get(key)
        if sent is None:
            return old
        if not isinstance(sent, list) or not all(isinstance(item, dict) for item in sent):
            self._check.say(f"{key} is invalid")
            return old
        rows = {row["ID"]: row for row in old}
        named: set[str] = set()
        for item in sent:
            own = guid(item.get("ID"))
            if own in (None, ZERO_GUID):
                row = child_from(self._company, self._supplier_id, fields, {**item, "ID": None})
            elif own in rows:
                row = {**rows[own], **{name: item[name] for name in fields if item.get(name) is not None}, "ID": own}
                row["SupplierID"] = self._supplier_id
            else:
                self._check.say(f"{key} entry with specified ID not found")
                continue
            self._verify(key, row)
            rows[row["ID"]] = row
            named.add(row["ID"])
        kept = self._company.switches["left_out_children"] == "kept"
        return [row for row_id, row in rows.items() if kept or row_id in named]

    def _verify(self, key: str, row: Json) -> None:
        """Check one merged entry, and put its texts and flags in their canonical form."""
        check = self._check
        lengths, flags, required = (
            (ADDRESS_LENGTHS, ("DefaultForType",), ("Line1", "Country", "Type"))
            if key == "Addresses"
            else (CONTACT_LENGTHS, ("Default", "IncludeInEmail"), ("Name",))
        )
        for name, longest in lengths.items():
            row[name] = check.text(row, name, longest, required=name in required)
        for name in flags:
            row[name] = check.flag(row, name)
        if key == "Addresses" and row["Type"]:
            kind = ADDRESS_TYPES.get(name_key(row["Type"]))
            if kind is None:
                check.say(f"Address type '{row['Type']}' is invalid")
            row["Type"] = kind or row["Type"]
        if key == "Addresses" and len(row["Country"].strip()) == COUNTRY_CODE_LENGTH:
            check.problems.append(not_in_book("Country", row["Country"], "Countries"))
