"""Decide which managed policies the roles get that the SAM transform creates: those listed, and those it adds itself.

For the reader of templates. The transform creates a role for a function, state machine, … that names none; `Role` set
means that `Policies` is ignored. Names of AWS managed policies become ARNs, policy templates and inline documents
become inline policies. Globals knows neither Role nor Policies. Source: the SAM specification, and aws-sam-translator,
which is the transform.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unapproved_iam.cloudformation.attachments import Attached, Declared, Odd, given, inserted
from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, function_of, value_of
from unapproved_iam.cloudformation.parameters import PSEUDO_PARAMETERS
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import Possible, Value, World, scalar_text, with_late_parts
from unapproved_iam.policies.attachment import Principal
from unapproved_iam.policies.facts import NEVER, Facts
from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import PARTITION, aws_managed
from unapproved_iam.policies.possible_text import Text, text, unknown

ADDED = "added by the SAM transform"

# What the role of an event source's function gets.
POLICY_OF_EVENT = {
    "DynamoDB": "service-role/AWSLambdaDynamoDBExecutionRole",
    "Kinesis": "service-role/AWSLambdaKinesisExecutionRole",
    "MSK": "service-role/AWSLambdaMSKExecutionRole",
    "SQS": "service-role/AWSLambdaSQSQueueExecutionRole",
}

# The property that names an existing role, what the logical id of the created role ends with, and what it gets.
ROLE_OF_TYPE = {
    "AWS::Serverless::Function": ("Role", "Role", ""),
    "AWS::Serverless::StateMachine": ("Role", "Role", ""),
    "AWS::Serverless::WebFunction": ("ExecutionRoleArn", "Role", "service-role/AWSLambdaBasicExecutionRole"),
    "AWS::Serverless::CapacityProvider": ("OperatorRole", "OperatorRole", "AWSLambdaManagedEC2ResourceOperator"),
    "AWS::Serverless::NetworkConnector": ("OperatorRole", "OperatorRole", "AWSLambdaNetworkConnectorOperatorPolicy"),
    "AWS::Serverless::GraphQLApi": ("Logging", "CloudWatchRole", "service-role/AWSAppSyncPushToCloudWatchLogs"),
}

NOT_GLOBAL = frozenset({"Role", "Events"})  # Globals sets any other property that counts here


def attached_by_sam(evaluator: Evaluator, declared: Declared, global_settings: Node | None) -> Iterator[Attached | Odd]:
    """What the roles get that the transform creates for the resource; `global_settings` is the section Globals."""
    settings = _Settings(evaluator, declared, global_settings)
    role_property, suffix, policy = ROLE_OF_TYPE[declared.resource_type]
    for world in settings.worlds_without(role_property):
        role = _created_role(declared.logical_id + suffix)
        if policy:
            yield _added(settings, Possible(aws_managed(policy), world, 0), role)
        yield from _listed(evaluator, declared, role, world)
        yield from inserted(evaluator, declared, role)
        if declared.resource_type == "AWS::Serverless::Function":
            for added in _added_to_function(settings, world):
                yield _added(settings, added, role)
        elif declared.resource_type == "AWS::Serverless::StateMachine" and settings.is_traced(world):
            for added in _tracing(evaluator, world):
                yield _added(settings, added, role)


def attached_for_deployment(
    evaluator: Evaluator, declared: Declared, exists: Facts, global_settings: Node | None
) -> Iterator[Attached]:
    """What the role gets with which CodeDeploy shifts the traffic to a function, which `exists` then.

    The transform makes the role whatever the function's condition, unless it is told to pass that on.
    """
    settings = _Settings(evaluator, declared, global_settings)
    role = _created_role("CodeDeployServiceRole")
    for world in settings.worlds_deployed_gradually(declared.world, exists):
        yield _added(settings, Possible(aws_managed("service-role/AWSCodeDeployRoleForLambda"), world, 0), role)


def role_has_own_condition(resource_type: str, resource: Node) -> bool:
    """Whether a function's role is there under the condition of `Role` alone, which the transform puts in the place of
    the function's own: where Fn::If chooses between a role and none."""
    role = value_of(value_of(resource, "Properties"), "Role")
    function, argument = (role and function_of(role)) or ("", None)
    sides = argument.items[1:] if isinstance(argument, Array) else []
    absent = [side for side in sides if _is_no_value(side)]
    return resource_type == "AWS::Serverless::Function" and function == "Fn::If" and len(absent) == 1


def _is_no_value(node: Node) -> bool:
    function, argument = function_of(node) or ("", node)
    return function == "Ref" and scalar_text(argument) == "AWS::NoValue"


def _added(settings: _Settings, added: Possible, role: tuple[Principal, ...]) -> Attached:
    world = added.world
    facts = settings.evaluator.unknowns.told(world.facts, world.defaults)
    return Attached(added.text, role, world.with_facts(facts), added.line or settings.declared.line, ADDED)


def _created_role(logical_id: str) -> tuple[Principal, ...]:
    return (Principal("role", unknown(logical_id, f"CloudFormation generates the name of {logical_id}"), logical_id),)


def _listed(
    evaluator: Evaluator, declared: Declared, role: tuple[Principal, ...], world: World
) -> Iterator[Attached | Odd]:
    for node, inner in evaluator.under(declared.properties, "Policies", world):
        for member in evaluator.members(node, inner):
            if not isinstance(member.value, Object):  # policy templates and inline documents are mappings
                for final in evaluator.resolved(member):
                    yield Attached(policy_of_entry(given(final)), role, final.world, member.line or node.line)


def policy_of_entry(entry: Text) -> Text:
    """The policy that an entry of `Policies` means: a name of an AWS managed policy, or an ARN."""
    entry = with_late_parts(entry)  # a dynamic reference may stand for a whole ARN
    if entry.known is not None and not entry.known.startswith("arn:"):
        return aws_managed(managed_policy_names().get(entry.known, "") + entry.known)
    first = entry.pieces[0] if entry.pieces else ""
    if isinstance(first, str) and not first.startswith("arn:") and not "arn:".startswith(first):
        return text("arn:", PARTITION, ":iam::aws:policy/", entry)
    return entry


def _added_to_function(settings: _Settings, world: World) -> Iterator[Possible]:
    basic = "service-role/AWSLambdaBasicExecutionRole"
    if settings.has("DurableConfig", world):
        basic = "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
    yield Possible(aws_managed(basic), world, 0)
    for inner in settings.worlds_with_tracing(world):
        yield from _tracing(settings.evaluator, inner)
    if settings.has("VpcConfig", world):
        yield Possible(aws_managed("service-role/AWSLambdaVPCAccessExecutionRole"), world, 0)
    for entry, inner in settings.under("Events", world):
        for event in settings.evaluator.entries(entry, inner):
            kind = scalar_text(value_of(event.node, "Type"))
            if kind == "SNS" and _is_something(value_of(value_of(event.node, "Properties"), "SqsSubscription")):
                kind = "SQS"  # a queue between the topic and the function
            policy = POLICY_OF_EVENT.get(kind)
            if policy:
                yield Possible(aws_managed(policy), event.world, event.line)


def _tracing(evaluator: Evaluator, world: World) -> Iterator[Possible]:
    """The policy for X-Ray has another name outside the partition `aws`."""
    partition = text(PSEUDO_PARAMETERS["AWS::Partition"])
    inside = evaluator.unknowns.equal(partition, text("aws"))
    old = text("arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess")
    for policy, side in ((old, inside), (aws_managed("AWSXRayDaemonWriteAccess"), ~inside)):
        if world.facts & side is not NEVER:
            yield Possible(policy, world.with_facts(world.facts & side), 0)


class _Settings:
    """The properties of a resource, together with what Globals sets for its type."""

    def __init__(self, evaluator: Evaluator, declared: Declared, global_settings: Node | None) -> None:
        self.evaluator = evaluator
        self.declared = declared
        self.globals = value_of(global_settings, declared.resource_type.removeprefix("AWS::Serverless::"))
        ignored = value_of(declared.node, "IgnoreGlobals")
        names = ignored.items if isinstance(ignored, Array) else [ignored]
        self.ignored = {scalar_text(name) for name in names}

    def under(self, name: str, world: World) -> Iterator[tuple[Node, World]]:
        own = list(self.evaluator.under(self.declared.properties, name, world))
        is_own_alone = name in NOT_GLOBAL or self.ignored & {name, "*"}
        shared = [] if is_own_alone else list(self.evaluator.under(self.globals, name, world))
        for node, inner in own:
            yield (_merged(shared[-1][0], node) if shared else node), inner
        if not own:
            yield from shared

    def has(self, name: str, world: World) -> bool:
        """Whether the transform sees anything there; it does not look into Fn::If."""
        return any(_is_something(node) for node, _ in self.under(name, world))

    def worlds_without(self, role_property: str) -> Iterator[World]:
        """The worlds in which the resource names no role of its own."""
        world = self.declared.world
        roles = list(self.under(role_property, world))
        if not roles:
            yield world
        for node, inner in roles:
            for possible in self.evaluator.values(node, inner):
                if possible.value is None or _is_logging_without_role(role_property, possible.value):
                    yield possible.world

    def worlds_with_tracing(self, world: World) -> Iterator[World]:
        for node, inner in self.under("Tracing", world):
            yield from self._worlds_unless(node, inner, frozenset({"", "Disabled"}), resolved=("Ref",))

    def _worlds_unless(self, node: Node, world: World, off: frozenset[str], resolved: Sequence[str]) -> Iterator[World]:
        """The worlds in which a setting is none of these; a function that the transform does not resolve never is."""
        function, _ = function_of(node) or ("", node)
        if function and function not in resolved:
            yield world
            return
        for possible in self.evaluator.values(node, world):
            is_left = function and possible.value is None  # a reference to AWS::NoValue
            for value, inner in self.evaluator.filled_in(possible.text, possible.world):
                if is_left or (value.known not in off and inner.supposed == possible.world.supposed):
                    yield inner

    def is_traced(self, world: World) -> bool:
        """Whether a state machine is."""
        return any(scalar_text(value_of(node, "Enabled")) == "true" for node, _ in self.under("Tracing", world))

    def worlds_deployed_gradually(self, world: World, exists: Facts) -> Iterator[World]:
        """The worlds in which CodeDeploy shifts the traffic, with a role that the transform creates."""
        for node, inner in self.under("DeploymentPreference", world):
            if scalar_text(value_of(node, "PassthroughCondition")) == "true":
                inner = inner.with_facts(inner.facts & exists)
            if inner.facts is not NEVER and isinstance(node, Object) and node.pairs and value_of(node, "Role") is None:
                enabled = value_of(node, "Enabled") or Scalar("true")
                off = frozenset({"", "false", "False"})
                yield from self._worlds_unless(enabled, inner, off, resolved=("Ref", "Fn::FindInMap"))


def _merged(shared: Node, own: Node) -> Node:
    """What a resource sets together with Globals: the keys of both mappings, of which its own come last, and count."""
    if isinstance(shared, Object) and isinstance(own, Object) and not (function_of(shared) or function_of(own)):
        return Object([*shared.pairs, *own.pairs], own.line, own.end_line)
    return own


def _is_logging_without_role(role_property: str, value: Value) -> bool:
    """The role of a GraphQLApi is named among the settings of its logs, which may also be `false`."""
    if isinstance(value, Object):
        return role_property == "Logging" and value_of(value, "CloudWatchLogsRoleArn") is None
    return role_property == "Logging" and value != text("false")


def _is_something(node: Node | None) -> bool:
    """Whether Python, in which the transform is written, counts the value as true."""
    if isinstance(node, Array):
        return bool(node.items)
    if isinstance(node, Object):
        return bool(node.pairs)
    return scalar_text(node) not in ("", "false", "0")
