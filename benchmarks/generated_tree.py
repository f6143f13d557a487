"""Make source trees to measure on: many root modules and templates, of which few hold an attachment.

Deterministic, so that every run and every machine measures the same bytes. The mix follows what public estates look
like: about three files in a hundred attach a policy, one in a hundred of those attachments is denied.
"""

from __future__ import annotations

from pathlib import Path

PLAIN_RESOURCES = """
resource "aws_s3_bucket" "data_{n}" {{
  bucket = "${{var.prefix}}-data-{n}"
  tags   = merge(local.tags, {{ Name = "data-{n}" }})
}}

resource "aws_security_group" "web_{n}" {{
  name   = "web-{n}"
  vpc_id = var.vpc_id

  dynamic "ingress" {{
    for_each = var.ports
    content {{
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["10.0.0.0/8"]
    }}
  }}
}}

data "aws_iam_policy_document" "read_{n}" {{
  statement {{
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.data_{n}.arn, "${{aws_s3_bucket.data_{n}.arn}}/*"]
  }}
}}
"""

VARIABLES = """
variable "prefix" {
  type    = string
  default = "acme"
}

variable "vpc_id" {
  type = string
}

variable "ports" {
  type    = list(number)
  default = [80, 443]
}

locals {
  tags = { Team = "platform", Prefix = var.prefix }
}
"""

ATTACHMENT = """
resource "aws_iam_role" "worker" {{
  name               = "worker-{n}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}}

data "aws_iam_policy_document" "assume" {{
  statement {{
    actions = ["sts:AssumeRole"]
    principals {{
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }}
  }}
}}

resource "aws_iam_role_policy_attachment" "worker" {{
  for_each   = toset(["AmazonSSMManagedInstanceCore", "{policy}"])
  role       = aws_iam_role.worker.name
  policy_arn = "arn:aws:iam::aws:policy/${{each.value}}"
}}
"""

TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Prefix:
    Type: String
    Default: acme
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${{Prefix}}-{n}"
  Topic:
    Type: AWS::SNS::Topic
"""

MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{n}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: web
          image: registry.example.com/web:{n}
"""

# As in clusters of many services: each policy in it is one of the cluster's.
SERVICE = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{n}
  labels: {{app.kubernetes.io/name: web-{n}}}
spec:
  replicas: 2
  template:
    spec:
      serviceAccountName: web-{n}
      containers:
        - name: web
          image: registry.example.com/web:{n}
          imagePullPolicy: IfNotPresent
          env:
            - {{name: CONFIGURATION, value: /etc/web/settings.yaml}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-{n}
spec:
  podSelector: {{matchLabels: {{app.kubernetes.io/name: web-{n}}}}}
  policyTypes: [Ingress]
"""

FILES_PER_MODULE = 10


def make_tree(directory: Path, files: int) -> None:
    """Write that many files: root modules of seven Terraform files, a template and two manifests each."""
    for module in range(files // FILES_PER_MODULE):
        root = directory / f"estate-{module // 50}" / f"service-{module}"
        root.mkdir(parents=True)
        for n in range(5):
            (root / f"part_{n}.tf").write_text(PLAIN_RESOURCES.format(n=n))
        (root / "variables.tf").write_text(VARIABLES)
        policy = "AdministratorAccess" if module % 300 == 0 else "CloudWatchAgentServerPolicy"
        iam = ATTACHMENT.format(n=module, policy=policy) if attaches(module) else PLAIN_RESOURCES.format(n=99)
        (root / "iam.tf").write_text(iam)
        (root / "queue.template.yaml").write_text(TEMPLATE.format(n=module))
        for n in range(2):
            (root / f"deployment_{n}.yaml").write_text(MANIFEST.format(n=n))


def make_manifests(directory: Path, files: int) -> None:
    """Write that many manifests of Kubernetes in which nothing is of IAM."""
    for n in range(files):
        path = directory / f"cluster-{n // 1000}" / f"service-{n}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SERVICE.format(n=n))


def attaches(module: int) -> bool:
    return module % 3 == 0


def make_tiny_violation(directory: Path) -> None:
    """One directory, one file, one denied attachment."""
    directory.mkdir(parents=True)
    (directory / "main.tf").write_text(
        'resource "aws_iam_role_policy_attachment" "ops" {\n'
        '  role       = "ops"\n'
        '  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"\n'
        "}\n"
    )
