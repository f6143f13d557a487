"""Tell from its name and its bytes whether a file may give values to the parameters of a template.

For `cloudformation.parameter_files`, which reads them, and for `scan`, which reads no others for it.
It errs towards reading only.
"""

from __future__ import annotations

from unapproved_iam.late_patterns import late_pattern

SAM_CONFIGURATIONS = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
DEPLOYMENT_FILE = "template-file-path"  # a key that only the deployment files of Git sync have
_DEPLOYMENT_FILE = DEPLOYMENT_FILE.encode()

# A template without resources declares its parameters: each is an object, which no parameter's value is.
_PARAMETERS = late_pattern(rb"Parameters(?<!\wParameters)[\"']?\s*:(?!\s*\{\s*\"(?:[^\"\\]|\\.)*\"\s*:\s*\{)")


def may_give_parameters(source: bytes) -> bool:
    """Whether a file may be of a form of `cloudformation.parameter_files`."""
    if b"ParameterKey" in source or b"parameter_overrides" in source or _DEPLOYMENT_FILE in source:
        return True
    is_list = source[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
    if is_list and b"=" in source:
        return True
    return b"Parameters" in source and b"Resources" not in source and _PARAMETERS.search(source) is not None
