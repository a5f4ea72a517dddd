"""A station on a machine's network that is this process: Ethernet frames by QEMU's `-netdev socket,udp=`."""
import ipaddress
import socket
import struct
import threading

MAC = bytes.fromhex("525400b8f001")
BROADCAST = b"\xff" * 6


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def datagram(source, target, ports, payload):
    """An IPv4 packet with a UDP datagram; without UDP's checksum, which may be left out."""
    udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source.packed, target.packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


class Station:
    """
    Answers ARP for `address`, and UDP as `services` say: by port a function that gets the datagram and returns a list
    of answers, each a payload, or a pair of another source address and a payload.
    """

    def __init__(self, address, services):
        self.address = ipaddress.IPv4Address(address)
        self.services = services
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.machine = probe.getsockname()
        self.backend = "socket,udp=127.0.0.1:{},localaddr=127.0.0.1:{}".format(self.wire.getsockname()[1],
                                                                            self.machine[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.wire.close()

    def _serve(self):
        while True:
            try:
                frame = self.wire.recv(2048)
            except OSError:
                return
            if frame[12:14] == b"\x08\x06":
                self._arp(frame)
            elif frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[:6] in (MAC, BROADCAST):
                self._udp(frame[6:12], frame[14:])

    def _send(self, target, kind, payload):
        self.wire.sendto(target + MAC + kind + payload, self.machine)

    def _arp(self, frame):
        if frame[20:22] == b"\0\1" and frame[38:42] == self.address.packed:
            self._send(frame[6:12], b"\x08\x06", frame[14:20] + b"\0\2" + MAC + frame[38:42] + frame[22:32])

    def _udp(self, sender, packet):
        head = (packet[0] & 15) * 4
        source, port = struct.unpack("!HH", packet[head:head + 4])
        client = ipaddress.IPv4Address(packet[12:16])
        bytes_of = packet[head + 8:head + struct.unpack("!H", packet[head + 4:head + 6])[0]]
        for answer in self.services.get(port, lambda data: [])(bytes_of):
            own, payload = answer if isinstance(answer, tuple) else (self.address, answer)
            # Who has no address yet is answered by broadcast (RFC 2131, 4.1).
            nobody = not int(client)
            target = ipaddress.IPv4Address("255.255.255.255") if nobody else client
            self._send(BROADCAST if nobody else sender, b"\x08\x00", datagram(own, target, (port, source), payload))
