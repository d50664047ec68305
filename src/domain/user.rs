//! Users: an admin sees and does all, a user only their own.

use super::ids::UserId;
use super::name::Name;
use super::stored::worded_enum;

worded_enum! {
    /// What a user may see and do.
    pub enum Role {
        /// Everything, over all users.
        Admin = "admin",
        /// Their own campaigns only, without `IVR`, users and trunks.
        User = "user",
    }
}

/// A user of the dialer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its row.
    pub id: UserId,
    /// Its name.
    pub name: Name,
    /// Its role.
    pub role: Role,
}
