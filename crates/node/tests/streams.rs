//! Answers heard while they are made: by real commands and a stub OpenAI-compatible server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Pair, alive, pair, script, until};
use tieline_node::model::{AskCommand, AskView, Responder};
use tieline_node::{AskNews, Asking};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn question(text: &str) -> AskCommand {
    AskCommand {
        to: "mac".into(),
        text: text.into(),
        hops: None,
        session: None,
        wait: None,
        stream: true,
    }
}

/// Hears until the pieces are `wanted`.
async fn hear(asking: &mut Asking, wanted: &str) {
    let mut heard = String::new();
    while heard != wanted {
        match asking.next().await {
            Some(AskNews::Piece(text)) => heard.push_str(&text),
            other => panic!("{other:?} after {heard:?}"),
        }
    }
}

async fn end(asking: &mut Asking) -> AskView {
    loop {
        match asking.next().await {
            Some(AskNews::End(view)) => return *view,
            Some(_) => {}
            None => panic!("it ended without an end"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commands_output_is_heard_before_it_ends() {
    let Pair { mac, wsl, homes } = pair(true).await;
    let gate = homes.0.path().join("gate");
    let lines = format!(
        "printf 'one \\303\\251\\n'; while [ ! -e {} ]; do sleep 0.05; done; printf 'two\\n\\n'",
        gate.display()
    );
    let argv = vec!["sh".into(), script(homes.0.path(), "slow.sh", &lines)];
    let responder = Responder::Command {
        argv,
        timeout_seconds: 60,
    };
    mac.set_responder(Some("wsl"), responder).await.unwrap();
    let mut asking = wsl.start_ask(question("x")).await.unwrap();
    assert_eq!(asking.view().status, "accepted");
    hear(&mut asking, "one é").await;
    std::fs::write(&gate, "").unwrap();
    let view = end(&mut asking).await;
    assert_eq!(view.untrusted_answer.as_deref(), Some("one é\ntwo"));
    assert!(asking.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_up_in_the_middle_ends_the_command_with_its_children() {
    let Pair { mac, wsl, homes } = pair(true).await;
    let argv = vec![
        "sh".into(),
        script(homes.0.path(), "slow.sh", "sleep 600 &\necho $!\nwait"),
    ];
    let responder = Responder::Command {
        argv,
        timeout_seconds: 60,
    };
    mac.set_responder(Some("wsl"), responder).await.unwrap();
    // A line end counts only once something follows it, so the child's number is alone.
    let mut asking = wsl.start_ask(question("x")).await.unwrap();
    let Some(AskNews::Piece(child)) = asking.next().await else {
        panic!("nothing was heard")
    };
    assert!(alive(&child));
    drop(asking);
    until("the child ends", async || (!alive(&child)).then_some(())).await;
}

/// A model that answers in pieces: takes one question and gives its connection.
async fn asked(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = String::new();
    while !request.ends_with('}') {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.unwrap();
        request.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    (stream, request)
}

async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

const STREAMS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    connection: close\r\n\r\n";

fn piece(text: &str) -> String {
    let delta =
        serde_json::json!({"choices": [{"delta": {"content": text}, "finish_reason": null}]});
    format!(": keep-alive\n\ndata: {delta}\n\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_models_pieces_are_passed_on_and_one_that_breaks_off_is_no_answer() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    let model = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let responder = Responder::Endpoint {
        url: format!("http://{}/v1", model.local_addr().unwrap()),
        model: "m1".into(),
        timeout_seconds: 60,
    };
    mac.set_responder(Some("wsl"), responder).await.unwrap();

    let mut asking = wsl.start_ask(question("what is it?")).await.unwrap();
    let (mut stream, request) = asked(&model).await;
    assert!(request.contains(r#""stream":true"#), "{request}");
    say(&mut stream, &format!("{STREAMS}{}", piece("forty"))).await;
    hear(&mut asking, "forty").await;
    say(&mut stream, &format!("{}data: [DONE]\n\n", piece("-two"))).await;
    let view = end(&mut asking).await;
    assert_eq!(view.untrusted_answer.as_deref(), Some("forty-two"));

    let mut asking = wsl.start_ask(question("again?")).await.unwrap();
    let (mut stream, _) = asked(&model).await;
    say(&mut stream, &format!("{STREAMS}{}", piece("forty"))).await;
    drop(stream);
    let view = end(&mut asking).await;
    assert_eq!(view.status, "failed");
    assert_eq!(view.problem.unwrap().code.to_string(), "RESPONDER_FAILED");

    // One that does not stream is an answer all the same.
    let mut asking = wsl.start_ask(question("and?")).await.unwrap();
    let (mut stream, _) = asked(&model).await;
    let body = r#"{"choices":[{"message":{"content":"whole"}}]}"#;
    let length = body.len();
    say(
        &mut stream,
        &format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"),
    )
    .await;
    let view = end(&mut asking).await;
    assert_eq!(view.untrusted_answer.as_deref(), Some("whole"));

    // Hanging up closes the connection to the model.
    let asking = wsl.start_ask(question("never mind")).await.unwrap();
    let (mut stream, _) = asked(&model).await;
    drop(asking);
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_announced_and_the_answer_can_be_waited_for() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    let responder = Responder::Person {
        deadline_seconds: 60,
    };
    mac.set_responder(Some("wsl"), responder).await.unwrap();
    let mut asking = wsl.start_ask(question("lunch?")).await.unwrap();
    let Some(AskNews::Note(note)) = asking.next().await else {
        panic!("nothing was heard")
    };
    assert!(note.contains("person"), "{note}");
    let id = asking.view().ask_id;
    let waiting = {
        let (wsl, id) = (wsl.clone(), id.clone());
        tokio::spawn(async move { wsl.wait_ask(&id, std::time::Duration::from_secs(60)).await })
    };
    until("the question is on the desk", async || {
        mac.pending_asks().pop()
    })
    .await;
    mac.answer_ask(&id, Some("at one".into())).unwrap();
    let view = end(&mut asking).await;
    assert_eq!(view.untrusted_answer.as_deref(), Some("at one"));
    let looked = waiting.await.unwrap().unwrap();
    assert_eq!(looked.untrusted_answer.as_deref(), Some("at one"));
}
