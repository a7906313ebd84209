//! The header fields of an answer that are the mock's own. Knows no content.

use std::io::Write;

use super::Book;
use crate::mock::number::{Note, noted};
use crate::mock::reply::{Reply, Shape};
use crate::mock::route::{Endpoint, View};
use crate::mock::template::Slot;

impl Book {
    /// Appends the header fields that are the mock's own.
    pub fn fields(&self, reply: &Reply, out: &mut Vec<u8>, notes: &mut Vec<Note>) {
        match &*reply.shape {
            Shape::Allowed(_) => {}
            _ if reply.streams().is_some() => out.extend_from_slice(
                b"Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n",
            ),
            Shape::View(View::Page) => write!(
                out,
                "Content-Type: text/html; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
                 Content-Security-Policy: {}\r\n",
                self.page_policy
            )
            .expect("a Vec takes all"),
            Shape::View(view) => out.extend_from_slice(match view {
                View::Metrics => b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
                      Cache-Control: no-store\r\n"
                    .as_slice(),
                _ => b"Content-Type: application/json\r\nCache-Control: no-store\r\n",
            }),
            _ => out.extend_from_slice(b"Content-Type: application/json\r\n"),
        }
        if let Some(methods) = reply.shape.allow() {
            write!(out, "Allow: {}\r\n", methods.allow()).expect("a Vec takes all");
        }
        if self.cors {
            self.cors_fields(&reply.shape, out);
        }
        out.extend_from_slice(b"x-request-id: req_mock");
        noted(Slot::Id, &reply.numbers, out, Some(notes));
        out.extend_from_slice(b"\r\n");
        match &*reply.shape {
            _ if reply.endpoint == Endpoint::Health as u8 => {}
            Shape::View(_) | Shape::Allowed(_) => {}
            Shape::Problem(problem) => {
                if problem.status == 415 {
                    // What would be accepted (RFC 9110, 12.5.3).
                    out.extend_from_slice(b"Accept-Encoding: identity\r\n");
                }
                if problem.retry_after > 0 {
                    let seconds = problem.retry_after;
                    write!(out, "Retry-After: {seconds}\r\n").expect("a Vec takes all");
                }
            }
            _ => {
                let millis = reply.millis();
                write!(out, "openai-processing-ms: {millis}\r\n").expect("a Vec takes all");
            }
        }
    }

    /// What lets a web page of any origin read an answer, and send requests with any field (Fetch
    /// standard, 3.2.3; there `*` leaves `Authorization` out, so it is named).
    fn cors_fields(&self, shape: &Shape, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Access-Control-Allow-Origin: *\r\n");
        out.extend_from_slice(match shape {
            Shape::Allowed(_) => b"Access-Control-Allow-Methods: GET, HEAD, POST\r\n\
                  Access-Control-Allow-Headers: *, Authorization\r\n\
                  Access-Control-Max-Age: 86400\r\n"
                .as_slice(),
            _ => b"Access-Control-Expose-Headers: *\r\n",
        });
    }
}
