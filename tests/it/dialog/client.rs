//! A client on virtual time. It passes bytes to one connection in arbitrary pieces, takes its
//! output as fast or as slowly as a test requires, and serves the connection like the reactor.

use std::fmt::Write as _;

use fastrand::Rng;
use mocker::internals::Nanos;
use mocker::internals::api::text::Words;
use mocker::internals::conn::core::Core;
use mocker::internals::conn::{Conn, Want};
use mocker::internals::exchange;
use mocker::internals::scenario::Scenario;
use mocker::internals::settings::Settings;

use super::answer::{self, Answer};
pub use super::requests::{chat, chunked, embeddings, post, request};

/// The default time of the wall clock: the example in RFC 9110, section 5.6.7.
pub const UNIX: i64 = 784_111_777;
pub const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// The uptime of the process when the connection is opened.
pub const START: Nanos = 5_000_000_000_000;
pub const MILLI: Nanos = 1_000_000;

/// A request that always succeeds, for checking whether a connection still serves requests.
pub const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: mocker\r\n\r\n";

/// The number of bytes of output that a client takes at a time.
const ALL: usize = usize::MAX;

/// The state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Open,
    /// The server's sending side is closed; input is still read and discarded.
    Lingering,
    Closed,
}

pub struct Client {
    pub core: Core,
    conn: Conn,
    pub end: End,
    /// The output that the test has not retrieved yet.
    pub out: Vec<u8>,
    /// The largest number of bytes that waited to be sent.
    pub most_waiting: usize,
    sip: usize,
    /// The input that the connection has not read yet, and whether it is the last.
    unread: Vec<u8>,
    sent_all: bool,
    date: String,
}

impl Client {
    pub fn new(settings: &Settings) -> Client {
        let mut core = Core::new(
            Scenario::first(settings),
            Words::new(settings).unwrap(),
            7,
            0,
            &exchange::watch(1, 0),
        );
        core.tick(UNIX);
        core.now = START;
        Client {
            conn: Conn::new(&core),
            core,
            end: End::Open,
            out: Vec::new(),
            most_waiting: 0,
            sip: ALL,
            unread: Vec::new(),
            sent_all: false,
            date: DATE.into(),
        }
    }

    /// Creates a client of a server with default settings.
    pub fn plain() -> Client {
        Client::new(&Settings::default())
    }

    /// Opens a new connection to the same core.
    pub fn reconnect(&mut self) {
        self.conn.release(&mut self.core);
        self.conn = Conn::new(&self.core);
        self.end = End::Open;
        self.unread.clear();
        self.sent_all = false;
    }

    /// Sets the wall clock.
    pub fn tick(&mut self, unix: i64, date: &str) {
        self.core.tick(unix);
        self.date = date.into();
    }

    /// Sets the number of bytes that the client takes at a time; with 0 it reads nothing.
    pub fn takes(&mut self, bytes: usize) {
        self.sip = bytes;
        self.serve();
    }

    /// Sends bytes in as few pieces as the connection permits.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.send_cut(bytes.as_ref(), &mut Cut::Whole);
    }

    /// Sends bytes in pieces. As on a socket, bytes sent to a closed connection are lost.
    pub fn send_cut(&mut self, bytes: &[u8], cut: &mut Cut) {
        let mut rest = bytes;
        while !rest.is_empty() && self.end != End::Closed {
            let len = cut.next(rest.len());
            let (piece, tail) = rest.split_at(len);
            self.send_piece(piece);
            rest = tail;
        }
    }

    fn send_piece(&mut self, piece: &[u8]) {
        let read = match self.unread.is_empty() {
            true => self.read(piece),
            false => 0,
        };
        if self.end != End::Closed {
            self.unread.extend_from_slice(&piece[read..]);
        }
    }

    /// Reads for as long as the connection wants to. Returns the number of bytes.
    fn read(&mut self, bytes: &[u8]) -> usize {
        let mut read = 0;
        while read < bytes.len() && self.end != End::Closed && self.want() != Want::Wait {
            read += self.receive(&bytes[read..]);
            self.serve_once();
        }
        read
    }

    /// Performs one read of the reactor, limited by the available space.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        assert!(
            self.conn.outgoing().is_empty(),
            "the reactor does not read while there is something to write"
        );
        let space = self.conn.recv_space(&mut self.core);
        assert!(!space.is_empty(), "a connection that reads has space");
        let len = bytes.len().min(space.len());
        space[..len].copy_from_slice(&bytes[..len]);
        self.conn.received(len, &mut self.core);
        self.look();
        len
    }

    /// Takes output and serves the connection, until it waits for the client.
    pub fn serve(&mut self) {
        self.serve_once();
        if self.conn.outgoing().is_empty() && !self.unread.is_empty() {
            let mut unread = std::mem::take(&mut self.unread);
            let read = self.read(&unread);
            unread.drain(..read);
            self.unread = unread;
        }
        let reads = self.conn.outgoing().is_empty() && self.want() != Want::Wait;
        if self.sent_all && self.unread.is_empty() && reads && self.end != End::Closed {
            self.sent_all = false;
            self.conn.peer_closed(&mut self.core);
            self.serve();
        }
    }

    /// Like [`Client::serve`], but without reading any more input.
    fn serve_once(&mut self) {
        loop {
            self.look();
            if !self.conn.outgoing().is_empty() {
                if self.sip == 0 {
                    return;
                }
                self.take(self.sip);
                continue;
            }
            match self.conn.want() {
                Want::Read | Want::Wait => return,
                Want::Again => self.resume(),
                Want::ShutDown => {
                    self.conn.shut_down(&self.core);
                    self.end = End::Lingering;
                }
                Want::Close => {
                    self.end = End::Closed;
                    return;
                }
            }
        }
    }

    /// Takes a limited number of bytes of the waiting output.
    pub fn take(&mut self, most: usize) {
        let waiting = self.conn.outgoing();
        let len = waiting.len().min(most);
        self.out.extend_from_slice(&waiting[..len]);
        // Room in the socket is found by a poll.
        self.core.begin_turn();
        self.conn.sent(len, &mut self.core);
        self.look();
    }

    /// Continues this connection, like the reactor after polling.
    pub fn resume(&mut self) {
        self.core.begin_turn();
        self.conn.advance(&mut self.core);
    }

    fn look(&mut self) {
        self.most_waiting = self.most_waiting.max(self.conn.outgoing().len());
    }

    /// Returns the number of bytes that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.conn.outgoing().len()
    }

    pub fn want(&self) -> Want {
        self.conn.want()
    }

    /// Returns the connection's deadline, counted from its start.
    pub fn deadline(&self) -> Nanos {
        self.conn.deadline() - START
    }

    /// Closes the client's sending side, which the connection sees after reading the remaining
    /// input.
    pub fn end_sending(&mut self) {
        self.sent_all = true;
        self.serve();
    }

    /// Begins the shutdown of the server.
    pub fn drain(&mut self) {
        self.core.draining = true;
        self.conn.drain(&self.core);
        self.serve();
    }

    /// Advances the time; deadlines fire exactly when they are due.
    pub fn pass(&mut self, time: Nanos) {
        let until = self.core.now + time;
        while self.end != End::Closed && self.conn.deadline() <= until {
            self.core.now = self.core.now.max(self.conn.deadline());
            self.conn.timeout(&mut self.core);
            self.serve();
        }
        self.core.now = until;
    }

    /// Advances the time as if the loop overslept: it wakes only once, at the end.
    pub fn oversleep(&mut self, time: Nanos) {
        self.core.now += time;
        self.conn.timeout(&mut self.core);
        self.serve();
    }

    /// Returns the responses since the last call, none of which is to HEAD.
    pub fn answers(&mut self) -> Vec<Answer> {
        self.answers_with_heads(&[])
    }

    /// Returns the responses since the last call; those at the given indexes are to HEAD.
    pub fn answers_with_heads(&mut self, heads: &[usize]) -> Vec<Answer> {
        let out = std::mem::take(&mut self.out);
        answer::read_all(&out, &self.date, heads)
    }

    /// Returns the statuses of the responses since the last call, including each 100 (Continue),
    /// without checking anything else.
    pub fn came(&mut self) -> Vec<u16> {
        let text = String::from_utf8(std::mem::take(&mut self.out)).expect("it is UTF-8");
        let starts = text.split("HTTP/1.1 ").skip(1);
        let status = |start: &str| start[..3].parse().expect("a status");
        starts.map(status).collect()
    }

    /// Sends one request and returns its response.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        let mut answers = self.answers();
        assert_eq!(answers.len(), 1, "one request has one answer");
        answers.remove(0)
    }
}

/// The division of input into pieces.
#[derive(Clone, Debug)]
pub enum Cut {
    Whole,
    Bytes,
    Random(Rng),
}

impl Cut {
    pub fn next(&mut self, left: usize) -> usize {
        match self {
            Cut::Whole => left,
            Cut::Bytes => 1,
            // Short pieces cut lines and numbers, long ones cut requests.
            Cut::Random(rng) => {
                let most = if rng.bool() { 9 } else { 900 };
                rng.usize(1..=most).min(left)
            }
        }
    }

    fn sip(&mut self) -> usize {
        match self {
            Cut::Whole => ALL,
            Cut::Bytes => 7,
            Cut::Random(rng) => rng.usize(1..5000),
        }
    }
}

/// The result of a dialog: the responses, and whether the server closed the connection first.
#[derive(Debug)]
pub struct Outcome {
    pub answers: Vec<Answer>,
    pub ended: bool,
}

impl Outcome {
    /// Returns the statuses in order.
    pub fn statuses(&self) -> Vec<u16> {
        self.answers.iter().map(|answer| answer.status).collect()
    }
}

/// Sends `bytes` in one piece, byte by byte and in random pieces, each time to a new server, and
/// asserts that the results are equal except for ids and token counts.
pub fn in_every_cut(name: &str, settings: &Settings, bytes: &[u8]) -> Outcome {
    in_every_cut_with_heads(name, settings, bytes, &[])
}

/// Like [`in_every_cut`], where the responses at the given indexes are to HEAD.
pub fn in_every_cut_with_heads(
    name: &str,
    settings: &Settings,
    bytes: &[u8],
    heads: &[usize],
) -> Outcome {
    let seed = std::env::var("DIALOG_SEED").map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("DIALOG_SEED is a number"),
    );
    let whole = dialog(settings, bytes, Cut::Whole);
    let cuts = [0, 1, 2].map(|more| Cut::Random(Rng::with_seed(seed ^ more)));
    for cut in [Cut::Bytes].into_iter().chain(cuts) {
        let shown = format!("{cut:?}");
        let other = dialog(settings, bytes, cut);
        let same = without_numbers(&whole.0) == without_numbers(&other.0) && whole.1 == other.1;
        assert!(same, "{}", {
            let mut text = format!("{name}: another result when cut, DIALOG_SEED={seed} ({shown})");
            for (cut, (out, ended)) in [("whole", &whole), ("cut", &other)] {
                let start = &out[..out.len().min(2000)];
                write!(text, "\n{cut}, ended {ended}: {}", start.escape_ascii()).unwrap();
            }
            text
        });
    }
    let (out, ended) = whole;
    let answers = answer::read_all(&out, DATE, heads);
    Outcome { answers, ended }
}

/// Runs one dialog. Returns the output, and whether the connection closed on its own.
fn dialog(settings: &Settings, bytes: &[u8], mut cut: Cut) -> (Vec<u8>, bool) {
    let mut client = Client::new(settings);
    client.sip = cut.sip();
    client.send_cut(bytes, &mut cut);
    let ended = client.end != End::Open;
    client.end_sending();
    assert_eq!(client.end, End::Closed, "a half-closed client is let go");
    (client.out, ended)
}

/// Replaces every id and every token count in responses with a constant.
pub fn without_numbers(out: &[u8]) -> Vec<u8> {
    let mut plain = out.to_vec();
    let mut at = 0;
    while at < plain.len() {
        let (digits, is_digit): (usize, fn(&u8) -> bool) = match &plain[..at] {
            before if before.ends_with(b"mock") => (16, u8::is_ascii_hexdigit),
            before if before.ends_with(b"_tokens\":") => (10, u8::is_ascii_digit),
            _ => (0, |_| false),
        };
        let run = plain[at..].iter().take_while(|byte| is_digit(byte)).count();
        plain[at..at + run.min(digits)].fill(b'#');
        at += run.min(digits).max(1);
    }
    plain
}
