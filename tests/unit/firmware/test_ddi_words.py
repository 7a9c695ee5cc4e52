"""What is kept of the words in which a device tells how its update went."""

from backend.firmware.ddi import Feedback

CAUSE = "ERROR swupdate_cms_verify.c : Authentication of all signatures failed"
AFTER = (
    "ERROR stream_interface.c : Compatible SW not found",
    "ERROR Image invalid or corrupted",
    "ERROR server_hawkbit.c : No suitable .swu image found",
)
REST = "ERROR server_hawkbit.c : Error processing update chunk"


def told(*details: str, execution: str = "proceeding", finished: str = "none") -> Feedback:
    status = {"execution": execution, "result": {"finished": finished}, "details": list(details)}
    return Feedback.model_validate({"status": status})


def failed(*details: str) -> Feedback:
    return told(*details, execution="closed", finished="failure")


def test_the_cause_stands_first_though_all_errors_come_at_once() -> None:
    words = failed("Installation started", CAUSE, *AFTER, REST).detail
    assert words == " · ".join((CAUSE, AFTER[-1], REST))


def test_the_cause_stands_first_though_the_errors_after_it_come_later() -> None:
    words = told("Downloaded", CAUSE).detail_after("Installing")
    words = told(*AFTER[:2]).detail_after(words)
    assert failed(REST).detail_after(words).startswith(CAUSE)
    assert failed("all is over").detail_after(words).startswith(CAUSE)


def test_an_attempt_that_names_no_error_leaves_those_before_behind() -> None:
    assert told("Downloading").detail_after(CAUSE) == "Downloading"
    assert failed("no room").detail_after("Downloading") == "no room"


def test_words_are_the_last_three_and_without_control_characters() -> None:
    assert told("one", "two", "th\nree", "four").detail == "two · th ree · four"
