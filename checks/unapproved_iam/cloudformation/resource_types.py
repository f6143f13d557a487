"""Decide which CloudFormation and SAM resource types attach managed policies, through which properties, and to whom.

This is the only table of them: the reader of templates works by it, the screen looks for its types, the checks register
for them, the tests and the documentation list it. To add a resource type, add a row.

Not in it, because they attach nothing: permissions boundaries, inline policies (AWS::IAM::Policy, AWS::IAM::RolePolicy,
…), AWS::Organizations::Policy, access policies of EKS. Source: the pages of these types in the CloudFormation "Template
reference" and in the SAM specification.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Form(Enum):
    """How a property says which policies are attached."""

    ARNS = "a list of ARNs"
    NAMES = "customer managed policies by name and path"
    OWN = "the resource is itself the customer managed policy of this name"
    SAM = "names of AWS managed policies, or ARNs, one or several"
    TEMPLATE = "another template"
    LOCATION = "where another template is, when that is a file of the tree"
    PASSED = "parameters of a template; of one that is not in the tree a policy among them counts as attached"


class PolicyProperty(NamedTuple):
    name: str  # or a path: `Definition.IamActionDefinition.PolicyArn`
    form: Form


class PrincipalProperty(NamedTuple):
    """A property that names a principal, or several."""

    kind: str  # role, user, group or permission-set
    name: str  # or a path
    own: bool = False  # the resource is itself the principal, and this is its name


class AttachingType(NamedTuple):
    resource_type: str
    policies: tuple[PolicyProperty, ...] = ()  # none: only what the SAM transform adds
    principals: tuple[PrincipalProperty, ...] = ()


def _row(resource_type: str, policies: dict[str, Form], *principals: PrincipalProperty) -> AttachingType:
    return AttachingType(resource_type, tuple(PolicyProperty(*item) for item in policies.items()), principals)


def _of(kind: str, name: str, own: bool = False) -> PrincipalProperty:
    return PrincipalProperty(kind, name, own)


OVERRIDES = "StackInstancesGroup.ParameterOverrides"  # of a group of a StackSet's instances

_ROWS = (
    _row("AWS::IAM::Role", {"ManagedPolicyArns": Form.ARNS}, _of("role", "RoleName", own=True)),
    _row("AWS::IAM::User", {"ManagedPolicyArns": Form.ARNS}, _of("user", "UserName", own=True)),
    _row("AWS::IAM::Group", {"ManagedPolicyArns": Form.ARNS}, _of("group", "GroupName", own=True)),
    _row(
        "AWS::IAM::ManagedPolicy",
        {"ManagedPolicyName": Form.OWN},
        _of("role", "Roles"),
        _of("user", "Users"),
        _of("group", "Groups"),
    ),
    _row(
        "AWS::SSO::PermissionSet",
        {"ManagedPolicies": Form.ARNS, "CustomerManagedPolicyReferences": Form.NAMES},
        _of("permission-set", "Name", own=True),
    ),
    _row(
        "AWS::Budgets::BudgetsAction",
        {"Definition.IamActionDefinition.PolicyArn": Form.ARNS},
        _of("role", "Definition.IamActionDefinition.Roles"),
        _of("user", "Definition.IamActionDefinition.Users"),
        _of("group", "Definition.IamActionDefinition.Groups"),
    ),
    _row(
        "AWS::CloudFormation::Stack",
        {"TemplateURL": Form.LOCATION, "TemplateBody": Form.TEMPLATE, "Parameters": Form.PASSED},
    ),
    _row(
        "AWS::CloudFormation::StackSet",
        {
            "TemplateURL": Form.LOCATION,
            "TemplateBody": Form.TEMPLATE,
            "Parameters": Form.PASSED,
            OVERRIDES: Form.PASSED,
        },
    ),
    _row(
        "AWS::CloudFormation::ChangeSet",
        {"TemplateURL": Form.LOCATION, "TemplateBody": Form.TEMPLATE, "Parameters": Form.PASSED},
    ),
    _row("AWS::ServiceCatalog::CloudFormationProvisionedProduct", {"ProvisioningParameters": Form.PASSED}),
    _row(
        "AWS::SageMaker::Project",
        {
            "ServiceCatalogProvisioningDetails.ProvisioningParameters": Form.PASSED,
            "TemplateProviderDetails.CfnTemplateProviderDetail.TemplateURL": Form.LOCATION,
            "TemplateProviderDetails.CfnTemplateProviderDetail.Parameters": Form.PASSED,
        },
    ),
    _row("AWS::Serverless::Application", {"Location": Form.LOCATION, "Parameters": Form.PASSED}),
    _row("AWS::Serverless::Function", {"Policies": Form.SAM}),
    _row("AWS::Serverless::StateMachine", {"Policies": Form.SAM}),
    _row("AWS::Serverless::WebFunction", {}),
    _row("AWS::Serverless::CapacityProvider", {}),
    _row("AWS::Serverless::NetworkConnector", {}),
    _row("AWS::Serverless::GraphQLApi", {}),
)

ATTACHING_TYPES = {row.resource_type: row for row in _ROWS}
