//! A mock OpenAI API server, thread per core on raw sockets.
//!
//! # The house
//!
//! The rooms in the order in which a request meets them. Each depends only on those below it in
//! this list, and `http` and `mock` never name each other; the test `tidy` holds the walls.
//!
//! | room | what it is |
//! |---|---|
//! | [`net`] | sockets, threads and clocks: a pinned thread and an event loop for each core |
//! | [`conn`] | one connection without its socket: bytes, time and endings in; bytes, one deadline and a wish out |
//! | [`http`] | HTTP/1.1 as RFC 9110 and 9112 have it |
//! | [`mock`] | what an answer is: routes, the facts of a request body, the verdict, templates |
//! | [`watch`] | what the mock knows of itself and tells: metrics, the verdict, the report, the raw log |
//! | [`settings`] | every setting, once |
//!
//! # The way of a request
//!
//! The reactor reads into the connection's inbox. The head is recognised (a head that came before
//! is compared, not parsed) and becomes a plan: which route, whether it is authorized, how the body
//! is framed. The body streams through `ask`, which keeps the few facts that the answer needs and
//! drops the rest. When the request is complete, `policy` gives a verdict and the mock a reply,
//! which is small. The writer renders it into the outbox, and the reactor writes once for all that
//! was answered. How late that was it tells the core's metrics, of which a thread of its own makes
//! a window and a verdict each second.
//!
//! # Laws of the hot path
//!
//! No allocation once warm, no lock, no formatting, no system calls but wait, read and write.
//! A socket is registered once. An idle connection holds no buffer. Every limit has a name.
//!
//! # Where to add what
//!
//! A setting is a row in [`settings`]. An endpoint is a row in [`mock::route`], a template file
//! and a shape in [`mock::reply`]. A counter is a row in `watch::counters`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

/// A point in time, in nanoseconds since the process started; or a duration.
pub type Nanos = u64;

/// A second.
pub const SECOND: Nanos = 1_000_000_000;

pub mod net;

pub mod conn;

pub mod http;
pub mod mock;

pub mod watch;

pub mod settings;
