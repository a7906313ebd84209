//! The memory budget for the held parts of request bodies. A large Content-Length alone costs
//! nothing; a request that sends a lot of data waits while others use the memory.

use super::{Conn, Request, Stage, core::Core};
use crate::{Nanos, SECOND};

/// The time after which a connection without memory tries again: thousands may wait at once, and
/// trying costs some microseconds.
const RETRY: Nanos = SECOND / 4;

impl Conn {
    /// Returns true if the request under way may hold more. Otherwise its connection is not read
    /// until others have released memory, except for one connection of each core: without an
    /// exception, requests that each hold a part could wait for each other without end.
    pub(super) fn may_hold_more(&mut self, core: &mut Core) -> bool {
        let Stage::Body(request) = &mut self.stage else {
            return true;
        };
        let is_within = request.held == 0 || core.held.bytes() as u64 <= core.limits.held;
        if !is_within && !request.is_exempt {
            if core.has_exempt {
                return self.stall(RETRY, core);
            }
            request.is_exempt = true;
            core.has_exempt = true;
        }
        self.unstall(core);
        true
    }
}

impl Request {
    /// Accounts for what it holds.
    pub(super) fn account_held(&mut self, core: &Core) {
        let held = self.ask.as_ref().map_or(0, |ask| ask.held_bytes());
        if held != self.held {
            core.held.change(self.held, held);
            self.held = held;
        }
    }

    /// Releases what it holds.
    pub(super) fn release_held(&mut self, core: &mut Core) {
        core.held.change(self.held, 0);
        self.held = 0;
        if std::mem::take(&mut self.is_exempt) {
            core.has_exempt = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::text::Words;
    use crate::conn::Want;
    use crate::scenario::Scenario;
    use crate::settings::Settings;

    const LIMIT: u64 = 64 << 10;

    fn core() -> Core {
        let settings = Settings {
            max_held: LIMIT,
            ..Settings::default()
        };
        let words = Words::new(&settings).unwrap();
        let watch = crate::exchange::watch(1, 0);
        Core::new(Scenario::first(&settings), words, 1, 0, &watch)
    }

    /// A client, and the bytes that its connection has not read.
    struct Client {
        conn: Conn,
        unread: Vec<u8>,
    }

    impl Client {
        /// A client that sends a request with this number of tools, except for its last bytes.
        fn new(core: &Core, tools: usize) -> Client {
            let body = format!("{{\"tools\":[{}{{}}]}}", "{},".repeat(tools));
            let head = format!(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            Client {
                conn: Conn::new(core),
                unread: (head + &body[..body.len() - 2]).into_bytes(),
            }
        }

        /// Serves the connection until it waits, or wants to read and there is nothing to read.
        fn serve(&mut self, core: &mut Core) {
            loop {
                core.begin_turn();
                match self.conn.want() {
                    Want::Again => self.conn.advance(core),
                    Want::Read if !self.unread.is_empty() => {
                        let space = self.conn.recv_space(core);
                        let len = space.len().min(self.unread.len());
                        space[..len].copy_from_slice(&self.unread[..len]);
                        self.unread.drain(..len);
                        self.conn.received(len, core);
                    }
                    _ => return,
                }
            }
        }

        fn finish(&mut self, core: &mut Core) {
            self.unread.extend_from_slice(b"]}");
            self.serve(core);
            assert!(self.conn.outgoing().starts_with(b"HTTP/1.1 200"));
        }
    }

    #[test]
    fn requests_wait_for_memory_and_get_it() {
        let mut core = core();
        let (mut first, mut second) = (Client::new(&core, 50_000), Client::new(&core, 50_000));
        first.serve(&mut core);
        assert!(first.unread.is_empty(), "one may exceed the limit");
        let held = core.held.bytes();
        assert!(held as u64 > LIMIT);
        second.serve(&mut core);
        assert!(second.unread.len() > 100_000);
        assert_eq!(second.conn.want(), Want::Wait);
        assert!(
            core.held.bytes() - held < 300_000,
            "a buffer's worth is held"
        );
        let retry = second.conn.deadline();
        assert_eq!(retry, RETRY);
        core.now = retry;
        second.conn.timeout(&mut core);
        assert_eq!(second.conn.want(), Want::Wait);
        first.finish(&mut core);
        core.now = second.conn.deadline();
        second.conn.timeout(&mut core);
        second.serve(&mut core);
        second.finish(&mut core);
        assert_eq!(core.held.bytes(), 0);
    }

    #[test]
    fn a_request_without_held_parts_waits_for_nobody() {
        let mut core = core();
        let mut holder = Client::new(&core, 50_000);
        holder.serve(&mut core);
        let mut plain = Client::new(&core, 0);
        let text = String::from_utf8(plain.unread.clone()).unwrap();
        plain.unread = text.replace("tools", "other").into_bytes();
        plain.serve(&mut core);
        plain.finish(&mut core);
    }

    #[test]
    fn memory_is_released_however_a_request_ends() {
        let mut core = core();
        let ends: [fn(&mut Client, &mut Core); 4] = [
            |client, core| client.conn.peer_closed(core),
            |client, core| {
                core.now = client.conn.deadline();
                client.conn.timeout(core);
            },
            |client, core| {
                client.unread.extend_from_slice(b"]");
                client.unread[0] = b'!';
                client.serve(core);
            },
            |_, _| {},
        ];
        for (row, end) in ends.into_iter().enumerate() {
            let mut client = Client::new(&core, 10_000);
            client.serve(&mut core);
            assert!(core.held.bytes() > 0, "row {row}");
            end(&mut client, &mut core);
            client.conn.release(&mut core);
            assert_eq!(core.held.bytes(), 0, "row {row}");
            assert!(!core.has_exempt, "row {row}");
        }
    }
}
