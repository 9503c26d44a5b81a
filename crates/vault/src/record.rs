//! `vault.json`: which vault a home uses.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::durable;
use crate::error::VaultError;
use crate::vault::VaultKind;

const LIMIT: u64 = 4096;
const VERSION: u32 = 1;

/// The choice that was made at the first start of a home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    version: u32,
    /// The backend, by its name on disk.
    pub(crate) vault: VaultKind,
    /// Tells this home's items from those of other homes in one keychain: 16 random bytes as hex.
    pub(crate) home_id: String,
}

impl Record {
    /// A record for a home that had none.
    pub(crate) fn new(vault: VaultKind) -> Result<Self, VaultError> {
        let mut id = [0; 16];
        crate::vault::fill_random(&mut id)?;
        let home_id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            version: VERSION,
            vault,
            home_id,
        })
    }

    /// Reads the record of a home; `None` before its first start.
    pub(crate) fn read(home: &Path) -> Result<Option<Self>, VaultError> {
        let path = path(home);
        let bytes = durable::read(&path, LIMIT)
            .map_err(|source| VaultError::file("read", &path, source))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let record: Self = serde_json::from_slice(&bytes)
            .map_err(|error| VaultError::damaged(&path, format!("is not valid: {error}")))?;
        if record.version != VERSION {
            let what = format!(
                "has version {}, which is newer than this program",
                record.version
            );
            return Err(VaultError::damaged(&path, what));
        }
        if record.home_id.len() != 32 || !record.home_id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(VaultError::damaged(&path, "has no valid homeId"));
        }
        Ok(Some(record))
    }

    /// Writes the record, which ends the first start. The caller holds the lock.
    pub(crate) fn write(&self, home: &Path) -> Result<(), VaultError> {
        let path = path(home);
        let failed = |source| VaultError::file("write", &path, source);
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        durable::replace(&path, &bytes).map_err(failed)
    }
}

pub(crate) fn path(home: &Path) -> PathBuf {
    home.join("vault.json")
}
