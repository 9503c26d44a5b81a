//! The listener for KithKit machines as front ends see it.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};
use tieline_wire::kithkit::Posture;
use tieline_wire::kithkit::config::DEFAULT_LAN_PORT;
use utoipa::ToSchema;

/// What to do with KithKit messages that carry no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LanPosture {
    /// Refuse them.
    #[default]
    Enforce,
    /// Accept them as of unknown origin. A wrong signature is refused all the same.
    Permissive,
}

impl From<LanPosture> for Posture {
    fn from(posture: LanPosture) -> Self {
        match posture {
            LanPosture::Enforce => Self::Enforce,
            LanPosture::Permissive => Self::Permissive,
        }
    }
}

/// Where KithKit machines reach this node, over plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct KithkitLan {
    /// The address to bind; every interface unless given.
    #[schema(value_type = String)]
    pub bind: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// What to do with messages that carry no signature.
    pub posture: LanPosture,
}

impl Default for KithkitLan {
    fn default() -> Self {
        Self {
            bind: Ipv4Addr::UNSPECIFIED.into(),
            port: DEFAULT_LAN_PORT,
            posture: LanPosture::Enforce,
        }
    }
}

/// The listener for KithKit machines: what is set, and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KithkitLanView {
    /// What is set; absent while it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<KithkitLan>,
    /// Where it listens, with the real port; absent when it does not, although it may be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}
