//! In which order the routes are tried.

use crate::model::{RouteChoice, RouteOrder};

/// A way a message can travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Direct, or over a connection that the peer holds.
    Lan,
    /// Over a relay.
    Relay,
}

/// The routes that a caller's choice allows, the one to try first in front.
pub(super) const fn routes(choice: RouteChoice, order: RouteOrder) -> &'static [Route] {
    match (choice, order) {
        (RouteChoice::Lan, _) => &[Route::Lan],
        (RouteChoice::Relay, _) => &[Route::Relay],
        (RouteChoice::Auto, RouteOrder::LanFirst) => &[Route::Lan, Route::Relay],
        (RouteChoice::Auto, RouteOrder::RelayFirst) => &[Route::Relay, Route::Lan],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_auto_follows_the_persons_order() {
        for order in [RouteOrder::LanFirst, RouteOrder::RelayFirst] {
            assert_eq!(routes(RouteChoice::Lan, order), [Route::Lan]);
            assert_eq!(routes(RouteChoice::Relay, order), [Route::Relay]);
        }
        let auto = |order| routes(RouteChoice::Auto, order);
        assert_eq!(auto(RouteOrder::LanFirst), [Route::Lan, Route::Relay]);
        assert_eq!(auto(RouteOrder::RelayFirst), [Route::Relay, Route::Lan]);
    }
}
