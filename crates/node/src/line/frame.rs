//! Frames on a held connection: requests and answers as binary WebSocket messages.
//!
//! A frame is the length of its head (u32, big endian), the head as JSON, and the body's bytes.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// Largest head. A request token is about 500 bytes.
const MAX_HEAD: usize = 8 * 1024;

/// What precedes a body.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Head {
    /// A request; `id` is answered.
    #[serde(rename = "req")]
    Request {
        /// Counts the requests of this side.
        id: u64,
        /// HTTP method.
        method: String,
        /// Path.
        path: String,
        /// Request token.
        token: String,
        /// HMAC over it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<String>,
    },
    /// An answer.
    #[serde(rename = "res")]
    Response {
        /// The request's id.
        id: u64,
        /// HTTP status.
        status: u16,
    },
}

/// Puts head and body together.
pub(super) fn encode(head: &Head, body: &[u8]) -> Bytes {
    let head = serde_json::to_vec(head).unwrap_or_default();
    let mut frame = BytesMut::with_capacity(4 + head.len() + body.len());
    frame.put_u32(u32::try_from(head.len()).unwrap_or(u32::MAX));
    frame.put_slice(&head);
    frame.put_slice(body);
    frame.freeze()
}

/// Takes head and body apart; `None` for anything that is not a frame.
pub(super) fn decode(frame: Bytes) -> Option<(Head, Bytes)> {
    let length: [u8; 4] = frame.get(..4)?.try_into().ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    if length > MAX_HEAD {
        return None;
    }
    let end = 4_usize.checked_add(length)?;
    let head = serde_json::from_slice(frame.get(4..end)?).ok()?;
    Some((head, frame.slice(end..)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives_the_way_there() {
        let head = Head::Request {
            id: 7,
            method: "POST".into(),
            path: "/tieline/v1/ping".into(),
            token: "a.b.c".into(),
            mac: None,
        };
        let (again, body) = decode(encode(&head, b"{}")).unwrap();
        assert_eq!((again, body.as_ref()), (head, b"{}".as_slice()));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bytes in [
            &b""[..],
            b"\0\0",
            b"\xff\xff\xff\xff{}",
            b"\0\0\0\x09{}",
            b"\0\0\0\x02{}x",
        ] {
            assert!(decode(Bytes::copy_from_slice(bytes)).is_none(), "{bytes:?}");
        }
    }
}
