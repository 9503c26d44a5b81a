//! What the window may call: the control API as one command, the events as one channel, and the
//! few things that only a shell can do. `capabilities/` gives these to the main window alone.

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode, header};
use serde::Serialize;
use tauri::ipc::{Channel, InvokeBody, Response};
use tauri::{AppHandle, Runtime, State};
use tieline_wire::problem::{Code, Problem};
use tower::ServiceExt;

use crate::engine::{Engine, Running};
use crate::feed::{Feed, Signal};
use crate::platform::command_line::{self, Installed};
use crate::platform::{self, login};
use crate::{app, clipboard, deep_link, tray, window};

/// The longest answer that is handed to the window. Pages are bounded, so this is far above any.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Every command, for [`tauri::Builder::invoke_handler`].
pub(crate) fn handler<R: Runtime>() -> impl Fn(tauri::ipc::Invoke<R>) -> bool + Send + Sync + 'static
{
    tauri::generate_handler![
        api,
        events,
        clipboard_write,
        clipboard_read,
        shell_facts,
        offered_link,
        start_at_login,
        install_command_line,
        restart,
        quit
    ]
}

/// One request to the control API. Method and path are in the headers `x-method` and `x-path`,
/// the body is raw; the answer is the status in two bytes, big endian, and the body.
#[tauri::command]
async fn api(
    request: tauri::ipc::Request<'_>,
    engine: State<'_, Engine>,
) -> Result<Response, Problem> {
    let InvokeBody::Raw(body) = request.body() else {
        return Err(Problem::new(Code::InvalidRequest).because("The body is not raw bytes."));
    };
    let method = header(request.headers(), "x-method")?;
    let path = header(request.headers(), "x-path")?;
    let (status, body) = match engine.running().await {
        Ok(running) => call(running, method, path, body.clone()).await?,
        Err(problem) => (
            problem.code.status(),
            serde_json::to_vec(&problem).unwrap_or_default(),
        ),
    };
    let mut bytes = Vec::with_capacity(2 + body.len());
    bytes.extend(status.to_be_bytes());
    bytes.extend(body);
    Ok(Response::new(bytes))
}

/// Hands the request to the router. What never ends is not for this way: events have a channel.
async fn call(
    running: Running,
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> Result<(u16, Vec<u8>), Problem> {
    let malformed = |error: &dyn std::fmt::Display| {
        Problem::new(Code::InvalidRequest).because(format!("{error}."))
    };
    let is_stream = path.split('?').next() == Some("/control/events");
    if !path.starts_with("/control/") || is_stream {
        return Err(Problem::new(Code::NotFound));
    }
    let mut request = Request::builder().method(method).uri(path);
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request
        .body(Body::from(body))
        .map_err(|error| malformed(&error))?;
    let answer = running
        .router
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {});
    let status: StatusCode = answer.status();
    let body = to_bytes(answer.into_body(), MAX_ANSWER_BYTES)
        .await
        .map_err(|error| Problem::new(Code::Internal).because(format!("{error}.")))?;
    Ok((status.as_u16(), body.into()))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Problem> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| {
            Problem::new(Code::InvalidRequest).because(format!("The header {name} is missing."))
        })
}

/// Opens the event stream after `after`. It replaces an earlier one and ends with the window.
///
/// Runs on the thread that also takes up later requests, so that nothing the page fetches after
/// this call can change unseen.
#[tauri::command]
fn events<R: Runtime>(
    app: AppHandle<R>,
    after: Option<u64>,
    channel: Channel<Signal>,
    feed: State<'_, Feed>,
    engine: State<'_, Engine>,
) {
    feed.open(&engine, after, channel);
    window::page_is_up(&app);
}

#[tauri::command]
async fn clipboard_write<R: Runtime>(
    app: AppHandle<R>,
    text: String,
    secret: bool,
) -> Result<(), Problem> {
    clipboard::write(&app, text, secret).await
}

#[tauri::command]
async fn clipboard_read<R: Runtime>(app: AppHandle<R>) -> Result<String, Problem> {
    clipboard::read(&app).await
}

/// What the page should know of the shell around it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShellFacts {
    /// There is a tray with a *Quit*. Without one the window offers it.
    tray: bool,
    /// Whether Tieline starts at login; absent where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at_login: Option<bool>,
}

#[tauri::command]
fn shell_facts<R: Runtime>(app: AppHandle<R>, engine: State<'_, Engine>) -> ShellFacts {
    ShellFacts {
        tray: platform::tray_is_seen(&app),
        start_at_login: login::is_set(&engine).ok(),
    }
}

/// The link that the desktop handed over, for the page that shows it; once.
#[tauri::command]
fn offered_link<R: Runtime>(app: AppHandle<R>) -> Option<String> {
    deep_link::take(&app)
}

/// Starts Tieline at login, or no longer.
#[tauri::command]
fn start_at_login<R: Runtime>(
    app: AppHandle<R>,
    on: bool,
    engine: State<'_, Engine>,
) -> Result<(), Problem> {
    login::set(&engine, on)?;
    tray::look_again(&app);
    Ok(())
}

/// Makes the `tieline` of this app a command of the terminal, and says what it did.
#[tauri::command]
async fn install_command_line() -> Result<Installed, Problem> {
    let done = tauri::async_runtime::spawn_blocking(command_line::install).await;
    done.unwrap_or_else(|error| Err(Problem::new(Code::Internal).because(error.to_string())))
}

/// Starts the engine again after it could not start.
#[tauri::command]
async fn restart(engine: State<'_, Engine>) -> Result<(), Problem> {
    engine.start().await
}

#[tauri::command]
fn quit<R: Runtime>(app: AppHandle<R>) {
    app::quit(&app);
}
