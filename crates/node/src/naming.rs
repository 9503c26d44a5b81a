//! What the person says of this node itself: its name, and that the welcome was seen.

use tieline_store::settings;
use tieline_wire::problem::{Code, Problem};

use crate::model::EventKind;
use crate::node::Node;

/// Setting with the node's name.
pub(crate) const NAME: &str = "name";
/// Setting that says that the person has seen the welcome.
const WELCOMED: &str = "welcomed";

impl Node {
    /// Calls this node something else. Cards and links made from now on say so; peers keep the name
    /// that they gave it.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for a name of which nothing is left when it is made fit to show, and those
    /// of the store.
    pub async fn set_own_name(&self, name: &str) -> Result<(), Problem> {
        let name = tieline_wire::name::tidy(name);
        if name.is_empty() {
            return Err(Problem::new(Code::InvalidRequest)
                .summary("A machine needs a name.")
                .because("The name given has no letter or digit in it.")
                .remedy("Give it a short name by which its owner knows it."));
        }
        let stored = name.clone();
        self.store
            .write(move |tx| settings::set(tx, NAME, &stored))
            .await?;
        let former = std::mem::replace(&mut *self.name.lock(), name);
        self.note_former_name(former);
        self.events.changed(EventKind::Status, NAME);
        Ok(())
    }

    /// Whether the person has seen the welcome.
    pub(crate) async fn is_welcomed(&self) -> Result<bool, Problem> {
        let seen = self
            .store
            .read(|conn| settings::get(conn, WELCOMED))
            .await?;
        Ok(seen.unwrap_or(false))
    }

    /// Notes that the person has seen the welcome.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_welcomed(&self) -> Result<(), Problem> {
        self.store
            .write(|tx| settings::set(tx, WELCOMED, &true))
            .await?;
        self.events.changed(EventKind::Status, WELCOMED);
        Ok(())
    }
}
