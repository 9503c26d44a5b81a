//! Secrets: the OS keychain or a file vault.
