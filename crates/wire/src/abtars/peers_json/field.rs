//! What each field is for, and which generation still reads it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::certificate::CertificateError;
use crate::fingerprint::FingerprintError;
use crate::key::KeyError;

/// Which generations something holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Live {
    /// v0.3.5 and later only.
    Current,
    /// v0.2.1 to v0.3.3 only.
    Legacy,
    /// Both.
    Both,
    /// Neither.
    Neither,
}

impl Live {
    /// Puts two answers together.
    #[must_use]
    pub const fn of(current: bool, legacy: bool) -> Self {
        match (current, legacy) {
            (true, true) => Self::Both,
            (true, false) => Self::Current,
            (false, true) => Self::Legacy,
            (false, false) => Self::Neither,
        }
    }

    /// Whether it holds for v0.3.5 and later.
    #[must_use]
    pub const fn current(self) -> bool {
        matches!(self, Self::Current | Self::Both)
    }

    /// Whether it holds for v0.2.1 to v0.3.3.
    #[must_use]
    pub const fn legacy(self) -> bool {
        matches!(self, Self::Legacy | Self::Both)
    }
}

macro_rules! fields {
    ($($field:ident $key:literal $live:ident $purpose:literal;)*) => {
        /// A field of a peer's entry that some release knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field {
            $(#[doc = $purpose] $field,)*
        }

        impl Field {
            /// All of them; the documented ones first.
            pub const ALL: &[Self] = &[$(Self::$field),*];

            /// The key in the entry.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$field => $key,)* }
            }

            /// Which generations read it at all.
            #[must_use]
            pub const fn live(self) -> Live {
                match self { $(Self::$field => Live::$live,)* }
            }

            /// What it is for, in a few words.
            #[must_use]
            pub const fn purpose(self) -> &'static str {
                match self { $(Self::$field => $purpose,)* }
            }
        }
    };
}

fields! {
    Host "host" Both "where the peer is";
    Port "port" Both "the port of its agent API";
    Token "token" Legacy "the secret of legacy bearers";
    VerifyKey "verifyKey" Both "the peer's public key: requests and the connection (current), message tags (both)";
    CertFingerprint "certFingerprint" Legacy "the certificate that a legacy connection must show";
    CertPem "certPem" Legacy "that certificate itself";
    Trust "trust" Both "how far abTARS trusts what the peer says";
    Mode "mode" Both "whether messages must carry a tag";
    Transport "transport" Current "whether the peer dials in and holds a connection";
    AllowedTools "allowedTools" Neither "read and used by no release";
    AllowedRead "allowedRead" Neither "read and used by no release";
    AllowedWrite "allowedWrite" Neither "read and used by no release";
    Url "url" Neither "used before v0.2.1";
    PskSecret "pskSecret" Neither "used before v0.2.1";
    GossipSecret "gossipSecret" Neither "used by discovery that is gone";
    UdpPort "udpPort" Neither "used by discovery that is gone";
}

/// One field of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldUse {
    /// The key as it stands in the file.
    pub key: String,
    /// The field, or nothing if no release knows it.
    pub field: Option<Field>,
    /// Which generations use it, as it is written in this entry.
    pub live: Live,
}

/// Something about an entry that a person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// The entry is not an object.
    NotAnObject,
    /// abTARS refuses a peer of this name.
    NameRefused,
    /// There is no usable `host`.
    HostMissing,
    /// There is no usable `port`, and abTARS has no default.
    PortMissing,
    /// `port` is a text; abTARS skips the entry, here it is read as the number.
    PortIsText,
    /// `port` is 0. Likely cause: an enrolment in which the other side did not say its port.
    PortZero,
    /// There is no `verifyKey`, so current abTARS skips the entry.
    KeyMissing,
    /// `verifyKey` cannot be used.
    Key(KeyError),
    /// There is no `token`, so a legacy peer cannot be asked.
    TokenMissing,
    /// `certPem` cannot be used as the certificate of a current peer.
    Certificate(CertificateError),
    /// `certFingerprint` is no fingerprint.
    Fingerprint(FingerprintError),
    /// `certFingerprint` is not the fingerprint of `certPem`: no connection can satisfy both.
    FingerprintMismatch,
    /// Legacy abTARS compares the text: it wants 32 upper-case pairs with colons and no prefix.
    FingerprintSpelling,
    /// Legacy abTARS refuses a self-signed certificate unless it has `certPem` too.
    FingerprintAlone,
    /// The key in `certPem` is not `verifyKey`. A current abTARS neither starts with such a
    /// certificate nor connects to it.
    KeyNotOfCertificate,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("The entry is not an object; abTARS skips it."),
            Self::NameRefused => f.write_str("abTARS uses this name for itself and refuses it for a peer."),
            Self::HostMissing => f.write_str("The host is missing; abTARS skips the entry."),
            Self::PortMissing => f.write_str("The port is missing or impossible, and abTARS has no default for it; try 7100, or 3100 for releases before 2026-06-25."),
            Self::PortIsText => f.write_str("The port is written in quotes; abTARS skips such an entry."),
            Self::PortZero => f.write_str("The port is 0: the machines were enrolled without saying a port, and abTARS cannot call back."),
            Self::KeyMissing => f.write_str("There is no verifyKey; abTARS from v0.3.5 on skips the entry."),
            Self::Key(error) => write!(f, "The verifyKey cannot be used: {error}."),
            Self::TokenMissing => f.write_str("There is no token; a peer up to v0.3.3 cannot be asked without one."),
            Self::Certificate(error) => write!(f, "The certPem cannot be used: {error}."),
            Self::Fingerprint(error) => write!(f, "The certFingerprint cannot be used: {error}."),
            Self::FingerprintMismatch => f.write_str("The certFingerprint is not that of the certPem."),
            Self::FingerprintSpelling => f.write_str("abTARS up to v0.3.3 takes the certFingerprint only as upper-case pairs with colons and without a prefix."),
            Self::FingerprintAlone => f.write_str("abTARS up to v0.3.3 needs the certPem beside the certFingerprint."),
            Self::KeyNotOfCertificate => f.write_str("The certificate holds another key than the verifyKey; abTARS from v0.3.5 on needs them to be the same."),
        }
    }
}
