"""Find what checkov asks about in the engine's reading of the template, for the CloudFormation check.

checkov replaces references by defaults and knows no other values; what counts is the template. Its serverless runner
asks the same check about the resources of a serverless.yml, which is no template: what checkov hands over is judged.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from unapproved_iam.attachment import Attachment, Reading
from unapproved_iam.checkov_verdict import Answer, JudgedByEngine, Question, answer_for, list_root, scanned_path
from unapproved_iam.cloudformation_template import attachments_of_conf, read_template


class TemplateResources(JudgedByEngine):
    """Answers for the resources of templates."""

    def answer(self, question: Question, skip: str | None) -> Answer:
        properties = question.conf.get("Properties")
        marks: dict[str, Any] = properties if isinstance(properties, dict) else {}
        written = marks.get("__file__")  # relative to the working directory; absent without properties
        path = os.path.abspath(written) if isinstance(written, str) else scanned_path(question.scanned_file)
        reading = _read(path)
        if reading is None or (reading.unjudged and not reading.attachments):
            attachments = attachments_of_conf(question.name, question.conf, path)
        else:
            attachments = tuple(one for one in reading.attachments if _is_of(one, question.name))
        return answer_for(attachments, list_root(path, question.scanned_file), skip)


def _is_of(attachment: Attachment, logical_id: str) -> bool:
    """Whether a resource attaches it; a nested stack does what is in its template."""
    return attachment.resource == logical_id or attachment.resource.startswith(f"{logical_id}.")


@lru_cache(maxsize=64)  # checkov asks file by file
def _read(path: str) -> Reading | None:
    return read_template(path)
