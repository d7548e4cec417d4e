//! The pages that rustdoc has written: every link leads somewhere, and every item is two clicks away from the crate's page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::command::{Failed, Result, target};

/// Checks the pages of a crate, by its name in code.
pub(super) fn check(name: &str) -> Result {
    let root = target().join("doc");
    let mut pages = BTreeMap::new();
    read(&root, Path::new(name), &mut pages)?;
    let mut problems = BTreeSet::new();
    for (path, text) in &pages {
        for link in links(text) {
            if let Some(problem) = broken(&root, &pages, path, link) {
                problems.insert(format!("{}: {link} {problem}", path.display()));
            }
        }
    }
    problems.extend(
        far_items(&pages, name)
            .into_iter()
            .map(|item| format!("{item} is more than two clicks away")),
    );
    if problems.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = problems.into_iter().take(30).collect();
    Err(Failed::new(format!("{name}:\n  {}", list.join("\n  "))))
}

/// The pages of a folder and of those in it, by their paths below `root`.
fn read(root: &Path, folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> Result {
    let failed = |error| Failed::new(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(root.join(folder)).map_err(failed)? {
        let path = folder.join(entry.map_err(failed)?.file_name());
        if root.join(&path).is_dir() {
            read(root, &path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            let text = fs::read_to_string(root.join(&path)).map_err(failed)?;
            pages.insert(path, text);
        }
    }
    Ok(())
}

/// In the text of a method that tracing gives to every type: a link that is right in tracing's own pages.
const OF_TRACING: &str = "dispatcher#setting-the-default-subscriber";

/// The links of a page to pages beside it.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split(" href=\"").skip(1);
    let targets = targets.filter_map(|rest| rest.split('"').next());
    targets.filter(|target| !target.contains(':') && !target.is_empty() && *target != OF_TRACING)
}

fn broken(root: &Path, pages: &BTreeMap<PathBuf, String>, from: &Path, link: &str) -> Option<&'static str> {
    let (file, id) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        from.to_owned()
    } else {
        resolve(from, file)
    };
    let Some(text) = pages.get(&target) else {
        return (!root.join(&target).exists()).then_some("leads nowhere");
    };
    let id = id.replace("%E2%80%A6", "…");
    // Lines of source code, and what a script of the page opens, have no id in the text.
    let has_id = id.is_empty() || text.contains(&format!(" id=\"{id}\""));
    (!has_id).then_some("leads to a part of the page that is not there")
}

fn resolve(from: &Path, link: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path
}

/// The items of the list of all items that are not linked by the crate's page or by a page that it links. The generated
/// types are left out: one looks for them by name, or comes from a call.
fn far_items(pages: &BTreeMap<PathBuf, String>, name: &str) -> Vec<String> {
    let index = Path::new(name).join("index.html");
    let all = Path::new(name).join("all.html");
    let linked = |page: &Path| -> BTreeSet<PathBuf> {
        let text = pages.get(page).map_or("", String::as_str);
        links(text)
            .map(|link| resolve(page, link.split('#').next().unwrap_or_default()))
            .filter(|target| *target != all)
            .collect()
    };
    let first = linked(&index);
    let second: BTreeSet<PathBuf> = first.iter().flat_map(|page| linked(page)).collect();
    let generated = Path::new(name).join("raw");
    let items = linked(&all).into_iter().filter(|item| pages.contains_key(item));
    items
        .filter(|item| !item.starts_with(&generated) && !first.contains(item) && !second.contains(item))
        .map(|item| item.display().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(pages: &[(&str, &str)]) -> BTreeMap<PathBuf, String> {
        let pages = pages
            .iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
        pages.collect()
    }

    #[test]
    fn broken_link_and_missing_part_are_found() {
        let pages = pages(&[("a/index.html", "<b id=\"here\">"), ("a/b/c.html", "")]);
        let broken = |link| broken(Path::new("/nowhere"), &pages, Path::new("a/b/c.html"), link);
        assert_eq!(broken("../index.html#here"), None);
        assert!(broken("../index.html#there").is_some() && broken("../d.html").is_some());
    }

    #[test]
    fn item_three_clicks_away_is_found() {
        let pages = pages(&[
            ("a/index.html", "<a href=\"all.html\"><a href=\"m/index.html\">"),
            ("a/all.html", "<a href=\"m/near.html\"><a href=\"m/n/far.html\">"),
            (
                "a/m/index.html",
                "<a href=\"near.html\"><a href=\"n/index.html\">",
            ),
            ("a/m/n/index.html", "<a href=\"far.html\">"),
            ("a/m/near.html", ""),
            ("a/m/n/far.html", ""),
        ]);
        assert_eq!(far_items(&pages, "a"), ["a/m/n/far.html"]);
    }
}
