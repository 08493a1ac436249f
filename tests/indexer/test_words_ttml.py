import pytest

from indexer.words.cues import Cue
from indexer.words.ttml import NotTimedText, is_ttml, read_ttml, stated_language

NAMESPACES = (
    'xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
    'xmlns:ttm="http://www.w3.org/ns/ttml#metadata"'
)


def document(body: str, *, attributes: str = 'xml:lang="en"', head: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><tt {NAMESPACES} {attributes}>'
        f"<head>{head}</head><body>{body}</body></tt>"
    )


def paragraph(times: str, **attributes: str) -> tuple[float, float]:
    stated = " ".join(f'ttp:{name}="{value}"' for name, value in attributes.items())
    (cue,) = read_ttml(document(f"<div><p {times}>x</p></div>", attributes=stated))
    return round(cue.start_s, 4), round(cue.end_s, 4)


@pytest.mark.parametrize(
    ("times", "attributes", "expected"),
    [
        ('begin="00:00:01.5" end="00:01:00"', {}, (1.5, 60)),
        ('begin="00:00:01" dur="2s"', {}, (1, 3)),
        ('begin="00:00:01" dur="9s" end="00:00:04"', {}, (1, 4)),
        ('begin="1.5s" end="0.05m"', {}, (1.5, 3)),
        ('begin="500ms" end="0.001h"', {}, (0.5, 3.6)),
        ('begin="15f" end="60f"', {}, (0.5, 2)),
        ('begin="24f" end="48f"', {"frameRate": "24", "frameRateMultiplier": "1000 1001"},
         (1.001, 2.002)),
        ('begin="00:00:01:12" end="00:00:02:00"', {"frameRate": "24"}, (1.5, 2)),
        ('begin="90000t" end="135000t"', {"tickRate": "90000"}, (1, 1.5)),
        ('begin="20t" end="40t"', {"frameRate": "20"}, (1, 2)),
        ('begin="01:00:00:00" end="01:00:01:00"',
         {"timeBase": "smpte", "frameRate": "30", "frameRateMultiplier": "1000 1001",
          "dropMode": "nonDrop"}, (3603.6, 3604.601)),
        ('begin="00:10:00:00" end="00:11:00:02"',
         {"timeBase": "smpte", "frameRate": "30", "frameRateMultiplier": "1000 1001",
          "dropMode": "dropNTSC"}, (17982 * 1001 / 30000, 19782 * 1001 / 30000)),
    ],
)  # fmt: skip
def test_times_in_every_notation(
    times: str, attributes: dict[str, str], expected: tuple[float, float]
) -> None:
    start_s, end_s = paragraph(times, **attributes)
    assert (start_s, end_s) == pytest.approx(expected, abs=1e-3)


def test_times_are_offsets_from_the_parents_and_end_with_it() -> None:
    body = (
        '<div begin="10s" end="20s"><p begin="1s" end="2s">one</p><p begin="8s" end="30s">two</p>'
        '<p>three</p></div><div timeContainer="seq"><p dur="2s">four</p><p dur="3s">five</p></div>'
    )
    assert read_ttml(document(body)) == [
        Cue(11, 12, "one"), Cue(18, 20, "two"), Cue(10, 20, "three"),
        Cue(0, 2, "four"), Cue(2, 5, "five"),
    ]  # fmt: skip


def test_spans_breaks_and_entities_are_one_text() -> None:
    body = (
        '<div><p begin="1s" end="2s">\n  Salt &amp;<br/><span tts:color="red" xmlns:tts="t">'
        "bread</span>\n and <metadata>no words</metadata>&#233;clairs</p></div>"
    )
    assert read_ttml(document(body)) == [Cue(1, 2, "Salt & bread and éclairs")]


def test_timed_spans_of_an_untimed_paragraph_are_cues() -> None:
    body = '<p><span begin="1s" end="2s">one</span> <span begin="2s" end="3s">two</span></p>'
    assert read_ttml(document(body)) == [Cue(1, 2, "one"), Cue(2, 3, "two")]


def test_agents_speak_and_roles_tell_sounds() -> None:
    head = (
        '<metadata><ttm:agent xml:id="a" type="person"><ttm:name type="full">Ann Lee</ttm:name>'
        "</ttm:agent></metadata>"
    )
    body = (
        '<div><p begin="1s" end="2s" ttm:agent="a">Hi.</p>'
        '<p begin="2s" end="3s" ttm:role="sound">a door slams</p>'
        '<p begin="3s" end="4s" ttm:role="lyrics">Over the rainbow</p></div>'
    )
    assert read_ttml(document(body, head=head)) == [
        Cue(1, 2, "Hi.", "Ann Lee"),
        Cue(2, 3, "", None, ("a door slams",)),
        Cue(3, 4, "Over the rainbow", None, ("music",)),
    ]


def test_of_two_languages_the_one_asked_for_is_read() -> None:
    body = (
        '<div xml:lang="en"><p begin="1s" end="2s">Hello</p></div>'
        '<div xml:lang="fr-CA"><p begin="1s" end="2s">Bonjour</p></div>'
    )
    text = document(body, attributes='xml:lang="en-GB"')
    assert stated_language(text) == "en-gb"
    assert [cue.text for cue in read_ttml(text, language="fr")] == ["Bonjour"]
    assert [cue.text for cue in read_ttml(text, language="en-gb")] == ["Hello"]
    assert [cue.text for cue in read_ttml(text, language="de")] == ["Hello", "Bonjour"]


BOMB = (
    '<!DOCTYPE tt [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    '<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="1s" end="2s">&b;</p></body></tt>'
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "DOCTYPE"),
        ('<!DOCTYPE tt SYSTEM "file:///etc/passwd"><tt/>', "DOCTYPE"),
        (document("<div>" * 100 + "</div>" * 100), "nested"),
        (document("<div>"), "mismatched tag"),
        ("<html/>", "root"),
        ("", "no element found"),
    ],
)
def test_what_is_no_harmless_ttml_is_refused(text: str, reason: str) -> None:
    with pytest.raises(NotTimedText, match=reason):
        read_ttml(text)


def test_xml_is_ttml_only_where_its_root_is() -> None:
    assert is_ttml(document(""))
    assert is_ttml('<?xml version="1.0"?><!-- made by x --><tt:tt xmlns:tt="t">')
    assert not is_ttml("<title/>")
    assert not is_ttml("<xmeml version='4'/>")
