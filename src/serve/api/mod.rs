//! The calls of programs: `/api/v1`.

pub mod audit;
pub mod content;
pub mod crm;
pub mod distribution;
pub mod documents;
pub mod info;
pub mod json;
pub mod loads;
pub mod session;
