"""GET, POST, PUT and DELETE /webhooks: what a company told Cin7 to call. Source: docs/apis/cin7.md#webhooks."""

from urllib.parse import urlsplit

from sandbox.cin7.calls import Call
from sandbox.cin7.company import Company
from sandbox.cin7.errors import HTML_TYPE, PAGE_NOT_FOUND, Answer, Refused, message, refusal
from sandbox.cin7.events import NAMES
from sandbox.cin7.switches import Switches
from sandbox.cin7.wire import Json, guid

#: Webhooks of one type at the same time.
SAME_TYPE_MAX = 5
AUTHORIZATIONS = ("noauth", "basicauth", "bearerauth")
#: What each kind of authorization needs.
NEEDED = {"basicauth": ("ExternalUserName", "ExternalPassword"), "bearerauth": ("ExternalBearerToken",)}
SECRETS = ("ExternalUserName", "ExternalPassword", "ExternalBearerToken")
#: No text of a refusal without the module is on record.
NO_MODULE = "Automation module is not available for your subscription"
NOT_FOUND = "Webhook with specified ID not found"


def barred(switches: Switches) -> Answer | None:
    """Return what an account without the Automation module is answered; None where it has it."""
    return {
        "400": refusal([Refused([NO_MODULE]).problems[0]]),
        "403": message(403, NO_MODULE),
        "page": Answer(200, PAGE_NOT_FOUND, (HTML_TYPE,)),
    }.get(str(switches["automation_module"]))


def read(call: Call) -> Json:
    """List all of them: there are no pages."""
    return _listed(call.company)


def _listed(company: Company) -> Json:
    return {"Webhooks": [_shown(company, hook) for hook in company.webhooks.values()]}


def _shown(company: Company, hook: Json, *, written: bool = False) -> Json:
    """Return a webhook as listed: secrets in clear, or left empty by a switch; what was not sent is null once."""
    if company.switches["webhook_secrets"] == "empty":
        return {**hook, **dict.fromkeys(SECRETS, "")}
    return {name: None if written and name in SECRETS and value == "" else value for name, value in hook.items()}


def create(call: Call) -> Json:
    company = call.company
    hook = save(company, {"ID": company.new_id()}, call.body())
    return _written(company, hook)


def update(call: Call) -> Json:
    company, body = call.company, call.body()
    if not body.get("ID"):
        raise Refused(["Required attribute ID is not provided."])
    hook = _known(company, body["ID"])
    merges = company.switches["webhook_put"] == "merge"
    return _written(company, save(company, hook if merges else {"ID": hook["ID"]}, body))


def _written(company: Company, hook: Json) -> Json:
    if company.switches["webhook_answer"] == "all":
        return _listed(company)
    return {"Webhooks": [_shown(company, hook, written=True)]}


def remove(call: Call) -> Json:
    """Delete one; the answer is what is left."""
    company = call.company
    del company.webhooks[_known(company, call.text("id"))["ID"]]
    return _listed(company)


def _known(company: Company, hook_id: object) -> Json:
    hook = company.webhooks.get(guid(hook_id) or "")
    if hook is None:
        raise Refused([NOT_FOUND])
    return hook


def save(company: Company, before: Json, body: Json) -> Json:
    """Keep a webhook: `before` with what `body` says.

    Raises:
        Refused: with every problem found; nothing has been changed.
    """
    problems: list[str] = []
    sent = {**before, **{name: value for name, value in body.items() if value is not None}}
    kind = _required(sent, "Type", problems)
    if kind and kind not in NAMES:
        problems.append(f"Webhook type '{kind}' is invalid")
    if not isinstance(sent.get("IsActive"), bool):
        problems.append("Required attribute IsActive is not provided.")
    url = _required(sent, "ExternalURL", problems)
    if url and not _is_url(url):
        problems.append(f"ExternalURL '{url}' is invalid")
    authorization = _required(sent, "ExternalAuthorizationType", problems)
    if authorization and authorization not in AUTHORIZATIONS:
        problems.append(f"ExternalAuthorizationType '{authorization}' is invalid")
    for name in NEEDED.get(authorization, ()):
        _required(sent, name, problems)
    headers = sent.get("ExternalHeaders", [])
    if not _are_headers(headers):
        problems.append("ExternalHeaders is invalid")
    if kind and _of_type(company, kind, before["ID"], active=bool(sent.get("IsActive"))) >= SAME_TYPE_MAX:
        problems.append(f"Only {SAME_TYPE_MAX} webhooks of the same type are allowed")
    if problems:
        raise Refused(problems)
    hook = {
        "ID": before["ID"],
        "Type": kind,
        "Name": NAMES[kind],
        "IsActive": sent["IsActive"],
        "ExternalURL": url,
        "ExternalAuthorizationType": authorization,
        **{name: str(sent.get(name) or "") for name in SECRETS},
        "ExternalHeaders": [{"Key": row["Key"], "Value": row["Value"]} for row in headers],
    }
    company.webhooks[before["ID"]] = hook
    return hook


def _required(sent: Json, name: str, problems: list[str]) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value.strip():
        problems.append(f"Required attribute {name} is not provided.")
        return ""
    return value.strip()


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _are_headers(rows: object) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, dict) and isinstance(row.get("Key"), str) and isinstance(row.get("Value"), str) for row in rows
    )


def _of_type(company: Company, kind: str, but: str, *, active: bool) -> int:
    """Count the other webhooks of a type that a new one would stand beside."""
    others = [hook for hook in company.webhooks.values() if hook["Type"] == kind and hook["ID"] != but]
    if company.switches["webhook_limit_counts"] == "all":
        return len(others)
    return sum(1 for hook in others if hook["IsActive"]) if active else 0


def edit(company: Company, row: Json) -> Json:
    """Save a webhook as a person would on the screen; with the ID of a known one it is an edit of what is named."""
    if row.get("ID"):
        return save(company, _known(company, row["ID"]), row)
    return save(company, {"ID": company.new_id()}, row)
