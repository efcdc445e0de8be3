import pytest

from shared.ifs.errors import IfsUnreadable
from shared.ifs.metadata import read_metadata

EDMX = b"""<?xml version="1.0" encoding="UTF-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="IfsApp.P" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="Base"><Property Name="OrderNo" Type="Edm.String"/>
<Property Name="Note" Type="Edm.String"/></EntityType>
<EntityType Name="PurchaseOrder" BaseType="IfsApp.P.Base">
<Property Name="ChangeDate" Type="Edm.DateTimeOffset"/><Property Name="Note" Type="Edm.Stream"/>
<NavigationProperty Name="Lines" Type="Collection(IfsApp.P.Line)"/></EntityType>
<ComplexType Name="Odd"><Property Name="Inner" Type="Edm.String"/></ComplexType>
<EntityContainer Name="P"><EntitySet Name="PurchaseOrderSet" EntityType="IfsApp.P.PurchaseOrder"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_sets_show_their_own_and_inherited_properties() -> None:
    assert read_metadata(EDMX, what="P") == {
        "PurchaseOrderSet": {"OrderNo": "Edm.String", "Note": "Edm.Stream", "ChangeDate": "Edm.DateTimeOffset"}
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        EDMX[:-20],
    ],
)
def test_what_is_no_metadata_is_refused(body: bytes) -> None:
    with pytest.raises(IfsUnreadable, match="P/"):
        read_metadata(body, what="P/$metadata")


def test_types_that_stand_on_each_other_in_a_circle_end() -> None:
    body = EDMX.replace(b'Name="Base"', b'Name="Base" BaseType="IfsApp.P.PurchaseOrder"')
    assert "OrderNo" in read_metadata(body, what="P")["PurchaseOrderSet"]
