//! The inner loops of the JSON scanner: they find the end of a run of text or of token numbers,
//! many bytes at a time. Each stops at the first byte that is not certainly valid, and the scanner
//! judges that byte.

/// The lowest bit of every byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The highest bit of every byte, the flag that the tests on words return.
const FLAGS: u64 = 0x80 * ONES;

/// The flag of the first byte of a word.
const FLAG: u64 = 0x80;

/// The number of bytes examined together in long text: the compiler vectorizes such a block.
const BLOCK: usize = 64;

/// Returns the length of the run of ASCII that stands for itself in a string. Short strings end in
/// the first words; after those, a long one is assumed and read in blocks.
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

/// Returns the length of the whole blocks at the front without a byte that ends a plain run.
#[inline(never)]
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let is_plain = |block: &&[u8; BLOCK]| {
        block.iter().fold(0, |stop, &byte| {
            // As signed numbers, bytes of 0x80 and more are below 0x20 too: one comparison for
            // both.
            stop | u8::from(byte.cast_signed() < 0x20 || byte == b'"' || byte == b'\\')
        }) == 0
    };
    blocks.iter().take_while(is_plain).count() * BLOCK
}

/// Returns the length of the run of whole valid characters, of any script, that stand for
/// themselves in a string. 0 if the first character is cut or is not UTF-8.
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

/// The end of a run of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumbersEnd {
    /// A digit: the number may continue.
    Digit,
    /// A number that is 0 so far: no digit may follow.
    Zero,
    /// A comma, perhaps with spaces: a number may begin.
    Comma,
}

/// Returns the length of the run of digits, commas and spaces that continues a list behind the
/// first digit of a number, and its end. `zero` is true if that digit is 0. A step takes eight
/// bytes: tokens have about five digits, and a plain scan would mispredict a branch at the end of
/// each.
#[inline]
pub fn numbers_run(bytes: &[u8], zero: bool) -> (usize, NumbersEnd) {
    // The class of the byte before each word, as a flag in the word's lowest byte.
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

/// Flags the bytes that equal `byte`.
fn equals(word: u64, byte: u8) -> u64 {
    let rest = word ^ (ONES * u64::from(byte));
    !(((rest & !FLAGS) + !FLAGS) | rest) & FLAGS
}

/// Flags the bytes that are ASCII digits.
fn digits(word: u64) -> u64 {
    let rest = word ^ (ONES * 0x30);
    !(((rest & !FLAGS) + ONES * 0x76) | rest) & FLAGS
}

/// Flags bytes that end a run of plain text: quotes, backslashes, control bytes and those of 0x80
/// and more. Borrows make all flags but the first one unreliable.
fn stops(word: u64) -> u64 {
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x20);
    (quote | backslash | control | word) & FLAGS
}
