//! Asks and answers of abTARS peers: what is read can be written and is read the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::abtars::chat::{self, Answer, ChatRequest, Special};
use tieline_wire::abtars::probe::AgentCard;
use tieline_wire::abtars::route::Route;
use tieline_wire::abtars::{Generation, ask, names};

fuzz_target!(|body: &[u8]| {
    for generation in [Generation::Current, Generation::Legacy] {
        match ChatRequest::parse(body, generation) {
            Ok(request) => {
                assert!(!request.content.is_empty());
                let again = ChatRequest::body(&request.content);
                let again = ChatRequest::parse(again.as_bytes(), generation);
                assert_eq!(again.map(|again| again.content), Ok(request.content));
            }
            Err(refusal) => assert!((400..=500).contains(&refusal.status())),
        }
    }
    let _ = Answer::parse(body);
    let _ = AgentCard::parse(body).map(|card| card.to_json());
    for status in [200, 401, 429, 500] {
        let _ = ask::read_answer(status, None, body);
    }
    let text = String::from_utf8_lossy(body);
    let _ = (
        Special::of(&text),
        chat::hops(Some(&text)),
        names::check(&text),
    );
    let _ = Route::of("GET", &text);
});
