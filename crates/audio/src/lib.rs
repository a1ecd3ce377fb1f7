//! Video bytes in, MP3 bytes out
