"""Decide which Terraform resource types attach managed policies, through which attributes, and to whom.

This is the only table of them: the readers of source, plans and checkov's resources work by it, the screen looks for
its types, the tests and the documentation list it. To add a resource type, add a row.

Not in it, because they attach nothing: permissions boundaries, inline policies (`aws_iam_role_policy`, …), policies of
organizations and of IoT, access policies of EKS, and what else fixtures/terraform/provider_attributes.txt lists.
Sources: the pages of these resources in the documentation of the providers `hashicorp/aws` and `hashicorp/awscc`.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Form(Enum):
    """How an attribute says which policies are attached."""

    ARN = "an ARN"
    ARNS = "a list of ARNs"
    NAME = "customer managed policies by name and path, in objects or blocks"
    OWN = "the resource is itself the customer managed policy of this name"
    TEMPLATE = "a CloudFormation template"
    PROPERTIES = "the properties of a CloudFormation resource of the type in `type_name`"
    PASSED = "parameters of what is not in the tree, with policies anywhere in them"


class PolicyAttribute(NamedTuple):
    name: str  # with dots where it stands in nested blocks or objects
    form: Form
    computed: bool = False  # where nobody sets it the provider tells what others have attached: a plan shows that, too


class PrincipalAttribute(NamedTuple):
    """An attribute that names a principal, or several."""

    kind: str  # role, user, group or permission-set
    name: str  # with dots, likewise
    own: bool = False  # the resource is itself the principal, and this is its name
    by_arn: bool = False  # the attribute holds an ARN, which does not tell the name


# What decides beside an attribute of these forms.
_BESIDE = {Form.OWN: ("path",), Form.TEMPLATE: ("parameters",), Form.PROPERTIES: ("type_name",)}


class AttachingType(NamedTuple):
    resource_type: str
    policies: tuple[PolicyAttribute, ...]
    principals: tuple[PrincipalAttribute, ...] = ()

    @property
    def arguments(self) -> frozenset[str]:
        """The arguments and nested blocks that say which policies are attached; whether and to whom others say."""
        names = (name for one in self.policies for name in (one.name.partition(".")[0], *_BESIDE.get(one.form, ())))
        return frozenset(names)


def _row(
    resource_type: str, policies: str, form: Form, *principals: PrincipalAttribute, computed: bool = False
) -> AttachingType:
    return AttachingType(resource_type, (PolicyAttribute(policies, form, computed),), principals)


def _stack(resource_type: str, *passed: str, computed: bool = False) -> AttachingType:
    """A template with parameters; what is passed to one that is elsewhere counts by itself."""
    template = PolicyAttribute("template_body", Form.TEMPLATE, computed)
    return AttachingType(resource_type, (template, *(PolicyAttribute(name, Form.PASSED) for name in passed)))


def _of(kind: str, name: str = "", own: bool = False) -> PrincipalAttribute:
    return PrincipalAttribute(kind, name or kind, own)


_PERMISSION_SET = PrincipalAttribute("permission-set", "permission_set_arn", by_arn=True)
_POLICY_REFERENCE = "customer_managed_policy_reference"
_PRINCIPAL_LISTS = (_of("role", "roles"), _of("user", "users"), _of("group", "groups"))
_BUDGET_ACTION = "definition.iam_action_definition"
_BUDGET_PRINCIPALS = tuple(_of(one.kind, f"{_BUDGET_ACTION}.{one.name}") for one in _PRINCIPAL_LISTS)

_ROWS = (
    _row("aws_iam_policy_attachment", "policy_arn", Form.ARN, *_PRINCIPAL_LISTS),
    _row("aws_iam_role_policy_attachment", "policy_arn", Form.ARN, _of("role")),
    _row("aws_iam_user_policy_attachment", "policy_arn", Form.ARN, _of("user")),
    _row("aws_iam_group_policy_attachment", "policy_arn", Form.ARN, _of("group")),
    _row("aws_iam_role_policy_attachments_exclusive", "policy_arns", Form.ARNS, _of("role", "role_name")),
    _row("aws_iam_user_policy_attachments_exclusive", "policy_arns", Form.ARNS, _of("user", "user_name")),
    _row("aws_iam_group_policy_attachments_exclusive", "policy_arns", Form.ARNS, _of("group", "group_name")),
    _row("aws_iam_role", "managed_policy_arns", Form.ARNS, _of("role", "name", own=True), computed=True),
    _row("aws_ssoadmin_managed_policy_attachment", "managed_policy_arn", Form.ARN, _PERMISSION_SET),
    _row("aws_ssoadmin_managed_policy_attachments_exclusive", "managed_policy_arns", Form.ARNS, _PERMISSION_SET),
    _row("aws_ssoadmin_customer_managed_policy_attachment", _POLICY_REFERENCE, Form.NAME, _PERMISSION_SET),
    _row("aws_ssoadmin_customer_managed_policy_attachments_exclusive", _POLICY_REFERENCE, Form.NAME, _PERMISSION_SET),
    _stack("aws_cloudformation_stack", "parameters", computed=True),
    _stack("aws_cloudformation_stack_set", "parameters", computed=True),
    _row("aws_cloudformation_stack_set_instance", "parameter_overrides", Form.PASSED),
    _row("aws_cloudformation_stack_instances", "parameter_overrides", Form.PASSED),
    _row("aws_serverlessapplicationrepository_cloudformation_stack", "parameters", Form.PASSED),
    _row("aws_servicecatalog_provisioned_product", "provisioning_parameters", Form.PASSED),
    _row("aws_cloudcontrolapi_resource", "desired_state", Form.PROPERTIES),
    _row("aws_budgets_budget_action", f"{_BUDGET_ACTION}.policy_arn", Form.ARN, *_BUDGET_PRINCIPALS),
    _row("awscc_iam_role", "managed_policy_arns", Form.ARNS, _of("role", "role_name", own=True), computed=True),
    _row("awscc_iam_user", "managed_policy_arns", Form.ARNS, _of("user", "user_name", own=True), computed=True),
    _row("awscc_iam_group", "managed_policy_arns", Form.ARNS, _of("group", "group_name", own=True), computed=True),
    _row("awscc_iam_managed_policy", "managed_policy_name", Form.OWN, *_PRINCIPAL_LISTS),
    AttachingType(
        "awscc_sso_permission_set",
        (
            PolicyAttribute("managed_policies", Form.ARNS, computed=True),
            PolicyAttribute("customer_managed_policy_references", Form.NAME, computed=True),
        ),
        (_of("permission-set", "name", own=True),),
    ),
    _stack("awscc_cloudformation_stack", "parameters"),
    _stack("awscc_cloudformation_stack_set", "parameters", "stack_instances_group"),
    _row("awscc_servicecatalog_cloudformation_provisioned_product", "provisioning_parameters", Form.PASSED),
    AttachingType(
        "awscc_sagemaker_project",
        (
            PolicyAttribute("service_catalog_provisioning_details.provisioning_parameters", Form.PASSED),
            PolicyAttribute("template_provider_details.cfn_template_provider_detail.parameters", Form.PASSED),
        ),
    ),
    _row("awscc_budgets_budgets_action", f"{_BUDGET_ACTION}.policy_arn", Form.ARN, *_BUDGET_PRINCIPALS),
)

ATTACHING_TYPES = {row.resource_type: row for row in _ROWS}


class DeclaredPrincipal(NamedTuple):
    """A resource or data source that stands for a principal: other resources refer to it by these attributes."""

    kind: str
    name: str  # the attribute that holds the principal's name; other references to it mean the same principal


# "aws_iam_role.x.id" is the role's name; "aws_ssoadmin_permission_set.x.arn" means the permission set of that name.
DECLARED_PRINCIPALS = {
    "aws_iam_role": DeclaredPrincipal("role", "name"),
    "aws_iam_user": DeclaredPrincipal("user", "name"),
    "aws_iam_group": DeclaredPrincipal("group", "name"),
    "aws_ssoadmin_permission_set": DeclaredPrincipal("permission-set", "name"),
    "awscc_iam_role": DeclaredPrincipal("role", "role_name"),
    "awscc_iam_user": DeclaredPrincipal("user", "user_name"),
    "awscc_iam_group": DeclaredPrincipal("group", "group_name"),
    "awscc_sso_permission_set": DeclaredPrincipal("permission-set", "name"),
    "data.aws_iam_role": DeclaredPrincipal("role", "name"),
    "data.aws_iam_user": DeclaredPrincipal("user", "user_name"),
    "data.aws_iam_group": DeclaredPrincipal("group", "group_name"),
    "data.aws_ssoadmin_permission_set": DeclaredPrincipal("permission-set", "name"),
}


class DeclaredPolicy(NamedTuple):
    """A resource that creates a customer managed policy: attributes with its name, its path and its ARN."""

    name: str
    path: str
    arns: tuple[str, ...]


DECLARED_POLICIES = {
    "aws_iam_policy": DeclaredPolicy("name", "path", ("arn", "id")),
    "awscc_iam_managed_policy": DeclaredPolicy("managed_policy_name", "path", ("policy_arn", "id")),
}
