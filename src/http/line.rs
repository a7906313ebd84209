//! The request line (RFC 9112, 3): its syntax as a whole, for lines that httparse refuses, and the
//! forms of its target.

use super::{Refusal, is_token};

/// The longest method, in bytes. The longest that IANA has registered has 17.
pub const METHOD_MAX: usize = 256;
/// The longest request target, in bytes; RFC 9112, 3 wants at least 8000 octets of request line.
pub const TARGET_MAX: usize = 8 * 1024;

const SYNTAX: Refusal = Refusal::bad("invalid_request", "The request is not valid HTTP/1.1.");
pub(super) const LINE_END: Refusal = Refusal::bad(
    "invalid_request",
    "Lines of the request head must end in CR LF.",
);
const BAD_LINE: Refusal = Refusal::bad(
    "invalid_request",
    "The request line must be a method, a target and a version, with one space between them.",
);
const BAD_METHOD: Refusal = Refusal::bad("invalid_request", "The method must be a token.");
const LONG_METHOD: Refusal =
    Refusal::bad("method_too_long", "The method must be at most 256 bytes.");
const BAD_TARGET: Refusal = Refusal::bad(
    "invalid_target",
    "The request target must be a path, an absolute URI or (with OPTIONS) *, percent-encoded.",
);
const LONG_TARGET: Refusal = Refusal::new(
    414,
    "target_too_long",
    "The request target must be at most 8192 bytes.",
);
const BAD_VERSION: Refusal = Refusal::bad(
    "invalid_version",
    "The version must be HTTP/ and two digits with a dot between them, such as HTTP/1.1.",
);
const OTHER_VERSION: Refusal = Refusal::new(
    505,
    "unsupported_version",
    "HTTP/1.1 and HTTP/1.0 are understood.",
);
const CONNECT: Refusal = Refusal::new(501, "not_a_proxy", "CONNECT is not implemented.");

/// The response to bytes that cannot begin a request.
pub const NO_REQUEST: Refusal = SYNTAX;

/// A request line of HTTP/1.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The method, a token.
    pub method: &'a str,
    /// The target as the client wrote it.
    pub target: &'a str,
    /// The minor version. One above 1 is served as 1.1 (RFC 9110, 2.5).
    pub minor: u8,
}

/// Reads the request line at the front of `input`; the second value is its length with the line
/// end. Checks all that httparse does, and distinguishes a malformed version (400) from one that
/// this server does not speak (505).
pub fn read(input: &[u8]) -> Result<(Line<'_>, usize), Refusal> {
    if let Some(refusal) = overlong(input) {
        return Err(refusal);
    }
    let end = input.iter().position(|&byte| byte == b'\n').ok_or(SYNTAX)?;
    let line = input[..end].strip_suffix(b"\r").ok_or(LINE_END)?;
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(BAD_LINE);
    };
    if !is_token(method) {
        return Err(BAD_METHOD);
    }
    if target.is_empty() || !target.iter().all(|&byte| TARGET_BYTES[usize::from(byte)]) {
        return Err(BAD_TARGET);
    }
    let minor = match version.strip_prefix(b"HTTP/") {
        Some([b'1', b'.', minor @ b'0'..=b'9']) => minor - b'0',
        Some([b'0'..=b'9', b'.', b'0'..=b'9']) => return Err(OTHER_VERSION),
        _ => return Err(BAD_VERSION),
    };
    let text = |word| std::str::from_utf8(word).map_err(|_| SYNTAX);
    let line = Line {
        method: text(method)?,
        target: text(target)?,
        minor,
    };
    Ok((line, end + 1))
}

/// Returns the refusal of a request line, possibly one that has not ended, in which a word is too
/// long.
pub fn overlong(input: &[u8]) -> Option<Refusal> {
    let line = input.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(|&byte| byte == b' ');
    if words.next()?.len() > METHOD_MAX {
        return Some(LONG_METHOD);
    }
    (words.next()?.len() > TARGET_MAX).then_some(LONG_TARGET)
}

impl<'a> Line<'a> {
    /// Returns the path and query of the target, or `*` (RFC 9112, 3.2).
    pub fn origin(&self) -> Result<&'a str, Refusal> {
        let Line { method, target, .. } = *self;
        if method.len() > METHOD_MAX {
            return Err(LONG_METHOD);
        }
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
        if !is_authority(authority.as_bytes()) {
            return Err(BAD_TARGET);
        }
        match path {
            "" if method == "OPTIONS" => Ok("*"),
            "" => Ok("/"),
            path => Ok(path),
        }
    }

    /// Returns true if an empty Host is enough: the target has no authority (`*`), or one that
    /// overrides Host (RFC 9112, 3.2.2 and 3.2.4).
    pub fn allows_empty_host(&self) -> bool {
        !self.target.starts_with('/')
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

/// Returns true if this is `uri-host [ ":" port ]` with a host that is not empty (RFC 9112, 3.2;
/// RFC 3986, 3.2.2; RFC 9110, 4.2.1).
pub fn is_authority(value: &[u8]) -> bool {
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
            None => !host.is_empty() && host.iter().all(name_byte),
        }
}
