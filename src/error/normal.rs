//! Brings text into the form in which it is compared, without the escapes that servers add when they quote.

use zeroize::Zeroizing;

/// How many layers of escapes are removed. JSON inside JSON inside a query has three.
const LAYERS: usize = 8;

/// A character, and its place in the original text (start and end, in bytes).
type Unit = (char, usize, usize);

/// A text without invisible characters, and with some layers of its escapes removed.
pub(super) struct Layer(Zeroizing<Vec<Unit>>);

/// A searchable layer, with the source character of each byte.
pub(super) struct Form {
    pub(super) text: Zeroizing<String>,
    units: Vec<usize>,
}

/// The text itself, then the text with one more layer of escapes removed each time, until none are left.
pub(super) fn layers(text: &str) -> Vec<Layer> {
    let mut units = Zeroizing::new(Vec::with_capacity(text.len()));
    let visible = text.char_indices().filter(|(_, c)| !is_invisible(*c));
    units.extend(visible.map(|(at, c)| (c, at, at + c.len_utf8())));
    let mut layers = Vec::new();
    while layers.len() < LAYERS {
        let (next, changed) = decode(&units);
        layers.push(Layer(units));
        units = next;
        if !changed {
            break;
        }
    }
    layers
}

impl Layer {
    /// Unchanged.
    pub(super) fn exact(&self) -> Form {
        self.form(|c, push| push(c))
    }

    /// Only letters and digits, in lower case and without accents.
    pub(super) fn loose(&self) -> Form {
        self.form(|c, push| {
            if c.is_alphanumeric() {
                c.to_lowercase()
                    .map(without_accent)
                    .filter(|c| c.is_alphanumeric())
                    .for_each(push);
            }
        })
    }

    /// Only ASCII's letters and digits: what is left of a text that went through a system without others, which leaves them out, or
    /// writes `?` or letters of another encoding in their place.
    pub(super) fn ascii(&self) -> Form {
        self.form(|c, push| {
            if c.is_ascii_alphanumeric() {
                push(c.to_ascii_lowercase());
            }
        })
    }

    /// For secrets with few letters and digits: everything except white space, backslashes and `+` (a space in a query).
    pub(super) fn tight(&self) -> Form {
        self.form(|c, push| {
            if !(c.is_whitespace() || c.is_control() || matches!(c, '\\' | '+')) {
                c.to_lowercase().for_each(push);
            }
        })
    }

    fn form(&self, mut map: impl FnMut(char, &mut dyn FnMut(char))) -> Form {
        let mut text = Zeroizing::new(String::with_capacity(4 * self.0.len()));
        let mut units = Vec::with_capacity(self.0.len());
        for (index, &(c, ..)) in self.0.iter().enumerate() {
            map(c, &mut |mapped| {
                text.push(mapped);
                units.extend(std::iter::repeat_n(index, mapped.len_utf8()));
            });
        }
        Form { text, units }
    }

    /// The place in the original text of a part of one of this layer's forms.
    pub(super) fn place(&self, form: &Form, from: usize, to: usize) -> (usize, usize) {
        let units = form.units.get(from..to).unwrap_or_default();
        match (units.first(), units.last()) {
            (Some(first), Some(last)) => span(&self.0[*first..=*last]),
            _ => (0, 0),
        }
    }

    /// Whether a part of one of this layer's forms is a whole word in the layer.
    pub(super) fn is_whole_word(&self, form: &Form, from: usize, to: usize) -> bool {
        let units = form.units.get(from..to).unwrap_or_default();
        let (Some(first), Some(last)) = (units.first(), units.last()) else {
            return false;
        };
        let (before, after) = (self.0[..*first].last(), self.0.get(last + 1));
        ![before, after]
            .into_iter()
            .flatten()
            .any(|unit| unit.0.is_alphanumeric())
    }
}

/// Removes one layer of escapes, and returns whether there was one.
fn decode(units: &[Unit]) -> (Zeroizing<Vec<Unit>>, bool) {
    let mut decoded = Zeroizing::new(Vec::with_capacity(units.len()));
    let mut changed = false;
    let mut at = 0;
    while let Some(&unit) = units.get(at) {
        let rest = &units[at..];
        let used = match unit.0 {
            '\\' => backslash(rest, &mut decoded),
            '%' => percent(rest, &mut decoded),
            '=' => quoted_printable(rest, &mut decoded),
            '&' => entity(rest, &mut decoded),
            '\u{80}'..='\u{ff}' => misread_utf8(rest, &mut decoded),
            _ => 0,
        };
        if used == 0 {
            decoded.push(unit);
            at += 1;
        } else {
            changed = true;
            at += used;
        }
    }
    // An invisible character must not split an escape of the next layer.
    decoded.retain(|unit: &Unit| !is_invisible(unit.0));
    (decoded, changed)
}

fn span(units: &[Unit]) -> (usize, usize) {
    let from = units.first().map_or(0, |unit| unit.1);
    (from, units.last().map_or(from, |unit| unit.2))
}

/// The number in the leading characters, and how many characters it has.
fn number(units: &[Unit], radix: u32, most: usize) -> (u32, usize) {
    let digits = units.iter().take(most).map_while(|unit| unit.0.to_digit(radix));
    digits.fold((0, 0), |(value, count), digit| {
        (value.saturating_mul(radix).saturating_add(digit), count + 1)
    })
}

/// `\u00e4`, `\u{e4}`, a pair of surrogates, `\xe4`, `\303\244`, `\n`, `\"`, `\/`. Returns how many characters it took.
fn backslash(units: &[Unit], decoded: &mut Vec<Unit>) -> usize {
    let Some(&(kind, ..)) = units.get(1) else { return 0 };
    let (c, used) = match kind {
        'u' | 'U' if units.get(2).is_some_and(|unit| unit.0 == '{') => {
            let (value, digits) = number(&units[3..], 16, 6);
            let closed = units.get(3 + digits).is_some_and(|unit| unit.0 == '}');
            (char::from_u32(value).filter(|_| closed && digits > 0), 4 + digits)
        }
        'u' => match number(&units[2..], 16, 4) {
            (high @ 0xd800..=0xdbff, 4) => {
                let low = units
                    .get(6..8)
                    .is_some_and(|next| next[0].0 == '\\' && next[1].0 == 'u');
                match low.then(|| number(&units[8..], 16, 4)) {
                    Some((low @ 0xdc00..=0xdfff, 4)) => {
                        let value = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        (char::from_u32(value), 12)
                    }
                    _ => (None, 0),
                }
            }
            (value, 4) => (char::from_u32(value), 6),
            _ => (None, 0),
        },
        'x' => match number(&units[2..], 16, 2) {
            (value, 2) => (char::from_u32(value), 4),
            _ => (None, 0),
        },
        'n' | 'r' | 't' | 'b' | 'f' => (Some(' '), 2),
        '"' | '\'' | '/' | '\\' => (Some(kind), 2),
        '0'..='3' => return bytes(units, '\\', 8, 3, decoded),
        _ => (None, 0),
    };
    let Some(c) = c else { return 0 };
    let (from, to) = span(&units[..used]);
    decoded.push((c, from, to));
    used
}

/// `%C3%A4`, `%e4`, `%u00e4`.
fn percent(units: &[Unit], decoded: &mut Vec<Unit>) -> usize {
    if units.get(1).is_some_and(|unit| matches!(unit.0, 'u' | 'U')) {
        let (value, digits) = number(&units[2..], 16, 4);
        let Some(c) = char::from_u32(value).filter(|_| digits == 4) else {
            return 0;
        };
        let (from, to) = span(&units[..6]);
        decoded.push((c, from, to));
        return 6;
    }
    bytes(units, '%', 16, 2, decoded)
}

/// `=C3=A4`. Bytes of ASCII are not escaped in this way, but often follow a `=` in a query.
fn quoted_printable(units: &[Unit], decoded: &mut Vec<Unit>) -> usize {
    match number(&units[1..], 16, 2) {
        (0x80.., 2) => bytes(units, '=', 16, 2, decoded),
        _ => 0,
    }
}

/// A run of bytes, each written as a mark and a number of so many digits. Returns how many characters it took.
fn bytes(units: &[Unit], mark: char, radix: u32, digits: usize, decoded: &mut Vec<Unit>) -> usize {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut rest = units;
    while let [first, after @ ..] = rest
        && first.0 == mark
        && let (value, count) = number(after, radix, digits)
        && count == digits
        && let Ok(byte) = u8::try_from(value)
    {
        bytes.push(byte);
        rest = &after[digits..];
    }
    let length = 1 + digits;
    push_bytes(
        &bytes,
        |index| (units[length * index].1, units[length * index + digits].2),
        decoded,
    );
    length * bytes.len()
}

/// UTF-8 that was read as Latin-1: `ä` has become two characters.
fn misread_utf8(units: &[Unit], decoded: &mut Vec<Unit>) -> usize {
    let bytes = units
        .iter()
        .map_while(|unit| u8::try_from(u32::from(unit.0)).ok());
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(bytes.take_while(|byte| *byte >= 0x80).collect());
    if str::from_utf8(&bytes).is_err() {
        return 0;
    }
    push_bytes(&bytes, |index| (units[index].1, units[index].2), decoded);
    bytes.len()
}

/// Bytes as characters: UTF-8 where it is, else each byte as Latin-1.
fn push_bytes(bytes: &[u8], place: impl Fn(usize) -> (usize, usize), decoded: &mut Vec<Unit>) {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            decoded.push((c, place(at).0, place(at + c.len_utf8() - 1).1));
            at += c.len_utf8();
        }
        for byte in chunk.invalid() {
            let (from, to) = place(at);
            decoded.push((char::from(*byte), from, to));
            at += 1;
        }
    }
}

/// `&#228;`, `&#xe4;`, `&auml;`, `&#228` (browsers read it, too).
fn entity(units: &[Unit], decoded: &mut Vec<Unit>) -> usize {
    const LONGEST: usize = 10;
    if let [_, hash, digits @ ..] = units
        && hash.0 == '#'
        && let (value, count @ 2..) = number(digits, 10, 7)
        && digits.get(count).is_none_or(|unit| unit.0 != ';')
        && let Some(c) = char::from_u32(value)
    {
        let (from, to) = span(&units[..2 + count]);
        decoded.push((c, from, to));
        return 2 + count;
    }
    let Some(end) = units.iter().take(LONGEST).position(|unit| unit.0 == ';') else {
        return 0;
    };
    let name: String = units[1..end]
        .iter()
        .map(|unit| unit.0.to_ascii_lowercase())
        .collect();
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let value = match number.strip_prefix('x') {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            value.ok().and_then(char::from_u32)
        }
        None => named(&name),
    };
    let Some(c) = c else { return 0 };
    let (from, to) = span(&units[..=end]);
    decoded.push((c, from, to));
    end + 1
}

/// A character by its name in HTML, in lower case: those of markup, those of Latin-1's letters, and some of ASCII.
fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "sol" => '/',
        "bsol" => '\\',
        "percnt" => '%',
        "plus" => '+',
        "equals" => '=',
        "num" => '#',
        "dollar" => '$',
        "excl" => '!',
        "quest" => '?',
        "commat" => '@',
        "colon" => ':',
        "semi" => ';',
        "szlig" => 'ß',
        "oelig" => 'œ',
        // Compared without accents.
        _ => {
            let mut letters = name.chars();
            let letter = letters.next()?;
            let accent = letters.as_str();
            let known = [
                "acute", "breve", "caron", "cedil", "circ", "dot", "grave", "macr", "ogon", "ring", "slash",
                "strok", "tilde", "uml", "elig",
            ];
            return (letter.is_ascii_lowercase() && known.contains(&accent)).then_some(letter);
        }
    })
}

/// A Latin letter without its accent; servers write accents in two ways, and lose some.
fn without_accent(c: char) -> char {
    const LETTERS: [(char, &str); 24] = [
        ('a', "àáâãäåāăąǎ"),
        ('a', "æ"),
        ('c', "çćĉċč"),
        ('d', "ďđ"),
        ('e', "èéêëēĕėęě"),
        ('g', "ĝğġģ"),
        ('h', "ĥħ"),
        ('i', "ìíîïĩīĭįı"),
        ('j', "ĵ"),
        ('k', "ķ"),
        ('l', "ĺļľŀł"),
        ('n', "ñńņňŋ"),
        ('o', "òóôõöøōŏőǒ"),
        ('o', "œ"),
        ('r', "ŕŗř"),
        ('s', "śŝşšș"),
        ('t', "ţťŧț"),
        ('u', "ùúûüũūŭůűųǔ"),
        ('w', "ŵ"),
        ('y', "ýÿŷ"),
        ('z', "źżž"),
        ('s', "ß"),
        ('d', "ð"),
        ('t', "þ"),
    ];
    if c.is_ascii() {
        return c;
    }
    // Full-width forms, as East Asian systems write ASCII.
    if let 'ａ'..='ｚ' | '０'..='９' = c {
        return char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c);
    }
    let letter = LETTERS.iter().find(|(_, accented)| accented.contains(c));
    letter.map_or(c, |(letter, _)| *letter)
}

/// Invisible characters: Unicode's format characters (Cf: marks of direction, joiners, tags), variation selectors and
/// fillers.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str) -> String {
        layers(text)
            .last()
            .map(|layer| layer.exact().text.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn every_layer_of_escapes_is_taken_off() {
        for (escaped, plain) in [
            (r"\u00e4\/\u{e4}\xe4", "ä/ää"),
            (r"\ud83d\ude00", "😀"),
            (r#"{\\\"a\\\":1}"#, r#"{"a":1}"#),
            ("%C3%a4%E4%2f%252F%u00e4", "ää//ä"),
            ("&lt;&amp;lt;&#228;&#xE4;&auml;", "<<ääa"),
            (
                "&gt;&quot;&apos;&nbsp;&sol;&bsol;&percnt;&plus;&equals;",
                ">\"' /\\%+=",
            ),
            (
                "&num;&dollar;&excl;&quest;&commat;&colon;&semi;&szlig;&oelig;",
                "#$!?@:;ßœ",
            ),
            ("Ã¤", "ä"),
            (r"\303\244\101", "äA"),
            ("=C3=a4=41 a=12", "äA a=12"),
            ("&#228 &#0228x", "ä äx"),
            (r"100% \ & \q &x; %z", r"100% \ & \q &x; %z"),
        ] {
            assert_eq!(last(escaped), plain, "{escaped}");
        }
    }

    #[test]
    fn a_place_in_a_form_is_known_in_the_text() {
        let text = "x %C3%a4\u{200b}b y";
        let layers = layers(text);
        let form = layers[1].loose();
        assert_eq!(&*form.text, "xaby");
        let (from, to) = layers[1].place(&form, 1, 3);
        assert_eq!(&text[from..to], "%C3%a4\u{200b}b");

        let text = "x %E4%F6b y";
        let layers = super::layers(text);
        let form = layers[1].loose();
        assert_eq!(&*form.text, "xaoby");
        let (from, to) = layers[1].place(&form, 2, 4);
        assert_eq!(&text[from..to], "%F6b");
    }
}
