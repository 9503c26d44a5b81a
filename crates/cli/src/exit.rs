//! Exit codes: what went wrong, for scripts. `tieline --help` lists them.

use std::process::ExitCode;

use tieline_wire::problem::Code;

/// The list for `--help`.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  done
  1  failed for a reason not listed here
  2  wrong usage: unknown option, invalid value or request
  3  no node runs in this home
  4  not found: peer, message, invite or secret
  5  not delivered or not reached: the peer is off, refused, or did not answer
  6  not trusted: wrong key, wrong proof, invalid or used link
  7  the vault or the database cannot be used
  8  the home or a port is taken
  9  asked, but no answer yet";

/// A question was delivered and its answer is still to come.
pub(crate) const NOT_YET: u8 = 9;

/// The exit code for a problem.
pub(crate) fn code(code: Code) -> ExitCode {
    ExitCode::from(number(code))
}

fn number(code: Code) -> u8 {
    use Code::*;
    match code {
        InvalidRequest | InvalidTarget | InvalidRoute | PayloadTooLarge | AliasInvalid
        | ConfigInvalid | UnsupportedMediaType => 2,
        NotRunning => 3,
        PeerNotFound | GroupNotFound | MessageNotFound | SecretNotFound | NotFound => 4,
        DeliveryFailed | RelayUnavailable | LanUnavailable | ResolveFailed | ConnectRefused
        | ConnectTimeout | Unreachable | NoAddress | TlsFailed | NotTls | PeerRefusedUs
        | PeerRevoked | NotKept | ResponseInvalid | ResponseTimeout | PeerBusy | Expired
        | RateLimited | NoResponder | ResponderFailed | ResponderTimeout | ResponderInterrupted
        | AskDeclined | HopLimit | BudgetSpent => 5,
        LinkInvalid | LinkDamaged | LinkExpired | InviteUnknown | InviteUsed | InviteLocked
        | ProofWrong | OwnLink | CardInvalid | CardMismatch | PinMismatch | NewKey
        | TokenInvalid | ReceiptInvalid => 6,
        VaultAbsent | VaultLocked | VaultDenied | VaultChanged | VaultPassphrase
        | IdentityMissing | StoreDamaged | StoreFull | StoreFailed | StoreRestored => 7,
        HomeLocked | HomeUnwritable | PortInUse | PortDenied => 8,
        _ => 1,
    }
}
