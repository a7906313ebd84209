//! A connection that is served without a socket, for the benches.

use mocker::internals::api::text::Words;
use mocker::internals::conn::core::Core;
use mocker::internals::conn::{Conn, Want};
use mocker::internals::exchange;
use mocker::internals::meter::TURN;
use mocker::internals::scenario::Scenario;
use mocker::internals::settings::Settings;

/// A request like that of an SDK: a head of about 500 bytes and a short prompt.
pub const CHAT: &str = "POST /v1/chat/completions HTTP/1.1\r\n\
    Host: 127.0.0.1:8000\r\n\
    Accept-Encoding: gzip, deflate\r\n\
    Connection: keep-alive\r\n\
    authorization: Bearer bench-key\r\n\
    accept: application/json\r\n\
    content-type: application/json\r\n\
    user-agent: OpenAI/Python 3.54.0\r\n\
    x-stainless-lang: python\r\n\
    x-stainless-package-version: 3.54.0\r\n\
    x-stainless-os: Linux\r\n\
    x-stainless-arch: x64\r\n\
    x-stainless-runtime: CPython\r\n\
    x-stainless-runtime-version: 3.12.1\r\n\
    x-stainless-async: false\r\n\
    x-stainless-retry-count: 0\r\n\
    Content-Length: 70\r\n\
    \r\n\
    {\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";

/// One connection and the state of its core.
pub struct Turn {
    conn: Conn,
    core: Core,
}

impl Turn {
    pub fn new(settings: &Settings) -> Turn {
        let mut core = Core::new(
            Scenario::first(settings),
            Words::new(settings).unwrap(),
            1,
            0,
            &exchange::watch(1, 0),
        );
        core.tick(1_700_000_000);
        let conn = Conn::new(&core);
        Turn { conn, core }
    }

    /// Receives the data of one read, sends everything that follows from it, and returns the number
    /// of bytes sent.
    #[allow(dead_code, reason = "not every bench uses it")]
    pub fn serve(&mut self, input: &[u8]) -> usize {
        self.core.now += 1000;
        self.core.begin_turn();
        self.conn.recv_space(&mut self.core)[..input.len()].copy_from_slice(input);
        self.conn.received(input.len(), &mut self.core);
        let len = self.conn.outgoing().len();
        self.conn.sent(len, &mut self.core);
        len
    }

    /// Receives an input of any length in as many turns as it takes, until everything that follows
    /// was sent. Returns the units that were charged.
    #[allow(dead_code, reason = "not every bench uses it")]
    pub fn serve_all(&mut self, mut input: &[u8]) -> i64 {
        let mut units = 0;
        loop {
            self.core.now += 1000;
            self.core.begin_turn();
            if self.conn.want() == Want::Read && !input.is_empty() {
                let space = self.conn.recv_space(&mut self.core);
                let (piece, rest) = input.split_at(space.len().min(input.len()));
                space[..piece.len()].copy_from_slice(piece);
                input = rest;
                self.conn.received(piece.len(), &mut self.core);
            } else {
                self.conn.advance(&mut self.core);
            }
            let len = self.conn.outgoing().len();
            if len > 0 {
                self.conn.sent(len, &mut self.core);
            }
            units += TURN - self.core.meter.left();
            if input.is_empty() && self.conn.want() == Want::Read {
                return units;
            }
        }
    }
}
