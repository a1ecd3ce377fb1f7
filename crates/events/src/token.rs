//! What `auth` writes into every token and whoever checks one compares. Tokens are JWTs signed with EdDSA (RFC 8037).

/// The claim `iss`.
pub const ISSUER: &str = "decant";
/// The claim `aud`.
pub const AUDIENCE: &str = "decant";
/// The header `typ` (RFC 9068): nothing else that the key may ever sign passes for a token.
pub const TYPE: &str = "at+jwt";
