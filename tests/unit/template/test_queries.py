"""Athena's side of the archive: tables, view and named queries are those that `query` has."""

from __future__ import annotations

import json
import re

import duckdb
import pytest

from archive import schema
from flights import schema as flights
from tools.query import catalog, tables, template


def test_the_written_part_is_up_to_date(repository):
    """`python -m tools.query.template --write` changes nothing."""
    text = (repository / "template.yaml").read_text()
    part = text.partition(f"{template.BEGIN}\n")[2].partition(f"{template.END}\n")[0]
    assert part == template.written()


def test_named_queries_are_the_files(of_type):
    """As the template is parsed: name, first line, and the whole text."""
    found = {
        one["Name"]: (one["Description"], one["QueryString"]) for one in of_type("AWS::Athena::NamedQuery").values()
    }
    assert found == {one.name: (one.answers, one.sql) for one in catalog.read_all()}


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_a_table_is_where_its_objects_are(of_type, table):
    """Columns, folders and the place of each day's objects."""
    (found,) = (
        one["TableInput"] for one in of_type("AWS::Glue::Table").values() if one["TableInput"]["Name"] == table.name
    )
    storage, parameters = found["StorageDescriptor"], found["Parameters"]
    assert [(one["Name"], one["Type"]) for one in storage["Columns"]] == [
        (one.name, template.glue_type(one.type)) for one in table.columns
    ]
    assert [one["Name"] for one in found["PartitionKeys"]] == list(table.partitions)
    assert storage["Location"] == {"Fn::Sub": f"s3://${{DataBucket}}/{table.prefix}"}
    place = parameters["storage.location.template"]["Fn::Sub"].replace("${!", "${")
    filled = re.sub(r"\$\{(date|hour)\}", lambda name: {"date": "2024-03-04", "hour": "23"}[name[1]], place)
    folders = {"date": "date=2024-03-04/", "hour": "hour=23/"}
    assert filled == f"s3://${{DataBucket}}/{table.prefix}" + "".join(folders[name] for name in table.partitions)


@pytest.mark.parametrize(
    ("columns", "types"),
    [(schema.COLUMNS, schema.GLUE_TYPES), (flights.COLUMNS, {one.type: one.glue for one in flights.COLUMNS})],
    ids=["updates", "flights"],
)
def test_types_are_those_that_the_schemas_name(columns, types):
    """Of who writes the objects."""
    assert {column.type: template.glue_type(column.type) for column in columns} == {
        column.type: types[column.type] for column in columns
    }


def test_the_view_is_the_one_that_duckdb_has(of_type):
    """Its SQL answers with the columns that Athena knows, in their order."""
    (found,) = (
        one["TableInput"] for one in of_type("AWS::Glue::Table").values() if one["TableInput"]["Name"] == "windows"
    )
    blank, (before, encoded, after) = found["ViewOriginalText"]["Fn::Join"]
    assert (blank, before, after) == (" ", "/* Presto View:", "*/")
    definition = json.loads(encoded["Fn::Base64"]["Fn::Sub"])
    assert re.findall(r"\$\{(.*?)\}", json.dumps(definition)) == ["ArchiveDatabase"]
    names = [column["name"] for column in definition["columns"]]
    assert names == [column["Name"] for column in found["StorageDescriptor"]["Columns"]]
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{one.name}" {one.type}' for one in tables.WINDOWS_DELIVERED.columns)
        connection.execute(
            f'CREATE TABLE windows_delivered ({columns}, "date" VARCHAR, "hour" VARCHAR, "$path" VARCHAR)'
        )
        assert [column[0] for column in connection.execute(definition["originalSql"]).description] == names


def test_a_query_that_reads_too_much_is_ended(of_type):
    """For whoever uses the workgroup, and with what they pay for in view."""
    (group,) = of_type("AWS::Athena::WorkGroup").values()
    settings = group["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] == {"Fn::Sub": "${QueryLimitGigabytes}000000000"}


def test_answers_do_not_stay(of_type):
    """They are licensed data, in the bucket's own folder."""
    (group,) = of_type("AWS::Athena::WorkGroup").values()
    place = group["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"]["Fn::Sub"]
    prefix = place.partition("}/")[2]
    rules = of_type("AWS::S3::Bucket")["DataBucket"]["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == prefix] == [7]
