"""Call Terraform's functions, even when their arguments are only partly known.

For `hcl.evaluation`. A function that we do not know, or not for such arguments, returns the policies among its
arguments and something unknown: never nothing. Source: "Functions" in the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any

from unapproved_iam.hcl.alternatives import applied, bounded_ways, one_of, unknown_like
from unapproved_iam.hcl.argument_functions import ARGUMENT_FUNCTIONS, Argument
from unapproved_iam.hcl.collection_parts import Parts, spliced
from unapproved_iam.hcl.data_functions import DATA_FUNCTIONS, data_of, value_of_json
from unapproved_iam.hcl.decimal_numbers import number_of
from unapproved_iam.hcl.expression import Call
from unapproved_iam.hcl.facts import (
    ALWAYS,
    MISSING,
    Facts,
    Subject,
    Turn,
    holds,
    is_none_of,
    is_one_of,
    joined,
    short,
)
from unapproved_iam.hcl.file_functions import FILE_FUNCTIONS, content_of
from unapproved_iam.hcl.inexact import Inexact, NotJudged
from unapproved_iam.hcl.list_functions import LIST_FUNCTIONS
from unapproved_iam.hcl.map_functions import MAP_FUNCTIONS
from unapproved_iam.hcl.path_functions import PATH_FUNCTIONS
from unapproved_iam.hcl.scope import Evaluation, Scope, owner_of
from unapproved_iam.hcl.string_functions import STRING_FUNCTIONS, json_with_holes, text_argument
from unapproved_iam.hcl.template_functions import templatefile, templatestring
from unapproved_iam.hcl.texts import holds_unknown, policies_in
from unapproved_iam.hcl.turns import another
from unapproved_iam.hcl.values import (
    Boolean,
    Found,
    Plain,
    Possible,
    Refused,
    String,
    Unknown,
    Value,
    exactly,
    is_final,
    is_other,
    is_refused,
    not_judged,
    refused,
    subject_of,
    under,
    unknown,
)
from unapproved_iam.policies.passed_policies import policies_passed
from unapproved_iam.policies.possible_text import Hole


def called(call: Call, scope: Scope, evaluation: Evaluation) -> Value:
    """The value of a function call."""
    name = call.name.removeprefix("core::")
    if name in _LAZY_FUNCTIONS:
        return _LAZY_FUNCTIONS[name](call, scope, evaluation)
    parts = Parts()
    arguments = _arguments(call, scope, parts, evaluation)
    return parts.joined_with(_of_arguments(name, call, scope, arguments), call)


def _of_arguments(name: str, call: Call, scope: Scope, arguments: list[Argument]) -> Value:
    values = [argument.value for argument in arguments]
    are_certain = not any(argument.when for argument in arguments)
    try:
        if name in ARGUMENT_FUNCTIONS:
            function, fewest, most, takes_uncertain = ARGUMENT_FUNCTIONS[name]
            _check_number(arguments, fewest, most)
            if takes_uncertain or are_certain:
                return function(call, arguments)
        elif are_certain:
            return applied(lambda *plains: _of_plains(name, call, scope, plains), values, call)
    except Refused as reason:
        return refused(call, str(reason), policies_in(*values))
    return unknown(call, f"the arguments of {call.name} are not certain", found=policies_in(*values))


def _arguments(call: Call, scope: Scope, parts: Parts, evaluation: Evaluation) -> list[Argument]:
    """The arguments; of `list...` the elements, which may be absent, and whether their number is open."""
    values = [(str(argument), parts.accepts(evaluation.value(argument, scope))) for argument in call.arguments]
    arguments = [Argument(value, written) for written, value in values if value is not None]
    if not call.expands or not arguments:
        return arguments
    last = arguments.pop()
    sequence = spliced([(last.value, ALWAYS)], call)
    arguments.extend(Argument(item.value, f"{last.written}[{n}]", item.when) for n, item in enumerate(sequence.items))
    if sequence.rest is not None:
        further = holds(Subject(f"length({last.written}) > {len(sequence.items)}", Turn()), True)
        arguments.append(Argument(another(sequence.rest), last.written, further, is_repeated=True))
    return arguments


def _check_number(arguments: Sized, fewest: int, most: int | None) -> None:
    if len(arguments) < fewest or (most is not None and len(arguments) > most):
        raise Refused("wrong number of arguments")


def _of_plains(name: str, call: Call, scope: Scope, plains: tuple[Plain, ...]) -> Value:
    """The function of one alternative of each argument."""
    try:
        if name in _PLAIN_FUNCTIONS:
            function, fewest, most = _PLAIN_FUNCTIONS[name]
            _check_number(plains, fewest, most)
            return function(call, *plains)
        if name in _FILE_FUNCTIONS:
            function, count = _FILE_FUNCTIONS[name]
            _check_number(plains, count, count)
            return function(call, scope, *plains)
        if name in ENCODING and (encoded := _encoded(call, plains)) is not None:
            return exactly(encoded)
        if name == "base64decode" and (decoded := _decoded(plains)) is not None:
            return exactly(decoded)
        if name in DATA_FUNCTIONS:
            return _of_data(name, call, plains)
    except Refused as reason:
        return refused(call, str(reason), policies_in(*map(exactly, plains)))
    found = policies_in(*map(exactly, plains))
    return unknown(call, f"the function {call.name} is not computed here", found=found)


# -- data that is wholly known -----------------------------------------------------------------------------------------


# What hides the policies in a text from who looks into what they yield.
ENCODING = frozenset({"base64encode", "urlencode"})


def _encoded(call: Call, plains: tuple[Plain, ...]) -> Unknown | None:
    """What is encoded counts as unknown where policies are in it, so that they stay in sight wherever it goes."""
    (content,) = plains if len(plains) == 1 else (None,)
    policies = policies_passed(content.text) if isinstance(content, String) else []
    if not isinstance(content, String) or not policies:
        return None
    hole = Hole(short(call), "policies that are encoded are not looked for in what it yields")
    found = tuple(Found(policy, place=content.place) for policy in policies)
    return Unknown(hole, found, decoded=content if call.name == "base64encode" else None)


def _decoded(plains: tuple[Plain, ...]) -> String | None:
    (content,) = plains if len(plains) == 1 else (None,)
    return content.decoded if isinstance(content, Unknown) else None


def _of_data(name: str, call: Call, plains: tuple[Plain, ...]) -> Value:
    parameters, function = DATA_FUNCTIONS[name]
    if parameters.endswith("*"):
        parameters = parameters[0] * len(plains)
    if len(parameters) != len(plains):
        raise Refused("wrong number of arguments")
    try:
        arguments = [_argument(kind, plain) for kind, plain in zip(parameters, plains, strict=True)]
        return value_of_json(function(*arguments))
    except NotJudged as reason:
        return not_judged(call, str(reason), policies_in(*map(exactly, plains)))
    except (Inexact, ValueError, ArithmeticError, TypeError, KeyError):
        return json_with_holes(call, *plains) if name == "jsonencode" else unknown_like(call, *plains)


def _argument(kind: str, plain: Plain) -> Any:
    if kind == "s":
        known = text_argument(plain).known
        if known is None:
            raise Inexact
        return known
    if kind == "n":
        number = number_of(plain)
        if number is None:
            raise Inexact
        return number
    data = data_of(plain)
    if (kind == "l" and not isinstance(data, list)) or (kind == "m" and not isinstance(data, dict)):
        raise Refused("a list is required" if kind == "l" else "a map is required")
    return data


# -- functions that look at how their arguments are computed -----------------------------------------------------------


def _try(call: Call, scope: Scope, evaluation: Evaluation) -> Value:
    """The first argument that Terraform computes."""
    results: list[Value] = []
    open_ways = [ALWAYS]
    for argument in call.arguments:
        value, is_doubtful = evaluation.value_and_doubt(argument, scope)
        can = Subject(f"can({argument})", owner_of(argument, scope))
        following: list[Facts] = []
        for way in open_ways:
            for possible in under(value, way):
                if is_final(possible) or not (is_refused(possible) or _is_doubtful(possible, is_doubtful)):
                    results.append(Value((possible,)))
                elif is_refused(possible):
                    following.append(possible.when)
                else:
                    computed, not_computed = _facts_of_computing(possible.plain, can)
                    results.append(under(Value((possible,)), computed))
                    following += [when for when in [joined(possible.when, not_computed)] if when is not None]
        if not following:
            break
        open_ways = bounded_ways(following)
    else:
        results += [under(refused(call, "none of its arguments can be computed"), when) for when in open_ways]
    return one_of(results, call)


def _facts_of_computing(plain: Plain, can: Subject) -> tuple[Facts, Facts]:
    """That Terraform computes something, and that it does not, as for an attribute that is not there."""
    subject = subject_of(plain)
    if subject is not None and not subject.is_given:
        return is_none_of(subject, MISSING), is_one_of(subject, MISSING)
    return holds(can, True), holds(can, False)


def _is_doubtful(possible: Possible, others_are: bool | None) -> bool:
    """Whether Terraform may refuse to compute it: what is unknown may be of any type."""
    if others_are is None:
        return False
    subject = subject_of(possible.plain) if isinstance(possible.plain, Unknown) else None
    is_given = subject is not None and subject.is_given
    return others_are or (is_other(possible) and not is_given) or holds_unknown(possible.plain)


def _can(call: Call, scope: Scope, evaluation: Evaluation) -> Value:
    """Whether Terraform computes the argument."""
    if len(call.arguments) != 1:
        raise Refused("wrong number of arguments")
    value, is_doubtful = evaluation.value_and_doubt(call.arguments[0], scope)

    def computed(possible: Possible) -> Value:
        if is_final(possible):
            return Value((possible,))
        if is_refused(possible) or not _is_doubtful(possible, is_doubtful):
            return under(exactly(Boolean(not is_refused(possible))), possible.when)
        subject = Subject(str(call), owner_of(call, scope))
        facts = zip((True, False), _facts_of_computing(possible.plain, subject), strict=True)
        return one_of([under(exactly(Boolean(truth)), when) for truth, when in facts], call)

    return one_of([under(computed(possible), possible.when) for possible in value], call)


def _filebase64(call: Call, scope: Scope, path: Plain) -> Value:
    """What it is the base64 of, where that is text."""
    return applied(
        lambda content: _of_plains("base64encode", call, scope, (content,)), [content_of(call, scope, path)], call
    )


_PLAIN_FUNCTIONS = LIST_FUNCTIONS | MAP_FUNCTIONS | PATH_FUNCTIONS | STRING_FUNCTIONS
_LAZY_FUNCTIONS: dict[str, Callable[[Call, Scope, Evaluation], Value]] = {
    "can": _can,
    "templatefile": templatefile,
    "templatestring": templatestring,
    "try": _try,
}
_FILE_FUNCTIONS = FILE_FUNCTIONS | {"filebase64": (_filebase64, 1)}

# Every other function yields the policies that its arguments hold, and anything else.
COMPUTED = frozenset({*_PLAIN_FUNCTIONS, *_LAZY_FUNCTIONS, *_FILE_FUNCTIONS, *ARGUMENT_FUNCTIONS, *DATA_FUNCTIONS})
