"""Call AWS for the audit: credentials, clients, pages of answers. Each failure becomes one sentence.

Every call goes through `pages` or `answer`, so that whatever AWS or the network says becomes an `AccessError` that
names the action. Sources: "Retries" and "Error handling" in the Boto3 documentation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import boto3
import botocore.exceptions as aws
import botocore.session
from botocore.config import Config
from botocore.parsers import ResponseParserError
from unapproved_iam.late_patterns import late_pattern

# Adaptive retries slow the client down to the rate that AWS accepts; AWS_MAX_ATTEMPTS or the profile may change this.
ATTEMPTS = 10
FIRST_ATTEMPTS = 3  # of the first call: without a network, or with a wrong region, it shows soon
# The largest pages that the services accept, by the prefix of their IAM actions.
PAGE_SIZE = {"iam": 1000, "sso": 100, "organizations": 20, "config": 100}


class AccessError(Exception):
    """AWS did not answer: str() is one sentence; action and code tell whether two are alike, whatever their words."""

    def __init__(self, sentence: str, action: str = "", code: str = "") -> None:
        super().__init__(" ".join(sentence.split()))
        self.action = action
        self.code = code

    @property
    def denied(self) -> bool:
        """The caller lacks the permission."""
        return _SENTENCE_OF_CODE.get(self.code) is _DENIED

    @property
    def gone(self) -> bool:
        """What was asked about has been deleted since it was listed."""
        return self.code in ("NoSuchEntity", "ResourceNotFoundException")

    @property
    def of_account_instance(self) -> bool:
        """An instance of Identity Center that manages access to applications only has no permission sets."""
        return self.code == "ValidationException" and "not supported for this Identity Center instance" in str(self)


@dataclass(frozen=True)
class Account:
    """An AWS account; the name is known when the organization told it."""

    id: str
    partition: str
    name: str = ""

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.id}:root"


@dataclass(frozen=True)
class Access:
    """One account, reached with one set of credentials. Clients may be used by several threads."""

    session: boto3.Session
    region: str
    account: Account
    retries: int
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)  # of an assumed role, else the session's

    def client(self, service: str) -> Any:
        return _client(self.session, service, self.region, self.retries, self.credentials)

    def assume(self, role_arn: str) -> Access:
        """The account of a role, through that role."""
        return _assumed(self.session, self.region, self.retries, self.client("sts"), role_arn)


def open_access(profile: str | None, region: str | None, role_arn: str | None) -> Access:
    """Find credentials as every AWS tool does (profile, environment, instance), and assume the role if one is given."""
    with _asking("the AWS configuration"):
        core = botocore.session.Session(profile=profile)
        # boto3 knows AWS_DEFAULT_REGION only; the AWS CLI and the other SDKs take AWS_REGION first.
        region = region or os.environ.get("AWS_REGION") or core.get_config_variable("region")
        if not region:
            raise AccessError(
                "no region is configured (set one with --region; IAM is global, but the region says where Identity"
                " Center is and which partition applies)"
            )
        attempts = core.get_config_variable("max_attempts") or ATTEMPTS
        session = boto3.Session(botocore_session=core, region_name=region)
        session.get_partition_for_region(region)
        sts = _client(session, "sts", region, min(attempts, FIRST_ATTEMPTS), {})
    if role_arn:
        return _assumed(session, region, attempts, sts, role_arn)
    return Access(session, region, _account_of(answer(sts, "get_caller_identity")["Arn"]), attempts)


def _assumed(session: boto3.Session, region: str, retries: int, sts: Any, role_arn: str) -> Access:
    given = answer(sts, "assume_role", RoleArn=role_arn, RoleSessionName="unapproved-iam-audit")
    credentials = {
        "aws_access_key_id": given["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": given["Credentials"]["SecretAccessKey"],
        "aws_session_token": given["Credentials"]["SessionToken"],
    }
    return Access(session, region, _account_of(given["AssumedRoleUser"]["Arn"]), retries, credentials)


def _account_of(arn: str) -> Account:
    _, partition, _, _, account, *_ = arn.split(":")
    return Account(account, partition)


def pages(client: Any, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """Every page of an answer."""
    with _asking(_action(client, operation)):
        size = {"PageSize": PAGE_SIZE[client.meta.service_model.signing_name]}
        yield from client.get_paginator(operation).paginate(**arguments, PaginationConfig=size)


def answer(client: Any, operation: str, **arguments: Any) -> dict[str, Any]:
    """The answer of an operation that has no pages."""
    with _asking(_action(client, operation)):
        return dict(getattr(client, operation)(**arguments))


def _action(client: Any, operation: str) -> str:
    """The operation as a policy document names it."""
    return f"{client.meta.service_model.signing_name}:{client.meta.method_to_api_mapping[operation]}"


_CREATING = Lock()  # clients may be shared between threads, the session that makes them may not


def _client(session: boto3.Session, service: str, region: str, attempts: int, credentials: Mapping[str, str]) -> Any:
    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": attempts},
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="unapproved-iam",
    )
    with _asking(f"the endpoint of {service}"), _CREATING:
        return session.client(service, region_name=region, config=config, **credentials)


@contextmanager
def _asking(action: str) -> Iterator[None]:
    try:
        yield
    except aws.ClientError as error:
        raise _refusal(action, error) from error
    except (aws.BotoCoreError, ResponseParserError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise AccessError(_trouble(action, error), action, type(error).__name__) from error


_EXPIRED = "the credentials have expired; sign in again (with Identity Center: aws sso login)"
_REFUSED = (
    "AWS does not accept the credentials: {message} (credentials for aws-cn or aws-us-gov need a --region there,"
    " such as cn-north-1 or us-gov-west-1)"
)
_CLOCK = "AWS rejects the time at which {action} was signed: {message} (is this machine's clock right?)"
_DENIED = "access to {action} is denied: {message}"
_THROTTLED = "AWS still throttled {action} at the last attempt: {message} (set AWS_MAX_ATTEMPTS to allow more)"

_SENTENCE_OF_CODE = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "InvalidClientTokenId": _REFUSED,
    "UnrecognizedClientException": _REFUSED,
    "InvalidSignatureException": _REFUSED,
    "SignatureDoesNotMatch": _REFUSED,
    "AuthFailure": _REFUSED,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "NoSuchConfigurationAggregatorException": "this account and region have no AWS Config aggregator of that name",
    "AWSOrganizationsNotInUseException": "this account is not in an organization",
}


# AWS has no code of its own for this in most services ("Troubleshoot Signature Version 4 signing" in the IAM guide).
_SIGNED_AT_ANOTHER_TIME = late_pattern("Signature (expired|not yet current)")


def _refusal(action: str, error: aws.ClientError) -> AccessError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message") or "no reason given").rstrip(".")
    sentence = _SENTENCE_OF_CODE.get(code, "{action} failed: {code}: {message}")
    if _SIGNED_AT_ANOTHER_TIME.match(message):
        sentence = _CLOCK
    return AccessError(sentence.format(action=action, code=code, message=message), action, code)


# The first class that fits tells what to say; the rest say themselves what is wrong.
_SENTENCE_OF_TROUBLE: tuple[tuple[type[Exception], str], ...] = (
    (aws.NoCredentialsError, "no AWS credentials were found (name a --profile, or sign in)"),
    (aws.PartialCredentialsError, "the AWS credentials are incomplete: {error}"),
    (aws.ProfileNotFound, 'unknown profile "{profile}" (expected one from ~/.aws/config or ~/.aws/credentials)'),
    (aws.CredentialRetrievalError, "the AWS credentials cannot be loaded: {error}"),
    (aws.InvalidConfigError, "the AWS configuration: {error}"),
    (aws.UnauthorizedSSOTokenError, _EXPIRED),
    (aws.SSOTokenLoadError, _EXPIRED),
    (aws.TokenRetrievalError, _EXPIRED),
    (
        aws.UnknownRegionError,
        'unknown region "{region_name}" (expected one such as eu-central-1, cn-north-1 or us-gov-west-1)',
    ),
    (ResponseParserError, "{action} was answered by something that is not AWS (is there a proxy in between?)"),
    (aws.EndpointConnectionError, "{action} cannot be reached: {error} (is the region's name right?)"),
)


def _trouble(action: str, error: Exception) -> str:
    sentence = next((words for kind, words in _SENTENCE_OF_TROUBLE if isinstance(error, kind)), "{action}: {error}")
    details = getattr(error, "kwargs", {})  # what botocore filled its own words with
    return sentence.format(**details | {"action": action, "error": str(error).rstrip(".: ")})
