//! `kithkit.config.yaml`: changes are made as meant or not at all.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::kithkit::Posture;
use tieline_wire::kithkit::config::{Config, ConfigPeer};

fuzz_target!(|text: &str| {
    let Ok(mut config) = Config::parse(text) else {
        return;
    };
    assert_eq!(config.to_yaml(), text);
    let before = config.settings().clone();
    let peer = ConfigPeer {
        name: "new-one".to_owned(),
        host: "10.0.0.1".to_owned(),
        port: 7,
        ip: None,
    };
    if config.set_peer(&peer).is_err() {
        assert_eq!(config.to_yaml(), text);
    }
    if let Some(old) = before.peers.first() {
        let _ = config.set_peer(&ConfigPeer {
            port: 9,
            ..old.clone()
        });
        let _ = config.remove_peer(&old.name);
    }
    if config.set_message_posture(Posture::Enforce).is_ok() {
        assert_eq!(config.settings().message_posture, Some(Posture::Enforce));
    }
    if config.set_agent_name("no").is_ok() {
        assert_eq!(config.settings().agent_name.as_deref(), Some("no"));
    }
    let again = Config::parse(&config.to_yaml()).expect("what was written");
    assert_eq!(again.settings(), config.settings());
});
