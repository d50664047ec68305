//! Headers that a campaign adds to its INVITEs.
//!
//! They reach the dialplan in a list with commas, a colon between name and text, and `Set` evaluates nothing of
//! them; so neither may hold what means anything there (asterisk.md 9). Names that belong to the call itself are
//! Asterisk's to write.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::name::{TextRefusal, checked_text};
use crate::domain::stored::stored_as_text;

/// The most headers of a campaign. With the longest of names and texts they fit into one command.
pub const HEADERS_MAX: usize = 8;

checked_text! {
    /// The name of a header: of RFC 3261's token the part that means nothing to the dialplan.
    HeaderName, HEADER_NAME_RULE = {
        what: "header name", max: 40, allowed: "A-Z a-z 0-9 - _ .",
        allows: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
    }
}

checked_text! {
    /// The text of a header.
    HeaderText, HEADER_TEXT_RULE = {
        what: "header text", max: 100, allowed: "A-Z a-z 0-9, space and . : + - _ / @ % * # ! ? =",
        allows: |c| c.is_ascii_alphanumeric()
            || matches!(c, ' ' | '.' | ':' | '+' | '-' | '_' | '/' | '@' | '%' | '*' | '#' | '!' | '?' | '=')
    }
}

/// Headers that carry the call, its identity or its body (RFC 3261 20 and the extensions that Asterisk speaks), with
/// their short forms: a second one, or another's, breaks the call or says who calls behind the trunk's back.
const OWNED: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "alert-info",
    "allow",
    "allow-events",
    "authentication-info",
    "authorization",
    "call-id",
    "call-info",
    "contact",
    "cseq",
    "date",
    "diversion",
    "error-info",
    "event",
    "expires",
    "from",
    "geolocation",
    "geolocation-routing",
    "history-info",
    "identity",
    "in-reply-to",
    "join",
    "max-forwards",
    "mime-version",
    "min-expires",
    "min-se",
    "organization",
    "p-access-network-info",
    "p-asserted-identity",
    "p-charging-vector",
    "p-preferred-identity",
    "path",
    "priority",
    "privacy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-require",
    "rack",
    "reason",
    "record-route",
    "refer-to",
    "referred-by",
    "remote-party-id",
    "replaces",
    "reply-to",
    "require",
    "retry-after",
    "route",
    "rseq",
    "server",
    "service-route",
    "session-expires",
    "subject",
    "subscription-state",
    "supported",
    "timestamp",
    "to",
    "unsupported",
    "user-agent",
    "via",
    "warning",
    "www-authenticate",
];

/// Why a text is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderRefusal {
    /// No colon.
    #[error("write NAME: TEXT, such as 'P-Campaign-Name: spring'; NAME: alone takes it away")]
    NoColon,
    /// The name or the text.
    #[error(transparent)]
    Text(#[from] TextRefusal),
    /// Asterisk writes it.
    #[error("the header {0} belongs to the call, and Asterisk writes it; take a name of your own, such as X-{0}")]
    Owned(HeaderName),
    /// The text begins or ends with a space, which a parser may drop.
    #[error("the text of header {0} begins or ends with a space, which would get lost")]
    Space(HeaderName),
    /// More than [`HEADERS_MAX`].
    #[error("a campaign adds at most {HEADERS_MAX} headers")]
    TooMany,
}

impl HeaderName {
    /// Whether it is Asterisk's to write: by name, by a short form (RFC 3261 7.3.3), or as a part of the body.
    fn is_owned(&self) -> bool {
        let name = self.as_str().to_ascii_lowercase();
        name.len() == 1 || name.starts_with("content-") || OWNED.contains(&name.as_str())
    }

    fn is(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

/// A header as typed: `P-Campaign-Name: spring`, or `P-Campaign-Name:` for none of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedHeader {
    name: HeaderName,
    text: Option<HeaderText>,
}

impl FromStr for TypedHeader {
    type Err = HeaderRefusal;

    fn from_str(typed: &str) -> Result<Self, HeaderRefusal> {
        let (name, text) = typed.split_once(':').ok_or(HeaderRefusal::NoColon)?;
        let name: HeaderName = name.parse()?;
        if name.is_owned() {
            return Err(HeaderRefusal::Owned(name));
        }
        // One space behind the colon is how headers are written.
        let text = text.strip_prefix(' ').unwrap_or(text);
        if text.is_empty() {
            return Ok(Self { name, text: None });
        }
        if text.trim() != text {
            return Err(HeaderRefusal::Space(name));
        }
        Ok(Self { name, text: Some(text.parse()?) })
    }
}

/// A header with its text, as a header is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Header {
    name: HeaderName,
    text: HeaderText,
}

impl FromStr for Header {
    type Err = HeaderRefusal;

    fn from_str(typed: &str) -> Result<Self, HeaderRefusal> {
        let TypedHeader { name, text } = typed.parse()?;
        text.map(|text| Self { name, text }).ok_or(HeaderRefusal::NoColon)
    }
}

stored_as_text!(Header);

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}

/// The headers of a campaign, in the order in which they were given; each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// Adds a header, or takes away the one of its name.
    pub fn set(&mut self, typed: &TypedHeader) -> Result<(), HeaderRefusal> {
        let TypedHeader { name, text } = typed.clone();
        let known = self.0.iter().position(|header| header.name.is(&name));
        match (text.map(|text| Header { name, text }), known) {
            (Some(header), Some(place)) => self.0[place] = header,
            (Some(_), None) if self.0.len() >= HEADERS_MAX => return Err(HeaderRefusal::TooMany),
            (Some(header), None) => self.0.push(header),
            (None, Some(place)) => drop(self.0.remove(place)),
            (None, None) => {}
        }
        Ok(())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list that the dialplan takes apart: `Name:text,Name:text`.
    #[must_use]
    pub fn as_dialplan(&self) -> String {
        self.0.iter().map(|header| format!("{}:{}", header.name, header.text)).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(typed: &[&str]) -> Headers {
        let mut headers = Headers::default();
        typed.iter().for_each(|text| headers.set(&text.parse().unwrap()).unwrap());
        headers
    }

    #[test]
    fn a_header_is_added_changed_and_taken_away_by_its_name() {
        let both = headers(&["P-Campaign-Name: spring", "X-Tag:a=b:c", "p-campaign-name: autumn"]);
        let told: Vec<String> = both.iter().map(Header::to_string).collect();
        assert_eq!(told, ["p-campaign-name: autumn", "X-Tag: a=b:c"]);
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<Headers>(&json).unwrap(), both);
        assert!(headers(&["X-Tag: 1", "x-tag:"]).is_empty());
    }

    #[test]
    fn the_headers_of_the_call_itself_are_refused() {
        for name in ["From", "TO", "via", "Call-ID", "Contact", "CSeq", "Route", "Content-Type", "Authorization", "f"] {
            let refused = format!("{name}: x").parse::<TypedHeader>();
            assert!(matches!(refused, Err(HeaderRefusal::Owned(_))), "{name}");
        }
        assert!(serde_json::from_str::<Headers>(r#"["From: x"]"#).is_err(), "nor are they read from the ledger");
        let owned = OWNED.iter().map(|name| name.to_ascii_lowercase());
        assert!(owned.eq(OWNED.iter().map(|name| (*name).to_owned())), "compared in lower case");
    }

    #[test]
    fn what_means_anything_to_the_dialplan_is_refused_i7() {
        for text in
            ["a,b", "a^b", "${X}", "$[1]", "a;b", "a\nb", "a\r\nVia: x", "\"a\"", "\\", "(", "a&b", "a|b", "<a>", "ä"]
        {
            assert!(format!("X-Tag: {text}").parse::<TypedHeader>().is_err(), "{text:?}");
            assert!(format!("X-{text}: a").parse::<TypedHeader>().is_err(), "{text:?}");
        }
        for typed in ["", "X-Tag", ": a", "X-Tag:  a", "X-Tag: a ", "X Tag: a"] {
            assert!(typed.parse::<TypedHeader>().is_err(), "{typed:?}");
        }
    }

    #[test]
    fn no_more_are_taken_than_fit_into_a_command() {
        let text = "t".repeat(100);
        let mut full = Headers::default();
        for n in 0..HEADERS_MAX {
            full.set(&format!("{n}-{}: {text}", "n".repeat(38)).parse().unwrap()).unwrap();
        }
        assert!(full.as_dialplan().len() < 1_500);
        assert_eq!(full.set(&"X-More: 1".parse().unwrap()), Err(HeaderRefusal::TooMany));
    }

    proptest! {
        /// `SHIFT` takes what stands before the first comma, `CUT` splits at the first colon.
        #[test]
        fn what_the_dialplan_takes_apart_is_what_was_given_i7(
            typed in proptest::collection::vec(("X-[A-Za-z0-9._-]{1,30}", "[A-Za-z0-9.:+/@%*#!?=_-]{1,100}"), 1..8),
        ) {
            let mut headers = Headers::default();
            for (name, text) in &typed {
                headers.set(&format!("{name}: {text}").parse().unwrap()).unwrap();
            }
            let list = headers.as_dialplan();
            let apart = list.split(',').map(|header| header.split_once(':').unwrap());
            let given = headers.iter().map(|header| (header.name.as_str(), header.text.as_str()));
            prop_assert!(apart.eq(given), "{list}");
        }
    }
}
