//! The escapes in a name, resolved so that names can be compared.

/// The length of the longest name that is compared, `message.output_text.logprobs`.
pub const NAME_MAX: usize = 28;

/// The length of the longest form of one character of a name, `\u0000`.
const ESCAPED_MAX: usize = 6;

/// Resolves the escapes in the raw text of a valid string, as far as comparing names requires:
/// characters beyond ASCII become a byte that no name has, and a text that is too long for a name
/// becomes empty.
pub fn resolved<'a>(raw: &'a [u8], room: &'a mut [u8; NAME_MAX]) -> &'a [u8] {
    if raw.len() > NAME_MAX * ESCAPED_MAX {
        return b"";
    }
    let (mut rest, mut len) = (raw, 0);
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match first {
            b'\\' => unescaped(tail),
            first => (*first, tail),
        };
        let Some(place) = room.get_mut(len) else {
            return b"";
        };
        *place = byte;
        len += 1;
        rest = tail;
    }
    &room[..len]
}

/// Returns the byte for which an escape of a valid string stands and the text behind it, from the
/// text behind its backslash. Control characters count as foreign too: no name has one.
fn unescaped(escape: &[u8]) -> (u8, &[u8]) {
    /// No UTF-8 text has this byte.
    const FOREIGN: u8 = 0xFF;
    match escape {
        [b'u', a, b, c, d, tail @ ..] => {
            let digit = |hex: &u8| char::from(*hex).to_digit(16).unwrap_or(0);
            let code = [a, b, c, d]
                .into_iter()
                .fold(0, |code, hex| code << 4 | digit(hex));
            (if code < 0x80 { code as u8 } else { FOREIGN }, tail)
        }
        [sign @ (b'"' | b'\\' | b'/'), tail @ ..] => (*sign, tail),
        [_, tail @ ..] => (FOREIGN, tail),
        [] => (FOREIGN, escape),
    }
}
