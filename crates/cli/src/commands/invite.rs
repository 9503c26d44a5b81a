//! `tieline invite`.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use tieline_node::model::{InviteState, InviteView};
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::show;

/// Make a one-time link with which another machine can join
///
/// The link is a key: whoever holds it can join, so send it over a channel you trust. It works
/// once, and for ten minutes unless --ttl says otherwise. The link is printed alone on standard
/// output; everything else goes to standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline invite                                   # then on the other machine: tieline join
  tieline invite | ssh wsl-box tieline join        # in one go
  tieline invite --ttl 1h --wait                   # and say who joined")]
pub(crate) struct Args {
    /// How long the link is valid, such as 90s, 10m or 1h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<Duration>,

    /// Wait until a machine joined or the time ran out
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let output = &context.output;
    let body = json!({ "ttlSeconds": args.ttl.map(|ttl| ttl.as_secs()) });
    let invite: InviteView = context.client.post("/control/invites", &body).await?;
    let link = invite
        .link
        .clone()
        .ok_or_else(|| Problem::new(Code::Internal).because("The invite holds no link."))?;
    if output.is_json() {
        output.object(&invite);
    } else {
        output.line(link);
    }
    output.note(format!(
        "Valid until {}, once. Whoever holds the link can join.",
        show::time(&invite.expires_at)
    ));
    output.note("The other machine will show these words; they are this machine's:");
    for line in show::fingerprint(&[], &invite.words) {
        output.note(line);
    }
    if args.wait {
        wait(&invite.id, context).await
    } else {
        DONE
    }
}

async fn wait(id: &str, context: &Context) -> Outcome {
    let output = &context.output;
    output.note("Waiting for a machine to join…");
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let invites: Vec<InviteView> = context.client.get("/control/invites").await?;
        let state = invites.iter().find(|invite| invite.id == id);
        match state.map(|invite| (invite.state, invite.joined_peer.as_deref())) {
            Some((InviteState::Open, _)) => {}
            Some((InviteState::Joined, peer)) => {
                let peer = show::printable(peer.unwrap_or("a machine"));
                output.note(format!(
                    "{peer} joined. Confirm with: tieline peers keep {peer}"
                ));
                return DONE;
            }
            Some((InviteState::Locked, _)) => return Err(Problem::new(Code::InviteLocked)),
            Some((InviteState::Cancelled, _)) => return Err(Problem::new(Code::InviteUnknown)),
            Some((InviteState::Expired, _)) | None => return Err(Problem::new(Code::LinkExpired)),
        }
    }
}

/// A positive time of whole seconds, in words that people use.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = match text.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(i64::from(seconds)),
        Err(_) => text
            .parse()
            .map_err(|_| format!("{text:?} is not a time such as 90s, 10m or 1h"))?,
    };
    match Duration::try_from(parsed) {
        Ok(duration) if duration.as_secs() > 0 => Ok(duration),
        _ => Err("it must be at least a second".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("1h", 3600),
            ("1h 30m", 5400),
            ("45", 45),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "0", "0s", "-5m", "soon", "10 parsecs"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
