//! The value of the `Date` field (RFC 9110, 5.6.7 and 6.6.1).

use std::time::{Duration, UNIX_EPOCH};

/// The length of an IMF-fixdate, in bytes.
pub const LEN: usize = 29;

/// Formats Unix time in seconds as an IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`. Times
/// before 1970 count as 1970, those after the year 9999 as its last second.
pub fn imf_fixdate(unix: i64) -> [u8; LEN] {
    // Years have four digits: the last second of 9999.
    const LAST: i64 = 253_402_300_799;
    let seconds = unix.clamp(0, LAST).unsigned_abs();
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    let bytes = text.as_bytes().try_into();
    bytes.expect("every part has a fixed width up to the year 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_as_other_programs_print_them() {
        for (unix, want) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (1_709_251_200, "Fri, 01 Mar 2024 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(std::str::from_utf8(&imf_fixdate(unix)).unwrap(), want);
        }
    }
}
