//! `kithkit.config.yaml`: read as it is found, and changed without touching anything else.

#![allow(clippy::unwrap_used)]

use tieline_wire::kithkit::Posture;
use tieline_wire::kithkit::config::{
    Config, ConfigError, ConfigPeer, LanListener, Place, Settings,
};
use tieline_wire::problem::{Code, Problem};

const DOCUMENTED: &str = "\
# My agents
agent:
  name: BMO  # shown to people

agent-comms:
  enabled: true
  peers:
    # the one in the office
    - name: bmo
      host: davids-mac-mini.lan
      port: 3847
      ip: 192.168.1.4   # static
    - name: r2d2
      host: \"chrissys-mini.lan\"
      port: 3847
      note: 'keep: me'

# what is not ours
scheduler:
  tasks: [ {name: peer-heartbeat, interval: 5m} ]
";

fn peer(name: &str, host: &str, port: u16, ip: Option<&str>) -> ConfigPeer {
    ConfigPeer {
        name: name.to_owned(),
        host: host.to_owned(),
        port,
        ip: ip.map(str::to_owned),
    }
}

fn parse(text: &str) -> Config {
    Config::parse(text).unwrap()
}

/// The text after a change.
fn changed(text: &str, change: impl FnOnce(&mut Config) -> Result<(), ConfigError>) -> String {
    let mut config = parse(text);
    change(&mut config).unwrap();
    config.to_yaml()
}

#[test]
fn the_documented_file_is_read() {
    let settings = parse(DOCUMENTED).settings().clone();
    let expected = Settings {
        agent_name: Some("BMO".to_owned()),
        enabled: Some(true),
        peers: vec![
            peer("bmo", "davids-mac-mini.lan", 3847, Some("192.168.1.4")),
            peer("r2d2", "chrissys-mini.lan", 3847, None),
        ],
        ..Settings::default()
    };
    assert_eq!(settings, expected);
}

#[test]
fn the_rest_of_the_settings_is_read() {
    let settings = parse(
        "daemon: {port: 4000, bind_host: 0.0.0.0, lan: {enabled: true, port: '3849', bind_host: ~}}\n\
         a2a:\n  security:\n    message: enforce\n    p2p: permissive\n\
         agent-comms:\n  peers:\n",
    )
    .settings()
    .clone();
    let expected = Settings {
        port: Some(4000),
        bind_host: Some("0.0.0.0".to_owned()),
        lan: LanListener {
            enabled: Some(true),
            bind_host: None,
            port: Some(3849),
        },
        message_posture: Some(Posture::Enforce),
        p2p_posture: Some(Posture::Permissive),
        ..Settings::default()
    };
    assert_eq!(settings, expected);
    for empty in ["", "# nothing yet\n", "---\n", "agent:\nagent-comms: ~\n"] {
        assert_eq!(*parse(empty).settings(), Settings::default(), "{empty:?}");
    }
}

#[test]
fn anchors_and_json_are_yaml_too() {
    let settings = parse("x: &p {name: a, host: h, port: 1}\nagent-comms: {peers: [*p]}\n")
        .settings()
        .clone();
    assert_eq!(settings.peers, [peer("a", "h", 1, None)]);
    let json = r#"{"agent": {"name": "x"}, "agent-comms": {"peers": [{"name": "a", "host": "h", "port": 1}]}}"#;
    assert_eq!(parse(json).settings().peers, settings.peers);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let at = |line, column| Some(Place { line, column });
    for (text, place, words) in [
        ("agent:\n\tname: x\n", at(2, 2), "tabs"),
        ("a: 1\nb: [1, 2\n", at(3, 1), "flow sequence"),
        ("a: 1\na: 2\n", at(2, 1), "\"a\" is there twice"),
        ("a: 1\n---\nb: 2\n", at(2, 1), "second document"),
        ("- a\n", at(1, 1), "the file is not a mapping"),
        ("agent: BMO\n", at(1, 8), "agent is not a mapping"),
        (
            "agent-comms:\n  peers:\n    - name: a\n      host: h\n      port: many\n",
            at(5, 13),
            "agent-comms.peers[0].port is not a port",
        ),
        (
            "agent-comms:\n  peers:\n    - name: a\n      port: 1\n",
            at(3, 7),
            "agent-comms.peers[0] is not complete",
        ),
        (
            "agent-comms: {peers: {}}",
            at(1, 22),
            "agent-comms.peers is not a list",
        ),
        (
            "agent-comms: {enabled: yes}",
            at(1, 24),
            "is not true or false",
        ),
        (
            "a2a: {security: {message: Enforce}}",
            at(1, 27),
            "a2a.security.message is not permissive or enforce",
        ),
        ("agent: *nobody\n", at(1, 8), "unknown anchor"),
    ] {
        let error = Config::parse(text).unwrap_err();
        assert!(error.to_string().contains(words), "{text:?}: {error}");
        assert_eq!(error.place(), place, "{text:?}: {error}");
        let problem = Problem::from(error);
        assert_eq!(problem.code, Code::ConfigInvalid);
        assert_eq!(problem.detail.unwrap()["line"], place.unwrap().line);
    }
    let deep = "[".repeat(100_000);
    assert!(Config::parse(&deep).is_err());
    let large = "a: 1\n#".to_owned() + &"x".repeat(2 << 20);
    assert_eq!(Config::parse(&large).unwrap_err(), ConfigError::TooLarge);
}

#[test]
fn many_aliases_of_aliases_take_no_room() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for i in 1..60 {
        let before = i - 1;
        text += &format!("a{i}: &a{i} [*a{before}, *a{before}]\n");
    }
    // The parser may refuse it; what matters is that it answers at all.
    let _ = Config::parse(&text);
}

#[test]
fn a_change_is_all_that_changes() {
    let text = changed(DOCUMENTED, |config| {
        config.set_agent_name("Tie Line")?;
        config.set_peer(&peer("BMO", "bmo.lan", 3900, Some("10.0.0.4")))?;
        config.set_peer(&peer("r2d2", "chrissys-mini.lan", 3847, Some("fd00::2")))
    });
    let expected = DOCUMENTED
        .replace("name: BMO  #", "name: \"Tie Line\"  #")
        .replace(
            "davids-mac-mini.lan\n      port: 3847",
            "bmo.lan\n      port: 3900",
        )
        .replace("192.168.1.4   #", "10.0.0.4   #")
        .replace("'keep: me'\n", "'keep: me'\n      ip: \"fd00::2\"\n");
    assert_eq!(text, expected);
}

#[test]
fn peers_come_and_go() {
    let added = changed(DOCUMENTED, |config| {
        config.set_peer(&peer("tie", "10.0.0.9", 3848, None))
    });
    let expected = DOCUMENTED.replace(
        "'keep: me'\n",
        "'keep: me'\n    - name: tie\n      host: 10.0.0.9\n      port: 3848\n",
    );
    assert_eq!(added, expected);

    let removed = changed(&added, |config| {
        assert!(config.remove_peer("Tie")?);
        assert!(!config.remove_peer("tie")?);
        Ok(())
    });
    assert_eq!(removed, DOCUMENTED);

    let none = changed(DOCUMENTED, |config| {
        config.remove_peer("bmo")?;
        config.remove_peer("r2d2").map(drop)
    });
    assert!(
        none.contains("\n  peers: []\n\n# what is not ours"),
        "{none}"
    );
    let again = changed(&none, |config| config.set_peer(&peer("a", "h", 1, None)));
    assert!(
        again.contains("\n  peers:\n    - name: a\n      host: h\n      port: 1\n"),
        "{again}"
    );
}

#[test]
fn missing_sections_are_made() {
    let fill = |config: &mut Config| {
        config.set_agent_name("tie")?;
        config.set_port(3850)?;
        config.set_lan(&LanListener {
            enabled: Some(true),
            bind_host: None,
            port: Some(3848),
        })?;
        config.set_message_posture(Posture::Enforce)?;
        config.set_peer(&peer("a", "h", 1, None))
    };
    let made = "agent:\n  name: tie\ndaemon:\n  port: 3850\n  lan:\n    enabled: true\n    port: 3848\na2a:\n  security:\n    message: enforce\nagent-comms:\n  peers:\n    - name: a\n      host: h\n      port: 1\n";
    assert_eq!(changed("", fill), made);
    assert_eq!(changed("# mine", fill), format!("# mine\n{made}"));
    assert_eq!(changed("x: 1", fill), format!("x: 1\n{made}"));
    assert_eq!(changed("---\n", fill), format!("---\n{made}"));
    assert_eq!(
        changed("\u{feff}x: 1\n", fill),
        format!("\u{feff}x: 1\n{made}")
    );
}

#[test]
fn odd_forms_are_changed_in_their_own_manner() {
    let add = |config: &mut Config| config.set_peer(&peer("b", "h", 2, None));
    let value = r#"{"name":"b","host":"h","port":2}"#;
    for (text, expected) in [
        // A list that is not indented.
        (
            "agent-comms:\n  peers:\n  - name: a\n    host: h\n    port: 1\nx: 1\n",
            "agent-comms:\n  peers:\n  - name: a\n    host: h\n    port: 1\n  - name: b\n    host: h\n    port: 2\nx: 1\n".to_owned(),
        ),
        // Carriage returns.
        (
            "agent-comms:\r\n  peers:\r\n  - {name: a, host: h, port: 1}\r\n",
            "agent-comms:\r\n  peers:\r\n  - {name: a, host: h, port: 1}\r\n  - name: b\r\n    host: h\r\n    port: 2\r\n".to_owned(),
        ),
        // No newline at the end.
        (
            "agent-comms:\n  peers:\n    - name: a\n      host: h\n      port: 1",
            "agent-comms:\n  peers:\n    - name: a\n      host: h\n      port: 1\n    - name: b\n      host: h\n      port: 2\n".to_owned(),
        ),
        // Nothing, with a comment.
        (
            "agent-comms:\n  peers:  # none yet\n  enabled: true\n",
            "agent-comms:\n  peers:  # none yet\n    - name: b\n      host: h\n      port: 2\n  enabled: true\n".to_owned(),
        ),
        (
            "agent-comms:\n  peers: []  # none yet\n",
            "agent-comms:\n  peers:  # none yet\n    - name: b\n      host: h\n      port: 2\n".to_owned(),
        ),
        ("agent-comms: ~\n", "agent-comms:\n  peers:\n    - name: b\n      host: h\n      port: 2\n".to_owned()),
        // Brackets.
        (
            "agent-comms: {peers: [{name: a, host: h, port: 1}]}\n",
            format!("agent-comms: {{peers: [{{name: a, host: h, port: 1}}, {value}]}}\n"),
        ),
        ("agent-comms: {peers: []}\n", format!("agent-comms: {{peers: [{value}]}}\n")),
        (
            "agent-comms: {enabled: true}\n",
            format!("agent-comms: {{enabled: true, \"peers\": [{value}]}}\n"),
        ),
        // A block of text at the end of a peer.
        (
            "agent-comms:\n  peers:\n    - name: a\n      host: h\n      port: 1\n      about: |\n        two\n        lines\n\n# end\n",
            "agent-comms:\n  peers:\n    - name: a\n      host: h\n      port: 1\n      about: |\n        two\n        lines\n\n    - name: b\n      host: h\n      port: 2\n# end\n".to_owned(),
        ),
    ] {
        let added = changed(text, add);
        assert_eq!(added, expected);
        // And away again: what is left means the same as before.
        let removed = changed(&added, |config| config.remove_peer("b").map(drop));
        assert_eq!(parse(&removed).settings(), parse(text).settings(), "{removed}");
    }
    let one_left = changed(
        "agent-comms: {peers: [{name: a, host: h, port: 1}, {name: b, host: h, port: 2}]}",
        |config| config.remove_peer("a").map(drop),
    );
    assert_eq!(
        one_left,
        "agent-comms: {peers: [{name: b, host: h, port: 2}]}"
    );
}

#[test]
fn what_stands_in_several_places_is_left_to_a_person() {
    for text in [
        "d: &d {port: 1}\nagent-comms: {peers: [{name: a, host: h, port: 1}]}\nagent: *d\n",
        "agent: &x\n  name: a\nother: *x\n",
        "agent:\n  name: &n a\nother: *n\n",
        "agent:\n  name: !!str a\n",
    ] {
        let mut config = parse(text);
        let refused = config.set_agent_name("b").unwrap_err();
        assert_eq!(
            refused,
            ConfigError::CannotEdit("agent.name".to_owned()),
            "{text}"
        );
        assert_eq!(config.to_yaml(), text);
    }
    // An anchor elsewhere does no harm.
    let text = changed("a: &x 1\nagent: {name: n}\nb: *x\n", |config| {
        config.set_agent_name("m")
    });
    assert_eq!(text, "a: &x 1\nagent: {name: m}\nb: *x\n");
}

#[test]
fn a_change_that_would_not_be_read_back_is_not_made() {
    let mut config = parse(DOCUMENTED);
    assert!(config.set_peer(&peer("", "h", 1, None)).is_err());
    assert!(config.set_peer(&peer("a", "h", 0, None)).is_err());
    assert_eq!(config.to_yaml(), DOCUMENTED);
    let odd = "x: y # \" ' { [ \u{7f}\n- é";
    let text = changed(DOCUMENTED, |config| config.set_agent_name(odd));
    assert_eq!(parse(&text).settings().agent_name.as_deref(), Some(odd));
}
