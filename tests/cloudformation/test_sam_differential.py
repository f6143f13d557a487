"""What the roles get that the SAM transform creates, against the transform itself (aws-sam-translator).

The translated template is plain CloudFormation, whose roles must attach the same policies as we read in the SAM
template. Outside the partition `aws`, one policy of X-Ray has another name.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from project_files import PROJECT
from unapproved_iam.cloudformation.document import Array, Node, Scalar, documents_of
from unapproved_iam.cloudformation.sam_resources import ADDED
from unapproved_iam.cloudformation.template import read_template
from unapproved_iam.policies.attachment import Attachment, Reading
from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.scan.name_pieces import ADDED_BY_SAM

REGIONS = {"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
FUNCTIONS = int(os.environ.get("FUNCTIONS_TRIED", "100"))
FIXTURES = sorted((PROJECT / "fixtures" / "sam").glob("*.yaml"))


def function(**properties: Any) -> dict[str, Any]:
    plain = {"Handler": "index.handler", "Runtime": "python3.13", "InlineCode": "pass"}
    return {"Type": "AWS::Serverless::Function", "Properties": {**plain, **properties}}


def machine(**properties: Any) -> dict[str, Any]:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    return {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": definition, **properties}}


def queue_event() -> dict[str, Any]:
    return {"Type": "SQS", "Properties": {"Queue": "arn:aws:sqs:us-east-1:123456789012:queue"}}


NO_VALUE = {"Ref": "AWS::NoValue"}
INLINE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
GRAPHQL = {"SchemaInline": "type Query { a: String }", "Auth": {"Type": "AWS_IAM"}}
LOGGED = {"FieldLogLevel": "ERROR"}
OWN_LOGGED = {**LOGGED, "CloudWatchLogsRoleArn": "arn:aws:iam::123456789012:role/own"}
DEPLOYED = {"AutoPublishAlias": "live"}
GRADUAL = {"Type": "AllAtOnce"}
SHAPES: dict[str, dict[str, Any]] = {
    "no policies": function(),
    "one name": function(Policies="AmazonS3FullAccess"),
    "a name with a path": function(Policies="AWSLambdaRole"),
    "names": function(Policies=["AmazonS3FullAccess", "AWSXrayFullAccess"]),
    "one ARN": function(Policies="arn:aws:iam::aws:policy/AmazonS3FullAccess"),
    "looked up": function(Policies=["{{resolve:ssm:/team/policy}}"]),
    "looked up in part": function(Policies=["arn:aws:iam::aws:policy/{{resolve:ssm:/team/policy}}"]),
    "looked up by a machine": machine(Policies="{{resolve:ssm:/team/policy}}"),
    "somebody's own policy": function(Policies=["arn:aws:iam::123456789012:policy/own"]),
    "inline document": function(Policies=INLINE),
    "policy template": function(Policies=[{"S3ReadPolicy": {"BucketName": "bucket"}}, "AWSXrayFullAccess"]),
    "mixed": function(Policies=["AWSXrayFullAccess", INLINE, {"SQSPollerPolicy": {"QueueName": "queue"}}]),
    "a name twice": function(Policies=["AWSLambdaBasicExecutionRole", "AWSLambdaBasicExecutionRole"]),
    "reference to a policy": function(Policies=[{"Ref": "Own"}]),
    "joined ARN": function(Policies=[{"Fn::Join": ["", ["arn:aws:iam::aws:policy/", "AmazonS3FullAccess"]]}]),
    "substituted ARN": function(Policies=[{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonS3FullAccess"}]),
    "conditional name": function(Policies=[{"Fn::If": ["Open", "AmazonS3FullAccess", NO_VALUE]}]),
    "conditional names": function(Policies=[{"Fn::If": ["Open", "AmazonS3FullAccess", "AWSXrayFullAccess"]}]),
    "conditional document": function(Policies=[{"Fn::If": ["Open", INLINE, NO_VALUE]}]),
    "role": function(Role="arn:aws:iam::123456789012:role/own", Policies=["AmazonS3FullAccess"]),
    "role of the template": function(Role={"Fn::GetAtt": ["OwnRole", "Arn"]}, Policies=["AmazonS3FullAccess"]),
    "conditional role": function(
        Role={"Fn::If": ["Open", NO_VALUE, "arn:aws:iam::123456789012:role/own"]}, Policies=["AmazonS3FullAccess"]
    ),
    "conditional role of a function that is never created": {
        **function(
            Role={"Fn::If": ["Open", NO_VALUE, "arn:aws:iam::123456789012:role/own"]}, Policies=["AmazonS3FullAccess"]
        ),
        "Condition": "Never",
    },
    "conditional role on the other side": function(
        Role={"Fn::If": ["Open", "arn:aws:iam::123456789012:role/own", NO_VALUE]}, Policies=["AmazonS3FullAccess"]
    ),
    "conditional role without any": {
        **function(Role={"Fn::If": ["Open", NO_VALUE, NO_VALUE]}, Policies=["AmazonS3FullAccess"]),
        "Condition": "Never",
    },
    "tracing": function(Tracing="Active"),
    "tracing disabled": function(Tracing="Disabled"),
    "tracing by parameter": function(Tracing={"Ref": "Mode"}),
    "tracing by no value": function(Tracing=NO_VALUE),
    "tracing that is null": function(Tracing=None),
    "deployed": function(**DEPLOYED, DeploymentPreference=GRADUAL),
    "deployed by a parameter": function(**DEPLOYED, DeploymentPreference={**GRADUAL, "Enabled": {"Ref": "On"}}),
    "not deployed by a parameter": function(**DEPLOYED, DeploymentPreference={**GRADUAL, "Enabled": {"Ref": "Off"}}),
    "not deployed by a mapping": function(
        **DEPLOYED, DeploymentPreference={**GRADUAL, "Enabled": {"Fn::FindInMap": ["Stages", "dev", "Deployed"]}}
    ),
    "deployed under a condition": function(
        **DEPLOYED, DeploymentPreference={**GRADUAL, "Enabled": {"Fn::If": ["Open", True, False]}}
    ),
    "deployed by no value": function(**DEPLOYED, DeploymentPreference={**GRADUAL, "Enabled": NO_VALUE}),
    "deployed by null": function(**DEPLOYED, DeploymentPreference={**GRADUAL, "Enabled": None}),
    "deployed, and never created": {**function(**DEPLOYED, DeploymentPreference=GRADUAL), "Condition": "Never"},
    "deployed by a function that passes its condition on": {
        **function(**DEPLOYED, DeploymentPreference={**GRADUAL, "PassthroughCondition": True}),
        "Condition": "Never",
    },
    "network": function(VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}),
    "conditional network": function(VpcConfig={"Fn::If": ["Open", {"SubnetIds": ["subnet-1"]}, NO_VALUE]}),
    "events": function(
        Events={"Queue": queue_event(), "Api": {"Type": "Api", "Properties": {"Path": "/", "Method": "get"}}}
    ),
    "created under a condition": {**function(Policies=["AmazonS3FullAccess"]), "Condition": "Open"},
    "never created": {**function(Policies=["AmazonS3FullAccess"]), "Condition": "Never"},
    "nothing at all": {"Type": "AWS::Serverless::GraphQLApi", "Properties": GRAPHQL},
    "logs with settings": {"Type": "AWS::Serverless::GraphQLApi", "Properties": {**GRAPHQL, "Logging": LOGGED}},
    "logs with a role": {"Type": "AWS::Serverless::GraphQLApi", "Properties": {**GRAPHQL, "Logging": OWN_LOGGED}},
    "logs": {"Type": "AWS::Serverless::GraphQLApi", "Properties": {**GRAPHQL, "Logging": True}},
    "no logs": {"Type": "AWS::Serverless::GraphQLApi", "Properties": {**GRAPHQL, "Logging": False}},
    "machine without policies": machine(),
    "machine": machine(Policies=["AmazonS3FullAccess", INLINE]),
    "machine with role": machine(Role="arn:aws:iam::123456789012:role/own"),
    "traced machine": machine(Tracing={"Enabled": True}),
    "untraced machine": machine(Tracing={"Enabled": False}),
}


def template_of(resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {
            "Mode": {"Type": "String", "Default": "Active", "AllowedValues": ["Active"]},
            "On": {"Type": "String", "Default": "true"},
            "Off": {"Type": "String", "Default": "false"},
        },
        "Mappings": {"Stages": {"dev": {"Deployed": "false"}}},
        "Conditions": {
            "Open": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
            "Never": {"Fn::Equals": ["a", "b"]},
        },
        "Resources": {
            "Subject": resource,
            "Own": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": INLINE}},
            "OwnRole": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
        },
    }


def translated(template: dict[str, Any], partition: str) -> dict[str, Any]:
    """The template after the transform, as in that partition."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGIONS[partition])
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.arn_generator import ArnGenerator
    from samtranslator.translator.translator import Translator

    region, ArnGenerator.BOTO_SESSION_REGION_NAME = ArnGenerator.BOTO_SESSION_REGION_NAME, REGIONS[partition]
    arns = {name: f"arn:{partition}:iam::aws:policy/{path}{name}" for name, path in managed_policy_names().items()}
    try:
        result = Translator(arns, Parser()).translate(template, {"AWS::Region": REGIONS[partition]})
    finally:
        ArnGenerator.BOTO_SESSION_REGION_NAME = region
    assert isinstance(result, dict)
    return result


def attached(reading: Reading | None, partition: str) -> set[tuple[str, str, str]]:
    """Each policy that a role gets: the role's logical id, the policy, and the conditions of the template."""
    assert reading is not None
    return {
        (role.address, as_in(str(attachment.policy), partition), str(conditions_of(attachment)))
        for attachment in reading.attachments
        if is_in(attachment, partition)
        for role in attachment.principals
    }


def as_in(policy: str, partition: str) -> str:
    return policy.replace("${partition}", partition).replace("${AWS::Partition}", partition)


def conditions_of(attachment: Attachment) -> list[str]:
    """The transform adds conditions of its own for the opposite of others."""
    choices = [re.sub(r"^Condition NOT(\w+) is true$", r"Condition \1 is false", choice) for choice in attachment.when]
    return sorted(choice for choice in choices if "Partition" not in choice)


def is_in(attachment: Attachment, partition: str) -> bool:
    excluded = "AWS::Partition is not aws" if partition == "aws" else "AWS::Partition is aws"
    return excluded not in attachment.when


def compare(template: dict[str, Any], partition: str, directory: Path) -> set[tuple[str, str, str]]:
    before, after = directory / "before.json", directory / "after.json"
    before.write_text(json.dumps(template), "utf-8")
    after.write_text(json.dumps(translated(copy.deepcopy(template), partition)), "utf-8")
    ours, theirs = attached(read_template(str(before)), partition), attached(read_template(str(after)), partition)
    assert ours == theirs
    return ours


@pytest.mark.parametrize("partition", REGIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_transform_attaches_the_same(shape: str, partition: str, tmp_path: Path) -> None:
    compare(template_of(SHAPES[shape]), partition, tmp_path)


def either(one: Any, other: Any) -> dict[str, Any]:
    return {"Fn::If": ["Open", one, other]}


ENTRIES = [
    *("AmazonS3FullAccess", "AWSLambdaRole", "arn:aws:iam::aws:policy/PowerUserAccess", {"Ref": "Own"}),
    {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/IAMFullAccess"},
    {"Fn::Join": ["/", ["arn:aws:iam::aws:policy", "IAMFullAccess"]]},
    *(INLINE, {"S3ReadPolicy": {"BucketName": "bucket"}}),
    *(
        either("AWSXrayFullAccess", NO_VALUE),
        either(NO_VALUE, "AWSXrayFullAccess"),
        either("AWSLambdaRole", {"Ref": "Own"}),
    ),
]
OWN = "arn:aws:iam::123456789012:role/own"
NETWORK = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
CHOICES: dict[str, list[Any]] = {
    "Policies": [[one, other] for one in ENTRIES for other in ENTRIES] + ENTRIES,
    "Role": [OWN, {"Fn::GetAtt": ["OwnRole", "Arn"]}, either(NO_VALUE, OWN), either(OWN, NO_VALUE)],
    "Tracing": ["Active", "PassThrough", "Disabled", {"Ref": "Mode"}, either("Active", "PassThrough")],
    "VpcConfig": [NETWORK, either(NETWORK, NO_VALUE), {}],
    "Events": [{"Queue": queue_event()}, {"Timer": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)"}}}],
    "DeploymentPreference": [GRADUAL, {**GRADUAL, "Enabled": False}, {**GRADUAL, "Role": OWN}],
}


def made_at_random(seed: int) -> dict[str, Any]:
    chosen = random.Random(seed)
    properties = {name: chosen.choice(values) for name, values in CHOICES.items() if chosen.random() < 0.4}
    subject = function(**DEPLOYED, **properties)
    if chosen.random() < 0.3:
        subject["Condition"] = chosen.choice(["Open", "Never"])
    template = template_of(subject)
    if chosen.random() < 0.3:
        shared = {"Tracing": "Active", "VpcConfig": NETWORK, "DeploymentPreference": GRADUAL}
        template["Globals"] = {"Function": {name: shared[name] for name in chosen.sample(list(shared), 2)}}
    return template


@pytest.mark.parametrize("seed", range(FUNCTIONS))
def test_the_transform_attaches_the_same_by_functions_made_at_random(seed: int, tmp_path: Path) -> None:
    compare(made_at_random(seed), sorted(REGIONS)[seed % 3], tmp_path)


@pytest.mark.parametrize("partition", REGIONS)
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_the_transform_attaches_the_same_in_fixtures(path: Path, partition: str, tmp_path: Path) -> None:
    [document] = documents_of(path.read_text("utf-8"))
    assert compare(value_of_node(document), partition, tmp_path)


def test_the_screen_knows_what_is_added() -> None:
    """No template names these policies, so whoever looks for denied names in files has to know them."""
    reading = read_template(str(FIXTURES[0].with_name("added.yaml")))
    assert reading is not None
    added = {str(one.policy).partition(":policy/")[2] for one in reading.attachments if one.note == ADDED}
    assert added == set(ADDED_BY_SAM)


def value_of_node(node: Node) -> Any:
    if isinstance(node, Scalar):
        booleans = {"true": True, "false": False}
        return None if node.is_null else booleans.get(node.text, int(node.text) if node.text.isdigit() else node.text)
    if isinstance(node, Array):
        return [value_of_node(item) for item in node.items]
    return {key: value_of_node(value) for key, value in pairs_of(node.pairs)}


def pairs_of(pairs: list[tuple[Node, Node]]) -> Iterator[tuple[str, Node]]:
    return ((key.text, value) for key, value in pairs if isinstance(key, Scalar))
