"""Every property of a CloudFormation type that may hold managed policies is in the table, or attaches nothing."""

from __future__ import annotations

import sys

import pytest
from project_files import PROJECT
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES

sys.path.insert(0, str(PROJECT / "scripts"))

from find_policy_properties import policy_properties

BOUNDARY = "a permissions boundary limits"
NOT_OF_IAM = "a policy of that service, not of IAM"
OTHER_TEMPLATE = "a template of that service, which creates no IAM resources"

# What attaches nothing, and why.
NO_ATTACHMENT = {
    "AWS::Batch::JobQueue SchedulingPolicyArn": NOT_OF_IAM,
    "AWS::Bedrock::AutomatedReasoningPolicyVersion PolicyArn": NOT_OF_IAM,
    "AWS::BedrockAgentCore::GatewayTarget TargetConfiguration.Mcp.Connector.Configurations.ParameterOverrides": (
        "arguments of a tool, no template has them"
    ),
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration GuardrailPolicies": "guardrails limit the channel's role",
    "AWS::Chatbot::SlackChannelConfiguration GuardrailPolicies": "guardrails limit the channel's role",
    "AWS::Config::ConformancePack TemplateBody": OTHER_TEMPLATE,
    "AWS::Config::OrganizationConformancePack TemplateBody": OTHER_TEMPLATE,
    "AWS::DataZone::EnvironmentBlueprintConfiguration EnvironmentRolePermissionBoundary": BOUNDARY,
    "AWS::DataZone::ProjectProfile EnvironmentConfigurations.ConfigurationParameters.ParameterOverrides": (
        "settings of a blueprint that AWS manages"
    ),
    "AWS::EKS::AccessEntry AccessPolicies.PolicyArn": "an access policy of EKS, whose ARN is not one of IAM",
    "AWS::EMR::StudioSessionMapping SessionPolicyArn": "a session policy limits",
    "AWS::IAM::Role PermissionsBoundary": BOUNDARY,
    "AWS::IAM::User PermissionsBoundary": BOUNDARY,
    "AWS::IoT::CACertificate RegistrationConfig.TemplateBody": OTHER_TEMPLATE,
    "AWS::IoT::ProvisioningTemplate TemplateBody": OTHER_TEMPLATE,
    "AWS::NetworkFirewall::Firewall FirewallPolicyArn": NOT_OF_IAM,
    "AWS::NetworkSecurityManager::Deployment AssociatedPolicyList.PolicyArn": NOT_OF_IAM,
    "AWS::QuickSight::Assignment PolicyArn": "it limits what QuickSight's own role does for a user",
    "AWS::RolesAnywhere::Profile ManagedPolicyArns": "session policies limit",
    "AWS::SSO::PermissionSet PermissionsBoundary": BOUNDARY,
    "AWS::SSO::PermissionSet PermissionsBoundary.CustomerManagedPolicyReference": BOUNDARY,
    "AWS::SSO::PermissionSet PermissionsBoundary.ManagedPolicyArn": BOUNDARY,
    "AWS::Serverless::Function PermissionsBoundary": BOUNDARY,
    "AWS::Serverless::StateMachine PermissionsBoundary": BOUNDARY,
    "AWS::ServerlessRepo::Application TemplateBody": "it is published, and no stack is created of it",
}


@pytest.fixture(scope="module")
def found() -> set[str]:
    return {f"{resource_type} {path}" for resource_type, path in policy_properties()}


def test_every_property_is_known(found: set[str]) -> None:
    in_table = {f"{name} {policy.name}" for name, row in ATTACHING_TYPES.items() for policy in row.policies}
    assert found - in_table - set(NO_ATTACHMENT) == set()


def test_nothing_is_listed_in_vain(found: set[str]) -> None:
    assert set(NO_ATTACHMENT) - found == set()


def test_the_table_is_found(found: set[str]) -> None:
    """The script sees what it is for: all that the table has of policies by ARN or name."""
    names = ("ManagedPolicyArns", "ManagedPolicies", "CustomerManagedPolicyReferences", "PolicyArn")
    by_arn = {
        f"{name} {p.name}" for name, row in ATTACHING_TYPES.items() for p in row.policies if p.name.endswith(names)
    }
    assert by_arn
    assert by_arn <= found
