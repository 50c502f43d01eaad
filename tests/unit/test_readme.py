"""What the README shows is what happens."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
SCRIPT, NETWORK, EXAMPLE = (text for language, text in BLOCKS if language == "python")


@pytest.mark.parametrize(("script", "lines"), [(SCRIPT, 12), (NETWORK, 16)], ids=["population", "network"])
def test_the_scripts_print_what_is_shown(script, lines, tmp_path, capsys):
    assert len([line for line in script.splitlines() if line.strip()]) <= lines
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    runpy.run_path(str(tmp_path / "script.py"))
    after = BLOCKS[BLOCKS.index(("python", script)) + 1]
    assert capsys.readouterr().out == after[1]


def test_the_example_is_the_file_that_the_tests_run():
    assert (ROOT / "docs/examples/my_neuron.py").read_text(encoding="utf-8") == EXAMPLE


def test_the_table_of_scenarios_is_up_to_date():
    command = [sys.executable, str(ROOT / "docs/readme_table.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README)) | {"LICENSE"}))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_ci_runs_the_readme_s_test_command():
    commands = re.findall(r"<!-- test-command -->\n```\n(.*)\n```\n<!-- end -->", README)
    assert len(commands) == 1
    assert "-m pytest" in commands[0]
    assert "README.md" in (ROOT / ".ci/run").read_text(encoding="utf-8")
