# /// script
# requires-python = ">=3.10"
# dependencies = ["matplotlib", "uv"]
# ///
"""Compare whole processes of this command and its peers in one run: `uv run benchmarks/compare.py`.

Each peer is installed from PyPI into an environment of its own. The commands of one row take turns, so that what else
the machine does hits them all; figures are medians, and only their ratios say something elsewhere. Writes a table
(docs/benchmarks.md) and a plot (docs/benchmarks.svg).

- pygrep: what a pre-commit hook of `language: pygrep` runs on the same files, the least that any hook can cost
- c7n-left: with one policy; it evaluates one root module a run, so a tree takes as many runs as it has root modules
- checkov: with one built-in check
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from generated_tree import FILES_PER_MODULE, attaches, make_manifests, make_tiny_violation, make_tree
from growing_trees import SHAPES

PROJECT = Path(__file__).resolve().parent.parent
OURS = "unapproved-iam"
PEERS = {
    OURS: [str(PROJECT)],
    "pygrep": ["pre-commit==4.7.0"],
    "c7n-left": ["c7n-left==0.3.39"],
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
ANY_CODE = (0, 1)
MANIFESTS = 20_000


@dataclass(frozen=True)
class Command:
    """A program as a whole process; its exit code must be one of `codes`."""

    arguments: Sequence[str]
    codes: tuple[int, ...]
    directory: Path | None = None


@dataclass
class Figure:
    """What the runs of one command took."""

    seconds: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)

    @property
    def time(self) -> float:
        return statistics.median(self.seconds)

    @property
    def memory(self) -> float:
        return statistics.median(self.mebibytes)

    def __str__(self) -> str:
        return f"{self.time:.2f} s, {self.memory:.0f} MiB"


class Peers:
    """Where the programs are, and the commands made of them."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def install(self) -> None:
        for peer, packages in PEERS.items():
            environment = self.home / peer
            if environment.exists() and peer != OURS:
                continue
            subprocess.run(["uv", "venv", "-q", "--clear", str(environment)], check=True)
            python = str(environment / "bin" / "python")
            subprocess.run(
                ["uv", "pip", "install", "-q", "--compile-bytecode", "--python", python, *packages], check=True
            )

    def _program(self, peer: str, name: str = "") -> str:
        return str(self.home / peer / "bin" / (name or peer))

    def check(self, *arguments: str, codes: tuple[int, ...], directory: Path | None = None) -> Command:
        return Command([self._program(OURS), "check", *arguments], codes, directory)

    def pygrep(self, files: Sequence[str], codes: tuple[int, ...], directory: Path | None = None) -> Command:
        module = ["-m", "pre_commit.languages.pygrep", "AdministratorAccess"]
        return Command([self._program("pygrep", "python"), *module, *files], codes, directory)

    def left(self, directory: Path, policies: Path) -> Command:
        return Command([self._program("c7n-left"), "run", "-d", str(directory), "-p", str(policies)], (1,))

    def checkov(self, directory: Path) -> Command:
        options = ["--framework", "terraform", "--check", "CKV_AWS_274", "--compact", "--quiet", "--skip-download"]
        return Command([self._program("checkov"), "-d", str(directory), *options], ANY_CODE)


def measured(command: Command, figure: Figure, cold: bool) -> None:
    """Add one run to a figure; `cold` gives it empty temporary, cache and home directories."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = dict(os.environ)
        if cold:
            environment |= {"TMPDIR": scratch, "XDG_CACHE_HOME": scratch, "HOME": scratch}
        started = time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            cwd=command.directory,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.codes:
        written = " ".join(command.arguments)[:300]
        sys.exit(f"{written}: exit {process.returncode} (expected one of {command.codes})")
    figure.seconds.append(took)
    figure.mebibytes.append(usage.ru_maxrss / 1024)


def in_turn(commands: Mapping[str, Command], runs: int, cold: bool = False) -> dict[str, Figure]:
    """Run the commands one after the other, as many rounds as asked for; a first round warms up."""
    if not cold:
        for command in commands.values():
            measured(command, Figure(), cold)
    figures = {name: Figure() for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            measured(command, figures[name], cold)
    return figures


def unattaching_files(tree: Path) -> Iterator[str]:
    """Files that cannot matter: Terraform and YAML of root modules that attach nothing."""
    for root in sorted(tree.glob("*/service-*")):
        if not attaches(int(root.name.split("-")[1])):
            yield from (str(file.relative_to(tree)) for file in sorted(root.iterdir()))


def commits(peers: Peers, scratch: Path, runs: int) -> list[str]:
    """Rows about commits in a repository of 1,000 files, and about one violation."""
    tree, tiny, policies = scratch / "repository", scratch / "tiny", scratch / "policies"
    make_tree(tree, 1000)
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    make_tiny_violation(tiny)
    policies.mkdir()
    (policies / "unapproved.yaml").write_text(LEFT_POLICY)
    rows: list[str] = []
    for count in (10, 400):
        files = list(islice(unattaching_files(tree), count))
        figures = in_turn(
            {OURS: peers.check(*files, codes=(0,), directory=tree), "pygrep": peers.pygrep(files, (0,), tree)}, runs
        )
        rows += compared(f"{count} files that cannot matter, of 1,000", figures)
    manifests = scratch / "manifests"
    make_manifests(manifests, MANIFESTS)
    files = [str(path.relative_to(manifests)) for path in sorted(manifests.rglob("*.yaml"))]
    figures = in_turn(
        {
            OURS: peers.check(".", codes=(0,), directory=manifests),
            "pygrep": peers.pygrep(files, (0,), manifests),
        },
        runs,
    )
    rows += compared(f"{MANIFESTS:,} Kubernetes manifests with nothing of IAM, the whole tree", figures)
    shutil.rmtree(manifests)
    one = {
        OURS: peers.check(str(tiny), codes=(1,)),
        "c7n-left": peers.left(tiny, policies),
        "checkov": peers.checkov(tiny),
    }
    for cold in (False, True):
        rows += compared(f"one file with a violation, {'cold' if cold else 'warm'}", in_turn(one, runs, cold))
    return rows


def compared(what: str, figures: Mapping[str, Figure]) -> Iterator[str]:
    """One row for each peer, with the ratios of ours to it."""
    ours = figures[OURS]
    for name, figure in figures.items():
        if name != OURS:
            ratio = f"{ours.time / figure.time:.2f} x time, {ours.memory / figure.memory:.2f} x memory"
            yield f"| {what} | {ours} | {name}: {figure} | {ratio} |"


DEFAULT, EVERYTHING = "default list", 'deny: ["*"]'
Points = dict[str, dict[int, Figure]]


def trees(peers: Peers, scratch: Path, sizes: Sequence[int], runs: int, most: Mapping[str, int]) -> Points:
    """The figures of each command for each size, warm and cold; `most` files for the slow peers."""
    points: Points = {}
    policies = scratch / "policies"
    everything = scratch / "everything.yaml"
    everything.write_text('version: 1\ndeny: ["*"]\n')
    for size in sizes:
        tree = scratch / f"tree-{size}"
        make_tree(tree, size)
        files = [str(path.relative_to(tree)) for path in sorted(tree.rglob("*")) if path.is_file()]
        commands = {
            DEFAULT: peers.check(".", codes=(1,), directory=tree),
            EVERYTHING: peers.check("--deny-list", str(everything), ".", codes=(1,), directory=tree),
            "pygrep": peers.pygrep(files, (1,), tree),
        }
        for cold in (False, True):
            for name, figure in in_turn(commands, runs, cold).items():
                points.setdefault(f"{name}, cold" if cold else name, {})[size] = figure
        if size <= most["checkov"]:
            points.setdefault("checkov, cold", {})[size] = in_turn({"": peers.checkov(tree)}, 1, cold=True)[""]
        if size <= most["c7n-left"]:
            points.setdefault("c7n-left, cold", {})[size] = each_root(peers, tree, policies)
        shutil.rmtree(tree)
    return points


def each_root(peers: Peers, tree: Path, policies: Path) -> Figure:
    """One run for each root module: their times together, and the largest memory."""
    total = Figure()
    for root in sorted(tree.glob("*/service-*")):
        command = Command(peers.left(root, policies).arguments, ANY_CODE)
        measured(command, total, cold=True)
    return Figure([sum(total.seconds)], [max(total.mebibytes)])


def growth(peers: Peers, scratch: Path, runs: int) -> list[str]:
    """A row for each shape: what its sizes take, and the time of the last per unit of size against the first."""
    rows = ["| what grows | sizes | time of one, last to first |", "|---|---|---|"]
    for shape in SHAPES:
        cells, each = [], []
        for size in shape.sizes:
            tree = scratch / f"grown-{size}"
            tree.mkdir()
            shape.write(tree, size)
            figure = in_turn({"": peers.check(".", codes=(1,), directory=tree)}, runs)[""]
            cells.append(f"{size:,}: {figure}")
            each.append(figure.time / size)
            shutil.rmtree(tree)
        rows.append(f"| {shape.what} | {'; '.join(cells)} | {each[-1] / each[0]:.2f} |")
    return rows


def named_trees(peers: Peers, named: Mapping[str, Path], scratch: Path, runs: int) -> list[str]:
    """Rows about trees that were fetched, each beside pygrep on the same files and one run of checkov."""
    rows: list[str] = []
    everything = scratch / "deny-everything.yaml"
    everything.write_text('version: 1\ndeny: ["*"]\n')
    for name, tree in named.items():
        wanted = (".tf", ".tofu", ".tfvars", ".yaml", ".yml", ".json", ".template", ".hcl")
        files = [str(path.relative_to(tree)) for path in sorted(tree.rglob("*")) if path.suffix in wanted]
        for options, which in (([], DEFAULT), (["--deny-list", str(everything)], EVERYTHING)):
            commands = {
                OURS: peers.check(*options, ".", codes=(0, 1, 2), directory=tree),
                "pygrep": peers.pygrep(files, ANY_CODE, tree),
            }
            figures = in_turn(commands, runs)
            figures |= in_turn({"checkov": peers.checkov(tree)}, 1, cold=True)
            rows += compared(f"{name}, {len(files):,} files, {which}", figures)
    return rows


def tree_table(points: Points, sizes: Sequence[int]) -> list[str]:
    """A row for each size: time and memory, and for the peers how many times as long as the default list they take."""
    lines = [f"| files | {' | '.join(points)} |", f"|---{'|---' * len(points)}|"]
    for size in sizes:
        cells = []
        for name, figures in points.items():
            figure, ours = figures.get(size), points[DEFAULT if not name.endswith("cold") else f"{DEFAULT}, cold"][size]
            is_peer = name.startswith(("checkov", "c7n-left"))
            times = f" ({figure.time / ours.time:,.0f} x)" if figure and is_peer else ""
            cells.append(f"{figure}{times}" if figure else "not run")
        lines.append(f"| {size:,} | {' | '.join(cells)} |")
    return lines


def draw(points: Points, path: Path) -> None:
    import matplotlib  # type: ignore[import-not-found,unused-ignore]

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot

    figure, (times, memories) = pyplot.subplots(1, 2, figsize=(10, 4))
    for name, figures in points.items():
        style = {"marker": "o", "label": name, "linestyle": "--" if name.endswith("cold") else "-"}
        times.plot(list(figures), [one.time for one in figures.values()], **style)
        memories.plot(list(figures), [one.memory for one in figures.values()], **style)
    for axes, title in ((times, "seconds"), (memories, "MiB at the peak")):
        axes.set(xlabel="files", ylabel=title, xscale="log")
        axes.grid(alpha=0.3)
    times.set_yscale("log")
    memories.set_ylim(bottom=0)
    times.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def page(commit_rows: Sequence[str], table: Sequence[str], grown: Sequence[str], most: Mapping[str, int]) -> str:
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Medians of whole processes, all in one run of `uv run benchmarks/compare.py` on one machine"
            f" ({os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()});"
            " only the ratios carry over to another. Cold means empty temporary, cache and home directories.",
            "",
            "| what | `unapproved-iam check` | peer | ratio |",
            "|---|---|---|---|",
            *commit_rows,
            "",
            f"Whole trees, generated: root modules of {FILES_PER_MODULE} files, of which every third attaches a policy,"
            " and one in a hundred of those a denied one. `pygrep` only searches the files for one name."
            f" checkov (one check) and c7n-left (one policy, one run for each root module) were given trees of up to"
            f" {most['checkov']:,} and {most['c7n-left']:,} files, because larger ones take them minutes to hours.",
            "",
            *table,
            "",
            "![time and memory by number of files](benchmarks.svg)",
            "",
            "What grows in one way, with everything judged. The last column is the time for one at the largest size"
            " beside that at the smallest: 1 is linear, and less is better.",
            "",
            *grown,
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare this command with its peers, as whole processes.")
    parser.add_argument("--sizes", default="100,1000,10000,20000", help="files in the generated trees")
    parser.add_argument("--checkov-up-to", type=int, default=1000, help="largest tree for checkov")
    parser.add_argument("--c7n-left-up-to", type=int, default=100, help="largest tree for c7n-left")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tree", action="append", default=[], metavar="NAME=DIRECTORY", help="a fetched tree as well")
    parser.add_argument("--environments", type=Path, default=PROJECT / ".benchmarks", help="where the peers live")
    parser.add_argument("--docs", type=Path, default=PROJECT / "docs", help="where the table and the plot go")
    arguments = parser.parse_args()
    most = {"checkov": arguments.checkov_up_to, "c7n-left": arguments.c7n_left_up_to}
    peers = Peers(arguments.environments.resolve())
    peers.install()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        commit_rows = commits(peers, scratch, arguments.runs)
        named = {name: Path(path).resolve() for name, _, path in (tree.partition("=") for tree in arguments.tree)}
        commit_rows += named_trees(peers, named, scratch, min(arguments.runs, 3))
        sizes = [int(size) for size in arguments.sizes.split(",")]
        points = trees(peers, scratch, sizes, min(arguments.runs, 3), most)
        grown = growth(peers, scratch, min(arguments.runs, 3))
    text = page(commit_rows, tree_table(points, sizes), grown, most)
    (arguments.docs / "benchmarks.md").write_text(text)
    draw(points, arguments.docs / "benchmarks.svg")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
