//! The codecs that a campaign's INVITEs offer.

use std::fmt;
use std::str::FromStr;

use crate::domain::stored::{UnknownWord, worded_enum};

worded_enum! {
    /// An audio codec by the name that Asterisk has for it.
    pub enum Codec {
        /// G.711 A-law, PCMA.
        Alaw = "alaw",
        /// G.711 µ-law, PCMU.
        Ulaw = "ulaw",
        /// Opus.
        Opus = "opus",
        /// G.722.
        G722 = "g722",
        /// G.729A.
        G729 = "g729",
        /// G.726.
        G726 = "g726",
        /// G.726 in the packing of AAL2.
        G726Aal2 = "g726aal2",
        /// G.723.1.
        G723 = "g723",
        /// GSM full rate.
        Gsm = "gsm",
        /// iLBC.
        Ilbc = "ilbc",
        /// Speex at 8 kHz.
        Speex = "speex",
        /// Speex at 16 kHz.
        Speex16 = "speex16",
        /// Speex at 32 kHz.
        Speex32 = "speex32",
        /// Dialogic ADPCM.
        Adpcm = "adpcm",
        /// LPC-10.
        Lpc10 = "lpc10",
        /// G.722.1.
        Siren7 = "siren7",
        /// G.722.1 annex C.
        Siren14 = "siren14",
        /// G.719.
        G719 = "g719",
        /// Signed linear at 8 kHz, L16.
        Slin = "slin",
        /// Signed linear at 16 kHz.
        Slin16 = "slin16",
    }
}

/// Codecs in the order of preference; none leaves it to the trunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codecs(Vec<Codec>);

/// Why a text is no list of codecs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecsRefusal {
    /// An unknown name.
    #[error("{0}; write those to offer with commas, such as alaw,ulaw,opus, or none for what the trunk offers")]
    Unknown(UnknownWord),
    /// A codec that stands there twice.
    #[error("the codec {0} stands there twice")]
    Twice(Codec),
}

impl Codecs {
    /// Whether it is left to the trunk.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Codec] {
        &self.0
    }
}

impl FromStr for Codecs {
    type Err = CodecsRefusal;

    fn from_str(text: &str) -> Result<Self, CodecsRefusal> {
        if text == "none" {
            return Ok(Self::default());
        }
        let mut codecs = Vec::new();
        for word in text.split(',') {
            // The names that SDP has for G.711 are those that mod_dialer's users write.
            let codec = match word.trim_matches(' ').to_ascii_lowercase().as_str() {
                "pcma" => Codec::Alaw,
                "pcmu" => Codec::Ulaw,
                word => word.parse().map_err(CodecsRefusal::Unknown)?,
            };
            if codecs.contains(&codec) {
                return Err(CodecsRefusal::Twice(codec));
            }
            codecs.push(codec);
        }
        Ok(Self(codecs))
    }
}

/// As typed and as Asterisk takes it: `alaw,ulaw`; `none`.
impl fmt::Display for Codecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.pad("none"),
            codecs => f.pad(&codecs.iter().map(|codec| codec.as_str()).collect::<Vec<_>>().join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_read_back_as_shown() {
        for (typed, shown) in [("alaw,ulaw", "alaw,ulaw"), ("PCMA, PCMU,OPUS", "alaw,ulaw,opus"), ("none", "none")] {
            let codecs: Codecs = typed.parse().unwrap();
            assert_eq!((codecs.to_string().as_str(), shown.parse()), (shown, Ok(codecs)));
        }
    }

    #[test]
    fn a_codec_that_asterisk_does_not_know_is_refused_i7() {
        for typed in ["", ",", "alaw,", "g711", "all", "!alaw", "alaw&ulaw", "${X}", "alaw\n", "alaw,none"] {
            assert!(matches!(typed.parse::<Codecs>(), Err(CodecsRefusal::Unknown(_))), "{typed:?}");
        }
        assert_eq!("alaw,pcma".parse::<Codecs>(), Err(CodecsRefusal::Twice(Codec::Alaw)));
    }
}
