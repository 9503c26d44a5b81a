//! What the person brought of another machine: read, held against what is known, and completed by
//! fetching its certificate where only the fingerprint was brought.

use tieline_wire::card::{Card, Dialect};
use tieline_wire::certificate::Certificate;
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::presented::Presented;
use tieline_wire::problem::{Code, Problem};

use super::roster::free_alias;
use crate::line::dial;
use crate::model::{CompareView, FingerprintView, PresentedView};
use crate::node::Node;
use crate::tls::{ClientTls, Expected, shown_certificate};

impl Node {
    /// Says what a pasted text holds of another machine. Nothing is stored or sent.
    ///
    /// # Errors
    /// `INVALID_REQUEST` or `CARD_INVALID` where nothing usable is in it.
    pub async fn read_presented(&self, text: &str) -> Result<PresentedView, Problem> {
        let found = Presented::read(text)?;
        let name = suggestion(&found);
        let suggested_alias = self.store.read(move |conn| free_alias(conn, &name)).await?;
        Ok(PresentedView {
            form: found.form.as_str().to_owned(),
            dialect: if found.is_abtars { "abtars" } else { "tieline" }.to_owned(),
            suggested_alias,
            addresses: found.addresses.iter().map(ToString::to_string).collect(),
            fingerprint: found.fingerprint.into(),
            key_id: found.verify_key.map(|key| key.key_id().to_string()),
            certificate_is_fetched: found.certificate.is_none(),
            is_own: self.is_own(found.fingerprint),
            matches_peer: self.peer_with(found.fingerprint),
            problem: self.objection(&found),
            name: found.name,
        })
    }

    /// Holds anything with a fingerprint in it against the known peers, this node, and `expected`
    /// (which may be anything with a fingerprint in it, too).
    ///
    /// # Errors
    /// `INVALID_REQUEST` where no fingerprint can be read from one of them.
    pub fn compare(&self, text: &str, expected: Option<&str>) -> Result<CompareView, Problem> {
        let pasted = Presented::read(text)?.fingerprint;
        let expected = expected
            .map(|text| Presented::read(text).map(|found| found.fingerprint))
            .transpose()?;
        Ok(CompareView {
            pasted: pasted.into(),
            matches_peer: self.peer_with(pasted),
            is_own: self.is_own(pasted),
            same: expected.map(|expected| expected == pasted),
            first_difference: expected.and_then(|expected| expected.first_difference(&pasted)),
            expected: expected.map(FingerprintView::from),
        })
    }

    /// The whole card of what was brought. A missing certificate is fetched from one of the
    /// addresses; the connection is cut at the first byte of any other certificate.
    ///
    /// # Errors
    /// What is missing, or why the certificate could not be fetched.
    pub(super) async fn card_of(&self, found: &Presented) -> Result<Card, Problem> {
        if let Some(problem) = incomplete(found) {
            return Err(problem);
        }
        let verify_key = found
            .verify_key
            .ok_or_else(|| Problem::new(Code::Internal))?;
        let certificate = match &found.certificate {
            Some(certificate) => certificate.clone(),
            None => self.fetch_certificate(found).await?,
        };
        if certificate.verify_key() == verify_key {
            return Err(single_key());
        }
        Ok(Card::new(
            &suggestion(found),
            found.addresses.clone(),
            verify_key,
            certificate,
            vec![Dialect::Tieline],
        )?)
    }

    async fn fetch_certificate(&self, found: &Presented) -> Result<Certificate, Problem> {
        let expected = Expected::Certificate(found.fingerprint);
        let tls = ClientTls::expecting(&self.identity, expected, b"h2")?;
        let dialled = dial(&found.addresses, None, &tls)
            .await
            .map_err(|error| not_fetched(error.problem))?;
        shown_certificate(dialled.stream.get_ref().1)?
            .ok_or_else(|| Problem::new(Code::TlsFailed).because("It showed no certificate."))
    }

    /// Why this machine cannot be added.
    fn objection(&self, found: &Presented) -> Option<Problem> {
        if self.is_own(found.fingerprint) {
            return Some(own());
        }
        if let Some(peer) = self.peer_with(found.fingerprint) {
            return Some(known(&peer));
        }
        incomplete(found)
    }

    fn is_own(&self, fingerprint: Fingerprint) -> bool {
        fingerprint == self.identity.certificate.fingerprint()
    }

    fn peer_with(&self, fingerprint: Fingerprint) -> Option<String> {
        self.peers.all().into_iter().find_map(|peer| {
            let record = peer.record();
            let certificate = Certificate::from_der(record.row.certificate.as_deref()?).ok()?;
            (certificate.fingerprint() == fingerprint).then(|| record.row.alias.clone())
        })
    }
}

/// What the text lacks for a peer to be made of it.
fn incomplete(found: &Presented) -> Option<Problem> {
    // Its own rules hold when it is added.
    if found.is_abtars {
        return None;
    }
    if found.has_single_key() {
        return Some(single_key());
    }
    let missing = |what: &'static str, remedy: &'static str| {
        Some(
            Problem::new(Code::InvalidRequest)
                .summary(format!("Its {what} is missing."))
                .because("A machine is added by its address, its fingerprint and its signing key.")
                .remedy(remedy),
        )
    };
    match (&found.verify_key, &found.certificate) {
        (None, _) => missing(
            "signing key",
            "Paste its whole card (`tieline card --json` there), or add a line with its key.",
        ),
        (Some(_), None) if found.addresses.is_empty() => missing(
            "address",
            "Add a line host:port, so that its certificate can be fetched there.",
        ),
        _ => None,
    }
}

/// What the machine would be called here.
fn suggestion(found: &Presented) -> String {
    match (&found.name, found.addresses.first()) {
        (Some(name), _) => name.clone(),
        (None, Some(address)) if address.ip().is_none() => address.host().to_owned(),
        (None, _) => "peer".to_owned(),
    }
}

/// The problem of this node's own card.
pub(super) fn own() -> Problem {
    Problem::new(Code::OwnLink).summary("This is this machine's own card.")
}

/// The problem of a machine that is a peer already.
pub(super) fn known(alias: &str) -> Problem {
    Problem::new(Code::PeerExists)
        .summary(format!("This machine is already paired with {alias}."))
        .with("peer", alias)
}

fn single_key() -> Problem {
    Problem::new(Code::InvalidRequest)
        .summary("This machine does not run Tieline.")
        .because("One key is both its certificate's and its own, as on machines that run abTARS; a Tieline machine has two.")
        .remedy("To pair two machines that run Tieline, paste what `tieline card --json` prints on the other one.")
}

fn not_fetched(problem: Problem) -> Problem {
    match problem.code {
        Code::PinMismatch => problem
            .summary("The machine at that address has another fingerprint.")
            .because("The address is another machine's, its Tieline was set up anew, or someone stands between.")
            .remedy("Compare the fingerprint with what the other machine shows for itself, and check the address."),
        _ => problem,
    }
}
