//! Do-not-call lists and what stands on them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{collect, first, instant, instant_or_null, parsed};
use super::{LedgerError, Result};
use crate::domain::bar::{Listed, OPT_OUT_LIST, PREFIX_CHARACTERS_MIN, Pattern, Prefix, Scope};
use crate::domain::campaign::Campaign;
use crate::domain::contact::Exclusion;
use crate::domain::ids::{AttemptId, CampaignId, DncListId, UserId};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::number::Number;

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DncList {
    /// Its row.
    pub id: DncListId,
    /// Its name, one of its kind in the ledger.
    pub name: Name,
    /// Whose campaigns it holds for.
    pub scope: Scope,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it names.
    pub pattern: Pattern,
    /// Where it is from.
    pub source: String,
    /// Since when it is there.
    pub added_at: UtcMs,
    /// When it holds no longer; `None` for never.
    pub expires_at: Option<UtcMs>,
}

/// What came of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It is a new entry.
    New,
    /// The list had it; it holds as long as the longer of both says.
    Known,
}

/// How many entries a list has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryCounts {
    /// Single numbers.
    pub numbers: u64,
    /// Prefixes.
    pub prefixes: u64,
}

const LISTS: &str = "SELECT id, name, scope, owner, campaign FROM dnc_lists";
const NUMBER: &str = "number";
const PREFIX: &str = "prefix";

fn read_list(row: &Row<'_>) -> Result<DncList> {
    let scope: String = row.get("scope")?;
    let (owner, campaign): (Option<i64>, Option<i64>) = (row.get("owner")?, row.get("campaign")?);
    let scope = match (scope.as_str(), owner, campaign) {
        ("server", ..) => Scope::Server,
        ("user", Some(owner), _) => Scope::User(UserId(owner)),
        ("campaign", _, Some(campaign)) => Scope::Campaign(CampaignId(campaign)),
        _ => return Err(LedgerError::corrupt("the scope of a do-not-call list", scope)),
    };
    Ok(DncList { id: DncListId(row.get("id")?), name: parsed(row, "name")?, scope })
}

/// Makes an empty list; refuses a name that is taken.
pub fn create(db: &Connection, name: &Name, scope: Scope, now: UtcMs) -> Result<DncListId> {
    if find(db, name)?.is_some() {
        return Err(LedgerError::Taken { what: "do-not-call list", name: name.to_string() });
    }
    let (word, owner, campaign) = match scope {
        Scope::Server => ("server", None, None),
        Scope::User(owner) => ("user", Some(owner.0), None),
        Scope::Campaign(campaign) => ("campaign", None, Some(campaign.0)),
    };
    db.prepare_cached("INSERT INTO dnc_lists (name, scope, owner, campaign, created_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![name.as_str(), word, owner, campaign, now.0])?;
    Ok(DncListId(db.last_insert_rowid()))
}

/// The list of this name.
pub fn find(db: &Connection, name: &Name) -> Result<Option<DncList>> {
    let mut statement = db.prepare_cached(&format!("{LISTS} WHERE name = ?1"))?;
    first(statement.query([name.as_str()])?, read_list)
}

/// All lists by name.
pub fn all(db: &Connection) -> Result<Vec<DncList>> {
    let mut statement = db.prepare_cached(&format!("{LISTS} ORDER BY name"))?;
    collect(statement.query([])?, read_list)
}

/// Removes a list with its entries. Looks at all entries of all lists.
pub fn remove_list(db: &Connection, list: DncListId) -> Result<()> {
    db.execute("DELETE FROM dnc_entries WHERE list = ?1", [list.0])?;
    db.execute("DELETE FROM dnc_lists WHERE id = ?1", [list.0])?;
    Ok(())
}

fn key(pattern: &Pattern) -> (&'static str, &str) {
    match pattern {
        Pattern::Number(number) => (NUMBER, number.as_str()),
        Pattern::Prefix(prefix) => (PREFIX, prefix.as_str()),
    }
}

/// Puts an entry on a list. One that is there keeps its source, and holds as long as the longer of both says.
pub fn add(db: &Connection, list: DncListId, entry: &Entry) -> Result<Noted> {
    let (kind, pattern) = key(&entry.pattern);
    let known = "SELECT 1 FROM dnc_entries WHERE kind = ?1 AND pattern = ?2 AND list = ?3";
    let noted = match db.prepare_cached(known)?.exists(params![kind, pattern, list.0])? {
        true => Noted::Known,
        false => Noted::New,
    };
    db.prepare_cached(
        "INSERT INTO dnc_entries (kind, pattern, list, source, added_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (kind, pattern, list) DO UPDATE SET expires_at =
            CASE WHEN dnc_entries.expires_at < excluded.expires_at THEN excluded.expires_at
                 WHEN excluded.expires_at IS NULL THEN NULL ELSE dnc_entries.expires_at END",
    )?
    .execute(params![kind, pattern, list.0, entry.source, entry.added_at.0, entry.expires_at.map(|t| t.0)])?;
    Ok(noted)
}

/// Takes an entry off a list; `false` when it was not on it.
pub fn remove(db: &Connection, list: DncListId, pattern: &Pattern) -> Result<bool> {
    let (kind, pattern) = key(pattern);
    let sql = "DELETE FROM dnc_entries WHERE kind = ?1 AND pattern = ?2 AND list = ?3";
    Ok(db.prepare_cached(sql)?.execute(params![kind, pattern, list.0])? == 1)
}

/// Puts the number of an attempt on a list for good: the callee has asked for it. Without a list, or when it is not
/// there any more, on the one that there always is.
pub fn opt_out(db: &Connection, attempt: AttemptId, list: Option<&Name>, now: UtcMs) -> Result<()> {
    let sql = "SELECT number FROM attempts WHERE id = ?1";
    let number: Option<String> = db.prepare_cached(sql)?.query_row([attempt.0], |row| row.get(0)).optional()?;
    let number = number.ok_or_else(|| LedgerError::absent("attempt", attempt.to_string()))?;
    let number = Number::from_canonical(&number).ok_or_else(|| LedgerError::corrupt("number", "no number"))?;
    let named = list.map(|name| find(db, name)).transpose()?.flatten();
    let list = match named {
        Some(list) => list.id,
        None => built_in(db)?,
    };
    let source = format!("opted out in attempt {attempt}");
    add(db, list, &Entry { pattern: Pattern::Number(number), source, added_at: now, expires_at: None })?;
    exclude_late(db, attempt)
}

/// A contact whose call is closed already, and who has said only now that there is to be no other: by none of its numbers.
fn exclude_late(db: &Connection, attempt: AttemptId) -> Result<()> {
    let sql = "UPDATE contacts SET state = 'excluded', excluded = ?2, due_at = NULL
        WHERE id = (SELECT contact FROM attempts WHERE id = ?1 AND closed_at IS NOT NULL) AND state <> 'in_progress'";
    db.prepare_cached(sql)?.execute(params![attempt.0, Exclusion::DoNotCall.as_str()])?;
    Ok(())
}

fn built_in(db: &Connection) -> Result<DncListId> {
    let name: Name = OPT_OUT_LIST.parse()?;
    Ok(find(db, &name)?.ok_or_else(|| LedgerError::absent("do-not-call list", OPT_OUT_LIST))?.id)
}

/// How many entries each list has. Looks at all entries of all lists.
pub fn counts(db: &Connection, list: DncListId) -> Result<EntryCounts> {
    let sql = "SELECT count(*) FROM dnc_entries WHERE kind = ?1 AND list = ?2";
    let count = |kind: &str| db.prepare_cached(sql)?.query_row(params![kind, list.0], |row| row.get(0));
    Ok(EntryCounts { numbers: count(NUMBER)?, prefixes: count(PREFIX)? })
}

/// Hands each entry of a list to `each`, numbers first, in their order.
pub fn each_entry<E: From<LedgerError>>(
    db: &Connection,
    list: DncListId,
    mut each: impl FnMut(Entry) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let sql =
        "SELECT kind, pattern, source, added_at, expires_at FROM dnc_entries WHERE list = ?1 ORDER BY kind, pattern";
    let mut statement = db.prepare_cached(sql).map_err(LedgerError::from)?;
    let mut rows = statement.query([list.0]).map_err(LedgerError::from)?;
    while let Some(row) = rows.next().map_err(LedgerError::from)? {
        each(read_entry(row)?)?;
    }
    Ok(())
}

fn read_entry(row: &Row<'_>) -> Result<Entry> {
    let (kind, text): (String, String) = (row.get("kind")?, row.get("pattern")?);
    let pattern = match kind.as_str() {
        NUMBER => Number::from_canonical(&text).map(Pattern::Number),
        _ => text.parse::<Prefix>().ok().map(Pattern::Prefix),
    };
    Ok(Entry {
        pattern: pattern.ok_or_else(|| LedgerError::corrupt("pattern", "neither number nor prefix"))?,
        source: row.get("source")?,
        added_at: instant(row, "added_at")?,
        expires_at: instant_or_null(row, "expires_at")?,
    })
}

/// All entries that hold for a number at `now`, whatever their lists hold for.
pub fn entries_for(db: &Connection, number: &Number, now: UtcMs) -> Result<Vec<(DncList, Entry)>> {
    let sql = "SELECT e.kind AS kind, e.pattern AS pattern, e.source AS source, e.added_at AS added_at,
            e.expires_at AS expires_at, l.id AS id, l.name AS name, l.scope AS scope, l.owner AS owner,
            l.campaign AS campaign
        FROM dnc_entries e JOIN dnc_lists l ON l.id = e.list
        WHERE e.kind = ?1 AND e.pattern = ?2 AND (e.expires_at IS NULL OR e.expires_at > ?3) ORDER BY l.name";
    let mut statement = db.prepare_cached(sql)?;
    let mut found = Vec::new();
    for (kind, pattern) in std::iter::once((NUMBER, number.as_str())).chain(Prefix::all_of(number).map(|p| (PREFIX, p)))
    {
        let rows = statement.query(params![kind, pattern, now.0])?;
        found.extend(collect(rows, |row| Ok((read_list(row)?, read_entry(row)?)))?);
    }
    Ok(found)
}

/// Who wants to call: the lists that hold depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its owner.
    pub owner: UserId,
}

impl Caller {
    /// A campaign.
    #[must_use]
    pub fn of(campaign: &Campaign) -> Self {
        Self { campaign: campaign.id, owner: campaign.owner }
    }
}

/// What stands on lists at all: where nothing does, no number is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stock {
    numbers: bool,
    prefixes: bool,
}

impl Stock {
    /// As it is now.
    pub fn read(db: &Connection) -> Result<Self> {
        let sql = "SELECT 1 FROM dnc_entries WHERE kind = ?1 LIMIT 1";
        let any = |kind: &str| db.prepare_cached(sql)?.exists([kind]);
        Ok(Self { numbers: any(NUMBER)?, prefixes: any(PREFIX)? })
    }

    /// Whether nothing stands on any list.
    #[must_use]
    pub fn is_empty(self) -> bool {
        !self.numbers && !self.prefixes
    }
}

/// The entry that bars this number from calls of this campaign at `at`; of several the one that does so longest.
/// It costs a search, and one or two more where there are prefixes: as many as the number has beginnings at most.
pub fn listed(db: &Connection, stock: Stock, caller: Caller, number: &Number, at: UtcMs) -> Result<Option<Listed>> {
    let mut found: Vec<Listed> = Vec::new();
    if stock.numbers {
        found.extend(lookup(db, (NUMBER, number.as_str()), caller, at)?);
    }
    if stock.prefixes {
        for prefix in prefixes_of(db, number)? {
            found.extend(lookup(db, (PREFIX, prefix), caller, at)?);
        }
    }
    Ok(found.into_iter().max_by_key(|listed| listed.until.map_or(i64::MAX, |until| until.0)))
}

pub(super) const LOOKUP: &str = "SELECT l.name AS name, e.source AS source, e.expires_at AS expires_at
    FROM dnc_entries e JOIN dnc_lists l ON l.id = e.list
    WHERE e.kind = ?1 AND e.pattern = ?2 AND (e.expires_at IS NULL OR e.expires_at > ?3)
        AND (l.scope = 'server' OR l.owner = ?4 OR l.campaign = ?5)";

fn lookup(db: &Connection, (kind, pattern): (&str, &str), caller: Caller, at: UtcMs) -> Result<Vec<Listed>> {
    let mut statement = db.prepare_cached(LOOKUP)?;
    collect(statement.query(params![kind, pattern, at.0, caller.owner.0, caller.campaign.0])?, |row| {
        Ok(Listed {
            list: parsed(row, "name")?,
            source: row.get("source")?,
            until: instant_or_null(row, "expires_at")?,
        })
    })
}

pub(super) const PREFIX_BEFORE: &str =
    "SELECT pattern FROM dnc_entries WHERE kind = 'prefix' AND pattern <= ?1 ORDER BY pattern DESC LIMIT 1";

/// The beginnings of a number that stand on lists, longest first. What stands last before a number in the order of
/// the table begins it, or shows how long one that does so can be at the most.
fn prefixes_of<'a>(db: &Connection, number: &'a Number) -> Result<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut statement = db.prepare_cached(PREFIX_BEFORE)?;
    let mut key = Prefix::all_of(number).last();
    while let Some(longest) = key {
        let before: Option<String> = statement.query_row([longest], |row| row.get(0)).optional()?;
        let Some(before) = before else { break };
        let shared = before.bytes().zip(longest.bytes()).take_while(|(a, b)| a == b).count();
        let begins = shared == before.len();
        found.extend(begins.then(|| &longest[..shared]));
        // One that begins the number is done with; any other is told apart by the character behind what is shared.
        let left = if begins { shared - 1 } else { shared };
        key = (left >= PREFIX_CHARACTERS_MIN).then(|| &longest[..left]);
    }
    Ok(found)
}
