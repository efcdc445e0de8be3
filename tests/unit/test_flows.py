"""Every flow is complete: each place that lists files or rules by flow has it."""

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pytest

from shared.config.loading import STREAMS
from shared.flows import BY_NAME, FLOWS, STAGES, Flow, queue_of
from shared.ledger.connection import Ledger
from shared.origins import ORIGINS, SOURCES
from shared.queues.handing_over import actor_of
from workers.mapping.actors import MAPPINGS
from workers.writing.actors import writers
from workers.writing.first_contact import FirstContact

ROOT = Path(__file__).parents[2]
#: What a flow's file is called among the records of each system, where that has another word for it.
CIN7_WORDS: Mapping[str, str] = {
    "purchase_orders": "purchases",
    "supplier_invoices": "invoices",
    "cin7_suppliers": "suppliers",
}
IFS_WORDS: Mapping[str, str] = {"cin7_suppliers": "suppliers"}
#: Flows that bring no record into Cin7.
WITHOUT_CIN7 = frozenset({"journals"})


def modules_of(flow: Flow) -> Iterable[str]:
    yield f"shared.ifs.records.{IFS_WORDS.get(flow.name, flow.name)}"
    if flow.name not in WITHOUT_CIN7:
        yield f"shared.cin7.records.{CIN7_WORDS.get(flow.name, flow.name)}"
    yield f"workers.mapping.{flow.name}"
    yield f"workers.writing.{flow.name}"


@pytest.mark.parametrize("module", [module for flow in FLOWS for module in modules_of(flow)])
def test_every_flow_has_its_file_in_every_place(module: str) -> None:
    assert importlib.util.find_spec(module) is not None, f"{module} is missing"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flow_is_read_mapped_and_written(flow: Flow) -> None:
    assert flow in ORIGINS, f"shared.origins.ORIGINS lacks {flow.name}"
    assert flow in MAPPINGS, f"workers.mapping.actors.MAPPINGS lacks {flow.name}"
    known = writers(FirstContact(Ledger("postgresql://127.0.0.1/none"), {}))
    assert flow in known, f"workers.writing.actors.writers lacks {flow.name}"


def test_nothing_is_read_mapped_or_written_that_is_no_flow() -> None:
    known = writers(FirstContact(Ledger("postgresql://127.0.0.1/none"), {}))
    assert set(ORIGINS) == set(MAPPINGS) == set(known) == set(FLOWS)


@pytest.mark.parametrize("flow", SOURCES, ids=lambda flow: flow.name)
def test_a_flow_reads_its_own_record_by_its_own_key(flow: Flow) -> None:
    source = SOURCES[flow]
    assert source.flow == flow.name
    names = {field.name: field.encode_name for field in msgspec.structs.fields(source.header.shape)}
    assert tuple(names[name] for name in source.header.key) == flow.key_fields
    assert bool(source.date) == flow.document, "a document has a date, so that its start applies"


@pytest.mark.parametrize("flow", SOURCES, ids=lambda flow: flow.name)
def test_the_settings_know_every_flow_and_its_child_sets(flow: Flow) -> None:
    source = SOURCES[flow]
    children = tuple(of.name for of in (*source.children, *source.further) if of.name != source.grouped)
    assert STREAMS.get(flow.name) == children, f"shared.config.loading.STREAMS lacks {flow.name} or its sets"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flow_is_explained_to_those_who_read_both_systems(flow: Flow) -> None:
    words = flow.name.replace("_", " ")
    assert words in (ROOT / "docs" / "mapping.md").read_text("utf-8").lower(), f"docs/mapping.md lacks {words}"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_mapping_and_every_plan_of_a_flow_is_tested_under_its_name(flow: Flow) -> None:
    for stage in ("mapping", "writing"):
        path = ROOT / "tests" / "unit" / stage / f"test_{flow.name}.py"
        assert path.exists(), f"{path.relative_to(ROOT)} is missing"


def test_names_are_distinct_in_every_place() -> None:
    queues = [queue_of(stage, flow.name) for flow in FLOWS for stage in STAGES]
    assert len(set(queues)) == len({actor_of(queue) for queue in queues}) == len(FLOWS) * len(STAGES)
    assert list(BY_NAME.values()) == list(FLOWS)


def test_suppliers_come_before_the_documents_that_need_them() -> None:
    order = [flow.name for flow in FLOWS]
    assert order.index("suppliers") < order.index("purchase_orders")
