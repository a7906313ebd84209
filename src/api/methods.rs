//! The methods of paths.

/// The methods that a path allows, besides OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// GET, and HEAD with it (RFC 9110, 9.3.2).
    Get,
    /// POST.
    Post,
    /// Every method of this server, for `OPTIONS *`.
    All,
}

impl Methods {
    /// Returns the value of an `Allow` field (RFC 9110, 10.2.1).
    pub fn allow(self) -> &'static str {
        match self {
            Methods::Get => "GET, HEAD, OPTIONS",
            Methods::Post => "POST, OPTIONS",
            Methods::All => "GET, HEAD, POST, OPTIONS",
        }
    }

    /// Returns true if `method` is one of them. Methods are case-sensitive (RFC 9110, 9.1).
    pub fn include(self, method: &str) -> bool {
        match self {
            Methods::Get => matches!(method, "GET" | "HEAD"),
            Methods::Post => method == "POST",
            Methods::All => false,
        }
    }
}
