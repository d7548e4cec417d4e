//! What the program reads from files and from the command line.

use std::path::Path;

use serde_json::Value;

/// Reads a JSON file that any editor may have written: UTF-8 or UTF-16, with or without a byte order mark.
pub(crate) fn read_json(file: &Path) -> Result<Value, String> {
    let text =
        decode(&read(file)?).ok_or_else(|| format!("{} is neither UTF-8 nor UTF-16 text", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{} is not valid JSON: {error}", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

fn decode(bytes: &[u8]) -> Option<String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())
    };
    match bytes {
        [0xFF, 0xFE, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xFE, 0xFF, text @ ..] => utf16(text, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, text @ ..] | text => String::from_utf8(text.to_vec()).ok(),
    }
}

/// The content type and the body of a stub, from its text or from `@FILE`.
pub(crate) fn stub_body(argument: &str) -> Result<(&'static str, Vec<u8>), String> {
    let Some(file) = argument.strip_prefix('@').map(Path::new) else {
        let body = argument.as_bytes().to_vec();
        let content_type = if is_json(&body) {
            "application/json"
        } else {
            "text/plain; charset=utf-8"
        };
        return Ok((content_type, body));
    };
    let body = read(file)?;
    let extension = file.extension().unwrap_or_default().to_ascii_lowercase();
    let content_type = match extension.to_str().unwrap_or_default() {
        "json" => "application/json",
        "html" | "htm" => "text/html; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "application/xml",
        _ if is_json(&body) => "application/json",
        _ => "application/octet-stream",
    };
    Ok((content_type, body))
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok()
}
