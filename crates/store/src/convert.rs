//! Between columns and the types of the wire crate.

use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tieline_wire::key::{KeyId, VerifyKey};
use tieline_wire::time::UnixMillis;

use crate::StoreError;

/// Declares an enum that is stored as text, and shown in JSON with the same words.
macro_rules! stored_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the database and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                let text = value.as_str()?;
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or_else(|| {
                    rusqlite::types::FromSqlError::Other(format!("unknown {}: {text}", stringify!($name)).into())
                })
            }
        }
    };
}
pub(crate) use stored_enum;

pub(crate) fn key(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<VerifyKey>> {
    let bytes: Option<[u8; 32]> = row.get(column)?;
    bytes
        .map(|bytes| VerifyKey::from_bytes(&bytes))
        .transpose()
        .map_err(|error| unreadable(column, Type::Blob, error))
}

pub(crate) fn required_key(row: &Row<'_>, column: usize) -> rusqlite::Result<VerifyKey> {
    VerifyKey::from_bytes(&row.get(column)?).map_err(|error| unreadable(column, Type::Blob, error))
}

pub(crate) fn key_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<KeyId>> {
    Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(KeyId))
}

pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixMillis> {
    row.get(column).map(UnixMillis)
}

pub(crate) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UnixMillis>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(UnixMillis))
}

/// A text column parsed by the type's own `FromStr`.
pub(crate) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error: T::Err| unreadable(column, Type::Text, error))
}

/// Like [`parsed`], for a column that is never null.
pub(crate) fn required<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get_ref(column)?
        .as_str()?
        .parse()
        .map_err(|error: T::Err| unreadable(column, Type::Text, error))
}

/// A JSON column.
pub(crate) fn json<T: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null()?;
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| unreadable(column, Type::Text, error))
}

/// The length of a text in bytes, for a column.
pub(crate) fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// JSON text for a column.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Sql {
        code: 0,
        detail: error.to_string(),
    })
}

fn unreadable(
    column: usize,
    kind: Type,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
