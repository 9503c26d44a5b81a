//! A notification service that shows nothing and remembers everything.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedVariant, interface};

/// Longest wait for a notification.
const PATIENCE: Duration = Duration::from_secs(60);
const PATH: &str = "/org/freedesktop/Notifications";

/// What an app asked to be shown.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    pub(crate) id: u32,
    pub(crate) app: String,
    pub(crate) summary: String,
    pub(crate) body: String,
    /// Keys only.
    pub(crate) actions: Vec<String>,
}

/// The service.
pub(crate) struct Notifications {
    connection: Connection,
    shown: Mutex<mpsc::UnboundedReceiver<Notification>>,
}

impl Notifications {
    pub(crate) async fn serve(connection: &Connection) -> Self {
        let (tell, shown) = mpsc::unbounded_channel();
        let service = Service { tell, last: 0 };
        connection
            .object_server()
            .at(PATH, service)
            .await
            .expect("the object");
        connection
            .request_name("org.freedesktop.Notifications")
            .await
            .expect("the name");
        Self {
            connection: connection.clone(),
            shown: Mutex::new(shown),
        }
    }

    pub(crate) async fn next(&self) -> Notification {
        let mut shown = self.shown.lock().await;
        let next = tokio::time::timeout(PATIENCE, shown.recv()).await;
        next.expect("a notification in time")
            .expect("the service runs")
    }

    /// Takes the action with this key, and closes the notification as a desktop then does.
    pub(crate) async fn answer(&self, notification: &Notification, key: &str) {
        assert!(
            notification.actions.iter().any(|one| one == key),
            "{notification:?} has no {key}"
        );
        // A person needs a moment to read it, and the app one to listen for the answer.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let service = self
            .connection
            .object_server()
            .interface::<_, Service>(PATH)
            .await
            .expect("the service");
        let emitter = service.signal_emitter();
        Service::action_invoked(emitter, notification.id, key)
            .await
            .expect("the signal");
        Service::notification_closed(emitter, notification.id, 2)
            .await
            .expect("the signal");
    }
}

struct Service {
    tell: mpsc::UnboundedSender<Notification>,
    last: u32,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::too_many_arguments, reason = "the specification has eight")]
    async fn notify(
        &mut self,
        app_name: String,
        replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _expire_timeout: i32,
    ) -> u32 {
        let id = if replaces_id == 0 {
            self.last + 1
        } else {
            replaces_id
        };
        self.last = self.last.max(id);
        let actions = actions.into_iter().step_by(2).collect();
        let _ = self.tell.send(Notification {
            id,
            app: app_name,
            summary,
            body,
            actions,
        });
        id
    }

    async fn close_notification(
        &self,
        id: u32,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) {
        let _ = Self::notification_closed(&emitter, id, 3).await;
    }

    async fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup"]
            .map(str::to_owned)
            .to_vec()
    }

    async fn get_server_information(&self) -> (String, String, String, String) {
        (
            "test".to_owned(),
            "tieline".to_owned(),
            "1".to_owned(),
            "1.2".to_owned(),
        )
    }

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        action_key: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        reason: u32,
    ) -> zbus::Result<()>;
}
