"""The format of the deny list as a table: which keys there are, what each may hold, and what it is for.

The reader checks files by it, the JSON Schema for editors and the reference in `docs/deny-list.md` are made from it.
Anything beyond one value (does AWS have this policy, is this entry here twice) is for the reader to check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from unapproved_iam.deny_list.builtin_lists import PURPOSES
from unapproved_iam.deny_list.entries import PRINCIPAL_KINDS, InlineSkips, Unresolved
from unapproved_iam.marked_yaml import Kind
from unapproved_iam.policies.policy_pattern import PATTERN


class Form(NamedTuple):
    """What a value may be."""

    kind: Kind
    expected: str  # in the words of messages
    pattern: str = ""  # of the whole text; in the common subset of Python's and ECMAScript's expressions
    choices: tuple[str, ...] = ()
    items: Form | None = None  # of a list, which is never empty
    keys: Mapping[str, Key] = {}  # of a mapping
    short: str = ""  # the key whose value alone may stand for the mapping
    or_one: bool = False  # of a list: an item may stand for it without brackets


class Key(NamedTuple):
    """A key of a mapping."""

    form: Form
    purpose: str
    required: bool = False


_PRINTABLE = r"[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]"
_FILES = r"(?!\.{0,2}/)(?!.*/\.{0,2}(?:/|$))(?!\.{1,2}$)[^\\\[\]{}\u0000-\u001f]+"
_NAME = r"[A-Za-z0-9_+=,.@*?-]+"
_KEYED = r'[A-Za-z0-9_][A-Za-z0-9_-]*(?:\[(?:[0-9]+|"[^"]*")\])?'

PRINCIPAL_PATTERN = f"(?:{'|'.join(PRINCIPAL_KINDS)})/{_NAME}"
NEEDS_NO_FILES = rf"\*|{PRINCIPAL_PATTERN}"  # of `attached_to`; an address needs `in`, for anyone can name a resource
ADDRESS_PATTERN = rf"(?:[A-Za-z0-9]+|{_KEYED}(?:\.{_KEYED})+)"  # a logical id, or Terraform's own

WORDS = Form(Kind.TEXT, "text", rf"(?=[\s\S]*\S){_PRINTABLE}+")
# What people leave where a reason belongs: marks alone, or one of these words.
_MARK = r"[\s!-/:-@\[-`{-~\u00b7\u2013\u2014\u2022\u2026]"
_PLACEHOLDERS = ("todo", "tbd", "tba", "fixme", "xxx", "reason", "why", "placeholder", "none", "n/a")
_PLACEHOLDER = "|".join("".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word) for word in _PLACEHOLDERS)
REASON = Form(
    Kind.TEXT,
    "why, in words; no placeholder such as … or TODO",
    rf"(?!{_MARK}*(?:{_PLACEHOLDER})?{_MARK}*$)(?!\s*<[^>]*>\s*$){WORDS.pattern}",
)
POLICY = Form(Kind.TEXT, "the name of an AWS managed policy, or an ARN; * and ? are wildcards", PATTERN)
FILES = Form(Kind.TEXT, "a path from the repository's root such as live/security/**; * and ? are wildcards", _FILES)
PLACES = Form(Kind.LIST, f"{FILES.expected}, or a list of such", items=FILES, or_one=True)
DAY = Form(Kind.TEXT, "a day such as 2027-06-30", r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TRUTH = Form(Kind.TRUTH, "true or false")
ATTACHED_TO = Form(
    Kind.TEXT,
    "role/NAME, user/NAME, group/NAME or permission-set/NAME, a resource's address or logical id, or * for anything",
    f"{NEEDS_NO_FILES}|{ADDRESS_PATTERN}",
)

BUILTIN_LIST = Form(Kind.TEXT, f"one of {', '.join(PURPOSES)}", choices=tuple(PURPOSES))
ENFORCE_FROM = Key(DAY, "The first day, in UTC, on which findings fail; before it they are only shown.")
ALLOW_UNKNOWN = Key(TRUTH, "The policy is an AWS managed one that is newer than this release.")

USE = Form(
    Kind.MAPPING,
    f"{BUILTIN_LIST.expected}, or a mapping with the key list",
    short="list",
    keys={
        "list": Key(BUILTIN_LIST, "The name of a built-in list.", True),
        "enforce_from": ENFORCE_FROM,
    },
)

ENTRY = Form(
    Kind.MAPPING,
    "a policy's name or ARN, or a mapping with the key policy",
    short="policy",
    keys={
        "policy": Key(
            POLICY, "The name of an AWS managed policy (in every partition, whatever its path) or an ARN.", True
        ),
        "reason": Key(WORDS, "Why it must not be attached; findings show it."),
        "use_instead": Key(
            Form(Kind.LIST, "a list of policies", items=WORDS), "What to attach instead; findings show it."
        ),
        "enforce_from": ENFORCE_FROM,
        "allow_unknown": ALLOW_UNKNOWN,
    },
)

APPROVAL = Form(
    Kind.MAPPING,
    "a mapping with the keys policy, attached_to and reason",
    keys={
        "policy": Key(POLICY, "The policies that may be attached anyway: a name, an ARN, or a pattern.", True),
        "attached_to": Key(
            ATTACHED_TO,
            "Who may have it: role/NAME, user/NAME, group/NAME or permission-set/NAME (* and ? are wildcards). Or the "
            "resource that attaches it, by its address or logical id; that needs `in`. Or `*`: anyone.",
            True,
        ),
        "in": Key(
            PLACES,
            "In which files: a path from the repository's root with * and ?, ** for any directories. The block's file "
            "must match, and in a called module also the file of the outermost call.",
        ),
        "reason": Key(REASON, "Why it may be attached.", True),
        "approved_by": Key(WORDS, "Who approved it."),
        "expires": Key(DAY, "The last day on which the approval counts, in UTC."),
        "allow_unknown": ALLOW_UNKNOWN,
    },
)

EXCLUSION = Form(
    Kind.MAPPING,
    "a mapping with the keys path and reason",
    keys={
        "path": Key(
            FILES, "The files of root modules and templates: a path from the repository's root with *, ? and **.", True
        ),
        "reason": Key(REASON, "Why they are not checked.", True),
    },
)

DENY_LIST = Form(
    Kind.MAPPING,
    "a mapping with the key version and at least one of use, deny and extends",
    keys={
        "version": Key(Form(Kind.NUMBER, "1", choices=("1",)), "The version of this format.", True),
        "use": Key(
            Form(Kind.LIST, "a list of built-in lists", items=USE), "Built-in lists; their policies are denied, too."
        ),
        "extends": Key(
            Form(Kind.LIST, "a list of files", items=Form(Kind.TEXT, "the path of a local file", WORDS.pattern)),
            "More deny lists, as paths from this file's directory; what this file says comes first.",
        ),
        "deny": Key(Form(Kind.LIST, "a list of policies", items=ENTRY), "Policies that must not be attached."),
        "approve": Key(Form(Kind.LIST, "a list of approvals", items=APPROVAL), "Exceptions."),
        "exclude": Key(
            Form(Kind.LIST, "a list of exclusions", items=EXCLUSION),
            "Root modules and templates that are not checked; a module there still counts for whoever calls it.",
        ),
        "unresolved": Key(
            Form(Kind.TEXT, "pass or fail", choices=tuple(choice.value for choice in Unresolved)),
            "Whether an attachment fails when the code doesn't tell if its policy is denied (default: pass).",
        ),
        "inline_skips": Key(
            Form(Kind.TEXT, "allow or refuse", choices=tuple(choice.value for choice in InlineSkips)),
            "Whether a comment `checkov:skip=IAM_068` beside the code silences a finding (default: allow).",
        ),
    },
)
