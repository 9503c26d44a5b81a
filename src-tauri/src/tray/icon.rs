//! The tray's pictures, see `icons/tray`.

use tauri::image::Image;

use super::menu::Shape;

/// The picture of a shape, in the tint that this platform's panel asks for.
pub(crate) fn picture(shape: Shape) -> tauri::Result<Image<'static>> {
    Image::from_bytes(bytes(shape))
}

/// macOS colours the picture itself.
#[cfg(target_os = "macos")]
fn bytes(shape: Shape) -> &'static [u8] {
    match shape {
        Shape::Idle => include_bytes!("../../../icons/tray/idle-template.png"),
        Shape::Unread => include_bytes!("../../../icons/tray/unread-template.png"),
        Shape::Offline => include_bytes!("../../../icons/tray/offline-template.png"),
        Shape::Paused => include_bytes!("../../../icons/tray/paused-template.png"),
        Shape::Error => include_bytes!("../../../icons/tray/error-template.png"),
    }
}

/// Panels are dark by default on Windows, GNOME, KDE and Ubuntu.
#[cfg(not(target_os = "macos"))]
fn bytes(shape: Shape) -> &'static [u8] {
    match shape {
        Shape::Idle => include_bytes!("../../../icons/tray/idle-light.png"),
        Shape::Unread => include_bytes!("../../../icons/tray/unread-light.png"),
        Shape::Offline => include_bytes!("../../../icons/tray/offline-light.png"),
        Shape::Paused => include_bytes!("../../../icons/tray/paused-light.png"),
        Shape::Error => include_bytes!("../../../icons/tray/error-light.png"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_shape_has_a_picture_of_its_own() {
        let shapes = [
            Shape::Idle,
            Shape::Unread,
            Shape::Offline,
            Shape::Paused,
            Shape::Error,
        ];
        let pictures: Vec<_> = shapes
            .into_iter()
            .map(|shape| picture(shape).unwrap())
            .collect();
        for (i, one) in pictures.iter().enumerate() {
            assert_eq!((one.width(), one.height()), (44, 44));
            assert!(
                pictures
                    .iter()
                    .skip(i + 1)
                    .all(|other| other.rgba() != one.rgba())
            );
        }
    }
}
