//! `peers.json` in and out, and keys that were made for abTARS.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Counterpart, add, answer_in_capitals, entry_for, entry_of, generation};
use crate::harness::{Launch, Machine, skip};

const TOKEN: &str = "a secret of both";

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_is_imported_with_every_field_and_exported_again() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("some-name");
    let beta = cp.machine("peer-b");
    let mut full = entry_for(&beta, 3100, Some(TOKEN));
    full["certFingerprint"] = format!(
        "SHA256:{}",
        beta["fingerprint"].as_str().unwrap().to_lowercase()
    )
    .into();
    full["trust"] = 2.into();
    full["allowedTools"] = json!(["a"]);
    full["note"] = "kept".into();
    let text = json!({
        "self": {"name": "kp", "signingKey": beta["signingKey"], "tribeToken": "dHJpYmUgdG9rZW4gdHJpYmU="},
        "peers": {"peer-b": full, "Main": {"host": "h"}, "broken": 7},
        "maxHops": 3,
        "ours": {"x": [1]},
    });
    // A mistake in the file is told with its place, and nothing is touched.
    let broken = format!("{text:#}").replace("\"trust\": 2,", "\"trust\": 2,,");
    let file = write(node.directory(), "peers.json", &broken);
    let refused = node.tieline(["--json", "import", &file]).failure(2);
    let problem: Value = serde_json::from_str(refused.stderr.trim()).unwrap();
    let line = 1 + broken.lines().position(|line| line.contains(",,")).unwrap();
    assert_eq!(problem["detail"]["line"], line, "{problem}");
    assert!(problem["detail"]["column"].is_u64(), "{problem}");
    assert_eq!(node.tieline(["--json", "peers"]).success().stdout, "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    assert_eq!(
        node.tieline(["--json", "abtars"]).success().json()["name"],
        "some-name"
    );

    let file = write(node.directory(), "peers.json", &format!("{text:#}"));
    let would = node
        .tieline(["--json", "import", &file, "--dry-run"])
        .success()
        .json();
    assert_eq!(would["peers"][0]["outcome"], "new");
    assert_eq!(node.tieline(["--json", "peers"]).success().stdout, "");

    let view = node.tieline(["--json", "import", &file]).success().json();
    assert_eq!(
        (&view["name"], &view["nameTaken"]),
        (&json!("kp"), &json!(true))
    );
    let peer = &view["peers"][0];
    assert_eq!(
        (&peer["outcome"], &peer["usable"]),
        (&json!("added"), &json!("both"))
    );
    let live = |key: &str| {
        let fields = peer["fields"].as_array().unwrap();
        let field = fields.iter().find(|field| field["key"] == key);
        field.unwrap()["live"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        [
            "host",
            "token",
            "verifyKey",
            "certPem",
            "certFingerprint",
            "allowedTools",
            "note"
        ]
        .map(live),
        [
            "both", "legacy", "both", "legacy", "neither", "neither", "neither"
        ]
    );
    let remarks = peer["remarks"].to_string();
    assert!(remarks.contains("upper-case pairs"), "{remarks}");
    for place in [1, 2] {
        let refused = &view["peers"][place];
        assert_eq!(refused["outcome"], "refused", "{refused}");
        assert!(refused["problem"]["remedy"].as_str().unwrap().len() > 10);
    }
    let again = node.tieline(["--json", "import", &file]).success().json();
    assert_eq!(again["peers"][0]["outcome"], "known");

    // The entry for the other side is one that it can use: its program reads it.
    let for_it = peer["entryForIt"].as_str().unwrap();
    let pasted: Value = serde_json::from_str(&format!("{{{for_it}}}")).unwrap();
    let us = node.tieline(["--json", "abtars"]).success().json();
    assert_eq!(pasted["kp"]["verifyKey"], us["verifyKey"]);
    assert_eq!(pasted["kp"]["certFingerprint"], us["certFingerprint"]);
    assert_eq!(pasted["kp"]["token"], TOKEN);
    let same = node
        .tieline(["--json", "abtars", "entry", "peer-b"])
        .success()
        .json();
    assert_eq!(same["entry"], *for_it);

    let whole = node
        .tieline(["export", "abtars", "--with-secrets"])
        .success();
    let whole: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!(whole["peers"]["peer-b"], full);
    assert_eq!(
        (&whole["ours"], &whole["maxHops"]),
        (&text["ours"], &text["maxHops"])
    );
    assert_eq!(whole["self"]["tribeToken"], text["self"]["tribeToken"]);
    assert_ne!(whole["self"]["signingKey"], text["self"]["signingKey"]);
    let public = node.tieline(["export", "abtars"]).success();
    for secret in [
        TOKEN,
        whole["self"]["signingKey"].as_str().unwrap(),
        "dHJpYmUg",
    ] {
        assert!(!public.stdout.contains(secret), "{}", public.stdout);
    }
    assert!(public.stdout.contains("\"note\": \"kept\""));
    let log = node.log();
    assert!(!log.contains(TOKEN), "{log}");
}

#[test]
fn what_is_on_the_machine_is_offered() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let homes = tempfile::TempDir::new().unwrap();
    let config = homes.path().join("abtars/config");
    std::fs::create_dir_all(&config).unwrap();
    let kithkit = homes.path().join("kithkit");
    std::fs::create_dir_all(&kithkit).unwrap();
    let beta = cp.machine("peer-b");
    let text = json!({"peers": {"peer-b": entry_for(&beta, 9, None)}}).to_string();
    let file = write(&config, "peers.json", &text);
    write(
        &kithkit,
        "kithkit.config.yaml",
        "agent-comms:\n  peers: [\n",
    );
    let node = Launch::new("kp")
        .env("HOME", homes.path().display())
        .env("ABTARS_HOME", homes.path().join("abtars").display())
        .start();
    let found = node.tieline(["--json", "import"]).success().json_lines();
    assert_eq!(
        (
            &found[0]["system"],
            &found[0]["path"],
            &found[0]["newPeers"]
        ),
        (&json!("abtars"), &json!(file), &json!(1))
    );
    assert_eq!(found[1]["system"], "kithkit");
    assert_eq!(found[1]["problem"]["code"], "CONFIG_INVALID", "{found:?}");
    let offer = node.tieline(["import"]).success();
    assert!(
        offer.stdout.contains("1 of 1 peers are new"),
        "{}",
        offer.stdout
    );
    node.tieline(["import", &file]).success();
    let found = node.tieline(["--json", "import"]).success().json_lines();
    assert_eq!(found[0]["newPeers"], 0);
}

#[test]
fn keys_made_with_openssl_are_used_as_they_are() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let mut node = Machine::start("kp");
    let path = |name: &str| node.directory().join(name).to_str().unwrap().to_owned();
    let (key, cert) = (path("key.pem"), path("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "3650", "-subj", "/CN=kp",
        ])
        .args(["-keyout", &key, "-out", &cert])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return skip("openssl is needed to make keys as abTARS documents it");
    }
    let key_pem = std::fs::read_to_string(&key).unwrap();
    let cert_pem = std::fs::read_to_string(&cert).unwrap();
    let fingerprint = tieline_wire::certificate::Certificate::from_pem(&cert_pem)
        .unwrap()
        .fingerprint()
        .bare();
    let base64: String = key_pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let text = json!({"self": {"name": "kp", "signingKey": base64}, "peers": {}}).to_string();
    let file = write(node.directory(), "peers.json", &text);

    // A key that does not belong to the certificate is refused.
    let other = cp.machine("other");
    let wrong =
        json!({"self": {"name": "kp", "signingKey": other["signingKey"]}, "peers": {}}).to_string();
    let wrong = write(node.directory(), "wrong.json", &wrong);
    node.tieline(["import", &wrong, "--keys", "--cert", &cert])
        .failure(2);

    node.tieline(["import", &file, "--keys", "--cert", &cert])
        .success();
    node.restart();
    let us = node.tieline(["--json", "abtars"]).success().json();
    assert_eq!(us["certFingerprint"], fingerprint.as_str());
    assert_eq!(us["keyIsCertificates"], true);

    // It is what both generations find when they ask, and what this node shows when it does.
    let alpha = cp.machine("alpha");
    let us = entry_of(&node, Some(TOKEN));
    let peers = json!({"kp": us});
    let server = cp.order(
        "listen",
        json!({"own": "alpha", "generation": "current", "peers": peers}),
    );
    add(
        &node,
        "alpha",
        &entry_for(&alpha, server["port"].as_u64().unwrap(), Some(TOKEN)),
    );
    assert_eq!(generation(&node, "alpha"), "current");
    answer_in_capitals(&node);
    let ask = json!({"own": "alpha", "peer": us, "generation": "current", "text": "hello"});
    assert_eq!(cp.order("ask", ask)["status"], 200);

    // The certificate's own key, where it was made apart from the signing key.
    let mut apart = Machine::start("kp");
    node.stop();
    let text =
        json!({"self": {"name": "kp", "signingKey": other["signingKey"]}, "peers": {}}).to_string();
    let file = write(apart.directory(), "peers.json", &text);
    apart
        .tieline([
            "import",
            &file,
            "--keys",
            "--cert",
            &cert,
            "--tls-key",
            &key,
        ])
        .success();
    apart.restart();
    let us = apart.tieline(["--json", "abtars"]).success().json();
    assert_eq!(
        (&us["verifyKey"], &us["keyIsCertificates"]),
        (&other["verifyKey"], &json!(false))
    );
    answer_in_capitals(&apart);
    add(&apart, "alpha", &entry_for(&alpha, 9, Some(TOKEN)));
    apart.tieline(["abtars", "bearer", "alpha", "on"]).success();
    let us = entry_of(&apart, Some(TOKEN));
    let ask = json!({"own": "alpha", "peer": us, "generation": "legacy", "text": "hello"});
    assert_eq!(cp.order("ask", ask)["status"], 200);
}
