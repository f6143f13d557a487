"""Decide which further documents attach managed policies, where in them the policies are, and to whom.

This is the only table of them: the reader of documents works by it, the screen looks for its marks, the tests and the
README list it. To add a kind of document, add a row. Serverless Framework files are templates in disguise, and are read
by `documents.serverless_framework`.

Not in it, because they attach nothing: permissions boundaries, inline policies, what only creates a policy (Ansible's
`iam_managed_policy`, the ACK `Policy`), access policies of EKS. Each row names its source.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from unapproved_iam.cloudformation.document import Array, Object
from unapproved_iam.documents.recognition import (
    Recognition,
    ansible,
    json_patch,
    kubernetes,
    pulumi,
    steps_of,
    with_key,
)


class Form(Enum):
    """How a policy is written."""

    ARN = "an ARN"
    NAME = "the name of a policy, or an ARN"
    CUSTOMER = "the name of a customer managed policy"
    REFERENCE = "the name of a document that declares a customer managed policy"


class Policies(NamedTuple):
    """Where policies stand: keys from the document's beginning, `[]` for every member of a list, `*` for any key."""

    path: str
    form: Form = Form.ARN

    @property
    def key(self) -> str:
        return self.path.removesuffix(".*").rpartition(".")[2].removesuffix("[]")


class Named(NamedTuple):
    """A kind of principal and the paths to its names, of which the first one counts that is there.

    They begin in the innermost member of a list on the way to the policies, else where the policies' path begins.
    """

    kind: str
    paths: tuple[str, ...] = ()


class DocumentType(NamedTuple):
    name: str  # in messages and in the README
    framework: str  # in whose report checkov shows such a document
    source: str  # the documentation or schema that says so
    label: str  # what the address of its resources begins with
    name_paths: tuple[str, ...]  # to the name of the document, for that address
    recognize: Recognition
    policies: tuple[Policies, ...]
    principals: tuple[Named, ...]
    own_marks: tuple[str, ...] = ()  # of these one is in each file with such a document; else of the policies' keys

    @property
    def marks(self) -> tuple[str, ...]:
        return self.own_marks or tuple(dict.fromkeys(policies.key for policies in self.policies))


# -- the table ---------------------------------------------------------------------------------------------------------

_PROVIDERS = ("forProvider", "initProvider")
_EXTERNAL_NAME = 'metadata.annotations."crossplane.io/external-name"'


def _crossplane(kind: str, policies: str, principal: Named, group: str, *references: str) -> DocumentType:
    paths = [Policies(f"spec.{provider}.{policies}") for provider in _PROVIDERS]
    paths += [Policies(f"spec.{provider}.{key}", Form.REFERENCE) for provider in _PROVIDERS for key in references]
    return DocumentType(
        f"Crossplane {kind}",
        "kubernetes",
        f"{kind} in the API reference of Upbound's provider-aws and of crossplane-contrib/provider-aws",
        kind,
        ("metadata.name",),
        kubernetes(group, kind),
        tuple(paths),
        (principal,),
        own_marks=(policies,),
    )


_CROSSPLANE_IAM = r"iam\.aws(?:\.m)?\.upbound\.io|iam\.aws\.crossplane\.io"
_CROSSPLANE_SSO = r"ssoadmin\.aws(?:\.m)?\.upbound\.io"


def _pulumi(module: str, kind: str, policies: str, *principals: Named) -> DocumentType:
    return DocumentType(
        f"Pulumi {module}:{kind}",
        "cloudformation",
        f"{module}.{kind} in the Pulumi Registry; type tokens: Pulumi YAML language reference",
        "",
        (),
        pulumi(module, kind),
        (Policies(policies),),
        principals,
    )


def _ansible(module: str, kind: str) -> DocumentType:
    return DocumentType(
        f"Ansible {module}",
        "ansible",
        f"amazon.aws.{module} in the Ansible collection index",
        module,
        ("name", f"{kind}_name"),
        ansible(module),
        (Policies("managed_policies", Form.NAME), Policies("managed_policy", Form.NAME)),
        (Named(kind, ("name", f"{kind}_name")),),
    )


def _ack(kind: str) -> DocumentType:
    return DocumentType(
        f"ACK {kind}",
        "kubernetes",
        f"{kind} (iam.services.k8s.aws) in the API reference of AWS Controllers for Kubernetes",
        kind,
        ("metadata.name",),
        kubernetes(r"iam\.services\.k8s\.aws", kind),
        (Policies("spec.policies"), Policies("spec.policyRefs[]", Form.REFERENCE)),
        (Named(kind.lower(), ("spec.name", "metadata.name")),),
        own_marks=("iam.services.k8s.aws/",),
    )


def _cluster_api(kind: str, spec: str, group: str) -> DocumentType:
    return DocumentType(
        f"Cluster API {kind}",
        "kubernetes",
        f"{kind} in the API reference of Cluster API Provider AWS",
        kind,
        ("metadata.name",),
        kubernetes(rf"{group}\.cluster\.x-k8s\.io", kind),
        (Policies(f"{spec}.roleAdditionalPolicies"),),
        (Named("role", (f"{spec}.roleName",)),),
    )


_PERMISSION_SET = Named("permission-set")

_ROWS = (
    DocumentType(
        "eksctl ClusterConfig",
        "kubernetes",
        "Config file schema in the eksctl documentation",
        "ClusterConfig",
        ("metadata.name",),
        kubernetes(r"eksctl\.io", "ClusterConfig"),
        (
            Policies("iam.serviceAccounts[].attachPolicyARNs"),
            Policies("iam.podIdentityAssociations[].permissionPolicyARNs"),
            Policies("nodeGroups[].iam.attachPolicyARNs"),
            Policies("managedNodeGroups[].iam.attachPolicyARNs"),
            Policies("addons[].attachPolicyARNs"),
            Policies("addons[].podIdentityAssociations[].permissionPolicyARNs"),
            Policies("capabilities[].attachPolicyARNs"),
        ),
        (Named("role", ("roleName", "iam.instanceRoleName")),),
    ),
    *map(_ack, ("Role", "User", "Group")),
    *(
        _crossplane(
            f"{kind.capitalize()}PolicyAttachment",
            "policyArn",
            Named(kind, tuple(f"spec.{provider}.{key}" for provider in _PROVIDERS for key in (kind, f"{kind}Name"))),
            _CROSSPLANE_IAM,
            "policyArnRef",
            "policyArnSelector",
        )
        for kind in ("role", "user", "group")
    ),
    _crossplane(
        "Role",
        "managedPolicyArns",
        Named("role", (_EXTERNAL_NAME, "metadata.name")),
        _CROSSPLANE_IAM,
        "managedPolicyArnsRefs[]",
        "managedPolicyArnsSelector",
    ),
    _crossplane("ManagedPolicyAttachment", "managedPolicyArn", _PERMISSION_SET, _CROSSPLANE_SSO),
    _pulumi("aws:iam", "RolePolicyAttachment", "policyArn", Named("role", ("role",))),
    _pulumi("aws:iam", "UserPolicyAttachment", "policyArn", Named("user", ("user",))),
    _pulumi("aws:iam", "GroupPolicyAttachment", "policyArn", Named("group", ("group",))),
    _pulumi(
        "aws:iam", "PolicyAttachment", "policyArn", *(Named(kind, (f"{kind}s",)) for kind in ("role", "user", "group"))
    ),
    _pulumi("aws:iam", "RolePolicyAttachmentsExclusive", "policyArns", Named("role", ("roleName",))),
    _pulumi("aws:iam", "UserPolicyAttachmentsExclusive", "policyArns", Named("user", ("userName",))),
    _pulumi("aws:iam", "GroupPolicyAttachmentsExclusive", "policyArns", Named("group", ("groupName",))),
    _pulumi("aws:iam", "Role", "managedPolicyArns", Named("role", ("name",))),
    _pulumi("aws:ssoadmin", "ManagedPolicyAttachment", "managedPolicyArn", _PERMISSION_SET),
    _pulumi("aws:ssoadmin", "ManagedPolicyAttachmentsExclusive", "managedPolicyArns", _PERMISSION_SET),
    _pulumi("aws-native:iam", "Role", "managedPolicyArns", Named("role", ("roleName",))),
    _pulumi("aws-native:iam", "User", "managedPolicyArns", Named("user", ("userName",))),
    _pulumi("aws-native:iam", "Group", "managedPolicyArns", Named("group", ("groupName",))),
    _pulumi("aws-native:sso", "PermissionSet", "managedPolicies", Named("permission-set", ("name",))),
    DocumentType(
        "kops Cluster",
        "kubernetes",
        "IAM Roles, and the cluster spec, in the kOps documentation",
        "Cluster",
        ("metadata.name",),
        kubernetes(r"kops(?:\.k8s\.io)?", "Cluster"),
        (
            Policies("spec.externalPolicies.*"),
            Policies("spec.iam.serviceAccountExternalPermissions[].aws.policyARNs"),
        ),
        (Named("role"),),
    ),
    _cluster_api("AWSManagedControlPlane", "spec", "controlplane"),
    _cluster_api("AWSManagedControlPlaneTemplate", "spec.template.spec", "controlplane"),
    _cluster_api("AWSManagedMachinePool", "spec", "infrastructure"),
    _cluster_api("AWSManagedMachinePoolTemplate", "spec.template.spec", "infrastructure"),
    DocumentType(
        "Cluster API AWSIAMConfiguration",
        "kubernetes",
        "AWSIAMConfiguration in the API reference of Cluster API Provider AWS",
        "AWSIAMConfiguration",
        (),
        kubernetes(r"bootstrap\.aws\.infrastructure\.cluster\.x-k8s\.io", "AWSIAMConfiguration"),
        tuple(
            Policies(f"spec.{role}.extraPolicyAttachments")
            for role in (
                "clusterAPIControllers",
                "controlPlane",
                "nodes",
                "eks.defaultControlPlaneRole",
                "eks.managedMachinePool",
                "eks.fargate",
            )
        ),
        (Named("role"),),
    ),
    _ansible("iam_role", "role"),
    _ansible("iam_user", "user"),
    _ansible("iam_group", "group"),
    DocumentType(
        "AWS ParallelCluster configuration",
        "cloudformation",
        "Iam sections of the cluster configuration file in the AWS ParallelCluster guide",
        "",
        (),
        with_key("HeadNode", Object),
        (
            Policies("HeadNode.Iam.AdditionalIamPolicies[].Policy"),
            Policies("Scheduling.SlurmQueues[].Iam.AdditionalIamPolicies[].Policy"),
            Policies("Scheduling.AwsBatchQueues[].Iam.AdditionalIamPolicies[].Policy"),
            Policies("LoginNodes.Pools[].Iam.AdditionalIamPolicies[].Policy"),
        ),
        (Named("role"),),
        own_marks=("AdditionalIamPolicies",),
    ),
    *(
        DocumentType(
            f"Landing Zone Accelerator {label}",
            "cloudformation",
            "IamConfig in the configuration reference of the Landing Zone Accelerator on AWS",
            "",
            (),
            with_key(label, Array),
            (
                Policies(f"{path}.policies.awsManaged", Form.NAME),
                Policies(f"{path}.policies.customerManaged", Form.CUSTOMER),
            ),
            (Named(kind, ("name",)),),
            own_marks=(label,),
        )
        for label, path, kind in (
            ("roleSets", "roleSets[].roles[]", "role"),
            ("groupSets", "groupSets[].groups[]", "group"),
            ("identityCenterPermissionSets", "identityCenterPermissionSets[]", "permission-set"),
        )
    ),
)

_KUBERNETES = tuple(dict.fromkeys(one for row in _ROWS if row.framework == "kubernetes" for one in row.policies))
JSON_PATCH = DocumentType(
    "Kustomize patch",
    "kubernetes",
    "JSON Patch (RFC 6902); patches in the Kustomize reference",
    "patch",
    (),
    json_patch(tuple(policies.path for policies in _KUBERNETES)),
    _KUBERNETES,
    (),
    own_marks=tuple(dict.fromkeys("/" + next(steps_of(policies.path))[0] for policies in _KUBERNETES)),
)

DOCUMENT_TYPES: dict[str, DocumentType] = {row.name: row for row in (*_ROWS, JSON_PATCH)}

# Texts without which a file holds none of these documents, nor a Serverless Framework file, beside the types of its
# `resources`: that has keys which end so.
MARKS = tuple(dict.fromkeys(mark for row in DOCUMENT_TYPES.values() for mark in row.marks))
SERVERLESS_MARKS = ("anagedPolicies", "anagedPolicyArns")
