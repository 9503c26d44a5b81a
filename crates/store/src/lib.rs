//! SQLite store: one writer with group commit, migrations, queries.
