"""A client that sends the traffic of a row over raw sockets, bounded in count and in time."""

import contextlib
import re
import selectors
import socket
import struct
import time
from collections import Counter

from .row import CLOSED, NOTHING, STOPPED

# The seconds that responses may continue after the row's time. Then they are cut off.
GRACE = 1.0
# The seconds without progress after which a server is assumed to have stopped reading from held
# connections.
STUCK = 0.3
# The seconds without a byte after which a response that is cut off counts as stopped, not as slow.
STOPPED_AFTER = 0.8
# The bytes of each response that a slow reader reads at a time, and the seconds between reads.
SLOW_BYTES = 4096
SLOW_PAUSE = 0.01
# The longest content of an error response that is kept to read the error's code.
ERROR_MAX = 1 << 16

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
END_OF_CHUNKS = b"\r\n0\r\n\r\n"


class Reader:
    """Counts the responses of one connection and keeps nothing of their content."""

    def __init__(self, bodiless):
        self.bodiless = bodiless
        self.buffer = bytearray()
        self.skip = 0
        self.chunked = self.until_close = self.closes = False
        # The status of the response under way, and of those that are complete.
        self.current = None
        self.statuses = []

    def feed(self, data):
        if self.skip >= len(data):
            self.skip -= len(data)
            if self.skip == 0 and self.current:
                self.finish()
            return
        if self.skip:
            data = data[self.skip :]
            self.skip = 0
            self.finish()
        self.buffer += data
        while self.buffer and self.read():
            pass

    def read(self):
        """Consumes the front of the buffer; returns whether the rest may hold more."""
        if self.until_close:
            self.buffer.clear()
            return False
        if self.chunked:
            end = self.buffer.find(END_OF_CHUNKS)
            if end < 0:
                del self.buffer[: 1 - len(END_OF_CHUNKS)]
                return False
            del self.buffer[: end + len(END_OF_CHUNKS)]
            self.chunked = False
            self.finish()
            return True
        end = self.buffer.find(b"\r\n\r\n") + 4
        return end >= 4 and self.read_head(bytes(self.buffer[:end]))

    def read_head(self, head):
        status = head[9:12].decode("latin-1")
        if status.startswith("1"):
            del self.buffer[: len(head)]
            return True
        fields = head.lower()
        self.current = status
        self.closes = self.closes or b"\r\nconnection: close" in fields
        if b"\r\ntransfer-encoding: chunked" in fields:
            # Keep the end of the head: it precedes the size of the last chunk if that is the
            # only one.
            del self.buffer[: len(head) - 2]
            self.chunked = True
            return True
        length = re.search(rb"\r\ncontent-length: *(\d+)", fields)
        if self.bodiless or status in ("204", "304"):
            length = 0
        elif length is None:
            self.until_close = self.closes = True
            return True
        else:
            length = int(length[1])
        return self.read_content(len(head), length)

    def read_content(self, head, length):
        there = len(self.buffer) - head
        if there < length:
            if self.current >= "400" and length <= ERROR_MAX:
                return False
            self.skip = length - there
            self.buffer.clear()
            return False
        if self.current >= "400":
            code = re.search(rb'"code": ?"([^"]*)"', self.buffer[head : head + length])
            self.current += f" {code[1].decode()}" if code else ""
        del self.buffer[: head + length]
        self.finish()
        return True

    def finish(self):
        self.statuses.append(self.current)
        self.current = None


class Connection:
    """A connection and the requests that it has to send."""

    def __init__(self, client):
        self.client = client
        self.socket = socket.socket()
        if client.row.slow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        self.socket.settimeout(client.patience)
        self.socket.connect(("127.0.0.1", client.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.reader = None
        self.mask = 0
        # The time at which the last bytes arrived.
        self.moved = time.monotonic()

    def begin(self, writes, responses):
        """Starts a batch of requests that will have this number of responses."""
        if self.reader is None:
            self.reader = Reader(writes[0].startswith(b"HEAD ") if writes else False)
        self.writes = [memoryview(data) for data in reversed(writes) if data]
        self.responses = responses
        self.reader.statuses.clear()
        self.write()

    def wants(self):
        """Registers for the events that the connection waits for."""
        mask = WRITE if self.writes else 0
        if not self.client.row.hold and not (self.client.row.slow and not self.writes):
            mask |= READ
        if mask == self.mask:
            return
        selector = self.client.selector
        if self.mask == 0:
            selector.register(self.socket, mask, self)
        elif mask == 0:
            selector.unregister(self.socket)
        else:
            selector.modify(self.socket, mask, self)
        self.mask = mask

    def write(self):
        """Writes once."""
        if self.writes:
            try:
                sent = self.socket.send(self.writes[-1])
            except BlockingIOError:
                sent = 0
            except OSError:
                # A response sent before the server closed the connection can still be read.
                self.writes.clear()
                sent = 0
            self.client.sent += sent
            self.client.progress = self.client.progress or sent > 0
            if self.writes:
                self.writes[-1] = self.writes[-1][sent:]
                if not self.writes[-1]:
                    self.writes.pop()
            if not self.writes and self.client.row.half_close:
                # A server that has reset the connection is noticed when it is read.
                with contextlib.suppress(OSError):
                    self.socket.shutdown(socket.SHUT_WR)
        self.wants()

    def read(self, most=None):
        """Reads once; returns whether the connection stays open."""
        try:
            size = self.socket.recv_into(self.client.space, most or 0)
        except BlockingIOError:
            return True
        except OSError:
            size = 0
        if size == 0:
            return False
        self.client.received += size
        self.moved = time.monotonic()
        self.client.progress = True
        self.reader.feed(self.client.view[:size])
        return True

    def is_done(self):
        return len(self.reader.statuses) >= self.responses and not self.writes

    def close(self, reset=False):
        if self.mask:
            self.client.selector.unregister(self.socket)
            self.mask = 0
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Client:
    """Sends the traffic of one row to a port and counts the responses."""

    def __init__(self, port, row, patience, tick=lambda: None):
        self.port, self.row, self.patience, self.tick = port, row, patience, tick
        self.selector = selectors.DefaultSelector()
        self.space = bytearray(1 << 20)
        self.view = memoryview(self.space)
        self.live = []
        self.sent = self.received = self.begun = self.cut = 0
        # Requests that are over, by their status.
        self.statuses = Counter()
        self.progress = False
        # Set if the server no longer listens, or if no byte moved for too long.
        self.refused = self.stalled = False
        self.data = None

    def next_writes(self):
        """Returns the writes of the next batch."""
        if self.row.varies:
            made = [self.row.make(self.begun + at) for at in range(self.row.depth)]
        else:
            if self.data is None:
                made = self.row.make(0)
                made = [made * self.row.depth] if isinstance(made, bytes) else made
                self.data = made
            made = [self.data]
        self.begun += self.row.depth
        if all(isinstance(data, bytes) for data in made):
            return [b"".join(made)]
        return [write for data in made for write in data]

    def may_begin(self):
        if self.begun >= self.row.count:
            return False
        first = self.begun < self.row.connections * self.row.depth
        return first or time.monotonic() < self.ends

    def run(self):
        """Sends until the row's count or time is reached and all responses have arrived."""
        self.ends = time.monotonic() + self.row.seconds
        try:
            self.fill()
            self.serve()
        except TimeoutError:
            self.stalled = True
        except OSError:
            self.refused = True
        if self.row.hold:
            self.statuses[NOTHING] += len(self.live)
        self.data = None

    def fill(self):
        """Opens connections up to the number in the row."""
        while len(self.live) < self.row.connections and self.may_begin():
            connection = Connection(self)
            writes = self.next_writes()
            silent = writes == [b""] and not self.row.hold
            if silent:
                connection.close()
                self.statuses[NOTHING] += 1
                continue
            self.live.append(connection)
            connection.begin(writes, 0 if self.row.hold else self.row.depth)

    def serve(self):
        moved = ticked = time.monotonic()
        while self.live:
            for key, mask in self.selector.select(SLOW_PAUSE if self.row.slow else 0.05):
                connection = key.data
                if mask & WRITE:
                    connection.write()
                if mask & READ:
                    self.readable(connection)
            if self.row.slow:
                for connection in [it for it in self.live if not it.writes]:
                    self.readable(connection, SLOW_BYTES)
            now = time.monotonic()
            if self.progress:
                self.progress, moved = False, now
            if now - ticked > 0.1:
                self.tick()
                ticked = now
            if self.row.hold:
                sent = not any(connection.writes for connection in self.live)
                if sent or now - moved > STUCK:
                    return
            elif now - moved > self.patience:
                self.stalled = True
                return
            elif now > self.ends + GRACE and self.cut_off():
                return

    def readable(self, connection, most=None):
        goes_on = connection.read(most)
        reader = connection.reader
        if self.row.abandon and (reader.current or reader.statuses):
            self.end(connection, reader.current or reader.statuses[0], reset=True)
        elif not goes_on:
            if reader.until_close and reader.current:
                reader.finish()
            missing = max(connection.responses - len(reader.statuses), 0)
            # A server that rejects a request ignores the requests pipelined after it.
            refused = reader.closes and reader.statuses
            self.end(connection, *reader.statuses, *([] if refused else [CLOSED] * missing))
        elif connection.is_done() or (reader.closes and reader.statuses and not reader.current):
            statuses = list(reader.statuses)
            if self.row.fresh or reader.closes or self.row.half_close or not self.may_begin():
                self.end(connection, *statuses)
            else:
                self.statuses.update(statuses)
                connection.begin(self.next_writes(), self.row.depth)

    def end(self, connection, *statuses, reset=False):
        """Counts the last responses of a connection, and opens the next one."""
        self.statuses.update(statuses)
        connection.close(reset)
        self.live.remove(connection)
        self.fill()

    def cut_off(self):
        """Ends responses that continue beyond the row's time; returns whether none is
        outstanding."""
        begun = [it for it in self.live if it.reader.current or it.reader.statuses]
        for connection in begun:
            if connection.reader.current:
                # With many connections, bytes may have arrived that the client has not read yet.
                connection.read()
            self.statuses.update(connection.reader.statuses)
            if connection.reader.current:
                silent = time.monotonic() - connection.moved
                stopped = not self.row.slow and silent > STOPPED_AFTER
                self.statuses[STOPPED if stopped else connection.reader.current] += 1
                self.cut += not stopped
            connection.close(reset=True)
            self.live.remove(connection)
        return not self.live

    def close(self):
        for connection in self.live:
            connection.close()
        self.live.clear()
        self.selector.close()
