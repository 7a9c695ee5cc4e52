"""Signed notes: the form of others, our suites in it, and that there is one form only."""

import base64

import pytest

from protocol.crypto import SUITES, generate
from protocol.errors import CallerError
from protocol.signed_note import NoteKey, open_note, sign_note

# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
    "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_of_another_program_is_read() -> None:
    assert open_note(GO_NOTE, NoteKey.from_text(GO_KEY)) == GO_TEXT


@pytest.mark.parametrize("suite", SUITES)
def test_what_was_signed_is_opened_with_the_key_s_text(suite: str) -> None:
    key = generate(suite)
    note = sign_note("a\nb\n", "who/log", key)
    assert open_note(note, NoteKey.from_text(NoteKey("who/log", key.public).to_text())) == "a\nb\n"
    for other in (NoteKey("who/log", generate(suite).public), NoteKey("who/lob", key.public)):
        with pytest.raises(CallerError, match="signature_invalid"):
            open_note(note, other)


def test_no_other_text_passes_for_the_note() -> None:
    key = generate()
    known = NoteKey("log", key.public)
    note = sign_note("first\nsecond\n", "log", key)
    for at in range(len(note)):
        for other in (" ", "A", "\n", "\u00e9", "\udc80"):
            changed = note[:at] + other + note[at + 1 :]
            if changed != note:
                with pytest.raises(CallerError, match="signature_invalid"):
                    open_note(changed, known)
    for changed in (note + "\n", note[:-1], "\n" + note, note.replace("\n", "\r\n"), ""):
        with pytest.raises(CallerError, match="signature_invalid"):
            open_note(changed, known)


def test_the_unused_bits_of_the_base64_are_not_free() -> None:
    key = generate("Ed25519")
    note = sign_note("text\n", "log", key)
    assert note.endswith("=\n")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = alphabet[alphabet.index(note[-3]) ^ 1]
    changed = note[:-3] + twin + "=\n"
    assert base64.b64decode(changed.split(" ")[-1]) == base64.b64decode(note.split(" ")[-1])
    with pytest.raises(CallerError, match="signature_invalid"):
        open_note(changed, NoteKey("log", key.public))


@pytest.mark.parametrize(
    "text", ["", "log", "log+", "log+00000000+", GO_KEY[:-1], GO_KEY.replace("c7", "C7"),
             GO_KEY + " ", GO_KEY.replace("Peter", "Paul"), "log+00000000+/w=="],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        NoteKey.from_text(text)
