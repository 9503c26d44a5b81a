//! This machine as abTARS machines know it: its name, its key, and the entry for their files.

use tieline_wire::abtars::names;
use tieline_wire::abtars::peers_json::EntryValues;
use tieline_wire::key::SigningKey;
use tieline_wire::problem::{Code, Problem};

use super::state;
use crate::model::{AbtarsOrder, AbtarsPaste, AbtarsView};
use crate::node::Node;

/// Most hops that this node believes in.
const MOST_HOPS: u32 = tieline_wire::ask::MAX_HOPS as u32;

impl Node {
    /// What this machine calls itself among abTARS machines.
    #[must_use]
    pub(crate) fn abtars_name(&self) -> String {
        self.abtars
            .settings()
            .name
            .unwrap_or_else(|| wire_name(&self.own_name()))
    }

    /// The key that abTARS machines know this one by.
    pub(crate) fn abtars_key(&self) -> &SigningKey {
        &self.identity.agent
    }

    /// This machine as abTARS machines know it.
    #[must_use]
    pub fn abtars(&self) -> AbtarsView {
        let certificate = &self.identity.certificate;
        let key = self.abtars_key().verify_key();
        AbtarsView {
            name: self.abtars_name(),
            verify_key: key.to_base64(),
            cert_fingerprint: certificate.fingerprint().bare(),
            cert_pem: certificate.to_pem(),
            key_is_certificates: certificate.verify_key() == key,
            max_hops: self.abtars.max_hops(),
        }
    }

    /// Changes what this machine calls itself among abTARS machines, or its hops.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for a name that abTARS would not take, and those of the store.
    pub async fn set_abtars(&self, order: AbtarsOrder) -> Result<AbtarsView, Problem> {
        let wrong = |text: String| Problem::new(Code::InvalidRequest).because(text);
        let _turn = self.abtars.turn.lock().await;
        let mut settings = self.abtars.settings();
        if let Some(name) = order.name {
            names::check(&name)
                .map_err(|error| wrong(format!("The name cannot be used: {error}.")))?;
            settings.name = Some(name);
        }
        if let Some(hops) = order.max_hops {
            if !(1..=MOST_HOPS).contains(&hops) {
                return Err(wrong(format!(
                    "The hops of a question are 1 to {MOST_HOPS}."
                )));
            }
            settings.max_hops = Some(hops);
        }
        state::save(self, settings).await?;
        Ok(self.abtars())
    }

    /// The entry for a peer's `peers.json` that describes this machine, with the token shared with
    /// that peer.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_REQUEST` for a peer that is no abTARS machine.
    pub fn abtars_entry_for(&self, peer: &str) -> Result<AbtarsPaste, Problem> {
        let peer = self.peer_named(peer)?;
        let record = peer.record();
        let contact = record.contact.as_ref().ok_or_else(not_abtars)?;
        Ok(AbtarsPaste {
            entry: self.abtars_paste(contact.entry.token.clone())?,
        })
    }

    /// The same with any token, or none.
    pub(crate) fn abtars_paste(
        &self,
        token: Option<tieline_wire::abtars::SharedToken>,
    ) -> Result<String, Problem> {
        let address = self.own_addresses().into_iter().next();
        let values = EntryValues {
            address: address.ok_or_else(|| Problem::new(Code::NoAddress))?,
            token,
            verify_key: self.abtars_key().verify_key(),
            certificate: Some(self.identity.certificate.clone()),
        };
        Ok(values.to_paste(&self.abtars_name()).to_string())
    }
}

/// For an order that only an abTARS peer can take.
pub(super) fn not_abtars() -> Problem {
    Problem::new(Code::InvalidRequest)
        .summary("This peer is no abTARS machine.")
        .because("Only a peer of the dialect abtars has an entry of a peers.json.")
        .remedy("Choose another peer.")
}

/// A node's free name in the form of an abTARS name.
fn wire_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).take(names::MAX_NAME / 2).collect();
    if name.is_empty() {
        "tieline".to_owned()
    } else if names::is_refused(&name) {
        format!("{name}-1")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_own_name_becomes_one_that_abtars_takes() {
        for (own, wire) in [
            ("mac", "mac"),
            ("Büro Mac", "B_ro_Mac"),
            ("Main", "Main-1"),
            ("", "tieline"),
        ] {
            assert_eq!(wire_name(own), wire);
            assert_eq!(names::check(wire), Ok(()));
        }
    }
}
