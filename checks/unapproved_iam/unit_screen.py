"""Decide from its bytes alone that a file cannot contribute to a denied attachment: the cheap test before any parser.

A unit (a root module with its local modules and variable files, or a template) is read closely only when its files
together show both kinds of evidence: of *types*, something that may attach a policy; of *names*, something from which
the name of a denied policy may come. The test errs on one side only: whatever the readers could find denied shows both.

It looks for what a policy's ARN is made of: the name as a whole, or `policy/` with a beginning of the name, or with an
interpolation, after it. So it rests on one assumption, which is a limit of the product: a name that is put together
from pieces has its first piece, or an interpolation that brings it, in the literal that holds `policy/`; and no
function rewrites other text into it (`replace`, `title`).

Only a denied verdict is screened by names. Where an unresolved one counts too, or where the list denies every policy,
types alone decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from unapproved_iam.cloudformation_resources import ATTACHING_TYPES as TEMPLATE_TYPES
from unapproved_iam.deny_list import DenyList, Unresolved
from unapproved_iam.policy_arn import aws_managed
from unapproved_iam.possible_text import Match, match
from unapproved_iam.terraform_resources import ATTACHING_TYPES, DECLARED_POLICIES, Form


class Evidence(NamedTuple):
    """What a file shows, each True when it cannot be ruled out."""

    types: bool
    names: bool

    def __or__(self, other: tuple[bool, ...]) -> Evidence:
        return Evidence(self.types or other[0], self.names or other[1])

    @property
    def suffices(self) -> bool:
        return self.types and self.names


NOTHING = Evidence(False, False)
EVERYTHING = Evidence(True, True)


def _any_of(words: Iterable[str]) -> str:
    """An expression for alternatives with their common beginning in front: `re` skips to a literal very fast."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    beginning = _common_beginning(ordered)
    return re.escape(beginning) + "(?:" + "|".join(re.escape(word[len(beginning) :]) for word in ordered) + ")"


def _common_beginning(words: list[str]) -> str:
    first, last = min(words), max(words)
    length = next((n for n, character in enumerate(first) if character != last[n : n + 1]), len(first))
    return first[:length]


# Characters that a parser makes of others: escapes (but for `<`, `>` and `&`, which encoders of JSON write so), UTF-16,
# and in YAML a line that goes on after a backslash, and base64. In a shell script a blank precedes the backslash.
_ESCAPED = re.compile(rb"\\(?:u(?!00(?:3[cCeE]|26))|[Ux])")
_ESCAPED_OR_FOLDED = re.compile(_ESCAPED.pattern + rb"|[^\s\\]\\[\r\n]")
_TAGGED = re.compile(rb"![^\s\"']*binary")

_TERRAFORM_TYPES = re.compile(_any_of(ATTACHING_TYPES).encode())
# A call of a module that is not in the tree attaches by its arguments; a reference `module.x` makes none.
_MODULE_CALL = re.compile(rb"module(?![.\w-])")
# Sources of local modules: every quoted relative path, and absolute ones where they are written as sources.
_LOCAL_SOURCE = re.compile(rb'"(\.\.?(?:\\?/[^"$\n]*)?)"')
_ABSOLUTE_SOURCE = re.compile(rb'source"?\s*[=:]\s*"(\\?/[^"$\n]+)"')
# OpenTofu lets variables choose the source: then anything may be called.
_CHOSEN_SOURCE = re.compile(rb'source"?\s*[=:]\s*(?:[^"\s]|"[^"\n]*\$)')
# Text that comes from outside of the source files, or that stands in them in another form.
_OTHER_TEXT = re.compile(rb"file(?:set|base64\w*)?\s*\(|base64\w*\s*\(")
# The data source looks a policy up by its name; harmless when that is a plain literal, as is a reference.
_LOOKED_UP = re.compile(
    rb"aws_iam_policy(?![\w.\[-])(?<!resource \"aws_iam_policy)"
    rb'(?!" "[\w-]+" \{\s*(?:name|arn) *= *"[^"\\$%\n]*"\s*\})'
)

_TEMPLATE_TYPES = re.compile(_any_of([*TEMPLATE_TYPES, "::MODULE"]).encode())
# What brings types or names that do not stand in the template.
_TEMPLATE_MACROS = re.compile(rb"Fn::(?:ForEach|Transform)|AWS::Include")
_SAM = re.compile(rb"AWS::Serverless::")
# Names in `Policies` are no ARNs: where functions make them, there is no `policy/` to find.
_MADE_TEXT = re.compile(rb"(?:Fn::|!)(?:Sub|Join|Select|Split|FindInMap)\b")
_NESTED = re.compile(rb"AWS::(?:CloudFormation::Stack|Serverless::Application)")
_FILE_NAME = re.compile(rb"([^\s\"',\[\]]*)\.(?:ya?ml|json|template)\b")

# What the SAM transform attaches by itself, so that no template names it; `sam_resources` says when.
ADDED_BY_SAM = (
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AWSLambdaBasicDurableExecutionRolePolicy",
    "service-role/AWSLambdaVPCAccessExecutionRole",
    "service-role/AWSLambdaDynamoDBExecutionRole",
    "service-role/AWSLambdaKinesisExecutionRole",
    "service-role/AWSLambdaMSKExecutionRole",
    "service-role/AWSLambdaSQSQueueExecutionRole",
    "service-role/AWSAppSyncPushToCloudWatchLogs",
    "service-role/AWSCodeDeployRoleForLambda",
    "AWSLambdaManagedEC2ResourceOperator",
    "AWSLambdaNetworkConnectorOperatorPolicy",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
)

# Types through which a customer managed policy is attached by a name of its own, so without any ARN.
_CUSTOMER_TYPES = re.compile(
    _any_of(
        [*DECLARED_POLICIES]
        + [row.resource_type for row in ATTACHING_TYPES.values() if any(p.form is Form.NAME for p in row.policies)]
        + ["AWS::IAM::ManagedPolicy", "CustomerManagedPolicyReferences", "customer_managed_policy_reference"]
    ).encode()
)

# What a literal holds after `policy/`, up to its end or an interpolation; `policy/*` is found in statements.
_AFTER_POLICY = re.compile(rb"policy\\?/([\w+=.@/-]*)(?![\w+=.@/*?-])([$%{]?)")
_BEFORE_SLASH = re.compile(rb":policy(?![\\/\w-])")


class Screen:
    """Looks for evidence against one deny list."""

    def __init__(self, deny_list: DenyList) -> None:
        patterns = [_PolicyPattern.of(entry.policy) for entry in deny_list.entries]
        self._by_names = deny_list.unresolved is Unresolved.PASS and all(p.is_telling for p in patterns)
        if not self._by_names:
            return
        self._names = re.compile(_any_of(pattern.longest_run for pattern in patterns).encode())
        self._beginnings = frozenset(beginning for pattern in patterns for beginning in pattern.beginnings())
        self._endings = tuple({ending for pattern in patterns for ending in pattern.endings()})
        self._customer = any(pattern.is_customer_managed for pattern in patterns)
        self._by_path = any(pattern.tells_only_a_path for pattern in patterns)
        globs = tuple(glob for entry in deny_list.entries for glob in entry.globs)
        self._added_by_sam = any(match(aws_managed(name), globs) is not Match.NEVER for name in ADDED_BY_SAM)

    def terraform(self, source: bytes) -> Evidence:
        """The evidence in a file of Terraform source or variables, or in the JSON of a plan."""
        if _is_rewritten(source):
            return EVERYTHING
        calls = _MODULE_CALL.search(source)
        if calls and _CHOSEN_SOURCE.search(source):
            return EVERYTHING
        types = calls or _TERRAFORM_TYPES.search(source)
        evidence = Evidence(bool(types), self._shows_name(source) or self._looks_elsewhere(source))
        # A template may stand in Terraform source, or in the values of a plan.
        return evidence | self.template(source) if b"AWS::" in source else evidence

    def template(self, source: bytes) -> Evidence:
        """The evidence in a CloudFormation template, or in what may be one."""
        if _is_rewritten_yaml(source) or _TEMPLATE_MACROS.search(source):
            return EVERYTHING
        names = self._shows_name(source) or self._sam_may_name(source) or nests_files(source)
        return Evidence(bool(_TEMPLATE_TYPES.search(source)), names)

    def _shows_name(self, source: bytes) -> bool:
        if not self._by_names or self._names.search(source):
            return True
        if b"policy" in source and (self._shows_beginning(source) or _BEFORE_SLASH.search(source)):
            return True
        return self._customer and bool(_CUSTOMER_TYPES.search(source))

    def _shows_beginning(self, source: bytes) -> bool:
        """Whether something may follow `policy/` and what stands there, so that it becomes a denied name."""
        for run, interpolation in set(_AFTER_POLICY.findall(source)):
            path_and_name = run.decode("ascii", "replace")
            parts = path_and_name.split("/")
            if interpolation or path_and_name.endswith(self._endings):
                return True
            if any("/".join(parts[number:]) in self._beginnings for number in range(len(parts))):
                return True
        return False

    def _looks_elsewhere(self, source: bytes) -> bool:
        looked_up = b"aws_iam_policy" if self._by_path else _LOOKED_UP
        return bool(_OTHER_TEXT.search(source) or re.search(looked_up, source))

    def _sam_may_name(self, source: bytes) -> bool:
        """Whether the SAM transform may make the name of a denied policy, or complete it with its path."""
        if not _SAM.search(source):
            return False
        return self._added_by_sam or self._by_path or (b"Policies" in source and bool(_MADE_TEXT.search(source)))


def _is_rewritten(source: bytes) -> bool:
    return (b"\\" in source and _ESCAPED.search(source) is not None) or b"\0" in source


def _is_rewritten_yaml(source: bytes) -> bool:
    if (b"\\" in source and _ESCAPED_OR_FOLDED.search(source)) or b"\0" in source:
        return True
    return (b"binary" in source and _TAGGED.search(source) is not None) or b"%TAG" in source


def nests_files(source: bytes) -> bool:
    """Whether a template has nested stacks in files of the tree, which are read with it."""
    if not _NESTED.search(source):
        return False
    return any(b"://" not in path for path in _FILE_NAME.findall(source))


class _PolicyPattern(NamedTuple):
    """An entry of the list, as far as path and name go: `path_and_name` is None when the pattern does not tell them."""

    path_and_name: str | None
    is_customer_managed: bool  # whether it may mean one

    @classmethod
    def of(cls, policy: str) -> _PolicyPattern:
        if not policy.startswith("arn:"):
            return cls(policy, False)
        before, policy_part, after = policy.rpartition(":policy/")
        return cls(after if policy_part else None, not before.endswith("::aws"))

    @property
    def is_telling(self) -> bool:
        return bool(self.path_and_name and self.longest_run)

    @property
    def runs(self) -> list[str]:
        return re.split(r"[*?]", self.path_and_name or "")

    @property
    def longest_run(self) -> str:
        """The longest literal part of the name; of the path where the name has none."""
        name = (self.path_and_name or "").rpartition("/")[2]
        return max(re.split(r"[*?]", name), key=len) or max(self.runs, key=len)

    @property
    def tells_only_a_path(self) -> bool:
        """Whoever looks a policy up by its name does not write its path."""
        return not self.longest_run or "/" in self.longest_run

    def beginnings(self) -> Iterable[str]:
        """All that a literal may hold of it before the rest follows from elsewhere, the empty text included."""
        first = self.runs[0]
        return (first[:length] for length in range(max(1, len(first))))

    def endings(self) -> Iterable[str]:
        """Where the longest run follows a wildcard, a literal may end with a part of it whatever stands before."""
        longest = self.longest_run
        return () if longest == self.runs[0] else (longest[:length] for length in range(1, len(longest)))


def may_be_plan(source: bytes) -> bool:
    """Whether a JSON file may be a Terraform plan ("JSON Output Format" in the Terraform documentation)."""
    packed = source.replace(b"\0", b"") if b"\0" in source[:100] else source  # PowerShell's `>` writes UTF-16
    return b'"planned_values"' in packed or b'"resource_changes"' in packed


def reads_other_files(source: bytes) -> bool:
    """Whether Terraform source reads files that are no source, or decodes text."""
    return _OTHER_TEXT.search(source) is not None


def local_sources(source: bytes) -> list[str]:
    """The paths in Terraform source that may be sources of local modules."""
    found = _LOCAL_SOURCE.findall(source)
    if b"source" in source:
        found += _ABSOLUTE_SOURCE.findall(source)
    return [path.decode("utf-8", "surrogateescape").replace("\\/", "/") for path in found]
