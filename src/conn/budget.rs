//! The budget for the held parts of request bodies. A request that announces much costs nothing;
//! one that sends much must wait while others have the memory.

use super::kit::Kit;
use super::{Conn, Stage};
use crate::{Nanos, SECOND};

/// The time after which a connection without memory tries again: thousands may wait at once, and
/// trying costs some microseconds.
const RETRY: Nanos = SECOND / 4;

impl Conn {
    /// Accounts for what the request under way holds.
    pub(super) fn account_held(&mut self, kit: &Kit) {
        if let Stage::Body(request) = &mut self.stage
            && let Some(ask) = &request.ask
        {
            let held = ask.held_bytes();
            if held != request.held {
                kit.held.change(request.held, held);
                request.held = held;
            }
        }
    }

    /// Returns true if the request under way may hold more. Otherwise its connection is not read
    /// until others have released memory, except for one connection of each core: without an
    /// exception, requests that each hold a part could wait for each other without end.
    pub(super) fn may_hold_more(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        let Stage::Body(request) = &mut self.stage else {
            return true;
        };
        let is_within = request.held == 0 || kit.held.bytes() as u64 <= kit.limits.held;
        if is_within || request.is_exempt || !kit.has_exempt {
            if !is_within && !request.is_exempt {
                request.is_exempt = true;
                kit.has_exempt = true;
            }
            self.unstall(kit, now);
            return true;
        }
        self.stall(now + RETRY)
    }

    /// Releases what the request under way holds.
    pub(super) fn release_held(&mut self, kit: &mut Kit) {
        if let Stage::Body(request) = &mut self.stage {
            kit.held.change(request.held, 0);
            request.held = 0;
            if std::mem::take(&mut request.is_exempt) {
                kit.has_exempt = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::text::Words;
    use crate::conn::Wish;
    use crate::scenario::Scenario;
    use crate::settings::Settings;

    const LIMIT: u64 = 64 << 10;

    fn kit() -> Kit {
        let settings = Settings {
            max_held: LIMIT,
            ..Settings::default()
        };
        let words = Words::new(&settings).unwrap();
        let watch = crate::exchange::watch(1, 0);
        Kit::new(Scenario::first(&settings), words, 1, 0, &watch)
    }

    /// A client, and the bytes that its connection has not read.
    struct Client {
        conn: Conn,
        unread: Vec<u8>,
    }

    impl Client {
        /// A client that sends a request with this number of tools, except for its last bytes.
        fn new(kit: &Kit, tools: usize) -> Client {
            let body = format!("{{\"tools\":[{}{{}}]}}", "{},".repeat(tools));
            let head = format!(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            Client {
                conn: Conn::new(kit, 0),
                unread: (head + &body[..body.len() - 2]).into_bytes(),
            }
        }

        /// Serves the connection until it waits, or wants to read and there is nothing to read.
        fn serve(&mut self, kit: &mut Kit, now: Nanos) {
            loop {
                kit.begin_turn();
                match self.conn.wish() {
                    Wish::Again => self.conn.resume(kit, now),
                    Wish::Read if !self.unread.is_empty() => {
                        let space = self.conn.recv_space(kit);
                        let len = space.len().min(self.unread.len());
                        space[..len].copy_from_slice(&self.unread[..len]);
                        self.unread.drain(..len);
                        self.conn.received(len, kit, now);
                    }
                    _ => return,
                }
            }
        }

        fn finish(&mut self, kit: &mut Kit, now: Nanos) {
            self.unread.extend_from_slice(b"]}");
            self.serve(kit, now);
            assert!(self.conn.outgoing().starts_with(b"HTTP/1.1 200"));
        }
    }

    #[test]
    fn requests_wait_for_memory_and_get_it() {
        let mut kit = kit();
        let (mut first, mut second) = (Client::new(&kit, 50_000), Client::new(&kit, 50_000));
        first.serve(&mut kit, 0);
        assert!(first.unread.is_empty(), "one may exceed the limit");
        let held = kit.held.bytes();
        assert!(held as u64 > LIMIT);
        second.serve(&mut kit, 0);
        assert!(second.unread.len() > 100_000);
        assert_eq!(second.conn.wish(), Wish::Wait);
        assert!(
            kit.held.bytes() - held < 300_000,
            "a buffer's worth is held"
        );
        let retry = second.conn.deadline();
        assert_eq!(retry, RETRY);
        second.conn.timeout(&mut kit, retry);
        assert_eq!(second.conn.wish(), Wish::Wait);
        first.finish(&mut kit, retry);
        let retry = second.conn.deadline();
        second.conn.timeout(&mut kit, retry);
        second.serve(&mut kit, retry);
        second.finish(&mut kit, retry);
        assert_eq!(kit.held.bytes(), 0);
    }

    #[test]
    fn a_request_without_held_parts_waits_for_nobody() {
        let mut kit = kit();
        let mut holder = Client::new(&kit, 50_000);
        holder.serve(&mut kit, 0);
        let mut plain = Client::new(&kit, 0);
        let text = String::from_utf8(plain.unread.clone()).unwrap();
        plain.unread = text.replace("tools", "other").into_bytes();
        plain.serve(&mut kit, 0);
        plain.finish(&mut kit, 0);
    }

    #[test]
    fn memory_is_released_however_a_request_ends() {
        let mut kit = kit();
        let ends: [fn(&mut Client, &mut Kit); 4] = [
            |client, kit| client.conn.peer_closed(kit, 0),
            |client, kit| client.conn.timeout(kit, client.conn.deadline()),
            |client, kit| {
                client.unread.extend_from_slice(b"]");
                client.unread[0] = b'!';
                client.serve(kit, 0);
            },
            |_, _| {},
        ];
        for (row, end) in ends.into_iter().enumerate() {
            let mut client = Client::new(&kit, 10_000);
            client.serve(&mut kit, 0);
            assert!(kit.held.bytes() > 0, "row {row}");
            end(&mut client, &mut kit);
            client.conn.release(&mut kit);
            assert_eq!(kit.held.bytes(), 0, "row {row}");
            assert!(!kit.has_exempt, "row {row}");
        }
    }
}
