"""Writes a connector.toml for a world behind two addresses."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.world.ground import MAPPED
from sandbox.world.seeds import REALM


def connector_toml(
    ifs_url: str,
    cin7_url: str,
    *,
    start_from: str,
    starts: Mapping[str, str] | None = None,
    ifs: Mapping[str, Any] | None = None,
    cin7: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    streams: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return the text of a settings file.

    Args:
        ifs_url: origin of the IFS stand-in.
        cin7_url: origin of the Cin7 stand-in.
        start_from: go-live of the purchase orders; empty: the connector's own default.
        starts: go-live of further flows, by name.
        ifs: keys of the section [ifs] that differ from ours.
        cin7: keys of every [cin7.*] section that differ from ours.
        policy: keys of [policy].
        streams: keys of [ifs.streams.*], by flow.
    """
    orders = {"start_from": start_from} if start_from else {}
    by_flow: dict[str, Mapping[str, Any]] = {"suppliers": {}, "purchase_orders": orders}
    by_flow |= {flow: {"start_from": day} for flow, day in (starts or {}).items()}
    for flow, keys in (streams or {}).items():
        by_flow[flow] = {**by_flow.get(flow, {}), **keys}
    sections: dict[str, Mapping[str, Any]] = {
        "ifs": {"base_url": ifs_url, "realm": REALM, "time_zone": "Europe/Stockholm", **(ifs or {})},
    }
    sections |= {f"ifs.streams.{flow}": keys for flow, keys in by_flow.items() if keys}
    for company in MAPPED:
        account = {"base_url": f"{cin7_url}/ExternalApi/v2/", "attribute_set": "ERP link", **(cin7 or {})}
        sections[f"cin7.{company.cin7_account}"] = account
    sections["policy"] = policy or {}
    return "\n".join(_section(name, keys) for name, keys in sections.items())


def _section(name: str, keys: Mapping[str, Any]) -> str:
    return "".join([f"[{name}]\n", *(f"{key} = {_value(value)}\n" for key, value in keys.items())])


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(str(key))} = {_value(item)}" for key, item in value.items()) + " }"
    # For texts, numbers, booleans and lists of them JSON and TOML agree.
    return json.dumps(value, ensure_ascii=False)
