"""Where tests are: a module of `src` has its own in a file of its name, or is listed here with the file they are in."""

from __future__ import annotations

import pytest

ELSEWHERE = {
    # Entries, and what puts a function together or reads its environment: tried as a whole, as Lambda calls them.
    "integration/aggregator/test_handler.py": "aggregator: shown_updates wiring",
    "integration/alerts/test_handler.py": "alerts: timeouts wiring",
    "integration/api/test_description.py": "api: handler route_parameters routes schemas service settings wiring",
    "integration/archive/test_archiving.py": "archive: handler staging store wiring",
    "integration/consumer/test_handler.py": "consumer: api_token errors wiring; common: observability",
    "integration/flights/test_handler.py": "flights: settings wiring",
    # Adapters that write to AWS, over one server.
    "integration/aggregator/test_live_snapshots.py": "aggregator: sinks.ordered_object sinks.shard_list",
    "integration/aggregator/test_sinks.py": "aggregator: sinks.aircraft_table sinks.delivery_log",
    "integration/alerts/test_alert_log.py": "alerts: log_entry newest_alerts",
    "integration/alerts/test_alerting.py": "alerts: alerter candidates topic",
    "integration/alerts/test_envelopes.py": "alerts: progress",
    "integration/alerts/test_failures.py": "alerts: suppression_table",
    "integration/api/test_flights.py": "api: flight_books",
    "integration/api/test_targets.py": "api: bucket sources",
    "integration/api/test_windows_and_alerts.py": "api: alert_log messages window_rows",
    "integration/consumer/checkpoint/test_store.py": "consumer: checkpoint.document checkpoint.position "
    "checkpoint.stored_object",
    "integration/consumer/publish/test_publisher.py": "consumer: publish.limits publish.outbox publish.put_records",
    "integration/consumer/stream/test_client.py": "consumer: stream.connection stream.http_exchange",
    "integration/consumer/stream/test_waits.py": "consumer: stream.channel",
    "integration/flights/test_making.py": "flights: objects row schema store; common: flight_book",
    "integration/flights/test_memory.py": "flights: updates",
    "integration/flights/test_parts.py": "flights: hour_files",
    # Parts of one whole, which has no use for each by itself.
    "integration/consumer/ingestion/test_run.py": "consumer: ingestion.connection_keeper "
    "ingestion.end_of_reading ingestion.reader ingestion.telemetry",
    "unit/aggregator/events/test_decoding.py": "aggregator: events.batch",
    "unit/aggregator/state/test_codec.py": "aggregator: state.byte_shuffle state.packing state.unpacking",
    "unit/aggregator/state/test_part_store.py": "aggregator: state.layout state.packed_part",
    "unit/aggregator/state/test_window_part.py": "aggregator: state.folding state.keys state.splitting "
    "state.spots state.track",
    "unit/archive/test_update.py": "archive: schema",
    "unit/common/test_kinesis_event.py": "common: envelope",
    "unit/common/test_target_update.py": "common: update_decoder",
    "unit/consumer/ingestion/test_processor.py": "consumer: ingestion.frontier",
    "unit/consumer/publish/test_envelope_outbox.py": "consumer: publish.shard_map publish.shard_queue",
    "unit/flights/test_rules.py": "flights: airports days flight geodesy legs movements position",
    "unit/live/test_identities.py": "live: identity_writer",
    "unit/live/test_snapshots.py": "live: assembly columns container errors layout objects reader tiles writer",
}
"""By the tests' file: the room, and its modules. The list grows shorter, never longer."""


@pytest.fixture(scope="module")
def elsewhere():
    """The modules that are listed, each once."""
    listed = [
        f"{room}.{module}"
        for entries in ELSEWHERE.values()
        for entry in entries.split("; ")
        for room, _, modules in [entry.partition(": ")]
        for module in modules.split()
    ]
    assert sorted(set(listed)) == sorted(listed)
    return set(listed)


def test_a_module_has_its_tests_in_a_file_of_its_name(repository, elsewhere):
    """In a folder of its room's; who changes a module finds them by its name."""
    named = {
        (path.stem.removeprefix("test_"), part)
        for path in (repository / "tests").rglob("test_*.py")
        for part in path.parts
    }
    modules = {
        ".".join(path.relative_to(repository / "src").with_suffix("").parts)
        for path in (repository / "src").rglob("*.py")
        if path.stem != "__init__"
    }
    without = {one for one in modules if (one.rpartition(".")[2], one.partition(".")[0]) not in named}
    assert without - elsewhere == set(), "give it a file of its name"


def test_the_files_that_are_listed_are_there(repository):
    """A list that points nowhere helps nobody."""
    assert [name for name in ELSEWHERE if not (repository / "tests" / name).is_file()] == []
