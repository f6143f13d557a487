"""IAM_068 for CloudFormation and SAM: fail each attachment of a denied IAM managed policy.

checkov asks about resources, the engine beside this file judges. Nothing in here may fail when checkov imports it, and
every import is by a bare name: checkov would only log the error and exit with 0.
"""

from __future__ import annotations

from typing import Any

from checkov.cloudformation.checks.resource.base_resource_check import BaseResourceCheck
from checkov.common.bridgecrew.severities import BcSeverities, Severities
from checkov.common.models.enums import CheckCategories, CheckResult

TITLE = "Ensure unapproved IAM managed policies are not attached"

try:
    from unapproved_iam.checkov_host.template_check import TemplateResources
    from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES

    RESOURCE_TYPES = (*ATTACHING_TYPES, "*::MODULE")  # a module from the registry attaches by its arguments
except Exception as error:  # without its engine the check fails whatever may attach a policy
    PROBLEM = f"{TITLE}: could not be checked: {error}"
    RESOURCE_TYPES = ("AWS::IAM::*", "AWS::SSO::*", "AWS::Serverless::*")

    class TemplateResources:  # type: ignore[no-redef]
        def run(self, *_asked: Any, **_by_name: Any) -> dict[str, Any]:
            self.name = PROBLEM
            return {"result": CheckResult.FAILED, "evaluated_keys": []}


class UnapprovedIamPolicyTemplate(TemplateResources, BaseResourceCheck):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name=TITLE, id="IAM_068", categories=[CheckCategories.IAM], supported_resources=RESOURCE_TYPES)
        self.severity = Severities[BcSeverities.HIGH]

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        raise NotImplementedError  # run() answers


CHECK = UnapprovedIamPolicyTemplate()
