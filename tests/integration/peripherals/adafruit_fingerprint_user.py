"""What a user of ``adafruit_fingerprint`` does with a sensor; run in that library's environment.

Prints one JSON object. The finger lies on the glass from the start.
"""

import json
import sys

import adafruit_fingerprint
import serial

SLOT = 7


def enrol(sensor: adafruit_fingerprint.Adafruit_Fingerprint) -> list[int]:
    """Two pictures, one model, one slot; the codes on the way."""
    codes = []
    for buffer in (1, 2):
        codes += [sensor.get_image(), sensor.image_2_tz(buffer)]
    return [*codes, sensor.create_model(), sensor.store_model(SLOT)]


def search(sensor: adafruit_fingerprint.Adafruit_Fingerprint) -> list[int]:
    """Code, slot and score of the finger on the glass, by both searches."""
    sensor.get_image()
    sensor.image_2_tz(1)
    found = [sensor.finger_search(), sensor.finger_id, sensor.confidence]
    return [*found, sensor.finger_fast_search(), sensor.finger_id, sensor.confidence]


def main(port: str) -> dict[str, object]:
    """Everything once."""
    uart = serial.Serial(port, 57_600, timeout=1)
    sensor = adafruit_fingerprint.Adafruit_Fingerprint(uart)
    said: dict[str, object] = {
        "checked": sensor.check_module(), "library": sensor.library_size,
        "missed": search(sensor), "enrolled": enrol(sensor), "found": search(sensor),
    }  # fmt: skip
    sensor.read_templates()
    sensor.count_templates()
    said |= {"slots": sensor.templates, "count": sensor.template_count}
    picture = sensor.get_fpdata("image")
    sensor.load_model(SLOT, 1)
    template = sensor.get_fpdata("char", 1)
    sensor.send_fpdata(template, "char", 2)
    said |= {"picture": len(picture), "template": len(template)}
    said |= {"compared": sensor.compare_templates(), "led": sensor.set_led(3, 2)}
    sensor.soft_reset()
    said["deleted"] = [sensor.delete_model(SLOT), sensor.empty_library()]
    return said


if __name__ == "__main__":
    json.dump(main(sys.argv[1]), sys.stdout)
