//! From the command line to the running app, and back out in order.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use futures_util::StreamExt;
use tauri::{App, AppHandle, Manager, RunEvent, Runtime};
use tieline_api::host;
use tieline_node::model::EventKind;
use tieline_wire::problem::{Code, Problem};

use crate::clipboard::{self, Copied};
use crate::deep_link::{self, Offered};
use crate::engine::{Engine, State};
use crate::feed::Feed;
use crate::notify::{self, Notice};
use crate::options::Options;
use crate::window::{self, Page};
use crate::{bridge, instance, platform, tray};

/// A home that is taken is known within this time; then no window should flash up.
const SETTLING: Duration = Duration::from_millis(300);

/// Runs the app until it is quit. The exit code is not zero if it could not run.
#[must_use]
pub fn run() -> ExitCode {
    let options = Options::parse();
    start_logging();
    platform::start_again_where_needed();
    match run_app(options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            say(&error);
            ExitCode::FAILURE
        }
    }
}

/// Why the app could not run at all. Everything later is shown in the window.
#[derive(Debug, thiserror::Error)]
enum CannotRun {
    #[error(transparent)]
    Display(#[from] platform::NoDisplay),
    #[error("{}\n{}\n{}", .0.summary, .0.cause, .0.remedy)]
    Home(Problem),
    /// A program that is given a link by a page may be made to pass on more than the link.
    #[error("A link is opened by itself: no option goes with it. Nothing was started.")]
    LinkNotAlone,
    #[error("The system gave no threads to run on: {0}")]
    Threads(#[from] std::io::Error),
    #[error("The window system could not be started: {0}")]
    Windows(#[from] tauri::Error),
}

fn run_app(options: Options) -> Result<i32, CannotRun> {
    platform::require_display()?;
    if options.link.is_some() && !deep_link::is_alone(std::env::args_os().len()) {
        return Err(CannotRun::LinkNotAlone);
    }
    let home = match &options.home {
        Some(given) => std::path::absolute(given)?,
        None => host::home().map_err(CannotRun::Home)?,
    };
    // Not what the environment of this start says: at login there is another.
    let is_default = host::platform_home().is_ok_and(|default| default == home);

    // One pool for the engine and for Tauri, beside the main thread, which belongs to the windows.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("tieline")
        .enable_all()
        .build()?;
    tauri::async_runtime::set(runtime.handle().clone());

    let app = builder(options, home, is_default).build(context())?;
    Ok(app.run_return(on_event))
}

/// What `tauri.conf.json` and `ui/dist` say, as they were when this was compiled.
#[allow(
    clippy::disallowed_methods,
    reason = "what the macro itself does when a thread of its own panics"
)]
fn context() -> tauri::Context {
    tauri::generate_context!()
}

fn builder(mut options: Options, home: PathBuf, is_default: bool) -> tauri::Builder<tauri::Wry> {
    let (background, wants_tray) = (options.background, !options.no_tray);
    let link = options.link.take();
    let mut builder = tauri::Builder::default();
    if let Some(plugin) = instance::plugin(&home, is_default) {
        builder = builder.plugin(plugin);
    }
    builder
        .manage(Engine::new(options, home, is_default))
        .manage(Feed::default())
        .manage(Copied::default())
        .manage(Quitting::default())
        .manage(notify::OnScreen::default())
        .manage(Offered::default())
        .manage(platform::TrayHost::default())
        .manage(window::Window::default())
        .manage(tray::Clicks::default())
        .invoke_handler(bridge::handler())
        .setup(move |app| {
            let first = match link {
                Some(link) => {
                    deep_link::keep(app.handle(), link);
                    Some(deep_link::page())
                }
                None => (!background).then_some(Page::Last),
            };
            Ok(set_up(app, first, wants_tray)?)
        })
}

/// Brings everything up; `first` is the page to show, if any is wanted.
fn set_up<R: Runtime>(
    app: &mut App<R>,
    first: Option<Page>,
    wants_tray: bool,
) -> tauri::Result<()> {
    let app = app.handle();
    notify::introduce();
    let tray = wants_tray && platform::tray_available();
    if tray {
        tray::create(app)?;
    } else if wants_tray {
        tracing::warn!("no library for a tray was found; the window stays instead");
    }
    let first = first.or((!tray).then_some(Page::Last));
    tauri::async_runtime::spawn(bring_up(app.clone(), first));
    if tray {
        tauri::async_runtime::spawn(platform::watch_tray_host(app.clone()));
    }
    tauri::async_runtime::spawn(tray::follow(app.clone()));
    tauri::async_runtime::spawn(notify::follow(app.clone()));
    tauri::async_runtime::spawn(clear_used_links(app.clone()));
    tauri::async_runtime::spawn(quit_on_signal(app.clone()));
    Ok(())
}

/// Starts the engine and shows the window, or gives way to another host of this home.
async fn bring_up<R: Runtime>(app: AppHandle<R>, first: Option<Page>) {
    let engine = app.state::<Engine>().inner().clone();
    let mut starting = tauri::async_runtime::spawn(async move { engine.start().await });
    let soon = tokio::time::timeout(SETTLING, &mut starting).await;
    let taken = matches!(&soon, Ok(Ok(Err(problem))) if problem.code == Code::HomeLocked);
    if let (false, Some(page)) = (taken, first) {
        window::open(&app, page);
    }
    let outcome = match soon {
        Ok(outcome) => outcome,
        Err(_) => starting.await,
    };
    if let Ok(Err(problem)) = outcome
        && problem.code == Code::HomeLocked
    {
        give_way(&app, &problem).await;
    }
}

/// Another host has this home: says who, where a person will see it, and exits.
async fn give_way<R: Runtime>(app: &AppHandle<R>, problem: &Problem) {
    say(&format_args!("{}\n{}", problem.summary, problem.remedy));
    let notice = Notice {
        summary: problem.summary.to_string(),
        body: problem.remedy.to_string(),
        ..Notice::default()
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), notify::show(app, notice)).await;
    app.exit(1);
}

#[cfg_attr(not(target_os = "macos"), expect(unused_variables))]
fn on_event<R: Runtime>(app: &AppHandle<R>, event: RunEvent) {
    match event {
        // The last window was closed: the tray stays, and the engine.
        RunEvent::ExitRequested {
            code: None, api, ..
        } => api.prevent_exit(),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::open(app, Page::Last),
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            let mut links = urls.iter().map(ToString::to_string);
            if let Some(link) = links.find_map(|url| url.parse().ok()) {
                deep_link::offer(app, link);
            }
        }
        _ => {}
    }
}

/// Set once the app is on its way out.
#[derive(Default)]
struct Quitting(AtomicBool);

/// Closes the window, stops the engine in order, says what still waits, and exits.
pub(crate) fn quit<R: Runtime>(app: &AppHandle<R>) {
    if app.state::<Quitting>().0.swap(true, Ordering::SeqCst) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Some(window) = app.get_webview_window(window::MAIN) {
            let _ = window.destroy();
        }
        let engine = app.state::<Engine>().inner().clone();
        if let Some(notice) = engine.stop().await.as_ref().and_then(notify::stopped) {
            say(&format_args!("{}. {}", notice.summary, notice.body));
            // A notification service that hangs does not keep the app alive.
            let _ = tokio::time::timeout(Duration::from_secs(2), notify::show(&app, notice)).await;
        }
        app.exit(0);
    });
}

/// Takes a copied link off the clipboard once it has been used, has expired or was taken back.
async fn clear_used_links<R: Runtime>(app: AppHandle<R>) {
    let mut states = app.state::<Engine>().states();
    loop {
        let state = states.borrow_and_update().clone();
        if let State::Running(running) = state {
            let mut events = running.node.events().subscribe(None).boxed();
            while let Some(event) = events.next().await {
                if matches!(event.kind, EventKind::Invites | EventKind::Resync) {
                    let open: Vec<String> = running
                        .node
                        .invites()
                        .into_iter()
                        .filter_map(|invite| invite.link)
                        .collect();
                    clipboard::forget_unless(&app, |text| {
                        open.iter().any(|link| text.contains(link.as_str()))
                    })
                    .await;
                }
            }
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// Logging out, `kill` and Ctrl-C stop the app as *Quit* does.
#[cfg(unix)]
async fn quit_on_signal<R: Runtime>(app: AppHandle<R>) {
    use tokio::signal::unix::{SignalKind, signal};

    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    quit(&app);
}

#[cfg(not(unix))]
async fn quit_on_signal<R: Runtime>(app: AppHandle<R>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        quit(&app);
    }
}

fn start_logging() {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;

    let filter = tracing_subscriber::EnvFilter::try_from_env("TIELINE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,tieline=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .finish()
        .with(tieline_node::log::layer())
        .init();
}

/// To whoever started the app in a terminal.
fn say(text: &dyn Display) {
    // There may be no terminal; then there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}
