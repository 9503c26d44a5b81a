//! The joiner's side of pairing by link.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieline_store::peers::{self, Dialect, NewPeer, PairedBy, PeerState};
use tieline_wire::card::{Card, MAX_ADDRESSES};
use tieline_wire::invite::Invite;
use tieline_wire::pairing::{Role, Transcript, check, prove};
use tieline_wire::problem::{Code, Problem};

use super::bind::confirm_on;
use super::roster::{changed_key, free_alias};
use crate::clock::wall_now;
use crate::line::{Connection, DirectConnection, dial, named};
use crate::model::{JoinView, LinkPreview, PingIn};
use crate::node::Node;
use crate::peers::{Peer, token_purpose};
use crate::protocol::{HelloAnswer, HelloBody, ProveAnswer, ProveBody, path};
use crate::tls::ClientTls;

impl Node {
    /// What a link says. Nothing is sent.
    ///
    /// # Errors
    /// `LINK_INVALID`, `LINK_DAMAGED`.
    pub fn preview_link(&self, link: &str) -> Result<LinkPreview, Problem> {
        let invite = Invite::parse(link)?;
        Ok(LinkPreview {
            name: invite.name.clone(),
            addresses: invite.addresses.iter().map(ToString::to_string).collect(),
            fingerprint: invite.fingerprint.to_string(),
            fingerprint_groups: invite.fingerprint.groups().to_vec(),
            words: invite
                .fingerprint
                .words()
                .iter()
                .map(|word| (*word).to_owned())
                .collect(),
        })
    }

    /// Joins with a link: proves, stores the pair, confirms, and pings both ways.
    ///
    /// # Errors
    /// Those of the link, of dialling (`PIN_MISMATCH` before anything was sent), the inviter's
    /// refusals, and `PEER_EXISTS` where the two are paired already.
    pub async fn join(&self, link: &str) -> Result<JoinView, Problem> {
        let invite = Invite::parse(link)?;
        if invite.pin == self.identity.certificate.pin() {
            return Err(Problem::new(Code::OwnLink));
        }
        if let Some(known) = self.peers.by_pin(&invite.pin)
            && known.record().row.token_confirmed
        {
            return Err(Problem::new(Code::PeerExists)
                .summary(format!(
                    "This machine is already paired with {}.",
                    known.alias()
                ))
                .with("peer", known.alias()));
        }
        let tls = ClientTls::new(&self.identity, invite.pin, b"h2")?;
        let dialled = dial(&invite.addresses, None, &tls)
            .await
            .map_err(|error| error.problem)?;
        let address = dialled.address.clone();
        let connection = DirectConnection::start(dialled, &self.stop).await?;
        let joined = self.prove_to(&invite, &connection).await;
        if joined.is_err() {
            connection.close();
        }
        let peer = joined?;
        let id = peer.id;
        self.change_peer(id, move |tx| {
            peers::set_last_good_address(tx, id, Some(&address))
        })
        .await?;
        peer.line.set_direct(Arc::clone(&connection));
        // The pair is stored on both sides now; a confirmation that got lost is sent again with
        // the next contact, so it does not undo the join.
        if let Err(problem) = confirm_on(self, &peer, &Connection::Direct(connection)).await {
            tracing::warn!(problem = %problem.code, "the join could not be confirmed yet");
        }
        Ok(self.measure_join(&peer).await)
    }

    async fn measure_join(&self, peer: &Arc<Peer>) -> JoinView {
        let ping = self.ping_peer(peer).await;
        let ping_in = match crate::reach::ask(self, peer).await {
            Ok(answer) => Some(PingIn {
                ok: answer.ok,
                latency_ms: answer.latency_ms,
                problem: answer.problem,
            }),
            Err(_) => None,
        };
        peer.keeper.notify_one();
        let view = self.peer_view(peer, &self.open_counts().await);
        match ping {
            Ok(ping) => JoinView {
                peer: view,
                ping_out: Some(ping),
                ping_out_problem: None,
                ping_in,
            },
            Err(failure) => JoinView {
                peer: view,
                ping_out: None,
                ping_out_problem: Some(failure.problem),
                ping_in,
            },
        }
    }

    async fn prove_to(
        &self,
        invite: &Invite,
        connection: &Arc<DirectConnection>,
    ) -> Result<Arc<Peer>, Problem> {
        let id = invite.secret.invite_id();
        let own_card = String::from_utf8(self.card()?.to_json())
            .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
        let hello = HelloBody {
            invite_id: STANDARD.encode(id.as_bytes()),
            card: own_card.clone(),
        };
        let answer: HelloAnswer = step(connection, path::PAIR_HELLO, &hello).await?;
        let card = Card::parse(answer.card.as_bytes())?;
        // The pin held in the handshake; the card must be about the same certificate.
        if card.pin() != invite.pin
            || card.certificate.fingerprint() != invite.fingerprint
            || connection.channel.pin() != Some(invite.pin)
        {
            return Err(Problem::new(Code::CardMismatch));
        }
        let transcript = Transcript::new(
            &id,
            &connection.channel.handshake.channel,
            answer.card.as_bytes(),
            own_card.as_bytes(),
        );
        let proof = prove(
            Role::Joiner,
            &invite.secret,
            &self.identity.signing,
            &transcript,
        );
        let answer: ProveAnswer = step(connection, path::PAIR_PROVE, &ProveBody { proof }).await?;
        check(
            Role::Inviter,
            &invite.secret,
            &card.verify_key,
            &transcript,
            &answer.proof,
        )
        .map_err(|_| Problem::new(Code::ProofWrong))?;
        self.store_inviter(card, connection).await
    }

    async fn store_inviter(
        &self,
        mut card: Card,
        connection: &Arc<DirectConnection>,
    ) -> Result<Arc<Peer>, Problem> {
        card.addresses = named(card.addresses, connection.channel.remote.ip());
        if !card.addresses.contains(&connection.dialled) {
            // The link's own address, which works.
            card.addresses.truncate(MAX_ADDRESSES - 1);
            card.addresses.push(connection.dialled.clone());
        }
        let verify_key = card.verify_key;
        let tls_key = card.certificate.verify_key();
        let secret = connection.channel.handshake.pair_secret.clone();
        let sealed = self
            .identity
            .seal
            .seal(&token_purpose(&verify_key), secret.as_slice())?;
        let now = wall_now();
        let _turn = self.changing.lock().await;
        let row = self
            .store
            .write(move |tx| {
                if changed_key(tx, &tls_key, &verify_key)? {
                    return Ok(None);
                }
                let id = match peers::by_tls_key(tx, &tls_key)? {
                    Some(known) => {
                        peers::set_token(tx, known.id, Some(&sealed), false)?;
                        known.id
                    }
                    None => {
                        let new = NewPeer {
                            alias: free_alias(tx, &card.name)?,
                            dialect: Dialect::Tieline,
                            // Whoever pastes a link and looks at the words has decided.
                            state: PeerState::Kept,
                            tls_key: Some(tls_key),
                            verify_key: Some(verify_key),
                            certificate: Some(card.certificate.der().to_vec()),
                            suggested_name: Some(card.name.clone()),
                            addresses: card.addresses.clone(),
                            sealed_token: Some(sealed),
                            token_confirmed: false,
                            paired_by: PairedBy::Link,
                            paired_at: now,
                            options: serde_json::json!({}),
                        };
                        peers::insert(tx, &new)?
                    }
                };
                peers::get(tx, id)
            })
            .await?;
        let row = row.ok_or_else(|| Problem::new(Code::NewKey))?;
        self.put_peer(row)
            .ok_or_else(|| Problem::new(Code::PeerRevoked))
    }
}

async fn step<Answer: serde::de::DeserializeOwned>(
    connection: &DirectConnection,
    path: &str,
    body: &impl serde::Serialize,
) -> Result<Answer, Problem> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
    let answer = connection.exchange_unproven(path, body.into()).await;
    answer.map_err(|error| error.problem)?.read()
}
