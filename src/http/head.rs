//! The head of a request (RFC 9112, 2 to 6). httparse reads it; what httparse accepts and the RFC
//! does not is refused here. Only the fields that frame the message have a meaning here.

use std::mem::MaybeUninit;

use super::line::{self, LINE_END, Line, is_authority};
use super::{Refusal, body::Body, inbox::BUFFER, is_token, is_token_byte};

/// The most fields in a head.
pub const FIELDS_MAX: usize = 100;
/// The longest head, in bytes with its empty line: a full receive buffer.
pub const HEAD_MAX: usize = BUFFER;

/// The head of a request, with the values of `N` fields that the caller reads.
#[derive(Debug)]
pub struct Head<'a, const N: usize> {
    /// The length of the head, in bytes.
    pub len: usize,
    /// The method, a token.
    pub method: &'a str,
    /// The path and query of the target (origin-form), or `*`.
    pub target: &'a str,
    /// True if the client speaks HTTP/1.0.
    pub http10: bool,
    /// True if the connection may stay open (RFC 9112, 9.3).
    pub persistent: bool,
    /// True if the client may wait for 100 (Continue) before it sends the body.
    pub expects: bool,
    /// True if the content has a coding other than identity (RFC 9110, 8.4).
    pub encoded: bool,
    /// The framing of the body.
    pub body: Body,
    /// The values of the wanted fields, without surrounding white space. A field that occurs more
    /// than once has an empty value: which one counts must not be guessed.
    pub wanted: [Option<&'a [u8]>; N],
}

const BAD_NAME: Refusal = Refusal::bad(
    "invalid_header",
    "Header names must be tokens, directly followed by a colon; folded lines are not accepted.",
);
const BAD_VALUE: Refusal = Refusal::bad(
    "invalid_header",
    "Header values can't contain control characters.",
);
const BAD_HOST: Refusal = Refusal::bad(
    "invalid_host",
    "One Host header with a host and an optional port is needed; it must not be empty.",
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
const BAD_EXPECT: Refusal = Refusal::new(
    417,
    "unknown_expectation",
    "The only expectation understood is 100-continue.",
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

/// Reads the head at the front of `input`. Returns `Ok(None)` if more bytes are needed. `wanted`
/// are the names, in lower case, of the fields that the caller reads. A refusal has the status 400,
/// 414, 417, 431, 501 or 505 (RFC 9110, 15).
pub fn parse<'a, const N: usize>(
    input: &'a [u8],
    wanted: [&str; N],
) -> Result<Option<Head<'a, N>>, Refusal> {
    let mut slots = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let len = match request.parse_with_uninit_headers(input, &mut slots) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return partial(input),
        Err(error) => return parse_refused(input, wanted, error),
    };
    let complete = "httparse says that the head is complete";
    let line = Line {
        method: request.method.expect(complete),
        target: request.path.expect(complete),
        minor: request.version.expect(complete),
    };
    Head::new(&input[..len], line, request.headers, wanted).map(Some)
}

/// Reads a head that httparse refuses with `error`: because of a bad request line, a bad field, or
/// a minor version above 1, in which case httparse reads the fields alone.
#[cold]
fn parse_refused<'a, const N: usize>(
    input: &'a [u8],
    wanted: [&str; N],
    error: httparse::Error,
) -> Result<Option<Head<'a, N>>, Refusal> {
    let (line, begin) = line::read(input)?;
    if line.minor <= 1 {
        return Err(refusal(error));
    }
    let mut slots = [httparse::EMPTY_HEADER; FIELDS_MAX];
    match httparse::parse_headers(&input[begin..], &mut slots) {
        Ok(httparse::Status::Complete((len, fields))) => {
            Head::new(&input[..begin + len], line, fields, wanted).map(Some)
        }
        Ok(httparse::Status::Partial) => partial(input),
        Err(error) => Err(refusal(error)),
    }
}

/// Returns true if a request can begin with this byte: that of a token or of an empty line.
pub fn can_begin(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b'\r' | b'\n')
}

impl<'a, const N: usize> Head<'a, N> {
    /// Checks a complete head whose fields httparse has read.
    fn new(
        head: &[u8],
        line: Line<'a>,
        fields: &[httparse::Header<'a>],
        wanted: [&str; N],
    ) -> Result<Head<'a, N>, Refusal> {
        if head.len() > HEAD_MAX {
            return Err(LONG_HEAD);
        }
        if !lines_end_in_cr_lf(head) {
            return Err(LINE_END);
        }
        let mut parsed = Head {
            len: head.len(),
            method: line.method,
            target: line.origin()?,
            http10: line.minor == 0,
            persistent: true,
            expects: false,
            encoded: false,
            body: Body::Length(0),
            wanted: [None; N],
        };
        parsed.read_fields(fields, wanted, line.allows_empty_host())?;
        Ok(parsed)
    }

    fn read_fields(
        &mut self,
        fields: &[httparse::Header<'a>],
        wanted: [&str; N],
        allows_empty_host: bool,
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
                6 if is("expect") => {
                    for expectation in list(value) {
                        if !expectation.eq_ignore_ascii_case(b"100-continue") {
                            return Err(BAD_EXPECT);
                        }
                        self.expects = !self.http10;
                    }
                }
                10 if is("connection") => {
                    for token in list(value) {
                        said_close |= token.eq_ignore_ascii_case(b"close");
                        said_keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                14 if is("content-length") && length.replace(decimal(value)?).is_some() => {
                    return Err(BAD_LENGTH);
                }
                16 if is("content-encoding") => {
                    let is_identity = |coding: &[u8]| coding.eq_ignore_ascii_case(b"identity");
                    self.encoded |= !list(value).all(is_identity);
                }
                17 if is("transfer-encoding") => coding = coding.and(value),
                _ => {}
            }
            if let Some(at) = wanted.iter().position(|name| is(name)) {
                self.wanted[at] = match self.wanted[at] {
                    None => Some(value),
                    Some(_) => Some(b""),
                };
            }
        }
        self.persistent = !said_close && (!self.http10 || said_keep_alive);
        self.body = framing(self.http10, length, coding)?;
        match host {
            Some(b"") if allows_empty_host => Ok(()),
            Some(host) if !is_authority(host) => Err(BAD_HOST),
            None if !self.http10 => Err(BAD_HOST),
            _ => Ok(()),
        }
    }
}

/// The transfer codings of the lines read so far (RFC 9112, 6.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    None,
    Chunked,
    /// Codings other than chunked, and nothing after them yet.
    Unknown,
    UnknownThenChunked,
    Bad,
}

impl Coding {
    fn and(self, value: &[u8]) -> Coding {
        // Commas alone are not a coding, but the field must not count as absent.
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

/// Returns the framing of the body by the first of these rules (RFC 9112, 6.3) that applies:
///
/// 1. neither field: no body, not even on a connection that is closed after the request;
/// 2. Content-Length alone: its number of bytes (a second one was refused before);
/// 3. both: refused, since a proxy that reads the other one could be made to smuggle a request;
/// 4. Transfer-Encoding from HTTP/1.0: refused, since HTTP/1.0 has none (6.1);
/// 5. chunked alone: chunks; chunked behind an unknown coding: 501; anything else: refused.
fn framing(http10: bool, length: Option<u64>, coding: Coding) -> Result<Body, Refusal> {
    match (coding, length) {
        (Coding::None, length) => Ok(Body::Length(length.unwrap_or(0))),
        (_, Some(_)) => Err(BAD_LENGTH),
        _ if http10 => Err(BAD_CODING),
        (Coding::Chunked, None) => Ok(Body::chunked()),
        (Coding::UnknownThenChunked, None) => Err(UNKNOWN_CODING),
        (Coding::Unknown | Coding::Bad, None) => Err(BAD_CODING),
    }
}

/// Reads a Content-Length (RFC 9112, 6.2): only digits, and a number of at most 64 bits.
fn decimal(value: &[u8]) -> Result<u64, Refusal> {
    let number = value.iter().try_fold(0u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(digit.into())
    });
    number.filter(|_| !value.is_empty()).ok_or(BAD_LENGTH)
}

/// Returns the elements of a comma-separated list (RFC 9110, 5.6.1) without the empty ones.
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Returns true if every LF follows a CR. Without an early return, the compiler compares many bytes
/// at a time (bench `micro`, `head_parse`).
fn lines_end_in_cr_lf(head: &[u8]) -> bool {
    let pairs = head.iter().zip(&head[1..]);
    let bare = pairs.fold(0, |bare, (&before, &byte)| {
        bare | (u8::from(byte == b'\n') & u8::from(before != b'\r'))
    });
    bare == 0 && head[0] != b'\n'
}

/// Returns nothing for an incomplete head, or the refusal of one that cannot become valid.
fn partial<T>(input: &[u8]) -> Result<Option<T>, Refusal> {
    match input.len() < HEAD_MAX {
        true => Ok(None),
        false => Err(line::overlong(input).unwrap_or(LONG_HEAD)),
    }
}

/// Returns the refusal of a head whose request line is valid.
fn refusal(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::HeaderValue => BAD_VALUE,
        httparse::Error::TooManyHeaders => MANY_FIELDS,
        httparse::Error::NewLine => LINE_END,
        _ => BAD_NAME,
    }
}
