"""Lines and charges of orders, invoices and credit notes: read, checked, and added up."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.cin7.checking import Checker, check_account, check_tax_rule
from sandbox.cin7.company import Company, Purchase
from sandbox.cin7.errors import not_in_book
from sandbox.cin7.stages import ZERO
from sandbox.cin7.wire import CENT, Json, guid

LINE_TEXTS = (("Name", 1024), ("TaxRule", 50), ("Comment", 256))
CHARGE_TEXTS = (("Description", 256), ("Reference", 256), ("TaxRule", 50))
#: Texts without which a row is refused; the tax rule is looked at apart.
NEEDED = frozenset({"Name", "Description", "Account"})


def filled(purchase: Purchase, lines: list[Json], charges: list[Json]) -> Json:
    """Return lines, charges and totals of a document; a service purchase turns lines into charges."""
    if purchase.service:
        charges = [_as_charge(line) for line in lines] + charges
        lines = []
    rows = [*lines, *charges]
    net = sum((Decimal(row["Total"]) for row in rows), ZERO)
    tax = sum((Decimal(row["Tax"]) for row in rows), ZERO)
    before, total = (net - tax, net) if inclusive(purchase) else (net, net + tax)
    return {"Lines": lines, "AdditionalCharges": charges, "TotalBeforeTax": before, "Tax": tax, "Total": total}


def inclusive(purchase: Purchase) -> bool:
    return bool(purchase.header["TaxCalculation"] == "Inclusive")


def _as_charge(line: Json) -> Json:
    kept = ("Price", "Quantity", "Discount", "Tax", "Total", "TaxRule", "Account")
    same = {key: line[key] for key in kept if key in line}
    return {"Description": line["Name"], "Reference": line["Comment"], **same}


class LineReader:
    """Reads lines and charges out of a body, and checks them against one company.

    `accounts`: invoices and credit notes need a ledger account on every row, and lack the supplier's SKU; an order has
    no account at all. Source: docs/apis/cin7.md#invoice.
    """

    def __init__(self, company: Company, check: Checker, *, inclusive: bool, accounts: bool = False) -> None:
        self._company = company
        self._check = check
        self._inclusive = inclusive
        self._accounts = accounts
        last = (("Account", 50),) if accounts else (("SupplierSKU", 50),)
        self._line_texts = (*LINE_TEXTS, *last)
        self._charge_texts = (*CHARGE_TEXTS, *last) if accounts else CHARGE_TEXTS
        self._quantity_min = Decimal(str(company.switches["quantity_min"]))

    def lines(self, body: Json, *, required: bool) -> list[Json]:
        if body.get("Lines") is None and required:
            self._check.say("Required property 'Lines' not found")
        return [self._line(row) for row in self._rows(body, "Lines")]

    def charges(self, body: Json) -> list[Json]:
        return [self._charge(row) for row in self._rows(body, "AdditionalCharges")]

    def _rows(self, body: Json, name: str) -> list[Json]:
        rows = body.get(name)
        if rows is None:
            return []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._check.say(f"{name} is invalid")
            return []
        return rows

    def _line(self, row: Json) -> Json:
        product = self._product(row)
        texts = self._texts(row, self._line_texts)
        self._check_account(texts, stock=product is not None and product["Type"] == "Stock")
        identity = {"ProductID": product["ID"], "SKU": product["SKU"]} if product else {"ProductID": None, "SKU": ""}
        amounts = self._amounts(row, texts, needs_all=True)
        service = product is not None and product["Type"] == "Service"
        return {**identity, **texts, **amounts, "NonInventory": service}

    def _charge(self, row: Json) -> Json:
        texts = self._texts(row, self._charge_texts)
        self._check_account(texts, stock=False)
        if self._company.switches["charge_descriptions"] == "service-products" and texts["Description"]:
            named = (item for item in self._company.books["products"].values() if item["Name"] == texts["Description"])
            if not any(item["Type"] == "Service" for item in named):
                self._check.problems.append(not_in_book("Service product", texts["Description"], "Products"))
        return {**texts, **self._amounts(row, texts, needs_all=False)}

    def _texts(self, row: Json, known: tuple[tuple[str, int], ...]) -> Json:
        return {name: self._check.text(row, name, longest, required=name in NEEDED) for name, longest in known}

    def _check_account(self, texts: Json, *, stock: bool) -> None:
        if not self._accounts or not texts["Account"]:
            return
        account = check_account(self._company, self._check.problems, texts["Account"])
        wanted = self._company.switches["stock_line_accounts"]
        if account and stock and wanted == "asset" and account["Class"] != "ASSET":
            self._check.say(f"Account '{texts['Account']}' is not an asset account")

    def _product(self, row: Json) -> Json | None:
        """Return the active product that the line names by id and SKU together."""
        sent_id, sku = row.get("ProductID"), row.get("SKU")
        if self._company.switches["order_needs_both_ids"]:
            missing = [name for name, value in (("ProductID", sent_id), ("SKU", sku)) if not value]
            for name in missing:
                self._check.say(f"Required attribute {name} is not provided.")
            if missing:
                return None
        by_id = self._company.products_by_id.get(guid(sent_id) or "") if sent_id else None
        by_sku = self._company.find("products", sku) if sku else None
        found = by_id or by_sku
        mismatch = bool(sent_id and sku) and by_id is not by_sku
        if found is None or mismatch or str(found["Status"]).lower() == "deprecated":
            self._check.problems.append(not_in_book("Product", sku or sent_id, "Products"))
            return None
        return found

    def _amounts(self, row: Json, texts: Json, *, needs_all: bool) -> Json:
        """Return the checked numbers of a line. `Total` is price times quantity less discount, within a cent."""
        check = self._check
        quantity = check.amount(row, "Quantity", required=True)
        price = check.amount(row, "Price", required=True)
        discount = check.percent(row, "Discount") or ZERO
        tax = check.amount(row, "Tax", required=needs_all, default=ZERO) or ZERO
        rule = self._tax_rule(texts["TaxRule"], required=needs_all)
        if quantity is not None and quantity < self._quantity_min:
            check.say(f"Quantity should be greater than or equal to {self._quantity_min}")
        if quantity is None or price is None:
            return {"Quantity": ZERO, "Price": ZERO, "Discount": discount, "Tax": tax, "Total": ZERO}
        due = (price * quantity * (100 - discount) / 100).quantize(CENT, rounding=ROUND_HALF_UP)
        total = check.amount(row, "Total", required=needs_all, default=due)
        if total is not None and abs(total - due) > CENT:
            check.say(f"Total {total} is invalid: Price, Quantity and Discount make {due}")
        if self._company.switches["recompute_tax"] and rule and total is not None:
            tax = self._tax(total, Decimal(str(rule["TaxPercent"])))
        return {"Quantity": quantity, "Price": price, "Discount": discount, "Tax": tax, "Total": total}

    def _tax(self, total: Decimal, percent: Decimal) -> Decimal:
        base = 100 + percent if self._inclusive else Decimal(100)
        return (total * percent / base).quantize(CENT, rounding=ROUND_HALF_UP)

    def _tax_rule(self, name: str, *, required: bool) -> Json | None:
        if not name:
            if required:
                self._check.say("Required attribute TaxRule is not provided.")
            return None
        return check_tax_rule(self._company, self._check.problems, name)
