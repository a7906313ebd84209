//! The header fields of a response that are the API's, not HTTP's own.

use std::io::Write;

use crate::api::{content::Content, number::hex, render::Renderer, route::View, table::provider};
use crate::watch::PAGE_POLICY;

impl Renderer {
    /// Appends the fields whose values have a constant width. Returns the place of the id.
    pub fn fields(&self, content: &Content, endpoint: u8, id: u64, out: &mut Vec<u8>) -> usize {
        match content {
            Content::Allowed(_) => {}
            _ if content.streams() => out.extend_from_slice(
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
        if let Some(methods) = content.allow() {
            write!(out, "Allow: {}\r\n", methods.allow()).expect("writing to a Vec cannot fail");
        }
        if self.cors {
            self.cors_fields(content, out);
        }
        out.extend_from_slice(provider(endpoint).id_field.as_bytes());
        let id_at = out.len();
        out.extend_from_slice(&hex(id));
        out.extend_from_slice(b"\r\n");
        if let Content::Problem(problem) = content {
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

    /// Appends the fields whose values vary in width, and the empty line that ends a head. `millis`
    /// is the delay of the response.
    pub fn tail(&self, content: &Content, endpoint: u8, millis: u64, out: &mut Vec<u8>) {
        let field = match content {
            Content::View(..) | Content::Allowed(_) | Content::Problem(_) => None,
            _ => provider(endpoint).delay_field,
        };
        if let Some(field) = field {
            out.extend_from_slice(field.as_bytes());
            write!(out, "{millis}\r\n").expect("writing to a Vec cannot fail");
        }
        out.extend_from_slice(b"\r\n");
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
