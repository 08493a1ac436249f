from pathlib import Path

import pytest

from indexer.profiles import BUILT_IN, load_profile
from indexer.profiles.parse import UNMEASURED
from qdrant.errors import UsageError

OFFLINE = load_profile("offline").to_toml()


def changed(tmp_path: Path, old: str, new: str, *, text: str = OFFLINE) -> Path:
    assert old in text
    path = tmp_path / "house.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "kinds", "dims"),
    [
        ("clip", ["open_clip", "wav2vec2", "sentence", "clap"], [768, 768, 768, 512]),
        ("mediafm", ["open_clip", "wav2vec2", "openai", "clap"], [768, 768, 768, 512]),
        ("offline", ["conse", "moonshine", "minilm"], [384, 288, 384]),
    ],
)
def test_the_built_in_profiles_are_whole(name: str, kinds: list[str], dims: list[int]) -> None:
    profile = load_profile(name)
    assert profile.name == name in BUILT_IN
    assert [spec.kind for spec in profile.encoders.values()] == kinds
    spaces = ["video", "audio", "text", "sound"][: len(dims)]
    assert profile.stored_dims == dict(zip(spaces, dims, strict=True))
    assert profile.dims == dict(zip(spaces[:3], dims[:3], strict=True))  # what is fused
    assert set(profile.ranking) == {*spaces, "context", "line"}
    assert all(spec.licence for spec in profile.encoders.values())
    assert profile.text_languages[0] == "en"


def test_only_mediafm_sends_text_away() -> None:
    assert [load_profile(name).endpoint for name in BUILT_IN] == [
        None,
        "https://api.openai.com/v1",
        None,
    ]


def test_a_copy_on_disk_is_the_same_profile(tmp_path: Path) -> None:
    copy = tmp_path / "profile.toml"
    copy.write_text(OFFLINE, encoding="utf-8")
    assert load_profile(copy) == load_profile("offline")
    assert load_profile(str(copy)).version == load_profile("offline").version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("floor = 0.1", "floor = 0.11"),
        ("confidence_floor = 0.24", "confidence_floor = 0.5"),
        ("MIT", "another note"),
        ('languages = ["en"]', 'languages = ["en", "fr"]'),
    ],
)
def test_ranking_and_notes_leave_the_version_alone(tmp_path: Path, old: str, new: str) -> None:
    profile = load_profile(changed(tmp_path, old, new))
    assert profile != load_profile("offline")
    assert profile.version == load_profile("offline").version


def test_another_model_is_another_version(tmp_path: Path) -> None:
    clip = load_profile("clip")
    path = changed(tmp_path, "ViT-B-32-SigLIP2-256", "ViT-B-16-SigLIP2", text=clip.to_toml())
    # The first is the repository, a note; the second is the setting.
    assert load_profile(path).version == clip.version
    path = changed(tmp_path, '"webli"', '"other"', text=clip.to_toml())
    assert load_profile(path).version != clip.version
    assert load_profile(path).version.startswith("clip-")


def test_an_unknown_name_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match=r"no profile 'blip'. There are clip, mediafm, offline"):
        load_profile("blip")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "offline"', 'name = "Off line"', "has a 'name' that is not lower-case"),
        ('name = "offline"', "", "lacks 'name'"),
        ("confidence_floor = 0.24", 'confidence_floor = "high"', "not of type float"),
        ("confidence_floor = 0.24", "confidence_floor = 1.5", "from 0 up to 1"),
        ('kind = "conse"', 'kind = "minilm"', r"\[encoders.video\], has a 'kind' .* open_clip"),
        ("dim = 384", "dim = true", "'dim' that is not of type int"),
        ("dim = 384", "dim = 0", "above 0"),
        ("dim = 384", "dimension = 384", "lacks 'dim'"),
        ("[ranking.text]", "[ranking.texts]", "unknown key 'texts'"),
        ("ceiling = 0.8", "ceiling = 0.05", "floor < ceiling"),
        ("ceiling = 0.8", "ceilings = 0.8", "lacks 'ceiling'"),
        ("half = 5.0", "halves = 5.0", "unknown key 'halves'"),
        ("[encoders.video]", "[encoder.video]", "unknown key 'encoder'"),
        ("[encoders.video]", "[encoders.smell]", "unknown key 'smell'"),
        ('kind = "moonshine"', 'kind = "wav2vec2"', "lacks 'model'"),
        ("[ranking.video]", "extra = 1\n[ranking.video]", "unknown key 'extra'"),
        ("[ranking.video]", "[ranking.video", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_profile(changed(tmp_path, old, new))


def test_a_remote_encoder_needs_its_endpoint_and_no_other_may_have_one(tmp_path: Path) -> None:
    table = (
        '[endpoint]\nurl = "http://127.0.0.1/v1"\napi_key_env = "K"\nusd_per_million_tokens = 1\n'
    )
    with pytest.raises(UsageError, match="no encoder uses"):
        load_profile(changed(tmp_path, "[ranking.video]", table + "[ranking.video]"))
    recipe = load_profile("mediafm").to_toml()
    start, end = recipe.index("[endpoint]"), recipe.index("[ranking.video]")
    with pytest.raises(UsageError, match=r"sends text away and no \[endpoint\]"):
        load_profile(changed(tmp_path, recipe[start:end], "", text=recipe))


def test_a_space_that_is_encoded_must_be_ranked(tmp_path: Path) -> None:
    table = "[ranking.text]\nfloor = 0.2\nceiling = 0.8\n"
    with pytest.raises(UsageError, match=r"has no \[ranking.text\]"):
        load_profile(changed(tmp_path, table, ""))


def without_sound(text: str) -> str:
    start, end = text.index("[encoders.sound]"), text.index("[encoders.text]")
    return text[:start] + text[end:]


def test_sound_that_words_can_name_is_of_the_version_and_not_of_what_is_fused(
    tmp_path: Path,
) -> None:
    clip = load_profile("clip")
    path = tmp_path / "deaf.toml"
    path.write_text(without_sound(clip.to_toml()), encoding="utf-8")
    deaf = load_profile(path)
    assert deaf.dims == clip.dims == deaf.stored_dims
    assert deaf.version != clip.version


def test_sound_that_words_can_name_is_not_enough_alone(tmp_path: Path) -> None:
    text = (
        'name = "ears"\ndescription = ""\nconfidence_floor = 0.1\n'
        '[encoders.sound]\nkind = "clap"\ndim = 16\n[encoders.sound.settings]\nmodel = "m"\n'
        "[ranking.sound]\nfloor = 0.0\nceiling = 1.0\n"
        "[ranking.line]\nfloor = 0.0\nceiling = 1.0\n"
    )
    (tmp_path / "ears.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="names no encoder; give one for video or audio or text"):
        load_profile(tmp_path / "ears.toml")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"bad\.toml cannot be read"):
        load_profile(path)


def test_a_copy_from_before_likeness_means_what_the_built_in_profile_says(tmp_path: Path) -> None:
    recipe = load_profile("offline").to_toml()
    before = recipe[: recipe.index("[likeness.video]")]
    copy = tmp_path / "profile.toml"
    copy.write_text(before)
    assert load_profile(copy).likeness == load_profile("offline").likeness
    copy.write_text(before + "[likeness.audio]\nfloor = 0.1\nceiling = 0.2\n")
    assert load_profile(copy).likeness["audio"].floor == 0.1
    assert load_profile(copy).likeness["video"] == load_profile("offline").likeness["video"]
    other = before.replace('kind = "conse"\ndim = 384', 'kind = "conse"\ndim = 385')
    copy.write_text(other)
    assert load_profile(copy).likeness["video"] == UNMEASURED["video"]
