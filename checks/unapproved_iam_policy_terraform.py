"""IAM_068 for Terraform: fail each attachment of a denied IAM managed policy, in source and in plans.

checkov asks the first class about resources and the second one about module calls; the engine beside this file judges.
Nothing in here may fail when checkov imports it, and every import is by a bare name: checkov would only log the error
and exit with 0.
"""

from __future__ import annotations

from typing import Any

from checkov.common.bridgecrew.severities import BcSeverities, Severities
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.module.base_module_check import BaseModuleCheck
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

TITLE = "Ensure unapproved IAM managed policies are not attached"

try:
    from unapproved_iam.checkov_host.cloned_checks import keep_to_checks
    from unapproved_iam.checkov_host.source_check import ModuleCalls, TerraformResources
    from unapproved_iam.terraform.resource_types import ATTACHING_TYPES

    RESOURCE_TYPES = tuple(ATTACHING_TYPES)
    keep_to_checks()
except Exception as error:  # without its engine the check fails whatever may attach a policy
    PROBLEM = f"{TITLE}: could not be checked: {error}"
    RESOURCE_TYPES = ("aws_iam_*", "aws_ssoadmin_*", "aws_cloudformation_*", "awscc_*")

    class TerraformResources:  # type: ignore[no-redef]
        def run(self, *_asked: Any, **_by_name: Any) -> dict[str, Any]:
            self.name = PROBLEM
            return {"result": CheckResult.FAILED, "evaluated_keys": []}

    ModuleCalls = TerraformResources  # type: ignore[assignment,misc]


class UnapprovedIamPolicyResource(TerraformResources, BaseResourceCheck):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name=TITLE, id="IAM_068", categories=[CheckCategories.IAM], supported_resources=RESOURCE_TYPES)
        self.severity = Severities[BcSeverities.HIGH]

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        raise NotImplementedError  # run() answers


class UnapprovedIamPolicyModuleCall(ModuleCalls, BaseModuleCheck):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name=TITLE, id="IAM_068", categories=[CheckCategories.IAM])
        self.severity = Severities[BcSeverities.HIGH]

    def scan_module_conf(self, conf: dict[str, Any]) -> CheckResult:
        raise NotImplementedError  # run() answers


RESOURCE_CHECK = UnapprovedIamPolicyResource()
MODULE_CALL_CHECK = UnapprovedIamPolicyModuleCall()
