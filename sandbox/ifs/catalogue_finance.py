"""Tables of supplier invoices and vouchers. Source: docs/apis/ifs.md#supplier-invoices, docs/apis/ifs.md#vouchers."""

from collections.abc import Mapping
from typing import Final

from sandbox.ifs.shapes import EntityType, declared

#: Members of the enumerations. Cin7Check belongs to a custom field that an administrator made.
FINANCE_ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "ManSuppInvoiceState": (
        "Preliminary",
        "PrelPosted",
        "PrelPostedAuth",
        "Posted",
        "PostedAuth",
        "PartlyPaidPosted",
        "PartlyPaidPostedAuth",
        "PaidPosted",
        "Cancelled",
    ),
    "VoucherState": ("AwaitingApproval", "PartlyApproved", "Confirmed", "Error", "Cancelled"),
    "Cin7Check": ("CfEnum_PASSED", "CfEnum_FAILED"),
}

INVOICES: Final = (
    EntityType(
        table="ManSuppInvoiceSet",
        luname="ManSuppInvoice",
        logged_as="ManSuppInvoice",
        key=("Company", "InvoiceId"),
        counted=True,
        properties=declared(
            """Company:string(20)! InvoiceId:int64! Identity:string(20)! PartyType:enum(PartyType)! SeriesId:string(20)
            InvoiceNo:string(50)! InvoiceType:string(20) InvoiceDate:date DueDate:date ArrivalDate:date
            DeliveryDate:date CreationDate:date= PayTermId:string(20) PayTermBaseDate:date PlPayDate:date
            Currency:string(3)! CurrRate:decimal DivFactor:decimal TaxCurrRate:decimal NetCurrAmount:decimal
            VatCurrAmount:decimal NetDomAmount:decimal VatDomAmount:decimal PoRefNumber:string(12)
            CreditedInvoiceId:int64 VoucherTypeRef:string(3) VoucherNoRef:int64 VoucherDateRef:date
            VoucherText:string(200) InvoiceRecipient:string(20) PrelimCode:string(20) InvoiceVersion:int32 AdvInv:bool
            MultiCompanyInvoice:bool Cash:bool Collect:bool GrossUp:bool Objstate:enum(ManSuppInvoiceState)="""
        ),
    ),
    EntityType(
        table="ManSuppInvoiceItemSet",
        luname="ManSuppInvoiceItem",
        logged_as="ManSuppInvoiceItem",
        key=("Company", "InvoiceId", "ItemId"),
        counted=True,
        properties=declared(
            """Company:string(20)! InvoiceId:int64! ItemId:int64! Description:string(200) NetCurrAmount:decimal
            VatCurrAmount:decimal VatCode:string(20) PoRefLineNo:string(4) PoRefReleaseNo:string(4)
            ReceiptRefNo:string(20) Quantity:decimal PartNo:string(25)"""
        ),
    ),
    EntityType(
        table="ManSuppInvoicePostingsSet",
        luname="ManSuppInvoicePostings",
        logged_as="ManSuppInvoicePostings",
        key=("Company", "InvoiceId", "RowId"),
        counted=True,
        properties=declared(
            """Company:string(20)! InvoiceId:int64! RowId:int64! ItemId:int64 PostingType:string(10) CodeA:string(20)
            CodeB:string(20) CodeC:string(20) CodeD:string(20) CodeE:string(20) CodeF:string(20) CodeG:string(20)
            CodeH:string(20) CodeI:string(20) CodeJ:string(20) CurrAmount:decimal DomAmount:decimal
            TransactionDate:date Reference:string(200) Text:string(200)"""
        ),
    ),
)

_VOUCHER_KEY: Final = ("Company", "AccountingYear", "VoucherType", "VoucherNo")
_VOUCHER_ROW: Final = declared(
    """Company:string(20)! AccountingYear:int32! VoucherType:string(3)! VoucherNo:int64! RowNo:int32!
    AccountingPeriod:int32 YearPeriodKey:int32 VoucherDate:date EntryDate:date= Account:string(20) CodeB:string(20)
    CodeC:string(20) CodeD:string(20) CodeE:string(20) CodeF:string(20) CodeG:string(20) CodeH:string(20)
    CodeI:string(20) CodeJ:string(20) CurrencyCode:string(3) CurrencyDebetAmount:decimal CurrencyCreditAmount:decimal
    CurrencyAmount:decimal DebetAmount:decimal CreditAmount:decimal Amount:decimal CurrencyRate:decimal
    Quantity:decimal OptionalCode:string(20) ProcessCode:string(10) TransCode:string(100) PartyType:enum(PartyType)
    PartyTypeId:string(20) ReferenceSerie:string(50) ReferenceNumber:string(50) Text:string(200)"""
)

VOUCHERS: Final = (
    EntityType(
        table="VoucherSet",
        luname="Voucher",
        logged_as="Voucher",
        key=_VOUCHER_KEY,
        changeable=True,
        properties=declared(
            """Company:string(20)! AccountingYear:int32! VoucherType:string(3)! VoucherNo:int64!
            AccountingPeriod:int32= VoucherDate:date= DateReg:date= UserGroup:string(30)= Userid:string(30)=
            ApprovedByUserid:string(30)= ApprovalDate:date= FunctionGroup:string(3)= InterimVoucher:bool=
            MultiCompanyId:string(20)= VoucherText:string(200) VoucherUpdated:bool= Cf_Cin7Check:string(2000)
            Cf_Cin7CheckState:enum(Cin7Check) Objstate:enum(VoucherState)="""
        ),
    ),
    EntityType(
        table="VoucherRowSet",
        luname="VoucherRow",
        logged_as="VoucherRow",
        key=(*_VOUCHER_KEY, "RowNo"),
        properties=_VOUCHER_ROW,
    ),
    EntityType(
        table="GenLedVoucherRowSet",
        luname="GenLedVoucherRow",
        key=(*_VOUCHER_KEY, "RowNo"),
        properties=_VOUCHER_ROW,
    ),
)
