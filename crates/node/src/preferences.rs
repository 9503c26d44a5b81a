//! The person's preferences: kept in the database, at hand in memory.

use parking_lot::RwLock;
use serde_json::{Map, Value};
use tieline_store::{Store, StoreError, settings};
use tieline_wire::problem::{Code, Problem};

use crate::model::{EventKind, Preferences};
use crate::node::Node;
use crate::retention;

/// Setting that holds them.
const SETTING: &str = "preferences";
/// Longest time for which content can be kept, ten years.
const MOST_DAYS: u32 = 3650;

/// The preferences as they are now.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    now: RwLock<Preferences>,
    /// Held while they change, so that memory follows the database in order.
    changing: tokio::sync::Mutex<()>,
}

impl Kept {
    /// What the database has.
    ///
    /// # Errors
    /// Those of the store, also where what it has cannot be read: it is not replaced.
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let stored = store.read(|conn| settings::get(conn, SETTING)).await?;
        Ok(Self {
            now: RwLock::new(stored.unwrap_or_default()),
            ..Self::default()
        })
    }
}

impl Node {
    /// What the person prefers.
    #[must_use]
    pub fn preferences(&self) -> Preferences {
        self.preferences.now.read().clone()
    }

    /// Whether the local API demands its token on every route.
    #[must_use]
    pub fn requires_token(&self) -> bool {
        self.preferences.now.read().require_token
    }

    /// Changes preferences by a JSON merge patch (RFC 7396): what is named changes, null puts back
    /// what holds without a word of the person. Content past a new retention time is deleted.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for what is no preference, and those of the store.
    pub async fn change_preferences(
        &self,
        patch: Map<String, Value>,
    ) -> Result<Preferences, Problem> {
        // A task of its own: a caller who hangs up does not part memory from the database.
        let node = self.clone();
        let change = self.tasks.spawn(async move { node.change(patch).await });
        change
            .await
            .unwrap_or_else(|error| Err(Problem::new(Code::Internal).because(error.to_string())))
    }

    async fn change(&self, patch: Map<String, Value>) -> Result<Preferences, Problem> {
        let changing = self.preferences.changing.lock().await;
        let before = self.preferences();
        let after = patched(&before, patch)?;
        if after == before {
            return Ok(after);
        }
        let stored = after.clone();
        self.store
            .write(move |tx| settings::set(tx, SETTING, &stored))
            .await?;
        *self.preferences.now.write() = after.clone();
        drop(changing);
        if after.require_token && !before.require_token {
            self.end_api_admissions();
        }
        self.events.changed(EventKind::Settings, SETTING);
        if after.retention_days != before.retention_days
            && let Err(problem) = retention::forget(self).await
        {
            // The preference holds all the same, and the next round deletes.
            tracing::warn!(%problem, "deleting old content failed");
        }
        Ok(after)
    }
}

fn patched(before: &Preferences, patch: Map<String, Value>) -> Result<Preferences, Problem> {
    let wrong = |why: String| {
        Problem::new(Code::InvalidRequest)
            .summary("These are not preferences.")
            .because(why)
    };
    let mut document = serde_json::to_value(before).map_err(|error| wrong(error.to_string()))?;
    merge(&mut document, Value::Object(patch));
    let after: Preferences =
        serde_json::from_value(document).map_err(|error| wrong(format!("{error}.")))?;
    if after
        .retention_days
        .is_some_and(|days| days == 0 || days > MOST_DAYS)
    {
        return Err(wrong(format!(
            "Content can be kept for 1 to {MOST_DAYS} days, or for ever."
        )));
    }
    if after
        .notifications
        .quiet_hours
        .is_some_and(|hours| hours.from == hours.to)
    {
        return Err(wrong(
            "Quiet hours that begin and end at the same minute have no length.".into(),
        ));
    }
    Ok(after)
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::RouteOrder;

    fn patch(before: &Preferences, patch: Value) -> Result<Preferences, Problem> {
        patched(before, patch.as_object().unwrap().clone())
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_takes_away() {
        let first = patch(
            &Preferences::default(),
            json!({
                "notifications": {"quietHours": {"from": "22:00", "to": "07:00"}, "hideText": true},
                "routeOrder": "relayFirst",
                "retentionDays": 30,
            }),
        )
        .unwrap();
        assert_eq!(first.route_order, RouteOrder::RelayFirst);
        let second = patch(
            &first,
            json!({"notifications": {"quietHours": null}, "retentionDays": null, "requireToken": true}),
        )
        .unwrap();
        assert!(second.notifications.hide_text && second.require_token);
        assert_eq!(second.notifications.quiet_hours, None);
        assert_eq!(second.retention_days, None);
        assert_eq!(second.route_order, RouteOrder::RelayFirst);
    }

    #[test]
    fn what_is_no_preference_is_refused() {
        for wrong in [
            json!({"retentionDays": 0}),
            json!({"retentionDays": 3651}),
            json!({"routeOrder": "carrierPigeon"}),
            json!({"notifications": {"pausedUntil": "tomorrow"}}),
            json!({"notifications": {"quietHours": {"from": "22:00"}}}),
            json!({"notifications": {"quietHours": {"from": "22:00", "to": "22:00"}}}),
            json!({"theme": "dark"}),
        ] {
            let refused = patch(&Preferences::default(), wrong.clone());
            assert_eq!(refused.unwrap_err().code, Code::InvalidRequest, "{wrong}");
        }
    }

    #[test]
    fn merging_follows_the_rfcs_examples() {
        // Appendix A, those with objects.
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": "b", "b": "c"}),
                json!({"a": null}),
                json!({"b": "c"}),
            ),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, result, "{target} with {patch}");
        }
    }
}
