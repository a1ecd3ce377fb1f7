//! Numbers of EBML (RFC 8794), which Matroska and WebM are made of.

/// The number at the start of `bytes` with its width marker, and its width in bytes.
pub(crate) fn variable(bytes: &[u8], widest: usize) -> Option<(u64, usize)> {
    let width = bytes.first()?.leading_zeros() as usize + 1;
    let number = bytes.get(..width).filter(|_| width <= widest)?;
    Some((big_endian(number), width))
}

pub(crate) fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}
