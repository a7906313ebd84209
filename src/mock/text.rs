//! The text that is "generated", and where its tokens end. Knows no template.

/// The whole answer of a model that has nothing else to say.
const SENTENCE: &str = "This is a mocked response: its words are always the same, \
                        its numbers never are.";

/// About how long the text is with `big-payload`, in bytes.
const BIG: usize = 10_000;

/// A text as it stands inside a JSON string, cut into tokens: words with the space before them.
#[derive(Debug)]
pub struct Text {
    json: Vec<u8>,
    /// Where each token ends in `json`.
    ends: Vec<usize>,
}

impl Text {
    /// The fixed sentence, once or until it has about 10 KB.
    pub fn new(big: bool) -> Text {
        let times = if big {
            BIG.div_ceil(SENTENCE.len() + 1)
        } else {
            1
        };
        let text = vec![SENTENCE; times].join(" ");
        let json = serde_json::Value::from(text).to_string();
        let json = json.as_bytes()[1..json.len() - 1].to_vec();
        let spaces = (1..json.len()).filter(|&at| json[at] == b' ');
        let ends = spaces.chain([json.len()]).collect();
        Text { json, ends }
    }

    /// How many tokens are sent when `limit` (at least 1) is the most.
    pub fn tokens(&self, limit: u32) -> u32 {
        limit.min(self.ends.len() as u32)
    }

    /// Whether a limit leaves less than the whole text.
    pub fn is_cut(&self, limit: Option<u32>) -> bool {
        limit.is_some_and(|limit| (limit as usize) < self.ends.len())
    }

    /// The first `limit` tokens, or all.
    pub fn cut(&self, limit: Option<u32>) -> &[u8] {
        let tokens = limit.map_or(self.ends.len(), |limit| self.tokens(limit) as usize);
        &self.json[..self.ends[tokens - 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_cuts_between_words() {
        let text = Text::new(false);
        assert_eq!(text.cut(None), SENTENCE.as_bytes());
        assert_eq!(text.cut(Some(1)), b"This");
        assert_eq!(text.cut(Some(3)), b"This is a");
        let all = SENTENCE.split(' ').count() as u32;
        for (limit, tokens, cut) in [
            (all - 1, all - 1, true),
            (all, all, false),
            (all + 1, all, false),
        ] {
            assert_eq!(text.tokens(limit), tokens);
            assert_eq!(text.is_cut(Some(limit)), cut);
        }
        assert_eq!(text.cut(Some(all)), SENTENCE.as_bytes());
    }

    #[test]
    fn the_big_text_has_about_ten_kilobytes() {
        assert!((10_000..10_200).contains(&Text::new(true).cut(None).len()));
    }
}
