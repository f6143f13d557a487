"""What functions of known data raise where we do not compute what Terraform does.

For `hcl.data_functions`, and whoever computes by them.
"""

from __future__ import annotations


class Inexact(Exception):
    """The result is not known, although the arguments are."""


class NotJudged(Inexact):
    """What Terraform may well compute; the text says why it is not looked at."""
