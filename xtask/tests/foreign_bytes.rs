//! What is not what it looks like: invisible characters, links in place of files, compressed and oddly encoded text.

mod support;

use serde_json::{Value, json};
use support::{OVERLAY, Run, Tree, changed, document, selection};

/// One of each sort: format characters, direction, zero width, fillers, variation selectors, tags, odd spaces.
const INVISIBLE: [char; 16] = [
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{202e}',
    '\u{2066}',
    '\u{2060}',
    '\u{2800}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{e0041}',
    '\u{a0}',
];

#[track_caller]
fn refused(tree: &Tree, document: &Value, said: &str) {
    let before = tree.content();
    let run = tree.update(document);
    run.expect(1, said);
    assert!(!run.stderr.contains(INVISIBLE), "{}", run.stderr);
    assert_eq!(tree.content(), before);
}

#[test]
fn invisible_character_in_a_name_or_value_is_refused_and_shown() {
    let tree = Tree::vendored();
    for character in INVISIBLE {
        let hidden = format!("pass{character}word");
        let shown = format!("pass{}word", character.escape_unicode());
        for schema in [
            json!({"type": "object", "properties": {&hidden: {"type": "string"}}}),
            json!({"type": "object", "required": [&hidden], "properties": {"x": {"type": "string"}}}),
            json!({"type": "string", "enum": [&hidden]}),
            json!({"type": "string", "format": &hidden}),
        ] {
            let document = changed(|document| document["components"]["schemas"]["Item"] = schema.clone());
            refused(&tree, &document, &shown);
        }
        let tag = changed(|document| document["paths"]["/auth/login"]["post"]["tags"] = json!([hidden]));
        refused(&tree, &tag, &shown);
    }
}

#[test]
fn invisible_character_in_the_overlay_is_refused_and_shown() {
    let overlay = OVERLAY.replace("x-source: The test.", "x-source: \"The\\u200btest.\"");
    let tree = Tree::with(&selection("http://127.0.0.1:1"), &overlay);
    refused(&tree, &document(), "The\\u{200b}test.");
}

#[test]
fn invisible_character_in_an_example_is_written_escaped() {
    let tree = Tree::new();
    let document = changed(|document| {
        document["components"]["schemas"]["Item"]["properties"]["id"]["example"] =
            json!("a\u{202e}b\u{e0041}");
    });
    tree.update(&document).expect(0, "Wrote");
    let text = tree.read("synerise-auth.json");
    assert!(
        text.contains("a\\u202eb\\udb40\\udc41") && !text.contains(INVISIBLE),
        "{text}"
    );
    tree.run("verify-spec", &[]).expect(0, "Verified");
}

#[test]
fn properties_that_are_called_like_members_are_looked_at_as_well() {
    let schema =
        json!({"type": "object", "properties": {"example": {"type": "string", "enum": ["a\u{200b}"]}}});
    let document = changed(|document| document["components"]["schemas"]["Item"] = schema);
    refused(&Tree::vendored(), &document, "a\\u{200b}");
}

#[cfg(unix)]
#[test]
fn link_in_place_of_a_file_or_folder_is_refused() {
    use std::fs::{create_dir, read_dir, rename};
    use std::os::unix::fs::symlink;

    for name in [
        "upstream",
        "upstream/service.json",
        "synerise-auth.json",
        "spec.lock",
        ".update",
    ] {
        let tree = Tree::vendored();
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("target");
        rename(tree.path().join(name), &target).unwrap();
        symlink(&target, tree.path().join(name)).unwrap();
        let said = format!("{name} is a symbolic link");
        tree.update(&document()).expect(1, &said);
        tree.run("verify-spec", &[]).expect(1, &said);
    }
    // A link that leads nowhere yet.
    let tree = Tree::new();
    let elsewhere = tempfile::tempdir().unwrap();
    create_dir(elsewhere.path().join("real")).unwrap();
    symlink(elsewhere.path().join("real"), tree.path().join("upstream")).unwrap();
    tree.update(&document()).expect(1, "upstream is a symbolic link");
    assert_eq!(read_dir(elsewhere.path().join("real")).unwrap().count(), 0);
}

#[test]
fn compressed_document_is_named() {
    let tree = Tree::new();
    for (bytes, said) in [
        (&b"\x1f\x8b\x08\x00\x00\x00"[..], "gzip-compressed"),
        (b"\x28\xb5\x2f\xfd\x00", "zstd-compressed"),
        (b"\xfd7zXZ\x00", "xz-compressed"),
        (b"BZh91AY&SY", "bzip2-compressed"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"\xff\xfeo\x00p\x00", "UTF-16"),
        (b"\xfe\xff\x00o\x00p", "UTF-16"),
        (b"o\x00p\x00\xff", "not UTF-8"),
    ] {
        let file = tree.path().join("service.json");
        std::fs::write(&file, bytes).unwrap();
        let run = tree.run("update-spec", &["--from", file.to_str().unwrap()]);
        run.expect(1, said).expect(1, "service");
        let file = file.to_str().unwrap();
        Run::verb("diff-spec", &[file, file]).expect(1, said);
    }
}
