"""Pictures, features and templates (R503 manual, fingerprint processing instructions)."""

from firmware_sim.devices.ef01.finger import (
    CAPTURE_QUALITY_MIN,
    MARKS_MAX,
    MARKS_MIN,
    Marks,
    decode_template,
    encode_template,
    marks_in,
    picture_of,
    score,
)
from firmware_sim.devices.ef01.state import Answer, Download, State
from protocol.framing.ef01 import Confirmation

_MERGE_SECURITY = 1


def get_image(state: State, _: bytes) -> Answer:
    """01h: take a picture of what lies on the glass."""
    return capture(state), b""


def get_image_ex(state: State, _: bytes) -> Answer:
    """28h: as 01h, but a picture with too little on it is refused at once."""
    code = capture(state)
    if code is Confirmation.OK and state.now.picture is not None:
        few = len(marks_in(state.now.picture, state.profile)) < MARKS_MIN
        code = Confirmation.FEW_FEATURES if few else code
    return code, b""


def capture(state: State) -> Confirmation:
    """Take a picture into the image buffer; a failure leaves the buffer as it was."""
    if state.is_glass_broken:
        return Confirmation.CAPTURE_FAILED
    if state.touch is None:
        return Confirmation.NO_FINGER
    if state.touch.quality < CAPTURE_QUALITY_MIN:
        return Confirmation.CAPTURE_FAILED
    state.now.picture = picture_of(state.touch, state.profile)
    return Confirmation.OK


def img2tz(state: State, arguments: bytes) -> Answer:
    """02h: make the picture's features, into a character buffer."""
    return extract(state, arguments[0]), b""


def extract(state: State, buffer: int) -> Confirmation:
    """The picture's features into a buffer; too many marks are dirt, too few are no finger."""
    if not has_buffer(state, buffer):
        return Confirmation.RECEIVE_ERROR
    if state.now.picture is None:
        return Confirmation.NO_IMAGE
    marks = marks_in(state.now.picture, state.profile)
    if len(marks) > MARKS_MAX:
        return Confirmation.MESSY
    if len(marks) < MARKS_MIN:
        return Confirmation.FEW_FEATURES
    state.now.buffers[buffer] = encode_template(marks, state.profile)
    state.now.fresh.add(buffer)
    return Confirmation.OK


def has_buffer(state: State, buffer: int) -> bool:
    """Whether the sensor has a character buffer of this number."""
    return 1 <= buffer <= state.profile.buffers


def match(state: State, _: bytes) -> Answer:
    """03h: compare the first two character buffers."""
    one, two = state.now.buffers.get(1), state.now.buffers.get(2)
    found = score(one, two, state.flash.security) if one and two else 0
    state.now.has_passed = found > 0
    code = Confirmation.OK if found else Confirmation.NO_MATCH
    return code, found.to_bytes(2, "big")


def reg_model(state: State, _: bytes) -> Answer:
    """05h: merge the touches in the buffers into one template, which then lies in all of them."""
    return merge(state), b""


def merge(state: State) -> Confirmation:
    """One template of the first two buffers and of those filled by touches since the last one."""
    used = sorted({1, 2} | state.now.fresh)
    state.now.fresh.clear()
    touches = [state.now.buffers[buffer] for buffer in used if buffer in state.now.buffers]
    if len(touches) < len(used):
        return Confirmation.MERGE_MISMATCH
    if not all(score(touches[0], other, _MERGE_SECURITY) for other in touches):
        return Confirmation.MERGE_MISMATCH
    marks: Marks = frozenset().union(*map(decode_template, touches))
    state.now.buffers |= dict.fromkeys(used, encode_template(marks, state.profile))
    return Confirmation.OK


def up_char(state: State, arguments: bytes) -> Answer:
    """08h: a character buffer follows in data packets."""
    content = state.now.buffers.get(arguments[0])
    if content is None:
        return Confirmation.UPLOAD_FAILED, b""
    state.now.upload = content
    return Confirmation.OK, b""


def down_char(state: State, arguments: bytes) -> Answer:
    """09h: data packets will fill a character buffer."""
    if not has_buffer(state, arguments[0]):
        return Confirmation.DATA_REFUSED, b""
    state.now.download = Download(arguments[0], state.profile.template_bytes)
    return Confirmation.OK, b""


def up_image(state: State, _: bytes) -> Answer:
    """0Ah: the picture follows in data packets."""
    if state.now.picture is None:
        return Confirmation.IMAGE_UPLOAD_FAILED, b""
    state.now.upload = state.now.picture
    return Confirmation.OK, b""


def down_image(state: State, _: bytes) -> Answer:
    """0Bh: data packets will fill the image buffer."""
    state.now.download = Download(0, state.profile.image_bytes)
    return Confirmation.OK, b""


def finish_download(state: State, download: Download) -> None:
    """The last data packet is in: what came counts. Half a picture shows half a finger."""
    content = bytes(download.data)
    if download.buffer:
        state.now.buffers[download.buffer] = content.ljust(download.wanted_bytes, b"\x00")
    else:
        state.now.picture = content.ljust(download.wanted_bytes, b"\xff")
