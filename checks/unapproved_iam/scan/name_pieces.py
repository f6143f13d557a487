"""Find the pieces from which a file may build the name of a denied policy that does not stand in it as a whole.

For `scan.unit_screen`. A name that no literal holds is put together from pieces: then some literal ends with a
beginning of it, and another one begins with an end of it. Or a function cuts or rewrites text into it; that counts
where a policy is attached whose name does not stand beside its `policy/`, or which is looked up or declared by its name
(a limit of the product: elsewhere such functions go unseen). Or it comes from where we cannot look.

Of each pair one half is rare and found fast; the other half is worth a look only where that one was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES as TEMPLATE_TYPES
from unapproved_iam.cloudformation.resource_types import Form as TemplateForm
from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.policy_arn import aws_managed
from unapproved_iam.policies.possible_text import Match, match
from unapproved_iam.scan.file_reads import reads_files
from unapproved_iam.scan.screen_evidence import Evidence, LiteralRun, holds_template, without_tests
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES, DECLARED_POLICIES, Form
from unapproved_iam.word_patterns import any_of

# What the SAM transform attaches by itself, so that no template names it; `cloudformation.sam_resources` says when.
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

# Beyond so many pieces, looking for them takes longer than reading everything that attaches something.
MOST_PIECES = 2000

# What becomes text without a literal.
_COMPUTED = r"\d|true|false|null"

# Providers decode the certificates of clusters, which name no policy.
_HIDDEN_TEXT = tuple(
    late_pattern(rb"%b\s*\((?![^()\"\n]*certificate_authority)" % function)
    for function in (rb"fileset", rb"base64(?:decode|(?<=textdecodebase64))")
)
_REWRITING = late_pattern(
    rb"\b(?:replace|regex(?:all)?|substr|trim(?:prefix|suffix|space)?|chomp|title|upper|lower|strrev|split"
    rb"|yamldecode|csvdecode|basename|dirname)\s*\(|[{~]~|~\}"
)
_OPEN_BEFORE_SLASH = late_pattern(rb":policy(?![\\/\w-])")
# Policies that are looked up, or a customer's that are declared or attached, by their names.
_LOOKED_UP = (
    late_pattern(rb'data(?<!\wdata)(?:[\s"]|/\*(?s:.*?)\*/)+aws_iam_policy(?![\w.-])'),
    late_pattern(rb'"aws_iam_policy"\s*:'),
)
_BY_NAME = [row.resource_type for row in ATTACHING_TYPES.values() if any(p.form is Form.NAME for p in row.policies)]
_CUSTOMER_TYPES = late_pattern(lambda: any_of([*DECLARED_POLICIES, *_BY_NAME]).encode())

_CALL_OF_SPLIT = rb"Split(?:(?<=Fn::Split)|(?<=!Split))"
_SPLIT = late_pattern(rb"%b\b" % _CALL_OF_SPLIT)
# The character or characters that it cuts at, where they are a literal.
_SPLIT_AT = late_pattern(rb"""%b(?:\\?["'])?\s*:?\s*[\[-]\s*\\?["']([^"'\\\s]+)\\?["']""" % _CALL_OF_SPLIT)
_NESTING = [
    name for name, row in TEMPLATE_TYPES.items() if any(one.form is TemplateForm.LOCATION for one in row.policies)
]
_NESTED = late_pattern(lambda: any_of(_NESTING).encode())
# Where the template of a nested stack is, unless a URL begins there; the CDK leaves the file's name in the metadata.
_LOCAL_TEMPLATE = late_pattern(
    rb"(?:TemplateURL|Location)[\\\"'\s]*[:=](?!(?:[\s\\\"'{\[:,|>-]|!?(?:Fn::)?(?:Sub|Join))*(?:https?|s3)://)"
    rb"|aws:asset:property"
)


# In Terraform source a literal lies between quotes, interpolations and directives, and a verb of `format` ends with a
# letter; keys of objects need no quotes. (The lines of a heredoc end with a line feed, until a function cuts it off.)
# Each way is a search of its own that begins with a letter, or with characters: `re` skips to these at once.
def _first_in_terraform(pieces: set[str]) -> Iterator[str]:
    for letter, rest in _by_letter(pieces):
        literal = rf'(?<=["/}}]{letter}){rest}["$%\\]'
        yield rf"{letter}(?:{literal}|(?:(?<=[\s{{,(]{letter})|(?<=\*/{letter})){rest}\s*(?:[=:]|/\*))"


def _last_in_terraform(pieces: set[str]) -> tuple[str, ...]:
    piece = _one_of(pieces)
    key = rf"[ \t]*{piece}\s*(?:[=:]|/\*)"
    return rf'["}}]{piece}["\\]', rf'%[^a-zA-Z"\n]{{0,9}}[a-z]{piece}["\\]', rf"[\n{{,]{key}", rf"\*/{key}"


class Cuts(NamedTuple):
    """Where `Fn::Split` cuts the text of a file: pieces begin behind some characters, and end before some."""

    behind: str = ""
    before: str = ""


NO_CUTS = Cuts()


def _cuts_of(source: bytes) -> Cuts | None:
    """None where it cannot be told. Text between two literals may be cut within what it is cut at."""
    if b"Split" not in source:
        return NO_CUTS
    cut_at = {found.decode("utf-8", "surrogateescape") for found in _SPLIT_AT.findall(source)}
    if len(_SPLIT.findall(source)) > len(_SPLIT_AT.findall(source)) or not all(map(str.isascii, cut_at)):
        return None
    return Cuts(*("".join(sorted({re.escape(one[end]) for one in cut_at})) for end in (-1, 0)))


# In YAML and other text literals need no quotes: words with anything but a part of a word beside them, or behind an
# anchor or a tag. `AWS::` is none.
def _first_in_text(pieces: set[str], cuts: Cuts) -> Iterator[str]:
    ends = rf"(?=\s*(?:[\"'$%,\]}}#\\;|{cuts.before}]|:(?!:)|[\r\n]|$))"
    for letter, rest in _by_letter(pieces):
        begins = rf"(?<![\w:-]{letter})" + (rf"|(?<=[{cuts.behind}]{letter})" if cuts.behind else "")
        yield rf"{letter}(?:{begins}){rest}{ends}"


def _last_in_text(pieces: set[str], cuts: Cuts) -> tuple[str, ...]:
    piece = _one_of(pieces)
    ends = rf"(?:(?![\w:-])|(?=[{cuts.before}]))" if cuts.before else r"(?![\w:-])"
    # No quote opens behind a letter: that is an apostrophe.
    begins = (rf"[\"}}\[,{{:;|\r\n{cuts.behind}-]", r"'(?<!\w')", r"[&!][\w!:.-]*[ \t]", r"\A")
    return tuple(rf"{begin}[ \t]*{piece}{ends}" for begin in begins)


MOST_LETTERS = 10  # beyond, one search for all of them is faster


def _by_letter(pieces: set[str]) -> Iterator[tuple[str, str]]:
    """Expressions for the first letter of the pieces, and for what follows it."""
    rests: dict[str, set[str]] = {}
    for piece in pieces:
        rests.setdefault(re.escape(piece[0]), set()).add(piece[1:])
    if len(rests) <= MOST_LETTERS:
        yield from ((letter, any_of(rest)) for letter, rest in rests.items())
    else:
        written = "|".join(f"(?<={letter}){any_of(rest)}" for letter, rest in rests.items())
        yield f"[{''.join(rests)}]", f"(?:{written})"


def _one_of(pieces: set[str]) -> str:
    letters = "".join(sorted({re.escape(piece[0]) for piece in pieces}))  # ruled out faster than by branches
    return f"(?=[{letters}])(?:{any_of(pieces)})"


class NamePieces:
    """Looks for what the names of one deny list may be made of; `runs` are their longest literal parts."""

    def __init__(self, deny_list: DenyList, runs: Sequence[LiteralRun]) -> None:
        needs: dict[tuple[bool, bool], set[str]] = {}
        for run in runs:
            # Beside a wildcard a literal may hold anything.
            first = run.begins and not re.match(_COMPUTED, run.text)
            last = run.ends and not re.search(f"(?:{_COMPUTED})$", run.text)
            needs.setdefault((first, last), set()).add(run.text)
        self._of_both = _Pieces.of(needs.get((True, True), set()))
        self._of_first = _Pieces.of(needs.get((True, False), set()))
        self._of_last = _Pieces.of(needs.get((False, True), set()))
        number = sum(pieces.number for pieces in (self._of_both, self._of_first, self._of_last))
        self._always = (False, False) in needs or number > MOST_PIECES
        self._runs = runs
        self._customer = any(run.is_customer_managed for run in runs)
        globs = tuple(glob for entry in deny_list.entries for glob in entry.globs)
        self._added_by_sam = any(match(aws_managed(name), globs) is not Match.NEVER for name in ADDED_BY_SAM)

    @cached_property
    def _open_arn(self) -> re.Pattern[bytes]:
        """`policy/`, then no name, a beginning of one, or one that goes on elsewhere; `policy/*` is in statements."""
        begun = any_of(_beginnings({run.text for run in self._runs if run.begins}))
        continued = any_of(_beginnings({run.text for run in self._runs if not run.begins}))
        ended = rf"(?:[\w+=.@-]+/)*(?:{begun})?" + (rf"|[\w+=.@/-]*(?:{continued})" if continued else "")
        return re.compile(rf"policy\\?/(?:[\w+=.@/-]*[$%{{]|(?:{ended})(?![\w+=.@/*?-]))".encode(), re.ASCII)

    def rare_in_terraform(self, source: bytes) -> Evidence:
        """What is seldom found in Terraform source or variables, beside types and whole names."""
        looked_up = b"aws_iam_policy" in source and any(one.search(source) for one in _LOOKED_UP)
        if self._always or hides_text(source):
            return Evidence.NAME
        if self._of_first.first_in_terraform(source) or self._of_last.last_in_terraform(source):
            return Evidence.NAME
        evidence = Evidence.FIRST_PIECE if self._of_both.first_in_terraform(source) else Evidence.NOTHING
        if looked_up or self._open_arn.search(source) or _OPEN_BEFORE_SLASH.search(source):
            evidence |= Evidence.OPEN_ARN
        if self._customer and _CUSTOMER_TYPES.search(source):
            evidence |= Evidence.OPEN_ARN
        return evidence | self.rare_in_template(source) if holds_template(source) else evidence

    def common_in_terraform(self, source: bytes) -> Evidence:
        """The other halves, which are often found, or take longer to find."""
        evidence = Evidence.LAST_PIECE if self._of_both.last_in_terraform(source) else Evidence.NOTHING
        if _REWRITING.search(source) and _REWRITING.search(without_tests(source)):
            evidence |= Evidence.REWRITING
        return evidence | self.common_in_text(source) if holds_template(source) else evidence

    def rare_in_template(self, source: bytes) -> Evidence:
        """What is seldom found in a template, beside types and whole names."""
        is_sam = b"AWS::Serverless::" in source
        if (is_sam and self._added_by_sam) or nests_files(source):
            return Evidence.NAME
        return self.rare_in_text(source)

    def rare_in_read(self, source: bytes) -> Evidence:
        """What is seldom found in a file that Terraform source reads, which may be a template of either language."""
        return Evidence.NAME if reads_files(source) else self.rare_in_template(source)

    def rare_in_text(self, source: bytes) -> Evidence:
        """What is seldom found in a file of any form."""
        cuts = _cuts_of(source)
        if self._always or cuts is None:
            return Evidence.NAME
        if self._of_first.first_in_text(source, cuts) or self._of_last.last_in_text(source, cuts):
            return Evidence.NAME
        return Evidence.FIRST_PIECE if self._of_both.first_in_text(source, cuts) else Evidence.NOTHING

    def common_in_text(self, source: bytes) -> Evidence:
        """The other half."""
        cuts = _cuts_of(source)
        is_found = cuts is None or self._of_both.last_in_text(source, cuts)
        return Evidence.LAST_PIECE if is_found else Evidence.NOTHING


Search = Callable[[bytes], object]
TextSearch = Callable[[bytes, Cuts], object]


class _Pieces(NamedTuple):
    """Searches for the proper beginnings and ends of some names."""

    number: int
    first_in_terraform: Search
    last_in_terraform: Search
    first_in_text: TextSearch
    last_in_text: TextSearch

    @classmethod
    def of(cls, names: set[str]) -> _Pieces:
        beginnings = _beginnings(names)
        ends = {name[start:] for name in names for start in range(1, len(name))}
        return cls(
            len(ends),
            _search(_first_in_terraform, beginnings),
            _search(_last_in_terraform, ends),
            _text_search(_first_in_text, beginnings),
            _text_search(_last_in_text, ends),
        )


def _beginnings(names: set[str]) -> set[str]:
    return {name[:end] for name in names for end in range(1, len(name))}


def _search(written: Callable[[set[str]], Iterable[str]], pieces: set[str]) -> Search:
    """The search for pieces, compiled when it is needed for the first time."""
    compiled: list[Search] = []

    def search(source: bytes) -> object:
        if not compiled:
            compiled.extend(re.compile(one.encode()).search for one in written(pieces))
        return any(one(source) for one in compiled)

    return search if pieces else lambda source: None


def _text_search(written: Callable[[set[str], Cuts], Iterable[str]], pieces: set[str]) -> TextSearch:
    """The same for each way to cut."""
    searches: dict[Cuts, Search] = {}

    def search(source: bytes, cuts: Cuts) -> object:
        if cuts not in searches:
            searches[cuts] = _search(lambda pieces: written(pieces, cuts), pieces)
        return searches[cuts](source)

    return search


def hides_text(source: bytes) -> bool:
    """Whether Terraform source holds text that is not written out in it."""
    return any(one.search(source) for one in _HIDDEN_TEXT)


def nests_files(source: bytes) -> bool:
    """Whether a template may have nested stacks, or parts of it, in files of the tree, which are read with it."""
    is_made_of_others = _NESTED.search(source) is not None or b"AWS::Include" in source
    return is_made_of_others and _LOCAL_TEMPLATE.search(source) is not None
