"""The part of `template.yaml` by which Athena knows the tables and the named queries: `python -m tools.query.template`.

It prints that part; `--write` puts it between its two comments in the template. Columns are those of `tables`, queries
those of `queries/`, so that neither is written twice by hand.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tools.query import catalog, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.query.tables import Table

TEMPLATE: Final = Path(__file__).resolve().parents[2] / "template.yaml"

BEGIN: Final = "  # ---- written by `python -m tools.query.template --write`, from tools/query/tables.py and queries/"
END: Final = "  # ---- as far as this"

FIRST_DAY: Final = "2020-01-01"
"""Athena looks for no day before it; this is older than the system."""

_GLUE: Final = {
    "VARCHAR": "string",
    "JSON": "string",
    "TIMESTAMP": "timestamp",
    "DOUBLE": "double",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
}
_PRESTO: Final = {"string": "varchar", "bigint": "bigint", "double": "double", "array<string>": "array(varchar)"}

_FORMATS: Final = {
    "parquet": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "json": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
}
"""Input format, output format and SerDe (Athena user guide, "Use SerDes")."""


def glue_type(name: str) -> str:
    """Return what Athena calls a type of DuckDB."""
    if name.endswith("[]"):
        return f"array<{glue_type(name.removesuffix('[]'))}>"
    if name.startswith("STRUCT("):
        fields = (field.split(" ") for field in name.removeprefix("STRUCT(").removesuffix(")").split(", "))
        return f"struct<{','.join(f'{field}:{glue_type(kind)}' for field, kind in fields)}>"
    return _GLUE[name]


def logical_id(name: str, suffix: str) -> str:
    """Return the resource's name, such as `WindowTotalsQuery` for `window-totals`."""
    return "".join(word.capitalize() for word in re.split(r"[-_]", name)) + suffix


def written() -> str:
    """Return the part of the template, as text, without the comments around it."""
    blocks = [*(_table(table) for table in tables.TABLES), _view()]
    blocks += [_query(one) for one in catalog.read_all()]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _table(table: Table) -> Iterator[str]:
    input_format, output_format, serde = _FORMATS[table.format]
    folders = "".join(f"{name}=${{!{name}}}/" for name in table.partitions)
    yield f"  {logical_id(table.name, 'Table')}:"
    yield "    Type: AWS::Glue::Table"
    yield "    Properties:"
    yield "      CatalogId: !Ref AWS::AccountId"
    yield "      DatabaseName: !Ref ArchiveDatabase"
    yield "      TableInput:"
    yield f"        Name: {table.name}"
    yield "        TableType: EXTERNAL_TABLE"
    yield "        Parameters:"
    yield f"          classification: {table.format}"
    yield '          projection.enabled: "true"'
    yield "          projection.date.type: date"
    yield "          projection.date.format: yyyy-MM-dd"
    yield f"          projection.date.range: {FIRST_DAY},NOW+1DAYS"
    if "hour" in table.partitions:
        yield "          projection.hour.type: enum"
        yield f"          projection.hour.values: {','.join(f'{hour:02}' for hour in range(24))}"
    yield f"          storage.location.template: !Sub s3://${{DataBucket}}/{table.prefix}{folders}"
    yield "        PartitionKeys:"
    for name in table.partitions:
        yield f"          - {{ Name: {name}, Type: string }}"
    yield "        StorageDescriptor:"
    yield f"          Location: !Sub s3://${{DataBucket}}/{table.prefix}"
    yield f"          InputFormat: {input_format}"
    yield f"          OutputFormat: {output_format}"
    yield f"          SerdeInfo: {{ SerializationLibrary: {serde} }}"
    yield "          Columns:"
    for column in table.columns:
        yield from _column(column.name, glue_type(column.type))


def _column(name: str, kind: str) -> Iterator[str]:
    line = f'            - {{ Name: {name}, Type: "{kind}" }}'
    if len(line) <= 120:  # noqa: PLR2004 - the template's own width
        yield line
    else:
        yield f"            - Name: {name}"
        yield f"              Type: {kind}"


def view_definition() -> dict[str, Any]:
    """Return what Athena keeps of the view `windows`; the database's name is to be put in.

    The form is Presto's: https://trino.io/docs/current/connector/hive.html and Athena write it alike.
    """
    table = tables.WINDOWS_DELIVERED
    columns = [
        *((one.name, glue_type(one.type)) for one in table.columns),
        *((one, "string") for one in table.partitions),
    ]
    sql = re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", tables.windows_view())).strip()
    return {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": "${ArchiveDatabase}",
        "columns": [{"name": name, "type": _PRESTO[kind]} for name, kind in columns],
    }


def _view() -> Iterator[str]:
    table = tables.WINDOWS_DELIVERED
    yield "  WindowsView:"
    yield "    Type: AWS::Glue::Table"
    yield "    Properties:"
    yield "      CatalogId: !Ref AWS::AccountId"
    yield "      DatabaseName: !Ref ArchiveDatabase"
    yield "      TableInput:"
    yield "        Name: windows"
    yield "        TableType: VIRTUAL_VIEW"
    yield '        Parameters: { presto_view: "true", comment: Presto View }'
    yield "        ViewExpandedText: /* Presto View */"
    yield "        ViewOriginalText: !Join"
    yield '          - " "'
    yield '          - - "/* Presto View:"'
    yield "            - Fn::Base64: !Sub >-"
    yield from _folded(json.dumps(view_definition()), "                ")
    yield '            - "*/"'
    yield "        StorageDescriptor:"
    yield '          Location: ""'
    yield "          SerdeInfo: {}"
    yield "          Columns:"
    for column in table.columns:
        yield from _column(column.name, glue_type(column.type))
    for name in table.partitions:
        yield from _column(name, "string")


def _folded(text: str, indent: str) -> Iterator[str]:
    """Yield lines that YAML joins by a blank each: cut at blanks, of which the text has no two together."""
    line = indent.rstrip("\n")
    for word in text.split(" "):
        if line.strip() and len(line) + 1 + len(word) > 120:  # noqa: PLR2004 - the template's own width
            yield line
            line = indent
        line += word if line == indent else f" {word}"
    yield line


def _query(query: catalog.NamedQuery) -> Iterator[str]:
    yield f"  {logical_id(query.name, 'Query')}:"
    yield "    Type: AWS::Athena::NamedQuery"
    yield "    Properties:"
    yield f"      Name: {query.name}"
    yield "      Description: >-"
    yield from _folded(query.answers, "        ")
    yield "      Database: !Ref ArchiveDatabase"
    yield "      WorkGroup: !Ref ArchiveWorkGroup"
    yield "      QueryString: |"
    for line in query.sql.splitlines():
        yield f"        {line}".rstrip()


def _replaced(template: str) -> str:
    before, begin, rest = template.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not (begin and end):
        raise SystemExit(f"{TEMPLATE}: lacks one of the two comments between which this goes:\n{BEGIN}\n{END}")
    return f"{before}{begin}{written()}{end}{after}"


def main(arguments: list[str]) -> int:
    """Print the part, or write it."""
    if arguments == ["--write"]:
        TEMPLATE.write_text(_replaced(TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(written())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
