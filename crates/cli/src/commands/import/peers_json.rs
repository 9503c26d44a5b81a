//! The peers of a peers.json, and with it the keys of the machine.

use http::Method;
use tieline_node::model::{AbtarsImport, AbtarsImportView, AbtarsImportedPeer, AbtarsKeys};
use tieline_wire::abtars::peers_json::PeersFile;
use tieline_wire::problem::{Code, Problem};

use super::{Args, read};
use crate::commands::{Context, DONE, Outcome};
use crate::show::{printable, reason};

pub(super) async fn run(args: &Args, text: &str, context: &Context) -> Outcome {
    let import = AbtarsImport {
        text: Some(text.to_owned()),
        found: None,
        dry_run: args.dry_run,
    };
    if args.keys {
        keys(args, text, context).await?;
    }
    let view: AbtarsImportView = context
        .client
        .post("/control/abtars/import", &import)
        .await?;
    let output = &context.output;
    if output.is_json() {
        output.object(&view);
        return DONE;
    }
    for peer in &view.peers {
        show(peer, context);
    }
    let new = |peer: &&AbtarsImportedPeer| matches!(&*peer.outcome, "added" | "new");
    if view.peers.iter().find(new).is_none() {
        output.note("There was nothing to add.");
    }
    if !view.name_taken {
        output.note(format!(
            "This file is of a machine that calls itself {}. Its peers take this one by that name only: tieline abtars name {}",
            printable(&view.name),
            printable(&view.name)
        ));
    }
    DONE
}

fn show(peer: &AbtarsImportedPeer, context: &Context) {
    let output = &context.output;
    let name = printable(&peer.name);
    match (&*peer.outcome, &peer.peer, &peer.problem) {
        ("added", Some(alias), _) => output.line(format!("{name} is added as {alias}.")),
        ("known", Some(alias), _) => output.line(format!("{name} is here already, as {alias}.")),
        (_, _, Some(problem)) => output.line(format!("{name} is not added. {}", reason(problem))),
        _ => output.line(format!("{name} would be added.")),
    }
    for field in &peer.fields {
        let used = match &*field.live {
            "both" => "used",
            "current" => "used from v0.3.5 on",
            "legacy" => "used up to v0.3.3",
            _ => "not used, kept",
        };
        output.line(format!("  {:<16} {used}", printable(&field.key)));
    }
    for remark in &peer.remarks {
        output.line(format!("  ! {remark}"));
    }
    if let Some(entry) = &peer.entry_for_it {
        output.note(format!(
            "For the peers.json of {name} (it holds the shared token, if there is one):"
        ));
        output.note(entry);
    }
}

async fn keys(args: &Args, text: &str, context: &Context) -> Result<(), Problem> {
    let file = PeersFile::parse(text)?;
    let unusable = |why: String| {
        Problem::new(Code::InvalidRequest)
            .summary("The file has no key that could be used.")
            .because(why)
            .remedy("Give a peers.json with `self.signingKey`, or leave out --keys.")
    };
    let signing_key = file
        .signing_key()
        .map_err(|error| unusable(format!("{error}.")))?
        .ok_or_else(|| unusable("There is no `self.signingKey` in it.".to_owned()))?;
    let keys = AbtarsKeys {
        signing_key: signing_key.to_base64().to_string(),
        cert_pem: args.cert.as_deref().map(read).transpose()?,
        tls_key: args.tls_key.as_deref().map(read).transpose()?,
    };
    context
        .client
        .order(Method::POST, "/control/abtars/keys", &keys)
        .await?;
    context.output.note(
        "The file's keys are kept. They are used from the next start on: start Tieline again.",
    );
    Ok(())
}
