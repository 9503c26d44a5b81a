//! Which route a request is for.

use super::{chat, probe};

/// A route that is served to abTARS peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `GET /v1/agent-card`.
    AgentCard,
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/:id`, the id decoded.
    Model(String),
    /// `GET /v1/ws`, exactly this target.
    Socket,
}

impl Route {
    /// The route of a request; `None` is a 404 with no body, before any proof is looked at.
    ///
    /// As in abTARS a wrong method, a trailing slash and `HEAD` are no route. A query is allowed
    /// everywhere but at the socket.
    #[must_use]
    pub fn of(method: &str, target: &str) -> Option<Self> {
        if method == "GET" && target == "/v1/ws" {
            return Some(Self::Socket);
        }
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        match (method, path) {
            ("POST", chat::PATH) => Some(Self::Chat),
            ("GET", probe::CARD_PATH) => Some(Self::AgentCard),
            ("GET", probe::MODELS_PATH) => Some(Self::Models),
            ("GET", _) => {
                let id = path.strip_prefix(probe::MODELS_PATH)?.strip_prefix('/')?;
                percent_decode(id)
                    .filter(|id| !id.is_empty())
                    .map(Self::Model)
            }
            _ => None,
        }
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_exact() {
        for (method, target, route) in [
            ("POST", "/v1/chat/completions", Some(Route::Chat)),
            ("POST", "/v1/chat/completions?x=1", Some(Route::Chat)),
            ("POST", "/v1/chat/completions/", None),
            ("GET", "/v1/chat/completions", None),
            ("GET", "/v1/agent-card", Some(Route::AgentCard)),
            ("HEAD", "/v1/agent-card", None),
            ("get", "/v1/agent-card", None),
            ("GET", "/v1/models", Some(Route::Models)),
            ("GET", "/v1/models/", None),
            ("GET", "/v1/models/kp", Some(Route::Model("kp".to_owned()))),
            (
                "GET",
                "/v1/models/kp%2Fdefault",
                Some(Route::Model("kp/default".to_owned())),
            ),
            (
                "GET",
                "/v1/models/kp/default",
                Some(Route::Model("kp/default".to_owned())),
            ),
            ("GET", "/v1/models/%ff", None),
            ("GET", "/v1/models/%2", None),
            ("GET", "/v1/modelsx", None),
            ("GET", "/v1/ws", Some(Route::Socket)),
            ("GET", "/v1/ws?x", None),
            ("GET", "/health", None),
        ] {
            assert_eq!(Route::of(method, target), route, "{method} {target}");
        }
    }
}
