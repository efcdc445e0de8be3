"""What a charge is called in Cin7: by the text of IFS, or by the service product that the settings name. Pure."""

from typing import Final

from shared.findings import Finding
from workers.mapping.companies import Destination
from workers.mapping.texts import fit_text, shown

#: Characters. Source: docs/apis/cin7.md#purchase-order.
DESCRIPTION_MAX: Final = 256
#: Setting `gl_line_description` that stands for the IFS line's own text.
OWN_TEXT: Final = "line"


def description_of(text: str, name: str, destination: Destination, findings: list[Finding]) -> str:
    """Return the charge's description; `name` names the line of IFS in a finding."""
    configured = destination.settings.gl_line_description
    field = f"{name} Description"
    if configured == OWN_TEXT:
        return fit_text(text, field, findings, length_max=DESCRIPTION_MAX, company=destination.code)
    if not any(product.name == configured and product.active for product in destination.reference.products.values()):
        findings.append(
            destination.finding(
                "product.missing",
                field,
                configured,
                message=f"Service product {shown(configured)!r} for lines without a part is not in Cin7 account "
                f"{destination.account}.",
                remedy="Add the service product in Cin7, or correct gl_line_description in the settings.",
            )
        )
    return configured
