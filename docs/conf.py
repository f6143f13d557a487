"""The site: this repository's Markdown as it stands, under the same paths, as pages that load nothing from other hosts.

sphinx-build --fail-on-warning --conf-dir docs . build/site
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import pending_xref

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "checkov-unapproved-iam"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/how-to/*.md"]
myst_heading_anchors = 4  # anchors as on the repository's host
smartquotes = False  # `--` begins an option

html_theme = "furo"
html_title = project
html_static_path = ["site.css", "site.js"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_copyright = False
html_use_index = False

# Where the site is published from; a build elsewhere links to no repository.
REPOSITORY = (
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}".format_map(os.environ) if "GITHUB_REPOSITORY" in os.environ else ""
)
html_theme_options = (
    {"source_repository": REPOSITORY, "source_branch": "main", "source_directory": ""} if REPOSITORY else {}
)

# The sidebar. Every page is in it: a build with --fail-on-warning names one that is missing.
NAVIGATION = {
    "The rule": ["docs/rule", "docs/deny-list", "docs/coverage"],
    "How to": [
        "docs/how-to/first-list",
        "docs/how-to/exceptions",
        "docs/how-to/roll-out",
        "docs/how-to/monorepo",
        "docs/how-to/terragrunt",
        "docs/how-to/plans",
        "docs/how-to/gitlab",
        "docs/how-to/allow-list",
        "docs/how-to/organization-audit",
    ],
    "Set it up": ["docs/ci", "docs/checkov", "docs/audit", "docs/migrating"],
    "Reference": [
        "docs/documents",
        "docs/commands",
        "docs/outputs",
        "docs/faults",
        "docs/security-model",
        "docs/benchmarks",
    ],
    "The project": ["CHANGELOG", "CONTRIBUTING", "SECURITY"],
}


def toctree(caption: str, pages: list[str]) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def read(app: Sphinx, page: str, source: list[str]) -> None:
    """What the site adds to the Markdown: to a code block, the file that it shows; to the home page, the sidebar."""
    source[0] = re.sub(r"^```(\w+) (\S+)$", r"```{code-block} \1\n:caption: \2\n", source[0], flags=re.MULTILINE)
    if page == root_doc:
        source[0] += "".join(toctree(*part) for part in NAVIGATION.items())


def link_directories(app: Sphinx, document: nodes.document) -> None:
    """A link to a directory leads to the repository's host: the site has none."""
    for link in list(document.findall(pending_xref)):
        directory = (Path(app.srcdir, link["refdoc"]).parent / link["reftarget"]).resolve()
        if directory.is_dir():
            address = f"{REPOSITORY}/tree/main/{directory.relative_to(app.srcdir)}"
            link.replace_self(nodes.reference("", "", *link.children, refuri=address) if REPOSITORY else link.children)


def make_home(app: Sphinx, error: Exception | None) -> None:
    """The home page by the name that web servers look for; it is in the same directory, so its links hold."""
    if not error:
        shutil.copyfile(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> None:
    app.connect("source-read", read)
    app.connect("doctree-read", link_directories)
    app.connect("build-finished", make_home)
