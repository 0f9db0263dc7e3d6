//! A text as a QR code, drawn as one path.

use qrcodegen::{QrCode, QrCodeEcc};

/// Modules of white that readers need on each side.
const MARGIN: i32 = 4;

/// A QR code: a square of modules, its black ones as the path of an SVG.
pub(super) struct Qr {
    /// The length of a side in modules, margins included: the size of the view box.
    pub(super) size: i32,
    /// What the attribute `d` of a path says.
    pub(super) path: String,
}

impl Qr {
    /// The code of a text; `None` where it is too long for one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let run = (x..code.size()).take_while(|at| code.get_module(*at, y)).count();
                let run = i32::try_from(run).unwrap_or_default();
                if run > 0 {
                    path += &format!("M{} {}h{run}v1h-{run}z", x + MARGIN, y + MARGIN);
                }
                x += run.max(1);
            }
        }
        Some(Self { size: code.size() + 2 * MARGIN, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_has_every_black_module_once() {
        let text = "otpauth://totp/Panelite:olga?secret=JBSWY3DPEHPK3PXP&issuer=Panelite";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let qr = Qr::of(text).unwrap();
        assert_eq!(qr.size, code.size() + 8);

        let mut black = Vec::new();
        for run in qr.path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, _) = rest.split_once('v').unwrap();
            let [x, y, length]: [i32; 3] = [x, y, length].map(|text| text.parse().unwrap());
            black.extend((x..x + length).map(|x| (x - MARGIN, y - MARGIN)));
        }
        let all = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let expected: Vec<_> = all.filter(|(x, y)| code.get_module(*x, *y)).collect();
        assert_eq!(black, expected);
        assert!(Qr::of(&"x".repeat(5000)).is_none());
    }
}
