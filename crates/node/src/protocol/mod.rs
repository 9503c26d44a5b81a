//! What Tieline nodes say to each other, and who may say it.
//!
//! Every request is the same thing whether it came by HTTPS or as a frame on a held connection:
//! a method, a path, a proof and a body, on a [`Channel`] whose TLS handshake named a key.
//! [`dispatch`] looks at the key, then at the proof, then at the path.

mod authenticate;
mod body;
mod channel;
mod dispatch;

pub(crate) use authenticate::authenticate;
pub(crate) use body::{
    BindAnswer, ConfirmAnswer, HelloAnswer, HelloBody, MessageAnswer, PingAnswer, PingBody,
    ProveAnswer, ProveBody, ReachAnswer, ResolveAnswer, ResolveBody, ResolveItem, ResolvedItem,
    StagesBody,
};
pub(crate) use channel::{Channel, Proof};
pub(crate) use dispatch::{Reply, Request, dispatch};

/// Paths of the peer protocol, version 1. All are `POST` but `HELD`.
pub(crate) mod path {
    /// First step of joining with an invite.
    pub(crate) const PAIR_HELLO: &str = "/tieline/v1/pair/hello";
    /// Second step of joining: the proofs.
    pub(crate) const PAIR_PROVE: &str = "/tieline/v1/pair/prove";
    /// The joiner has stored the pair.
    pub(crate) const PAIR_CONFIRM: &str = "/tieline/v1/pair/confirm";
    /// Makes the pair's token from this connection, for pairs made by swapping cards.
    pub(crate) const BIND: &str = "/tieline/v1/bind";
    /// Are you there, and what time is it.
    pub(crate) const PING: &str = "/tieline/v1/ping";
    /// Can you dial me.
    pub(crate) const REACH: &str = "/tieline/v1/reach";
    /// Here is a message.
    pub(crate) const MESSAGES: &str = "/tieline/v1/messages";
    /// What became of these messages.
    pub(crate) const RESOLVE: &str = "/tieline/v1/resolve";
    /// Your messages reached these later stages.
    pub(crate) const STAGES: &str = "/tieline/v1/stages";
    /// Whoever asked has hung up.
    pub(crate) const ASK_CANCEL: &str = "/tieline/v1/asks/cancel";
    /// Your ask's answer is this far.
    pub(crate) const ASK_PROGRESS: &str = "/tieline/v1/asks/progress";
    /// This node stops in good order, and comes back.
    pub(crate) const ASLEEP: &str = "/tieline/v1/asleep";
    /// We are no longer paired.
    pub(crate) const UNPAIR: &str = "/tieline/v1/unpair";
    /// `GET`, upgraded to a WebSocket that carries requests both ways.
    pub(crate) const HELD: &str = "/tieline/v1/held";
    /// `GET`: alive, nothing else.
    pub(crate) const HEALTH: &str = "/health";
}

/// Scheme of the `Authorization` header that carries a request token.
pub(crate) const SCHEME: &str = "Tieline ";
/// Header with the HMAC over the token under the pair's token.
pub(crate) const MAC_HEADER: &str = "x-tieline-mac";
