//! The HTTP statuses that the server sends, each declared once. Reason phrases and the columns in
//! which responses are counted follow from the table.

/// Makes the arrays from rows.
macro_rules! statuses {
    ($($status:literal $reason:literal)+) => {
        /// Every status that the server sends. The most frequent one is the first.
        pub const STATUSES: [u16; [$($status),+].len()] = [$($status),+];

        /// The reason phrases, in the order of [`STATUSES`].
        const REASONS: [&str; STATUSES.len()] = [$($reason),+];
    };
}

// RFC 9110, 15; RFC 6585 for 429 and 431.
statuses! {
    200 "OK"
    204 "No Content"
    400 "Bad Request"
    403 "Forbidden"
    404 "Not Found"
    405 "Method Not Allowed"
    408 "Request Timeout"
    413 "Content Too Large"
    414 "URI Too Long"
    415 "Unsupported Media Type"
    417 "Expectation Failed"
    429 "Too Many Requests"
    431 "Request Header Fields Too Large"
    500 "Internal Server Error"
    501 "Not Implemented"
    505 "HTTP Version Not Supported"
}

/// Returns the place of a status in [`STATUSES`]. A status without a row panics, which in a
/// constant is an error of the compiler.
#[inline]
pub const fn column(status: u16) -> usize {
    // Most responses have the first one.
    if status == STATUSES[0] {
        return 0;
    }
    let mut at = 1;
    while STATUSES[at] != status {
        at += 1;
    }
    at
}

/// Returns the reason phrase of a status.
pub fn reason(status: u16) -> &'static str {
    REASONS[column(status)]
}

/// Returns the status itself. The errors of the server are constants that call this function, so
/// one whose status has no row does not compile.
pub const fn listed(status: u16) -> u16 {
    STATUSES[column(status)]
}
