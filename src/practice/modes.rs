//! How the practice provider can misbehave: a table of modes, each of what it answers and of what
//! then becomes of the connection.
//!
//! The one promise of every mode: after [`Mode::accepts`] the order is there, else it is not,
//! whatever the answer looks like.

/// What becomes of the answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Whole,
    /// Nothing is read: only a whole provider can do that, since an order's link must be read.
    HangBefore,
    Hang,
    /// Nothing is answered, and the order is taken when the client has given up.
    Late,
    Reset,
    ResetAfterHead,
    ResetAtHalf,
    ResetAfterBody,
    Close,
    /// A byte a second.
    Trickle,
}

impl Manner {
    /// Whether a byte of the request must stay unread: closing then resets the connection.
    pub(super) const fn resets(self) -> bool {
        matches!(
            self,
            Self::Reset | Self::ResetAfterHead | Self::ResetAtHalf | Self::ResetAfterBody
        )
    }
}

/// What is done to an honest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    Bom,
    Notices,
    /// Inside an object under that name.
    In(&'static str),
    ListOfOne,
    IdText,
    IdFloat,
    /// The order is there, and the answer is about something else.
    Error500,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// What the shop says. Only this changes anything in it.
    Honest(Shape),
    /// Always the same, with one header more if it is not empty.
    Says {
        status: u16,
        header: &'static str,
        body: &'static str,
    },
    Empty,
    Huge,
    Deep,
    /// That status, with the address of the counter.
    Redirect(u16),
    /// An acceptance without an order. `ID` stands for the next number, `NEXT` for the one after.
    Invented(&'static str),
    /// The number of the first order here, or none where there is no order yet.
    IdOfAnother,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behavior {
    pub(super) content: Content,
    pub(super) manner: Manner,
}

const fn honest(shape: Shape) -> Behavior {
    Behavior { content: Content::Honest(shape), manner: Manner::Whole }
}

/// The order is taken, and the answer does not come as it should.
const fn accepts(manner: Manner) -> Behavior {
    Behavior { content: Content::Honest(Shape::Plain), manner }
}

/// The order is not taken, though what can be read of the answer looks as if.
const fn fails(manner: Manner) -> Behavior {
    Behavior { content: Content::Invented(r#"{"order":ID}"#), manner }
}

const fn whole(content: Content) -> Behavior {
    Behavior { content, manner: Manner::Whole }
}

const fn says(status: u16, body: &'static str) -> Behavior {
    whole(Content::Says { status, header: "", body })
}

const fn with_header(status: u16, header: &'static str, body: &'static str) -> Behavior {
    whole(Content::Says { status, header, body })
}

const fn invents(body: &'static str) -> Behavior {
    whole(Content::Invented(body))
}

const DUPLICATE: &str = "{\"error\":\"You have active order with this link. \
                         Please wait until order being completed.\"}";

/// Declares the modes: name, the word in a link, behavior.
macro_rules! modes {
    ($($(#[$doc:meta])* $name:ident = $word:literal => $behavior:expr;)*) => {
        /// What the practice provider does instead of answering well. The word of a mode stands in
        /// an order's link, as in `https://example.com/p?say=hang`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mode { $($(#[$doc])* $name,)* }

        impl Mode {
            /// Every mode, for tests that loop and for lists that people read.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in a link. It never changes.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            pub(super) const fn behavior(self) -> Behavior {
                match self { $(Self::$name => $behavior,)* }
            }
        }
    };
}

modes! {
    Ok = "ok" => honest(Shape::Plain);

    HangBefore = "hang_before" => fails(Manner::HangBefore);
    Hang = "hang" => fails(Manner::Hang);
    Reset = "reset" => fails(Manner::Reset);
    ResetAfterHead = "reset_after_head" => fails(Manner::ResetAfterHead);
    ResetAtHalf = "reset_at_half" => fails(Manner::ResetAtHalf);
    /// Whoever reads what was announced has the whole answer: the order is there.
    ResetAfterBody = "reset_after_body" => accepts(Manner::ResetAfterBody);
    Close = "close" => fails(Manner::Close);
    /// A byte a second, head and all.
    Trickle = "trickle" => fails(Manner::Trickle);

    Status500 = "500" => says(500, r#"{"error":"Internal error"}"#);
    Html502 = "502_html" => says(502, "<html><body><h1>502 Bad Gateway</h1></body></html>");
    Status503 = "503" => says(503, r#"{"error":"Service temporarily unavailable"}"#);
    /// As a Panelite says that nothing was changed.
    Busy503 = "503_busy" => with_header(
        503, "X-Error-Code: busy", r#"{"error":"Service temporarily unavailable"}"#);
    Html = "html" => says(200, "<!doctype html><html><body>Just a moment…</body></html>");
    Empty = "empty" => whole(Content::Empty);
    Cut = "cut" => invents(r#"{"order":ID,"curr"#);
    /// More than a mebibyte.
    Huge = "huge" => whole(Content::Huge);
    Deep = "deep" => whole(Content::Deep);

    Status301 = "301" => whole(Content::Redirect(301));
    Status307 = "307" => whole(Content::Redirect(307));
    Status308 = "308" => whole(Content::Redirect(308));
    Status401 = "401" => says(401, r#"{"error":"Invalid API key"}"#);
    Html403 = "403_html" => says(403, "<html><body>Access denied</body></html>");
    Status404 = "404" => says(404, r#"{"error":"Not found"}"#);
    Status408 = "408" => says(408, r#"{"error":"Request timeout"}"#);
    Status429 = "429" => says(429, r#"{"error":"Rate limit exceeded"}"#);
    RetryAfter429 = "429_retry_after" => with_header(
        429, "Retry-After: 7", r#"{"error":"Rate limit exceeded"}"#);

    ErrorMessage = "error_message" => says(200, r#"{"error":{"message":"Bad link"}}"#);
    ErrorsList = "errors_list" => says(200, r#"{"errors":["Bad link"]}"#);
    StatusMessage = "status_message" => says(200, r#"{"status":"fail","message":"Bad link"}"#);
    SuccessMsg = "success_msg" => says(200, r#"{"success":false,"msg":"Bad link"}"#);

    Funds = "funds" => says(200, r#"{"error":"Not enough funds on balance"}"#);
    Key = "key" => says(200, r#"{"error":"Invalid API key"}"#);
    Duplicate = "duplicate" => says(200, DUPLICATE);
    Busy = "busy" => says(200, r#"{"error":"Too many requests, please slow down"}"#);
    Service = "service" => says(200, r#"{"error":"Incorrect service ID"}"#);
    Quantity = "quantity" => says(200, r#"{"error":"Quantity less than minimal 5000"}"#);
    Link = "link" => says(200, r#"{"error":"Bad link"}"#);
    Other = "other" => says(200, r#"{"error":"The moon is in the wrong phase"}"#);
    Trouble = "trouble" => says(200, r#"{"error":"Something went wrong"}"#);
    Replay = "replay" => says(
        200, r#"{"error":"This request id was used for another order"}"#);

    Bom = "bom" => honest(Shape::Bom);
    Notices = "notices" => honest(Shape::Notices);
    InData = "in_data" => honest(Shape::In("data"));
    InResult = "in_result" => honest(Shape::In("result"));
    InResponse = "in_response" => honest(Shape::In("response"));
    ListOfOne = "list_of_one" => honest(Shape::ListOfOne);

    /// Their number holds letters, and keeps them.
    IdText = "id_text" => honest(Shape::IdText);
    IdFloat = "id_float" => honest(Shape::IdFloat);
    IdZero = "id_zero" => invents(r#"{"order":0}"#);
    IdNegative = "id_negative" => invents(r#"{"order":-1}"#);
    IdNull = "id_null" => invents(r#"{"order":null}"#);
    IdOfAnother = "id_of_another" => whole(Content::IdOfAnother);
    IdRepeated = "id_repeated" => invents(r#"{"order":ID,"order":NEXT}"#);
    IdWithError = "id_with_error" => invents(r#"{"order":ID,"error":"Bad link"}"#);
    IdOdd = "id_odd" => invents(r#"{"order":"see <b>ID</b> in your account"}"#);

    Accepts500 = "accepts_500" => honest(Shape::Error500);
    /// Takes the order once the client has given up waiting and has closed.
    AcceptsLate = "accepts_late" => accepts(Manner::Late);
    AcceptsReset = "accepts_reset" => accepts(Manner::Reset);
}

impl Mode {
    /// Whether an order that meets this mode is taken.
    pub const fn accepts(self) -> bool {
        matches!(self.behavior().content, Content::Honest(_))
    }

    /// What an order's link asks for, by `?say=` or `&say=`.
    pub(super) fn of_link(link: &str) -> Option<Self> {
        let at = link.find("?say=").or_else(|| link.find("&say="))?;
        let word = link[at + "?say=".len()..].split(['&', '#']).next()?;
        Self::ALL.iter().copied().find(|mode| mode.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_a_mode_by_its_word() {
        for mode in Mode::ALL {
            let link = format!("https://example.com/p?say={}", mode.as_str());
            assert_eq!(Mode::of_link(&link), Some(*mode), "{link}");
        }
        assert_eq!(Mode::of_link("https://example.com/p?a=b&say=hang#top"), Some(Mode::Hang));
        for link in ["", "https://example.com/say=hang", "x?say=", "x?say=hangs"] {
            assert_eq!(Mode::of_link(link), None, "{link}");
        }
    }
}
