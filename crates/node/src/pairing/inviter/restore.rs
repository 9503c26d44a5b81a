//! Joins of earlier runs that were not confirmed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieline_store::{invites, settings};
use tieline_wire::pairing::{InviteId, InviteSecret};
use tieline_wire::problem::Problem;

use super::{DEFAULT_TTL, SEALED_FOR};
use crate::node::Node;
use crate::pairing::entry::{Binding, Entry, Stand};

const SETTING: &str = "invite:";

/// Setting that keeps a bound invite's sealed secret until the joiner has confirmed.
pub(in crate::pairing) fn setting(invite: &InviteId) -> String {
    format!("{SETTING}{}", STANDARD.encode(invite.as_bytes()))
}

/// Reads bound invites of earlier runs back: their joiners may finish. Unbound ones died with the run.
///
/// # Errors
/// Those of the store.
pub(crate) async fn restore(node: &Node) -> Result<(), Problem> {
    let bound = node.store.read(|conn| {
        let mut found = Vec::new();
        for (key, value) in settings::list(conn)? {
            let id = key
                .strip_prefix(SETTING)
                .and_then(|text| STANDARD.decode(text).ok())
                .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
            if let Some(id) = id
                && let Some(row) = invites::get(conn, &id)?
            {
                found.push((row, value));
            }
        }
        Ok(found)
    });
    for (row, value) in bound.await? {
        let secret = value
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| node.identity.seal.open(SEALED_FOR, &bytes))
            .and_then(|plain| <[u8; 16]>::try_from(plain.as_slice()).ok());
        let Some(secret) = secret else { continue };
        let mut entry = Entry::new(
            InviteSecret::from_bytes(secret),
            None,
            row.bound_at,
            DEFAULT_TTL,
        );
        entry.stand = Stand::Bound(Box::new(Binding {
            tls_key: row.tls_key,
            verify_key: row.verify_key,
            peer: Some(row.peer),
            confirmed: row.confirmed,
        }));
        node.invites.write(InviteId(row.invite_id), entry);
    }
    Ok(())
}
