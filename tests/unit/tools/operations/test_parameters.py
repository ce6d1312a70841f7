"""The check of samconfig.toml: what would not arrive at the stack as it is written is said beforehand."""

from __future__ import annotations

import re

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from tools.operations import parameters

TEMPLATE = """
Parameters:
  Airlines: {Type: String, AllowedPattern: '^$|^[^\\s,][^,]*(,[^\\s,][^,]*)*$', ConstraintDescription: airlines}
  LatitudeBetween: {Type: String, AllowedPattern: '^$|^-?[0-9.]+,-?[0-9.]+$', ConstraintDescription: two latitudes}
  LateFilter: {Type: String, AllowedValues: ["", "true", "false"]}
  ShardCount: {Type: Number, MinValue: 1, MaxValue: 200, ConstraintDescription: a whole number from 1 to 200}
  LogRetentionDays: {Type: Number, AllowedValues: [1, 3]}
  SubnetIds: {Type: CommaDelimitedList, AllowedPattern: '^$|^subnet-[0-9a-f]+$', ConstraintDescription: subnets}
  MetricsNamespace: {Type: String, Default: Ours}
"""


def test_the_page_shows_all_parameters(repository):
    """Whoever changes one prints the table again: `pipenv run check-parameters --table`."""
    page = (repository / "docs/parameters.md").read_text()
    template = yaml_parse((repository / "template.yaml").read_text())
    assert "\n".join(parameters.table(template)) + "\n" in page


@pytest.fixture
def check(tmp_path, capsys):
    """Checks lines of a table of parameters; gives the exit code and what was said."""
    template, config = tmp_path / "template.yaml", tmp_path / "samconfig.toml"
    template.write_text(TEMPLATE)

    def run(lines, header="[dev.deploy.parameters.parameter_overrides]"):
        config.write_text(f"version = 0.1\n{header}\n{lines}\n")
        code = parameters.main(["--config", str(config), "--template", str(template)])
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    "line",
    [
        'Airlines = "Delta Air Lines,ET"',
        'LatitudeBetween = ""',
        'LatitudeBetween = "33.4,33.9"',
        'LateFilter = "true"',
        "ShardCount = 2",
        'ShardCount = "2"',
        "LogRetentionDays = 3",
        'SubnetIds = ""',
        'SubnetIds = "subnet-0a"',
        'SubnetIds = "subnet-0a,subnet-0b"',
    ],
)
def test_what_arrives_as_written_passes(check, line):
    """Texts with blanks and commas, cleared parameters, numbers with and without quotes."""
    assert check(line) == (0, "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('Latitudebetween = "1,2"', "Latitudebetween: the template has no such parameter, .*mean LatitudeBetween?"),
        ('AIRLINES = "DL"', "AIRLINES: the template has no such parameter, .*did you mean Airlines?"),
        ('Colour = "red"', "Colour: the template has no such parameter, .*it has Airlines, LatitudeBetween,"),
        ('Airlines = "DL, ET"', 'Airlines: "DL, ET" is refused; expected airlines'),
        ("LatitudeBetween = \"''\"", "LatitudeBetween: \"''\" is refused; expected two latitudes"),
        ("LateFilter = true", 'LateFilter: SAM hands a bare true on as "True"; write it in quotes: "true"'),
        ('LateFilter = "yes"', 'LateFilter: "yes" is refused; expected one of an empty text, true, false'),
        ("ShardCount = 0", 'ShardCount: "0" is refused; expected a whole number from 1 to 200'),
        ('ShardCount = "many"', 'ShardCount: "many" is refused'),
        ("LogRetentionDays = 2", 'LogRetentionDays: "2" is refused; expected one of 1, 3'),
        ('SubnetIds = "subnet-0a,sg-0b"', 'SubnetIds: "subnet-0a,sg-0b" is refused; expected subnets'),
        ('SubnetIds = "subnet-0a,"', 'SubnetIds: "subnet-0a," is refused; expected subnets'),
        ("LatitudeBetween = [33.4, 33.9]", "LatitudeBetween: is a list; expected a text in quotes"),
    ],
)
def test_what_would_not_arrive_is_named(check, line, said):
    """The section, the parameter, what is wrong, and what was expected."""
    code, text = check(line)
    assert code == 1
    assert text.startswith("samconfig.toml: [dev.deploy.parameters.parameter_overrides] ")
    assert re.search(said.replace("?", r"\?"), text)


@pytest.mark.parametrize("form", ['["Airlines=Delta Air Lines"]', "'Airlines=DL LatitudeBetween=\"1,2\"'"])
def test_the_forms_that_sam_mangles_are_refused(check, form):
    """A list or a text of Name=value loses quotes and blanks on its way."""
    code, text = check(f"parameter_overrides = {form}", header="[dev.deploy.parameters]")
    assert (code, "is not a table; SAM eats quotes" in text) == (1, True)


def test_two_environments_share_neither_stack_nor_prefix(check):
    """Deleting one stack removes everything under its prefix."""
    sections = '[prod.deploy.parameters]\ns3_prefix = "p"\n[dev.global.parameters]\nstack_name = "s"\n'
    sections += '[prod.global.parameters]\nstack_name = "s"'
    code, text = check('s3_prefix = "p"\n' + sections, header="[dev.deploy.parameters]")
    assert code == 1
    assert '[prod] and [dev] both have stack_name = "s"' in text
    assert "`sam delete` of one would remove the other's zips" in text


@pytest.mark.parametrize("section", ["global", "deploy"])
@pytest.mark.parametrize("name", ["stack_name", "s3_prefix"])
def test_names_are_found_where_sam_takes_them_from(check, section, name):
    """A name may stand in the section of all commands, or in that of `deploy`."""
    code, text = check(f'{name} = "p"\n[prod.{section}.parameters]\n{name} = "p"', header="[dev.global.parameters]")
    assert code == 1
    assert f'[prod] and [dev] both have {name} = "p"' in text


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [("Ours", "Ours", True), ("Theirs", "Ours", False), (None, "Ours", True), (None, None, True)],
    ids=["named", "different", "named and default", "default"],
)
def test_two_environments_share_no_namespace_of_metrics(check, first, second, is_refused):
    """Alarms go by the namespace: what one stack says of itself would set off, or silence, the other's."""
    header = "deploy.parameters.parameter_overrides]"
    one, other = (f'MetricsNamespace = "{name}"\n' if name else "" for name in (first, second))
    code, text = check(f"{one}[prod.{header}\n{other}", header=f"[dev.{header}")
    assert (code, '[prod] and [dev] both have MetricsNamespace = "Ours"' in text) == (is_refused, is_refused)


@pytest.mark.parametrize(
    ("config", "template", "said"),
    [
        (None, TEMPLATE, "samconfig.toml: cannot be read"),
        ("a = [", TEMPLATE, "samconfig.toml: cannot be read"),
        ("version = 0.1", None, "template.yaml: cannot be read"),
        ("version = 0.1", "a: [", "template.yaml: cannot be read"),
        ("version = 0.1", "a: 1", "template.yaml: has no section Parameters"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, capsys, config, template, said):
    """A sentence and exit code 2, no traceback."""
    for name, content in (("samconfig.toml", config), ("template.yaml", template)):
        if content is not None:
            (tmp_path / name).write_text(content)
    options = ["--config", str(tmp_path / "samconfig.toml"), "--template", str(tmp_path / "template.yaml")]
    assert parameters.main(options) == 2
    assert said in capsys.readouterr().err


def test_the_projects_own_parameters_arrive():
    """Both environments of samconfig.toml name what the template knows and takes."""
    assert parameters.main([]) == 0
