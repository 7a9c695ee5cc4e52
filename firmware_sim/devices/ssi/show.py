"""What a person sees and hears of an engine."""

from dataclasses import dataclass

from protocol.framing import ssi
from protocol.framing.ssi import Opcode


@dataclass(slots=True)
class Show:
    """Beeper, LEDs (a mask), aiming pattern and illumination."""

    beeps: int = 0
    leds: int = 0
    is_aiming: bool = False
    is_lit: bool = True

    def obey(self, packet: ssi.Packet) -> bool:
        """Do what the packet says; whether it was one of these orders, and whole."""
        first = packet.data[0] if packet.data else None
        match packet.opcode:
            case Opcode.BEEP if first is not None:
                self.beeps += 1
            case Opcode.LED_ON if first is not None:
                self.leds |= first
            case Opcode.LED_OFF if first is not None:
                self.leds &= ~first
            case Opcode.AIM_ON | Opcode.AIM_OFF:
                self.is_aiming = packet.opcode == Opcode.AIM_ON
            case Opcode.ILLUMINATION_ON | Opcode.ILLUMINATION_OFF:
                self.is_lit = packet.opcode == Opcode.ILLUMINATION_ON
            case _:
                return False
        return True
