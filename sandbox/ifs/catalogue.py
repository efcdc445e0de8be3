"""Every table the stand-in holds: property names, types, keys and who may write. Source: docs/apis/ifs.md."""

from collections.abc import Mapping
from typing import Final

from sandbox.ifs.catalogue_finance import FINANCE_ENUMS, INVOICES, VOUCHERS
from sandbox.ifs.shapes import EntityType, declared

#: Members of the enumerations. Source: docs/apis/ifs.md#suppliers, docs/apis/ifs.md#purchase-orders.
ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "PartyType": ("Supplier", "Customer", "Company"),
    "AddressTypeCode": ("Delivery", "Document", "Pay", "Visit"),
    "CommMethodCode": ("Phone", "Mobile", "Fax", "Email", "Www"),
    "SupplierInfoCategory": ("Supplier", "Prospect"),
    "PurchaseOrderState": (
        "Planned",
        "Released",
        "Confirmed",
        "Arrived",
        "Received",
        "Invoiced",
        "Closed",
        "Stopped",
        "Cancelled",
    ),
    **FINANCE_ENUMS,
}

_SUPPLIERS = (
    EntityType(
        table="SupplierInfoGeneralSet",
        luname="SupplierInfoGeneral",
        logged_as="SupplierInfo",
        key=("SupplierId",),
        writable=True,
        # ChangeDate stands for a change stamp that a tenant added; it is hidden unless a switch shows it.
        stamp="ChangeDate",
        properties=declared(
            """SupplierId:string(20)! Name:string(100)! AssociationNo:string(50) Country:string(2)
            DefaultLanguage:string(2) CreationDate:date= PartyType:enum(PartyType) Party:string(20)=
            DefaultDomain:bool= SuppliersOwnId:string(100) CorporateForm:string(8) BusinessClassification:string(20)
            IdentifierReference:string(100) SupplierCategory:enum(SupplierInfoCategory) OneTime:bool B2bSupplier:bool
            PictureId:int64 ChangeDate:timestamp= Cf_Blocked:bool Cf_ExpireDate:date"""
        ),
    ),
    EntityType(
        table="SupplierInfoAddressSet",
        luname="SupplierInfoAddress",
        logged_as="SupplierInfoAddress",
        key=("SupplierId", "AddressId"),
        writable=True,
        properties=declared(
            """SupplierId:string(20)! AddressId:string(50)! Name:string(100) Address1:string(35) Address2:string(35)
            ZipCode:string(35) City:string(35) County:string(35) State:string(35) Country:string(2)! ValidFrom:date
            ValidTo:date DefaultDomain:bool= PartyType:enum(PartyType)"""
        ),
    ),
    EntityType(
        table="SupplierInfoAddressTypeSet",
        luname="SupplierInfoAddressType",
        logged_as="SupplierInfoAddressType",
        key=("SupplierId", "AddressId", "AddressTypeCode"),
        writable=True,
        properties=declared(
            """SupplierId:string(20)! AddressId:string(50)! AddressTypeCode:enum(AddressTypeCode)! DefAddress:bool
            Party:string(20)= DefaultDomain:bool="""
        ),
    ),
    EntityType(
        table="CommMethodSet",
        luname="CommMethod",
        logged_as="CommMethod",
        key=("PartyType", "Identity", "CommId"),
        writable=True,
        properties=declared(
            """PartyType:enum(PartyType)! Identity:string(20)! CommId:int32! AddressId:string(50) Name:string(100)
            Description:string(200) MethodId:enum(CommMethodCode)! Value:string(200)! MethodDefault:bool
            AddressDefault:bool ValidFrom:date ValidTo:date"""
        ),
    ),
    EntityType(
        table="IdentityInvoiceInfoSet",
        luname="IdentityInvoiceInfo",
        logged_as="IdentityInvoiceInfo",
        key=("Company", "Identity", "PartyType"),
        writable=True,
        properties=declared(
            """Company:string(20)! Identity:string(20)! PartyType:enum(PartyType)! DefCurrency:string(3)!
            PayTermId:string(20)! GroupId:string(20) DefVatCode:string(20) TaxLiability:string(20)"""
        ),
    ),
    EntityType(
        table="SupplierDocumentTaxInfoSet",
        luname="SupplierDocumentTaxInfo",
        logged_as="SupplierDocumentTaxInfo",
        key=("SupplierId", "AddressId", "Company"),
        writable=True,
        properties=declared(
            "SupplierId:string(20)! AddressId:string(50)! Company:string(20)! VatNo:string(50) ValidatedDate:date"
        ),
    ),
    EntityType(
        table="IdentityPayInfoSet",
        luname="IdentityPayInfo",
        logged_as="IdentityPayInfo",
        key=("Company", "Identity", "PartyType"),
        writable=True,
        properties=declared(
            """Company:string(20)! Identity:string(20)! PartyType:enum(PartyType)! BlockedForPayment:bool
            OtherPayeeIdentity:string(20) Priority:int32"""
        ),
    ),
    EntityType(
        table="SupplierSet",
        luname="Supplier",
        key=("VendorNo",),
        writable=True,
        properties=declared(
            """VendorNo:string(20)! CurrencyCode:string(3)! BuyerCode:string(20) SuppGrp:string(10)
            ShipViaCode:string(3) DeliveryTerms:string(5)"""
        ),
    ),
)

_PURCHASE_ORDERS = (
    EntityType(
        table="PurchaseOrderSet",
        luname="PurchaseOrder",
        logged_as="PurchaseOrder",
        key=("OrderNo",),
        stamp="ChangeDate",
        properties=declared(
            """OrderNo:string(12)! VendorNo:string(20)! InvoicingSupplier:string(20) Contract:string(5)!
            Company:string(20) CurrencyCode:string(3)! OrderDate:timestamp DateEntered:timestamp= ChangeDate:timestamp=
            WantedReceiptDate:timestamp PayTermId:string(20) DeliveryTerms:string(5) ShipViaCode:string(3)
            BuyerCode:string(20) AuthorizeCode:string(20) AuthorizeId:string(20) Contact:string(100)
            Reference:string(100) LabelNote:string(50) NoteText:string(2000) OrderCode:string(3) AddrNo:string(50)
            DocAddrNo:string(50) RecipientName:string(100) Address1:string(100) Address2:string(100) City:string(35)
            ZipCode:string(35) County:string(35) AddrState:string(35) CountryCode:string(2) TaxLiability:string(20)
            UsePriceInclTax:bool PreAccountingId:int64 Revision:int32 ProjectId:string(10) RequisitionNo:string(12)
            CustomerPoNo:string(50) CancelReason:string(10) Objstate:enum(PurchaseOrderState)="""
        ),
    ),
    EntityType(
        table="PurchaseOrderLineSet",
        luname="PurchaseOrderLine",
        logged_as="PurchaseOrderLine",
        key=("OrderNo", "LineNo", "ReleaseNo"),
        stamp="LastActivityDate",
        properties=declared(
            """OrderNo:string(12)! LineNo:string(4)! ReleaseNo:string(4)! PartNo:string(25) Description:string(200)
            Contract:string(5) BuyQtyDue:decimal! BuyUnitMeas:string(10) BuyUnitPrice:decimal!
            BuyUnitPriceInclTax:decimal Discount:decimal AdditionalCostAmount:decimal NetAmtCurr:decimal
            GrossAmtCurr:decimal CurrencyCode:string(3) WantedDeliveryDate:timestamp PlannedDeliveryDate:timestamp
            PlannedReceiptDate:timestamp DateEntered:timestamp= LastActivityDate:timestamp= TaxCode:string(20)
            PreAccountingId:int64 Objstate:enum(PurchaseOrderState)="""
        ),
    ),
    EntityType(
        table="PreAccountingSet",
        luname="PreAccounting",
        key=("PreAccountingId",),
        properties=declared(
            """PreAccountingId:int64! Company:string(20) AccountNo:string(20) CodenoB:string(20) CodenoC:string(20)
            CodenoD:string(20) CodenoE:string(20) CodenoF:string(20) CodenoG:string(20) CodenoH:string(20)
            CodenoI:string(20) CodenoJ:string(20)"""
        ),
    ),
)

_FINANCE = (
    EntityType(
        table="CompanySet",
        luname="Company",
        key=("Company",),
        properties=declared("Company:string(20)! Name:string(100)! Country:string(2) CreationDate:date="),
    ),
    EntityType(
        table="CompanySiteSet",
        luname="CompanySite",
        key=("Contract",),
        properties=declared("Contract:string(5)! Company:string(20)! Description:string(100)"),
    ),
    EntityType(
        table="AccountSet",
        luname="Account",
        key=("Company", "Account"),
        properties=declared(
            """Company:string(20)! Account:string(20)! Description:string(100) ValidFrom:date ValidUntil:date
            AccntGroup:string(20) AccntType:string(20) LogicalAccountType:string(1) LedgFlag:bool TaxFlag:bool
            StatAccount:bool BlockedForPosting:bool"""
        ),
    ),
    EntityType(
        table="PaymentTermSet",
        luname="PaymentTerm",
        key=("Company", "PayTermId"),
        properties=declared("Company:string(20)! PayTermId:string(20)! Description:string(100)"),
    ),
    EntityType(
        table="AccountingCodePartValueSet",
        luname="AccountingCodePartValue",
        key=("Company", "CodePart", "CodePartValue"),
        properties=declared(
            "Company:string(20)! CodePart:string(1)! CodePartValue:string(20)! Description:string(100)"
        ),
    ),
)

_HISTORY = (
    EntityType(
        table="HistoryLogOverviewSet",
        luname="HistoryLog",
        key=("LogId",),
        properties=declared(
            """LogId:int64! LuName:string(50) TimeStamp:timestamp Username:string(30) HistoryType:string(20)
            Keys:string(600) Note:string(2000)"""
        ),
    ),
    EntityType(
        table="HistoryLogAttributeSet",
        luname="HistoryLogAttribute",
        key=("LogId", "ColumnName"),
        properties=declared(
            """LogId:int64! ColumnName:string(50)! ColumnNamePrompt:string(100) OldValue:string(4000)
            NewValue:string(4000)"""
        ),
    ),
    EntityType(
        table="Projections",
        luname="Projection",
        key=("Name",),
        properties=declared("Name:string(100)! Description:string(200)"),
    ),
)

TYPES: Final[Mapping[str, EntityType]] = {
    kind.table: kind for kind in (*_SUPPLIERS, *_PURCHASE_ORDERS, *INVOICES, *VOUCHERS, *_FINANCE, *_HISTORY)
}
