"""Every attribute of the Terraform providers that may hold a managed policy attaches it, or there is a reason why not.

The list is made by hand from the resources' pages in the documentation of the providers `hashicorp/aws` and
`hashicorp/awscc`: every argument whose name or description speaks of a policy's ARN, of managed policies, or of values
for something that creates IAM resources. A provider's new attribute is a line here, and then a row in one of the two
tables.
"""

from __future__ import annotations

from project_files import PROJECT, table
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES as TEMPLATE_TYPES
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES

COVERAGE = PROJECT / "docs" / "coverage.md"
ATTRIBUTES = """
aws_budgets_budget_action definition.iam_action_definition.policy_arn definition.scp_action_definition.policy_id
aws_chatbot_slack_channel_configuration guardrail_policy_arns
aws_chatbot_teams_channel_configuration guardrail_policy_arns
aws_cloudcontrolapi_resource desired_state
aws_cloudformation_stack parameters policy_body template_body
aws_cloudformation_stack_instances parameter_overrides
aws_cloudformation_stack_set parameters template_body
aws_cloudformation_stack_set_instance parameter_overrides
aws_eks_access_policy_association policy_arn
aws_emr_studio_session_mapping session_policy_arn
aws_iam_group_policies_exclusive policy_names
aws_iam_group_policy_attachment policy_arn
aws_iam_group_policy_attachments_exclusive policy_arns
aws_iam_policy_attachment policy_arn
aws_iam_role inline_policy managed_policy_arns permissions_boundary
aws_iam_role_policies_exclusive policy_names
aws_iam_role_policy_attachment policy_arn
aws_iam_role_policy_attachments_exclusive policy_arns
aws_iam_user permissions_boundary
aws_iam_user_policies_exclusive policy_names
aws_iam_user_policy_attachment policy_arn
aws_iam_user_policy_attachments_exclusive policy_arns
aws_iot_policy_attachment policy
aws_organizations_policy_attachment policy_id
aws_quicksight_iam_policy_assignment policy_arn
aws_rolesanywhere_profile managed_policy_arns
aws_serverlessapplicationrepository_cloudformation_stack parameters
aws_servicecatalog_provisioned_product provisioning_parameters
aws_ssoadmin_customer_managed_policy_attachment customer_managed_policy_reference
aws_ssoadmin_customer_managed_policy_attachments_exclusive customer_managed_policy_reference
aws_ssoadmin_managed_policy_attachment managed_policy_arn
aws_ssoadmin_managed_policy_attachments_exclusive managed_policy_arns
aws_ssoadmin_permission_set_inline_policy inline_policy
aws_ssoadmin_permissions_boundary_attachment permissions_boundary
awscc_budgets_budgets_action definition.iam_action_definition.policy_arn
awscc_chatbot_microsoft_teams_channel_configuration guardrail_policies
awscc_chatbot_slack_channel_configuration guardrail_policies
awscc_cloudformation_stack parameters template_body
awscc_cloudformation_stack_set parameters stack_instances_group template_body
awscc_eks_access_entry access_policies
awscc_emr_studio_session_mapping session_policy_arn
awscc_iam_group managed_policy_arns policies
awscc_iam_managed_policy managed_policy_name
awscc_iam_role managed_policy_arns permissions_boundary policies
awscc_iam_user managed_policy_arns permissions_boundary policies
awscc_rolesanywhere_profile managed_policy_arns
awscc_sagemaker_project service_catalog_provisioning_details.provisioning_parameters
awscc_sagemaker_project template_provider_details.cfn_template_provider_detail.parameters
awscc_servicecatalog_cloudformation_provisioned_product provisioning_parameters
awscc_sso_permission_set customer_managed_policy_references managed_policies permissions_boundary
"""


def test_each_attribute_attaches_or_has_a_reason() -> None:
    listed = {
        (name, attribute)
        for name, *attributes in map(str.split, ATTRIBUTES.split("\n")[1:-1])
        for attribute in attributes
    }
    attaching = {(row.resource_type, policies.name) for row in ATTACHING_TYPES.values() for policies in row.policies}
    reasons = {
        (name, attribute): reason for name, attribute, reason in table(COVERAGE, "| Terraform resource | attribute")
    }
    assert all(reasons.values())
    assert attaching.isdisjoint(reasons)
    assert attaching | set(reasons) == listed


def test_each_type_of_cloudformation_has_its_twin_in_the_provider_made_of_them() -> None:
    without_twin = {"AWS::CloudFormation::ChangeSet"}  # no type of the registry, so that the provider has none
    for name in TEMPLATE_TYPES:
        service, _, resource = name.removeprefix("AWS::").partition("::")
        if service == "Serverless" or name in without_twin:
            continue
        words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in resource)
        words = words.replace("cloud_formation", "cloudformation").replace("sage_maker", "sagemaker")
        assert f"awscc_{service.lower()}{words}" in ATTACHING_TYPES, name
