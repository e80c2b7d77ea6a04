"""What an image is, read from its bytes; and what becomes of one that is too large."""

from __future__ import annotations

import builtins
import io
import struct
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.ImageOps
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.chat.attached_files import (
    AttachedImage,
    AttachedText,
    AttachError,
    message_files,
    read_file,
)
from chatglass.chat.attachments import prompt_content
from chatglass.chat.image_fitting import LONGEST_SIDE, MOST_SENT, CantBeSent, fitted
from chatglass.chat.messages import to_wire
from chatglass.models.estimates import IMAGE_TOKENS, estimate_content, image_tokens
from chatglass.store.records import MessageRow
from chatglass.values.images import Image, ImageFacts, facts_of_url, image_of, image_of_url, look_at
from images.pictures import picture

KINDS = ("png", "jpeg", "gif", "webp")


@pytest.mark.parametrize("kind", KINDS)
def test_kind_and_size_are_read_from_the_content(kind: str, tmp_path: Path) -> None:
    data = picture(kind, 123, 45)
    path = tmp_path / "misnamed.txt"
    path.write_bytes(data)
    file = read_file(path, "misnamed.txt")
    assert isinstance(file, AttachedImage)
    facts = file.image.facts
    assert (facts.kind, facts.width, facts.height, facts.size) == (kind, 123, 45, len(data))
    assert file.image.data == data


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"exif": b"x"}])
def test_the_three_forms_of_webp(options: dict[str, Any]) -> None:
    file = io.BytesIO()
    PIL.Image.new("RGBA", (77, 55), (1, 2, 3, 120)).save(file, "webp", **options)
    facts = look_at(file.getvalue())
    assert facts is not None
    assert (facts.width, facts.height) == (77, 55)


@given(st.sampled_from(KINDS), st.integers(0, 60), st.binary(max_size=40))
def test_a_torn_file_never_breaks_the_reader(kind: str, kept: int, rest: bytes) -> None:
    look_at(picture(kind)[:kept] + rest)


def test_a_name_makes_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("only text")
    (tmp_path / "b.png").write_bytes(b"\x89PNG but not\x00")
    assert read_file(tmp_path / "a.png", "a.png") == AttachedText("a.png", "only text")
    with pytest.raises(AttachError, match=r"neither text nor a PNG"):
        read_file(tmp_path / "b.png", "b.png")


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_large_image_is_scaled_down(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(picture(kind, 4_000, 1_000))
    file = read_file(tmp_path / "a", "a")
    assert isinstance(file, AttachedImage)
    facts = file.image.facts
    assert (facts.kind, facts.width, facts.height) == (kind, LONGEST_SIDE, LONGEST_SIDE // 4)


@pytest.mark.parametrize("side", [400, 2 * LONGEST_SIDE])
def test_a_photo_that_was_held_sideways_is_sent_upright(side: int, tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    made = PIL.Image.new("RGB", (side, side // 2), "white")
    made.paste("red", (0, 0, side // 4, side // 4))
    made.save(tmp_path / "a.jpg", exif=exif)
    file = read_file(tmp_path / "a.jpg", "a.jpg")
    assert isinstance(file, AttachedImage)
    facts = file.image.facts
    assert facts.width < facts.height
    with PIL.Image.open(io.BytesIO(file.image.data)) as sent:
        assert sent.getexif().get(0x0112, 1) == 1
        pixel = sent.convert("RGB").getpixel((facts.width - 5, 5))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
    assert pixel[1] < 60, "the red corner is on the right"


@pytest.mark.parametrize("orientation", range(10))
def test_it_is_turned_whatever_its_other_tags_are(orientation: int, tmp_path: Path) -> None:
    resolution_in_words = struct.pack("<HHI4s", 0x011A, 2, 4, b"abc")
    tags = struct.pack("<HHIHxx", 0x0112, 3, 1, orientation) + resolution_in_words
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + tags + bytes(4)
    made = PIL.Image.frombytes("L", (3, 2), bytes(range(0, 240, 40)))
    made.save(tmp_path / "a.png", exif=exif)
    expected = made.copy()
    if orientation:
        upright_tag = PIL.Image.Exif()
        upright_tag[0x0112] = orientation
        expected.info["exif"] = upright_tag.tobytes()
        expected = PIL.ImageOps.exif_transpose(expected)
    file = read_file(tmp_path / "a.png", "a.png")
    assert isinstance(file, AttachedImage)
    with PIL.Image.open(io.BytesIO(file.image.data)) as sent:
        assert (sent.size, sent.tobytes()) == (expected.size, expected.tobytes())
        if orientation in range(2, 9):
            assert not sent.getexif()


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_refused(kind: str, tmp_path: Path) -> None:
    data = picture(kind, 90, 90, noise=True)
    (tmp_path / "a").write_bytes(data[: len(data) // 3])
    with pytest.raises(AttachError, match=r"a is damaged, or no image after all: .*\.$"):
        read_file(tmp_path / "a", "a")


def test_what_stays_too_large_as_png_becomes_jpeg(tmp_path: Path) -> None:
    data = picture("png", 2_000, 1_500, noise=True)
    assert len(data) > MOST_SENT
    (tmp_path / "a.png").write_bytes(data)
    file = read_file(tmp_path / "a.png", "a.png")
    assert isinstance(file, AttachedImage)
    assert file.image.facts.kind == "jpeg"
    assert file.image.facts.size <= MOST_SENT


def test_without_pillow_a_large_one_is_refused_and_a_wide_one_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.endswith("image_scaling"):
            raise ImportError(name)
        return real(name, *rest, **options)

    (tmp_path / "wide.png").write_bytes(picture("png", 4_000, 10))
    (tmp_path / "large.png").write_bytes(picture("png", 2_000, 1_500, noise=True))
    monkeypatch.setattr(builtins, "__import__", without)
    wide = read_file(tmp_path / "wide.png", "wide.png")
    assert isinstance(wide, AttachedImage)
    assert wide.image.facts.width == 4_000
    with pytest.raises(AttachError, match=r"chatglass\[images\]"):
        read_file(tmp_path / "large.png", "large.png")


def test_a_part_goes_there_and_back() -> None:
    image = image_of(picture())
    assert image is not None
    file = AttachedImage("shot.png", image)
    content = prompt_content("look", [file.content(), AttachedText("a.txt", "text").content()])
    row = MessageRow(
        id="m",
        session_id="s",
        parent_id=None,
        turn_id="t",
        role="user",
        content=content,
        created_at=0,
        content_is_json=True,
    )
    assert message_files(row) == (file, AttachedText("a.txt", "text\n"))
    sent = to_wire(row)["content"][1]
    assert sent == {"type": "image_url", "image_url": {"url": image.data_url}}
    assert image_of_url(image.data_url) == image
    assert facts_of_url(image.data_url) == image.facts
    assert str(image.facts).startswith("PNG, 40×30, ")


@pytest.mark.parametrize(
    "url", ["https://x.org/a.png", "data:image/png;base64,!!!", "data:text/x,a"]
)
def test_other_urls_are_no_image(url: str) -> None:
    assert facts_of_url(url) is None
    assert image_of_url(url) is None


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [(1024, 1024, 765), (2048, 4096, 1105), (512, 512, 255), (10, 10, 255)],
)
def test_tokens_by_the_published_formula(width: int, height: int, tokens: int) -> None:
    """The first two are OpenAI's own examples (platform.openai.com/docs/guides/images-vision)."""
    assert image_tokens(width, height) == tokens


def test_an_image_elsewhere_counts_as_an_average_one() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}}
    assert estimate_content([part]) == IMAGE_TOKENS


@pytest.mark.parametrize(("width", "height"), [(1, 70_000), (70_000, 1), (10_000, 9_000)])
def test_what_would_unpack_to_gigabytes_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(CantBeSent, match="scale it down"):
        fitted(Image(ImageFacts("png", width, height, 100), b""))
