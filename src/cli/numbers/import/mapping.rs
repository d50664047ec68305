//! What the columns of a file become: `--map FIELD=COLUMN`, or found out by their headers.

use std::fmt;
use std::str::FromStr;

use crate::domain::contact::{NUMBERS_MAX, NumberKind};
use crate::domain::name::TextRefusal;
use crate::domain::variable::VariableName;
use crate::intake::{Column, Description, names_a_number};

/// What a column can become, as it is typed.
const FIELDS: &str =
    "name, number, number2 to number9, priority, zone, expires, caller-id, duration, var:NAME, variables";

/// What a cell is of its contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    Name,
    /// Its place, from 1, and its kind.
    Number(usize, Option<NumberKind>),
    Priority,
    Zone,
    Expires,
    CallerId,
    Duration,
    Variable(VariableName),
    /// Several, as a JSON object.
    Variables,
}

impl Field {
    /// Whether two columns would become the same.
    fn clashes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one, _), Self::Number(another, _)) => one == another,
            (one, another) => one == another,
        }
    }
}

/// As it is shown.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Number(place, None) => write!(f, "number {place}"),
            Self::Number(place, Some(kind)) => write!(f, "number {place} ({kind})"),
            Self::Priority => f.write_str("priority"),
            Self::Zone => f.write_str("zone"),
            Self::Expires => f.write_str("expires"),
            Self::CallerId => f.write_str("caller id"),
            Self::Duration => f.write_str("duration"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Variables => f.write_str("variables"),
        }
    }
}

/// One part of `--map`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What headers say beyond doubt.
    Auto,
    /// This field comes from this column.
    Assign(Field, String),
}

/// Why a part of `--map`, or all of it, cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapRefusal {
    #[error("`{0}` is no part of a mapping; write FIELD=COLUMN, such as name=Name or number2=Office:work, or auto")]
    NoPart(String),
    #[error("`{0}` is no field; the fields are: {FIELDS}")]
    NoField(String),
    #[error("{0}")]
    Variable(TextRefusal),
    #[error("{0}")]
    Kind(TextRefusal),
    #[error("no column is called `{name}`; the columns are: {}", columns.join(", "))]
    NoColumn { name: String, columns: Vec<String> },
    #[error("the file has no headers, so no column is called `{0}`; write its place, from 1, or --header yes")]
    NoHeaders(String),
    #[error("there is no column {place}; the file has {columns}, counted from 1")]
    NoPlace { place: usize, columns: usize },
    #[error("two columns would become {0}")]
    Twice(Field),
}

impl FromStr for Part {
    type Err = MapRefusal;

    fn from_str(text: &str) -> Result<Self, MapRefusal> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let shown = |text: &str| text.chars().take(60).collect::<String>();
        let (field, column) = text.split_once('=').ok_or_else(|| MapRefusal::NoPart(shown(text)))?;
        if column.trim().is_empty() {
            return Err(MapRefusal::NoPart(shown(text)));
        }
        Ok(Self::Assign(
            field_of(field.trim()).map_err(|why| why.unwrap_or(MapRefusal::NoField(shown(field))))?,
            column.trim().to_owned(),
        ))
    }
}

/// A field as it is typed; `None` for one that nobody knows.
fn field_of(text: &str) -> Result<Field, Option<MapRefusal>> {
    if let Some(name) = text.strip_prefix("var:") {
        return name.parse().map(Field::Variable).map_err(|why| Some(MapRefusal::Variable(why)));
    }
    Ok(match text {
        "name" => Field::Name,
        "number" => Field::Number(1, None),
        "priority" => Field::Priority,
        "zone" => Field::Zone,
        "expires" => Field::Expires,
        "caller-id" => Field::CallerId,
        "duration" => Field::Duration,
        "variables" => Field::Variables,
        _ => {
            let place = text.strip_prefix("number").and_then(|place| place.parse().ok());
            Field::Number(place.filter(|place| (1..=NUMBERS_MAX).contains(place)).ok_or(None)?, None)
        }
    })
}

/// The column of the first number, if a part names it.
pub fn number_column(parts: &[Part]) -> Option<Column> {
    let first = parts.iter().find_map(|part| match part {
        Part::Assign(Field::Number(1, _), column) => Some(split_kind(column).0),
        _ => None,
    })?;
    Some(first.parse().map_or_else(|_| Column::Named(first.to_owned()), Column::Place))
}

/// Whether a part names a column by its header.
pub fn names_headers(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Auto => false,
        Part::Assign(_, column) => split_kind(column).0.parse::<usize>().is_err(),
    })
}

/// `Office:work` is the column `Office` with numbers of the kind `work`.
fn split_kind(column: &str) -> (&str, Option<&str>) {
    column.rsplit_once(':').map_or((column, None), |(column, kind)| (column, Some(kind)))
}

/// Each field with its column, counted from 0; numbers in the order in which they are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(Field, usize)>);

impl Mapping {
    /// What `parts` say about this file.
    pub fn of(parts: &[Part], file: &Description) -> Result<Self, MapRefusal> {
        let mut fields: Vec<(Field, usize)> = Vec::new();
        for part in parts {
            let Part::Assign(field, column) = part else { continue };
            let (field, place) = assigned(field, column, file)?;
            if fields.iter().any(|(other, _)| other.clashes(&field)) {
                return Err(MapRefusal::Twice(field));
            }
            fields.push((field, place));
        }
        let number = file.column - 1;
        if !fields.iter().any(|(field, _)| matches!(field, Field::Number(1, _))) {
            fields.push((Field::Number(1, None), number));
        }
        if parts.contains(&Part::Auto) {
            let found = Self::found(&file.headers, number);
            let new =
                |(field, place): &(Field, usize)| !fields.iter().any(|(other, at)| other.clashes(field) || at == place);
            let found: Vec<_> = found.into_iter().filter(new).collect();
            fields.extend(found);
        }
        fields.sort_by_key(|(field, place)| match field {
            Field::Number(at, _) => (0, *at),
            _ => (1, *place),
        });
        Ok(Self(fields))
    }

    /// What headers say beyond doubt, beside the column of the first number.
    pub fn found(headers: &[String], number: usize) -> Vec<(Field, usize)> {
        let mut fields: Vec<(Field, usize)> = Vec::new();
        let mut numbers = 1;
        for (place, header) in headers.iter().enumerate().filter(|(place, _)| *place != number) {
            let letters: String = header.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
            let field = match known(&letters) {
                Some(field) => field,
                None if names_a_number(header) && numbers < NUMBERS_MAX => {
                    numbers += 1;
                    Field::Number(numbers, kind_in(&letters))
                }
                None => continue,
            };
            if !fields.iter().any(|(other, _)| other.clashes(&field)) {
                fields.push((field, place));
            }
        }
        fields
    }

    /// The columns, in the order of the fields.
    pub fn places(&self) -> Vec<usize> {
        self.0.iter().map(|(_, place)| *place).collect()
    }

    /// The fields.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().map(|(field, _)| field)
    }

    /// What the column at `place` becomes.
    pub fn of_column(&self, place: usize) -> Vec<&Field> {
        self.0.iter().filter(|(_, at)| *at == place).map(|(field, _)| field).collect()
    }
}

fn assigned(field: &Field, column: &str, file: &Description) -> Result<(Field, usize), MapRefusal> {
    let Field::Number(at, _) = field else { return Ok((field.clone(), place_of(column, file)?)) };
    // A header may have a colon of its own.
    if let Ok(place) = place_of(column, file) {
        return Ok((field.clone(), place));
    }
    let (column, kind) = split_kind(column);
    let kind = kind.map(|kind| kind.trim().parse().map_err(MapRefusal::Kind)).transpose()?;
    Ok((Field::Number(*at, kind), place_of(column, file)?))
}

fn place_of(column: &str, file: &Description) -> Result<usize, MapRefusal> {
    let wanted = column.trim().to_lowercase();
    if let Some(place) = file.headers.iter().position(|header| header.to_lowercase() == wanted) {
        return Ok(place);
    }
    let columns = file.headers.len().max(file.example.len());
    match column.trim().parse::<usize>() {
        Ok(place) if (1..=columns).contains(&place) => Ok(place - 1),
        Ok(place) => Err(MapRefusal::NoPlace { place, columns }),
        Err(_) if file.headers.is_empty() => Err(MapRefusal::NoHeaders(column.to_owned())),
        Err(_) => Err(MapRefusal::NoColumn { name: column.to_owned(), columns: file.headers.clone() }),
    }
}

fn known(letters: &str) -> Option<Field> {
    Some(match letters {
        "name" | "fullname" | "contact" | "contactname" | "customer" | "customername" | "kunde" | "kundenname" => {
            Field::Name
        }
        "priority" | "prio" | "priorität" | "prioritaet" => Field::Priority,
        "timezone" | "zeitzone" | "tz" | "zone" => Field::Zone,
        "expires" | "expire" | "expiry" | "expiresat" | "expirydate" | "validuntil" | "gültigbis" | "gueltigbis" => {
            Field::Expires
        }
        "callerid" => Field::CallerId,
        _ => return None,
    })
}

/// The kind that a header tells beside that numbers stand below it.
fn kind_in(letters: &str) -> Option<NumberKind> {
    let mobile = ["mobil", "handy", "cell", "móvil", "celular"].iter().any(|word| letters.contains(word));
    if mobile { "mobile".parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(headers: &[&str]) -> Description {
        Description {
            charset: "UTF-8",
            separator: None,
            header: None,
            column: 2,
            headers: headers.iter().map(|header| (*header).to_owned()).collect(),
            example: vec![String::new(); 4],
        }
    }

    fn shown(parts: &str, headers: &[&str]) -> Result<Vec<String>, MapRefusal> {
        let parts: Vec<Part> = parts.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let mapping = Mapping::of(&parts, &file(headers))?;
        Ok(mapping.0.iter().map(|(field, place)| format!("{field}@{place}")).collect())
    }

    const HEADERS: [&str; 4] = ["Name", "Phone", "Mobile", "Prio"];

    #[test]
    fn columns_are_named_by_header_or_place_and_numbers_may_have_a_kind() {
        let mapped = shown("name=name,number2=Mobile:private,var:debt=4", &HEADERS).unwrap();
        assert_eq!(mapped, ["number 1@1", "number 2 (private)@2", "name@0", "variable debt@3"]);
        assert_eq!(shown("number=3:work", &[]).unwrap(), ["number 1 (work)@2"]);
        assert_eq!(shown("number2=a:b", &["x", "y", "a:b"]).unwrap(), ["number 1@1", "number 2@2"]);
    }

    #[test]
    fn headers_are_taken_by_themselves_only_where_they_are_unmistakable() {
        assert_eq!(shown("auto", &HEADERS).unwrap(), ["number 1@1", "number 2 (mobile)@2", "name@0", "priority@3"]);
        assert_eq!(shown("auto", &["Fax", "Phone", "Amount", "Note"]).unwrap(), ["number 1@1"]);
        let mapped = shown("auto,var:customer=Name", &HEADERS).unwrap();
        assert_eq!(mapped, ["number 1@1", "number 2 (mobile)@2", "variable customer@0", "priority@3"]);
    }

    #[test]
    fn what_cannot_be_mapped_is_refused_with_what_there_is_i7() {
        let why = |parts: &str, headers: &[&str]| shown(parts, headers).unwrap_err().to_string();
        assert!(why("nmae=Name", &HEADERS).contains("the fields are: name, number"));
        assert!(why("number10=Name", &HEADERS).contains("is no field"));
        assert!(why("name", &HEADERS).contains("FIELD=COLUMN"));
        assert!(why("name=", &HEADERS).contains("FIELD=COLUMN"));
        assert!(why("name=Nmae", &HEADERS).contains("the columns are: Name, Phone, Mobile, Prio"));
        assert!(why("name=Name", &[]).contains("no headers"));
        assert!(why("name=9", &HEADERS).contains("the file has 4"));
        assert!(why("name=1,name=2", &HEADERS).contains("two columns would become name"));
        assert!(why("var:FILE(/etc/passwd)=1", &HEADERS).contains("'(' at place 5"));
        assert!(why("number2=Mobile:a$b", &HEADERS).contains("kind of number has the character '$'"));
    }
}
