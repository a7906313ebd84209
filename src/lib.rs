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
//! | [`schema`] | a value for a JSON Schema, made in small steps |
//! | [`json`] | JSON values that are kept |
//!
//! # The way of a request
//!
//! 1. `net::reactor` looks at readiness, and [`net::machine`] gives the connection its turn
//!    ([`net::turn`]), which reads into the connection's inbox ([`http::inbox`]).
//! 2. `conn::serve` recognises the head: one that came before is compared, not parsed
//!    ([`conn::kit`]), another is read by [`http::head`]. It becomes a plan: which route
//!    ([`mock::route`]), whether it is authorized ([`mock::call`]), how the body is framed
//!    ([`http::body`]).
//! 3. The body streams through [`mock::ask`], which keeps the few facts that the answer needs and
//!    drops the rest, so of 50 MB no more than a buffer is held (and a MiB of each field that says
//!    what the answer must be); `mock::shaper` makes a shape of the facts.
//! 4. When the request is complete, [`mock::policy`] gives a verdict, and [`mock::Mock::reply`] a
//!    reply, which is small. `conn::give` waits until it is due.
//! 5. [`conn::writer`] renders it into the outbox ([`conn::outbox`]): the head by
//!    [`http::answer`], the content by [`mock::book`], or a copy of the last answer of its kind
//!    with other numbers. A stream comes back to `conn::stream` for each of its events, an answer
//!    too long for one piece to `conn::give` for each of its items.
//! 6. The turn writes once for all that was answered, and the core's metrics
//!    ([`watch::metrics`]) are told how late that was. A thread of its own makes a window and a
//!    verdict of them each second ([`watch::window`]).
//!
//! # Laws of the hot path
//!
//! * No allocation once warm, no lock, no `format!`, no system calls but wait, its timer, read and
//!   write (accept and close for connections that come and go).
//! * A delay counts from the last byte of its request; nothing leaves early, and what leaves late
//!   makes nothing else late.
//! * At most 64 answers or 256 KiB of input between two looks at readiness.
//! * A socket is registered once. A full outbox stops parsing. Pipelined answers leave together.
//! * An idle connection holds no buffer, and a waiting answer is a small record, not its bytes.
//! * Every limit has a name, a reason and a test at its edge.
//! * Tokens of connections carry a generation: no stale event or timer touches a new one.
//! * Counters have one writer each and lie on cache lines of their core.
//!
//! # Where to add what
//!
//! | what | where |
//! |---|---|
//! | a setting | a row in [`settings`], and its use; flag, variable, help, documents and completions follow |
//! | an endpoint that gives a JSON document | a row in [`mock::route`] and a file in `mock/templates`; for POST, what of its body counts in `mock::ask::field` |
//! | another form of generated text | a variant of [`mock::route::Api`], its row in `mock::book::form` and its files; what it reads in `mock::ask::field` |
//! | a field of a request | a variant, its name and its refusal in `mock::ask::field`; what it does to the facts in `mock::ask::fields` |
//! | something that goes wrong on purpose | what is drawn: [`mock::call::Treatment`], by [`mock::policy`]; what it does: `conn::give` |
//! | a keyword of JSON Schema | its row in `schema::keyword`; what it demands in `schema::validator`, and how it is met in `schema::array`, `schema::object` or `schema::scalar` |
//! | a format of JSON Schema | a row in `schema::format` |
//! | a counter | a row in `watch::counters`, and where it counts |
//! | a time that is measured | a variant and a row in `watch::times`, and where it is recorded |
//! | a rule of HTTP | a row of the tests in `tests/it/dialog`, and [`http`] |

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

pub mod json;
pub mod schema;

pub mod watch;

pub mod settings;
