//! Reads Rust just well enough: strings and comments blanked, tests cut out, functions measured.

/// A Rust file in the three forms that the rules look at. All have the same lines.
pub struct Source {
    /// Where, from the root of the repository, with `/`.
    pub path: String,
    /// Without comments and without the insides of strings.
    pub code: String,
    /// That without test code.
    pub product: String,
}

/// A function: where it begins, its parameters as text, how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub struct Function<'a> {
    pub line: usize,
    pub name: &'a str,
    pub parameters: &'a str,
    pub lines: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let tests_only = !path.contains("src/") || path.ends_with("/tests.rs") || path.contains("/tests/");
        let product = if tests_only { String::new() } else { without_tests(&code) };
        Self { path: path.to_owned(), code, product }
    }

    /// The modules under `#[cfg(test)]` that are files of their own: `src/a/b` for `mod b;` in `src/a.rs`.
    pub fn test_files(&self) -> Vec<String> {
        let folder = ["/mod.rs", "/lib.rs", "/main.rs", ".rs"].iter().find_map(|end| self.path.strip_suffix(end));
        let parts = self.code.split("#[cfg(test)]").skip(1);
        let names =
            parts.filter_map(|part| part.trim_start().strip_prefix("mod ")?.split_once(';').map(|(name, _)| name));
        let plain = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        names.filter(plain).map(|name| format!("{}/{name}", folder.unwrap_or_default())).collect()
    }

    /// This file as test code through and through.
    pub fn into_test(self) -> Self {
        Self { product: String::new(), ..self }
    }

    /// The lines that are not test code.
    pub fn product_lines(&self) -> usize {
        if self.product.is_empty() { 0 } else { self.product.lines().filter(|l| *l != CUT).count() }
    }
}

/// What a line of test code becomes.
const CUT: &str = "\u{1}";

/// Replaces comments and the insides of literals by blanks; line breaks stay.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let end = token_end(&chars, i);
        if end == i + 1 {
            out.push(chars[i]);
        } else {
            let literal = chars[i] != '/';
            for (j, c) in chars[i..end].iter().enumerate() {
                let edge = literal && (j == 0 || i + j + 1 == end);
                out.push(if *c == '\n' || edge { *c } else { ' ' });
            }
        }
        i = end;
    }
    out
}

/// The end of the comment or literal at `i`, or the next character.
fn token_end(chars: &[char], i: usize) -> usize {
    let at = |j: usize| chars.get(j).copied().unwrap_or('\0');
    let after_word = i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_');
    match (at(i), at(i + 1)) {
        ('/', '/') => (i..chars.len()).find(|j| at(*j) == '\n').unwrap_or(chars.len()),
        ('/', '*') => block_comment_end(chars, i),
        ('"', _) => quoted_end(chars, i + 1, '"'),
        ('r', '"' | '#') if !after_word || at(i - 1) == 'b' => raw_end(chars, i),
        // A lifetime has no closing quote right after its first character.
        ('\'', '\\') => quoted_end(chars, i + 1, '\''),
        ('\'', _) if at(i + 2) == '\'' => i + 3,
        _ => i + 1,
    }
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut j) = (0, start);
    while j < chars.len() {
        match (chars[j], chars.get(j + 1)) {
            ('/', Some('*')) => (depth, j) = (depth + 1, j + 2),
            ('*', Some('/')) => (depth, j) = (depth - 1, j + 2),
            _ => j += 1,
        }
        if depth == 0 {
            return j;
        }
    }
    j
}

fn quoted_end(chars: &[char], mut j: usize, quote: char) -> usize {
    while j < chars.len() && chars[j] != quote {
        j += if chars[j] == '\\' { 2 } else { 1 };
    }
    (j + 1).min(chars.len())
}

fn raw_end(chars: &[char], i: usize) -> usize {
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(i + 1 + hashes) != Some(&'"') {
        return i + 1; // r#keyword
    }
    let mut j = i + 2 + hashes;
    while j < chars.len() {
        let closing = chars[j] == '"' && chars[j + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
        if closing {
            return j + 1 + hashes;
        }
        j += 1;
    }
    j
}

/// Cuts out every item under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find("#[cfg(test)]") {
        let start = from + found;
        let end = item_end(&out, start + "#[cfg(test)]".len());
        let cut: Vec<&str> = out[start..end].lines().map(|_| CUT).collect();
        let cut = cut.join("\n");
        out.replace_range(start..end, &cut);
        from = start + cut.len();
    }
    out
}

/// The end of the item that begins at `from`: its closing brace or its semicolon.
fn item_end(code: &str, from: usize) -> usize {
    match code[from..].find(['{', ';']) {
        None => code.len(),
        Some(i) if code[from + i..].starts_with(';') => from + i + 1,
        Some(i) => matching(code, from + i).unwrap_or(code.len()),
    }
}

/// The place after the bracket that closes the one at `open`.
pub fn matching(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (i, c) in code[open..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(open + i + 1);
        }
    }
    None
}

/// Every `fn` with a name, in the order of the file.
pub fn functions(code: &str) -> Vec<Function<'_>> {
    code.match_indices("fn ").filter_map(|(at, _)| function(code, at)).collect()
}

fn function(code: &str, at: usize) -> Option<Function<'_>> {
    let before = code[..at].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let rest = &code[at + 3..];
    let name = &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_')?];
    let open = at + 3 + name.len() + generics_length(&rest[name.len()..]);
    if name.is_empty() || !code[open..].starts_with('(') {
        return None;
    }
    let close = matching(code, open)?;
    let end = item_end(code, close);
    Some(Function {
        line: code[..at].matches('\n').count() + 1,
        name,
        parameters: &code[open + 1..close - 1],
        lines: code[at..end].matches('\n').count() + 1,
    })
}

/// The length of `<...>` at the start of `text`; the `>` of `->` closes nothing.
fn generics_length(text: &str) -> usize {
    let (mut depth, mut before) = (0, ' ');
    for (i, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if i == 0 { 0 } else { i + 1 };
        }
        before = c;
    }
    0
}

/// The paths that `use` brings in, groups written out: `use a::{b, c::{d, e}}` is `a::b a::c::d a::c::e`.
pub fn used_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let starts_line =
            code[..at].trim_end_matches([' ', '\t']).chars().next_back().is_none_or(|c| "\n;{})".contains(c))
                || code[..at].ends_with("pub ");
        if let (true, Some(length)) = (starts_line, code[at..].find(';')) {
            let tree: String = code[at + 4..at + length].split_whitespace().collect();
            write_out("", &tree, &mut paths);
        }
    }
    paths
}

fn write_out(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, group)) = tree.split_once('{') else {
        paths.push(format!("{prefix}{tree}"));
        return;
    };
    let group = group.strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0, 0);
    for (i, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if start < i {
                    write_out(&format!("{prefix}{head}"), &group[start..i], paths);
                }
                start = i + 1;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_the_insides_of_literals_are_blank_and_lines_stay() {
        for (text, code) in [
            ("a // {\nb", "a     \nb"),
            ("a /* { /* } */ \n */ b", "a              \n    b"),
            (r#"f("}\"{", x)"#, r#"f("    ", x)"#),
            ("r#\"{\"}\"# + br\"{\" + r#type", "r      # + br  \" + r#type"),
            ("'{' '\\'' &'a str b'\"' for<'b>", "' ' '  ' &'a str b' ' for<'b>"),
            ("\"open", "\"   n"),
        ] {
            assert_eq!(blank(text), code, "{text}");
        }
    }

    #[test]
    fn tests_are_cut_out_and_the_rest_is_kept() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { \"}\"; }\n}\nfn c() {}\n#[cfg(test)]\nmod x;\nfn d() {}\n";
        let source = Source::new("src/x.rs", text);
        assert!(!source.product.contains("fn b") && !source.product.contains("mod x"));
        assert!(source.product.contains("fn c") && source.product.contains("fn d"));
        assert_eq!((source.product_lines(), source.code.lines().count()), (3, 9));
        assert_eq!(Source::new("src/x/tests.rs", text).product_lines(), 0);
        assert_eq!(Source::new("tests/it/x.rs", text).product_lines(), 0);
    }

    #[test]
    fn files_that_are_only_tests_are_known_by_their_declaration() {
        let text = "#[cfg(test)]\nmod world;\n#[cfg(test)]\nmod tests { mod x; }\nmod y;\n";
        assert_eq!(Source::new("src/a/mod.rs", text).test_files(), ["src/a/world"]);
        assert_eq!(Source::new("src/a.rs", text).test_files(), ["src/a/world"]);
        assert_eq!(Source::new("src/lib.rs", text).test_files(), ["src/world"]);
        assert_eq!(Source::new("src/a.rs", text).into_test().product_lines(), 0);
    }

    #[test]
    fn functions_are_measured_whatever_stands_around_them() {
        let code = "fn a(x: u8) {\n  if x { y }\n}\nimpl X { pub const fn b<T: Fn(u8) -> bool>(t: T) -> [u8; 2] where T: Y {\n\n}}\ntrait T { fn c(&self); }\ntype F = fn (u8);";
        let found: Vec<_> = functions(code).into_iter().map(|f| (f.line, f.name, f.parameters, f.lines)).collect();
        assert_eq!(found[0], (1, "a", "x: u8", 3));
        assert_eq!(found[1].1, "b");
        assert_eq!(found[1].2, "t: T");
        assert_eq!((found[2].1, found[2].3, found.len()), ("c", 1, 3));
    }

    #[test]
    fn groups_of_uses_are_written_out() {
        let code = "use std::{\n  fs,\n  collections::{HashMap, HashSet as S},\n};\npub use a::b;\nlet reuse x;\n";
        let paths = used_paths(code);
        assert_eq!(paths, ["std::fs", "std::collections::HashMap", "std::collections::HashSetasS", "a::b"]);
    }
}
