"""Kinds of templates that once were told wrong: each attaches AdministratorAccess, or does not for one word's sake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from unapproved_iam.cloudformation.template import read_template

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


class Twin(NamedTuple):
    template: str  # with WORD in one place
    clean: str
    denied: str
    others: Mapping[str, str] = MappingProxyType({})  # files beside it


def _role(policies: str, sections: str = "") -> str:
    role = f"  Role: {{Type: AWS::IAM::Role, Properties: {{ManagedPolicyArns: {policies}}}}}\n"
    return f"Transform: AWS::LanguageExtensions\n{sections}\nResources:\n{role}"


def _if(condition: str, sections: str) -> str:
    """Denied when the condition is true."""
    return _role(f"[!If [C, {ADMIN}, {READ}]]", f"{sections}\nConditions: {{C: {condition}}}")


def _stack(parameters: str) -> str:
    """A nested stack, with a condition that is open."""
    return (
        "Parameters: {Q: {Type: String}}\nConditions: {C: !Equals [!Ref Q, x]}\nResources:\n"
        "  S: {Type: AWS::CloudFormation::Stack, "
        f"Properties: {{TemplateURL: child.yaml, Parameters: {parameters}}}}}\n"
    )


CHILD = "Parameters: {P: {Type: String}}\n" + _role("[!Sub 'arn:aws:iam::aws:policy/${P}']")
NAMED = "[!Sub ['arn:aws:iam::aws:policy/${P}', {P: !Select [1, !Ref L]}]]"
LIST = "Parameters: {L: {Type: CommaDelimitedList}}"
LIST_BY_DEFAULT = "Parameters: {L: {Type: CommaDelimitedList, Default: 'a, b'}}"
OUTPUT = "Resources: {Topic: {Type: AWS::SNS::Topic}}\nOutputs: {P: {Value: '" + ADMIN + "'}}\n"

TWINS = {
    "elements of a list that is not known are different values": Twin(
        _if("!And [!Equals [!Select [0, !Ref L], a], !Equals [!Select [WORD, !Ref L], b]]", LIST), "0", "1"
    ),
    "each element of a list is one of AllowedValues": Twin(
        _role(NAMED, "Parameters: {L: {Type: CommaDelimitedList, AllowedValues: [ReadOnlyAccess, WORD]}}"),
        "SecurityAudit",
        "AdministratorAccess",
    ),
    "a list has AllowedValues beside a shorter default": Twin(
        _role(
            NAMED,
            "Parameters: {L: {Type: List<String>, Default: ReadOnlyAccess, AllowedValues: [ReadOnlyAccess, WORD]}}",
        ),
        "SecurityAudit",
        "AdministratorAccess",
    ),
    "a list is empty, and its elements are none of AllowedValues": Twin(
        _if(
            "!Equals [!Join ['', !Ref L], '']",
            "Parameters: {L: {Type: CommaDelimitedList, AllowedValues: [a, 'WORD']}}",
        ),
        "b",
        "",
    ),
    "what is left out takes no place in a list": Twin(
        _role(
            f"[!Select [0, [!If [C, {READ}, WORD], {ADMIN}]]]",
            "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, a]}",
        ),
        READ,
        "!Ref AWS::NoValue",
    ),
    "an output of a stack that is never created": Twin(
        "Conditions: {C: !Equals [a, WORD]}\nResources:\n"
        "  S: {Type: AWS::CloudFormation::Stack, Condition: C, Properties: {TemplateURL: child.yaml}}\n"
        "  Role: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [!GetAtt S.Outputs.P]}}\n",
        "b",
        "a",
        {"child.yaml": OUTPUT},
    ),
    "parameters of a nested stack that a condition chooses": Twin(
        _stack("!If [C, {P: WORD}, {P: SecurityAudit}]"), "ReadOnlyAccess", "AdministratorAccess", {"child.yaml": CHILD}
    ),
    "parameters of a nested stack that a condition leaves out": Twin(
        _stack("!If [C, {P: ReadOnlyAccess}, WORD]"),
        "{P: ReadOnlyAccess}",
        "!Ref AWS::NoValue",
        {"child.yaml": CHILD.replace("P: {", "P: {Default: AdministratorAccess, ")},
    ),
    "an override that a condition chooses": Twin(
        _stack("[]")
        .replace("Stack,", "StackSet,")
        .replace(
            "Parameters: []",
            "StackInstancesGroup: [{ParameterOverrides: [!If [C, {ParameterKey: P, ParameterValue: WORD}, "
            "{ParameterKey: P, ParameterValue: SecurityAudit}]]}]",
        ),
        "ReadOnlyAccess",
        "AdministratorAccess",
        {"child.yaml": CHILD},
    ),
    "two stacks that a condition chooses between": Twin(
        _stack("[]").replace(
            "Properties: {TemplateURL: child.yaml, Parameters: []}",
            "Properties: !If [C, {TemplateURL: child.yaml, Parameters: {P: WORD}}, {TemplateURL: child.yaml}]",
        ),
        "ReadOnlyAccess",
        "AdministratorAccess",
        {"child.yaml": CHILD.replace("P: {", "P: {Default: SecurityAudit, ")},
    ),
    "an output that is there under a condition": Twin(
        "Resources:\n"
        "  S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {W: 'WORD'}}}\n"
        "  Role: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [!GetAtt S.Outputs.P]}}\n",
        "no",
        "yes",
        {
            "child.yaml": "Parameters: {W: {Type: String}}\nConditions: {C: !Equals [!Ref W, 'yes']}\n"
            + OUTPUT.replace("{P: {", "{P: {Condition: C, ")
        },
    ),
    "a parameter is the text of a template": Twin(
        "Parameters:\n  Body:\n    Type: String\n    Default: |\n      Resources:\n        Role:\n"
        "          Type: AWS::IAM::Role\n"
        "          Properties: {ManagedPolicyArns: ['arn:aws:iam::aws:policy/WORD']}\n"
        "Resources: {Set: {Type: AWS::CloudFormation::StackSet, Properties: {TemplateBody: !Ref Body}}}\n",
        "ReadOnlyAccess",
        "AdministratorAccess",
    ),
    "what the text of a template leaves out": Twin(
        "Transform: AWS::LanguageExtensions\n"
        + _stack("[]").replace(
            "TemplateURL: child.yaml, Parameters: []",
            "TemplateBody: {Fn::ToJsonString: {Resources: {Role: {Type: AWS::IAM::Role, Properties: "
            f"{{ManagedPolicyArns: [!If [C, {READ}, !Ref AWS::NoValue], !If [C, {READ}, WORD]]}}}}}}}}}}",
        ),
        READ,
        ADMIN,
    ),
    "loops in the text of a template": Twin(
        "Transform: AWS::LanguageExtensions\nResources:\n  Set:\n    Type: AWS::CloudFormation::StackSet\n"
        "    Properties:\n      TemplateBody:\n        Fn::ToJsonString:\n          Resources:\n"
        "            Fn::ForEach::Roles:\n              - Name\n              - [SecurityAudit, WORD]\n"
        "              - Role${Name}:\n                  Type: AWS::IAM::Role\n                  Properties:\n"
        "                    ManagedPolicyArns: [!Sub 'arn:aws:iam::aws:policy/${Name}']\n",
        "ReadOnlyAccess",
        "AdministratorAccess",
    ),
    "a list of AllowedValues is passed to a template that is elsewhere": Twin(
        "Parameters: {L: {Type: CommaDelimitedList, AllowedValues: ['" + READ + "', 'WORD']}}\nResources:\n"
        "  S: {Type: AWS::CloudFormation::Stack, "
        "Properties: {TemplateURL: 'https://x', Parameters: {P: !Join [',', !Ref L]}}}\n",
        READ,
        ADMIN,
    ),
    "a list of AllowedValues as a text": Twin(
        _role(
            "[!Sub ['arn:aws:iam::aws:policy/${P}', {P: !Join ['', !Ref L]}]]",
            "Parameters: {L: {Type: CommaDelimitedList, Default: SecurityAudit, AllowedValues: [SecurityAudit, WORD]}}",
        ),
        "ReadOnlyAccess",
        "AdministratorAccess",
    ),
    "a list of AllowedValues put together and taken apart": Twin(
        _role(
            "!Split ['|', !Sub ['arn:aws:iam::aws:policy/${P}', {P: !Join ['|arn:aws:iam::aws:policy/', !Ref L]}]]",
            "Parameters: {L: {Type: CommaDelimitedList, Default: SecurityAudit, AllowedValues: [SecurityAudit, WORD]}}",
        ),
        "ReadOnlyAccess",
        "AdministratorAccess",
    ),
    "a list as a whole and its elements": Twin(
        _if(
            "!And [!Equals [!Join [',', !Ref L], 'a,WORD'], !Equals [!Select [1, !Ref L], b]]",
            LIST,
        ),
        "c",
        "b",
    ),
    "a loop over a list that is told as a whole": Twin(
        "Transform: AWS::LanguageExtensions\n"
        "Parameters: {L: {Type: CommaDelimitedList, AllowedValues: [SecurityAudit, AdministratorAccess]}}\n"
        "Conditions: {C: !Equals [!Join [',', !Ref L], 'SecurityAudit,WORD']}\nResources:\n"
        "  Fn::ForEach::Roles:\n    - Name\n    - !Ref L\n    - Role${Name}:\n        Type: AWS::IAM::Role\n"
        "        Condition: C\n        Properties: {ManagedPolicyArns: [!Sub 'arn:aws:iam::aws:policy/${Name}']}\n",
        "SecurityAudit",
        "AdministratorAccess",
    ),
    "the length of a list": Twin(_if("!Equals [{Fn::Length: [a, !Ref AWS::NoValue, b]}, WORD]", ""), "3", "2"),
    "the length of a parameter's default": Twin(
        _role(
            f"[!If [C, {READ}, {ADMIN}]]",
            LIST_BY_DEFAULT
            + "\nConditions: {C: !Equals [{Fn::Length: !Ref L}, WORD]}"
            + "\nRules: {R: {Assertions: [{Assert: !Equals [!Join [',', !Ref L], 'a,b']}]}}",
        ),
        "2",
        "3",
    ),
    "a rule asserts each member of a list": Twin(
        _role(
            f"[!If [C, {ADMIN}, {READ}]]",
            LIST_BY_DEFAULT
            + "\nConditions: {C: !Equals [!Join [',', !Ref L], 'a,b']}"
            + "\nRules: {R: {Assertions: [{Assert: {Fn::EachMemberIn: [!Ref L, [a, WORD]]}}]}}",
        ),
        "c",
        "b",
    ),
    "a rule asserts what each member of a list is": Twin(
        _role(
            f"[!If [C, {ADMIN}, {READ}]]",
            LIST_BY_DEFAULT.replace("'a, b'", "'a, a'")
            + "\nConditions: {C: !Equals [!Join [',', !Ref L], 'a,a']}"
            + "\nRules: {R: {Assertions: [{Assert: {Fn::EachMemberEquals: [!Ref L, WORD]}}]}}",
        ),
        "b",
        "a",
    ),
}


def _is_denied(twin: Twin, word: str, directory: Path) -> bool:
    for name, content in twin.others.items():
        (directory / name).write_text(content)
    template = directory / "template.yaml"
    template.write_text(twin.template.replace("WORD", word))
    reading = read_template(str(template))
    assert reading is not None
    assert not reading.unjudged
    return any(str(attachment.policy) == ADMIN for attachment in reading.attachments)


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_one_word_decides(twin: Twin, tmp_path: Path) -> None:
    assert "WORD" in twin.template
    assert not _is_denied(twin, twin.clean, tmp_path)
    assert _is_denied(twin, twin.denied, tmp_path)


INCLUDE = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://bucket/rows.yaml'}}"


@pytest.mark.parametrize("mappings", [f"{{{INCLUDE}}}", f"{{M: {{{INCLUDE}}}}}"])
def test_rows_that_are_elsewhere_are_unknown(mappings: str, tmp_path: Path) -> None:
    sections = f"Parameters: {{Stage: {{Type: String, Default: dev}}}}\nMappings: {mappings}"
    (tmp_path / "template.yaml").write_text(_role("[!FindInMap [M, !Ref Stage, P]]", sections))
    reading = read_template(str(tmp_path / "template.yaml"))
    assert reading is not None
    assert [str(attachment.policy) for attachment in reading.attachments] == ["${Fn::FindInMap}"]


def test_resources_on_one_line_count_by_themselves(tmp_path: Path) -> None:
    """A loop attaches again what another resource on its line does."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [ADMIN]}}
    template = {
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"L": {"Type": "CommaDelimitedList", "Default": "a"}},
        "Conditions": {"Other": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": [",", {"Ref": "L"}]}, "a"]}]}},
        "Resources": {
            "Role": role,
            "Fn::ForEach::Loop": ["Turn", {"Ref": "L"}, {"Of${Turn}": {**role, "Condition": "Other"}}],
        },
    }
    (tmp_path / "template.json").write_text(json.dumps(template))
    reading = read_template(str(tmp_path / "template.json"))
    assert reading is not None
    assert [attachment.resource for attachment in reading.attachments] == ["Role", "Of${L}"]
