//! The tieline command line.
fn main() {}
