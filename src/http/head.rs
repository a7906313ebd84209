//! A request's head (RFC 9112, 2 to 6): httparse reads it, and what httparse lets through that the
//! RFC does not is refused here. Knows no paths and no meaning of fields beyond HTTP's own.

use std::mem::MaybeUninit;

use super::Refusal;
use super::body::Body;
use super::inbox::BUFFER;
use super::token::{is_token, is_token_byte};

/// The most fields in a head.
pub const FIELDS_MAX: usize = 100;
/// The longest request target, in bytes; RFC 9112, 3 wants at least 8000 octets of request line.
pub const TARGET_MAX: usize = 8 * 1024;
/// The longest head, in bytes with its empty line: a receive buffer.
pub const HEAD_MAX: usize = BUFFER;

/// A request's head. `N` fields that HTTP itself doesn't read are kept for the caller.
#[derive(Debug)]
pub struct Head<'a, const N: usize> {
    /// How long the head is, in bytes.
    pub len: usize,
    /// The method, a token.
    pub method: &'a str,
    /// The target's path and query (origin-form), or `*`.
    pub target: &'a str,
    /// Whether the client speaks HTTP/1.0.
    pub old: bool,
    /// Whether the client lets the connection stay open (RFC 9112, 9.3).
    pub persistent: bool,
    /// Whether the client may wait for 100 (Continue) before it sends the body.
    pub expects: bool,
    /// How the body is framed.
    pub body: Body,
    /// The values of the wanted fields, without the white space around. A field that stands more
    /// than once has an empty value: which one counts is not to be guessed.
    pub wanted: [Option<&'a [u8]>; N],
}

const SYNTAX: Refusal = Refusal::bad("invalid_request", "The request is not valid HTTP/1.1.");
const LINE_END: Refusal = Refusal::bad(
    "invalid_request",
    "Lines of the request head must end in CR LF.",
);
const BAD_NAME: Refusal = Refusal::bad(
    "invalid_header",
    "Header names must be tokens, directly followed by a colon; folded lines are not accepted.",
);
const BAD_VALUE: Refusal = Refusal::bad(
    "invalid_header",
    "Header values can't contain control characters.",
);
const BAD_TARGET: Refusal = Refusal::bad(
    "invalid_target",
    "The request target must be a path, an absolute URI or (with OPTIONS) *, percent-encoded.",
);
const BAD_HOST: Refusal = Refusal::bad(
    "invalid_host",
    "One Host header with a host and an optional port is needed.",
);
const BAD_LENGTH: Refusal = Refusal::bad(
    "invalid_content_length",
    "Content-Length must be one decimal number, given once and without Transfer-Encoding.",
);
const BAD_CODING: Refusal = Refusal::bad(
    "invalid_transfer_encoding",
    "Transfer-Encoding must be chunked, once, last, and is not for HTTP/1.0.",
);
const UNKNOWN_CODING: Refusal = Refusal::new(
    501,
    "unknown_transfer_encoding",
    "The only transfer coding that is understood is chunked.",
);
const BAD_VERSION: Refusal = Refusal::new(
    505,
    "unsupported_version",
    "HTTP/1.1 and HTTP/1.0 are understood.",
);
const CONNECT: Refusal = Refusal::new(501, "not_a_proxy", "CONNECT is not implemented.");
const BAD_EXPECT: Refusal = Refusal::new(
    417,
    "unknown_expectation",
    "The only expectation understood is 100-continue.",
);
const LONG_TARGET: Refusal = Refusal::new(
    414,
    "target_too_long",
    "The request target can have at most 8192 bytes.",
);
const MANY_FIELDS: Refusal = Refusal::new(
    431,
    "too_many_headers",
    "A request can have at most 100 headers.",
);
const LONG_HEAD: Refusal = Refusal::new(
    431,
    "headers_too_large",
    "The request head can have at most 16384 bytes.",
);

/// Reads the head that `input` begins with. `Ok(None)` when more bytes are needed. `wanted` are
/// the names, in lower case, of fields that the caller reads itself. What is wrong is refused with
/// 400, 414, 417, 431, 501 or 505 (RFC 9110, 15).
pub fn parse<'a, const N: usize>(
    input: &'a [u8],
    wanted: [&str; N],
) -> Result<Option<Head<'a, N>>, Refusal> {
    let mut slots = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let len = match request.parse_with_uninit_headers(input, &mut slots) {
        Ok(httparse::Status::Complete(len)) if len <= HEAD_MAX => len,
        Ok(httparse::Status::Complete(_)) => return Err(LONG_HEAD),
        Ok(httparse::Status::Partial) => return partial(input),
        Err(error) => return Err(refusal(error)),
    };
    if !lines_end_in_cr_lf(&input[..len]) {
        return Err(LINE_END);
    }
    let complete = "httparse says that the head is complete";
    let method = request.method.expect(complete);
    let mut head = Head {
        len,
        method,
        target: origin(method, request.path.expect(complete))?,
        old: request.version == Some(0),
        persistent: true,
        expects: false,
        body: Body::Length(0),
        wanted: [None; N],
    };
    head.read_fields(request.headers, wanted)?;
    Ok(Some(head))
}

/// Whether a request can begin with this byte: a token's, or an empty line's.
pub fn can_begin(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b'\r' | b'\n')
}

/// What is said of a request that doesn't begin like one.
pub const NO_REQUEST: Refusal = SYNTAX;

impl<'a, const N: usize> Head<'a, N> {
    fn read_fields(
        &mut self,
        fields: &[httparse::Header<'a>],
        wanted: [&str; N],
    ) -> Result<(), Refusal> {
        let mut host = None;
        let mut length = None;
        let mut coding = Coding::None;
        let mut said_keep_alive = false;
        let mut said_close = false;
        for field in fields {
            let value = field.value;
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            match field.name.len() {
                4 if is("host") && host.replace(value).is_some() => return Err(BAD_HOST),
                6 if is("expect") => match value.eq_ignore_ascii_case(b"100-continue") {
                    true => self.expects = !self.old,
                    false => return Err(BAD_EXPECT),
                },
                10 if is("connection") => {
                    for token in list(value) {
                        said_close |= token.eq_ignore_ascii_case(b"close");
                        said_keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                14 if is("content-length") && length.replace(decimal(value)?).is_some() => {
                    return Err(BAD_LENGTH);
                }
                17 if is("transfer-encoding") => coding = coding.and(value),
                _ => {}
            }
            if let Some(at) = wanted.iter().position(|name| is(name)) {
                self.wanted[at] = Some(if self.wanted[at].is_some() {
                    b""
                } else {
                    value
                });
            }
        }
        self.persistent = !said_close && (!self.old || said_keep_alive);
        self.body = framing(self.old, length, coding)?;
        match host {
            Some(host) if !is_authority(host) => Err(BAD_HOST),
            None if !self.old => Err(BAD_HOST),
            _ => Ok(()),
        }
    }
}

/// What the Transfer-Encoding lines say so far (RFC 9112, 6.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    None,
    Chunked,
    /// Codings that are not chunked, and nothing after them yet.
    Unknown,
    UnknownThenChunked,
    Bad,
}

impl Coding {
    fn and(self, value: &[u8]) -> Coding {
        // Commas alone are no coding, but there was a field: it must not count as absent.
        if list(value).next().is_none() {
            return Coding::Bad;
        }
        list(value).fold(self, |coding, token| {
            let chunked = token.eq_ignore_ascii_case(b"chunked");
            match coding {
                Coding::None if chunked => Coding::Chunked,
                Coding::Unknown if chunked => Coding::UnknownThenChunked,
                Coding::None | Coding::Unknown if is_token(token) => Coding::Unknown,
                _ => Coding::Bad,
            }
        })
    }
}

/// How the body is framed, by the rules of RFC 9112, 6.3, the first that holds:
///
/// 1. neither field: no body, not even on a connection that ends after it;
/// 2. Content-Length alone: so many bytes (two that differ were refused before);
/// 3. both: refused, since who reads the one smuggles past who reads the other;
/// 4. Transfer-Encoding from HTTP/1.0: refused, it knows none (6.1);
/// 5. chunked alone: chunks; last behind a coding that is not known: 501; anything else: refused.
fn framing(old: bool, length: Option<u64>, coding: Coding) -> Result<Body, Refusal> {
    match (coding, length) {
        (Coding::None, length) => Ok(Body::Length(length.unwrap_or(0))),
        (_, Some(_)) => Err(BAD_LENGTH),
        _ if old => Err(BAD_CODING),
        (Coding::Chunked, None) => Ok(Body::chunked()),
        (Coding::UnknownThenChunked, None) => Err(UNKNOWN_CODING),
        (Coding::Unknown | Coding::Bad, None) => Err(BAD_CODING),
    }
}

/// The bytes that a target may have: those of RFC 3986 and no others.
const TARGET_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = !matches!(
            byte,
            b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        );
        byte += 1;
    }
    table
};

/// The path and query of a target, or `*` (RFC 9112, 3.2).
fn origin<'a>(method: &str, target: &'a str) -> Result<&'a str, Refusal> {
    if target.len() > TARGET_MAX {
        return Err(LONG_TARGET);
    }
    if method == "CONNECT" {
        return Err(CONNECT);
    }
    if !target.bytes().all(|byte| TARGET_BYTES[usize::from(byte)]) {
        return Err(BAD_TARGET);
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok(target);
    }
    let (scheme, rest) = target.split_once("://").ok_or(BAD_TARGET)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(BAD_TARGET);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() || !is_authority(authority.as_bytes()) {
        return Err(BAD_TARGET);
    }
    match path {
        "" if method == "OPTIONS" => Ok("*"),
        "" => Ok("/"),
        path => Ok(path),
    }
}

/// Whether this is `uri-host [ ":" port ]`, possibly empty (RFC 9112, 3.2; RFC 3986, 3.2.2).
fn is_authority(value: &[u8]) -> bool {
    let (host, port) = match value.iter().rposition(|&byte| byte == b':') {
        Some(colon) if !value[colon..].contains(&b']') => (&value[..colon], &value[colon + 1..]),
        _ => (value, &b""[..]),
    };
    let literal = host
        .strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"));
    let name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=%".contains(byte);
    port.iter().all(u8::is_ascii_digit)
        && match literal {
            Some(address) => {
                let address_byte = |byte: &u8| byte.is_ascii_hexdigit() || b":.".contains(byte);
                address.contains(&b':') && address.iter().all(address_byte)
            }
            None => host.iter().all(name_byte) && (port.is_empty() || !host.is_empty()),
        }
}

/// A Content-Length (RFC 9112, 6.2): digits alone; what no 64 bits hold is refused too.
fn decimal(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() {
        return Err(BAD_LENGTH);
    }
    value.iter().try_fold(0u64, |number, byte| {
        let digit = byte
            .checked_sub(b'0')
            .filter(|digit| *digit <= 9)
            .ok_or(BAD_LENGTH)?;
        number
            .checked_mul(10)
            .and_then(|n| n.checked_add(digit.into()))
            .ok_or(BAD_LENGTH)
    })
}

/// The elements of a comma-separated list (RFC 9110, 5.6.1), empty ones left out.
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Whether no LF stands without its CR. Without an early way out the compiler makes it compare
/// many bytes at a time (bench `micro`, `head_parse`).
fn lines_end_in_cr_lf(head: &[u8]) -> bool {
    let pairs = head.iter().zip(&head[1..]);
    let bare = pairs.fold(0, |bare, (&before, &byte)| {
        bare | (u8::from(byte == b'\n') & u8::from(before != b'\r'))
    });
    bare == 0 && head[0] != b'\n'
}

/// What is said of a head that is not complete: nothing, unless it can't become one.
fn partial<T>(input: &[u8]) -> Result<Option<T>, Refusal> {
    let line = input
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(input.len());
    match input.len() < HEAD_MAX {
        true => Ok(None),
        // The longest line that is all right has a method and a version around its target.
        false if line > TARGET_MAX + 64 => Err(LONG_TARGET),
        false => Err(LONG_HEAD),
    }
}

fn refusal(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::HeaderName => BAD_NAME,
        httparse::Error::HeaderValue => BAD_VALUE,
        httparse::Error::TooManyHeaders => MANY_FIELDS,
        httparse::Error::Version => BAD_VERSION,
        httparse::Error::NewLine => LINE_END,
        httparse::Error::Token | httparse::Error::Status => SYNTAX,
    }
}
