"""The header of a purchase: what a body may set, and what a new one starts with."""

from decimal import Decimal

from sandbox.cin7.checking import Checker, check_tax_rule, check_term
from sandbox.cin7.company import Company, Supplier
from sandbox.cin7.errors import not_in_book
from sandbox.cin7.stages import DRAFT, NOT_AVAILABLE
from sandbox.cin7.wire import ZERO_GUID, Json, day, guid, instant

ATTRIBUTES = tuple(f"AdditionalAttribute{place}" for place in range(1, 11))
TEXTS = {"Contact": 256, "Phone": 50, "TaxRule": 50, "Terms": 256, "Note": 1024}
#: Sent in any case, answered as here.
CHOICES = {"Approach": ("INVOICE", "STOCK"), "TaxCalculation": ("Inclusive", "Exclusive")}
BILLING = ("DisplayAddressLine1", "DisplayAddressLine2", "Line1", "Line2", "City", "State", "Postcode", "Country")


def read_supplier(company: Company, check: Checker, body: Json) -> Supplier | None:
    """Return the active supplier named by id, else by name."""
    if body.get("SupplierID"):
        supplier = company.suppliers.by_id.get(guid(body["SupplierID"]) or "")
        name = body["SupplierID"]
    elif body.get("Supplier"):
        supplier = company.suppliers.named(body["Supplier"])
        name = body["Supplier"]
    else:
        check.say("Required attribute Supplier is not provided.")
        return None
    if supplier is None or not supplier.active:
        check.problems.append(not_in_book("Supplier", name, "Suppliers"))
        return None
    return supplier


def read_fields(company: Company, check: Checker, body: Json, *, complete: bool) -> Json:
    """Return the header fields that `body` sets, each checked."""
    fields: Json = {}
    for name, longest in TEXTS.items():
        if body.get(name) is not None:
            fields[name] = check.text(body, name, longest)
    for name, values in CHOICES.items():
        if text := check.text(body, name, 10, required=complete and name == "Approach"):
            fields[name] = next((value for value in values if value.upper() == text.upper()), text)
            if fields[name] not in values:
                check.say(f"{name} '{text}' is invalid")
    if location := check.text(body, "Location", 256, required=complete):
        fields["Location"] = location
    _resolve(company, check, fields)
    fields.update(_dated(check, body))
    if body.get("AdditionalAttributes") is not None:
        fields["AdditionalAttributes"] = _attributes(company, check, body["AdditionalAttributes"])
    for name in ("BillingAddress", "ShippingAddress"):
        if body.get(name) is not None:
            fields[name] = _address(check, name, body[name])
    return fields


def _resolve(company: Company, check: Checker, fields: Json) -> None:
    """Check the names that must stand in the company's reference data."""
    if fields.get("TaxRule"):
        check_tax_rule(company, check.problems, fields["TaxRule"])
    if fields.get("Terms"):
        check_term(company, check.problems, fields["Terms"])
    if location := fields.get("Location"):
        row = company.find("locations", location)
        if row is None or row["IsDeprecated"]:
            check.problems.append(not_in_book("Location", location, "Locations"))
        fields["Location"] = row["Name"] if row else location


def _dated(check: Checker, body: Json) -> Json:
    fields: Json = {}
    if body.get("RequiredBy"):
        moment = instant(body["RequiredBy"])
        if moment is None:
            check.say("RequiredBy is invalid")
        fields["RequiredBy"] = day(moment) if moment else None
    rate = check.amount(body, "CurrencyRate")
    if rate is not None:
        if rate <= 0:
            check.say("CurrencyRate should be greater than 0.")
        fields["CurrencyRate"] = rate
    return fields


def _attributes(company: Company, check: Checker, sent: object) -> Json:
    if not isinstance(sent, dict):
        check.say("AdditionalAttributes is invalid")
        return {}
    if company.switches["attributes_need_set"] and not company.books["attribute_sets"]:
        return {}
    return {name: check.text(sent, name, 256) for name in ATTRIBUTES if sent.get(name) is not None}


def _address(check: Checker, name: str, sent: object) -> Json:
    if not isinstance(sent, dict):
        check.say(f"{name} is invalid")
        return {}
    parts = {part: check.text(sent, part, 256, required=part in ("Line1", "Country")) for part in BILLING[2:]}
    if name == "BillingAddress":
        # In the documented examples a written billing address comes back empty.
        return {}
    lines = (parts["Line1"], f"{parts['City']} {parts['Postcode']} {parts['Country']}".strip())
    shown = {"DisplayAddressLine1": lines[0], "DisplayAddressLine2": lines[1]}
    return {
        **shown,
        **{part: text or None for part, text in parts.items()},
        "ShipToOther": check.flag(sent, "ShipToOther"),
    }


def new_header(company: Company, supplier: Supplier, fields: Json) -> Json:
    """Return a new header: what was not sent comes from the supplier, what cannot be sent from the company."""
    base = str(company.me["Currency"])
    currency = str(supplier.fields["Currency"])
    blank = {**dict.fromkeys(BILLING), "DisplayAddressLine1": "", "DisplayAddressLine2": ""}
    lead: Json = next((row for row in supplier.contacts if row["Default"]), {})
    return {
        "ID": ZERO_GUID,
        "SupplierID": supplier.id,
        "Supplier": supplier.name,
        "Contact": fields.get("Contact") or lead.get("Name"),
        "Phone": fields.get("Phone") or lead.get("Phone") or None,
        "InventoryAccount": company.me["DefaultInventoryAccount"],
        "BlindReceipt": False,
        "Approach": fields["Approach"],
        "BillingAddress": blank,
        "ShippingAddress": {**blank, "ShipToOther": False, **fields.get("ShippingAddress", {})},
        "BaseCurrency": base,
        "SupplierCurrency": currency,
        "TaxRule": fields.get("TaxRule") or supplier.fields["TaxRule"],
        "TaxCalculation": fields.get("TaxCalculation", "Exclusive"),
        "Terms": fields.get("Terms") or supplier.fields["PaymentTerm"],
        "RequiredBy": fields.get("RequiredBy"),
        "Location": fields["Location"],
        "Note": fields.get("Note", ""),
        "OrderNumber": "",
        "Type": "",
        "CombinedInvoiceStatus": NOT_AVAILABLE,
        "CombinedReceivingStatus": NOT_AVAILABLE,
        "CombinedPaymentStatus": "UNPAID",
        "IsServiceOnly": False,
        "OrderDate": None,
        "Status": DRAFT,
        "RelatedDropShipSaleTask": None,
        "CurrencyRate": fields.get("CurrencyRate", Decimal(1)),
        "AdditionalAttributes": {**dict.fromkeys(ATTRIBUTES, ""), **fields.get("AdditionalAttributes", {})},
        "Attachments": [],
        "InventoryMovements": [],
    }
