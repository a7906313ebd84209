//! The header fields of a response that are the API's, not HTTP's own.

use std::io::Write;

use super::Renderer;
use crate::mock::number::hex;
use crate::mock::response::{Content, Response};
use crate::mock::route::{Endpoint, View};
use crate::watch::PAGE_POLICY;

impl Renderer {
    /// Appends the fields whose values have a constant width. Returns the place of the id.
    pub fn fields(&self, response: &Response, out: &mut Vec<u8>) -> usize {
        match &*response.content {
            Content::Allowed(_) => {}
            _ if response.content.streams() => out.extend_from_slice(
                b"Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n",
            ),
            Content::View(View::Page, _) => write!(
                out,
                "Content-Type: text/html; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
                 Content-Security-Policy: {PAGE_POLICY}\r\n"
            )
            .expect("writing to a Vec cannot fail"),
            Content::View(view, _) => out.extend_from_slice(match view {
                View::Metrics => b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
                      Cache-Control: no-store\r\n"
                    .as_slice(),
                _ => b"Content-Type: application/json\r\nCache-Control: no-store\r\n",
            }),
            _ => out.extend_from_slice(b"Content-Type: application/json\r\n"),
        }
        if let Some(methods) = response.content.allow() {
            write!(out, "Allow: {}\r\n", methods.allow()).expect("writing to a Vec cannot fail");
        }
        if self.cors {
            self.cors_fields(&response.content, out);
        }
        out.extend_from_slice(b"x-request-id: req_mock");
        let id_at = out.len();
        out.extend_from_slice(&hex(response.numbers.id));
        out.extend_from_slice(b"\r\n");
        if let Content::Problem(problem) = &*response.content {
            if problem.status == 415 {
                // The codings that would be accepted (RFC 9110, 12.5.3).
                out.extend_from_slice(b"Accept-Encoding: identity\r\n");
            }
            if problem.retry_after > 0 {
                let seconds = problem.retry_after;
                write!(out, "Retry-After: {seconds}\r\n").expect("writing to a Vec cannot fail");
            }
        }
        id_at
    }

    /// Appends the fields whose values vary in width, and the empty line that ends a head.
    #[inline]
    pub fn tail(&self, response: &Response, out: &mut Vec<u8>) {
        let is_timed = match &*response.content {
            Content::View(..) | Content::Allowed(_) | Content::Problem(_) => false,
            _ => response.endpoint != Endpoint::Health as u8,
        };
        match response.millis() {
            _ if !is_timed => out.extend_from_slice(b"\r\n"),
            0 => out.extend_from_slice(b"openai-processing-ms: 0\r\n\r\n"),
            millis => write!(out, "openai-processing-ms: {millis}\r\n\r\n")
                .expect("writing to a Vec cannot fail"),
        }
    }

    /// Appends the fields that let a web page of any origin read a response, and send any field
    /// (Fetch standard, 3.2.3; there `*` leaves `Authorization` out, so it is named).
    fn cors_fields(&self, content: &Content, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Access-Control-Allow-Origin: *\r\n");
        out.extend_from_slice(match content {
            Content::Allowed(_) => b"Access-Control-Allow-Methods: GET, HEAD, POST\r\n\
                  Access-Control-Allow-Headers: *, Authorization\r\n\
                  Access-Control-Max-Age: 86400\r\n"
                .as_slice(),
            _ => b"Access-Control-Expose-Headers: *\r\n",
        });
    }
}
