"""Draws suppliers: names, addresses of every type, contacts, terms per company, tax numbers. Made up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from sandbox.world.ground import BY_CODE, UNMAPPED_TERM, Row

#: Country to (its towns, a currency, the dialling code).
PLACES: Final[dict[str, tuple[tuple[str, ...], str, str]]] = {
    "SE": (("Göteborg", "Malmö", "Örebro", "Luleå"), "SEK", "+46"),
    "GB": (("Leeds", "Hull", "King's Lynn", "Southampton"), "GBP", "+44"),
    "DE": (("Köln", "Lübeck", "Bad Säckingen"), "EUR", "+49"),
    "DK": (("Aarhus", "Køge"), "DKK", "+45"),
    "NO": (("Bergen", "Tromsø"), "NOK", "+47"),
    "PL": (("Łódź", "Gdańsk"), "EUR", "+48"),
    "US": (("Portland", "St. Louis"), "USD", "+1"),
    "JP": (("横浜", "神戸"), "JPY", "+81"),
}
_FIRST = tuple(
    """
    Nordic Baltic Atlas Granit Björk Sjö Harbour Anchor Copper Delta Eklund Falck Grönvall Halcyon Inver
    Juniper Kestrel Lindqvist Mercer Norrsken Orchard Pettersson Quay Ravenscar Stål Tideway Upland
    Vesper Wharf Yarrow Åkerlund Ödman
    """.split()  # noqa: SIM905 - as a list it would fill a page.
)
_TRADE = tuple(
    """
    Fasteners Marine Timber Logistics Bearings Hydraulics Electrical Packaging Chemicals Tooling Metals
    Coatings Pumps Instruments Workwear Consulting
    """.split()  # noqa: SIM905 - as a list it would fill a page.
)
_STREETS = ("Storgatan", "Mill Lane", "Hafenstraße", "Quay Rd.")
_FORM = {"SE": "AB", "GB": "Ltd", "DE": "GmbH", "DK": "A/S", "NO": "AS", "PL": "Sp. z o.o.", "US": "Inc.", "JP": "K.K."}
_PEOPLE = ("Åsa Öberg", "Liam O'Connor", "Jürgen Weiß", "Zoë Hart", "Nils Ek", "María Núñez", "Sales", "Accounts, EU")
#: Ids and names that trip careless quoting, encoding and splitting.
ODD_NAMES: Final = (
    ("O'BRIEN", "O'Brien & Sons, Ltd"),
    ("A/S-NORD", "A/S Nordsøen"),
    ("R&D,CO", 'R&D, Co "Prototypes"'),
    ("ÅNGE-1", "Ånge Träförädling AB"),
    ("S 100%", "100% Cotton + Canvas"),
    ("EL#7;A=B", "Elektro #7; a=b"),
    ("日本-1", "日本ポンプ株式会社"),
    ("X(1)", "Brackets (Holdings) 'UK'"),
)


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """A supplier with all its rows, by table; `terms` is (currency, payment term) per company."""

    supplier_id: str
    name: str
    country: str
    tax_number: str
    terms: dict[str, tuple[str, str]]
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def of_company(self, company: str) -> bool:
        return company in self.terms


class People:
    """Draws suppliers one after the other; names never repeat."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._number = 0

    def draw(self, companies: Sequence[str], *, supplier_id: str = "", name: str = "", **changes: Any) -> Supplier:  # noqa: ANN401  # Whatever the header holds.
        """Return a supplier of `companies`; `changes` replace properties of its header."""
        rng = self._rng
        self._number += 1
        home = BY_CODE[companies[0]].country
        country = home if rng.random() < 0.55 else rng.choice(sorted(PLACES))
        supplier_id = supplier_id or f"S{10000 + self._number}"
        name = name or self._name(country)
        self._taken.add(name.casefold())
        tax_number = f"{country}{rng.randrange(10**8, 10**9)}"
        terms = {company: (self._currency(company, country), self._term(company)) for company in companies}
        header = self._header(supplier_id, name, country) | changes
        supplier = Supplier(supplier_id=supplier_id, name=name, country=country, tax_number=tax_number, terms=terms)
        supplier.rows["SupplierInfoGeneralSet"] = [header]
        self._addresses(supplier)
        self._methods(supplier)
        self._finance(supplier)
        return supplier

    def _name(self, country: str) -> str:
        for _ in range(1000):
            name = f"{self._rng.choice(_FIRST)} {self._rng.choice(_TRADE)} {_FORM[country]}"
            if name.casefold() not in self._taken:
                return name
        return f"{self._rng.choice(_FIRST)} {self._rng.choice(_TRADE)} {self._number} {_FORM[country]}"

    def _currency(self, company: str, country: str) -> str:
        local = PLACES[country][1]
        return local if self._rng.random() < 0.7 else BY_CODE[company].currency

    def _term(self, company: str) -> str:
        return self._rng.choice([term.code for term in BY_CODE[company].terms if term.code != UNMAPPED_TERM])

    def _header(self, supplier_id: str, name: str, country: str) -> Row:
        day = f"{self._rng.randrange(2016, 2025)}-{self._rng.randrange(1, 13):02d}-{self._rng.randrange(1, 29):02d}"
        return {
            "SupplierId": supplier_id,
            "Name": name,
            "AssociationNo": f"{self._rng.randrange(550000, 559999)}-{self._rng.randrange(1000, 9999)}",
            "Country": country,
            "DefaultLanguage": "en",
            "CreationDate": day,
            "PartyType": "Supplier",
            "DefaultDomain": True,
            "SupplierCategory": "Supplier",
            "OneTime": False,
            "B2bSupplier": False,
        }

    def _addresses(self, supplier: Supplier) -> None:
        rng = self._rng
        addresses, types = [], []
        groups = rng.choice(([("Document", "Pay", "Visit", "Delivery")], [("Document", "Pay"), ("Delivery", "Visit")]))
        for place, codes in enumerate(groups, 1):
            towns = PLACES[supplier.country][0]
            address = {
                "SupplierId": supplier.supplier_id,
                "AddressId": str(place) if place == 1 else rng.choice((str(place), "HQ/2", "Depot, 2")),
                "Name": supplier.name[:100] if rng.random() < 0.5 else None,
                "Address1": f"{rng.choice(_STREETS)} {rng.randrange(1, 240)}",
                "Address2": rng.choice((None, "Box 17", "Unit 4, Gate B")),
                "ZipCode": f"{rng.randrange(10000, 99999)}",
                "City": rng.choice(towns),
                "State": "OR" if supplier.country == "US" else None,
                "Country": supplier.country,
                "DefaultDomain": True,
                "PartyType": "Supplier",
            }
            addresses.append(address)
            types += [
                {
                    "SupplierId": supplier.supplier_id,
                    "AddressId": address["AddressId"],
                    "AddressTypeCode": code,
                    "DefAddress": True,
                    "DefaultDomain": True,
                }
                for code in codes
            ]
        supplier.rows["SupplierInfoAddressSet"] = addresses
        supplier.rows["SupplierInfoAddressTypeSet"] = types

    def _methods(self, supplier: Supplier) -> None:
        rng = self._rng
        dial = PLACES[supplier.country][2]
        address_id = supplier.rows["SupplierInfoAddressSet"][0]["AddressId"]
        people = rng.sample(_PEOPLE, k=rng.choice((0, 1, 1, 2)))
        methods: list[tuple[str | None, str, str]] = [
            (None, "Phone", f"{dial} {rng.randrange(10, 99)} {rng.randrange(100000, 999999)}"),
            (None, "Www", f"https://supplier{self._number}.example"),
        ]
        for person in people:
            methods.append((person, "Email", f"contact{rng.randrange(100)}@supplier{self._number}.example"))
            if rng.random() < 0.5:
                methods.append((person, "Mobile", f"{dial} 70 {rng.randrange(1000000, 9999999)}"))
        supplier.rows["CommMethodSet"] = [
            {
                "PartyType": "Supplier",
                "Identity": supplier.supplier_id,
                "CommId": number,
                # Some belong to the supplier as a whole, not to an address.
                "AddressId": address_id if rng.random() < 0.9 else None,
                "Name": person,
                "Description": None,
                "MethodId": method,
                "Value": value,
                "MethodDefault": number == 1,
                "AddressDefault": False,
            }
            for number, (person, method, value) in enumerate(methods, 1)
        ]

    def _finance(self, supplier: Supplier) -> None:
        address_id = supplier.rows["SupplierInfoAddressSet"][0]["AddressId"]
        supplier.rows["IdentityInvoiceInfoSet"] = [
            {
                "Company": company,
                "Identity": supplier.supplier_id,
                "PartyType": "Supplier",
                "DefCurrency": currency,
                "PayTermId": term,
                "GroupId": "GOODS",
                "DefVatCode": self._rng.choice((BY_CODE[company].taxes[0].code, None)),
                "TaxLiability": "TAX",
            }
            for company, (currency, term) in supplier.terms.items()
        ]
        supplier.rows["SupplierDocumentTaxInfoSet"] = [
            {
                "SupplierId": supplier.supplier_id,
                "AddressId": address_id,
                "Company": company,
                "VatNo": supplier.tax_number,
                "ValidatedDate": None,
            }
            for company in supplier.terms
        ]
        supplier.rows["SupplierSet"] = [
            {"VendorNo": supplier.supplier_id, "CurrencyCode": next(iter(supplier.terms.values()))[0], "SuppGrp": "1"}
        ]
