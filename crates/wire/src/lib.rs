//! Formats and cryptography of every Tieline dialect; no I/O, no async.
