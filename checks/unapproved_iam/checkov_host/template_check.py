"""Find the resource that checkov asks about in our own reading of the template, for the CloudFormation check.

checkov's values are not used: it puts defaults in place of references and knows no others. Its serverless runner asks
the same check about the resources of a serverless.yml, which is no template: there we check what checkov hands over.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from unapproved_iam.checkov_host.check_verdict import (
    JudgedByEngine,
    Known,
    Question,
    reading_of_block,
    scanned_path,
    scanned_root,
)
from unapproved_iam.cloudformation.template import read_template, reading_of_conf
from unapproved_iam.policies.attachment import Attachment, Reading, together
from unapproved_iam.scan.guarded_reading import guarded
from unapproved_iam.scan.nested_templates import judged_through_others_below


class TemplateResources(JudgedByEngine):
    """Answers for the resources of templates."""

    def look_up(self, question: Question) -> Known:
        properties = question.conf.get("Properties")
        marks: dict[str, Any] = properties if isinstance(properties, dict) else {}
        written = marks.get("__file__")  # relative to the working directory; absent without properties
        path = os.path.abspath(written) if isinstance(written, str) else scanned_path(question.scanned_file)
        reading = _read(path)
        if reading is None:
            return Known(path, reading_of_conf(question.name, question.conf, path))
        if reading.attachments and path in judged_through_others_below(scanned_root(path, question.scanned_file)):
            return Known(path, Reading())
        # The marks begin and end a line after the block does.
        lines = range(marks.get("__startline__", 1) - 1, marks.get("__endline__", 1))
        attachments = (one for one in reading.attachments if _is_of(one, question.name))
        of_block = reading_of_block(reading, path, lines, attachments)
        if reading.unjudged and not of_block.attachments:  # perhaps the whole file is unreadable
            of_block = together([of_block, reading_of_conf(question.name, question.conf, path)])
        return Known(path, of_block)


def _is_of(attachment: Attachment, logical_id: str) -> bool:
    """Whether a resource attaches it; a nested stack does what is in its template."""
    return attachment.resource == logical_id or attachment.resource.startswith(f"{logical_id}.")


@lru_cache(maxsize=64)  # checkov asks file by file
def _read(path: str) -> Reading | None:
    return guarded(read_template, path)
