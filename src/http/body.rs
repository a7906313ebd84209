//! The framing of request bodies (RFC 9112, 6 and 7): finds their end and separates the content
//! from the bytes around it, without holding any.

use super::{Refusal, is_token_byte};

/// The longest chunk-size line with its extensions, in bytes without the line end: enough for any
/// size and a signature or two, and a bound for a client that never ends the line.
pub const CHUNK_LINE_MAX: u16 = 1024;

/// The most bytes of chunk extensions in one body. Without this bound, a body with one byte in each
/// chunk could consist mostly of extensions (RFC 9112, 7.1.1).
pub const EXTENSIONS_MAX: u16 = 16 * 1024;

/// The longest trailer section, in bytes with its line ends (RFC 9112, 7.1.2). Trailers are read
/// and ignored.
pub const TRAILERS_MAX: u16 = 8 * 1024;

/// The framing of a body, and the progress of reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The number of bytes still to come.
    Length(u64),
    /// The state between two bytes of chunks.
    Chunked(Chunked),
}

/// The front of an input after it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The number of bytes of the input that were used.
    pub used: usize,
    /// The content among them, possibly empty.
    pub content: &'a [u8],
    /// True if the body ends here.
    pub done: bool,
}

/// A chunked body between two of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunked {
    at: At,
    /// The remaining bytes of the chunk; while its size is read, the size so far.
    remaining: u64,
    /// The length of the size line or of the trailers so far.
    line: u16,
    /// The length of the extensions of all chunks so far.
    extensions: u16,
}

/// The next element of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    SizeFirst,
    Size,
    Extension(Ext),
    SizeLf,
    Content,
    ContentCr,
    ContentLf,
    /// At the start of a trailer line.
    TrailerFirst,
    TrailerName,
    Trailer,
    TrailerLf,
    EndLf,
}

/// The next element of a chunk's extensions (RFC 9112, 7.1.1). White space may surround only `;`
/// and `=`, so what precedes it decides what can follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ext {
    /// White space after the size or a value: a semicolon must follow.
    Semicolon,
    /// After a semicolon: a name must follow.
    NameFirst,
    Name,
    /// White space after a name: an equals sign or a semicolon must follow.
    Equals,
    /// After an equals sign: a token or a quoted string must follow.
    ValueFirst,
    Value,
    /// Inside a quoted string; true after a backslash.
    Quoted(bool),
    /// After a quoted string.
    QuotedEnd,
}

const fn invalid_chunk(message: &'static str) -> Refusal {
    Refusal::bad("invalid_chunk", message)
}

const BAD_SIZE: Refusal =
    invalid_chunk("A chunk must begin with its size in hexadecimal digits, at most 16, and CR LF.");
const BAD_END: Refusal =
    invalid_chunk("A chunk's data must be as long as its size and end in CR LF.");
const BAD_TRAILER: Refusal = invalid_chunk("Trailer lines must be NAME: VALUE and end in CR LF.");
const BAD_EXTENSION: Refusal = invalid_chunk(
    "Chunk extensions must be ;NAME or ;NAME=VALUE, of tokens or a quoted string, before CR LF.",
);
const LONG_EXTENSIONS: Refusal =
    invalid_chunk("The chunk extensions of a body can have at most 16384 bytes in all.");
const LONG_LINE: Refusal = invalid_chunk("A chunk's size line can have at most 1024 bytes.");
const LONG_TRAILERS: Refusal = Refusal::new(
    431,
    "trailers_too_large",
    "The trailers can have at most 8192 bytes.",
);

impl Body {
    /// Creates a chunked body of which nothing has been read.
    pub fn chunked() -> Body {
        Body::Chunked(Chunked {
            at: At::SizeFirst,
            remaining: 0,
            line: 0,
            extensions: 0,
        })
    }

    /// Reads the front of `input` up to the end of a run of content, or all of an input without
    /// content. Returns a refusal if the framing of chunks is malformed or too long.
    pub fn read<'a>(&mut self, input: &'a [u8]) -> Result<Piece<'a>, Refusal> {
        match self {
            Body::Length(remaining) => {
                let content = take(remaining, input);
                Ok(Piece {
                    used: content.len(),
                    content,
                    done: *remaining == 0,
                })
            }
            Body::Chunked(chunked) => chunked.read(input),
        }
    }
}

/// Takes content from the front of an input, and subtracts its length from what remains.
fn take<'a>(remaining: &mut u64, input: &'a [u8]) -> &'a [u8] {
    let len = usize::try_from(*remaining).map_or(input.len(), |most| most.min(input.len()));
    *remaining -= len as u64;
    &input[..len]
}

impl Chunked {
    fn read<'a>(&mut self, input: &'a [u8]) -> Result<Piece<'a>, Refusal> {
        let mut piece = Piece {
            used: 0,
            content: &[],
            done: false,
        };
        while let Some(&byte) = input.get(piece.used) {
            if self.at == At::Content {
                piece.content = take(&mut self.remaining, &input[piece.used..]);
                piece.used += piece.content.len();
                if self.remaining == 0 {
                    self.at = At::ContentCr;
                }
                break;
            }
            piece.used += 1;
            match self.at {
                At::EndLf if byte == b'\n' => {
                    piece.done = true;
                    break;
                }
                At::EndLf => return Err(BAD_TRAILER),
                _ => self.at = self.after(byte)?,
            }
        }
        Ok(piece)
    }

    /// Returns the element after `byte`, which is not content.
    fn after(&mut self, byte: u8) -> Result<At, Refusal> {
        match self.at {
            At::SizeFirst | At::Size | At::Extension(_) => {
                self.line += 1;
                if self.line > CHUNK_LINE_MAX && byte != b'\r' {
                    return Err(LONG_LINE);
                }
                let next = self.after_size_byte(byte)?;
                if let At::Extension(_) = next {
                    self.extensions += 1;
                    if self.extensions > EXTENSIONS_MAX {
                        return Err(LONG_EXTENSIONS);
                    }
                }
                Ok(next)
            }
            At::SizeLf if byte != b'\n' => Err(BAD_SIZE),
            At::SizeLf => {
                self.line = 0;
                match self.remaining {
                    0 => Ok(At::TrailerFirst),
                    _ => Ok(At::Content),
                }
            }
            At::ContentCr if byte == b'\r' => Ok(At::ContentLf),
            At::ContentLf if byte == b'\n' => Ok(At::SizeFirst),
            At::ContentCr | At::ContentLf => Err(BAD_END),
            At::TrailerFirst | At::TrailerName | At::Trailer | At::TrailerLf => {
                self.line += 1;
                // The empty line that ends the section is not part of it.
                let ends = self.at == At::TrailerFirst && byte == b'\r';
                if self.line > TRAILERS_MAX && !ends {
                    return Err(LONG_TRAILERS);
                }
                self.after_trailer_byte(byte)
            }
            At::Content | At::EndLf => unreachable!("read takes these itself"),
        }
    }

    fn after_size_byte(&mut self, byte: u8) -> Result<At, Refusal> {
        match (self.at, byte) {
            (At::SizeFirst | At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).expect("it is one");
                let size = self.remaining.checked_mul(16).ok_or(BAD_SIZE)?;
                self.remaining = size + u64::from(digit);
                Ok(At::Size)
            }
            (At::Size, b'\r') => Ok(At::SizeLf),
            (At::Size, b';') => Ok(At::Extension(Ext::NameFirst)),
            (At::Size, b' ' | b'\t') => Ok(At::Extension(Ext::Semicolon)),
            (At::Extension(ext), _) => ext.after(byte).ok_or(BAD_EXTENSION),
            _ => Err(BAD_SIZE),
        }
    }

    fn after_trailer_byte(&mut self, byte: u8) -> Result<At, Refusal> {
        match (self.at, byte) {
            (At::TrailerFirst, b'\r') => Ok(At::EndLf),
            (At::Trailer, b'\r') => Ok(At::TrailerLf),
            (At::TrailerLf, b'\n') => Ok(At::TrailerFirst),
            (At::TrailerName, b':') => Ok(At::Trailer),
            (At::TrailerFirst | At::TrailerName, _) if is_token_byte(byte) => Ok(At::TrailerName),
            (At::Trailer, b'\t' | b' '..=b'~' | 0x80..) => Ok(At::Trailer),
            _ => Err(BAD_TRAILER),
        }
    }
}

impl Ext {
    /// Returns the element after `byte`; None for a byte that cannot be here.
    fn after(self, byte: u8) -> Option<At> {
        let space = matches!(byte, b' ' | b'\t');
        let next = match (self, byte) {
            (Ext::Semicolon | Ext::NameFirst | Ext::Equals | Ext::ValueFirst, _) if space => self,
            (Ext::NameFirst | Ext::Name, _) if is_token_byte(byte) => Ext::Name,
            (Ext::Name, _) if space => Ext::Equals,
            (Ext::Name | Ext::Equals, b'=') => Ext::ValueFirst,
            (Ext::ValueFirst | Ext::Value, _) if is_token_byte(byte) => Ext::Value,
            (Ext::ValueFirst, b'"') => Ext::Quoted(false),
            (Ext::Quoted(false), b'"') => Ext::QuotedEnd,
            (Ext::Quoted(false), b'\\') => Ext::Quoted(true),
            (Ext::Quoted(_), b'\t' | b' '..=b'~' | 0x80..) => Ext::Quoted(false),
            (Ext::Value | Ext::QuotedEnd, _) if space => Ext::Semicolon,
            (Ext::Name | Ext::Value | Ext::QuotedEnd, b'\r') => return Some(At::SizeLf),
            (Ext::Semicolon | Ext::Name | Ext::Equals | Ext::Value | Ext::QuotedEnd, b';') => {
                Ext::NameFirst
            }
            _ => return None,
        };
        Some(At::Extension(next))
    }
}
