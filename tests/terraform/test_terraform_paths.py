"""What paths are known of where terraform runs, beside what terraform itself computes there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from terraform_oracle import may_be, outputs_of
from terraform_verdicts import attachments_in
from written_files import write_tree

# What is known of each, in a root module that is live/prod of its repository.
PATHS = {
    "path.cwd": "${checkout}/live/prod",
    "path.root": ".",
    "path.module": ".",
    "basename(path.cwd)": "prod",
    'basename("${path.cwd}/")': "prod",
    "dirname(path.cwd)": "${checkout}/live",
    "basename(dirname(path.cwd))": "live",
    "dirname(dirname(path.cwd))": "${checkout}",
    "dirname(dirname(dirname(path.cwd)))": "${dirname(dirname(dirname(path.cwd)))}",
    "abspath(path.root)": "${checkout}/live/prod",
    'basename(abspath("../stage/"))': "stage",
    'abspath("../../../x")': "${checkout/..}/x",
    'abspath("${path.cwd}/../x")': "${checkout}/live/x",
    "basename(dirname(dirname(path.cwd)))": "${basename(dirname(dirname(path.cwd)))}",
    'file("${path.cwd}/name.txt")': "a name",
    'file("${dirname(path.cwd)}/name.txt")': "another name",
    "module.called.path": "${checkout}/live/prod",
    "basename(module.called.directory)": "called",
}
CALLED = 'output "path" { value = path.cwd }\noutput "directory" { value = abspath(path.module) }\n'


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_it_knows_the_last_names_of_where_terraform_runs(tmp_path: Path) -> None:
    blocks = [
        f'resource "aws_iam_role_policy_attachment" "p{n}" {{\n  role = "r"\n  policy_arn = {path}\n}}\n'
        for n, path in enumerate(PATHS)
    ]
    call = 'module "called" {\n  source = "../called"\n}\n'
    files = {"live/called/main.tf": CALLED, "live/prod/name.txt": "a name", "live/name.txt": "another name"}
    write_tree(tmp_path, {".git/HEAD": "", **files, "live/prod/main.tf": call + "".join(blocks)})
    known = [one.policy for one in attachments_in(tmp_path)]
    assert dict(zip(PATHS, map(str, known), strict=True)) == PATHS

    outputs = "".join(f'output "o{n}" {{\n  value = {path}\n}}\n' for n, path in enumerate(PATHS))
    (tmp_path / "live/prod/main.tf").write_text(call + outputs)
    outputs_by_name = outputs_of(tmp_path / "live/prod")
    computed = [outputs_by_name[f"o{n}"] for n in range(len(PATHS))]
    assert [
        (path, text) for path, text, real in zip(PATHS, known, computed, strict=True) if not may_be(text, real)
    ] == []
