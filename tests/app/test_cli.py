import subprocess
import sys

import click
import pytest

from app.cli import main

HEAVY = ("torch", "transformers", "open_clip", "streamlit", "qdrant_client", "qdrant_edge", "av",
         "cv2", "pandas", "onnxruntime", "openai", "scenedetect")  # fmt: skip


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from app.cli import main\n"
        "result = CliRunner().invoke(main, ['--help'])\n"
        "assert result.exit_code == 0 and 'index' in result.output\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    command = main.commands[name]
    assert isinstance(command, click.Command)
    assert command.help is not None
    assert f"Example: trimbin {name}" in command.help
