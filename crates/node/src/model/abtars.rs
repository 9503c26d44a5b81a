//! The abTARS dialect as front ends see it: this machine in it, its peers, and files of them.

use serde::{Deserialize, Serialize};
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

/// What is particular to an abTARS peer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbtarsPeerView {
    /// What it calls itself, capitals included; the name that both sides put on the wire.
    pub name: String,
    /// `current` (signed requests) or `legacy` (shared token); absent until it was probed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// Its public key, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_key: Option<String>,
    /// Whether there is a shared token.
    pub has_token: bool,
    /// Whether requests that show only a token made with it are taken; off unless a person chose so.
    pub bearer_allowed: bool,
    /// Whether its messages must carry a tag that names this machine.
    pub signed_only: bool,
    /// Every field of its entry, and which releases use it.
    pub fields: Vec<AbtarsFieldView>,
    /// What a person should know about the entry.
    pub remarks: Vec<String>,
}

/// One field of an entry of a `peers.json`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbtarsFieldView {
    /// The key in the file.
    pub key: String,
    /// What it is for; absent for one that no release knows. It is kept all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Which releases use it, as it is written in this entry: `current`, `legacy`, `both`, `neither`.
    pub live: String,
}

/// An abTARS machine to add, as its entry in a `peers.json` names it.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbtarsEntry {
    /// The entry, `"name": {…}` or `{…}`. May hold a token.
    pub entry: String,
    /// What the machine calls itself, where the entry comes without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a person can change of an abTARS peer. What is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbtarsPeerChange {
    /// Take requests that show only a token made with the shared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_allowed: Option<bool>,
    /// Refuse messages without a valid tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_only: Option<bool>,
    /// Forget which generation it speaks, so that it is found out again.
    #[serde(default)]
    pub forget_generation: bool,
}

/// This machine as abTARS machines know it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbtarsView {
    /// What it calls itself among them.
    pub name: String,
    /// The public key that goes into their files, base64.
    pub verify_key: String,
    /// Its certificate's fingerprint as they write it.
    pub cert_fingerprint: String,
    /// Its certificate, which releases up to v0.3.3 need.
    pub cert_pem: String,
    /// Whether the certificate holds that key; releases from v0.3.5 on connect only then.
    pub key_is_certificates: bool,
    /// Machines that an ask may travel through, `maxHops` of their files.
    pub max_hops: u32,
}

/// What a person can change of [`AbtarsView`].
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbtarsOrder {
    /// What this machine calls itself: 1 to 128 of `A-Z a-z 0-9 . _ : -`, and none of abTARS's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `maxHops`, 1 to 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_hops: Option<u32>,
}

/// The entry for another machine's file that describes this one. Holds the shared token, if there is one.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbtarsPaste {
    /// `"name": {…}`, to be copied among the other machine's `peers`.
    pub entry: String,
}

/// A `peers.json` to import.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbtarsImport {
    /// The file's text; or leave it out and name a file that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The path of a file that `GET /control/found` lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of a file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbtarsImportView {
    /// The file's `self.name`.
    pub name: String,
    /// Whether this machine goes by that name among abTARS machines from now on.
    pub name_taken: bool,
    /// Its peers, in the order of the file.
    pub peers: Vec<AbtarsImportedPeer>,
}

/// One peer of an imported file.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbtarsImportedPeer {
    /// Its name in the file.
    pub name: String,
    /// `added`, `known`, `refused`, or `new` where nothing was to be done.
    pub outcome: String,
    /// Its name here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
    /// For which releases its entry has all that is needed: `current`, `legacy`, `both`, `neither`.
    pub usable: String,
    /// Every field of its entry, and which releases use it.
    pub fields: Vec<AbtarsFieldView>,
    /// What a person should know about the entry.
    pub remarks: Vec<String>,
    /// The entry for that machine's file that describes this one. Holds the shared token, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_for_it: Option<String>,
}

/// This node's abTARS peers as a `peers.json`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbtarsExport {
    /// The file's text.
    pub text: String,
    /// Whether secrets were left out, which another machine would need.
    pub redacted: bool,
}

/// Keys made for abTARS, to be used by this node in the place of its own.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbtarsKeys {
    /// `self.signingKey` of the `peers.json`.
    pub signing_key: String,
    /// The certificate, PEM; made anew from the key where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_pem: Option<String>,
    /// The certificate's private key, PEM, where it is another than `signingKey`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<String>,
}

/// A configuration of another system that is on this machine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundConfig {
    /// `abtars` or `kithkit`.
    pub system: String,
    /// Where it is.
    pub path: String,
    /// Peers in it.
    pub peers: u64,
    /// How many of them are not here yet.
    pub new_peers: u64,
    /// Why it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
}

/// These hold secrets of a file; only their names are printed.
macro_rules! hushed {
    ($($name:ident)*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

hushed! { AbtarsEntry AbtarsPaste AbtarsImport AbtarsImportedPeer AbtarsExport AbtarsKeys }
