"""What is kept of the words in which a device tells how its update went."""

from backend.firmware.ddi import Feedback
from backend.firmware.limits import DETAIL_CHARS_MAX

NOISE = "ERROR state.c : do_get_state : Cannot read stored update state."
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


def test_the_cause_is_kept_though_all_errors_come_at_once() -> None:
    words = failed("Installation started", NOISE, NOISE, CAUSE, *AFTER, REST).detail_after("")
    assert words.startswith(f"{NOISE} · {CAUSE}")
    assert len(words) <= DETAIL_CHARS_MAX


def test_the_cause_is_kept_though_the_errors_after_it_come_later() -> None:
    words = told("Downloaded", NOISE, CAUSE).detail_after("Installing")
    words = told(NOISE, *AFTER[:2]).detail_after(words)
    assert failed(REST).detail_after(words).startswith(f"{NOISE} · {CAUSE}")
    assert failed("all is over").detail_after(words).startswith(f"{NOISE} · {CAUSE}")


def test_the_cause_is_kept_though_the_errors_after_it_come_before_it() -> None:
    """As Debian's ``swupdate`` told them when it was not let run between two of its words."""
    before = told(
        "ERROR core/state.c : do_get_state : 84 : Cannot read stored update state.",
        "ERROR core/stream_interface.c : extract_files : 182 : Compatible SW not found",
    )
    cause = (
        "ERROR corelib/swupdate_cms_verify.c : swupdate_verify_file : 307 : "
        "Authentication of all signatures failed"
    )
    assert cause in failed(cause, "No suitable .swu image found").detail_after(
        before.detail_after("")
    )


def test_what_does_not_fit_whole_is_left_out() -> None:
    long = "ERROR " + "x" * DETAIL_CHARS_MAX
    assert failed(CAUSE, long, REST).detail_after("") == f"{CAUSE} · {REST}"
    assert failed(long).detail_after("") == long[:DETAIL_CHARS_MAX]


def test_errors_stay_in_front_until_the_device_succeeds() -> None:
    assert told("Installing").detail_after(CAUSE) == f"{CAUSE} · Installing"
    again = f"{CAUSE} · Installing"
    assert failed(REST).detail_after(again) == f"{CAUSE} · {REST}"
    done = told("all is well", execution="closed", finished="success")
    assert done.detail_after(again) == "all is well"
    assert failed("no room").detail_after("Downloading") == "no room"


def test_words_are_the_last_three_and_without_control_characters() -> None:
    assert told("one", "two", "th\nree", "four").detail_after("") == "two · th ree · four"
    assert told().detail_after("before") == ""
