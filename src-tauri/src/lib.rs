//! The tray app: hosts the engine, shows a tray and one window.
//!
//! This crate is a thin shell around `tieline_node` and `tieline_api`; nothing below it knows
//! Tauri. One concern a module:
//!
//! - `engine`: the engine's life, from start to what it says when it stops;
//! - `bridge`: what the window may call, and nothing else may;
//! - `window`: the one window, made when it is wanted and freed when it is closed;
//! - `deep_link`: links that the desktop hands over, for the person to decide about;
//! - `tray`: the menu, from the peers as they are;
//! - `notify`: notifications;
//! - `platform`: what differs between machines, found out before it can hurt.

mod app;
mod bridge;
mod clipboard;
mod deep_link;
mod engine;
mod feed;
mod instance;
mod notify;
mod options;
mod platform;
mod tray;
mod window;

pub use app::run;
