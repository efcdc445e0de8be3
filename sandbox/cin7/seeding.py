"""Builds companies from a seed: what a seed leaves out gets sensible, deliberately awkward defaults."""

from typing import Any

import msgspec

from sandbox.cin7.company import Clock, Company, Supplier
from sandbox.cin7.limits import STYLES, Key, Limit
from sandbox.cin7.switches import Switches
from sandbox.cin7.wire import ZERO_GUID, Json, guid, instant, number, stamp

ME: Json = {
    "Company": "Example Trading Ltd",
    "Currency": "USD",
    "TimeZone": "Etc/UTC",
    "LockDate": None,
    "OpeningBalanceDate": None,
    "DefaultWeightUnits": "kg",
    "DefaultDimensionsUnits": "cm",
    "DefaultLocation": "Main Warehouse",
    "DefaultCustomer": None,
    "DefaultPurchaseTaxRule": "Tax on Purchases",
    "DefaultSaleTaxRuleName": "Tax on Sales",
    "TaxCalculationMethod": "Total",
    "DefaultInventoryAccount": "715",
    "MaximumDecimalPlacesInQuantity": "N4",
    "RoundingTable": [],
}


def _account(code: str, name: str, type_: str, class_: str, **fields: Any) -> Json:  # noqa: ANN401 - wire fields vary.
    return {"Code": code, "Name": name, "Type": type_, "Class": class_, **fields}


#: Awkward on purpose: a code that keeps its zeros, a generated one, a liability that is no payable, an archived one.
CHART: list[Json] = [
    _account("001", "Petty cash", "BANK", "ASSET", ForPayments=True),
    _account("425", "Freight and courier", "EXPENSE", "EXPENSE"),
    _account("461", "Printing and stationery", "EXPENSE", "EXPENSE"),
    _account("499", "Old sundries", "EXPENSE", "EXPENSE", Status="ARCHIVED"),
    _account("715", "Inventory", "CURRENT", "ASSET"),
    _account("800", "Accounts Payable", "CURRLIAB", "LIABILITY", SystemAccountCode="CREDITORS"),
    _account("805", "Accrued liabilities", "CURRLIAB", "LIABILITY"),
    _account("820", "Sales tax", "CURRLIAB", "LIABILITY", SystemAccountCode="GST"),
    _account("_59_", "Cleaning", "EXPENSE", "EXPENSE"),
]
TERMS: list[Json] = [
    {"Name": "30 days", "Duration": 30, "Method": "number of days", "IsActive": True, "IsDefault": True},
    {"Name": "14 days", "Duration": 14, "Method": "number of days", "IsActive": True, "IsDefault": False},
    {"Name": "Cash on delivery", "Duration": 0, "Method": "number of days", "IsActive": False, "IsDefault": False},
]
TAXES: list[Json] = [
    {"Name": "Tax on Purchases", "TaxPercent": 20, "IsTaxForPurchase": True, "IsTaxForSale": False},
    {"Name": "Tax Exempt", "TaxPercent": 0, "IsTaxForPurchase": True, "IsTaxForSale": True},
    {"Name": "Tax on Sales", "TaxPercent": 20, "IsTaxForPurchase": False, "IsTaxForSale": True},
    {"Name": "Tax before 2011", "TaxPercent": 17, "IsTaxForPurchase": True, "IsTaxForSale": True, "IsActive": False},
]
LOCATIONS: list[Json] = [
    {
        "Name": "Main Warehouse",
        "IsDefault": True,
        "Bins": [{"ID": "7F0A11C2-54F1-4A1D-8E36-0C5E1B0A9D11", "Name": "A-01"}],
    },
    {"Name": "Closed Depot", "IsDefault": False, "IsDeprecated": True},
]
PRODUCTS: list[Json] = [
    {"SKU": "BOLT-M8", "Name": "Bolt M8", "Type": "Stock"},
    {"SKU": "NUT-M8", "Name": "Nut M8", "Type": "Stock"},
    {"SKU": "FREIGHT", "Name": "Freight", "Type": "Service", "CostingMethod": "FIFO"},
    {"SKU": "OLD-1", "Name": "Withdrawn part", "Type": "Stock", "Status": "Deprecated"},
]
ATTRIBUTE_SETS: list[Json] = [
    {"Name": "ERP link", "Attribute1Name": "IFS number", "Attribute1Type": "Text", "Attribute1Values": ""},
]
DEFAULTS = {
    "chart": CHART,
    "terms": TERMS,
    "taxes": TAXES,
    "locations": LOCATIONS,
    "products": PRODUCTS,
    "attribute_sets": ATTRIBUTE_SETS,
}

#: The company of a stand-in that nobody seeded.
DEFAULT_ACCOUNT: Json = {
    "account_id": "11111111-2222-4333-8444-555555555555",
    "keys": ["aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"],
}

_SYSTEM_NAMES = {
    "CREDITORS": "Accounts payable",
    "DEBTORS": "Accounts receivable",
    "GST": "GST / VAT",
    "ROUNDING": "Rounding",
    "RETAINEDEARNINGS": "Retained earnings",
}


def complete(company: Company, book: str, row: Json) -> Json:
    """Return `row` with every field that Cin7 lists for such a row."""
    base: Json = _bases(book, row)
    if book != "chart":
        base["ID"] = company.new_id()
    merged = {**base, **row}
    if book == "products":
        merged.setdefault("LastModifiedOn", None)
        merged["LastModifiedOn"] = merged["LastModifiedOn"] or stamp(company.clock.now())
    if book == "locations":
        merged["Bins"] = [{"ID": company.new_id().upper(), **item} for item in merged["Bins"]]
    return merged


def _bases(book: str, row: Json) -> Json:
    if book == "chart":
        code = row.get("SystemAccountCode")
        base: Json = dict.fromkeys(("OldCode", "BankAccountNumber", "BankAccountId", "Currency", "SystemAccountCode"))
        names = {
            "SystemAccount": _SYSTEM_NAMES.get(str(code), code),
            "DisplayName": f"{row['Code']}: {row.get('Name')}",
        }
        kind = {"Name": row["Code"], "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE", "Description": ""}
        return {**base, **kind, **names, "ForPayments": False}
    if book == "terms":
        return {"Duration": 30, "Method": "number of days", "IsActive": True, "IsDefault": False}
    if book == "taxes":
        return {
            "Account": "820",
            "IsActive": True,
            "TaxInclusive": False,
            "TaxPercent": 0,
            "IsTaxForSale": False,
            "IsTaxForPurchase": True,
            "Components": [
                {
                    "Name": row["Name"],
                    "Percent": f"{row.get('TaxPercent', 0)}.0000000000",
                    "AccountCode": "820",
                    "ComponentOrder": "0",
                    "Compound": "0",
                }
            ],
        }
    if book == "locations":
        address = dict.fromkeys(("AddressLine1", "AddressLine2", "AddressCitySuburb", "AddressStateProvince"), "")
        place: Json = {"AddressZipPostCode": "", "AddressCountry": "", "ParentID": None, "Bins": []}
        return {"IsDefault": False, "IsDeprecated": False, **address, **place}
    if book == "products":
        kind = {"Name": row["SKU"], "Category": "Other", "Type": "Stock", "CostingMethod": "FIFO", "UOM": "Item"}
        accounts = dict.fromkeys(("InventoryAccount", "ExpenseAccount", "COGSAccount", "RevenueAccount"))
        return {**kind, "Brand": None, "Status": "Active", "Barcode": None, **accounts, "PurchaseTaxRule": None}
    return {}


def build(seed: Json, clock: Clock) -> Company:
    """Return the company that one entry of a seed describes; raises ValueError saying what is wrong with it."""
    account_id = guid(seed.get("account_id"))
    if account_id is None:
        raise ValueError(f"account_id {seed.get('account_id')!r} is not a GUID.")
    company = Company(account_id, clock)
    company.name = str(seed.get("name") or seed.get("company", {}).get("Company") or ME["Company"])
    company.me = {**ME, "Company": company.name, **seed.get("company", {})}
    company.keys = {str(key).lower(): Key(f"key-{place}") for place, key in enumerate(_texts(seed, "keys"), 1)}
    company.limit = limit_from(seed.get("limit") or {}, company.limit)
    company.switches = Switches(seed.get("switches"))
    company.currencies = frozenset(seed.get("currencies") or ())
    for book, default in DEFAULTS.items():
        company.books[book] = {}
        for row in seed.get(book, default):
            company.file(book, complete(company, book, row))
    for row in seed.get("suppliers") or []:
        company.suppliers.put(supplier_from(company, row))
    return company


def _texts(seed: Json, name: str) -> list[str]:
    return [str(item) for item in seed.get(name) or []]


def limit_from(change: Json, limit: Limit) -> Limit:
    changed = msgspec.convert({**msgspec.structs.asdict(limit), **change}, Limit)
    if changed.style not in STYLES or changed.window_s <= 0:
        raise ValueError(f"A limit needs a style of {STYLES} and a window above 0 seconds.")
    return changed


SUPPLIER_FIELDS: Json = {
    "ID": "",
    "Name": "",
    "Currency": "USD",
    "PaymentTerm": "30 days",
    "TaxRule": "Tax on Purchases",
    "Discount": 0,
    "Comments": "",
    "AccountPayable": "800",
    "TaxNumber": "",
    **{f"AdditionalAttribute{place}": "" for place in range(1, 11)},
    "AttributeSet": "",
    "Status": "Active",
}
ADDRESS_FIELDS: Json = {
    "ID": "",
    "SupplierID": "",
    "Line1": "",
    "Line2": "",
    "City": "",
    "State": "",
    "Postcode": "",
    "Country": "",
    "Type": "Billing",
    "DefaultForType": False,
}
CONTACT_FIELDS: Json = {
    "ID": "",
    "SupplierID": "",
    "Name": "",
    "Phone": "",
    "MobilePhone": "",
    "Fax": "",
    "Email": "",
    "Website": "",
    "Default": False,
    "Comment": "",
    "IncludeInEmail": False,
    "MarketingConsent": 1,
}


def child_from(company: Company, supplier_id: str, fields: Json, row: Json) -> Json:
    """Return an address or a contact with an id of its own; unknown keys are dropped."""
    known = {key: row[key] for key in fields if row.get(key) is not None}
    own = guid(row.get("ID"))
    child_id = own if own and own != ZERO_GUID else company.new_id()
    return {**fields, **known, "ID": child_id, "SupplierID": supplier_id}


def supplier_from(company: Company, row: Json) -> Supplier:
    """Return a seeded supplier, unchecked: a person may have made anything of it."""
    supplier_id = guid(row.get("ID")) or company.new_id()
    fields = {**SUPPLIER_FIELDS, **{key: row[key] for key in SUPPLIER_FIELDS if row.get(key) is not None}}
    fields["ID"] = supplier_id
    fields["Discount"] = number(fields["Discount"]) or 0
    addresses = [child_from(company, supplier_id, ADDRESS_FIELDS, item) for item in row.get("Addresses") or []]
    contacts = [child_from(company, supplier_id, CONTACT_FIELDS, item) for item in row.get("Contacts") or []]
    return Supplier(fields, addresses, contacts, instant(row.get("LastModifiedOn")) or company.clock.now())
