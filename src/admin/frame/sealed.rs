//! Secrets that come with a form: they need not be typed again where the form is shown again, and
//! are never shown. They travel sealed, for that field and that session alone.

use super::cx::Cx;
use crate::secret::Secret;

/// The field in which a form carries what was typed before.
const SEALED: &str = "sealed";

impl Cx {
    /// The secret that was typed into a field, now or before; from now on it travels sealed.
    pub(crate) fn take_secret(&mut self, field: &str) -> Option<Secret> {
        let session = self.session.as_ref().map_or(0, |session| session.id.0);
        let place = format!("forms/{field}/{session}");
        let typed = self.form.get(field).to_owned();
        self.form.put(field, "");
        if !typed.is_empty() {
            let sealed = self.admin.sealer.seal(&place, typed.as_bytes());
            let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
            self.form.put(SEALED, hex);
            return Some(Secret::new(typed));
        }
        let hex = self.form.get(SEALED).as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let sealed: Option<Vec<u8>> = hex.chunks(2).map(byte).collect();
        let sealed = sealed.filter(|sealed| !sealed.is_empty())?;
        let plain = self.admin.sealer.unseal(&place, &sealed)?;
        String::from_utf8(plain).ok().map(Secret::new)
    }
}
