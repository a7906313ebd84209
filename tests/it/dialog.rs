//! Dialogs with one connection: input at virtual times and output, without a socket or a clock.
//! Most tests are tables. Only `client` uses the connection directly; `answer` parses its output,
//! except for streams, which `streams` parses.
//!
//! This table lists the requirements of RFC 9112 and RFC 9110 on servers, and the modules that test
//! them. Each row in `heads` and `framing` is named after its section, and is sent in one piece,
//! byte by byte, and in random pieces.
//!
//! | section | requirement | tests |
//! |---|---|---|
//! | 9112 2.2 | line ends are CR LF, a few empty lines before a request, no space before fields | `heads`, `pipelines`, `limits` |
//! | 9112 2.3 | versions 1.0 to 1.9; others 505, malformed ones 400 | `lines` |
//! | 9112 3, 3.1 | the request line's syntax, methods are tokens | `lines`, `routes` |
//! | 9112 3.2 to 3.2.4 | the four forms of targets, their bytes and length; absolute form overrides Host | `lines`, `heads`, `limits` |
//! | 9112 5 to 5.2 | field lines, no space before the colon, no folding | `heads` |
//! | 9112 6.1 | Transfer-Encoding: chunked, once and last, not on 1.0, not with Content-Length | `framing` |
//! | 9112 6.2, 6.3 | Content-Length: one decimal number; framing is the same for every method | `framing`, `chunks` |
//! | 9112 7.1 to 7.1.2 | chunk sizes, extensions, trailers, their bounds | `chunks`, `extensions` |
//! | 9112 8 | an incomplete message is never treated as complete | `endings` |
//! | 9112 9.3, 9.3.2 | persistence, pipelining in order | `persistence`, `pipelines` |
//! | 9112 9.5, 9.6 | timeouts, staged closing, no input is processed after a close | `times`, `endings`, `drains` |
//! | 9110 5.1, 5.5 | names are tokens, values without control bytes | `heads` |
//! | 9110 5.4 | limits on fields, 431 | `limits` |
//! | 9110 5.6.1 | lists with empty elements | `persistence`, `framing`, `heads`, `codings` |
//! | 9110 5.6.7, 6.6.1 | Date, once, IMF-fixdate | `answer`, for every response |
//! | 9110 7.2 | Host: one, well-formed, not empty | `heads` |
//! | 9110 7.6.1 | Connection options in any case and place | `persistence` |
//! | 9110 8.4 | an unsupported coding: 415 | `codings` |
//! | 9110 8.6 | no Content-Length with 204 | `answer`, for every response |
//! | 9110 9.1, 9.3.6, 9.3.8 | other methods 405, CONNECT 501, TRACE reflects nothing | `routes`, `lines` |
//! | 9110 9.3.2 | HEAD: the fields of GET, no content | `routes`, `endings` |
//! | 9110 9.3.7, 10.2.1 | OPTIONS and 405 with Allow | `routes` |
//! | 9110 10.1.1 | 100 (Continue) only on 1.1, if the body is outstanding and will be read; 417 | `expect` |
//! | 9110 15.5.14 | 413, before the body if its length is known | `limits`, `framing` |

pub mod answer;
pub mod client;

mod chances;
mod chat;
mod chunks;
mod codings;
mod counted;
mod credentials;
mod drains;
mod echoes;
mod embeddings;
mod endings;
mod endpoints;
mod errors;
mod expect;
mod extensions;
mod formats;
mod framing;
mod heads;
mod late;
mod limited;
mod limits;
mod lines;
mod memo;
mod others;
mod paces;
mod persistence;
mod pipelines;
mod requests;
mod responses;
mod routes;
mod script;
mod streams;
mod texts;
mod times;
mod tools;
