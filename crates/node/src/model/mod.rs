//! What front ends see: plain serialisable views of the engine's state.
//!
//! JSON names are camelCase; times are RFC 3339 in UTC with milliseconds; durations say their
//! unit in the name. Options that are absent are left out.

mod abtars;
mod ask;
mod command;
mod delivery;
mod diagnostics;
mod event;
mod hook;
mod kithkit;
mod pairing;
mod peer;
mod preferences;
mod problem;
mod status;
mod trial;

pub use abtars::{
    AbtarsEntry, AbtarsExport, AbtarsFieldView, AbtarsImport, AbtarsImportView, AbtarsImportedPeer,
    AbtarsKeys, AbtarsOrder, AbtarsPaste, AbtarsPeerChange, AbtarsPeerView, AbtarsView,
    FoundConfig,
};
pub use ask::{AskCommand, AskView, BrakeView, PendingAsk, Provenance, Responder};
pub use command::{
    AddPeer, DeliveryQuery, KithkitPeer, MessageQuery, OnFailure, RouteChoice, SendCommand, Target,
};
pub use delivery::{
    AttemptView, ConversationView, DeliveryPage, DeliveryView, MessageDetail, MessagePage,
    MessageView, PhaseTimings, PingFailure, PingView, ReceiptView, SendFailure, SendOutcome,
};
pub use diagnostics::{
    BoundAddress, DatabaseView, DiagnosticsView, LimitView, LogLine, RecentProblem,
};
pub use event::{Event, EventKind};
pub use hook::{Hook, HookTrial, HookView};
pub use kithkit::{KithkitLan, KithkitLanView, LanPosture};
pub use pairing::{
    CompareView, FingerprintView, InviteState, InviteView, JoinView, LinkPreview, PingIn,
    PresentedView, SwapOffer,
};
pub use peer::{Direction, DirectionState, LineView, PeerStateView, PeerView, Via};
pub use preferences::{
    NotATimeOfDay, NotificationPreferences, Preferences, QuietHours, RouteOrder, TimeOfDay,
};
pub use problem::{PhaseSchema, ProblemSchema};
pub use status::{Counts, HostKind, NodeStatus, SecretView, ShutdownReport, VaultView};
pub use trial::{TrialState, TrialView};
