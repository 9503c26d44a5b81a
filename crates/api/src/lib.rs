//! One API for every front end: the local API for agents and the control API.
