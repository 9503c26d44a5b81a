//! An OpenAI-compatible endpoint on this machine as responder (Ollama, LM Studio, an agent).

use http::HeaderMap;
use serde::Deserialize;
use tieline_wire::problem::{Code, Problem};

use super::{MAX_ANSWER, Question};
use crate::ask::partial::Partial;
use crate::local::loopback::{Answer, Place};

/// Longest stream, in bytes: small pieces with what surrounds them, and what keeps it alive.
const MAX_STREAM: usize = 128 * MAX_ANSWER;
/// Longest line of a stream, in bytes: one piece of an answer, with what surrounds it.
const MAX_LINE: usize = 2 * MAX_ANSWER;

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    /// The answer, or in a stream a piece of it.
    #[serde(alias = "delta")]
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// Asks the endpoint, for a stream where somebody watches.
///
/// # Errors
/// `RESPONDER_FAILED`.
pub(super) async fn run(
    url: &str,
    model: &str,
    question: &Question,
    partial: Option<Partial>,
) -> Result<String, Problem> {
    let place = Place::parse(url)?;
    let body = serde_json::json!({
        "model": model,
        "messages": [{"role": "user", "content": question.text}],
        "stream": partial.is_some(),
    });
    let answer = place
        .post(
            "/chat/completions",
            HeaderMap::new(),
            body.to_string().into_bytes(),
        )
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !answer.status.is_success() {
        return Err(failed(format!(
            "The endpoint answered with HTTP status {}.",
            answer.status.as_u16()
        )));
    }
    let streams = answer
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    match partial {
        Some(partial) if streams => streamed(answer, partial).await,
        // An endpoint that does not stream answers in one piece all the same.
        _ => in_one_piece(answer).await,
    }
}

async fn in_one_piece(answer: Answer) -> Result<String, Problem> {
    let body = answer
        .whole(MAX_LINE)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let completion: Completion = serde_json::from_slice(&body)
        .map_err(|error| failed(format!("The endpoint's answer is no completion: {error}.")))?;
    let first = completion.choices.into_iter().next();
    match first.and_then(|choice| choice.message?.content) {
        Some(text) if text.len() <= MAX_ANSWER => Ok(text),
        Some(_) => Err(too_long()),
        None => Err(failed("The endpoint's answer has no text.".into())),
    }
}

/// Reads server-sent events of pieces, to the one that ends them.
async fn streamed(mut answer: Answer, mut partial: Partial) -> Result<String, Problem> {
    let mut text = String::new();
    let mut unread = Vec::new();
    let mut is_whole = false;
    let mut read = 0;
    loop {
        let chunk = answer
            .chunk()
            .await
            .map_err(|error| failed(error.to_string()))?;
        let Some(chunk) = chunk else { break };
        read += chunk.len();
        if read > MAX_STREAM {
            return Err(failed(format!(
                "The endpoint's stream has more than {MAX_STREAM} bytes."
            )));
        }
        unread.extend_from_slice(&chunk);
        let Some(end) = unread.iter().rposition(|byte| *byte == b'\n') else {
            if unread.len() > MAX_LINE {
                return Err(too_long());
            }
            continue;
        };
        let lines: Vec<u8> = unread.drain(..=end).collect();
        for line in lines.split(|byte| *byte == b'\n') {
            match piece(line)? {
                Piece::Nothing => {}
                Piece::Done => return Ok(text),
                Piece::Text { content, is_last } => {
                    if text.len() + content.len() > MAX_ANSWER {
                        return Err(too_long());
                    }
                    text.push_str(&content);
                    partial.push(&content);
                    is_whole |= is_last;
                }
            }
        }
    }
    // Some servers close the stream without the word that ends it; a reason to finish will do.
    if is_whole {
        Ok(text)
    } else {
        Err(failed(
            "The endpoint's stream broke off before its end.".into(),
        ))
    }
}

enum Piece {
    Nothing,
    Text { content: String, is_last: bool },
    Done,
}

fn piece(line: &[u8]) -> Result<Piece, Problem> {
    let Some(data) = line.trim_ascii().strip_prefix(b"data:") else {
        return Ok(Piece::Nothing);
    };
    let data = data.trim_ascii();
    if data == b"[DONE]" {
        return Ok(Piece::Done);
    }
    let piece: Completion = serde_json::from_slice(data).map_err(|error| {
        failed(format!(
            "A piece of the endpoint's stream cannot be read: {error}."
        ))
    })?;
    let Some(choice) = piece.choices.into_iter().next() else {
        return Ok(Piece::Nothing);
    };
    Ok(Piece::Text {
        content: choice
            .message
            .and_then(|message| message.content)
            .unwrap_or_default(),
        is_last: choice.finish_reason.is_some(),
    })
}

fn failed(why: String) -> Problem {
    Problem::new(Code::ResponderFailed).because(why)
}

fn too_long() -> Problem {
    failed(format!(
        "The endpoint's answer is longer than {MAX_ANSWER} bytes."
    ))
}
