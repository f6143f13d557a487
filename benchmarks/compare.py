# /// script
# requires-python = ">=3.10"
# dependencies = ["matplotlib", "uv"]
# ///
"""Compare whole processes of this command and its peers in one run: `uv run benchmarks/compare.py`.

Each peer is installed from PyPI into an environment of its own. Figures are medians; on one machine only the ratios
say something. Writes a table (`docs/benchmarks.md`) and a plot (`docs/benchmarks.svg`).

- pygrep: what a pre-commit hook of `language: pygrep` runs on the same files, the least that any hook can cost
- c7n-left: with one policy on one directory, the fastest peer that evaluates Terraform
- checkov: with one built-in check, on trees up to --checkov-up-to files, since it needs minutes beyond
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from generated_tree import attaches, make_tiny_violation, make_tree

PROJECT = Path(__file__).resolve().parent.parent
PEERS = {
    "unapproved-iam": [str(PROJECT)],
    "pygrep": ["pre-commit==4.7.0"],
    "c7n-left": ["c7n-left"],
    "checkov": ["checkov==3.3.30"],
}
LEFT_POLICY = """
policies:
  - name: unapproved-policy
    resource: terraform.aws_iam_role_policy_attachment
    filters:
      - type: value
        key: policy_arn
        op: regex
        value: ".*/AdministratorAccess$"
"""


@dataclass(frozen=True)
class Figure:
    """Medians over the runs of one command."""

    seconds: float
    mebibytes: float

    def cell(self) -> str:
        return f"{self.seconds:.2f} s, {self.mebibytes:.0f} MiB"


@dataclass(frozen=True)
class Peers:
    """Where the peers' programs are."""

    home: Path

    def program(self, peer: str, name: str) -> str:
        return str(self.home / peer / "bin" / name)

    def install(self) -> None:
        for peer, packages in PEERS.items():
            environment = self.home / peer
            if environment.exists() and peer != "unapproved-iam":
                continue
            subprocess.run(["uv", "venv", "-q", "--clear", str(environment)], check=True)
            python = str(environment / "bin" / "python")
            subprocess.run(
                ["uv", "pip", "install", "-q", "--compile-bytecode", "--python", python, *packages], check=True
            )

    def check(self, *arguments: str) -> list[str]:
        return [self.program("unapproved-iam", "unapproved-iam"), "check", *arguments]

    def pygrep(self, files: Sequence[str]) -> list[str]:
        return [self.program("pygrep", "python"), "-m", "pre_commit.languages.pygrep", "AdministratorAccess", *files]

    def left(self, directory: Path, policies: Path) -> list[str]:
        return [self.program("c7n-left", "c7n-left"), "run", "-d", str(directory), "-p", str(policies)]

    def checkov(self, directory: Path) -> list[str]:
        options = ["--framework", "terraform", "--check", "CKV_AWS_274", "--compact", "--quiet", "--skip-download"]
        return [self.program("checkov", "checkov"), "-d", str(directory), *options]


def measured(command: Sequence[str], runs: int, cold: bool = False, expected: tuple[int, ...] = (0,)) -> Figure:
    """Run a command as a whole process; `cold` gives each run empty temporary and cache directories."""
    seconds, mebibytes = [], []
    for run in range(runs + (0 if cold else 1)):
        with tempfile.TemporaryDirectory() as scratch:
            environment = dict(os.environ)
            if cold:
                environment |= {"TMPDIR": scratch, "XDG_CACHE_HOME": scratch, "HOME": scratch}
            started = time.perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in expected:
            sys.exit(f"{' '.join(command)[:300]}: exit {process.returncode} (expected one of {expected})")
        if cold or run:  # the first of the warm runs warms up
            seconds.append(took)
            mebibytes.append(usage.ru_maxrss / 1024)
    return Figure(statistics.median(seconds), statistics.median(mebibytes))


def unattaching_files(tree: Path, most: int) -> list[str]:
    """The files of a commit that cannot matter: Terraform and YAML of root modules that attach nothing."""
    modules = (path for path in sorted(tree.glob("*/service-*")) if not attaches(int(path.name.split("-")[1])))
    files = (file for module in modules for file in sorted(module.iterdir()))
    return [str(file) for file in islice(files, most)]


def commits(peers: Peers, scratch: Path, runs: int) -> list[str]:
    """Rows about commits that cannot matter and about a commit with a violation."""
    tree = scratch / "repository"
    make_tree(tree, 1000)
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    rows = []
    for count in (10, 400):
        files = unattaching_files(tree, count)
        ours = measured(peers.check(*files), runs)
        pygrep = measured(peers.pygrep(files), runs)
        memory = ours.mebibytes / pygrep.mebibytes
        what = f"{len(files)} files that cannot matter, of 1,000"
        rows.append(_row(what, "pygrep", ours, pygrep, f"{memory:.2f} x memory"))
    tiny, policies = scratch / "tiny", scratch / "policies"
    make_tiny_violation(tiny)
    policies.mkdir()
    (policies / "unapproved.yaml").write_text(LEFT_POLICY)
    for cold in (False, True):
        ours = measured(peers.check(str(tiny)), runs, cold, expected=(1,))
        for name, command in (("c7n-left", peers.left(tiny, policies)), ("checkov", peers.checkov(tiny))):
            theirs = measured(command, runs, cold, expected=(1,))
            rows.append(_row(f"one violation, {'cold' if cold else 'warm'}", name, ours, theirs, ""))
    return rows


def _row(what: str, peer: str, ours: Figure, theirs: Figure, remark: str) -> str:
    ratio = f"{ours.seconds / theirs.seconds:.2f} x time"
    return f"| {what} | {ours.cell()} | {peer}: {theirs.cell()} | {', '.join(filter(None, (ratio, remark)))} |"


def trees(
    peers: Peers, scratch: Path, sizes: Sequence[int], most_for_checkov: int, runs: int
) -> tuple[list[str], dict[str, list[tuple[int, Figure]]]]:
    """Rows about whole trees, and the points of the plot."""
    points: dict[str, list[tuple[int, Figure]]] = {}
    rows = []
    everything = scratch / "everything.yaml"
    everything.write_text('version: 1\ndeny: ["*"]\n')
    for size in sizes:
        tree = scratch / f"tree-{size}"
        make_tree(tree, size)
        commands: dict[str, Callable[[], Figure]] = {
            "default list": lambda tree=tree: measured(peers.check(str(tree)), runs, expected=(1,)),  # type: ignore[misc]
            'deny: ["*"]': lambda tree=tree: measured(  # type: ignore[misc]
                peers.check("--deny-list", str(everything), str(tree)), runs, expected=(1,)
            ),
        }
        if size <= most_for_checkov:
            commands["checkov, one check"] = lambda tree=tree: measured(
                peers.checkov(tree), 1, cold=True, expected=(1,)
            )  # type: ignore[misc]
        figures = {name: command() for name, command in commands.items()}
        for name, figure in figures.items():
            points.setdefault(name, []).append((size, figure))
        theirs = figures.get("checkov, one check")
        cells = [f"{size:,}"]
        for name in ("default list", 'deny: ["*"]'):
            faster = f", {theirs.seconds / figures[name].seconds:.0f} x faster" if theirs else ""
            cells.append(figures[name].cell() + faster)
        cells.append(theirs.cell() if theirs else "not run")
        rows.append(f"| {' | '.join(cells)} |")
        shutil.rmtree(tree)
    return rows, points


def draw(points: dict[str, list[tuple[int, Figure]]], path: Path) -> None:
    import matplotlib  # type: ignore[import-not-found,unused-ignore]

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot

    figure, (times, memories) = pyplot.subplots(1, 2, figsize=(10, 4))
    for name, measured_points in points.items():
        sizes = [size for size, _ in measured_points]
        times.plot(sizes, [point.seconds for _, point in measured_points], marker="o", label=name)
        memories.plot(sizes, [point.mebibytes for _, point in measured_points], marker="o", label=name)
    for axes, title in ((times, "seconds"), (memories, "MiB at the peak")):
        axes.set(xlabel="files", ylabel=title, xscale="log")
        axes.grid(alpha=0.3)
    times.set_yscale("log")
    memories.set_ylim(bottom=0)
    memories.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def page(commit_rows: Sequence[str], tree_rows: Sequence[str]) -> str:
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Medians of whole processes, all in one run of `uv run benchmarks/compare.py` on one machine"
            f" ({os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()});"
            " only the ratios carry over to another.",
            "",
            "| commit | `unapproved-iam check` | peer | ratio |",
            "|---|---|---|---|",
            *commit_rows,
            "",
            '| files in the tree | default list | `deny: ["*"]` | checkov, one check |',
            "|---|---|---|---|",
            *tree_rows,
            "",
            "![time and memory by number of files](benchmarks.svg)",
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare this command with its peers, as whole processes.")
    parser.add_argument("--sizes", default="100,1000,10000,20000", help="files in the generated trees")
    parser.add_argument("--checkov-up-to", type=int, default=1000, help="largest tree for checkov")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--environments", type=Path, default=PROJECT / ".benchmarks", help="where the peers live")
    parser.add_argument("--docs", type=Path, default=PROJECT / "docs", help="where the table and the plot go")
    arguments = parser.parse_args()
    peers = Peers(arguments.environments.resolve())
    peers.install()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        commit_rows = commits(peers, scratch, arguments.runs)
        sizes = [int(size) for size in arguments.sizes.split(",")]
        tree_rows, points = trees(peers, scratch, sizes, arguments.checkov_up_to, min(arguments.runs, 3))
    text = page(commit_rows, tree_rows)
    (arguments.docs / "benchmarks.md").write_text(text)
    draw(points, arguments.docs / "benchmarks.svg")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
