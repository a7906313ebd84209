//! The inner loops of the JSON scanner: how far a run of text or of token numbers goes, found
//! many bytes at a time. They know no state and report no error: each stops at the first byte it
//! does not know to be right, and the scanner judges that byte.

/// Every byte's lowest bit.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Every byte's highest bit, the flag that the tests on words answer with.
const FLAGS: u64 = 0x80 * ONES;

/// The flag of a word's first byte.
const FLAG: u64 = 0x80;

/// Bytes looked at together where text is long: the compiler makes vector code of such a block.
const BLOCK: usize = 64;

/// Length of the run of ASCII that stands for itself in a string. Short strings end in the first
/// words; only after those is a long one assumed and read by blocks.
#[inline]
pub fn plain_run(bytes: &[u8]) -> usize {
    let mut run = 0;
    while let Some(word) = bytes[run..].first_chunk::<8>() {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return run + stops.trailing_zeros() as usize / 8;
        }
        run += 8;
        if run == BLOCK / 2 {
            run += plain_blocks(&bytes[run..]);
        }
    }
    let is_plain = |&byte: &u8| (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
    run + bytes[run..]
        .iter()
        .take_while(|byte| is_plain(byte))
        .count()
}

/// Length of the whole blocks at the front without a byte that ends a plain run.
#[inline(never)]
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let is_plain = |block: &&[u8; BLOCK]| {
        block.iter().fold(0, |stop, &byte| {
            // Signed, bytes of 0x80 and more are under 0x20 too: one comparison for both.
            stop | u8::from(byte.cast_signed() < 0x20 || byte == b'"' || byte == b'\\')
        }) == 0
    };
    blocks.iter().take_while(is_plain).count() * BLOCK
}

/// Length of the run of whole valid characters, of any script, that stand for themselves in a
/// string. 0 if the first character is cut, or is not UTF-8.
pub fn text_run(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let ends_text = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let goes_on = |block: &&[u8; BLOCK]| {
        block
            .iter()
            .fold(0, |end, &byte| end | u8::from(ends_text(byte)))
            == 0
    };
    let whole = blocks.iter().take_while(goes_on).count() * BLOCK;
    let rest = bytes[whole..]
        .iter()
        .take_while(|byte| !ends_text(**byte))
        .count();
    match std::str::from_utf8(&bytes[..whole + rest]) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    }
}

/// What a run of numbers ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumbersEnd {
    /// The run ends in a digit, and the number may go on.
    Digit,
    /// The run ends in a number that is 0 so far, which no digit may follow.
    Zero,
    /// The run ends in a comma, or in one and spaces: a number may begin.
    Comma,
}

/// Length of the run of digits, commas and spaces that goes on a list behind a number's first
/// digit, and what it ends with. `zero` says that digit is 0. It goes eight bytes a step: tokens
/// have about five digits, and the branch mispredicted at each one's end makes a plain scan slow.
#[inline]
pub fn numbers_run(bytes: &[u8], zero: bool) -> (usize, NumbersEnd) {
    // What the byte before each word was, as a flag in the word's lowest byte.
    let mut last_digit = FLAG;
    let mut last_zero = if zero { FLAG } else { 0 };
    let mut run = 0;
    while let Some(word) = bytes[run..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        let digit = digits(word);
        let comma = equals(word, b',');
        let space = equals(word, b' ');
        let after_digit = digit << 8 | last_digit;
        let lone_zero = equals(word, b'0') & !after_digit;
        let after_zero = lone_zero << 8 | last_zero;
        let foreign = !(digit | comma | space) & FLAGS;
        let misplaced = comma & !after_digit | space & after_digit | digit & after_zero;
        let wrong = foreign | misplaced;
        if wrong != 0 {
            let right = wrong.trailing_zeros() & !7;
            last_digit = after_digit >> right & FLAG;
            last_zero = after_zero >> right & FLAG;
            run += right as usize / 8;
            break;
        }
        last_digit = digit >> 56;
        last_zero = lone_zero >> 56;
        run += 8;
    }
    match (last_digit, last_zero) {
        (0, _) => (run, NumbersEnd::Comma),
        (_, 0) => (run, NumbersEnd::Digit),
        _ => (run, NumbersEnd::Zero),
    }
}

/// Flags the bytes that are `byte`.
fn equals(word: u64, byte: u8) -> u64 {
    let rest = word ^ (ONES * u64::from(byte));
    !(((rest & !FLAGS) + !FLAGS) | rest) & FLAGS
}

/// Flags the bytes that are ASCII digits.
fn digits(word: u64) -> u64 {
    let rest = word ^ (ONES * 0x30);
    !(((rest & !FLAGS) + ONES * 0x76) | rest) & FLAGS
}

/// Flags bytes that end a run of plain text: quotes, backslashes, control bytes and those of
/// 0x80 and more. Borrows make flags above the first one unreliable; the first one is right.
fn stops(word: u64) -> u64 {
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x20);
    (quote | backslash | control | word) & FLAGS
}
