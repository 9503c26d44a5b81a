//! Lists of messages, page by page, and counts.

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, params_from_iter};

use super::{
    COLUMNS, Content, Direction, Evidence, MessageRow, PAYLOAD, State, TEXT, read, search,
};
use crate::StoreError;
use crate::peers::PeerId;

/// Most messages on a page.
pub const MAX_PAGE: u32 = 500;

/// Most bytes of payloads on a page that carries them, unless the first message alone has more.
pub const MAX_PAGE_BYTES: i64 = 4 << 20;

/// Where a page starts and which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cursor {
    /// The newest messages, newest first.
    #[default]
    Newest,
    /// Messages with a smaller number than this, newest first.
    Before(i64),
    /// Messages with a greater number than this, oldest first; 0 for all from the beginning.
    After(i64),
}

/// A way that an attempt took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// `lan` or `relay`.
    pub route: &'static str,
    /// How the route was taken, such as `held`; any way otherwise.
    pub via: Option<&'static str>,
}

/// Which messages to list. Conditions left empty do not restrict.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Exchanged with this peer.
    pub peer: Option<PeerId>,
    /// Going this way.
    pub direction: Option<Direction>,
    /// In one of these states.
    pub states: Vec<State>,
    /// With one of these payload types.
    pub kinds: Vec<String>,
    /// Resting on this; only deliveries do.
    pub evidence: Option<Evidence>,
    /// With an attempt over this route.
    pub tried: Option<Tried>,
    /// Only incoming ones that nobody looked at.
    pub unread: bool,
    /// With text that has every one of these words, or words beginning with them.
    pub search: Option<String>,
    /// Where to start.
    pub cursor: Cursor,
    /// Most messages wanted, at most [`MAX_PAGE`]; 0 means 50.
    pub limit: u32,
    /// With the payload, not only the text.
    pub payload: bool,
}

/// Some messages in the order of the cursor.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The messages.
    pub messages: Vec<MessageRow>,
    /// Whether there are more that way.
    pub more: bool,
}

/// Lists messages. A search without a single word finds nothing.
///
/// # Errors
/// Any failure of the database.
pub fn list(conn: &Connection, filter: &Filter) -> Result<Page, StoreError> {
    let limit = if filter.limit == 0 {
        50
    } else {
        filter.limit.min(MAX_PAGE)
    };
    let Some(Query { sql, values }) = Query::of(filter, limit + 1) else {
        return Ok(Page::default());
    };
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut page = Page::default();
    let mut bytes = 0_i64;
    while let Some(row) = rows.next()? {
        let mut message = read(row)?;
        let text: Option<String> = row.get(TEXT)?;
        if filter.payload && text.is_some() {
            bytes = bytes.saturating_add(message.payload_bytes);
        }
        let is_full = page.messages.len() == limit as usize;
        if is_full || (bytes > MAX_PAGE_BYTES && !page.messages.is_empty()) {
            page.more = true;
            break;
        }
        if let Some(text) = text {
            let payload = if filter.payload {
                row.get(PAYLOAD)?
            } else {
                None
            };
            message.content = Some(Content { text, payload });
        }
        page.messages.push(message);
    }
    Ok(page)
}

struct Query {
    sql: String,
    values: Vec<SqlValue>,
}

impl Query {
    fn of(filter: &Filter, limit: u32) -> Option<Self> {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        // The full-text index walks its matches in the order of the number, so a page never reads them all.
        let (from, number) = match &filter.search {
            Some(input) => {
                conditions.push("search MATCH ?".to_owned());
                values.push(search::expression(input)?.into());
                (
                    "search CROSS JOIN messages m ON m.seq = search.rowid",
                    "search.rowid",
                )
            }
            None if filter.unread => ("messages m INDEXED BY messages_new", "m.seq"),
            None => ("messages m", "m.seq"),
        };
        if let Some(peer) = filter.peer {
            conditions.push("m.peer_id = ?".into());
            values.push(peer.0.into());
        }
        if let Some(direction) = filter.direction {
            conditions.push("m.direction = ?".into());
            values.push(direction.code().into());
        }
        if filter.unread {
            conditions.push("m.state = 'new'".into());
        }
        one_of(
            "m.state",
            filter.states.iter().map(|state| state.as_str()),
            &mut conditions,
            &mut values,
        );
        one_of(
            "m.kind",
            filter.kinds.iter().map(String::as_str),
            &mut conditions,
            &mut values,
        );
        if let Some(evidence) = filter.evidence {
            conditions.push("m.state = 'delivered' AND m.evidence = ?".into());
            values.push(evidence.as_str().to_owned().into());
        }
        if let Some(tried) = &filter.tried {
            let mut attempt = "a.message_seq = m.seq AND a.route = ?".to_owned();
            values.push(tried.route.to_owned().into());
            if let Some(via) = tried.via {
                attempt.push_str(" AND a.via = ?");
                values.push(via.to_owned().into());
            }
            conditions.push(format!("EXISTS (SELECT 1 FROM attempts a WHERE {attempt})"));
        }
        let order = match filter.cursor {
            Cursor::Newest => "DESC",
            Cursor::Before(seq) => {
                conditions.push(format!("{number} < ?"));
                values.push(seq.into());
                "DESC"
            }
            Cursor::After(seq) => {
                conditions.push(format!("{number} > ?"));
                values.push(seq.into());
                "ASC"
            }
        };
        let condition = if conditions.is_empty() {
            "true".into()
        } else {
            conditions.join(" AND ")
        };
        let payload = if filter.payload { ", b.payload" } else { "" };
        let sql = format!(
            "SELECT {COLUMNS}, b.text{payload} FROM {from} LEFT JOIN bodies b ON b.seq = m.seq WHERE {condition} \
             ORDER BY {number} {order} LIMIT ?"
        );
        values.push(i64::from(limit).into());
        Some(Self { sql, values })
    }
}

fn one_of<'a>(
    column: &str,
    allowed: impl ExactSizeIterator<Item = &'a str>,
    conditions: &mut Vec<String>,
    values: &mut Vec<SqlValue>,
) {
    if allowed.len() == 0 {
        return;
    }
    let marks = vec!["?"; allowed.len()].join(", ");
    conditions.push(format!("{column} IN ({marks})"));
    values.extend(allowed.map(|value| SqlValue::from(value.to_owned())));
}

/// What is waiting with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Incoming messages that nobody looked at.
    pub unread: i64,
    /// Outgoing messages in the queue.
    pub queued: i64,
    /// Outgoing messages being sent.
    pub sending: i64,
    /// Outgoing messages that the peer may or may not hold.
    pub unconfirmed: i64,
}

/// How many messages there are, tombstones included.
///
/// # Errors
/// Any failure of the database.
pub fn count(conn: &Connection) -> Result<i64, StoreError> {
    let mut statement = conn.prepare_cached("SELECT count(*) FROM messages")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The counts of every peer that has any, by peer. Reads only what is waiting, however long the history.
///
/// # Errors
/// Any failure of the database.
pub fn counts(conn: &Connection) -> Result<Vec<(PeerId, Counts)>, StoreError> {
    let sql = "SELECT peer_id, state, count(*) FROM messages INDEXED BY messages_open \
        WHERE state IN ('queued', 'sending', 'unconfirmed') GROUP BY peer_id, state \
        UNION ALL SELECT peer_id, 'new', count(*) FROM messages INDEXED BY messages_new WHERE state = 'new' \
        GROUP BY peer_id ORDER BY 1";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut all: Vec<(PeerId, Counts)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (peer, state, count) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if all.last().is_none_or(|(last, _)| *last != peer) {
            all.push((peer, Counts::default()));
        }
        let Some((_, counts)) = all.last_mut() else {
            continue;
        };
        match state {
            State::New => counts.unread = count,
            State::Queued => counts.queued = count,
            State::Sending => counts.sending = count,
            State::Unconfirmed => counts.unconfirmed = count,
            _ => {}
        }
    }
    Ok(all)
}
