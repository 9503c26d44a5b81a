//! A machine without Tieline that has keys and speaks the protocol by hand, well or badly.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tieline_node::Node;
use tieline_wire::card::{Card, Dialect};
use tieline_wire::certificate::{Certificate, self_signed};
use tieline_wire::invite::Invite;
use tieline_wire::key::{KeyId, SigningKey, VerifyKey};
use tieline_wire::pairing::{PairProof, Role, Transcript, check, prove};
use tieline_wire::token::{PairToken, body_hash, pair_mac};

use crate::tunnel::{Answer, Http};

pub const HELLO: &str = "/tieline/v1/pair/hello";
pub const PROVE: &str = "/tieline/v1/pair/prove";
pub const CONFIRM: &str = "/tieline/v1/pair/confirm";
pub const BIND: &str = "/tieline/v1/bind";
pub const PING: &str = "/tieline/v1/ping";
pub const MESSAGES: &str = "/tieline/v1/messages";
pub const RESOLVE: &str = "/tieline/v1/resolve";
pub const STAGES: &str = "/tieline/v1/stages";
pub const UNPAIR: &str = "/tieline/v1/unpair";
pub const HELD: &str = "/tieline/v1/held";

/// `{"typ":"JWT","alg":"EdDSA"}`, the header of an honest token.
pub const HEADER: &str = r#"{"typ":"JWT","alg":"EdDSA"}"#;

/// Two keys and a certificate.
#[derive(Clone)]
pub struct Actor {
    pub name: String,
    pub tls: SigningKey,
    pub signing: SigningKey,
    pub certificate: Certificate,
}

impl Actor {
    pub fn new(name: &str) -> Self {
        let tls = SigningKey::generate();
        Self::with_keys(name, tls, SigningKey::generate())
    }

    pub fn with_keys(name: &str, tls: SigningKey, signing: SigningKey) -> Self {
        let certificate = self_signed(&tls, name).unwrap();
        Self {
            name: name.to_owned(),
            tls,
            signing,
            certificate,
        }
    }

    pub fn card(&self, addresses: &[SocketAddr]) -> Card {
        let addresses = addresses
            .iter()
            .map(|address| address.to_string().parse().unwrap())
            .collect();
        Card::new(
            &self.name,
            addresses,
            self.signing.verify_key(),
            self.certificate.clone(),
            vec![Dialect::Tieline],
        )
        .unwrap()
    }

    pub fn card_json(&self, addresses: &[SocketAddr]) -> String {
        String::from_utf8(self.card(addresses).to_json()).unwrap()
    }

    /// Dials with this actor's certificate.
    pub async fn dial(&self, address: SocketAddr) -> Http {
        Http::h2(address, Some(self)).await.unwrap()
    }

    /// Pairs by link as an honest joiner would, all three steps.
    pub async fn join(&self, node: &Node, addresses: &[SocketAddr]) -> Paired {
        let link = node.create_invite(None).await.unwrap().link.unwrap();
        let invite = Invite::parse(&link).unwrap();
        let http = self.dial(listener(node)).await;
        let pairing = self.hello(&http, &invite, addresses).await.unwrap();
        let answer = pairing.prove(&http).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let paired = pairing.paired(node, &http);
        let answer = paired.post(&http, CONFIRM, b"{}").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        paired
    }

    /// First step of joining; the inviter's refusal as it came.
    pub async fn hello(
        &self,
        http: &Http,
        invite: &Invite,
        addresses: &[SocketAddr],
    ) -> Result<Pairing, Answer> {
        let own_card = self.card_json(addresses);
        let answer = http.post(HELLO, &hello_body(invite, &own_card)).await;
        if answer.status != 200 {
            return Err(answer);
        }
        let inviter_card = answer.json["card"].as_str().unwrap().to_owned();
        Ok(Pairing {
            actor: self.clone(),
            invite: invite.clone(),
            inviter_card,
            own_card,
            channel: http.channel,
        })
    }
}

/// Where the engine listens.
pub fn listener(node: &Node) -> SocketAddr {
    node.own_addresses()[0].to_string().parse().unwrap()
}

pub fn hello_body(invite: &Invite, card: &str) -> Vec<u8> {
    let id = STANDARD.encode(invite.secret.invite_id().as_bytes());
    json!({"inviteId": id, "card": card})
        .to_string()
        .into_bytes()
}

/// A joining between its first and its second step.
pub struct Pairing {
    pub actor: Actor,
    pub invite: Invite,
    pub inviter_card: String,
    pub own_card: String,
    pub channel: [u8; 32],
}

impl Pairing {
    pub fn transcript(&self) -> Transcript {
        Transcript::new(
            &self.invite.secret.invite_id(),
            &self.channel,
            self.inviter_card.as_bytes(),
            self.own_card.as_bytes(),
        )
    }

    pub fn proof(&self) -> PairProof {
        prove(
            Role::Joiner,
            &self.invite.secret,
            &self.actor.signing,
            &self.transcript(),
        )
    }

    /// Second step. An answer of success is checked for the inviter's proof.
    pub async fn prove(&self, http: &Http) -> Answer {
        let answer = prove_with(http, &self.proof()).await;
        if answer.status == 200 {
            let theirs: PairProof = serde_json::from_value(answer.json["proof"].clone()).unwrap();
            check(
                Role::Inviter,
                &self.invite.secret,
                &self.inviter().verify_key,
                &self.transcript(),
                &theirs,
            )
            .unwrap();
        }
        answer
    }

    pub fn inviter(&self) -> Card {
        Card::parse(self.inviter_card.as_bytes()).unwrap()
    }

    pub fn paired(&self, node: &Node, http: &Http) -> Paired {
        Paired {
            actor: self.actor.clone(),
            pair: PairToken::from_bytes(http.pair_secret),
            node_key: self.inviter().verify_key,
            address: listener(node),
        }
    }
}

pub async fn prove_with(http: &Http, proof: &PairProof) -> Answer {
    let body = json!({"proof": proof}).to_string();
    http.post(PROVE, body.as_bytes()).await
}

/// An actor that an engine has paired with.
#[derive(Clone)]
pub struct Paired {
    pub actor: Actor,
    pub pair: PairToken,
    pub node_key: VerifyKey,
    pub address: SocketAddr,
}

/// Token and HMAC of one request.
#[derive(Clone, Debug)]
pub struct Proof {
    pub token: String,
    pub mac: Option<String>,
}

impl Paired {
    pub async fn dial(&self) -> Http {
        self.actor.dial(self.address).await
    }

    /// The claims an honest caller would make, ready to be spoilt.
    pub fn claims(&self, http: &Http, method: &str, path: &str, body: &[u8]) -> Value {
        self.claims_on(http.channel, http.next_jti(), method, path, body)
    }

    pub fn claims_on(
        &self,
        channel: [u8; 32],
        jti: u64,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Value {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        json!({
            "iss": self.actor.signing.key_id().to_string(),
            "aud": self.node_key.key_id().to_string(),
            "iat": now,
            "exp": now + 60,
            "jti": jti.to_string(),
            "htm": method,
            "htu": path,
            "bsh": URL_SAFE_NO_PAD.encode(body_hash(body)),
            "cb": URL_SAFE_NO_PAD.encode(channel),
        })
    }

    /// Signs claims with the actor's signing key, and adds the pair's HMAC.
    pub fn sign(&self, claims: &Value) -> Proof {
        self.sign_text(HEADER, &claims.to_string())
    }

    pub fn sign_text(&self, header: &str, claims: &str) -> Proof {
        self.seal(jwt(header, claims, &self.actor.signing))
    }

    /// The pair's HMAC over any token.
    pub fn seal(&self, token: String) -> Proof {
        let mac = Some(pair_mac(&self.pair, &token));
        Proof { token, mac }
    }

    pub fn proof(&self, http: &Http, method: &str, path: &str, body: &[u8]) -> Proof {
        self.sign(&self.claims(http, method, path, body))
    }

    /// An honest request.
    pub async fn post(&self, http: &Http, path: &str, body: &[u8]) -> Answer {
        let proof = self.proof(http, "POST", path, body);
        http.post_with(path, body, &proof).await
    }

    pub fn key_id(&self) -> KeyId {
        self.actor.signing.key_id()
    }

    /// A message from this actor to the engine.
    pub fn message(&self, id: &str, text: &str) -> Vec<u8> {
        envelope(id, self.key_id(), self.node_key.key_id(), text)
    }
}

/// A message as it travels.
pub fn envelope(id: &str, from: KeyId, to: KeyId, text: &str) -> Vec<u8> {
    json!({
        "v": 1, "id": id, "from": from, "to": to, "sentAt": "2026-03-01T12:00:00.000Z",
        "payload": {"type": "text", "text": text},
    })
    .to_string()
    .into_bytes()
}

pub fn jwt(header: &str, claims: &str, key: &SigningKey) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).0);
    format!("{message}.{signature}")
}
