"""What needs Docker is checked by what does not: the files parse and agree with the code."""

import re
from pathlib import Path

import yaml
from click.testing import CliRunner

from app.cli import main
from app.hosting import allowed_hosts

ROOT = Path(__file__).parents[1]


def test_compose_pins_qdrant_and_publishes_on_loopback_only() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(services) == {"qdrant", "app", "indexer"}
    assert re.fullmatch(r"qdrant/qdrant:v\d+\.\d+\.\d+", services["qdrant"]["image"])
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["indexer"]["profiles"]
    assert services["app"]["environment"]["QDRANT_URL"] == "http://qdrant:6333"


def test_the_containers_commands_are_commands() -> None:
    """Each command line of compose and Dockerfile is one that ours understands."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    cmd = re.search(r'^CMD \["(.+)"\]$', dockerfile, re.MULTILINE)
    assert cmd is not None
    for line in (services["indexer"]["command"], cmd[1].split('", "')):
        command = main.commands[line[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        known |= {option for parameter in command.params for option in parameter.secondary_opts}
        assert {word for word in line if word.startswith("--")} <= known


def test_the_page_in_its_container_answers_to_the_address_it_is_published_on() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    cmd = re.search(r'^CMD \["(.+)"\]$', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert cmd is not None
    line = services["app"].get("command", cmd[1].split('", "'))
    host = line[line.index("--host") + 1]
    [port] = services["app"]["ports"]
    assert {port.split(":")[0], "localhost"} <= set(allowed_hosts(host))


def test_the_image_gets_all_that_the_distribution_needs() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "app", "indexer",
                 "qdrant"):  # fmt: skip
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", dockerfile, re.MULTILINE), name


def test_the_readme_names_commands_and_files_that_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in re.findall(r"^trimbin (\w+)", readme, re.MULTILINE):
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0, name
    for path in re.findall(r"`((?:app|indexer|qdrant|docs)/[\w/.]+)`", readme):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([\w/.]+)\)", readme):
        assert (ROOT / path).exists(), path
    assert len(readme.splitlines()) < 200
