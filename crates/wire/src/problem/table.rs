//! The one table of problem texts: what failed, the likely cause, what to do.

use super::{Entry, Phase};

codes! {
    InvalidRequest "INVALID_REQUEST" 400 None,
        "The request cannot be read.",
        "The body is missing, is not JSON, or lacks a field that is needed.",
        "Compare the request with the example in the documentation, then send it again.";
    InvalidTarget "INVALID_TARGET" 400 None,
        "The request does not say whom it is for.",
        "Exactly one of \"to\" and \"group\" is needed, and it must be a non-empty string.",
        "Give one of the two.";
    InvalidRoute "INVALID_ROUTE" 400 None,
        "This route cannot be used.",
        "\"route\" is none of auto, lan and relay, or lan was asked for a group or for a name with @.",
        "Leave \"route\" out, or set it to auto.";
    PeerNotFound "PEER_NOT_FOUND" 404 None,
        "No peer has this name.",
        "The name is misspelt, fits several peers, or belongs to a machine that is not paired.",
        "Look at the list of peers, and use one of those names.";
    GroupNotFound "GROUP_NOT_FOUND" 404 None,
        "No group has this name.",
        "The name is misspelt, or this machine is not a member of the group.",
        "Look at the list of groups, and use a name or id from it.";
    PayloadTooLarge "PAYLOAD_TOO_LARGE" 413 Some(Phase::Limit),
        "The message is too long to be sent whole.",
        "The recipient accepts less than this, and nothing is ever cut off.",
        "Shorten the message, or send it in parts.";
    DeliveryFailed "DELIVERY_FAILED" 502 None,
        "The message could not be delivered.",
        "Every route to the recipient failed; the attempts say how.",
        "Follow the remedy of the last attempt, then send the message again.";
    RelayUnavailable "RELAY_UNAVAILABLE" 503 None,
        "The relay cannot be used.",
        "No relay is set up, or it has not accepted this machine yet.",
        "Send over the local network: this version of Tieline speaks with no relay yet.";
    LanUnavailable "LAN_UNAVAILABLE" 503 None,
        "The local network route cannot be used.",
        "The secret shared with the other KithKit machines is missing on this one.",
        "Enter the shared secret in the settings.";
    IdConflict "ID_CONFLICT" 409 Some(Phase::Store),
        "Another message was already sent under this id.",
        "The id was used again for a different content, so nothing was stored.",
        "Send the message under a new id.";
    MessageNotFound "MESSAGE_NOT_FOUND" 404 None,
        "No message has this id.",
        "The id is misspelt, or the message is older than messages are kept here.",
        "Look at the list of messages.";
    Unauthorized "UNAUTHORIZED" 401 None,
        "The request carries no valid token.",
        "The token is missing, misspelt, or was replaced by a newer one.",
        "Run \"tieline token\", and send its output as \"Authorization: Bearer <token>\".";
    ForbiddenHost "FORBIDDEN_HOST" 403 None,
        "The request was sent to a host name that is not served here.",
        "It was addressed to something other than this machine's own loopback address, as a web page can do by rebinding a name.",
        "Address the request to 127.0.0.1 or localhost with the right port.";
    ForbiddenOrigin "FORBIDDEN_ORIGIN" 403 None,
        "Requests from web pages are refused.",
        "The request came from a page in a browser, and no page may use this interface.",
        "Call it from a program on this machine.";
    PageCodeInvalid "PAGE_CODE_INVALID" 401 None,
        "This link does not open the page any more.",
        "Its code was used already, is older than 60 seconds, or was damaged on the way.",
        "Run \"tieline ui\" in a terminal on this machine, and open the new link within 60 seconds.";
    PageSessionEnded "PAGE_SESSION_ENDED" 401 None,
        "This page is not signed in.",
        "It was opened without a link, was left alone for twelve hours, or Tieline was started again since.",
        "Run \"tieline ui\" in a terminal on this machine, and open the link it prints within 60 seconds.";
    NotFromBrowser "NOT_FROM_BROWSER" 403 None,
        "This cannot be done from a browser.",
        "A browser's extensions can read and alter its pages, so a page may neither see secrets nor choose commands that run on this machine.",
        "Do it with the command line (\"tieline --help\" lists the commands) or in the app's window.";
    PageNotServed "PAGE_NOT_SERVED" 404 None,
        "This node serves no page for browsers.",
        "It was started without --ui, or by the app, which has a window of its own.",
        "Open the app's window, or stop the node and start it with \"tieline serve --ui\".";
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 None,
        "The body's type is not accepted here.",
        "Only application/json is read.",
        "Send the header \"Content-Type: application/json\".";
    NotFound "NOT_FOUND" 404 None,
        "There is nothing at this path.",
        "The path or the method is misspelt, or belongs to another version.",
        "Look at the list of routes in the documentation.";
    RateLimited "RATE_LIMITED" 429 Some(Phase::Limit),
        "Too many requests came in a short time.",
        "The limit for this caller is reached.",
        "Wait as long as the Retry-After header says, then try again.";
    LinkInvalid "LINK_INVALID" 400 None,
        "This is not a pairing link.",
        "Something else was on the clipboard, or the link was made by a newer version.",
        "Copy the link again from the other machine; it begins with tieline://join#.";
    LinkDamaged "LINK_DAMAGED" 400 None,
        "The pairing link is incomplete or altered.",
        "It was cut or changed by the program it was sent through.",
        "Copy the whole link again, or send it another way.";
    LinkExpired "LINK_EXPIRED" 410 Some(Phase::Auth),
        "The pairing link has expired.",
        "A link is valid for ten minutes, and only while the machine that made it keeps running.",
        "Make a new link on the other machine.";
    InviteUnknown "INVITE_UNKNOWN" 404 Some(Phase::Auth),
        "The other machine does not know this link.",
        "It was withdrawn, or that machine was restarted since it made the link.",
        "Make a new link on the other machine.";
    InviteUsed "INVITE_USED" 409 Some(Phase::Auth),
        "The pairing link was already used.",
        "A link lets one machine join, and one has joined with it.",
        "If that was not you, press Undo on the machine that made the link. Then make a new link.";
    InviteLocked "INVITE_LOCKED" 403 Some(Phase::Auth),
        "The pairing link is locked.",
        "Five wrong proofs were sent for it, as happens when somebody guesses.",
        "Make a new link on the other machine.";
    ProofWrong "PROOF_WRONG" 403 Some(Phase::Auth),
        "The pairing proof does not match.",
        "The link was altered, or somebody stands between the two machines.",
        "Make a new link, and compare the fingerprint words on both screens before joining.";
    OwnLink "OWN_LINK" 409 None,
        "This link was made by this machine itself.",
        "It was opened on the machine it was copied from.",
        "Open it on the machine that is to join.";
    CardInvalid "CARD_INVALID" 400 None,
        "The card cannot be used.",
        "Only a part of it was copied, or it comes from another kind of program.",
        "Copy the whole card again from the other machine.";
    CardMismatch "CARD_MISMATCH" 409 Some(Phase::Pin),
        "The card does not belong to the machine that sent it.",
        "Its certificate is another than the one this connection was made with, as when somebody stands in between.",
        "Do not pair over this network; compare fingerprints another way first.";
    AliasInvalid "ALIAS_INVALID" 400 None,
        "This name cannot be used for a peer.",
        "A name has 1 to 64 of a to z, 0 to 9, dot, underscore and dash, begins with a letter or digit, and is not a reserved word.",
        "Choose another name.";
    AliasTaken "ALIAS_TAKEN" 409 None,
        "This name is too close to that of another peer.",
        "It is the same, or one is the beginning of the other, so that a message could go to the wrong one.",
        "Choose a name that differs earlier.";
    PeerExists "PEER_EXISTS" 409 None,
        "This machine is already paired.",
        "Its key belongs to a peer in the list.",
        "Use that peer, or remove it first.";
    ResolveFailed "RESOLVE_FAILED" 502 Some(Phase::Resolve),
        "The peer's host name could not be found.",
        "The name is misspelt, or this network's name service does not know it.",
        "Check the name, or add the peer's IP address.";
    ConnectRefused "CONNECT_REFUSED" 502 Some(Phase::Connect),
        "The peer's machine refused the connection.",
        "Tieline is not running there, or it listens on another port.",
        "Start Tieline on that machine, and compare the port.";
    ConnectTimeout "CONNECT_TIMEOUT" 504 Some(Phase::Connect),
        "The peer did not answer in time.",
        "The machine is asleep or off, or a firewall drops the connection.",
        "Wake the machine, and let the port through its firewall.";
    Unreachable "UNREACHABLE" 502 Some(Phase::Connect),
        "The peer cannot be reached from this network.",
        "No network leads there at the moment, or the connection broke off.",
        "Check that both machines are on a network, and that neither is behind a VPN that forbids it.";
    NoAddress "NO_ADDRESS" 409 Some(Phase::Resolve),
        "No address is known for this peer.",
        "It was paired without one, or reaches this machine only by itself.",
        "Add an address of the peer, or wait until it connects.";
    TlsFailed "TLS_FAILED" 502 Some(Phase::Tls),
        "No secure connection could be made.",
        "The other side does not speak TLS 1.3 with an Ed25519 certificate, or refused this machine's.",
        "Update the program on the other side, and check that the address is right.";
    NotTls "NOT_TLS" 502 Some(Phase::Tls),
        "The address answers, but not with TLS.",
        "Another program listens on this port.",
        "Compare the port with the one the peer shows.";
    PinMismatch "PIN_MISMATCH" 502 Some(Phase::Pin),
        "The machine at this address has another key than the peer.",
        "Another machine has the address now, or somebody stands in between. Nothing was sent.",
        "Check the peer's address. If the peer was set up anew, pair again.";
    NewKey "NEW_KEY" 409 Some(Phase::Pin),
        "The peer shows a new key.",
        "It was set up anew, or another machine has taken its address. Nothing was sent.",
        "Ask its owner. If it was set up anew, pair again with a fresh link.";
    PeerRefusedUs "PEER_REFUSED_US" 502 Some(Phase::Auth),
        "The peer does not accept this machine.",
        "It removed the pairing, or keeps an older key of this machine.",
        "Pair the two machines again.";
    TokenInvalid "TOKEN_INVALID" 401 Some(Phase::Auth),
        "The request's token was refused.",
        "It was made for another request or connection, or by another key.",
        "Try again; if it stays, pair the two machines again.";
    PeerRevoked "PEER_REVOKED" 403 Some(Phase::Auth),
        "This pairing was ended.",
        "One of the two sides removed the other.",
        "Pair again if that was not meant.";
    NotKept "NOT_KEPT" 403 Some(Phase::Auth),
        "The pairing is not confirmed yet.",
        "The person at the other machine has not pressed Keep, so only pings and notes to that person pass.",
        "Ask that person to press Keep.";
    ResponseInvalid "RESPONSE_INVALID" 502 Some(Phase::Responder),
        "The peer's answer cannot be read.",
        "The program there is of another version or kind, or failed while answering.",
        "Look at that machine's log, and update the older of the two.";
    ResponseTimeout "RESPONSE_TIMEOUT" 504 Some(Phase::Responder),
        "The peer took the message but did not answer in time.",
        "What answers there is slow, busy, or waits for a person.",
        "Wait for the answer to arrive later, or allow more time.";
    PeerBusy "PEER_BUSY" 503 Some(Phase::Limit),
        "The peer has too much to do at the moment.",
        "It limits how much it takes at once.",
        "Nothing; it is tried again on its own.";
    ReceiptInvalid "RECEIPT_INVALID" 502 Some(Phase::Store),
        "The peer's receipt proves nothing.",
        "It is about another message, or not signed by the peer's key.",
        "Do not count the message as delivered, and look at the program on that machine.";
    StoreRestored "STORE_RESTORED" 409 Some(Phase::Store),
        "The peer's messages were restored from an older copy.",
        "What it confirmed since that copy may be gone there, so nothing is sent again without asking.",
        "Look at the unconfirmed messages, and send again those that are missing.";
    Expired "EXPIRED" 410 None,
        "The message expired before it could be delivered.",
        "The recipient was not reachable within the time the message was given.",
        "Send it again, with more time if need be.";
    Cancelled "CANCELLED" 409 None,
        "The message was cancelled.",
        "Someone at this machine cancelled it before it was delivered.",
        "Send it again if it is wanted after all.";
    TooLate "TOO_LATE" 409 None,
        "The message is past that point.",
        "It was delivered, failed, or is being sent at this moment.",
        "Look at its state, and choose again.";
    StoreDamaged "STORE_DAMAGED" 500 Some(Phase::Store),
        "The message database is damaged.",
        "The disk failed, or another program changed the file. It was kept beside the new one, and nothing was replaced.",
        "Restore a copy, or start with an empty database.";
    StoreFull "STORE_FULL" 507 Some(Phase::Store),
        "There is no room left to store messages.",
        "The disk or the quota is full. The message was not accepted.",
        "Free some space, then send it again.";
    StoreFailed "STORE_FAILED" 500 Some(Phase::Store),
        "The message could not be stored.",
        "The database refused to write.",
        "Look at the log for the reason, then try again.";
    VaultAbsent "VAULT_ABSENT" 503 None,
        "The place where the keys are kept is not there.",
        "The keychain this machine was set up with is not available in this session.",
        "Start in a session that has the keychain. Nothing was replaced.";
    VaultLocked "VAULT_LOCKED" 503 None,
        "The keychain is locked.",
        "Nobody has unlocked it in this session.",
        "Unlock it, then try again. Where there is no keyring yet, make one in the system's password app, or set TIELINE_VAULT=file to keep a new home's keys in a file.";
    VaultDenied "VAULT_DENIED" 503 None,
        "The keychain refused access.",
        "Access was denied in its dialogue, or belongs to another build of this program.",
        "Allow access, then try again.";
    VaultChanged "VAULT_CHANGED" 503 None,
        "The keys are kept in another place than at the first start.",
        "The settings name another kind of vault than the one recorded in this home.",
        "Go back to the former setting: TIELINE_VAULT=file where the keys are in this home's file vault, without it where they are in the keychain. Nothing was replaced.";
    VaultPassphrase "VAULT_PASSPHRASE" 503 None,
        "The vault's passphrase is missing or wrong.",
        "The passphrase file is empty, unreadable, or of another vault.",
        "Give the right passphrase file.";
    VaultDamaged "VAULT_DAMAGED" 503 None,
        "The vault's file is damaged or missing.",
        "The disk failed, a copy was restored in part, or another program changed the file. It was left as it is.",
        "Restore the vault's files from a copy.";
    VaultFailed "VAULT_FAILED" 503 None,
        "The vault failed.",
        "The keychain's service answered with an error of its own.",
        "Start it again or sign out and in, then try again.";
    SecretNotFound "SECRET_NOT_FOUND" 404 None,
        "No secret has this name.",
        "It was never entered, or was removed.",
        "Enter it in the settings.";
    IdentityMissing "IDENTITY_MISSING" 503 None,
        "This machine's keys are missing from the vault.",
        "They were deleted, or this home was copied without them. No new ones are made on their own.",
        "Restore the vault, or set this machine up anew and pair again.";
    PortInUse "PORT_IN_USE" 409 None,
        "The port is taken.",
        "Another program, or another Tieline, listens on it.",
        "Stop that program, or choose another port in the settings.";
    PortDenied "PORT_DENIED" 403 None,
        "The system does not allow this port.",
        "Ports below 1024 need special rights, and some are reserved.",
        "Choose a port above 1024 in the settings.";
    HomeLocked "HOME_LOCKED" 409 None,
        "Tieline is already running in this home.",
        "The app and \"tieline serve\" cannot both host it.",
        "Use the one that runs, or stop it first.";
    HomeUnwritable "HOME_UNWRITABLE" 500 None,
        "Tieline's home cannot be written.",
        "The folder belongs to another user, is read-only, or its disk is full.",
        "Correct the folder's rights, or choose another home.";
    NotRunning "NOT_RUNNING" 503 None,
        "Tieline is not running.",
        "Neither the app nor \"tieline serve\" hosts this home at the moment.",
        "Start the app, or run \"tieline serve\".";
    ConfigInvalid "CONFIG_INVALID" 500 None,
        "The settings cannot be read.",
        "The file has a mistake at the place named. It was left as it is.",
        "Correct the file, then start again.";
    NoResponder "NO_RESPONDER" 404 Some(Phase::Responder),
        "Nobody answers questions there.",
        "The person at the other machine has not chosen what answers questions from this one.",
        "Ask that person to choose a responder for this machine, or send a message instead.";
    ResponderFailed "RESPONDER_FAILED" 502 Some(Phase::Responder),
        "What should have answered failed.",
        "The command or endpoint behind the other machine's responder ended with an error.",
        "Look at the responder's settings on the other machine, where the reason is shown.";
    ResponderTimeout "RESPONDER_TIMEOUT" 504 Some(Phase::Responder),
        "No answer came in time.",
        "The command, endpoint or person behind the other machine's responder took too long.",
        "Ask again later, or send a message that can wait.";
    ResponderInterrupted "RESPONDER_INTERRUPTED" 503 Some(Phase::Responder),
        "The other machine stopped while it worked on the answer.",
        "Tieline was ended or restarted there.",
        "Ask the question again.";
    HookFailed "HOOK_FAILED" 502 Some(Phase::Responder),
        "The hook did not take the message.",
        "The command ended with an error, or the webhook answered with one.",
        "Correct it, try it on the peer's page, and press Retry there.";
    HookTimeout "HOOK_TIMEOUT" 504 Some(Phase::Responder),
        "The hook took too long.",
        "The command or webhook did not finish within the time that the settings give it.",
        "Let it answer at once and do its work afterwards, or give it more time.";
    HookUnreachable "HOOK_UNREACHABLE" 502 Some(Phase::Responder),
        "The hook is not there.",
        "The program cannot be started, or nothing listens at the webhook's address. Messages wait meanwhile.",
        "Start it, or correct the hook on the peer's page.";
    AskDeclined "ASK_DECLINED" 403 Some(Phase::Responder),
        "The person there declined to answer.",
        "Someone chose Decline.",
        "Nothing to do here.";
    HopLimit "HOP_LIMIT" 429 Some(Phase::Limit),
        "The question was passed on too often.",
        "Agents that ask each other in a circle, or a chain of machines that is too long.",
        "Ask the machine that knows the answer directly.";
    BudgetSpent "BUDGET_SPENT" 429 Some(Phase::Limit),
        "This hour's budget for this peer is spent.",
        "More questions or messages came within the hour than the person allows.",
        "Wait, or allow more on the peer's page.";
    Internal "INTERNAL" 500 None,
        "Something failed inside Tieline.",
        "This is a fault of the program, not of yours.",
        "Save the problem report from the settings, and send it with what you did just before.";
}
