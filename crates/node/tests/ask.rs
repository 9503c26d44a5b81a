//! Questions between two engines, and what answers them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Pair, alive, pair, until};
use tieline_node::model::{AskCommand, AskView, Responder};

fn question(to: &str, text: &str) -> AskCommand {
    AskCommand {
        to: to.into(),
        text: text.into(),
        hops: None,
        session: None,
        wait: Some(Duration::from_secs(20)),
        stream: false,
    }
}

fn command(argv: &[&str]) -> Responder {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    Responder::Command {
        argv,
        timeout_seconds: 10,
    }
}

fn code(view: &AskView) -> String {
    view.problem
        .as_ref()
        .map(|problem| problem.code.to_string())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_answers_until_the_person_chooses_who_does() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    let asked = wsl.ask(question("mac", "are you awake?")).await.unwrap();
    assert_eq!(
        (asked.status.as_str(), code(&asked).as_str()),
        ("failed", "NO_RESPONDER")
    );
    mac.set_responder(Some("wsl"), command(&["cat"]))
        .await
        .unwrap();
    let hostile = "quotes \" ' newline \n and $(touch /tmp/never) `id` ; done";
    let asked = wsl.ask(question("mac", hostile)).await.unwrap();
    assert_eq!(asked.status, "answered", "{asked:?}");
    assert_eq!(asked.untrusted_answer.as_deref(), Some(hostile));
    assert_eq!(
        (
            asked.provenance.peer.as_str(),
            asked.provenance.evidence.as_str()
        ),
        ("mac", "signed")
    );
    let again = wsl.ask_status(&asked.ask_id).await.unwrap();
    assert_eq!(again.untrusted_answer.as_deref(), Some(hostile));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_is_not_kept_yet_is_not_answered() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(false).await;
    mac.set_responder(None, command(&["cat"])).await.unwrap();
    let asked = wsl.ask(question("mac", "hello?")).await.unwrap();
    assert_eq!(code(&asked), "NOT_KEPT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_gets_a_cleared_environment_and_its_failures_are_told() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    mac.set_responder(Some("wsl"), command(&["env"]))
        .await
        .unwrap();
    let asked = wsl.ask(question("mac", "x")).await.unwrap();
    let answer = asked.untrusted_answer.unwrap();
    let names: Vec<_> = answer
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    assert!(names.contains(&"TIELINE_ASK_PEER"), "{answer}");
    assert!(
        names
            .iter()
            .all(|name| *name == "PATH" || name.starts_with("TIELINE_")),
        "{answer}"
    );
    assert!(answer.contains("TIELINE_ASK_HOPS=3"));
    for (argv, why) in [
        (vec!["false"], "RESPONDER_FAILED"),
        (vec!["/does/not/exist"], "RESPONDER_FAILED"),
        (
            vec!["head", "-c", "600000", "/dev/zero"],
            "RESPONDER_FAILED",
        ),
    ] {
        mac.set_responder(Some("wsl"), command(&argv))
            .await
            .unwrap();
        let asked = wsl.ask(question("mac", "x")).await.unwrap();
        assert_eq!(code(&asked), why, "{argv:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_ends_with_its_children_when_the_asker_hangs_up() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("slow.sh");
    let pids = directory.path().join("pids");
    let text = format!(
        "#!/bin/sh\nsleep 600 &\necho $! > {}\nwait\n",
        pids.display()
    );
    std::fs::write(&script, text).unwrap();
    mac.set_responder(Some("wsl"), command(&["sh", script.to_str().unwrap()]))
        .await
        .unwrap();
    let asking = {
        let wsl = wsl.clone();
        tokio::spawn(async move { wsl.ask(question("mac", "x")).await })
    };
    let child = until("a child runs", async || {
        std::fs::read_to_string(&pids)
            .ok()
            .filter(|pid| pid.ends_with('\n'))
    })
    .await;
    assert!(alive(&child));
    asking.abort();
    until("the child ends", async || (!alive(&child)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_answers_or_declines_and_the_asker_may_come_back_for_it() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    mac.set_responder(
        Some("wsl"),
        Responder::Person {
            deadline_seconds: 60,
        },
    )
    .await
    .unwrap();
    let mut impatient = question("mac", "lunch?");
    impatient.wait = Some(Duration::from_millis(10));
    let asked = wsl.ask(impatient).await.unwrap();
    assert_eq!(asked.status, "accepted");
    let pending = until("the question is on the desk", async || {
        mac.pending_asks().pop()
    })
    .await;
    assert_eq!(
        (pending.peer.as_str(), pending.text.as_str()),
        ("wsl", "lunch?")
    );
    mac.answer_ask(&pending.ask_id, Some("at one".into()))
        .unwrap();
    let began = Instant::now();
    let answered = loop {
        let view = wsl.ask_status(&asked.ask_id).await.unwrap();
        if view.status == "answered" {
            break view;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{view:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(answered.untrusted_answer.as_deref(), Some("at one"));
    let again = mac
        .answer_ask(&pending.ask_id, Some("twice".into()))
        .unwrap_err();
    assert_eq!(again.code.to_string(), "MESSAGE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hour_budget_stops_a_flood_and_the_person_decides() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    mac.set_responder(Some("wsl"), command(&["cat"]))
        .await
        .unwrap();
    for _ in 0..30 {
        let asked = wsl.ask(question("mac", "x")).await.unwrap();
        assert_eq!(asked.status, "answered", "{asked:?}");
    }
    let refused = wsl.ask(question("mac", "x")).await.unwrap_err();
    assert_eq!(refused.problem.code.to_string(), "BUDGET_SPENT");
    wsl.set_brake("mac", "asksOut", true).unwrap();
    let asked = wsl.ask(question("mac", "x")).await.unwrap();
    assert_eq!(
        code(&asked),
        "BUDGET_SPENT",
        "the answerer has a budget of its own"
    );
    let brake = |brakes: Vec<tieline_node::model::BrakeView>| {
        brakes
            .into_iter()
            .find(|brake| brake.kind == "asksIn")
            .unwrap()
    };
    assert!(brake(mac.brakes()).waiting);
    mac.set_brake("wsl", "asksIn", true).unwrap();
    assert_eq!(
        wsl.ask(question("mac", "x")).await.unwrap().status,
        "answered"
    );
}
