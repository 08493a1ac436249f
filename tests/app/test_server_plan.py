"""`trimbin doctor --server-plan`: a number of shots becomes a plan, told with what it rests on."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.server_plan import BASIS, plan_of
from indexer.library import Library
from indexer.publish import library_schema
from qdrant.errors import UsageError
from qdrant.server import collection_name


@pytest.mark.parametrize(
    "told, shots", [("250k", 250_000), ("10M", 10_000_000), ("1.5m", 1_500_000), ("80000", 80_000)]
)
def test_a_number_as_people_write_it(told: str, shots: int) -> None:
    assert plan_of(told, profile="offline").needs.shots == shots


@pytest.mark.parametrize("told", ["", "0", "-1", "10G", "ten", "nan", "1e9", "99999999999M", "²k"])
def test_what_is_no_number_of_shots(told: str) -> None:
    with pytest.raises(UsageError, match="is no number of shots"):
        plan_of(told)


def test_the_collection_is_the_one_that_a_library_of_the_profile_opens(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True, profile="offline")
    made = plan_of("10M", profile="offline").requests[0]
    assert made["request"].endswith(f"/{collection_name(library.version)}")
    sizes = {space: vector["size"] for space, vector in made["body"]["vectors"].items()}
    assert sizes == library_schema(library).dims


def test_text_and_json_say_the_same_and_what_it_rests_on() -> None:
    asked = ["doctor", "--server-plan", "10M", "--profile", "offline"]
    text = CliRunner().invoke(main, asked)
    assert text.exit_code == 0, text.output
    plan = json.loads(CliRunner().invoke(main, [*asked, "--json"]).output)
    assert plan["needs"]["float32"] == 10_000_000 * sum(plan["dims"].values()) * 4
    assert f"{plan['needs']['nodes']} nodes of {plan['needs']['node_gib']} GiB" in text.output
    assert all(sentence in text.output for sentence in BASIS.values())
    assert all(json.dumps(sent["body"]) in text.output for sent in plan["requests"])
