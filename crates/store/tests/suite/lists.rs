//! Lists, pages and search, also with hostile input.

use std::sync::OnceLock;

use crate::support::{Home, add_peer, id, incoming, outgoing};
use proptest::prelude::*;
use tieline_store::messages::{
    self, Cursor, Direction, Filter, MAX_PAGE, MAX_PAGE_BYTES, Mode, Page, State,
};
use tieline_store::peers::PeerId;
use tieline_store::{Connection, Store, StoreError};

struct Shelf {
    store: Store,
    _home: Home,
    one: PeerId,
    two: PeerId,
}

const TEXTS: [&str; 6] = [
    "the tea is ready",
    "build-log.txt: 3 errors (E0382) in src/main.rs",
    "Crème brûlée, s'il vous plaît",
    "тест сообщения 消息",
    "\"quoted\" NEAR(words) AND more* OR -less",
    "",
];

async fn shelf() -> Shelf {
    let home = Home::new();
    let store = home.open();
    let (one, two) = (add_peer(&store, "one").await, add_peer(&store, "two").await);
    store
        .write(move |tx| {
            for (number, text) in TEXTS.iter().enumerate() {
                messages::accept_incoming(tx, &incoming(one, &format!("in-{number}"), text))?;
                messages::insert_outgoing(
                    tx,
                    &outgoing(two, &format!("out-{number}"), Mode::Queue),
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    Shelf {
        store,
        _home: home,
        one,
        two,
    }
}

impl Shelf {
    async fn list(&self, filter: Filter) -> Page {
        self.store
            .read(move |conn| messages::list(conn, &filter))
            .await
            .unwrap()
    }

    async fn found(&self, words: &str) -> Vec<String> {
        let filter = Filter {
            search: Some(words.into()),
            direction: Some(Direction::In),
            ..Filter::default()
        };
        self.list(filter)
            .await
            .messages
            .into_iter()
            .map(|row| row.message_id.to_string())
            .collect()
    }
}

fn seqs(page: &Page) -> Vec<i64> {
    page.messages.iter().map(|row| row.seq).collect()
}

#[tokio::test]
async fn filters_narrow_a_list() {
    let shelf = shelf().await;
    let all = shelf.list(Filter::default()).await;
    assert_eq!(seqs(&all), (1..=12).rev().collect::<Vec<_>>());
    assert!(
        !all.more
            && all
                .messages
                .iter()
                .all(|row| row.content.as_ref().is_some_and(|c| c.payload.is_none()))
    );
    let of = |filter: Filter| async { shelf.list(filter).await.messages.len() };
    assert_eq!(
        of(Filter {
            peer: Some(shelf.one),
            ..Filter::default()
        })
        .await,
        6
    );
    assert_eq!(
        of(Filter {
            peer: Some(shelf.one),
            direction: Some(Direction::Out),
            ..Filter::default()
        })
        .await,
        0
    );
    assert_eq!(
        of(Filter {
            states: vec![State::Queued, State::Failed],
            ..Filter::default()
        })
        .await,
        6
    );
    assert_eq!(
        of(Filter {
            unread: true,
            peer: Some(shelf.two),
            ..Filter::default()
        })
        .await,
        0
    );
    assert_eq!(
        of(Filter {
            kinds: vec!["text".into()],
            ..Filter::default()
        })
        .await,
        12
    );
    assert_eq!(
        of(Filter {
            kinds: vec!["ping".into()],
            ..Filter::default()
        })
        .await,
        0
    );
    let whole = shelf
        .list(Filter {
            payload: true,
            limit: 1,
            ..Filter::default()
        })
        .await;
    assert!(
        whole.messages[0]
            .content
            .as_ref()
            .unwrap()
            .payload
            .as_ref()
            .unwrap()
            .starts_with("{\"type\"")
    );
}

#[tokio::test]
async fn a_page_with_payloads_stays_small_however_large_they_are() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "one").await;
    let large = "x".repeat(1 << 20);
    store
        .write(move |tx| {
            for number in 0..9 {
                messages::accept_incoming(tx, &incoming(peer, &format!("m-{number}"), &large))?;
            }
            // One alone may be larger than a page.
            let huge = "x".repeat(5 << 20);
            messages::accept_incoming(tx, &incoming(peer, "huge", &huge))?;
            Ok(())
        })
        .await
        .unwrap();
    for payload in [true, false] {
        let (mut seen, mut after, mut pages) = (0, 0, 0);
        loop {
            let filter = Filter {
                cursor: Cursor::After(after),
                limit: MAX_PAGE,
                payload,
                ..Filter::default()
            };
            let page = store
                .read(move |conn| messages::list(conn, &filter))
                .await
                .unwrap();
            let bytes: i64 = page.messages.iter().map(|row| row.payload_bytes).sum();
            let fits = bytes <= MAX_PAGE_BYTES || page.messages.len() == 1;
            assert!(!payload || fits, "{bytes} bytes");
            seen += page.messages.len();
            after = page.messages.last().unwrap().seq;
            pages += 1;
            if !page.more {
                break;
            }
        }
        assert_eq!((seen, pages > 1), (10, payload));
    }
}

#[tokio::test]
async fn pages_follow_on_without_gaps_in_both_directions() {
    let shelf = shelf().await;
    for search in [None, Some("tea".to_owned())] {
        let filter = Filter {
            limit: 3,
            search,
            ..Filter::default()
        };
        let expected = seqs(
            &shelf
                .list(Filter {
                    limit: MAX_PAGE + 9,
                    ..filter.clone()
                })
                .await,
        );
        assert!(expected.len() >= 7);
        let (mut newest_first, mut cursor) = (Vec::new(), Cursor::Newest);
        loop {
            let page = shelf
                .list(Filter {
                    cursor,
                    ..filter.clone()
                })
                .await;
            newest_first.extend(seqs(&page));
            cursor = Cursor::Before(*newest_first.last().unwrap());
            if !page.more {
                break;
            }
        }
        assert_eq!(newest_first, expected);
        let (mut oldest_first, mut after) = (Vec::new(), 0);
        loop {
            let page = shelf
                .list(Filter {
                    cursor: Cursor::After(after),
                    ..filter.clone()
                })
                .await;
            oldest_first.extend(seqs(&page));
            after = *oldest_first.last().unwrap();
            if !page.more {
                break;
            }
        }
        oldest_first.reverse();
        assert_eq!(oldest_first, expected);
    }
    assert_eq!(
        shelf
            .list(Filter {
                cursor: Cursor::After(12),
                ..Filter::default()
            })
            .await
            .messages
            .len(),
        0
    );
}

#[tokio::test]
async fn search_takes_what_people_type() {
    let shelf = shelf().await;
    let cases: &[(&str, &[&str])] = &[
        ("tea", &["in-0"]),
        ("REA", &["in-0"]),
        ("tea ready", &["in-0"]),
        ("ready tea", &["in-0"]),
        ("tea coffee", &[]),
        ("build-log", &["in-1"]),
        ("main.rs", &["in-1"]),
        ("(E0382)", &["in-1"]),
        ("creme BRULEE", &["in-2"]),
        ("cre\u{300}me", &["in-2"]),
        ("s'il", &["in-2"]),
        ("сообщ", &["in-3"]),
        ("消", &["in-3"]),
        ("NEAR(words)", &["in-4"]),
        ("AND", &["in-4"]),
        ("\"quoted\"", &["in-4"]),
        ("more*", &["in-4"]),
        ("-less", &["in-4"]),
        ("text:tea", &[]),
        ("tea \u{1F600} !!", &["in-0"]),
        ("", &[]),
        ("\"", &[]),
        ("*", &[]),
        ("\0", &[]),
    ];
    for (words, expected) in cases {
        assert_eq!(shelf.found(words).await, *expected, "{words:?}");
    }
}

#[tokio::test]
async fn the_whole_of_a_long_text_is_kept_and_its_beginning_searched() {
    let shelf = shelf().await;
    let text = format!("beginning {} ending", "ж".repeat(messages::SEARCHED_BYTES));
    let message = incoming(shelf.one, "long", &text);
    let payload = message.payload.clone();
    shelf
        .store
        .write(move |tx| messages::accept_incoming(tx, &message))
        .await
        .unwrap();
    assert_eq!(shelf.found("beginning").await, ["long"]);
    assert_eq!(shelf.found("ending").await, [""; 0]);
    let rows = shelf
        .store
        .read(|conn| messages::by_message_id(conn, &id("long")))
        .await
        .unwrap();
    assert!(rows[0].content.as_ref().unwrap().payload.as_ref() == Some(&payload));
}

#[tokio::test]
async fn frequent_questions_use_an_index() {
    let shelf = shelf().await;
    let plan = |conn: &Connection, sql: &str| -> Result<String, StoreError> {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let lines = statement.query_map([], |row| row.get::<_, String>(3))?;
        Ok(lines.collect::<Result<Vec<_>, _>>()?.join("; "))
    };
    // Questions about open and new messages name their index, and SQLite refuses them if it cannot be used.
    let questions = [
        (
            "SELECT * FROM messages m WHERE m.message_id = 'x' AND m.peer_id = 1 AND m.direction = 0",
            "messages_id (message_id=? AND peer_id=? AND direction=?)",
        ),
        (
            "SELECT * FROM messages m WHERE m.peer_id = 1 ORDER BY m.seq DESC LIMIT 50",
            "messages_peer (peer_id=?)",
        ),
        (
            "SELECT * FROM search CROSS JOIN messages m ON m.seq = search.rowid WHERE search MATCH 'x' \
             AND search.rowid < 9 ORDER BY search.rowid DESC LIMIT 50",
            "SCAN search VIRTUAL TABLE INDEX",
        ),
    ];
    for (sql, index) in questions {
        let plan = shelf.store.read(move |conn| plan(conn, sql)).await.unwrap();
        assert!(
            plan.contains(index) && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}

fn shared() -> &'static (tokio::runtime::Runtime, Shelf) {
    static SHARED: OnceLock<(tokio::runtime::Runtime, Shelf)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let shelf = runtime.block_on(shelf());
        (runtime, shelf)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_query_string_breaks_a_search(words in r#"(?s)([ "*^:(){}+\-.,'\\~]|AND|OR|NOT|NEAR|text|\x00|[a-z]|\PC){0,40}"#) {
        let (runtime, shelf) = shared();
        let filter = Filter { search: Some(words), limit: 5, ..Filter::default() };
        let outcome = runtime.block_on(shelf.store.read(move |conn| messages::list(conn, &filter)));
        prop_assert!(outcome.is_ok(), "{outcome:?}");
    }

    #[test]
    fn a_message_is_found_by_each_of_its_words(text in r"[a-zA-ZäéßжЖ0-9]{1,12}([ .,;:!?'\-][a-zA-ZäéßжЖ0-9]{1,12}){0,4}", pick in any::<prop::sample::Index>()) {
        let home = shared();
        let words: Vec<&str> = text.split(' ').collect();
        let word = pick.get(&words).to_string();
        let message = incoming(home.1.one, tieline_wire::message::MessageId::new_v4().as_ref(), &text);
        let id = message.message_id.clone();
        let found = home.0.block_on(async {
            home.1.store.write(move |tx| messages::accept_incoming(tx, &message)).await?;
            let filter = Filter { search: Some(word), limit: 1, ..Filter::default() };
            let page = home.1.store.read(move |conn| messages::list(conn, &filter)).await?;
            Ok::<_, StoreError>(page.messages.first().is_some_and(|row| row.message_id == id))
        });
        prop_assert_eq!(found, Ok(true));
    }
}
