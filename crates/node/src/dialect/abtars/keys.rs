//! Keys that were made for abTARS, used by this node in the place of its own, so that machines
//! which pinned them need not be told of others.

use tieline_wire::certificate::{Certificate, self_signed};
use tieline_wire::key::SigningKey;
use tieline_wire::problem::{Code, Problem};

use crate::identity::Identity;
use crate::model::{AbtarsKeys, EventKind};
use crate::node::Node;

impl Node {
    /// Takes over the keys and the certificate that were made for abTARS, for example with its
    /// documented `openssl` commands. They are used from the next start on.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for keys that cannot be used or do not belong together, and while a peer
    /// is here that pinned this node's present key; those of the vault.
    pub async fn import_abtars_keys(&self, keys: AbtarsKeys) -> Result<(), Problem> {
        let wrong = |text: String| {
            Problem::new(Code::InvalidRequest)
                .summary("These keys cannot be used.")
                .because(text)
                .remedy("Give the signing key of the peers.json, and the certificate with its key.")
        };
        let pinned = self.peers.all();
        if let Some(peer) = pinned.iter().find(|peer| peer.record().keys.is_some()) {
            return Err(wrong(format!(
                "{} is paired with this machine's present key, and would refuse another.",
                peer.alias()
            ))
            .remedy("Use other keys before pairing, or unpair and pair again afterwards."));
        }
        let agent = SigningKey::parse(&keys.signing_key)
            .map_err(|error| wrong(format!("The signing key: {error}.")))?;
        let tls = match &keys.tls_key {
            Some(pem) => SigningKey::parse(pem)
                .map_err(|error| wrong(format!("The certificate's key: {error}.")))?,
            None => agent.clone(),
        };
        let certificate = match &keys.cert_pem {
            Some(pem) => Certificate::from_pem(pem)
                .map_err(|error| wrong(format!("The certificate: {error}.")))?,
            None => self_signed(&tls, &self.abtars_name())
                .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?,
        };
        if certificate.verify_key() != tls.verify_key() {
            return Err(wrong(match keys.tls_key {
                None => "The certificate holds another key than the signing key, so its own is needed too.".into(),
                Some(_) => "The certificate does not belong to the key given with it.".to_owned(),
            }));
        }
        self.with_vault(move |vault| Ok(Identity::replace_tls(vault, tls, agent, certificate)))
            .await??;
        self.alert(
            Problem::new(Code::NotRunning)
                .summary("Other keys are ready and not in use yet.")
                .because("Keys made for abTARS were imported while Tieline ran.")
                .remedy("Start Tieline again."),
        );
        self.events.changed(EventKind::Status, "identity");
        Ok(())
    }
}
