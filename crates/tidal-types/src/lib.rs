//! Part of tidalDB.
