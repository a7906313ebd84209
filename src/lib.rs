//! A mock OpenAI API server with one thread and one event loop per core.
//!
//! The program `mocker` is the usual way to run it. As a library it serves tests and benchmarks
//! within their process: [`Server::start`] starts a server, and dropping its [`Handle`] ends it.
//!
//! The rest of this page is for people who change the server.
//!
//! # Modules
//!
//! They are listed in the order in which a request meets them. Each uses only modules further down;
//! `api` and `http` do not know each other. The test `tidy` enforces both.
//!
//! | module | purpose |
//! |---|---|
//! | [`cli`] | what the program does besides serving |
//! | [`server`] | starts and stops a server: the public interface |
//! | [`net`] | sockets, threads and clocks: a thread and an event loop for each core |
//! | [`conn`] | one connection without its socket: bytes, time and endings go in; bytes, a deadline and the next operation come out |
//! | [`exchange`] | one request and its response, without a connection |
//! | [`scenario`] | the immutable snapshot of everything that is configured, and what is drawn from it |
//! | [`api`] | the APIs as data: routes, request fields, errors, templates, and how they are rendered |
//! | [`watch`] | counters, the verdict, the report, the raw log |
//! | [`http`] | HTTP/1.1 according to RFC 9110 and RFC 9112 |
//! | [`settings`] | the table of settings, and the command line |
//! | [`schema`] | makes a value for a JSON Schema, in small steps |
//! | [`json`] | a JSON scanner, and JSON values in compact trees |
//! | [`status`] | the HTTP statuses that the server sends |
//! | [`meter`] | the units in which work is counted |
//!
//! # The path of a request
//!
//! 1. `net::reactor` polls for readiness. [`net::machine`] gives the connection a turn
//!    ([`net::turn`]), which reads into the connection's inbox ([`http::inbox`]).
//! 2. `conn::receive` reads the head. If it is the same as the last one, comparing it is enough
//!    ([`conn::core`]); otherwise [`http::head`] parses it. `conn::matched` keeps its meaning: the
//!    endpoint ([`api::table`]), the authorization ([`exchange::request`]) and the framing of the
//!    body ([`http::body`]).
//! 3. The body streams through [`exchange::body`], which keeps the facts that the response depends
//!    on ([`api::facts`]) and drops everything else. Each provider has a table of the fields to
//!    read (`api::openai::fields`; [`api::field`] has its types). Of a 50 MB body, only one buffer
//!    is held, plus up to a MiB of each field that describes the response.
//! 4. At the last byte, [`scenario::policy`] decides whether the request succeeds, and draws when
//!    its response is due ([`scenario::Outcome`]). The id and the token counts are drawn once the
//!    content is known, in `exchange::Mock::response`. [`exchange::planner`] then plans the
//!    content from the facts ([`api::content`]). Content for a schema is made in pieces, over as
//!    many turns as it takes.
//! 5. The result is a [`exchange::response::Response`]: shared content, a few numbers, and a cursor
//!    over frames with due times. It is small, since thousands may wait until they are due.
//! 6. `conn::respond` writes it to the outbox ([`conn::outbox`]). [`conn::writer`] writes the head
//!    ([`http::answer`]) and, if the content is short, a copy of the last content of its kind with
//!    other numbers. [`api::render`] renders everything else in pieces: frames that are due, as
//!    far as there is room. Each piece is a chunk, unless the length was known in advance.
//! 7. The turn ends with one write for all responses. [`watch::metrics`] records how late they
//!    left. Once a second, a thread turns the counters into a verdict ([`watch::window`]).
//!
//! # Laws of the hot path
//!
//! * No allocation once warm, no lock, no `format!`, and no system calls except wait, its timer,
//!   read and write (plus accept and close for connections that come and go).
//! * A delay counts from the last byte of its request. Nothing leaves early, and what leaves late
//!   makes nothing else late.
//! * A core spends at most 80,000 units between two polls, whatever it is sent ([`meter`]).
//! * A socket is registered once. A full outbox stops parsing. Pipelined responses leave together.
//! * An idle connection holds no buffer, and a waiting response is a small record.
//! * Every limit has a name, a reason and a test at its edge.
//! * The tokens of connections carry a generation: a stale event or timer never touches a new one.
//! * Each counter has one writer, and lies on the cache lines of its core.
//!
//! `docs/development.md` has a table of what to change for a new setting, route, field or format.

#![forbid(unsafe_code)]
#![cfg_attr(
    any(test, fuzzing),
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::disallowed_macros,
        reason = "tests are no part of the product"
    )
)]
#![deny(missing_docs)]
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the map links to modules that are not public, so that the links are checked"
)]

mod cli;
mod server;

mod net;

mod conn;

mod exchange;

mod scenario;

mod api;

mod http;

mod json;
mod schema;

mod meter;
mod status;

mod watch;

mod settings;

mod time {
    //! The unit of time.

    /// A point in time, in nanoseconds since the server's epoch; or a duration.
    pub type Nanos = u64;

    /// A second.
    pub const SECOND: Nanos = 1_000_000_000;
}

use time::{Nanos, SECOND};

pub use net::StartError;
pub use net::sampler::Console;
pub use net::threads::ServeError;
pub use server::{Handle, Server, ServerOptions};
pub use settings::{ContentMode, ExitAfter, FailOn, Millionths, Pin, Settings};
pub use watch::report::Report;
pub use watch::window::Verdict;

/// The modules, for the program, the tests, the benches and the fuzz targets of this package. They
/// are not part of the interface: anything in them may change with any version.
#[doc(hidden)]
pub mod internals {
    pub use crate::time::{Nanos, SECOND};

    macro_rules! modules {
        ($($name:ident)+) => {
            $(pub mod $name {
                pub use crate::$name::*;
            })+
        };
    }

    modules! { api cli conn exchange http json meter scenario schema settings watch }
    pub mod net {
        pub use crate::net::{machine, turn};
    }
}
