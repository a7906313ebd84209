//! Dialogs with one connection: bytes in at virtual times, bytes out, no socket and no clock.
//! The tests are tables; `client` alone touches the connection, `answer` alone reads its bytes.

pub mod answer;
pub mod client;

mod chances;
mod chat;
mod chunks;
mod drains;
mod echoes;
mod embeddings;
mod endings;
mod errors;
mod expect;
mod framing;
mod heads;
mod late;
mod limited;
mod limits;
mod memo;
mod persistence;
mod pipelines;
mod requests;
mod responses;
mod routes;
mod script;
mod streams;
mod times;
mod tools;
